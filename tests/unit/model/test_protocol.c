#include "model/protocol.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void names_go_both_ways(void **state)
{
    (void)state;
    for (unsigned p = PROTOCOL_NONE + 1; p < PROTOCOL_COUNT; p++)
        assert_int_equal(protocol_from_name(bytes_text(protocol_name((enum protocol)p))), p);
    assert_int_equal(protocol_from_name(bytes_text("SCEP")), PROTOCOL_SCEP);
    assert_int_equal(protocol_from_name(bytes_text("none")), PROTOCOL_NONE);
    assert_int_equal(protocol_from_name(BYTES_NONE), PROTOCOL_NONE);
    assert_string_equal(protocol_name((enum protocol)77), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names_go_both_ways) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
