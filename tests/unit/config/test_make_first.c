/* Certificates of the gateway itself that are not there: which are awaited, what they are to be, and whose
 * keys are made. */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/pki/certificate.h"

/* The CA and secrets.key alone are there; %s: tls, scep ra, cmp ra, what follows. */
static const char form[] =
    "registry: { path: registry }\n"
    "listeners:\n"
    "  - { name: plain, address: 127.0.0.1, port: 0, role: devices, base_url: 'http://[2001:db8::1]:8080' }\n"
    "  - { name: tls, address: 127.0.0.1, port: 0, role: devices, base_url: 'https://gw.example.com:8443', "
    "tls: { certificate: tls.pem, key: tls%s } }\n"
    "  - { name: admin, address: 127.0.0.1, port: 0, role: administration, "
    "base_url: 'https://admin.example.com', tls: { certificate: tls.pem, key: tls } }\n"
    "keys:\n"
    "  - { name: ca, uri: ca.key }\n"
    "  - { name: tls, uri: tls.key }\n"
    "  - { name: scep, uri: scep.key }\n"
    "  - { name: cmp, uri: cmp.key%s }\n"
    "secrets_keys: [{ id: k1, file: secrets.key }]\n"
    "cas: [{ name: demo, kind: local, chain: ca.pem, key: ca }]\n"
    "profiles: [{ name: device, validity: 90d, key_usage: [digital_signature] }]\n"
    "domains: [{ name: devices }]\n"
    "scep_ras: [{ name: scep-ra, key: scep, certificate: scep.pem%s }]\n"
    "cmp_ras: [{ name: cmp-ra, key: cmp, certificate: cmp.pem%s }]\n"
    "procedures:\n"
    "  - { name: demo, domain: devices, ca: demo, profile: device, protocols: [scep, est, cmp], "
    "scep: { ra: scep-ra }, cmp: { ra: cmp-ra } }\n";
#define RENEW ", renew: { ca: demo }"

static char folder[40], path[64];
static struct error err;

static const char *in_folder(const char *name)
{
    static char at[2][96];
    static unsigned turn;

    turn = 1 - turn;
    (void)snprintf(at[turn], sizeof(at[turn]), "%s/%s", folder, name);
    return at[turn];
}

static void make_ca(void)
{
    AUTO_ARENA *arena = arena_new(1 << 20);
    AUTO_STRUCT(buffer) name = BUFFER(256);
    AUTO_STRUCT(buffer) pem = BUFFER(8192);
    struct bytes der;
    struct keys *keys;

    assert_true(name_parse(BYTES_LITERAL("CN=Test CA"), &name));
    assert_true(keys_new(&keys, &err) && keys_generate(keys, "ca", KEY_EC_P256, 0, &err) &&
                keys_save(keys, "ca", in_folder("ca.key"), &err));
    assert_true(ca_make_root(&(struct ca_make){ buffer_bytes(&name), 30 * 86400, clock_now_s() }, keys, "ca",
                             &random_system, arena, &der, &err));
    assert_true(pem_encode("CERTIFICATE", der, &pem));
    assert_true(file_write(in_folder("ca.pem"), buffer_bytes(&pem), 0644, &err));
    assert_true(
        file_write(in_folder("secrets.key"), BYTES_LITERAL("0123456789abcdef0123456789abcdef"), 0600, &err));
    keys_unref(keys);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/muster-first-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/m.yaml", folder);
    make_ca();
    return 0;
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

struct twist {
    const char *tls, *cmp_key, *scep, *cmp;
};
static const struct twist all_renewed = { RENEW, "", RENEW, RENEW };

static struct config *try_load(struct twist t)
{
    char text[4096];
    struct config *config = NULL;

    (void)snprintf(text, sizeof(text), form, t.tls, t.cmp_key, t.scep, t.cmp);
    assert_true(file_write(path, bytes_text(text), 0600, &err));
    err = (struct error){ 0 };
    return config_load(path, &config, &err) ? config : NULL;
}

static struct config *load(struct twist t)
{
    struct config *config = try_load(t);

    if (config == NULL)
        fail_msg("%s", err.text);
    return config;
}

static void assert_refused(struct twist t, const char *text)
{
    assert_null(try_load(t));
    if (strstr(err.text, text) == NULL)
        fail_msg("'%s' is not in '%s'", text, err.text);
}

static void copy_file(const char *from, const char *to)
{
    AUTO_STRUCT(buffer) content = BUFFER(1 << 16);

    assert_true(file_read(in_folder(from), &content, &err));
    assert_true(file_write(in_folder(to), buffer_bytes(&content), 0600, &err));
}

static void assert_names(const struct certificate *c, const char *subject, const char *const *dns,
                         size_t count)
{
    AUTO_ARENA *arena = arena_new(65536);

    assert_text(name_format(&c->subject, arena), subject);
    assert_int_equal(c->san.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(c->san.item[i].kind, GENERAL_NAME_DNS);
        assert_text(c->san.item[i].value, dns[i]);
    }
}

static void what_is_not_there_is_awaited_as_what_it_is_to_be(void **state)
{
    static const uint8_t server_auth[] = { 0x2b, 6, 1, 5, 5, 7, 3, 1 },
                         cmc_ra[] = { 0x2b, 6, 1, 5, 5, 7, 3, 28 };
    struct config *config = load(all_renewed);
    const struct service_certificate *s = config->services.item;

    (void)state;
    assert_int_equal(config->services.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(service_is_awaited(&s[i]));
        assert_string_equal(s[i].ca, "demo");
        assert_true(s[i].certificate.has_key_usage);
    }
    assert_names(&s[0].certificate, "CN=gw.example.com",
                 (const char *[]){ "gw.example.com", "admin.example.com" }, 2);
    assert_int_equal(s[0].certificate.key_usage, KEY_USAGE_DIGITAL_SIGNATURE); /* a key on a curve */
    assert_bytes(s[0].certificate.extended_key_usage[0], BYTES_ARRAY(server_auth));
    assert_int_equal(s[1].certificate.key_usage, KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT);
    assert_int_equal(s[1].certificate.san.count, 1);
    assert_int_equal(s[1].certificate.san.item[0].kind, GENERAL_NAME_IP); /* of the first listener */
    assert_int_equal(s[2].certificate.extended_key_usage_count, 2);
    assert_bytes(s[2].certificate.extended_key_usage[0], BYTES_ARRAY(cmc_ra));
    assert_true(config->listener[1].tls.awaited && config->listener[2].tls.awaited);
    assert_false(config->listener[0].tls.awaited);
    for (size_t i = 0; i < config->certificate_count; i++)
        assert_true(config->certificate[i].awaited);
    assert_true(scep_is_awaiting(&config->scep, config->procedure[0]));
    assert_true(cmp_is_awaiting(&config->cmp, config->procedure[0]));
    config_free(config);
}

static void the_names_are_those_that_are_configured(void **state)
{
    struct twist t = all_renewed;
    struct config *config;

    (void)state;
    t.tls = ", renew: { ca: demo, names: [a.example.com, b.example.com, A.example.com] }";
    t.scep = ", renew: { ca: demo, names: scep.example.com }";
    config = load(t);
    assert_names(&config->services.item[0].certificate, "CN=a.example.com",
                 (const char *[]){ "a.example.com", "b.example.com" }, 2);
    assert_names(&config->services.item[1].certificate, "CN=scep.example.com",
                 (const char *[]){ "scep.example.com" }, 1);
    config_free(config);
    t.scep = ", renew: { ca: demo, names: [\"*.example.com\"] }";
    assert_refused(t, "scep_ras[0].renew.names: expected names like gw.example.com, or addresses; got "
                      "'*.example.com'");
    t.scep = ", renew: { ca: demo, names: "
             "[a23456789012345678901234567890.b23456789012345678901234567890.example.com] }";
    assert_refused(t, "scep_ras[0].renew.names: expected at most 64 characters in the first");
}

static void without_renew_a_missing_file_is_a_fault(void **state)
{
    struct twist t = all_renewed;

    (void)state;
    t.tls = "";
    assert_refused(t, "keys[1].uri: "); /* its key is not made */
    assert_non_null(strstr(err.text, "No such file"));
    copy_file("ca.key", "tls.key");
    assert_refused(t, "listeners[1].tls.certificate: ");
    assert_non_null(strstr(err.text, "tls.pem: No such file"));
    t = all_renewed;
    t.cmp = "";
    copy_file("ca.key", "cmp.key");
    assert_refused(t, "cmp_ras[0].certificate: ");
}

static mode_t mode_of(const char *name)
{
    struct stat file;

    assert_int_equal(stat(in_folder(name), &file), 0);
    assert_int_equal(file.st_uid, geteuid());
    return file.st_mode & 07777;
}

static void keys_are_made_by_the_daemon_alone_and_once(void **state)
{
    struct config *config = load(all_renewed), *again;
    unsigned bits = 0;

    (void)state;
    assert_int_equal(config->missing_key_count, 3);
    assert_true(file_is_missing(in_folder("tls.key"))); /* a look makes nothing */
    assert_int_equal(keys_public(config->keys, "tls").len, 0);
    if (!config_make_missing_keys(config, NULL, &err))
        fail_msg("%s", err.text);
    assert_int_equal(config->missing_key_count, 0);
    assert_int_equal(mode_of("tls.key"), 0600);
    assert_int_equal(mode_of("scep.key"), 0600);
    assert_int_equal(keys_kind(config->keys, "tls", NULL), KEY_EC_P256);
    assert_int_equal(keys_kind(config->keys, "cmp", NULL), KEY_EC_P256);
    assert_int_equal(keys_kind(config->keys, "scep", &bits), KEY_RSA);
    assert_int_equal(bits, 2048);
    assert_bytes(config->services.item[1].certificate.key.spki, keys_public(config->keys, "scep"));
    assert_bytes(config->procedure[0]->scep_ra_key, keys_public(config->keys, "scep")); /* no device's */
    assert_bytes(config->procedure[0]->cmp_ra_key, keys_public(config->keys, "cmp"));
    again = load(all_renewed); /* after a crash */
    assert_int_equal(again->missing_key_count, 0);
    assert_bytes(again->procedure[0]->scep_ra_key, keys_public(config->keys, "scep"));
    for (size_t i = 0; i < 3; i++)
        assert_bytes(again->services.item[i].certificate.key.spki,
                     config->services.item[i].certificate.key.spki);
    config_free(again);
    config_free(config);
}

static void a_key_that_has_come_meanwhile_is_not_overwritten(void **state)
{
    struct config *config = load(all_renewed);
    AUTO_STRUCT(buffer) before = BUFFER(1 << 16);
    AUTO_STRUCT(buffer) after = BUFFER(1 << 16);

    (void)state;
    copy_file("ca.key", "tls.key");
    assert_true(file_read(in_folder("tls.key"), &before, &err));
    assert_false(config_make_missing_keys(config, NULL, &err));
    assert_int_equal(err.code, ERROR_CONFLICT);
    assert_true(file_read(in_folder("tls.key"), &after, &err));
    assert_bytes(buffer_bytes(&after), buffer_bytes(&before));
    config_free(config);
}

static void a_key_with_another_use_is_not_made(void **state)
{
    struct twist t = all_renewed;

    (void)state;
    t.cmp_key = ", passphrase_file: pass"; /* one is meant that is there */
    assert_true(file_write(in_folder("pass"), BYTES_LITERAL("x\n"), 0600, &err));
    assert_refused(t, "keys[3].uri: ");
    t = all_renewed;
    t.cmp_key = " }\n  - { name: cmp-too, uri: cmp.key"; /* two names for one file */
    assert_refused(t, "keys[3].uri: ");
    t = all_renewed;
    assert_int_equal(unlink(in_folder("ca.key")), 0);
    assert_refused(t, "keys[0].uri: ");
}

/* An EC key for SCEP is a fault whether its certificate is there or not. */
static void a_key_that_cannot_serve_is_refused_at_once(void **state)
{
    (void)state;
    copy_file("ca.key", "scep.key");
    assert_refused(all_renewed, "scep.ra: the key of its SCEP RA must be RSA of 2048 bits or more");
}

static void one_certificate_is_for_one_purpose(void **state)
{
    struct twist t = all_renewed;

    (void)state;
    t.scep = ", renew: { ca: demo } }, { name: other, key: cmp, certificate: scep.pem";
    assert_refused(t, "scep_ras[1].renew: expected a file of its own, or one that is there");
}

#define first_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        first_test(what_is_not_there_is_awaited_as_what_it_is_to_be),
        first_test(the_names_are_those_that_are_configured),
        first_test(without_renew_a_missing_file_is_a_fault),
        first_test(keys_are_made_by_the_daemon_alone_and_once),
        first_test(a_key_that_has_come_meanwhile_is_not_overwritten),
        first_test(a_key_with_another_use_is_not_made),
        first_test(a_key_that_cannot_serve_is_refused_at_once),
        first_test(one_certificate_is_for_one_purpose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
