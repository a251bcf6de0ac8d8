/* muster-bench match: which registrations stand for a name, at a size: against comparing it with each
 * pattern, and with sets of patterns that were chosen to make it slow against those that people register.
 * Each set is a domain of its own in one registry. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/arguments.h"
#include "bench/bench.h"
#include "bench/figures.h"
#include "bench/registry_rows.h"

enum { LOOKUPS = 20000, SCANS = 3 };

/* A name that is looked up in a set of so many patterns; spread over all of it by `i`. */
typedef void wanted_name(uint64_t i, uint64_t size, struct dns_name *out);

/* --- what people register --- */
static unsigned long long scattered(uint64_t i, uint64_t size)
{
    return (i * 0x9e3779b97f4a7c15u >> 20) % size;
}

static void exact(uint64_t n, struct fqdn_pattern *out)
{
    rows_text(out, "router%08llu.site%03u.example.com", (unsigned long long)n, (unsigned)(n % 1000));
}

static void wild(uint64_t n, struct fqdn_pattern *out)
{
    rows_text(out, "w%08llu-*.site%03u.example.com", (unsigned long long)n, (unsigned)(n % 1000));
}

static void wanted_exact(uint64_t i, uint64_t size, struct dns_name *out)
{
    unsigned long long n = scattered(i, size);

    rows_name(out, "router%08llu.site%03u.example.com", n, (unsigned)(n % 1000));
}

static void wanted_wild(uint64_t i, uint64_t size, struct dns_name *out)
{
    unsigned long long n = scattered(i, size);

    rows_name(out, "w%08llu-7.site%03u.example.com", n, (unsigned)(n % 1000));
}

static void wanted_none(uint64_t i, uint64_t size, struct dns_name *out)
{
    rows_name(out, "w%08llu-7.site%03u.example.net", scattered(i, size), (unsigned)(i % 1000));
}

/* --- what somebody registers who wants it slow --- */

/* Nothing but a run between two stars: it may stand anywhere in the label. */
static void inner(uint64_t n, struct fqdn_pattern *out)
{
    rows_text(out, "*%07llu*.example.com", (unsigned long long)n);
}

static void wanted_inner(uint64_t i, uint64_t size, struct dns_name *out)
{
    rows_name(out, "a%07llub.example.com", scattered(i, size));
}

/* The same, asked for by the longest label. */
static void wanted_long(uint64_t i, uint64_t size, struct dns_name *out)
{
    rows_name(out, "a%07llu%07llu%07llu%07llu%07llu%07llu%07llu%07llub.example.com", scattered(i, size),
              scattered(i + 1, size), scattered(i + 2, size), scattered(i + 3, size), scattered(i + 4, size),
              scattered(i + 5, size), scattered(i + 6, size), scattered(i + 7, size));
}

/* Runs of many lengths between stars in each of three labels, and ends: as many ways to look as the registry
 * takes. */
static void shapes(uint64_t n, struct fqdn_pattern *out)
{
    static const char *const form[] = { "*%0*llu*.*.*", "*.*%0*llu*.*", "*.*.*%0*llu*",
                                        "%0*llu*.*.*",  "%0*llu*.b.*",  "%0*llu*.*.c",
                                        "%0*llu*.b.c",  "*%0*llu.*.*",  "a.*.*%0*llu" };
    static const int len[] = { 8, 12, 16, 24, 32, 48 };
    char left[DNS_NAME_MAX + 1];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(left, sizeof(left), form[n % COUNT_OF(form)], len[n / COUNT_OF(form) % COUNT_OF(len)],
                   (unsigned long long)n);
#pragma GCC diagnostic pop
    rows_text(out, "%s.example.com", left);
}

static void wanted_shapes(uint64_t i, uint64_t size, struct dns_name *out)
{
    rows_name(out, "x%050llux.y%050lluy.z%050lluz.example.com", scattered(i, size), scattered(i + 1, size),
              scattered(i + 2, size));
}

/* Prefixes that are each other's beginnings: a name has as many of them as its label is long. */
static void nested(uint64_t n, struct fqdn_pattern *out)
{
    char digit[64];
    size_t len = 0;

    for (uint64_t left = n + 1; left > 0 && len < sizeof(digit) - 2; left /= 2)
        digit[len++] = left % 2 == 0 ? 'a' : 'b';
    rows_text(out, "%.*s*.example.com", (int)len, digit);
}

static void wanted_nested(uint64_t i, uint64_t size, struct dns_name *out)
{
    struct fqdn_pattern deepest;

    nested(size - 1 - i % (size / 2), &deepest);
    rows_name(out, "%.*sz.example.com", (int)bytes_find(fqdn_pattern_bytes(&deepest), '*'), deepest.text);
}

/* --- sets --- */
struct set {
    const char *name;
    rows_pattern *pattern, *beside; /* both in the same domain */
    wanted_name *wanted;
    bool hostile;
};
static const struct set set[] = {
    { "exact", exact, wild, wanted_exact, false },
    { "wild", exact, wild, wanted_wild, false },
    { "none", exact, wild, wanted_none, false },
    { "inner", inner, NULL, wanted_inner, true },
    { "inner, long label", inner, NULL, wanted_long, true },
    { "shapes", shapes, NULL, wanted_shapes, true },
    { "nested", nested, NULL, wanted_nested, true },
};
enum { WILD = 1 }; /* what all is set beside */

struct match_options {
    uint64_t size, rounds;
    const char *directory;
    bool json;
};

struct match {
    struct match_options options;
    struct scratch scratch;
    struct registry_view *view;
    struct rounds us[COUNT_OF(set)]; /* of a look-up */
    struct rounds scan_us;           /* of one name against every wildcard of the second set, one by one */
    struct fqdn_pattern *all;
};

/* A set that has the patterns of the one before is in its domain. */
static struct domain_id domain_of(size_t i)
{
    while (i > 0 && set[i].pattern == set[i - 1].pattern)
        i--;
    return (struct domain_id){ 1 + i };
}

static bool fill(struct match *m, struct error *err)
{
    for (size_t i = 0; i < COUNT_OF(set); i++) {
        if (domain_of(i).value != 1 + i)
            continue;
        if (!rows_import(m->scratch.registry, domain_of(i), set[i].pattern, m->options.size, err) ||
            (set[i].beside != NULL && !rows_import(m->scratch.registry, (struct domain_id){ 1 + i },
                                                   set[i].beside, m->options.size, err)))
            return error_prefix(err, set[i].name);
    }
    return true;
}

/* Over the budget is an answer, too: the caller refuses. */
static bool look_up(struct match *m, size_t i, uint64_t n, struct arena *arena, size_t *found,
                    struct error *err)
{
    struct candidates candidates = { 0 };
    struct dns_name name;

    arena_reset(arena);
    set[i].wanted(n, m->options.size, &name);
    if (!registry_view_renew(m->view, err))
        return false;
    if (!registry_candidates(m->view, domain_of(i), &name, arena, &candidates, err) &&
        err->code != ERROR_BUDGET)
        return false;
    *found += candidates.count;
    return true;
}

static bool time_set(struct match *m, size_t i, struct arena *arena, struct error *err)
{
    double begun = figures_thread_s();
    uint64_t times = set[i].hostile ? LOOKUPS / 20 : LOOKUPS;
    size_t found = 0;

    for (uint64_t n = 0; n < times; n++)
        if (!look_up(m, i, n, arena, &found, err))
            return false;
    rounds_add(&m->us[i], (figures_thread_s() - begun) * 1e6 / (double)times);
    if (set[i].hostile || found == (set[i].wanted == wanted_none ? 0 : times))
        return true;
    return error_set(err, ERROR_INTERNAL, "%s: %zu registrations found by %llu names", set[i].name, found,
                     (unsigned long long)times);
}

static bool time_scan(struct match *m, struct error *err)
{
    double begun = figures_thread_s();
    size_t hits = 0;

    for (uint64_t scan = 0; scan < SCANS; scan++) {
        struct dns_name name;

        wanted_wild(scan, m->options.size, &name);
        for (uint64_t i = 0; i < m->options.size; i++)
            hits += fqdn_pattern_matches(&m->all[i], &name);
    }
    rounds_add(&m->scan_us, (figures_thread_s() - begun) * 1e6 / SCANS);
    return hits == SCANS || error_set(err, ERROR_INTERNAL, "a scan found %zu instead of %d", hits, SCANS);
}

static bool measure(struct match *m, struct error *err)
{
    AUTO_ARENA *arena = arena_new(ROWS_ARENA_MAX);

    m->all = calloc(m->options.size, sizeof(*m->all));
    if (arena == NULL || m->all == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (uint64_t i = 0; i < m->options.size; i++)
        wild(i, &m->all[i]);
    if (!fill(m, err) || !registry_view_begin(m->scratch.registry, &m->view, err))
        return false;
    for (uint64_t round = 0; round < m->options.rounds; round++) {
        for (size_t i = 0; i < COUNT_OF(set); i++)
            if (!time_set(m, i, arena, err))
                return false;
        if (!time_scan(m, err))
            return false;
    }
    return true;
}

/* --- output --- */
static size_t worst_of(const struct match *m)
{
    size_t worst = WILD;

    for (size_t i = 0; i < COUNT_OF(set); i++)
        if (rounds_spread(&m->us[i]).median > rounds_spread(&m->us[worst]).median)
            worst = i;
    return worst;
}

static void report(const struct match *m)
{
    size_t worst = worst_of(m);
    struct spread scan = rounds_ratio(&m->us[WILD], &m->scan_us),
                  hostile = rounds_ratio(&m->us[worst], &m->us[WILD]);

    if (m->options.json) {
        printf("{\"name\":\"match\",\"size\":%llu,", (unsigned long long)m->options.size);
        spread_print_json("against_scan", scan);
        printf(",");
        spread_print_json("hostile", hostile);
        printf(",\"worst\":\"%s\",\"scan_us\":%.1f,\"us\":{", set[worst].name,
               rounds_spread(&m->scan_us).median);
        for (size_t i = 0; i < COUNT_OF(set); i++)
            printf("%s\"%s\":%.3f", i > 0 ? "," : "", set[i].name, rounds_spread(&m->us[i]).median);
        printf("}}\n");
        return;
    }
    printf("%llu exact names and as many patterns:\n", (unsigned long long)m->options.size);
    for (size_t i = 0; i < COUNT_OF(set); i++)
        printf("  %-20s %8.2f us\n", set[i].name, rounds_spread(&m->us[i]).median);
    printf("  one by one           %8.0f us: 1/%.0f of it; worst set (%s) %.1f times the benign one\n",
           rounds_spread(&m->scan_us).median, 1 / scan.median, set[worst].name, hostile.median);
}

static const char usage[] = "usage: muster-bench match [--size N] [--rounds N] [--directory DIR] [--json]\n"
                            "\n"
                            "CPU of finding the registrations that stand for a name, with N exact ones and N "
                            "patterns (default 1000000),\n"
                            "against comparing it with every pattern; and with sets of N hostile patterns. "
                            "Rounds alternate (default 5).\n"
                            "Writes beneath DIR (TMPDIR, or /tmp).\n";

int bench_match(int argc, char **argv)
{
    struct match *m = calloc(1, sizeof(*m));
    struct error err = { 0 };
    bool done;

    if (m == NULL)
        return EXIT_FAILURE;
    m->options = (struct match_options){ .size = 1000000, .rounds = 5, .directory = scratch_directory() };
    if (!arguments_read(argc, argv, usage,
                        (const struct argument[]){
                            { "size", ARGUMENT_NUMBER, { .number = &m->options.size } },
                            { "rounds", ARGUMENT_NUMBER, { .number = &m->options.rounds } },
                            { "directory", ARGUMENT_TEXT, { .text = &m->options.directory } },
                            { "json", ARGUMENT_FLAG, { .flag = &m->options.json } },
                        },
                        4)) {
        free(m);
        return 2;
    }
    done = scratch_open(m->options.directory, &m->scratch, &err);
    if (done) {
        done = measure(m, &err);
        registry_view_end(m->view);
        scratch_close(&m->scratch);
    }
    if (done)
        report(m);
    else
        (void)fprintf(stderr, "muster-bench: %s\n", err.text);
    free(m->all);
    free(m);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
