#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/http/writer.h"
#include "lib/net/net_internal.h"

static void connection_continue(struct connection *c);

/* --- Deadlines: absolute, from the start of a phase. The timer is moved only when it stands too late. --- */

static void enter(struct connection *c, enum phase phase, int64_t deadline_ms)
{
    struct timeval tv;
    int64_t wait_ms;

    c->phase = phase;
    c->deadline_ms = deadline_ms;
    if (deadline_ms >= c->timer_ms)
        return;
    wait_ms = deadline_ms > c->loop->now_ms ? deadline_ms - c->loop->now_ms : 1;
    tv = (struct timeval){ .tv_sec = (time_t)(wait_ms / 1000),
                           .tv_usec = (suseconds_t)(wait_ms % 1000 * 1000) };
    if (event_add(&c->timer, &tv) == 0)
        c->timer_ms = deadline_ms;
}

void connection_enter_for(struct connection *c, enum phase phase, unsigned ms)
{
    enter(c, phase, c->loop->now_ms + ms);
}

/* --- Closing --- */

static void drop_exchange(struct connection *c)
{
    struct exchange *exchange = c->exchange;

    c->exchange = NULL;
    if (exchange == NULL)
        return;
    if (c->phase == PHASE_HANDLING)
        exchange->connection = NULL; /* the handler's now; it comes home by itself */
    else
        loop_exchange_done(c->loop, exchange);
}

void connection_close(struct connection *c)
{
    struct net_loop *loop = c->loop;

    if (c->phase == PHASE_CLOSED)
        return;
    drop_exchange(c);
    c->phase = PHASE_CLOSED;
    (void)event_del(&c->readable);
    (void)event_del(&c->writable);
    (void)event_del(&c->timer);
    transport_close(&c->transport);
    if (c->counted)
        address_count_remove(loop->server->addresses, &c->peer.address);
    (void)atomic_fetch_sub(&loop->server->open, 1);
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        loop->connections = c->next;
    if (c->next != NULL)
        c->next->previous = c->previous;
    c->next = loop->dead;
    loop->dead = c;
}

/* Nothing more is sent. What the peer still sends would make the kernel break the connection and lose our
 * last words, so after a refusal it is read and thrown away for a while. */
static void finish(struct connection *c)
{
    if (!c->refused && c->in.len == 0) {
        connection_close(c);
        return;
    }
    transport_end(&c->transport);
    buffer_free(&c->in);
    if (c->ended)
        connection_close(c);
    else
        connection_enter_for(c, PHASE_LINGER, LINGER_MS);
}

static void linger(struct connection *c)
{
    enum io result = IO_OK;
    size_t len;

    for (int round = 0; round < READ_ROUNDS && result == IO_OK; round++)
        result = transport_read(&c->transport, c->loop->scratch, SCRATCH_LEN, &len);
    if (result == IO_END || result == IO_FAILED)
        connection_close(c);
}

/* --- Sending --- */

/* Octets go out now as far as they can; the rest waits in `out`. */
static void send_octets(struct connection *c, struct bytes octets)
{
    enum io result = IO_OK;

    while (c->out.len == 0 && octets.len > 0 && result == IO_OK) {
        size_t written = 0;

        result = transport_write(&c->transport, octets, &written);
        if (result == IO_OK)
            octets = bytes_from(octets, written);
    }
    if (result == IO_FAILED || result == IO_END) {
        connection_close(c);
        return;
    }
    if (octets.len == 0)
        return;
    buffer_append(&c->out, octets);
    if (buffer_failed(&c->out) || event_add(&c->writable, NULL) != 0)
        connection_close(c);
}

static void response_sent(struct connection *c)
{
    if (c->close_after)
        finish(c);
    else
        connection_enter_for(c, PHASE_IDLE, c->loop->server->options.idle_ms);
}

static void send_response(struct connection *c, const struct http_response *response, bool head_only)
{
    struct net_loop *loop = c->loop;

    loop->out.len = 0;
    http_write_response(&loop->out, response, clock_now_s(), head_only, c->close_after);
    if (buffer_failed(&loop->out)) {
        buffer_free(&loop->out);
        connection_close(c);
        return;
    }
    send_octets(c, buffer_bytes(&loop->out));
    if (loop->out.capacity > OUT_KEPT_MAX)
        buffer_free(&loop->out);
    if (c->phase == PHASE_CLOSED)
        return;
    if (c->out.len > 0)
        connection_enter_for(c, PHASE_WRITE, loop->server->options.write_ms);
    else
        response_sent(c);
}

void connection_tell(struct connection *c, int status, const char *reason)
{
    struct net_server *server = c->loop->server;
    struct http_request request = { 0 };

    if (server->on_refused == NULL)
        return;
    if (c->exchange != NULL)
        request = c->exchange->open.request;
    request.peer = c->peer;
    request.listener = c->listener->listener->index;
    server->on_refused(&(struct net_refused){ .request = &request, .status = status, .reason = reason },
                       server->context);
}

static void refuse(struct connection *c, int status, const char *reason)
{
    struct http_response response = http_respond_text(status, http_status_text(status));

    COUNT(c->loop, refused_http);
    connection_tell(c, status, reason);
    drop_exchange(c);
    c->refused = c->close_after = true;
    send_response(c, &response, false);
}

void connection_answer(struct connection *c)
{
    struct exchange *exchange = c->exchange;
    struct http_response *response = &exchange->open.response;

    assert(c->phase == PHASE_HANDLING);
    loop_tick(c->loop);
    if (response->status == 0)
        *response = http_respond_text(500, "internal error\n");
    c->close_after = !exchange->parser.keep_alive || response->close || c->loop->stopping ||
                     (c->ended && c->in.len == 0);
    c->exchange = NULL;
    c->phase = PHASE_IDLE;
    send_response(c, response, exchange->open.request.method == HTTP_METHOD_HEAD);
    loop_exchange_done(c->loop, exchange);
    if (!c->dispatching)
        connection_continue(c);
}

static void flush(struct connection *c)
{
    enum io result = IO_OK;

    while (c->sent < c->out.len && result == IO_OK) {
        size_t written = 0;

        result = transport_write(&c->transport, bytes_from(buffer_bytes(&c->out), c->sent), &written);
        if (result == IO_OK)
            c->sent += written;
    }
    if (result == IO_FAILED || result == IO_END) {
        connection_close(c);
        return;
    }
    if (c->sent < c->out.len)
        return;
    buffer_free(&c->out);
    c->sent = 0;
    (void)event_del(&c->writable);
    if (c->phase == PHASE_WRITE) {
        response_sent(c);
        connection_continue(c);
    } else if (!c->paused && !c->ended && c->phase != PHASE_LINGER) {
        connection_read(c); /* it may have been TLS that wanted to write */
    }
}

/* --- Receiving --- */

/* Of no other request, whatever address they share. */
static uint64_t next_number(void)
{
    static _Atomic uint64_t last;

    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

static void dispatch(struct connection *c)
{
    struct net_server *server = c->loop->server;
    struct exchange *exchange = c->exchange;
    struct http_request *request = &exchange->open.request;

    request->number = next_number();
    request->peer = c->peer;
    request->base_url = c->listener->listener->settings.base_url;
    request->listener = c->listener->listener->index;
    exchange->identity = peer_identity_ref(c->identity);
    if (exchange->open.received_ms == 0)
        exchange->open.received_ms = c->loop->now_ms;
    enter(c, PHASE_HANDLING, INT64_MAX);
    COUNT(c->loop, requests);
    c->dispatching = true;
    c->answered = false;
    server->on_request(&exchange->open, server->context);
    if (c->answered)
        connection_answer(c);
    c->dispatching = false;
}

/* The head is here and the body is not: say so to those who wait for it. A client of OpenSSL's kind waits
 * for an ACK before it sends the body; the kernel would hold that back for 40 ms. */
static void await_body(struct connection *c)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    int one = 1;

    if (c->phase == PHASE_BODY)
        return;
    c->exchange->open.received_ms = c->loop->now_ms;
    connection_enter_for(c, PHASE_BODY, c->loop->server->options.body_ms);
    (void)setsockopt(c->transport.fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
    if (c->exchange->parser.expects_continue)
        send_octets(c, BYTES_LITERAL(go_on));
}

/* True when a whole request was taken off `input`, *used octets long, and handed on. */
static bool take_request(struct connection *c, struct bytes input, size_t *used)
{
    struct net_server *server = c->loop->server;
    struct exchange *exchange = c->exchange;

    if (exchange == NULL) {
        exchange = c->exchange = loop_exchange(c->loop);
        if (exchange == NULL) {
            refuse(c, 503, "no memory for a request");
            return false;
        }
        exchange->connection = c;
        http_parser_init(&exchange->parser, &server->options.http);
    }
    switch (http_parse_request(&exchange->parser, input, exchange->arena, &exchange->open.request)) {
    case HTTP_PARSE_REFUSED: refuse(c, exchange->parser.status, exchange->parser.reason); return false;
    case HTTP_PARSE_MORE:
        if (c->phase != PHASE_HEAD)
            connection_enter_for(c, PHASE_HEAD, server->options.head_ms);
        return false;
    case HTTP_PARSE_HEAD: await_body(c); return false;
    case HTTP_PARSE_DONE: break;
    }
    *used += exchange->parser.consumed;
    dispatch(c);
    return true;
}

static bool is_receiving(const struct connection *c)
{
    return c->phase == PHASE_IDLE || c->phase == PHASE_HEAD || c->phase == PHASE_BODY;
}

/* Requests one after another: the next is looked at when the one before has been answered and sent. */
static size_t take_requests(struct connection *c, struct bytes input)
{
    size_t used = 0;

    while (used < input.len && is_receiving(c) && take_request(c, bytes_from(input, used), &used))
        ;
    return used;
}

static void pause_reading(struct connection *c)
{
    c->paused = true;
    (void)event_del(&c->readable);
}

static void resume_reading(struct connection *c)
{
    if (!c->paused || c->ended)
        return;
    c->paused = false;
    if (event_add(&c->readable, NULL) != 0)
        connection_close(c);
    else if (transport_has_buffered(&c->transport))
        event_active(&c->readable, EV_READ, 0);
}

/* What is left in `in` after a round; memory is given back as soon as nothing waits. */
static void keep_rest(struct connection *c, size_t used)
{
    buffer_consume(&c->in, used);
    if (c->in.len == 0)
        buffer_free(&c->in);
    if (!is_receiving(c) && c->in.len >= PIPELINE_MAX && !c->paused)
        pause_reading(c);
}

static bool is_gone(const struct connection *c)
{
    return c->phase == PHASE_CLOSED || c->phase == PHASE_LINGER;
}

/* No more will come: a request that had begun is told for the log, for it gets no answer. */
static void end_receiving(struct connection *c)
{
    if (c->phase == PHASE_BODY || (is_receiving(c) && c->in.len > 0))
        connection_tell(c, 0, "the connection ended within a request");
    connection_close(c);
}

static void receive(struct connection *c, struct bytes fresh)
{
    size_t used;

    if (c->in.len == 0) { /* the common case: whole requests are never copied here */
        used = take_requests(c, fresh);
        if (!is_gone(c))
            buffer_append(&c->in, bytes_from(fresh, used));
        used = 0;
    } else {
        buffer_append(&c->in, fresh);
        used = buffer_failed(&c->in) ? 0 : take_requests(c, buffer_bytes(&c->in));
    }
    if (is_gone(c))
        return;
    if (buffer_failed(&c->in))
        connection_close(c);
    else
        keep_rest(c, used);
}

/* After an answer has gone out: what the peer had sent meanwhile. */
static void connection_continue(struct connection *c)
{
    if (is_receiving(c) && c->in.len > 0) {
        size_t used = take_requests(c, buffer_bytes(&c->in));

        if (!is_gone(c))
            keep_rest(c, used);
    }
    if (!is_receiving(c))
        return;
    if (c->ended)
        end_receiving(c);
    else
        resume_reading(c);
}

/* The peer has half-closed: what is under way is answered, what is incomplete never will be. */
static void peer_ended(struct connection *c)
{
    c->ended = true;
    (void)event_del(&c->readable);
    if (is_receiving(c))
        end_receiving(c);
}

void connection_read(struct connection *c)
{
    for (int round = 0; round < READ_ROUNDS; round++) {
        size_t len = 0;

        switch (transport_read(&c->transport, c->loop->scratch, SCRATCH_LEN, &len)) {
        case IO_OK: receive(c, bytes_of(c->loop->scratch, len)); break;
        case IO_END: peer_ended(c); return;
        case IO_FAILED: end_receiving(c); return;
        case IO_WANT_READ: return;
        case IO_WANT_WRITE:
            if (event_add(&c->writable, NULL) != 0)
                connection_close(c);
            return;
        }
        if (is_gone(c) || c->paused || !transport_has_buffered(&c->transport))
            return;
    }
    event_active(&c->readable, EV_READ, 0);
}

/* --- Events --- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    struct net_loop *loop = c->loop;

    (void)fd;
    (void)what;
    loop_tick(loop);
    switch (c->phase) {
    case PHASE_PROXY: connection_read_proxy_header(c); break;
    case PHASE_HANDSHAKE: connection_handshake(c); break;
    case PHASE_LINGER: linger(c); break;
    case PHASE_IDLE:
    case PHASE_HEAD:
    case PHASE_BODY:
    case PHASE_HANDLING:
    case PHASE_WRITE: connection_read(c); break;
    case PHASE_CLOSED: break;
    }
    loop_reap(loop);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    struct net_loop *loop = c->loop;

    (void)fd;
    (void)what;
    loop_tick(loop);
    if (c->phase == PHASE_HANDSHAKE)
        connection_handshake(c);
    else if (c->phase != PHASE_CLOSED)
        flush(c);
    loop_reap(loop);
}

static void expire(struct connection *c)
{
    switch (c->phase) {
    case PHASE_HEAD:
    case PHASE_BODY:
        COUNT(c->loop, timeouts);
        if (c->exchange != NULL)
            refuse(c, 408, c->phase == PHASE_HEAD ? "the head took too long" : "the body took too long");
        else
            connection_close(c); /* it never sent anything */
        return;
    case PHASE_PROXY:
    case PHASE_HANDSHAKE:
        COUNT(c->loop, timeouts);
        connection_tell(c, 0,
                        c->phase == PHASE_PROXY ? "the load balancer's header took too long"
                                                : "the TLS handshake took too long");
        break;
    case PHASE_WRITE: COUNT(c->loop, timeouts); break;
    case PHASE_IDLE:
    case PHASE_HANDLING:
    case PHASE_LINGER:
    case PHASE_CLOSED: break;
    }
    connection_close(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    struct net_loop *loop = c->loop;

    (void)fd;
    (void)what;
    loop_tick(loop);
    c->timer_ms = INT64_MAX;
    if (c->phase == PHASE_CLOSED)
        return;
    if (loop->now_ms >= c->deadline_ms)
        expire(c);
    else if (c->deadline_ms != INT64_MAX)
        enter(c, c->phase, c->deadline_ms);
    loop_reap(loop);
}

/* --- For connection_open.c and the loop --- */

bool connection_watch(struct connection *c)
{
    (void)event_assign(&c->readable, c->loop->base, c->transport.fd, EV_READ | EV_PERSIST, on_readable, c);
    (void)event_assign(&c->writable, c->loop->base, c->transport.fd, EV_WRITE | EV_PERSIST, on_writable, c);
    (void)event_assign(&c->timer, c->loop->base, -1, 0, on_timer, c);
    return event_add(&c->readable, NULL) == 0;
}

void connection_drain(struct connection *c)
{
    bool has_head = c->exchange != NULL && c->exchange->parser.stage > HTTP_STAGE_HEADERS;

    c->close_after = true;
    if (c->phase < PHASE_IDLE || (is_receiving(c) && !has_head))
        connection_close(c);
}
