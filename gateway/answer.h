/* answer.h: one request through the gateway, without threads and sockets. The daemon's threads and the
 * simulation run the same two steps: answer_at_once() where the request arrived, else answer_turn() with a
 * view, then its changes through registry_apply(), and only then the response goes out. A conflict means:
 * answer_turn() again on a fresh view. */
#ifndef MUSTER_GATEWAY_ANSWER_H
#define MUSTER_GATEWAY_ANSWER_H

#include "gateway/router.h"

enum { ANSWER_TURNS_MAX = 16 };

struct answering {
    const struct config *config;
    const struct http_request *request;
    struct route route;
    struct http_response response;
    struct turn turn; /* of the last run; its facts are for the log */
    unsigned turns;
};

/* Finds the service and answers what needs no worker (404, capabilities, CA certificates, ...). False: a turn
 * is needed. */
bool answer_at_once(struct answering *a, const struct config *config, const struct http_request *request);

/* Runs the handler once on `view`. Always leaves a response; turn.changes says what must be durable before it
 * leaves. After ANSWER_TURNS_MAX runs the answer is 503. */
void answer_turn(struct answering *a, struct registry_view *view, struct random_source random, int64_t now_s);

/* The response when changes could not be made durable: nothing of the handler's answer is shown. */
void answer_not_durable(struct answering *a, const struct error *err);

/* The response when the queue is full. */
void answer_busy(struct answering *a, struct random_source random, int64_t now_s);

#endif
