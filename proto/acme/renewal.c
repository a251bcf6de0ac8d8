/* Renewal information (RFC 9773): when a certificate should be renewed, and which order replaces it. */
#include "proto/acme/order_internal.h"

#include "lib/base/encode.h"
#include "registry/certificates.h"
#include "registry/state.h"

enum {
    KEY_ID_MAX = 64,
    RETRY_AFTER_S = 6 * 3600,
    DAY_S = 86400,
    PART_LEFT = 3,   /* the window begins when a third of the lifetime is left, */
    PART_WINDOW = 6, /* and is a sixth of it long */
};

/* --- naming a certificate (4.1) --- */
static bool decode_part(struct bytes text, uint8_t *out, size_t max, size_t *len)
{
    return text.len > 0 && BASE64_DECODED_MAX(text.len) <= max + 3 && base64url_decode(text, out, len) &&
           *len > 0 && *len <= max;
}

static bool has_key_id(const struct certificate *c, struct bytes key_id)
{
    return c->subject_key_id.len > 0 && bytes_equal(c->subject_key_id, key_id);
}

/* Name of the issuer with that key; none. */
static struct bytes issuer_of_key_id(const struct acme_call *c, struct bytes key_id)
{
    struct certificate other;

    for (size_t i = 0; i < c->service->enroll->ca_count; i++) {
        const struct ca *ca = &c->service->enroll->ca[i];

        if (has_key_id(&ca->certificate, key_id))
            return ca->certificate.subject.encoded;
        for (size_t j = 0; j < ca->other_count; j++)
            if (certificate_decode(ca->other[j], c->turn->arena, &other) && has_key_id(&other, key_id))
                return other.subject.encoded;
    }
    return BYTES_NONE;
}

bool acme_certificate_named(struct acme_call *c, struct bytes text, bool *found,
                            struct certificate_record *out, struct error *err)
{
    uint8_t key_id[KEY_ID_MAX + 3], serial[SERIAL_MAX + 3];
    size_t dot = bytes_find(text, '.'), key_id_len, serial_len;
    struct certificate_id id;
    struct bytes issuer;
    bool known = false;

    *found = false;
    if (!decode_part(bytes_slice(text, 0, dot), key_id, KEY_ID_MAX, &key_id_len) ||
        !decode_part(bytes_from(text, dot + 1), serial, SERIAL_MAX, &serial_len) ||
        (issuer = issuer_of_key_id(c, bytes_of(key_id, key_id_len))).len == 0 ||
        !certificate_id_of(issuer, bytes_of(serial, serial_len), &id))
        return true;
    if (!registry_certificate_by_id(c->turn->view, &id, c->turn->arena, &known, out, err))
        return false;
    *found = known && out->domain.value == c->procedure->domain->id.value;
    return true;
}

/* --- when --- */
static bool put_window(const struct acme_call *c, const struct certificate_record *record, json_t *object)
{
    AUTO(json_t) *window = json_object();
    int64_t lifetime_s = record->not_after_s - record->not_before_s;
    int64_t start_s = record->not_after_s - lifetime_s / PART_LEFT;
    int64_t end_s = start_s + lifetime_s / PART_WINDOW + 1;

    /* A window that is over: now (ACME-118). */
    if (record->status != CERTIFICATE_GOOD || c->procedure->acme_replace_all) {
        start_s = c->turn->now_s - 2 * DAY_S;
        end_s = c->turn->now_s - DAY_S;
    }
    return acme_put_time(window, "start", start_s) && acme_put_time(window, "end", end_s) &&
           json_put(object, "suggestedWindow", take(window));
}

enum acme_progress acme_renewal_info(struct acme_call *c, struct error *err)
{
    AUTO(json_t) *object = json_object();
    struct certificate_record record;
    bool found = false;

    if (!acme_certificate_named(c, c->resource.text, &found, &record, err))
        return ACME_ERROR;
    if (!found)
        return acme_not_found(c, err);
    if (!put_window(c, &record, object)) {
        (void)error_set(err, ERROR_MEMORY, "no memory for renewal information");
        return ACME_ERROR;
    }
    http_response_retry_after(c->turn->arena, c->response, RETRY_AFTER_S);
    return acme_respond(c, 200, take(object), err);
}

/* --- replacing (5) --- */
static bool replaced_key(struct acme_call *c, const struct certificate_record *record,
                         struct digest256 *digest, struct state_key *out, struct error *err)
{
    if (!acme_certificate_digest(&record->id, digest))
        return error_set(err, ERROR_CRYPTO, "SHA-256 of a certificate's id");
    *out = (struct state_key){ .procedure = bytes_text(c->procedure->name),
                               .kind = "acme-replaced",
                               .id = digest256_bytes(digest) };
    return true;
}

static bool is_named(const struct general_name *name, const struct acme_identifier *id)
{
    struct acme_identifier device;
    char text[ACME_IDENTIFIER_TEXT_MAX];

    switch (id->type) {
    case ACME_IDENTIFIER_IP:
        return name->kind == GENERAL_NAME_IP && bytes_equal(name->value, ip_bytes(&id->ip));
    case ACME_IDENTIFIER_DEVICE:
        return name->kind == GENERAL_NAME_OTHER && bytes_equal(name->oid, OID_PERMANENT_IDENTIFIER) &&
               acme_identifier_of_permanent(name->value, &device) && acme_identifier_equal(&device, id);
    case ACME_IDENTIFIER_NONE:
    case ACME_IDENTIFIER_DNS: break;
    }
    acme_identifier_format(id, text);
    return name->kind == GENERAL_NAME_DNS && bytes_is_nocase(name->value, text);
}

static bool names_one_of(const struct certificate_record *record, const struct acme_identifier *id,
                         size_t count, struct arena *arena)
{
    struct certificate certificate;

    if (!certificate_decode(record->der, arena, &certificate))
        return false;
    for (size_t i = 0; i < certificate.san.count; i++)
        for (size_t j = 0; j < count; j++)
            if (is_named(&certificate.san.item[i], &id[j]))
                return true;
    return false;
}

enum acme_progress acme_judge_replaces(struct acme_call *c, struct bytes text,
                                       const struct acme_identifier *id, size_t count, struct error *err)
{
    struct certificate_record record;
    struct state_value value;
    struct digest256 digest;
    struct state_key key;
    struct acme_id owner;
    bool found = false, owned = false, replaced = false;

    if (!acme_certificate_named(c, text, &found, &record, err))
        return ACME_ERROR;
    if (found && !acme_certificate_account(c, &record.id, &owned, &owner, err))
        return ACME_ERROR;
    if (!found || !owned || !acme_id_equal(&owner, &c->account.id)) /* not told apart (ACME-11) */
        return acme_refuse(c, ACME_UNAUTHORIZED, "replaces names no certificate of this account", err);
    if (!names_one_of(&record, id, count, c->turn->arena))
        return acme_refuse(c, ACME_MALFORMED, "replaces names a certificate without a name of this order",
                           err);
    if (!replaced_key(c, &record, &digest, &key, err) ||
        !registry_state(c->turn->view, &key, c->turn->arena, &replaced, &value, err))
        return ACME_ERROR;
    return replaced ? acme_refuse(c, ACME_ALREADY_REPLACED, "the certificate is replaced already", err)
                    : ACME_ON;
}

bool acme_mark_replaced(struct acme_call *c, struct bytes text, const struct acme_id *order,
                        struct error *err)
{
    struct certificate_record record;
    struct state_value value, old;
    struct digest256 digest;
    struct state_key key;
    bool found = false, replaced = false;

    if (!acme_certificate_named(c, text, &found, &record, err))
        return false;
    if (!found)
        return true;
    if (!replaced_key(c, &record, &digest, &key, err) ||
        !registry_state(c->turn->view, &key, c->turn->arena, &replaced, &old, err))
        return false;
    value = (struct state_value){ .blob = acme_id_bytes(order), .expires_s = record.not_after_s };
    if (!replaced)
        change_state_put(&c->turn->changes, &key, &value, 0);
    return true;
}
