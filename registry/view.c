#include <assert.h>
#include <stdlib.h>

#include "registry/storage_internal.h"

bool registry_view_begin(struct registry *registry, struct registry_view **out, struct error *err)
{
    struct registry_view *view = calloc(1, sizeof(*view));

    if (view == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    if (!txn_begin_read(registry, &view->txn, err)) {
        free(view);
        return false;
    }
    view->active = true;
    *out = view;
    return true;
}

void registry_view_reset(struct registry_view *view)
{
    if (view->active)
        mdb_txn_reset(view->txn.handle);
    view->active = false;
}

bool registry_view_renew(struct registry_view *view, struct error *err)
{
    int rc;

    registry_view_reset(view);
    rc = mdb_txn_renew(view->txn.handle);
    if (rc != 0)
        return storage_error(rc, "a view cannot be renewed", err);
    view->active = true;
    if (txn_load_hidden(&view->txn, err))
        return true;
    registry_view_reset(view);
    return false;
}

void registry_view_end(struct registry_view *view)
{
    if (view == NULL)
        return;
    txn_abort(&view->txn);
    free(view);
}

uint64_t registry_view_reads(const struct registry_view *view)
{
    return view->txn.reads;
}

struct txn *view_txn(struct registry_view *view)
{
    assert(view->active);
    return &view->txn;
}
