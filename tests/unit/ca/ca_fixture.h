/* ca_fixture.h: an embedded CA with keys of its own, and OpenSSL as the judge of what it makes. */
#ifndef MUSTER_TESTS_CA_FIXTURE_H
#define MUSTER_TESTS_CA_FIXTURE_H

#include <openssl/x509v3.h>

#include "ca/ca.h"
#include "tests/lib/test.h"

enum { NOW_S = 1790000000, DAY_S = 86400 };

struct fixture {
    struct arena *arena;
    struct keys *keys;
    struct ca ca;
    struct profile profile;
    struct public_key key; /* "device", of the kind asked for */
    struct buffer subject;
    uint64_t seed;
    struct random_source random;
};

static inline struct bytes fixture_name(struct fixture *f, const char *text)
{
    AUTO_STRUCT(buffer) name = BUFFER(512);
    struct bytes copy;

    assert_true(name_parse(bytes_text(text), &name));
    copy = arena_copy(f->arena, buffer_bytes(&name));
    assert_non_null(copy.data);
    return copy;
}

static inline struct fixture *fixture_new(enum key_kind ca_key, enum key_kind device_key, unsigned bits)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct ca_make make = { .validity_s = 3650u * DAY_S, .now_s = NOW_S - DAY_S };
    struct bytes der;
    struct error err = { 0 };

    assert_non_null(f);
    f->arena = arena_new(1 << 22);
    f->seed = 7;
    f->random = random_seeded(&f->seed);
    assert_true(keys_new(&f->keys, &err));
    assert_true(keys_generate(f->keys, "ca", ca_key, ca_key == KEY_RSA ? 2048 : 0, &err));
    assert_true(keys_generate(f->keys, "device", device_key, bits, &err));
    assert_true(public_key_parse(keys_public(f->keys, "device"), &f->key));
    make.subject = fixture_name(f, "CN=Test CA,O=Example");
    if (!ca_make_root(&make, f->keys, "ca", &f->random, f->arena, &der, &err))
        fail_msg("%s", err.text);
    f->ca = (struct ca){ .name = "test",
                         .connector = &ca_local_connector,
                         .chain = { der },
                         .chain_count = 1,
                         .key_name = "ca",
                         .crl_validity_s = 7 * DAY_S };
    f->profile = (struct profile){
        .name = "device",
        .validity_s = 365 * DAY_S,
        .backdate_s = 300,
        .key_usage = KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT,
    };
    return f;
}

static inline void fixture_prepare(struct fixture *f)
{
    struct error err = { 0 };

    if (!ca_prepare(&f->ca, f->keys, &err))
        fail_msg("%s", err.text);
}

static inline void fixture_free(struct fixture *f)
{
    ca_release(&f->ca);
    keys_unref(f->keys);
    arena_free(f->arena);
    free(f);
}

static inline struct ca_order fixture_order(struct fixture *f)
{
    return (struct ca_order){
        .profile = &f->profile,
        .subject = fixture_name(f, "CN=router5.example.com"),
        .key = &f->key,
        .now_s = NOW_S,
    };
}

static inline struct connector_call fixture_call(struct fixture *f)
{
    return (struct connector_call){
        .ca = &f->ca, .keys = f->keys, .random = &f->random, .now_s = NOW_S, .arena = f->arena
    };
}

static inline struct connector_step fixture_start(struct fixture *f, const struct ca_order *order)
{
    const struct connector_call call = fixture_call(f);
    struct connector_step step = { 0 };
    struct error err = { 0 };

    if (!ca_local_connector.start(&call, order, &step, &err))
        fail_msg("%s", err.text);
    return step;
}

static inline X509 *fixture_x509(struct bytes der)
{
    const unsigned char *p = der.data;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);

    assert_non_null(x);
    assert_true(p == der.data + der.len);
    return x;
}

/* X509_V_OK when OpenSSL builds a path to the CA at `at_s`. */
static inline int fixture_judge(struct fixture *f, struct bytes der, int64_t at_s)
{
    X509 *leaf = fixture_x509(der), *root = fixture_x509(f->ca.chain[0]);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int verdict;

    assert_true(X509_STORE_add_cert(store, root));
    assert_true(X509_STORE_CTX_init(ctx, store, leaf, NULL));
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), (time_t)at_s);
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_X509_STRICT);
    (void)X509_verify_cert(ctx);
    verdict = X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(leaf);
    X509_free(root);
    return verdict;
}

#endif
