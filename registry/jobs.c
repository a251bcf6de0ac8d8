#include "registry/state.h"
#include "registry/state_rows_internal.h"

bool registry_job(struct registry_view *view, const struct job_id *id, struct arena *arena, bool *found,
                  struct job_record *out, struct error *err)
{
    struct bytes value;

    (void)arena; /* nothing in it is a list */
    if (!txn_get(view_txn(view), TABLE_JOB, BYTES_ARRAY(id->bytes), found, &value, err))
        return false;
    return !*found || job_decode(value, out, err);
}

bool registry_jobs_due(struct registry_view *view, int64_t now_s, size_t max, struct arena *arena,
                       struct job_record *out, size_t *count, int64_t *next_s, struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    struct txn *txn = view_txn(view);
    struct job_record *due = arena_array(arena, max, sizeof(*due));
    size_t n = 0;

    if (due == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    if (!cursor_open(txn, TABLE_JOB_DUE, &cursor, err) || !cursor_seek(&cursor, BYTES_NONE, err))
        return false;
    while (n < max && cursor.found && (int64_t)key_u64(cursor.key, 0) <= now_s) {
        struct bytes value;
        bool found;

        if (!txn_get(txn, TABLE_JOB, bytes_from(cursor.key, DUE_WHAT_AT), &found, &value, err))
            return false;
        if (!found)
            return error_set(err, ERROR_FORMAT, "registry: an index names a job that is not there");
        if (!job_decode(value, &due[n++], err) || !cursor_next(&cursor, err))
            return false;
    }
    if (n > 0)
        memcpy(out, due, n * sizeof(*out));
    *count = n;
    *next_s = cursor.found ? (int64_t)key_u64(cursor.key, 0) : INT64_MAX;
    return true;
}
