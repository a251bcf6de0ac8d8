/* test.h: what every test program starts from. */
#ifndef MUSTER_TESTS_TEST_H
#define MUSTER_TESTS_TEST_H

/* cmocka wants these four before its own header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/bytes.h"

#define assert_bytes(actual, expected)                                        \
    do {                                                                      \
        struct bytes actual_ = (actual), expected_ = (expected);              \
        assert_int_equal(actual_.len, expected_.len);                         \
        if (expected_.len > 0)                                                \
            assert_memory_equal(actual_.data, expected_.data, expected_.len); \
    } while (0)

#define assert_text(actual, text) assert_bytes((actual), bytes_text(text))

#endif
