/* cmp_peer.h: OpenSSL's CMP client and server as an independent reader and writer. */
#ifndef MUSTER_TEST_CMP_PEER_H
#define MUSTER_TEST_CMP_PEER_H

#include <openssl/cmp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "proto/cmp/message.h"
#include "tests/unit/lib/pki/certificates.h"

#define PEER_REF    "1234"
#define PEER_SECRET "correct horse"

UNUSED static X509 *peer_certificate(struct bytes der)
{
    const unsigned char *at = der.data;
    X509 *x = d2i_X509(NULL, &at, (long)der.len);

    assert_non_null(x);
    return x;
}

/* --- who takes part: a root of the ring, and a device that OpenSSL acts for --- */

struct peer {
    EVP_PKEY *key, *new_key;
    struct bytes root_der, device_der, issued_der; /* issued to new_key */
    X509 *root, *device;
};

UNUSED static struct bytes spki_of(EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    struct bytes copy;

    assert_true(len > 0);
    copy = arena_copy(arena, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    return copy;
}

UNUSED static struct bytes device_certificate(struct bytes spki, const char *subject, const char *serial)
{
    struct certificate_template t = plain("CN=Root", "p256");

    t.subject = name_of(subject);
    t.serial = hex(serial);
    t.spki = spki;
    t.key_usage = KEY_USAGE_DIGITAL_SIGNATURE;
    return signed_by("p256", t);
}

UNUSED static struct peer peer_new(void)
{
    struct peer p = { .key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"),
                      .new_key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256") };

    assert_non_null(p.key);
    assert_non_null(p.new_key);
    p.root_der = root_of("CN=Root", "p256");
    p.device_der = device_certificate(spki_of(p.key), "CN=router5.example.com", "21");
    p.issued_der = device_certificate(spki_of(p.new_key), "CN=router5.example.com", "22");
    p.root = peer_certificate(p.root_der);
    p.device = peer_certificate(p.device_der);
    return p;
}

UNUSED static void peer_free(struct peer *p)
{
    EVP_PKEY_free(p->key);
    EVP_PKEY_free(p->new_key);
    X509_free(p->root);
    X509_free(p->device);
}

/* --- messages --- */

UNUSED static OSSL_CMP_MSG *peer_read(struct bytes der)
{
    const unsigned char *at = der.data;
    OSSL_CMP_MSG *message = d2i_OSSL_CMP_MSG(NULL, &at, (long)der.len);

    if (message == NULL)
        ERR_print_errors_fp(stderr);
    assert_non_null(message);
    assert_ptr_equal(at, der.data + der.len);
    return message;
}

UNUSED static struct bytes peer_write(const OSSL_CMP_MSG *message)
{
    unsigned char *der = NULL;
    int len = i2d_OSSL_CMP_MSG(message, &der);
    struct bytes copy;

    assert_true(len > 0);
    copy = arena_copy(arena, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    return copy;
}

/* --- the client --- */

enum { CONVERSATION_MAX = 8 };

/* What a client says, and who answers it; without an answer a conversation ends at its first message. */
struct conversation {
    struct bytes request[CONVERSATION_MAX];
    size_t count;
    struct bytes (*answer)(struct conversation *conversation, const struct cmp_message *request);
    const struct peer *peer;
    void *more;
};

UNUSED static OSSL_CMP_MSG *converse(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *request)
{
    struct conversation *c = OSSL_CMP_CTX_get_transfer_cb_arg(ctx);
    struct bytes der = peer_write(request);
    struct cmp_message message;

    assert_true(c->count < CONVERSATION_MAX);
    c->request[c->count++] = der;
    assert_int_equal(cmp_message_decode(der, &message), CMP_DECODED_ALL);
    assert_int_equal(message.body, OSSL_CMP_MSG_get_bodytype(request) + 1);
    return c->answer == NULL ? NULL : peer_read(c->answer(c, &message));
}

UNUSED static void trust_root(OSSL_CMP_CTX *ctx, const struct peer *p)
{
    X509_STORE *store = X509_STORE_new();

    assert_int_equal(X509_STORE_add_cert(store, p->root), 1);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), NOW_S);
    assert_int_equal(OSSL_CMP_CTX_set0_trustedStore(ctx, store), 1);
}

UNUSED static int quiet(const char *function, const char *file, int line, OSSL_CMP_severity level,
                        const char *text)
{
    if (level <= OSSL_CMP_LOG_ERR)
        (void)fprintf(stderr, "%s %s:%d: %s\n", function, file, line, text);
    return 1;
}

/* A client that asks for a certificate of new_key; nobody has vouched for it yet. */
UNUSED static OSSL_CMP_CTX *client_of(const struct peer *p, struct conversation *c)
{
    OSSL_CMP_CTX *ctx = OSSL_CMP_CTX_new(NULL, NULL);

    assert_non_null(ctx);
    c->peer = p;
    EVP_PKEY_up_ref(p->new_key);
    assert_int_equal(OSSL_CMP_CTX_set0_newPkey(ctx, 1, p->new_key), 1);
    assert_int_equal(OSSL_CMP_CTX_set1_recipient(ctx, X509_get_subject_name(p->root)), 1);
    assert_int_equal(OSSL_CMP_CTX_set1_subjectName(ctx, X509_get_subject_name(p->device)), 1);
    assert_int_equal(OSSL_CMP_CTX_set_transfer_cb(ctx, converse), 1);
    assert_int_equal(OSSL_CMP_CTX_set_transfer_cb_arg(ctx, c), 1);
    assert_int_equal(OSSL_CMP_CTX_set_log_cb(ctx, quiet), 1);
    trust_root(ctx, p);
    return ctx;
}

UNUSED static OSSL_CMP_CTX *client_with_secret(const struct peer *p, struct conversation *c)
{
    OSSL_CMP_CTX *ctx = client_of(p, c);

    assert_int_equal(
        OSSL_CMP_CTX_set1_referenceValue(ctx, (const unsigned char *)PEER_REF, (int)strlen(PEER_REF)), 1);
    assert_int_equal(
        OSSL_CMP_CTX_set1_secretValue(ctx, (const unsigned char *)PEER_SECRET, (int)strlen(PEER_SECRET)), 1);
    return ctx;
}

UNUSED static OSSL_CMP_CTX *client_with_certificate(const struct peer *p, struct conversation *c)
{
    OSSL_CMP_CTX *ctx = client_of(p, c);

    assert_int_equal(OSSL_CMP_CTX_set1_cert(ctx, p->device), 1);
    assert_int_equal(OSSL_CMP_CTX_set1_pkey(ctx, p->key), 1);
    assert_int_equal(OSSL_CMP_CTX_set1_oldCert(ctx, p->device), 1);
    return ctx;
}

UNUSED static void give_csr(OSSL_CMP_CTX *ctx, const struct peer *p)
{
    X509_REQ *csr = X509_REQ_new();

    assert_int_equal(X509_REQ_set_subject_name(csr, X509_get_subject_name(p->device)), 1);
    assert_int_equal(X509_REQ_set_pubkey(csr, p->new_key), 1);
    assert_true(X509_REQ_sign(csr, p->new_key, EVP_sha256()) > 0);
    assert_int_equal(OSSL_CMP_CTX_set1_p10CSR(ctx, csr), 1);
    X509_REQ_free(csr);
}

/* Runs the client's side of one transaction. Its certificate, its answer or its yes is what tells success. */
UNUSED static bool client_runs(OSSL_CMP_CTX *ctx, enum cmp_body body)
{
    STACK_OF(OSSL_CMP_ITAV) * answered;

    switch (body) {
    case CMP_IR:
    case CMP_CR:
    case CMP_P10CR:
    case CMP_KUR: return OSSL_CMP_exec_certreq(ctx, (int)body - 1, NULL) != NULL;
    case CMP_RR: return OSSL_CMP_exec_RR_ses(ctx) == 1;
    default:
        assert_int_equal(body, CMP_GENM);
        answered = OSSL_CMP_exec_GENM_ses(ctx);
        sk_OSSL_CMP_ITAV_pop_free(answered, OSSL_CMP_ITAV_free);
        return answered != NULL;
    }
}

/* The first message of a client that gets no answer. */
UNUSED static struct bytes peer_request(const struct peer *p, enum cmp_body body, bool by_certificate)
{
    struct conversation c = { .count = 0 };
    OSSL_CMP_CTX *ctx = by_certificate ? client_with_certificate(p, &c) : client_with_secret(p, &c);

    (void)OSSL_CMP_CTX_set_log_cb(ctx, NULL);
    (void)OSSL_CMP_CTX_set_log_verbosity(ctx, 0);
    if (body == CMP_P10CR)
        give_csr(ctx, p);
    if (body == CMP_GENM)
        assert_int_equal(OSSL_CMP_CTX_push0_genm_ITAV(
                             ctx, OSSL_CMP_ITAV_create(OBJ_txt2obj("1.3.6.1.5.5.7.4.17", 1), NULL)),
                         1);
    if (body == CMP_KUR || body == CMP_RR)
        assert_int_equal(OSSL_CMP_CTX_set1_oldCert(ctx, p->device), 1);
    assert_false(client_runs(ctx, body));
    assert_int_equal(c.count, 1);
    ERR_clear_error();
    OSSL_CMP_CTX_free(ctx);
    return c.request[0];
}

#endif
