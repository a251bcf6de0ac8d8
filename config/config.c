/* config.c: reading, making and releasing a configuration. */
#include "config/config.h"

#include <unistd.h>

#include "config/rows_internal.h"

enum { CONFIG_ARENA_MAX = 64 << 20 };

static unsigned processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > CONFIG_WORKERS_MAX ? CONFIG_WORKERS_MAX : (unsigned)n;
}

static bool read_and_make(struct reader *reader, struct config *config, struct error *err)
{
    struct parsed *parsed = arena_alloc(config->arena, sizeof(*parsed));

    if (parsed == NULL)
        return error_set(err, ERROR_MEMORY, "the configuration is too large");
    *parsed = parsed_defaults;
    parsed->net = NET_OPTIONS_DEFAULT;
    if (!reader_read(reader, &settings_file, parsed, err))
        return false;
    if (parsed->workers == 0)
        parsed->workers = processors();
    return config_check_names(reader, parsed, err) && config_make(reader, parsed, config, err) &&
           config_check_made(reader, parsed, config, err);
}

bool config_load(const char *path, struct config **out, struct error *err)
{
    AUTO_ARENA *arena = arena_new(CONFIG_ARENA_MAX);
    struct config *config = arena != NULL ? arena_alloc(arena, sizeof(*config)) : NULL;
    struct reader *reader;

    if (config == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for the configuration");
    if (!reader_open(path, arena, &reader, err))
        return false;
    config->arena = take(arena);
    bool ok = read_and_make(reader, config, err);
    reader_close(reader);
    if (!ok) {
        config_free(config);
        return false;
    }
    *out = config;
    return true;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->ca_count; i++)
        ca_release(&config->ca[i]);
    for (size_t i = 0; i < config->cmp_upstream_count; i++)
        cmp_upstream_release(config->cmp_upstream[i]);
    for (size_t i = 0; i < config->procedure_count; i++) {
        anchors_free(config->procedure[i]->vendor_anchors);
        anchors_free(config->procedure[i]->cmp_ra_anchors);
        for (size_t j = 0; j < ATTESTATION_FORMAT_COUNT; j++)
            anchors_free(config->procedure[i]->acme_attestation_anchors[j]);
    }
    for (size_t i = 0; i < config->weak_list_count; i++)
        weak_list_free(config->weak_list[i]);
    keys_unref(config->keys);
    arena_free(config->arena); /* holds *config too */
}

const struct procedure *config_procedure(const struct config *config, struct bytes name)
{
    for (size_t i = 0; i < config->procedure_count; i++) {
        if (bytes_is(name, config->procedure[i]->name))
            return config->procedure[i];
    }
    return NULL;
}
