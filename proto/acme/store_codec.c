#include "proto/acme/store_codec_internal.h"

#include "lib/base/record.h"

enum { RECORD_VERSION = 1 };

/* One numbering for all three; numbers are stored. */
enum field {
    FIELD_STATUS = 1,
    FIELD_ACCOUNT,
    FIELD_CREATED,
    FIELD_EXPIRES,
    FIELD_SPKI,
    FIELD_CONTACT,
    FIELD_TERMS,
    FIELD_REGISTRATION,
    FIELD_BINDING,
    FIELD_IDENTIFIER,
    FIELD_AUTHZ,
    FIELD_CSR,
    FIELD_ISSUER,
    FIELD_SERIAL,
    FIELD_PROBLEM,
    FIELD_DETAIL,
    FIELD_PROFILE,
    FIELD_REPLACES,
    FIELD_PRE_AUTHORISED,
    FIELD_CHALLENGE, /* which one the next fields speak of */
    FIELD_CHALLENGE_STATUS,
    FIELD_TOKEN,
    FIELD_VALIDATED,
    FIELD_STAR_START,
    FIELD_STAR_END,
    FIELD_STAR_LIFETIME,
    FIELD_STAR_ADJUST,
    FIELD_STAR_GET,
    FIELD_STAR_RENEWALS,
    FIELD_STAR_RENEW,
    FIELD_STAR_PEER,
    FIELD_ATTESTED_KEY,
    FIELD_REJECTED,
    FIELD_CAA,
    FIELD_CAA_WARNED,
};

static bool take_id(struct bytes content, struct acme_id *out)
{
    if (content.len != ACME_ID_LEN)
        return false;
    memcpy(out->bytes, content.data, ACME_ID_LEN);
    return true;
}

/* A number up to `max`. */
static unsigned take_choice(struct record_reader *in, const struct record_field *f, unsigned max)
{
    uint64_t number = record_u64(in, f);

    if (number > max)
        in->failed = true;
    return number > max ? 0 : (unsigned)number;
}

static void put_fault(struct buffer *out, const struct acme_fault *fault)
{
    if (!fault->is)
        return;
    record_put_u64(out, FIELD_PROBLEM, fault->problem);
    record_put(out, FIELD_DETAIL, bytes_slice(fault->detail, 0, ACME_DETAIL_MAX));
    if (fault->rejected)
        record_put_u64(out, FIELD_REJECTED, fault->rejected);
}

static bool take_fault(struct record_reader *in, const struct record_field *f, struct acme_fault *out)
{
    if (f->tag == FIELD_PROBLEM) {
        out->problem = (enum acme_problem)take_choice(in, f, ACME_PROBLEM_COUNT - 1);
        out->is = true;
    } else if (f->tag == FIELD_REJECTED) {
        out->rejected = record_u64(in, f) != 0;
    } else {
        out->detail = f->content;
    }
    return true;
}

/* --- accounts --- */
void acme_account_encode(const struct acme_account *a, struct buffer *out)
{
    record_begin(out, RECORD_VERSION);
    record_put_u64(out, FIELD_STATUS, a->status);
    record_put_u64(out, FIELD_CREATED, (uint64_t)a->created_s);
    record_put(out, FIELD_SPKI, a->spki);
    for (size_t i = 0; i < a->contact_count; i++)
        record_put(out, FIELD_CONTACT, a->contact[i]);
    if (a->terms.len > 0)
        record_put(out, FIELD_TERMS, a->terms);
    if (!a->bound)
        return;
    record_put(out, FIELD_REGISTRATION, registration_id_bytes(&a->registration));
    record_put(out, FIELD_BINDING, a->binding);
}

static bool take_account(struct record_reader *in, const struct record_field *f, struct acme_account *out)
{
    switch (f->tag) {
    case FIELD_STATUS:
        out->status = (enum acme_account_status)take_choice(in, f, ACME_ACCOUNT_DEACTIVATED);
        return true;
    case FIELD_CREATED: out->created_s = (int64_t)record_u64(in, f); return true;
    case FIELD_SPKI: out->spki = f->content; return true;
    case FIELD_CONTACT:
        if (out->contact_count == ACME_CONTACTS_MAX)
            return false;
        out->contact[out->contact_count++] = f->content;
        return true;
    case FIELD_TERMS: out->terms = f->content; return true;
    case FIELD_REGISTRATION:
        out->bound = f->content.len == ID_LEN;
        if (out->bound)
            memcpy(out->registration.bytes, f->content.data, ID_LEN);
        return out->bound;
    case FIELD_BINDING: out->binding = f->content; return true;
    default: return true; /* of a later version: skipped */
    }
}

bool acme_account_decode(struct bytes blob, struct acme_account *out)
{
    struct record_reader in;
    struct record_field f;
    uint8_t version;

    if (!record_open(blob, &in, &version) || version != RECORD_VERSION)
        return false;
    while (record_next(&in, &f))
        if (!take_account(&in, &f, out))
            return false;
    return !in.failed && out->status != ACME_ACCOUNT_NONE && out->spki.len > 0;
}

/* --- orders --- */
static void put_star(struct buffer *out, const struct acme_star *star)
{
    record_put_u64(out, FIELD_STAR_START, (uint64_t)star->start_s);
    record_put_u64(out, FIELD_STAR_END, (uint64_t)star->end_s);
    record_put_u64(out, FIELD_STAR_LIFETIME, star->lifetime_s);
    record_put_u64(out, FIELD_STAR_ADJUST, star->adjust_s);
    record_put_u64(out, FIELD_STAR_GET, star->get);
    record_put_u64(out, FIELD_STAR_RENEWALS, star->renewals);
    record_put_u64(out, FIELD_STAR_RENEW, (uint64_t)star->renew_s);
    if (star->peer.len > 0)
        record_put(out, FIELD_STAR_PEER, ip_bytes(&star->peer));
}

static void take_star(struct record_reader *in, const struct record_field *f, struct acme_star *out)
{
    uint64_t number = record_u64(in, f);

    out->is = true;
    switch (f->tag) {
    case FIELD_STAR_START: out->start_s = (int64_t)number; break;
    case FIELD_STAR_END: out->end_s = (int64_t)number; break;
    case FIELD_STAR_LIFETIME: out->lifetime_s = (uint32_t)number; break;
    case FIELD_STAR_ADJUST: out->adjust_s = (uint32_t)number; break;
    case FIELD_STAR_GET: out->get = number != 0; break;
    case FIELD_STAR_RENEWALS: out->renewals = (uint32_t)number; break;
    default: out->renew_s = (int64_t)number; break;
    }
}

void acme_order_encode(const struct acme_order *o, struct buffer *out)
{
    record_begin(out, RECORD_VERSION);
    record_put_u64(out, FIELD_STATUS, o->status);
    record_put(out, FIELD_ACCOUNT, acme_id_bytes(&o->account));
    record_put_u64(out, FIELD_CREATED, (uint64_t)o->created_s);
    record_put_u64(out, FIELD_EXPIRES, (uint64_t)o->expires_s);
    for (size_t i = 0; i < o->identifier_count; i++) {
        AUTO_STRUCT(buffer) one = BUFFER(ACME_IDENTIFIER_TEXT_MAX + 2);

        acme_identifier_put(&one, &o->identifier[i]);
        record_put(out, FIELD_IDENTIFIER, buffer_bytes(&one));
    }
    for (size_t i = 0; i < o->authz_count; i++)
        record_put(out, FIELD_AUTHZ, acme_id_bytes(&o->authz[i]));
    if (o->csr.len > 0)
        record_put(out, FIELD_CSR, o->csr);
    if (o->certificate.serial_len > 0) {
        record_put(out, FIELD_ISSUER, digest256_bytes(&o->certificate.issuer));
        record_put(out, FIELD_SERIAL, bytes_of(o->certificate.serial, o->certificate.serial_len));
    }
    put_fault(out, &o->fault);
    if (o->profile.len > 0)
        record_put(out, FIELD_PROFILE, o->profile);
    if (o->replaces.len > 0)
        record_put(out, FIELD_REPLACES, o->replaces);
    if (o->star.is)
        put_star(out, &o->star);
}

static bool take_certificate(const struct record_field *f, struct certificate_id *out)
{
    if (f->tag == FIELD_ISSUER) {
        if (f->content.len != sizeof(out->issuer.bytes))
            return false;
        memcpy(out->issuer.bytes, f->content.data, sizeof(out->issuer.bytes));
        return true;
    }
    if (f->content.len == 0 || f->content.len > SERIAL_MAX)
        return false;
    out->serial_len = (uint8_t)f->content.len;
    memcpy(out->serial, f->content.data, f->content.len);
    return true;
}

/* Without room for them they are counted alone. */
static bool take_identifier(struct bytes content, struct acme_order *out)
{
    size_t n = out->identifier_count++;

    return n < ACME_IDENTIFIERS_MAX &&
           (out->identifier == NULL || acme_identifier_take(content, &out->identifier[n]));
}

static bool take_authorization(struct bytes content, struct acme_order *out)
{
    size_t n = out->authz_count++;

    return n < ACME_IDENTIFIERS_MAX && (out->authz == NULL || take_id(content, &out->authz[n]));
}

static bool take_order(struct record_reader *in, const struct record_field *f, struct acme_order *out)
{
    switch (f->tag) {
    case FIELD_STATUS:
        out->status = (enum acme_order_status)take_choice(in, f, ACME_ORDER_CANCELED);
        return true;
    case FIELD_ACCOUNT: return take_id(f->content, &out->account);
    case FIELD_CREATED: out->created_s = (int64_t)record_u64(in, f); return true;
    case FIELD_EXPIRES: out->expires_s = (int64_t)record_u64(in, f); return true;
    case FIELD_IDENTIFIER: return take_identifier(f->content, out);
    case FIELD_AUTHZ: return take_authorization(f->content, out);
    case FIELD_CSR: out->csr = f->content; return true;
    case FIELD_ISSUER:
    case FIELD_SERIAL: return take_certificate(f, &out->certificate);
    case FIELD_PROBLEM:
    case FIELD_REJECTED:
    case FIELD_DETAIL: return take_fault(in, f, &out->fault);
    case FIELD_PROFILE: out->profile = f->content; return true;
    case FIELD_REPLACES: out->replaces = f->content; return true;
    case FIELD_STAR_START:
    case FIELD_STAR_END:
    case FIELD_STAR_LIFETIME:
    case FIELD_STAR_ADJUST:
    case FIELD_STAR_GET:
    case FIELD_STAR_RENEWALS:
    case FIELD_STAR_RENEW: take_star(in, f, &out->star); return true;
    case FIELD_STAR_PEER: return ip_from_bytes(f->content, &out->star.peer);
    default: return true;
    }
}

static bool read_order(struct bytes blob, struct acme_order *out)
{
    struct record_reader in;
    struct record_field f;
    uint8_t version;

    if (!record_open(blob, &in, &version) || version != RECORD_VERSION)
        return false;
    while (record_next(&in, &f))
        if (!take_order(&in, &f, out))
            return false;
    return !in.failed && out->identifier_count > 0 && out->authz_count == out->identifier_count;
}

bool acme_order_decode(struct bytes blob, struct arena *arena, struct acme_order *out)
{
    struct acme_order counted = *out;

    if (!read_order(blob, &counted))
        return false;
    if (arena == NULL) {
        *out = counted;
        return true;
    }
    out->identifier = arena_array(arena, counted.identifier_count, sizeof(*out->identifier));
    out->authz = arena_array(arena, counted.authz_count, sizeof(*out->authz));
    return out->identifier != NULL && out->authz != NULL && read_order(blob, out);
}

/* --- authorizations --- */
static void put_challenge(struct buffer *out, unsigned which, const struct acme_challenge_state *c)
{
    record_put_u64(out, FIELD_CHALLENGE, which);
    record_put_u64(out, FIELD_CHALLENGE_STATUS, c->status);
    record_put(out, FIELD_TOKEN, bytes_of(c->token, ACME_TOKEN_LEN));
    if (c->validated_s != 0)
        record_put_u64(out, FIELD_VALIDATED, (uint64_t)c->validated_s);
    put_fault(out, &c->fault);
}

void acme_authz_encode(const struct acme_authz *a, struct buffer *out)
{
    AUTO_STRUCT(buffer) identifier = BUFFER(ACME_IDENTIFIER_TEXT_MAX + 2);

    acme_identifier_put(&identifier, &a->identifier);
    record_begin(out, RECORD_VERSION);
    record_put_u64(out, FIELD_STATUS, a->status);
    record_put(out, FIELD_ACCOUNT, acme_id_bytes(&a->account));
    record_put_u64(out, FIELD_EXPIRES, (uint64_t)a->expires_s);
    record_put(out, FIELD_IDENTIFIER, buffer_bytes(&identifier));
    record_put_u64(out, FIELD_PRE_AUTHORISED, a->pre_authorised);
    if (a->attested)
        record_put(out, FIELD_ATTESTED_KEY, digest256_bytes(&a->attested_key));
    if (a->caa_s != 0)
        record_put_u64(out, FIELD_CAA, (uint64_t)a->caa_s);
    if (a->caa_warned)
        record_put_u64(out, FIELD_CAA_WARNED, a->caa_warned);
    for (unsigned i = 0; i < ACME_CHALLENGE_COUNT; i++)
        if (a->challenge[i].offered)
            put_challenge(out, i, &a->challenge[i]);
}

static bool take_challenge(struct record_reader *in, const struct record_field *f,
                           struct acme_challenge_state *c)
{
    if (c == NULL)
        return false;
    switch (f->tag) {
    case FIELD_CHALLENGE_STATUS:
        c->status = (enum acme_challenge_status)take_choice(in, f, ACME_CHALLENGE_INVALID);
        return true;
    case FIELD_TOKEN:
        if (f->content.len != ACME_TOKEN_LEN)
            return false;
        memcpy(c->token, f->content.data, ACME_TOKEN_LEN);
        return true;
    case FIELD_VALIDATED: c->validated_s = (int64_t)record_u64(in, f); return true;
    default: return take_fault(in, f, &c->fault);
    }
}

static bool take_attested_key(struct bytes content, struct acme_authz *out)
{
    if (content.len != sizeof(out->attested_key.bytes))
        return false;
    memcpy(out->attested_key.bytes, content.data, content.len);
    out->attested = true;
    return true;
}

static bool take_authz(struct record_reader *in, const struct record_field *f, struct acme_authz *out,
                       struct acme_challenge_state **current)
{
    unsigned which;

    switch (f->tag) {
    case FIELD_STATUS:
        out->status = (enum acme_authz_status)take_choice(in, f, ACME_AUTHZ_DEACTIVATED);
        return true;
    case FIELD_ACCOUNT: return take_id(f->content, &out->account);
    case FIELD_EXPIRES: out->expires_s = (int64_t)record_u64(in, f); return true;
    case FIELD_IDENTIFIER: return acme_identifier_take(f->content, &out->identifier);
    case FIELD_PRE_AUTHORISED: out->pre_authorised = record_u64(in, f) != 0; return true;
    case FIELD_ATTESTED_KEY: return take_attested_key(f->content, out);
    case FIELD_CAA: out->caa_s = (int64_t)record_u64(in, f); return true;
    case FIELD_CAA_WARNED: out->caa_warned = record_u64(in, f) != 0; return true;
    case FIELD_CHALLENGE:
        which = take_choice(in, f, ACME_CHALLENGE_COUNT - 1);
        *current = &out->challenge[which];
        (*current)->offered = true;
        return true;
    case FIELD_CHALLENGE_STATUS:
    case FIELD_TOKEN:
    case FIELD_VALIDATED:
    case FIELD_PROBLEM:
    case FIELD_REJECTED:
    case FIELD_DETAIL: return take_challenge(in, f, *current);
    default: return true;
    }
}

bool acme_authz_decode(struct bytes blob, struct acme_authz *out)
{
    struct acme_challenge_state *current = NULL;
    struct record_reader in;
    struct record_field f;
    uint8_t version;

    if (!record_open(blob, &in, &version) || version != RECORD_VERSION)
        return false;
    while (record_next(&in, &f))
        if (!take_authz(&in, &f, out, &current))
            return false;
    return !in.failed && out->identifier.type != ACME_IDENTIFIER_NONE;
}
