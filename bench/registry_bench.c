#include "bench/registry_bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/figures.h"
#include "bench/registry_rows.h"

enum {
    SIZES_MAX = 8,
    WILD_EVERY = ROWS_WILD_EVERY,
    ROWS_MIN = 2 * WILD_EVERY,
    LOOKUPS = 200000,
    SCANS = 5,
};
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
    double scan_us; /* one name against every wildcard, one by one */
    uint64_t bytes;
};

/* --- look-ups --- */
enum wanted { WANTED_EXACT, WANTED_WILD, WANTED_MISS };

static void wanted_name(enum wanted wanted, uint64_t rows, uint64_t i, struct dns_name *out)
{
    uint64_t n = (i * 0x9e3779b97f4a7c15u >> 20) % rows;

    switch (wanted) {
    case WANTED_EXACT: rows_mixed_name(n % WILD_EVERY == 0 ? n + 1 : n, out); return;
    case WANTED_WILD: rows_mixed_name(n - n % WILD_EVERY, out); return;
    case WANTED_MISS: break;
    }
    rows_mixed_name(rows + 1 + n * WILD_EVERY, out);
}

static struct dns_name *make_names(enum wanted wanted, uint64_t rows)
{
    struct dns_name *name = calloc(LOOKUPS, sizeof(*name));

    for (uint64_t i = 0; name != NULL && i < LOOKUPS; i++)
        wanted_name(wanted, rows, i, &name[i]);
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
    AUTO_ARENA *arena = arena_new(ROWS_ARENA_MAX);
    struct dns_name *name = make_names(wanted, rows);
    bool done = arena != NULL && name != NULL;
    double begun = figures_process_s();

    if (!done)
        (void)error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; done && i < LOOKUPS; i++)
        done = look_up(view, &name[i], wanted == WANTED_MISS ? 0 : 1, arena, err);
    *out = (figures_process_s() - begun) * 1e6 / (double)LOOKUPS;
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
        rows_mixed(i * WILD_EVERY, &pattern[i]);
    begun = figures_process_s();
    for (uint64_t scan = 0; scan < SCANS; scan++) {
        wanted_name(WANTED_WILD, rows, scan, &name);
        for (size_t i = 0; i < count; i++)
            hits += fqdn_pattern_matches(&pattern[i], &name);
    }
    *out = (figures_process_s() - begun) * 1e6 / (double)SCANS;
    free(pattern);
    return hits == SCANS || error_set(err, ERROR_INTERNAL, "a scan found %zu instead of %d", hits, SCANS);
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
    double begun = figures_wall_s();

    if (!rows_import(registry, bench_domain, rows_mixed, f->rows, err))
        return false;
    f->import_s = figures_wall_s() - begun;
    if (!registry_figures(registry, &figures, err) || !measure_reads(registry, f, err))
        return false;
    f->bytes = figures.map_used;
    return true;
}

static bool measure(const struct options *options, struct figures *f, struct error *err)
{
    struct scratch scratch = { 0 };
    bool done;

    if (!scratch_open(options->directory, &scratch, err))
        return false;
    done = measure_open(scratch.registry, f, err);
    scratch_close(&scratch);
    return done;
}

/* --- output --- */
static void print_table(const struct figures *f, size_t count)
{
    printf("%10s %9s %9s %6s | %8s %8s %8s %8s | %9s %9s\n", "rows", "import s", "rows/s", "B/row",
           "exact us", "wild us", "miss us", "vs first", "scan us", "scan/wild");
    for (size_t i = 0; i < count; i++)
        printf("%10llu %9.2f %9.0f %6.0f | %8.2f %8.2f %8.2f %7.1fx | %9.0f %8.0fx\n",
               (unsigned long long)f[i].rows, f[i].import_s, (double)f[i].rows / f[i].import_s,
               (double)f[i].bytes / (double)f[i].rows, f[i].exact_us, f[i].wild_us, f[i].miss_us,
               f[i].wild_us / f[0].wild_us, f[i].scan_us, f[i].scan_us / f[i].wild_us);
}

static void print_json(const struct figures *f, size_t count)
{
    printf("[");
    for (size_t i = 0; i < count; i++)
        printf("%s{\"rows\":%llu,\"import_s\":%.3f,\"bytes\":%llu,\"exact_us\":%.3f,\"wild_us\":%.3f,"
               "\"miss_us\":%.3f,\"growth\":%.3f,\"scan_us\":%.1f,\"scan_ratio\":%.1f}",
               i > 0 ? "," : "", (unsigned long long)f[i].rows, f[i].import_s, (unsigned long long)f[i].bytes,
               f[i].exact_us, f[i].wild_us, f[i].miss_us, f[i].wild_us / f[0].wild_us, f[i].scan_us,
               f[i].scan_us / f[i].wild_us);
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
                               .directory = scratch_directory() };
    struct figures f[SIZES_MAX] = { 0 };
    struct error err = { 0 };

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
