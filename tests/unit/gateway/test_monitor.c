#include <unistd.h>

#include "tests/lib/test.h"

#include "gateway/monitor.h"

static const struct monitor_sources no_sources;

static struct answering answered(struct arena *arena, struct http_request *request, const char *verdict,
                                 const char *reason)
{
    *request = (struct http_request){ .arena = arena,
                                      .method = HTTP_METHOD_GET,
                                      .method_text = BYTES_LITERAL("GET"),
                                      .path = BYTES_LITERAL("/x") };
    return (struct answering){ .request = request,
                               .response = { .status = 200 },
                               .turn.facts = { .protocol = "est", .verdict = verdict, .reason = reason } };
}

static struct http_response ask(struct monitor *monitor, struct arena *arena, const char *path,
                                enum http_method method)
{
    struct http_request request = { .arena = arena, .method = method, .path = bytes_text(path) };
    struct http_response response = { 0 };

    assert_true(monitor_serve(monitor, &request, &response));
    return response;
}

static bool says(struct http_response response, const char *text)
{
    return memmem(response.body.data, response.body.len, text, strlen(text)) != NULL;
}

static void health_is_what_the_last_probe_found(void **state)
{
    AUTO_ARENA *arena = arena_new(1 << 20);
    struct monitor *monitor = NULL;

    (void)state;
    assert_true(monitor_new(&monitor, NULL));
    monitor_sources(monitor, &no_sources);
    assert_int_equal(ask(monitor, arena, "/healthz", HTTP_METHOD_GET).status, 503); /* not probed yet */
    monitor_health(monitor, &(struct health){ .ok = true, .days_left = 12 });
    assert_int_equal(ask(monitor, arena, "/healthz", HTTP_METHOD_GET).status, 200);
    assert_true(
        says(ask(monitor, arena, "/metrics", HTTP_METHOD_GET), "muster_service_certificate_days_left 12\n"));
    monitor_health(monitor, &(struct health){ .what = "ca demo: does not sign" });
    assert_int_equal(ask(monitor, arena, "/healthz", HTTP_METHOD_GET).status, 503);
    assert_true(says(ask(monitor, arena, "/healthz", HTTP_METHOD_GET), "ca demo: does not sign"));
    assert_int_equal(ask(monitor, arena, "/metrics", HTTP_METHOD_POST).status, 405);
    assert_false(monitor_serve(monitor, &(struct http_request){ .path = BYTES_LITERAL("/other") },
                               &(struct http_response){ 0 }));
    monitor_free(monitor);
}

static void the_end_of_each_certificate_in_force_is_told(void **state)
{
    const struct health_certificate certificate[] = {
        { .what = "listener tls", .not_after_s = 1790000000 },
        { .what = "scep ra main", .not_after_s = 1800000000 },
    };
    struct config config = { .certificate = certificate, .certificate_count = 2 };
    AUTO_ARENA *arena = arena_new(1 << 20);
    struct monitor *monitor = NULL;

    (void)state;
    assert_true(monitor_new(&monitor, NULL));
    monitor_configuration(monitor, &config);
    assert_true(says(ask(monitor, arena, "/metrics", HTTP_METHOD_GET),
                     "# TYPE muster_certificate_expiry_seconds gauge\n"
                     "muster_certificate_expiry_seconds{certificate=\"listener tls\"} 1790000000\n"
                     "muster_certificate_expiry_seconds{certificate=\"scep ra main\"} 1800000000\n"));
    config.certificate_count = 1;
    monitor_configuration(monitor, &config);
    assert_false(says(ask(monitor, arena, "/metrics", HTTP_METHOD_GET), "scep ra main"));
    monitor_free(monitor);
}

/* The hashes are sha256sum's and sha1sum's of "abc" (FIPS 180-4). */
static void scep_38_fingerprints_of_each_ca_are_logged(void **state)
{
    struct ca ca[] = { { .name = "demo", .chain = { BYTES_LITERAL("abc") }, .chain_count = 1 },
                       { .name = "next", .chain = { BYTES_LITERAL("abd") }, .chain_count = 1 } };
    struct config config = { .ca = ca, .ca_count = COUNT_OF(ca) };
    struct monitor *monitor = NULL;
    char line[1024] = "";
    int ends[2];
    ssize_t len;

    (void)state;
    assert_true(monitor_new(&monitor, NULL));
    assert_int_equal(pipe(ends), 0);
    log_open(ends[1], LOG_FORMAT_TEXT, LOG_INFO);
    monitor_configuration(monitor, &config);
    log_open(STDERR_FILENO, LOG_FORMAT_TEXT, LOG_INFO);
    (void)close(ends[1]);
    len = read(ends[0], line, sizeof(line) - 1);
    assert_true(len > 0);
    line[len] = '\0';
    (void)close(ends[0]);
    assert_non_null(strstr(
        line, " info ca name=demo sha256=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad "
              "sha1=a9993e364706816aba3e25717850c26c9cd0d89d\n"));
    assert_non_null(strstr(line, " info ca name=next sha256="));
    monitor_free(monitor);
}

static void every_answer_is_counted_by_protocol_verdict_and_reason(void **state)
{
    AUTO_ARENA *arena = arena_new(1 << 20);
    AUTO_STRUCT(buffer) refusals = BUFFER(4096);
    struct monitor *monitor = NULL;
    struct http_request request;
    struct answering a;

    (void)state;
    assert_true(monitor_new(&monitor, NULL));
    monitor_sources(monitor, &no_sources);
    for (unsigned i = 0; i < 3; i++) {
        a = answered(arena, &request, "refused", "secret");
        monitor_answered(monitor, &a, 7);
    }
    a = answered(arena, &request, "issued", NULL);
    monitor_answered(monitor, &a, 70);
    assert_true(says(ask(monitor, arena, "/metrics", HTTP_METHOD_GET),
                     "muster_requests_total{protocol=\"est\",verdict=\"refused\",reason=\"secret\"} 3\n"));
    assert_true(says(ask(monitor, arena, "/metrics", HTTP_METHOD_GET),
                     "muster_request_duration_seconds_bucket{le=\"0.01\"} 3\n"));
    assert_true(
        says(ask(monitor, arena, "/metrics", HTTP_METHOD_GET), "muster_request_duration_seconds_count 4\n"));
    monitor_refusals(monitor, &refusals);
    assert_text(buffer_bytes(&refusals), "{\"est/secret\":3}");
    refusals.len = 0;
    monitor_refusals(monitor, &refusals); /* each refusal is summed once */
    assert_int_equal(refusals.len, 0);
    monitor_free(monitor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_is_what_the_last_probe_found),
        cmocka_unit_test(the_end_of_each_certificate_in_force_is_told),
        cmocka_unit_test(scep_38_fingerprints_of_each_ca_are_logged),
        cmocka_unit_test(every_answer_is_counted_by_protocol_verdict_and_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
