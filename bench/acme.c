/* muster-bench acme: ACME (RFC 8555), orders of one name each, from newOrder to the certificate, ES256.
 * Accounts, keys and CSRs are made before the interval; a message has a nonce and is signed within it. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/acme_internal.h"
#include "bench/bench.h"
#include "lib/base/encode.h"
#include "lib/jose/json.h"

enum { CHAIN_MAX = 8 };

/* --- before the interval --- */

/* newOrder of the name; `replaces` none, or what it renews (RFC 9773 5). */
static struct bytes order_payload(struct acme *c, const struct acme_exchange *x, struct bytes replaces)
{
    return arena_format(c->arena, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"%s\"}]%s%.*s%s}", x->cn,
                        replaces.len > 0 ? ",\"replaces\":\"" : "", BYTES_FMT(replaces),
                        replaces.len > 0 ? "\"" : "");
}

static bool make_exchange(struct acme *c, size_t n, struct bytes replaces, struct error *err)
{
    struct acme_exchange *x = &c->exchange[n];
    AUTO_STRUCT(buffer) text = BUFFER(64 * 1024);
    struct bytes csr;

    assert(c->pool > 0);
    x->key = n % c->pool;
    bench_fqdn(c->wanted.options->pattern, c->wanted.first + x->key, x->cn);
    x->names = order_payload(c, x, replaces);
    if (!bench_csr(&c->key[x->key], &(struct bench_csr_order){ .cn = x->cn }, c->arena, &csr, err))
        return false;
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
    if (!acme_open_accounts(c, err))
        return false;
    for (size_t i = 0; i < c->pool; i++)
        if (!bench_key_make(c->type, options->pattern, i, &c->key[i], err))
            return false;
    for (size_t n = 0; n < c->wanted.count; n++)
        if (!make_exchange(c, n, BYTES_NONE, err))
            return false;
    return true;
}

/* --- after the interval --- */

static void say_problem(const struct link_answer *answer, char why[LOAD_WHY_MAX])
{
    AUTO(json_t) *problem = json_read(answer->body);
    struct bytes type = json_member(problem, "type");

    (void)snprintf(why, LOAD_WHY_MAX, "HTTP status %d%s%.*s", answer->status, type.len > 0 ? ", " : "",
                   (int)(type.len < 64 ? type.len : 64), type.len > 0 ? (const char *)type.data : "");
}

static bool judge(void *context, size_t n, const struct link_answer *last, struct arena *arena,
                  struct bytes *certificate, char why[LOAD_WHY_MAX])
{
    struct acme *c = context;
    struct acme_exchange *x = &c->exchange[n];
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
    x->certificate = arena_copy(c->arena, der[0]);
    return true;
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

static void offer(struct acme *c, const char *what, enum acme_doing first, enum acme_doing last,
                  struct load_work *out)
{
    for (size_t n = 0; n < c->wanted.count; n++)
        c->exchange[n].posts = 0;
    c->first = first;
    c->last = last;
    out->target = c->directory;
    out->talk = acme_talk;
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

/* CertID of RFC 9773 4.1: key identifier of the issuer, and serial number; none without the former. */
static struct bytes certificate_id(struct acme *c, const struct acme_exchange *x)
{
    AUTO_STRUCT(buffer) text = BUFFER(512);
    struct certificate held;

    if (!certificate_decode(x->certificate, c->arena, &held) || held.authority_key_id.len == 0)
        return BYTES_NONE;
    base64url_encode(&text, held.authority_key_id);
    buffer_append_byte(&text, '.');
    base64url_encode(&text, held.serial);
    return buffer_failed(&text) ? BYTES_NONE : arena_copy(c->arena, buffer_bytes(&text));
}

/* Each name is ordered again, over a new key, by the account that has its certificate. */
static bool make_renewals(struct acme *c, struct error *err)
{
    bench_keys_free(c->key, c->pool);
    memset(c->key, 0, c->pool * sizeof(*c->key));
    for (size_t i = 0; i < c->pool; i++)
        if (!bench_key_make(c->type, c->wanted.options->pattern, i, &c->key[i], err))
            return false;
    for (size_t n = 0; n < c->wanted.count; n++) {
        struct bytes replaces = c->has_renewal_info ? certificate_id(c, &c->exchange[n]) : BYTES_NONE;

        c->exchange[n].challenge_posted = false;
        if (!make_exchange(c, n, replaces, err))
            return false;
    }
    return true;
}

static bool open_renew(const struct work_order *order, struct load_work *out, struct error *err)
{
    if (!open_enroll(order, out, err))
        return false;
    if (!work_hold(order, out, err) || !make_renewals(out->context, err)) {
        end(out->context);
        return false;
    }
    offer(out->context, "renewal", NEW_ORDER, CERTIFICATE, out);
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

static bool put_revocation(struct acme *c, struct acme_exchange *x)
{
    AUTO_STRUCT(buffer) text = BUFFER(64 * 1024);

    buffer_append_text(&text, "{\"certificate\":\"");
    base64url_encode(&text, x->certificate);
    buffer_append_text(&text, "\"}");
    x->revocation = buffer_failed(&text) ? BYTES_NONE : arena_copy(c->arena, buffer_bytes(&text));
    return x->revocation.data != NULL;
}

static bool open_revoke(const struct work_order *order, struct load_work *out, struct error *err)
{
    struct acme *c;
    bool done;

    if (!open_enroll(order, out, err))
        return false;
    c = out->context;
    done = c->revoke_cert[0] != '\0' || error_set(err, ERROR_UNSUPPORTED, "the directory has no revokeCert");
    done = done && work_hold(order, out, err);
    for (size_t n = 0; done && n < order->count; n++)
        done = put_revocation(c, &c->exchange[n]) || error_set(err, ERROR_MEMORY, "requests");
    if (!done) {
        end(c);
        return false;
    }
    offer(c, "revokeCert", REVOCATION, REVOCATION, out);
    return true;
}

static const char usage[] =
    "usage: muster-bench acme --target URL [options]\n"
    "\n"
    "  --target URL     the directory: https://host:port/acme/<procedure>/directory\n"
    "  --mix A=W,...    operations and weights (default enroll): enroll (newOrder to certificate);\n"
    "                   renew (the same, replacing certificates that are ordered beforehand); poll "
    "(POST-as-GET\n"
    "                   of orders that are placed beforehand); revoke (certificates that are ordered "
    "beforehand)\n"
    "  --kid ID         key id that accounts are bound to: register it pre-authorised, for many accounts\n"
    "  --hmac KEY       its HMAC key, base64url\n"
    "  --accounts N     made beforehand and shared by the clients (default 32)\n";

const struct work_protocol work_acme = {
    "acme",
    usage,
    { { "enroll", open_enroll }, { "renew", open_renew }, { "poll", open_poll }, { "revoke", open_revoke } }
};

int bench_acme(int argc, char **argv)
{
    return work_run(&work_acme, argc, argv);
}
