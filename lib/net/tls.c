#include "lib/net/transport_internal.h"

/* What a client's key may cost us to verify, and how much it may send. */
enum { CLIENT_KEY_BITS_MAX = 8192, CLIENT_CHAIN_BYTES_MAX = 32 * 1024, SESSION_SECONDS = 7200 };

bool tls_key_is_affordable(const X509 *certificate)
{
    const EVP_PKEY *key = X509_get0_pubkey(certificate);

    return key != NULL && EVP_PKEY_get_bits(key) <= CLIENT_KEY_BITS_MAX; /* RSASSA-PSS too */
}

/* Chain, dates and revocation are for the procedure to judge, request by request. In TLS 1.3 who shows a
 * certificate gets no ticket (in 1.2 it is promised before; mark_ticket() spoils that of a chain): a session
 * that is resumed would forget the intermediates, and libssl writes the certificate into the ticket and reads
 * it back at once, which costs as much as resuming saves. */
static int accept_certificate(X509_STORE_CTX *store, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const X509 *leaf = X509_STORE_CTX_get0_cert(store);

    (void)unused;
    if (ssl == NULL || leaf == NULL || !tls_key_is_affordable(leaf)) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
        return 0;
    }
    (void)SSL_set_num_tickets(ssl, 0);
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

/* TLS 1.2 has promised its ticket before it sees certificates: that ticket is marked, and ignored when it
 * comes back. */
static int mark_ticket(SSL *ssl, void *unused)
{
    static const char mark = 'i';
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);

    (void)unused;
    if (chain == NULL || sk_X509_num(chain) == 0)
        return 1;
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), &mark, sizeof(mark));
}

static SSL_TICKET_RETURN judge_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *key_name,
                                      size_t key_name_len, SSL_TICKET_STATUS status, void *unused)
{
    void *mark = NULL;
    size_t mark_len = 0;

    (void)ssl;
    (void)key_name;
    (void)key_name_len;
    (void)unused;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (SSL_SESSION_get0_ticket_appdata(session, &mark, &mark_len) == 1 && mark_len > 0)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

/* RFC 7301: HTTP/1.1 when offered; who offers only others gets HTTP/1.1 unannounced. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned offered_len, void *unused)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;

    (void)ssl;
    (void)unused;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int verify_mode(enum net_client_certificate wanted)
{
    switch (wanted) {
    case NET_CLIENT_CERTIFICATE_NONE: return SSL_VERIFY_NONE;
    case NET_CLIENT_CERTIFICATE_OPTIONAL: return SSL_VERIFY_PEER;
    case NET_CLIENT_CERTIFICATE_REQUIRED: return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

static bool set_policy(SSL_CTX *ctx)
{
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                       SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN |
                                    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_max_cert_list(ctx, CLIENT_CHAIN_BYTES_MAX);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set1_groups_list(ctx, "X25519:P-256") == 1;
}

static bool set_sessions(SSL_CTX *ctx, const char *name, const uint8_t ticket_keys[TLS_TICKET_KEYS_LEN])
{
    struct bytes text = bytes_slice(bytes_text(name), 0, SSL_MAX_SID_CTX_LENGTH);
    uint8_t copy[TLS_TICKET_KEYS_LEN];

    memcpy(copy, ticket_keys, sizeof(copy));
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_timeout(ctx, SESSION_SECONDS);
    return SSL_CTX_set_session_id_context(ctx, text.data, (unsigned)text.len) == 1 &&
           SSL_CTX_set_num_tickets(ctx, 1) == 1 &&
           SSL_CTX_set_tlsext_ticket_keys(ctx, copy, sizeof(copy)) == 1 &&
           SSL_CTX_set_session_ticket_cb(ctx, mark_ticket, judge_ticket, NULL) == 1;
}

/* In every version, before anything is chosen. */
static int refuse_hello(SSL *ssl, int *alert, void *unused)
{
    (void)ssl;
    (void)unused;
    *alert = SSL_AD_HANDSHAKE_FAILURE;
    return SSL_CLIENT_HELLO_ERROR;
}

static bool set_certificate(SSL_CTX *ctx, const struct net_listener *listener, const struct keys *keys,
                            struct error *err)
{
    if (SSL_CTX_use_certificate_chain_file(ctx, listener->tls.certificate_path) != 1)
        return error_openssl(err, listener->tls.certificate_path);
    if (!keys_set_tls(keys, listener->tls.key_name, ctx, err))
        return false;
    return SSL_CTX_check_private_key(ctx) == 1 ||
           error_openssl(err, "certificate and key do not belong together");
}

bool tls_context_new(OSSL_LIB_CTX *library, const struct net_listener *listener, struct keys *keys,
                     const uint8_t ticket_keys[TLS_TICKET_KEYS_LEN], SSL_CTX **out, struct error *err)
{
    AUTO(SSL_CTX) *ctx = SSL_CTX_new_ex(library, NULL, TLS_server_method());

    if (ctx == NULL || !set_policy(ctx) || !set_sessions(ctx, listener->name, ticket_keys))
        return error_openssl(err, "TLS context");
    SSL_CTX_set_verify(ctx, verify_mode(listener->tls.client_certificate), NULL);
    SSL_CTX_set_cert_verify_callback(ctx, accept_certificate, NULL);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    if (listener->tls.awaited)
        SSL_CTX_set_client_hello_cb(ctx, refuse_hello, NULL);
    else if (!set_certificate(ctx, listener, keys, err))
        return false;
    *out = take(ctx);
    return true;
}
