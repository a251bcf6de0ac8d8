#include "bench/floor.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <sched.h>

#include "bench/figures.h"

AUTO_POINTER(EVP_PKEY, EVP_PKEY_free)
AUTO_POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
AUTO_POINTER(EVP_MD_CTX, EVP_MD_CTX_free)

enum { ROUNDS = 7, EACH = 40 };

struct subject { /* what is operated on */
    EVP_PKEY *key;
    EVP_MD *hash;
    const char *digest; /* NULL: the algorithm's own */
    uint8_t signature[1024], wrapped[1024];
    size_t signature_len, wrapped_len;
};

static bool sign(struct subject *s)
{
    AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();

    s->signature_len = sizeof(s->signature);
    return EVP_DigestSignInit_ex(ctx, NULL, s->digest, NULL, NULL, s->key, NULL) == 1 &&
           EVP_DigestSign(ctx, s->signature, &s->signature_len, (const uint8_t *)"floor", 5) == 1;
}

static bool verify(struct subject *s)
{
    AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();

    return EVP_DigestVerifyInit_ex(ctx, NULL, s->digest, NULL, NULL, s->key, NULL) == 1 &&
           EVP_DigestVerify(ctx, s->signature, s->signature_len, (const uint8_t *)"floor", 5) == 1;
}

static bool wrap(struct subject *s)
{
    AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, s->key, NULL);

    s->wrapped_len = sizeof(s->wrapped);
    return EVP_PKEY_encrypt_init(ctx) == 1 &&
           EVP_PKEY_encrypt(ctx, s->wrapped, &s->wrapped_len, (const uint8_t *)"0123456789abcdef", 16) == 1;
}

static bool unwrap(struct subject *s)
{
    AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, s->key, NULL);
    uint8_t plain[1024];
    size_t len = sizeof(plain);

    return EVP_PKEY_decrypt_init(ctx) == 1 &&
           EVP_PKEY_decrypt(ctx, plain, &len, s->wrapped, s->wrapped_len) == 1;
}

static bool exchange_keys(struct subject *s)
{
    AUTO(EVP_PKEY) *own = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    AUTO(EVP_PKEY_CTX) *ctx = own == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
    uint8_t shared[32];
    size_t len = sizeof(shared);

    return ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, s->key) == 1 &&
           EVP_PKEY_derive(ctx, shared, &len) == 1;
}

/* PasswordBasedMac's key: so many hashes, one after the other. */
static bool stretch(struct subject *s)
{
    AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
    bool done = EVP_DigestInit_ex2(ctx, s->hash, NULL) == 1;

    for (unsigned i = 0; done && i < FLOOR_PBM_ITERATIONS; i++)
        done = EVP_DigestInit_ex2(ctx, NULL, NULL) == 1 && EVP_DigestUpdate(ctx, s->wrapped, 32) == 1 &&
               EVP_DigestFinal_ex(ctx, s->wrapped, NULL) == 1;
    return done;
}

typedef bool operation(struct subject *s);
static const struct {
    const char *algorithm, *curve;
    size_t bits;
    const char *digest;
    operation *before, *timed; /* `before` makes what is needed */
} row[PRIMITIVE_COUNT] = {
    [SIGN_P256] = { "EC", "P-256", 0, "SHA2-256", sign, sign },
    [VERIFY_P256] = { "EC", "P-256", 0, "SHA2-256", sign, verify },
    [VERIFY_P384] = { "EC", "P-384", 0, "SHA2-384", sign, verify },
    [VERIFY_ED25519] = { "ED25519", NULL, 0, NULL, sign, verify },
    [SIGN_RSA2048] = { "RSA", NULL, 2048, "SHA2-256", sign, sign },
    [VERIFY_RSA2048] = { "RSA", NULL, 2048, "SHA2-256", sign, verify },
    [VERIFY_RSA3072] = { "RSA", NULL, 3072, "SHA2-256", sign, verify },
    [WRAP_RSA2048] = { "RSA", NULL, 2048, NULL, wrap, wrap },
    [WRAP_RSA3072] = { "RSA", NULL, 3072, NULL, wrap, wrap },
    [UNWRAP_RSA2048] = { "RSA", NULL, 2048, NULL, wrap, unwrap },
    [EXCHANGE_X25519] = { "X25519", NULL, 0, NULL, exchange_keys, exchange_keys },
    [PBM_500] = { NULL, NULL, 0, NULL, stretch, stretch },
};

/* The best of several rounds: what the operation costs when nothing disturbs it. */
static double best_of(operation *timed, struct subject *s)
{
    double best = 1e12;

    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = figures_thread_s(), each;

        for (unsigned i = 0; i < EACH; i++)
            if (!timed(s))
                return 0;
        each = (figures_thread_s() - start) * 1e6 / EACH;
        best = each < best ? each : best;
    }
    return best;
}

static double cost(enum primitive primitive)
{
    struct subject s = { .digest = row[primitive].digest };
    const char *algorithm = row[primitive].algorithm;
    double us = 0;

    if (algorithm == NULL)
        s.hash = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    else if (row[primitive].bits > 0)
        s.key = EVP_PKEY_Q_keygen(NULL, NULL, algorithm, row[primitive].bits);
    else
        s.key = EVP_PKEY_Q_keygen(NULL, NULL, algorithm, row[primitive].curve);
    if ((s.key != NULL || s.hash != NULL) && row[primitive].before(&s))
        us = best_of(row[primitive].timed, &s);
    EVP_PKEY_free(s.key);
    EVP_MD_free(s.hash);
    return us;
}

void floor_add(struct floor *floor, const struct floor *more, double times)
{
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++)
        floor->times[i] += more->times[i] * times;
}

double floor_us(const struct floor *floor, pid_t pid)
{
    static double known[PRIMITIVE_COUNT];
    cpu_set_t ours, theirs;
    bool moved = pid > 0 && sched_getaffinity(0, sizeof(ours), &ours) == 0 &&
                 sched_getaffinity(pid, sizeof(theirs), &theirs) == 0 &&
                 sched_setaffinity(0, sizeof(theirs), &theirs) == 0;
    double us = 0;

    for (size_t i = PRIMITIVE_NONE + 1; i < PRIMITIVE_COUNT; i++) {
        if (floor->times[i] > 0 && !(known[i] > 0))
            known[i] = cost((enum primitive)i);
        us += floor->times[i] * known[i];
    }
    if (moved)
        (void)sched_setaffinity(0, sizeof(ours), &ours);
    return us;
}
