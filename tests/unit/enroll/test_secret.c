#include "enroll/secret.h"

#include "lib/base/encode.h"
#include "tests/unit/enroll/enroll_world.h"

static const struct registration plain = { .revision = 0 };

/* --- claims --- */
static const struct password_mac a_mac = { .kind = PASSWORD_MAC_PBM,
                                           .salt = { (const uint8_t *)"salt", 4 },
                                           .iterations = PASSWORD_MAC_ITERATIONS_MIN,
                                           .hash = DIGEST_SHA256,
                                           .mac = DIGEST_SHA256 };

struct claiming {         /* differences from a good claim of router5.example.com */
    const char *password; /* NULL: "s3cret" */
    const char *key_id;   /* NULL: none */
    const char *name[MAC_CLAIM_NAMES];
    const char *peer;
};

static struct mac_claim a_claim(struct world *w, const struct claiming *c)
{
    struct mac_claim claim = { .mac = a_mac,
                               .message = BYTES_LITERAL("header and body"),
                               .key_id = bytes_text(c->key_id) };
    uint8_t value[DIGEST_MAX];
    size_t len;

    for (size_t i = 0; i < MAC_CLAIM_NAMES; i++)
        claim.name[i] = bytes_text(c->name[i]);
    assert_true(password_mac_compute(&claim.mac, bytes_text(c->password != NULL ? c->password : "s3cret"),
                                     claim.message, value, &len));
    claim.value = arena_copy(w->arena, bytes_of(value, len));
    if (c->peer != NULL)
        assert_true(ip_parse(bytes_text(c->peer), &claim.peer));
    return claim;
}

static struct mac_verdict judge_claim(struct world *w, const struct mac_claim *claim)
{
    struct mac_verdict verdict = { .held = true };
    struct error err = { 0 };

    begin_turn(w);
    if (!enroll_judge_mac(&w->turn, &w->service, &w->procedure, claim, &verdict, &err))
        fail_msg("%s", err.text);
    assert_int_equal(w->turn.changes.count, 0);
    if (verdict.reason != REFUSAL_LOCKED) {
        assert_int_equal(w->turn.strike, !verdict.held);
        assert_int_equal(w->turn.credential_held, verdict.held);
    }
    return verdict;
}

static struct mac_verdict judge(struct world *w, const struct claiming *c)
{
    struct mac_claim claim = a_claim(w, c);

    return judge_claim(w, &claim);
}

#define judged(w, ...) judge((w), &(struct claiming){ __VA_ARGS__ })

#define assert_held_by(w, r, ...)                                                 \
    do {                                                                          \
        struct mac_verdict verdict_ = judged((w), __VA_ARGS__);                   \
        assert_true(verdict_.held);                                               \
        assert_memory_equal(&verdict_.registration->id, &(r).id, sizeof((r).id)); \
    } while (0)

#define assert_not_held(w, why, ...)                                           \
    do {                                                                       \
        struct mac_verdict verdict_ = judged((w), __VA_ARGS__);                \
        assert_false(verdict_.held);                                           \
        assert_null(verdict_.registration);                                    \
        assert_string_equal(refusal_name(verdict_.reason), refusal_name(why)); \
    } while (0)

static const char *id_text(struct world *w, const struct registration *r)
{
    char hex[ID_TEXT_LEN];

    hex_encode(registration_id_bytes(&r->id), hex);
    return arena_text(w->arena, bytes_text(hex));
}

/* --- who is meant --- */
static void cmp_23_the_key_id_names_the_registration(void **state)
{
    struct world *w = *state;
    struct registration exact = registered(w, "router5.example.com", "s3cret", plain),
                        wild = registered(w, "*.example.com", "wild", plain);

    assert_held_by(w, exact, .key_id = "router5.example.com");
    assert_held_by(w, exact, .key_id = "ROUTER5.Example.com.");
    assert_held_by(w, exact, .key_id = id_text(w, &exact));
    assert_held_by(w, wild, .key_id = "*.example.com", .password = "wild");
    assert_held_by(w, wild, .key_id = id_text(w, &wild), .password = "wild");
    assert_held_by(w, wild, .key_id = "router6.example.com", .password = "wild");
}

static void cmp_34_named_exactly_it_alone_is_tried(void **state)
{
    struct world *w = *state;

    registered(w, "router5.example.com", "s3cret", plain);
    registered(w, "*.example.com", "wild", plain);
    assert_not_held(w, REFUSAL_SECRET, .key_id = "router5.example.com", .password = "wild");
    assert_not_held(w, REFUSAL_SECRET, .key_id = "*.example.com", .name = { "router5.example.com" });
}

static void cmp_23_without_a_key_id_the_first_fqdn_counts(void **state)
{
    struct world *w = *state;
    struct registration exact = registered(w, "router5.example.com", "s3cret", plain),
                        wild = registered(w, "*.example.com", "wild", plain);

    assert_held_by(w, exact, .name = { "router5.example.com" });
    assert_held_by(w, exact, .name = { "Router No 5", "router5.example.com" });
    assert_held_by(w, exact, .name = { NULL, "router5.example.com" });
    assert_held_by(w, exact, .key_id = "1234", .name = { "router5.example.com" }); /* a number of theirs */
    assert_held_by(w, wild, .name = { "router5.example.com" }, .password = "wild");
    assert_not_held(w, REFUSAL_NO_REGISTRATION, .name = { "a.example.net", "router5.example.com" });
}

static void a_key_id_that_names_nobody_leaves_it_to_nobody(void **state)
{
    struct world *w = *state;

    registered(w, "router5.example.com", "s3cret", plain);
    assert_not_held(w, REFUSAL_NO_REGISTRATION, .key_id = "router6.example.com",
                    .name = { "router5.example.com" });
    assert_not_held(w, REFUSAL_NO_REGISTRATION, .key_id = "*.example.com", .name = { "router5.example.com" });
    assert_not_held(w, REFUSAL_NO_REGISTRATION, .key_id = "00112233445566778899aabbccddeeff",
                    .name = { "router5.example.com" });
    assert_not_held(w, REFUSAL_NO_REGISTRATION, .password = NULL);
}

static void cmp_34_few_secrets_are_tried_in_all(void **state)
{
    static const char *const pattern[] = { "a*.example.com", "*b.example.com", "*c*.example.com",
                                           "*.example.com", "*.*.com" };
    static const char *const password[] = { "p0", "p1", "p2", "p3", "p4" };
    struct world *w = *state;
    struct registration r[COUNT_OF(pattern)];

    for (size_t i = 0; i < COUNT_OF(pattern); i++)
        r[i] = registered(w, pattern[i], password[i], plain);
    for (size_t i = 0; i < SECRETS_TRIED_MAX; i++) /* most specific first */
        assert_held_by(w, r[i], .key_id = "acb.example.com", .password = password[i]);
    assert_not_held(w, REFUSAL_SECRET, .key_id = "acb.example.com", .password = "p4");
    assert_held_by(w, r[4], .key_id = "*.*.com", .password = "p4");
}

static void a_registration_of_another_domain_is_nobodys(void **state)
{
    struct world *w = *state;
    struct registration r = registered(w, "router5.example.com", "s3cret", plain);

    w->domain.id = domain_id_of(BYTES_LITERAL("offices"));
    assert_not_held(w, REFUSAL_NO_REGISTRATION, .key_id = id_text(w, &r));
    assert_not_held(w, REFUSAL_NO_REGISTRATION, .key_id = "router5.example.com");
}

static void a_secret_holds_in_any_state(void **state)
{
    struct world *w = *state;
    struct registration r = registered(w, "router5.example.com", "s3cret", plain);

    set_state(w, r, REGISTRATION_CLOSED);
    assert_held_by(w, r, .key_id = "router5.example.com"); /* so that it may be told; enroll() refuses */
}

static void nothing_is_proved_by_a_registration_without_a_password(void **state)
{
    struct world *w = *state;

    registered(w, "router5.example.com", NULL, plain);
    registered(w, "router6.example.com", "", plain);
    assert_not_held(w, REFUSAL_NO_REGISTRATION, .key_id = "router5.example.com");
    assert_not_held(w, REFUSAL_NO_REGISTRATION, .key_id = "router6.example.com");
}

static void another_message_or_value_does_not_hold(void **state)
{
    struct world *w = *state;
    struct mac_claim claim;

    registered(w, "router5.example.com", "s3cret", plain);
    claim = a_claim(w, &(struct claiming){ .key_id = "router5.example.com" });
    claim.message = BYTES_LITERAL("header and another body");
    assert_int_equal(judge_claim(w, &claim).reason, REFUSAL_SECRET);
    claim = a_claim(w, &(struct claiming){ .key_id = "router5.example.com" });
    claim.value = BYTES_NONE;
    assert_int_equal(judge_claim(w, &claim).reason, REFUSAL_SECRET);
    assert_not_held(w, REFUSAL_SECRET, .key_id = "router5.example.com", .password = "wrong");
}

/* --- time --- */
bool __real_password_mac_derive(const struct password_mac *m, struct bytes secret,
                                struct password_mac_key *out);
bool __wrap_password_mac_derive(const struct password_mac *m, struct bytes secret,
                                struct password_mac_key *out);
static unsigned derived;

/* The linker puts it in front: deriving a key is all that takes time. */
bool __wrap_password_mac_derive(const struct password_mac *m, struct bytes secret,
                                struct password_mac_key *out)
{
    bool done = __real_password_mac_derive(m, secret, out);

    derived += done;
    return done;
}

static unsigned derivations_for(struct world *w, const struct claiming *claiming)
{
    struct mac_claim claim = a_claim(w, claiming);

    derived = 0; /* making a claim takes one, too */
    assert_false(judge_claim(w, &claim).held);
    return derived;
}

static void time_does_not_tell_what_is_registered(void **state)
{
    struct world *w = *state;
    const struct registration r = registered(w, "router5.example.com", "s3cret", plain);
    static const char *const name[] = { "router5.example.com", "router6.example.com",
                                        "router5.example.net" }; /* registered twice, once, not at all */
    static const char *const pattern[] = { "*.example.com", "*.example.net" };
    const char *id[] = { id_text(w, &r), "00112233445566778899aabbccddeeff" };

    registered(w, "*.example.com", "wild", plain);
    for (size_t i = 0; i < COUNT_OF(name); i++) {
        struct claiming by_name = { .name = { name[i] }, .password = "wrong" };
        struct claiming by_key_id = { .key_id = name[i], .password = "wrong" };

        assert_int_equal(derivations_for(w, &by_name), SECRETS_TRIED_MAX);
        assert_int_equal(derivations_for(w, &by_key_id), SECRETS_TRIED_MAX);
    }
    for (size_t i = 0; i < COUNT_OF(pattern); i++) {
        struct claiming by_pattern = { .key_id = pattern[i], .password = "wrong" };
        struct claiming by_id = { .key_id = id[i], .password = "wrong" };

        assert_int_equal(derivations_for(w, &by_pattern), 1);
        assert_int_equal(derivations_for(w, &by_id), 1);
    }
}

/* --- slow-down --- */
static void slow_down_on(struct world *w)
{
    w->procedure.slow_after = 2;
    w->procedure.slow_max_s = 60;
    assert_true(slow_down_new(64, &w->slow_down, NULL));
    w->service.slow_down = w->slow_down;
}

static void strike(struct world *w, const struct claiming *c)
{
    for (unsigned i = 0; i < 2; i++) {
        assert_false(judge(w, c).held);
        slow_down_strike(w->slow_down, &w->turn.strike_key, w->now_s);
    }
}

static void after_wrong_secrets_the_next_try_waits(void **state)
{
    struct world *w = *state;
    struct mac_verdict verdict;

    registered(w, "router5.example.com", "s3cret", plain);
    slow_down_on(w);
    strike(w, &(struct claiming){ .key_id = "router5.example.com", .password = "x", .peer = "192.0.2.1" });
    verdict = judged(w, .key_id = "router5.example.com", .peer = "192.0.2.2");
    assert_false(verdict.held);
    assert_int_equal(verdict.reason, REFUSAL_LOCKED);
    assert_int_equal(verdict.wait_s, 1);
    assert_false(w->turn.strike);
    assert_int_equal(judged(w, .name = { "router5.example.com" }, .peer = "192.0.2.2").reason,
                     REFUSAL_LOCKED); /* the same name in another place */
    assert_true(judged(w, .key_id = "router5.example.com", .peer = "198.51.100.1").held);
    w->now_s++;
    assert_true(judged(w, .key_id = "router5.example.com", .peer = "192.0.2.2").held);
}

static void the_pause_is_one_for_every_way_of_speaking(void **state)
{
    struct world *w = *state;

    registered(w, "router5.example.com", "s3cret", plain);
    slow_down_on(w);
    strike(w, &(struct claiming){ .key_id = "router5.example.com", .password = "x", .peer = "192.0.2.1" });
    assert_refused(w, REFUSAL_LOCKED, .peer = "192.0.2.1"); /* SCEP */
}

static void unknown_names_wait_too(void **state)
{
    struct world *w = *state;

    slow_down_on(w);
    strike(w, &(struct claiming){ .key_id = "nobody.example.com", .peer = "192.0.2.1" });
    assert_not_held(w, REFUSAL_LOCKED, .key_id = "nobody.example.com", .peer = "192.0.2.1");
    strike(w, &(struct claiming){ .peer = "192.0.2.1" });
    assert_not_held(w, REFUSAL_LOCKED, .peer = "192.0.2.1");
}

static void what_may_be_changed_at_will_does_not_begin_anew(void **state)
{
    struct world *w = *state;
    struct registration r = registered(w, "router5.example.com", "s3cret", plain);

    slow_down_on(w);
    strike(w, &(struct claiming){ .key_id = "1", .name = { "router5.example.com" }, .password = "x" });
    assert_not_held(w, REFUSAL_LOCKED, .key_id = "2", .name = { "router5.example.com" });
    assert_not_held(w, REFUSAL_LOCKED, .name = { "Router 5", "router5.example.com" });
    strike(w, &(struct claiming){ .key_id = id_text(w, &r), .name = { "a.example.com" }, .password = "x" });
    assert_not_held(w, REFUSAL_LOCKED, .key_id = id_text(w, &r), .name = { "b.example.com" });
}

static void an_enrollment_after_it_counts_nothing_again(void **state)
{
    struct world *w = *state;
    struct registration r;
    struct enrollment e;
    struct enroll_result result;
    struct mac_claim claim;
    struct mac_verdict verdict;

    open_cmp(w);
    r = registered(w, "router5.example.com", "s3cret", plain);
    claim = a_claim(w, &(struct claiming){ .key_id = "router5.example.com" });
    e = an_enrollment(
        w, &(struct asking){ .protocol = PROTOCOL_CMP, .mac_of = &r, .subject = "CN=router6.example.com" });
    begin_turn(w);
    assert_true(enroll_judge_mac(&w->turn, &w->service, &w->procedure, &claim, &verdict, NULL));
    assert_true(enroll(&w->turn, &w->service, &e, &result, NULL));
    assert_int_equal(result.reason, REFUSAL_NO_REGISTRATION);
    assert_false(w->turn.strike);
    assert_true(w->turn.credential_held);
}

/* One more message of the same request: the turn goes on. */
static struct mac_verdict judged_beside(struct world *w, const struct claiming *c)
{
    const struct mac_claim claim = a_claim(w, c);
    struct mac_verdict verdict = { .held = true };

    assert_true(enroll_judge_mac(&w->turn, &w->service, &w->procedure, &claim, &verdict, NULL));
    return verdict;
}

static void a_secret_that_holds_forgets_no_strikes_of_another_name(void **state)
{
    const struct claiming own = { .key_id = "router6.example.com", .password = "own", .peer = "192.0.2.1" },
                          guess = { .key_id = "router5.example.com", .password = "x", .peer = "192.0.2.1" };
    struct world *w = *state;

    registered(w, "router5.example.com", "s3cret", plain);
    registered(w, "router6.example.com", "own", plain);
    slow_down_on(w);
    strike(w, &guess);
    assert_true(judge(w, &own).held);
    assert_int_equal(judged_beside(w, &guess).reason, REFUSAL_LOCKED);
    assert_false(w->turn.strike);
    assert_false(w->turn.credential_held); /* or the strikes of router5 were forgotten */
}

static void every_wrong_secret_of_a_request_counts(void **state)
{
    static const char *const name[] = { "a.example.com", "b.example.com" };
    struct world *w = *state;
    struct digest256 key[COUNT_OF(name)];

    registered(w, "router6.example.com", "own", plain);
    slow_down_on(w);
    begin_turn(w);
    for (size_t i = 0; i < COUNT_OF(name); i++) {
        assert_false(judged_beside(w, &(struct claiming){ .key_id = name[i], .password = "x" }).held);
        assert_true(w->turn.strike);
        key[i] = w->turn.strike_key;
    }
    assert_true(
        judged_beside(w, &(struct claiming){ .key_id = "router6.example.com", .password = "own" }).held);
    assert_false(w->turn.strike);
    assert_true(digest256_equal(&w->turn.struck->key, &key[1]));
    assert_true(digest256_equal(&w->turn.struck->next->key, &key[0]));
    assert_null(w->turn.struck->next->next);
}

static void a_request_has_one_try_for_a_name(void **state)
{
    struct world *w = *state;

    registered(w, "router5.example.com", "s3cret", plain);
    slow_down_on(w);
    begin_turn(w);
    assert_int_equal(
        judged_beside(w, &(struct claiming){ .key_id = "router5.example.com", .password = "x" }).reason,
        REFUSAL_SECRET);
    assert_int_equal(judged_beside(w, &(struct claiming){ .key_id = "router5.example.com" }).reason,
                     REFUSAL_LOCKED);
}

/* --- the password for a reply --- */
/* --- what a reply is protected under --- */
static void the_key_that_held_is_given_back_and_no_other(void **state)
{
    struct world *w = *state;
    struct mac_claim claim;
    struct mac_verdict verdict;

    registered(w, "router5.example.com", "s3cret", plain);
    claim = a_claim(w, &(struct claiming){ .key_id = "router5.example.com" });
    verdict = judge_claim(w, &claim);
    assert_true(password_mac_proves(&claim.mac, &verdict.key, claim.message, claim.value));
    assert_int_equal(judged(w, .key_id = "router5.example.com", .password = "wrong").key.len, 0);
    assert_int_equal(judged(w, .key_id = "nobody.example.com").key.len, 0);
}

static void the_password_is_what_was_registered(void **state)
{
    struct world *w = *state;
    struct registration r = registered(w, "router5.example.com", "s3cret", plain),
                        none = registered(w, "router6.example.com", NULL, plain);
    AUTO_STRUCT(secret) sealed = { 0 };
    struct bytes password;

    assert_true(enroll_registration_password(w->keys, &r, &sealed, &password));
    assert_text(password, "s3cret");
    assert_false(enroll_registration_password(w->keys, &none, &sealed, &password));
}

static void every_allocation_that_fails_holds_nothing(void **state)
{
    struct world *w = *state;
    struct mac_claim claim;
    unsigned failed = 0;
    bool done = false;

    registered(w, "*.example.com", "s3cret", plain);
    claim = a_claim(w, &(struct claiming){ .key_id = "*.example.com" });
    for (unsigned n = 1; n < 100 && !done; n++) {
        struct mac_verdict verdict = { 0 };
        struct error err = { 0 };

        begin_turn(w);
        w->turn.arena = arena_new(1 << 20);
        arena_fail_after(w->turn.arena, n);
        done = enroll_judge_mac(&w->turn, &w->service, &w->procedure, &claim, &verdict, &err);
        assert_int_equal(verdict.held, done);
        failed += !done;
        arena_free(w->turn.arena);
    }
    assert_true(done);
    assert_true(failed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(cmp_23_the_key_id_names_the_registration),
        world_test(cmp_34_named_exactly_it_alone_is_tried),
        world_test(cmp_23_without_a_key_id_the_first_fqdn_counts),
        world_test(a_key_id_that_names_nobody_leaves_it_to_nobody),
        world_test(cmp_34_few_secrets_are_tried_in_all),
        world_test(a_registration_of_another_domain_is_nobodys),
        world_test(a_secret_holds_in_any_state),
        world_test(nothing_is_proved_by_a_registration_without_a_password),
        world_test(another_message_or_value_does_not_hold),
        world_test(time_does_not_tell_what_is_registered),
        world_test(after_wrong_secrets_the_next_try_waits),
        world_test(the_pause_is_one_for_every_way_of_speaking),
        world_test(unknown_names_wait_too),
        world_test(what_may_be_changed_at_will_does_not_begin_anew),
        world_test(an_enrollment_after_it_counts_nothing_again),
        world_test(a_secret_that_holds_forgets_no_strikes_of_another_name),
        world_test(every_wrong_secret_of_a_request_counts),
        world_test(a_request_has_one_try_for_a_name),
        world_test(the_password_is_what_was_registered),
        world_test(the_key_that_held_is_given_back_and_no_other),
        world_test(every_allocation_that_fails_holds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
