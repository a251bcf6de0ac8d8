/* Whole configurations: one that loads, and one mistake at a time, each named with file, line and setting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"

static const char good[] = "registry: { path: reg, map_max: 1GiB }\n"
                           "workers: 3\n"
                           "queue: 77\n"
                           "user: nobody\n"
                           "dns_servers: [192.0.2.53, '[::1]:5353']\n"
                           "log: { format: json, level: warning }\n"
                           "limits: { body: 2MiB, idle: 7s }\n"
                           "enrollment: { pending_max: 9 }\n"
                           "listeners:\n"
                           "  - { name: plain, address: 127.0.0.1, port: 0, role: devices,\n"
                           "      proxy_from: [10.0.0.0/8, '::1'] }\n"
                           "  - name: secure\n"
                           "    address: '::'\n"
                           "    port: 8443\n"
                           "    role: devices\n"
                           "    base_url: https://a.example\n"
                           "    tls: { certificate: tls.pem, key: tls }\n"
                           "  - name: admin\n"
                           "    address: 127.0.0.1\n"
                           "    port: 8444\n"
                           "    role: administration\n"
                           "    tls: { certificate: tls.pem, key: tls }\n"
                           "keys:\n"
                           "  - { name: ca, uri: ca.key }\n"
                           "  - { name: tls, uri: tls.key }\n"
                           "  - { name: ra, uri: ra.key }\n"
                           "  - { name: cmp, uri: cmp.key }\n"
                           "secrets_keys: [{ id: k1, file: secrets.key }]\n"
                           "cas:\n"
                           "  - name: demo\n"
                           "    kind: local\n"
                           "    chain: ca.pem\n"
                           "    key: ca\n"
                           "    crl: { url: http://a.example/crl/demo.crl, validity: 3d, refresh: 12h }\n"
                           "profiles:\n"
                           "  - name: device\n"
                           "    validity: 90d\n"
                           "    key_usage: [digital_signature, key_encipherment]\n"
                           "    extended_key_usage: [client_auth, 1.3.6.1.5.5.7.3.17]\n"
                           "    keys: { curves: [p256, ed25519] }\n"
                           "  - { name: station, validity: 30d, key_usage: [digital_signature] }\n"
                           "domains:\n"
                           "  - { name: devices, match: most-specific }\n"
                           "scep_ras: [{ name: scep-ra, key: ra, certificate: ra.pem }]\n"
                           "cmp_ras: [{ name: cmp-ra, key: cmp, certificate: cmp.pem }]\n"
                           "procedures:\n"
                           "  - name: routers\n"
                           "    domain: devices\n"
                           "    ca: demo\n"
                           "    profile: device\n"
                           "    protocols: [scep, est]\n"
                           "    dialect: cisco-ios\n"
                           "    switches: { scep_lenient_nonce: false, est_digest_md5: true }\n"
                           "    scep: { ra: scep-ra }\n"
                           "    renewal: { window: 30d, grace: 1d }\n"
                           "    slow_down: { max: 1m }\n"
                           "  - name: phones\n"
                           "    domain: devices\n"
                           "    ca: demo\n"
                           "    profile: device\n"
                           "    protocols: est\n"
                           "    est: { realm: Phones }\n"
                           "    vendor_anchors: ca.pem\n"
                           "  - name: stations\n"
                           "    domain: devices\n"
                           "    ca: demo\n"
                           "    profile: device\n"
                           "    protocols: cmp\n"
                           "    dialect: gnodeb-33310\n"
                           "    cmp: { ra: cmp-ra, ra_anchors: ca.pem, profiles: [station] }\n"
                           "default_procedure: routers\n";

struct world {
    char folder[40], path[64];
    struct error err;
};
static struct world world;

/* CN=Test CA, CN=Next CA, CN=Service */
static const uint8_t ca_subject[] = { 0x30, 0x12, 0x31, 0x10, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x04,
                                      0x03, 0x0c, 0x07, 'T',  'e',  's',  't',  ' ',  'C',  'A' };
static const uint8_t next_subject[] = { 0x30, 0x12, 0x31, 0x10, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x04,
                                        0x03, 0x0c, 0x07, 'N',  'e',  'x',  't',  ' ',  'C',  'A' };
static const uint8_t service_subject[] = { 0x30, 0x12, 0x31, 0x10, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x04,
                                           0x03, 0x0c, 0x07, 'S',  'e',  'r',  'v',  'i',  'c',  'e' };

static const char *in_folder(const char *name)
{
    static char path[2][128];
    static unsigned turn;

    turn = 1 - turn;
    (void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", world.folder, name);
    return path[turn];
}

static void save_certificate(struct bytes der, const char *name)
{
    AUTO_STRUCT(buffer) pem = BUFFER(1 << 16);

    assert_true(pem_encode("CERTIFICATE", der, &pem));
    assert_true(file_write(in_folder(name), buffer_bytes(&pem), 0644, &world.err));
}

static void save_key(struct keys *keys, const char *name, enum key_kind kind, unsigned bits, const char *file)
{
    if (!keys_generate(keys, name, kind, bits, &world.err) ||
        !keys_save(keys, name, in_folder(file), &world.err))
        fail_msg("%s", world.err.text);
}

/* A CA of that key, in FILE. */
static void make_ca(struct keys *keys, const char *key, const char *file, struct arena *arena, struct ca *ca)
{
    struct ca_make make = { .subject = BYTES_ARRAY(ca_subject),
                            .validity_s = 30 * 86400,
                            .now_s = clock_now_s() };

    *ca = (struct ca){ .name = "demo",
                       .connector = &ca_local_connector,
                       .key_name = key,
                       .chain_count = 1,
                       .crl_validity_s = 86400 };
    if (!ca_make_root(&make, keys, key, &random_system, arena, &ca->chain[0], &world.err) ||
        !ca_prepare(ca, keys, &world.err))
        fail_msg("%s", world.err.text);
    save_certificate(ca->chain[0], file);
}

static void make_service(const struct ca *ca, enum service_kind kind, struct keys *keys, const char *key,
                         const char *file, struct arena *arena)
{
    struct ca_make make = { .subject = BYTES_ARRAY(service_subject),
                            .validity_s = 10 * 86400,
                            .now_s = clock_now_s() };
    struct bytes der = BYTES_NONE;

    if (!ca_make_service(ca, kind, &make, BYTES_NONE, keys, key, &random_system, arena, &der, &world.err))
        fail_msg("%s", world.err.text);
    save_certificate(der, file);
}

/* A root of `key` under `subject`, in FILE, signed by another root or itself. */
static void make_cross(struct keys *keys, const char *key, const uint8_t subject[20], const char *signer,
                       const uint8_t issuer[20], const char *file, struct arena *arena)
{
    struct certificate_template t = { .serial = BYTES_LITERAL("\7"),
                                      .issuer = bytes_of(issuer, sizeof(ca_subject)),
                                      .subject = bytes_of(subject, sizeof(ca_subject)),
                                      .not_after_s = clock_now_s() + 86400,
                                      .spki = keys_public(keys, key),
                                      .is_ca = true,
                                      .path_len = -1 };
    struct bytes der = BYTES_NONE;

    if (!certificate_sign(&t, keys, signer, DIGEST_NONE, arena, &der, &world.err))
        fail_msg("%s", world.err.text);
    save_certificate(der, file);
}

static int make_files(void **state)
{
    AUTO_ARENA *arena = arena_new(8 << 20);
    struct ca ca, other;
    struct keys *keys;

    (void)state;
    (void)snprintf(world.folder, sizeof(world.folder), "/tmp/muster-config-XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    (void)snprintf(world.path, sizeof(world.path), "%s/m.yaml", world.folder);
    assert_true(keys_new(&keys, &world.err));
    save_key(keys, "ca", KEY_EC_P256, 0, "ca.key");
    save_key(keys, "tls", KEY_EC_P256, 0, "tls.key");
    save_key(keys, "ra", KEY_RSA, 2048, "ra.key");
    save_key(keys, "cmp", KEY_EC_P256, 0, "cmp.key");
    save_key(keys, "other", KEY_EC_P256, 0, "other.key");
    make_ca(keys, "ca", "ca.pem", arena, &ca);
    make_ca(keys, "other", "other-ca.pem", arena, &other);
    make_service(&ca, SERVICE_TLS, keys, "tls", "tls.pem", arena);
    make_cross(keys, "other", next_subject, "other", next_subject, "next.pem", arena);
    make_cross(keys, "other", next_subject, "ca", ca_subject, "next-by-old.pem", arena);
    make_cross(keys, "ca", ca_subject, "other", next_subject, "old-by-next.pem", arena);
    make_service(&ca, SERVICE_SCEP_RA, keys, "ra", "ra.pem", arena);
    make_service(&ca, SERVICE_CMP_RA, keys, "cmp", "cmp.pem", arena);
    make_service(&ca, SERVICE_TLS, keys, "cmp", "cmp-as-tls.pem", arena);
    make_service(&other, SERVICE_CMP_RA, keys, "cmp", "cmp-of-other.pem", arena);
    assert_true(file_write(in_folder("secrets.key"), BYTES_LITERAL("0123456789abcdef0123456789abcdef"), 0600,
                           &world.err));
    assert_true(file_write(in_folder("cmp.secret"), BYTES_LITERAL("s3cret\n"), 0600, &world.err));
    assert_true(file_write(in_folder("blank"), BYTES_LITERAL("\n"), 0600, &world.err));
    assert_true(file_write(in_folder("empty.pem"), BYTES_LITERAL("nothing here\n"), 0600, &world.err));
    ca_release(&ca);
    ca_release(&other);
    keys_unref(keys);
    return 0;
}

static int remove_files(void **state)
{
    char command[64];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", world.folder);
    return system(command);
}

/* The good configuration with the first `from` replaced. */
static struct config *load_with(const char *from, const char *to, char *text, size_t size)
{
    const char *at = strstr(good, from);
    struct config *config = NULL;

    assert_non_null(at);
    (void)snprintf(text, size, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    world.err = (struct error){ 0 };
    assert_true(file_write(world.path, bytes_text(text), 0600, &world.err));
    if (!config_load(world.path, &config, &world.err))
        return NULL;
    return config;
}

/* With a key more, a CA more, and one thing replaced. */
static struct config *load_with_two(const char *key, const char *keys, const char *cas, const char *ca,
                                    const char *from, const char *to, char *text, size_t size)
{
    const char *at_key = strstr(good, key), *at_cas = strstr(good, cas), *at = strstr(good, from);
    struct config *config = NULL;

    assert_true(at_key != NULL && at_cas > at_key && at > at_cas);
    at_key += strlen(key);
    at_cas += strlen(cas);
    (void)snprintf(text, size, "%.*s%s%.*s%s%.*s%s%s", (int)(at_key - good - (long)strlen(key)), good, keys,
                   (int)(at_cas - at_key), at_key, ca, (int)(at - at_cas), at_cas, to, at + strlen(from));
    world.err = (struct error){ 0 };
    assert_true(file_write(world.path, bytes_text(text), 0600, &world.err));
    return config_load(world.path, &config, &world.err) ? config : NULL;
}

static unsigned line_of(const char *text, const char *marker)
{
    const char *at = strstr(text, marker);
    unsigned line = 1;

    assert_non_null(at);
    for (const char *c = text; c < at; c++)
        line += *c == '\n';
    return line;
}

/* With `from` replaced by `to`, the fault is `fault` on the line where `marker` stands. */
static void assert_fault(const char *from, const char *to, const char *marker, const char *fault)
{
    char text[8192], expected[512];
    struct config *config = load_with(from, to, text, sizeof(text));

    assert_null(config);
    (void)snprintf(expected, sizeof(expected), "%s:%u: %s", world.path, line_of(text, marker), fault);
    if (strncmp(world.err.text, expected, strlen(expected)) != 0)
        fail_msg("got '%s', expected '%s'", world.err.text, expected);
}

static void csr_27_lists_of_weak_keys_are_read_at_the_start(void **state)
{
    static const char before[] = "keys: { curves: [p256, ed25519] }";
    static const char with[] = "keys: { weak_list: [weak-2048, weak-4096] }";
    char text[8192];
    struct config *c;

    (void)state;
    assert_true(file_write(in_folder("weak-2048"),
                           BYTES_LITERAL("# CVE-2008-0166\n00112233445566778899\nffeeddccbbaa99887766\n"),
                           0644, &world.err));
    assert_true(
        file_write(in_folder("weak-4096"), BYTES_LITERAL("0123456789abcdef0123\n"), 0644, &world.err));
    c = load_with(before, with, text, sizeof(text));
    if (c == NULL)
        fail_msg("%s", world.err.text);
    assert_int_equal(weak_list_count(c->procedure[0]->profile->keys.weak), 3);
    config_free(c);
    c = load_with(before, before, text, sizeof(text));
    assert_non_null(c);
    assert_null(c->procedure[0]->profile->keys.weak);
    config_free(c);
    assert_fault(before, "keys: { weak_list: [weak-2048, tls.pem] }", "keys: { weak",
                 "profiles[0].keys.weak_list: list 2, line 1: expected 20 hexadecimal digits");
    assert_fault(before, "keys: { weak_list: gone }", "keys: { weak", "profiles[0].keys.weak_list: ");
}

static void est_84_what_csrattrs_demand_is_checked_at_the_start(void **state)
{
    (void)state;
    assert_fault("est: { realm: Phones }", "est: { csrattrs: ca.pem }", "est: { csrattrs",
                 "procedures[1].est.csrattrs: expected one SEQUENCE in DER");
}

static void a_good_configuration_fills_every_room_s_options(void **state)
{
    char text[8192];
    struct config *c = load_with("workers: 3", "workers: 3", text, sizeof(text));
    char path[128];

    (void)state;
    if (c == NULL)
        fail_msg("%s", world.err.text);
    (void)snprintf(path, sizeof(path), "%s/reg", world.folder);
    assert_string_equal(c->registry.path, path);
    assert_int_equal(c->registry.map_max, 1 << 30);
    assert_int_equal(c->registry.readers_max, 126);
    assert_int_equal(c->workers, 3);
    assert_int_equal(c->queue_max, 77);
    assert_string_equal(c->user, "nobody");
    assert_int_equal(c->log_format, LOG_FORMAT_JSON);
    assert_int_equal(c->log_level, LOG_WARNING);
    assert_int_equal(c->net.http.body_max, 2 << 20);
    assert_int_equal(c->net.idle_ms, 7000);
    assert_int_equal(c->net.head_ms, NET_OPTIONS_DEFAULT.head_ms);
    assert_int_equal(c->enroll.pending_max, 9);
    assert_int_equal(c->listener_count, 3);
    assert_int_equal(c->listener[0].proxy_count, 2);
    assert_false(c->listener[0].tls.enabled);
    assert_true(c->listener[1].tls.enabled);
    assert_int_equal(c->listener[1].tls.client_certificate, NET_CLIENT_CERTIFICATE_OPTIONAL);
    assert_int_equal(c->listener[2].tls.client_certificate, NET_CLIENT_CERTIFICATE_REQUIRED);
    assert_int_equal(c->listener_role[2], LISTENER_ADMINISTRATION);
    assert_int_equal(c->ca_count, 1);
    assert_int_equal(c->ca[0].crl_validity_s, 3 * 86400);
    assert_true(bytes_is(c->ca[0].crl_url[0], "http://a.example/crl/demo.crl"));
    assert_non_null(c->ca[0].anchors);
    assert_int_equal(c->scep.ra_count, 1);
    assert_string_equal(c->scep.ra[0].key_name, "ra");
    assert_int_equal(c->certificate_count, 4);
    assert_true(c->certificate[0].not_after_s > clock_now_s());
    assert_ptr_equal(c->scep.enroll, &c->enroll);
    assert_int_equal(c->cmp.ra_count, 1);
    assert_string_equal(c->cmp.ra[0].name, "cmp-ra");
    assert_string_equal(c->cmp.ra[0].key_name, "cmp");
    assert_ptr_equal(c->cmp.enroll, &c->enroll);
    assert_string_equal(c->certificate[3].what, "cmp ra cmp-ra");
    assert_ptr_equal(c->enroll.ca, c->ca);
    assert_string_equal(c->dns_servers, "192.0.2.53,[::1]:5353");
    config_free(c);
}

static void a_procedure_is_whole(void **state)
{
    char text[8192];
    struct config *c = load_with("workers: 3", "workers: 3", text, sizeof(text));

    (void)state;
    assert_non_null(c);
    const struct procedure *p = config_procedure(c, BYTES_LITERAL("routers"));
    assert_non_null(p);
    assert_ptr_equal(c->default_procedure, p);
    assert_string_equal(p->domain->name, "devices");
    assert_int_equal(p->domain->id.value, domain_id_of(BYTES_LITERAL("devices")).value);
    assert_int_equal(p->domain->match, MATCH_MOST_SPECIFIC);
    assert_int_equal(p->profile->validity_s, 90 * 86400);
    assert_int_equal(p->profile->key_usage, KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT);
    assert_int_equal(p->profile->extended_key_usage_count, 2);
    assert_int_equal(p->profile->extended_key_usage[0].data[7], 2); /* ...3.2 */
    assert_true(p->profile->keys.p256 && p->profile->keys.ed25519 && !p->profile->keys.p384);
    assert_int_equal(p->protocols, PROTOCOL_BIT(PROTOCOL_SCEP) | PROTOCOL_BIT(PROTOCOL_EST));
    assert_true(p->preregistration);
    assert_true(p->unstructured); /* open on SCEP */
    assert_string_equal(p->dialect.name, "cisco-ios");
    assert_true(p->dialect.scep_ca_in_reply && p->dialect.est_digest_md5);
    assert_false(p->dialect.scep_lenient_nonce); /* switched */
    assert_string_equal(p->est_realm, "routers");
    assert_int_equal(p->renewal_window_s, 30 * 86400);
    assert_true(p->same_key_renewal); /* CSR-37 */
    assert_int_equal(p->renewal_grace_s, 86400);
    assert_int_equal(p->slow_after, 5);
    assert_int_equal(p->slow_max_s, 60);
    p = config_procedure(c, BYTES_LITERAL("phones"));
    assert_string_equal(p->est_realm, "Phones");
    assert_false(p->unstructured);
    assert_int_equal(p->vendor_anchor_count, 1);
    assert_non_null(p->vendor_anchors);
    assert_null(config_procedure(c, BYTES_LITERAL("none")));
    config_free(c);
    config_free(NULL);
}

/* --- CAs that are reached by CMP --- */

static const char demo_ca[] = "    kind: local\n"
                              "    chain: ca.pem\n"
                              "    key: ca\n"
                              "    crl: { url: http://a.example/crl/demo.crl, validity: 3d, refresh: 12h }\n";

/* The one CA, with these settings. */
static struct config *load_cmp_ca(const char *settings)
{
    char text[8192], all[1024];
    struct config *c;

    (void)snprintf(all, sizeof(all), "    kind: cmp\n    chain: ca.pem\n    cmp: { %s }\n", settings);
    c = load_with(demo_ca, all, text, sizeof(text));
    if (c == NULL)
        fail_msg("%s", world.err.text);
    return c;
}

static void a_ca_behind_cmp_takes_a_secret(void **state)
{
    struct config *c = load_cmp_ca("url: https://b.example/cmp, reference: gw, secret_file: cmp.secret, "
                                   "trust: ca.pem, hmac_sha1: true, mac: pbmac1, iterations: 5000");
    const struct cmp_upstream *u = c->ca[0].connector_service;

    (void)state;
    assert_ptr_equal(c->ca[0].connector, &cmp_connector);
    assert_int_equal(u->client.kind, CMP_PROTECTION_MAC);
    assert_true(bytes_is(u->url, "https://b.example/cmp"));
    assert_true(bytes_is(u->client.reference, "gw"));
    assert_true(bytes_is(u->client.secret, "s3cret")); /* without the end of its line */
    assert_string_equal(u->trust_path, in_folder("ca.pem"));
    assert_true(u->client.allow_hmac_sha1);
    assert_int_equal(u->client.mac, PASSWORD_MAC_PBMAC1);
    assert_int_equal(u->client.iterations, 5000);
    assert_int_equal(u->request, CMP_UPSTREAM_P10CR);
    assert_false(u->implicit_confirm);
    assert_null(u->client.anchors);
    config_free(c);
}

static void a_ca_behind_cmp_takes_a_certificate(void **state)
{
    struct config *c = load_cmp_ca("url: http://b.example/cmp, key: cmp, certificate: cmp.pem, request: cr, "
                                   "implicit_confirm: true, profile: device, recipient: 'CN=Test CA', "
                                   "signer_anchors: [ca.pem, other-ca.pem]");
    const struct cmp_upstream *u = c->ca[0].connector_service;

    (void)state;
    assert_int_equal(u->client.kind, CMP_PROTECTION_SIGNATURE);
    assert_string_equal(u->client.key_name, "cmp");
    assert_ptr_equal(u->client.certificate, &u->certificate);
    assert_int_equal(u->client.extra_cert_count, 1);
    assert_int_equal(u->request, CMP_UPSTREAM_CR);
    assert_true(u->implicit_confirm);
    assert_true(bytes_is(u->profile, "device"));
    assert_true(bytes_equal(u->client.recipient, BYTES_ARRAY(ca_subject)));
    assert_non_null(u->client.anchors);
    assert_string_equal(c->certificate[c->certificate_count - 1].what, "ra of ca demo");
    config_free(c);
    c = load_cmp_ca("url: http://b.example/cmp, key: cmp, certificate: cmp.pem, signer: cmp.pem");
    u = c->ca[0].connector_service;
    assert_int_equal(u->request, CMP_UPSTREAM_IR);
    assert_true(bytes_equal(u->client.signer, u->certificate.encoded));
    config_free(c);
    c = load_cmp_ca("url: http://b.example/cmp, reference: gw, secret_file: cmp.secret, request: ir");
    u = c->ca[0].connector_service;
    assert_int_equal(u->request, CMP_UPSTREAM_IR); /* said so */
    config_free(c);
}

static void mistakes_of_a_ca_behind_cmp_are_named(void **state)
{
    static const struct {
        const char *settings, *mark, *fault;
    } rows[] = {
        { "cmp: { url: x }", "cmp: {", "cas[0].cmp.url: expected" },
        { "cmp: { reference: a, secret_file: cmp.secret }", "cmp: {", "cas[0].cmp.url: missing" },
        { "cmp: { url: http://b.example/ }", "cmp: {", "cas[0].cmp: expected credentials: either" },
        { "cmp: { url: http://b.example/, reference: a, secret_file: cmp.secret, key: cmp, certificate: "
          "cmp.pem }",
          "cmp: {", "cas[0].cmp: expected credentials: either" },
        { "cmp: { url: http://b.example/, reference: a }", "cmp: {", "cas[0].cmp.secret_file: missing" },
        { "cmp: { url: http://b.example/, secret_file: cmp.secret }", "cmp: {",
          "cas[0].cmp.reference: missing" },
        { "cmp: { url: http://b.example/, key: cmp }", "cmp: {", "cas[0].cmp.certificate: missing" },
        { "cmp: { url: http://b.example/, certificate: cmp.pem }", "cmp: {", "cas[0].cmp.key: missing" },
        { "cmp: { url: http://b.example/, key: x, certificate: cmp.pem }", "cmp: {",
          "cas[0].cmp.key: expected a name from keys" },
        { "cmp: { url: http://b.example/, key: tls, certificate: cmp.pem }", "cmp: {",
          "cas[0].cmp.certificate: " },
        { "cmp: { url: http://b.example/, reference: a, secret_file: gone }", "cmp: {",
          "cas[0].cmp.secret_file: " },
        { "cmp: { url: http://b.example/, reference: a, secret_file: blank }", "cmp: {",
          "cas[0].cmp.secret_file: " },
        { "cmp: { url: http://b.example/, key: cmp, certificate: cmp.pem, signer: empty.pem }", "cmp: {",
          "cas[0].cmp.signer: " },
        { "cmp: { url: http://b.example/, key: cmp, certificate: cmp.pem, signer: ca.pem }", "cmp: {",
          "cas[0].cmp.signer: " }, /* certificates and lists alone */
        { "cmp: { url: http://b.example/, key: cmp, certificate: cmp.pem, signer: cmp.pem, signer_anchors: "
          "ca.pem }",
          "cmp: {", "cas[0].cmp.signer_anchors: expected none beside signer" },
        { "cmp: { url: http://b.example/, key: cmp, certificate: cmp.pem, recipient: nobody }", "cmp: {",
          "cas[0].cmp.recipient: expected a name" },
        { "cmp: { url: http://b.example/, key: cmp, certificate: cmp.pem, request: kur }", "cmp: {",
          "cas[0].cmp.request: expected one of ir, cr, p10cr" },
        { "key: ca\n    cmp: { url: http://b.example/, key: cmp, certificate: cmp.pem }", "key: ca",
          "cas[0].key: expected none" },
        { "timeout: 3s", "name: demo", "cas[0].cmp: missing" },
    };
    char all[512];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)snprintf(all, sizeof(all), "    kind: cmp\n    chain: ca.pem\n    %s\n", rows[i].settings);
        assert_fault(demo_ca, all, rows[i].mark, rows[i].fault);
    }
    assert_fault(demo_ca,
                 "    kind: local\n    chain: ca.pem\n    key: ca\n"
                 "    cmp: { url: http://b.example/, key: cmp, certificate: cmp.pem }\n",
                 "cmp: {", "cas[0].cmp: expected none, as the kind is not cmp");
}

static const char stations[] = "cmp: { ra: cmp-ra, ra_anchors: ca.pem, profiles: [station] }";

/* The procedure that is open on CMP, with these settings and this dialect. */
static struct config *load_cmp(const char *settings, const char *dialect, const struct procedure **procedure)
{
    char text[8192], all[1024];
    struct config *c;

    (void)snprintf(all, sizeof(all), "dialect: %s\n    %s\ndefault", dialect, settings);
    c = load_with("dialect: gnodeb-33310\n    cmp: { ra: cmp-ra, ra_anchors: ca.pem, profiles: [station] }\n"
                  "default",
                  all, text, sizeof(text));
    if (c == NULL)
        fail_msg("%s", world.err.text);
    *procedure = config_procedure(c, BYTES_LITERAL("stations"));
    return c;
}

static void a_procedure_on_cmp_is_whole(void **state)
{
    const struct procedure *p;
    struct config *c = load_cmp(stations, "gnodeb-33310", &p);

    (void)state;
    assert_int_equal(p->protocols, PROTOCOL_BIT(PROTOCOL_CMP));
    assert_string_equal(p->cmp_ra, "cmp-ra");
    assert_true(bytes_equal(p->cmp_ra_key, c->cmp.ra[0].certificate.key.spki));
    assert_true(p->cmp_implicit_confirm);
    assert_false(p->cmp_ca_pubs || p->cmp_key_generation);
    assert_int_equal(p->cmp_confirm_wait_s, 300);
    assert_int_equal(p->cmp_iterations_max, 10000);
    assert_int_equal(p->cmp_skew_s, 0);
    assert_int_equal(p->cmp_ra_anchor_count, 1);
    assert_non_null(p->cmp_ra_anchors);
    assert_int_equal(p->cmp_profile_count, 1);
    assert_string_equal(p->cmp_profile[0]->name, "station");
    assert_true(p->dialect.cmp_signature_only && p->dialect.cmp_root_in_extra_certs);
    assert_false(p->unstructured);
    config_free(c);
}

static void every_setting_of_cmp_is_taken(void **state)
{
    const struct procedure *p;
    struct config *c = load_cmp("cmp: { ra: cmp-ra, implicit_confirm: false, ca_pubs: true, "
                                "key_generation: true, confirm_wait: 2m, iterations_max: 100000, "
                                "clock_skew: 90s, profiles: [device, station] }",
                                "default", &p);

    (void)state;
    assert_false(p->cmp_implicit_confirm);
    assert_true(p->cmp_ca_pubs && p->cmp_key_generation);
    assert_int_equal(p->cmp_confirm_wait_s, 120);
    assert_int_equal(p->cmp_iterations_max, 100000);
    assert_int_equal(p->cmp_skew_s, 90);
    assert_null(p->cmp_ra_anchors);
    assert_int_equal(p->cmp_profile_count, 2);
    assert_string_equal(p->cmp_profile[1]->name, "station");
    config_free(c);
}

static void cmp_33_sha_1_is_a_matter_of_the_dialect(void **state)
{
    static const struct {
        const char *name;
        bool hmac_sha1, sha1, strict;
    } rows[] = { { "default", true, false, false },
                 { "openssl-cmp", true, false, false },
                 { "cmp-legacy", true, true, false },
                 { "lightweight", false, false, false },
                 { "lightweight-strict", false, false, true },
                 { "gnodeb-33310", false, false, false } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct procedure *p;
        struct config *c = load_cmp(stations, rows[i].name, &p);

        assert_int_equal(p->dialect.cmp_hmac_sha1, rows[i].hmac_sha1);
        assert_int_equal(p->dialect.cmp_sha1, rows[i].sha1);
        assert_int_equal(p->dialect.cmp_strict, rows[i].strict);
        config_free(c);
    }
}

static void cmp_21_who_demands_message_time_looks_at_it(void **state)
{
    const struct procedure *p;
    struct config *c = load_cmp(stations, "lightweight-strict", &p);

    (void)state;
    assert_int_equal(p->cmp_skew_s, 300);
    config_free(c);
    c = load_cmp("cmp: { ra: cmp-ra, clock_skew: 0 }", "lightweight-strict", &p);
    assert_int_equal(p->cmp_skew_s, 0);
    config_free(c);
}

static void mistakes_in_settings_of_cmp_are_named(void **state)
{
    (void)state;
    assert_fault(stations, "cmp: { ra: x }", "cmp: { ra",
                 "procedures[2].cmp.ra: expected a name from cmp_ras (cmp-ra); got 'x'");
    assert_fault(
        stations, "cmp: { ca_pubs: true }", "cmp: { ca",
        "procedures[2].cmp.ra: missing; expected a name from cmp_ras, as the procedure is open on cmp");
    assert_fault(stations, "cmp: { ra: cmp-ra, profiles: [station, x] }", "cmp: { ra",
                 "procedures[2].cmp.profiles: expected a name from profiles (device, station); got 'x'");
    assert_fault(stations, "cmp: { ra: cmp-ra, iterations_max: 99 }", "cmp: { ra",
                 "procedures[2].cmp.iterations_max: expected a number from 100 to 100000; got '99'");
    assert_fault(stations, "cmp: { ra: cmp-ra, iterations_max: 100001 }", "cmp: { ra",
                 "procedures[2].cmp.iterations_max: expected a number from 100 to 100000; got '100001'");
    assert_fault(stations, "cmp: { ra: cmp-ra, confirm_wait: 0 }", "cmp: { ra",
                 "procedures[2].cmp.confirm_wait: expected a duration");
    assert_fault(stations, "cmp: { ra: cmp-ra, confirm_wayt: 1m }", "cmp: { ra",
                 "procedures[2].cmp: unknown setting 'confirm_wayt'; did you mean 'confirm_wait'?");
    assert_fault(stations, "cmp: { ra: cmp-ra, ra_anchors: empty.pem }", "cmp: { ra",
                 "procedures[2].cmp.ra_anchors: ");
    assert_fault("key: cmp, certificate", "key: x, certificate", "key: x, certificate",
                 "cmp_ras[0].key: expected a name from keys (ca, tls, ra, cmp); got 'x'");
    assert_fault("certificate: cmp.pem", "certificate: tls.pem", "key: cmp, certificate",
                 "cmp_ras[0].certificate: ");
    assert_non_null(strstr(world.err.text, "expected the certificate of key 'cmp'"));
    assert_fault("certificate: cmp.pem }",
                 "certificate: cmp.pem }, { name: cmp-ra, key: cmp, certificate: a }", "cmp_ras: [",
                 "cmp_ras[1].name: expected a name of its own; cmp_ras[0] has 'cmp-ra' already");
}

static void cmp_42_an_ra_that_cannot_speak_for_the_ca_is_refused(void **state)
{
    char text[8192];

    (void)state;
    assert_null(load_with("certificate: cmp.pem", "certificate: cmp-as-tls.pem", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "procedures[2].cmp.ra: the certificate of its CMP RA needs the "
                                           "extended key usage cmcRA"));
    assert_null(load_with("certificate: cmp.pem", "certificate: cmp-of-other.pem", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "procedures[2].cmp.ra: the certificate of its CMP RA was not "
                                           "issued by its CA"));
    assert_null(
        load_with("protocols: cmp\n", "protocols: cmp\n    preregistration: false\n", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, ": procedures[2]: SCEP and CMP require preregistration"));
}

/* The procedure that is open on EST, on ACME with these settings instead; more of the procedure first. */
static struct config *load_acme(const char *more, const char *settings, const struct procedure **procedure)
{
    char text[8192], all[1024];
    struct config *c;

    (void)snprintf(all, sizeof(all), "protocols: acme\n%s    acme: { %s }\n    vendor", more, settings);
    c = load_with("protocols: est\n    est: { realm: Phones }\n    vendor", all, text, sizeof(text));
    *procedure = c != NULL ? config_procedure(c, BYTES_LITERAL("phones")) : NULL;
    return c;
}

static void a_procedure_on_acme_is_safe_unless_told_otherwise(void **state)
{
    const struct ip_address metadata = { 4, { 169, 254, 169, 254 } }, loopback = { 4, { 127, 0, 0, 1 } };
    const struct ip_address private = { 4, { 10, 0, 0, 1 } }, public = { 4, { 8, 8, 8, 8 } };
    const struct procedure *p;
    struct config *c = load_acme("", "binding: true", &p);

    (void)state;
    if (c == NULL)
        fail_msg("%s", world.err.text);
    assert_int_equal(p->protocols, PROTOCOL_BIT(PROTOCOL_ACME));
    assert_true(p->preregistration && p->acme_binding);
    assert_int_equal(p->acme_challenges, ACME_CHALLENGE_BIT(ACME_HTTP_01) | ACME_CHALLENGE_BIT(ACME_DNS_01) |
                                             ACME_CHALLENGE_BIT(ACME_TLS_ALPN_01));
    assert_false(p->acme_subdomains || p->acme_wildcard || p->acme_ip || p->acme_replace_all);
    assert_false(p->acme_star || p->acme_star_get);
    assert_int_equal(p->acme_star_lifetime_s, 86400);
    assert_int_equal(p->acme_star_duration_s, 90 * 86400);
    assert_int_equal(p->acme_caa, ACME_CAA_OFF);
    assert_int_equal(p->acme_http_port, 0);
    assert_int_equal(p->acme_tls_port, 0);
    assert_int_equal(p->acme_identifiers_max, 32);
    assert_int_equal(p->acme_order_s, 7 * 86400);
    assert_false(address_allowed(&p->acme_reach, &loopback) || address_allowed(&p->acme_reach, &metadata) ||
                 address_allowed(&p->acme_reach, &private));
    assert_true(address_allowed(&p->acme_reach, &public));
    assert_ptr_equal(c->acme.enroll, &c->enroll);
    assert_int_equal(c->acme.nonce_valid_s, 3600);
    config_free(c);
}

static void every_setting_of_acme_is_taken(void **state)
{
    const struct ip_address in = { 4, { 10, 2, 0, 1 } }, out = { 4, { 10, 1, 0, 1 } };
    const struct procedure *p;
    struct config *c = load_acme(
        "    preregistration: false\n",
        "binding: false, challenges: [dns-01, dns-account-01, device-attest-01], wildcard: true, ip: true, "
        "reach: [10.0.0.0/8, '::1'], forbid: 10.1.0.0/16, http_port: 8080, tls_port: 8443, caa: enforce, "
        "caa_identities: [ca.example.com], identifiers_max: 100, orders_max: 3, accounts_max: 4, "
        "unbound_accounts_max: 5, validations_max: 6, failures_max: 7, "
        "order_valid: 1h, authorization_valid: 30d, profiles: [station], terms: 'https://a.example/t', "
        "website: 'https://a.example/', attestation_anchors: { tpm: ca.pem }, replace_all: true, star: true, "
        "star_lifetime_min: 2h, "
        "star_duration_max: 365d, star_get: true",
        &p);

    (void)state;
    if (c == NULL)
        fail_msg("%s", world.err.text);
    assert_false(p->preregistration || p->acme_binding);
    assert_int_equal(p->acme_challenges, ACME_CHALLENGE_BIT(ACME_DNS_01) |
                                             ACME_CHALLENGE_BIT(ACME_DNS_ACCOUNT_01) |
                                             ACME_CHALLENGE_BIT(ACME_DEVICE_ATTEST_01));
    assert_true(p->acme_wildcard && p->acme_ip && p->acme_replace_all);
    assert_true(p->acme_star && p->acme_star_get);
    assert_int_equal(p->acme_star_lifetime_s, 7200);
    assert_int_equal(p->acme_star_duration_s, 365 * 86400);
    assert_true(address_allowed(&p->acme_reach, &in));
    assert_false(address_allowed(&p->acme_reach, &out));
    assert_int_equal(p->acme_reach.allowed_count, 2);
    assert_int_equal(p->acme_http_port, 8080);
    assert_int_equal(p->acme_tls_port, 8443);
    assert_int_equal(p->acme_caa, ACME_CAA_ENFORCE);
    assert_int_equal(p->acme_caa_identity_count, 1);
    assert_string_equal(p->acme_caa_identity[0], "ca.example.com");
    assert_int_equal(p->acme_identifiers_max, 100);
    assert_int_equal(p->acme_orders_max, 3);
    assert_int_equal(p->acme_accounts_max, 4);
    assert_int_equal(p->acme_unbound_max, 5);
    assert_int_equal(p->acme_validations_max, 6);
    assert_int_equal(p->acme_failures_max, 7);
    assert_int_equal(p->acme_order_s, 3600);
    assert_int_equal(p->acme_authorization_s, 30 * 86400);
    assert_int_equal(p->acme_profile_count, 1);
    assert_string_equal(p->acme_profile[0]->name, "station");
    assert_string_equal(p->acme_terms_url, "https://a.example/t");
    assert_string_equal(p->acme_website_url, "https://a.example/");
    assert_non_null(p->acme_attestation_anchors[ATTESTATION_TPM]);
    assert_null(p->acme_attestation_anchors[ATTESTATION_APPLE]);
    config_free(c);
}

static void mistakes_in_settings_of_acme_are_named(void **state)
{
    static const struct {
        const char *settings, *fault;
    } rows[] = {
        { "binding: false, challenges: []",
          "procedures[1]: open on ACME with neither account binding nor a" },
        { "challenges: http-02", "procedures[1].acme.challenges: expected one of http-01, dns-01" },
        { "reach: 10.0.0.1/8", "procedures[1].acme.reach: expected ranges like 10.0.0.0/8" },
        { "forbid: here", "procedures[1].acme.forbid: expected ranges like 10.0.0.0/8" },
        { "challenges: dns-persist-01", "procedures[1]: dns-persist-01 needs one to ten CAA identities" },
        { "challenges: device-attest-01", "procedures[1]: device-attest-01 needs roots of a maker" },
        { "challenges: device-attest-01, attestation_anchors: { apple: cmp.key }",
          "procedures[1].acme.attestation_anchors.apple" },
        { "attestation_anchors: { packed: ca.pem }",
          "procedures[1].acme.attestation_anchors: unknown setting 'packed'" },
        { "caa: warn, caa_identities: ca.example.com, subdomains: true", "procedures[1]: CAA is looked up" },
        { "caa: enforce", "procedures[1]: CAA is judged, but no CAA identity is named" },
        { "caa_identities: [not_a_name]", "procedures[1].acme.caa_identities: expected names like" },
        { "identifiers_max: 101", "procedures[1].acme.identifiers_max: expected a number from 1 to 100" },
        { "profiles: x", "procedures[1].acme.profiles: expected a name from profiles (device, station)" },
        { "terms: here", "procedures[1].acme.terms: expected" },
        { "star: true }\n    renewal: { same_key: false", "procedures[1].acme.star: not where an officer" },
        { "star: true }\n    approval: manual\n    est: {", "procedures[1].acme.star: not where an officer" },
        { "star_lifetime_min: 59m", "procedures[1].acme.star_lifetime_min: expected" },
        { "http_port: 65536", "procedures[1].acme.http_port: expected" },
        { "bindin: true", "procedures[1].acme: unknown setting 'bindin'; did you mean 'binding'?" },
    };
    const struct procedure *p;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_null(load_acme("", rows[i].settings, &p));
        if (strstr(world.err.text, rows[i].fault) == NULL)
            fail_msg("got '%s', expected '%s'", world.err.text, rows[i].fault);
    }
}

static void acme_1_5_acme_needs_a_listener_with_tls_and_a_base_url(void **state)
{
    char text[8192];
    struct config *c;

    (void)state;
    c = load_with("protocols: est\n", "protocols: [est, acme]\n", text, sizeof(text));
    assert_non_null(c);
    config_free(c);
    c = load_with_two("    base_url: https://a.example\n", "", "cas:\n", "", "protocols: est\n",
                      "protocols: [est, acme]\n", text, sizeof(text));
    assert_null(c);
    assert_non_null(strstr(world.err.text, "procedures[1].protocols: acme needs a listener for devices with "
                                           "tls and base_url"));
}

static void a_name_that_refers_to_nothing_is_named(void **state)
{
    (void)state;
    assert_fault("    ca: demo", "    ca: dmeo", "    ca: dmeo",
                 "procedures[0].ca: expected a name from cas (demo); got 'dmeo'");
    assert_fault("    domain: devices", "    domain: x", "    domain: x",
                 "procedures[0].domain: expected a name from domains (devices); got 'x'");
    assert_fault("    profile: device", "    profile: x", "    profile: x",
                 "procedures[0].profile: expected a name from profiles (device, station); got 'x'");
    assert_fault("scep: { ra: scep-ra }", "scep: { ra: x }", "scep: { ra",
                 "procedures[0].scep.ra: expected a name from scep_ras (scep-ra); got 'x'");
    assert_fault("    key: ca\n", "    key: x\n", "    key: x",
                 "cas[0].key: expected a name from keys (ca, tls, ra, cmp); got 'x'");
    assert_fault("key: ra, cert", "key: x, cert", "key: x, cert",
                 "scep_ras[0].key: expected a name from keys (ca, tls, ra, cmp); got 'x'");
    assert_fault("tls.pem, key: tls }", "tls.pem, key: x }", "tls.pem, key: x",
                 "listeners[1].tls.key: expected a name from keys (ca, tls, ra, cmp); got 'x'");
    assert_fault("default_procedure: routers", "default_procedure: x", "default_procedure",
                 "default_procedure: expected a name from procedures (routers, phones, stations); got 'x'");
}

static void a_protocol_that_is_none_is_named(void **state)
{
    (void)state;
    assert_fault("[scep, est]", "[sceep]", "[sceep]",
                 "procedures[0].protocols: expected one of scep, est, cmp, acme; got 'sceep'");
}

static void two_of_one_name_are_named(void **state)
{
    (void)state;
    assert_fault("name: phones", "name: routers",
                 "name: routers\n    domain: devices\n    ca: demo\n    profile: "
                 "device\n    protocols: est",
                 "procedures[1].name: expected a name of its own; procedures[0] has 'routers' already");
    assert_fault("name: ra, uri", "name: ca, uri", "name: ca, uri: ra.key",
                 "keys[2].name: expected a name of its own; keys[0] has 'ca' already");
}

static void administration_needs_tls_and_the_officer_s_certificate(void **state)
{
    (void)state;
    assert_fault("    role: administration\n    tls: { certificate: tls.pem, key: tls }\n",
                 "    role: administration\n", "name: admin",
                 "listeners[2].tls: missing; administration needs TLS with the officer's certificate");
    assert_fault("    role: administration\n    tls: { certificate: tls.pem, key: tls }\n",
                 "    role: administration\n    tls: { certificate: tls.pem, key: tls, client_certificate: "
                 "optional }\n",
                 "optional",
                 "listeners[2].tls.client_certificate: expected required, as the role is administration");
}

static void listeners_are_checked(void **state)
{
    (void)state;
    assert_fault("192.0.2.53,", "a.example,", "dns_servers",
                 "dns_servers: expected addresses like 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53; got "
                 "'a.example'");
    assert_fault("address: '::'", "address: localhost", "address: localhost",
                 "listeners[1].address: expected an IP address like 127.0.0.1 or ::; got 'localhost'");
    assert_fault(
        "address: '::'\n    port: 8443", "address: 127.0.0.1\n    port: 8444", "    port: 8444\n    role: a",
        "listeners[2].port: expected an address and port of its own; listeners[1] has 127.0.0.1 port "
        "8444 already");
    assert_fault("10.0.0.0/8", "10.0.0.1/8", "proxy_from",
                 "listeners[0].proxy_from: expected ranges like 10.0.0.0/8 or 2001:db8::/32; got "
                 "'10.0.0.1/8'");
    assert_fault("https://a.example\n", "https://a.example/\n", "https://a.example/",
                 "listeners[1].base_url: expected no '/' at its end");
    assert_fault("port: 8443", "port: 65536", "65536",
                 "listeners[1].port: expected a number from 0 to 65535; got '65536'");
}

static void files_that_are_not_there_are_named(void **state)
{
    char text[8192];

    (void)state;
    assert_null(load_with("uri: tls.key", "uri: lost.key", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "keys[1].uri: "));
    assert_null(load_with("chain: ca.pem", "chain: lost.pem", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "cas[0].chain: "));
    assert_null(load_with("file: secrets.key", "file: lost.key", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "secrets_keys[0].file: "));
    assert_null(load_with("certificate: ra.pem", "certificate: lost.pem", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "scep_ras[0].certificate: "));
    assert_null(load_with("vendor_anchors: ca.pem", "vendor_anchors: lost.pem", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "procedures[1].vendor_anchors: "));
    assert_null(load_with("chain: ca.pem", "chain: empty.pem", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "cas[0].chain: "));
    assert_null(load_with("realm: Phones", "csrattrs: lost.der", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "procedures[1].est.csrattrs: "));
}

static void a_certificate_of_another_key_is_named(void **state)
{
    char text[8192];

    (void)state;
    assert_null(load_with("{ certificate: tls.pem", "{ certificate: ra.pem", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "listeners[1].tls.certificate: "));
    assert_non_null(strstr(world.err.text, "expected the certificate of key 'tls'"));
    assert_null(load_with("certificate: ra.pem", "certificate: tls.pem", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "expected the certificate of key 'ra'"));
    assert_null(load_with("chain: ca.pem", "chain: tls.pem", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "cas[0].chain: "));
}

static void an_ra_that_cannot_serve_scep_is_refused(void **state)
{
    char text[8192];

    (void)state;
    assert_null(
        load_with("key: ra, certificate: ra.pem", "key: tls, certificate: tls.pem", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "procedures[0].scep.ra: "));
    assert_null(load_with("    scep: { ra: scep-ra }\n", "", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "procedures[0].scep.ra: missing"));
}

static void an_open_ca_is_refused(void **state)
{
    char text[8192];

    (void)state;
    assert_null(load_with("est: { realm: Phones }",
                          "preregistration: false\n    est: { basic: false, client_certificate: false }",
                          text, sizeof(text)));
    assert_non_null(strstr(world.err.text, ": procedures[1]: "));
    assert_null(load_with("dialect: cisco-ios", "preregistration: false", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, ": procedures[0]: "));
}

static void est_10_an_operation_of_est_names_no_procedure(void **state)
{
    char text[8192];

    (void)state;
    assert_null(load_with("name: phones", "name: cacerts", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "procedures[1].name: 'cacerts' is an operation of EST"));
}

static void dialects_are_checked(void **state)
{
    char text[8192];

    (void)state;
    assert_null(load_with("dialect: cisco-ios", "dialect: klingon", text, sizeof(text)));
    assert_non_null(strstr(world.err.text, "procedures[0].dialect: expected one of default, cisco-ios"));
    assert_fault("est_digest_md5: true", "est_digest_md6: true", "est_digest_md6",
                 "procedures[0].switches: unknown setting 'est_digest_md6'; did you mean 'est_digest_md5'?");
}

static void cmp_101_the_root_that_follows_is_read_and_checked(void **state)
{
    static const char key[] = "    key: ca\n";
    char text[8192];
    struct config *config = load_with(
        key,
        "    key: ca\n"
        "    root_update: { new_with_new: next.pem, new_with_old: next-by-old.pem,\n"
        "      old_with_new: old-by-next.pem }\n",
        text, sizeof(text));

    (void)state;
    if (config == NULL)
        fail_msg("%s", world.err.text);
    assert_true(config->ca[0].root_new_with_new.len > 0);
    assert_true(config->ca[0].root_new_with_old.len > 0);
    assert_true(config->ca[0].root_old_with_new.len > 0);
    config_free(config);
    assert_fault(key, "    key: ca\n    root_update: { new_with_new: next.pem }\n", "root_update",
                 "cas[0].root_update.new_with_old: missing");
    assert_fault(
        key, "    key: ca\n    root_update: { new_with_new: next.pem, new_with_old: old-by-next.pem }\n",
        "root_update", "cas[0].root_update: CA 'demo': new_with_old: it certifies another root's key");
    assert_fault(key,
                 "    key: ca\n    root_update: { new_with_new: gone.pem, new_with_old: next-by-old.pem }\n",
                 "root_update", "cas[0].root_update.new_with_new: ");
}

static void the_gateway_s_own_certificates_stand_once_a_file(void **state)
{
    char text[8192];
    struct config *config = load_with("certificate: tls.pem, key: tls",
                                      "certificate: tls.pem, key: tls, renew: { ca: demo, before: 10d }",
                                      text, sizeof(text));
    const struct service_certificates *all;

    (void)state;
    if (config == NULL)
        fail_msg("%s", world.err.text);
    all = &config->services;
    assert_ptr_equal(all->enroll, &config->enroll);
    assert_int_equal(all->count, 3); /* two listeners share one */
    assert_string_equal(all->item[0].what, "listener secure");
    assert_string_equal(all->item[0].path, in_folder("tls.pem"));
    assert_string_equal(all->item[0].key_name, "tls");
    assert_string_equal(all->item[0].ca, "demo");
    assert_int_equal(all->item[0].before_s, 10 * 86400);
    assert_true(all->item[0].certificate.not_after_s > clock_now_s());
    assert_string_equal(all->item[1].what, "scep ra scep-ra");
    assert_null(all->item[1].ca);
    assert_string_equal(all->item[2].what, "cmp ra cmp-ra");
    config_free(config);
    config = load_with("certificate: ra.pem", "certificate: ra.pem, renew: { ca: demo }", text, sizeof(text));
    if (config == NULL)
        fail_msg("%s", world.err.text);
    assert_int_equal(config->services.item[1].before_s, SERVICE_RENEW_BEFORE_S);
    config_free(config);
}

static void mistakes_in_renewals_are_named(void **state)
{
    static const char other[] = "\n  - { name: other, kind: local, chain: other-ca.pem, key: other }\n";
    char text[8192];

    (void)state;
    assert_fault("certificate: tls.pem, key: tls", "certificate: tls.pem, key: tls, renew: { ca: dmeo }",
                 "dmeo", "listeners[1].tls.renew.ca: expected a name from cas (demo); got 'dmeo'");
    assert_fault("certificate: ra.pem", "certificate: ra.pem, renew: { before: 3d }", "before: 3d",
                 "scep_ras[0].renew.ca: missing");
    assert_fault("certificate: cmp.pem", "certificate: cmp.pem, renew: { ca: dmeo }", "dmeo",
                 "cmp_ras[0].renew.ca: expected a name from cas (demo); got 'dmeo'");
    assert_fault(
        "key: tls }\n"
        "  - name: admin\n"
        "    address: 127.0.0.1\n"
        "    port: 8444\n"
        "    role: administration\n"
        "    tls: { certificate: tls.pem, key: tls }\n",
        "key: tls, renew: { ca: demo } }\n"
        "  - name: admin\n"
        "    address: 127.0.0.1\n"
        "    port: 8444\n"
        "    role: administration\n"
        "    tls: { certificate: tls.pem, key: tls, renew: { ca: demo, before: 3d } }\n",
        "before: 3d",
        "listeners[2].tls.renew: expected the same as elsewhere for this file: listener secure renews "
        "it from 'demo', too");
    assert_null(load_with_two("  - { name: cmp, uri: cmp.key }\n",
                              "  - { name: cmp, uri: cmp.key }\n  - { name: other, uri: other.key }\n",
                              "cas:\n", &other[1], "certificate: cmp.pem",
                              "certificate: cmp.pem, renew: { ca: other }", text, sizeof(text)));
    assert_non_null(strstr(world.err.text,
                           "cmp_ras[0].renew.ca: expected the issuer of procedure 'stations', "
                           "which is CA 'demo'"));
}

static void figures_that_do_not_fit_together_are_named(void **state)
{
    (void)state;
    assert_fault("refresh: 12h", "refresh: 3d", "refresh: 3d", "cas[0].crl.refresh: expected less than the");
    assert_fault("curves: [p256, ed25519]", "rsa_min: 4096, rsa_max: 3072", "rsa_min: 4096",
                 "profiles[0].keys.rsa_min: expected at most rsa_max (3072), both 0 for no RSA; got 4096");
    assert_fault("curves: [p256, ed25519]", "rsa_min: 1024", "rsa_min: 1024",
                 "profiles[0].keys.rsa_min: expected at least 2048; got 1024");
    assert_fault("curves: [p256, ed25519]", "rsa_min: 0, rsa_max: 0, curves: []", "rsa_min: 0",
                 "profiles[0].keys: expected RSA or a curve; nothing is accepted");
    assert_fault("validity: 90d", "validity: 1m", "name: device\n",
                 "profiles[0].backdate: expected less than the validity");
    assert_fault("map_max: 1GiB }", "readers_max: 16, map_max: 1GiB }\nloops: 9", "readers_max",
                 "registry.readers_max: expected at least 20 (workers, loops and 8 more); got 16");
    assert_fault(
        "[client_auth, 1.3.6.1.5.5.7.3.17]", "[client_oath]", "[client_oath]",
        "profiles[0].extended_key_usage: expected client_auth, server_auth, ipsec_ike, ... or an OID "
        "like 1.3.6.1; got 'client_oath'");
}

static void without_a_listener_nothing_starts(void **state)
{
    char text[256];

    (void)state;
    (void)snprintf(text, sizeof(text), "registry: { path: r }\nlisteners: []\n");
    assert_true(file_write(world.path, bytes_text(text), 0600, &world.err));
    struct config *config = NULL;
    assert_false(config_load(world.path, &config, &world.err));
    assert_non_null(strstr(world.err.text, ":2: listeners: expected 1 to 16 entries; got 0"));
    assert_null(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(est_84_what_csrattrs_demand_is_checked_at_the_start),
        cmocka_unit_test(csr_27_lists_of_weak_keys_are_read_at_the_start),
        cmocka_unit_test(a_good_configuration_fills_every_room_s_options),
        cmocka_unit_test(a_procedure_is_whole),
        cmocka_unit_test(a_ca_behind_cmp_takes_a_secret),
        cmocka_unit_test(a_ca_behind_cmp_takes_a_certificate),
        cmocka_unit_test(mistakes_of_a_ca_behind_cmp_are_named),
        cmocka_unit_test(a_procedure_on_cmp_is_whole),
        cmocka_unit_test(every_setting_of_cmp_is_taken),
        cmocka_unit_test(cmp_33_sha_1_is_a_matter_of_the_dialect),
        cmocka_unit_test(cmp_21_who_demands_message_time_looks_at_it),
        cmocka_unit_test(mistakes_in_settings_of_cmp_are_named),
        cmocka_unit_test(cmp_42_an_ra_that_cannot_speak_for_the_ca_is_refused),
        cmocka_unit_test(a_procedure_on_acme_is_safe_unless_told_otherwise),
        cmocka_unit_test(every_setting_of_acme_is_taken),
        cmocka_unit_test(mistakes_in_settings_of_acme_are_named),
        cmocka_unit_test(acme_1_5_acme_needs_a_listener_with_tls_and_a_base_url),
        cmocka_unit_test(a_name_that_refers_to_nothing_is_named),
        cmocka_unit_test(a_protocol_that_is_none_is_named),
        cmocka_unit_test(two_of_one_name_are_named),
        cmocka_unit_test(administration_needs_tls_and_the_officer_s_certificate),
        cmocka_unit_test(listeners_are_checked),
        cmocka_unit_test(files_that_are_not_there_are_named),
        cmocka_unit_test(a_certificate_of_another_key_is_named),
        cmocka_unit_test(an_ra_that_cannot_serve_scep_is_refused),
        cmocka_unit_test(an_open_ca_is_refused),
        cmocka_unit_test(est_10_an_operation_of_est_names_no_procedure),
        cmocka_unit_test(dialects_are_checked),
        cmocka_unit_test(cmp_101_the_root_that_follows_is_read_and_checked),
        cmocka_unit_test(the_gateway_s_own_certificates_stand_once_a_file),
        cmocka_unit_test(mistakes_in_renewals_are_named),
        cmocka_unit_test(figures_that_do_not_fit_together_are_named),
        cmocka_unit_test(without_a_listener_nothing_starts),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
