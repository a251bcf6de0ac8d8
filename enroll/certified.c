/* certified.c: a CA's certificate is held against what was ordered before anyone gets it. */
#include "enroll/order_internal.h"

#include "registry/certificates.h"

enum { CLOCK_SKEW_S = 300 };

/* Attributes of a subject that say who somebody is: none may be there that was not ordered. What a CA adds
 * about itself (O, OU, C, ...) says nothing about the device. */
static bool subject_is_within(const struct certificate *c, const struct distinguished_name *ordered,
                              const struct dns_name *fqdn)
{
    const struct bytes telling[] = { OID_COMMON_NAME, OID_SERIAL_NUMBER, OID_EMAIL_ADDRESS,
                                     OID_UNSTRUCTURED_NAME, OID_UNSTRUCTURED_ADDRESS };

    for (size_t i = 0; i < c->subject.count; i++) {
        const struct name_attribute *a = &c->subject.attribute[i];
        bool tells = false, within = false;

        for (size_t j = 0; j < COUNT_OF(telling); j++)
            tells |= bytes_equal(a->oid, telling[j]);
        for (size_t j = 0; j < ordered->count; j++)
            within |= bytes_equal(a->oid, ordered->attribute[j].oid) &&
                      bytes_equal_nocase(a->text, ordered->attribute[j].text);
        within |= bytes_equal(a->oid, OID_COMMON_NAME) && bytes_equal_nocase(a->text, dns_name_bytes(fqdn));
        if (tells && !within)
            return false;
    }
    return true;
}

static bool same_name(const struct general_name *a, const struct general_name *b)
{
    if (a->kind != b->kind)
        return false;
    return a->kind == GENERAL_NAME_DNS ? bytes_equal_nocase(a->value, b->value)
                                       : bytes_equal(a->encoded, b->encoded);
}

static bool san_is_within(const struct certificate *c, const struct general_names *ordered)
{
    for (size_t i = 0; i < c->san.count; i++) {
        bool within = false;

        for (size_t j = 0; j < ordered->count; j++)
            within |= same_name(&c->san.item[i], &ordered->item[j]);
        if (!within)
            return false;
    }
    return true;
}

/* Of an order for wildcards or addresses alone, all its names are the device's. */
static bool names_device(const struct certificate *c, const struct general_names *ordered,
                         const struct dns_name *fqdn)
{
    bool is_ordered = ordered->count == 0;

    for (size_t i = 0; i < ordered->count; i++)
        is_ordered |= ordered->item[i].kind == GENERAL_NAME_DNS &&
                      bytes_equal_nocase(ordered->item[i].value, dns_name_bytes(fqdn));
    if (!is_ordered)
        return c->san.count == ordered->count;
    for (size_t i = 0; i < c->san.count; i++)
        if (c->san.item[i].kind == GENERAL_NAME_DNS &&
            bytes_equal_nocase(c->san.item[i].value, dns_name_bytes(fqdn)))
            return true;
    return bytes_equal_nocase(name_find(&c->subject, OID_COMMON_NAME, NULL), dns_name_bytes(fqdn));
}

static bool read_ordered(const struct order *order, struct arena *arena, struct distinguished_name *subject,
                         struct general_names *san, struct error *err)
{
    AUTO_STRUCT(buffer) all = BUFFER(128 * 1024);
    size_t begun;

    *san = (struct general_names){ 0 };
    if (name_decode_lenient(order->subject, arena, subject) != NAME_OK)
        return error_set(err, ERROR_FORMAT, "the subject that was ordered cannot be read back");
    if (order->san.len == 0)
        return true;
    begun = der_begin(&all, DER_SEQUENCE);
    buffer_append(&all, order->san);
    der_end(&all, begun);
    if (buffer_failed(&all))
        return error_set(err, ERROR_MEMORY, "names that were ordered");
    return general_names_decode(arena_copy(arena, buffer_bytes(&all)), arena, san) == NAME_OK ||
           error_set(err, ERROR_FORMAT, "the names that were ordered cannot be read back");
}

static const char *chain_fault_of(const struct ca *ca, const struct certificate *c,
                                  const struct connector_step *step, int64_t now_s)
{
    /* Where an anchor is pinned, whom it vouches for may take the issuer's place. */
    if (ca->anchor_count == 0 && !bytes_equal(c->issuer.encoded, ca->certificate.subject.encoded))
        return "another CA issued it";
    /* Clocks differ: one that begins within minutes counts as begun. */
    switch (anchors_verify(ca->anchors, c->encoded, step->chain, step->chain_count, now_s + CLOCK_SKEW_S)) {
    case CHAIN_OK: return NULL;
    case CHAIN_EXPIRED: return "it has expired";
    case CHAIN_NOT_YET_VALID: return "it is not valid yet";
    case CHAIN_UNTRUSTED:
    case CHAIN_INTERNAL: break;
    }
    return "it does not chain to the CA";
}

/* --- whoever it is for --- */
static const char *common_fault_of(struct bytes spki, const struct certificate *c)
{
    if (!bytes_equal(c->key.spki, spki))
        return "it certifies another key";
    if (c->is_ca || (c->key_usage & (KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN)) != 0)
        return "it is a CA's";
    return NULL;
}

static const char *dates_and_chain_fault_of(const struct ca *ca, const struct certificate *c,
                                            const struct connector_step *step, int64_t now_s)
{
    if (c->not_after_s <= c->not_before_s || c->not_after_s <= now_s)
        return "it has expired";
    return chain_fault_of(ca, c, step, now_s);
}

/* Well-formed, with a serial number that is new. */
static bool read_certified(struct turn *turn, const struct connector_step *step, struct certificate *decoded,
                           const char **fault, struct error *err)
{
    struct certificate_record before;
    struct certificate_id id;
    bool found = false;

    *decoded = (struct certificate){ 0 };
    *fault = "it is malformed";
    if (step->certificate.len == 0 || !certificate_decode(step->certificate, turn->arena, decoded) ||
        !certificate_id_of(decoded->issuer.encoded, decoded->serial, &id))
        return true;
    if (!registry_certificate_by_id(turn->view, &id, turn->arena, &found, &before, err))
        return false;
    *fault = found ? "its serial number was given before" : NULL;
    return true;
}

/* --- a device's --- */
static const char *fault_of(const struct ca *ca, const struct order *order, const struct connector_step *step,
                            const struct certificate *c, const struct distinguished_name *subject,
                            const struct general_names *san, int64_t now_s)
{
    const char *fault = common_fault_of(order->spki, c);

    if (fault != NULL)
        return fault;
    if (!subject_is_within(c, subject, &order->fqdn))
        return "its subject names what was not ordered";
    if (!san_is_within(c, san))
        return "its SAN names what was not ordered";
    if (!names_device(c, san, &order->fqdn))
        return "it does not name the device";
    return dates_and_chain_fault_of(ca, c, step, now_s);
}

bool certified_judge(struct turn *turn, const struct ca *ca, const struct order *order,
                     const struct connector_step *step, struct certificate *decoded, const char **fault,
                     struct error *err)
{
    struct distinguished_name subject;
    struct general_names san;
    const char *wrong;

    if (!read_ordered(order, turn->arena, &subject, &san, err) ||
        !read_certified(turn, step, decoded, fault, err))
        return false;
    if (decoded->encoded.len == 0)
        return true;
    wrong = fault_of(ca, order, step, decoded, &subject, &san, turn->now_s);
    if (wrong != NULL)
        *fault = wrong;
    return true;
}

/* --- one of the gateway's own --- */
static bool has_usage(const struct certificate *c, struct bytes oid)
{
    for (size_t i = 0; i < c->extended_key_usage_count; i++)
        if (bytes_equal(c->extended_key_usage[i], oid))
            return true;
    return false;
}

/* Whatever the old one was good for, the new one is, too. */
static const char *usages_fault_of(const struct certificate *old, const struct certificate *c)
{
    if (old->has_key_usage && (!c->has_key_usage || (old->key_usage & ~c->key_usage) != 0))
        return "it lacks a key usage";
    if (old->extended_key_usage_count == 0 && c->extended_key_usage_count > 0)
        return "it is bound to extended key usages";
    for (size_t i = 0; i < old->extended_key_usage_count; i++)
        if (!has_usage(c, old->extended_key_usage[i]))
            return "it lacks an extended key usage";
    return NULL;
}

static const char *renewal_fault_of(const struct ca *ca, const struct certificate *old,
                                    const struct connector_step *step, const struct certificate *c,
                                    int64_t now_s)
{
    static const struct dns_name no_name;
    const char *fault = common_fault_of(old->key.spki, c);

    if (fault == NULL &&
        (!subject_is_within(c, &old->subject, &no_name) || !subject_is_within(old, &c->subject, &no_name)))
        fault = "its subject is another";
    if (fault == NULL && (!san_is_within(c, &old->san) || !san_is_within(old, &c->san)))
        fault = "its SAN has other names";
    if (fault == NULL)
        fault = usages_fault_of(old, c);
    if (fault == NULL && c->not_after_s <= old->not_after_s)
        fault = "it ends no later than the one that it follows";
    return fault != NULL ? fault : dates_and_chain_fault_of(ca, c, step, now_s);
}

bool certified_judge_service(struct turn *turn, const struct ca *ca, const struct certificate *old,
                             const struct connector_step *step, struct certificate *decoded,
                             const char **fault, struct error *err)
{
    const char *wrong;

    if (!read_certified(turn, step, decoded, fault, err))
        return false;
    if (decoded->encoded.len == 0)
        return true;
    wrong = renewal_fault_of(ca, old, step, decoded, turn->now_s);
    if (wrong != NULL)
        *fault = wrong;
    return true;
}
