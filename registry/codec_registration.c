#include "registry/codec_internal.h"

#include <assert.h>

enum {
    FIELD_ID = 1,
    FIELD_REVISION,
    FIELD_ORDER,
    FIELD_PROCEDURE,
    FIELD_DOMAIN,
    FIELD_FQDN,
    FIELD_STATE,
    FIELD_ACCEPTED,
    FIELD_VALID_DAYS,
    FIELD_IP,
    FIELD_SERIAL_NUMBER,
    FIELD_PROTOCOLS,
    FIELD_FLAGS,
    FIELD_KEY_FINGERPRINT,
    FIELD_EMAIL,
    FIELD_USER_NAME,
    FIELD_REALM,
    FIELD_KEY_ID,
    FIELD_ALLOWED_DOMAIN,
    FIELD_ATTRIBUTE, /* kind (one byte), value */
    FIELD_SEALED_SECRET,
    FIELD_COMMITMENT,
    FIELD_OFFICER,
    FIELD_AUDIT_INDEX,
};

enum { FLAG_ONE_TIME = 1 << 0, FLAG_USED = 1 << 1, FLAG_ENROLL_REG = 1 << 2, FLAG_PRE_AUTHORISED = 1 << 3 };

/* The numbers of these enums are stored: an entry is added at the end, none moves. */
_Static_assert(ATTRIBUTE_COUNTRY == 1 && ATTRIBUTE_OTHER_NAME_VALUE == 22 &&
                   ATTRIBUTE_ORGANISATION_UNIT == 23 && ATTRIBUTE_REGISTERED_ID == 30,
               "attribute numbers are stored");
_Static_assert(ORDER_SCEP == 1 && ORDER_CMP == 2 && ORDER_EST == 3 && ORDER_ACME == 4,
               "order numbers are stored");
_Static_assert(REGISTRATION_OPEN == 1 && REGISTRATION_CLOSED == 2, "state numbers are stored");

static void put_attribute(struct buffer *out, const struct attribute *a)
{
    if (a->value.len >= UINT32_MAX) {
        out->failed = true;
        return;
    }
    buffer_append_u16(out, FIELD_ATTRIBUTE);
    buffer_append_u32(out, (uint32_t)a->value.len + 1);
    buffer_append_byte(out, (uint8_t)a->kind);
    buffer_append(out, a->value);
}

static uint64_t flags_of(const struct registration *r)
{
    return (r->one_time ? FLAG_ONE_TIME : 0u) | (r->used ? FLAG_USED : 0u) |
           (r->enroll_reg ? FLAG_ENROLL_REG : 0u) | (r->pre_authorised ? FLAG_PRE_AUTHORISED : 0u);
}

void registration_encode(struct buffer *out, const struct registration *r)
{
    record_begin(out, RECORD_VERSION);
    field_put(out, FIELD_ID, registration_id_bytes(&r->id));
    field_put_u64(out, FIELD_REVISION, r->revision);
    field_put_u64(out, FIELD_ORDER, r->order);
    field_put(out, FIELD_PROCEDURE, r->procedure);
    field_put_u64(out, FIELD_DOMAIN, r->domain.value);
    field_put(out, FIELD_FQDN, fqdn_pattern_bytes(&r->fqdn));
    field_put_u64(out, FIELD_STATE, r->state);
    field_put_u64(out, FIELD_ACCEPTED, (uint64_t)r->accepted_s);
    field_put_u64(out, FIELD_VALID_DAYS, r->valid_days);
    field_put(out, FIELD_IP, ip_bytes(&r->ip));
    field_put(out, FIELD_SERIAL_NUMBER, r->serial_number);
    field_put_u64(out, FIELD_PROTOCOLS, r->protocols);
    field_put_u64(out, FIELD_FLAGS, flags_of(r));
    if (r->has_key_fingerprint)
        field_put(out, FIELD_KEY_FINGERPRINT, digest256_bytes(&r->key_fingerprint));
    field_put(out, FIELD_EMAIL, r->email);
    field_put(out, FIELD_USER_NAME, r->user_name);
    field_put(out, FIELD_REALM, r->realm);
    field_put(out, FIELD_KEY_ID, r->key_id);
    for (size_t i = 0; i < r->allowed_domain_count; i++)
        record_put(out, FIELD_ALLOWED_DOMAIN, r->allowed_domain[i]);
    for (size_t i = 0; i < r->attribute_count; i++)
        put_attribute(out, &r->attribute[i]);
    field_put(out, FIELD_SEALED_SECRET, r->sealed_secret);
    field_put(out, FIELD_COMMITMENT, digest256_bytes(&r->commitment));
    field_put(out, FIELD_OFFICER, r->officer);
    field_put_u64(out, FIELD_AUDIT_INDEX, r->audit_index);
}

static bool make_lists(struct bytes record, struct arena *arena, struct registration *out, struct error *err)
{
    size_t domains = 0, attributes = 0;
    struct record_reader in;
    struct record_field field;

    if (!codec_open(record, &in, err))
        return false;
    while (record_next(&in, &field)) {
        domains += field.tag == FIELD_ALLOWED_DOMAIN;
        attributes += field.tag == FIELD_ATTRIBUTE;
    }
    if (domains > 0)
        out->allowed_domain = arena_array(arena, domains, sizeof(*out->allowed_domain));
    if (attributes > 0)
        out->attribute = arena_array(arena, attributes, sizeof(*out->attribute));
    if ((domains > 0 && out->allowed_domain == NULL) || (attributes > 0 && out->attribute == NULL))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    return true;
}

static void take_pattern(struct record_reader *in, const struct record_field *field, struct fqdn_pattern *p)
{
    if (field->content.len > DNS_NAME_MAX) {
        in->failed = true;
        return;
    }
    p->len = (uint8_t)field->content.len;
    memcpy(p->text, field->content.data, field->content.len);
    p->text[p->len] = '\0';
}

static void take_attribute(struct record_reader *in, const struct record_field *field, struct registration *r)
{
    struct bytes content = field->content;

    if (content.len == 0 || content.data[0] == ATTRIBUTE_NONE || content.data[0] >= ATTRIBUTE_COUNT) {
        in->failed = true;
        return;
    }
    assert(r->attribute != NULL); /* room was made for as many as the record has */
    r->attribute[r->attribute_count++] = (struct attribute){ .kind = (enum attribute_kind)content.data[0],
                                                             .value = bytes_from(content, 1) };
}

static void take_flags(uint64_t flags, struct registration *r)
{
    r->one_time = (flags & FLAG_ONE_TIME) != 0;
    r->used = (flags & FLAG_USED) != 0;
    r->enroll_reg = (flags & FLAG_ENROLL_REG) != 0;
    r->pre_authorised = (flags & FLAG_PRE_AUTHORISED) != 0;
}

/* A number up to `last`; an unknown one makes the record malformed rather than mean something else. */
static uint64_t take_choice(struct record_reader *in, const struct record_field *field, uint64_t last)
{
    uint64_t value = record_u64(in, field);

    if (value <= last)
        return value;
    in->failed = true;
    return 0;
}

static void take_field(struct record_reader *in, const struct record_field *f, struct registration *r)
{
    switch (f->tag) {
    case FIELD_ID: field_fixed(in, f, r->id.bytes, ID_LEN); break;
    case FIELD_REVISION: r->revision = record_u64(in, f); break;
    case FIELD_ORDER: r->order = (enum order_type)take_choice(in, f, ORDER_ACME); break;
    case FIELD_PROCEDURE: r->procedure = f->content; break;
    case FIELD_DOMAIN: r->domain.value = record_u64(in, f); break;
    case FIELD_FQDN: take_pattern(in, f, &r->fqdn); break;
    case FIELD_STATE: r->state = (enum registration_state)take_choice(in, f, REGISTRATION_CLOSED); break;
    case FIELD_ACCEPTED: r->accepted_s = (int64_t)record_u64(in, f); break;
    case FIELD_VALID_DAYS: r->valid_days = (uint32_t)take_choice(in, f, UINT32_MAX); break;
    case FIELD_IP: in->failed |= !ip_from_bytes(f->content, &r->ip); break;
    case FIELD_SERIAL_NUMBER: r->serial_number = f->content; break;
    case FIELD_PROTOCOLS: r->protocols = (uint32_t)take_choice(in, f, UINT32_MAX); break;
    case FIELD_FLAGS: take_flags(record_u64(in, f), r); break;
    case FIELD_KEY_FINGERPRINT:
        field_fixed(in, f, r->key_fingerprint.bytes, DIGEST256_LEN);
        r->has_key_fingerprint = true;
        break;
    case FIELD_EMAIL: r->email = f->content; break;
    case FIELD_USER_NAME: r->user_name = f->content; break;
    case FIELD_REALM: r->realm = f->content; break;
    case FIELD_KEY_ID: r->key_id = f->content; break;
    case FIELD_ALLOWED_DOMAIN: list_put(r->allowed_domain, &r->allowed_domain_count, f->content); break;
    case FIELD_ATTRIBUTE: take_attribute(in, f, r); break;
    case FIELD_SEALED_SECRET: r->sealed_secret = f->content; break;
    case FIELD_COMMITMENT: field_fixed(in, f, r->commitment.bytes, DIGEST256_LEN); break;
    case FIELD_OFFICER: r->officer = f->content; break;
    case FIELD_AUDIT_INDEX: r->audit_index = record_u64(in, f); break;
    default: break;
    }
}

bool registration_decode(struct bytes record, struct arena *arena, struct registration *out,
                         struct error *err)
{
    struct registration r = { 0 };
    struct record_reader in;
    struct record_field field;

    if (!make_lists(record, arena, &r, err) || !codec_open(record, &in, err))
        return false;
    while (record_next(&in, &field))
        take_field(&in, &field, &r);
    if (!codec_finish(&in, "registration", err))
        return false;
    *out = r;
    return true;
}
