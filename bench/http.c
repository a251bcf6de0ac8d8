/* muster-bench http: CPU of one request through lib/net and lib/http with a handler that does nothing,
 * against the same request through the least that a server can do (bare_server.h). Each is a process of its
 * own on the same core; they are driven in turn from another. */
#include <openssl/ssl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/arguments.h"
#include "bench/bare_server.h"
#include "bench/bench.h"
#include "bench/driver.h"
#include "bench/figures.h"
#include "ca/ca.h"
#include "lib/net/server.h"

enum { BODY_LEN = 1024, ANSWER_LEN = 1536, WARM_UP_MS = 200 };
static const char CONTENT_TYPE[] = "application/octet-stream";

AUTO_POINTER(SSL_CTX, SSL_CTX_free)

struct ports {
    uint16_t plain, secure;
};

/* A server's process. */
struct served {
    pid_t pid;
    struct ports ports;
};

struct bench {
    uint64_t rounds, round_ms, connections;
    bool json;
    struct keys *keys;
    struct arena *arena;
    char certificate[PATH_MAX]; /* PEM file */
    uint8_t body[ANSWER_LEN];
    struct buffer request;
};

/* --- certificate and request --- */
static bool write_certificate(struct bench *bench, struct bytes der, struct error *err)
{
    AUTO_STRUCT(buffer) pem = BUFFER(16 * 1024);
    const char *directory = getenv("TMPDIR");
    int fd;
    bool written;

    (void)snprintf(bench->certificate, sizeof(bench->certificate), "%s/muster-bench-XXXXXX",
                   directory != NULL ? directory : "/tmp");
    fd = mkstemp(bench->certificate);
    written = fd >= 0 && pem_encode("CERTIFICATE", der, &pem) &&
              write(fd, pem.data, pem.len) == (ssize_t)pem.len;
    if (fd >= 0)
        (void)close(fd);
    return written || error_errno(err, "the certificate's file");
}

static bool prepare(struct bench *bench, struct error *err)
{
    struct ca_make make = { .validity_s = 86400, .now_s = (int64_t)time(NULL) };
    AUTO_STRUCT(buffer) subject = BUFFER(512);
    struct bytes der;

    memset(bench->body, 'a', sizeof(bench->body));
    bench->request = BUFFER(64 * 1024);
    buffer_format(&bench->request,
                  "POST /.well-known/est/demo/simpleenroll HTTP/1.1\r\nHost: localhost\r\n"
                  "User-Agent: bench\r\nAccept: */*\r\nContent-Type: application/pkcs10\r\n"
                  "Authorization: Basic YmVuY2g6YmVuY2gtc2VjcmV0\r\nContent-Length: %d\r\n\r\n",
                  BODY_LEN);
    buffer_append(&bench->request, bytes_of(bench->body, BODY_LEN));
    bench->arena = arena_new(1 << 20);
    if (bench->arena == NULL || !name_parse(BYTES_LITERAL("CN=localhost"), &subject))
        return error_set(err, ERROR_MEMORY, "out of memory");
    make.subject = buffer_bytes(&subject);
    return keys_new(&bench->keys, err) && keys_generate(bench->keys, "tls", KEY_EC_P256, 0, err) &&
           ca_make_root(&make, bench->keys, "tls", &random_system, bench->arena, &der, err) &&
           write_certificate(bench, der, err);
}

/* --- the servers --- */
static void answer_at_once(struct net_exchange *exchange, void *context)
{
    const struct bench *bench = context;

    exchange->response = http_respond(200, CONTENT_TYPE, BYTES_ARRAY(bench->body));
    net_reply(exchange);
}

static bool start_ours(struct bench *bench, struct ports *out, struct error *err)
{
    const struct net_listener listener[] = {
        { .name = "plain", .address = "127.0.0.1", .base_url = "http://localhost" },
        { .name = "tls",
          .address = "127.0.0.1",
          .base_url = "https://localhost",
          .tls = { .enabled = true, .certificate_path = bench->certificate, .key_name = "tls" } },
    };
    const struct net_options options = NET_OPTIONS_DEFAULT;
    struct net_server *server; /* for as long as the process lives */

    if (!net_server_new(&options, listener, COUNT_OF(listener), bench->keys, answer_at_once, bench, &server,
                        err) ||
        !net_server_start(server, err))
        return false;
    *out = (struct ports){ net_server_port(server, 0), net_server_port(server, 1) };
    return true;
}

static bool bare_context(const struct bench *bench, SSL_CTX **out, struct error *err)
{
    AUTO(SSL_CTX) *tls = SSL_CTX_new(TLS_server_method());

    if (tls == NULL || SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set1_groups_list(tls, "X25519:P-256") != 1 ||
        SSL_CTX_use_certificate_chain_file(tls, bench->certificate) != 1)
        return error_openssl(err, "TLS");
    (void)SSL_CTX_set_read_ahead(tls, 1);
    if (!keys_set_tls(bench->keys, "tls", tls, err))
        return false;
    *out = take(tls);
    return true;
}

static bool start_bare(struct bench *bench, struct bare_server *server, struct ports *out, struct error *err)
{
    struct bytes answer = arena_format(
        bench->arena, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%.*s", CONTENT_TYPE,
        ANSWER_LEN, ANSWER_LEN, (const char *)bench->body);
    SSL_CTX *tls = NULL;

    return bare_context(bench, &tls, err) &&
           bare_server_open(server, tls, answer, &out->plain, &out->secure, err);
}

/* The n-th of the cores that we may run on, or the last. */
static void stay_on_core(int n)
{
    cpu_set_t may, only;
    size_t chosen = CPU_SETSIZE;

    if (sched_getaffinity(0, sizeof(may), &may) != 0)
        return;
    for (size_t cpu = 0; cpu < CPU_SETSIZE && n >= 0; cpu++)
        if (CPU_ISSET(cpu, &may)) {
            chosen = cpu;
            n--;
        }
    CPU_ZERO(&only);
    if (chosen < CPU_SETSIZE)
        CPU_SET(chosen, &only);
    (void)sched_setaffinity(0, sizeof(only), &only);
}

static void serve(struct bench *bench, bool ours, int tell)
{
    struct bare_server bare;
    struct ports ports;
    struct error err = { 0 };

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    stay_on_core(0);
    if (!(ours ? start_ours(bench, &ports, &err) : start_bare(bench, &bare, &ports, &err))) {
        (void)fprintf(stderr, "muster-bench: %s\n", err.text);
        _exit(EXIT_FAILURE);
    }
    if (write(tell, &ports, sizeof(ports)) != sizeof(ports))
        _exit(EXIT_FAILURE);
    if (!ours)
        bare_server_run(&bare);
    for (;;)
        (void)pause();
}

static bool start_server(struct bench *bench, bool ours, struct served *out, struct error *err)
{
    int tell[2];
    bool told;

    if (pipe(tell) != 0)
        return error_errno(err, "pipe");
    out->pid = fork();
    if (out->pid == 0) {
        (void)close(tell[0]);
        serve(bench, ours, tell[1]);
    }
    (void)close(tell[1]);
    told = out->pid > 0 && read(tell[0], &out->ports, sizeof(out->ports)) == sizeof(out->ports);
    (void)close(tell[0]);
    return told || error_set(err, ERROR_IO, "a server does not start");
}

static void stop_server(struct served *server)
{
    if (server->pid <= 0)
        return;
    (void)kill(server->pid, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
}

/* --- measuring --- */
struct side {
    const struct served *server;
    struct driver *driver;
    struct rounds us;
};

static bool measure_side(struct bench *bench, struct side *side, unsigned ms, bool counts, struct error *err)
{
    double begun = figures_process_of_s(side->server->pid);
    uint64_t answers = 0;

    if (!driver_run(side->driver, buffer_bytes(&bench->request), ANSWER_LEN, ms / 1e3, &answers, err))
        return false;
    if (counts && answers > 0)
        rounds_add(&side->us, (figures_process_of_s(side->server->pid) - begun) * 1e6 / (double)answers);
    return true;
}

static bool measure_both(struct bench *bench, struct side side[2], struct error *err)
{
    for (size_t i = 0; i < 2; i++)
        if (!measure_side(bench, &side[i], WARM_UP_MS, false, err))
            return false;
    for (uint64_t round = 0; round < bench->rounds; round++)
        for (size_t i = 0; i < 2; i++)
            if (!measure_side(bench, &side[i], (unsigned)bench->round_ms, true, err))
                return false;
    return true;
}

static void report(const struct bench *bench, const char *name, const struct side side[2])
{
    struct spread ratio = rounds_ratio(&side[0].us, &side[1].us), ours = rounds_spread(&side[0].us),
                  bare = rounds_spread(&side[1].us);

    if (bench->json) {
        printf("{\"name\":\"http %s\",", name);
        spread_print_json("ratio", ratio);
        printf(",\"ours_us\":%.2f,\"bare_us\":%.2f}\n", ours.median, bare.median);
    } else {
        printf("%s, %u connections: %.1f us of CPU a request, a bare loop %.1f us: %.2f times (%.2f to "
               "%.2f)\n",
               name, (unsigned)bench->connections, ours.median, bare.median, ratio.median, ratio.low,
               ratio.high);
    }
}

static bool measure(struct bench *bench, const char *name, const struct served server[2], bool secure,
                    struct error *err)
{
    AUTO(SSL_CTX) *tls = secure ? SSL_CTX_new(TLS_client_method()) : NULL;
    struct side *side = calloc(2, sizeof(*side));
    bool done = side != NULL && (!secure || tls != NULL);

    if (!done)
        (void)error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; done && i < 2; i++) {
        const struct ports *ports = &server[i].ports;

        side[i].server = &server[i];
        done = driver_new(secure ? ports->secure : ports->plain, tls, (unsigned)bench->connections,
                          &side[i].driver, err);
    }
    done = done && measure_both(bench, side, err);
    if (done)
        report(bench, name, side);
    for (size_t i = 0; side != NULL && i < 2; i++)
        driver_free(side[i].driver);
    free(side);
    return done;
}

static const char usage[] =
    "usage: muster-bench http [--rounds N] [--round-ms N] [--connections N] [--json]\n"
    "\n"
    "CPU of a request (POST of 1 KB, answer of 1.5 KB, keep-alive) through lib/net and lib/http, divided by "
    "a\n"
    "bare epoll loop's: plain, then TLS 1.3. Rounds of both alternate (default 15 of 300 ms, 32 "
    "connections).\n";

int bench_http(int argc, char **argv)
{
    struct bench bench = { .rounds = 15, .round_ms = 300, .connections = 32 };
    const struct argument table[] = { { "rounds", ARGUMENT_NUMBER, { .number = &bench.rounds } },
                                      { "round-ms", ARGUMENT_NUMBER, { .number = &bench.round_ms } },
                                      { "connections", ARGUMENT_NUMBER, { .number = &bench.connections } },
                                      { "json", ARGUMENT_FLAG, { .flag = &bench.json } } };
    struct served server[2] = { 0 };
    struct error err = { 0 };
    bool done;

    if (!arguments_read(argc, argv, usage, table, COUNT_OF(table)))
        return 2;
    done = prepare(&bench, &err) && start_server(&bench, true, &server[0], &err) &&
           start_server(&bench, false, &server[1], &err);
    stay_on_core(1);
    (void)signal(SIGPIPE, SIG_IGN);
    done = done && measure(&bench, "plain", server, false, &err) &&
           measure(&bench, "TLS 1.3", server, true, &err);
    stop_server(&server[0]);
    stop_server(&server[1]);
    (void)unlink(bench.certificate);
    buffer_free(&bench.request);
    keys_unref(bench.keys);
    arena_free(bench.arena);
    if (!done)
        (void)fprintf(stderr, "muster-bench: %s\n", err.text);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
