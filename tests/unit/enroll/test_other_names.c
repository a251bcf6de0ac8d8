#include "tests/unit/enroll/enroll_world.h"

static const struct registration plain = { .revision = 0 };

static void close_name(struct world *w, const char *fqdn)
{
    set_state(w, registered(w, fqdn, "own", plain), REGISTRATION_CLOSED);
}

static void a_broad_registration_opens_no_closed_name_from_the_side(void **state)
{
    struct world *w = *state;

    registered(w, "*.example.com", "s3cret", plain);
    close_name(w, "closed.example.com");
    assert_refused(w, REFUSAL_NAME_POLICY, .dns = { "router5.example.com", "closed.example.com" });
    assert_issued(w, .dns = { "router5.example.com", "free.example.com" });
}

static void under_most_specific_it_opens_no_name_registered_on_its_own(void **state)
{
    struct world *w = *state;

    registered(w, "*.example.com", "s3cret", plain);
    registered(w, "own.example.com", "own", plain);
    w->domain.match = MATCH_MOST_SPECIFIC;
    assert_refused(w, REFUSAL_NAME_POLICY, .dns = { "own.example.com" });
    assert_issued(w, .dns = { "free.example.com" });
    w->domain.match = MATCH_ANY;
    assert_issued(w, .dns = { "own.example.com" }, .transaction = "t2");
}

static void a_name_that_the_officer_listed_is_the_registrations(void **state)
{
    struct attribute listed = { .kind = ATTRIBUTE_DNS, .value = BYTES_LITERAL("closed.example.net") };
    struct world *w = *state;

    registered(w, "router5.example.com", "s3cret",
               (struct registration){ .attribute = &listed, .attribute_count = 1 });
    close_name(w, "closed.example.net");
    assert_issued(w, .dns = { "closed.example.net" });
}

static void a_renewal_loses_the_names_that_were_closed_since(void **state)
{
    struct world *w = *state;
    struct asking a = { .dns = { "router5.example.com", "b.example.com" } };
    struct bytes old;

    registered(w, "*.example.com", "s3cret", plain);
    old = issued(w, &a);
    close_name(w, "b.example.com");
    assert_refused(w, REFUSAL_NAME_POLICY, .certificate = &old, .transaction = "t2",
                   .dns = { "router5.example.com", "b.example.com" });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_broad_registration_opens_no_closed_name_from_the_side),
        world_test(under_most_specific_it_opens_no_name_registered_on_its_own),
        world_test(a_name_that_the_officer_listed_is_the_registrations),
        world_test(a_renewal_loses_the_names_that_were_closed_since),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
