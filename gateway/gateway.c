#include "gateway/gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/random.h"

enum { SLOW_DOWN_ENTRIES = 65536, NONCES_MAX = 65536, PARKED_MAX = 1024 };

static const struct config *first_config(const struct gateway *gateway)
{
    return gateway->live.current->config; /* before threads start */
}

void gateway_lend(const struct gateway *gateway, struct config *config)
{
    config->enroll.slow_down = gateway->slow_down;
    config->est.nonces = gateway->nonces;
    config->acme.nonces = gateway->acme_nonces;
    memcpy(config->est.nonce_key, gateway->nonce_key, sizeof(config->est.nonce_key));
    if (gateway->bound_count == 0)
        return;
    for (size_t i = 0; i < gateway->bound_count; i++)
        config->listener_role[i] = gateway->bound[i].role;
    config->listener_count = gateway->bound_count;
}

/* --- subsystems: started in this order, stopped in reverse --- */

static bool start_memory(struct gateway *gateway, struct error *err)
{
    if (!random_fill(&random_system, gateway->nonce_key, sizeof(gateway->nonce_key)))
        return error_openssl(err, "randomness");
    return monitor_new(&gateway->monitor, err) &&
           slow_down_new(SLOW_DOWN_ENTRIES, &gateway->slow_down, err) &&
           est_nonces_new(NONCES_MAX, &gateway->nonces, err) &&
           acme_nonces_new(ACME_NONCES_MAX, &random_system, &gateway->acme_nonces, err) &&
           parking_new(PARKED_MAX, &gateway->parking, err);
}

static void stop_memory(struct gateway *gateway)
{
    monitor_free(take(gateway->monitor));
    slow_down_free(take(gateway->slow_down));
    est_nonces_free(take(gateway->nonces));
    acme_nonces_free(take(gateway->acme_nonces));
    parking_free(take(gateway->parking));
}

static bool find_user(const char *name, const struct passwd **user, struct error *err)
{
    errno = 0;
    *user = getpwnam(name);
    return *user != NULL || error_set(err, ERROR_FORMAT, "user: there is no user %s", name);
}

/* The daemon will be that user. */
static bool is_to_change_user(const struct config *config)
{
    return config->user != NULL && geteuid() == 0;
}

/* Before anything is asked of a CA: after a crash it is asked for the same key. */
static bool make_missing_keys(struct config *config, struct error *err)
{
    const size_t count = config->missing_key_count;
    const struct passwd *user;
    struct file_owner owner;
    bool changes = is_to_change_user(config);

    if (count == 0)
        return true;
    if (changes && !find_user(config->user, &user, err))
        return false;
    if (changes)
        owner = (struct file_owner){ user->pw_uid, user->pw_gid };
    if (!config_make_missing_keys(config, changes ? &owner : NULL, err))
        return false;
    for (size_t i = 0; i < count; i++)
        log_fields(LOG_INFO, "key", LOG_CTEXT("name", config->missing_key[i].name),
                   LOG_CTEXT("file", config->missing_key[i].path), LOG_CTEXT("note", "made"));
    return true;
}

static bool start_config(struct gateway *gateway, struct error *err)
{
    struct config *config;

    if (!config_load(gateway->config_path, &config, err))
        return false;
    log_open(STDERR_FILENO, config->log_format, config->log_level);
    if (!make_missing_keys(config, err) || !live_config_init(&gateway->live, config, err)) {
        config_free(config);
        return false;
    }
    monitor_configuration(gateway->monitor, config);
    gateway_lend(gateway, config);
    return true;
}

static void stop_config(struct gateway *gateway)
{
    live_config_destroy(&gateway->live);
}

static void note_bound(struct gateway *gateway, const struct config *config)
{
    for (size_t i = 0; i < config->listener_count; i++) {
        struct bound_listener *b = &gateway->bound[i];

        (void)snprintf(b->address, sizeof(b->address), "%s", config->listener[i].address);
        b->port = config->listener[i].port;
        b->role = config->listener_role[i];
    }
    gateway->bound_count = config->listener_count;
}

static bool bind_listeners(struct gateway *gateway, struct error *err)
{
    const struct config *config = first_config(gateway);

    if (!net_server_new(&config->net, config->listener, config->listener_count, config->keys,
                        gateway_on_request, gateway, &gateway->server, err))
        return false;
    net_server_on_refused(gateway->server, gateway_on_refused);
    note_bound(gateway, config);
    return true;
}

static void free_listeners(struct gateway *gateway)
{
    net_server_free(take(gateway->server));
}

/* The registry that root made (or `muster init` as root) belongs to the user from now on. */
static bool give_registry(const char *path, const struct passwd *user, struct error *err)
{
    static const char *const files[] = { "", "/data.mdb", "/lock.mdb", "/daemon.lock" };

    for (size_t i = 0; i < COUNT_OF(files); i++) {
        char name[4096];

        (void)snprintf(name, sizeof(name), "%s%s", path, files[i]);
        if (chown(name, user->pw_uid, user->pw_gid) != 0 && errno != ENOENT)
            return error_errno(err, name);
    }
    return true;
}

/* What root could read and the user cannot would only show at the first reload. */
static void try_reload_as_user(const struct gateway *gateway)
{
    struct config *config;
    struct error err = { 0 };

    if (config_load(gateway->config_path, &config, &err))
        config_free(config);
    else
        log_fields(LOG_WARNING, "user", LOG_CTEXT("name", first_config(gateway)->user),
                   LOG_CTEXT("note", "reloads will fail: this user cannot read all that the start read"),
                   LOG_CTEXT("error", err.text));
}

/* What is renewed has to be written: a file beside it, then its name. */
static void warn_of_unwritable(const struct config *config)
{
    for (size_t i = 0; i < config->services.count; i++) {
        const struct service_certificate *s = &config->services.item[i];
        const char *slash = strrchr(s->path, '/');
        char folder[4096];

        (void)snprintf(folder, sizeof(folder), "%.*s", slash != NULL ? (int)(slash - s->path) + 1 : 1,
                       slash != NULL ? s->path : ".");
        if (s->ca != NULL && faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0)
            log_fields(LOG_WARNING, "renewal", LOG_CTEXT("certificate", s->what), LOG_CTEXT("file", s->path),
                       LOG_CTEXT("note", "it is to be renewed, but this user cannot write the folder"),
                       LOG_CTEXT("error", strerror(errno)));
    }
}

/* From root to the configured user, once the sockets are bound and the keys read. */
static bool drop_privileges(struct gateway *gateway, struct error *err)
{
    const struct config *config = first_config(gateway);
    const struct passwd *user;

    if (!is_to_change_user(config))
        return true;
    if (!find_user(config->user, &user, err) || !give_registry(config->registry.path, user, err))
        return false;
    if (initgroups(user->pw_name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
        setuid(user->pw_uid) != 0)
        return error_errno(err, "user");
    try_reload_as_user(gateway);
    return true;
}

static bool check_files(struct gateway *gateway, struct error *err)
{
    (void)err;
    warn_of_unwritable(first_config(gateway));
    return true;
}

static bool start_registry(struct gateway *gateway, struct error *err)
{
    return registry_open(&first_config(gateway)->registry, &gateway->registry, err);
}

static void stop_registry(struct gateway *gateway)
{
    registry_close(take(gateway->registry));
}

static bool start_writer(struct gateway *gateway, struct error *err)
{
    return writer_start(gateway->registry, &gateway->writer, err);
}

static void stop_writer(struct gateway *gateway)
{
    writer_stop(take(gateway->writer));
}

static bool start_runner(struct gateway *gateway, struct error *err)
{
    return runner_start(gateway, &gateway->runner, err);
}

static void stop_runner(struct gateway *gateway)
{
    runner_stop(take(gateway->runner));
}

static bool start_listening(struct gateway *gateway, struct error *err)
{
    monitor_sources(gateway->monitor, &(struct monitor_sources){ .server = gateway->server,
                                                                 .writer = gateway->writer,
                                                                 .registry = gateway->registry,
                                                                 .queue = &gateway->queue,
                                                                 .targets = runner_targets(gateway->runner),
                                                                 .parking = gateway->parking });
    gateway_audit_configuration(gateway);
    return net_server_start(gateway->server, err);
}

static void stop_listening(struct gateway *gateway)
{
    gateway_run_again(parking_close(gateway->parking)); /* nobody waits while we stop */
    net_server_stop(gateway->server);
}

static const struct subsystem {
    const char *name;
    bool (*start)(struct gateway *gateway, struct error *err);
    void (*stop)(struct gateway *gateway);
} subsystems[] = {
    { "memory", start_memory, stop_memory },
    { "configuration", start_config, stop_config },
    { "sockets", bind_listeners, free_listeners },
    { "privileges", drop_privileges, NULL },
    { "files", check_files, NULL },
    { "registry", start_registry, stop_registry },
    { "writer", start_writer, stop_writer },
    { "runner", start_runner, stop_runner },
    { "workers", workers_start, workers_stop },
    { "listeners", start_listening, stop_listening },
};

static void stop_from(struct gateway *gateway, size_t started)
{
    while (started-- > 0)
        if (subsystems[started].stop != NULL)
            subsystems[started].stop(gateway);
}

/* By the way of SIGHUP: the thread that waits for signals does it, one reload at a time. */
static void ask_reload(void)
{
    (void)kill(getpid(), SIGHUP);
}

bool gateway_start(struct gateway *gateway, const char *config_path, struct error *err)
{
    *gateway = (struct gateway){ .config_path = config_path, .ask_reload = ask_reload };
    for (size_t i = 0; i < COUNT_OF(subsystems); i++) {
        if (!subsystems[i].start(gateway, err)) {
            /* A subsystem that failed half-way is stopped too: every stop accepts what was not started. */
            stop_from(gateway, subsystems[i].start == start_memory ? i + 1 : i);
            return false;
        }
    }
    return true;
}

void gateway_stop(struct gateway *gateway)
{
    stop_from(gateway, COUNT_OF(subsystems));
}

/* What of the listeners cannot change without a restart. */
static const char *fixed_listeners(const struct gateway *gateway, const struct config *new)
{
    if (gateway->bound_count != new->listener_count)
        return "listeners: a restart is needed for their number";
    for (size_t i = 0; i < gateway->bound_count; i++)
        if (gateway->bound[i].port != new->listener[i].port ||
            strcmp(gateway->bound[i].address, new->listener[i].address) != 0 ||
            gateway->bound[i].role != new->listener_role[i])
            return "listeners: a restart is needed for addresses, ports and roles";
    return NULL;
}

static bool other_fixed_settings_differ(const struct config *old, const struct config *new)
{
    return old->workers != new->workers || strcmp(old->registry.path, new->registry.path) != 0;
}

static bool serves_the_same(const struct service_certificate *a, const struct service_certificate *b)
{
    return strcmp(a->path, b->path) == 0 || strcmp(a->what, b->what) == 0;
}

/* A certificate that is in use and whose file is gone, or is to be another one that is not there: a start
 * would ask for it, but what works now is not given up. */
static const char *lost_certificate(const struct config *old, const struct config *new)
{
    for (size_t i = 0; i < new->services.count; i++)
        for (size_t j = 0; j < old->services.count && service_is_awaited(&new->services.item[i]); j++)
            if (serves_the_same(&new->services.item[i], &old->services.item[j]) &&
                !service_is_awaited(&old->services.item[j]))
                return new->services.item[i].path;
    return NULL;
}

static bool load_anew(struct gateway *gateway, struct config **out, struct error *err)
{
    struct held_config *old = live_config_hold(&gateway->live);
    struct config *config = NULL;
    const char *lost = NULL;
    bool loaded = config_load(gateway->config_path, &config, err);

    if (loaded && (lost = lost_certificate(old->config, config)) != NULL)
        loaded = error_set(err, ERROR_NOT_FOUND, "%.200s is not there: the certificate that is in use stays",
                           lost);
    live_config_release(old);
    if (!loaded || !make_missing_keys(config, err)) {
        config_free(config);
        return false;
    }
    *out = config;
    return true;
}

bool gateway_reload(struct gateway *gateway, const char **note, struct error *err)
{
    struct config *config;
    struct held_config *old;
    const char *listeners;

    if (!load_anew(gateway, &config, err))
        return false;
    listeners = fixed_listeners(gateway, config);
    old = live_config_hold(&gateway->live);
    *note = listeners == NULL && other_fixed_settings_differ(old->config, config)
                ? "workers, registry: a restart is needed"
                : listeners;
    live_config_release(old);
    gateway_lend(gateway, config);
    if (listeners == NULL && !net_server_reload_tls(gateway->server, config->listener, config->listener_count,
                                                    config->keys, err)) {
        config_free(config);
        return false;
    }
    if (!live_config_replace(&gateway->live, config, err)) {
        config_free(config);
        return false;
    }
    monitor_configuration(gateway->monitor, config);
    warn_of_unwritable(config);
    gateway_audit_configuration(gateway);
    return true;
}
