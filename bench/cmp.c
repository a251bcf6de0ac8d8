/* muster-bench cmp: CMP (RFC 9810). ir under a password, or what is signed with a certificate that its device
 * was given beforehand; then certConf, unless implicit confirmation is asked for. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/requests.h"
#include "bench/work.h"
#include "lib/base/clock.h"
#include "proto/cmp/client.h"

enum { CALL_ARENA_MAX = 1 << 20, CERTIFICATE_MAX = 64 * 1024 };

static const char key_name[] = "device";

struct device { /* one exchange */
    char cn[BENCH_CN_MAX];
    struct keys *ring; /* holds its key as key_name */
    const struct keys *signs;
    struct cmp_client client;
    struct cmp_dialog dialog;
    struct bytes request;
    struct buffer certificate; /* that was given */
    bool confirming;
    char why[LOAD_WHY_MAX]; /* what was wrong with an answer */
};

struct cmp {
    struct work_order order;
    const struct key_type *type;
    struct arena *arena;
    struct anchors *anchors; /* of those who sign answers */
    struct cmp *before;      /* whose certificates sign; NULL: a password protects requests */
    struct device *device;
    struct link_target target;
    enum cmp_body said;
    enum cmp_outcome expected; /* of the last answer; CERTIFICATE may be confirmed */
};

static void end(void *context)
{
    struct cmp *cmp = context;

    for (size_t n = 0; cmp->device != NULL && n < cmp->order.count; n++) {
        keys_unref(cmp->device[n].ring);
        buffer_free(&cmp->device[n].certificate);
    }
    anchors_free(cmp->anchors);
    if (cmp->before != NULL)
        end(cmp->before);
    arena_free(cmp->arena);
    free(cmp);
}

/* --- what is said --- */

static struct cmp_call call_of(const struct cmp *cmp, size_t n, struct arena *arena)
{
    return (struct cmp_call){
        .keys = cmp->device[n].signs, .random = &random_system, .now_s = clock_now_s(), .arena = arena
    };
}

/* Under a password; or signed with the certificate that the device was given. */
static bool make_client(struct cmp *cmp, size_t n, struct certificate *held, struct error *err)
{
    struct device *d = &cmp->device[n];

    d->client = (struct cmp_client){ .kind = CMP_PROTECTION_MAC,
                                     .reference = bytes_text(d->cn),
                                     .secret = bytes_text(cmp->order.options->password),
                                     .iterations = FLOOR_PBM_ITERATIONS,
                                     .anchors = cmp->anchors };
    if (cmp->before == NULL)
        return true;
    if (!certificate_decode(buffer_bytes(&cmp->before->device[n].certificate), cmp->arena, held))
        return error_set(err, ERROR_MEMORY, "a certificate that is held");
    d->signs = cmp->before->device[n].ring;
    d->client = (struct cmp_client){ .kind = CMP_PROTECTION_SIGNATURE,
                                     .key_name = key_name,
                                     .certificate = held,
                                     .extra_cert = { held->encoded },
                                     .extra_cert_count = 1,
                                     .anchors = cmp->anchors };
    return true;
}

static void put_http(const struct cmp *cmp, struct bytes message, struct buffer *out)
{
    link_request_put(out, &cmp->target,
                     &(struct link_request){ .method = "POST",
                                             .keep_alive = cmp->order.options->connections == LOAD_KEEP,
                                             .more = "Content-Type: application/pkixcmp\r\n",
                                             .body = message });
}

static bool keep_request(struct cmp *cmp, size_t n, struct bytes message, struct error *err)
{
    AUTO_STRUCT(buffer) http = BUFFER(64 * 1024);
    struct bytes *request = &cmp->device[n].request;

    put_http(cmp, message, &http);
    *request = buffer_failed(&http) ? BYTES_NONE : arena_copy(cmp->arena, buffer_bytes(&http));
    return request->data != NULL || error_set(err, ERROR_MEMORY, "requests");
}

/* ir, or kur of what is held. */
static bool make_request(struct cmp *cmp, size_t n, const struct certificate *held, struct error *err)
{
    struct device *d = &cmp->device[n];
    const struct cmp_call call = call_of(cmp, n, cmp->arena);
    AUTO_STRUCT(buffer) san = BUFFER(512);
    struct cmp_wish wish = { .body = cmp->said,
                             .implicit_confirm = cmp->order.options->implicit_confirm,
                             .crmf = { .pop = CRMF_POP_SIGNATURE, .key_name = key_name, .keys = d->ring } };
    struct bytes message;

    general_name_put(&san, GENERAL_NAME_DNS, bytes_text(d->cn), BYTES_NONE);
    if (!bench_name(d->cn, cmp->arena, &wish.crmf.subject) || buffer_failed(&san))
        return error_set(err, ERROR_FORMAT, "%s", d->cn);
    wish.crmf.san = buffer_bytes(&san);
    wish.crmf.spki = keys_public(d->ring, key_name);
    if (held != NULL) {
        wish.crmf.old_issuer = held->issuer.encoded;
        wish.crmf.old_serial = held->serial;
    }
    return cmp_client_request(&d->client, &call, &wish, &d->dialog, &message, err) &&
           keep_request(cmp, n, message, err);
}

static bool make_revocation(struct cmp *cmp, size_t n, const struct certificate *held, struct error *err)
{
    struct device *d = &cmp->device[n];
    const struct cmp_call call = call_of(cmp, n, cmp->arena);
    struct cmp_revocation_wish wish = { .reason = -1 };
    struct bytes message;

    assert(held != NULL);
    wish.issuer = held->issuer.encoded;
    wish.serial = held->serial;
    return cmp_client_revoke(&d->client, &call, &wish, &d->dialog, &message, err) &&
           keep_request(cmp, n, message, err);
}

/* Keys are shared as --pool has it: each ring by those exchanges that are so many apart. */
static bool make_ring(struct cmp *cmp, size_t n, size_t pool, struct error *err)
{
    struct device *d = &cmp->device[n];

    d->certificate = BUFFER(CERTIFICATE_MAX);
    bench_fqdn(cmp->order.options->pattern, cmp->order.first + n % pool, d->cn);
    if (n >= pool) {
        d->ring = keys_ref(cmp->device[n - pool].ring);
        return true;
    }
    return keys_new(&d->ring, err) && keys_generate(d->ring, key_name, cmp->type->kind, cmp->type->bits, err);
}

static bool make_requests(struct cmp *cmp, struct error *err)
{
    const size_t pool = work_pool(&cmp->order, cmp->type);
    struct certificate *held = arena_array(cmp->arena, cmp->order.count, sizeof(*held));

    cmp->device = arena_array(cmp->arena, cmp->order.count, sizeof(*cmp->device));
    if (held == NULL || cmp->device == NULL)
        return error_set(err, ERROR_MEMORY, "requests");
    for (size_t n = 0; n < cmp->order.count; n++) {
        const struct certificate *old = cmp->before != NULL ? &held[n] : NULL;

        if (!make_ring(cmp, n, pool, err) || !make_client(cmp, n, &held[n], err) ||
            !(cmp->said == CMP_RR ? make_revocation : make_request)(cmp, n, old, err))
            return false;
    }
    return true;
}

static struct cmp *begin(const struct work_order *order, enum cmp_body said, struct error *err)
{
    struct cmp *cmp = calloc(1, sizeof(*cmp));

    if (cmp == NULL || (cmp->arena = arena_new((size_t)16 << 30)) == NULL) {
        free(cmp);
        (void)error_set(err, ERROR_MEMORY, "requests");
        return NULL;
    }
    cmp->order = *order;
    cmp->type = work_key(order->options, "p256");
    cmp->said = said;
    cmp->expected = CMP_OUTCOME_CERTIFICATE;
    if (link_target_parse(order->url, &cmp->target, err) &&
        (order->options->trust == NULL || bench_anchors_read(order->options->trust, &cmp->anchors, err)))
        return cmp;
    end(cmp);
    return NULL;
}

/* --- what is heard --- */

static bool note(struct device *d, const char *what, const char *more)
{
    (void)snprintf(d->why, sizeof(d->why), "%s%s", what, more != NULL ? more : "");
    return false;
}

/* The answer is authentic and says what is expected. */
static bool hear(const struct cmp *cmp, size_t n, const struct link_answer *answer, enum cmp_outcome expected,
                 struct arena *arena, struct cmp_result *result)
{
    struct device *d = &cmp->device[n];
    const struct cmp_call call = call_of(cmp, n, arena);

    if (answer->status != 200) {
        (void)snprintf(d->why, sizeof(d->why), "HTTP status %d", answer->status);
        return false;
    }
    *result = (struct cmp_result){ 0 };
    cmp_client_hear(&d->client, &call, answer->body, &d->dialog, result);
    if (result->outcome == CMP_OUTCOME_REJECTED)
        return note(d, "rejected: ", cmp_status_text(&result->status, arena));
    if (result->outcome == CMP_OUTCOME_WAITING && expected != CMP_OUTCOME_WAITING)
        return note(d, "waiting: it awaits approval", NULL);
    return result->outcome == expected || note(d, "no answer to what was asked: ", result->what);
}

/* What was made beforehand; then the certConf, on a client's thread. */
static bool say(void *context, unsigned client, size_t n, const struct link_answer *before,
                struct buffer *request)
{
    struct cmp *cmp = context;
    struct device *d = &cmp->device[n];
    AUTO_ARENA *arena = NULL;
    struct cmp_call call;
    struct cmp_result result;
    struct error err = { 0 };
    struct bytes message;

    (void)client;
    if (before == NULL) {
        buffer_append(request, d->request);
        return true;
    }
    if (cmp->expected != CMP_OUTCOME_CERTIFICATE || cmp->order.options->implicit_confirm || d->confirming)
        return false;
    arena = arena_new(CALL_ARENA_MAX);
    call = call_of(cmp, n, arena);
    if (arena == NULL || !hear(cmp, n, before, CMP_OUTCOME_CERTIFICATE, arena, &result) || !result.confirm ||
        !cmp_client_confirm(&d->client, &call, true, &d->dialog, &message, &err))
        return false;
    d->confirming = true;
    buffer_append(&d->certificate, result.certificate); /* the answer is not kept */
    put_http(cmp, message, request);
    return true;
}

/* The certificate is for the device's key and name. */
static bool fits(struct device *d, struct arena *arena)
{
    struct certificate issued;

    return (certificate_decode(buffer_bytes(&d->certificate), arena, &issued) &&
            bench_certificate_is(&issued, keys_public(d->ring, key_name), d->cn)) ||
           note(d, "the certificate is for another key or name", NULL);
}

/* What the dialog knows of an answer outlives it. */
static void keep_dialog(struct cmp *cmp, struct cmp_dialog *dialog)
{
    dialog->peer_nonce = arena_copy(cmp->arena, dialog->peer_nonce);
    dialog->waiting_nonce = arena_copy(cmp->arena, dialog->waiting_nonce);
}

static bool judge(void *context, size_t n, const struct link_answer *last, struct arena *arena,
                  struct bytes *certificate, char why[LOAD_WHY_MAX])
{
    struct cmp *cmp = context;
    struct device *d = &cmp->device[n];
    struct cmp_result result = { 0 };
    bool good = d->why[0] == '\0' &&
                hear(cmp, n, last, d->confirming ? CMP_OUTCOME_DONE : cmp->expected, arena, &result);

    if (good && cmp->expected == CMP_OUTCOME_WAITING)
        keep_dialog(cmp, &d->dialog);
    if (good && cmp->expected == CMP_OUTCOME_CERTIFICATE) {
        if (!d->confirming)
            buffer_append(&d->certificate, result.certificate);
        good = (d->confirming || !result.confirm || note(d, "implicit confirmation was not granted", NULL)) &&
               fits(d, arena);
        *certificate = buffer_bytes(&d->certificate);
    }
    (void)snprintf(why, LOAD_WHY_MAX, "%s", d->why);
    d->why[0] = '\0';
    return good;
}

/* Under a password the key is derived, once for a message and its answer, which has the same salt; with
 * signatures one is verified and one made for each, and once the chain of the sender's certificate. */
static void bill(const void *context, struct floor *exchange, struct floor *handshake)
{
    const struct cmp *cmp = context;
    bool issues = cmp->expected == CMP_OUTCOME_CERTIFICATE;
    double messages = issues && !cmp->order.options->implicit_confirm ? 2 : 1;

    (void)handshake;
    if (cmp->before == NULL) {
        exchange->times[PBM_500] += messages;
    } else {
        exchange->times[cmp->type->verify] += messages;
        exchange->times[SIGN_P256] += messages;
        exchange->times[VERIFY_P256]++;
    }
    if (issues) {
        exchange->times[cmp->type->verify]++; /* proof of possession */
        exchange->times[SIGN_P256]++;         /* the certificate */
    }
}

/* --- the operations --- */

static void offer(struct cmp *cmp, const char *what, struct load_work *out)
{
    out->target = cmp->target;
    out->talk = say;
    out->judge = judge;
    out->bill = bill;
    out->end = end;
    out->context = cmp;
    (void)snprintf(out->name, sizeof(out->name), "cmp %s, %s, %s%s", what, cmp->type->title,
                   cmp->before != NULL ? "signed" : "PBM 500",
                   cmp->order.options->implicit_confirm ? ", implicit confirmation" : "");
}

static bool open_enroll(const struct work_order *order, struct load_work *out, struct error *err)
{
    struct cmp *cmp = begin(order, CMP_IR, err);

    if (cmp == NULL)
        return false;
    if (!make_requests(cmp, err)) {
        end(cmp);
        return false;
    }
    offer(cmp, "ir", out);
    return true;
}

/* With the certificates that the same devices are given beforehand. */
static bool open_signed(const struct work_order *order, enum cmp_body said, enum cmp_outcome expected,
                        struct load_work *out, struct error *err)
{
    struct load_work enroll = { .count = order->count, .weight = 1 };
    struct cmp *cmp;

    if (order->options->trust == NULL)
        return error_set(err, ERROR_FORMAT, "cmp renew and revoke need --trust: answers are signed");
    cmp = begin(order, said, err);
    if (cmp == NULL)
        return false;
    cmp->expected = expected;
    if (open_enroll(order, &enroll, err))
        cmp->before = enroll.context;
    if (cmp->before == NULL || !work_hold(order, &enroll, err) || !make_requests(cmp, err)) {
        end(cmp);
        return false;
    }
    offer(cmp, said == CMP_RR ? "rr" : "kur", out);
    return true;
}

static bool open_renew(const struct work_order *order, struct load_work *out, struct error *err)
{
    return open_signed(order, CMP_KUR, CMP_OUTCOME_CERTIFICATE, out, err);
}

static bool open_revoke(const struct work_order *order, struct load_work *out, struct error *err)
{
    return open_signed(order, CMP_RR, CMP_OUTCOME_DONE, out, err);
}

/* The requests await approval; the polls ask for each again. */
static bool open_poll(const struct work_order *order, struct load_work *out, struct error *err)
{
    struct cmp *cmp;
    bool done;

    if (!open_enroll(order, out, err))
        return false;
    cmp = out->context;
    cmp->expected = CMP_OUTCOME_WAITING;
    done = work_hold(order, out, err);
    for (size_t n = 0; done && n < order->count; n++) {
        const struct cmp_call call = call_of(cmp, n, cmp->arena);
        struct bytes message;

        done = cmp_client_poll(&cmp->device[n].client, &call, &cmp->device[n].dialog, &message, err) &&
               keep_request(cmp, n, message, err);
    }
    if (!done) {
        end(cmp);
        return false;
    }
    offer(cmp, "pollReq", out);
    return true;
}

static const char usage[] = "usage: muster-bench cmp --target URL [options]\n"
                            "\n"
                            "  --target URL     http://host:port/.well-known/cmp/p/<procedure>\n"
                            "  --mix A=W,...    operations and weights (default enroll): enroll (ir under a "
                            "password, then certConf);\n"
                            "                   renew (kur), revoke (rr), both signed with certificates that "
                            "are enrolled beforehand;\n"
                            "                   poll (pollReq for enrollments that await approval)\n"
                            "  --signed         the same as --mix renew\n"
                            "  --implicit       implicitConfirm is asked for: one message each\n"
                            "  --password P     the shared secret (default bench-secret); 500 iterations\n"
                            "  --trust FILE     here the anchor of those who sign answers, too\n";

const struct work_protocol work_cmp = {
    "cmp",
    usage,
    { { "enroll", open_enroll }, { "renew", open_renew }, { "poll", open_poll }, { "revoke", open_revoke } }
};

int bench_cmp(int argc, char **argv)
{
    return work_run(&work_cmp, argc, argv);
}
