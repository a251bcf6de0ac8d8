/* storage_internal.h: LMDB as this room uses it: named tables, keys with a bound, get, put, cursors. Nothing
 * outside storage.c, environment.c and view.c names a type of LMDB. No table has duplicate keys
 * (LMDB 0.9.24 walks them wrongly, ITS#9723). */
#ifndef MUSTER_REGISTRY_STORAGE_INTERNAL_H
#define MUSTER_REGISTRY_STORAGE_INTERNAL_H

#include <lmdb.h>

#include "registry/registry.h"

enum table {
    TABLE_META,
    TABLE_REGISTRATION,        /* domain, name (labels from the right) -> import number, record */
    TABLE_REGISTRATION_ID,     /* id -> key in TABLE_REGISTRATION */
    TABLE_PLAN,                /* match_index.c: which probes a depth needs -> patterns behind each */
    TABLE_WILD,                /* match_index.c: probe, literals, anchor -> bucket of patterns */
    TABLE_CERTIFICATE,         /* issuer, serial -> record */
    TABLE_CERTIFICATE_FQDN,    /* hash of domain and FQDN, sequence -> key in TABLE_CERTIFICATE */
    TABLE_CERTIFICATE_KEY,     /* hash of the SPKI, sequence -> key in TABLE_CERTIFICATE */
    TABLE_REVOKED,             /* issuer, end of validity, serial -> record */
    TABLE_STATE,               /* kind, procedure, id -> record */
    TABLE_STATE_EXPIRY,        /* time, key in TABLE_STATE -> nothing */
    TABLE_JOB,                 /* id -> record */
    TABLE_JOB_DUE,             /* time, id -> nothing */
    TABLE_OFFICER,             /* key id -> record */
    TABLE_OFFICER_CERTIFICATE, /* SHA-256 of the certificate -> key in TABLE_OFFICER */
    TABLE_JTI,                 /* SHA-256 of officer and jti -> time */
    TABLE_AUDIT,               /* index -> record */
    TABLE_AUDIT_NODE,          /* level, index -> hash of a complete subtree */
    TABLE_COUNT,
};

/* One daemon, one environment. */
struct registry {
    MDB_env *env;
    MDB_dbi dbi[TABLE_COUNT];
    int lock_fd; /* -1: none held */
    bool read_only;
    uint64_t map_max;
    char *path;
    struct registry_import *import; /* the one that is under way, or NULL */
    uint64_t staged;                /* rows in TABLE_REGISTRATION that no view shows yet */
    unsigned fail_after;            /* tests: see storage_fail_after */
};

/* A transaction of the storage, reading or writing. */
struct txn {
    struct registry *registry;
    MDB_txn *handle;
    uint32_t hidden; /* rows of the import with this number are not there yet; 0: no import is under way */
    uint64_t reads;  /* rows that were looked for */
};

/* The n-th storage call from now fails as if the disk had (0: never). For tests. */
void storage_fail_after(struct registry *registry, unsigned n);

/* Turns a return code of LMDB into an error; returns false. Out of room is ERROR_UNAVAILABLE. */
bool storage_error(int rc, const char *what, struct error *err);

MUST_USE bool txn_begin_write(struct registry *registry, struct txn *out, struct error *err);
MUST_USE bool txn_begin_read(struct registry *registry, struct txn *out, struct error *err);
MUST_USE bool txn_commit(struct txn *txn, struct error *err); /* ends it, also when it fails */
void txn_abort(struct txn *txn);                              /* accepts one that has ended */
UNUSED static inline void auto_txn(struct txn *txn)
{
    txn_abort(txn);
}
/* Reads txn->hidden; at the start of each transaction. */
MUST_USE bool txn_load_hidden(struct txn *txn, struct error *err);

/* --- keys --- */
enum { KEY_MAX = 511, KEY_TEXT_MAX = 128, KEY_HASH_LEN = 16 };
struct key {
    size_t len;
    uint8_t data[KEY_MAX];
};
static inline struct bytes key_bytes(const struct key *key)
{
    return bytes_of(key->data, key->len);
}
/* What is put in is bounded by its type: running over KEY_MAX is a defect. */
void key_put(struct key *key, struct bytes part);
void key_put_u8(struct key *key, uint8_t value);
void key_put_u32(struct key *key, uint32_t value);
void key_put_u64(struct key *key, uint64_t value);
/* Text without a bound: itself up to KEY_TEXT_MAX, else its beginning and SHA-256 of it all. */
MUST_USE bool key_put_unbounded(struct key *key, struct bytes text, struct error *err);
uint64_t key_u64(struct bytes key, size_t at);
uint32_t key_u32(struct bytes key, size_t at);
bool key_begins(struct bytes key, struct bytes prefix);

/* --- rows. What get returns lives as long as the transaction, and in a writing one until the next write ---
 */
MUST_USE bool txn_get(struct txn *txn, enum table table, struct bytes key, bool *found, struct bytes *value,
                      struct error *err);
MUST_USE bool txn_put(struct txn *txn, enum table table, struct bytes key, struct bytes value,
                      struct error *err);
/* ERROR_CONFLICT when the key is there. */
MUST_USE bool txn_add(struct txn *txn, enum table table, struct bytes key, struct bytes value,
                      struct error *err);
/* As txn_add, for keys that mostly come after the last one of the table: pages are filled to the brim. */
MUST_USE bool txn_append(struct txn *txn, enum table table, struct bytes key, struct bytes value,
                         struct error *err);
/* A key that is not there is no error. */
MUST_USE bool txn_delete(struct txn *txn, enum table table, struct bytes key, struct error *err);
MUST_USE bool txn_count(struct txn *txn, enum table table, uint64_t *out, struct error *err);

/* --- cursors --- */
struct cursor {
    struct registry *registry;
    uint64_t *reads; /* of its transaction */
    MDB_cursor *handle;
    bool found; /* key and value are set */
    struct bytes key, value;
};
MUST_USE bool cursor_open(struct txn *txn, enum table table, struct cursor *out, struct error *err);
void cursor_close(struct cursor *cursor);
UNUSED static inline void auto_cursor(struct cursor *cursor)
{
    cursor_close(cursor);
}
/* Each sets cursor->found, key and value. */
MUST_USE bool cursor_seek(struct cursor *cursor, struct bytes key, struct error *err); /* first >= key */
MUST_USE bool cursor_next(struct cursor *cursor, struct error *err);
MUST_USE bool cursor_at_or_before(struct cursor *cursor, struct bytes key,
                                  struct error *err);                                    /* last <= key */
MUST_USE bool cursor_before(struct cursor *cursor, struct bytes key, struct error *err); /* last < key */

static inline bool cursor_under(const struct cursor *cursor, struct bytes prefix)
{
    return cursor->found && key_begins(cursor->key, prefix);
}

/* --- views --- */
struct registry_view {
    struct txn txn;
    bool active;
};
/* The transaction of a view that is not reset. */
struct txn *view_txn(struct registry_view *view);

/* Some 90 % of the map or of the disk are taken. */
MUST_USE bool storage_is_full(struct txn *txn, bool *full, struct error *err);

/* Rows of TABLE_META. */
#define META_SCHEMA       BYTES_LITERAL("schema")
#define META_AUDIT        BYTES_LITERAL("audit")
#define META_IMPORT_LAST  BYTES_LITERAL("import-last")   /* number of the newest import */
#define META_IMPORT_STAGE BYTES_LITERAL("import-hidden") /* number of the one under way; absent: none */

#endif
