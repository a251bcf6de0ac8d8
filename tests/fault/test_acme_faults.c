/* Each allocation of a request of ACME fails in turn: a clean answer, and nothing half done. */
#include "tests/conformance/acme/acme_case.h"

enum { TRIES_MAX = 4000 };

/* Runs one more try with the n-th allocation failing; true when it went through. */
static bool went_through(struct acme_case *c, struct acme_plan plan, unsigned n, int status)
{
    struct http_request *request = acme_make(c, plan);
    AUTO_ARENA *arena = arena_new(32 << 20);
    struct http_response response = { 0 };
    struct turn turn = acme_turn(c);
    struct error err = { 0 };
    bool good;

    request->arena = turn.arena = arena;
    changes_begin(&turn.changes, arena);
    arena_fail_after(arena, n);
    good = acme_serve(&turn, &c->service, &c->g->procedure, acme_resource_of(request), request, &response,
                      &err);
    arena_fail_after(arena, 0);
    if (good && changes_failed(&turn.changes)) {
        registry_view_reset(c->g->view);
        return false; /* the gateway answers that it is to be tried again */
    }
    if (!good) {
        assert_int_equal(response.status, 500);
        assert_text(acme_header(&response, "Content-Type", 0), "application/problem+json");
        registry_view_reset(c->g->view);
        return false;
    }
    if (response.status != status) /* what cannot be read for want of memory is refused */
        assert_in_range(response.status, 400, 499);
    else
        acme_apply(c, &turn);
    return response.status == status;
}

static void survives(struct acme_case *c, struct acme_plan plan, int status)
{
    unsigned n = 1;

    while (n < TRIES_MAX && !went_through(c, plan, n, status))
        n++;
    assert_in_range(n, 2, TRIES_MAX - 1);
}

static void accounts_and_orders(void **state)
{
    struct acme_case *c = *state;
    const struct est_csr_plan csr = { .cn = "a.example.com", .san = "DNS:a.example.com,DNS:b.example.com" };
    struct registration changed = c->registration;
    struct acme_ordered o;

    changed.pre_authorised = true;
    acme_change(c, changed);
    survives(c,
             (struct acme_plan){ .resource = "new-account",
                                 .key = ACME_KEY_B,
                                 .payload = acme_text(c->arena, "{\"externalAccountBinding\":%s}",
                                                      acme_eab(c, ACME_KEY_B, "kid-1", ACME_SECRET)) },
             201);
    acme_joined(c, ACME_KEY_A);
    survives(c,
             (struct acme_plan){ .resource = "new-order",
                                 .payload = acme_text(c->arena, "{\"identifiers\":%s}",
                                                      acme_identifiers(c, "a.example.com,b.example.com")) },
             201);
    o = acme_ordered(c, "a.example.com,b.example.com");
    survives(c,
             (struct acme_plan){
                 .resource = acme_text(c->arena, "%s/finalize", o.order),
                 .payload = acme_text(c->arena, "{\"csr\":\"%s\"}",
                                      acme_client_base64url(c->arena, est_client_csr(c->arena, &csr))) },
             200);
    survives(c, (struct acme_plan){ .resource = o.order }, 200);
    (void)acme_get(c, o.order);
    survives(c, (struct acme_plan){ .resource = acme_path(c, json_member(c->json, "certificate")) }, 200);
    survives(c, (struct acme_plan){ .resource = o.authz[0] }, 200);
}

static void challenges(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;

    acme_joined(c, ACME_KEY_A);
    o = acme_ordered(c, "a.example.com");
    survives(
        c,
        (struct acme_plan){ .resource = acme_challenge_of(c, o.authz[0], "http-01").path, .payload = "{}" },
        200);
}

int main(void)
{
    const struct CMUnitTest tests[] = { ACME_ROW(accounts_and_orders), ACME_ROW(challenges) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
