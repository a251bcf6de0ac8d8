#include "lib/base/thread.h"

#include <signal.h>

#include "tests/lib/test.h"

static unsigned released[2];

static void release_first(void)
{
    assert_int_equal(released[1], 1); /* in reverse */
    released[0]++;
}

static void release_second(void)
{
    released[1]++;
}

static void *use_and_end(void *context)
{
    sigset_t *blocked = context;

    thread_at_end(release_first);
    thread_at_end(release_second);
    thread_at_end(release_first);
    (void)pthread_sigmask(SIG_SETMASK, NULL, blocked);
    return context;
}

static void a_thread_gives_back_what_it_kept_once(void **state)
{
    struct error err = { 0 };
    pthread_t thread;
    sigset_t blocked;
    void *result = NULL;

    (void)state;
    memset(released, 0, sizeof(released));
    assert_true(thread_start(&thread, "tested", use_and_end, &blocked, &err));
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &blocked);
    assert_int_equal(released[0], 1);
    assert_int_equal(released[1], 1);
    assert_true(sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGHUP));
}

static void so_does_one_that_somebody_else_started(void **state)
{
    pthread_t thread;
    sigset_t blocked;

    (void)state;
    memset(released, 0, sizeof(released));
    assert_int_equal(pthread_create(&thread, NULL, use_and_end, &blocked), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(released[0], 1);
    assert_int_equal(released[1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_gives_back_what_it_kept_once),
        cmocka_unit_test(so_does_one_that_somebody_else_started),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
