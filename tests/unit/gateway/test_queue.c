#include "tests/lib/test.h"

#include <stdatomic.h>

#include "gateway/queue.h"

struct thing {
    int number;
    struct queue_item link;
};

static void what_goes_in_comes_out_in_order(void **state)
{
    struct thing thing[3] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
    struct queue_item *item;
    struct queue queue;
    size_t count;

    (void)state;
    queue_init(&queue, 10);
    for (size_t i = 0; i < 3; i++)
        assert_true(queue_put(&queue, &thing[i].link));
    assert_int_equal(queue_owner(queue_take(&queue), struct thing, link)->number, 1);
    item = queue_gather(&queue, &(struct gathering){ .enough = 1, .max = 10 }, &count);
    assert_int_equal(count, 2);
    assert_int_equal(queue_owner(item, struct thing, link)->number, 2);
    assert_int_equal(queue_owner(item->next, struct thing, link)->number, 3);
    assert_null(item->next->next);
    assert_null(queue_try_take(&queue));
    queue_destroy(&queue);
}

static void a_full_queue_refuses_but_takes_back_what_was_in(void **state)
{
    struct thing thing[3] = { { 0 } };
    struct queue queue;

    (void)state;
    queue_init(&queue, 1);
    assert_true(queue_put(&queue, &thing[0].link));
    assert_false(queue_put(&queue, &thing[1].link));
    assert_true(queue_put_back(&queue, &thing[2].link));
    assert_int_equal(queue_length(&queue), 2);
    queue_destroy(&queue);
}

static void a_closed_queue_empties_and_then_ends(void **state)
{
    struct thing thing[2] = { { .number = 7 } };
    struct queue queue;

    (void)state;
    queue_init(&queue, 10);
    assert_true(queue_put(&queue, &thing[0].link));
    queue_close(&queue);
    assert_false(queue_put(&queue, &thing[1].link));
    assert_false(queue_put_back(&queue, &thing[1].link));
    assert_int_equal(queue_owner(queue_take(&queue), struct thing, link)->number, 7);
    assert_null(queue_take(&queue));
    queue_destroy(&queue);
}

static const struct gathering patient = { .enough = 64, .max = 256, .wait_ms = 60000 };

struct putter {
    struct queue queue;
    struct thing thing[3];
    pthread_t thread;
    _Atomic bool gathered;
};

static void *put_three(void *context)
{
    struct putter *p = context;

    assert_true(queue_put(&p->queue, &p->thing[0].link));
    assert_true(queue_put(&p->queue, &p->thing[1].link));
    assert_true(queue_put_last(&p->queue, &p->thing[2].link));
    return NULL;
}

static void *put_one_and_hurry(void *context)
{
    struct putter *p = context;

    assert_true(queue_put(&p->queue, &p->thing[0].link));
    while (!p->gathered) /* it tells nobody who does not gather yet */
        queue_hurry(&p->queue);
    return NULL;
}

static size_t gather_from(void *(*thread)(void *))
{
    struct putter p = { .gathered = false };
    struct queue_item *first;
    size_t count = 0;

    queue_init(&p.queue, 10);
    assert_int_equal(pthread_create(&p.thread, NULL, thread, &p), 0);
    first = queue_gather(&p.queue, &patient, &count);
    p.gathered = true;
    assert_ptr_equal(first, &p.thing[0].link);
    (void)pthread_join(p.thread, NULL);
    assert_int_equal(queue_length(&p.queue), 0);
    queue_destroy(&p.queue);
    return count;
}

static void who_gathers_waits_for_the_last_of_them(void **state)
{
    (void)state;
    assert_int_equal(gather_from(put_three), 3);
}

static void who_gathers_is_told_that_nothing_follows(void **state)
{
    (void)state;
    assert_int_equal(gather_from(put_one_and_hurry), 1);
}

static void who_gathers_waits_for_enough_or_for_so_long_and_no_longer_when_closed(void **state)
{
    struct thing thing[3] = { { 0 } };
    struct queue queue;
    size_t count;

    (void)state;
    queue_init(&queue, 10);
    assert_true(queue_put(&queue, &thing[0].link) && queue_put(&queue, &thing[1].link));
    (void)queue_gather(&queue, &(struct gathering){ .enough = 2, .max = 1, .wait_ms = 60000 }, &count);
    assert_int_equal(count, 1);
    (void)queue_gather(&queue, &(struct gathering){ .enough = 2, .max = 9, .wait_ms = 1 }, &count);
    assert_int_equal(count, 1);
    assert_true(queue_put(&queue, &thing[2].link));
    queue_close(&queue);
    assert_ptr_equal(queue_gather(&queue, &patient, &count), &thing[2].link);
    assert_null(queue_gather(&queue, &patient, &count));
    queue_destroy(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out_in_order),
        cmocka_unit_test(a_full_queue_refuses_but_takes_back_what_was_in),
        cmocka_unit_test(a_closed_queue_empties_and_then_ends),
        cmocka_unit_test(who_gathers_waits_for_the_last_of_them),
        cmocka_unit_test(who_gathers_is_told_that_nothing_follows),
        cmocka_unit_test(who_gathers_waits_for_enough_or_for_so_long_and_no_longer_when_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
