/* One-time registrations that came back unused, because the certificate was rejected or never confirmed. Each
 * of those was good for a while and stays on the revocation list until it expires: so only a few in a day. */
#include "enroll/confirm_internal.h"

#include "lib/base/record.h"
#include "registry/state.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 64, KEEP_S = 86400 };

enum field { FIELD_REVISION = 1, FIELD_COUNT };

/* How often at the revision of now: whoever registers again begins anew. */
static uint64_t count_of(const struct turn *turn, const struct state_value *value, uint64_t revision)
{
    struct record_reader in;
    struct record_field field;
    uint64_t counted_at = 0, count = 0;
    uint8_t version;

    if (value->expires_s <= turn->now_s || !record_open(value->blob, &in, &version) ||
        version != RECORD_VERSION)
        return 0;
    while (record_next(&in, &field)) {
        switch ((enum field)field.tag) {
        case FIELD_REVISION: counted_at = record_u64(&in, &field); break;
        case FIELD_COUNT: count = record_u64(&in, &field); break;
        }
    }
    return !in.failed && counted_at == revision ? count : 0;
}

bool registration_give_back(struct turn *turn, const struct registration *r, struct error *err)
{
    const struct state_key key = { .kind = "given back", .id = registration_id_bytes(&r->id) };
    struct state_value before = { 0 }, now = { .expires_s = turn->now_s + KEEP_S };
    AUTO_STRUCT(buffer) record = BUFFER(RECORD_MAX);
    uint64_t count;
    bool found;

    if (!registry_state(turn->view, &key, turn->arena, &found, &before, err))
        return false;
    count = found ? count_of(turn, &before, r->revision) : 0;
    if (count >= GIVEN_BACK_MAX)
        return true;
    record_begin(&record, RECORD_VERSION);
    record_put_u64(&record, FIELD_REVISION, r->revision);
    record_put_u64(&record, FIELD_COUNT, count + 1);
    if (buffer_failed(&record))
        return error_set(err, ERROR_MEMORY, "registration that is given back");
    now.blob = buffer_bytes(&record);
    change_state_put(&turn->changes, &key, &now, found ? before.revision : 0);
    change_registration_use(&turn->changes, &r->id, r->revision, false);
    return true;
}
