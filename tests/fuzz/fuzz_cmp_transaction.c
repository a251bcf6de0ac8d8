/* Whole CMP transactions against the gateway: the input is a list of acts, an octet each and what belongs to
 * it. Two devices begin, poll, confirm, reject, give up and repeat themselves in any order, with headers and
 * bodies that do not fit; octets of a protected message are changed; one speaks in the other's transaction;
 * two messages race; an officer decides; time passes; the gateway restarts. What must hold: one certificate
 * for each transaction, over its key; nothing that was changed after it was protected is served; nobody else
 * confirms, polls or goes on with a transaction; and what the ledger says of the audit (tests/lib). */
#include <stdio.h>
#include <stdlib.h>

#include "enroll/confirm.h"
#include "enroll/pending.h"
#include "registry/state.h"
#include "tests/lib/cmp_ledger.h"

enum { DEVICES = 2, ACTS_MAX = 48, SAID_MAX = 64, ARENA_MAX = 64 << 20, REQUEST_ARENA = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A message that was made, to be sent again, changed, or by somebody else. */
struct said {
    struct cmp_device *device;
    struct bytes message;
};

struct world {
    struct bytes input;
    struct a_gateway *g;
    struct arena *arena;
    struct cmp_device device[DEVICES];
    struct said said[SAID_MAX];
    size_t said_count;
};

static uint8_t next(struct world *w)
{
    uint8_t octet = w->input.len > 0 ? w->input.data[0] : 0;

    w->input = bytes_from(w->input, w->input.len > 0 ? 1 : 0);
    return octet;
}

static struct cmp_device *next_device(struct world *w)
{
    return &w->device[next(w) % DEVICES];
}

/* --- sending --- */
struct sending {
    struct arena *arena;
    struct http_request request;
    struct answering answering;
};

static void sending_begin(struct world *w, const struct cmp_device *d, struct bytes message,
                          struct sending *s)
{
    *s = (struct sending){ .arena = arena_new(REQUEST_ARENA) };
    assert_non_null(s->arena);
    cmp_device_request(d, message, s->arena, &s->request);
    if (!answer_at_once(&s->answering, &w->g->config, &s->request)) {
        answer_turn(&s->answering, a_gateway_view(w->g), w->g->random, w->g->now_s);
        registry_view_reset(w->g->view);
    }
    assert_in_range(s->answering.response.status, 200, 415);
}

/* Durable; what conflicts runs again until it fits. */
static void sending_land(struct world *w, struct sending *s)
{
    enum apply_result result = APPLY_NONE;
    struct error err = { 0 };

    while (result != APPLY_DONE && s->answering.turn.changes.count > 0) {
        const struct changes *changes = &s->answering.turn.changes;

        if (!registry_apply(w->g->registry, &changes, 1, w->g->now_s, &result, &err))
            fail_msg("%s", err.text);
        if (result != APPLY_DONE)
            answer_turn(&s->answering, a_gateway_view(w->g), w->g->random, w->g->now_s);
        registry_view_reset(w->g->view);
    }
}

static void sending_hear(struct world *w, struct cmp_device *d, struct bytes message, struct sending *s)
{
    struct cmp_said said;

    assert_int_equal(s->answering.response.status, 200);
    said = cmp_device_hear(d, w->g, message, s->answering.response.body, s->arena);
    if (said.certificate != NULL)
        assert_true(a_gateway_has_certificate(w->g, cmp_client_der(s->arena, said.certificate)));
    arena_free(s->arena);
}

static void send(struct world *w, struct cmp_device *d, struct bytes message)
{
    struct sending s;

    if (w->said_count < SAID_MAX)
        w->said[w->said_count++] = (struct said){ d, message };
    sending_begin(w, d, message, &s);
    sending_land(w, &s);
    sending_hear(w, d, message, &s);
}

/* --- acts --- */
static void act_begin(struct world *w)
{
    static const enum cmp_body bodies[] = { CMP_IR, CMP_CR, CMP_P10CR, CMP_KUR, CMP_RR, CMP_GENM };
    struct cmp_device *d = next_device(w);
    uint8_t how = next(w);
    enum cmp_body body = bodies[how % COUNT_OF(bodies)];
    bool signs = body == CMP_KUR || body == CMP_RR || (how & 0x40) != 0,
         opens = body != CMP_RR && body != CMP_GENM;

    if (signs && d->own.key == NULL)
        return;
    send(w, d,
         cmp_device_begin(d, &w->g->random, body, signs ? CMP_DEVICE_BY_OWN : CMP_DEVICE_BY_SECRET,
                          opens && (how & 0x80) != 0));
}

/* What a device that wants its certificate says next. */
static void act_go_on(struct world *w)
{
    struct cmp_device *d = next_device(w);

    send(w, d, cmp_device_go_on(d, &w->g->random, next(w) % 2 == 0));
}

static void act_repeat(struct world *w)
{
    const struct said *said = w->said_count > 0 ? &w->said[next(w) % w->said_count] : NULL;

    if (said != NULL)
        send(w, said->device, said->message);
}

/* The next in any order, as the input wants it: body, what it says, and what is wrong with it. */
static struct bytes a_follow_up(struct world *w, struct cmp_device *d, struct cmp_deal *deal)
{
    static const enum cmp_body bodies[] = { CMP_CERT_CONF, CMP_POLL_REQ, CMP_PKICONF, CMP_ERROR };
    const uint8_t what = next(w), wrong = next(w);
    const struct bytes said = deal->certificate;
    struct cmp_person person = { .key = deal->signer.key };
    struct cmp_plan plan = { .body = bodies[what % 4],
                             .transaction_id = BYTES_ARRAY(deal->id),
                             .recip_nonce = d->recip_nonce,
                             .sender = cmp_client_sender(d->arena, d->fqdn),
                             .sender_kid = bytes_text(d->fqdn),
                             .poll_id = d->cert_req_id,
                             .protection = { .secret = d->secret, .iterations = 100 } };
    bool accept = (what & 4) != 0;

    if (person.key != NULL && (wrong & 0x80) == 0) {
        person.certificate = cmp_client_certificate(deal->signer.certificate);
        plan.signer = &person;
        plan.sender = plan.sender_kid = BYTES_NONE;
    }
    plan.confirm = (struct cmp_confirm_plan){ .certificate = said.len > 0 ? cmp_client_certificate(said)
                                                                          : NULL,
                                              .cert_req_id = d->cert_req_id + (wrong & 1),
                                              .status = accept ? CMP_ACCEPTED : CMP_REJECTION,
                                              .empty = (wrong & 2) != 0,
                                              .twice = (wrong & 4) != 0 };
    plan.pvno = (wrong & 8) != 0 ? 3 : 2;
    plan.poll_id += wrong & 1;
    if ((wrong & 0x10) != 0)
        plan.recip_nonce = BYTES_LITERAL("0123456789abcdef");
    if ((wrong & 0x20) != 0)
        plan.protection.by = CMP_BY_PBMAC1;
    if ((wrong & 0x40) != 0)
        plan.nonce = BYTES_LITERAL("fedcba9876543210");
    return cmp_client_message(d->arena, &plan);
}

static struct cmp_deal *next_deal(struct world *w, const struct cmp_device *d)
{
    struct cmp_deal *deal = d->deal;

    for (unsigned back = next(w) % 4; back > 0 && deal != NULL && deal->next != NULL; back--)
        deal = deal->next;
    return deal;
}

static void act_follow_up(struct world *w)
{
    struct cmp_device *d = next_device(w);
    struct cmp_deal *deal = next_deal(w, d);

    if (deal == NULL)
        return;
    deal->accepts = deal->rejects = true; /* both may be said: the audit's own order must do */
    send(w, d, a_follow_up(w, d, deal));
}

/* --- what must not be served --- */
/* Something is given, or done. */
static bool is_served(struct arena *arena, const struct http_response *response)
{
    struct cmp_cert_rep *rep = arena_alloc(arena, sizeof(*rep));
    struct cmp_status_info status;
    struct cmp_message m;
    size_t count;

    if (response->status != 200)
        return false;
    assert_int_equal(cmp_message_decode(response->body, &m), CMP_DECODED_ALL);
    switch (m.body) {
    case CMP_ERROR: return false;
    case CMP_IP:
    case CMP_CP:
    case CMP_KUP:
        assert_true(cmp_cert_rep_decode(m.content, arena, rep));
        return rep->response[0].status.status != CMP_REJECTION;
    case CMP_RP:
        assert_true(cmp_rev_rep_decode(m.content, &status, 1, &count));
        return status.status != CMP_REJECTION;
    default: return true;
    }
}

/* Octets of a message are changed after it was protected. Certificates beside it may be. */
static void act_change(struct world *w)
{
    const struct said *said = w->said_count > 0 ? &w->said[next(w) % w->said_count] : NULL;
    unsigned at = next(w) * 256U + next(w);
    struct cmp_message before, after;
    struct bytes copy;
    struct sending s;
    uint8_t *octet;

    if (said == NULL)
        return;
    copy = arena_copy(w->arena, said->message);
    octet = (uint8_t *)(uintptr_t)copy.data + at % copy.len;
    *octet = (uint8_t)(*octet ^ (1 + next(w) % 255));
    sending_begin(w, said->device, copy, &s);
    sending_land(w, &s);
    if (is_served(s.arena, &s.answering.response)) {
        assert_int_equal(cmp_message_decode(said->message, &before), CMP_DECODED_ALL);
        assert_int_equal(cmp_message_decode(copy, &after), CMP_DECODED_ALL);
        assert_bytes(after.header_encoded, before.header_encoded);
        assert_bytes(after.body_encoded, before.body_encoded);
    }
    arena_free(s.arena);
}

/* One device speaks in the other's transaction, under its own protection. */
static void act_intrude(struct world *w)
{
    struct cmp_device *d = next_device(w), *other = d == w->device ? d + 1 : w->device;
    struct cmp_deal *deal = next_deal(w, other);
    struct cmp_deal mine;
    struct cmp_device as = *d;
    struct sending s;

    if (deal == NULL)
        return;
    mine = *deal; /* it knows all, but the key */
    mine.signer = next(w) % 2 == 0 ? d->own : (struct cmp_device_identity){ 0 };
    as.recip_nonce = other->recip_nonce;
    as.cert_req_id = other->cert_req_id;
    sending_begin(w, d, a_follow_up(w, &as, &mine), &s);
    sending_land(w, &s);
    assert_false(is_served(s.arena, &s.answering.response));
    arena_free(s.arena);
}

/* Another request in a transaction that is open, or was. */
static void act_use_again(struct world *w)
{
    struct cmp_device *d = next_device(w);
    struct cmp_deal *deal = next_deal(w, &w->device[next(w) % DEVICES]);
    struct cmp_plan plan = { .body = next(w) % 2 == 0 ? CMP_IR : CMP_P10CR,
                             .sender = cmp_client_sender(w->arena, d->fqdn),
                             .sender_kid = bytes_text(d->fqdn),
                             .request = { .key = d->key[0], .cn = d->fqdn },
                             .csr = { .key = d->key[0], .cn = d->fqdn },
                             .protection = { .secret = d->secret, .iterations = 100 } };
    struct sending s;

    if (deal == NULL || deal->certificate.len == 0) /* a refused one leaves nothing */
        return;
    plan.transaction_id = BYTES_ARRAY(deal->id);
    sending_begin(w, d, cmp_client_message(w->arena, &plan), &s);
    sending_land(w, &s);
    assert_false(is_served(s.arena, &s.answering.response));
    arena_free(s.arena);
}

/* Both are judged by what was known before either. */
static void act_race(struct world *w)
{
    const struct said *a = w->said_count > 0 ? &w->said[next(w) % w->said_count] : NULL;
    struct cmp_device *d = next_device(w);
    struct sending first, second;
    struct bytes message;

    if (a == NULL)
        return;
    message = cmp_device_go_on(d, &w->g->random, false);
    sending_begin(w, a->device, a->message, &first);
    sending_begin(w, d, message, &second);
    sending_land(w, &first);
    sending_land(w, &second);
    sending_hear(w, a->device, a->message, &first);
    sending_hear(w, d, message, &second);
}

/* --- the world around --- */
static struct turn a_turn(struct world *w)
{
    struct turn turn = { .view = a_gateway_view(w->g),
                         .keys = w->g->config.keys,
                         .random = w->g->random,
                         .now_s = w->g->now_s,
                         .arena = w->arena };

    changes_begin(&turn.changes, w->arena);
    return turn;
}

static void act_decide(struct world *w)
{
    struct turn turn = a_turn(w);
    struct pending waiting[8];
    bool found = false, approve = next(w) % 4 != 0;
    size_t count = 0;

    assert_true(pending_list(&turn, BYTES_LITERAL("demo"), COUNT_OF(waiting), waiting, &count, NULL));
    if (count == 0)
        return;
    assert_true(pending_decide(&turn, waiting[next(w) % count].id, approve, BYTES_LITERAL("test-officer"),
                               &found, NULL));
    a_gateway_apply(w->g, &turn.changes);
}

static int64_t run_jobs(struct world *w)
{
    static const struct job_event due = { .kind = JOB_EVENT_DUE };
    const struct job_handler row = { .kind = ENROLL_CONFIRM_JOB,
                                     .run = enroll_confirm_job_run,
                                     .service = &w->g->config.enroll };
    int64_t next_s = INT64_MAX;
    size_t count = 1;

    while (count > 0) {
        struct turn turn = a_turn(w);
        struct job_effect effect = { 0 };
        struct job_record job;

        assert_true(registry_jobs_due(turn.view, w->g->now_s, 1, w->arena, &job, &count, &next_s, NULL));
        if (count == 0)
            break;
        assert_true(job_run(&turn, &row, 1, &job, &due, &effect, NULL));
        a_gateway_apply(w->g, &turn.changes);
    }
    return next_s;
}

static void act(struct world *w)
{
    switch (next(w) % 16) {
    case 0:
    case 1:
    case 2: act_begin(w); break;
    case 3:
    case 4:
    case 5: act_go_on(w); break;
    case 6:
    case 7: act_follow_up(w); break;
    case 8: act_repeat(w); break;
    case 9: act_change(w); break;
    case 10: act_intrude(w); break;
    case 11: act_use_again(w); break;
    case 12: act_race(w); break;
    case 13: act_decide(w); break;
    case 14: w->g->now_s += next(w) * 4; break;
    default:
        switch (next(w) % 3) {
        case 0: a_gateway_restart(w->g); break;
        case 1: w->g->procedure.manual_approval = !w->g->procedure.manual_approval; break;
        default: (void)run_jobs(w); break;
        }
    }
    cmp_client_reset();
    scep_client_reset();
}

static const struct cmp_deal *deal_of(void *world, struct bytes transaction)
{
    const struct world *w = world;
    char hex[2 * CMP_DEVICE_ID_LEN + 1];

    for (unsigned i = 0; i < DEVICES; i++)
        for (const struct cmp_deal *deal = w->device[i].deal; deal != NULL; deal = deal->next) {
            hex_encode(BYTES_ARRAY(deal->id), hex);
            if (bytes_is(transaction, hex))
                return deal;
        }
    return NULL;
}

static void check(struct world *w)
{
    struct ledger *l = arena_alloc(w->arena, sizeof(*l));
    struct audit_head head;
    int64_t next_s;

    while ((next_s = run_jobs(w)) != INT64_MAX)
        w->g->now_s = next_s;
    assert_non_null(l);
    *l = (struct ledger){ .arena = w->arena,
                          .implicit_confirm = true,
                          .deal_of = deal_of,
                          .world = w,
                          .one_time = { { .fqdn = "once.example.com" } },
                          .one_time_count = 1 };
    if (!registry_audit_verify(a_gateway_view(w->g), w->arena, ledger_entry, l, &head, NULL))
        fail_msg("the audit does not verify");
    ledger_settled(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const fqdn[DEVICES] = { "plain.example.com", "once.example.com" };
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->input = bytes_of(data, size);
    w->g = a_gateway_new(1);
    w->arena = arena_new(ARENA_MAX);
    assert_non_null(w->arena);
    for (unsigned i = 0; i < DEVICES; i++) {
        cmp_device_init(&w->device[i], fqdn[i], "right-secret");
        w->device[i].key[0] = cmp_client_key("P-256", 2 * i);
        w->device[i].key[1] = cmp_client_key("P-256", 2 * i + 1);
        (void)a_gateway_register(w->g, fqdn[i], "right-secret", (struct registration){ .one_time = i == 1 });
    }
    for (unsigned i = 0; i < ACTS_MAX && w->input.len > 0; i++)
        act(w);
    check(w);
    for (unsigned i = 0; i < DEVICES; i++)
        cmp_device_free(&w->device[i]);
    a_gateway_free(w->g);
    arena_free(w->arena);
    free(w);
    return 0;
}
