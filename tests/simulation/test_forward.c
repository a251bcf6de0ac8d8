/* The daemon's own threads (loop, workers, writer, runner) in front of an upstream CA on a socket that
 * answers when the test says so: answers are held back while the procedure has patience, workers never wait,
 * and at the stop everybody gets an answer. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "gateway/gateway.h"
#include "lib/base/clock.h"
#include "tests/lib/devices.h"
#include "tests/lib/upstream.h"

enum { DEVICES = 6, QUESTIONS_MAX = 64, ANSWER_MAX = 65536 };

/* What the CA was asked and has not answered. */
struct upstream_ca {
    struct net_server *server;
    struct upstream settings;
    char url[64];
    pthread_mutex_t lock;
    struct net_exchange *question[QUESTIONS_MAX];
    size_t count, most;
};

struct world {
    struct a_gateway *g;
    struct gateway gateway;
    struct upstream_ca ca;
    struct device device[DEVICES];
};

static void sleep_ms(unsigned ms)
{
    (void)nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 }, NULL);
}

/* --- the CA --- */
static void on_question(struct net_exchange *exchange, void *context)
{
    struct upstream_ca *ca = context;

    (void)pthread_mutex_lock(&ca->lock);
    assert_true(ca->count < QUESTIONS_MAX);
    ca->question[ca->count++] = exchange;
    if (ca->count > ca->most)
        ca->most = ca->count;
    (void)pthread_mutex_unlock(&ca->lock);
}

static struct net_exchange *next_question(struct upstream_ca *ca)
{
    struct net_exchange *next = NULL;

    (void)pthread_mutex_lock(&ca->lock);
    if (ca->count > 0)
        next = ca->question[--ca->count];
    (void)pthread_mutex_unlock(&ca->lock);
    return next;
}

static size_t questions(struct upstream_ca *ca)
{
    size_t count;

    (void)pthread_mutex_lock(&ca->lock);
    count = ca->count;
    (void)pthread_mutex_unlock(&ca->lock);
    return count;
}

static void wait_for_questions(struct upstream_ca *ca, size_t count)
{
    int64_t give_up_ms = clock_monotonic_ms() + 20000;

    while (questions(ca) < count && clock_monotonic_ms() < give_up_ms)
        sleep_ms(10);
    assert_true(questions(ca) >= count);
}

/* Whoever was asked until now gets a certificate. */
static void answer_all(struct world *w)
{
    struct net_exchange *exchange;
    struct upstream_order order;

    while ((exchange = next_question(&w->ca)) != NULL) {
        assert_true(upstream_read(exchange->request.body, &order));
        exchange->response = http_respond(200, "application/x-test",
                                          upstream_issue(&w->g->ca, w->g->config.keys, &order,
                                                         (struct certificate_template){ .path_len = -1 },
                                                         "ca", &random_system, clock_now_s(),
                                                         exchange->request.arena));
        net_reply(exchange);
    }
}

static void answer_none(struct world *w)
{
    struct net_exchange *exchange;

    while ((exchange = next_question(&w->ca)) != NULL) {
        exchange->response = http_respond_text(503, "closed\n");
        net_reply(exchange);
    }
}

static struct net_server *serve(struct world *w, net_on_request *handler, void *context)
{
    struct net_options options = NET_OPTIONS_DEFAULT;
    struct net_listener listener = { .name = "test", .address = "127.0.0.1", .base_url = "http://127.0.0.1" };
    struct net_server *server = NULL;

    assert_true(net_server_new(&options, &listener, 1, w->g->config.keys, handler, context, &server, NULL));
    assert_true(net_server_start(server, NULL));
    return server;
}

/* --- the gateway --- */
static struct config *a_config(struct world *w)
{
    struct arena *arena = arena_new(1 << 20);
    struct config *config = arena_alloc(arena, sizeof(*config));

    assert_non_null(config);
    *config = w->g->config;
    config->arena = arena;
    config->keys = keys_ref(config->keys);
    config->workers = 1;
    config->queue_max = 64;
    return config;
}

static void start(struct world *w, unsigned patience_s)
{
    struct gateway *gateway = &w->gateway;

    w->g = a_gateway_new(7);
    (void)pthread_mutex_init(&w->ca.lock, NULL);
    w->ca.server = serve(w, on_question, &w->ca);
    (void)snprintf(w->ca.url, sizeof(w->ca.url), "http://127.0.0.1:%u/ca",
                   (unsigned)net_server_port(w->ca.server, 0));
    w->ca.settings.url = w->ca.url;
    w->g->ca.connector = &upstream_connector;
    w->g->ca.connector_service = &w->ca.settings;
    w->g->ca.patience = (struct ca_patience){
        .timeout_ms = 30000, .concurrency = 4, .orders_max = 100, .order_keep_s = 86400
    };
    w->g->procedure.patience_s = patience_s;
    for (unsigned i = 0; i < DEVICES; i++) {
        char fqdn[64];

        (void)snprintf(fqdn, sizeof(fqdn), "device-%u.example.com", i);
        w->device[i] = (struct device){ .kind = DEVICE_PLAIN, .protocol = PROTOCOL_SCEP, .number = i };
        device_init(&w->device[i], fqdn, i % DEVICE_KEYS);
        a_gateway_register(w->g, fqdn, "right-secret", (struct registration){ 0 });
    }
    assert_true(live_config_init(&gateway->live, a_config(w), NULL));
    assert_true(monitor_new(&gateway->monitor, NULL));
    assert_true(slow_down_new(64, &gateway->slow_down, NULL));
    assert_true(parking_new(16, &gateway->parking, NULL));
    gateway->registry = w->g->registry;
    assert_true(writer_start(gateway->registry, &gateway->writer, NULL));
    assert_true(runner_start(gateway, &gateway->runner, NULL));
    assert_true(workers_start(gateway, NULL));
    gateway->server = serve(w, gateway_on_request, gateway);
}

static void stop(struct world *w)
{
    struct gateway *gateway = &w->gateway;

    gateway_run_again(parking_close(gateway->parking));
    net_server_stop(gateway->server);
    workers_stop(gateway);
    runner_stop(gateway->runner);
    writer_stop(gateway->writer);
    net_server_free(gateway->server);
    answer_none(w);
    net_server_stop(w->ca.server);
    net_server_free(w->ca.server);
    parking_free(gateway->parking);
    slow_down_free(gateway->slow_down);
    monitor_free(gateway->monitor);
    live_config_destroy(&gateway->live);
    for (unsigned i = 0; i < DEVICES; i++)
        device_free(&w->device[i]);
    a_gateway_free(w->g);
}

/* --- devices --- */
struct asking {
    struct http_request request;
    pthread_t thread;
    uint16_t port;
    struct bytes message; /* the whole request */
    char answer[ANSWER_MAX];
    size_t len;
    int64_t took_ms;
};

static void *ask_on(void *context)
{
    struct asking *a = context;
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(a->port) };
    int64_t began_ms = clock_monotonic_ms();
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ssize_t got;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
        send(fd, a->message.data, a->message.len, MSG_NOSIGNAL) == (ssize_t)a->message.len)
        while (a->len < sizeof(a->answer) &&
               (got = recv(fd, a->answer + a->len, sizeof(a->answer) - a->len, 0)) > 0)
            a->len += (size_t)got;
    if (fd >= 0)
        (void)close(fd);
    a->took_ms = clock_monotonic_ms() - began_ms;
    return NULL;
}

/* Sends a request of that device, the one before when `again`, on a thread of its own. */
static struct asking *ask(struct world *w, unsigned device, bool again)
{
    struct asking *a = arena_alloc(w->g->arena, sizeof(*a));
    AUTO_STRUCT(buffer) text = BUFFER(ANSWER_MAX);

    assert_non_null(a);
    device_request(&w->device[device], w->g, again, w->g->arena, &a->request);
    buffer_format(
        &text,
        "POST %.*s?%.*s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
        BYTES_FMT(a->request.path), BYTES_FMT(a->request.query), a->request.body.len);
    buffer_append(&text, a->request.body);
    a->message = arena_copy(w->g->arena, buffer_bytes(&text));
    a->port = net_server_port(w->gateway.server, 0);
    assert_int_equal(pthread_create(&a->thread, NULL, ask_on, a), 0);
    return a;
}

/* The device has its certificate; false: it is told to wait. */
static bool has_certificate(struct world *w, unsigned device, struct asking *a)
{
    const char *end;
    struct http_response response = { .status = 200 };
    struct bytes der;

    assert_int_equal(pthread_join(a->thread, NULL), 0);
    assert_true(a->len > 12 && a->len < ANSWER_MAX);
    assert_memory_equal(a->answer, "HTTP/1.1 200", 12);
    end = memmem(a->answer, a->len, "\r\n\r\n", 4);
    assert_non_null(end);
    response.body = bytes_of(end + 4, a->len - (size_t)(end + 4 - a->answer));
    return device_read(&w->device[device], w->g, &a->request, &response, w->g->arena, &der);
}

/* --- what must hold --- */
static void an_answer_is_held_back_until_the_ca_has_given_the_certificate(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct asking *a;

    (void)state;
    start(w, 20);
    a = ask(w, 0, false);
    wait_for_questions(&w->ca, 1);
    answer_all(w);
    assert_true(has_certificate(w, 0, a));
    assert_true(a->took_ms < 15000);
    a = ask(w, 0, true);
    assert_true(has_certificate(w, 0, a));
    stop(w);
    free(w);
}

static void patience_ends_and_no_worker_waited(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct asking *a[DEVICES];

    (void)state;
    start(w, 1);
    for (unsigned i = 0; i < DEVICES; i++)
        a[i] = ask(w, i, false);
    for (unsigned i = 0; i < DEVICES; i++) {
        assert_false(has_certificate(w, i, a[i]));
        assert_true(a[i]->took_ms >= 900);
        assert_true(a[i]->took_ms < 15000); /* one worker, and all of them wait */
    }
    wait_for_questions(&w->ca, 4);
    assert_int_equal(w->ca.most, 4); /* at a time */
    for (unsigned i = 0; i < DEVICES; i++) {
        a[i] = ask(w, i, true);
        answer_all(w);
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        bool has = has_certificate(w, i, a[i]);

        for (int64_t give_up_ms = clock_monotonic_ms() + 20000; !has && clock_monotonic_ms() < give_up_ms;) {
            answer_all(w);
            a[i] = ask(w, i, true);
            has = has_certificate(w, i, a[i]);
        }
        assert_true(has);
    }
    stop(w);
    free(w);
}

static void at_the_stop_everybody_gets_an_answer(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct asking *a;

    (void)state;
    start(w, 60);
    a = ask(w, 0, false);
    wait_for_questions(&w->ca, 1);
    for (int i = 0; i < 500 && parking_count(w->gateway.parking) == 0; i++)
        sleep_ms(10);
    assert_int_equal(parking_count(w->gateway.parking), 1);
    gateway_run_again(parking_close(w->gateway.parking));
    assert_false(has_certificate(w, 0, a));
    assert_true(a->took_ms < 30000);
    stop(w);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_held_back_until_the_ca_has_given_the_certificate),
        cmocka_unit_test(patience_ends_and_no_worker_waited),
        cmocka_unit_test(at_the_stop_everybody_gets_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
