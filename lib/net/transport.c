#include "lib/net/transport_internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static enum io plain_result(ssize_t result, size_t *len)
{
    if (result > 0) {
        *len = (size_t)result;
        return IO_OK;
    }
    if (result == 0)
        return IO_END;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? IO_WANT_READ : IO_FAILED;
}

static enum io tls_result(struct transport *transport, int result)
{
    switch (SSL_get_error(transport->ssl, result)) {
    case SSL_ERROR_NONE: return IO_OK;
    case SSL_ERROR_WANT_READ: return IO_WANT_READ;
    case SSL_ERROR_WANT_WRITE: return IO_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN: return IO_END;
    default:
        transport->broken = true;
        ERR_clear_error();
        return IO_FAILED;
    }
}

enum io transport_read(struct transport *transport, uint8_t *out, size_t capacity, size_t *len)
{
    if (transport->ssl == NULL)
        return plain_result(recv(transport->fd, out, capacity, 0), len);
    ERR_clear_error();
    return tls_result(transport, SSL_read_ex(transport->ssl, out, capacity, len));
}

enum io transport_write(struct transport *transport, struct bytes octets, size_t *written)
{
    enum io result;

    if (transport->ssl != NULL) {
        ERR_clear_error();
        return tls_result(transport, SSL_write_ex(transport->ssl, octets.data, octets.len, written));
    }
    result = plain_result(send(transport->fd, octets.data, octets.len, MSG_NOSIGNAL), written);
    return result == IO_WANT_READ ? IO_WANT_WRITE : result;
}

enum io transport_handshake(struct transport *transport)
{
    ERR_clear_error();
    return tls_result(transport, SSL_accept(transport->ssl));
}

bool transport_has_buffered(const struct transport *transport)
{
    return transport->ssl != NULL && SSL_has_pending(transport->ssl) == 1;
}

static void send_close_notify(struct transport *transport)
{
    if (transport->ssl == NULL || transport->broken || !SSL_is_init_finished(transport->ssl))
        return;
    ERR_clear_error();
    (void)SSL_shutdown(transport->ssl);
    ERR_clear_error();
}

void transport_end(struct transport *transport)
{
    send_close_notify(transport);
    (void)shutdown(transport->fd, SHUT_WR);
}

void transport_close(struct transport *transport)
{
    if (transport->ssl != NULL) {
        if ((SSL_get_shutdown(transport->ssl) & SSL_SENT_SHUTDOWN) == 0)
            send_close_notify(transport);
        SSL_free(transport->ssl);
        transport->ssl = NULL;
    }
    (void)close(transport->fd);
    transport->fd = -1;
}

/* --- What the handshake proved --- */

struct peer_identity {
    atomic_uint refs;
    size_t len;
    uint8_t data[];
};

struct peer_identity *peer_identity_ref(struct peer_identity *identity)
{
    if (identity != NULL)
        (void)atomic_fetch_add(&identity->refs, 1);
    return identity;
}

void peer_identity_unref(struct peer_identity *identity)
{
    if (identity != NULL && atomic_fetch_sub(&identity->refs, 1) == 1)
        free(identity);
}

static struct bytes put_certificate(struct peer_identity *identity, const X509 *certificate)
{
    uint8_t *start = identity->data + identity->len, *end = start;
    int len = i2d_X509(certificate, &end);

    if (len <= 0)
        return BYTES_NONE;
    identity->len += (size_t)len;
    return bytes_of(start, (size_t)len);
}

static size_t der_len(const X509 *certificate)
{
    int len = i2d_X509(certificate, NULL);

    return len > 0 ? (size_t)len : 0;
}

AUTO_POINTER(X509, X509_free)

/* On a server the chain is what came beside the leaf; a resumed session keeps the leaf alone. */
static bool describe_certificates(SSL *ssl, struct http_peer *peer, struct peer_identity **identity)
{
    AUTO(X509) *leaf = SSL_get1_peer_certificate(ssl);
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    int count = leaf == NULL || chain == NULL ? 0 : sk_X509_num(chain);
    struct peer_identity *made;
    size_t len;

    if (leaf == NULL)
        return true;
    if (count > HTTP_PEER_CHAIN_MAX)
        count = HTTP_PEER_CHAIN_MAX;
    len = der_len(leaf);
    for (int i = 0; i < count; i++)
        len += der_len(sk_X509_value(chain, i));
    made = malloc(sizeof(*made) + len);
    if (made == NULL)
        return false;
    made->len = 0;
    atomic_init(&made->refs, 1);
    peer->certificate = put_certificate(made, leaf);
    for (int i = 0; i < count; i++)
        peer->chain[i] = put_certificate(made, sk_X509_value(chain, i));
    peer->chain_count = (size_t)count;
    *identity = made;
    return true;
}

/* RFC 5929 3: tls-unique is the first Finished of the handshake, the client's in a full one, the server's in
 * an abbreviated one. RFC 9266 4.2: the exporter, with a context that is present and empty. */
static void describe_binding(SSL *ssl, struct http_peer *peer)
{
    static const char label[] = "EXPORTER-Channel-Binding";

    if (peer->tls_version >= TLS1_3_VERSION) {
        peer->has_tls_exporter = SSL_export_keying_material(
                                     ssl, peer->tls_exporter, sizeof(peer->tls_exporter), label,
                                     sizeof(label) - 1, (const unsigned char *)"", 0, 1) == 1;
        return;
    }
    peer->tls_unique_len = peer->tls_resumed
                               ? SSL_get_finished(ssl, peer->tls_unique, sizeof(peer->tls_unique))
                               : SSL_get_peer_finished(ssl, peer->tls_unique, sizeof(peer->tls_unique));
    if (peer->tls_unique_len > sizeof(peer->tls_unique))
        peer->tls_unique_len = 0;
}

bool transport_describe_peer(const struct transport *transport, struct http_peer *peer,
                             struct peer_identity **identity)
{
    SSL *ssl = transport->ssl;

    if (ssl == NULL)
        return true;
    peer->tls = true;
    peer->tls_version = (unsigned)SSL_version(ssl);
    peer->tls_resumed = SSL_session_reused(ssl) == 1;
    peer->tls_extended_master_secret = peer->tls_version >= TLS1_3_VERSION || SSL_get_extms_support(ssl) == 1;
    describe_binding(ssl, peer);
    return describe_certificates(ssl, peer, identity);
}
