/* How a request is answered: problem documents, JSON, headers, URLs. */
#include "proto/acme/call_internal.h"

#include "lib/base/clock.h"

static const unsigned RETRY_AFTER_S = 30; /* where the procedure names none */

static enum acme_progress no_memory(struct error *err)
{
    (void)error_set(err, ERROR_MEMORY, "no memory for an ACME answer");
    return ACME_ERROR;
}

bool acme_add_header(struct acme_call *c, const char *name, struct bytes value, struct error *err)
{
    if (value.data == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for an ACME header");
    http_response_add(c->response, name, value);
    return true;
}

bool acme_add_link(struct acme_call *c, const char *rel, struct bytes url, struct error *err)
{
    if (url.data == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for an ACME link");
    return acme_add_header(c, "Link", arena_format(c->turn->arena, "<%.*s>;rel=\"%s\"", BYTES_FMT(url), rel),
                           err);
}

struct bytes acme_call_url(const struct acme_call *c, const char *path)
{
    return acme_url(c->request->arena, c->request->base_url, c->procedure, path);
}

struct bytes acme_call_url_of(const struct acme_call *c, const char *kind, const struct acme_id *id,
                              const char *suffix)
{
    return acme_url_of(c->request->arena, c->request->base_url, c->procedure, kind, id, suffix);
}

bool acme_put_time(json_t *object, const char *name, int64_t time_s)
{
    char text[CLOCK_TEXT_LEN];

    clock_format(time_s, text);
    return json_put(object, name, json_string(text));
}

static enum acme_progress respond(struct acme_call *c, int status, const char *type, const json_t *body,
                                  struct error *err)
{
    struct bytes text;

    if (body == NULL || !json_write(body, c->turn->arena, &text))
        return no_memory(err);
    c->response->status = status;
    c->response->body = text;
    http_response_add(c->response, "Content-Type", bytes_text(type));
    return ACME_ANSWERED;
}

enum acme_progress acme_respond(struct acme_call *c, int status, json_t *body, struct error *err)
{
    AUTO(json_t) *owned = body;

    return respond(c, status, "application/json", owned, err);
}

static void add_retry_after(struct acme_call *c)
{
    unsigned wait_s = c->procedure->retry_after_s != 0 ? c->procedure->retry_after_s : RETRY_AFTER_S;

    http_response_retry_after(c->turn->arena, c->response, wait_s);
}

enum acme_progress acme_refuse_with(struct acme_call *c, const struct acme_refusal *r, struct error *err)
{
    AUTO(json_t) *extra = r->extra;
    int status = r->status != 0 ? r->status : acme_problem_status(r->problem);
    AUTO(json_t) *body = acme_problem_json(r->problem, bytes_text(r->detail), status);

    c->turn->facts.verdict = "refused";
    c->turn->facts.reason = r->reason != NULL ? r->reason : acme_problem_name(r->problem);
    c->turn->facts.detail = r->log != NULL ? r->log : r->detail;
    if (status == 500) {
        (void)error_set(err, ERROR_INTERNAL, "ACME: %s", r->detail);
        return ACME_ERROR;
    }
    if (body == NULL || (extra != NULL && json_object_update(body, extra) != 0))
        return no_memory(err);
    if (r->retry_after)
        add_retry_after(c);
    return respond(c, status, "application/problem+json", body, err);
}

enum acme_progress acme_refuse(struct acme_call *c, enum acme_problem problem, const char *detail,
                               struct error *err)
{
    return acme_refuse_with(c, &(struct acme_refusal){ .problem = problem, .detail = detail }, err);
}

enum acme_progress acme_refuse_for_now(struct acme_call *c, const char *detail, struct error *err)
{
    return acme_refuse_with(
        c, &(struct acme_refusal){ .problem = ACME_RATE_LIMITED, .detail = detail, .retry_after = true },
        err);
}

enum acme_progress acme_refuse_enrollment(struct acme_call *c, enum refusal reason, bool credential_held,
                                          const char *log, struct error *err)
{
    struct acme_answer answer = acme_answer_to(refusal_on_wire(reason, credential_held));

    return acme_refuse_with(c,
                            &(struct acme_refusal){ .problem = answer.problem,
                                                    .detail = answer.detail,
                                                    .status = answer.status,
                                                    .reason = refusal_name(reason),
                                                    .log = log,
                                                    .retry_after = answer.retry_after },
                            err);
}

enum acme_progress acme_not_found(struct acme_call *c, struct error *err)
{
    return acme_refuse_with(c,
                            &(struct acme_refusal){ .problem = ACME_MALFORMED,
                                                    .detail = "there is no such resource",
                                                    .status = 404 },
                            err);
}

enum acme_progress acme_wants_object(struct acme_call *c, struct error *err)
{
    return c->reads ? acme_refuse(c, ACME_MALFORMED, "the payload must be an object", err) : ACME_ON;
}
