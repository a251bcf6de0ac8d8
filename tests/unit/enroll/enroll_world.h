/* enroll_world.h: a procedure with its CA and a registry of its own, and builders of what stands before
 * admission: a_registration(...) and an_enrollment(...), valid by default, one difference a test. */
#ifndef MUSTER_TEST_ENROLL_WORLD_H
#define MUSTER_TEST_ENROLL_WORLD_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "enroll/admit.h"
#include "enroll/enroll.h"
#include "enroll/names.h"
#include "enroll/pending.h"
#include "registry/audit.h"
#include "registry/certificates.h"
#include "registry/registrations.h"
#include "registry/state.h"
#include "tests/lib/test.h"

static const int64_t START_S = 1790000000;
enum { DAY_S = 86400 };

struct world {
    char directory[256];
    struct registry *registry;
    struct registry_view *view;
    struct arena *arena;
    struct keys *keys;
    struct ca ca;
    struct domain domain;
    struct profile profile;
    struct procedure procedure;
    const struct procedure *procedures[1];
    struct enroll_service service;
    struct slow_down *slow_down;
    int64_t now_s;
    uint64_t seed, next_id;
    struct random_source random;
    struct turn turn; /* of the last run */
};

/* --- set-up --- */
UNUSED static struct keys *shared_keys(void)
{
    static struct keys *keys;
    static const uint8_t secrets_key[32] = { 7 };
    static const char *const names[] = { "ca", "other-ca", "device", "device-2", "vendor", "ra" };

    if (keys == NULL) {
        assert_true(keys_new(&keys, NULL));
        for (size_t i = 0; i < COUNT_OF(names); i++)
            assert_true(keys_generate(keys, names[i], KEY_EC_P256, 0, NULL));
        assert_true(keys_add_secrets_key(keys, "k1", secrets_key, NULL));
    }
    return keys_ref(keys);
}

UNUSED static struct bytes a_dn(struct arena *arena, const char *text)
{
    AUTO_STRUCT(buffer) out = BUFFER(4096);

    assert_true(name_parse(bytes_text(text), &out));
    return arena_copy(arena, buffer_bytes(&out));
}

UNUSED static struct bytes a_root(struct world *w, const char *key, const char *subject)
{
    struct ca_make make = { .subject = a_dn(w->arena, subject),
                            .validity_s = 20 * 365 * DAY_S,
                            .now_s = w->now_s - DAY_S };
    struct error err = { 0 };
    struct bytes der;

    if (!ca_make_root(&make, w->keys, key, &w->random, w->arena, &der, &err))
        fail_msg("%s", err.text);
    return der;
}

UNUSED static void make_procedure(struct world *w)
{
    w->domain = (struct domain){ .name = "devices", .id = domain_id_of(BYTES_LITERAL("devices")) };
    w->profile = (struct profile){ .name = "device",
                                   .validity_s = 100 * DAY_S,
                                   .key_usage = KEY_USAGE_DIGITAL_SIGNATURE,
                                   .keys = KEY_RULES_DEFAULT };
    w->procedure = (struct procedure){ .name = "routers",
                                       .domain = &w->domain,
                                       .ca = "demo",
                                       .profile = &w->profile,
                                       .protocols = PROTOCOL_BIT(PROTOCOL_SCEP) | PROTOCOL_BIT(PROTOCOL_EST),
                                       .preregistration = true,
                                       .unstructured = true,
                                       .same_key_renewal = true,
                                       .renewal = true,
                                       .est_basic = true,
                                       .scep_ra = "ra",
                                       .scep_ra_key = keys_public(w->keys, "ra"),
                                       .retry_after_s = 30 };
    w->procedures[0] = &w->procedure;
    w->service = (struct enroll_service){ .ca = &w->ca,
                                          .ca_count = 1,
                                          .procedure = w->procedures,
                                          .procedure_count = 1,
                                          .transaction_keep_s = 30 * DAY_S,
                                          .pending_keep_s = 7 * DAY_S,
                                          .pending_max = 2 };
}

UNUSED static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    const char *base = getenv("TMPDIR");
    struct registry_options options = REGISTRY_OPTIONS_DEFAULT;
    struct error err = { 0 };

    assert_non_null(w);
    (void)snprintf(w->directory, sizeof(w->directory), "%s/muster-enroll-XXXXXX",
                   base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(w->directory));
    options.path = w->directory;
    options.map_max = (uint64_t)1 << 30;
    options.no_sync = true;
    if (!registry_open(&options, &w->registry, &err) || !registry_view_begin(w->registry, &w->view, &err))
        fail_msg("%s", err.text);
    w->arena = arena_new(64 << 20);
    w->keys = shared_keys();
    w->now_s = START_S;
    w->seed = 1;
    w->random = random_seeded(&w->seed);
    w->ca =
        (struct ca){ .name = "demo", .connector = &ca_local_connector, .chain_count = 1, .key_name = "ca" };
    w->ca.chain[0] = a_root(w, "ca", "CN=Test CA");
    if (!ca_prepare(&w->ca, w->keys, &err))
        fail_msg("%s", err.text);
    make_procedure(w);
    *state = w;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

UNUSED static int tear_down(void **state)
{
    struct world *w = *state;

    slow_down_free(w->slow_down);
    ca_release(&w->ca);
    registry_view_end(w->view);
    registry_close(w->registry);
    keys_unref(w->keys);
    arena_free(w->arena);
    assert_int_equal(nftw(w->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    free(w);
    return 0;
}

#define world_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* --- turns --- */
UNUSED static void begin_turn(struct world *w)
{
    assert_true(registry_view_renew(w->view, NULL));
    w->turn = (struct turn){
        .view = w->view, .keys = w->keys, .random = w->random, .now_s = w->now_s, .arena = w->arena
    };
    changes_begin(&w->turn.changes, w->arena);
}

/* What the turn wants written is written. */
UNUSED static enum apply_result apply(struct world *w)
{
    const struct changes *list[] = { &w->turn.changes };
    enum apply_result result = APPLY_NONE;
    struct error err = { 0 };

    if (w->turn.changes.count == 0)
        return APPLY_DONE;
    if (!registry_apply(w->registry, list, 1, w->now_s, &result, &err))
        fail_msg("%s", err.text);
    return result;
}

UNUSED static void open_cmp(struct world *w)
{
    w->procedure.protocols |= PROTOCOL_BIT(PROTOCOL_CMP);
}

/* --- registrations --- */
UNUSED static struct bytes sealed(struct world *w, const char *password, const struct registration_id *id)
{
    struct error err = { 0 };
    struct bytes plain = arena_format(w->arena, "%032d%s", 0, password), out;

    if (!keys_seal(w->keys, plain, registration_id_bytes(id), w->arena, &out, &err))
        fail_msg("%s", err.text);
    return out;
}

/* Valid but for what `fields` say otherwise; not in the registry. */
UNUSED static struct registration a_registration(struct world *w, const char *fqdn, const char *password,
                                                 struct registration fields)
{
    const struct fqdn_pattern_rules rules = { .literal_labels_min = 1 };
    struct registration r = fields;

    r.id.bytes[0] = (uint8_t)++w->next_id;
    r.revision = r.revision > 0 ? r.revision : 1;
    r.order = ORDER_SCEP;
    r.procedure = BYTES_LITERAL("routers");
    r.domain = w->domain.id;
    r.officer = BYTES_LITERAL("officer");
    r.accepted_s = r.accepted_s > 0 ? r.accepted_s : w->now_s;
    assert_int_equal(fqdn_pattern_parse(bytes_text(fqdn), &rules, &r.fqdn), FQDN_PATTERN_OK);
    if (r.state == REGISTRATION_STATE_NONE)
        r.state = REGISTRATION_OPEN;
    if (r.protocols == 0)
        r.protocols = w->procedure.protocols;
    if (password != NULL)
        r.sealed_secret = sealed(w, password, &r.id);
    return r;
}

UNUSED static struct registration put(struct world *w, struct registration r, uint64_t expected)
{
    begin_turn(w);
    change_registration_put(&w->turn.changes, &r, expected);
    assert_int_equal(apply(w), APPLY_DONE);
    assert_true(registry_view_renew(w->view, NULL));
    return r;
}

UNUSED static struct registration registered(struct world *w, const char *fqdn, const char *password,
                                             struct registration fields)
{
    struct registration r = a_registration(w, fqdn, password, fields);
    bool found;

    put(w, r, 0);
    assert_true(registry_registration_by_id(w->view, &r.id, w->arena, &found, &r, NULL));
    assert_true(found);
    return r;
}

/* As an officer's act would. */
UNUSED static void set_state(struct world *w, struct registration r, enum registration_state to)
{
    uint64_t expected = r.revision;

    r.state = to;
    r.revision = expected + 1;
    put(w, r, expected);
}

/* --- enrollments --- */
struct asking { /* differences from a good SCEP enrollment of router5.example.com */
    enum protocol protocol;
    const char *subject;              /* "CN=..." ; NULL: CN=router5.example.com */
    struct name_attribute *attribute; /* instead of subject, as they are */
    size_t attribute_count;
    const char *dns[4], *ip[4], *email;
    struct bytes other_type, other_value;
    const char *unstructured_name, *unstructured_address;
    const char *password, *user_name, *realm; /* password NULL: "s3cret"; "": no credential */
    const char *key;                          /* in the ring */
    const char *transaction;
    const char *signer;
    const struct bytes *certificate;   /* the credential instead of a password */
    const struct registration *mac_of; /* whose secret made the MAC, instead of a password */
    const struct bytes *ra;            /* an RA's certificate, instead of a password */
    bool crmf;                         /* REQUEST_CRMF */
    const struct profile *profile;
    uint32_t confirm_within_s;
    bool renewal;
    const char *peer;
    uint32_t repeat_s;
};

UNUSED static struct general_names a_san(struct world *w, const struct asking *a)
{
    AUTO_STRUCT(buffer) all = BUFFER(8192);
    struct general_names names = { 0 };
    size_t begun = der_begin(&all, DER_SEQUENCE), empty = all.len;

    for (size_t i = 0; i < COUNT_OF(a->dns) && a->dns[i] != NULL; i++)
        general_name_put(&all, GENERAL_NAME_DNS, bytes_text(a->dns[i]), BYTES_NONE);
    for (size_t i = 0; i < COUNT_OF(a->ip) && a->ip[i] != NULL; i++) {
        struct ip_address ip;

        assert_true(ip_parse(bytes_text(a->ip[i]), &ip));
        general_name_put(&all, GENERAL_NAME_IP, ip_bytes(&ip), BYTES_NONE);
    }
    if (a->email != NULL)
        general_name_put(&all, GENERAL_NAME_EMAIL, bytes_text(a->email), BYTES_NONE);
    if (a->other_type.len > 0)
        general_name_put(&all, GENERAL_NAME_OTHER, a->other_value, a->other_type);
    if (all.len == empty)
        return names;
    der_end(&all, begun);
    assert_int_equal(general_names_decode(arena_copy(w->arena, buffer_bytes(&all)), w->arena, &names),
                     NAME_OK);
    return names;
}

UNUSED static struct requested *a_request(struct world *w, const struct asking *a)
{
    struct requested *r = arena_alloc(w->arena, sizeof(*r));
    AUTO_STRUCT(buffer) subject = BUFFER(8192);
    struct bytes encoded;

    assert_non_null(r);
    if (a->attribute != NULL) {
        assert_true(name_encode(a->attribute, a->attribute_count, &subject));
        encoded = arena_copy(w->arena, buffer_bytes(&subject));
    } else {
        encoded = a_dn(w->arena, a->subject != NULL ? a->subject : "CN=router5.example.com");
    }
    assert_int_equal(name_decode(encoded, w->arena, &r->subject), NAME_OK);
    r->san = a_san(w, a);
    assert_true(public_key_parse(keys_public(w->keys, a->key != NULL ? a->key : "device"), &r->key));
    r->unstructured_name = bytes_text(a->unstructured_name);
    r->unstructured_address = bytes_text(a->unstructured_address);
    return r;
}

/* The same as PKCS#10: what an officer's decision is kept with. */
UNUSED static struct bytes a_csr(struct world *w, const struct requested *r, const char *key)
{
    static const uint8_t extension_request[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e };
    static const uint8_t alt_name[] = { 0x55, 0x1d, 0x11 };
    AUTO_STRUCT(buffer) names = BUFFER(8192);
    AUTO_STRUCT(buffer) info = BUFFER(16384);
    AUTO_STRUCT(buffer) csr = BUFFER(16384);
    size_t at[7];
    struct bytes signature;

    at[0] = der_begin(&info, DER_SEQUENCE);
    der_put_uint(&info, 0);
    buffer_append(&info, r->subject.encoded);
    buffer_append(&info, r->key.spki);
    at[1] = der_begin(&info, DER_CONTEXT(0));
    if (r->san.count > 0) {
        at[2] = der_begin(&names, DER_SEQUENCE);
        for (size_t i = 0; i < r->san.count; i++)
            buffer_append(&names, r->san.item[i].encoded);
        der_end(&names, at[2]);
        at[2] = der_begin(&info, DER_SEQUENCE);
        der_put_oid(&info, BYTES_ARRAY(extension_request));
        at[3] = der_begin(&info, DER_SET);
        at[4] = der_begin(&info, DER_SEQUENCE);
        at[5] = der_begin(&info, DER_SEQUENCE);
        der_put_oid(&info, BYTES_ARRAY(alt_name));
        der_put(&info, DER_OCTET_STRING, buffer_bytes(&names));
        for (size_t i = 5; i >= 2; i--)
            der_end(&info, at[i]);
    }
    der_end(&info, at[1]);
    der_end(&info, at[0]);
    assert_true(keys_sign(w->keys, key, DIGEST_SHA256, buffer_bytes(&info), w->arena, &signature, NULL));
    at[6] = der_begin(&csr, DER_SEQUENCE);
    buffer_append(&csr, buffer_bytes(&info));
    assert_true(signature_algorithm_put(&csr, KEY_EC_P256, DIGEST_SHA256));
    der_put_bits(&csr, signature);
    der_end(&csr, at[6]);
    assert_false(buffer_failed(&csr));
    return arena_copy(w->arena, buffer_bytes(&csr));
}

/* The same as CertReqMsg, its proof of possession by that key; NULL: an RA's word. */
UNUSED static struct bytes a_certificate_request(struct world *w, const struct requested *r, const char *key)
{
    AUTO_STRUCT(buffer) san = BUFFER(8192);
    AUTO_STRUCT(buffer) out = BUFFER(16384);
    struct crmf_order order = { .subject = r->subject.encoded,
                                .spki = r->key.spki,
                                .pop = key != NULL ? CRMF_POP_SIGNATURE : CRMF_POP_RA_VERIFIED,
                                .keys = w->keys,
                                .key_name = key };

    for (size_t i = 0; i < r->san.count; i++)
        buffer_append(&san, r->san.item[i].encoded);
    order.san = buffer_bytes(&san);
    assert_true(crmf_put(&out, &order, w->arena, NULL));
    return arena_copy(w->arena, buffer_bytes(&out));
}

UNUSED static struct enrollment an_enrollment(struct world *w, const struct asking *a)
{
    struct requested *requested = a_request(w, a);
    struct enrollment e = { .protocol = a->protocol != PROTOCOL_NONE ? a->protocol : PROTOCOL_SCEP,
                            .procedure = &w->procedure,
                            .transaction_id = bytes_text(a->transaction != NULL ? a->transaction : "t1"),
                            .requested = requested,
                            .request = a_csr(w, requested, a->key != NULL ? a->key : "device"),
                            .profile = a->profile,
                            .confirm_within_s = a->confirm_within_s,
                            .renewal = a->renewal,
                            .repeat_s = a->repeat_s };
    const char *password = a->password != NULL ? a->password : "s3cret";

    assert_true(sha256(bytes_text(a->signer != NULL ? a->signer : "self"), &e.signer));
    if (a->peer != NULL)
        assert_true(ip_parse(bytes_text(a->peer), &e.peer));
    if (a->crmf) {
        e.form = REQUEST_CRMF;
        e.request = a_certificate_request(w, requested, "other-ca"); /* judged before, and not again */
    }
    if (a->mac_of != NULL) {
        e.credential.kind = CREDENTIAL_REGISTRATION;
        e.credential.registration = a->mac_of->id;
    } else if (a->ra != NULL) {
        e.credential.kind = CREDENTIAL_RA;
        e.credential.certificate.der = *a->ra;
    } else if (a->certificate != NULL) {
        e.credential.kind = CREDENTIAL_CERTIFICATE;
        e.credential.certificate.der = *a->certificate;
    } else if (password[0] != '\0') {
        e.credential.kind = CREDENTIAL_SECRET;
        e.credential.secret.secret = bytes_text(password);
        e.credential.secret.user_name = bytes_text(a->user_name);
        e.credential.secret.realm = bytes_text(a->realm);
    }
    return e;
}

/* One turn without the writer. */
UNUSED static struct enroll_result ask_only(struct world *w, const struct asking *a)
{
    struct enrollment e = an_enrollment(w, a);
    struct enroll_result result = { 0 };
    struct error err = { 0 };

    begin_turn(w);
    if (!enroll(&w->turn, &w->service, &e, &result, &err))
        fail_msg("%s", err.text);
    if (result.kind == ENROLL_REFUSED) {
        assert_int_equal(w->turn.changes.count, 0);
        assert_string_equal(w->turn.facts.reason, refusal_name(result.reason));
    }
    return result;
}

UNUSED static struct enroll_result ask(struct world *w, const struct asking *a)
{
    struct enroll_result result = ask_only(w, a);

    assert_int_equal(apply(w), APPLY_DONE);
    return result;
}

#define asks(w, ...) ask((w), &(struct asking){ __VA_ARGS__ })

#define assert_issued(w, ...)                                                                                \
    do {                                                                                                     \
        struct enroll_result result_ = asks((w), __VA_ARGS__);                                               \
        if (result_.kind != ENROLL_ISSUED)                                                                   \
            fail_msg("%s: %s", refusal_name(result_.reason), result_.detail != NULL ? result_.detail : "-"); \
        assert_true(result_.certificate.len > 0);                                                            \
    } while (0)

#define assert_refused(w, why, ...)                                           \
    do {                                                                      \
        struct enroll_result result_ = asks((w), __VA_ARGS__);                \
        assert_int_equal(result_.kind, ENROLL_REFUSED);                       \
        assert_string_equal(refusal_name(result_.reason), refusal_name(why)); \
    } while (0)

/* The DER of a certificate that was issued to this. */
UNUSED static struct bytes issued(struct world *w, const struct asking *a)
{
    struct enroll_result result = ask(w, a);

    if (result.kind != ENROLL_ISSUED)
        fail_msg("%s: %s", refusal_name(result.reason), result.detail != NULL ? result.detail : "-");
    return arena_copy(w->arena, result.certificate);
}

UNUSED static struct certificate_id id_of(struct world *w, struct bytes der)
{
    struct certificate c;
    struct certificate_id id;

    assert_true(certificate_decode(der, w->arena, &c));
    assert_true(certificate_id_of(c.issuer.encoded, c.serial, &id));
    return id;
}

UNUSED static struct certificate_record record_of(struct world *w, struct bytes der)
{
    const struct certificate_id id = id_of(w, der);
    struct certificate_record record;
    bool found = false;

    assert_true(registry_view_renew(w->view, NULL));
    assert_true(registry_certificate_by_id(w->view, &id, w->arena, &found, &record, NULL));
    assert_true(found);
    return record;
}

/* As an officer would. */
UNUSED static void officer_revokes(struct world *w, struct bytes der, int reason)
{
    const struct certificate_id id = id_of(w, der);

    begin_turn(w);
    change_certificate_revoke(&w->turn.changes, &id, reason, w->now_s);
    assert_int_equal(apply(w), APPLY_DONE);
}

/* The newest entry of the audit. */
UNUSED static struct audit_entry last_entry(struct world *w)
{
    struct audit_entry entry;
    struct audit_head head;
    size_t count = 0;

    assert_true(registry_view_renew(w->view, NULL));
    assert_true(registry_audit_head(w->view, &head, NULL));
    assert_true(head.size > 0);
    assert_true(registry_audit_read(w->view, head.size - 1, 1, w->arena, &entry, &count, NULL));
    return entry;
}

UNUSED static void assert_says(struct audit_entry entry, const char *text)
{
    if (memmem(entry.content.data, entry.content.len, text, strlen(text)) == NULL)
        fail_msg("%.*s: no %s", BYTES_FMT(entry.content), text);
}

UNUSED static void assert_audit_is_sound(struct world *w)
{
    AUTO_ARENA *arena = arena_new(16 << 20);
    struct audit_head head;

    assert_true(registry_view_renew(w->view, NULL));
    assert_true(registry_audit_verify(w->view, arena, NULL, NULL, &head, NULL));
}

UNUSED static struct certificate decoded(struct world *w, struct bytes der)
{
    struct certificate c;

    assert_true(certificate_decode(der, w->arena, &c));
    return c;
}

UNUSED static bool names_dns(const struct certificate *c, const char *name)
{
    for (size_t i = 0; i < c->san.count; i++)
        if (c->san.item[i].kind == GENERAL_NAME_DNS && bytes_is(c->san.item[i].value, name))
            return true;
    return false;
}

#endif
