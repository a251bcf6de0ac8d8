#include "tests/lib/test.h"

#include "gateway/gateway.h"
#include "gateway/router.h"

/* A file that names the listeners in another order: its roles would move to sockets that are bound already,
 * and administration to the one of devices. */
static void a_reload_changes_no_role_of_a_bound_listener(void **state)
{
    struct gateway gateway = { .bound = { { "127.0.0.1", 8080, LISTENER_DEVICES },
                                          { "127.0.0.1", 8444, LISTENER_ADMINISTRATION } },
                               .bound_count = 2 };
    struct config config = {
        .listener_count = 3, .listener_role = { LISTENER_ADMINISTRATION, LISTENER_DEVICES, LISTENER_METRICS }
    };
    struct http_request request = { .path = BYTES_LITERAL("/api/v1/officers") };

    (void)state;
    gateway_lend(&gateway, &config);
    assert_int_equal(config.listener_count, 2);
    assert_null(route_find(&config, &request).service);
    request.listener = 1;
    assert_non_null(route_find(&config, &request).service);
    request.listener = 2;
    assert_null(route_find(&config, &request).service);
}

static void before_anything_is_bound_the_file_says_the_roles(void **state)
{
    struct gateway gateway = { .bound_count = 0 };
    struct config config = { .listener_count = 1, .listener_role = { LISTENER_ADMINISTRATION } };

    (void)state;
    gateway_lend(&gateway, &config);
    assert_int_equal(config.listener_count, 1);
    assert_int_equal(config.listener_role[0], LISTENER_ADMINISTRATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reload_changes_no_role_of_a_bound_listener),
        cmocka_unit_test(before_anything_is_bound_the_file_says_the_roles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
