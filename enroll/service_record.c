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

static bool take_field(struct record_reader *in, const struct record_field *field, struct service_renewal *r)
{
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

bool service_renewal_decode(struct bytes record, struct service_renewal *out)
{
    struct service_renewal renewal = { 0 };
    struct record_reader in;
    struct record_field field;
    uint8_t version;

    if (!record_open(record, &in, &version) || version != RECORD_VERSION)
        return false;
    while (record_next(&in, &field))
        if (!take_field(&in, &field, &renewal))
            return false;
    if (in.failed || renewal.stage == SERVICE_STAGE_NONE || renewal.path.len == 0 ||
        renewal.order.phase == ORDER_PHASE_NONE)
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
    *out = buffer_failed(&record) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&record));
    return out->data != NULL || error_set(err, ERROR_MEMORY, "renewal of a service certificate");
}
