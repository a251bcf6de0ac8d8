#include "bench/summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/pki/certificate.h"

enum { RECORDS = 40 };

/* A run as it might have been: every answer says what the judge is to find. */
struct a_run {
    struct keys *keys;
    struct load_work work[2];
    struct load_plan plan;
    struct load_record record[RECORDS];
    struct load_result result;
};

/* A certificate of that serial number in what was answered, "pending" for one without, or else why not. */
static bool judge(void *context, size_t n, const struct link_answer *last, struct arena *arena,
                  struct bytes *certificate, char why[LOAD_WHY_MAX])
{
    const struct a_run *run = context;
    struct certificate_template t = { .not_after_s = 4000000000, .serial = last->body };
    struct error err;

    (void)n;
    if (bytes_is(last->body, "pending"))
        return true;
    if (last->body.len != 4) {
        (void)snprintf(why, LOAD_WHY_MAX, "%.*s", BYTES_FMT(last->body));
        return false;
    }
    t.subject = t.issuer = BYTES_LITERAL("\x30\x00");
    t.spki = keys_public(run->keys, "k");
    return certificate_sign(&t, run->keys, "k", DIGEST_NONE, arena, certificate, &err);
}

static void bill(const void *context, struct floor *exchange, struct floor *handshake)
{
    (void)context;
    exchange->times[VERIFY_P256]++;
    handshake->times[VERIFY_P256]++; /* of a client's certificate */
}

static struct a_run *a_run(void)
{
    struct a_run *run = calloc(1, sizeof(*run));

    assert_true(keys_new(&run->keys, NULL));
    assert_true(keys_generate(run->keys, "k", KEY_EC_P256, 0, NULL));
    for (size_t i = 0; i < 2; i++) {
        run->work[i] = (struct load_work){ .judge = judge, .bill = bill, .context = run, .weight = 1 };
        (void)snprintf(run->work[i].name, sizeof(run->work[i].name), "work %zu", i);
    }
    run->plan = (struct load_plan){ .work = run->work, .work_count = 2, .clients = 1 };
    run->result = (struct load_result){ .record = run->record, .target_cpu_seconds = -1 };
    return run;
}

static void end(struct a_run *run)
{
    keys_unref(run->keys);
    free(run);
}

/* An exchange of that work, due at so many milliseconds, that ended so many later with this body. */
static struct load_record *add(struct a_run *run, uint8_t work, int64_t due_ms, int64_t took_ms,
                               const char *body)
{
    struct load_record *r = &run->record[run->result.count++];

    *r = (struct load_record){ .work = work,
                               .held = true,
                               .requests = 1,
                               .due_us = due_ms * 1000,
                               .begun_us = due_ms * 1000,
                               .ended_us = (due_ms + took_ms) * 1000,
                               .answer = { .status = 200, .body = bytes_text(body) } };
    if (r->ended_us > run->result.to_us)
        run->result.to_us = r->ended_us;
    return r;
}

static void make(struct a_run *run, const struct load_options *options, struct summary *out)
{
    struct error err = { 0 };

    assert_true(summary_make(&run->plan, &run->result, options, out, &err));
}

static void what_ends_in_the_warm_up_is_not_measured(void **state)
{
    struct a_run *run = a_run();
    AUTO_STRUCT(summary) s = { 0 };

    (void)state;
    run->result.from_us = 100 * 1000;
    (void)add(run, 0, 0, 99, "aaaa");
    (void)add(run, 0, 50, 60, "bbbb"); /* ends after it */
    add(run, 1, 100, 20, "pending")->begun_us += 7000;
    add(run, 1, 150, 50, "no")->held = false; /* never begun, as the time was over */
    make(run, NULL, &s);
    assert_int_equal(s.all.good, 2);
    assert_int_equal(s.all.bad, 0);
    assert_int_equal(s.warm, 1);
    assert_int_equal(s.left, 1);
    assert_int_equal(s.work[0].good, 1);
    assert_int_equal(s.work[1].good, 1);
    assert_int_equal(histogram_max(s.all.latency), 60 * 1000);
    assert_int_equal(histogram_min(s.all.latency), 20 * 1000); /* from when it was due */
    assert_true(s.late_ms == 7);
    assert_true(s.seconds > 0.0999 && s.seconds < 0.1001);
    assert_true(s.cpu_us < 0); /* not known */
    end(run);
}

static void a_serial_number_that_comes_again_is_no_enrollment(void **state)
{
    struct a_run *run = a_run();
    AUTO_STRUCT(summary) s = { 0 };

    (void)state;
    (void)add(run, 0, 0, 10, "aaaa");
    (void)add(run, 0, 1, 10, "bbbb");
    (void)add(run, 0, 2, 10, "aaaa");
    (void)add(run, 0, 3, 10, "aaaa");
    (void)add(run, 1, 4, 10, "aaaa"); /* another CA may have it, too */
    make(run, NULL, &s);
    assert_int_equal(s.work[0].good, 2);
    assert_int_equal(s.work[0].bad, 2);
    assert_int_equal(s.work[1].good, 1);
    assert_int_equal(s.fault_count, 1);
    assert_int_equal(s.fault[0].count, 2);
    assert_non_null(strstr(s.fault[0].what, "work 0: the serial number of another answer"));
    end(run);
}

static void what_no_client_was_free_for_has_failed(void **state)
{
    struct a_run *run = a_run();
    AUTO_STRUCT(summary) s = { 0 };

    (void)state;
    (void)add(run, 0, 0, 10, "aaaa");
    add(run, 0, 0, 0, "")->held = false;
    run->record[1].missed = true;
    make(run, NULL, &s);
    assert_int_equal(s.all.good, 1);
    assert_int_equal(s.all.bad, 1);
    assert_int_equal(s.left, 0);
    assert_string_equal(s.fault[0].what, "work 0: no client was free for it");
    end(run);
}

static void failures_are_counted_by_kind_the_most_frequent_first(void **state)
{
    struct a_run *run = a_run();
    AUTO_STRUCT(summary) s = { 0 };
    char body[RECORDS][16];
    size_t all = 0;

    (void)state;
    (void)add(run, 0, 0, 1, "rare");
    run->record[0].fault = LINK_TIMEOUT;
    for (size_t i = 0; i < 3; i++)
        (void)add(run, 1, 1, 1, "often");
    make(run, NULL, &s);
    assert_int_equal(s.all.bad, 4);
    assert_int_equal(histogram_count(s.all.latency), 0);
    assert_int_equal(s.fault_count, 2);
    assert_string_equal(s.fault[0].what, "work 1: often");
    assert_int_equal(s.fault[0].count, 3);
    assert_string_equal(s.fault[1].what, "work 0: no answer in a minute");
    for (size_t i = run->result.count; i < RECORDS; i++) { /* more kinds than there is room for */
        (void)snprintf(body[i], sizeof(body[i]), "kind %zu", i);
        (void)add(run, 0, 1, 1, body[i]);
    }
    summary_free(&s);
    make(run, NULL, &s);
    assert_int_equal(s.fault_count, SUMMARY_FAULTS_MAX);
    for (size_t i = 0; i < s.fault_count; i++)
        all += s.fault[i].count;
    assert_int_equal(all, RECORDS);
    end(run);
}

static void the_floor_has_the_handshakes_that_there_were(void **state)
{
    const struct load_options options = { .floor = true };
    struct a_run *run = a_run();
    AUTO_STRUCT(summary) s = { 0 };
    struct floor expected = { 0 };
    double us;

    (void)state;
    run->work[0].target.tls = true;
    for (size_t i = 0; i < 4; i++)
        add(run, 0, 0, 1, "pending")->connections = i < 3;
    run->record[2].resumed = 1; /* two full ones, one resumed, and one that was kept */
    (void)add(run, 1, 0, 1, "pending");
    make(run, &options, &s);
    expected.times[VERIFY_P256] = 1 + 0.5;
    expected.times[SIGN_P256] = 0.5;
    expected.times[EXCHANGE_X25519] = 0.75;
    us = floor_us(&expected, 0);
    assert_true(s.work[0].floor_us > us * 0.999 && s.work[0].floor_us < us * 1.001);
    expected = (struct floor){ .times = { [VERIFY_P256] = 1 } };
    us = floor_us(&expected, 0);
    assert_true(s.work[1].floor_us > us * 0.999 && s.work[1].floor_us < us * 1.001); /* no TLS */
    us = (4 * s.work[0].floor_us + s.work[1].floor_us) / 5;
    assert_true(s.all.floor_us > us * 0.999 && s.all.floor_us < us * 1.001);
    end(run);
}

static void steps_of_time_have_every_exchange_once(void **state)
{
    struct a_run *run = a_run();
    AUTO_STRUCT(summary) s = { 0 };

    (void)state;
    run->result.from_us = 100 * 1000;
    (void)add(run, 0, 0, 50, "aaaa"); /* the warm-up, too */
    (void)add(run, 0, 0, 250, "bbbb");
    (void)add(run, 0, 200, 60, "cccc");
    (void)add(run, 0, 200, 70, "refused");
    make(run, NULL, &s);
    assert_true(s.step_s == 0.1);
    assert_int_equal(s.step_count, 3);
    assert_int_equal(s.step[0].good, 1);
    assert_int_equal(s.step[1].good, 0);
    assert_int_equal(s.step[2].good, 2);
    assert_int_equal(s.step[2].bad, 1);
    assert_true(s.step[2].p50_ms >= 60 && s.step[2].p50_ms < 60.1);
    assert_true(s.step[2].p99_ms >= 250 && s.step[2].p99_ms < 250.3);
    summary_free(&s);
    run->record[1].ended_us = run->result.to_us = (int64_t)3600 * 1000000; /* an hour */
    make(run, NULL, &s);
    assert_true(s.step_count <= SUMMARY_STEPS_MAX);
    assert_int_equal(s.step[0].good, 2);
    assert_int_equal(s.step[s.step_count - 1].good, 1);
    end(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ends_in_the_warm_up_is_not_measured),
        cmocka_unit_test(a_serial_number_that_comes_again_is_no_enrollment),
        cmocka_unit_test(what_no_client_was_free_for_has_failed),
        cmocka_unit_test(failures_are_counted_by_kind_the_most_frequent_first),
        cmocka_unit_test(the_floor_has_the_handshakes_that_there_were),
        cmocka_unit_test(steps_of_time_have_every_exchange_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
