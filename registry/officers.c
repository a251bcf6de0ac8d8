#include "registry/state.h"
#include "registry/state_rows_internal.h"

bool officer_key_of(struct bytes key_id, struct key *out, struct error *err)
{
    out->len = 0;
    if (key_id.len == 0)
        return error_set(err, ERROR_INTERNAL, "registry: an officer has a key id");
    return key_put_unbounded(out, key_id, err);
}

bool jti_key_of(struct bytes officer, struct bytes jti, struct key *out, struct error *err)
{
    struct key len = { 0 };
    struct digest256 digest;

    key_put_u64(&len, officer.len); /* so that no two pairs run into the same bytes */
    if (!sha256_parts((struct bytes[]){ key_bytes(&len), officer, jti }, 3, &digest))
        return error_openssl(err, "registry: SHA-256");
    out->len = 0;
    key_put(out, digest256_bytes(&digest));
    return true;
}

static bool officer_get(struct txn *txn, struct bytes key, struct arena *arena, bool *found,
                        struct officer_record *out, struct error *err)
{
    struct bytes value;

    if (!txn_get(txn, TABLE_OFFICER, key, found, &value, err))
        return false;
    return !*found || officer_decode(value, arena, out, err);
}

bool registry_officer(struct registry_view *view, struct bytes key_id, struct arena *arena, bool *found,
                      struct officer_record *out, struct error *err)
{
    struct key key;

    if (key_id.len == 0) { /* what a stranger sends; nobody has it */
        *found = false;
        return true;
    }
    return officer_key_of(key_id, &key, err) &&
           officer_get(view_txn(view), key_bytes(&key), arena, found, out, err);
}

bool registry_officer_by_certificate(struct registry_view *view, const struct digest256 *certificate,
                                     struct arena *arena, bool *found, struct officer_record *out,
                                     struct error *err)
{
    struct bytes key;

    if (!txn_get(view_txn(view), TABLE_OFFICER_CERTIFICATE, digest256_bytes(certificate), found, &key, err))
        return false;
    return !*found || officer_get(view_txn(view), key, arena, found, out, err);
}

bool registry_officers_list(struct registry_view *view, size_t max, struct arena *arena,
                            struct officer_record *out, size_t *count, struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    struct officer_record *page = arena_array(arena, max, sizeof(*page));
    size_t n = 0;

    if (page == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    if (!cursor_open(view_txn(view), TABLE_OFFICER, &cursor, err) || !cursor_seek(&cursor, BYTES_NONE, err))
        return false;
    while (n < max && cursor.found) {
        if (!officer_decode(cursor.value, arena, &page[n++], err) || !cursor_next(&cursor, err))
            return false;
    }
    if (n > 0)
        memcpy(out, page, n * sizeof(*out));
    *count = n;
    return true;
}

bool registry_jti_seen(struct registry_view *view, struct bytes officer, struct bytes jti, bool *seen,
                       struct error *err)
{
    struct bytes value;
    struct key key;

    return jti_key_of(officer, jti, &key, err) &&
           txn_get(view_txn(view), TABLE_JTI, key_bytes(&key), seen, &value, err);
}
