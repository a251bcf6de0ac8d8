/* Protocol state as it is written, and places, which are state that is counted (places.h). */
#include "registry/apply_internal.h"
#include "registry/places_internal.h"

/* --- rows --- */
static bool state_now(struct applying *a, const struct state_key *key, struct key *k, bool *found,
                      struct state_row *out, struct error *err)
{
    struct bytes value;

    *out = (struct state_row){ 0 };
    if (!state_key_of(key, k, err) || !txn_get(&a->txn, TABLE_STATE, key_bytes(k), found, &value, err))
        return false;
    return !*found || state_decode(value, out, err);
}

bool check_state(struct applying *a, const struct change *change, bool *holds, struct error *err)
{
    struct state_row row;
    struct key key;
    bool found;

    if (!state_now(a, &change->state.key, &key, &found, &row, err))
        return false;
    if (change->kind != CHANGE_STATE_DELETE && change->revision == 0)
        *holds = !found;
    else
        *holds = found && row.revision == change->revision;
    return true;
}

/* Moves the row of TABLE_STATE_EXPIRY; 0: there is none. */
static bool move_expiry(struct applying *a, struct bytes key, int64_t from_s, int64_t to_s, struct error *err)
{
    struct key due;

    if (from_s == to_s)
        return true;
    due_key(from_s, key, &due);
    if (from_s != 0 && !txn_delete(&a->txn, TABLE_STATE_EXPIRY, key_bytes(&due), err))
        return false;
    due_key(to_s, key, &due);
    return to_s == 0 || txn_put(&a->txn, TABLE_STATE_EXPIRY, key_bytes(&due), BYTES_NONE, err);
}

bool write_state_put(struct applying *a, const struct change *change, struct error *err)
{
    AUTO_STRUCT(buffer) record = BUFFER(RECORD_MAX);
    const struct state_value *value = &change->state.value;
    struct state_row old, row = { .procedure = change->state.key.procedure,
                                  .kind = bytes_text(change->state.key.kind),
                                  .id = change->state.key.id,
                                  .blob = value->blob,
                                  .revision = change->revision + 1,
                                  .expires_s = value->expires_s,
                                  .changed_s = a->now_s };
    struct key key;
    bool found;

    if (!state_now(a, &change->state.key, &key, &found, &old, err))
        return false;
    if (found != (change->revision != 0) || old.revision != change->revision)
        return error_set(err, ERROR_CONFLICT, "registry: state was changed twice at once");
    state_encode(&record, &row);
    if (buffer_failed(&record))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    return move_expiry(a, key_bytes(&key), old.expires_s, row.expires_s, err) &&
           txn_put(&a->txn, TABLE_STATE, key_bytes(&key), buffer_bytes(&record), err);
}

/* --- how many places there are --- */
/* The number of places stands in a row beside them; without a place there is none. */
static bool count_place(struct applying *a, struct bytes holder_key, const struct state_row *holder,
                        uint64_t count, struct error *err)
{
    AUTO_STRUCT(buffer) record = BUFFER(RECORD_MAX);
    struct key number = { 0 };
    struct state_row row = *holder;

    if (count == 0)
        return txn_delete(&a->txn, TABLE_STATE, holder_key, err);
    key_put_u64(&number, count);
    row.blob = key_bytes(&number);
    row.revision++;
    row.changed_s = a->now_s;
    state_encode(&record, &row);
    if (buffer_failed(&record))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    return txn_put(&a->txn, TABLE_STATE, holder_key, buffer_bytes(&record), err);
}

/* One place less; it is deleted already. A number that is not there keeps nobody from sweeping. */
static bool leave_holder(struct applying *a, struct bytes holder_key, struct error *err)
{
    struct state_row holder;
    struct bytes value;
    uint64_t count;
    bool found;

    if (!txn_get(&a->txn, TABLE_STATE, holder_key, &found, &value, err))
        return false;
    if (!found)
        return true;
    if (!state_decode(value, &holder, err))
        return false;
    count = places_count(&holder);
    return count_place(a, holder_key, &holder, count > 0 ? count - 1 : 0, err);
}

static bool enter_holder(struct applying *a, const struct state_key *holder, struct error *err)
{
    struct state_row row;
    struct key key;
    bool found;

    if (!state_now(a, holder, &key, &found, &row, err))
        return false;
    if (!found)
        row = (struct state_row){ .procedure = holder->procedure,
                                  .kind = bytes_text(holder->kind),
                                  .id = holder->id };
    return count_place(a, key_bytes(&key), &row, places_count(&row) + 1, err);
}

/* --- deleting --- */
static bool delete_row(struct applying *a, const struct key *key, const struct state_row *old,
                       struct error *err)
{
    struct key holder = { 0 };
    bool is_place = old->holder_len > 0;

    if (is_place)
        key_put(&holder, place_holder_key(key_bytes(key), old));
    return move_expiry(a, key_bytes(key), old->expires_s, 0, err) &&
           txn_delete(&a->txn, TABLE_STATE, key_bytes(key), err) &&
           (!is_place || leave_holder(a, key_bytes(&holder), err));
}

bool write_state_delete(struct applying *a, const struct change *change, struct error *err)
{
    struct state_row old;
    struct key key;
    bool found;

    if (!state_now(a, &change->state.key, &key, &found, &old, err))
        return false;
    if (!found)
        return error_set(err, ERROR_CONFLICT, "registry: state was deleted twice at once");
    return delete_row(a, &key, &old, err);
}

/* --- places --- */
static bool place_now(struct applying *a, const struct change *change, struct key *key, bool *found,
                      struct state_row *out, struct error *err)
{
    struct bytes value;

    *out = (struct state_row){ 0 };
    if (!place_key_of(&change->place.holder, change->place.member, key, err) ||
        !txn_get(&a->txn, TABLE_STATE, key_bytes(key), found, &value, err))
        return false;
    return !*found || state_decode(value, out, err);
}

bool check_place_take(struct applying *a, const struct change *change, bool *holds, struct error *err)
{
    struct state_row row;
    struct key key;
    bool found, full = false;

    if (!place_now(a, change, &key, &found, &row, err))
        return false;
    if (!found && change->place.max > 0 &&
        (!state_key_of(&change->place.holder, &key, err) ||
         !places_are_full(&a->txn, &key, change->place.max, a->now_s, &full, err)))
        return false;
    *holds = !full;
    return true;
}

static bool drop_over(struct applying *a, const struct state_key *holder, struct error *err)
{
    struct state_row row;
    struct bytes value;
    struct key key, at;
    bool found = true;

    if (!state_key_of(holder, &key, err))
        return false;
    for (at = key; found;) {
        if (!places_next_over(&a->txn, &key, &at, a->now_s, &found, &at, err))
            return false;
        if (found && (!txn_get(&a->txn, TABLE_STATE, key_bytes(&at), &found, &value, err) ||
                      !state_decode(value, &row, err) || !delete_row(a, &at, &row, err)))
            return false;
    }
    return true;
}

/* Room for one more, which there is once all that are over are gone. */
static bool make_room(struct applying *a, const struct change *change, struct error *err)
{
    struct state_row holder;
    struct key key;
    bool found, full;

    if (change->place.max == 0)
        return true;
    if (!state_now(a, &change->place.holder, &key, &found, &holder, err))
        return false;
    if (!found || places_count(&holder) < change->place.max)
        return true;
    if (places_count(&holder) <= PLACES_EXACT_MAX && !drop_over(a, &change->place.holder, err))
        return false;
    if (!places_are_full(&a->txn, &key, change->place.max, a->now_s, &full, err))
        return false;
    return !full || error_set(err, ERROR_CONFLICT, "registry: the last place was taken twice at once");
}

static bool put_place(struct applying *a, const struct change *change, const struct key *key,
                      const struct state_row *old, struct error *err)
{
    AUTO_STRUCT(buffer) record = BUFFER(RECORD_MAX);
    const struct state_key *holder = &change->place.holder;
    struct key id = { 0 };
    struct state_row row = { .procedure = holder->procedure,
                             .kind = bytes_text(holder->kind),
                             .revision = old->revision + 1,
                             .expires_s = change->place.expires_s,
                             .changed_s = a->now_s,
                             .holder_len = holder->id.len };

    key_put(&id, holder->id);
    key_put(&id, change->place.member);
    row.id = key_bytes(&id);
    state_encode(&record, &row);
    if (buffer_failed(&record))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    return move_expiry(a, key_bytes(key), old->expires_s, row.expires_s, err) &&
           txn_put(&a->txn, TABLE_STATE, key_bytes(key), buffer_bytes(&record), err);
}

bool write_place_take(struct applying *a, const struct change *change, struct error *err)
{
    struct state_row old;
    struct key key;
    bool found;

    if (!place_now(a, change, &key, &found, &old, err))
        return false;
    if (found)
        return old.expires_s == change->place.expires_s || put_place(a, change, &key, &old, err);
    return make_room(a, change, err) && put_place(a, change, &key, &old, err) &&
           enter_holder(a, &change->place.holder, err);
}

bool write_place_free(struct applying *a, const struct change *change, struct error *err)
{
    struct state_row old;
    struct key key;
    bool found;

    if (!place_now(a, change, &key, &found, &old, err))
        return false;
    return !found || delete_row(a, &key, &old, err);
}
