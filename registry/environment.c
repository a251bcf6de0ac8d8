#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "registry/import_internal.h"
#include "registry/storage_internal.h"

static const char *const table_name[TABLE_COUNT] = {
    [TABLE_META] = "meta",
    [TABLE_REGISTRATION] = "registration",
    [TABLE_REGISTRATION_ID] = "registration-id",
    [TABLE_PLAN] = "plan",
    [TABLE_WILD] = "wild",
    [TABLE_CERTIFICATE] = "certificate",
    [TABLE_CERTIFICATE_FQDN] = "certificate-fqdn",
    [TABLE_CERTIFICATE_KEY] = "certificate-key",
    [TABLE_REVOKED] = "revoked",
    [TABLE_STATE] = "state",
    [TABLE_STATE_EXPIRY] = "state-expiry",
    [TABLE_JOB] = "job",
    [TABLE_JOB_DUE] = "job-due",
    [TABLE_OFFICER] = "officer",
    [TABLE_OFFICER_CERTIFICATE] = "officer-certificate",
    [TABLE_JTI] = "jti",
    [TABLE_AUDIT] = "audit",
    [TABLE_AUDIT_NODE] = "audit-node",
};

enum {
    FULL_PERCENT = 90,
    READERS_SPARE = 8, /* for figures and tools beside the views */
};
/* A disk with this much left is not full, however large it is. */
static const uint64_t disk_enough = (uint64_t)2 << 30;

/* --- opening --- */
static bool take_lock(struct registry *registry, struct error *err)
{
    char *name = NULL;

    if (asprintf(&name, "%s/daemon.lock", registry->path) < 0)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    registry->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    free(name);
    if (registry->lock_fd < 0)
        return error_errno(err, "registry: daemon.lock");
    if (flock(registry->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return error_set(err, ERROR_UNAVAILABLE, "registry: %s is in use by another daemon", registry->path);
    return error_errno(err, "registry: daemon.lock");
}

static bool make_directory(const struct registry_options *options, struct error *err)
{
    if (options->read_only) {
        if (access(options->path, R_OK | X_OK) == 0)
            return true;
        return error_set(err, ERROR_NOT_FOUND, "registry: no registry in %s", options->path);
    }
    if (mkdir(options->path, 0700) == 0 || errno == EEXIST)
        return true;
    return error_errno(err, "registry: its directory cannot be made");
}

static bool open_environment(struct registry *registry, const struct registry_options *options,
                             struct error *err)
{
    unsigned flags = MDB_NOTLS | (options->read_only ? MDB_RDONLY : 0) | (options->no_sync ? MDB_NOSYNC : 0);
    int rc = mdb_env_create(&registry->env);

    if (rc == 0)
        rc = mdb_env_set_maxdbs(registry->env, TABLE_COUNT);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(registry->env, options->readers_max + READERS_SPARE);
    /* The whole of the map is reserved at once: it is address space, the file grows as it is written. A
     * reader in another process takes the size from the file. */
    if (rc == 0 && !options->read_only)
        rc = mdb_env_set_mapsize(registry->env, options->map_max);
    if (rc == 0)
        rc = mdb_env_open(registry->env, options->path, flags, 0600);
    if (rc == ENOENT)
        return error_set(err, ERROR_NOT_FOUND, "registry: no registry in %s", options->path);
    return rc == 0 || storage_error(rc, "it cannot be opened", err);
}

static bool check_schema(struct txn *txn, bool read_only, struct error *err)
{
    struct key version = { 0 };
    struct bytes value;
    bool found;

    if (!txn_get(txn, TABLE_META, META_SCHEMA, &found, &value, err))
        return false;
    if (!found && read_only)
        return error_set(err, ERROR_FORMAT, "registry: it has no schema version");
    if (!found) {
        key_put_u64(&version, REGISTRY_SCHEMA_VERSION);
        return txn_put(txn, TABLE_META, META_SCHEMA, key_bytes(&version), err);
    }
    if (value.len != 8)
        return error_set(err, ERROR_FORMAT, "registry: its schema version is malformed");
    if (key_u64(value, 0) > REGISTRY_SCHEMA_VERSION)
        return error_set(err, ERROR_UNSUPPORTED,
                         "registry: written by a newer muster (schema %llu, this program knows %d)",
                         (unsigned long long)key_u64(value, 0), REGISTRY_SCHEMA_VERSION);
    return true;
}

/* The meta table first: a newer registry may have other tables, and is refused before one is made. */
static bool open_tables(struct registry *registry, struct error *err)
{
    struct txn txn __attribute__((cleanup(auto_txn))) = { .registry = registry };
    unsigned create = registry->read_only ? 0 : MDB_CREATE;
    int rc = mdb_txn_begin(registry->env, NULL, registry->read_only ? MDB_RDONLY : 0, &txn.handle);

    if (rc != 0)
        return storage_error(rc, "a transaction cannot begin", err);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        rc = mdb_dbi_open(txn.handle, table_name[i], create, &registry->dbi[i]);
        if (rc != 0)
            return storage_error(rc, table_name[i], err);
        if (i == TABLE_META && !check_schema(&txn, registry->read_only, err))
            return false;
    }
    return txn_commit(&txn, err);
}

bool registry_open(const struct registry_options *options, struct registry **out, struct error *err)
{
    struct registry *registry = calloc(1, sizeof(*registry));
    int dead;

    if (registry == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    registry->lock_fd = -1;
    registry->read_only = options->read_only;
    registry->map_max = options->map_max;
    registry->path = strdup(options->path);
    if (registry->path == NULL) {
        registry_close(registry);
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    }
    if (!make_directory(options, err) || (!options->read_only && !take_lock(registry, err)) ||
        !open_environment(registry, options, err) || !open_tables(registry, err) ||
        (!options->read_only && !import_purge(registry, err))) {
        registry_close(registry);
        return false;
    }
    (void)mdb_reader_check(registry->env, &dead); /* slots of killed readers; they are only room */
    *out = registry;
    return true;
}

void registry_close(struct registry *registry)
{
    if (registry == NULL)
        return;
    registry_import_abort(registry->import);
    if (registry->env != NULL)
        mdb_env_close(registry->env);
    if (registry->lock_fd >= 0)
        close(registry->lock_fd);
    free(registry->path);
    free(registry);
}

/* --- room --- */

/* Pages that LMDB keeps for later use, from its own table of them (number 0, which a reading transaction
 * alone may open): each value begins with a count. Looked at only when the map has been used to its end once.
 */
static bool count_free_pages(struct registry *registry, uint64_t *out, struct error *err)
{
    struct txn txn __attribute__((cleanup(auto_txn))) = { .registry = registry };
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t pages = 0;
    int rc = mdb_txn_begin(registry->env, NULL, MDB_RDONLY, &txn.handle);

    if (rc == 0)
        rc = mdb_cursor_open(txn.handle, 0, &cursor);
    if (rc != 0)
        return storage_error(rc, "free pages", err);
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        size_t count;

        memcpy(&count, value.mv_data, sizeof(count));
        pages += count;
    }
    mdb_cursor_close(cursor);
    if (rc != MDB_NOTFOUND)
        return storage_error(rc, "free pages", err);
    *out = pages;
    return true;
}

static bool map_is_full(struct txn *txn, bool *full, struct error *err)
{
    MDB_envinfo info;
    MDB_stat stat;
    uint64_t ceiling, used, spare = 0;
    int rc = mdb_env_info(txn->registry->env, &info);

    if (rc == 0)
        rc = mdb_env_stat(txn->registry->env, &stat);
    if (rc != 0)
        return storage_error(rc, "figures", err);
    ceiling = txn->registry->map_max / 100 * FULL_PERCENT / stat.ms_psize;
    used = info.me_last_pgno + 1;
    *full = false;
    if (used < ceiling)
        return true;
    if (!count_free_pages(txn->registry, &spare, err))
        return false;
    *full = used - (spare < used ? spare : used) >= ceiling;
    return true;
}

bool storage_is_full(struct txn *txn, bool *full, struct error *err)
{
    struct statvfs disk;
    uint64_t left, tenth;

    if (!map_is_full(txn, full, err))
        return false;
    if (*full || statvfs(txn->registry->path, &disk) != 0) /* a disk that does not tell is not judged */
        return true;
    left = (uint64_t)disk.f_bavail * disk.f_frsize;
    tenth = (uint64_t)disk.f_blocks * disk.f_frsize / 100 * (100 - FULL_PERCENT);
    *full = left < (tenth < disk_enough ? tenth : disk_enough);
    return true;
}

/* --- figures --- */
struct reader_scan {
    uint64_t oldest;
};

/* LMDB tells its readers as lines of pid, thread and txn ("-": idle). */
static int note_reader(const char *line, void *context)
{
    struct reader_scan *scan = context;
    const char *last = strrchr(line, ' ');
    char *end;
    unsigned long long txn;

    if (last == NULL)
        return 0;
    txn = strtoull(last + 1, &end, 10);
    if (end != last + 1 && txn < scan->oldest)
        scan->oldest = txn;
    return 0;
}

bool registry_figures(struct registry *registry, struct registry_figures *out, struct error *err)
{
    struct txn txn __attribute__((cleanup(auto_txn))) = { 0 };
    struct registry_figures f = { .map_max = registry->map_max };
    struct reader_scan scan;
    uint64_t staged = __atomic_load_n(&registry->staged, __ATOMIC_RELAXED);
    MDB_envinfo info;
    MDB_stat stat;
    int dead;

    (void)mdb_reader_check(registry->env, &dead);
    if (mdb_env_info(registry->env, &info) != 0 || mdb_env_stat(registry->env, &stat) != 0)
        return error_set(err, ERROR_STORAGE, "registry: no figures");
    scan.oldest = info.me_last_txnid;
    (void)mdb_reader_list(registry->env, note_reader, &scan);
    if (!txn_begin_read(registry, &txn, err) || !txn_count(&txn, TABLE_REGISTRATION, &f.registrations, err) ||
        !txn_count(&txn, TABLE_CERTIFICATE, &f.certificates, err) ||
        !txn_count(&txn, TABLE_AUDIT, &f.audit_entries, err) || !txn_count(&txn, TABLE_JOB, &f.jobs, err))
        return false;
    f.registrations -= staged < f.registrations ? staged : f.registrations;
    f.map_size = info.me_mapsize;
    f.map_used = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
    f.oldest_reader_lag = info.me_last_txnid - scan.oldest;
    *out = f;
    return true;
}
