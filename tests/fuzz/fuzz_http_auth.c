/* Authorization: whatever is read as Digest says the same when it is written down plainly and read again;
 * what is read as Basic is clean text. */
#include <assert.h>
#include <stdlib.h>

#include "lib/base/encode.h"
#include "proto/est/http_auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct http_auth read(struct bytes value, struct arena *arena)
{
    struct http_header *header = arena_alloc(arena, sizeof(*header));
    struct http_request request = {
        .method_text = BYTES_LITERAL("POST"), .header = header, .header_count = 1, .arena = arena
    };

    assert(header != NULL);
    *header = (struct http_header){ BYTES_LITERAL("Authorization"), value };
    return http_auth_read(&request);
}

static void put_quoted(struct buffer *out, const char *name, struct bytes value)
{
    buffer_format(out, "%s=\"", name);
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '"' || value.data[i] == '\\')
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, value.data[i]);
    }
    buffer_append_text(out, "\", ");
}

static void check_digest(const struct http_auth *a, struct arena *arena)
{
    AUTO_STRUCT(buffer) text = BUFFER(64 << 10);
    const struct http_digest *d = &a->digest;
    struct http_auth again;

    assert(d->nc.len == 8 && d->response.len == 2 * digest_len(d->algorithm) && d->cnonce.len > 0);
    buffer_append_text(&text, "Digest ");
    put_quoted(&text, "username", d->user_name);
    put_quoted(&text, "realm", d->realm);
    put_quoted(&text, "nonce", d->nonce);
    put_quoted(&text, "uri", d->uri);
    put_quoted(&text, "cnonce", d->cnonce);
    put_quoted(&text, "response", d->response);
    put_quoted(&text, "nc", d->nc);
    buffer_format(&text, "qop=auth, algorithm=%s", d->algorithm == DIGEST_MD5 ? "MD5" : "SHA-256");
    assert(!buffer_failed(&text));
    again = read(buffer_bytes(&text), arena);
    assert(again.kind == HTTP_AUTH_DIGEST && again.digest.algorithm == d->algorithm);
    assert(bytes_equal(again.digest.user_name, d->user_name) && bytes_equal(again.digest.realm, d->realm));
    assert(bytes_equal(again.digest.nonce, d->nonce) && bytes_equal(again.digest.uri, d->uri));
    assert(bytes_equal(again.digest.cnonce, d->cnonce) && bytes_equal(again.digest.response, d->response));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 20);
    uint8_t *copy = malloc(size + 1);

    if (arena != NULL && copy != NULL && size <= 8192) {
        struct http_auth auth;

        if (size > 0)
            memcpy(copy, data, size);
        auth = read(bytes_of(copy, size), arena);
        if (auth.kind == HTTP_AUTH_BASIC)
            assert(bytes_find(auth.user_name, ':') == auth.user_name.len &&
                   !bytes_has_control(auth.user_name) && !bytes_has_control(auth.password));
        if (auth.kind == HTTP_AUTH_DIGEST)
            check_digest(&auth, arena);
    }
    free(copy);
    arena_free(arena);
    return 0;
}
