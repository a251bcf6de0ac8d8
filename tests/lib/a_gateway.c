#include "tests/lib/a_gateway.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "registry/certificates.h"

enum { ARENA_MAX = 64 << 20 };
static const int64_t START_S = 1790000000;

/* RSA keys are dear to make: one ring serves every gateway of a test program. */
static struct keys *shared_keys(void)
{
    static struct keys *keys;
    static const uint8_t secrets_key[32] = { 1, 2, 3 };

    if (keys == NULL) {
        assert_true(keys_new(&keys, NULL));
        assert_true(keys_generate(keys, "ca", KEY_EC_P256, 0, NULL));
        assert_true(keys_generate(keys, "scep-ra", KEY_RSA, 2048, NULL));
        assert_true(keys_generate(keys, "cmp-ra", KEY_EC_P256, 0, NULL));
        assert_true(keys_add_secrets_key(keys, "k1", secrets_key, NULL));
    }
    return keys_ref(keys);
}

/* Made once a process, as keys are: the certificates of the CA and of the RAs. */
static struct bytes once(struct bytes der)
{
    uint8_t *copy = malloc(der.len);

    assert_non_null(copy);
    memcpy(copy, der.data, der.len);
    return bytes_of(copy, der.len);
}

static void make_ca(struct a_gateway *g)
{
    static struct bytes root;
    AUTO_STRUCT(buffer) name = BUFFER(256);
    struct ca_make make = { .validity_s = 10 * 365 * 86400, .now_s = START_S - 86400 };
    struct error err = { 0 };
    struct bytes der;

    assert_true(name_parse(bytes_text("CN=Test CA,O=Example"), &name));
    make.subject = buffer_bytes(&name);
    if (root.len == 0) {
        if (!ca_make_root(&make, g->config.keys, "ca", &g->random, g->arena, &der, &err))
            fail_msg("%s", err.text);
        root = once(der);
    }
    g->ca = (struct ca){ .name = "demo",
                         .connector = &ca_local_connector,
                         .chain = { root },
                         .chain_count = 1,
                         .key_name = "ca",
                         .crl_validity_s = 7 * 86400,
                         .crl_refresh_s = 86400 };
    if (!ca_prepare(&g->ca, g->config.keys, &err))
        fail_msg("%s", err.text);
}

/* Into `once_made`, unless it is there; decoded into *out. */
static void make_service(struct a_gateway *g, enum service_kind kind, const char *key, const char *subject,
                         struct bytes *once_made, struct certificate *out)
{
    AUTO_STRUCT(buffer) name = BUFFER(256);
    struct ca_make make = { .validity_s = 5 * 365 * 86400, .now_s = START_S - 86400 };
    struct error err = { 0 };
    struct bytes der;

    assert_true(name_parse(bytes_text(subject), &name));
    make.subject = buffer_bytes(&name);
    if (once_made->len == 0) {
        if (!ca_make_service(&g->ca, kind, &make, BYTES_NONE, g->config.keys, key, &g->random, g->arena, &der,
                             &err))
            fail_msg("%s", err.text);
        *once_made = once(der);
    }
    assert_true(certificate_decode(*once_made, g->arena, out));
}

static void make_ras(struct a_gateway *g)
{
    static struct bytes scep, cmp;

    g->ra = (struct scep_ra){ .name = "scep-ra", .key_name = "scep-ra" };
    make_service(g, SERVICE_SCEP_RA, "scep-ra", "CN=Test SCEP RA,O=Example", &scep, &g->ra.certificate);
    g->cmp_ra = (struct cmp_ra){ .name = "cmp-ra", .key_name = "cmp-ra" };
    make_service(g, SERVICE_CMP_RA, "cmp-ra", "CN=Test CMP RA,O=Example", &cmp, &g->cmp_ra.certificate);
}

static void make_procedure(struct a_gateway *g)
{
    g->domain = (struct domain){ .name = "devices", .id = domain_id_of(bytes_text("devices")) };
    g->profile = (struct profile){ .name = "device",
                                   .validity_s = 365 * 86400,
                                   .backdate_s = 300,
                                   .key_usage = KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT,
                                   .keys = KEY_RULES_DEFAULT };
    g->procedure = (struct procedure){
        .name = "demo",
        .domain = &g->domain,
        .ca = "demo",
        .profile = &g->profile,
        .dialect = { .name = "default", .cmp_hmac_sha1 = true },
        .protocols = PROTOCOL_BIT(PROTOCOL_SCEP) | PROTOCOL_BIT(PROTOCOL_EST) | PROTOCOL_BIT(PROTOCOL_CMP),
        .preregistration = true,
        .unstructured = true,
        .same_key_renewal = true,
        .renewal = true,
        .est_basic = true,
        .est_digest = true,
        .est_client_certificate = true,
        .est_realm = "demo",
        .scep_ra = "scep-ra",
        .scep_ra_key = g->ra.certificate.key.spki,
        .cmp_ra = "cmp-ra",
        .cmp_ra_key = g->cmp_ra.certificate.key.spki,
        .cmp_implicit_confirm = true,
        .cmp_confirm_wait_s = 300,
        .cmp_iterations_max = 10000,
        .retry_after_s = 30,
    };
    g->procedures[0] = &g->procedure;
    g->domains[0] = &g->domain;
}

static void fill_config(struct a_gateway *g)
{
    struct config *c = &g->config;

    c->listener_count = 1;
    c->listener_role[0] = LISTENER_DEVICES;
    c->busy_retry_after_s = 5;
    c->ca = &g->ca;
    c->ca_count = 1;
    c->domain = g->domains;
    c->domain_count = 1;
    c->procedure = g->procedures;
    c->procedure_count = 1;
    c->default_procedure = &g->procedure;
    c->enroll = (struct enroll_service){ .ca = &g->ca,
                                         .ca_count = 1,
                                         .procedure = g->procedures,
                                         .procedure_count = 1,
                                         .transaction_keep_s = 30 * 86400,
                                         .pending_keep_s = 7 * 86400,
                                         .pending_max = 100 };
    c->scep = (struct scep_service){ .enroll = &c->enroll, .ra = &g->ra, .ra_count = 1 };
    c->cmp = (struct cmp_service){ .enroll = &c->enroll, .ra = &g->cmp_ra, .ra_count = 1 };
    c->acme = (struct acme_service){ .enroll = &c->enroll, .nonce_valid_s = ACME_NONCE_VALID_S };
    c->est = (struct est_service){ .enroll = &c->enroll, .nonce_key = { 42 }, .nonce_valid_s = 300 };
    c->admin = (struct admin_service){
        .enroll = &c->enroll, .domain = g->domains, .domain_count = 1, .act_skew_s = 300
    };
    assert_true(est_nonces_new(1024, &c->est.nonces, NULL));
    assert_true(acme_nonces_new(1024, &g->random, &c->acme.nonces, NULL));
}

static void open_registry(struct a_gateway *g)
{
    struct registry_options options = REGISTRY_OPTIONS_DEFAULT;
    struct error err = { 0 };

    options.path = g->path;
    options.map_max = (uint64_t)1 << 30;
    options.no_sync = true;
    if (!registry_open(&options, &g->registry, &err) || !registry_view_begin(g->registry, &g->view, &err))
        fail_msg("%s", err.text);
}

struct a_gateway *a_gateway_new(uint64_t seed)
{
    struct a_gateway *g = calloc(1, sizeof(*g));
    const char *tmp = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";

    assert_non_null(g);
    g->arena = arena_new(ARENA_MAX);
    assert_non_null(g->arena);
    g->now_s = START_S;
    g->seed = seed;
    g->random = random_seeded(&g->seed);
    g->config.keys = shared_keys();
    make_ca(g);
    make_ras(g);
    make_procedure(g);
    fill_config(g);
    (void)snprintf(g->path, sizeof(g->path), "%s/muster-test-XXXXXX", tmp);
    assert_non_null(mkdtemp(g->path));
    open_registry(g);
    g->seed = seed; /* whether or not the certificates were made just now */
    return g;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

void a_gateway_free(struct a_gateway *g)
{
    registry_view_end(g->view);
    registry_close(g->registry);
    (void)nftw(g->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    est_nonces_free(g->config.est.nonces);
    acme_nonces_free(g->config.acme.nonces);
    ca_release(&g->ca);
    keys_unref(g->config.keys);
    arena_free(g->arena);
    free(g);
}

void a_gateway_restart(struct a_gateway *g)
{
    registry_view_end(take(g->view));
    registry_close(take(g->registry));
    open_registry(g);
}

struct registry_view *a_gateway_view(struct a_gateway *g)
{
    struct error err = { 0 };

    if (!registry_view_renew(g->view, &err))
        fail_msg("%s", err.text);
    return g->view;
}

void a_gateway_apply(struct a_gateway *g, const struct changes *changes)
{
    enum apply_result result = APPLY_NONE;
    struct error err = { 0 };

    registry_view_reset(g->view);
    if (!registry_apply(g->registry, &changes, 1, g->now_s, &result, &err))
        fail_msg("%s", err.text);
    assert_int_equal(result, APPLY_DONE);
}

/* Seals 32 random bytes and the password, as an officer's act does. */
static void seal(struct a_gateway *g, const char *password, struct registration *r)
{
    uint8_t plain[32 + REGISTRATION_SECRET_MAX];
    size_t len = strlen(password);

    assert_true(len <= REGISTRATION_SECRET_MAX);
    assert_true(random_fill(&g->random, plain, 32));
    memcpy(plain + 32, password, len);
    assert_true(sha256(bytes_of(plain, 32 + len), &r->commitment));
    assert_true(keys_seal(g->config.keys, bytes_of(plain, 32 + len), registration_id_bytes(&r->id), g->arena,
                          &r->sealed_secret, NULL));
}

struct registration a_gateway_register(struct a_gateway *g, const char *fqdn, const char *password,
                                       struct registration r)
{
    struct fqdn_pattern_rules rules = { .dns = DNS_RULES_TEXT };
    struct changes changes;

    if (r.order == ORDER_ACME)
        r.key_id = bytes_text(fqdn);
    else
        assert_int_equal(fqdn_pattern_parse(bytes_text(fqdn), &rules, &r.fqdn), FQDN_PATTERN_OK);
    assert_true(random_fill(&g->random, r.id.bytes, sizeof(r.id.bytes)));
    r.revision = 1;
    if (r.order == ORDER_NONE)
        r.order = ORDER_EST;
    r.procedure = bytes_text("demo");
    if (r.domain.value == 0)
        r.domain = g->domain.id;
    if (r.state == REGISTRATION_STATE_NONE)
        r.state = REGISTRATION_OPEN;
    if (r.accepted_s == 0)
        r.accepted_s = g->now_s;
    if (r.protocols == 0)
        r.protocols = g->procedure.protocols;
    if (password[0] != '\0')
        seal(g, password, &r);
    r.officer = bytes_text("test-officer");
    changes_begin(&changes, g->arena);
    change_registration_put(&changes, &r, 0);
    a_gateway_apply(g, &changes);
    return r;
}

struct http_response a_gateway_ask(struct a_gateway *g, struct http_request *request,
                                   struct turn_facts *facts)
{
    struct answering a;

    if (!answer_at_once(&a, &g->config, request)) {
        answer_turn(&a, a_gateway_view(g), g->random, g->now_s);
        registry_view_reset(g->view);
        if (a.turn.changes.count > 0)
            a_gateway_apply(g, &a.turn.changes);
    }
    if (facts != NULL)
        *facts = a.turn.facts;
    return a.response;
}

bool a_gateway_has_certificate(struct a_gateway *g, struct bytes der)
{
    AUTO_ARENA *arena = arena_new(1 << 20);
    struct certificate certificate;
    struct certificate_record record;
    struct certificate_id id;
    bool found = false;

    assert_true(certificate_decode(der, arena, &certificate));
    assert_true(certificate_id_of(certificate.issuer.encoded, certificate.serial, &id));
    assert_true(registry_certificate_by_id(a_gateway_view(g), &id, arena, &found, &record, NULL));
    if (found)
        assert_bytes(record.der, der);
    registry_view_reset(g->view);
    return found;
}
