/* What one account, and all accounts that are bound to nothing, may have: exact, and without one standing in
 * another's way as long as there is room. */
#include "jobs/job.h"
#include "lib/base/clock.h"
#include "proto/acme/store_internal.h"
#include "tests/conformance/acme/acme_case.h"

enum { ORDERS = 200, CLIENTS = 32, QUOTA = 150, DAY = 86400 };

static struct http_request *new_order(struct acme_case *c, enum acme_client_key key, const char *names)
{
    return acme_make(c, (struct acme_plan){ .resource = "new-order",
                                            .key = key,
                                            .payload = acme_text(c->arena, "{\"identifiers\":%s}",
                                                                 acme_identifiers(c, names)) });
}

/* --- many clients, one account --- */
struct crowd {
    struct http_request *request[ORDERS];
    size_t asked;
    unsigned turns[ORDERS], made, refused, conflicts;
    size_t waiting[ORDERS], waiting_count;
};

/* So many at once: each sees what the others see, and their changes go into one commit. */
static void answer_together(struct acme_case *c, struct crowd *crowd)
{
    size_t at[CLIENTS], count = 0, kept = 0;
    struct turn turn[CLIENTS];
    const struct changes *changes[CLIENTS];
    enum apply_result result[CLIENTS];
    struct http_response response[CLIENTS];

    while (count < CLIENTS && crowd->waiting_count > 0)
        at[count++] = crowd->waiting[--crowd->waiting_count];
    while (count < CLIENTS && crowd->asked < ORDERS)
        at[count++] = crowd->asked++;
    for (size_t i = 0; i < count; i++) {
        response[i] = acme_run(c, crowd->request[at[i]], &turn[i]);
        changes[i] = &turn[i].changes;
        assert_true(++crowd->turns[at[i]] <= ANSWER_TURNS_MAX);
    }
    registry_view_reset(c->g->view);
    assert_true(registry_apply(c->g->registry, changes, count, c->g->now_s, result, NULL));
    for (size_t i = 0; i < count; i++) {
        if (result[i] == APPLY_CONFLICT) {
            crowd->conflicts++;
            crowd->waiting[kept++] = at[i];
            continue;
        }
        assert_int_equal(result[i], APPLY_DONE);
        crowd->made += response[i].status == 201;
        crowd->refused += response[i].status == 429;
        if (response[i].status == 201) /* nobody is in anybody's way below the quota */
            assert_int_equal(crowd->turns[at[i]], 1);
    }
    crowd->waiting_count = kept;
}

static void two_hundred_orders_by_thirty_two_clients_fill_the_quota_exactly(void **state)
{
    struct acme_case *c = *state;
    struct crowd *crowd = calloc(1, sizeof(*crowd));

    assert_non_null(crowd);
    acme_joined(c, ACME_KEY_A);
    c->g->procedure.acme_orders_max = QUOTA;
    for (unsigned i = 0; i < ORDERS; i++)
        crowd->request[i] = new_order(c, ACME_KEY_A, acme_text(c->arena, "h%u.example.com", i));
    while (crowd->asked < ORDERS || crowd->waiting_count > 0)
        answer_together(c, crowd);
    assert_int_equal(crowd->made, QUOTA);
    assert_int_equal(crowd->refused, ORDERS - QUOTA);
    assert_true(crowd->conflicts < CLIENTS); /* those alone that met at the quota */
    free(crowd);
}

/* --- what it costs --- */
static uint64_t reads_of_one_order(struct acme_case *c)
{
    struct http_request *request = new_order(c, ACME_KEY_A, "cost.example.com");
    uint64_t before = registry_view_reads(c->g->view);
    struct http_response r = acme_run_again(c, request);

    assert_status(c, &r, 201);
    return registry_view_reads(c->g->view) - before;
}

static void four_hundred_orders_cost_a_new_one_nothing(void **state)
{
    struct acme_case *c = *state;
    uint64_t first;

    acme_joined(c, ACME_KEY_A);
    c->g->procedure.acme_orders_max = 500;
    (void)acme_ordered(c, "cost.example.com");
    first = reads_of_one_order(c);
    for (int i = 0; i < 400; i++)
        (void)acme_ordered(c, "a.example.com");
    assert_int_equal(reads_of_one_order(c), first);
    assert_true(first < 20);
}

/* --- data of earlier versions --- */
struct before {
    struct acme_case *c;
    struct turn turn;
    struct state_key open, listed;
    struct buffer list;
};

static bool forget_place(struct bytes member, int64_t expires_s, void *context)
{
    struct before *b = context;
    struct bytes id = bytes_from(member, member.len - ACME_ID_LEN);

    (void)expires_s;
    change_place_free(&b->turn.changes, &b->listed, member);
    change_place_free(&b->turn.changes, &b->open, id);
    buffer_append(&b->list, id);
    return true;
}

/* Orders as an earlier version left them: one list of their ids, the newest first, and no places. */
static void as_before(struct acme_case *c, enum acme_client_key key)
{
    const char *text = strrchr(c->kid[key], '/') + 1;
    struct before b = { .c = c, .turn = acme_turn(c), .list = BUFFER(8192) };
    struct acme_id id;
    struct state_key list = { .procedure = bytes_text(c->g->procedure.name), .kind = "acme-orders" };

    assert_true(acme_id_parse(bytes_text(text), &id));
    list.id = acme_id_bytes(&id);
    b.open = b.listed = list;
    b.open.kind = "acme-open";
    b.listed.kind = "acme-listed";
    assert_true(registry_places_each(b.turn.view, &b.listed, BYTES_NONE, forget_place, &b, NULL));
    change_state_put(&b.turn.changes, &list, &(struct state_value){ .blob = buffer_bytes(&b.list) }, 0);
    acme_apply(c, &b.turn);
    buffer_free(&b.list);
}

static size_t listed(struct acme_case *c)
{
    struct http_response r = acme_get(
        c, acme_text(c->arena, "%s/orders", acme_path(c, bytes_text(c->kid[ACME_KEY_A]))));

    assert_status(c, &r, 200);
    return json_array_size(json_object_get(c->json, "orders"));
}

static void orders_of_an_earlier_version_are_counted_and_listed(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered old;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    c->g->procedure.acme_orders_max = 4;
    old = acme_ordered(c, "a.example.com");
    for (int i = 0; i < 2; i++)
        (void)acme_ordered(c, "a.example.com");
    as_before(c, ACME_KEY_A);
    assert_int_equal(listed(c), 3);
    r = acme_get(c, old.order);
    assert_status(c, &r, 200);
    (void)acme_ordered(c, "a.example.com");
    assert_int_equal(listed(c), 4);
    r = acme_order_as(c, ACME_KEY_A, "a.example.com");
    assert_problem(c, &r, "rateLimited", 429);
    c->g->now_s += 8 * DAY; /* they are over, the old ones like the new one */
    (void)acme_ordered(c, "a.example.com");
}

static void a_full_list_of_an_earlier_version_is_full(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    c->g->procedure.acme_orders_max = 2;
    for (int i = 0; i < 2; i++)
        (void)acme_ordered(c, "a.example.com");
    as_before(c, ACME_KEY_A);
    for (int i = 0; i < 2; i++) {
        r = acme_order_as(c, ACME_KEY_A, "a.example.com");
        assert_problem(c, &r, "rateLimited", 429);
    }
    assert_int_equal(listed(c), 2);
}

/* Finalized between the versions: it is open no more, and nothing holds its place. */
static void an_old_order_that_ends_frees_its_place(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered old;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    c->g->procedure.acme_orders_max = 2;
    old = acme_ready(c, "a.example.com");
    (void)acme_ordered(c, "b.example.com");
    as_before(c, ACME_KEY_A);
    r = acme_finalized(c, old.order,
                       (struct est_csr_plan){ .cn = "a.example.com", .key = est_client_key(0) });
    assert_status(c, &r, 200);
    (void)acme_ordered(c, "c.example.com");
    r = acme_order_as(c, ACME_KEY_A, "d.example.com");
    assert_problem(c, &r, "rateLimited", 429);
    assert_int_equal(listed(c), 3);
}

/* It ends while the list is taken over: the place that it gives up is not taken for it. */
static void an_old_order_that_ends_meanwhile_has_no_place(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered old;
    struct acme_race race;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    c->g->procedure.acme_orders_max = 2;
    old = acme_ready(c, "a.example.com");
    as_before(c, ACME_KEY_A);
    race.request[0] = acme_make(
        c,
        (struct acme_plan){
            .resource = acme_text(c->arena, "%s/finalize", old.order),
            .payload = acme_text(
                c->arena, "{\"csr\":\"%s\"}",
                acme_client_base64url(c->arena, est_client_csr(c->arena, &(struct est_csr_plan){
                                                                             .cn = "a.example.com",
                                                                             .key = est_client_key(0) }))) });
    race.request[1] = new_order(c, ACME_KEY_A, "b.example.com");
    acme_run_both(c, &race);
    assert_int_equal(race.response[0].status, 200);
    assert_int_equal(race.result[0], APPLY_DONE);
    assert_int_equal(race.result[1], APPLY_CONFLICT);
    r = acme_run_again(c, race.request[1]);
    assert_status(c, &r, 201);
    (void)acme_ordered(c, "c.example.com");
    r = acme_order_as(c, ACME_KEY_A, "d.example.com");
    assert_problem(c, &r, "rateLimited", 429);
}

/* The list is taken over once: the second runs again and sees places. */
static void of_two_that_take_over_an_old_list_one_does(void **state)
{
    struct acme_case *c = *state;
    struct acme_race race;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    (void)acme_ordered(c, "a.example.com");
    as_before(c, ACME_KEY_A);
    race.request[0] = new_order(c, ACME_KEY_A, "b.example.com");
    race.request[1] = new_order(c, ACME_KEY_A, "c.example.com");
    acme_run_both(c, &race);
    assert_int_equal(race.result[0], APPLY_DONE);
    assert_int_equal(race.result[1], APPLY_CONFLICT);
    r = acme_run_again(c, race.request[1]);
    assert_status(c, &r, 201);
    assert_int_equal(listed(c), 3);
}

/* --- orders that go on --- */
static void an_order_that_is_done_frees_its_place(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    c->g->procedure.acme_orders_max = 1;
    o = acme_ready(c, "a.example.com");
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com", .key = est_client_key(0) });
    assert_status(c, &r, 200);
    assert_member(c, "status", "valid");
    (void)acme_ordered(c, "b.example.com");
}

/* With auto-renewal it is open to its end, or until it is canceled, however many there were since. */
static void a_running_auto_renewal_keeps_its_place(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o = { 0 };
    struct http_response r;
    char end[CLOCK_TEXT_LEN];

    acme_joined(c, ACME_KEY_A);
    c->g->procedure.acme_orders_max = 1;
    c->g->procedure.acme_star = true;
    clock_format(c->g->now_s + 30 * DAY, end);
    r = acme_ask(c, (struct acme_plan){
                        .resource = "new-order",
                        .payload = acme_text(
                            c->arena,
                            "{\"identifiers\":%s,\"auto-renewal\":{\"end-date\":\"%s\",\"lifetime\":345600}}",
                            acme_identifiers(c, "a.example.com"), end) });
    assert_status(c, &r, 201);
    o.order = acme_path(c, acme_header(&r, "Location", 0));
    acme_proved(c, acme_path(c, json_bytes(json_array_get(json_object_get(c->json, "authorizations"), 0))));
    r = acme_finalized(c, o.order, (struct est_csr_plan){ .cn = "a.example.com", .key = est_client_key(0) });
    assert_status(c, &r, 200);
    c->g->now_s += 8 * DAY; /* what is merely pending would be over */
    r = acme_order_as(c, ACME_KEY_A, "b.example.com");
    assert_problem(c, &r, "rateLimited", 429);
    r = acme_ask(c, (struct acme_plan){ .resource = o.order, .payload = "{\"status\":\"canceled\"}" });
    assert_status(c, &r, 200);
    (void)acme_ordered(c, "b.example.com");
}

/* --- challenges that are looked at --- */
static bool count_place(struct bytes member, int64_t expires_s, void *context)
{
    (void)member;
    (void)expires_s;
    ++*(size_t *)context;
    return true;
}

static size_t taken_up(struct acme_case *c, const struct state_key *key)
{
    struct turn turn = acme_turn(c);
    size_t count = 0;

    assert_true(registry_places_each(turn.view, key, BYTES_NONE, count_place, &count, NULL));
    return count;
}

/* All but one are looked at for long. */
static void look_at_many(struct acme_case *c, const struct state_key *key)
{
    struct turn turn = acme_turn(c);

    for (unsigned i = 1; i < ACME_TAKEN_UP_MAX; i++)
        change_place_take(&turn.changes, key, arena_format(c->arena, "%016u", i), c->g->now_s + DAY,
                          ACME_TAKEN_UP_MAX);
    acme_apply(c, &turn);
}

static void so_many_challenges_of_one_account_are_looked_at(void **state)
{
    struct acme_case *c = *state;
    struct acme_challenged one, other;
    struct state_key key;
    struct acme_ordered o;
    struct http_response r;
    struct acme_id id;

    acme_joined(c, ACME_KEY_A);
    assert_true(acme_id_parse(bytes_text(strrchr(c->kid[ACME_KEY_A], '/') + 1), &id));
    key = acme_taken_up_key(bytes_text(c->g->procedure.name), &id);
    o = acme_ordered(c, "a.example.com,b.example.com");
    acme_proved(c, o.authz[0]);
    assert_int_equal(taken_up(c, &key), 0); /* it is decided */
    look_at_many(c, &key);
    o = acme_ordered(c, "c.example.com,d.example.com");
    one = acme_challenge_of(c, o.authz[0], "http-01");
    other = acme_challenge_of(c, o.authz[1], "http-01");
    acme_respond_to(c, one.path);
    assert_int_equal(taken_up(c, &key), ACME_TAKEN_UP_MAX);
    r = acme_ask(c, (struct acme_plan){ .resource = other.path, .payload = "{}" });
    assert_problem(c, &r, "rateLimited", 429);
    assert_true(acme_header(&r, "Retry-After", 0).len > 0);
    acme_respond_to(c, one.path); /* which is looked at already */
    c->g->now_s += 2 * DAY;
    acme_respond_to(c, other.path);
}

static void fail_at_once(struct acme_case *c, const char *authz)
{
    acme_respond_to(c, acme_challenge_of(c, authz, "dns-01").path);
    (void)acme_step(c, (struct job_event){ .kind = JOB_EVENT_DUE });
    for (int tries = 0; tries < 20; tries++) {
        const struct job_event nothing = { .kind = JOB_EVENT_DNS, .dns = { .status = DNS_STATUS_NXDOMAIN } };
        struct job_effect effect = acme_step(c, nothing);

        if (effect.kind == JOB_EFFECT_DONE)
            return;
        c->g->now_s += 40;
        (void)acme_step(c, (struct job_event){ .kind = JOB_EVENT_DUE });
    }
    fail_msg("it goes on trying");
}

static void a_name_that_fails_and_fails_is_not_tried_without_end(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;

    acme_joined(c, ACME_KEY_A);
    c->g->procedure.acme_failures_max = 2;
    for (int i = 0; i < 2; i++)
        fail_at_once(c, acme_ordered(c, "a.example.com").authz[0]);
    o = acme_ordered(c, "a.example.com,b.example.com");
    r = acme_ask(c, (struct acme_plan){ .resource = acme_challenge_of(c, o.authz[0], "dns-01").path,
                                        .payload = "{}" });
    assert_problem(c, &r, "rateLimited", 429);
    assert_true(acme_header(&r, "Retry-After", 0).len > 0);
    acme_proved(c, o.authz[1]); /* another name is not meant */
    c->g->now_s += 3601;
    acme_proved(c, o.authz[0]);
}

/* --- accounts that are bound to nothing --- */
static struct http_response join_unbound(struct acme_case *c, enum acme_client_key key)
{
    c->g->procedure.acme_binding = false;
    return acme_join(c, key, "{}");
}

static void accounts_that_are_bound_to_nothing_are_bounded_in_all(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    c->g->procedure.acme_unbound_max = 2;
    r = join_unbound(c, ACME_KEY_A);
    assert_status(c, &r, 201);
    r = join_unbound(c, ACME_KEY_B);
    assert_status(c, &r, 201);
    r = join_unbound(c, ACME_KEY_C);
    assert_problem(c, &r, "rateLimited", 429);
    assert_true(acme_header(&r, "Retry-After", 0).len > 0);
    r = join_unbound(c, ACME_KEY_A); /* the known one is there as ever */
    assert_status(c, &r, 200);
    acme_joined(c, ACME_KEY_C); /* one that is bound is none of them */
}

static void sweep(struct acme_case *c)
{
    const struct job_record job = { .kind = BYTES_LITERAL("sweep") };
    const struct job_event due = { .kind = JOB_EVENT_DUE };
    struct turn turn = acme_turn(c);
    struct job_step step = { 0 };

    assert_true(job_sweep_run(&turn, NULL, &job, &due, &step, NULL));
    acme_apply(c, &turn);
}

/* Beyond what is counted exactly, until it is swept. */
static void those_that_nobody_uses_make_room(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    c->g->procedure.acme_unbound_max = 1;
    r = join_unbound(c, ACME_KEY_A);
    assert_status(c, &r, 201);
    c->g->now_s += 29 * DAY;
    r = join_unbound(c, ACME_KEY_B);
    assert_problem(c, &r, "rateLimited", 429);
    c->g->now_s += 2 * DAY;
    sweep(c);
    r = join_unbound(c, ACME_KEY_B);
    assert_status(c, &r, 201);
    r = join_unbound(c, ACME_KEY_C);
    assert_problem(c, &r, "rateLimited", 429);
}

/* Who orders is kept, and goes on being counted. */
static void one_that_is_used_keeps_counting(void **state)
{
    struct acme_case *c = *state;
    struct http_response r;

    (void)a_gateway_register(c->g, "router6.example.com", "s3cret",
                             (struct registration){ .protocols = PROTOCOL_BIT(PROTOCOL_ACME) });
    c->g->procedure.acme_unbound_max = 1;
    r = join_unbound(c, ACME_KEY_A);
    assert_status(c, &r, 201);
    c->g->now_s += 20 * DAY;
    r = acme_order_as(c, ACME_KEY_A, "router6.example.com");
    assert_status(c, &r, 201);
    c->g->now_s += 399 * DAY;
    r = join_unbound(c, ACME_KEY_B);
    assert_problem(c, &r, "rateLimited", 429);
}

/* From two places at once: below the bound neither waits for the other, and the last room is taken once. */
static void of_two_at_once_one_is_the_last(void **state)
{
    struct acme_case *c = *state;
    struct acme_race race;
    struct http_response r;

    c->g->procedure.acme_binding = false;
    for (unsigned max = 2; max > 0; max--) {
        c->g->procedure.acme_unbound_max = 4 - max;
        for (unsigned i = 0; i < 2; i++) {
            race.request[i] = acme_make(c,
                                        (struct acme_plan){ .resource = "new-account",
                                                            .key = (enum acme_client_key)(2 * (2 - max) + i),
                                                            .by_key = true,
                                                            .payload = "{}" });
            race.request[i]->peer.address.bytes[1] = (uint8_t)i;
        }
        acme_run_both(c, &race);
        assert_int_equal(race.response[0].status, 201);
        assert_int_equal(race.result[0], APPLY_DONE);
        assert_int_equal(race.result[1], max == 2 ? APPLY_DONE : APPLY_CONFLICT);
    }
    r = acme_run_again(c, race.request[1]);
    assert_problem(c, &r, "rateLimited", 429);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACME_ROW(two_hundred_orders_by_thirty_two_clients_fill_the_quota_exactly),
        ACME_ROW(four_hundred_orders_cost_a_new_one_nothing),
        ACME_ROW(orders_of_an_earlier_version_are_counted_and_listed),
        ACME_ROW(a_full_list_of_an_earlier_version_is_full),
        ACME_ROW(an_old_order_that_ends_frees_its_place),
        ACME_ROW(an_old_order_that_ends_meanwhile_has_no_place),
        ACME_ROW(of_two_that_take_over_an_old_list_one_does),
        ACME_ROW(an_order_that_is_done_frees_its_place),
        ACME_ROW(a_running_auto_renewal_keeps_its_place),
        ACME_ROW(so_many_challenges_of_one_account_are_looked_at),
        ACME_ROW(a_name_that_fails_and_fails_is_not_tried_without_end),
        ACME_ROW(accounts_that_are_bound_to_nothing_are_bounded_in_all),
        ACME_ROW(those_that_nobody_uses_make_room),
        ACME_ROW(one_that_is_used_keeps_counting),
        ACME_ROW(of_two_at_once_one_is_the_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
