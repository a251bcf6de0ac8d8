#include "registry/registration_rows_internal.h"

#include <assert.h>

enum { KEY_ID_MARK = '~' }; /* sorts behind all that a pattern can hold */

void row_key_domain(struct domain_id domain, struct key *out)
{
    out->len = 0;
    key_put_u64(out, domain.value);
}

void row_key_name(struct domain_id domain, struct bytes name, struct key *out)
{
    size_t end = name.len;

    assert(name.len == 0 || name.data != NULL);
    row_key_domain(domain, out);
    for (size_t i = name.len; i-- > 0;) {
        if (name.data[i] != '.')
            continue;
        key_put(out, bytes_slice(name, i + 1, end - i - 1));
        key_put_u8(out, 0);
        end = i;
    }
    key_put(out, bytes_slice(name, 0, end));
}

bool row_key_key_id(struct domain_id domain, struct bytes key_id, struct key *out, struct error *err)
{
    row_key_domain(domain, out);
    key_put_u8(out, KEY_ID_MARK);
    return key_put_unbounded(out, key_id, err);
}

bool row_key(const struct registration *r, struct key *out, struct error *err)
{
    if ((r->fqdn.len > 0) == (r->key_id.len > 0))
        return error_set(err, ERROR_INTERNAL, "registry: a registration has one of FQDN and key id");
    if (r->fqdn.len == 0)
        return row_key_key_id(r->domain, r->key_id, out, err);
    row_key_name(r->domain, fqdn_pattern_bytes(&r->fqdn), out);
    return true;
}

bool row_key_cursor(struct domain_id domain, struct bytes cursor, struct key *out, struct error *err)
{
    if (cursor.len > 0 && cursor.data[0] == KEY_ID_MARK)
        return row_key_key_id(domain, bytes_from(cursor, 1), out, err);
    row_key_name(domain, bytes_slice(cursor, 0, DNS_NAME_MAX), out);
    return true;
}

void row_encode(struct buffer *out, uint32_t import, const struct registration *r)
{
    buffer_append_u32(out, import);
    registration_encode(out, r);
}

bool row_is_hidden(const struct txn *txn, struct bytes value)
{
    return txn->hidden != 0 && value.len >= ROW_IMPORT_LEN && key_u32(value, 0) == txn->hidden;
}

void import_meta_key(uint32_t import, struct key *out)
{
    out->len = 0;
    key_put(out, BYTES_LITERAL("import/"));
    key_put_u32(out, import);
}

static bool import_audit_index(struct txn *txn, uint32_t import, uint64_t *out, struct error *err)
{
    struct key key = { 0 };
    struct bytes value;
    bool found;

    import_meta_key(import, &key);
    if (!txn_get(txn, TABLE_META, key_bytes(&key), &found, &value, err))
        return false;
    if (found && value.len == 8)
        *out = key_u64(value, 0);
    return true;
}

bool row_decode(struct txn *txn, struct bytes value, struct arena *arena, struct registration *out,
                struct error *err)
{
    struct registration r;
    uint32_t import;

    if (value.len < ROW_IMPORT_LEN)
        return error_set(err, ERROR_FORMAT, "registry: a registration record is malformed");
    import = key_u32(value, 0);
    if (!registration_decode(bytes_from(value, ROW_IMPORT_LEN), arena, &r, err) ||
        (import != 0 && !import_audit_index(txn, import, &r.audit_index, err)))
        return false;
    *out = r;
    return true;
}

bool row_get(struct txn *txn, struct bytes key, struct arena *arena, bool *found, struct registration *out,
             struct error *err)
{
    struct bytes value;

    if (!txn_get(txn, TABLE_REGISTRATION, key, found, &value, err))
        return false;
    if (*found && row_is_hidden(txn, value))
        *found = false;
    return !*found || row_decode(txn, value, arena, out, err);
}

bool row_key_by_id(struct txn *txn, const struct registration_id *id, bool *found, struct bytes *key,
                   struct error *err)
{
    return txn_get(txn, TABLE_REGISTRATION_ID, registration_id_bytes(id), found, key, err);
}
