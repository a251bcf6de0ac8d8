/* Which resource, by which method; and what needs no secret. */
#include "proto/acme/acme.h"

#include "lib/base/encode.h"
#include "proto/acme/call_internal.h"
#include "proto/acme/nonce.h"
#include "proto/acme/order_internal.h"

static const char JOSE[] = "application/jose+json";

typedef enum acme_progress operation(struct acme_call *c, struct error *err);

/* What a POST does there. Those that change something need an object, those that read alone none; the rest
 * tell them apart themselves. */
enum payload { PAYLOAD_EITHER = 0, PAYLOAD_OBJECT, PAYLOAD_NONE };
static const struct row {
    enum acme_resource_kind kind;
    enum payload payload;
    operation *post;
} rows[] = {
    { ACME_NEW_ACCOUNT, PAYLOAD_OBJECT, acme_new_account },
    { ACME_ACCOUNT, PAYLOAD_EITHER, acme_account },
    { ACME_KEY_CHANGE, PAYLOAD_OBJECT, acme_key_change },
    { ACME_ORDERS, PAYLOAD_NONE, acme_orders },
    { ACME_NEW_ORDER, PAYLOAD_OBJECT, acme_new_order },
    { ACME_ORDER, PAYLOAD_EITHER, acme_order_serve },
    { ACME_FINALIZE, PAYLOAD_OBJECT, acme_finalize },
    { ACME_CERTIFICATE, PAYLOAD_NONE, acme_certificate },
    { ACME_STAR, PAYLOAD_NONE, acme_star_certificate },
    { ACME_NEW_AUTHZ, PAYLOAD_OBJECT, acme_new_authz },
    { ACME_AUTHZ, PAYLOAD_EITHER, acme_authz_serve },
    { ACME_CHALLENGE, PAYLOAD_EITHER, acme_challenge_serve },
    { ACME_REVOKE_CERT, PAYLOAD_OBJECT, acme_revoke_cert },
};

const char *acme_operation_name(struct bytes resource)
{
    struct acme_resource parsed;

    return acme_resource_parse(resource, &parsed) ? acme_resource_name(parsed.kind) : NULL;
}

/* --- what every answer carries --- */
static bool is_get(const struct http_request *request)
{
    return request->method == HTTP_METHOD_GET || request->method == HTTP_METHOD_HEAD;
}

static bool decorate(struct acme_call *c, bool nonce, struct error *err)
{
    struct bytes fresh = BYTES_NONE;

    http_response_add(c->response, "Access-Control-Allow-Origin", BYTES_LITERAL("*"));
    http_response_add(c->response, "Access-Control-Expose-Headers",
                      BYTES_LITERAL("Link, Replay-Nonce, Location, Retry-After"));
    http_response_add(c->response, "Cache-Control", BYTES_LITERAL("no-store"));
    if (c->resource.kind != ACME_DIRECTORY && !acme_add_link(c, "index", acme_call_url(c, "directory"), err))
        return false;
    if (!nonce)
        return true;
    return acme_nonce_make(c->service, c->procedure, c->turn->now_s, &c->turn->random, c->turn->arena, &fresh,
                           err) &&
           acme_add_header(c, "Replay-Nonce", fresh, err);
}

/* An error of ours, in ACME's words. */
static void respond_internal(struct http_response *response)
{
    *response = http_respond(500, "application/problem+json",
                             BYTES_LITERAL("{\"detail\":\"internal error\",\"status\":500,"
                                           "\"type\":\"urn:ietf:params:acme:error:serverInternal\"}"));
    http_response_add(response, "Access-Control-Allow-Origin", BYTES_LITERAL("*"));
    http_response_add(response, "Cache-Control", BYTES_LITERAL("no-store"));
}

/* --- at once --- */
enum acme_progress acme_not_allowed(struct acme_call *c, const char *allow, struct error *err)
{
    http_response_add(c->response, "Allow", bytes_text(allow));
    return acme_refuse_with(c,
                            &(struct acme_refusal){ .problem = ACME_MALFORMED,
                                                    .status = 405,
                                                    .detail = "method not allowed for this resource" },
                            err);
}

static enum acme_progress preflight(struct acme_call *c)
{
    c->response->status = 204;
    http_response_add(c->response, "Access-Control-Allow-Methods", BYTES_LITERAL("GET, HEAD, POST"));
    http_response_add(c->response, "Access-Control-Allow-Headers", BYTES_LITERAL("Content-Type"));
    return ACME_ANSWERED;
}

/* ON: a worker's. */
static enum acme_progress serve_public(struct acme_call *c, bool known, struct error *err)
{
    const enum http_method method = c->request->method;
    const enum acme_resource_kind kind = c->resource.kind;

    if (!c->request->peer.tls)
        return acme_refuse_with(c,
                                &(struct acme_refusal){ .problem = ACME_MALFORMED,
                                                        .status = 403,
                                                        .detail = "ACME is served over TLS only" },
                                err);
    if (!known)
        return acme_not_found(c, err);
    if (method == HTTP_METHOD_OPTIONS)
        return preflight(c);
    if (method == HTTP_METHOD_POST)
        return kind == ACME_RENEWAL_INFO ? acme_not_allowed(c, "GET, HEAD", err) : ACME_ON;
    if (kind == ACME_DIRECTORY && is_get(c->request))
        return acme_serve_directory(c, err);
    if ((kind == ACME_NEW_NONCE || kind == ACME_RENEWAL_INFO || kind == ACME_STAR) && is_get(c->request))
        return ACME_ON;
    return acme_not_allowed(c, kind == ACME_DIRECTORY || kind == ACME_NEW_NONCE ? "GET, HEAD, POST" : "POST",
                            err);
}

bool acme_serve_public(const struct acme_service *service, const struct procedure *procedure,
                       struct bytes resource, const struct http_request *request,
                       struct http_response *response)
{
    struct turn turn = { .arena = request->arena };
    struct http_response made = { 0 };
    struct acme_call c = {
        .turn = &turn,
        .service = service,
        .procedure = procedure,
        .request = request,
        .response = &made,
    };
    bool known = acme_resource_parse(resource, &c.resource);
    struct error err;
    enum acme_progress progress = serve_public(&c, known, &err);

    if (progress == ACME_ON)
        return false;
    if (progress == ACME_ERROR || !decorate(&c, false, &err))
        respond_internal(&made);
    *response = made;
    return true;
}

/* --- on a worker --- */
static enum acme_progress new_nonce(struct acme_call *c)
{
    c->response->status = c->request->method == HTTP_METHOD_GET ? 204 : 200;
    return ACME_ANSWERED;
}

static enum acme_progress post(struct acme_call *c, struct error *err)
{
    enum acme_progress progress;
    size_t i = 0;

    if (!http_media_type_is(http_header_find(c->request, "Content-Type"), JOSE))
        return acme_refuse_with(c,
                                &(struct acme_refusal){ .problem = ACME_MALFORMED,
                                                        .status = 415,
                                                        .detail = "expected application/jose+json" },
                                err);
    progress = acme_open(c, err);
    if (progress != ACME_ON)
        return progress;
    if (c->resource.kind == ACME_DIRECTORY || c->resource.kind == ACME_NEW_NONCE) {
        if (!c->reads)
            return acme_refuse(c, ACME_MALFORMED, "the payload must be empty", err);
        return c->resource.kind == ACME_DIRECTORY ? acme_serve_directory(c, err) : new_nonce(c);
    }
    while (i < COUNT_OF(rows) && rows[i].kind != c->resource.kind)
        i++;
    if (i == COUNT_OF(rows))
        return acme_not_found(c, err);
    if (rows[i].payload == PAYLOAD_NONE && !c->reads)
        return acme_refuse(c, ACME_MALFORMED, "the payload must be empty", err);
    progress = rows[i].payload == PAYLOAD_OBJECT ? acme_wants_object(c, err) : ACME_ON;
    return progress == ACME_ON ? rows[i].post(c, err) : progress;
}

static enum acme_progress serve(struct acme_call *c, struct error *err)
{
    if (c->request->method == HTTP_METHOD_POST)
        return post(c, err);
    if (c->resource.kind == ACME_NEW_NONCE)
        return new_nonce(c);
    return c->resource.kind == ACME_STAR ? acme_star_get(c, err) : acme_renewal_info(c, err);
}

bool acme_serve(struct turn *turn, const struct acme_service *service, const struct procedure *procedure,
                struct bytes resource, const struct http_request *request, struct http_response *response,
                struct error *err)
{
    struct http_response made = { 0 };
    struct acme_call c = {
        .turn = turn,
        .service = service,
        .procedure = procedure,
        .request = request,
        .response = &made,
    };
    bool known = acme_resource_parse(resource, &c.resource);
    enum acme_progress progress = serve_public(&c, known, err);

    turn->facts.operation = acme_resource_name(c.resource.kind);
    if (progress == ACME_ON)
        progress = serve(&c, err);
    json_decref(take(c.payload));
    if (progress == ACME_ON)
        (void)error_set(err, ERROR_INTERNAL, "an ACME request came to no end");
    if (progress != ACME_ANSWERED || !decorate(&c, true, err)) {
        respond_internal(response);
        return false;
    }
    *response = made;
    return true;
}

void acme_serve_later(const struct turn *turn, const struct acme_service *service,
                      const struct procedure *procedure, struct bytes resource,
                      const struct http_request *request, const struct http_later *later,
                      struct http_response *response)
{
    struct turn own = { .random = turn->random, .now_s = turn->now_s, .arena = request->arena };
    struct http_response made = { 0 };
    struct acme_call c = {
        .turn = &own,
        .service = service,
        .procedure = procedure,
        .request = request,
        .response = &made,
    };
    const struct acme_refusal refusal = { .problem = later->busy ? ACME_RATE_LIMITED : ACME_SERVER_INTERNAL,
                                          .status = 503,
                                          .detail = later->text };
    struct error err;

    if (!acme_resource_parse(resource, &c.resource))
        c.resource = (struct acme_resource){ 0 };
    http_response_retry_after(request->arena, &made, later->after_s);
    if (acme_refuse_with(&c, &refusal, &err) == ACME_ANSWERED && decorate(&c, own.random.fill != NULL, &err))
        *response = made;
}

const struct procedure *acme_procedure_named(const struct acme_service *service, struct bytes name)
{
    for (size_t i = 0; i < service->enroll->procedure_count; i++)
        if (bytes_is(name, service->enroll->procedure[i]->name))
            return service->enroll->procedure[i];
    return NULL;
}
