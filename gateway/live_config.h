/* live_config.h: the configuration in force, and those that requests in flight still use. */
#ifndef MUSTER_GATEWAY_LIVE_CONFIG_H
#define MUSTER_GATEWAY_LIVE_CONFIG_H

#include <pthread.h>
#include <stdatomic.h>

#include "config/config.h"

struct held_config {
    struct config *config;
    atomic_uint holders;
};

struct live_config {
    pthread_mutex_t lock;
    struct held_config *current;
};

/* Takes ownership of `config`. */
MUST_USE bool live_config_init(struct live_config *live, struct config *config, struct error *err);
void live_config_destroy(struct live_config *live);

/* The one in force; given back with live_config_release(). */
struct held_config *live_config_hold(struct live_config *live);
void live_config_release(struct held_config *held);

/* From now on `config` is in force; the old one goes when its last holder lets go. */
MUST_USE bool live_config_replace(struct live_config *live, struct config *config, struct error *err);

#endif
