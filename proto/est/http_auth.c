#include "proto/est/http_auth.h"

#include "lib/base/encode.h"

const char HTTP_AUTH_OPAQUE[] = "6d7573746572";

enum { NC_LEN = 8, CHALLENGES_MAX = 3 };

static struct http_auth only(enum http_auth_kind kind)
{
    return (struct http_auth){ .kind = kind };
}

/* --- RFC 9110 5.6: tokens and quoted strings --- */

static bool is_token_character(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static void skip_blanks(struct bytes *in)
{
    while (in->len > 0 && (in->data[0] == ' ' || in->data[0] == '\t'))
        *in = bytes_from(*in, 1);
}

static bool skip_byte(struct bytes *in, uint8_t byte)
{
    if (in->len == 0 || in->data[0] != byte)
        return false;
    *in = bytes_from(*in, 1);
    return true;
}

static bool read_token(struct bytes *in, struct bytes *out)
{
    size_t len = 0;

    while (len < in->len && is_token_character(in->data[len]))
        len++;
    *out = bytes_slice(*in, 0, len);
    *in = bytes_from(*in, len);
    return len > 0;
}

/* What stands between the quotes, escapes undone. */
static bool read_quoted(struct bytes *in, struct arena *arena, struct bytes *out)
{
    uint8_t *text;
    size_t len = 0, at = 1;

    if (in->len == 0 || in->data[0] != '"')
        return false;
    text = arena_alloc(arena, in->len);
    if (text == NULL)
        return false;
    for (; at < in->len && in->data[at] != '"'; at++) {
        if (in->data[at] == '\\' && ++at == in->len)
            return false;
        if ((in->data[at] < 0x20 && in->data[at] != '\t') || in->data[at] == 0x7f)
            return false;
        text[len++] = in->data[at];
    }
    if (at == in->len)
        return false;
    *in = bytes_from(*in, at + 1);
    *out = bytes_of(text, len);
    return true;
}

/* --- Basic --- */

static struct http_auth read_basic(struct bytes credentials, struct arena *arena)
{
    struct http_auth auth = { .kind = HTTP_AUTH_BASIC };
    uint8_t *decoded = arena_alloc(arena, BASE64_DECODED_MAX(credentials.len));
    struct bytes pair;
    size_t len, colon;

    if (decoded == NULL || !base64_decode(credentials, decoded, &len))
        return only(HTTP_AUTH_MALFORMED);
    pair = bytes_of(decoded, len);
    colon = bytes_find(pair, ':');
    if (colon == pair.len || !bytes_is_utf8(pair) || bytes_has_control(pair))
        return only(HTTP_AUTH_MALFORMED);
    auth.user_name = bytes_slice(pair, 0, colon);
    auth.password = bytes_from(pair, colon + 1);
    return auth;
}

/* --- Digest --- */

enum parameter {
    USER_NAME = 0,
    USER_NAME_STAR,
    REALM,
    NONCE,
    URI,
    RESPONSE,
    ALGORITHM,
    CNONCE,
    OPAQUE,
    QOP,
    NC,
    USER_HASH,
    PARAMETERS
};
static const char *const parameter_name[PARAMETERS] = {
    [USER_NAME] = "username",
    [USER_NAME_STAR] = "username*",
    [REALM] = "realm",
    [NONCE] = "nonce",
    [URI] = "uri",
    [RESPONSE] = "response",
    [ALGORITHM] = "algorithm",
    [CNONCE] = "cnonce",
    [OPAQUE] = "opaque",
    [QOP] = "qop",
    [NC] = "nc",
    [USER_HASH] = "userhash",
};

struct parameters {
    struct bytes value[PARAMETERS];
    bool present[PARAMETERS];
};

static bool keep_parameter(struct parameters *p, struct bytes name, struct bytes value)
{
    for (size_t i = 0; i < PARAMETERS; i++) {
        if (!bytes_is_nocase(name, parameter_name[i]))
            continue;
        if (p->present[i])
            return false;
        p->present[i] = true;
        p->value[i] = value;
    }
    return true; /* what we do not know is passed over */
}

/* #auth-param: empty list elements are allowed (RFC 9110 5.6.1). */
static bool read_parameters(struct bytes in, struct arena *arena, struct parameters *p)
{
    for (;;) {
        struct bytes name, value;

        skip_blanks(&in);
        while (skip_byte(&in, ','))
            skip_blanks(&in);
        if (in.len == 0)
            return true;
        if (!read_token(&in, &name))
            return false;
        skip_blanks(&in);
        if (!skip_byte(&in, '='))
            return false;
        skip_blanks(&in);
        if (!read_quoted(&in, arena, &value) && !read_token(&in, &value))
            return false;
        skip_blanks(&in);
        if ((in.len > 0 && in.data[0] != ',') || !keep_parameter(p, name, value))
            return false;
    }
}

/* username, or username* in the form of RFC 8187: exactly one of them. */
static bool read_user_name(const struct parameters *p, struct arena *arena, struct bytes *out)
{
    static const char charset[] = "UTF-8''";

    if (p->present[USER_NAME] == p->present[USER_NAME_STAR])
        return false;
    *out = p->value[USER_NAME];
    if (p->present[USER_NAME])
        return true;
    if (p->value[USER_NAME_STAR].len < strlen(charset) ||
        !bytes_is_nocase(bytes_slice(p->value[USER_NAME_STAR], 0, strlen(charset)), charset))
        return false;
    return http_percent_decode(arena, bytes_from(p->value[USER_NAME_STAR], strlen(charset)), out) &&
           bytes_is_utf8(*out) && !bytes_has_control(*out);
}

static bool is_hex(struct bytes text, size_t len, bool upper_too)
{
    if (text.len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = text.data[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (upper_too && c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

static enum digest_algorithm algorithm_of(const struct parameters *p)
{
    if (!p->present[ALGORITHM] || bytes_is_nocase(p->value[ALGORITHM], "MD5"))
        return DIGEST_MD5;
    return bytes_is_nocase(p->value[ALGORITHM], "SHA-256") ? DIGEST_SHA256 : DIGEST_NONE;
}

static bool is_complete(const struct parameters *p)
{
    static const enum parameter needed[] = { REALM, NONCE, URI, RESPONSE, CNONCE, QOP, NC };

    for (size_t i = 0; i < COUNT_OF(needed); i++)
        if (!p->present[needed[i]] || (needed[i] != REALM && p->value[needed[i]].len == 0))
            return false;
    return true;
}

static struct http_auth read_digest(struct bytes parameters, struct bytes method, struct arena *arena)
{
    struct http_auth auth = { .kind = HTTP_AUTH_DIGEST };
    struct http_digest *d = &auth.digest;
    struct parameters p = { 0 };

    if (!read_parameters(parameters, arena, &p) || !is_complete(&p) ||
        !read_user_name(&p, arena, &d->user_name))
        return only(HTTP_AUTH_MALFORMED);
    d->algorithm = algorithm_of(&p);
    if (d->algorithm == DIGEST_NONE || !bytes_is_nocase(p.value[QOP], "auth") ||
        (p.present[USER_HASH] && !bytes_is_nocase(p.value[USER_HASH], "false")))
        return only(HTTP_AUTH_OTHER);
    if (!is_hex(p.value[NC], NC_LEN, true) || !is_hex(p.value[RESPONSE], 2 * digest_len(d->algorithm), false))
        return only(HTTP_AUTH_MALFORMED);
    d->realm = p.value[REALM];
    d->nonce = p.value[NONCE];
    d->nc = p.value[NC];
    d->cnonce = p.value[CNONCE];
    d->uri = p.value[URI];
    d->method = method;
    d->response = p.value[RESPONSE];
    auth.opaque = p.value[OPAQUE];
    return auth;
}

/* --- Authorization --- */

struct http_auth http_auth_read(const struct http_request *request)
{
    struct bytes rest = http_header_find(request, "Authorization"), scheme;
    size_t count = http_header_count(request, "Authorization");

    if (count == 0)
        return only(HTTP_AUTH_NONE);
    if (count > 1 || !read_token(&rest, &scheme) || (rest.len > 0 && rest.data[0] != ' '))
        return only(HTTP_AUTH_MALFORMED);
    skip_blanks(&rest);
    if (bytes_is_nocase(scheme, "Basic"))
        return read_basic(rest, request->arena);
    if (bytes_is_nocase(scheme, "Digest"))
        return read_digest(rest, request->method_text, request->arena);
    return only(HTTP_AUTH_OTHER);
}

bool http_auth_uri_fits(struct bytes uri, const struct http_request *request, struct bytes operation)
{
    static const char root[] = "/.well-known/est/";
    struct bytes path = bytes_slice(uri, 0, request->path.len);

    if (bytes_equal(path, request->path)) {
        struct bytes rest = bytes_from(uri, path.len);

        return rest.len == 0 ? request->query.len == 0
                             : rest.data[0] == '?' && bytes_equal(bytes_from(rest, 1), request->query);
    }
    return bytes_starts_with(uri, root) && bytes_equal(bytes_from(uri, strlen(root)), operation) &&
           request->query.len == 0;
}

/* --- challenges --- */

static struct bytes quoted(const char *text, struct arena *arena)
{
    AUTO_STRUCT(buffer) out = BUFFER(2 * strlen(text) + 2);

    buffer_append_byte(&out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buffer_append_byte(&out, '\\');
        if ((uint8_t)*text >= 0x20 && *text != 0x7f)
            buffer_append_byte(&out, (uint8_t)*text);
    }
    buffer_append_byte(&out, '"');
    return buffer_failed(&out) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&out));
}

static struct bytes digest_challenge(const struct http_challenges *c, struct bytes realm,
                                     const char *algorithm, struct arena *arena)
{
    return arena_format(arena, "Digest realm=%.*s, qop=\"auth\", algorithm=%s, nonce=\"%s\", opaque=\"%s\"%s",
                        BYTES_FMT(realm), algorithm, c->nonce, HTTP_AUTH_OPAQUE,
                        c->stale ? ", stale=true" : "");
}

bool http_auth_challenge(const struct http_challenges *c, struct arena *arena, struct http_response *response)
{
    struct bytes text[CHALLENGES_MAX], realm = quoted(c->realm, arena), strongest = BYTES_NONE;
    size_t count = 0;

    if (realm.data == NULL)
        return false;
    if (c->digest)
        strongest = digest_challenge(c, realm, "SHA-256", arena);
    if (c->digest && !c->libest)
        text[count++] = strongest;
    if (c->digest && c->digest_md5)
        text[count++] = digest_challenge(c, realm, "MD5", arena);
    if (c->basic)
        text[count++] = arena_format(arena, "Basic realm=%.*s, charset=\"UTF-8\"", BYTES_FMT(realm));
    if (c->digest && c->libest)
        text[count++] = strongest;
    for (size_t i = 0; i < count; i++)
        if (text[i].data == NULL)
            return false;
    for (size_t i = 0; i < count; i++)
        http_response_add(response, "WWW-Authenticate", text[i]);
    return true;
}
