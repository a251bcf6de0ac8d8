/* chain_record.c: the asking for a chain as the state of its job. */
#include "enroll/chain_internal.h"
#include "lib/base/record.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 1 << 20 };

enum field { FIELD_STAGE = 1, FIELD_ASKED, FIELD_ISSUER, FIELD_PEM, FIELD_FAILURES, FIELD_ORDER };

static bool take_field(struct record_reader *in, const struct record_field *field, struct chain_asking *a)
{
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
    struct record_reader in;
    struct record_field field;
    uint8_t version;

    if (!record_open(record, &in, &version) || version != RECORD_VERSION)
        return false;
    while (record_next(&in, &field))
        if (!take_field(&in, &field, &asking))
            return false;
    if (in.failed || asking.stage == CHAIN_STAGE_NONE || asking.order.phase != ORDER_PHASE_CHAIN)
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
    *out = buffer_failed(&record) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&record));
    return out->data != NULL || error_set(err, ERROR_MEMORY, "chain of a CA");
}
