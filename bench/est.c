/* muster-bench est: EST (RFC 7030). Keys, CSRs and whole requests are made beforehand; a renewal comes over a
 * connection of its own, with the certificate that its device was given before. */
#include <assert.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/requests.h"
#include "bench/work.h"
#include "lib/base/encode.h"
#include "lib/pki/cms.h"

AUTO_POINTER(X509, X509_free)

static const char user_default[] = "bench:bench-secret";

enum { COLUMNS = 64 /* of base64: libest's server takes no longer lines */ };

struct device {
    size_t key; /* its number among the keys */
    char cn[BENCH_CN_MAX];
    struct bytes request;
    struct bytes certificate; /* that it was given */
    X509 *held;               /* renewal: what it shows, and the key of that */
    EVP_PKEY *held_key;
};

struct est {
    struct work_order order;
    const struct key_type *type;
    struct arena *arena;
    size_t pool;
    struct bench_key *key;
    struct device *device;
    struct link_target target;
};

static void end(void *context)
{
    struct est *est = context;

    bench_keys_free(est->key, est->pool);
    for (size_t n = 0; est->device != NULL && n < est->order.count; n++) {
        X509_free(est->device[n].held);
        EVP_PKEY_free(est->device[n].held_key);
    }
    arena_free(est->arena);
    free(est);
}

/* --- before the interval --- */

/* The kind of content, and the password: of a renewal, for which a certificate stands, only when told. */
static bool put_headers(const struct est *est, bool by_password, struct buffer *out)
{
    const char *user = est->order.options->user;

    buffer_append_text(out, "Content-Type: application/pkcs10\r\nContent-Transfer-Encoding: base64\r\n");
    if (by_password || user != NULL) {
        buffer_append_text(out, "Authorization: Basic ");
        base64_encode(out, bytes_text(user != NULL ? user : user_default), 0);
        buffer_append_text(out, "\r\n");
    }
    buffer_append_byte(out, 0);
    return !buffer_failed(out);
}

static bool make_request(struct est *est, size_t n, const char *headers, struct error *err)
{
    struct device *d = &est->device[n];
    AUTO_STRUCT(buffer) body = BUFFER(64 * 1024);
    AUTO_STRUCT(buffer) request = BUFFER(64 * 1024);
    struct bytes csr;

    d->key = n % est->pool;
    bench_fqdn(est->order.options->pattern, est->order.first + d->key, d->cn);
    if (!bench_csr(&est->key[d->key], &(struct bench_csr_order){ .cn = d->cn, .repeated = n / est->pool },
                   est->arena, &csr, err))
        return false;
    base64_encode(&body, csr, COLUMNS);
    link_request_put(&request, &est->target,
                     &(struct link_request){ .method = "POST",
                                             .keep_alive = est->order.options->connections == LOAD_KEEP,
                                             .more = headers,
                                             .body = buffer_bytes(&body) });
    d->request = buffer_failed(&request) ? BYTES_NONE : arena_copy(est->arena, buffer_bytes(&request));
    return d->request.data != NULL || error_set(err, ERROR_MEMORY, "requests");
}

static bool make_requests(struct est *est, bool by_password, struct error *err)
{
    AUTO_STRUCT(buffer) headers = BUFFER(4096);

    est->pool = work_pool(&est->order, est->type);
    assert(est->pool > 0);
    est->key = arena_array(est->arena, est->pool, sizeof(*est->key));
    est->device = arena_array(est->arena, est->order.count, sizeof(*est->device));
    if (est->key == NULL || est->device == NULL || !put_headers(est, by_password, &headers))
        return error_set(err, ERROR_MEMORY, "requests");
    for (size_t i = 0; i < est->pool; i++)
        if (!bench_key_make(est->type, est->order.options->pattern, i, &est->key[i], err))
            return false;
    for (size_t n = 0; n < est->order.count; n++)
        if (!make_request(est, n, (const char *)headers.data, err))
            return false;
    return true;
}

/* The address of another operation of the same procedure: the last part of the path is the operation. */
static void set_operation(struct link_target *target, const char *operation)
{
    char *last = strrchr(target->path, '/');
    size_t len = last == NULL ? 0 : (size_t)(last + 1 - target->path);

    (void)snprintf(target->path + len, sizeof(target->path) - len, "%s", operation);
}

static struct est *begin(const struct work_order *order, struct error *err)
{
    struct est *est = calloc(1, sizeof(*est));

    if (est == NULL || (est->arena = arena_new((size_t)16 << 30)) == NULL) {
        free(est);
        (void)error_set(err, ERROR_MEMORY, "requests");
        return NULL;
    }
    est->order = *order;
    est->type = work_key(order->options, "p256");
    if (link_target_parse(order->url, &est->target, err))
        return est;
    end(est);
    return NULL;
}

/* --- what is said and heard --- */

static bool say(void *context, unsigned client, size_t n, const struct link_answer *before,
                struct buffer *request)
{
    const struct est *est = context;

    (void)client;
    if (before != NULL)
        return false;
    buffer_append(request, est->device[n].request);
    return true;
}

static bool refused(const struct link_answer *answer, char why[LOAD_WHY_MAX])
{
    (void)snprintf(why, LOAD_WHY_MAX, "HTTP status %d%s", answer->status,
                   answer->status == 202 ? ": it awaits approval" : "");
    return false;
}

/* The certificates of a certs-only answer, base64. */
static bool read_bag(struct bytes body, struct arena *arena, struct cms_signed *bag)
{
    uint8_t *raw = arena_alloc(arena, BASE64_DECODED_MAX(body.len));
    struct bytes bytes;
    size_t len;

    return raw != NULL && base64_decode(body, raw, &len) && ber_to_der(arena, bytes_of(raw, len), &bytes) &&
           cms_signed_decode(bytes, bag);
}

static bool judge(void *context, size_t n, const struct link_answer *last, struct arena *arena,
                  struct bytes *certificate, char why[LOAD_WHY_MAX])
{
    struct est *est = context;
    struct device *d = &est->device[n];
    struct cms_signed bag;

    if (last->status != 200)
        return refused(last, why);
    if (!read_bag(last->body, arena, &bag) || bag.certificate_count != 1) {
        (void)snprintf(why, LOAD_WHY_MAX, "no certs-only answer with one certificate");
        return false;
    }
    if (!bench_certificate_fits(bag.certificate[0], &est->key[d->key], d->cn)) {
        (void)snprintf(why, LOAD_WHY_MAX, "the certificate is for another key or name");
        return false;
    }
    *certificate = bag.certificate[0];
    d->certificate = arena_copy(est->arena, *certificate);
    return true;
}

static void bill(const void *context, struct floor *exchange, struct floor *handshake)
{
    const struct est *est = context;

    (void)handshake;
    exchange->times[est->type->verify]++; /* the CSR */
    exchange->times[SIGN_P256]++;         /* the certificate */
}

/* --- enroll --- */

/* *out is offered; what differs from an enrollment is set after. */
static void offer(struct est *est, const char *what, struct load_work *out)
{
    out->target = est->target;
    out->talk = say;
    out->judge = judge;
    out->bill = bill;
    out->end = end;
    out->context = est;
    (void)snprintf(out->name, sizeof(out->name), "est %s", what);
    if (est->type != NULL)
        (void)snprintf(out->name, sizeof(out->name), "est %s, %s", what, est->type->title);
}

static bool open_enroll(const struct work_order *order, struct load_work *out, struct error *err)
{
    struct est *est = begin(order, err);

    if (est == NULL)
        return false;
    if (!make_requests(est, true, err)) {
        end(est);
        return false;
    }
    offer(est, "simpleenroll", out);
    return true;
}

/* --- renew --- */

/* The device's certificate, and the key of it, for the handshake. */
static bool dress(void *context, size_t n, SSL *ssl)
{
    const struct est *est = context;

    return SSL_use_certificate(ssl, est->device[n].held) == 1 &&
           SSL_use_PrivateKey(ssl, est->device[n].held_key) == 1;
}

/* The server verifies the client's signature, and that of its certificate. */
static void bill_renewal(const void *context, struct floor *exchange, struct floor *handshake)
{
    const struct est *est = context;

    bill(context, exchange, handshake);
    handshake->times[est->type->verify]++;
    handshake->times[VERIFY_P256]++;
}

/* Every device enrolls once, and holds the certificate that it is given. */
static bool make_held(struct est *est, struct error *err)
{
    struct load_work enroll = { .count = est->order.count, .weight = 1 };
    struct work_order order = est->order;
    const struct est *before;
    bool done;

    if (!open_enroll(&order, &enroll, err))
        return false;
    before = enroll.context;
    done = work_hold(&order, &enroll, err);
    for (size_t n = 0; done && n < order.count; n++) {
        const unsigned char *at = before->device[n].certificate.data;
        struct device *d = &est->device[n];

        d->held = d2i_X509(NULL, &at, (long)before->device[n].certificate.len);
        d->held_key = before->key[before->device[n].key].pkey;
        done = d->held != NULL && EVP_PKEY_up_ref(d->held_key) == 1;
    }
    end(enroll.context);
    return done;
}

static bool open_renew(const struct work_order *order, struct load_work *out, struct error *err)
{
    struct est *est;

    if (order->options->connections == LOAD_RESUME)
        return error_set(err, ERROR_UNSUPPORTED,
                         "est renew: a device comes once, it has no session to resume");
    est = begin(order, err);
    if (est == NULL)
        return false;
    set_operation(&est->target, "simplereenroll");
    if (!make_requests(est, false, err) || !make_held(est, err)) {
        end(est);
        return false;
    }
    offer(est, "simplereenroll over mutual TLS", out);
    out->bill = bill_renewal;
    out->dress = dress;
    return true;
}

/* --- poll: the same request again, while an officer has not decided --- */

static bool judge_pending(void *context, size_t n, const struct link_answer *last, struct arena *arena,
                          struct bytes *certificate, char why[LOAD_WHY_MAX])
{
    (void)context;
    (void)n;
    (void)arena;
    (void)certificate;
    if (last->status == 202 && link_header(last, "Retry-After").len > 0)
        return true;
    (void)snprintf(why, LOAD_WHY_MAX, "not pending: HTTP status %d", last->status);
    return false;
}

static void bill_poll(const void *context, struct floor *exchange, struct floor *handshake)
{
    const struct est *est = context;

    (void)handshake;
    exchange->times[est->type->verify]++; /* the CSR */
}

/* A request over each key awaits approval, and is sent again and again. */
static bool open_poll(const struct work_order *order, struct load_work *out, struct error *err)
{
    struct load_work awaiting;
    struct est *est;

    if (!open_enroll(order, out, err))
        return false;
    est = out->context;
    offer(est, "poll", out);
    out->judge = judge_pending;
    out->bill = bill_poll;
    awaiting = *out;
    awaiting.count = est->pool;
    if (!work_hold(order, &awaiting, err)) {
        end(est);
        return false;
    }
    for (size_t n = est->pool; n < order->count; n++)
        est->device[n].request = est->device[n % est->pool].request;
    return true;
}

/* --- cacerts --- */

static bool judge_cacerts(void *context, size_t n, const struct link_answer *last, struct arena *arena,
                          struct bytes *certificate, char why[LOAD_WHY_MAX])
{
    struct cms_signed bag;

    (void)context;
    (void)n;
    (void)certificate;
    if (last->status != 200)
        return refused(last, why);
    (void)snprintf(why, LOAD_WHY_MAX, "no certs-only answer");
    return read_bag(last->body, arena, &bag) && bag.certificate_count > 0;
}

static void bill_nothing(const void *context, struct floor *exchange, struct floor *handshake)
{
    (void)context;
    (void)exchange;
    (void)handshake;
}

static bool open_cacerts(const struct work_order *order, struct load_work *out, struct error *err)
{
    struct est *est = begin(order, err);
    AUTO_STRUCT(buffer) request = BUFFER(4096);
    struct bytes kept;

    if (est == NULL)
        return false;
    set_operation(&est->target, "cacerts");
    link_request_put(
        &request, &est->target,
        &(struct link_request){ .method = "GET", .keep_alive = order->options->connections == LOAD_KEEP });
    kept = arena_copy(est->arena, buffer_bytes(&request));
    est->device = arena_array(est->arena, order->count, sizeof(*est->device));
    if (buffer_failed(&request) || kept.data == NULL || est->device == NULL) {
        end(est);
        return error_set(err, ERROR_MEMORY, "requests");
    }
    for (size_t n = 0; n < order->count; n++)
        est->device[n].request = kept;
    est->type = NULL;
    offer(est, "cacerts", out);
    out->judge = judge_cacerts;
    out->bill = bill_nothing;
    return true;
}

static const char usage[] =
    "usage: muster-bench est --target URL [options]\n"
    "\n"
    "  --target URL     https://host:port/.well-known/est/<procedure>/simpleenroll\n"
    "  --mix A=W,...    operations and weights (default enroll): enroll; renew "
    "(simplereenroll over mutual TLS,\n"
    "                   a connection each, with certificates that are enrolled "
    "beforehand); poll (enrollments\n"
    "                   that await approval are asked for again); cacerts\n"
    "  --user U:P       HTTP Basic (default bench:bench-secret; a renewal sends it only when it is given)\n";

const struct work_protocol work_est = {
    "est",
    usage,
    { { "enroll", open_enroll }, { "renew", open_renew }, { "poll", open_poll }, { "cacerts", open_cacerts } }
};

int bench_est(int argc, char **argv)
{
    return work_run(&work_est, argc, argv);
}
