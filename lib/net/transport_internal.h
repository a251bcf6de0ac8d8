/* transport_internal.h: octets to and from one non-blocking socket, plain or under TLS, without telling them
 * apart; and what the TLS handshake proved. One thread at a time. */
#ifndef MUSTER_NET_TRANSPORT_INTERNAL_H
#define MUSTER_NET_TRANSPORT_INTERNAL_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "lib/http/message.h"
#include "lib/net/server.h"

AUTO_POINTER(SSL_CTX, SSL_CTX_free)

enum io { IO_FAILED = 0, IO_OK, IO_WANT_READ, IO_WANT_WRITE, IO_END };

struct transport {
    int fd;
    SSL *ssl;    /* NULL: plain */
    bool broken; /* TLS failed for good: no close_notify */
};

/* IO_END: the peer sends no more (it may still read). */
enum io transport_read(struct transport *transport, uint8_t *out, size_t capacity, size_t *len);
enum io transport_write(struct transport *transport, struct bytes octets, size_t *written);
enum io transport_handshake(struct transport *transport);

/* Octets wait inside the TLS library that no event of the socket will announce. */
bool transport_has_buffered(const struct transport *transport);

/* We send no more. */
void transport_end(struct transport *transport);
void transport_close(struct transport *transport);

/* The peer's certificates, shared by its connection and its exchanges. */
struct peer_identity;
struct peer_identity *peer_identity_ref(struct peer_identity *identity); /* accepts NULL */
void peer_identity_unref(struct peer_identity *identity);

/* Fills the TLS part of *peer, whose bytes live as long as *identity. False: out of memory. */
MUST_USE bool transport_describe_peer(const struct transport *transport, struct http_peer *peer,
                                      struct peer_identity **identity);

/* What it costs to verify with the certificate's key is bounded. */
bool tls_key_is_affordable(const X509 *certificate);

enum { TLS_TICKET_KEYS_LEN = 80 };

/* A listener's context in a library context. Session tickets of contexts with the same ticket keys and name
 * are good for each other. */
MUST_USE bool tls_context_new(OSSL_LIB_CTX *library, const struct net_listener *listener, struct keys *keys,
                              const uint8_t ticket_keys[TLS_TICKET_KEYS_LEN], SSL_CTX **out,
                              struct error *err);

#endif
