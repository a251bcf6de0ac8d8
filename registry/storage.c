#include "registry/storage_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

void storage_fail_after(struct registry *registry, unsigned n)
{
    registry->fail_after = n;
}

static bool must_fail(struct registry *registry)
{
    return registry->fail_after != 0 && --registry->fail_after == 0;
}

bool storage_error(int rc, const char *what, struct error *err)
{
    enum error_code code = ERROR_STORAGE;

    switch (rc) {
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT: code = ERROR_UNAVAILABLE; break;
    case ENOMEM: code = ERROR_MEMORY; break;
    case MDB_READERS_FULL: code = ERROR_LIMIT; break;
    case MDB_VERSION_MISMATCH: code = ERROR_UNSUPPORTED; break;
    case MDB_KEYEXIST: code = ERROR_CONFLICT; break;
    default: break; /* whatever else LMDB or the system reports */
    }
    return error_set(err, code, "registry: %s: %s", what, mdb_strerror(rc));
}

/* --- transactions --- */
static bool txn_begin(struct registry *registry, unsigned flags, struct txn *out, struct error *err)
{
    struct txn txn = { .registry = registry };
    int rc = must_fail(registry) ? EIO : mdb_txn_begin(registry->env, NULL, flags, &txn.handle);

    if (rc != 0)
        return storage_error(rc, "a transaction cannot begin", err);
    if (!txn_load_hidden(&txn, err)) {
        txn_abort(&txn);
        return false;
    }
    *out = txn;
    return true;
}

bool txn_begin_write(struct registry *registry, struct txn *out, struct error *err)
{
    if (registry->read_only)
        return error_set(err, ERROR_DENIED, "registry: opened for reading alone");
    return txn_begin(registry, 0, out, err);
}

bool txn_begin_read(struct registry *registry, struct txn *out, struct error *err)
{
    return txn_begin(registry, MDB_RDONLY, out, err);
}

bool txn_commit(struct txn *txn, struct error *err)
{
    int rc;

    if (must_fail(txn->registry)) {
        txn_abort(txn);
        return storage_error(EIO, "commit", err);
    }
    rc = mdb_txn_commit(take(txn->handle));
    return rc == 0 || storage_error(rc, "commit", err);
}

void txn_abort(struct txn *txn)
{
    if (txn->handle != NULL)
        mdb_txn_abort(take(txn->handle));
}

bool txn_load_hidden(struct txn *txn, struct error *err)
{
    struct bytes value = BYTES_NONE;
    bool found = false;

    if (!txn_get(txn, TABLE_META, META_IMPORT_STAGE, &found, &value, err))
        return false;
    txn->hidden = found && value.len == 4 ? key_u32(value, 0) : 0;
    return true;
}

/* --- keys --- */
void key_put(struct key *key, struct bytes part)
{
    assert(part.len <= KEY_MAX - key->len);
    if (part.len > 0)
        memcpy(key->data + key->len, part.data, part.len);
    key->len += part.len;
}

void key_put_u8(struct key *key, uint8_t value)
{
    key_put(key, bytes_of(&value, 1));
}

void key_put_u32(struct key *key, uint32_t value)
{
    uint8_t raw[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                       (uint8_t)value };

    key_put(key, BYTES_ARRAY(raw));
}

void key_put_u64(struct key *key, uint64_t value)
{
    key_put_u32(key, (uint32_t)(value >> 32));
    key_put_u32(key, (uint32_t)value);
}

bool key_put_unbounded(struct key *key, struct bytes text, struct error *err)
{
    struct digest256 digest;

    if (text.len <= KEY_TEXT_MAX) {
        key_put(key, text);
        return true;
    }
    if (!sha256(text, &digest))
        return error_openssl(err, "registry: SHA-256");
    key_put(key, bytes_slice(text, 0, KEY_TEXT_MAX));
    key_put_u8(key, 0xff); /* longer than any that stands as it is */
    key_put(key, digest256_bytes(&digest));
    return true;
}

uint32_t key_u32(struct bytes key, size_t at)
{
    uint32_t value = 0;

    for (size_t i = 0; i < 4; i++)
        value = value << 8 | key.data[at + i];
    return value;
}

uint64_t key_u64(struct bytes key, size_t at)
{
    return (uint64_t)key_u32(key, at) << 32 | key_u32(key, at + 4);
}

bool key_begins(struct bytes key, struct bytes prefix)
{
    return key.len >= prefix.len && (prefix.len == 0 || memcmp(key.data, prefix.data, prefix.len) == 0);
}

/* --- rows --- */
static MDB_val val_of(struct bytes b)
{
    return (MDB_val){ .mv_size = b.len, .mv_data = (void *)(uintptr_t)b.data };
}

bool txn_get(struct txn *txn, enum table table, struct bytes key, bool *found, struct bytes *value,
             struct error *err)
{
    MDB_val k = val_of(key), v = { 0 };
    int rc = must_fail(txn->registry) ? EIO : mdb_get(txn->handle, txn->registry->dbi[table], &k, &v);

    txn->reads++;
    if (rc != 0 && rc != MDB_NOTFOUND)
        return storage_error(rc, "read", err);
    *found = rc == 0;
    *value = rc == 0 ? bytes_of(v.mv_data, v.mv_size) : BYTES_NONE;
    return true;
}

static bool write_row(struct txn *txn, enum table table, struct bytes key, struct bytes value, unsigned flags,
                      struct error *err)
{
    MDB_val k = val_of(key), v = val_of(value);
    int rc = must_fail(txn->registry) ? EIO : mdb_put(txn->handle, txn->registry->dbi[table], &k, &v, flags);

    return rc == 0 || storage_error(rc, "write", err);
}

bool txn_put(struct txn *txn, enum table table, struct bytes key, struct bytes value, struct error *err)
{
    return write_row(txn, table, key, value, 0, err);
}

bool txn_add(struct txn *txn, enum table table, struct bytes key, struct bytes value, struct error *err)
{
    return write_row(txn, table, key, value, MDB_NOOVERWRITE, err);
}

bool txn_append(struct txn *txn, enum table table, struct bytes key, struct bytes value, struct error *err)
{
    MDB_val k = val_of(key), v = val_of(value);
    MDB_dbi dbi = txn->registry->dbi[table];
    int rc = must_fail(txn->registry) ? EIO : mdb_put(txn->handle, dbi, &k, &v, MDB_APPEND);

    if (rc == MDB_KEYEXIST) /* not behind the last one: LMDB wrote nothing */
        return txn_add(txn, table, key, value, err);
    return rc == 0 || storage_error(rc, "write", err);
}

bool txn_delete(struct txn *txn, enum table table, struct bytes key, struct error *err)
{
    MDB_val k = val_of(key);
    int rc = must_fail(txn->registry) ? EIO : mdb_del(txn->handle, txn->registry->dbi[table], &k, NULL);

    return rc == 0 || rc == MDB_NOTFOUND || storage_error(rc, "delete", err);
}

bool txn_count(struct txn *txn, enum table table, uint64_t *out, struct error *err)
{
    MDB_stat stat;
    int rc = must_fail(txn->registry) ? EIO : mdb_stat(txn->handle, txn->registry->dbi[table], &stat);

    if (rc != 0)
        return storage_error(rc, "count", err);
    *out = stat.ms_entries;
    return true;
}

/* --- cursors --- */
bool cursor_open(struct txn *txn, enum table table, struct cursor *out, struct error *err)
{
    struct cursor cursor = { .registry = txn->registry, .reads = &txn->reads };
    int rc = must_fail(txn->registry)
                 ? EIO
                 : mdb_cursor_open(txn->handle, txn->registry->dbi[table], &cursor.handle);

    if (rc != 0)
        return storage_error(rc, "a cursor cannot open", err);
    *out = cursor;
    return true;
}

void cursor_close(struct cursor *cursor)
{
    if (cursor->handle != NULL)
        mdb_cursor_close(take(cursor->handle));
}

static bool cursor_move(struct cursor *cursor, struct bytes key, MDB_cursor_op op, struct error *err)
{
    MDB_val k = val_of(key), v = { 0 };
    int rc = must_fail(cursor->registry) ? EIO : mdb_cursor_get(cursor->handle, &k, &v, op);

    ++*cursor->reads;
    if (rc != 0 && rc != MDB_NOTFOUND)
        return storage_error(rc, "read", err);
    cursor->found = rc == 0;
    cursor->key = rc == 0 ? bytes_of(k.mv_data, k.mv_size) : BYTES_NONE;
    cursor->value = rc == 0 ? bytes_of(v.mv_data, v.mv_size) : BYTES_NONE;
    return true;
}

bool cursor_seek(struct cursor *cursor, struct bytes key, struct error *err)
{
    return cursor_move(cursor, key, key.len == 0 ? MDB_FIRST : MDB_SET_RANGE, err);
}

bool cursor_next(struct cursor *cursor, struct error *err)
{
    return cursor_move(cursor, BYTES_NONE, MDB_NEXT, err);
}

/* A cursor that ran past the end stands nowhere: the one before is then the last. */
static bool cursor_previous(struct cursor *cursor, struct error *err)
{
    return cursor_move(cursor, BYTES_NONE, cursor->found ? MDB_PREV : MDB_LAST, err);
}

bool cursor_before(struct cursor *cursor, struct bytes key, struct error *err)
{
    return cursor_seek(cursor, key, err) && cursor_previous(cursor, err);
}

bool cursor_at_or_before(struct cursor *cursor, struct bytes key, struct error *err)
{
    if (!cursor_seek(cursor, key, err))
        return false;
    if (cursor->found && bytes_equal(cursor->key, key))
        return true;
    return cursor_previous(cursor, err);
}
