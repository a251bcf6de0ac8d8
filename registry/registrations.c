#include "registry/registrations.h"

#include "registry/match_index_internal.h"
#include "registry/registration_rows_internal.h"

/* --- candidates --- */
struct gathering {
    struct txn *txn;
    struct arena *arena;
    struct candidates found;
};

/* Adds the registration of this very name or pattern, if it is there and shown. */
static bool gather(struct gathering *g, struct domain_id domain, struct bytes name, struct error *err)
{
    struct key key;
    struct bytes value;
    bool found;

    row_key_name(domain, name, &key);
    if (!txn_get(g->txn, TABLE_REGISTRATION, key_bytes(&key), &found, &value, err))
        return false;
    if (!found || row_is_hidden(g->txn, value))
        return true;
    if (!row_decode(g->txn, value, g->arena, &g->found.item[g->found.count], err))
        return false;
    g->found.count++;
    return true;
}

bool registry_candidates(struct registry_view *view, struct domain_id domain, const struct dns_name *fqdn,
                         struct arena *arena, struct candidates *out, struct error *err)
{
    struct gathering g = { .txn = view_txn(view), .arena = arena };
    struct fqdn_pattern *match[MATCH_BUDGET + 1];
    size_t count, room;

    if (!match_index_find(g.txn, domain, fqdn, arena, match, &count, err))
        return false;
    room = count < REGISTRY_CANDIDATES_MAX ? count + 1 : REGISTRY_CANDIDATES_MAX; /* the exact one besides */
    g.found.item = arena_array(arena, room, sizeof(*g.found.item));
    if (g.found.item == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    if (!gather(&g, domain, dns_name_bytes(fqdn), err))
        return false;
    for (size_t i = 0; i < count && g.found.count < REGISTRY_CANDIDATES_MAX; i++)
        if (!gather(&g, domain, fqdn_pattern_bytes(match[i]), err))
            return false;
    *out = g.found;
    return true;
}

/* --- one --- */
bool registry_registration_by_fqdn(struct registry_view *view, struct domain_id domain,
                                   const struct fqdn_pattern *pattern, struct arena *arena, bool *found,
                                   struct registration *out, struct error *err)
{
    struct key key;

    row_key_name(domain, fqdn_pattern_bytes(pattern), &key);
    return row_get(view_txn(view), key_bytes(&key), arena, found, out, err);
}

bool registry_registration_by_key_id(struct registry_view *view, struct domain_id domain, struct bytes key_id,
                                     struct arena *arena, bool *found, struct registration *out,
                                     struct error *err)
{
    struct key key;
    struct registration r;
    bool there;

    if (!row_key_key_id(domain, key_id, &key, err) ||
        !row_get(view_txn(view), key_bytes(&key), arena, &there, &r, err))
        return false;
    *found = there && bytes_equal(r.key_id, key_id);
    if (*found)
        *out = r;
    return true;
}

bool registry_registration_by_id(struct registry_view *view, const struct registration_id *id,
                                 struct arena *arena, bool *found, struct registration *out,
                                 struct error *err)
{
    struct bytes key;

    if (!row_key_by_id(view_txn(view), id, found, &key, err))
        return false;
    return !*found || row_get(view_txn(view), key, arena, found, out, err);
}

/* --- overlaps --- */
/* Patterns looked at: a few milliseconds. */
enum { OVERLAP_BUDGET = 4096, OVERLAP_ARENA = 256 * 1024 };

struct overlaps {
    struct txn *txn;
    struct domain_id domain;
    const struct fqdn_pattern *pattern;
    registration_each *each;
    void *context;
    struct arena *row; /* the registration that is looked at */
    unsigned looked_at;
    bool stopped, over_budget, failed;
    struct error *err;
};

static bool give(struct overlaps *o, const struct registration *r)
{
    o->stopped = !o->each(r, o->context);
    return !o->stopped;
}

/* Gives the registration of just this pattern, if it is there and shown; false when that was enough. */
static bool give_holder(struct overlaps *o, const struct fqdn_pattern *pattern)
{
    struct registration r;
    struct key key;
    bool found;

    arena_reset(o->row);
    row_key_name(o->domain, fqdn_pattern_bytes(pattern), &key);
    if (!row_get(o->txn, key_bytes(&key), o->row, &found, &r, o->err)) {
        o->failed = true;
        return false;
    }
    return !found || give(o, &r);
}

static bool is_another(const struct overlaps *o, const struct fqdn_pattern *other)
{
    return fqdn_pattern_compare(o->pattern, other) != 0 && fqdn_pattern_overlaps(o->pattern, other);
}

static bool within_budget(struct overlaps *o)
{
    o->over_budget = o->looked_at++ >= OVERLAP_BUDGET;
    return !o->over_budget;
}

static bool judge_each(const struct fqdn_pattern *other, void *context)
{
    struct overlaps *o = context;

    return within_budget(o) && (!is_another(o, other) || give_holder(o, other));
}

/* An exact name meets just the patterns that match it. */
static bool judge_matches(struct overlaps *o, struct arena *arena, struct error *err)
{
    struct fqdn_pattern *match[MATCH_BUDGET + 1];
    struct dns_name name = { .len = o->pattern->len };
    size_t count = 0;

    memcpy(name.text, o->pattern->text, sizeof(name.text));
    if (!match_index_find(o->txn, o->domain, &name, arena, match, &count, err)) {
        o->over_budget = true;
        return err->code == ERROR_BUDGET;
    }
    for (size_t i = 0; i < count && give_holder(o, match[i]); i++)
        ;
    return true;
}

static unsigned depth_of(struct bytes name)
{
    unsigned depth = 1;

    for (size_t i = 0; i < name.len; i++)
        depth += name.data[i] == '.';
    return depth;
}

/* The labels behind the last one with a '*', as the beginning of a key. */
static void suffix_key(const struct overlaps *o, struct key *out)
{
    struct bytes name = fqdn_pattern_bytes(o->pattern);
    size_t end = name.len, dot;

    while (end > 0 && name.data[end - 1] != '*')
        end--;
    dot = end + bytes_find(bytes_from(name, end), '.');
    if (end == 0) {
        row_key_name(o->domain, name, out);
    } else if (dot >= name.len) {
        row_key_domain(o->domain, out);
    } else {
        row_key_name(o->domain, bytes_from(name, dot + 1), out);
        key_put_u8(out, 0);
    }
}

/* Exact names under the literal suffix; a lone '*' sees the patterns too, which share every name with it. */
static bool judge_names(struct overlaps *o, struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    bool any = fqdn_pattern_is_any(o->pattern);
    struct registration r;
    struct key prefix = { 0 };

    suffix_key(o, &prefix);
    if (!cursor_open(o->txn, TABLE_REGISTRATION, &cursor, err) ||
        !cursor_seek(&cursor, key_bytes(&prefix), err))
        return false;
    while (cursor_under(&cursor, key_bytes(&prefix)) && within_budget(o)) {
        if (!row_is_hidden(o->txn, cursor.value)) {
            arena_reset(o->row);
            if (!row_decode(o->txn, cursor.value, o->row, &r, err))
                return false;
            if (r.fqdn.len > 0 && (any || fqdn_pattern_is_exact(&r.fqdn)) && is_another(o, &r.fqdn) &&
                !give(o, &r))
                return true;
        }
        if (!cursor_next(&cursor, err))
            return false;
    }
    return true;
}

static bool find_overlaps(struct overlaps *o, struct arena *arena, struct error *err)
{
    static const struct fqdn_pattern any = { .len = 1, .text = "*" };

    if (!give_holder(o, o->pattern))
        return true;
    if (fqdn_pattern_is_exact(o->pattern))
        return judge_matches(o, arena, err);
    if (fqdn_pattern_is_any(o->pattern))
        return judge_names(o, err);
    if (!give_holder(o, &any))
        return true;
    if (!match_index_each(o->txn, o->domain, depth_of(fqdn_pattern_bytes(o->pattern)), judge_each, o, err))
        return false;
    return o->failed || o->stopped || o->over_budget || judge_names(o, err);
}

bool registry_overlaps_each(struct registry_view *view, struct domain_id domain,
                            const struct fqdn_pattern *pattern, registration_each *each, void *context,
                            bool *whole, struct error *err)
{
    AUTO_ARENA *arena = arena_new(OVERLAP_ARENA);
    AUTO_ARENA *row = arena_new(OVERLAP_ARENA);
    struct error ignored;
    struct overlaps o = { .txn = view_txn(view),
                          .domain = domain,
                          .pattern = pattern,
                          .each = each,
                          .context = context,
                          .row = row,
                          .err = err != NULL ? err : &ignored };

    if (arena == NULL || row == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    if (!find_overlaps(&o, arena, o.err) || o.failed)
        return false;
    *whole = !o.over_budget;
    return true;
}

struct overlap_list {
    const struct fqdn_pattern *pattern;
    struct fqdn_pattern *out;
    size_t max, count;
    bool more;
};

static bool list_other(const struct registration *r, void *context)
{
    struct overlap_list *list = context;

    if (fqdn_pattern_compare(&r->fqdn, list->pattern) == 0)
        return true;
    list->more = list->count == list->max;
    if (!list->more)
        list->out[list->count++] = r->fqdn;
    return !list->more;
}

bool registry_overlaps(struct registry_view *view, struct domain_id domain,
                       const struct fqdn_pattern *pattern, size_t max, struct fqdn_pattern *out,
                       size_t *count, bool *more, struct error *err)
{
    struct overlap_list list = { .pattern = pattern, .out = out, .max = max };
    bool whole;

    if (!registry_overlaps_each(view, domain, pattern, list_other, &list, &whole, err))
        return false;
    *count = list.count;
    *more = list.more || !whole;
    return true;
}

/* --- many --- */
bool registry_registrations_list(struct registry_view *view, struct domain_id domain, struct bytes after,
                                 size_t max, struct arena *arena, struct registration *out, size_t *count,
                                 struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    struct txn *txn = view_txn(view);
    struct registration *page = arena_array(arena, max, sizeof(*page));
    struct key prefix, from;
    size_t n = 0;

    if (page == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    row_key_domain(domain, &prefix);
    from = prefix;
    if (after.len > 0) {
        if (!row_key_cursor(domain, after, &from, err))
            return false;
        key_put_u8(&from, 0); /* the smallest key behind it: no name ends in NUL */
    }
    if (!cursor_open(txn, TABLE_REGISTRATION, &cursor, err) || !cursor_seek(&cursor, key_bytes(&from), err))
        return false;
    while (n < max && cursor_under(&cursor, key_bytes(&prefix))) {
        if (!row_is_hidden(txn, cursor.value) && !row_decode(txn, cursor.value, arena, &page[n++], err))
            return false;
        if (!cursor_next(&cursor, err))
            return false;
    }
    if (n > 0)
        memcpy(out, page, n * sizeof(*out));
    *count = n;
    return true;
}

bool registry_registrations_each(struct registry_view *view, struct arena *arena, registration_each *each,
                                 void *context, struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    struct txn *txn = view_txn(view);
    struct registration r;

    if (!cursor_open(txn, TABLE_REGISTRATION, &cursor, err) || !cursor_seek(&cursor, BYTES_NONE, err))
        return false;
    while (cursor.found) {
        if (!row_is_hidden(txn, cursor.value)) {
            if (!row_decode(txn, cursor.value, arena, &r, err))
                return false;
            if (!each(&r, context))
                return true;
            arena_reset(arena);
        }
        if (!cursor_next(&cursor, err))
            return false;
    }
    return true;
}
