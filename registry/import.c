#include "registry/import_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "registry/apply_internal.h"
#include "registry/match_index_internal.h"
#include "registry/registration_rows_internal.h"
#include "registry/sorter_internal.h"

enum {
    STEP_ROWS = 20000,
    SORT_ROWS_MEMORY = 64 << 20,
    SORT_INDEX_MEMORY = 32 << 20,
    PURGE_ROWS = 10000,
    PURGE_ARENA = 1 << 20,
};

/* What a row causes, each sorted for itself and merged one after the other. Rows come first: an import that
 * breaks off is removed by them. */
enum part { PART_ROWS, PART_IDS, PART_PATTERNS, PART_COUNT };

struct registry_import {
    struct registry *registry;
    uint32_t number; /* 0 until the merge began */
    struct sorter *sorter[PART_COUNT];
    enum part part; /* that is merged */
    bool have;      /* key and value below wait to be merged */
    bool failed;    /* a step was given up: rows that left the sorter are lost */
    struct bytes key, value;
    struct txn look; /* what is there already, for registry_import_add; reset between calls */
};

bool registry_import_begin(struct registry *registry, struct registry_import **out, struct error *err)
{
    struct registry_import *import;

    if (registry->import != NULL)
        return error_set(err, ERROR_UNAVAILABLE, "registry: another import is under way");
    if (!import_purge(registry, err))
        return false;
    import = calloc(1, sizeof(*import));
    if (import == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    import->registry = registry;
    for (size_t i = 0; i < PART_COUNT; i++) {
        size_t memory = i == PART_ROWS ? SORT_ROWS_MEMORY : SORT_INDEX_MEMORY;

        if (!sorter_new(registry->path, memory, &import->sorter[i], err)) {
            registry_import_abort(import);
            return false;
        }
    }
    if (!txn_begin_read(registry, &import->look, err)) {
        registry_import_abort(import);
        return false;
    }
    mdb_txn_reset(import->look.handle);
    registry->import = import;
    *out = import;
    return true;
}

static void import_free(struct registry_import *import)
{
    txn_abort(&import->look);
    for (size_t i = 0; i < PART_COUNT; i++)
        sorter_free(import->sorter[i]);
    if (import->registry->import == import)
        import->registry->import = NULL;
    __atomic_store_n(&import->registry->staged, 0, __ATOMIC_RELAXED);
    free(import);
}

void registry_import_abort(struct registry_import *import)
{
    struct error ignored; /* what is left stays hidden, and goes when the next import begins */

    if (import == NULL)
        return;
    if (import->number != 0)
        (void)!import_purge(import->registry, &ignored);
    import_free(import);
}

/* --- adding --- */
static bool check_free(struct registry_import *import, const struct key *key, const struct registration *r,
                       struct error *err)
{
    struct bytes value;
    bool name_held, id_held = false;
    int rc = mdb_txn_renew(import->look.handle);
    bool looked;

    if (rc != 0)
        return storage_error(rc, "a view cannot be renewed", err);
    looked = txn_get(&import->look, TABLE_REGISTRATION, key_bytes(key), &name_held, &value, err) &&
             (name_held || txn_get(&import->look, TABLE_REGISTRATION_ID, registration_id_bytes(&r->id),
                                   &id_held, &value, err));
    mdb_txn_reset(import->look.handle);
    if (!looked)
        return false;
    if (name_held)
        return error_set(err, ERROR_CONFLICT, "%s is registered already in the domain",
                         r->fqdn.len > 0 ? r->fqdn.text : "the key id");
    return !id_held || error_set(err, ERROR_CONFLICT, "the registration's id is taken");
}

static bool add_pattern(struct registry_import *import, const struct registration *r, struct error *err)
{
    struct key order = { 0 };

    if (r->fqdn.len == 0 || fqdn_pattern_is_exact(&r->fqdn))
        return true;
    if (fqdn_pattern_is_any(&r->fqdn))
        key_put_u64(&order, r->domain.value);
    else
        match_index_key(r->domain, &r->fqdn, &order);
    return sorter_add(import->sorter[PART_PATTERNS], key_bytes(&order), fqdn_pattern_bytes(&r->fqdn), err);
}

bool registry_import_add(struct registry_import *import, const struct registration *r, struct error *err)
{
    AUTO_STRUCT(buffer) record = BUFFER(SORT_ROWS_MEMORY / 2);
    struct registration row = *r;
    struct key key;

    row.revision = 1;
    row.audit_index = 0;
    if (!row_key(&row, &key, err) || !check_free(import, &key, &row, err))
        return false;
    registration_encode(&record, &row); /* its import's number is put before it when it is merged */
    if (buffer_failed(&record))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    return sorter_add(import->sorter[PART_ROWS], key_bytes(&key), buffer_bytes(&record), err) &&
           sorter_add(import->sorter[PART_IDS], registration_id_bytes(&row.id), key_bytes(&key), err) &&
           add_pattern(import, &row, err);
}

/* --- merging --- */

/* From here on rows with this number are hidden: the marker is durable before the first of them. */
static bool begin_merge(struct registry_import *import, struct error *err)
{
    struct txn txn __attribute__((cleanup(auto_txn))) = { 0 };
    struct key number = { 0 };
    struct bytes value;
    uint32_t last = 0;
    bool found;

    if (!txn_begin_write(import->registry, &txn, err) ||
        !txn_get(&txn, TABLE_META, META_IMPORT_LAST, &found, &value, err))
        return false;
    if (found && value.len == 4)
        last = key_u32(value, 0);
    if (last == UINT32_MAX)
        return error_set(err, ERROR_LIMIT, "registry: no more imports can be numbered");
    key_put_u32(&number, last + 1);
    if (!txn_put(&txn, TABLE_META, META_IMPORT_LAST, key_bytes(&number), err) ||
        !txn_put(&txn, TABLE_META, META_IMPORT_STAGE, key_bytes(&number), err) || !txn_commit(&txn, err))
        return false;
    import->number = last + 1;
    return true;
}

static bool merge_row(struct registry_import *import, struct txn *txn, struct buffer *row, struct error *err)
{
    row->len = 0;
    buffer_append_u32(row, import->number);
    buffer_append(row, import->value);
    if (buffer_failed(row))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    return txn_append(txn, TABLE_REGISTRATION, import->key, buffer_bytes(row), err);
}

static bool merge_pattern(struct registry_import *import, struct txn *txn, struct error *err)
{
    struct domain_id domain = { key_u64(import->key, 0) };
    struct fqdn_pattern pattern = { .len = (uint8_t)import->value.len };

    assert(import->value.len <= DNS_NAME_MAX);
    memcpy(pattern.text, import->value.data, import->value.len);
    return match_index_add(txn, domain, &pattern, err);
}

static bool merge_one(struct registry_import *import, struct txn *txn, struct buffer *row, struct error *err)
{
    struct error why = { 0 };
    bool merged = false;

    switch (import->part) {
    case PART_ROWS: merged = merge_row(import, txn, row, &why); break;
    case PART_IDS: merged = txn_append(txn, TABLE_REGISTRATION_ID, import->key, import->value, &why); break;
    case PART_PATTERNS: merged = merge_pattern(import, txn, &why); break;
    case PART_COUNT: break;
    }
    if (merged)
        return true;
    if (why.code == ERROR_CONFLICT && import->part == PART_ROWS) {
        AUTO_ARENA *arena = arena_new(PURGE_ARENA);
        struct registration r;

        if (arena != NULL && registration_decode(import->value, arena, &r, &why))
            return error_set(err, ERROR_CONFLICT,
                             "%.*s comes twice in the import, or was registered meanwhile",
                             BYTES_FMT(r.fqdn.len > 0 ? fqdn_pattern_bytes(&r.fqdn) : r.key_id));
    }
    return error_set(err, why.code, "%s", why.text);
}

/* Sees to it that a pair waits in key and value; *left false when all parts are through. */
static bool next_pair(struct registry_import *import, bool *left, struct error *err)
{
    while (!import->have && import->part < PART_COUNT) {
        if (!sorter_next(import->sorter[import->part], &import->have, &import->key, &import->value, err))
            return false;
        if (!import->have) {
            sorter_free(take(import->sorter[import->part]));
            import->part++;
        }
    }
    *left = import->have;
    return true;
}

/* Merges up to STEP_ROWS pairs; *left false when none is left. */
static bool merge_some(struct registry_import *import, struct txn *txn, bool *left, struct error *err)
{
    AUTO_STRUCT(buffer) row = BUFFER(SORT_ROWS_MEMORY);
    uint64_t rows = 0;

    for (size_t i = 0; i < STEP_ROWS; i++) {
        if (!next_pair(import, left, err))
            return false;
        if (!*left)
            break;
        if (!merge_one(import, txn, &row, err))
            return false;
        rows += import->part == PART_ROWS;
        import->have = false;
    }
    /* counted before they can be seen, so that the figure is never too high */
    __atomic_add_fetch(&import->registry->staged, rows, __ATOMIC_RELAXED);
    return true;
}

bool registry_import_step(struct registry_import *import, bool *done, struct error *err)
{
    struct txn txn __attribute__((cleanup(auto_txn))) = { 0 };
    bool left = true;

    if (import->failed)
        return error_set(err, ERROR_INTERNAL, "registry: an import goes on after it failed");
    if (import->number == 0 && !begin_merge(import, err))
        return false;
    if (!txn_begin_write(import->registry, &txn, err))
        return false;
    if (!merge_some(import, &txn, &left, err) || !txn_commit(&txn, err)) {
        import->failed = true;
        return false;
    }
    *done = !left;
    return true;
}

/* --- the end --- */
static bool show(struct registry_import *import, struct applying *a, uint64_t act_index, struct error *err)
{
    struct key key, index = { 0 };

    import_meta_key(import->number, &key);
    key_put_u64(&index, act_index);
    return txn_delete(&a->txn, TABLE_META, META_IMPORT_STAGE, err) &&
           txn_put(&a->txn, TABLE_META, key_bytes(&key), key_bytes(&index), err) && applying_commit(a, err);
}

bool registry_import_finish(struct registry_import *import, const struct changes *changes, int64_t now_s,
                            struct error *err)
{
    struct applying a __attribute__((cleanup(auto_applying))) = { 0 };
    enum apply_result result;
    uint64_t act_index;
    bool done = false;

    while (!done)
        if (!registry_import_step(import, &done, err))
            return false;
    if (!applying_begin(import->registry, now_s, &a, err))
        return false;
    act_index = a.audit.size;
    if (!applying_check(&a, changes, &result, err))
        return false;
    if (result != APPLY_DONE)
        return apply_result_error(result, err);
    if (!applying_write(&a, changes, err) || !show(import, &a, act_index, err))
        return false;
    import_free(import);
    return true;
}

/* --- removing what was not finished --- */
static bool purge_row(struct txn *txn, struct bytes record, struct arena *arena, struct error *err)
{
    struct registration r;
    struct bytes holder;
    struct key key;
    bool found;

    if (!registration_decode(record, arena, &r, err) || !row_key(&r, &key, err) ||
        !row_key_by_id(txn, &r.id, &found, &holder, err))
        return false;
    /* its id may not have been merged, or belong to the row that it was in conflict with */
    if (found && bytes_equal(holder, key_bytes(&key)) &&
        !txn_delete(txn, TABLE_REGISTRATION_ID, registration_id_bytes(&r.id), err))
        return false;
    if (r.fqdn.len > 0 && !fqdn_pattern_is_exact(&r.fqdn) && !match_index_remove(txn, r.domain, &r.fqdn, err))
        return false;
    return txn_delete(txn, TABLE_REGISTRATION, key_bytes(&key), err);
}

/* Looks at some rows from *at on; *at is where to go on, empty at the end. */
static bool purge_some(struct txn *txn, struct key *at, struct arena *arena, struct error *err)
{
    for (size_t i = 0; i < PURGE_ROWS; i++) {
        AUTO_STRUCT(cursor) cursor = { 0 };

        arena_reset(arena);
        if (!cursor_open(txn, TABLE_REGISTRATION, &cursor, err) || !cursor_seek(&cursor, key_bytes(at), err))
            return false;
        while (cursor.found && !row_is_hidden(txn, cursor.value))
            if (!cursor_next(&cursor, err))
                return false;
        at->len = 0;
        if (!cursor.found)
            return true;
        key_put(at, cursor.key);
        if (!purge_row(txn, bytes_from(cursor.value, ROW_IMPORT_LEN), arena, err))
            return false;
    }
    return true;
}

bool import_purge(struct registry *registry, struct error *err)
{
    AUTO_ARENA *arena = arena_new(PURGE_ARENA);
    struct key at = { 0 };

    if (arena == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    do {
        struct txn txn __attribute__((cleanup(auto_txn))) = { 0 };

        if (!txn_begin_write(registry, &txn, err))
            return false;
        if (txn.hidden == 0)
            return true;
        if (!purge_some(&txn, &at, arena, err) ||
            (at.len == 0 && !txn_delete(&txn, TABLE_META, META_IMPORT_STAGE, err)) || !txn_commit(&txn, err))
            return false;
    } while (at.len > 0);
    return true;
}
