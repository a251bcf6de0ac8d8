#include "registry/apply_internal.h"

#include <stdlib.h>

/* Longer lists of attributes than one registration can hold do not occur. */
enum { APPLY_ARENA = 1 << 20 };

/* --- what an outcome does to the room that is left --- */
enum weight { WEIGHT_NONE, WEIGHT_FREES, WEIGHT_ADDS, WEIGHT_REFUSED };

static enum weight weight_of(const struct change *change)
{
    switch (change->kind) {
    case CHANGE_REGISTRATION_PUT:
        return change->registration.state == REGISTRATION_CLOSED && change->revision != 0 ? WEIGHT_FREES
                                                                                          : WEIGHT_REFUSED;
    case CHANGE_CERTIFICATE_ADD: return WEIGHT_REFUSED;
    case CHANGE_CERTIFICATE_REVOKE:
    case CHANGE_STATE_DELETE:
    case CHANGE_PLACE_FREE:
    case CHANGE_JOB_PUT: /* what is under way goes on */
    case CHANGE_JOB_DELETE: return WEIGHT_FREES;
    case CHANGE_STATE_PUT: return change->revision == 0 ? WEIGHT_ADDS : WEIGHT_NONE;
    case CHANGE_PLACE_TAKE: return change->place.max > 0 ? WEIGHT_ADDS : WEIGHT_NONE;
    case CHANGE_OFFICER_PUT:
    case CHANGE_JTI_USE:
    case CHANGE_AUDIT_APPEND: return WEIGHT_ADDS;
    case CHANGE_NONE:
    case CHANGE_REGISTRATION_ASSUME:
    case CHANGE_CERTIFICATE_ASSUME:
    case CHANGE_STATE_ASSUME:
    case CHANGE_REGISTRATION_USE: return WEIGHT_NONE;
    }
    return WEIGHT_REFUSED;
}

/* With no room left: may this outcome still be written? */
static bool may_enter(const struct changes *changes)
{
    bool adds = false, frees = false;

    for (const struct change *change = changes->first; change != NULL; change = change->next) {
        enum weight weight = weight_of(change);

        if (weight == WEIGHT_REFUSED)
            return false;
        adds |= weight == WEIGHT_ADDS;
        frees |= weight == WEIGHT_FREES;
    }
    return frees || !adds;
}

/* --- one transaction --- */
bool applying_begin(struct registry *registry, int64_t now_s, struct applying *out, struct error *err)
{
    struct applying a = { .now_s = now_s, .arena = arena_new(APPLY_ARENA) };

    if (a.arena == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    if (!txn_begin_write(registry, &a.txn, err) || !storage_is_full(&a.txn, &a.full, err) ||
        !audit_tail_load(&a.txn, &a.audit, err)) {
        applying_end(&a);
        return false;
    }
    a.audit_first = a.audit.size;
    *out = a;
    return true;
}

void applying_end(struct applying *a)
{
    txn_abort(&a->txn);
    arena_free(take(a->arena));
}

bool applying_check(struct applying *a, const struct changes *changes, enum apply_result *result,
                    struct error *err)
{
    bool holds = true;

    a->staged = false;
    if (changes->failed) {
        *result = APPLY_INVALID;
        return true;
    }
    if (a->full && !may_enter(changes)) {
        *result = APPLY_FULL;
        return true;
    }
    for (const struct change *change = changes->first; change != NULL && holds; change = change->next) {
        arena_reset(a->arena);
        if (!change_check(a, change, &holds, err))
            return false;
    }
    *result = holds ? APPLY_DONE : a->staged ? APPLY_BUSY : APPLY_CONFLICT;
    return true;
}

/* Where the first signed act among the changes will stand in the audit; UINT64_MAX: there is none. */
static uint64_t act_index_of(const struct applying *a, const struct changes *changes)
{
    uint64_t index = a->audit.size;

    for (const struct change *change = changes->first; change != NULL; change = change->next) {
        if (change->kind != CHANGE_AUDIT_APPEND)
            continue;
        if (change->audit.kind == AUDIT_ACT)
            return index;
        index++;
    }
    return UINT64_MAX;
}

bool applying_write(struct applying *a, const struct changes *changes, struct error *err)
{
    uint64_t act_index = act_index_of(a, changes);

    for (const struct change *change = changes->first; change != NULL; change = change->next) {
        arena_reset(a->arena);
        if (!change_write(a, change, act_index, err))
            return false;
    }
    return true;
}

bool applying_commit(struct applying *a, struct error *err)
{
    if (a->audit.size != a->audit_first && !audit_tail_store(&a->txn, &a->audit, a->now_s, err))
        return false;
    return txn_commit(&a->txn, err);
}

/* --- the writer --- */

/* What a failed write says about its outcome; APPLY_NONE: nothing, the storage failed. */
static enum apply_result blame(const struct error *err)
{
    bool of_the_outcome = err->code == ERROR_CONFLICT || err->code == ERROR_INTERNAL ||
                          err->code == ERROR_FORMAT;

    if (err->code == ERROR_LIMIT)
        return APPLY_LIMIT;
    return of_the_outcome ? APPLY_INVALID : APPLY_NONE;
}

/* One try over all outcomes that are not out yet (result != APPLY_NONE). *again: one fell out while it was
 * written, so the transaction was given up and another try is due. */
static bool try_all(struct registry *registry, const struct changes *const *changes, size_t count,
                    int64_t now_s, enum apply_result *result, enum apply_result *out, bool *again,
                    struct error *err)
{
    struct applying a __attribute__((cleanup(auto_applying))) = { 0 };
    struct error why = { 0 };
    bool any = false;

    *again = false;
    if (!applying_begin(registry, now_s, &a, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        result[i] = out[i];
        if (out[i] != APPLY_NONE)
            continue;
        if (applying_check(&a, changes[i], &result[i], &why) &&
            (result[i] != APPLY_DONE || applying_write(&a, changes[i], &why))) {
            any |= result[i] == APPLY_DONE;
            continue;
        }
        out[i] = blame(&why);
        *again = out[i] != APPLY_NONE;
        if (!*again && err != NULL)
            *err = why;
        return *again;
    }
    return !any || applying_commit(&a, err);
}

bool registry_apply(struct registry *registry, const struct changes *const *changes, size_t count,
                    int64_t now_s, enum apply_result *result, struct error *err)
{
    enum apply_result *out = calloc(count + 1, 2 * sizeof(*out)), *tried = out + count + 1;
    bool again = true, done = true;

    if (out == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    while (again && done)
        done = try_all(registry, changes, count, now_s, tried, out, &again, err);
    if (done && count > 0)
        memcpy(result, tried, count * sizeof(*result));
    free(out);
    return done;
}

bool apply_result_error(enum apply_result result, struct error *err)
{
    switch (result) {
    case APPLY_DONE: return true;
    case APPLY_CONFLICT: return error_set(err, ERROR_CONFLICT, "registry: what was assumed no longer holds");
    case APPLY_FULL:
        return error_set(err, ERROR_UNAVAILABLE,
                         "registry: 90%% of the disk or of the map's ceiling are used; nothing new is taken");
    case APPLY_BUSY:
        return error_set(err, ERROR_UNAVAILABLE,
                         "registry: an import that is under way brings a registration of this name");
    case APPLY_LIMIT:
        return error_set(err, ERROR_LIMIT,
                         "registry: too many registered patterns look like this one; it could not be told "
                         "from them fast enough");
    case APPLY_NONE:
    case APPLY_INVALID: break;
    }
    return error_set(err, ERROR_INTERNAL, "registry: these changes contradict each other or are incomplete");
}
