#include "registry/certificates.h"

#include <assert.h>

#include "registry/certificate_rows_internal.h"

/* --- keys --- */
void certificate_key(const struct certificate_id *id, struct key *out)
{
    out->len = 0;
    key_put(out, digest256_bytes(&id->issuer));
    key_put_u8(out, id->serial_len);
    key_put(out, bytes_of(id->serial, id->serial_len));
}

bool certificate_fqdn_prefix(struct domain_id domain, const struct dns_name *fqdn, struct key *out,
                             struct error *err)
{
    struct key text = { 0 };
    struct digest256 digest;

    key_put_u64(&text, domain.value);
    key_put(&text, dns_name_bytes(fqdn));
    if (!sha256(key_bytes(&text), &digest))
        return error_openssl(err, "registry: SHA-256");
    out->len = 0;
    key_put(out, bytes_slice(digest256_bytes(&digest), 0, KEY_HASH_LEN));
    return true;
}

void certificate_key_prefix(const struct digest256 *spki, struct key *out)
{
    out->len = 0;
    key_put(out, bytes_slice(digest256_bytes(spki), 0, KEY_HASH_LEN));
}

void certificate_revoked_key(const struct digest256 *issuer, int64_t not_after_s, struct bytes serial,
                             struct key *out)
{
    out->len = 0;
    key_put(out, digest256_bytes(issuer));
    key_put_u64(out, not_after_s < 0 ? 0 : (uint64_t)not_after_s);
    key_put(out, serial);
}

void certificate_revoked_value(int64_t revoked_s, int reason, struct key *out)
{
    out->len = 0;
    key_put_u64(out, (uint64_t)revoked_s);
    key_put_u8(out, (uint8_t)reason);
}

/* --- one --- */
static bool certificate_get(struct txn *txn, struct bytes key, bool *found, struct certificate_record *out,
                            struct error *err)
{
    struct bytes value;

    if (!txn_get(txn, TABLE_CERTIFICATE, key, found, &value, err))
        return false;
    return !*found || certificate_record_decode(value, out, err);
}

bool registry_certificate_by_id(struct registry_view *view, const struct certificate_id *id,
                                struct arena *arena, bool *found, struct certificate_record *out,
                                struct error *err)
{
    struct key key;

    (void)arena; /* nothing in a certificate's record is a list */
    certificate_key(id, &key);
    return certificate_get(view_txn(view), key_bytes(&key), found, out, err);
}

/* --- by index, newest first --- */
struct wanted { /* what the hash in the index stands for, compared for real */
    const struct digest256 *key;
    const struct dns_name *fqdn;
    struct domain_id domain;
};

static bool is_wanted(const struct wanted *wanted, const struct certificate_record *c)
{
    if (wanted->key != NULL)
        return digest256_equal(wanted->key, &c->key);
    assert(wanted->fqdn != NULL);
    return c->domain.value == wanted->domain.value &&
           bytes_equal(dns_name_bytes(wanted->fqdn), dns_name_bytes(&c->fqdn));
}

static bool newest_first(struct txn *txn, enum table table, const struct key *prefix,
                         const struct wanted *wanted, struct certificate_record *page, size_t max,
                         size_t *count, struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    struct key at = *prefix;
    size_t n = 0;

    if (!cursor_open(txn, table, &cursor, err))
        return false;
    key_put_u64(&at, UINT64_MAX);
    while (n < max) {
        bool found;

        if (!cursor_before(&cursor, key_bytes(&at), err))
            return false;
        if (!cursor_under(&cursor, key_bytes(prefix)))
            break;
        at.len = 0;
        key_put(&at, cursor.key);
        if (!certificate_get(txn, cursor.value, &found, &page[n], err))
            return false;
        if (!found)
            return error_set(err, ERROR_FORMAT, "registry: an index names a certificate that is not there");
        n += is_wanted(wanted, &page[n]);
    }
    *count = n;
    return true;
}

static bool page_by_index(struct txn *txn, enum table table, const struct key *prefix,
                          const struct wanted *wanted, size_t max, struct arena *arena,
                          struct certificate_record *out, size_t *count, struct error *err)
{
    struct certificate_record *page = arena_array(arena, max, sizeof(*page));
    size_t n = 0;

    if (page == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    if (!newest_first(txn, table, prefix, wanted, page, max, &n, err))
        return false;
    if (n > 0)
        memcpy(out, page, n * sizeof(*out));
    *count = n;
    return true;
}

bool registry_certificates_by_fqdn(struct registry_view *view, struct domain_id domain,
                                   const struct dns_name *fqdn, size_t max, struct arena *arena,
                                   struct certificate_record *out, size_t *count, struct error *err)
{
    struct wanted wanted = { .fqdn = fqdn, .domain = domain };
    struct key prefix;

    return certificate_fqdn_prefix(domain, fqdn, &prefix, err) &&
           page_by_index(view_txn(view), TABLE_CERTIFICATE_FQDN, &prefix, &wanted, max, arena, out, count,
                         err);
}

bool registry_certificates_by_key(struct registry_view *view, const struct digest256 *key, size_t max,
                                  struct arena *arena, struct certificate_record *out, size_t *count,
                                  struct error *err)
{
    struct wanted wanted = { .key = key };
    struct key prefix;

    certificate_key_prefix(key, &prefix);
    return page_by_index(view_txn(view), TABLE_CERTIFICATE_KEY, &prefix, &wanted, max, arena, out, count,
                         err);
}

/* --- lists --- */
bool registry_certificates_list(struct registry_view *view, const struct certificate_id *after, size_t max,
                                struct arena *arena, struct certificate_record *out, size_t *count,
                                struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    struct certificate_record *page = arena_array(arena, max, sizeof(*page));
    struct key from = { 0 };
    size_t n = 0;

    if (page == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    if (after != NULL) {
        certificate_key(after, &from);
        key_put_u8(&from, 0); /* behind it: serials of one length stand together */
    }
    if (!cursor_open(view_txn(view), TABLE_CERTIFICATE, &cursor, err) ||
        !cursor_seek(&cursor, key_bytes(&from), err))
        return false;
    while (n < max && cursor.found) {
        if (!certificate_record_decode(cursor.value, &page[n], err) || !cursor_next(&cursor, err))
            return false;
        n++;
    }
    if (n > 0)
        memcpy(out, page, n * sizeof(*out));
    *count = n;
    return true;
}

bool registry_revoked_each(struct registry_view *view, const struct digest256 *issuer, int64_t now_s,
                           revoked_each *each, void *context, struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    struct key from;

    certificate_revoked_key(issuer, now_s, BYTES_NONE, &from);
    if (!cursor_open(view_txn(view), TABLE_REVOKED, &cursor, err) ||
        !cursor_seek(&cursor, key_bytes(&from), err))
        return false;
    while (cursor_under(&cursor, digest256_bytes(issuer))) {
        struct revoked_certificate r;

        if (cursor.key.len < REVOKED_SERIAL_AT || cursor.value.len != 9)
            return error_set(err, ERROR_FORMAT, "registry: a revocation is malformed");
        r = (struct revoked_certificate){ .serial = bytes_from(cursor.key, REVOKED_SERIAL_AT),
                                          .revoked_s = (int64_t)key_u64(cursor.value, 0),
                                          .not_after_s = (int64_t)key_u64(cursor.key, DIGEST256_LEN),
                                          .reason = cursor.value.data[8] };
        if (!each(&r, context))
            return true;
        if (!cursor_next(&cursor, err))
            return false;
    }
    return true;
}
