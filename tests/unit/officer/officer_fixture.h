/* officer_fixture.h: a registry with a first officer, two procedures in two domains, and acts upon it. */
#ifndef MUSTER_TEST_OFFICER_FIXTURE_H
#define MUSTER_TEST_OFFICER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/encode.h"
#include "officer/act.h"
#include "officer/audit_check.h"
#include "officer/officer_json.h"
#include "registry/registrations.h"
#include "registry/state.h"

enum { NOW_S = 1800000000, SKEW_S = 300 };
static const char URL[] = "https://127.0.0.1:8444/api/v1/acts";

struct world {
    char directory[256];
    struct registry *registry;
    struct arena *arena;
    struct keys *keys;
    struct error err;
    uint64_t seed;
    int64_t now_s;
    struct domain domain[2];
    struct procedure procedure[3];
    const struct procedure *procedures[3];
    struct bytes last_jws;
};

UNUSED static struct random_source world_random(struct world *w)
{
    return random_seeded(&w->seed);
}

UNUSED static void must(struct world *w, bool ok)
{
    if (!ok)
        fail_msg("%s", w->err.text);
}

UNUSED static enum apply_result apply_changes(struct world *w, const struct changes *changes)
{
    enum apply_result result = APPLY_NONE;

    must(w, registry_apply(w->registry, &changes, 1, w->now_s, &result, &w->err));
    return result;
}

/* {"act":"officer",...} for a key of the ring. */
UNUSED static struct bytes an_appointment(struct world *w, const char *key, const char *members)
{
    AUTO(json_t) *jwk = jwk_of_spki(keys_public(w->keys, key));
    struct bytes text, payload;

    assert_non_null(jwk);
    assert_true(json_write(jwk, w->arena, &text));
    payload = arena_format(w->arena, "{\"act\":\"officer\",\"officer\":{\"name\":\"%s\",\"key\":%.*s,%s}}",
                           key, BYTES_FMT(text), members);
    assert_non_null(payload.data);
    return payload;
}

UNUSED static struct bytes sign(struct world *w, const char *key, struct bytes payload, const char *url,
                                int64_t at_s)
{
    struct random_source random = world_random(w);
    struct bytes jws = BYTES_NONE;

    must(w, officer_act_sign(w->keys, key, payload, bytes_text(url), at_s, &random, w->arena, &jws, &w->err));
    return jws;
}

/* One turn with this JWS and, when it comes to changes, their application. */
UNUSED static struct act_outcome perform(struct world *w, const struct act_input *input)
{
    const struct act_service service = { w->procedures, COUNT_OF(w->procedures), SKEW_S };
    struct turn turn = { .keys = w->keys, .random = world_random(w), .now_s = w->now_s, .arena = w->arena };
    struct act_outcome outcome;
    struct act act;
    bool opened;

    must(w, registry_view_begin(w->registry, &turn.view, &w->err));
    changes_begin(&turn.changes, w->arena);
    must(w, officer_act_open(&turn, &service, input, &opened, &act, &outcome, &w->err));
    if (opened)
        must(w, officer_act_apply(&turn, &service, &act, NULL, &outcome, &w->err));
    registry_view_end(turn.view);
    assert_false(changes_failed(&turn.changes));
    assert_int_equal(apply_changes(w, &turn.changes), APPLY_DONE);
    return outcome;
}

UNUSED static struct act_outcome send_jws(struct world *w, struct bytes jws)
{
    w->last_jws = jws;
    return perform(w, &(struct act_input){ .jws = jws, .url = bytes_text(URL) });
}

UNUSED static struct act_outcome act_as(struct world *w, const char *key, const char *payload)
{
    return send_jws(w, sign(w, key, bytes_text(payload), URL, w->now_s));
}

static const uint8_t SALT[ACT_SALT_LEN] = { 1, 2, 3 };

/* A registration's members with the commitment to this password beside them. */
UNUSED static struct act_outcome register_with(struct world *w, const char *key, const char *members,
                                               const char *committed, const char *shown)
{
    AUTO_STRUCT(buffer) text = BUFFER(64);
    struct digest256 commitment;
    struct bytes payload;
    struct act_input input = { .url = bytes_text(URL),
                               .has_secret = shown != NULL,
                               .secret = bytes_text(shown),
                               .salt = BYTES_ARRAY(SALT) };

    assert_true(officer_commitment(BYTES_ARRAY(SALT), bytes_text(committed), &commitment));
    base64url_encode(&text, digest256_bytes(&commitment));
    payload = arena_format(w->arena, "{\"act\":\"register\",\"registration\":{%s,\"commitment\":\"%.*s\"}}",
                           members, BYTES_FMT(buffer_bytes(&text)));
    input.jws = w->last_jws = sign(w, key, payload, URL, w->now_s);
    return perform(w, &input);
}

UNUSED static bool find(struct world *w, const char *fqdn, struct registration *out)
{
    struct registry_view *view;
    struct fqdn_pattern pattern = { .len = (uint8_t)strlen(fqdn) };
    struct registration held;
    bool found;

    memcpy(pattern.text, fqdn, strlen(fqdn));
    must(w, registry_view_begin(w->registry, &view, &w->err));
    must(w, registry_registration_by_fqdn(view, w->domain[0].id, &pattern, w->arena, &found, &held, &w->err));
    if (found)
        assert_true(registration_copy(&held, w->arena, out));
    registry_view_end(view);
    return found;
}

UNUSED static struct audit_report check_audit(struct world *w)
{
    AUTO_ARENA *arena = arena_new(64 << 20);
    struct audit_report report;
    struct registry_view *view;

    must(w, registry_view_begin(w->registry, &view, &w->err));
    must(w, audit_check(view, w->keys, arena, &report, &w->err));
    registry_view_end(view);
    return report;
}

/* The text of every audit entry, one after the other. */
UNUSED static struct bytes audit_text(struct world *w)
{
    struct audit_entry entry[100];
    struct registry_view *view;
    struct bytes text = BYTES_LITERAL("");
    size_t count;

    must(w, registry_view_begin(w->registry, &view, &w->err));
    must(w, registry_audit_read(view, 0, COUNT_OF(entry), w->arena, entry, &count, &w->err));
    for (size_t i = 0; i < count; i++)
        text = arena_format(w->arena, "%.*s%s %.*s\n", BYTES_FMT(text), audit_kind_name(entry[i].kind),
                            BYTES_FMT(entry[i].content));
    registry_view_end(view);
    assert_non_null(text.data);
    return text;
}

UNUSED static bool audit_contains(struct world *w, const char *what)
{
    struct bytes text = audit_text(w);

    return memmem(text.data, text.len, what, strlen(what)) != NULL;
}

UNUSED static void appoint_first(struct world *w)
{
    struct bytes payload = an_appointment(w, "chief",
                                          "\"rights\":[\"register\",\"wildcard\",\"any-name\",\"pre-"
                                          "authorise\",\"close\",\"revoke\",\"approve\","
                                          "\"read\",\"officers\"]");
    struct changes changes;
    struct act_outcome outcome;

    changes_begin(&changes, w->arena);
    must(w,
         officer_act_first(&changes, sign(w, "chief", payload, "muster:init", w->now_s), &outcome, &w->err));
    assert_int_equal(outcome.result, ACT_DONE);
    assert_int_equal(apply_changes(w, &changes), APPLY_DONE);
}

/* "clerk" registers routers under example.com, no wildcards. */
UNUSED static void appoint_clerk(struct world *w)
{
    struct bytes payload = an_appointment(w, "clerk",
                                          "\"rights\":[\"register\",\"close\"],\"procedures\":[\"routers\"],"
                                          "\"suffixes\":[\"example.com\"]");

    assert_int_equal(send_jws(w, sign(w, "chief", payload, URL, w->now_s)).result, ACT_DONE);
}

UNUSED static void fill_procedures(struct world *w)
{
    static const char *const names[] = { "routers", "phones", "foreign" };
    static const char *const domains[] = { "devices", "others" };

    for (size_t i = 0; i < COUNT_OF(w->domain); i++)
        w->domain[i] = (struct domain){ .name = domains[i], .id = domain_id_of(bytes_text(domains[i])) };
    for (size_t i = 0; i < COUNT_OF(w->procedure); i++) {
        w->procedure[i] = (struct procedure){ .name = names[i],
                                              .domain = &w->domain[i / 2],
                                              .protocols = PROTOCOL_BIT(PROTOCOL_SCEP) |
                                                           PROTOCOL_BIT(PROTOCOL_EST) };
        w->procedures[i] = &w->procedure[i];
    }
}

UNUSED static int set_up(void **state)
{
    static const uint8_t secrets_key[32] = { 9 };
    struct world *w = calloc(1, sizeof(*w));
    struct registry_options options = REGISTRY_OPTIONS_DEFAULT;
    const char *base = getenv("TMPDIR");

    assert_non_null(w);
    (void)snprintf(w->directory, sizeof(w->directory), "%s/muster-officer-XXXXXX",
                   base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(w->directory));
    options.path = w->directory;
    options.map_max = (uint64_t)1 << 30;
    options.no_sync = true;
    w->now_s = NOW_S;
    w->seed = 42;
    w->arena = arena_new(64 << 20);
    assert_non_null(w->arena);
    must(w, registry_open(&options, &w->registry, &w->err) && keys_new(&w->keys, &w->err) &&
                keys_generate(w->keys, "chief", KEY_EC_P256, 0, &w->err) &&
                keys_generate(w->keys, "clerk", KEY_ED25519, 0, &w->err) &&
                keys_generate(w->keys, "stranger", KEY_EC_P256, 0, &w->err) &&
                keys_add_secrets_key(w->keys, "k1", secrets_key, &w->err));
    fill_procedures(w);
    appoint_first(w);
    *state = w;
    return 0;
}

UNUSED static int tear_down(void **state)
{
    static const char *const files[] = { "data.mdb", "lock.mdb", "daemon.lock" };
    struct world *w = *state;
    char path[512];

    registry_close(w->registry);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", w->directory, files[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(w->directory), 0);
    keys_unref(w->keys);
    arena_free(w->arena);
    free(w);
    return 0;
}

#define officer_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#define ROUTER(fqdn)      "\"order\":\"scep\",\"procedure\":\"routers\",\"fqdn\":\"" fqdn "\""
#define REGISTER(members) "{\"act\":\"register\",\"registration\":{" members "}}"

#endif
