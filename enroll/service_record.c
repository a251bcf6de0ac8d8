/* service_record.c: a renewal as the state of its job. */
#include "enroll/service_internal.h"
#include "lib/base/record.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 1 << 20 };

enum field {
    FIELD_STAGE = 1,
    FIELD_PATH,
    FIELD_FOLLOWS,
    FIELD_MADE,
    FIELD_PEM,
    FIELD_CONFIRMS,
    FIELD_FAILURES,
    FIELD_ORDER,
};

static bool take_field(struct record_reader *in, const struct record_field *field, void *into)
{
    struct service_renewal *r = into;

    switch ((enum field)field->tag) {
    case FIELD_STAGE: r->stage = (enum service_stage)record_choice(in, field, SERVICE_STAGE_COUNT); break;
    case FIELD_PATH: r->path = field->content; break;
    case FIELD_FOLLOWS: return record_digest(field->content, &r->follows);
    case FIELD_MADE: return record_digest(field->content, &r->made);
    case FIELD_PEM: r->pem = field->content; break;
    case FIELD_CONFIRMS: r->confirms = record_u64(in, field) != 0; break;
    case FIELD_FAILURES: r->failures = (unsigned)record_u64(in, field); break;
    case FIELD_ORDER: return order_decode(field->content, &r->order);
    default: break; /* of a later version: skipped */
    }
    return true;
}

/* What each stage goes on with is there. */
static bool is_whole(const struct service_renewal *r)
{
    enum order_phase phase = r->order.phase;

    switch (r->stage) {
    case SERVICE_STAGE_ORDER: return phase == ORDER_PHASE_FETCH;
    case SERVICE_STAGE_WRITE: return phase != ORDER_PHASE_NONE && r->pem.len > 0;
    case SERVICE_STAGE_TELL: return phase == ORDER_PHASE_CONFIRM || phase == ORDER_PHASE_REVOKE;
    case SERVICE_STAGE_LOAD:
    case SERVICE_STAGE_REST: return phase != ORDER_PHASE_NONE;
    case SERVICE_STAGE_NONE:
    case SERVICE_STAGE_COUNT: break;
    }
    return false;
}

bool service_renewal_decode(struct bytes record, struct service_renewal *out)
{
    struct service_renewal renewal = { 0 };

    if (!record_read(record, RECORD_VERSION, take_field, &renewal) || renewal.path.len == 0 ||
        !is_whole(&renewal))
        return false;
    *out = renewal;
    return true;
}

bool service_renewal_encode(const struct service_renewal *r, struct arena *arena, struct bytes *out,
                            struct error *err)
{
    AUTO_STRUCT(buffer) record = BUFFER(RECORD_MAX);
    struct bytes order;

    if (!order_encode(&r->order, arena, &order, err))
        return false;
    record_begin(&record, RECORD_VERSION);
    record_put_u64(&record, FIELD_STAGE, r->stage);
    record_put(&record, FIELD_PATH, r->path);
    record_put(&record, FIELD_FOLLOWS, digest256_bytes(&r->follows));
    record_put(&record, FIELD_MADE, digest256_bytes(&r->made));
    record_put(&record, FIELD_PEM, r->pem);
    record_put_u64(&record, FIELD_CONFIRMS, r->confirms);
    record_put_u64(&record, FIELD_FAILURES, r->failures);
    record_put(&record, FIELD_ORDER, order);
    return record_keep(&record, "renewal of a service certificate", arena, out, err);
}
