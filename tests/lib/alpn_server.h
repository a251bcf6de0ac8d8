/* alpn_server.h: a TLS server on a free port of loopback that shakes hands, one connection after the other,
 * and remembers what it was offered. */
#ifndef MUSTER_TEST_ALPN_SERVER_H
#define MUSTER_TEST_ALPN_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/bytes.h"

struct alpn_server {
    /* Set before the start: */
    const char *alpn;  /* that is chosen when it is offered; NULL: ALPN is ignored */
    bool refuses;      /* what is not `alpn`, by an alert */
    bool silent;       /* takes the connection and says nothing */
    bool plain;        /* says something that is no TLS */
    int version_max;   /* 0: any */
    const char *reply; /* to what comes after the handshake; NULL: hangs up */
    /* Read after the stop: */
    unsigned connections;
    char server_name[256], offered[64];
    int received; /* bytes after the last handshake; -1: none took place */

    SSL_CTX *ctx;
    uint8_t certificate[4096];
    size_t certificate_len;
    int fd;
    uint16_t port;
    pthread_t thread;
};

UNUSED static int alpn_server_choose(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                                     const unsigned char *in, unsigned in_len, void *context)
{
    struct alpn_server *s = context;
    size_t len = s->alpn == NULL ? 0 : strlen(s->alpn);

    (void)ssl;
    (void)snprintf(s->offered, sizeof(s->offered), "%.*s", (int)in_len, (const char *)in);
    if (s->alpn == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    for (unsigned at = 0; at < in_len; at += in[at] + 1u) {
        if (in[at] != len || memcmp(in + at + 1, s->alpn, len) != 0)
            continue;
        *out = in + at + 1;
        *out_len = (unsigned char)len;
        return SSL_TLSEXT_ERR_OK;
    }
    return s->refuses ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
}

UNUSED static void alpn_server_shake_hands(struct alpn_server *s, int fd)
{
    SSL *ssl = SSL_new(s->ctx);
    char in[4096];

    s->received = -1;
    if (ssl != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1) {
        const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        int n;

        (void)snprintf(s->server_name, sizeof(s->server_name), "%s", name != NULL ? name : "");
        n = SSL_read(ssl, in, sizeof(in));
        s->received = n > 0 ? n : 0;
        if (n > 0 && s->reply != NULL) {
            (void)SSL_write(ssl, s->reply, (int)strlen(s->reply));
            (void)SSL_shutdown(ssl);
        }
    }
    SSL_free(ssl);
}

UNUSED static void *alpn_server_run(void *context)
{
    struct alpn_server *s = context;
    int fd;

    while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
        char in[512];

        s->connections++;
        if (s->plain)
            (void)send(fd, "SSH-2.0-x\r\n", 11, MSG_NOSIGNAL);
        if (s->plain || s->silent)
            while (recv(fd, in, sizeof(in), 0) > 0)
                continue;
        else
            alpn_server_shake_hands(s, fd);
        (void)close(fd);
    }
    return NULL;
}

/* A self-signed certificate of a fresh key. */
UNUSED static bool alpn_server_make_certificate(struct alpn_server *s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    unsigned char *at = s->certificate;
    bool made;
    int len;

    made = X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(x), 0) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(x), 3600) != NULL && X509_set_pubkey(x, key) == 1 &&
           X509_sign(x, key, EVP_sha256()) > 0 && SSL_CTX_use_certificate(s->ctx, x) == 1 &&
           SSL_CTX_use_PrivateKey(s->ctx, key) == 1;
    len = made ? i2d_X509(x, NULL) : 0;
    made = len > 0 && (size_t)len <= sizeof(s->certificate);
    s->certificate_len = made ? (size_t)i2d_X509(x, &at) : 0;
    X509_free(x);
    EVP_PKEY_free(key);
    return made;
}

UNUSED static void alpn_server_start(struct alpn_server *s)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);

    s->received = -1;
    s->ctx = SSL_CTX_new(TLS_server_method());
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || s->ctx == NULL || !alpn_server_make_certificate(s) ||
        SSL_CTX_set_max_proto_version(s->ctx, s->version_max) != 1 ||
        bind(s->fd, (const struct sockaddr *)&at, sizeof(at)) != 0 || listen(s->fd, 8) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&at, &len) != 0)
        abort();
    SSL_CTX_set_security_level(s->ctx, 0); /* so that an old version can be spoken at all */
    SSL_CTX_set_min_proto_version(s->ctx, TLS1_VERSION);
    SSL_CTX_set_alpn_select_cb(s->ctx, alpn_server_choose, s);
    s->port = ntohs(at.sin_port);
    if (pthread_create(&s->thread, NULL, alpn_server_run, s) != 0)
        abort();
}

UNUSED static void alpn_server_stop(struct alpn_server *s)
{
    (void)shutdown(s->fd, SHUT_RDWR); /* ends accept() */
    (void)pthread_join(s->thread, NULL);
    (void)close(s->fd);
    SSL_CTX_free(s->ctx);
}

#endif
