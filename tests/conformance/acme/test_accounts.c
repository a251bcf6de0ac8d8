/* Accounts and their binding to registrations (RFC 8555 7.3). */
#include "tests/conformance/acme/acme_case.h"

#include "lib/jose/jwk.h"
#include "registry/state.h"

static const char ANY[] = "{}";

/* Who need no binding here. */
static void open_to_all(struct acme_case *c)
{
    c->g->procedure.acme_binding = false;
}

static void acme_33_a_new_account(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    open_to_all(c);
    r = acme_join(
        c, ACME_KEY_A,
        "{\"contact\":[\"mailto:a@example.com\"],\"onlyReturnExisting\":false,\"orders\":\"x\",\"y\":1}");
    assert_status(c, &r, 201);
    assert_true(acme_header(&r, "Location", 0).len > 0);
    assert_member(c, "status", "valid");
    (void)acme_path(c, json_member(c->json, "orders"));
    assert_null(json_object_get(c->json, "onlyReturnExisting"));
    assert_null(json_object_get(c->json, "y"));
    assert_int_equal(json_array_size(json_object_get(c->json, "contact")), 1);
}

static void acme_34_a_known_key_gets_its_account(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    open_to_all(c);
    (void)acme_join(c, ACME_KEY_A, "{\"contact\":[\"mailto:a@example.com\"]}");
    c->g->procedure.acme_binding = true; /* a known key comes before the binding */
    r = acme_join(c, ACME_KEY_A, "{\"contact\":[\"mailto:b@example.com\"]}");
    assert_status(c, &r, 200);
    assert_text(acme_header(&r, "Location", 0), c->kid[ACME_KEY_A]);
    assert_text(json_bytes(json_array_get(json_object_get(c->json, "contact"), 0)), "mailto:a@example.com");
}

static void acme_35_only_return_existing(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = acme_join(c, ACME_KEY_A, "{\"onlyReturnExisting\":true}");

    assert_problem(c, &r, "accountDoesNotExist", 400);
    acme_joined(c, ACME_KEY_A);
    r = acme_join(c, ACME_KEY_A, "{\"onlyReturnExisting\":true}");
    assert_status(c, &r, 200);
}

static void acme_36_contacts(void **state)
{
    static const char *const invalid[] = { "mailto:a@example.com?subject=x",
                                           "mailto:a@example.com,b@example.com",
                                           "mailto:a",
                                           "mailto:@b",
                                           "mailto:a@b@c",
                                           "nothing" };
    struct acme_case *c = *state;
    struct http_response r;

    open_to_all(c);
    for (size_t i = 0; i < COUNT_OF(invalid); i++) {
        r = acme_join(c, ACME_KEY_A, acme_text(c->arena, "{\"contact\":[\"%s\"]}", invalid[i]));
        assert_problem(c, &r, "invalidContact", 400);
    }
    r = acme_join(c, ACME_KEY_A, "{\"contact\":[\"tel:+46\"]}");
    assert_problem(c, &r, "unsupportedContact", 400);
    r = acme_join(c, ACME_KEY_A, "{\"contact\":\"mailto:a@example.com\"}");
    assert_problem(c, &r, "malformed", 400);
}

static void acme_37_terms_are_agreed_to(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    open_to_all(c);
    c->g->procedure.acme_terms_url = "https://example.com/terms-1";
    r = acme_join(c, ACME_KEY_A, ANY);
    assert_problem(c, &r, "userActionRequired", 403);
    r = acme_join(c, ACME_KEY_A, "{\"onlyReturnExisting\":true}");
    assert_problem(c, &r, "accountDoesNotExist", 400); /* none was made */
    r = acme_join(c, ACME_KEY_A, "{\"termsOfServiceAgreed\":true}");
    assert_status(c, &r, 201);
    assert_true(json_is_true(json_object_get(c->json, "termsOfServiceAgreed")));
}

static void acme_38_changed_terms_are_agreed_to_again(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    c->g->procedure.acme_terms_url = "https://example.com/terms-2";
    r = acme_order_as(c, ACME_KEY_A, "a.example.com");
    assert_problem(c, &r, "userActionRequired", 403);
    assert_member(c, "instance", "https://example.com/terms-2");
    assert_text(acme_header(&r, "Link", 0), "<https://example.com/terms-2>;rel=\"terms-of-service\"");
    r = acme_ask(c, (struct acme_plan){ .resource = acme_path(c, bytes_text(c->kid[ACME_KEY_A])),
                                        .payload = "{\"termsOfServiceAgreed\":true}" });
    assert_status(c, &r, 200);
    r = acme_order_as(c, ACME_KEY_A, "a.example.com");
    assert_status(c, &r, 201);
}

static void acme_39_an_account_is_updated_by_itself_alone(void **state)
{
    struct acme_case *c = *state;
    const char *account;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    acme_joined(c, ACME_KEY_B);
    account = acme_path(c, bytes_text(c->kid[ACME_KEY_A]));
    r = acme_ask(c, (struct acme_plan){ .resource = account,
                                        .payload = "{\"contact\":[\"mailto:new@example.com\"],\"x\":1}" });
    assert_status(c, &r, 200);
    r = acme_get(c, account);
    assert_text(json_bytes(json_array_get(json_object_get(c->json, "contact"), 0)), "mailto:new@example.com");
    r = acme_ask(c, (struct acme_plan){ .resource = account, .key = ACME_KEY_B, .payload = ANY });
    assert_problem(c, &r, "malformed", 404);
    r = acme_ask(c, (struct acme_plan){ .resource = account, .payload = "{\"status\":\"revoked\"}" });
    assert_problem(c, &r, "malformed", 400);
}

static void acme_40_a_binding_is_required(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = acme_join(c, ACME_KEY_A, ANY);

    assert_problem(c, &r, "externalAccountRequired", 403);
    r = acme_join(c, ACME_KEY_A, "{\"onlyReturnExisting\":true}");
    assert_problem(c, &r, "accountDoesNotExist", 400);
}

static struct http_response bind(struct acme_case *c, enum acme_client_key key, const char *binding)
{
    return acme_join(c, key, acme_text(c->arena, "{\"externalAccountBinding\":%s}", binding));
}

/* Who came before accounts had to be bound gets nothing more either. */
static void acme_40_an_account_from_before_orders_nothing(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    open_to_all(c);
    (void)a_gateway_register(c->g, "router6.example.com", "s3cret",
                             (struct registration){ .protocols = PROTOCOL_BIT(PROTOCOL_ACME) });
    r = acme_join(c, ACME_KEY_A, ANY);
    assert_status(c, &r, 201);
    o = acme_ready(c, "router6.example.com");
    c->g->procedure.acme_binding = true;
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "router6.example.com" });
    assert_problem(c, &r, "unauthorized", 403);
    assert_string_equal(c->facts.reason, "no_credential");
    r = acme_order_as(c, ACME_KEY_A, "router6.example.com");
    assert_problem(c, &r, "externalAccountRequired", 403);
    c->g->procedure.acme_binding = false;
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "router6.example.com" });
    assert_status(c, &r, 200);
}

static void acme_41_an_account_is_bound(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = bind(c, ACME_KEY_A, acme_eab(c, ACME_KEY_A, "kid-1", ACME_SECRET));

    assert_status(c, &r, 201);
    assert_true(json_is_object(json_object_get(c->json, "externalAccountBinding")));
    r = bind(c, ACME_KEY_RSA, acme_eab(c, ACME_KEY_RSA, "kid-1", ACME_SECRET));
    assert_status(c, &r, 201);
}

static const char *mac_with(struct acme_case *c, const char *header, enum acme_client_key payload)
{
    return acme_client_mac(c->arena, ACME_SECRET, header, acme_client_jwk(c->arena, payload));
}

static void acme_42_malformed_bindings(void **state)
{
    struct acme_case *c = *state;
    static const char URL[] = "https://ra.example.com/acme/demo/new-account";
    const char *const bindings[] = {
        mac_with(c, acme_text(c->arena, "{\"alg\":\"ES256\",\"kid\":\"kid-1\",\"url\":\"%s\"}", URL),
                 ACME_KEY_A),
        mac_with(c,
                 acme_text(c->arena,
                           "{\"alg\":\"HS256\",\"kid\":\"kid-1\",\"url\":\"%s\",\"nonce\":\"AAAA\"}", URL),
                 ACME_KEY_A),
        mac_with(c, acme_text(c->arena, "{\"alg\":\"HS256\",\"kid\":\"kid-1\",\"url\":\"%sx\"}", URL),
                 ACME_KEY_A),
        mac_with(c, acme_text(c->arena, "{\"alg\":\"HS256\",\"kid\":\"kid-1\"}"), ACME_KEY_A),
        mac_with(c, acme_text(c->arena, "{\"alg\":\"HS256\",\"url\":\"%s\"}", URL), ACME_KEY_A),
        mac_with(c, acme_text(c->arena, "{\"alg\":\"HS256\",\"kid\":\"kid-1\",\"url\":\"%s\"}", URL),
                 ACME_KEY_B),
        "\"text\"",
        "{}",
    };

    for (size_t i = 0; i < COUNT_OF(bindings); i++) {
        struct http_response r = bind(c, ACME_KEY_A, bindings[i]);

        assert_problem(c, &r, "malformed", 400);
    }
}

static void acme_43_a_binding_that_does_not_hold_says_nothing(void **state)
{
    struct acme_case *c = *state;
    struct registration closed = c->registration, expired = c->registration;
    struct http_response wrong, r;

    (void)a_gateway_register(
        c->g, "kid-est", ACME_SECRET,
        (struct registration){ .order = ORDER_ACME, .protocols = PROTOCOL_BIT(PROTOCOL_EST) });
    wrong = bind(c, ACME_KEY_A, acme_eab(c, ACME_KEY_A, "kid-1", "wrong"));
    assert_problem(c, &wrong, "unauthorized", 403);
    assert_string_equal(c->facts.reason, "secret");
    r = bind(c, ACME_KEY_A, acme_eab(c, ACME_KEY_A, "kid-2", ACME_SECRET));
    assert_bytes(r.body, wrong.body);
    assert_string_equal(c->facts.reason, "no_registration");
    r = bind(c, ACME_KEY_A, acme_eab(c, ACME_KEY_A, "kid-2", "\0"));
    assert_bytes(r.body, wrong.body);
    r = bind(c, ACME_KEY_A, acme_eab(c, ACME_KEY_A, "kid-est", ACME_SECRET));
    assert_bytes(r.body, wrong.body);
    assert_string_equal(c->facts.reason, "protocol");
    closed.state = REGISTRATION_CLOSED;
    acme_change(c, closed);
    r = bind(c, ACME_KEY_A, acme_eab(c, ACME_KEY_A, "kid-1", ACME_SECRET));
    assert_bytes(r.body, wrong.body);
    assert_string_equal(c->facts.reason, "closed");
    expired.revision = 2;
    expired.valid_days = 1;
    acme_change(c, expired);
    c->g->now_s += 2 * 86400;
    r = bind(c, ACME_KEY_A, acme_eab(c, ACME_KEY_A, "kid-1", ACME_SECRET));
    assert_bytes(r.body, wrong.body);
    assert_string_equal(c->facts.reason, "expired");
    r = acme_join(c, ACME_KEY_A, "{\"onlyReturnExisting\":true}");
    assert_problem(c, &r, "accountDoesNotExist", 400);
}

/* What is verified with where there is no such key id is no secret: whoever knows it is slowed down alike, so
 * that the slow-down does not tell which ids exist. HMAC takes no key and one of zeros for the same. */
static void a_mac_under_nobodys_key_counts_as_wrong(void **state)
{
    static const char *const key_ids[] = { "kid-1", "kid-2" };
    struct acme_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(key_ids); i++) {
        const char *binding = acme_eab(c, ACME_KEY_A, key_ids[i], "");
        struct acme_plan plan = { .resource = "new-account",
                                  .by_key = true,
                                  .payload = acme_text(c->arena, "{\"externalAccountBinding\":%s}",
                                                       binding) };
        struct turn turn;
        struct http_response r = acme_run(c, acme_make(c, plan), &turn);

        assert_int_equal(r.status, 403);
        assert_true(turn.strike);
        assert_false(turn.credential_held);
    }
}

static void one_time(struct acme_case *c)
{
    (void)a_gateway_register(c->g, "once", ACME_SECRET,
                             (struct registration){ .order = ORDER_ACME, .one_time = true });
}

static void acme_44_a_one_time_key_id_binds_one_account(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    one_time(c);
    r = bind(c, ACME_KEY_A, acme_eab(c, ACME_KEY_A, "once", ACME_SECRET));
    assert_status(c, &r, 201);
    r = bind(c, ACME_KEY_B, acme_eab(c, ACME_KEY_B, "once", ACME_SECRET));
    assert_problem(c, &r, "unauthorized", 403);
    assert_string_equal(c->facts.reason, "used");
    r = bind(c, ACME_KEY_A, acme_eab(c, ACME_KEY_A, "once", ACME_SECRET));
    assert_status(c, &r, 200);
}

static void acme_44_of_two_at_once_one_is_bound(void **state)
{
    struct acme_case *c = *state;
    struct http_request *request[2];
    struct http_response r[2];
    struct turn turn[2];
    const struct changes *changes[2] = { &turn[0].changes, &turn[1].changes };
    enum apply_result result[2];
    struct error err;

    one_time(c);
    for (unsigned i = 0; i < 2; i++) {
        const enum acme_client_key key = i == 0 ? ACME_KEY_A : ACME_KEY_B;

        request[i] = acme_make(
            c, (struct acme_plan){ .resource = "new-account",
                                   .key = key,
                                   .payload = acme_text(c->arena, "{\"externalAccountBinding\":%s}",
                                                        acme_eab(c, key, "once", ACME_SECRET)) });
    }
    for (unsigned i = 0; i < 2; i++) {
        r[i] = acme_run(c, request[i], &turn[i]);
        assert_int_equal(r[i].status, 201);
    }
    registry_view_reset(c->g->view);
    assert_true(registry_apply(c->g->registry, changes, 2, c->g->now_s, result, &err));
    assert_int_equal(result[0], APPLY_DONE);
    assert_int_equal(result[1], APPLY_CONFLICT);
    r[1] = acme_run(c, request[1], &turn[1]); /* it runs again */
    assert_int_equal(r[1].status, 403);
    assert_int_equal(turn[1].changes.count, 0);
}

static const char *key_change(struct acme_case *c, enum acme_client_key old, enum acme_client_key fresh,
                              const char *more)
{
    const char *inner = acme_text(c->arena, "{\"alg\":\"%s\",\"jwk\":%s,\"url\":\"%s\"%s}",
                                  acme_client_alg(fresh), acme_client_jwk(c->arena, fresh),
                                  acme_url_text(c, "key-change"), more);
    struct bytes text = acme_client_jws(c->arena, fresh, inner,
                                        acme_text(c->arena, "{\"account\":\"%s\",\"oldKey\":%s}",
                                                  c->kid[ACME_KEY_A], acme_client_jwk(c->arena, old)));

    return arena_text(c->arena, text);
}

static struct http_response change_key(struct acme_case *c, const char *inner)
{
    return acme_ask(c, (struct acme_plan){ .resource = "key-change", .payload = inner });
}

static void acme_45_a_key_is_changed(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com");
    r = change_key(c, key_change(c, ACME_KEY_A, ACME_KEY_B, ""));
    assert_status(c, &r, 200);
    r = acme_get(c, o.order);
    assert_problem(c, &r, "malformed", 400); /* the old key's signature */
    c->kid[ACME_KEY_B] = c->kid[ACME_KEY_A];
    r = acme_ask(c, (struct acme_plan){ .resource = o.order, .key = ACME_KEY_B });
    assert_status(c, &r, 200);
    r = acme_join(c, ACME_KEY_A, "{\"onlyReturnExisting\":true}");
    assert_problem(c, &r, "accountDoesNotExist", 400);
}

static void acme_46_malformed_key_changes(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;
    const char *inner;

    acme_joined(c, ACME_KEY_A);
    r = change_key(c, key_change(c, ACME_KEY_C, ACME_KEY_B, ""));
    assert_problem(c, &r, "malformed", 400); /* oldKey */
    r = change_key(c, key_change(c, ACME_KEY_A, ACME_KEY_B, ",\"nonce\":\"AAAA\""));
    assert_problem(c, &r, "malformed", 400);
    inner = acme_text(c->arena, "{\"alg\":\"ES256\",\"jwk\":%s,\"url\":\"%s\"}",
                      acme_client_jwk(c->arena, ACME_KEY_B), acme_url_text(c, "new-order"));
    r = change_key(c, arena_text(c->arena, acme_client_jws(c->arena, ACME_KEY_B, inner, "{}")));
    assert_problem(c, &r, "malformed", 400); /* url */
    inner = acme_text(c->arena, "{\"alg\":\"ES256\",\"jwk\":%s,\"url\":\"%s\"}",
                      acme_client_jwk(c->arena, ACME_KEY_B), acme_url_text(c, "key-change"));
    r = change_key(c, arena_text(c->arena, acme_client_jws(c->arena, ACME_KEY_C, inner, "{}")));
    assert_problem(c, &r, "malformed", 400); /* signed by another key */
    r = change_key(c, arena_text(c->arena, acme_client_jws(c->arena, ACME_KEY_B, inner, "{}")));
    assert_problem(c, &r, "malformed", 400); /* no account */
    r = change_key(c, "{}");
    assert_problem(c, &r, "malformed", 400);
}

static void acme_46_new_keys_that_are_not_accepted(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;
    const char *inner;

    acme_joined(c, ACME_KEY_A);
    r = change_key(c, key_change(c, ACME_KEY_A, ACME_KEY_RSA_1024, ""));
    assert_problem(c, &r, "badPublicKey", 400);
    inner = acme_text(c->arena, "{\"alg\":\"ES384\",\"jwk\":%s,\"url\":\"%s\"}",
                      acme_client_jwk(c->arena, ACME_KEY_B), acme_url_text(c, "key-change"));
    r = change_key(c, arena_text(c->arena, acme_client_jws(c->arena, ACME_KEY_B, inner, "{}")));
    assert_problem(c, &r, "malformed", 400); /* an algorithm of another curve */
}

static void acme_47_a_key_of_another_account(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    acme_joined(c, ACME_KEY_B);
    r = change_key(c, key_change(c, ACME_KEY_A, ACME_KEY_B, ""));
    assert_problem(c, &r, "malformed", 409);
    assert_text(acme_header(&r, "Location", 0), c->kid[ACME_KEY_B]);
}

static void acme_48_a_deactivated_account_does_nothing_any_more(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    const char *account;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com");
    account = acme_path(c, bytes_text(c->kid[ACME_KEY_A]));
    r = acme_ask(c, (struct acme_plan){ .resource = account, .payload = "{\"status\":\"deactivated\"}" });
    assert_status(c, &r, 200);
    assert_member(c, "status", "deactivated");
    r = acme_get(c, o.order);
    assert_problem(c, &r, "unauthorized", 401);
    r = acme_join(c, ACME_KEY_A, ANY);
    assert_problem(c, &r, "unauthorized", 401);
}

static void acme_49_a_closed_registration_ends_ordering(void **state)
{
    struct acme_case *c = *state;
    struct registration closed = c->registration;
    struct acme_ordered o;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com");
    closed.state = REGISTRATION_CLOSED;
    acme_change(c, closed);
    r = acme_order_as(c, ACME_KEY_A, "b.example.com");
    assert_problem(c, &r, "unauthorized", 403);
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com" });
    assert_problem(c, &r, "unauthorized", 403);
    assert_string_equal(c->facts.reason, "closed");
}

static void accounts_of_a_registration_are_bounded(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    c->g->procedure.acme_accounts_max = 1;
    acme_joined(c, ACME_KEY_A);
    r = bind(c, ACME_KEY_B, acme_eab(c, ACME_KEY_B, "kid-1", ACME_SECRET));
    assert_problem(c, &r, "rateLimited", 429);
}

static void accounts_that_a_source_makes_are_bounded(void **state)
{
    struct acme_case *c = *state;
    struct http_response r = { 0 };
    int made = 0;

    open_to_all(c);
    for (made = 0; made < 100; made++) {
        /* one key is enough: its account is forgotten each time */
        struct acme_plan plan = { .resource = "new-account", .by_key = true, .payload = ANY };
        struct turn turn = acme_turn(c);
        struct digest256 digest;
        struct state_value value;
        struct state_key key = { .procedure = BYTES_LITERAL("demo"), .kind = "acme-key" };
        struct bytes spki = BYTES_NONE;
        AUTO(json_t) *jwk = json_read(bytes_text(acme_client_jwk(c->arena, ACME_KEY_A)));
        bool found = false;

        r = acme_ask(c, plan);
        if (r.status != 201)
            break;
        assert_int_equal(jwk_read(jwk, JWK_ANY, c->arena, &spki), JWK_OK);
        assert_true(sha256(spki, &digest));
        key.id = digest256_bytes(&digest);
        turn = acme_turn(c);
        assert_true(registry_state(turn.view, &key, c->arena, &found, &value, NULL));
        assert_true(found);
        change_state_delete(&turn.changes, &key, value.revision);
        acme_apply(c, &turn);
    }
    assert_int_equal(made, 50);
    assert_problem(c, &r, "rateLimited", 429);
    c->g->now_s += 3601;
    r = acme_join(c, ACME_KEY_A, ANY);
    assert_status(c, &r, 201);
}

static void an_unbound_account_lives_as_long_as_it_is_used(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    open_to_all(c);
    (void)a_gateway_register(c->g, "router6.example.com", "s3cret",
                             (struct registration){ .protocols = PROTOCOL_BIT(PROTOCOL_ACME) });
    r = acme_join(c, ACME_KEY_A, ANY);
    assert_status(c, &r, 201);
    for (int i = 0; i < 3; i++) {
        c->g->now_s += (i == 0 ? 29 : 300) * 86400;
        r = acme_order_as(c, ACME_KEY_A, "router6.example.com");
        assert_status(c, &r, 201);
    }
    c->g->now_s += 401 * 86400;
    r = acme_order_as(c, ACME_KEY_A, "router6.example.com");
    assert_problem(c, &r, "accountDoesNotExist", 400);
    c->kid[ACME_KEY_A] = NULL;
    r = acme_join(c, ACME_KEY_A, ANY);
    assert_status(c, &r, 201); /* and its key is free again */
    c->g->now_s += 31 * 86400;
    r = acme_order_as(c, ACME_KEY_A, "router6.example.com"); /* it never ordered anything */
    assert_problem(c, &r, "accountDoesNotExist", 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACME_ROW(acme_33_a_new_account),
        ACME_ROW(acme_34_a_known_key_gets_its_account),
        ACME_ROW(acme_35_only_return_existing),
        ACME_ROW(acme_36_contacts),
        ACME_ROW(acme_37_terms_are_agreed_to),
        ACME_ROW(acme_38_changed_terms_are_agreed_to_again),
        ACME_ROW(acme_39_an_account_is_updated_by_itself_alone),
        ACME_ROW(acme_40_a_binding_is_required),
        ACME_ROW(acme_40_an_account_from_before_orders_nothing),
        ACME_ROW(acme_41_an_account_is_bound),
        ACME_ROW(acme_42_malformed_bindings),
        ACME_ROW(acme_43_a_binding_that_does_not_hold_says_nothing),
        ACME_ROW(a_mac_under_nobodys_key_counts_as_wrong),
        ACME_ROW(acme_44_a_one_time_key_id_binds_one_account),
        ACME_ROW(acme_44_of_two_at_once_one_is_bound),
        ACME_ROW(acme_45_a_key_is_changed),
        ACME_ROW(acme_46_malformed_key_changes),
        ACME_ROW(acme_46_new_keys_that_are_not_accepted),
        ACME_ROW(acme_47_a_key_of_another_account),
        ACME_ROW(acme_48_a_deactivated_account_does_nothing_any_more),
        ACME_ROW(acme_49_a_closed_registration_ends_ordering),
        ACME_ROW(accounts_of_a_registration_are_bounded),
        ACME_ROW(accounts_that_a_source_makes_are_bounded),
        ACME_ROW(an_unbound_account_lives_as_long_as_it_is_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
