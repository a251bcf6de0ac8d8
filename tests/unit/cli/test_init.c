#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/init.h"
#include "config/config.h"
#include "officer/audit_check.h"
#include "registry/state.h"

enum { NOW_S = 1800000000 };

static struct init_fingerprints fingerprints;

struct folder {
    char path[256];
};

static int set_up(void **state)
{
    struct folder *f = calloc(1, sizeof(*f));
    const char *base = getenv("TMPDIR");

    assert_non_null(f);
    (void)snprintf(f->path, sizeof(f->path), "%s/muster-init-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(f->path));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {
        "muster.yaml",
        "ca.pem",
        "tls.pem",
        "scep-ra.pem",
        "cmp-ra.pem",
        "officer.pem",
        "officer.key",
        "keys/ca.pem",
        "keys/tls.pem",
        "keys/scep-ra.pem",
        "keys/cmp-ra.pem",
        "keys/secrets.key",
        "registry/data.mdb",
        "registry/lock.mdb",
        "registry/daemon.lock",
        "keys",
        "registry",
        "",
    };
    struct folder *f = *state;
    char path[512];

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", f->path, names[i]);
        (void)remove(path);
    }
    assert_int_not_equal(access(f->path, F_OK), 0);
    free(f);
    return 0;
}

static struct init_options options_in(const struct folder *f)
{
    return (struct init_options){ .dir = f->path,
                                  .domain = "devices",
                                  .procedure = "routers",
                                  .ca_name = "demo",
                                  .ca_subject = "CN=Demo CA,O=Example",
                                  .officer = "Registrar",
                                  .hosts = "127.0.0.1,localhost",
                                  .http_port = 8080,
                                  .tls_port = 8443,
                                  .admin_port = 8444 };
}

static void must(bool ok, const struct error *err)
{
    if (!ok)
        fail_msg("%s", err->text);
}

static unsigned mode_of(const struct folder *f, const char *name)
{
    char path[512];
    struct stat status;

    (void)snprintf(path, sizeof(path), "%s/%s", f->path, name);
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

static void what_was_made_is_a_sound_installation(void **state)
{
    const struct folder *f = *state;
    struct init_options options = options_in(f);
    AUTO_ARENA *arena = arena_new(64 << 20);
    struct error err = { 0 };
    char path[512], fingerprint[CA_FINGERPRINT_LEN];
    struct config *config;
    struct registry *registry;
    struct registry_view *view;
    struct audit_report report;
    struct officer_record officer[2];
    size_t count;

    must(init_installation(&options, NOW_S, &fingerprints, &err), &err);
    (void)snprintf(path, sizeof(path), "%s/muster.yaml", f->path);
    must(config_load(path, &config, &err), &err);
    assert_int_equal(config->procedure_count, 1);
    assert_int_equal(config->procedure[0]->protocols,
                     PROTOCOL_BIT(PROTOCOL_SCEP) | PROTOCOL_BIT(PROTOCOL_EST) | PROTOCOL_BIT(PROTOCOL_CMP) |
                         PROTOCOL_BIT(PROTOCOL_ACME));
    assert_true(config->procedure[0]->acme_binding);
    assert_int_equal(config->cmp.ra_count, 1);
    assert_int_equal(config->cmp.ra[0].certificate.key.kind, KEY_EC_P256);
    assert_int_equal(config->listener_count, 3);
    assert_true(ca_fingerprint(&config->ca[0], DIGEST_SHA256, fingerprint));
    assert_string_equal(fingerprints.sha256, fingerprint); /* SCEP-38 */
    must(registry_open(&config->registry, &registry, &err), &err);
    must(registry_view_begin(registry, &view, &err), &err);
    must(audit_check(view, config->keys, arena, &report, &err), &err);
    assert_true(report.sound);
    assert_int_equal(report.officers, 1);
    must(registry_officers_list(view, 2, arena, officer, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_int_equal(officer[0].rights, RIGHTS_ALL);
    registry_view_end(view);
    registry_close(registry);
    config_free(config);
    assert_int_equal(mode_of(f, "officer.key"), 0600);
    assert_int_equal(mode_of(f, "keys/ca.pem"), 0600);
    assert_int_equal(mode_of(f, "keys/cmp-ra.pem"), 0600);
    assert_int_equal(mode_of(f, "keys/secrets.key"), 0600);
    assert_int_equal(mode_of(f, "keys"), 0700);
}

static void nothing_is_overwritten(void **state)
{
    const struct folder *f = *state;
    struct init_options options = options_in(f);
    struct error err = { 0 };

    must(init_installation(&options, NOW_S, &fingerprints, &err), &err);
    assert_false(init_installation(&options, NOW_S, &fingerprints, &err));
    assert_int_equal(err.code, ERROR_CONFLICT);
}

static void a_broken_subject_or_host_is_refused(void **state)
{
    const struct folder *f = *state;
    struct init_options options = options_in(f);
    struct error err = { 0 };

    options.ca_subject = "no name";
    assert_false(init_installation(&options, NOW_S, &fingerprints, &err));
    options = options_in(f);
    options.hosts = "127.0.0.1,not a host";
    assert_false(init_installation(&options, NOW_S, &fingerprints, &err));
}

#define init_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        init_test(what_was_made_is_a_sound_installation),
        init_test(nothing_is_overwritten),
        init_test(a_broken_subject_or_host_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
