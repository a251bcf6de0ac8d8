/* muster-bench issue: what it costs to make a certificate of a CSR, on the way that enroll() goes (decode and
 * verify, identity, names, the embedded CA), against the two operations that nobody can leave out: one
 * verification and one signature. On a thread like a worker's. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/arguments.h"
#include "bench/bench.h"
#include "bench/figures.h"
#include "bench/requests.h"
#include "ca/ca.h"
#include "enroll/names.h"
#include "lib/base/thread.h"
#include "lib/pki/csr.h"

enum { POOL = 32, DAY_S = 86400, ARENA_MAX = 8 << 20 };
static const char PATTERN[] = "unit-*.bench.example.com";
static const uint8_t CLIENT_AUTH[] = { 0x2b, 6, 1, 5, 5, 7, 3, 2 };

AUTO_POINTER(EVP_MD_CTX, EVP_MD_CTX_free)

struct issue {
    struct arena *arena; /* what lasts */
    struct keys *keys;
    struct ca ca;
    struct domain domain;
    struct profile profile;
    struct procedure procedure;
    struct bytes extended_key_usage[1];
    EVP_PKEY *floor_key; /* that signs for the floor, of the CA key's kind */
    int64_t now_s;
};

/* CSRs of one kind, each with a key of its own, and what the floor verifies: the same message, signature and
 * key. */
struct pool {
    const char *name;
    const char *key_type;
    struct bench_key key[POOL];
    struct bytes csr[POOL], message[POOL], signature[POOL];
    struct registration registration[POOL];
};

/* --- what is there before --- */
static bool make_ca(struct issue *issue, struct error *err)
{
    struct ca_make make = { .validity_s = 3650u * DAY_S, .now_s = issue->now_s - DAY_S };
    AUTO_STRUCT(buffer) subject = BUFFER(512);
    struct bytes root;

    if (!keys_new(&issue->keys, err) || !keys_generate(issue->keys, "ca", KEY_EC_P256, 0, err))
        return false;
    if (!name_parse(BYTES_LITERAL("CN=Bench CA,O=Example"), &subject))
        return error_set(err, ERROR_INTERNAL, "the CA's name");
    make.subject = buffer_bytes(&subject);
    if (!ca_make_root(&make, issue->keys, "ca", &random_system, issue->arena, &root, err))
        return false;
    issue->ca = (struct ca){ .name = "bench",
                             .connector = &ca_local_connector,
                             .chain = { root },
                             .chain_count = 1,
                             .key_name = "ca",
                             .crl_url = { BYTES_LITERAL("http://ra.example.com/crl/bench.crl") },
                             .crl_url_count = 1,
                             .crl_validity_s = 7 * DAY_S };
    issue->floor_key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    return ca_prepare(&issue->ca, issue->keys, err) &&
           (issue->floor_key != NULL || error_openssl(err, "key generation"));
}

static bool make_issue(struct issue *issue, struct error *err)
{
    issue->arena = arena_new(ARENA_MAX);
    issue->now_s = (int64_t)time(NULL);
    if (issue->arena == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    issue->domain = (struct domain){ .name = "devices", .id = domain_id_of(BYTES_LITERAL("devices")) };
    issue->extended_key_usage[0] = BYTES_ARRAY(CLIENT_AUTH);
    issue->profile = (struct profile){ .name = "device",
                                       .validity_s = 365 * DAY_S,
                                       .backdate_s = 300,
                                       .key_usage = KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT,
                                       .extended_key_usage = issue->extended_key_usage,
                                       .extended_key_usage_count = COUNT_OF(issue->extended_key_usage),
                                       .keys = KEY_RULES_DEFAULT };
    issue->procedure = (struct procedure){ .name = "demo",
                                           .domain = &issue->domain,
                                           .ca = "bench",
                                           .profile = &issue->profile,
                                           .preregistration = true };
    return make_ca(issue, err);
}

static void free_issue(struct issue *issue)
{
    ca_release(&issue->ca);
    keys_unref(issue->keys);
    EVP_PKEY_free(issue->floor_key);
    arena_free(issue->arena);
}

/* The signature stands last in a CSR, in a BIT STRING. */
static bool make_floor(struct pool *pool, size_t i, const struct csr *csr, struct arena *arena,
                       struct error *err)
{
    AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
    uint8_t signature[1024];
    size_t len = sizeof(signature);

    if (ctx == NULL ||
        EVP_DigestSignInit_ex(ctx, NULL, "SHA2-256", NULL, NULL, pool->key[i].pkey, NULL) != 1 ||
        EVP_DigestSign(ctx, signature, &len, csr->info.data, csr->info.len) != 1)
        return error_openssl(err, "signature");
    pool->message[i] = arena_copy(arena, csr->info);
    pool->signature[i] = arena_copy(arena, bytes_of(signature, len));
    return pool->signature[i].data != NULL || error_set(err, ERROR_MEMORY, "out of memory");
}

static bool make_pool(struct pool *pool, struct issue *issue, struct error *err)
{
    for (size_t i = 0; i < POOL; i++) {
        const struct csr_rules rules = { .key = issue->profile.keys };
        const struct bench_csr_order order = { .cn = pool->key[i].cn, .password = "bench-secret" };
        const char *detail = "";
        struct csr csr;

        if (!bench_key_make(key_type_find(pool->key_type), PATTERN, i, &pool->key[i], err) ||
            !bench_csr(&pool->key[i], &order, issue->arena, &pool->csr[i], err))
            return false;
        if (csr_decode(pool->csr[i], &rules, issue->arena, &csr, &detail) != CSR_OK)
            return error_set(err, ERROR_INTERNAL, "CSR: %s", detail);
        if (!make_floor(pool, i, &csr, issue->arena, err))
            return false;
        pool->registration[i] = (struct registration){ .state = REGISTRATION_OPEN,
                                                       .domain = issue->domain.id };
        pool->registration[i].fqdn.len = (uint8_t)strlen(pool->key[i].cn);
        memcpy(pool->registration[i].fqdn.text, pool->key[i].cn, strlen(pool->key[i].cn));
    }
    return true;
}

static void free_pool(struct pool *pool)
{
    bench_keys_free(pool->key, POOL);
}

/* --- the two ways --- */
static bool issue_one(const struct issue *issue, const struct pool *pool, size_t i, struct arena *arena,
                      struct bytes *der, struct error *err)
{
    const struct csr_rules rules = { .key = issue->profile.keys };
    const struct connector_call call = { &issue->ca, issue->keys, &random_system, issue->now_s, arena };
    struct ca_order order = { .profile = &issue->profile, .now_s = issue->now_s };
    struct enrollment e = { .protocol = PROTOCOL_EST, .procedure = &issue->procedure };
    struct connector_step step = { 0 };
    struct effective_names names;
    struct identity identity;
    enum refusal why = REFUSAL_INTERNAL;
    const char *detail = "";
    struct csr csr;

    if (csr_decode(pool->csr[i], &rules, arena, &csr, &detail) != CSR_OK)
        return error_set(err, ERROR_INTERNAL, "CSR: %s", detail);
    e.requested = &csr.requested;
    e.request = csr.encoded;
    if (!identity_of(&e, NULL, arena, &identity, &why, &detail) ||
        !effective_names(&e, &identity, &pool->registration[i], arena, &names, &why, &detail))
        return error_set(err, ERROR_INTERNAL, "names: %s", detail);
    order.subject = names.subject;
    order.san = names.san;
    order.key = &csr.requested.key;
    order.request = csr.encoded;
    if (!issue->ca.connector->start(&call, &order, &step, err))
        return false;
    *der = step.certificate;
    return step.verdict == CONNECTOR_ISSUED || error_set(err, ERROR_INTERNAL, "the CA: %s", step.why);
}

static bool floor_one(const struct issue *issue, const struct pool *pool, size_t i, struct error *err)
{
    AUTO(EVP_MD_CTX) *verify = EVP_MD_CTX_new();
    AUTO(EVP_MD_CTX) *sign = EVP_MD_CTX_new();
    uint8_t signature[256];
    size_t len = sizeof(signature);

    if (verify == NULL || sign == NULL ||
        EVP_DigestVerifyInit_ex(verify, NULL, "SHA2-256", NULL, NULL, pool->key[i].pkey, NULL) != 1 ||
        EVP_DigestVerify(verify, pool->signature[i].data, pool->signature[i].len, pool->message[i].data,
                         pool->message[i].len) != 1 ||
        EVP_DigestSignInit_ex(sign, NULL, "SHA2-256", NULL, NULL, issue->floor_key, NULL) != 1 ||
        EVP_DigestSign(sign, signature, &len, pool->message[i].data, pool->message[i].len) != 1)
        return error_openssl(err, "primitives");
    return true;
}

/* --- measuring --- */
struct measured {
    struct rounds ours, floor; /* microseconds each */
};

static bool measure_round(const struct issue *issue, const struct pool *pool, size_t each,
                          struct measured *out, struct arena *arena, struct error *err)
{
    double begun = figures_thread_s(), between;
    struct bytes der;

    for (size_t i = 0; i < each; i++) {
        arena_reset(arena);
        if (!issue_one(issue, pool, i % POOL, arena, &der, err))
            return false;
    }
    between = figures_thread_s();
    rounds_add(&out->ours, (between - begun) * 1e6 / (double)each);
    for (size_t i = 0; i < each; i++)
        if (!floor_one(issue, pool, i % POOL, err))
            return false;
    rounds_add(&out->floor, (figures_thread_s() - between) * 1e6 / (double)each);
    return true;
}

/* What comes out is a certificate over that key, for that name, before anything is measured. */
static bool check_pool(const struct issue *issue, const struct pool *pool, struct arena *arena,
                       struct error *err)
{
    for (size_t i = 0; i < POOL; i++) {
        struct bytes der;

        arena_reset(arena);
        if (!issue_one(issue, pool, i, arena, &der, err))
            return false;
        if (!bench_certificate_fits(der, &pool->key[i], pool->key[i].cn))
            return error_set(err, ERROR_INTERNAL, "the certificate does not fit the request");
    }
    return true;
}

struct run {
    uint64_t rounds, each;
    bool json, done;
    struct error err;
};

static void report(const struct run *run, const struct pool *pool, const struct measured *m)
{
    struct spread ratio = rounds_ratio(&m->ours, &m->floor), ours = rounds_spread(&m->ours),
                  least = rounds_spread(&m->floor);

    if (run->json) {
        printf("{\"name\":\"%s\",", pool->name);
        spread_print_json("ratio", ratio);
        printf(",\"ours_us\":%.2f,\"floor_us\":%.2f}\n", ours.median, least.median);
    } else {
        printf("%s: %.1f us, verify and sign alone %.1f us: %.2f times (%.2f to %.2f)\n", pool->name,
               ours.median, least.median, ratio.median, ratio.low, ratio.high);
    }
}

static bool measure_pool(struct issue *issue, struct pool *pool, const struct run *run, struct error *err)
{
    AUTO_ARENA *arena = arena_new(ARENA_MAX);
    struct measured *m = calloc(1, sizeof(*m));
    bool done = arena != NULL && m != NULL;

    if (!done)
        (void)error_set(err, ERROR_MEMORY, "out of memory");
    done = done && make_pool(pool, issue, err) && check_pool(issue, pool, arena, err);
    for (uint64_t i = 0; done && i < run->rounds; i++)
        done = measure_round(issue, pool, run->each, m, arena, err);
    if (done)
        report(run, pool, m);
    free(m);
    free_pool(pool);
    return done;
}

static void *run_all(void *context)
{
    struct run *run = context;
    struct pool pool[] = { { .name = "issue P-256", .key_type = "p256" },
                           { .name = "issue RSA-2048", .key_type = "rsa2048" } };
    struct issue issue = { 0 };

    run->done = make_issue(&issue, &run->err);
    for (size_t i = 0; run->done && i < COUNT_OF(pool); i++)
        run->done = measure_pool(&issue, &pool[i], run, &run->err);
    free_issue(&issue);
    return NULL;
}

static const char usage[] = "usage: muster-bench issue [--rounds N] [--each N] [--json]\n"
                            "\n"
                            "From a CSR (P-256, then RSA-2048) to the certificate that a P-256 CA signed, "
                            "divided by one verification\n"
                            "and one signature. Rounds of both alternate (default 31 of 300 each); median "
                            "and quartiles of the ratio.\n";

int bench_issue(int argc, char **argv)
{
    struct run run = { .rounds = 31, .each = 300 };
    const struct argument table[] = { { "rounds", ARGUMENT_NUMBER, { .number = &run.rounds } },
                                      { "each", ARGUMENT_NUMBER, { .number = &run.each } },
                                      { "json", ARGUMENT_FLAG, { .flag = &run.json } } };
    pthread_t thread;

    if (!arguments_read(argc, argv, usage, table, COUNT_OF(table)))
        return 2;
    if (thread_start(&thread, "issue", run_all, &run, &run.err)) {
        (void)pthread_join(thread, NULL);
        if (run.done)
            return EXIT_SUCCESS;
    }
    (void)fprintf(stderr, "muster-bench: %s\n", run.err.text);
    return EXIT_FAILURE;
}
