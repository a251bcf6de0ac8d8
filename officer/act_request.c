#include "officer/act_request.h"

#include "lib/base/encode.h"
#include "officer/reading_internal.h"

enum { TEXT_MAX = 255, PENDING_MAX = 128 };

static const char *const kind_names[] = {
    [ACT_REGISTER] = "register", [ACT_CLOSE] = "close", [ACT_REVOKE] = "revoke",
    [ACT_APPROVE] = "approve",   [ACT_DENY] = "deny",   [ACT_OFFICER] = "officer"
};

const char *act_kind_name(enum act_kind kind)
{
    return kind_names[kind];
}

struct request_reading {
    struct reading in;
    struct act_request *out;
};

static bool read_kind(struct request_reading *in, const json_t *value)
{
    for (enum act_kind kind = ACT_REGISTER; kind <= ACT_OFFICER; kind++)
        if (bytes_is(json_bytes(value), kind_names[kind]))
            in->out->kind = kind;
    return in->out->kind != ACT_NONE ||
           fault_say(&in->in, "register, close, revoke, approve, deny or officer expected");
}

static bool read_revision(struct request_reading *in, const json_t *value)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return fault_say(&in->in, "a number expected");
    in->out->has_revision = true;
    in->out->revision = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_object(struct request_reading *in, const json_t *value)
{
    if (!json_is_object(value))
        return fault_say(&in->in, "object expected");
    return json_write(value, in->in.arena, &in->out->object) || out_of_memory(&in->in);
}

static bool read_procedure(struct request_reading *in, const json_t *value)
{
    return read_text(&in->in, value, TEXT_MAX, &in->out->procedure);
}

static bool read_fqdn(struct request_reading *in, const json_t *value)
{
    return read_text(&in->in, value, TEXT_MAX, &in->out->fqdn);
}

static bool read_key_id(struct request_reading *in, const json_t *value)
{
    return read_text(&in->in, value, TEXT_MAX, &in->out->key_id);
}

static bool read_pending(struct request_reading *in, const json_t *value)
{
    return read_text(&in->in, value, PENDING_MAX, &in->out->pending);
}

static bool read_issuer(struct request_reading *in, const json_t *value)
{
    struct bytes text = json_bytes(value);

    return (text.len == 2 * DIGEST256_LEN && hex_decode(text, in->out->certificate.issuer.bytes)) ||
           fault_say(&in->in, "SHA-256 in hexadecimal expected");
}

static bool read_serial(struct request_reading *in, const json_t *value)
{
    struct bytes text = json_bytes(value);
    uint8_t serial[SERIAL_MAX + 1];
    size_t len, zeros = 0;

    if (text.len == 0 || text.len / 2 > sizeof(serial) || !hex_decode(text, serial))
        return fault_say(&in->in, "a serial number in hexadecimal expected");
    len = text.len / 2;
    while (zeros + 1 < len && serial[zeros] == 0)
        zeros++;
    if (len - zeros > SERIAL_MAX)
        return fault_say(&in->in, "longer than %d bytes", SERIAL_MAX);
    in->out->certificate.serial_len = (uint8_t)(len - zeros);
    memcpy(in->out->certificate.serial, serial + zeros, len - zeros);
    return true;
}

static bool read_reason(struct request_reading *in, const json_t *value)
{
    in->out->reason = revocation_reason_from_name(json_bytes(value));
    return in->out->reason >= 0 || fault_say(&in->in, "a reason of RFC 5280 expected, as keyCompromise");
}

#define FOR(kind) (1u << (kind))
enum { FOR_ALL = 0xffff };

static const struct member {
    const char *name;
    uint32_t acts, required;
    bool (*read)(struct request_reading *in, const json_t *value);
} members[] = {
    { "act", FOR_ALL, FOR_ALL, read_kind },
    { "revision", FOR(ACT_REGISTER) | FOR(ACT_CLOSE) | FOR(ACT_OFFICER), 0, read_revision },
    { "registration", FOR(ACT_REGISTER), FOR(ACT_REGISTER), read_object },
    { "officer", FOR(ACT_OFFICER), FOR(ACT_OFFICER), read_object },
    { "procedure", FOR(ACT_CLOSE), FOR(ACT_CLOSE), read_procedure },
    { "fqdn", FOR(ACT_CLOSE), 0, read_fqdn },
    { "keyId", FOR(ACT_CLOSE), 0, read_key_id },
    { "issuer", FOR(ACT_REVOKE), FOR(ACT_REVOKE), read_issuer },
    { "serial", FOR(ACT_REVOKE), FOR(ACT_REVOKE), read_serial },
    { "reason", FOR(ACT_REVOKE), 0, read_reason },
    { "pending", FOR(ACT_APPROVE) | FOR(ACT_DENY), FOR(ACT_APPROVE) | FOR(ACT_DENY), read_pending },
};

static bool is_member(const char *name, uint32_t act)
{
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (bytes_is(bytes_text(name), members[i].name))
            return (members[i].acts & act) != 0;
    return false;
}

static bool read_members(struct request_reading *in, json_t *object)
{
    uint32_t act;
    const char *name;
    json_t *value;

    fault_name(in->in.fault, "", members[0].name);
    if (!read_kind(in, json_object_get(object, members[0].name)))
        return false;
    act = FOR(in->out->kind);
    json_object_foreach(object, name, value)
    {
        fault_name(in->in.fault, "", name);
        if (!is_member(name, act))
            return fault_say(&in->in, "unknown field");
    }
    for (size_t i = 1; i < COUNT_OF(members); i++) {
        value = json_object_get(object, members[i].name);
        fault_name(in->in.fault, "", members[i].name);
        if (value == NULL && (members[i].required & act) != 0)
            return fault_say(&in->in, "missing");
        if (value != NULL && !members[i].read(in, value))
            return false;
    }
    if (in->out->kind == ACT_CLOSE && (in->out->fqdn.len == 0) == (in->out->key_id.len == 0)) {
        fault_name(in->in.fault, "", "fqdn");
        return fault_say(&in->in, "either fqdn or keyId expected");
    }
    return true;
}

enum registration_json act_request_parse(struct bytes payload, struct arena *arena, struct act_request *out,
                                         struct json_fault *fault)
{
    AUTO(json_t) *object = json_read(payload);
    struct act_request request = { 0 };
    struct request_reading in = { .in = { .arena = arena, .fault = fault }, .out = &request };

    *fault = (struct json_fault){ 0 };
    if (object == NULL) {
        (void)fault_say(&in.in, "the payload is no JSON object");
        return REGISTRATION_JSON_FAULT;
    }
    if (!read_members(&in, object))
        return in.in.memory ? REGISTRATION_JSON_MEMORY : REGISTRATION_JSON_FAULT;
    *out = request;
    return REGISTRATION_JSON_OK;
}
