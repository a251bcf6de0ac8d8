#include "officer/officer_json.h"

#include "lib/base/encode.h"
#include "lib/dns/dns_name.h"
#include "lib/jose/jwk.h"
#include "officer/reading_internal.h"

enum { OFFICER_NAME_MAX = 128 };

static const struct {
    uint32_t right;
    const char *name;
} rights[] = {
    { RIGHT_REGISTER, "register" }, { RIGHT_WILDCARD, "wildcard" },
    { RIGHT_ANY_NAME, "any-name" }, { RIGHT_PRE_AUTHORISE, "pre-authorise" },
    { RIGHT_CLOSE, "close" },       { RIGHT_REVOKE, "revoke" },
    { RIGHT_APPROVE, "approve" },   { RIGHT_READ, "read" },
    { RIGHT_OFFICERS, "officers" },
};

const char *right_name(uint32_t right)
{
    for (size_t i = 0; i < COUNT_OF(rights); i++)
        if (rights[i].right == right)
            return rights[i].name;
    return NULL;
}

uint32_t right_from_name(struct bytes name)
{
    for (size_t i = 0; i < COUNT_OF(rights); i++)
        if (bytes_is(name, rights[i].name))
            return rights[i].right;
    return 0;
}

static bool read_key(struct reading *in, const json_t *object, struct officer_record *out)
{
    char thumbprint[JWK_THUMBPRINT_LEN + 1];

    if (jwk_read(json_object_get(object, "key"), JWK_OFFICER, in->arena, &out->spki) != JWK_OK ||
        !jwk_thumbprint(out->spki, thumbprint))
        return fault_say(in, "a public JWK (EC P-256, RSA or Ed25519) expected");
    out->key_id = arena_copy(in->arena, bytes_text(thumbprint));
    return out->key_id.data != NULL || out_of_memory(in);
}

static bool read_certificate(struct reading *in, const json_t *object, struct officer_record *out)
{
    const json_t *value = json_object_get(object, "certificate");
    struct bytes text = json_bytes(value);

    return value == NULL || (text.len == 2 * DIGEST256_LEN && hex_decode(text, out->certificate.bytes)) ||
           fault_say(in, "SHA-256 in hexadecimal expected");
}

static bool read_rights(struct reading *in, const json_t *object, struct officer_record *out)
{
    struct bytes list[LIST_MAX];
    size_t count;

    if (!read_list(in, json_object_get(object, "rights"), list, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        uint32_t right = right_from_name(list[i]);

        if (right == 0)
            return fault_say(in, "right %zu is unknown", i + 1);
        out->rights |= right;
    }
    return true;
}

static bool keep_list(struct reading *in, const struct bytes *list, size_t count, struct bytes **out)
{
    *out = arena_array(in->arena, count + 1, sizeof(**out));
    if (*out == NULL)
        return out_of_memory(in);
    if (count > 0)
        memcpy(*out, list, count * sizeof(*list));
    return true;
}

static bool read_procedures(struct reading *in, const json_t *object, struct officer_record *out)
{
    const json_t *value = json_object_get(object, "procedures");
    struct bytes list[LIST_MAX];

    return value == NULL || (read_list(in, value, list, &out->procedure_count) &&
                             keep_list(in, list, out->procedure_count, &out->procedure));
}

static bool read_suffixes(struct reading *in, const json_t *object, struct officer_record *out)
{
    static const struct dns_rules rules = {
        .underscore = true, .single_label = true, .trailing_dot = true, .unicode = true
    };
    const json_t *value = json_object_get(object, "suffixes");
    struct bytes list[LIST_MAX];

    if (value == NULL)
        return true;
    if (!read_list(in, value, list, &out->suffix_count))
        return false;
    for (size_t i = 0; i < out->suffix_count; i++) {
        struct dns_name name;

        if (dns_name_parse(list[i], &rules, &name) != DNS_OK)
            return fault_say(in, "value %zu is not a DNS name", i + 1);
        list[i] = arena_copy(in->arena, dns_name_bytes(&name));
        if (list[i].data == NULL)
            return out_of_memory(in);
    }
    return keep_list(in, list, out->suffix_count, &out->suffix);
}

static bool read_name(struct reading *in, const json_t *object, struct officer_record *out)
{
    return read_text(in, json_object_get(object, "name"), OFFICER_NAME_MAX, &out->name);
}

static bool read_disabled(struct reading *in, const json_t *object, struct officer_record *out)
{
    const json_t *value = json_object_get(object, "disabled");

    out->disabled = json_is_true(value);
    return value == NULL || json_is_boolean(value) || fault_say(in, "true or false expected");
}

static const struct {
    const char *name;
    bool (*read)(struct reading *in, const json_t *object, struct officer_record *out);
} officer_fields[] = {
    { "name", read_name },
    { "key", read_key },
    { "certificate", read_certificate },
    { "rights", read_rights },
    { "procedures", read_procedures },
    { "suffixes", read_suffixes },
    { "disabled", read_disabled },
};

static bool all_known(struct reading *in, const json_t *object)
{
    json_t *all = (json_t *)(uintptr_t)object; /* jansson's iterator takes no const */
    const char *name;
    json_t *value;

    json_object_foreach(all, name, value)
    {
        bool known = false;

        for (size_t i = 0; i < COUNT_OF(officer_fields) && !known; i++)
            known = bytes_is(bytes_text(name), officer_fields[i].name);
        fault_name(in->fault, "officer.", name);
        if (!known)
            return fault_say(in, "unknown field");
    }
    return true;
}

enum registration_json officer_from_json(const json_t *object, struct arena *arena,
                                         struct officer_record *out, struct json_fault *fault)
{
    struct officer_record officer = { 0 };
    struct reading in = { .arena = arena, .fault = fault };
    bool read;

    *fault = (struct json_fault){ .field = "officer" };
    read = json_is_object(object) ? all_known(&in, object) : fault_say(&in, "object expected");
    for (size_t i = 0; i < COUNT_OF(officer_fields) && read; i++) {
        fault_name(fault, "officer.", officer_fields[i].name);
        read = officer_fields[i].read(&in, object, &officer);
    }
    if (!read)
        return in.memory ? REGISTRATION_JSON_MEMORY : REGISTRATION_JSON_FAULT;
    *out = officer;
    return REGISTRATION_JSON_OK;
}

static bool put_list(json_t *object, const char *name, const struct bytes *list, size_t count)
{
    AUTO(json_t) *array = json_array();

    for (size_t i = 0; i < count; i++)
        if (!json_push(array, json_of_bytes(list[i])))
            return false;
    return count == 0 || json_put(object, name, take(array));
}

static bool put_rights(json_t *object, uint32_t held)
{
    AUTO(json_t) *array = json_array();

    for (size_t i = 0; i < COUNT_OF(rights); i++)
        if ((held & rights[i].right) != 0 && !json_push(array, json_string(rights[i].name)))
            return false;
    return json_put(object, "rights", take(array));
}

json_t *officer_to_json(const struct officer_record *officer)
{
    static const struct digest256 none;
    AUTO(json_t) *object = json_object();

    if (!json_put_text(object, "name", officer->name) ||
        !json_put(object, "key", jwk_of_spki(officer->spki)) ||
        (!digest256_equal(&officer->certificate, &none) &&
         !json_put_hex(object, "certificate", digest256_bytes(&officer->certificate))) ||
        !put_rights(object, officer->rights) ||
        !put_list(object, "procedures", officer->procedure, officer->procedure_count) ||
        !put_list(object, "suffixes", officer->suffix, officer->suffix_count) ||
        (officer->disabled && !json_put(object, "disabled", json_true())))
        return NULL;
    return take(object);
}
