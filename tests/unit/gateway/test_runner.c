/* Jobs on their real threads: runner, writer, registry and outbound client, against a server of our own. */
#include "tests/lib/test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "gateway/gateway.h"
#include "jobs/job.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "tests/lib/alpn_server.h"
#include "tests/lib/dns_server.h"

static char server_url[64];
static char folder[64];

static struct state_key result_key(void)
{
    return (struct state_key){ .kind = "test", .id = BYTES_LITERAL("result") };
}

/* Waits a second, asks the server, and keeps what it said. */
static bool fetch(struct turn *turn, const void *service, const struct job_record *job,
                  const struct job_event *event, struct job_step *out, struct error *err)
{
    struct state_key key = result_key();

    (void)service;
    (void)err;
    if (event->kind == JOB_EVENT_HTTP) {
        struct state_value value = { .blob = event->http_ok ? event->http_body
                                                            : bytes_text(event->http_failure) };

        assert_true(bytes_is(job->state, "asked")); /* saved before the request left */
        change_state_put(&turn->changes, &key, &value, 0);
        out->effect = (struct job_effect){ .kind = JOB_EFFECT_WAIT, .until_s = turn->now_s + 3600 };
    } else if (job->state.len == 0) {
        out->state = BYTES_LITERAL("waited");
        out->effect = (struct job_effect){ .kind = JOB_EFFECT_WAIT, .until_s = turn->now_s + 1 };
    } else {
        out->state = BYTES_LITERAL("asked");
        out->effect = (struct job_effect){ .kind = JOB_EFFECT_HTTP,
                                           .method = HTTP_METHOD_POST,
                                           .url = bytes_text(server_url),
                                           .content_type = BYTES_LITERAL("text/plain"),
                                           .body = BYTES_LITERAL("question"),
                                           .timeout_ms = 5000 };
    }
    return true;
}

/* --- a job that asks about a stranger: a name, then its HTTP server, then its TLS server --- */
#define B(text)                                   \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

static const struct dns_server_row dns_rows[] = {
    { .name = "_acme-challenge.device.example", .type = DNS_TYPE_TXT, .rdata = { B("\3txt"), B("\1x") } },
    { .name = "device.example", .type = DNS_TYPE_A, .rdata = { B("\x7f\0\0\1") } },
};
static const struct ip_range loopback[] = { { { 4, { 127 } }, 8 } };
static const struct address_rules rules = { .allowed = loopback, .allowed_count = 1 };

struct stranger {
    struct dns_server dns;
    struct alpn_server tls;
    char url[64];
    uint16_t port;
    struct address_rules mine; /* of the handler's stack, as far as the runner knows */
};

static struct job_effect effect_to(const struct stranger *s, enum job_effect_kind kind)
{
    struct dns_name device = { .len = 14, .text = "device.example" };
    struct job_effect effect = { .kind = kind,
                                 .timeout_ms = 10000,
                                 .target = "strangers",
                                 .target_max = 4,
                                 .method = HTTP_METHOD_GET,
                                 .url = bytes_text(s->url),
                                 .rules = &s->mine,
                                 .port = kind == JOB_EFFECT_HTTP ? s->port : s->tls.port,
                                 .type = DNS_TYPE_TXT,
                                 .host = BYTES_LITERAL("device.example"),
                                 .alpn = "acme-tls/1" };

    if (kind == JOB_EFFECT_DNS)
        assert_true(dns_name_below("_acme-challenge", &device, &effect.name));
    else
        effect.name = device;
    return effect;
}

static bool validate(struct turn *turn, const void *service, const struct job_record *job,
                     const struct job_event *event, struct job_step *out, struct error *err)
{
    const struct stranger *s = service;
    struct state_key key = result_key();
    struct state_value value = { 0 };

    (void)err;
    switch (event->kind) {
    case JOB_EVENT_DUE: out->effect = effect_to(s, JOB_EFFECT_DNS); break;
    case JOB_EVENT_DNS:
        assert_int_equal(event->dns.status, DNS_STATUS_RECORDS);
        assert_int_equal(event->dns.count, 2);
        out->state = event->dns.record[0].value;
        out->effect = effect_to(s, JOB_EFFECT_HTTP);
        break;
    case JOB_EVENT_HTTP:
        assert_int_equal(event->fault, NET_OK);
        out->state = arena_format(turn->arena, "%.*s %.*s", BYTES_FMT(job->state),
                                  BYTES_FMT(event->http_body));
        out->effect = effect_to(s, JOB_EFFECT_PROBE);
        break;
    case JOB_EVENT_FILE: fail(); break;
    case JOB_EVENT_PROBE:
        assert_int_equal(event->fault, NET_OK);
        assert_true(
            bytes_equal(event->probe_certificate, bytes_of(s->tls.certificate, s->tls.certificate_len)));
        value.blob = job->state;
        change_state_put(&turn->changes, &key, &value, 0);
        out->effect = (struct job_effect){ .kind = JOB_EFFECT_WAIT, .until_s = turn->now_s + 3600 };
        break;
    }
    return true;
}

/* Writes a file, cannot write another, and asks for a reload. */
static char file_path[96];
static bool write_files(struct turn *turn, const void *service, const struct job_record *job,
                        const struct job_event *event, struct job_step *out, struct error *err)
{
    struct state_key key = result_key();
    struct state_value value;

    (void)service;
    (void)err;
    if (event->kind == JOB_EVENT_DUE) {
        out->state = BYTES_LITERAL("first");
        out->effect = (struct job_effect){ .kind = JOB_EFFECT_FILE,
                                           .path = file_path,
                                           .content = BYTES_LITERAL("content") };
        return true;
    }
    assert_int_equal(event->kind, JOB_EVENT_FILE);
    if (bytes_is(job->state, "first")) {
        assert_true(event->file_ok);
        out->state = BYTES_LITERAL("second");
        out->effect = (struct job_effect){ .kind = JOB_EFFECT_FILE,
                                           .path = "/nowhere/at/all",
                                           .content = BYTES_LITERAL("content") };
        return true;
    }
    assert_false(event->file_ok);
    value = (struct state_value){ .blob = bytes_text(event->file_failure) };
    change_state_put(&turn->changes, &key, &value, 0);
    out->effect =
        (struct job_effect){ .kind = JOB_EFFECT_WAIT, .until_s = turn->now_s + 3600, .reload = true };
    return true;
}

static atomic_uint reloads;
static void on_ask_reload(void)
{
    (void)atomic_fetch_add(&reloads, 1);
}

static void answer(struct net_exchange *exchange, void *context)
{
    (void)context;
    if (bytes_is(exchange->request.path, "/token")) {
        exchange->response = http_respond(200, "text/plain", BYTES_LITERAL("token"));
        net_reply(exchange);
        return;
    }
    exchange->response = bytes_is(exchange->request.body, "question")
                             ? http_respond(200, "text/plain", BYTES_LITERAL("answer"))
                             : http_respond_text(400, "what?\n");
    net_reply(exchange);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static struct net_server *serve(struct keys *keys)
{
    struct net_options options = NET_OPTIONS_DEFAULT;
    struct net_listener listener = { .name = "test", .address = "127.0.0.1", .base_url = "http://127.0.0.1" };
    struct net_server *server = NULL;

    assert_true(net_server_new(&options, &listener, 1, keys, answer, NULL, &server, NULL));
    assert_true(net_server_start(server, NULL));
    (void)snprintf(server_url, sizeof(server_url), "http://127.0.0.1:%u/ask",
                   (unsigned)net_server_port(server, 0));
    return server;
}

static bool result_is_there(struct registry *registry, char *out, size_t size)
{
    struct state_key key = result_key();
    struct registry_view *view = NULL;
    struct state_value value;
    AUTO_ARENA *arena = arena_new(1 << 20);
    bool found = false;

    assert_true(registry_view_begin(registry, &view, NULL));
    assert_true(registry_state(view, &key, arena, &found, &value, NULL));
    if (found)
        (void)snprintf(out, size, "%.*s", BYTES_FMT(value.blob));
    registry_view_end(view);
    return found;
}

/* What one job keeps, run by a whole runner. */
static void run_job(struct gateway *gateway, struct stranger *s, char *result, size_t size)
{
    struct registry_options options = REGISTRY_OPTIONS_DEFAULT;
    struct arena *arena = arena_new(1 << 16);
    struct config *config = arena != NULL ? arena_alloc(arena, sizeof(*config)) : NULL;
    struct net_server *server;
    int64_t give_up_ms = clock_monotonic_ms() + 30000;

    options.path = folder;
    options.map_max = (uint64_t)1 << 28;
    options.no_sync = true;
    assert_non_null(config);
    config->arena = arena; /* which the configuration lies in */
    assert_true(keys_new(&config->keys, NULL));
    server = serve(config->keys);
    if (s != NULL) {
        config->dns_servers = s->dns.address;
        s->port = net_server_port(server, 0);
        (void)snprintf(s->url, sizeof(s->url), "http://device.example:%u/token", (unsigned)s->port);
    }
    assert_true(live_config_init(&gateway->live, config, NULL));
    assert_true(monitor_new(&gateway->monitor, NULL));
    assert_true(registry_open(&options, &gateway->registry, NULL));
    assert_true(writer_start(gateway->registry, &gateway->writer, NULL));
    assert_true(runner_start(gateway, &gateway->runner, NULL));

    while (!result_is_there(gateway->registry, result, size) && clock_monotonic_ms() < give_up_ms)
        (void)nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);

    runner_stop(gateway->runner);
    writer_stop(gateway->writer);
    registry_close(gateway->registry);
    monitor_free(gateway->monitor);
    live_config_destroy(&gateway->live);
    net_server_stop(server);
    net_server_free(server);
}

static void make_folder(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/muster-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static void a_job_waits_asks_and_keeps_the_answer(void **state)
{
    static const struct job_handler jobs[] = { { .kind = "fetch", .run = fetch, .standing = true } };
    struct gateway gateway = { .more_jobs = jobs, .more_job_count = 1 };
    char result[64] = "";

    (void)state;
    make_folder();
    run_job(&gateway, NULL, result, sizeof(result));
    assert_string_equal(result, "answer");
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void a_job_asks_about_a_stranger(void **state)
{
    struct stranger s = { .tls = { .alpn = "acme-tls/1" }, .mine = rules };
    const struct job_handler job = { .kind = "validate", .run = validate, .service = &s, .standing = true };
    struct gateway gateway = { .more_jobs = &job, .more_job_count = 1 };
    char result[64] = "";

    (void)state;
    dns_server_start(&s.dns, dns_rows, COUNT_OF(dns_rows));
    alpn_server_start(&s.tls);
    make_folder();
    run_job(&gateway, &s, result, sizeof(result));
    assert_string_equal(result, "txt token");
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    alpn_server_stop(&s.tls);
    dns_server_stop(&s.dns);
    assert_int_equal(s.tls.received, 0);
}

static void a_job_writes_files_and_asks_for_a_reload(void **state)
{
    static const struct job_handler jobs[] = { { .kind = "write", .run = write_files, .standing = true } };
    struct gateway gateway = { .more_jobs = jobs, .more_job_count = 1, .ask_reload = on_ask_reload };
    AUTO_STRUCT(buffer) content = BUFFER(64);
    char result[128] = "";

    (void)state;
    make_folder();
    (void)snprintf(file_path, sizeof(file_path), "%s/written", folder);
    run_job(&gateway, NULL, result, sizeof(result));
    assert_string_equal(result, "/nowhere/at/all.new: No such file or directory");
    assert_true(file_read(file_path, &content, NULL));
    assert_true(bytes_is(buffer_bytes(&content), "content"));
    assert_int_equal(atomic_load(&reloads), 1);
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_waits_asks_and_keeps_the_answer),
        cmocka_unit_test(a_job_asks_about_a_stranger),
        cmocka_unit_test(a_job_writes_files_and_asks_for_a_reload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
