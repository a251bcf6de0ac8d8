#include "bench/registry_bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "registry/registrations.h"

enum {
    SIZES_MAX = 8,
    WILD_EVERY = 10, /* one registration in so many is a wildcard */
    ROWS_MIN = 2 * WILD_EVERY,
    LOOKUPS = 200000,
    SCANS = 5,
    COMMIT_MS = 1500,
    DER_LEN = 1200,
    ARENA_MAX = 16 << 20,
};
static const unsigned waiters[] = { 1, 8, 64 };
static const struct domain_id bench_domain = { 0x6d7573746572 };

struct options {
    uint64_t rows[SIZES_MAX];
    size_t sizes;
    const char *directory;
    bool json;
};

struct figures {
    uint64_t rows;
    double import_s; /* all of it: adding, sorting, merging, showing */
    double exact_us, wild_us, miss_us;
    double scan_us;                    /* one name against every wildcard, one by one */
    double commits[COUNT_OF(waiters)]; /* records a second */
    uint64_t bytes;
};

/* --- clocks --- */
static double seconds(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- what is registered --- */
static bool is_wild(uint64_t n)
{
    return n % WILD_EVERY == 0;
}

/* The n-th pattern, or with `name` a name that it alone matches. */
static size_t write_name(uint64_t n, bool name, char out[DNS_NAME_MAX + 1])
{
    const char *form = !is_wild(n) ? "router%08llu.site%03u.example.com"
                       : name      ? "w%08llu-7.site%03u.example.com"
                                   : "w%08llu-*.site%03u.example.com";

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int len = snprintf(out, DNS_NAME_MAX + 1, form, (unsigned long long)n, (unsigned)(n % 1000));
#pragma GCC diagnostic pop

    return len < 0 ? 0 : (size_t)len;
}

static void make_registration(uint64_t n, struct registration *out)
{
    static const uint8_t sealed[96] = { 1 };

    *out = (struct registration){ .order = ORDER_SCEP,
                                  .procedure = BYTES_LITERAL("routers"),
                                  .domain = bench_domain,
                                  .state = REGISTRATION_OPEN,
                                  .accepted_s = 1800000000,
                                  .protocols = PROTOCOL_BIT(PROTOCOL_SCEP),
                                  .sealed_secret = BYTES_ARRAY(sealed),
                                  .commitment = { { 1 } },
                                  .officer = BYTES_LITERAL("lVHnoJWkhGWXQ8Wb0gWLbRlRhAyyu46jVmT9C0l1fBE") };
    out->fqdn.len = (uint8_t)write_name(n, false, out->fqdn.text);
    for (size_t i = 0; i < sizeof(n); i++) { /* scattered, as random ids are */
        out->id.bytes[i] = (uint8_t)((n * 0x9e3779b97f4a7c15u) >> (56 - 8 * i));
        out->id.bytes[8 + i] = (uint8_t)(n >> (56 - 8 * i));
    }
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    return b == 0 ? a : gcd(b, a % b);
}

/* All of them, in an order that jumps about. */
static bool import_rows(struct registry *registry, uint64_t rows, struct error *err)
{
    AUTO_ARENA *arena = arena_new(ARENA_MAX);
    struct registry_import *import = NULL;
    struct changes changes;
    uint64_t step = 7368787, n = 0;

    if (arena == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    while (gcd(step, rows) != 1)
        step++;
    if (!registry_import_begin(registry, &import, err))
        return false;
    for (uint64_t i = 0; i < rows; i++, n = (n + step) % rows) {
        struct registration r;

        make_registration(n, &r);
        if (!registry_import_add(import, &r, err)) {
            registry_import_abort(import);
            return false;
        }
    }
    changes_begin(&changes, arena);
    change_audit_append(&changes, AUDIT_ACT, BYTES_LITERAL("{}"));
    if (registry_import_finish(import, &changes, 1800000000, err))
        return true;
    registry_import_abort(import);
    return false;
}

/* --- look-ups --- */
enum wanted { WANTED_EXACT, WANTED_WILD, WANTED_MISS };

static size_t wanted_name(enum wanted wanted, uint64_t rows, uint64_t i, char out[DNS_NAME_MAX + 1])
{
    uint64_t n = (i * 0x9e3779b97f4a7c15u >> 20) % rows;

    switch (wanted) {
    case WANTED_EXACT: return write_name(is_wild(n) ? n + 1 : n, true, out);
    case WANTED_WILD: return write_name(n - n % WILD_EVERY, true, out);
    case WANTED_MISS: break;
    }
    return write_name(rows + 1 + n * WILD_EVERY, true, out);
}

static struct dns_name *make_names(enum wanted wanted, uint64_t rows)
{
    struct dns_name *name = calloc(LOOKUPS, sizeof(*name));

    for (uint64_t i = 0; name != NULL && i < LOOKUPS; i++)
        name[i].len = (uint8_t)wanted_name(wanted, rows, i, name[i].text);
    return name;
}

static bool look_up(struct registry_view *view, const struct dns_name *name, size_t expected,
                    struct arena *arena, struct error *err)
{
    struct candidates found;

    arena_reset(arena);
    if (!registry_view_renew(view, err) || !registry_candidates(view, bench_domain, name, arena, &found, err))
        return false;
    return found.count == expected || error_set(err, ERROR_INTERNAL, "%s: %zu candidates instead of %zu",
                                                name->text, found.count, expected);
}

/* Mean of LOOKUPS, the view renewed for each as for a request. */
static bool time_lookups(struct registry_view *view, uint64_t rows, enum wanted wanted, double *out,
                         struct error *err)
{
    AUTO_ARENA *arena = arena_new(ARENA_MAX);
    struct dns_name *name = make_names(wanted, rows);
    bool done = arena != NULL && name != NULL;
    double begun = seconds(CLOCK_PROCESS_CPUTIME_ID);

    if (!done)
        (void)error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; done && i < LOOKUPS; i++)
        done = look_up(view, &name[i], wanted == WANTED_MISS ? 0 : 1, arena, err);
    *out = (seconds(CLOCK_PROCESS_CPUTIME_ID) - begun) * 1e6 / (double)LOOKUPS;
    free(name);
    return done;
}

/* What the index saves: every wildcard compared with a name. */
static bool time_scan(uint64_t rows, double *out, struct error *err)
{
    size_t count = (size_t)((rows + WILD_EVERY - 1) / WILD_EVERY), hits = 0;
    struct fqdn_pattern *pattern = calloc(count, sizeof(*pattern));
    struct dns_name name;
    double begun;

    if (pattern == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        pattern[i].len = (uint8_t)write_name(i * WILD_EVERY, false, pattern[i].text);
    begun = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (uint64_t scan = 0; scan < SCANS; scan++) {
        name.len = (uint8_t)wanted_name(WANTED_WILD, rows, scan, name.text);
        for (size_t i = 0; i < count; i++)
            hits += fqdn_pattern_matches(&pattern[i], &name);
    }
    *out = (seconds(CLOCK_PROCESS_CPUTIME_ID) - begun) * 1e6 / (double)SCANS;
    free(pattern);
    return hits == SCANS || error_set(err, ERROR_INTERNAL, "a scan found %zu instead of %d", hits, SCANS);
}

/* --- group commit --- */
static void make_issuance(uint64_t serial, struct changes *changes)
{
    static const uint8_t der[DER_LEN] = { 0x30 };
    struct certificate_record c = { .id = { .issuer = { { 1 } }, .serial_len = 16 },
                                    .status = CERTIFICATE_GOOD,
                                    .protocol = PROTOCOL_SCEP,
                                    .ca = BYTES_LITERAL("internal"),
                                    .procedure = BYTES_LITERAL("routers"),
                                    .profile = BYTES_LITERAL("device"),
                                    .domain = bench_domain,
                                    .der = BYTES_ARRAY(der),
                                    .issued_s = 1800000000,
                                    .not_after_s = 1900000000 };

    c.fqdn.len = (uint8_t)write_name(serial, true, c.fqdn.text);
    for (size_t i = 0; i < 8; i++) { /* a time, then something random; the key's hash is random */
        c.id.serial[i] = (uint8_t)(serial >> (56 - 8 * i));
        c.key.bytes[i] = c.id.serial[8 + i] = (uint8_t)((serial * 0x9e3779b97f4a7c15u) >> (56 - 8 * i));
    }
    change_certificate_add(changes, &c);
    change_audit_append(changes, AUDIT_ISSUED, BYTES_LITERAL("{\"fqdn\":\"router\",\"serial\":\"00\"}"));
}

/* Records a second when so many outcomes share a commit. */
static bool time_commits(struct registry *registry, unsigned batch, uint64_t *serial, double *out,
                         struct error *err)
{
    AUTO_ARENA *arena = arena_new(ARENA_MAX);
    struct changes changes[64];
    const struct changes *list[64];
    enum apply_result result[64];
    double begun = seconds(CLOCK_MONOTONIC), now = begun;
    uint64_t records = 0;

    if (arena == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    while (now - begun < (double)COMMIT_MS / 1e3) {
        arena_reset(arena);
        for (unsigned i = 0; i < batch; i++) {
            changes_begin(&changes[i], arena);
            make_issuance(++*serial, &changes[i]);
            list[i] = &changes[i];
        }
        if (!registry_apply(registry, list, batch, 1800000000, result, err))
            return false;
        for (unsigned i = 0; i < batch; i++)
            if (!apply_result_error(result[i], err))
                return false;
        records += batch;
        now = seconds(CLOCK_MONOTONIC);
    }
    *out = (double)records / (now - begun);
    return true;
}

/* --- one size --- */
static bool measure_reads(struct registry *registry, struct figures *f, struct error *err)
{
    struct registry_view *view = NULL;
    bool done;

    if (!registry_view_begin(registry, &view, err))
        return false;
    done = time_lookups(view, f->rows, WANTED_EXACT, &f->exact_us, err) &&
           time_lookups(view, f->rows, WANTED_WILD, &f->wild_us, err) &&
           time_lookups(view, f->rows, WANTED_MISS, &f->miss_us, err) && time_scan(f->rows, &f->scan_us, err);
    registry_view_end(view);
    return done;
}

static bool measure_open(struct registry *registry, struct figures *f, struct error *err)
{
    struct registry_figures figures;
    uint64_t serial = 0;
    double begun = seconds(CLOCK_MONOTONIC);

    if (!import_rows(registry, f->rows, err))
        return false;
    f->import_s = seconds(CLOCK_MONOTONIC) - begun;
    if (!registry_figures(registry, &figures, err) || !measure_reads(registry, f, err))
        return false;
    f->bytes = figures.map_used;
    for (size_t i = 0; i < COUNT_OF(waiters); i++)
        if (!time_commits(registry, waiters[i], &serial, &f->commits[i], err))
            return false;
    return true;
}

static void remove_registry(const char *directory)
{
    static const char *const file[] = { "data.mdb", "lock.mdb", "daemon.lock" };
    char path[4200];

    for (size_t i = 0; i < COUNT_OF(file); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", directory, file[i]);
        (void)unlink(path);
    }
    (void)rmdir(directory);
}

static bool measure(const struct options *options, struct figures *f, struct error *err)
{
    struct registry_options registry_options = REGISTRY_OPTIONS_DEFAULT;
    struct registry *registry = NULL;
    char directory[4096];
    bool done;

    if (snprintf(directory, sizeof(directory), "%s/muster-bench-XXXXXX", options->directory) >=
            (int)sizeof(directory) ||
        mkdtemp(directory) == NULL)
        return error_errno(err, "a directory to work in");
    registry_options.path = directory;
    done = registry_open(&registry_options, &registry, err) && measure_open(registry, f, err);
    registry_close(registry);
    remove_registry(directory);
    return done;
}

/* --- output --- */
static void print_table(const struct figures *f, size_t count)
{
    printf("%10s %9s %9s %6s | %8s %8s %8s %8s | %9s %9s | %s\n", "rows", "import s", "rows/s", "B/row",
           "exact us", "wild us", "miss us", "vs first", "scan us", "scan/wild",
           "records/s: 1, 8, 64 waiting");
    for (size_t i = 0; i < count; i++) {
        printf("%10llu %9.2f %9.0f %6.0f | %8.2f %8.2f %8.2f %7.1fx | %9.0f %8.0fx |",
               (unsigned long long)f[i].rows, f[i].import_s, (double)f[i].rows / f[i].import_s,
               (double)f[i].bytes / (double)f[i].rows, f[i].exact_us, f[i].wild_us, f[i].miss_us,
               f[i].wild_us / f[0].wild_us, f[i].scan_us, f[i].scan_us / f[i].wild_us);
        for (size_t w = 0; w < COUNT_OF(waiters); w++)
            printf(" %.0f", f[i].commits[w]);
        printf(" (%.1fx)\n", f[i].commits[COUNT_OF(waiters) - 1] / f[i].commits[0]);
    }
}

static void print_json(const struct figures *f, size_t count)
{
    printf("[");
    for (size_t i = 0; i < count; i++) {
        printf("%s{\"rows\":%llu,\"import_s\":%.3f,\"bytes\":%llu,\"exact_us\":%.3f,\"wild_us\":%.3f,"
               "\"miss_us\":%.3f,\"growth\":%.3f,\"scan_us\":%.1f,\"scan_ratio\":%.1f,\"records_per_s\":{",
               i > 0 ? "," : "", (unsigned long long)f[i].rows, f[i].import_s, (unsigned long long)f[i].bytes,
               f[i].exact_us, f[i].wild_us, f[i].miss_us, f[i].wild_us / f[0].wild_us, f[i].scan_us,
               f[i].scan_us / f[i].wild_us);
        for (size_t w = 0; w < COUNT_OF(waiters); w++)
            printf("%s\"%u\":%.0f", w > 0 ? "," : "", waiters[w], f[i].commits[w]);
        printf("}}");
    }
    printf("]\n");
}

/* --- options --- */
static bool parse_rows(const char *text, struct options *out)
{
    struct bytes rest = bytes_text(text), part;

    out->sizes = 0;
    while (bytes_split(&rest, ',', &part)) {
        if (out->sizes == SIZES_MAX || !bytes_to_u64(part, 99999999, &out->rows[out->sizes]) ||
            out->rows[out->sizes] < ROWS_MIN)
            return false;
        out->sizes++;
    }
    return true;
}

static bool parse_options(int argc, char **argv, struct options *out)
{
    static const struct option known[] = { { "rows", required_argument, NULL, 'r' },
                                           { "directory", required_argument, NULL, 'd' },
                                           { "json", no_argument, NULL, 'j' },
                                           { 0 } };
    int option;

    optind = 1;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'r' && !parse_rows(optarg, out)) {
            (void)fprintf(stderr, "muster-bench: --rows takes up to %d numbers from %d to 99999999\n",
                          SIZES_MAX, ROWS_MIN);
            return false;
        }
        if (option == 'd')
            out->directory = optarg;
        if (option == 'j')
            out->json = true;
        if (option == '?')
            return false;
    }
    return optind == argc;
}

int bench_registry(int argc, char **argv)
{
    struct options options = { .rows = { 1000, 1000000, 10000000 },
                               .sizes = 3,
                               .directory = getenv("TMPDIR") };
    struct figures f[SIZES_MAX] = { 0 };
    struct error err = { 0 };

    if (options.directory == NULL)
        options.directory = "/tmp";
    if (!parse_options(argc, argv, &options)) {
        (void)fprintf(stderr, "usage: muster-bench registry [--rows N,N,...] [--directory DIR] [--json]\n");
        return 2;
    }
    for (size_t i = 0; i < options.sizes; i++) {
        f[i].rows = options.rows[i] - options.rows[i] % WILD_EVERY;
        if (!options.json && isatty(STDERR_FILENO) == 1)
            (void)fprintf(stderr, "%llu registrations ...\n", (unsigned long long)f[i].rows);
        if (!measure(&options, &f[i], &err)) {
            (void)fprintf(stderr, "muster-bench: %s\n", err.text);
            return 1;
        }
    }
    if (options.json)
        print_json(f, options.sizes);
    else
        print_table(f, options.sizes);
    return 0;
}
