#include "registry/places_internal.h"

bool place_key_of(const struct state_key *holder, struct bytes member, struct key *out, struct error *err)
{
    if (holder->id.len == 0 || member.len == 0 || holder->id.len + member.len > STATE_ID_MAX)
        return error_set(err, ERROR_INTERNAL, "registry: a place has a holder and a member, of %d octets",
                         STATE_ID_MAX);
    if (!state_key_of(holder, out, err))
        return false;
    key_put(out, member);
    return true;
}

struct bytes place_holder_key(struct bytes place_key, const struct state_row *place)
{
    return bytes_slice(place_key, 0, place_key.len - (place->id.len - (size_t)place->holder_len));
}

uint64_t places_count(const struct state_row *holder)
{
    return holder->blob.len == sizeof(uint64_t) ? key_u64(holder->blob, 0) : 0;
}

bool places_next_over(struct txn *txn, const struct key *holder, const struct key *from, int64_t now_s,
                      bool *found, struct key *out, struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    struct state_row row;

    *found = false;
    if (!cursor_open(txn, TABLE_STATE, &cursor, err) || !cursor_seek(&cursor, key_bytes(from), err))
        return false;
    while (cursor_under(&cursor, key_bytes(holder))) {
        if (!state_decode(cursor.value, &row, err))
            return false;
        if (row.holder_len > 0 && row.expires_s != 0 && row.expires_s <= now_s &&
            !bytes_equal(cursor.key, key_bytes(from))) {
            out->len = 0;
            key_put(out, cursor.key);
            *found = true;
            return true;
        }
        if (!cursor_next(&cursor, err))
            return false;
    }
    return true;
}

bool places_are_full(struct txn *txn, const struct key *holder, uint32_t max, int64_t now_s, bool *full,
                     struct error *err)
{
    struct key at = *holder;
    struct state_row row;
    struct bytes value;
    uint64_t count = 0;
    bool found, over = true;

    if (!txn_get(txn, TABLE_STATE, key_bytes(holder), &found, &value, err))
        return false;
    if (found) {
        if (!state_decode(value, &row, err))
            return false;
        count = places_count(&row);
    }
    while (count >= max && count <= PLACES_EXACT_MAX && over) {
        if (!places_next_over(txn, holder, &at, now_s, &over, &at, err))
            return false;
        count -= over;
    }
    *full = count >= max;
    return true;
}

bool registry_places_room(struct registry_view *view, const struct state_key *holder, uint32_t max,
                          int64_t now_s, bool *room, struct error *err)
{
    struct key key;
    bool full;

    if (!state_key_of(holder, &key, err) || !places_are_full(view_txn(view), &key, max, now_s, &full, err))
        return false;
    *room = !full;
    return true;
}

bool registry_places_each(struct registry_view *view, const struct state_key *holder, struct bytes after,
                          place_each *each, void *context, struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    struct key key, from;

    if (!state_key_of(holder, &key, err))
        return false;
    from = key;
    key_put(&from, bytes_slice(after, 0, STATE_ID_MAX));
    if (!cursor_open(view_txn(view), TABLE_STATE, &cursor, err) ||
        !cursor_seek(&cursor, key_bytes(&from), err))
        return false;
    while (cursor_under(&cursor, key_bytes(&key))) {
        struct state_row row;

        if (!state_decode(cursor.value, &row, err))
            return false;
        if (row.holder_len > 0 && !bytes_equal(cursor.key, key_bytes(&from)) &&
            !each(bytes_from(row.id, (size_t)row.holder_len), row.expires_s, context))
            return true;
        if (!cursor_next(&cursor, err))
            return false;
    }
    return true;
}
