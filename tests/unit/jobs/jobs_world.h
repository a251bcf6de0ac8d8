/* jobs_world.h: a registry in a folder of its own, and turns on it. */
#ifndef MUSTER_TEST_JOBS_WORLD_H
#define MUSTER_TEST_JOBS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "jobs/job.h"

enum { NOW_S = 1800000000 };

struct world {
    char folder[40];
    struct registry *registry;
    struct registry_view *view;
    struct keys *keys;
    struct arena *arena;
    struct turn turn;
    struct error err;
};

static inline void begin_turn(struct world *w, int64_t now_s)
{
    assert_true(registry_view_renew(w->view, &w->err));
    w->turn = (struct turn){
        .view = w->view, .keys = w->keys, .random = random_system, .now_s = now_s, .arena = w->arena
    };
    changes_begin(&w->turn.changes, w->arena);
}

/* What the turn wants written is written. */
static inline enum apply_result apply_turn(struct world *w)
{
    const struct changes *changes[] = { &w->turn.changes };
    enum apply_result result = APPLY_NONE;

    assert_false(changes_failed(&w->turn.changes));
    if (!registry_apply(w->registry, changes, 1, w->turn.now_s, &result, &w->err))
        fail_msg("%s", w->err.text);
    return result;
}

static inline int world_set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct registry_options options = REGISTRY_OPTIONS_DEFAULT;

    assert_non_null(w);
    (void)snprintf(w->folder, sizeof(w->folder), "/tmp/muster-jobs-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    options.path = w->folder;
    options.map_max = 64 << 20;
    options.no_sync = true;
    if (!registry_open(&options, &w->registry, &w->err))
        fail_msg("%s", w->err.text);
    assert_true(registry_view_begin(w->registry, &w->view, &w->err));
    assert_true(keys_new(&w->keys, &w->err));
    w->arena = arena_new(64 << 20);
    assert_non_null(w->arena);
    begin_turn(w, NOW_S);
    *state = w;
    return 0;
}

static inline int world_tear_down(void **state)
{
    struct world *w = *state;
    char command[64];

    registry_view_end(w->view);
    registry_close(w->registry);
    keys_unref(w->keys);
    arena_free(w->arena);
    (void)snprintf(command, sizeof(command), "rm -rf %s", w->folder);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

#define jobs_test(function) cmocka_unit_test_setup_teardown(function, world_set_up, world_tear_down)

/* The one job of this kind as it stands in the registry. */
static inline bool job_of_kind(struct world *w, const char *kind, struct job_record *out)
{
    struct job_id id;
    bool found = false;

    assert_true(registry_view_renew(w->view, &w->err));
    assert_true(job_id_of_kind(kind, &id));
    assert_true(registry_job(w->view, &id, w->arena, &found, out, &w->err));
    return found;
}

#endif
