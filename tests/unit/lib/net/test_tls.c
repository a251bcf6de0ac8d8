#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tests/unit/lib/net/net_test.h"

static char out[1 << 16];

/* --- Certificates --- */

static X509 *self_signed(EVP_PKEY *key, const char *cn)
{
    X509 *cert = X509_new();
    X509_NAME *name;

    assert_non_null(cert);
    name = X509_get_subject_name(cert);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)cn, -1, -1, 0), 1);
    assert_int_equal(X509_set_issuer_name(cert, name), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -60));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), -30)); /* expired: nobody judges that here */
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

struct tls_fixture {
    struct fixture base;
    char folder[32], key_path[64], certificate_path[64];
    struct net_listener listener;
    EVP_PKEY *client_key;
    X509 *client_certificate, *intermediate;
};

static void write_server_certificate(struct tls_fixture *f)
{
    struct error err = { ERROR_NONE, "" };
    EVP_PKEY *key;
    X509 *cert;
    FILE *file;

    if (!keys_new(&f->base.keys, &err) || !keys_generate(f->base.keys, "tls", KEY_EC_P256, 0, &err) ||
        !keys_save(f->base.keys, "tls", f->key_path, &err))
        fail_msg("%s", err.text);
    file = fopen(f->key_path, "r");
    assert_non_null(file);
    key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    assert_non_null(key);
    (void)fclose(file);
    cert = self_signed(key, "ra.example.com");
    file = fopen(f->certificate_path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, cert), 1);
    (void)fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void start_tls_with(struct tls_fixture *f, enum net_client_certificate wanted,
                           const struct net_options *options)
{
    *f = (struct tls_fixture){ .folder = "/tmp/muster-test-XXXXXX" };
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->key_path, sizeof(f->key_path), "%s/key.pem", f->folder);
    (void)snprintf(f->certificate_path, sizeof(f->certificate_path), "%s/certificate.pem", f->folder);
    write_server_certificate(f);
    f->listener = plain_listener();
    f->listener.name = "tls";
    f->listener.tls = (struct net_tls){ .enabled = true,
                                        .certificate_path = f->certificate_path,
                                        .key_name = "tls",
                                        .client_certificate = wanted };
    f->client_key = EVP_EC_gen("P-256");
    f->client_certificate = self_signed(f->client_key, "device");
    f->intermediate = self_signed(f->client_key, "intermediate");
    start(&f->base, options, &f->listener);
}

static void start_tls(struct tls_fixture *f, enum net_client_certificate wanted)
{
    struct net_options options = quick_options();

    options.loops = 2;
    start_tls_with(f, wanted, &options);
}

static void finish_tls(struct tls_fixture *f)
{
    finish(&f->base);
    X509_free(f->client_certificate);
    X509_free(f->intermediate);
    EVP_PKEY_free(f->client_key);
    (void)unlink(f->key_path);
    (void)unlink(f->certificate_path);
    (void)rmdir(f->folder);
}

/* --- A client --- */

struct client_options {
    int version;
    bool certificate, intermediate;
};

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    SSL_SESSION **kept = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    SSL_SESSION_free(*kept);
    *kept = session;
    return 1;
}

static SSL *connect_tls(const struct tls_fixture *f, struct client_options o, SSL_SESSION **session)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl;

    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_set_min_proto_version(ctx, o.version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, o.version), 1);
    (void)SSL_CTX_set_app_data(ctx, session);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    if (session != NULL)
        SSL_CTX_sess_set_new_cb(ctx, keep_session);
    if (o.certificate) {
        assert_int_equal(SSL_CTX_use_certificate(ctx, f->client_certificate), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(ctx, f->client_key), 1);
    }
    if (o.intermediate)
        assert_int_equal(SSL_CTX_add1_chain_cert(ctx, f->intermediate), 1);
    ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    assert_non_null(ssl);
    assert_int_equal(SSL_set_fd(ssl, connect_to(&f->base)), 1);
    if (session != NULL && *session != NULL)
        assert_int_equal(SSL_set_session(ssl, *session), 1);
    return ssl;
}

static void end_tls(SSL *ssl)
{
    int fd = SSL_get_fd(ssl);

    (void)SSL_shutdown(ssl);
    SSL_free(ssl);
    (void)close(fd);
    ERR_clear_error();
}

/* One request on an open connection; the answer up to its ';'. */
static const char *ask(SSL *ssl, const char *request)
{
    size_t len = 0;

    assert_int_equal(SSL_write(ssl, request, (int)strlen(request)), (int)strlen(request));
    out[0] = '\0';
    while (strchr(out, ';') == NULL) {
        int n = SSL_read(ssl, out + len, (int)(sizeof(out) - 1 - len));

        if (n <= 0)
            fail_msg("ended after: %s", out);
        len += (size_t)n;
        out[len] = '\0';
    }
    return out;
}

static SSL *handshaken(const struct tls_fixture *f, struct client_options o, SSL_SESSION **session)
{
    SSL *ssl = connect_tls(f, o, session);

    if (SSL_connect(ssl) != 1)
        fail_msg("handshake: %s", ERR_reason_error_string(ERR_peek_error()));
    return ssl;
}

static void assert_says(const char *answer, const char *what)
{
    if (strstr(answer, what) == NULL)
        fail_msg("no \"%s\" in: %s", what, answer);
}

/* --- What must hold --- */

static void without_a_certificate_tls_serves_and_proves_none(void **state)
{
    struct tls_fixture f;

    (void)state;
    start_tls(&f, NET_CLIENT_CERTIFICATE_OPTIONAL);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        SSL *ssl = handshaken(&f, (struct client_options){ .version = version }, NULL);

        assert_says(ask(ssl, GET("/peer")), version == TLS1_3_VERSION ? "tls=0304" : "tls=0303");
        assert_says(out, "resumed=0 ems=1 certificate=0 chain=0");
        assert_says(ask(ssl, GET("/peer")), "certificate=0"); /* kept alive */
        end_tls(ssl);
    }
    EVENTUALLY(counters(&f.base).open == 0);
    assert_int_equal(counters(&f.base).handshakes, 2);
    finish_tls(&f);
}

static void est_5_a_client_certificate_and_its_chain_reach_the_handler_unjudged(void **state)
{
    struct tls_fixture f;
    char expected[64];

    (void)state;
    start_tls(&f, NET_CLIENT_CERTIFICATE_REQUIRED);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        SSL *ssl = handshaken(
            &f, (struct client_options){ .version = version, .certificate = true, .intermediate = true },
            NULL);

        (void)snprintf(expected, sizeof(expected), "certificate=%d chain=1",
                       i2d_X509(f.client_certificate, NULL));
        assert_says(ask(ssl, GET("/peer?thread")), expected);
        end_tls(ssl);
    }
    finish_tls(&f);
}

static void where_a_certificate_is_required_none_is_no_connection(void **state)
{
    struct tls_fixture f;
    SSL *ssl;

    (void)state;
    start_tls(&f, NET_CLIENT_CERTIFICATE_REQUIRED);
    ssl = connect_tls(&f, (struct client_options){ .version = TLS1_2_VERSION }, NULL);
    assert_int_not_equal(SSL_connect(ssl), 1);
    end_tls(ssl);
    EVENTUALLY(counters(&f.base).handshake_failures == 1);
    finish_tls(&f);
}

static void a_handshake_that_fails_is_told_for_the_log(void **state)
{
    struct net_options options = quick_options();
    struct tls_fixture f;
    int fd;

    (void)state;
    start_tls_with(&f, NET_CLIENT_CERTIFICATE_OPTIONAL, &options);
    fd = connect_to(&f.base);
    send_text(fd, GET("/peer"));
    assert_told(1, 0, "the TLS handshake failed", "");
    (void)close(fd);
    finish_tls(&f);
}

static void est_2_tls_1_1_and_plain_text_are_refused(void **state)
{
    struct tls_fixture f;
    SSL *ssl;
    int fd;

    (void)state;
    start_tls(&f, NET_CLIENT_CERTIFICATE_OPTIONAL);
    ssl = connect_tls(&f, (struct client_options){ .version = TLS1_1_VERSION }, NULL);
    (void)SSL_set_cipher_list(ssl, "DEFAULT@SECLEVEL=0");
    assert_int_not_equal(SSL_connect(ssl), 1);
    end_tls(ssl);
    fd = connect_to(&f.base);
    send_text(fd, GET("/peer"));
    read_all(fd, out, sizeof(out));
    assert_null(strstr(out, "HTTP/1.1"));
    (void)close(fd);
    EVENTUALLY(counters(&f.base).open == 0);
    assert_int_equal(counters(&f.base).requests, 0);
    finish_tls(&f);
}

/* --- Suites --- */

enum { HANDSHAKE_RECORD = 0x16, ALERT_RECORD = 0x15, HANDSHAKE_FAILURE = 40 };

/* A ClientHello of TLS 1.2 by hand (RFC 5246 7.4.1.2), for suites that OpenSSL has no code for any more: one
 * suite, a named user (RFC 5054 2.8.1), P-256, ECDSA and RSA with SHA-256. Returns the record's length. */
static size_t client_hello(unsigned suite, uint8_t hello[128])
{
    static const uint8_t before[] = { HANDSHAKE_RECORD, 3, 1, 0, 0, 1, 0, 0, 0, 3, 3 };
    static const uint8_t after[] = { 1, 0,  0, 34,                  /* null compression, extensions */
                                     0, 10, 0, 4,  0, 2,   0,   23, /* supported_groups */
                                     0, 11, 0, 2,  1, 0,            /* ec_point_formats */
                                     0, 13, 0, 6,  0, 4,   4,   3,   4,   1,     /* signature_algorithms */
                                     0, 12, 0, 6,  5, 'a', 'd', 'm', 'i', 'n' }; /* srp */
    size_t len = sizeof(before);

    memcpy(hello, before, sizeof(before));
    memset(hello + len, 0x5a, 32); /* random */
    len += 32;
    hello[len++] = 0; /* no session */
    hello[len++] = 0;
    hello[len++] = 2;
    hello[len++] = (uint8_t)(suite >> 8);
    hello[len++] = (uint8_t)suite;
    memcpy(hello + len, after, sizeof(after));
    len += sizeof(after);
    hello[4] = (uint8_t)(len - 5);
    hello[8] = (uint8_t)(len - 9);
    return len;
}

/* What the server says to it: type of the record, and of an alert its description. */
static int answer_to_suite(const struct tls_fixture *f, unsigned suite, uint8_t *description)
{
    uint8_t hello[128], answer[7];
    size_t len = client_hello(suite, hello), got = 0;
    int fd = connect_to(&f->base);
    ssize_t n;

    assert_int_equal(send(fd, hello, len, MSG_NOSIGNAL), (ssize_t)len);
    while (got < sizeof(answer) && (n = recv(fd, answer + got, sizeof(answer) - got, 0)) > 0)
        got += (size_t)n;
    (void)close(fd);
    assert_int_equal(got, sizeof(answer));
    *description = answer[6];
    return answer[0];
}

static void assert_never_negotiated(const unsigned *suite, size_t count)
{
    struct tls_fixture f;
    uint8_t description;

    start_tls(&f, NET_CLIENT_CERTIFICATE_OPTIONAL);
    assert_int_equal(answer_to_suite(&f, 0xc02b /* ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 */, &description),
                     HANDSHAKE_RECORD); /* such a hello is taken */
    for (size_t i = 0; i < count; i++) {
        if (answer_to_suite(&f, suite[i], &description) != ALERT_RECORD)
            fail_msg("suite %04x was not refused", suite[i]);
        assert_int_equal(description, HANDSHAKE_FAILURE);
    }
    finish_tls(&f);
}

static void est_3_null_anonymous_export_and_single_des_suites_are_never_negotiated(void **state)
{
    static const unsigned suites[] = {
        0x0001, 0x0002, 0x003b, 0xc001, 0xc006, 0xc00b, 0xc010,                 /* RSA, ECDH(E) with NULL */
        0x0018, 0x001b, 0x0034, 0x006c, 0x00a6, 0xc016, 0xc018, 0xc019,         /* DH and ECDH, anonymous */
        0x0003, 0x0006, 0x0008, 0x000b, 0x000e, 0x0011, 0x0014, 0x0017, 0x0019, /* EXPORT */
        0x0009, 0x000c, 0x000f, 0x0012, 0x0015, 0x001a,                         /* single DES */
    };

    (void)state;
    assert_never_negotiated(suites, COUNT_OF(suites));
}

static void est_7_no_suite_goes_without_certificates(void **state)
{
    static const unsigned suites[] = {
        0xc01a, 0xc01b, 0xc01c, 0xc01d, 0xc01e, 0xc01f, 0xc020, 0xc021, 0xc022, /* SRP (RFC 5054) */
        0x008c, 0x008d, 0x00a8, 0x00a9, 0x0090, 0x0094, 0xc035, 0xc036, 0xd001, /* PSK */
    };

    (void)state;
    assert_never_negotiated(suites, COUNT_OF(suites));
}

/* OpenSSL's own client, which may offer what it likes. */
static void est_3_a_client_that_offers_nothing_else_is_refused(void **state)
{
    static const char *const lists[] = { "eNULL:@SECLEVEL=0", "aNULL:@SECLEVEL=0", "ALL:!ECDHE:@SECLEVEL=0" };
    struct tls_fixture f;

    (void)state;
    start_tls(&f, NET_CLIENT_CERTIFICATE_OPTIONAL);
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        SSL *ssl = connect_tls(&f, (struct client_options){ .version = TLS1_2_VERSION }, NULL);

        assert_int_equal(SSL_set_cipher_list(ssl, lists[i]), 1);
        assert_int_not_equal(SSL_connect(ssl), 1);
        assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE);
        end_tls(ssl);
    }
    EVENTUALLY(counters(&f.base).handshake_failures == COUNT_OF(lists));
    finish_tls(&f);
}

/* RFC 5929 3: both sides have the same tls-unique, in a full and in an abbreviated handshake. */
static void tls_unique_is_equal_on_both_sides(void **state)
{
    SSL_SESSION *session = NULL;
    struct tls_fixture f;
    uint8_t unique[64];
    char text[160] = "unique=";
    size_t len;

    (void)state;
    start_tls(&f, NET_CLIENT_CERTIFICATE_OPTIONAL);
    for (int resumed = 0; resumed <= 1; resumed++) {
        SSL *ssl = handshaken(&f, (struct client_options){ .version = TLS1_2_VERSION }, &session);

        assert_int_equal(SSL_session_reused(ssl), resumed);
        len = resumed ? SSL_get_peer_finished(ssl, unique, sizeof(unique))
                      : SSL_get_finished(ssl, unique, sizeof(unique));
        assert_int_equal(len, 12);
        hex_encode(bytes_of(unique, len), text + 7);
        assert_says(ask(ssl, GET("/peer")), text);
        assert_says(out, resumed ? "resumed=1 ems=1" : "resumed=0 ems=1");
        assert_says(out, "exporter=-");
        end_tls(ssl);
    }
    SSL_SESSION_free(session);
    finish_tls(&f);
}

/* RFC 9266 2. */
static void tls_exporter_is_equal_on_both_sides(void **state)
{
    static const char label[] = "EXPORTER-Channel-Binding";
    SSL_SESSION *session = NULL;
    struct tls_fixture f;
    uint8_t exporter[32];
    char text[160] = "unique= exporter=";

    (void)state;
    start_tls(&f, NET_CLIENT_CERTIFICATE_OPTIONAL);
    for (int resumed = 0; resumed <= 1; resumed++) {
        SSL *ssl = handshaken(&f, (struct client_options){ .version = TLS1_3_VERSION }, &session);

        assert_int_equal(SSL_session_reused(ssl), resumed);
        assert_int_equal(SSL_export_keying_material(ssl, exporter, sizeof(exporter), label, strlen(label),
                                                    (const uint8_t *)"", 0, 1),
                         1);
        hex_encode(BYTES_ARRAY(exporter), text + 17);
        assert_says(ask(ssl, GET("/peer")), text);
        end_tls(ssl);
    }
    SSL_SESSION_free(session);
    finish_tls(&f);
}

static void est_4_a_resumed_session_keeps_the_certificate_on_every_loop(void **state)
{
    struct client_options o = { .version = TLS1_2_VERSION, .certificate = true };
    SSL_SESSION *session = NULL;
    struct tls_fixture f;

    (void)state;
    start_tls(&f, NET_CLIENT_CERTIFICATE_OPTIONAL);
    for (int i = 0; i < 8; i++) {
        SSL *ssl = handshaken(&f, o, &session);
        char expected[64];

        (void)snprintf(expected, sizeof(expected), "certificate=%d chain=0",
                       i2d_X509(f.client_certificate, NULL));
        assert_says(ask(ssl, GET("/peer")), expected);
        assert_says(out, i > 0 ? "resumed=1" : "resumed=0");
        end_tls(ssl);
    }
    SSL_SESSION_free(session);
    finish_tls(&f);
}

static void in_tls_1_3_who_shows_a_certificate_gets_no_ticket(void **state)
{
    struct client_options o = { .version = TLS1_3_VERSION, .certificate = true };
    SSL_SESSION *session = NULL;
    struct tls_fixture f;

    (void)state;
    start_tls(&f, NET_CLIENT_CERTIFICATE_OPTIONAL);
    for (int with_intermediate = 0; with_intermediate <= 1; with_intermediate++) {
        SSL *ssl;

        o.intermediate = with_intermediate;
        ssl = handshaken(&f, o, &session);
        assert_says(ask(ssl, GET("/peer")), with_intermediate ? "chain=1" : "chain=0");
        end_tls(ssl);
        assert_null(session);
    }
    finish_tls(&f);
}

static void who_showed_intermediates_is_never_resumed(void **state)
{
    struct client_options o = { .version = TLS1_2_VERSION, .certificate = true, .intermediate = true };
    SSL_SESSION *session = NULL;
    struct tls_fixture f;

    (void)state;
    start_tls(&f, NET_CLIENT_CERTIFICATE_OPTIONAL);
    for (int i = 0; i < 3; i++) { /* its ticket was promised before, and is ignored */
        SSL *ssl = handshaken(&f, o, &session);

        assert_says(ask(ssl, GET("/peer")), "resumed=0");
        assert_says(out, "chain=1");
        end_tls(ssl);
    }
    SSL_SESSION_free(session);
    finish_tls(&f);
}

static void head_and_body_come_in_one_record(void **state)
{
    struct tls_fixture f;
    SSL *ssl;
    int n;

    (void)state;
    start_tls(&f, NET_CLIENT_CERTIFICATE_NONE);
    ssl = handshaken(&f, (struct client_options){ .version = TLS1_3_VERSION }, NULL);
    assert_int_equal(SSL_write(ssl, GET("/abc"), (int)strlen(GET("/abc"))), (int)strlen(GET("/abc")));
    n = SSL_read(ssl, out, sizeof(out) - 1); /* never more than a record */
    assert_true(n > 0);
    out[n] = '\0';
    assert_says(out, "\r\n\r\n/abc");
    end_tls(ssl);
    finish_tls(&f);
}

static void big_bodies_and_pipelined_requests_pass_through_tls(void **state)
{
    static char body[90000];
    struct tls_fixture f;
    size_t len = 0;
    SSL *ssl;
    int n;

    (void)state;
    start_tls(&f, NET_CLIENT_CERTIFICATE_OPTIONAL);
    ssl = handshaken(&f, (struct client_options){ .version = TLS1_3_VERSION }, NULL);
    memset(body, 'b', sizeof(body));
    memcpy(body + sizeof(body) - 2, ";", 2);
    (void)snprintf(out, sizeof(out), "POST /echo?thread HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n",
                   strlen(body));
    assert_true(SSL_write(ssl, out, (int)strlen(out)) > 0);
    assert_true(SSL_write(ssl, body, (int)strlen(body)) > 0);
    assert_true(
        SSL_write(ssl, GET("/big") "GET /last HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
                  (int)strlen(GET("/big") "GET /last HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n")) > 0);
    while ((n = SSL_read(ssl, out, sizeof(out) - 1)) > 0) {
        len += (size_t)n;
        out[n] = '\0';
    }
    assert_true(len > sizeof(body) + (4 << 20));
    assert_int_equal(SSL_get_error(ssl, n), SSL_ERROR_ZERO_RETURN); /* a close_notify */
    assert_says(out, "/last");
    end_tls(ssl);
    finish_tls(&f);
}

static void a_handshake_that_stalls_is_ended_at_the_deadline(void **state)
{
    struct net_options options = quick_options();
    struct tls_fixture f;
    int fd;

    (void)state;
    options.handshake_ms = 100;
    start_tls_with(&f, NET_CLIENT_CERTIFICATE_OPTIONAL, &options);
    fd = connect_to(&f.base);
    assert_int_equal(send(fd, "\x16\x03\x01", 3, 0), 3);
    assert_true(is_at_end(fd));
    assert_int_equal(counters(&f.base).timeouts, 1);
    assert_told(1, 0, "the TLS handshake took too long", "");
    (void)close(fd);
    finish_tls(&f);
}

static void a_proxy_header_goes_before_the_handshake(void **state)
{
    struct net_options options = quick_options();
    struct tls_fixture f;
    struct error err;
    SSL *ssl;

    (void)state;
    start_tls_with(&f, NET_CLIENT_CERTIFICATE_OPTIONAL, &options);
    net_server_free(f.base.server);
    assert_true(ip_range_parse(BYTES_LITERAL("127.0.0.1"), &f.listener.proxy[0]));
    f.listener.proxy_count = 1;
    assert_true(
        net_server_new(&options, &f.listener, 1, f.base.keys, on_request, &f.base, &f.base.server, &err));
    assert_true(net_server_start(f.base.server, &err));
    ssl = connect_tls(&f, (struct client_options){ .version = TLS1_3_VERSION }, NULL);
    send_text(SSL_get_fd(ssl), "PROXY TCP6 2001:db8::7 2001:db8::1 51000 443\r\n");
    assert_int_equal(SSL_connect(ssl), 1);
    assert_says(ask(ssl, GET("/peer")), "address=2001:db8::7 port=51000 tls=0304");
    end_tls(ssl);
    finish_tls(&f);
}

static void a_reload_gives_new_connections_the_new_certificate(void **state)
{
    struct tls_fixture f;
    struct keys *old_keys;
    struct error err;
    X509 *before, *after;
    SSL *old, *new;

    (void)state;
    start_tls(&f, NET_CLIENT_CERTIFICATE_OPTIONAL);
    old = handshaken(&f, (struct client_options){ .version = TLS1_3_VERSION }, NULL);
    old_keys = take(f.base.keys);
    write_server_certificate(&f); /* another key, the same paths */
    assert_true(net_server_reload_tls(f.base.server, &f.listener, 1, f.base.keys, &err));
    new = handshaken(&f, (struct client_options){ .version = TLS1_3_VERSION }, NULL);
    before = SSL_get1_peer_certificate(old);
    after = SSL_get1_peer_certificate(new);
    assert_int_not_equal(X509_cmp(before, after), 0);
    assert_says(ask(old, GET("/peer")), "tls=0304");
    assert_says(ask(new, GET("/peer")), "tls=0304");
    assert_false(net_server_reload_tls(f.base.server, &f.listener, 1, old_keys, &err)); /* not its key */
    X509_free(before);
    X509_free(after);
    end_tls(old);
    end_tls(new);
    keys_unref(old_keys);
    finish_tls(&f);
}

static void a_certificate_that_is_missing_is_an_error_that_names_the_listener(void **state)
{
    struct net_options options = quick_options();
    struct net_server *server = NULL;
    struct tls_fixture f;
    struct error err;

    (void)state;
    start_tls(&f, NET_CLIENT_CERTIFICATE_OPTIONAL);
    f.listener.tls.certificate_path = "/nowhere/certificate.pem";
    assert_false(net_server_new(&options, &f.listener, 1, f.base.keys, on_request, &f.base, &server, &err));
    assert_non_null(strstr(err.text, "tls"));
    f.listener.tls.certificate_path = f.certificate_path;
    f.listener.tls.key_name = "none";
    assert_false(net_server_new(&options, &f.listener, 1, f.base.keys, on_request, &f.base, &server, &err));
    assert_null(server);
    finish_tls(&f);
}

/* The socket is there; the certificate comes with a reload. */
static void without_a_certificate_of_its_own_a_listener_refuses_by_an_alert(void **state)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    struct net_options options = quick_options();
    struct net_listener awaited;
    struct tls_fixture f;
    struct error err;
    SSL *ssl;

    (void)state;
    start_tls_with(&f, NET_CLIENT_CERTIFICATE_OPTIONAL, &options);
    awaited = f.listener;
    awaited.tls.awaited = true;
    awaited.tls.certificate_path = "/nowhere/certificate.pem";
    awaited.tls.key_name = "none";
    assert_true(net_server_reload_tls(f.base.server, &awaited, 1, f.base.keys, &err));
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        ssl = connect_tls(&f, (struct client_options){ .version = versions[i] }, NULL);
        assert_int_not_equal(SSL_connect(ssl), 1);
        assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE);
        end_tls(ssl);
        assert_told(1 + (int)i, 0, "the listener has no certificate yet", "");
    }
    assert_true(net_server_reload_tls(f.base.server, &f.listener, 1, f.base.keys, &err));
    ssl = handshaken(&f, (struct client_options){ .version = TLS1_3_VERSION }, NULL);
    assert_says(ask(ssl, GET("/peer")), "tls=0304");
    end_tls(ssl);
    finish_tls(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_certificate_tls_serves_and_proves_none),
        cmocka_unit_test(est_5_a_client_certificate_and_its_chain_reach_the_handler_unjudged),
        cmocka_unit_test(where_a_certificate_is_required_none_is_no_connection),
        cmocka_unit_test(a_handshake_that_fails_is_told_for_the_log),
        cmocka_unit_test(est_2_tls_1_1_and_plain_text_are_refused),
        cmocka_unit_test(est_3_null_anonymous_export_and_single_des_suites_are_never_negotiated),
        cmocka_unit_test(est_3_a_client_that_offers_nothing_else_is_refused),
        cmocka_unit_test(est_7_no_suite_goes_without_certificates),
        cmocka_unit_test(tls_unique_is_equal_on_both_sides),
        cmocka_unit_test(tls_exporter_is_equal_on_both_sides),
        cmocka_unit_test(est_4_a_resumed_session_keeps_the_certificate_on_every_loop),
        cmocka_unit_test(in_tls_1_3_who_shows_a_certificate_gets_no_ticket),
        cmocka_unit_test(who_showed_intermediates_is_never_resumed),
        cmocka_unit_test(head_and_body_come_in_one_record),
        cmocka_unit_test(big_bodies_and_pipelined_requests_pass_through_tls),
        cmocka_unit_test(a_handshake_that_stalls_is_ended_at_the_deadline),
        cmocka_unit_test(a_proxy_header_goes_before_the_handshake),
        cmocka_unit_test(a_reload_gives_new_connections_the_new_certificate),
        cmocka_unit_test(a_certificate_that_is_missing_is_an_error_that_names_the_listener),
        cmocka_unit_test(without_a_certificate_of_its_own_a_listener_refuses_by_an_alert),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
