#include "enroll/identity.h"

#include <stdio.h>

#include "lib/base/encode.h"

enum { OID_TEXT_MAX = 128, HARDWARE_SERIAL_MAX = 128 };

/* What is being found out, and why it ended. */
struct inquiry {
    const struct enrollment *e;
    struct arena *arena;
    struct identity id;
    enum refusal why;
    const char *detail;
};

static bool refuse(struct inquiry *q, enum refusal why, const char *detail)
{
    q->why = why;
    q->detail = detail;
    return false;
}

static bool out_of_memory(struct inquiry *q)
{
    return refuse(q, REFUSAL_INTERNAL, "out of memory");
}

static struct dns_rules rules_for(const struct enrollment *e, struct dns_rules rules)
{
    rules.underscore = e->procedure->domain->underscore;
    rules.single_label = e->procedure->domain->single_label;
    return rules;
}

static bool has_star(struct bytes text)
{
    return bytes_find(text, '*') < text.len;
}

/* --- DNS names --- */
static void add_name(struct inquiry *q, const struct dns_name *name)
{
    for (size_t i = 0; i < q->id.other_count; i++)
        if (dns_name_equal(&q->id.other[i], name))
            return;
    q->id.other[q->id.other_count++] = *name;
}

/* "*.a.example.com" as a name that is asked for. */
static bool add_wildcard(struct inquiry *q, struct bytes text, struct dns_rules dns)
{
    struct fqdn_pattern_rules rules = { .dns = dns, .literal_labels_min = 1 };

    if (!bytes_starts_with(text, "*.") || has_star(bytes_from(text, 1)) ||
        fqdn_pattern_parse(text, &rules, &q->id.wildcard[q->id.wildcard_count]) != FQDN_PATTERN_OK)
        return refuse(q, REFUSAL_NAME, "a '*' that is not the first label of a name");
    q->id.wildcard_count++;
    return true;
}

/* --- devices that have attested who they are to an ACME account --- */
static struct bytes attested_device(const struct enrollment *e, size_t i)
{
    const struct credential *shown = &e->credential;

    return shown->kind == CREDENTIAL_ACCOUNT && i < shown->account.proved_count
               ? device_id_bytes(&shown->account.proved[i].device)
               : BYTES_NONE;
}

static size_t proved_count(const struct enrollment *e)
{
    return e->credential.kind == CREDENTIAL_ACCOUNT ? e->credential.account.proved_count : 0;
}

static bool is_attested(const struct enrollment *e, struct bytes text)
{
    for (size_t i = 0; i < proved_count(e); i++)
        if (text.len > 0 && bytes_equal(attested_device(e, i), text))
            return true;
    return false;
}

/* CSR-59, CSR-62, CSR-66, CSR-67. */
static bool take_common_name(struct inquiry *q)
{
    const struct dns_rules rules = rules_for(q->e, DNS_RULES_TEXT);
    struct dns_name name;
    size_t count;
    struct bytes text = name_find(&q->e->requested->subject, OID_COMMON_NAME, &count);

    if (count > 1)
        return refuse(q, REFUSAL_NAME, "more than one CN");
    if (count == 0 || is_attested(q->e, text))
        return true;
    if (has_star(text) && bytes_find(text, ' ') == text.len)
        return add_wildcard(q, text, rules);
    switch (dns_name_parse(text, &rules, &name)) {
    case DNS_OK: add_name(q, &name); return true;
    case DNS_NOT_A_NAME:
        if (ip_parse(text, &q->id.ip[q->id.ip_count]))
            q->id.ip_count++;
        return true;
    case DNS_FAULT_SYNTAX: return refuse(q, REFUSAL_NAME, "CN is a broken DNS name");
    case DNS_FAULT_IDNA: return refuse(q, REFUSAL_NAME, "CN is no valid internationalised name");
    }
    return refuse(q, REFUSAL_NAME, "CN");
}

static bool take_dns_name(struct inquiry *q, struct bytes text)
{
    const struct dns_rules rules = rules_for(q->e, DNS_RULES_DNS_NAME);
    struct dns_name name;

    if (has_star(text))
        return add_wildcard(q, text, rules);
    if (dns_name_parse(text, &rules, &name) != DNS_OK)
        return refuse(q, REFUSAL_NAME, "SAN dNSName is not a DNS name");
    add_name(q, &name);
    return true;
}

/* CSR-68: routers send nothing else. An ACME order has identifiers, and no name beside them. */
static bool take_unstructured_name(struct inquiry *q)
{
    const struct dns_rules rules = rules_for(q->e, DNS_RULES_TEXT);
    struct bytes text = q->e->requested->unstructured_name;
    struct dns_name name;

    if (q->id.other_count > 0 || text.len == 0 || !q->e->procedure->unstructured ||
        q->e->credential.kind == CREDENTIAL_ACCOUNT)
        return true;
    switch (dns_name_parse(text, &rules, &name)) {
    case DNS_OK: add_name(q, &name); return true;
    case DNS_NOT_A_NAME: return true;
    case DNS_FAULT_SYNTAX:
    case DNS_FAULT_IDNA: return refuse(q, REFUSAL_NAME, "unstructuredName is a broken DNS name");
    }
    return refuse(q, REFUSAL_NAME, "unstructuredName");
}

/* --- serial numbers --- */
static bool is_printable(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i] < 0x20 || b.data[i] > 0x7e)
            return false;
    return b.len > 0;
}

static bool add_serial(struct inquiry *q, struct serial_source source)
{
    if (q->id.serial_count == IDENTITY_SERIALS_MAX)
        return refuse(q, REFUSAL_NAME, "too many serial numbers");
    q->id.serial[q->id.serial_count++] = source;
    return true;
}

static bool take_hardware_module(struct inquiry *q, struct bytes der, bool certified)
{
    struct serial_source source = { .origin = SERIAL_OF_HARDWARE, .certified = certified };
    struct hardware_module_name name;
    char type[OID_TEXT_MAX], hex[2 * HARDWARE_SERIAL_MAX + 1];

    if (!hardware_module_name_decode(der, &name) || name.serial.len == 0 ||
        name.serial.len > HARDWARE_SERIAL_MAX || !oid_format(name.type, type, sizeof(type)))
        return refuse(q, REFUSAL_SYNTAX, "malformed HardwareModuleName");
    hex_encode(name.serial, hex);
    source.typed = arena_format(q->arena, "%s:%s", type, hex);
    if (source.typed.data == NULL)
        return out_of_memory(q);
    if (is_printable(name.serial)) {
        if (!serial_number_fold(name.serial, q->arena, &source.plain))
            return out_of_memory(q);
    } else {
        source.plain = bytes_from(source.typed, strlen(type) + 1);
    }
    return add_serial(q, source);
}

/* The subject's serialNumber in the deepest RDN that has one. */
static struct bytes last_serial_number(const struct distinguished_name *subject)
{
    struct bytes last = BYTES_NONE;

    for (size_t i = 0; i < subject->count; i++)
        if (bytes_equal(subject->attribute[i].oid, OID_SERIAL_NUMBER))
            last = subject->attribute[i].text;
    return last;
}

static bool take_permanent_identifier(struct inquiry *q, struct bytes der,
                                      const struct distinguished_name *subject, bool certified)
{
    struct serial_source source = { .origin = SERIAL_OF_PERMANENT_ID, .certified = certified };
    struct permanent_identifier id;
    char assigner[OID_TEXT_MAX];

    if (!permanent_identifier_decode(der, &id) || bytes_has_control(id.value))
        return refuse(q, REFUSAL_SYNTAX, "malformed permanentIdentifier");
    source.plain = id.has_value ? id.value : last_serial_number(subject);
    if (source.plain.len == 0)
        return refuse(q, REFUSAL_SYNTAX, "permanentIdentifier without a value, subject without serialNumber");
    if (id.has_assigner) {
        if (!oid_format(id.assigner, assigner, sizeof(assigner)))
            return refuse(q, REFUSAL_SYNTAX, "malformed permanentIdentifier");
        source.typed = arena_format(q->arena, "%s:%.*s", assigner, BYTES_FMT(source.plain));
        if (source.typed.data == NULL)
            return out_of_memory(q);
    }
    return add_serial(q, source);
}

static bool take_subject_serial(struct inquiry *q, const struct distinguished_name *subject, bool certified)
{
    struct serial_source source = { .origin = SERIAL_OF_SUBJECT, .certified = certified };
    size_t count;
    struct bytes text = name_find(subject, OID_SERIAL_NUMBER, &count);

    if (count == 0)
        return true;
    if (count > 1 && !certified)
        return refuse(q, REFUSAL_NAME, "more than one serialNumber");
    if (count > 1)
        text = last_serial_number(subject);
    if (!serial_number_fold(text, q->arena, &source.plain))
        return out_of_memory(q);
    return add_serial(q, source);
}

static bool take_other_name(struct inquiry *q, const struct general_name *name,
                            const struct distinguished_name *subject, bool certified)
{
    if (bytes_equal(name->oid, OID_HARDWARE_MODULE_NAME))
        return take_hardware_module(q, name->value, certified);
    if (bytes_equal(name->oid, OID_PERMANENT_IDENTIFIER))
        return take_permanent_identifier(q, name->value, subject, certified);
    return true;
}

/* --- what the request says --- */
static bool take_general_name(struct inquiry *q, const struct general_name *name)
{
    switch (name->kind) {
    case GENERAL_NAME_DNS: return take_dns_name(q, name->value);
    case GENERAL_NAME_IP:
        if (!ip_from_bytes(name->value, &q->id.ip[q->id.ip_count]))
            return refuse(q, REFUSAL_NAME, "SAN iPAddress is neither 4 nor 16 octets long");
        q->id.ip_count++;
        return true;
    case GENERAL_NAME_OTHER: return take_other_name(q, name, &q->e->requested->subject, false);
    case GENERAL_NAME_EMAIL:
    case GENERAL_NAME_X400:
    case GENERAL_NAME_DIRECTORY:
    case GENERAL_NAME_EDI:
    case GENERAL_NAME_URI:
    case GENERAL_NAME_REGISTERED_ID: return true; /* judged by effective_names() */
    }
    return refuse(q, REFUSAL_NAME, "SAN of an unknown kind");
}

/* As good as a certificate of the maker: that is what the account has shown. */
static bool take_attested(struct inquiry *q)
{
    for (size_t i = 0; i < proved_count(q->e); i++) {
        struct bytes device = attested_device(q->e, i);

        if (device.len > 0 &&
            !add_serial(q, (struct serial_source){
                               .origin = SERIAL_OF_PERMANENT_ID, .certified = true, .plain = device }))
            return false;
    }
    return true;
}

static bool take_request(struct inquiry *q)
{
    const struct requested *requested = q->e->requested;

    if (!take_common_name(q))
        return false;
    for (size_t i = 0; i < requested->san.count; i++)
        if (!take_general_name(q, &requested->san.item[i]))
            return false;
    if (!take_unstructured_name(q) || !take_subject_serial(q, &requested->subject, false) ||
        !take_attested(q))
        return false;
    if (!ip_parse(bytes_trim(requested->unstructured_address), &q->id.unstructured_ip))
        q->id.unstructured_ip = (struct ip_address){ 0 };
    if (q->e->procedure->peer_address)
        q->id.peer = q->e->peer;
    return true;
}

/* --- what the certificate says that was shown as credential (CSR-80) --- */
static bool find_certified_fqdn(const struct inquiry *q, const struct certificate *held, struct dns_name *out)
{
    const struct dns_rules rules = rules_for(q->e, DNS_RULES_TEXT);

    if (dns_name_parse(name_find(&held->subject, OID_COMMON_NAME, NULL), &rules, out) == DNS_OK)
        return true;
    for (size_t i = 0; i < held->san.count; i++)
        if (held->san.item[i].kind == GENERAL_NAME_DNS &&
            dns_name_parse(held->san.item[i].value, &rules, out) == DNS_OK)
            return true;
    return false;
}

/* A certificate of ours that names no FQDN is of an ACME order for wildcards or addresses alone: it is a
 * credential for no name. */
static bool agree_on_fqdn(struct inquiry *q, const struct certificate *held)
{
    struct dns_name certified;

    if (!q->e->renewal)
        return true;
    if (!find_certified_fqdn(q, held, &certified))
        return refuse(q, REFUSAL_RENEW_MISMATCH, "the certificate shown names no FQDN");
    if (q->id.other_count == 0)
        add_name(q, &certified);
    else if (!q->e->procedure->renewal_rename && !dns_name_equal(&q->id.other[0], &certified))
        return refuse(q, REFUSAL_RENEW_MISMATCH, "the FQDN is not that of the certificate shown");
    return true;
}

/* In a renewal, what stands in both must be the same. */
static bool agree_on_serials(struct inquiry *q)
{
    const struct identity *id = &q->id;

    for (size_t i = 0; i < id->serial_count && q->e->renewal; i++)
        for (size_t j = 0; j < id->serial_count; j++)
            if (!id->serial[i].certified && id->serial[j].certified &&
                id->serial[i].origin == id->serial[j].origin &&
                !bytes_equal(id->serial[i].plain, id->serial[j].plain))
                return refuse(q, REFUSAL_RENEW_MISMATCH,
                              "the serial number is not that of the certificate shown");
    return true;
}

static bool take_certificate(struct inquiry *q, const struct certificate *held)
{
    if (!agree_on_fqdn(q, held) || !take_subject_serial(q, &held->subject, true))
        return false;
    for (size_t i = 0; i < held->san.count; i++) {
        const struct general_name *name = &held->san.item[i];

        if (name->kind == GENERAL_NAME_IP && ip_from_bytes(name->value, &q->id.held_ip[q->id.held_ip_count]))
            q->id.held_ip_count++;
        if (name->kind == GENERAL_NAME_OTHER && !take_other_name(q, name, &held->subject, true))
            return false;
    }
    return agree_on_serials(q);
}

/* --- all together --- */
static bool make_room(struct inquiry *q, const struct certificate *held)
{
    size_t names = q->e->requested->san.count + 2; /* CN or unstructuredName, and the certificate's */

    q->id.other = arena_array(q->arena, names, sizeof(*q->id.other));
    q->id.wildcard = arena_array(q->arena, names, sizeof(*q->id.wildcard));
    q->id.ip = arena_array(q->arena, names, sizeof(*q->id.ip));
    q->id.held_ip = arena_array(q->arena, held != NULL ? held->san.count + 1 : 1, sizeof(*q->id.held_ip));
    if (q->id.other == NULL || q->id.wildcard == NULL || q->id.ip == NULL || q->id.held_ip == NULL ||
        !public_key_fingerprint(q->e->requested->key.spki, &q->id.key))
        return out_of_memory(q);
    return true;
}

static bool has_device(const struct inquiry *q)
{
    for (size_t i = 0; i < q->id.serial_count; i++)
        if (q->id.serial[i].certified)
            return true;
    return false;
}

/* An order may be for wildcards, addresses and devices alone. */
static bool imply_fqdn(struct inquiry *q)
{
    const struct dns_rules rules = { .underscore = true, .single_label = true };

    q->id.fqdn_implied = true;
    if (q->id.wildcard_count > 0)
        return dns_name_parse(bytes_from(fqdn_pattern_bytes(&q->id.wildcard[0]), 2), &rules, &q->id.fqdn) ==
                   DNS_OK ||
               refuse(q, REFUSAL_NAME, "a '*' before what is no name");
    return q->id.ip_count > 0 || has_device(q) ||
           refuse(q, REFUSAL_NO_FQDN, "neither a name nor an address is asked for");
}

/* The first name found is the FQDN. */
static bool choose_fqdn(struct inquiry *q)
{
    if (q->e->credential.kind == CREDENTIAL_ACCOUNT && q->id.other_count == 0)
        return imply_fqdn(q);
    if (q->id.other_count == 0 && q->id.wildcard_count > 0)
        return refuse(q, REFUSAL_NAME_POLICY, "a wildcard name alone names no device");
    if (q->id.other_count == 0)
        return refuse(q, REFUSAL_NO_FQDN, "neither CN, SAN nor unstructuredName is a DNS name");
    q->id.fqdn = q->id.other[0];
    q->id.other++;
    q->id.other_count--;
    return true;
}

bool identity_of(const struct enrollment *e, const struct certificate *held, struct arena *arena,
                 struct identity *out, enum refusal *why, const char **detail)
{
    struct inquiry q = { .e = e, .arena = arena };

    if (!make_room(&q, held) || !take_request(&q) || (held != NULL && !take_certificate(&q, held)) ||
        !choose_fqdn(&q)) {
        *why = q.why;
        *detail = q.detail;
        return false;
    }
    *out = q.id;
    return true;
}

/* --- comparing --- */
/* The next character of the folded form of `text`; -1 at the end. */
static int folded_next(struct bytes text, size_t *at)
{
    uint8_t c;

    if (*at >= text.len)
        return -1;
    c = text.data[(*at)++];
    if (c == ' ')
        while (*at < text.len && text.data[*at] == ' ')
            (*at)++;
    return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}

static struct bytes without_outer_blanks(struct bytes text)
{
    while (text.len > 0 && text.data[0] == ' ')
        text = bytes_from(text, 1);
    while (text.len > 0 && text.data[text.len - 1] == ' ')
        text.len--;
    return text;
}

static bool equal_folded(struct bytes a, struct bytes b)
{
    size_t i = 0, j = 0;
    int left, right;

    a = without_outer_blanks(a);
    b = without_outer_blanks(b);
    do {
        left = folded_next(a, &i);
        right = folded_next(b, &j);
    } while (left == right && left >= 0);
    return left == right;
}

bool serial_agrees(const struct serial_source *source, struct bytes registered)
{
    if (without_outer_blanks(registered).len == 0)
        return false; /* none: the caller asks only when one is registered */
    switch (source->origin) {
    case SERIAL_NONE: return false;
    case SERIAL_OF_SUBJECT: return equal_folded(source->plain, registered);
    case SERIAL_OF_HARDWARE:
        return equal_folded(source->plain, registered) || equal_folded(source->typed, registered);
    case SERIAL_OF_PERMANENT_ID:
        return bytes_equal(source->plain, registered) ||
               (source->typed.len > 0 && bytes_equal(source->typed, registered));
    }
    return false;
}
