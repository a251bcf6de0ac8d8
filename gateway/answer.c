#include "gateway/answer.h"

#include <stdio.h>

static void keep_error(struct turn *turn, const struct error *err)
{
    turn->waits = false;
    turn->facts.verdict = "error";
    turn->facts.reason = error_code_name(err->code);
    (void)snprintf(turn->facts.error, sizeof(turn->facts.error), "%s", err->text);
}

/* 503 in plain text, or as the service says it. */
static void respond_later(struct answering *a, bool busy, const char *text)
{
    const struct http_later later = { .busy = busy, .text = text, .after_s = a->config->busy_retry_after_s };
    const struct service_row *service = a->route.service;

    a->response = http_respond_later(a->request->arena, &later);
    if (service != NULL && service->later != NULL)
        service->later(&a->turn, a->config, &a->route, a->request, &later, &a->response);
}

/* The verdict of an answer whose handler gave none: what HTTP says of it. */
static void judge(struct answering *a)
{
    struct turn_facts *facts = &a->turn.facts;

    if (facts->verdict != NULL)
        return;
    if (a->response.status < 400) {
        facts->verdict = "served";
        return;
    }
    facts->verdict = a->response.status == 500 ? "error" : "refused";
    facts->reason = "http";
}

static struct turn_facts first_facts(const struct answering *a)
{
    const struct service_row *service = a->route.service;

    return (struct turn_facts){
        .protocol = service->name,
        .procedure = a->route.procedure != NULL ? a->route.procedure->name : NULL,
        .operation = service->operation != NULL ? service->operation(&a->route, a->request) : NULL,
    };
}

/* Its CA's chain, or its own certificate, is not there yet. */
static bool is_awaiting(struct answering *a)
{
    const struct service_row *service = a->route.service;
    const char *awaited = service->awaits != NULL ? service->awaits(a->config, &a->route) : NULL;

    if (awaited == NULL)
        return false;
    respond_later(a, false, "not ready yet, try again later");
    a->turn.facts.verdict = "refused";
    a->turn.facts.reason = "not_ready";
    a->turn.facts.detail = awaited;
    return true;
}

bool answer_at_once(struct answering *a, const struct config *config, const struct http_request *request)
{
    *a = (struct answering){ .config = config, .request = request, .route = route_find(config, request) };
    if (a->route.service == NULL) {
        a->response = http_respond_text(404, "not found\n");
        a->turn.facts = (struct turn_facts){ .protocol = "http", .verdict = "refused", .reason = "no_route" };
        return true;
    }
    a->turn.facts = first_facts(a);
    if (is_awaiting(a))
        return true;
    if (a->route.service->serve_public == NULL ||
        !a->route.service->serve_public(config, &a->route, request, &a->response))
        return false;
    judge(a);
    return true;
}

void answer_turn(struct answering *a, struct registry_view *view, struct random_source random, int64_t now_s)
{
    struct error err = { 0 };
    struct arena *arena = a->request->arena;

    a->response = (struct http_response){ 0 };
    a->turn = (struct turn){
        .view = view,
        .keys = a->config->keys,
        .random = random,
        .now_s = now_s,
        .arena = arena,
        .facts = first_facts(a),
    };
    changes_begin(&a->turn.changes, arena);
    if (++a->turns > ANSWER_TURNS_MAX) {
        (void)error_set(&err, ERROR_CONFLICT, "given up after %d turns", ANSWER_TURNS_MAX);
        answer_not_durable(a, &err);
        return;
    }
    if (!a->route.service->serve(&a->turn, a->config, &a->route, a->request, &a->response, &err)) {
        keep_error(&a->turn, &err);
        changes_begin(&a->turn.changes, arena); /* an error writes nothing */
        if (a->response.status < 400)
            a->response = http_respond_text(500, "internal error\n");
    } else if (changes_failed(&a->turn.changes)) {
        (void)error_set(&err, ERROR_MEMORY, "changes do not fit the request's arena");
        answer_not_durable(a, &err);
    }
    judge(a);
}

void answer_not_durable(struct answering *a, const struct error *err)
{
    keep_error(&a->turn, err);
    changes_begin(&a->turn.changes, a->request->arena);
    respond_later(a, false, "try again later");
}

void answer_busy(struct answering *a, struct random_source random, int64_t now_s)
{
    a->turn.random = random;
    a->turn.now_s = now_s;
    respond_later(a, true, "busy, try again later");
    a->turn.facts.verdict = "busy";
}
