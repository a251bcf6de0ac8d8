/* connector.c: the client, one step an event. */
#include "proto/cmp/connector.h"

#include "lib/base/record.h"

enum { RECORD_VERSION = 1, HTTP_OK = 200 };

/* What the dialog is for: the CA's "already done" ends a confirmation or a revocation well. */
enum purpose {
    PURPOSE_NONE = 0,
    PURPOSE_ORDER,
    PURPOSE_CONFIRM,
    PURPOSE_REVOKE,
    PURPOSE_CHAIN,
    PURPOSE_COUNT
};

enum field { FIELD_PURPOSE = 1, FIELD_DIALOG };

struct state {
    enum purpose purpose;
    struct cmp_dialog dialog;
};

/* One call of the connector. */
struct step {
    const struct connector_call *call;
    const struct cmp_upstream *upstream;
    struct cmp_client client;
    struct cmp_call cmp;
    struct state state;
    struct connector_step *out;
};

void cmp_upstream_release(struct cmp_upstream *upstream)
{
    secret_free(&upstream->secret);
    anchors_free(upstream->anchors);
    upstream->anchors = NULL;
}

/* --- state --- */

static bool state_decode(struct bytes record, struct state *out)
{
    struct state state = { .purpose = PURPOSE_NONE };
    struct record_reader in;
    struct record_field field;
    uint8_t version;
    bool has_dialog = false;

    if (!record_open(record, &in, &version) || version != RECORD_VERSION)
        return false;
    while (record_next(&in, &field)) {
        if (field.tag == FIELD_PURPOSE) {
            state.purpose = (enum purpose)record_choice(&in, &field, PURPOSE_COUNT);
        } else if (field.tag == FIELD_DIALOG) {
            has_dialog = cmp_dialog_decode(field.content, &state.dialog);
        }
    }
    if (in.failed || !has_dialog || state.purpose == PURPOSE_NONE)
        return false;
    *out = state;
    return true;
}

static bool state_encode(const struct state *state, struct arena *arena, struct bytes *out, struct error *err)
{
    AUTO_STRUCT(buffer) record = BUFFER(CONNECTOR_STATE_MAX);
    struct bytes dialog;

    if (!cmp_dialog_encode(&state->dialog, arena, &dialog, err))
        return false;
    record_begin(&record, RECORD_VERSION);
    record_put_u64(&record, FIELD_PURPOSE, state->purpose);
    record_put(&record, FIELD_DIALOG, dialog);
    *out = buffer_failed(&record) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&record));
    return out->data != NULL || error_set(err, ERROR_MEMORY, "state of a CMP dialog");
}

/* --- what a step ends in --- */

static struct step step_of(const struct connector_call *call, struct connector_step *out)
{
    const struct cmp_upstream *upstream = call->ca->connector_service;
    struct step s = {
        .call = call,
        .upstream = upstream,
        .client = upstream->client,
        .cmp = { .keys = call->keys, .random = call->random, .now_s = call->now_s, .arena = call->arena },
        .out = out,
    };

    if (s.client.signer.len == 0 && s.client.anchors == NULL)
        s.client.anchors = call->ca->anchors;
    if (s.client.recipient.len == 0 && !call->ca->chain_awaited)
        s.client.recipient = call->ca->certificate.subject.encoded;
    s.client.ca = call->ca->chain[0];
    s.client.any_ca = call->ca->anchor_count > 0;
    return s;
}

static bool send_message(struct step *s, struct bytes message, struct error *err)
{
    if (message.len > CONNECTOR_BODY_MAX)
        return error_set(err, ERROR_LIMIT, "CA %s: a request of %zu octets is too large", s->call->ca->name,
                         message.len);
    *s->out = (struct connector_step){
        .verdict = CONNECTOR_SEND,
        .request = { .url = s->upstream->url,
                     .content_type = BYTES_LITERAL("application/pkixcmp"),
                     .body = message,
                     .trust_path = s->upstream->trust_path },
    };
    return state_encode(&s->state, s->call->arena, &s->out->state, err);
}

static bool again(struct step *s, const char *why)
{
    *s->out = (struct connector_step){ .verdict = CONNECTOR_AGAIN, .why = why };
    return true;
}

static bool reject(struct step *s, const char *why)
{
    *s->out = (struct connector_step){ .verdict = CONNECTOR_REJECTED, .why = why };
    return true;
}

static bool done(struct step *s)
{
    *s->out = (struct connector_step){ .verdict = CONNECTOR_DONE };
    return true;
}

static bool poll_ca(struct step *s, struct error *err)
{
    struct bytes message;

    return cmp_client_poll(&s->client, &s->cmp, &s->state.dialog, &message, err) &&
           send_message(s, message, err);
}

static bool poll_anew(struct step *s, struct error *err)
{
    struct bytes message;

    return cmp_client_poll_anew(&s->client, &s->cmp, &s->state.dialog, &message, err) &&
           send_message(s, message, err);
}

/* A CA that has not said when is polled at once: it says so then. */
static bool wait_for_ca(struct step *s, const struct cmp_result *result, struct error *err)
{
    if (!result->check_after_told)
        return poll_ca(s, err);
    *s->out = (struct connector_step){ .verdict = CONNECTOR_WAIT,
                                       .wait_until_s = s->call->now_s + result->check_after_s };
    return state_encode(&s->state, s->call->arena, &s->out->state, err);
}

/* --- a certificate --- */

static bool is_new(const struct connector_step *out, struct bytes der)
{
    for (size_t i = 0; i < out->chain_count; i++)
        if (bytes_equal(out->chain[i], der))
            return false;
    return true;
}

/* What may lead from the certificate to the CA's anchor: CA certificates alone. */
static void add_chain(struct step *s, const struct bytes *der, size_t count)
{
    struct connector_step *out = s->out;
    struct certificate c;

    for (size_t i = 0; i < count && out->chain_count < CA_TOLD_MAX; i++)
        if (is_new(out, der[i]) && certificate_decode(der[i], s->call->arena, &c) && c.is_ca)
            out->chain[out->chain_count++] = der[i];
}

static bool issued(struct step *s, const struct cmp_result *result, struct error *err)
{
    if (s->state.purpose != PURPOSE_ORDER)
        return reject(s, "the CA answered with a certificate that nobody asked for");
    *s->out = (struct connector_step){ .verdict = CONNECTOR_ISSUED,
                                       .certificate = result->certificate,
                                       .confirms = result->confirm };
    add_chain(s, result->extra_cert, result->extra_cert_count);
    add_chain(s, result->ca_pub, result->ca_pub_count);
    return state_encode(&s->state, s->call->arena, &s->out->state, err);
}

/* --- no certificate --- */

static const char *why_text(struct step *s, const char *before, const char *what)
{
    struct bytes text = arena_format(s->call->arena, "%s%s", before, what != NULL ? what : "");

    return text.data != NULL ? (const char *)text.data : before;
}

/* The CA may be able to later, and has decided nothing. */
static bool is_passing(const struct cmp_status_info *status)
{
    return (status->fail_info & (CMP_SYSTEM_UNAVAIL | CMP_SYSTEM_FAILURE)) != 0;
}

/* The first of two equal messages was heard, and its answer lost. */
static bool is_done_already(enum purpose purpose, const struct cmp_status_info *status)
{
    switch (purpose) {
    case PURPOSE_CONFIRM: return (status->fail_info & CMP_CERT_CONFIRMED) != 0;
    case PURPOSE_REVOKE: return (status->fail_info & CMP_CERT_REVOKED) != 0;
    case PURPOSE_NONE:
    case PURPOSE_ORDER:
    case PURPOSE_CHAIN:
    case PURPOSE_COUNT: break;
    }
    return false;
}

static bool rejected(struct step *s, const struct cmp_status_info *status)
{
    const char *text = why_text(s, "the CA answered ", cmp_status_text(status, s->call->arena));

    if (is_done_already(s->state.purpose, status))
        return done(s);
    return is_passing(status) ? again(s, text) : reject(s, text);
}

static bool unbelieved(struct step *s, const struct connector_event *event, const char *what)
{
    struct bytes text;

    if (event->status == HTTP_OK)
        return again(s, why_text(s, "the answer does not count: ", what));
    text = arena_format(s->call->arena, "HTTP status %d", event->status);
    return again(s, text.data != NULL ? (const char *)text.data : what);
}

/* --- its chain --- */

static bool chain_told(struct step *s, const struct cmp_result *result)
{
    struct bytes der[CA_TOLD_MAX];
    size_t count;

    if (s->state.purpose != PURPOSE_CHAIN)
        return reject(s, "the CA answered a question that nobody asked");
    if (!cmp_ca_certs(result, der, COUNT_OF(der), &count))
        return reject(s, "the CA tells none of its certificates, or more than are taken");
    *s->out = (struct connector_step){ .verdict = CONNECTOR_CHAIN };
    add_chain(s, der, count);
    add_chain(s, result->extra_cert, result->extra_cert_count);
    return true;
}

/* --- the connector --- */

static bool read_answer(struct step *s, const struct connector_event *event, struct error *err)
{
    struct cmp_result *result = arena_alloc(s->call->arena, sizeof(*result));

    if (result == NULL)
        return error_set(err, ERROR_MEMORY, "CMP answer");
    cmp_client_hear(&s->client, &s->cmp, event->body, &s->state.dialog, result);
    switch (result->outcome) {
    case CMP_OUTCOME_UNBELIEVED: return unbelieved(s, event, result->what);
    case CMP_OUTCOME_VIOLATION: return reject(s, why_text(s, "the CA's answer is wrong: ", result->what));
    case CMP_OUTCOME_REJECTED: return rejected(s, &result->status);
    case CMP_OUTCOME_NONCES: return poll_anew(s, err);
    case CMP_OUTCOME_WAITING: return wait_for_ca(s, result, err);
    case CMP_OUTCOME_CERTIFICATE: return issued(s, result, err);
    case CMP_OUTCOME_DONE: return done(s);
    case CMP_OUTCOME_GENERAL: return chain_told(s, result);
    }
    return error_set(err, ERROR_INTERNAL, "no such outcome");
}

static bool resume(const struct connector_call *call, struct bytes state, const struct connector_event *event,
                   struct connector_step *out, struct error *err)
{
    struct step s = step_of(call, out);

    if (!state_decode(state, &s.state))
        return error_set(err, ERROR_FORMAT, "CA %s: a stored CMP dialog is malformed", call->ca->name);
    switch (event->kind) {
    case CONNECTOR_EVENT_ANSWER: return read_answer(&s, event, err);
    case CONNECTOR_EVENT_FAILURE: return again(&s, event->failure);
    case CONNECTOR_EVENT_DUE:
        return s.state.dialog.stage == CMP_DIALOG_WAITING ? poll_ca(&s, err) : again(&s, NULL);
    }
    return error_set(err, ERROR_INTERNAL, "no such event");
}

/* keyUsage and extKeyUsage of the gateway's own certificate. */
static struct bytes usages(const struct connector_call *call, const struct ca_order *order)
{
    const struct certificate_template t = {
        .key_usage = order->profile->key_usage,
        .extended_key_usage = order->profile->extended_key_usage,
        .extended_key_usage_count = order->profile->extended_key_usage_count,
    };
    AUTO_STRUCT(buffer) out = BUFFER(4096);

    certificate_usages_put(&out, &t);
    return buffer_failed(&out) ? BYTES_NONE : arena_copy(call->arena, buffer_bytes(&out));
}

static struct cmp_wish wish_of(const struct cmp_upstream *upstream, const struct connector_call *call,
                               const struct ca_order *order)
{
    struct cmp_wish wish = {
        .body = upstream->request == CMP_UPSTREAM_CR ? CMP_CR : CMP_IR,
        .profile = upstream->profile,
        .implicit_confirm = upstream->implicit_confirm,
    };

    if (upstream->request == CMP_UPSTREAM_P10CR && order->request.len > 0) {
        wish.body = CMP_P10CR;
        wish.pkcs10 = order->request;
        return wish;
    }
    wish.crmf = (struct crmf_order){
        .subject = order->subject,
        .spki = order->key->spki,
        .san = order->san,
        .pop = CRMF_POP_RA_VERIFIED,
    };
    if (order->key_name != NULL) {
        wish.crmf.extensions = usages(call, order);
        wish.crmf.pop = CRMF_POP_SIGNATURE;
        wish.crmf.keys = call->keys;
        wish.crmf.key_name = order->key_name;
    }
    return wish;
}

static bool start(const struct connector_call *call, const struct ca_order *order, struct connector_step *out,
                  struct error *err)
{
    struct step s = step_of(call, out);
    const struct cmp_wish wish = wish_of(s.upstream, call, order);
    struct bytes message;

    s.state.purpose = PURPOSE_ORDER;
    return cmp_client_request(&s.client, &s.cmp, &wish, &s.state.dialog, &message, err) &&
           send_message(&s, message, err);
}

static bool confirm(const struct connector_call *call, struct bytes state, bool accepted,
                    struct connector_step *out, struct error *err)
{
    struct step s = step_of(call, out);
    struct bytes message;

    if (!state_decode(state, &s.state))
        return error_set(err, ERROR_FORMAT, "CA %s: a stored CMP dialog is malformed", call->ca->name);
    s.state.purpose = PURPOSE_CONFIRM;
    return cmp_client_confirm(&s.client, &s.cmp, accepted, &s.state.dialog, &message, err) &&
           send_message(&s, message, err);
}

static bool revoke(const struct connector_call *call, const struct ca_revocation *what,
                   struct connector_step *out, struct error *err)
{
    struct step s = step_of(call, out);
    struct cmp_revocation_wish wish;
    struct certificate c;
    struct bytes message;

    if (!certificate_decode(what->certificate, call->arena, &c))
        return error_set(err, ERROR_FORMAT, "CA %s: a certificate to revoke is malformed", call->ca->name);
    wish = (struct cmp_revocation_wish){ .issuer = c.issuer.encoded,
                                         .serial = c.serial,
                                         .reason = what->reason };
    s.state.purpose = PURPOSE_REVOKE;
    return cmp_client_revoke(&s.client, &s.cmp, &wish, &s.state.dialog, &message, err) &&
           send_message(&s, message, err);
}

/* id-it-caCerts (RFC 9483 4.3.1). */
static bool ask_chain(const struct connector_call *call, struct connector_step *out, struct error *err)
{
    const struct cmp_info wanted = { .oid = CMP_IT_CA_CERTS };
    struct step s = step_of(call, out);
    struct bytes message;

    s.state.purpose = PURPOSE_CHAIN;
    return cmp_client_general(&s.client, &s.cmp, &wanted, 1, &s.state.dialog, &message, err) &&
           send_message(&s, message, err);
}

const struct connector cmp_connector = {
    .name = "cmp",
    .start = start,
    .resume = resume,
    .confirm = confirm,
    .revoke = revoke,
    .ask_chain = ask_chain,
};
