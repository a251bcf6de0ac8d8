#include "officer/registration_json.h"

#include <stdio.h>

#include "lib/base/encode.h"
#include "officer/reading_internal.h"

enum {
    PROCEDURE_MAX = 64,
    SERIAL_TEXT_MAX = 64,
    MAIL_MAX = 254,
    NAME_MAX_LEN = 255,
    STATE_REGISTER = 1000,
    STATE_DEREGISTER = 1001
};

static const char *const order_names[] = {
    [ORDER_SCEP] = "scep", [ORDER_CMP] = "cmp", [ORDER_EST] = "est", [ORDER_ACME] = "acme"
};

const char *order_name(enum order_type order)
{
    return order_names[order];
}

enum order_type order_from_name(struct bytes name)
{
    for (enum order_type order = ORDER_SCEP; order <= ORDER_ACME; order++)
        if (bytes_is_nocase(name, order_names[order]))
            return order;
    return ORDER_NONE;
}

/* --- one reader a kind of value --- */

static bool read_flag(struct reading *in, const json_t *value, bool *out)
{
    struct bytes text = json_bytes(value);

    if (!json_is_boolean(value) && !bytes_is_nocase(text, "true") && !bytes_is_nocase(text, "false"))
        return fault_say(in, "true or false expected");
    *out = json_is_true(value) || bytes_is_nocase(text, "true");
    return true;
}

/* A number, or its digits as text. */
static bool read_number(struct reading *in, const json_t *value, uint64_t max, uint64_t *out)
{
    json_int_t number = json_integer_value(value);

    if (json_is_integer(value) && number >= 0 && (uint64_t)number <= max) {
        *out = (uint64_t)number;
        return true;
    }
    return (json_is_string(value) && bytes_to_u64(json_bytes(value), max, out)) ||
           fault_say(in, "a number up to %llu expected", (unsigned long long)max);
}

/* --- one reader a field --- */

static bool read_order(struct reading *in, const json_t *value)
{
    in->r->order = order_from_name(json_bytes(value));
    return in->r->order != ORDER_NONE || fault_say(in, "scep, cmp, est or acme expected");
}

static bool read_procedure(struct reading *in, const json_t *value)
{
    return read_text(in, value, PROCEDURE_MAX, &in->r->procedure);
}

static bool read_fqdn(struct reading *in, const json_t *value)
{
    if (!json_is_string(value))
        return fault_say(in, "text expected");
    switch (fqdn_pattern_parse(json_bytes(value), in->rules, &in->r->fqdn)) {
    case FQDN_PATTERN_SYNTAX: return fault_say(in, "not a DNS name, nor one with '*'");
    case FQDN_PATTERN_DOUBLE_STAR: return fault_say(in, "'**' is not a pattern");
    case FQDN_PATTERN_TOO_WILD: return fault_say(in, "too many '*', or too few literal labels at the right");
    case FQDN_PATTERN_A_LABEL: return fault_say(in, "'*' in a label that begins with xn--");
    case FQDN_PATTERN_OK: return true;
    }
    return fault_say(in, "not a DNS name");
}

static bool read_state(struct reading *in, const json_t *value)
{
    struct bytes text = json_bytes(value);

    in->r->state = bytes_is_nocase(text, "open")     ? REGISTRATION_OPEN
                   : bytes_is_nocase(text, "closed") ? REGISTRATION_CLOSED
                                                     : REGISTRATION_STATE_NONE;
    return in->r->state != REGISTRATION_STATE_NONE || fault_say(in, "Open or Closed expected");
}

static bool read_cpm_state(struct reading *in, const json_t *value)
{
    uint64_t number = 0;

    if (!read_number(in, value, STATE_DEREGISTER, &number) || number < STATE_REGISTER)
        return fault_say(in, "1000 (register) or 1001 (de-register) expected");
    if (in->r->state != REGISTRATION_STATE_NONE)
        return fault_say(in, "state is given too");
    in->r->state = number == STATE_REGISTER ? REGISTRATION_OPEN : REGISTRATION_CLOSED;
    return true;
}

static bool read_validity(struct reading *in, const json_t *value)
{
    uint64_t days = 0;

    if (bytes_is_nocase(json_bytes(value), "always"))
        return true;
    if (!read_number(in, value, VALID_DAYS_MAX, &days) || days == 0)
        return fault_say(in, "\"always\" or a number of days (1 to %d) expected", VALID_DAYS_MAX);
    in->r->valid_days = (uint32_t)days;
    return true;
}

static bool read_ip(struct reading *in, const json_t *value)
{
    return (json_is_string(value) && ip_parse(json_bytes(value), &in->r->ip)) ||
           fault_say(in, "not an IP address");
}

static bool read_serial(struct reading *in, const json_t *value)
{
    return read_text(in, value, SERIAL_TEXT_MAX, &in->r->serial_number);
}

static bool read_protocols(struct reading *in, const json_t *value)
{
    struct bytes name[LIST_MAX];
    size_t count;

    if (!read_list(in, value, name, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        enum protocol protocol = protocol_from_name(name[i]);

        if (protocol == PROTOCOL_NONE)
            return fault_say(in, "scep, est, cmp or acme expected");
        in->r->protocols |= PROTOCOL_BIT(protocol);
    }
    return in->r->protocols != 0 || fault_say(in, "must not be empty");
}

static bool read_one_time(struct reading *in, const json_t *value)
{
    return read_flag(in, value, &in->r->one_time);
}

static bool read_fingerprint(struct reading *in, const json_t *value)
{
    struct bytes text = json_bytes(value);

    in->r->has_key_fingerprint = text.len == 2 * DIGEST256_LEN &&
                                 hex_decode(text, in->r->key_fingerprint.bytes);
    return in->r->has_key_fingerprint || fault_say(in, "SHA-256 in hexadecimal expected");
}

static bool read_email(struct reading *in, const json_t *value)
{
    if (!read_text(in, value, MAIL_MAX, &in->r->email))
        return false;
    return bytes_find(in->r->email, '@') < in->r->email.len || fault_say(in, "mailbox@domain expected");
}

static bool read_commitment(struct reading *in, const json_t *value)
{
    static const struct digest256 none;
    struct bytes text = json_bytes(value);
    uint8_t digest[BASE64_DECODED_MAX(43)];
    size_t len;

    if (text.len != 43 || !base64url_decode(text, digest, &len) || len != DIGEST256_LEN)
        return fault_say(in, "32 bytes in base64url expected");
    memcpy(in->r->commitment.bytes, digest, DIGEST256_LEN);
    return !digest256_equal(&in->r->commitment, &none) || fault_say(in, "zero");
}

static bool read_user_name(struct reading *in, const json_t *value)
{
    return read_text(in, value, NAME_MAX_LEN, &in->r->user_name);
}

static bool read_realm(struct reading *in, const json_t *value)
{
    return read_text(in, value, NAME_MAX_LEN, &in->r->realm);
}

static bool read_enroll_reg(struct reading *in, const json_t *value)
{
    return read_flag(in, value, &in->r->enroll_reg);
}

static bool read_key_id(struct reading *in, const json_t *value)
{
    return read_text(in, value, NAME_MAX_LEN, &in->r->key_id);
}

static bool read_pre_authorised(struct reading *in, const json_t *value)
{
    return read_flag(in, value, &in->r->pre_authorised);
}

static bool read_allowed_domains(struct reading *in, const json_t *value)
{
    struct bytes list[LIST_MAX];
    size_t count;

    if (!read_list(in, value, list, &count))
        return false;
    in->r->allowed_domain = arena_array(in->arena, count + 1, sizeof(*in->r->allowed_domain));
    if (in->r->allowed_domain == NULL)
        return out_of_memory(in);
    for (size_t i = 0; i < count; i++) {
        struct fqdn_pattern pattern;

        if (fqdn_pattern_parse(list[i], in->rules, &pattern) != FQDN_PATTERN_OK ||
            fqdn_pattern_is_any(&pattern))
            return fault_say(in, "value %zu is not a DNS name", i + 1);
        in->r->allowed_domain[i] = arena_copy(in->arena, fqdn_pattern_bytes(&pattern));
        if (in->r->allowed_domain[i].data == NULL)
            return out_of_memory(in);
    }
    in->r->allowed_domain_count = count;
    return true;
}

static bool refuse_secret(struct reading *in, const json_t *value)
{
    (void)value;
    return fault_say(in, "a secret is never signed: it travels beside the act, here goes its commitment");
}

/* --- the table --- */

#define ON(order) (1u << (order))
enum { ON_ANY = 1u << ORDER_SCEP | 1u << ORDER_CMP | 1u << ORDER_EST | 1u << ORDER_ACME };

static const struct field {
    const char *name;
    const char *also[2];
    uint32_t orders;
    bool required;
    bool (*read)(struct reading *in, const json_t *value);
} fields[] = {
    { "order", { NULL }, ON_ANY, true, read_order }, /* first: the rest depends on it */
    { "procedure", { "certTemplate", "certificateTemplate" }, ON_ANY, true, read_procedure },
    { "fqdn", { "commonName" }, ON_ANY & ~ON(ORDER_ACME), true, read_fqdn },
    { "state", { NULL }, ON_ANY, false, read_state },
    { "cpmState", { NULL }, ON(ORDER_SCEP), false, read_cpm_state },
    { "validity", { NULL }, ON_ANY, false, read_validity },
    { "ipAddress", { NULL }, ON_ANY, false, read_ip },
    { "serialNumber", { NULL }, ON_ANY, false, read_serial },
    { "protocols", { NULL }, ON_ANY, false, read_protocols },
    { "oneTime", { NULL }, ON_ANY, false, read_one_time },
    { "keyFingerprint", { NULL }, ON_ANY, false, read_fingerprint },
    { "email", { "emailAddress" }, ON_ANY, false, read_email },
    { "commitment", { NULL }, ON_ANY, false, read_commitment },
    { "userName", { NULL }, ON(ORDER_EST), false, read_user_name },
    { "realm", { NULL }, ON(ORDER_EST), false, read_realm },
    { "enrollReg", { NULL }, ON(ORDER_SCEP), false, read_enroll_reg },
    { "keyId", { NULL }, ON(ORDER_ACME), true, read_key_id },
    { "allowedDomains", { NULL }, ON(ORDER_ACME), false, read_allowed_domains },
    { "preAuthorised", { "preAuthorized" }, ON(ORDER_ACME), false, read_pre_authorised },
    { "attributes", { NULL }, ON_ANY, false, read_attributes },
    { "password", { "secret", "hmacKey" }, ON_ANY, false, refuse_secret },
};

static const struct field *field_named(const char *name)
{
    struct bytes text = bytes_text(name);

    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (bytes_is_nocase(text, fields[i].name) ||
            (fields[i].also[0] != NULL && bytes_is_nocase(text, fields[i].also[0])) ||
            (fields[i].also[1] != NULL && bytes_is_nocase(text, fields[i].also[1])))
            return &fields[i];
    return NULL;
}

/* Each member to its row, so that fields are read in the table's order whatever the text's. */
static bool sort_members(struct reading *in, const json_t *object, const json_t *member[COUNT_OF(fields)])
{
    json_t *all = (json_t *)(uintptr_t)object; /* jansson's iterator takes no const */
    const char *name;
    json_t *value;

    json_object_foreach(all, name, value)
    {
        const struct field *field = field_named(name);

        fault_name(in->fault, "", name);
        if (field == NULL)
            return fault_say(in, "unknown field");
        if (member[field - fields] != NULL)
            return fault_say(in, "given twice");
        member[field - fields] = value;
    }
    return true;
}

static bool read_field(struct reading *in, const struct field *field, const json_t *value)
{
    fault_name(in->fault, "", field->name);
    if (value != NULL && in->r->order != ORDER_NONE && (field->orders & ON(in->r->order)) == 0)
        return fault_say(in, "no field of %s orders", order_name(in->r->order));
    if (value == NULL)
        return !field->required || (field->orders & ON(in->r->order)) == 0 || fault_say(in, "missing");
    return field->read(in, value);
}

static bool read_fields(struct reading *in, const json_t *object)
{
    const json_t *member[COUNT_OF(fields)] = { NULL };

    if (!json_is_object(object)) {
        fault_name(in->fault, "", "registration");
        return fault_say(in, "object expected");
    }
    if (!sort_members(in, object, member))
        return false;
    if (member[0] == NULL) {
        fault_name(in->fault, "", fields[0].name);
        return fault_say(in, "missing");
    }
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (!read_field(in, &fields[i], member[i]))
            return false;
    if (in->r->state == REGISTRATION_STATE_NONE)
        in->r->state = REGISTRATION_OPEN;
    return true;
}

enum registration_json registration_from_json(const json_t *object, const struct fqdn_pattern_rules *rules,
                                              struct arena *arena, struct registration *out,
                                              struct json_fault *fault)
{
    struct registration r = { 0 };
    struct reading in = { .rules = rules, .arena = arena, .r = &r, .fault = fault };

    *fault = (struct json_fault){ 0 };
    if (!read_fields(&in, object))
        return in.memory ? REGISTRATION_JSON_MEMORY : REGISTRATION_JSON_FAULT;
    *out = r;
    return REGISTRATION_JSON_OK;
}

/* --- writing --- */

static bool put_optional(json_t *object, const char *name, struct bytes text)
{
    return text.len == 0 || json_put_text(object, name, text);
}

static bool put_protocols(json_t *object, uint32_t protocols)
{
    AUTO(json_t) *list = json_array();

    for (enum protocol p = PROTOCOL_NONE + 1; p < PROTOCOL_COUNT; p++)
        if ((protocols & PROTOCOL_BIT(p)) != 0 && !json_push(list, json_string(protocol_name(p))))
            return false;
    return protocols == 0 || json_put(object, "protocols", take(list));
}

static bool put_criteria(json_t *object, const struct registration *r)
{
    static const struct digest256 none;
    char ip[IP_TEXT_LEN];

    ip_format(&r->ip, ip);
    return json_put(object, "validity",
                    r->valid_days == 0 ? json_string("always") : json_integer(r->valid_days)) &&
           put_optional(object, "ipAddress", bytes_text(ip)) &&
           put_optional(object, "serialNumber", r->serial_number) && put_protocols(object, r->protocols) &&
           (!r->one_time || json_put(object, "oneTime", json_true())) &&
           (!r->has_key_fingerprint ||
            json_put_hex(object, "keyFingerprint", digest256_bytes(&r->key_fingerprint))) &&
           put_optional(object, "email", r->email) &&
           (digest256_equal(&r->commitment, &none) ||
            json_put_base64url(object, "commitment", digest256_bytes(&r->commitment)));
}

static bool put_allowed_domains(json_t *object, const struct registration *r)
{
    AUTO(json_t) *list = json_array();

    for (size_t i = 0; i < r->allowed_domain_count; i++)
        if (!json_push(list, json_of_bytes(r->allowed_domain[i])))
            return false;
    return r->allowed_domain_count == 0 || json_put(object, "allowedDomains", take(list));
}

static bool put_order(json_t *object, const struct registration *r)
{
    switch (r->order) {
    case ORDER_NONE: return false;
    case ORDER_SCEP: return !r->enroll_reg || json_put(object, "enrollReg", json_true());
    case ORDER_CMP: return true;
    case ORDER_EST:
        return put_optional(object, "userName", r->user_name) && put_optional(object, "realm", r->realm);
    case ORDER_ACME:
        return put_optional(object, "keyId", r->key_id) && put_allowed_domains(object, r) &&
               (!r->pre_authorised || json_put(object, "preAuthorised", json_true()));
    }
    return false;
}

json_t *registration_to_json(const struct registration *r)
{
    AUTO(json_t) *object = json_object();

    if (!put_order(object, r) || !json_put(object, "order", json_string(order_name(r->order))) ||
        !json_put_text(object, "procedure", r->procedure) ||
        !put_optional(object, "fqdn", fqdn_pattern_bytes(&r->fqdn)) ||
        !json_put(object, "state", json_string(r->state == REGISTRATION_OPEN ? "Open" : "Closed")) ||
        !put_criteria(object, r) || !write_attributes(object, r))
        return NULL;
    return take(object);
}
