#include "bench/work.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/report.h"

enum { POOL_DEFAULT_RSA = 32, WEIGHT_MAX = 1000000 };

static const struct work_protocol *const protocols[] = { &work_est, &work_scep, &work_cmp, &work_acme };

/* --- for the protocols --- */

const struct key_type *work_key(const struct load_options *options, const char *default_name)
{
    return options->key != NULL ? options->key : key_type_find(default_name);
}

size_t work_pool(const struct work_order *order, const struct key_type *key)
{
    size_t pool = order->options->pool;

    assert(order->count > 0);
    if (pool == 0)
        pool = key->kind == KEY_RSA ? POOL_DEFAULT_RSA : order->count;
    return pool < order->count ? pool : order->count;
}

bool work_hold(const struct work_order *order, const struct load_work *work, struct error *err)
{
    struct load_plan plan = { .work = work,
                              .work_count = 1,
                              .trust_path = order->options->trust,
                              .clients = (unsigned)order->options->clients };
    struct load_result result = { 0 };
    AUTO_STRUCT(summary) summary = { 0 };

    if (!load_run(&plan, &result, err))
        return false;
    if (!summary_make(&plan, &result, NULL, &summary, err)) {
        load_free(&result);
        return false;
    }
    load_free(&result);
    return summary.all.good == work->count ||
           error_set(err, ERROR_DENIED, "beforehand: %s: %zu of %zu are not as wanted: %s", work->name,
                     work->count - summary.all.good, work->count,
                     summary.fault_count > 0 ? summary.fault[0].what : "");
}

/* --- what is to be done --- */

static const struct work_row *find_row(const struct work_protocol *protocol, struct bytes operation)
{
    for (size_t i = 0; i < WORK_ROWS_MAX && protocol->row[i].operation != NULL; i++)
        if (bytes_is(operation, protocol->row[i].operation))
            return &protocol->row[i];
    return NULL;
}

static const struct work_protocol *find_protocol(struct bytes name)
{
    for (size_t i = 0; i < COUNT_OF(protocols); i++)
        if (bytes_is(name, protocols[i]->name))
            return protocols[i];
    return NULL;
}

static bool parse_part(struct bytes text, const struct work_protocol *protocol, struct work_part *out,
                       struct error *err)
{
    struct bytes name = bytes_slice(text, 0, bytes_find(text, '='));
    struct bytes weight = bytes_from(text, name.len + 1), operation = name;
    size_t colon = bytes_find(name, ':');
    struct work_part part = { .protocol = protocol, .weight = 1 };
    uint64_t number = 1;

    if (protocol == NULL) {
        part.protocol = find_protocol(bytes_slice(name, 0, colon));
        operation = bytes_from(name, colon + 1);
    }
    part.row = part.protocol != NULL ? find_row(part.protocol, operation) : NULL;
    if (part.row == NULL)
        return error_set(err, ERROR_FORMAT, "--mix: there is no operation %.*s", BYTES_FMT(name));
    if (name.len < text.len && (!bytes_to_u64(weight, WEIGHT_MAX, &number) || number == 0))
        return error_set(err, ERROR_FORMAT, "--mix: %.*s is no weight", BYTES_FMT(weight));
    part.weight = (unsigned)number;
    *out = part;
    return true;
}

bool work_mix_parse(const char *text, const struct work_protocol *protocol,
                    struct work_part out[LOAD_WORKS_MAX], size_t *count, struct error *err)
{
    struct bytes rest = bytes_text(text), part;
    size_t made = 0;

    while (bytes_split(&rest, ',', &part)) {
        if (made == LOAD_WORKS_MAX)
            return error_set(err, ERROR_LIMIT, "--mix: at most %d operations", LOAD_WORKS_MAX);
        if (!parse_part(part, protocol, &out[made], err))
            return false;
        made++;
    }
    *count = made;
    return true;
}

/* --target URL, or of a mix PROTOCOL=URL; NULL: there is none. */
static const char *url_of(const struct load_options *options, const struct work_protocol *protocol,
                          bool mixed)
{
    size_t len = strlen(protocol->name);

    if (!mixed)
        return options->target.text[0];
    for (size_t i = 0; i < options->target.count; i++)
        if (strncmp(options->target.text[i], protocol->name, len) == 0 && options->target.text[i][len] == '=')
            return options->target.text[i] + len + 1;
    return NULL;
}

/* --- a load --- */

struct load {
    struct load_options options;
    bool mixed;
    struct work_part part[LOAD_WORKS_MAX];
    struct load_work work[LOAD_WORKS_MAX]; /* of each part */
    size_t count, opened;
};

/* How many exchanges each gets: as the loop will take turns. */
static void share_out(struct load *load)
{
    long credit[LOAD_WORKS_MAX] = { 0 };

    for (size_t i = 0; i < load->count; i++)
        load->work[i].weight = load->part[i].weight;
    for (size_t i = 0; i < load->options.count; i++)
        load->work[load_turn(load->work, load->count, credit)].count++;
}

static bool open_works(struct load *load, struct error *err)
{
    size_t first = 0;

    for (size_t i = 0; i < load->count; i++) {
        const struct work_part *part = &load->part[i];
        const struct work_order order = { .options = &load->options,
                                          .url = url_of(&load->options, part->protocol, load->mixed),
                                          .count = load->work[i].count,
                                          .first = first };
        struct load_work work = { .weight = part->weight, .count = order.count };

        if (order.url == NULL)
            return error_set(err, ERROR_FORMAT, "--target %s=URL is missing", part->protocol->name);
        if (order.count == 0)
            return error_set(err, ERROR_FORMAT, "--count is too small for a part of the mix");
        if (load->options.progress)
            (void)fprintf(stderr, "\r\033[Kpreparing %zu of %s %s", order.count, part->protocol->name,
                          part->row->operation);
        if (!part->row->open(&order, &work, err))
            return false;
        first += order.count;
        load->work[i] = work;
        load->opened++;
    }
    return true;
}

/* Exchanges that show a certificate of their own never share a connection. */
static bool all_dressed(const struct load *load)
{
    for (size_t i = 0; i < load->count; i++)
        if (load->work[i].dress == NULL)
            return false;
    return true;
}

static bool hold_load(struct load *load, bool *all_good, struct error *err)
{
    struct load_plan plan = load_options_plan(&load->options);
    struct load_result result = { 0 };
    AUTO_STRUCT(summary) summary = { 0 };
    bool done;

    plan.work = load->work;
    plan.work_count = load->count;
    if (plan.connections == LOAD_KEEP && all_dressed(load))
        plan.connections = LOAD_NEW;
    if (!load_run(&plan, &result, err))
        return false;
    done = summary_make(&plan, &result, &load->options, &summary, err) &&
           report(&plan, &load->options, &summary, err);
    load_free(&result);
    *all_good = done && summary.all.good > 0 && summary.all.bad == 0 && summary.fault_count == 0;
    return done;
}

static int run(struct load *load, const struct work_protocol *protocol)
{
    const char *mix = load->options.mix;
    struct error err = { 0 };
    bool all_good = false;

    if (mix == NULL)
        mix = load->options.is_signed ? "renew" : protocol->row[0].operation;
    if (!work_mix_parse(mix, load->mixed ? NULL : protocol, load->part, &load->count, &err)) {
        (void)fprintf(stderr, "muster-bench: %s\n", err.text);
        return 2;
    }
    share_out(load);
    if (!open_works(load, &err) || !hold_load(load, &all_good, &err))
        (void)fprintf(stderr, "%smuster-bench: %s\n", load->options.progress ? "\r\033[K" : "", err.text);
    for (size_t i = 0; i < load->opened; i++)
        load->work[i].end(load->work[i].context);
    return all_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int work_run(const struct work_protocol *protocol, int argc, char **argv)
{
    struct load load = { 0 };

    if (!load_options_read(argc, argv, protocol->usage, &load.options))
        return 2;
    return run(&load, protocol);
}

static const char mix_usage[] =
    "usage: muster-bench mix --mix PROTOCOL:OPERATION=WEIGHT[,...] --target PROTOCOL=URL [--target ...] "
    "[options]\n"
    "\n"
    "Several operations, of several protocols, at the same time. Each is told of by itself, too.\n"
    "\n"
    "  est:enroll est:renew est:poll est:cacerts\n"
    "  scep:enroll scep:renew scep:poll\n"
    "  cmp:enroll cmp:renew cmp:poll cmp:revoke\n"
    "  acme:enroll acme:renew acme:poll acme:revoke\n"
    "\n"
    "The other options of a protocol are those of its command (muster-bench est --help).\n";

int work_run_mix(int argc, char **argv)
{
    struct load load = { .mixed = true };

    if (!load_options_read(argc, argv, mix_usage, &load.options))
        return 2;
    if (load.options.mix == NULL) {
        (void)fputs(mix_usage, stderr);
        return 2;
    }
    return run(&load, NULL);
}
