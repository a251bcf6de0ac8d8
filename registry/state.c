#include "registry/state.h"

#include "registry/state_rows_internal.h"

/* --- keys --- */
static void put_kind(struct key *key, struct bytes kind)
{
    key_put_u8(key, (uint8_t)kind.len);
    key_put(key, kind);
}

static bool put_hash(struct key *key, struct bytes text, size_t len, struct error *err)
{
    struct digest256 digest;

    if (!sha256(text, &digest))
        return error_openssl(err, "registry: SHA-256");
    key_put(key, bytes_slice(digest256_bytes(&digest), 0, len));
    return true;
}

static bool kind_prefix(const char *kind, struct key *out, struct error *err)
{
    struct bytes text = bytes_text(kind);

    if (text.len == 0 || text.len > STATE_KIND_MAX)
        return error_set(err, ERROR_INTERNAL, "registry: a kind of state has 1 to %d characters",
                         STATE_KIND_MAX);
    out->len = 0;
    put_kind(out, text);
    return true;
}

bool state_key_of(const struct state_key *key, struct key *out, struct error *err)
{
    if (!kind_prefix(key->kind, out, err) || !put_hash(out, key->procedure, KEY_HASH_LEN, err))
        return false;
    key_put_u8(out, key->id.len > STATE_ID_MAX);
    if (key->id.len > STATE_ID_MAX)
        return put_hash(out, key->id, DIGEST256_LEN, err);
    key_put(out, key->id);
    return true;
}

void due_key(int64_t time_s, struct bytes what, struct key *out)
{
    out->len = 0;
    key_put_u64(out, time_s < 0 ? 0 : (uint64_t)time_s);
    key_put(out, what);
}

/* --- one --- */
bool registry_state(struct registry_view *view, const struct state_key *key, struct arena *arena, bool *found,
                    struct state_value *out, struct error *err)
{
    struct state_row row;
    struct bytes value;
    struct key k;

    (void)arena; /* nothing in it is a list */
    if (!state_key_of(key, &k, err) ||
        !txn_get(view_txn(view), TABLE_STATE, key_bytes(&k), found, &value, err))
        return false;
    if (!*found)
        return true;
    if (!state_decode(value, &row, err))
        return false;
    *out = (struct state_value){
        .blob = row.blob, .revision = row.revision, .expires_s = row.expires_s, .changed_s = row.changed_s
    };
    return true;
}

/* --- many --- */
bool registry_state_each(struct registry_view *view, struct bytes procedure, const char *kind,
                         state_each *each, void *context, struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    struct key prefix = { 0 };

    if (!kind_prefix(kind, &prefix, err) ||
        (procedure.len > 0 && !put_hash(&prefix, procedure, KEY_HASH_LEN, err)) ||
        !cursor_open(view_txn(view), TABLE_STATE, &cursor, err) ||
        !cursor_seek(&cursor, key_bytes(&prefix), err))
        return false;
    while (cursor_under(&cursor, key_bytes(&prefix))) {
        struct state_row row;
        struct state_key key;
        struct state_value value;

        if (!state_decode(cursor.value, &row, err))
            return false;
        key = (struct state_key){ .procedure = row.procedure, .kind = kind, .id = row.id };
        value = (struct state_value){
            .blob = row.blob, .revision = row.revision, .expires_s = row.expires_s, .changed_s = row.changed_s
        };
        if (!each(&key, &value, context))
            return true;
        if (!cursor_next(&cursor, err))
            return false;
    }
    return true;
}

static bool expired_row(struct txn *txn, struct bytes state_key, struct arena *arena, struct state_key *key,
                        uint64_t *revision, struct error *err)
{
    struct state_row row;
    struct bytes value;
    bool found;

    if (!txn_get(txn, TABLE_STATE, state_key, &found, &value, err))
        return false;
    if (!found)
        return error_set(err, ERROR_FORMAT, "registry: an index names state that is not there");
    if (!state_decode(value, &row, err))
        return false;
    key->procedure = row.procedure;
    key->id = row.id;
    key->kind = arena_text(arena, row.kind);
    *revision = row.revision;
    return key->kind != NULL || error_set(err, ERROR_MEMORY, "registry: out of memory");
}

bool registry_state_expired(struct registry_view *view, int64_t now_s, size_t max, struct arena *arena,
                            struct state_key *key, uint64_t *revision, size_t *count, struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    struct txn *txn = view_txn(view);
    struct state_key *keys = arena_array(arena, max, sizeof(*keys));
    uint64_t *revisions = arena_array(arena, max, sizeof(*revisions));
    size_t n = 0;

    if (keys == NULL || revisions == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    if (!cursor_open(txn, TABLE_STATE_EXPIRY, &cursor, err) || !cursor_seek(&cursor, BYTES_NONE, err))
        return false;
    while (n < max && cursor.found && (int64_t)key_u64(cursor.key, 0) <= now_s) {
        if (!expired_row(txn, bytes_from(cursor.key, DUE_WHAT_AT), arena, &keys[n], &revisions[n], err) ||
            !cursor_next(&cursor, err))
            return false;
        n++;
    }
    for (size_t i = 0; i < n; i++) {
        key[i] = keys[i];
        revision[i] = revisions[i];
    }
    *count = n;
    return true;
}
