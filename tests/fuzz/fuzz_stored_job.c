/* Stored orders, askings for a chain, and renewals or first enrollments of the gateway's own certificates, as
 * any bytes: they decode, encode and decode to the same, or not at all; and their jobs go on from them,
 * whatever comes back, without a certificate that is recorded or a file that nobody judged. The input: a
 * kind, an event, the length of the record, the record, and what the CA answers. */
#include <assert.h>

#include "enroll/chain_internal.h"
#include "enroll/service_internal.h"
#include "tests/lib/a_gateway.h"
#include "tests/lib/upstream.h"

enum { ARENA_MAX = 16 << 20 };
enum kind { KIND_ORDER, KIND_CHAIN, KIND_SERVICE, KIND_COUNT };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- what is asked: a CA that is asked for its chain, and a certificate of the gateway that is awaited ---
 */
static bool ask_chain(const struct connector_call *call, struct connector_step *out, struct error *err)
{
    (void)err;
    return upstream_say(call, 'A', BYTES_NONE, BYTES_LITERAL("asking"), out);
}

/* T: what is behind it is one certificate that the CA tells. */
static bool resume(const struct connector_call *call, struct bytes state, const struct connector_event *event,
                   struct connector_step *out, struct error *err)
{
    if (event->kind != CONNECTOR_EVENT_ANSWER || event->body.len == 0 || event->body.data[0] != 'T')
        return upstream_resume(call, state, event, out, err);
    *out = (struct connector_step){ .verdict = CONNECTOR_CHAIN,
                                    .chain = { bytes_from(event->body, 1) },
                                    .chain_count = 1 };
    return true;
}

static const struct connector connector = { .name = "test",
                                            .start = upstream_start,
                                            .resume = resume,
                                            .confirm = upstream_confirm,
                                            .revoke = upstream_revoke,
                                            .ask_chain = ask_chain };

struct world {
    struct a_gateway *g;
    struct service_certificate own;
    struct service_certificates all;
};

static struct world *the_world(void)
{
    static struct world w;

    if (w.g != NULL)
        return &w;
    w.g = a_gateway_new(1);
    w.g->ca.connector = &connector;
    w.g->ca.connector_service = NULL;
    w.g->ca.anchor[0] = w.g->ca.chain[0];
    w.g->ca.anchor_count = 1;
    w.g->ca.chain_path = "/nowhere/chain-demo.pem";
    w.g->ca.chain_refresh_s = CA_CHAIN_REFRESH_S;
    w.own = (struct service_certificate){
        .what = "listener tls", .path = "tls.pem", .key_name = "cmp-ra", .ca = "demo"
    };
    w.own.certificate.subject.encoded = BYTES_LITERAL("\x30");
    w.own.certificate.key.spki = BYTES_LITERAL("a key"); /* so that seeds follow it, whatever the keys are */
    w.all = (struct service_certificates){ .enroll = &w.g->config.enroll, .item = &w.own, .count = 1 };
    return &w;
}

/* --- decode, encode, decode --- */
static bool recode(enum kind kind, struct bytes record, struct arena *arena, struct bytes *out)
{
    struct order order;
    struct chain_asking asking;
    struct service_renewal renewal;

    switch (kind) {
    case KIND_ORDER: return order_decode(record, &order) && order_encode(&order, arena, out, NULL);
    case KIND_CHAIN:
        return chain_asking_decode(record, &asking) && chain_asking_encode(&asking, arena, out, NULL);
    case KIND_SERVICE:
        return service_renewal_decode(record, &renewal) && service_renewal_encode(&renewal, arena, out, NULL);
    case KIND_COUNT: break;
    }
    return false;
}

static bool is_stable(enum kind kind, struct bytes record, struct arena *arena)
{
    struct bytes once = BYTES_NONE, twice = BYTES_NONE;

    if (!recode(kind, record, arena, &once))
        return false;
    assert(recode(kind, once, arena, &twice) && bytes_equal(once, twice));
    return true;
}

/* --- the jobs --- */
static struct job_event event_of(uint8_t choice, struct bytes answer)
{
    switch (choice % 4) {
    case 0: return (struct job_event){ .kind = JOB_EVENT_DUE };
    case 1: return (struct job_event){ .kind = JOB_EVENT_FILE, .file_ok = (choice & 4) != 0 };
    case 2: return (struct job_event){ .kind = JOB_EVENT_HTTP, .http_failure = "no connection" };
    default:
        return (struct job_event){
            .kind = JOB_EVENT_HTTP, .http_ok = true, .http_status = 200, .http_body = answer
        };
    }
}

/* Only what stands in the record, which was judged before it was stored, is written. */
static void check_step(enum kind kind, struct bytes record, const struct job_step *step)
{
    struct chain_asking asking = { 0 };
    struct service_renewal renewal = { 0 };
    bool chain = kind == KIND_CHAIN && chain_asking_decode(record, &asking);

    if (step->effect.kind != JOB_EFFECT_FILE)
        return;
    assert(step->effect.content.len > 0 && step->effect.path != NULL);
    if (chain)
        assert(asking.stage == CHAIN_STAGE_WRITE || asking.stage == CHAIN_STAGE_ASK);
    else
        assert(service_renewal_decode(record, &renewal) && renewal.stage == SERVICE_STAGE_WRITE);
}

static void go_on(struct world *w, enum kind kind, const struct job_record *job,
                  const struct job_event *event, struct arena *arena)
{
    struct turn turn = { .view = a_gateway_view(w->g),
                         .keys = w->g->config.keys,
                         .random = w->g->random,
                         .now_s = w->g->now_s,
                         .arena = arena };
    struct job_step step = { 0 };
    struct error err = { 0 };
    bool ran;

    changes_begin(&turn.changes, arena);
    ran = kind == KIND_CHAIN ? enroll_chain_job_run(&turn, &w->g->config.enroll, job, event, &step, &err)
                             : enroll_service_renewal_job_run(&turn, &w->all, job, event, &step, &err);
    assert(turn.changes.count == 0); /* nothing is issued, and nothing recorded */
    assert(ran || err.code != ERROR_NONE);
    assert(!ran || step.effect.kind != JOB_EFFECT_NONE);
    assert(!ran || step.effect.kind == JOB_EFFECT_DONE || is_stable(kind, step.state, arena));
    if (ran)
        check_step(kind, job->state, &step);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *arena = arena_new(ARENA_MAX);
    struct bytes input = bytes_of(data, size);
    struct job_record job = { 0 };
    struct job_event event;
    enum kind kind;

    if (size < 4)
        return 0;
    kind = (enum kind)(data[0] % KIND_COUNT);
    job.state = bytes_slice(input, 4, (size_t)data[2] << 8 | data[3]);
    event = event_of(data[1], bytes_from(input, 4 + job.state.len));
    if (is_stable(kind, job.state, arena) && kind != KIND_ORDER)
        go_on(the_world(), kind, &job, &event, arena);
    return 0;
}
