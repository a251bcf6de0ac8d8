/* muster-bench est: enrollments over EST, every one with a key of its own. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/load.h"
#include "bench/options.h"
#include "bench/requests.h"
#include "lib/base/encode.h"
#include "lib/pki/cms.h"

struct est_work {
    struct bench_key *key;
    struct bytes *request, *serial;
    struct arena *arena;
};

static bool build(const struct load_options *options, const struct load_target *target, struct est_work *work,
                  struct error *err)
{
    AUTO_STRUCT(buffer) more = BUFFER(1024);

    buffer_append_text(&more, "Content-Type: application/pkcs10\r\nAuthorization: Basic ");
    base64_encode(&more, bytes_text(options->user), 0);
    buffer_append_text(&more, "\r\n");
    buffer_append_byte(&more, 0);
    work->key = arena_array(work->arena, options->count, sizeof(*work->key));
    work->request = arena_array(work->arena, options->count, sizeof(*work->request));
    work->serial = arena_array(work->arena, options->count, sizeof(*work->serial));
    if (work->key == NULL || work->request == NULL || work->serial == NULL)
        return error_set(err, ERROR_MEMORY, "requests");
    for (size_t i = 0; i < options->count; i++) {
        AUTO_STRUCT(buffer) body = BUFFER(64 * 1024);
        AUTO_STRUCT(buffer) request = BUFFER(64 * 1024);
        struct bytes csr;

        if (!bench_key_make(0, options->pattern, i, &work->key[i], err) ||
            !bench_csr(&work->key[i], NULL, work->arena, &csr, err))
            return false;
        base64_encode(&body, csr, 0);
        load_request(&request, target, "POST", "", options->keep_alive, (const char *)more.data,
                     buffer_bytes(&body));
        work->request[i] = arena_copy(work->arena, buffer_bytes(&request));
        if (work->request[i].data == NULL)
            return error_set(err, ERROR_MEMORY, "requests");
    }
    return true;
}

/* The one certificate of a certs-only answer, base64. */
static bool certificate_of(struct bytes body, struct arena *arena, struct bytes *der)
{
    uint8_t *raw = arena_alloc(arena, BASE64_DECODED_MAX(body.len));
    struct cms_signed bag;
    struct bytes bytes;
    size_t len;

    if (raw == NULL || !base64_decode(body, raw, &len) || !ber_to_der(arena, bytes_of(raw, len), &bytes) ||
        !cms_signed_decode(bytes, &bag) || bag.certificate_count != 1)
        return false;
    *der = bag.certificate[0];
    return true;
}

static size_t verify(const struct load_result *result, struct est_work *work)
{
    size_t good = 0;

    for (size_t i = 0; i < result->count; i++) {
        struct bytes der;

        if (result->answer[i].status == 200 && certificate_of(result->answer[i].body, work->arena, &der) &&
            bench_certificate_fits(der, &work->key[i], work->arena, &work->serial[good]))
            good++;
    }
    if (bench_distinct(work->serial, good) != good) {
        fprintf(stderr, "muster-bench: serial numbers repeat: these are repeated answers, not enrollments\n");
        return 0;
    }
    return good;
}

static int run(const struct load_options *options)
{
    struct est_work work = { .arena = arena_new((size_t)4 << 30) };
    struct load_plan plan = { .trust_path = options->trust,
                              .clients = options->clients,
                              .keep_alive = options->keep_alive,
                              .count = options->count,
                              .target_pid = options->pid };
    struct load_result result = { 0 };
    struct error err = { 0 };
    size_t good = 0;

    if (work.arena == NULL || !load_target_parse(options->target, &plan.target, &err) ||
        !build(options, &plan.target, &work, &err)) {
        fprintf(stderr, "muster-bench: %s\n", err.text);
        return EXIT_FAILURE;
    }
    plan.request = work.request;
    if (load_run(&plan, &result, &err)) {
        good = verify(&result, &work);
        load_report("est simpleenroll, P-256", &plan, &result, good,
                    bench_floor_est_us() + (options->keep_alive ? 0 : bench_floor_tls_us()), options->json);
    } else {
        fprintf(stderr, "muster-bench: %s\n", err.text);
    }
    load_free(&result);
    arena_free(work.arena);
    return good == options->count ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const char usage[] =
    "usage: muster-bench est --target URL [options]\n"
    "\n"
    "  --target URL     https://host:port/.well-known/est/<procedure>/simpleenroll\n"
    "  --trust FILE     PEM of the server's anchor (left out: not verified)\n"
    "  --user U:P       HTTP Basic (default bench:bench-secret)\n"
    "  --names PATTERN  the FQDNs, * counts (default unit-*.bench.example.com): register it reusable\n"
    "  --clients N      at once (default 64)\n"
    "  --count N        enrollments, each with a key of its own (default 2000)\n"
    "  --new            a new connection for each (default: keep-alive)\n"
    "  --pid N          the target's process, for its CPU time\n"
    "  --json           one line of JSON\n";

int bench_est(int argc, char **argv)
{
    struct load_options options = LOAD_OPTIONS_DEFAULT;

    if (!load_options_read(argc, argv, usage, &options))
        return 2;
    return run(&options);
}
