/* muster-bench seed: fills the registry of a configured gateway, before it starts, with registrations that
 * it admits (each with a secret of its own salt, sealed under the gateway's key) and with records of issued
 * certificates: for measuring at a size that nobody enrolls by hand. No officer signed any of it, and the
 * audit says so when it is verified: never for a gateway that is used. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench/arguments.h"
#include "bench/bench.h"
#include "bench/figures.h"
#include "bench/requests.h"
#include "config/config.h"
#include "lib/base/secret.h"
#include "officer/act.h"

enum { ARENA_MAX = 64 << 20, BATCH = 1000, DAY_S = 86400 };

struct seed_options {
    const char *config, *procedure, *names, *password;
    uint64_t rows, issued;
};

struct seed {
    struct seed_options options;
    const struct config *config;
    const struct procedure *procedure;
    const struct ca *ca;
    struct arena *arena;            /* reset on the way */
    struct certificate_record like; /* what each record of a certificate looks like; its DER is in `der` */
    struct buffer der;
    size_t serial_at; /* of the serial number in `der` */
    int64_t now_s;
};

/* --- registrations --- */
static bool seal(const struct seed *seed, struct registration *r, struct error *err)
{
    AUTO_STRUCT(secret) plain = { 0 };
    struct bytes password = bytes_text(seed->options.password);

    if (!secret_alloc(ACT_SALT_LEN + password.len, &plain))
        return error_set(err, ERROR_MEMORY, "secret");
    if (!random_fill(&random_system, plain.data, ACT_SALT_LEN))
        return error_set(err, ERROR_CRYPTO, "no randomness");
    if (password.len > 0)
        memcpy(plain.data + ACT_SALT_LEN, password.data, password.len);
    return (officer_commitment(bytes_of(plain.data, ACT_SALT_LEN), password, &r->commitment) ||
            error_set(err, ERROR_CRYPTO, "a commitment")) &&
           keys_seal(seed->config->keys, secret_bytes(&plain), registration_id_bytes(&r->id), seed->arena,
                     &r->sealed_secret, err);
}

static size_t name_of(const struct seed *seed, uint64_t n, char out[BENCH_CN_MAX])
{
    bench_fqdn(seed->options.names, n, out);
    return strlen(out);
}

static bool make_registration(const struct seed *seed, uint64_t n, struct registration *out,
                              struct error *err)
{
    char name[BENCH_CN_MAX];

    *out = (struct registration){ .order = ORDER_EST,
                                  .procedure = bytes_text(seed->procedure->name),
                                  .domain = seed->procedure->domain->id,
                                  .state = REGISTRATION_OPEN,
                                  .accepted_s = seed->now_s,
                                  .protocols = seed->procedure->protocols,
                                  .officer = BYTES_LITERAL("lVHnoJWkhGWXQ8Wb0gWLbRlRhAyyu46jVmT9C0l1fBE") };
    out->fqdn.len = (uint8_t)name_of(seed, n, name);
    memcpy(out->fqdn.text, name, out->fqdn.len);
    if (!random_fill(&random_system, out->id.bytes, sizeof(out->id.bytes)))
        return error_set(err, ERROR_CRYPTO, "no randomness");
    return seal(seed, out, err);
}

static bool add_registrations(struct seed *seed, struct registry_import *import, struct error *err)
{
    for (uint64_t n = 0; n < seed->options.rows; n++) {
        struct registration r;

        arena_reset(seed->arena);
        if (!make_registration(seed, n, &r, err) || !registry_import_add(import, &r, err))
            return false;
    }
    return true;
}

static bool import_registrations(struct seed *seed, struct registry *registry, struct error *err)
{
    struct registry_import *import = NULL;
    struct changes changes;

    if (!registry_import_begin(registry, &import, err))
        return false;
    if (add_registrations(seed, import, err)) {
        arena_reset(seed->arena);
        changes_begin(&changes, seed->arena);
        change_audit_append(&changes, AUDIT_ACT, BYTES_LITERAL("{\"note\":\"muster-bench seed\"}"));
        if (registry_import_finish(import, &changes, seed->now_s, err))
            return true;
    }
    registry_import_abort(import);
    return false;
}

/* --- certificates: one is made in truth; the others are that one with a serial number of their own --- */
static bool sign_like(struct seed *seed, const struct public_key *key, struct bytes subject,
                      struct connector_step *out, struct error *err)
{
    const struct connector_call call = { seed->ca, seed->config->keys, &random_system, seed->now_s,
                                         seed->arena };
    const struct ca_order order = {
        .profile = seed->procedure->profile, .subject = subject, .key = key, .now_s = seed->now_s
    };

    return seed->ca->connector->start(&call, &order, out, err) &&
           (out->verdict == CONNECTOR_ISSUED ||
            error_set(err, ERROR_UNSUPPORTED, "CA %s issues nothing at once", seed->ca->name));
}

static bool keep_like(struct seed *seed, struct bytes der, struct error *err)
{
    struct certificate certificate;

    if (!certificate_decode(der, seed->arena, &certificate) || certificate.serial.len != CA_SERIAL_LEN)
        return error_set(err, ERROR_INTERNAL, "the certificate cannot be read");
    seed->der = BUFFER(64 * 1024);
    buffer_append(&seed->der, der);
    seed->serial_at = (size_t)(certificate.serial.data - der.data);
    seed->like = (struct certificate_record){ .id = { .issuer = seed->ca->issuer,
                                                      .serial_len = CA_SERIAL_LEN },
                                              .status = CERTIFICATE_GOOD,
                                              .protocol = PROTOCOL_EST,
                                              .ca = bytes_text(seed->ca->name),
                                              .procedure = bytes_text(seed->procedure->name),
                                              .profile = bytes_text(seed->procedure->profile->name),
                                              .domain = seed->procedure->domain->id,
                                              .issued_s = seed->now_s,
                                              .not_before_s = certificate.not_before_s,
                                              .not_after_s = certificate.not_after_s };
    return !buffer_failed(&seed->der) || error_set(err, ERROR_MEMORY, "out of memory");
}

static bool make_like(struct seed *seed, struct error *err)
{
    struct keys *own = NULL;
    struct public_key key;
    struct bytes subject;
    struct connector_step step = { 0 };
    char name[BENCH_CN_MAX];
    bool made;

    (void)name_of(seed, seed->options.rows, name);
    made = keys_new(&own, err) && keys_generate(own, "device", KEY_EC_P256, 0, err);
    if (made &&
        (!public_key_parse(keys_public(own, "device"), &key) || !bench_name(name, seed->arena, &subject)))
        made = error_set(err, ERROR_INTERNAL, "a key and a name");
    made = made && sign_like(seed, &key, subject, &step, err) && keep_like(seed, step.certificate, err);
    keys_unref(own);
    return made;
}

/* Serial numbers begin with a time, as the CA's do: those that were issued long ago stand first. */
static bool make_certificate(struct seed *seed, uint64_t n, struct changes *out, struct error *err)
{
    int64_t age_s = (int64_t)((seed->options.issued - n) % ((uint64_t)300 * DAY_S));
    struct certificate_record record = seed->like;
    char name[BENCH_CN_MAX];

    if (!ca_serial_make(seed->now_s - age_s, &random_system, record.id.serial) ||
        !random_fill(&random_system, record.key.bytes, sizeof(record.key.bytes)))
        return error_set(err, ERROR_CRYPTO, "no randomness");
    record.fqdn.len = (uint8_t)name_of(seed, seed->options.rows > 0 ? n % seed->options.rows : n, name);
    memcpy(record.fqdn.text, name, record.fqdn.len);
    memcpy(seed->der.data + seed->serial_at, record.id.serial, CA_SERIAL_LEN);
    record.der = buffer_bytes(&seed->der);
    changes_begin(out, seed->arena);
    change_certificate_add(out, &record);
    change_audit_append(out, AUDIT_ISSUED, BYTES_LITERAL("{\"note\":\"muster-bench seed\"}"));
    return true;
}

static bool add_certificates(struct seed *seed, struct registry *registry, struct error *err)
{
    for (uint64_t n = 0; n < seed->options.issued;) {
        static struct changes changes[BATCH];
        static const struct changes *list[BATCH];
        static enum apply_result result[BATCH];
        size_t count = 0;

        arena_reset(seed->arena);
        for (; count < BATCH && n < seed->options.issued; count++, n++) {
            if (!make_certificate(seed, n, &changes[count], err))
                return false;
            list[count] = &changes[count];
        }
        if (!registry_apply(registry, list, count, seed->now_s, result, err))
            return false;
        for (size_t i = 0; i < count; i++)
            if (!apply_result_error(result[i], err))
                return false;
    }
    return true;
}

/* --- all of it --- */
static bool fill(struct seed *seed, struct registry *registry, struct error *err)
{
    double begun = figures_wall_s(), between;

    if (!import_registrations(seed, registry, err))
        return false;
    between = figures_wall_s();
    arena_reset(seed->arena);
    if (!make_like(seed, err) || !add_certificates(seed, registry, err))
        return false;
    printf("%llu registrations in %.1f s, %llu certificates in %.1f s\n",
           (unsigned long long)seed->options.rows, between - begun, (unsigned long long)seed->options.issued,
           figures_wall_s() - between);
    return true;
}

/* What was written without waiting for the disk is there before anybody starts; and the system forgets its
 * pages, so that a gateway finds the file as after a boot, not as one write has left it in memory. */
static bool settle(const char *directory, struct error *err)
{
    char path[4200];
    int fd;
    bool done;

    (void)snprintf(path, sizeof(path), "%s/data.mdb", directory);
    fd = open(path, O_RDWR | O_CLOEXEC);
    done = (fd >= 0 && fsync(fd) == 0) || error_errno(err, path);
    if (done)
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    if (fd >= 0)
        (void)close(fd);
    return done;
}

static bool find_service(struct seed *seed, struct error *err)
{
    seed->procedure = seed->options.procedure == NULL
                          ? seed->config->default_procedure
                          : config_procedure(seed->config, bytes_text(seed->options.procedure));
    if (seed->procedure == NULL)
        return error_set(err, ERROR_NOT_FOUND, "there is no such procedure, or no default one");
    for (size_t i = 0; i < seed->config->ca_count; i++)
        if (strcmp(seed->config->ca[i].name, seed->procedure->ca) == 0)
            seed->ca = &seed->config->ca[i];
    return seed->ca != NULL || error_set(err, ERROR_NOT_FOUND, "there is no CA %s", seed->procedure->ca);
}

static bool run(struct seed *seed, struct error *err)
{
    struct registry_options options = seed->config->registry;
    struct registry *registry = NULL;
    bool done;

    options.no_sync = true;
    seed->now_s = (int64_t)time(NULL);
    seed->arena = arena_new(ARENA_MAX);
    if (seed->arena == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    done = find_service(seed, err) && registry_open(&options, &registry, err) && fill(seed, registry, err);
    registry_close(registry);
    arena_free(seed->arena);
    buffer_free(&seed->der);
    return done && settle(options.path, err);
}

static const char usage[] =
    "usage: muster-bench seed --config FILE --rows N [--issued N] [--procedure NAME] [--names PATTERN]\n"
    "                         [--password TEXT]\n"
    "\n"
    "Fills the registry that the configuration names, while no gateway runs: N registrations, their names "
    "the\n"
    "pattern with 0, 1, 2 ... for its star (default unit-*.bench.example.com), reusable, all with one "
    "password\n"
    "(default bench-secret); and records of N issued certificates. No officer signed them, so that `muster\n"
    "audit verify` finds fault: for measurements alone.\n";

int bench_seed(int argc, char **argv)
{
    struct seed seed = { .options = { .names = "unit-*.bench.example.com", .password = "bench-secret" } };
    struct seed_options *o = &seed.options;
    const struct argument table[] = { { "config", ARGUMENT_TEXT, { .text = &o->config } },
                                      { "procedure", ARGUMENT_TEXT, { .text = &o->procedure } },
                                      { "names", ARGUMENT_TEXT, { .text = &o->names } },
                                      { "password", ARGUMENT_TEXT, { .text = &o->password } },
                                      { "rows", ARGUMENT_NUMBER, { .number = &o->rows } },
                                      { "issued", ARGUMENT_NUMBER, { .number = &o->issued } } };
    struct config *config = NULL;
    struct error err = { 0 };
    bool done;

    if (!arguments_read(argc, argv, usage, table, COUNT_OF(table)))
        return 2;
    if (o->config == NULL || o->rows == 0) {
        fputs(usage, stderr);
        return 2;
    }
    done = config_load(o->config, &config, &err);
    seed.config = config;
    done = done && run(&seed, &err);
    config_free(config);
    if (!done)
        (void)fprintf(stderr, "muster-bench: %s\n", err.text);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
