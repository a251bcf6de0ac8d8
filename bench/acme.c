/* muster-bench acme: orders of one name each, from newOrder to the certificate, ES256, every one with a key
 * of its own. Accounts are made before the interval. What is asked next follows from what an answer says:
 * where names are authorized beforehand that is newOrder, finalize and the certificate; else an authorization
 * is read and a challenge is posted, which the server must take without looking. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/load.h"
#include "bench/options.h"
#include "bench/requests.h"
#include "lib/base/encode.h"
#include "lib/jose/jws.h"
#include "lib/pki/certificate.h"

enum { URL_MAX = 512, NONCE_MAX = 256, POSTS_MAX = 2000, CHAIN_MAX = 8, CALL_ARENA_MAX = 1 << 20 };

static const char key_name[] = "account";

struct account {
    struct keys *ring; /* holds its key as key_name */
    struct bytes url;
};

enum doing { NEW_ORDER, ORDER, AUTHORIZATION, CHALLENGE, CERTIFICATE };

struct exchange {
    struct bench_key key;
    struct bytes names, csr; /* payloads of newOrder and finalize */
    enum doing doing;        /* what was asked last: */
    char url[URL_MAX];
    struct bytes payload;  /* none: POST-as-GET */
    char order[URL_MAX];   /* its address */
    bool fetches_nonce;    /* the last request was for a nonce, the one above is still to be made */
    bool challenge_posted; /* from then on the order is looked at */
    unsigned posts;
};

struct campaign {
    const struct load_options *options;
    struct arena *arena;
    struct load_plan plan;
    struct load_result result;
    char new_nonce[URL_MAX], new_account[URL_MAX], new_order[URL_MAX];
    struct account *account;
    struct exchange *exchange;
    char (*nonce)[NONCE_MAX]; /* of each client: what its last answer brought; "": none */
    size_t good, posts;
};

/* --- messages --- */

static bool set_text(char *out, size_t max, struct bytes text)
{
    if (text.len == 0 || text.len >= max)
        return false;
    (void)snprintf(out, max, "%.*s", (int)text.len, (const char *)text.data);
    return true;
}

static bool put_http(const struct campaign *c, const char *url, const char *method, struct bytes body,
                     struct buffer *out)
{
    struct load_target target;
    struct error err;

    if (!load_target_parse(url, &target, &err))
        return false;
    load_request(out, &target, method, "", c->plan.keep_alive,
                 "User-Agent: muster-bench\r\nContent-Type: application/jose+json\r\n", body);
    return true;
}

/* A signed POST: by the account's address, or, while it has none, by its key. */
static bool put_post(const struct campaign *c, const struct account *account, const char *url,
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
           put_http(c, url, "POST", text, out);
}

/* --- before the interval --- */

static bool once(struct campaign *c, struct buffer *request, struct load_answer *out, struct error *err)
{
    if (buffer_failed(request))
        return error_set(err, ERROR_MEMORY, "requests");
    return load_once(&c->plan, buffer_bytes(request), out, err);
}

static void forget(struct load_answer *answer)
{
    free((void *)(uintptr_t)answer->body.data);
}

static bool read_directory(struct campaign *c, struct error *err)
{
    AUTO_STRUCT(buffer) request = BUFFER(64 * 1024);
    AUTO(json_t) *directory = NULL;
    struct load_answer answer;

    if (!put_http(c, c->options->target, "GET", BYTES_NONE, &request) || !once(c, &request, &answer, err))
        return false;
    directory = json_read(answer.body);
    forget(&answer);
    return (set_text(c->new_nonce, URL_MAX, json_member(directory, "newNonce")) &&
            set_text(c->new_account, URL_MAX, json_member(directory, "newAccount")) &&
            set_text(c->new_order, URL_MAX, json_member(directory, "newOrder"))) ||
           error_set(err, ERROR_FORMAT, "%s: status %d, no directory", c->options->target, answer.status);
}

static bool fetch_nonce(struct campaign *c, char nonce[NONCE_MAX], struct error *err)
{
    AUTO_STRUCT(buffer) request = BUFFER(64 * 1024);
    struct load_answer answer;
    bool found;

    if (!put_http(c, c->new_nonce, "GET", BYTES_NONE, &request) || !once(c, &request, &answer, err))
        return false;
    found = set_text(nonce, NONCE_MAX, load_header(&answer, "Replay-Nonce"));
    forget(&answer);
    return found || error_set(err, ERROR_FORMAT, "newNonce: status %d, no nonce", answer.status);
}

/* The MAC of key id over the account's key. */
static bool put_binding(struct campaign *c, const struct account *account, json_t *payload, struct error *err)
{
    AUTO(json_t) *jwk = jwk_of_spki(keys_public(account->ring, key_name));
    struct bytes hmac = bytes_text(c->options->hmac), inner, text;
    uint8_t *key = arena_alloc(c->arena, BASE64_DECODED_MAX(hmac.len));
    const struct jws_header header = { .algorithm = JWS_HS256,
                                       .kid = bytes_text(c->options->kid),
                                       .url = bytes_text(c->new_account) };
    size_t len;

    if (key == NULL || !base64url_decode(hmac, key, &len))
        return error_set(err, ERROR_FORMAT, "--hmac is not base64url");
    return (json_write(jwk, c->arena, &inner) &&
            jws_sign_mac(&header, inner, bytes_of(key, len), c->arena, &text, err) &&
            json_put(payload, "externalAccountBinding", json_read(text))) ||
           error_set(err, ERROR_MEMORY, "the binding");
}

static bool make_account(struct campaign *c, struct account *account, struct error *err)
{
    AUTO_STRUCT(buffer) request = BUFFER(64 * 1024);
    AUTO(json_t) *payload = json_object();
    struct load_answer answer;
    char nonce[NONCE_MAX];
    struct bytes text;
    bool made;

    if (!keys_new(&account->ring, err) || !keys_generate(account->ring, key_name, KEY_EC_P256, 0, err) ||
        !json_put(payload, "termsOfServiceAgreed", json_true()) ||
        (c->options->kid != NULL && !put_binding(c, account, payload, err)) ||
        !json_write(payload, c->arena, &text) || !fetch_nonce(c, nonce, err) ||
        !put_post(c, account, c->new_account, nonce, text, &request) || !once(c, &request, &answer, err))
        return false;
    account->url = arena_copy(c->arena, load_header(&answer, "Location"));
    made = answer.status == 201 && account->url.len > 0;
    if (!made)
        (void)error_set(err, ERROR_DENIED, "newAccount: status %d: %.*s", answer.status, (int)answer.body.len,
                        (const char *)answer.body.data);
    forget(&answer);
    return made;
}

static bool make_exchange(struct campaign *c, size_t n, struct error *err)
{
    struct exchange *x = &c->exchange[n];
    AUTO_STRUCT(buffer) text = BUFFER(64 * 1024);
    struct bytes csr;

    if (!bench_key_make(0, c->options->pattern, n, &x->key, err) ||
        !bench_csr(&x->key, NULL, c->arena, &csr, err))
        return false;
    x->names = arena_format(c->arena, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"%s\"}]}", x->key.cn);
    buffer_append_text(&text, "{\"csr\":\"");
    base64url_encode(&text, csr);
    buffer_append_text(&text, "\"}");
    x->csr = buffer_failed(&text) ? BYTES_NONE : arena_copy(c->arena, buffer_bytes(&text));
    return (x->names.data != NULL && x->csr.data != NULL) || error_set(err, ERROR_MEMORY, "requests");
}

static bool build(struct campaign *c, struct error *err)
{
    c->account = arena_array(c->arena, c->options->pool, sizeof(*c->account));
    c->exchange = arena_array(c->arena, c->plan.count, sizeof(*c->exchange));
    c->nonce = arena_array(c->arena, c->plan.clients, sizeof(*c->nonce));
    if (c->account == NULL || c->exchange == NULL || c->nonce == NULL)
        return error_set(err, ERROR_MEMORY, "requests");
    if (!read_directory(c, err))
        return false;
    for (unsigned i = 0; i < c->options->pool; i++)
        if (!make_account(c, &c->account[i], err))
            return false;
    for (size_t n = 0; n < c->plan.count; n++)
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

static bool is_bad_nonce(const struct load_answer *answer)
{
    AUTO(json_t) *problem = json_read(answer->body);

    return bytes_is(json_member(problem, "type"), "urn:ietf:params:acme:error:badNonce");
}

/* What is to be asked after this answer; false: nothing. */
static bool go_on(struct exchange *x, const struct load_answer *answer)
{
    AUTO(json_t) *object = NULL;

    if (answer->status >= 300)
        return is_bad_nonce(answer); /* the same again */
    if (x->doing == NEW_ORDER && !set_text(x->order, URL_MAX, load_header(answer, "Location")))
        return false;
    object = x->doing == CERTIFICATE ? NULL : json_read(answer->body);
    if (object == NULL)
        return false;
    switch (x->doing) {
    case AUTHORIZATION: return after_authorization(x, object);
    case CHALLENGE: return look_at_order(x);
    case NEW_ORDER:
    case ORDER:
    case CERTIFICATE: break;
    }
    return after_order(x, object);
}

static bool talk(void *context, unsigned client, size_t n, const struct load_answer *before,
                 struct buffer *request)
{
    struct campaign *c = context;
    struct exchange *x = &c->exchange[n];
    char *nonce = c->nonce[client];
    bool sound = true, fetched = before != NULL && x->fetches_nonce;

    if (before == NULL)
        sound = ask(x, NEW_ORDER, bytes_text(c->new_order), x->names);
    else if (!set_text(nonce, NONCE_MAX, load_header(before, "Replay-Nonce")))
        nonce[0] = '\0';
    if (before != NULL && !fetched)
        sound = go_on(x, before);
    if (!sound || x->posts == POSTS_MAX)
        return false;
    x->fetches_nonce = nonce[0] == '\0';
    if (x->fetches_nonce)
        return !fetched && put_http(c, c->new_nonce, "GET", BYTES_NONE, request);
    sound = put_post(c, &c->account[client % c->options->pool], x->url, nonce, x->payload, request);
    nonce[0] = '\0';
    x->posts++;
    return sound;
}

/* --- after the interval --- */

static bool holds(struct campaign *c, size_t n, struct bytes *serial)
{
    const struct exchange *x = &c->exchange[n];
    const struct load_answer *answer = &c->result.answer[n];
    struct bytes der[CHAIN_MAX];
    size_t count = 0;
    struct error err;

    return x->doing == CERTIFICATE && answer->status == 200 &&
           certificates_from_pem(answer->body, c->arena, der, CHAIN_MAX, &count, &err) && count > 0 &&
           bench_certificate_fits(der[0], &x->key, c->arena, serial);
}

static void verify(struct campaign *c)
{
    struct bytes *serial = arena_array(c->arena, c->plan.count, sizeof(*serial));
    const struct load_answer *failed = NULL;

    for (size_t n = 0; serial != NULL && n < c->plan.count; n++) {
        c->posts += c->exchange[n].posts;
        if (holds(c, n, &serial[c->good]))
            c->good++;
        else if (failed == NULL)
            failed = &c->result.answer[n];
    }
    if (failed != NULL)
        fprintf(stderr, "muster-bench: the first that failed: status %d: %.*s\n", failed->status,
                (int)failed->body.len, failed->body.len > 0 ? (const char *)failed->body.data : "");
    if (bench_distinct(serial, c->good) != c->good) {
        fprintf(stderr, "muster-bench: serial numbers repeat: these are repeated answers, not enrollments\n");
        c->good = 0;
    }
}

static bool run(struct campaign *c, struct error *err)
{
    const struct load_options *options = c->options;
    double messages;
    char name[64];

    c->plan = (struct load_plan){ .trust_path = options->trust,
                                  .clients = options->clients,
                                  .keep_alive = options->keep_alive,
                                  .count = options->count,
                                  .talk = talk,
                                  .context = c,
                                  .target_pid = options->pid };
    c->arena = arena_new((size_t)8 << 30);
    if (c->arena == NULL)
        return error_set(err, ERROR_MEMORY, "requests");
    if (!load_target_parse(options->target, &c->plan.target, err) || !build(c, err) ||
        !load_run(&c->plan, &c->result, err))
        return false;
    verify(c);
    messages = (double)c->posts / (double)c->plan.count;
    (void)snprintf(name, sizeof(name), "acme order to certificate, ES256, %.1f messages", messages);
    load_report(name, &c->plan, &c->result, c->good,
                bench_floor_acme_us(messages) + (options->keep_alive ? 0 : messages * bench_floor_tls_us()),
                options->json);
    return true;
}

static void end_campaign(struct campaign *c)
{
    load_free(&c->result);
    for (unsigned i = 0; c->account != NULL && i < c->options->pool; i++)
        keys_unref(c->account[i].ring);
    for (size_t n = 0; c->exchange != NULL && n < c->plan.count; n++)
        EVP_PKEY_free(c->exchange[n].key.pkey);
    arena_free(c->arena);
}

static const char usage[] =
    "usage: muster-bench acme --target URL [options]\n"
    "\n"
    "  --target URL     the directory: https://host:port/acme/<procedure>/directory\n"
    "  --trust FILE     PEM of the server's anchor (left out: not verified)\n"
    "  --kid ID         key id that accounts are bound to: register it pre-authorised, for many accounts\n"
    "  --hmac KEY       its HMAC key, base64url\n"
    "  --pool N         accounts, made beforehand and shared by the clients (default 32)\n"
    "  --names PATTERN  the FQDNs, * counts (default unit-*.bench.example.com)\n"
    "  --clients N      at once (default 64)\n"
    "  --count N        orders, each with a key of its own (default 2000)\n"
    "  --new            a new connection for each message (default: keep-alive)\n"
    "  --pid N          the target's process, for its CPU time\n"
    "  --json           one line of JSON\n";

int bench_acme(int argc, char **argv)
{
    struct load_options options = LOAD_OPTIONS_DEFAULT;
    struct campaign c = { .options = &options };
    struct error err = { 0 };

    if (!load_options_read(argc, argv, usage, &options))
        return 2;
    if ((options.kid == NULL) != (options.hmac == NULL)) {
        fputs("muster-bench: --kid and --hmac go together\n", stderr);
        return 2;
    }
    if (!run(&c, &err))
        fprintf(stderr, "muster-bench: %s\n", err.text);
    end_campaign(&c);
    return c.good == options.count ? EXIT_SUCCESS : EXIT_FAILURE;
}
