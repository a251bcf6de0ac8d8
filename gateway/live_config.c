#include "gateway/live_config.h"

#include <stdlib.h>

static struct held_config *held_new(struct config *config, struct error *err)
{
    struct held_config *held = calloc(1, sizeof(*held));

    if (held == NULL) {
        (void)error_set(err, ERROR_MEMORY, "configuration");
        return NULL;
    }
    held->config = config;
    atomic_init(&held->holders, 1);
    return held;
}

bool live_config_init(struct live_config *live, struct config *config, struct error *err)
{
    struct held_config *held = held_new(config, err);

    if (held == NULL)
        return false;
    (void)pthread_mutex_init(&live->lock, NULL);
    live->current = held;
    return true;
}

void live_config_destroy(struct live_config *live)
{
    if (live->current != NULL) {
        live_config_release(take(live->current));
        (void)pthread_mutex_destroy(&live->lock);
    }
}

struct held_config *live_config_hold(struct live_config *live)
{
    struct held_config *held;

    (void)pthread_mutex_lock(&live->lock);
    held = live->current;
    (void)atomic_fetch_add(&held->holders, 1);
    (void)pthread_mutex_unlock(&live->lock);
    return held;
}

void live_config_release(struct held_config *held)
{
    if (atomic_fetch_sub(&held->holders, 1) == 1) {
        config_free(held->config);
        free(held);
    }
}

bool live_config_replace(struct live_config *live, struct config *config, struct error *err)
{
    struct held_config *held = held_new(config, err), *old;

    if (held == NULL)
        return false;
    (void)pthread_mutex_lock(&live->lock);
    old = live->current;
    live->current = held;
    (void)pthread_mutex_unlock(&live->lock);
    live_config_release(old);
    return true;
}
