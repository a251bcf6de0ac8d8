#include "tests/lib/test.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out_in_order),
        cmocka_unit_test(a_full_queue_refuses_but_takes_back_what_was_in),
        cmocka_unit_test(a_closed_queue_empties_and_then_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
