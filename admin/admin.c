/* admin.c: the table of routes, and who may call. */
#include "admin/admin.h"

#include "admin/call_internal.h"
#include "lib/pki/certificate.h"
#include "registry/state.h"

static const struct route {
    enum http_method method;
    const char *path; /* below /api/v1; '*' is one segment */
    call_handler *serve;
    uint32_t rights; /* of the officer whose certificate TLS showed */
} routes[] = {
    { HTTP_METHOD_POST, "/acts", serve_acts, 0 }, /* whoever signed it is judged there */
    { HTTP_METHOD_GET, "/registrations", serve_registrations, RIGHT_READ },
    { HTTP_METHOD_GET, "/registrations/*", serve_registration, RIGHT_READ },
    { HTTP_METHOD_GET, "/certificates", serve_certificates, RIGHT_READ },
    { HTTP_METHOD_GET, "/pending", serve_pending, RIGHT_READ },
    { HTTP_METHOD_GET, "/audit/head", serve_audit_head, RIGHT_READ },
    { HTTP_METHOD_GET, "/audit/entries", serve_audit_entries, RIGHT_READ },
    { HTTP_METHOD_POST, "/explain", serve_explain, RIGHT_READ },
    { HTTP_METHOD_GET, "/procedures", serve_procedures, RIGHT_READ },
    { HTTP_METHOD_GET, "/officers", serve_officers, RIGHT_READ },
};

static bool path_matches(struct call *call, const char *pattern, struct bytes path)
{
    struct bytes wanted = bytes_text(pattern), part, wanted_part;

    while (bytes_split(&wanted, '/', &wanted_part)) {
        if (!bytes_split(&path, '/', &part))
            return false;
        if (!bytes_is(wanted_part, "*")) {
            if (!bytes_equal(part, wanted_part))
                return false;
        } else if (part.len == 0 || !http_percent_decode(call->turn->arena, part, &call->parameter)) {
            return false;
        }
    }
    return path.data == NULL;
}

/* NULL: no such path, or not with this method; the answer is set. */
static const struct route *find_route(struct call *call)
{
    struct bytes path = bytes_from(call->request->path, strlen("/api/v1"));
    const char *allowed = NULL;

    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        if (!path_matches(call, routes[i].path, path))
            continue;
        if (routes[i].method == call->request->method)
            return &routes[i];
        allowed = routes[i].method == HTTP_METHOD_GET ? "GET" : "POST";
    }
    if (allowed == NULL) {
        (void)reply_error(call, 404, "not_found", "there is nothing of this name under /api/v1/");
        return NULL;
    }
    if (reply_error(call, 405, "method", "%s expected", allowed))
        http_response_add(call->response, "Allow", bytes_text(allowed));
    return NULL;
}

/* The certificate is known by its very bytes; its dates are judged all the same. */
static bool is_over(struct call *call)
{
    struct certificate certificate;

    return !certificate_decode(call->request->peer.certificate, call->turn->arena, &certificate) ||
           call->turn->now_s < certificate.not_before_s || call->turn->now_s > certificate.not_after_s;
}

/* *known false: answered. */
static bool find_officer(struct call *call, bool *known)
{
    struct bytes der = call->request->peer.certificate;
    struct digest256 digest;
    bool found;

    *known = false;
    if (der.len == 0)
        return reply_error(call, 401, "no_certificate", "TLS with an officer's certificate expected");
    if (!sha256(der, &digest))
        return error_set(call->err, ERROR_CRYPTO, "SHA-256");
    if (!registry_officer_by_certificate(call->turn->view, &digest, call->turn->arena, &found, &call->officer,
                                         call->err))
        return false;
    if (!found || call->officer.disabled)
        return reply_error(call, 403, "unknown_officer", "the certificate is no officer's");
    if (is_over(call))
        return reply_error(call, 401, "certificate_over", "the certificate's time is over, or has not come");
    call->turn->facts.officer = arena_copy(call->turn->arena, call->officer.key_id); /* outlives the view */
    if (call->turn->facts.officer.data == NULL)
        return reply_memory(call);
    *known = true;
    return true;
}

static bool check_body(struct call *call)
{
    struct bytes type = http_header_find(call->request, "Content-Type");

    if (call->request->method != HTTP_METHOD_POST)
        return true;
    if (call->request->body.len > ACT_BODY_MAX)
        return !reply_error(call, 413, "too_large", "at most %d bytes", ACT_BODY_MAX);
    if (!http_media_type_is(type, "application/json"))
        return !reply_error(call, 415, "media_type", "application/json expected");
    return true;
}

static bool serve_call(struct call *call)
{
    const struct route *route;
    bool known;

    if (!find_officer(call, &known))
        return false;
    if (!known)
        return true;
    route = find_route(call);
    if (route == NULL)
        return true;
    call->turn->facts.operation = route->path;
    if ((call->officer.rights & route->rights) != route->rights)
        return reply_error(call, 403, "no_right", "the officer has no right to read");
    if (!check_body(call))
        return call->response->status != 0;
    return route->serve(call);
}

bool admin_serve(struct turn *turn, const struct admin_service *service, const struct http_request *request,
                 struct http_response *response, struct error *err)
{
    struct call call = {
        .turn = turn, .service = service, .request = request, .response = response, .err = err
    };

    *response = (struct http_response){ 0 };
    if (serve_call(&call) && response->status != 0)
        return true;
    if (err->code == ERROR_NONE)
        (void)reply_memory(&call);
    *response = http_respond(500, "application/json",
                             BYTES_LITERAL("{\"error\":\"internal\",\"detail\":\"\"}"));
    return false;
}
