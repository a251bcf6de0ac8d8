/* muster-bench acme: ACME (RFC 8555), orders of one name each, from newOrder to the certificate, ES256.
 * Accounts are made before the interval. What is asked next follows from what an answer says: where names are
 * authorized beforehand that is newOrder, finalize and the certificate; else an authorization is read and a
 * challenge is posted, which the server must take without looking. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/requests.h"
#include "bench/work.h"
#include "lib/base/encode.h"
#include "lib/jose/jws.h"
#include "lib/pki/certificate.h"

enum { URL_MAX = 512, NONCE_MAX = 256, POSTS_MAX = 2000, CHAIN_MAX = 8, CALL_ARENA_MAX = 1 << 20 };

static const char key_name[] = "account";

struct account {
    struct keys *ring; /* holds its key as key_name */
    struct bytes url;
};

enum doing { NEW_ORDER, ORDER, AUTHORIZATION, CHALLENGE, CERTIFICATE, REVOCATION };

struct exchange {
    size_t key; /* its number among the keys */
    char cn[BENCH_CN_MAX];
    struct bytes names, csr, revocation; /* payloads of newOrder, finalize and revokeCert */
    const struct account *account;       /* NULL: the client's */
    enum doing doing;                    /* what was asked last: */
    char url[URL_MAX];
    struct bytes payload;  /* none: POST-as-GET */
    char order[URL_MAX];   /* its address */
    bool fetches_nonce;    /* the last request was for a nonce, the one above is still to be made */
    bool challenge_posted; /* from then on the order is looked at */
    unsigned posts;
};

struct acme {
    struct work_order wanted;
    const struct key_type *type;
    struct arena *arena;
    size_t pool, accounts;
    struct bench_key *key;
    struct account *account;
    struct exchange *exchange;
    char (*nonce)[NONCE_MAX]; /* of each client: what its last answer brought; "": none */
    struct link_target directory;
    char new_nonce[URL_MAX], new_account[URL_MAX], new_order[URL_MAX], revoke_cert[URL_MAX];
    enum doing first, last; /* of what an exchange asks; ORDER and REVOCATION are asked once */
};

/* --- messages --- */

static bool set_text(char *out, size_t max, struct bytes text)
{
    if (text.len == 0 || text.len >= max)
        return false;
    (void)snprintf(out, max, "%.*s", (int)text.len, (const char *)text.data);
    return true;
}

static bool put_http(const struct acme *c, const char *url, const char *method, struct bytes body,
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
static bool put_post(const struct acme *c, const struct account *account, const char *url, const char *nonce,
                     struct bytes payload, struct buffer *out)
{
    AUTO_ARENA *arena = arena_new(CALL_ARENA_MAX);
    struct jws_header header = { .kid = account->url, .url = bytes_text(url), .nonce = bytes_text(nonce) };
    struct bytes text;
    struct error err;

    if (account->url.len == 0)
        header.jwk = keys_public(account->ring, key_name);
    return arena != NULL &&
           jws_sign(&JWS_RULES_ACME, &header, payload, account->ring, key_name, arena, &text, &err) &&
           put_http(c, url, "POST", text, out);
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

    if (!put_http(c, c->wanted.url, "GET", BYTES_NONE, &request) || !once(c, &request, &answer, err))
        return false;
    directory = json_read(answer.body);
    link_answer_free(&answer);
    (void)set_text(c->revoke_cert, URL_MAX, json_member(directory, "revokeCert"));
    return (set_text(c->new_nonce, URL_MAX, json_member(directory, "newNonce")) &&
            set_text(c->new_account, URL_MAX, json_member(directory, "newAccount")) &&
            set_text(c->new_order, URL_MAX, json_member(directory, "newOrder"))) ||
           error_set(err, ERROR_FORMAT, "%s: status %d, no directory", c->wanted.url, answer.status);
}

static bool fetch_nonce(struct acme *c, char nonce[NONCE_MAX], struct error *err)
{
    AUTO_STRUCT(buffer) request = BUFFER(64 * 1024);
    struct link_answer answer = { 0 };
    bool found;

    if (!put_http(c, c->new_nonce, "GET", BYTES_NONE, &request) || !once(c, &request, &answer, err))
        return false;
    found = set_text(nonce, NONCE_MAX, link_header(&answer, "Replay-Nonce"));
    link_answer_free(&answer);
    return found || error_set(err, ERROR_FORMAT, "newNonce: status %d, no nonce", answer.status);
}

/* The MAC of key id over the account's key. */
static bool put_binding(struct acme *c, const struct account *account, json_t *payload, struct error *err)
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

static bool make_account(struct acme *c, struct account *account, struct error *err)
{
    AUTO_STRUCT(buffer) request = BUFFER(64 * 1024);
    AUTO(json_t) *payload = json_object();
    struct link_answer answer = { 0 };
    char nonce[NONCE_MAX];
    struct bytes text;
    bool made;

    if (!keys_new(&account->ring, err) || !keys_generate(account->ring, key_name, KEY_EC_P256, 0, err) ||
        !json_put(payload, "termsOfServiceAgreed", json_true()) ||
        (c->wanted.options->kid != NULL && !put_binding(c, account, payload, err)) ||
        !json_write(payload, c->arena, &text) || !fetch_nonce(c, nonce, err) ||
        !put_post(c, account, c->new_account, nonce, text, &request) || !once(c, &request, &answer, err))
        return false;
    account->url = arena_copy(c->arena, link_header(&answer, "Location"));
    made = answer.status == 201 && account->url.len > 0;
    if (!made)
        (void)error_set(err, ERROR_DENIED, "newAccount: status %d: %.*s", answer.status, (int)answer.body.len,
                        (const char *)answer.body.data);
    link_answer_free(&answer);
    return made;
}

static bool make_exchange(struct acme *c, size_t n, struct error *err)
{
    struct exchange *x = &c->exchange[n];
    AUTO_STRUCT(buffer) text = BUFFER(64 * 1024);
    struct bytes csr;

    x->key = n % c->pool;
    bench_fqdn(c->wanted.options->pattern, c->wanted.first + x->key, x->cn);
    if (!bench_csr(&c->key[x->key], &(struct bench_csr_order){ .cn = x->cn }, c->arena, &csr, err))
        return false;
    x->names = arena_format(c->arena, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"%s\"}]}", x->cn);
    buffer_append_text(&text, "{\"csr\":\"");
    base64url_encode(&text, csr);
    buffer_append_text(&text, "\"}");
    x->csr = buffer_failed(&text) ? BYTES_NONE : arena_copy(c->arena, buffer_bytes(&text));
    return (x->names.data != NULL && x->csr.data != NULL) || error_set(err, ERROR_MEMORY, "requests");
}

static bool build(struct acme *c, struct error *err)
{
    const struct load_options *options = c->wanted.options;

    c->pool = work_pool(&c->wanted, c->type);
    c->accounts = options->accounts;
    c->key = arena_array(c->arena, c->pool, sizeof(*c->key));
    c->account = arena_array(c->arena, c->accounts, sizeof(*c->account));
    c->exchange = arena_array(c->arena, c->wanted.count, sizeof(*c->exchange));
    c->nonce = arena_array(c->arena, options->clients, sizeof(*c->nonce));
    if (c->key == NULL || c->account == NULL || c->exchange == NULL || c->nonce == NULL)
        return error_set(err, ERROR_MEMORY, "requests");
    if (!link_target_parse(c->wanted.url, &c->directory, err) || !read_directory(c, err))
        return false;
    for (size_t i = 0; i < c->accounts; i++)
        if (!make_account(c, &c->account[i], err))
            return false;
    for (size_t i = 0; i < c->pool; i++)
        if (!bench_key_make(c->type, options->pattern, i, &c->key[i], err))
            return false;
    for (size_t n = 0; n < c->wanted.count; n++)
        if (!make_exchange(c, n, err))
            return false;
    return true;
}

/* --- one exchange --- */

static bool ask(struct exchange *x, enum doing doing, struct bytes url, struct bytes payload)
{
    x->doing = doing;
    x->payload = payload;
    return set_text(x->url, URL_MAX, url);
}

static bool look_at_order(struct exchange *x)
{
    return ask(x, ORDER, bytes_text(x->order), BYTES_NONE);
}

static bool after_order(struct exchange *x, const json_t *order)
{
    struct bytes status = json_member(order, "status");

    if (bytes_is(status, "valid"))
        return ask(x, CERTIFICATE, json_member(order, "certificate"), BYTES_NONE);
    if (bytes_is(status, "ready"))
        return ask(x, ORDER, json_member(order, "finalize"), x->csr);
    if (bytes_is(status, "pending") && !x->challenge_posted)
        return ask(x, AUTHORIZATION, json_bytes(json_array_get(json_object_get(order, "authorizations"), 0)),
                   BYTES_NONE);
    return !bytes_is(status, "invalid") && look_at_order(x);
}

static bool after_authorization(struct exchange *x, const json_t *authorization)
{
    const json_t *challenge = json_array_get(json_object_get(authorization, "challenges"), 0);

    if (!bytes_is(json_member(authorization, "status"), "pending"))
        return look_at_order(x);
    x->challenge_posted = true;
    return ask(x, CHALLENGE, json_member(challenge, "url"), BYTES_LITERAL("{}"));
}

static bool is_bad_nonce(const struct link_answer *answer)
{
    AUTO(json_t) *problem = json_read(answer->body);

    return bytes_is(json_member(problem, "type"), "urn:ietf:params:acme:error:badNonce");
}

/* What is to be asked after this answer; false: nothing. */
static bool go_on(struct exchange *x, enum doing last, const struct link_answer *answer)
{
    AUTO(json_t) *object = NULL;

    if (answer->status >= 300)
        return is_bad_nonce(answer); /* the same again */
    if (x->doing == NEW_ORDER && !set_text(x->order, URL_MAX, link_header(answer, "Location")))
        return false;
    if (x->doing == last)
        return false;
    object = json_read(answer->body);
    if (object == NULL)
        return false;
    switch (x->doing) {
    case AUTHORIZATION: return after_authorization(x, object);
    case CHALLENGE: return look_at_order(x);
    case NEW_ORDER:
    case ORDER:
    case CERTIFICATE:
    case REVOCATION: break;
    }
    return after_order(x, object);
}

static bool begin_exchange(const struct acme *c, struct exchange *x)
{
    switch (c->first) {
    case ORDER: return look_at_order(x);
    case REVOCATION: return ask(x, REVOCATION, bytes_text(c->revoke_cert), x->revocation);
    case NEW_ORDER:
    case AUTHORIZATION:
    case CHALLENGE:
    case CERTIFICATE: break;
    }
    return ask(x, NEW_ORDER, bytes_text(c->new_order), x->names);
}

static bool talk(void *context, unsigned client, size_t n, const struct link_answer *before,
                 struct buffer *request)
{
    struct acme *c = context;
    struct exchange *x = &c->exchange[n];
    char *nonce = c->nonce[client];
    bool sound = true, fetched = before != NULL && x->fetches_nonce;

    if (x->account == NULL)
        x->account = &c->account[client % c->accounts];
    if (before == NULL)
        sound = begin_exchange(c, x);
    else if (!set_text(nonce, NONCE_MAX, link_header(before, "Replay-Nonce")))
        nonce[0] = '\0';
    if (before != NULL && !fetched)
        sound = go_on(x, c->last, before);
    if (!sound || x->posts == POSTS_MAX)
        return false;
    x->fetches_nonce = nonce[0] == '\0';
    if (x->fetches_nonce)
        return !fetched && put_http(c, c->new_nonce, "GET", BYTES_NONE, request);
    sound = put_post(c, x->account, x->url, nonce, x->payload, request);
    nonce[0] = '\0';
    x->posts++;
    return sound;
}

/* --- after the interval --- */

static void say_problem(const struct link_answer *answer, char why[LOAD_WHY_MAX])
{
    AUTO(json_t) *problem = json_read(answer->body);
    struct bytes type = json_member(problem, "type");

    (void)snprintf(why, LOAD_WHY_MAX, "HTTP status %d%s%.*s", answer->status, type.len > 0 ? ", " : "",
                   (int)(type.len < 64 ? type.len : 64), type.len > 0 ? (const char *)type.data : "");
}

static bool put_revocation(struct acme *c, struct exchange *x, struct bytes der)
{
    AUTO_STRUCT(buffer) text = BUFFER(64 * 1024);

    buffer_append_text(&text, "{\"certificate\":\"");
    base64url_encode(&text, der);
    buffer_append_text(&text, "\"}");
    x->revocation = buffer_failed(&text) ? BYTES_NONE : arena_copy(c->arena, buffer_bytes(&text));
    return x->revocation.data != NULL;
}

static bool judge(void *context, size_t n, const struct link_answer *last, struct arena *arena,
                  struct bytes *certificate, char why[LOAD_WHY_MAX])
{
    struct acme *c = context;
    struct exchange *x = &c->exchange[n];
    struct bytes der[CHAIN_MAX];
    size_t count = 0;
    struct error err;

    say_problem(last, why);
    if (x->doing != c->last || last->status >= 300 || x->fetches_nonce)
        return false;
    if (x->doing != CERTIFICATE)
        return true;
    (void)snprintf(why, LOAD_WHY_MAX, "no certificate for the right key and name");
    if (!certificates_from_pem(last->body, arena, der, CHAIN_MAX, &count, &err) || count == 0 ||
        !bench_certificate_fits(der[0], &c->key[x->key], x->cn))
        return false;
    *certificate = der[0];
    return put_revocation(c, x, der[0]);
}

/* The JWS of each message is verified; for a certificate the CSR too, and it is signed. */
static void bill(const void *context, struct floor *exchange, struct floor *handshake)
{
    const struct acme *c = context;
    size_t posts = 0, begun = 0;

    (void)handshake;
    for (size_t n = 0; n < c->wanted.count; n++) {
        posts += c->exchange[n].posts;
        begun += c->exchange[n].posts > 0;
    }
    exchange->times[VERIFY_P256] += begun > 0 ? (double)posts / (double)begun : 0;
    if (c->last == CERTIFICATE) {
        exchange->times[c->type->verify]++;
        exchange->times[SIGN_P256]++;
    }
}

/* --- the operations --- */

static void end(void *context)
{
    struct acme *c = context;

    for (size_t i = 0; c->account != NULL && i < c->accounts; i++)
        keys_unref(c->account[i].ring);
    bench_keys_free(c->key, c->pool);
    arena_free(c->arena);
    free(c);
}

static void offer(struct acme *c, const char *what, enum doing first, enum doing last, struct load_work *out)
{
    for (size_t n = 0; n < c->wanted.count; n++)
        c->exchange[n].posts = 0;
    c->first = first;
    c->last = last;
    out->target = c->directory;
    out->talk = talk;
    out->judge = judge;
    out->bill = bill;
    out->end = end;
    out->context = c;
    (void)snprintf(out->name, sizeof(out->name), "acme %s, %s", what, c->type->title);
}

static bool open_enroll(const struct work_order *order, struct load_work *out, struct error *err)
{
    struct acme *c = calloc(1, sizeof(*c));

    if (c == NULL || (c->arena = arena_new((size_t)16 << 30)) == NULL) {
        free(c);
        return error_set(err, ERROR_MEMORY, "requests");
    }
    c->wanted = *order;
    c->type = work_key(order->options, "p256");
    if (!build(c, err)) {
        end(c);
        return false;
    }
    offer(c, "order to certificate", NEW_ORDER, CERTIFICATE, out);
    return true;
}

/* An order is placed beforehand, and looked at. */
static bool open_poll(const struct work_order *order, struct load_work *out, struct error *err)
{
    if (!open_enroll(order, out, err))
        return false;
    offer(out->context, "newOrder", NEW_ORDER, NEW_ORDER, out);
    if (!work_hold(order, out, err)) {
        end(out->context);
        return false;
    }
    offer(out->context, "poll of an order", ORDER, ORDER, out);
    return true;
}

static bool open_revoke(const struct work_order *order, struct load_work *out, struct error *err)
{
    const struct acme *c;

    if (!open_enroll(order, out, err))
        return false;
    c = out->context;
    if ((c->revoke_cert[0] == '\0' &&
         !error_set(err, ERROR_UNSUPPORTED, "the directory has no revokeCert")) ||
        !work_hold(order, out, err)) {
        end(out->context);
        return false;
    }
    offer(out->context, "revokeCert", REVOCATION, REVOCATION, out);
    return true;
}

static const char usage[] =
    "usage: muster-bench acme --target URL [options]\n"
    "\n"
    "  --target URL     the directory: https://host:port/acme/<procedure>/directory\n"
    "  --mix A=W,...    operations and weights (default enroll): enroll (newOrder to certificate); poll\n"
    "                   (POST-as-GET of orders that are placed beforehand); revoke (certificates that are\n"
    "                   ordered beforehand)\n"
    "  --kid ID         key id that accounts are bound to: register it pre-authorised, for many accounts\n"
    "  --hmac KEY       its HMAC key, base64url\n"
    "  --accounts N     made beforehand and shared by the clients (default 32)\n";

const struct work_protocol work_acme = {
    "acme", usage, { { "enroll", open_enroll }, { "poll", open_poll }, { "revoke", open_revoke } }
};

int bench_acme(int argc, char **argv)
{
    return work_run(&work_acme, argc, argv);
}
