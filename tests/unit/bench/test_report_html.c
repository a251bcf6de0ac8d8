#include "bench/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static bool has(const struct buffer *page, const char *text)
{
    return memmem(page->data, page->len, text, strlen(text)) != NULL;
}

/* What failed is told in words that come from a server. */
static void what_a_server_said_is_text_on_the_page(void **state)
{
    const struct load_plan plan = { .clients = 1 };
    struct summary s = { .work_count = 1, .fault_count = 1, .cpu_us = -1 };
    AUTO_STRUCT(buffer) page = BUFFER(1 << 20);

    (void)state;
    s.all.latency = s.work[0].latency = histogram_new();
    s.all.name = s.work[0].name = "est & <more>";
    (void)snprintf(s.fault[0].what, sizeof(s.fault[0].what), "<script>alert(\"x\")</script>\x01\xff");
    report_html(&plan, &s, &page);
    assert_false(buffer_failed(&page));
    assert_false(has(&page, "<script"));
    assert_true(has(&page, "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;??"));
    assert_true(has(&page, "est &amp; &lt;more&gt;"));
    assert_false(has(&page, "<svg")); /* nothing good: nothing to draw */
    histogram_free(s.all.latency);
}

static void one_good_answer_is_enough_to_draw(void **state)
{
    const struct load_plan plan = { .clients = 1, .rate = 10 };
    struct summary s = { .work_count = 1, .step_count = 1, .step_s = 0.1, .cpu_us = -1 };
    AUTO_STRUCT(buffer) page = BUFFER(1 << 20);

    (void)state;
    s.all.latency = s.work[0].latency = histogram_new();
    s.all.name = s.work[0].name = "est";
    s.all.good = s.work[0].good = s.step[0].good = 1;
    histogram_record(s.all.latency, 1500);
    report_html(&plan, &s, &page);
    assert_true(has(&page, "<svg"));
    assert_true(has(&page, "1.50 ms"));
    assert_false(has(&page, "nan"));
    assert_false(has(&page, "inf"));
    histogram_free(s.all.latency);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_server_said_is_text_on_the_page),
        cmocka_unit_test(one_good_answer_is_enough_to_draw),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
