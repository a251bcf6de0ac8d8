/* chain_record.c: the asking for a chain as the state of its job. */
#include "enroll/chain_internal.h"
#include "lib/base/record.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 1 << 20 };

enum field { FIELD_STAGE = 1, FIELD_ASKED, FIELD_ISSUER, FIELD_PEM, FIELD_FAILURES, FIELD_ORDER };

static bool take_field(struct record_reader *in, const struct record_field *field, void *into)
{
    struct chain_asking *a = into;

    switch ((enum field)field->tag) {
    case FIELD_STAGE: a->stage = (enum chain_stage)record_choice(in, field, CHAIN_STAGE_COUNT); break;
    case FIELD_ASKED: a->asked_s = (int64_t)record_u64(in, field); break;
    case FIELD_ISSUER: a->issuer = field->content; break;
    case FIELD_PEM: a->pem = field->content; break;
    case FIELD_FAILURES: a->failures = (unsigned)record_u64(in, field); break;
    case FIELD_ORDER: return order_decode(field->content, &a->order);
    default: break; /* of a later version: skipped */
    }
    return true;
}

bool chain_asking_decode(struct bytes record, struct chain_asking *out)
{
    struct chain_asking asking = { 0 };

    if (!record_read(record, RECORD_VERSION, take_field, &asking) || asking.stage == CHAIN_STAGE_NONE ||
        asking.order.phase != ORDER_PHASE_CHAIN ||
        (asking.stage == CHAIN_STAGE_WRITE && asking.pem.len == 0)) /* there is nothing to write */
        return false;
    *out = asking;
    return true;
}

bool chain_asking_encode(const struct chain_asking *a, struct arena *arena, struct bytes *out,
                         struct error *err)
{
    AUTO_STRUCT(buffer) record = BUFFER(RECORD_MAX);
    struct bytes order;

    if (!order_encode(&a->order, arena, &order, err))
        return false;
    record_begin(&record, RECORD_VERSION);
    record_put_u64(&record, FIELD_STAGE, a->stage);
    record_put_u64(&record, FIELD_ASKED, (uint64_t)a->asked_s);
    record_put(&record, FIELD_ISSUER, a->issuer);
    record_put(&record, FIELD_PEM, a->pem);
    record_put_u64(&record, FIELD_FAILURES, a->failures);
    record_put(&record, FIELD_ORDER, order);
    return record_keep(&record, "chain of a CA", arena, out, err);
}
