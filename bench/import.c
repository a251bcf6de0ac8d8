/* muster-bench import: registrations a second through the bulk import (unsorted in; sorted, merged and
 * indexed by the registry), against appending the very rows that it wrote, which lie sorted already, to an
 * empty database. */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/arguments.h"
#include "bench/bench.h"
#include "bench/figures.h"
#include "bench/registry_rows.h"

enum { BATCH = 20000, TABLES_MAX = 64, NAME_MAX_LEN = 64 };
static const size_t MAP_MAX = (size_t)64 << 30;

struct import_options {
    uint64_t rows, rounds;
    const char *directory;
    bool json;
};

struct imports {
    struct rounds ours_s, raw_s;
    uint64_t raw_rows, raw_bytes;
};

/* --- the raw append --- */
struct copy {
    MDB_env *from, *to;
    MDB_txn *read, *write;
    uint64_t rows, bytes, pending;
};

static bool check(int rc, struct error *err)
{
    return rc == 0 || error_set(err, ERROR_STORAGE, "LMDB: %s", mdb_strerror(rc));
}

static bool open_env(const char *path, unsigned flags, MDB_env **out, struct error *err)
{
    return check(mdb_env_create(out), err) && check(mdb_env_set_maxdbs(*out, TABLES_MAX), err) &&
           check(mdb_env_set_mapsize(*out, MAP_MAX), err) &&
           check(mdb_env_open(*out, path, flags, 0600), err);
}

/* As many rows in a transaction as the import merges. */
static bool put(struct copy *c, MDB_dbi table, MDB_val *key, MDB_val *value, struct error *err)
{
    if (c->pending == BATCH) {
        if (!check(mdb_txn_commit(take(c->write)), err) ||
            !check(mdb_txn_begin(c->to, NULL, 0, &c->write), err))
            return false;
        c->pending = 0;
    }
    c->pending++;
    c->rows++;
    c->bytes += key->mv_size + value->mv_size;
    return check(mdb_put(c->write, table, key, value, MDB_APPEND), err);
}

static bool copy_table(struct copy *c, const char *name, struct error *err)
{
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    MDB_dbi from, to;
    bool done;
    int rc = 0;

    if (!check(mdb_dbi_open(c->read, name, 0, &from), err) ||
        !check(mdb_dbi_open(c->write, name, MDB_CREATE, &to), err) ||
        !check(mdb_cursor_open(c->read, from, &cursor), err))
        return false;
    for (done = true; done && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0;)
        done = put(c, to, &key, &value, err);
    mdb_cursor_close(cursor);
    return done && (rc == MDB_NOTFOUND || check(rc, err));
}

/* The tables' names are the rows of the unnamed one. */
static bool copy_tables(struct copy *c, struct error *err)
{
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    MDB_dbi unnamed;
    bool done;

    if (!check(mdb_dbi_open(c->read, NULL, 0, &unnamed), err) ||
        !check(mdb_cursor_open(c->read, unnamed, &cursor), err))
        return false;
    for (done = true; done && mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0;) {
        char name[NAME_MAX_LEN];

        (void)snprintf(name, sizeof(name), "%.*s", (int)key.mv_size, (const char *)key.mv_data);
        done = copy_table(c, name, err);
    }
    mdb_cursor_close(cursor);
    return done && check(mdb_txn_commit(take(c->write)), err);
}

static bool run_copy(struct copy *c, const char *from, const char *to, double *seconds, struct error *err)
{
    double begun;

    if (!open_env(from, MDB_RDONLY, &c->from, err) || !open_env(to, 0, &c->to, err) ||
        !check(mdb_txn_begin(c->from, NULL, MDB_RDONLY, &c->read), err) ||
        !check(mdb_txn_begin(c->to, NULL, 0, &c->write), err))
        return false;
    begun = figures_wall_s();
    if (!copy_tables(c, err))
        return false;
    *seconds = figures_wall_s() - begun;
    return true;
}

static bool time_raw(const char *from, const char *to, struct imports *out, struct error *err)
{
    struct copy c = { 0 };
    double seconds = 0;
    bool done = run_copy(&c, from, to, &seconds, err);

    if (c.write != NULL)
        mdb_txn_abort(c.write);
    if (c.read != NULL)
        mdb_txn_abort(c.read);
    if (c.from != NULL)
        mdb_env_close(c.from);
    if (c.to != NULL)
        mdb_env_close(c.to);
    if (done)
        rounds_add(&out->raw_s, seconds);
    out->raw_rows = c.rows;
    out->raw_bytes = c.bytes;
    return done;
}

/* --- both --- */
static bool measure_round(const struct import_options *o, struct imports *out, struct error *err)
{
    const struct domain_id domain = { 0x6d7573746572 };
    struct scratch ours = { 0 }, raw = { 0 };
    double begun;
    bool done;

    if (!scratch_open(o->directory, &ours, err))
        return false;
    begun = figures_wall_s();
    done = rows_import(ours.registry, domain, rows_mixed, o->rows, err);
    rounds_add(&out->ours_s, figures_wall_s() - begun);
    registry_close(take(ours.registry)); /* LMDB wants one environment of a file in a process */
    if (done && (done = scratch_open(o->directory, &raw, err))) {
        char path[4200];

        registry_close(take(raw.registry));
        (void)snprintf(path, sizeof(path), "%s/data.mdb", raw.path);
        (void)unlink(path);
        done = time_raw(ours.path, raw.path, out, err);
        scratch_close(&raw);
    }
    scratch_close(&ours);
    return done;
}

static void report(const struct import_options *o, const struct imports *m)
{
    struct spread ratio = rounds_ratio(&m->raw_s, &m->ours_s), ours = rounds_spread(&m->ours_s),
                  raw = rounds_spread(&m->raw_s);

    if (o->json) {
        printf("{\"name\":\"import\",\"rows\":%llu,", (unsigned long long)o->rows);
        spread_print_json("ratio", ratio);
        printf(
            ",\"rows_per_s\":%.0f,\"import_s\":%.3f,\"raw_s\":%.3f,\"raw_rows\":%llu,\"raw_bytes\":%llu}\n",
            (double)o->rows / ours.median, ours.median, raw.median, (unsigned long long)m->raw_rows,
            (unsigned long long)m->raw_bytes);
    } else {
        printf("%llu registrations imported in %.2f s (%.0f a second); the %llu rows of %.0f MB that this "
               "makes, "
               "appended raw, in %.2f s: %.2f times its speed (%.2f to %.2f)\n",
               (unsigned long long)o->rows, ours.median, (double)o->rows / ours.median,
               (unsigned long long)m->raw_rows, (double)m->raw_bytes / 1e6, raw.median, ratio.median,
               ratio.low, ratio.high);
    }
}

static const char usage[] = "usage: muster-bench import [--rows N] [--rounds N] [--directory DIR] [--json]\n"
                            "\n"
                            "Speed of the bulk import of N registrations (default 1000000), one in ten a "
                            "pattern, divided by that of\n"
                            "appending the same rows, sorted, to an empty LMDB. Rounds alternate (default "
                            "3). Writes beneath DIR (TMPDIR,\n"
                            "or /tmp).\n";

int bench_import(int argc, char **argv)
{
    struct import_options o = { .rows = 1000000, .rounds = 3, .directory = scratch_directory() };
    const struct argument table[] = { { "rows", ARGUMENT_NUMBER, { .number = &o.rows } },
                                      { "rounds", ARGUMENT_NUMBER, { .number = &o.rounds } },
                                      { "directory", ARGUMENT_TEXT, { .text = &o.directory } },
                                      { "json", ARGUMENT_FLAG, { .flag = &o.json } } };
    static struct imports m;
    struct error err = { 0 };
    bool done = true;

    if (!arguments_read(argc, argv, usage, table, COUNT_OF(table)))
        return 2;
    for (uint64_t round = 0; done && round < o.rounds; round++)
        done = measure_round(&o, &m, &err);
    if (done)
        report(&o, &m);
    else
        (void)fprintf(stderr, "muster-bench: %s\n", err.text);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
