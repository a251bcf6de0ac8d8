/* Accounts of ACME, and the messages that they sign. */
#include <stdio.h>

#include "bench/acme_internal.h"
#include "lib/base/encode.h"
#include "lib/jose/jws.h"

enum { CALL_ARENA_MAX = 1 << 20 };

static const char key_name[] = "account";

/* --- messages --- */

bool acme_set_text(char *out, size_t max, struct bytes text)
{
    if (text.len == 0 || text.len >= max)
        return false;
    (void)snprintf(out, max, "%.*s", (int)text.len, (const char *)text.data);
    return true;
}

bool acme_put_http(const struct acme *c, const char *url, const char *method, struct bytes body,
                   struct buffer *out)
{
    struct link_target target;
    struct error err;

    if (!link_target_parse(url, &target, &err))
        return false;
    link_request_put(
        out, &target,
        &(struct link_request){ .method = method,
                                .keep_alive = c->wanted.options->connections == LOAD_KEEP,
                                .more = "User-Agent: muster-bench\r\nContent-Type: application/jose+json\r\n",
                                .body = body });
    return true;
}

/* A signed POST: by the account's address, or, while it has none, by its key. */
bool acme_put_post(const struct acme *c, const struct acme_account *account, const char *url,
                   const char *nonce, struct bytes payload, struct buffer *out)
{
    AUTO_ARENA *arena = arena_new(CALL_ARENA_MAX);
    struct jws_header header = { .kid = account->url, .url = bytes_text(url), .nonce = bytes_text(nonce) };
    struct bytes text;
    struct error err;

    if (account->url.len == 0)
        header.jwk = keys_public(account->ring, key_name);
    return arena != NULL &&
           jws_sign(&JWS_RULES_ACME, &header, payload, account->ring, key_name, arena, &text, &err) &&
           acme_put_http(c, url, "POST", text, out);
}

/* --- before the interval --- */

static bool once(struct acme *c, struct buffer *request, struct link_answer *out, struct error *err)
{
    if (buffer_failed(request))
        return error_set(err, ERROR_MEMORY, "requests");
    return load_once(&c->directory, c->wanted.options->trust, buffer_bytes(request), out, err);
}

static bool read_directory(struct acme *c, struct error *err)
{
    AUTO_STRUCT(buffer) request = BUFFER(64 * 1024);
    AUTO(json_t) *directory = NULL;
    struct link_answer answer = { 0 };

    if (!acme_put_http(c, c->wanted.url, "GET", BYTES_NONE, &request) || !once(c, &request, &answer, err))
        return false;
    directory = json_read(answer.body);
    link_answer_free(&answer);
    c->has_renewal_info = json_member(directory, "renewalInfo").len > 0;
    if (!acme_set_text(c->revoke_cert, ACME_URL_MAX, json_member(directory, "revokeCert")))
        c->revoke_cert[0] = '\0'; /* it has none */
    return (acme_set_text(c->new_nonce, ACME_URL_MAX, json_member(directory, "newNonce")) &&
            acme_set_text(c->new_account, ACME_URL_MAX, json_member(directory, "newAccount")) &&
            acme_set_text(c->new_order, ACME_URL_MAX, json_member(directory, "newOrder"))) ||
           error_set(err, ERROR_FORMAT, "%s: status %d, no directory", c->wanted.url, answer.status);
}

static bool fetch_nonce(struct acme *c, char nonce[ACME_NONCE_MAX], struct error *err)
{
    AUTO_STRUCT(buffer) request = BUFFER(64 * 1024);
    struct link_answer answer = { 0 };
    bool found;

    if (!acme_put_http(c, c->new_nonce, "GET", BYTES_NONE, &request) || !once(c, &request, &answer, err))
        return false;
    found = acme_set_text(nonce, ACME_NONCE_MAX, link_header(&answer, "Replay-Nonce"));
    link_answer_free(&answer);
    return found || error_set(err, ERROR_FORMAT, "newNonce: status %d, no nonce", answer.status);
}

/* The MAC of key id over the account's key. */
static bool put_binding(struct acme *c, const struct acme_account *account, json_t *payload,
                        struct error *err)
{
    AUTO(json_t) *jwk = jwk_of_spki(keys_public(account->ring, key_name));
    struct bytes hmac = bytes_text(c->wanted.options->hmac), inner, text;
    uint8_t *key = arena_alloc(c->arena, BASE64_DECODED_MAX(hmac.len));
    const struct jws_header header = { .algorithm = JWS_HS256,
                                       .kid = bytes_text(c->wanted.options->kid),
                                       .url = bytes_text(c->new_account) };
    size_t len;

    if (key == NULL || !base64url_decode(hmac, key, &len))
        return error_set(err, ERROR_FORMAT, "--hmac is not base64url");
    return (json_write(jwk, c->arena, &inner) &&
            jws_sign_mac(&header, inner, bytes_of(key, len), c->arena, &text, err) &&
            json_put(payload, "externalAccountBinding", json_read(text))) ||
           error_set(err, ERROR_MEMORY, "the binding");
}

static bool make_account(struct acme *c, struct acme_account *account, struct error *err)
{
    AUTO_STRUCT(buffer) request = BUFFER(64 * 1024);
    AUTO(json_t) *payload = json_object();
    struct link_answer answer = { 0 };
    char nonce[ACME_NONCE_MAX];
    struct bytes text;
    bool made;

    if (!keys_new(&account->ring, err) || !keys_generate(account->ring, key_name, KEY_EC_P256, 0, err) ||
        !json_put(payload, "termsOfServiceAgreed", json_true()) ||
        (c->wanted.options->kid != NULL && !put_binding(c, account, payload, err)) ||
        !json_write(payload, c->arena, &text) || !fetch_nonce(c, nonce, err) ||
        !acme_put_post(c, account, c->new_account, nonce, text, &request) || !once(c, &request, &answer, err))
        return false;
    account->url = arena_copy(c->arena, link_header(&answer, "Location"));
    made = answer.status == 201 && account->url.len > 0;
    if (!made)
        (void)error_set(err, ERROR_DENIED, "newAccount: status %d: %.*s", answer.status, (int)answer.body.len,
                        (const char *)answer.body.data);
    link_answer_free(&answer);
    return made;
}

bool acme_open_accounts(struct acme *c, struct error *err)
{
    if (!link_target_parse(c->wanted.url, &c->directory, err) || !read_directory(c, err))
        return false;
    for (unsigned i = 0; i < c->accounts; i++)
        if (!make_account(c, &c->account[i], err))
            return false;
    return true;
}
