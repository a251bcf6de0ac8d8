/* muster-bench commit: durable records a second when many outcomes wait for one commit, against a commit for
 * each; and what the disk takes for a page by itself. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/arguments.h"
#include "bench/bench.h"
#include "bench/figures.h"
#include "bench/registry_rows.h"

enum { WAITERS = 64, WAITERS_MAX = 256, SYNCS = 50, PAGE = 4096 };

struct commit_options {
    uint64_t waiters, rounds, round_ms;
    const char *directory;
    bool json;
};

struct commits {
    struct rounds alone, together; /* records a second */
    struct rounds sync_us;
    uint64_t serial;
};

/* Records a second when so many outcomes share a commit. */
static bool time_commits(struct registry *registry, size_t batch, double seconds, uint64_t *serial,
                         double *out, struct error *err)
{
    AUTO_ARENA *arena = arena_new(ROWS_ARENA_MAX);
    struct changes changes[WAITERS_MAX];
    const struct changes *list[WAITERS_MAX];
    enum apply_result result[WAITERS_MAX];
    double begun = figures_wall_s(), now = begun;
    uint64_t records = 0;

    if (arena == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    while (now - begun < seconds) {
        arena_reset(arena);
        for (size_t i = 0; i < batch; i++) {
            changes_begin(&changes[i], arena);
            rows_issuance(++*serial, &changes[i]);
            list[i] = &changes[i];
        }
        if (!registry_apply(registry, list, batch, 1800000000, result, err))
            return false;
        for (size_t i = 0; i < batch; i++)
            if (!apply_result_error(result[i], err))
                return false;
        records += batch;
        now = figures_wall_s();
    }
    *out = (double)records / (now - begun);
    return true;
}

/* A page more in a file, and waiting for the disk. */
static bool time_syncs(const char *directory, struct rounds *out, struct error *err)
{
    static const uint8_t page[PAGE];
    char path[4200];
    bool done = true;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/page", directory);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, path);
    for (unsigned i = 0; done && i < SYNCS; i++) {
        double begun = figures_wall_s();

        done = write(fd, page, sizeof(page)) == PAGE && fdatasync(fd) == 0;
        rounds_add(out, (figures_wall_s() - begun) * 1e6);
    }
    (void)close(fd);
    (void)unlink(path);
    return done || error_errno(err, path);
}

static bool measure(const struct commit_options *o, const struct scratch *scratch, struct commits *c,
                    struct error *err)
{
    double seconds = (double)o->round_ms / 1e3, each;

    for (uint64_t round = 0; round < o->rounds; round++) {
        if (!time_commits(scratch->registry, 1, seconds, &c->serial, &each, err))
            return false;
        rounds_add(&c->alone, each);
        if (!time_commits(scratch->registry, o->waiters, seconds, &c->serial, &each, err))
            return false;
        rounds_add(&c->together, each);
    }
    return time_syncs(scratch->path, &c->sync_us, err);
}

static void report(const struct commit_options *o, const struct commits *c)
{
    struct spread ratio = rounds_ratio(&c->together, &c->alone), alone = rounds_spread(&c->alone),
                  together = rounds_spread(&c->together), sync = rounds_spread(&c->sync_us);

    if (o->json) {
        printf("{\"name\":\"commit\",");
        spread_print_json("ratio", ratio);
        printf(",\"waiters\":%llu,\"alone\":%.0f,\"together\":%.0f,\"fdatasync_us\":%.1f}\n",
               (unsigned long long)o->waiters, alone.median, together.median, sync.median);
    } else {
        printf("records a second: %.0f with a commit each, %.0f with %llu in a commit: %.1f times (%.1f to "
               "%.1f)\n"
               "  a page with fdatasync: %.0f us\n",
               alone.median, together.median, (unsigned long long)o->waiters, ratio.median, ratio.low,
               ratio.high, sync.median);
    }
}

static const char usage[] =
    "usage: muster-bench commit [--waiters N] [--rounds N] [--round-ms N] [--directory DIR] [--json]\n"
    "\n"
    "Durable records a second of issued certificates, N outcomes in a commit (default 64, at most 256) "
    "against\n"
    "one each. Rounds of both alternate (default 9 of 500 ms). Writes beneath DIR (TMPDIR, or /tmp).\n";

int bench_commit(int argc, char **argv)
{
    struct commit_options o = {
        .waiters = WAITERS, .rounds = 9, .round_ms = 500, .directory = scratch_directory()
    };
    const struct argument table[] = { { "waiters", ARGUMENT_NUMBER, { .number = &o.waiters } },
                                      { "rounds", ARGUMENT_NUMBER, { .number = &o.rounds } },
                                      { "round-ms", ARGUMENT_NUMBER, { .number = &o.round_ms } },
                                      { "directory", ARGUMENT_TEXT, { .text = &o.directory } },
                                      { "json", ARGUMENT_FLAG, { .flag = &o.json } } };
    struct scratch scratch = { 0 };
    struct commits *c = calloc(1, sizeof(*c));
    struct error err = { 0 };
    bool done;

    if (!arguments_read(argc, argv, usage, table, COUNT_OF(table)) || c == NULL) {
        free(c);
        return 2;
    }
    if (o.waiters > WAITERS_MAX)
        o.waiters = WAITERS_MAX;
    done = scratch_open(o.directory, &scratch, &err);
    if (done) {
        done = measure(&o, &scratch, c, &err);
        scratch_close(&scratch);
    }
    if (done)
        report(&o, c);
    else
        (void)fprintf(stderr, "muster-bench: %s\n", err.text);
    free(c);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
