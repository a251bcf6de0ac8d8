/* muster-bench cmp: enrollments over CMP, each with a key of its own: ir under a password; or kur, signed
 * with a certificate that its device was given before the interval. Then certConf, unless implicit
 * confirmation is asked for. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/load.h"
#include "bench/options.h"
#include "bench/requests.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "proto/cmp/client.h"

enum { CALL_ARENA_MAX = 1 << 20, WHY_MAX = 96, ANCHORS_MAX = 16 };

static const char key_name[] = "device";

struct device { /* one enrollment */
    char cn[BENCH_CN_MAX];
    struct keys *ring; /* holds its key as key_name */
    struct cmp_client client;
    struct cmp_dialog dialog;
    struct bytes certificate; /* in its answer */
    char why[WHY_MAX];        /* what was wrong with an answer */
};

struct campaign { /* enrollments that are made together */
    const struct load_options *options;
    struct anchors *anchors;       /* of those who sign answers */
    const struct campaign *before; /* whose certificates are updated; NULL: a password protects requests */
    struct arena *arena;
    struct load_plan plan;
    struct device *device;
    struct bytes *request, *serial;
    struct load_result result;
    size_t good;
};

/* --- what is said --- */

static struct cmp_call call_of(const struct campaign *c, size_t n, struct arena *arena)
{
    return (struct cmp_call){ .keys = c->before != NULL ? c->before->device[n].ring : NULL,
                              .random = &random_system,
                              .now_s = clock_now_s(),
                              .arena = arena };
}

static struct cmp_client client_by_password(const struct campaign *c, size_t n)
{
    return (struct cmp_client){ .kind = CMP_PROTECTION_MAC,
                                .reference = bytes_text(c->device[n].cn),
                                .secret = bytes_text(c->options->password),
                                .iterations = BENCH_PBM_ITERATIONS,
                                .anchors = c->anchors };
}

static struct cmp_client client_by_certificate(const struct campaign *c, const struct certificate *held)
{
    return (struct cmp_client){ .kind = CMP_PROTECTION_SIGNATURE,
                                .key_name = key_name,
                                .certificate = held,
                                .extra_cert = { held->encoded },
                                .extra_cert_count = 1,
                                .anchors = c->anchors };
}

/* The client, and what the request says of the certificate that it updates. */
static bool make_client(struct campaign *c, size_t n, struct crmf_order *order, struct error *err)
{
    struct certificate *held = arena_alloc(c->arena, sizeof(*held));

    if (c->before == NULL) {
        c->device[n].client = client_by_password(c, n);
        return true;
    }
    if (held == NULL || !certificate_decode(c->before->device[n].certificate, c->arena, held))
        return error_set(err, ERROR_MEMORY, "a certificate that is to be updated");
    c->device[n].client = client_by_certificate(c, held);
    order->old_issuer = held->issuer.encoded;
    order->old_serial = held->serial;
    return true;
}

static void put_http(const struct campaign *c, struct bytes message, struct buffer *out)
{
    load_request(out, &c->plan.target, "POST", "", c->plan.keep_alive,
                 "Content-Type: application/pkixcmp\r\n", message);
}

static bool say(struct campaign *c, size_t n, const struct cmp_wish *wish, struct error *err)
{
    struct device *d = &c->device[n];
    const struct cmp_call call = call_of(c, n, c->arena);
    AUTO_STRUCT(buffer) http = BUFFER(64 * 1024);
    struct bytes message;

    if (!cmp_client_request(&d->client, &call, wish, &d->dialog, &message, err))
        return false;
    put_http(c, message, &http);
    c->request[n] = buffer_failed(&http) ? BYTES_NONE : arena_copy(c->arena, buffer_bytes(&http));
    return c->request[n].data != NULL || error_set(err, ERROR_MEMORY, "requests");
}

static bool make_request(struct campaign *c, size_t n, struct error *err)
{
    struct device *d = &c->device[n];
    AUTO_STRUCT(buffer) san = BUFFER(512);
    struct cmp_wish wish = { .body = c->before != NULL ? CMP_KUR : CMP_IR,
                             .implicit_confirm = c->options->implicit_confirm,
                             .crmf = { .pop = CRMF_POP_SIGNATURE, .key_name = key_name } };

    bench_fqdn(c->options->pattern, n, d->cn);
    general_name_put(&san, GENERAL_NAME_DNS, bytes_text(d->cn), BYTES_NONE);
    if (!bench_name(d->cn, c->arena, &wish.crmf.subject) || buffer_failed(&san))
        return error_set(err, ERROR_FORMAT, "%s", d->cn);
    if (!keys_new(&d->ring, err) || !keys_generate(d->ring, key_name, KEY_EC_P256, 0, err) ||
        !make_client(c, n, &wish.crmf, err))
        return false;
    wish.crmf.san = buffer_bytes(&san);
    wish.crmf.keys = d->ring;
    wish.crmf.spki = keys_public(d->ring, key_name);
    return say(c, n, &wish, err);
}

static bool build(struct campaign *c, struct error *err)
{
    c->device = arena_array(c->arena, c->plan.count, sizeof(*c->device));
    c->request = arena_array(c->arena, c->plan.count, sizeof(*c->request));
    c->serial = arena_array(c->arena, c->plan.count, sizeof(*c->serial));
    if (c->device == NULL || c->request == NULL || c->serial == NULL)
        return error_set(err, ERROR_MEMORY, "requests");
    for (size_t n = 0; n < c->plan.count; n++)
        if (!make_request(c, n, err))
            return false;
    c->plan.request = c->request;
    return true;
}

/* --- what is heard --- */

static void note(struct device *d, const char *what, const char *more)
{
    (void)snprintf(d->why, sizeof(d->why), "%s%s", what, more != NULL ? more : "");
}

/* The answer is authentic and says what is expected. */
static bool hear(struct campaign *c, size_t n, const struct load_answer *answer, enum cmp_outcome expected,
                 struct arena *arena, struct cmp_result *result)
{
    struct device *d = &c->device[n];
    const struct cmp_call call = call_of(c, n, arena);

    if (answer->status != 200) {
        if (d->why[0] == '\0')
            (void)snprintf(d->why, sizeof(d->why), "HTTP status %d", answer->status);
        return false;
    }
    cmp_client_hear(&d->client, &call, answer->body, &d->dialog, result);
    if (result->outcome == CMP_OUTCOME_CERTIFICATE)
        d->certificate = result->certificate;
    if (result->outcome == CMP_OUTCOME_REJECTED)
        note(d, "rejected: ", cmp_status_text(&result->status, arena));
    else if (result->outcome != expected)
        note(d, "no answer to what was asked: ", result->what);
    return result->outcome == expected;
}

/* The certConf, on a client's thread. */
static bool confirm(void *context, size_t n, const struct load_answer *first, struct buffer *request)
{
    struct campaign *c = context;
    AUTO_ARENA *arena = arena_new(CALL_ARENA_MAX);
    const struct cmp_call call = call_of(c, n, arena);
    struct cmp_result result;
    struct error err = { 0 };
    struct bytes message;

    if (arena == NULL || !hear(c, n, first, CMP_OUTCOME_CERTIFICATE, arena, &result) || !result.confirm ||
        !cmp_client_confirm(&c->device[n].client, &call, true, &c->device[n].dialog, &message, &err))
        return false;
    put_http(c, message, request);
    return true;
}

/* The last answer ends the transaction, and the certificate is for the device's key and name. */
static bool holds(struct campaign *c, size_t n, struct bytes *serial)
{
    struct device *d = &c->device[n];
    bool two = c->result.second != NULL;
    AUTO_ARENA *arena = arena_new(CALL_ARENA_MAX);
    struct cmp_result result;
    struct certificate issued;

    if (arena == NULL || !hear(c, n, two ? &c->result.second[n] : &c->result.answer[n],
                               two ? CMP_OUTCOME_DONE : CMP_OUTCOME_CERTIFICATE, arena, &result))
        return false;
    note(d, "its certificate is for another key or name", NULL);
    if ((!two && result.confirm) || !certificate_decode(d->certificate, arena, &issued) ||
        !bytes_equal(issued.key.spki, keys_public(d->ring, key_name)) || issued.san.count != 1 ||
        !bytes_is(issued.san.item[0].value, d->cn))
        return false;
    *serial = issued.serial;
    return true;
}

static void verify(struct campaign *c)
{
    const char *why = NULL;

    for (size_t n = 0; n < c->plan.count; n++) {
        if (holds(c, n, &c->serial[c->good]))
            c->good++;
        else if (why == NULL)
            why = c->device[n].why;
    }
    if (why != NULL)
        fprintf(stderr, "muster-bench: the first that failed: %s\n", why);
    if (bench_distinct(c->serial, c->good) != c->good) {
        fprintf(stderr, "muster-bench: serial numbers repeat: these are repeated answers, not enrollments\n");
        c->good = 0;
    }
}

/* --- campaigns --- */

static bool hold_campaign(struct campaign *c, struct error *err)
{
    c->plan.follow = c->options->implicit_confirm ? NULL : confirm;
    c->plan.context = c;
    c->arena = arena_new((size_t)8 << 30);
    if (c->arena == NULL)
        return error_set(err, ERROR_MEMORY, "requests");
    if (!build(c, err) || !load_run(&c->plan, &c->result, err))
        return false;
    verify(c);
    return true;
}

static void end_campaign(struct campaign *c)
{
    load_free(&c->result);
    for (size_t n = 0; c->device != NULL && n < c->plan.count; n++)
        keys_unref(c->device[n].ring);
    arena_free(c->arena);
}

static bool read_anchors(const char *path, struct anchors **out, struct error *err)
{
    AUTO_STRUCT(buffer) pem = BUFFER(1 << 20);
    AUTO_ARENA *arena = arena_new(1 << 20);
    struct bytes der[ANCHORS_MAX];
    size_t count;

    if (arena == NULL)
        return error_set(err, ERROR_MEMORY, "anchors");
    return file_read(path, &pem, err) &&
           certificates_from_pem(buffer_bytes(&pem), arena, der, ANCHORS_MAX, &count, err) &&
           anchors_new(der, count, out, err);
}

static void report(const struct campaign *c)
{
    const struct load_options *options = c->options;
    const struct bench_cmp_shape shape = { .with_signatures = options->with_signatures,
                                           .confirmed = !options->implicit_confirm };
    char name[64];

    (void)snprintf(name, sizeof(name), "cmp %s, %s", shape.with_signatures ? "kur" : "ir",
                   shape.with_signatures ? "P-256 signatures" : "PBM 500");
    if (!shape.confirmed)
        (void)snprintf(name + strlen(name), sizeof(name) - strlen(name), ", implicit confirmation");
    load_report(name, &c->plan, &c->result, c->good,
                bench_floor_cmp_us(shape) +
                    (options->keep_alive || !c->plan.target.tls ? 0 : bench_floor_tls_us()),
                options->json);
}

static bool run(const struct load_options *options, struct campaign *before, struct campaign *c,
                struct error *err)
{
    c->options = options;
    c->plan = (struct load_plan){ .trust_path = options->trust,
                                  .clients = options->clients,
                                  .keep_alive = options->keep_alive,
                                  .count = options->count,
                                  .target_pid = options->pid };
    if (!load_target_parse(options->target, &c->plan.target, err) ||
        (options->trust != NULL && !read_anchors(options->trust, &c->anchors, err)))
        return false;
    if (options->with_signatures) {
        *before = *c;
        if (!hold_campaign(before, err))
            return false;
        if (before->good != options->count)
            return error_set(err, ERROR_DENIED, "not all devices were given the certificate to update");
        c->before = before;
    }
    if (!hold_campaign(c, err))
        return false;
    report(c);
    return true;
}

static const char usage[] =
    "usage: muster-bench cmp --target URL [options]\n"
    "\n"
    "  --target URL     http://host:port/.well-known/cmp/p/<procedure>\n"
    "  --password P     the shared secret (default bench-secret); 500 iterations\n"
    "  --signed         kur, signed with certificates that are enrolled beforehand; needs --trust\n"
    "  --implicit       implicitConfirm is asked for: one message each (default: certConf, too)\n"
    "  --trust FILE     PEM of the anchor of those who sign answers, and of the server's\n"
    "  --names PATTERN  the FQDNs, * counts (default unit-*.bench.example.com): register it reusable\n"
    "  --clients N      at once (default 64)\n"
    "  --count N        enrollments, each with a key of its own (default 2000)\n"
    "  --new            a new connection for each (default: keep-alive)\n"
    "  --pid N          the target's process, for its CPU time\n"
    "  --json           one line of JSON\n";

int bench_cmp(int argc, char **argv)
{
    struct load_options options = LOAD_OPTIONS_DEFAULT;
    struct campaign before = { 0 }, c = { 0 };
    struct error err = { 0 };

    if (!load_options_read(argc, argv, usage, &options))
        return 2;
    if (options.with_signatures && options.trust == NULL) {
        fputs("muster-bench: --signed needs --trust\n", stderr);
        return 2;
    }
    if (!run(&options, &before, &c, &err))
        fprintf(stderr, "muster-bench: %s\n", err.text);
    end_campaign(&c);
    end_campaign(&before);
    anchors_free(c.anchors);
    return c.good == options.count ? EXIT_SUCCESS : EXIT_FAILURE;
}
