#include "gateway/router.h"

#include "jobs/crl.h"

/* Takes "/segment" off the front of *path. False when there is none. */
static bool next_segment(struct bytes *path, struct bytes *segment)
{
    if (path->len < 2 || path->data[0] != '/')
        return false;
    *path = bytes_from(*path, 1);
    *segment = bytes_slice(*path, 0, bytes_find(*path, '/'));
    *path = bytes_from(*path, segment->len);
    return segment->len > 0;
}

/* Whole segments alone: "/scep" is no part of "/scepter". */
static bool take_prefix(struct bytes *path, const char *prefix)
{
    struct bytes rest = bytes_from(*path, strlen(prefix));

    if (!bytes_starts_with(*path, prefix) || (rest.len > 0 && rest.data[0] != '/'))
        return false;
    *path = rest;
    return true;
}

/* The procedure of that name, or the default one for none; it must be open on the protocol. */
static bool choose(const struct config *config, struct bytes name, enum protocol protocol,
                   struct route *route)
{
    route->procedure = name.len == 0 ? config->default_procedure : config_procedure(config, name);
    return route->procedure != NULL && (route->procedure->protocols & PROTOCOL_BIT(protocol)) != 0;
}

static const char *chain_awaited(const struct ca *ca)
{
    return ca != NULL && ca->chain_awaited ? "the chain of its CA is not known yet" : NULL;
}

static const char *procedure_awaits(const struct config *config, const struct route *route)
{
    return chain_awaited(enroll_ca(&config->enroll, route->procedure));
}

static const char *ra_awaited(bool awaited)
{
    return awaited ? "the certificate of its RA is not there yet" : NULL;
}

/* --- SCEP: /scep/<procedure>[/...], /cgi-bin/pkiclient.exe (SCEP-5) --- */

static bool scep_match(const struct config *config, struct bytes path, struct route *route)
{
    struct bytes name = BYTES_NONE;

    if (take_prefix(&path, "/cgi-bin/pkiclient.exe"))
        return choose(config, BYTES_NONE, PROTOCOL_SCEP, route);
    if (!take_prefix(&path, "/scep"))
        return false;
    if (next_segment(&path, &name) && bytes_is_nocase(name, "pkiclient.exe"))
        name = BYTES_NONE;
    return choose(config, name, PROTOCOL_SCEP, route);
}

static const char *scep_operation_asked(const struct route *route, const struct http_request *request)
{
    (void)route;
    return scep_operation_name(request);
}

static bool scep_public(const struct config *config, const struct route *route,
                        const struct http_request *request, struct http_response *response)
{
    return scep_serve_public(&config->scep, route->procedure, request, response);
}

static bool scep_handle(struct turn *turn, const struct config *config, const struct route *route,
                        const struct http_request *request, struct http_response *response, struct error *err)
{
    return scep_serve(turn, &config->scep, route->procedure, request, response, err);
}

static const char *scep_awaits(const struct config *config, const struct route *route)
{
    const char *awaited = procedure_awaits(config, route);

    return awaited != NULL ? awaited : ra_awaited(scep_is_awaiting(&config->scep, route->procedure));
}

/* --- EST: /.well-known/est/[<procedure>/]<operation>; some clients put the label in front --- */

static bool est_match(const struct config *config, struct bytes path, struct route *route)
{
    struct bytes label = BYTES_NONE, first, second;

    if (!bytes_starts_with(path, "/.well-known/") && !next_segment(&path, &label))
        return false;
    if (!take_prefix(&path, "/.well-known/est") || !next_segment(&path, &first))
        return false;
    if (next_segment(&path, &second)) {
        if (label.len > 0)
            return false;
        label = first;
        first = second;
    }
    route->operation = first;
    return path.len == 0 && choose(config, label, PROTOCOL_EST, route);
}

static const char *est_operation_asked(const struct route *route, const struct http_request *request)
{
    (void)request;
    return est_operation_name(route->operation);
}

static bool est_public(const struct config *config, const struct route *route,
                       const struct http_request *request, struct http_response *response)
{
    return est_serve_public(&config->est, route->procedure, route->operation, request, response);
}

static bool est_handle(struct turn *turn, const struct config *config, const struct route *route,
                       const struct http_request *request, struct http_response *response, struct error *err)
{
    return est_serve(turn, &config->est, route->procedure, route->operation, request, response, err);
}

/* --- CMP (CMP-3 to CMP-5): /.well-known/cmp[/<operation>], /.well-known/cmp/p/<procedure>[/<operation>], and
 * /cmp[/<procedure>[/<operation>]]; /pkix is where clients of RFC 6712's days go. A '/' at the end is one too
 * many, and harmless. --- */

/* What names the procedure is taken off; none: the default one. */
static bool take_cmp_procedure(struct bytes *path, struct bytes *name)
{
    if (take_prefix(path, "/.well-known/cmp"))
        return !take_prefix(path, "/p") || next_segment(path, name);
    if (!take_prefix(path, "/cmp"))
        return false;
    return path->len <= 1 || next_segment(path, name);
}

static bool cmp_match(const struct config *config, struct bytes path, struct route *route)
{
    struct bytes name = BYTES_NONE, operation = BYTES_NONE;

    if (bytes_is(path, "/pkix") || bytes_is(path, "/pkix/"))
        return choose(config, BYTES_NONE, PROTOCOL_CMP, route);
    if (!take_cmp_procedure(&path, &name))
        return false;
    if (path.len > 1 && !next_segment(&path, &operation))
        return false;
    route->operation = operation;
    return (path.len == 0 || bytes_is(path, "/")) && choose(config, name, PROTOCOL_CMP, route);
}

static const char *cmp_operation_asked(const struct route *route, const struct http_request *request)
{
    (void)request;
    return cmp_operation_name(route->operation);
}

static bool cmp_public(const struct config *config, const struct route *route,
                       const struct http_request *request, struct http_response *response)
{
    return cmp_serve_public(&config->cmp, route->procedure, route->operation, request, response);
}

static bool cmp_handle(struct turn *turn, const struct config *config, const struct route *route,
                       const struct http_request *request, struct http_response *response, struct error *err)
{
    return cmp_serve(turn, &config->cmp, route->procedure, route->operation, request, response, err);
}

static const char *cmp_awaits(const struct config *config, const struct route *route)
{
    const char *awaited = procedure_awaits(config, route);

    return awaited != NULL ? awaited : ra_awaited(cmp_is_awaiting(&config->cmp, route->procedure));
}

/* --- ACME: /acme/<procedure>/<resource>, over TLS (ACME-1) --- */

static bool acme_match(const struct config *config, struct bytes path, struct route *route)
{
    struct bytes name;

    if (!take_prefix(&path, "/acme") || !next_segment(&path, &name) || path.len == 0)
        return false;
    route->operation = bytes_from(path, 1);
    return choose(config, name, PROTOCOL_ACME, route);
}

static const char *acme_operation_asked(const struct route *route, const struct http_request *request)
{
    (void)request;
    return acme_operation_name(route->operation);
}

/* Without one no link can be made. */
static bool has_base_url(const struct http_request *request)
{
    return request->base_url != NULL && request->base_url[0] != '\0';
}

static bool acme_public(const struct config *config, const struct route *route,
                        const struct http_request *request, struct http_response *response)
{
    if (!has_base_url(request)) {
        *response = http_respond_text(404, "not found\n");
        return true;
    }
    return acme_serve_public(&config->acme, route->procedure, route->operation, request, response);
}

static bool acme_handle(struct turn *turn, const struct config *config, const struct route *route,
                        const struct http_request *request, struct http_response *response, struct error *err)
{
    return acme_serve(turn, &config->acme, route->procedure, route->operation, request, response, err);
}

static void acme_later(const struct turn *turn, const struct config *config, const struct route *route,
                       const struct http_request *request, const struct http_later *later,
                       struct http_response *response)
{
    if (has_base_url(request))
        acme_serve_later(turn, &config->acme, route->procedure, route->operation, request, later, response);
}

/* --- the embedded CA's lists and certificates: /crl/<ca>.crl, /ca/<ca>.cer --- */

static const struct ca *named_ca(const struct config *config, struct bytes path, const char *prefix,
                                 const char *suffix)
{
    if (!bytes_starts_with(path, prefix) || !bytes_ends_with(path, suffix))
        return NULL;
    path = bytes_slice(path, strlen(prefix), path.len - strlen(prefix) - strlen(suffix));
    for (size_t i = 0; i < config->ca_count; i++)
        if (bytes_is(path, config->ca[i].name))
            return &config->ca[i];
    return NULL;
}

/* GET and HEAD alone; else the answer is 405. */
static bool method_is_get(const struct http_request *request, struct http_response *response)
{
    if (request->method == HTTP_METHOD_GET || request->method == HTTP_METHOD_HEAD)
        return true;
    *response = http_respond_text(405, "method not allowed\n");
    http_response_add(response, "Allow", BYTES_LITERAL("GET, HEAD"));
    return false;
}

static bool crl_match(const struct config *config, struct bytes path, struct route *route)
{
    return (route->ca = named_ca(config, path, "/crl/", ".crl")) != NULL;
}

static bool crl_public(const struct config *config, const struct route *route,
                       const struct http_request *request, struct http_response *response)
{
    (void)config;
    (void)route;
    return !method_is_get(request, response);
}

static bool crl_handle(struct turn *turn, const struct config *config, const struct route *route,
                       const struct http_request *request, struct http_response *response, struct error *err)
{
    struct bytes crl;
    bool found;

    (void)config;
    (void)request;
    *response = http_respond_text(503, "no certificate list yet\n");
    if (!crl_current(turn->view, bytes_text(route->ca->name), turn->arena, &found, &crl, err))
        return false;
    if (found)
        *response = http_respond(200, "application/pkix-crl", crl);
    turn->facts.verdict = found ? "served" : "refused";
    return true;
}

static bool ca_match(const struct config *config, struct bytes path, struct route *route)
{
    return (route->ca = named_ca(config, path, "/ca/", ".cer")) != NULL;
}

static const char *ca_awaits(const struct config *config, const struct route *route)
{
    (void)config;
    return chain_awaited(route->ca);
}

static bool ca_public(const struct config *config, const struct route *route,
                      const struct http_request *request, struct http_response *response)
{
    (void)config;
    if (method_is_get(request, response))
        *response = http_respond(200, "application/pkix-cert", route->ca->chain[0]);
    return true;
}

/* --- administration --- */

static bool admin_match(const struct config *config, struct bytes path, struct route *route)
{
    (void)config;
    (void)route;
    return bytes_starts_with(path, "/api/v1/");
}

static bool admin_handle(struct turn *turn, const struct config *config, const struct route *route,
                         const struct http_request *request, struct http_response *response,
                         struct error *err)
{
    (void)route;
    return admin_serve(turn, &config->admin, request, response, err);
}

static const struct service_row services[] = {
    { "scep", scep_match, scep_awaits, scep_public, scep_handle, scep_operation_asked, NULL,
      1 << LISTENER_DEVICES },
    { "est", est_match, procedure_awaits, est_public, est_handle, est_operation_asked, NULL,
      1 << LISTENER_DEVICES },
    { "cmp", cmp_match, cmp_awaits, cmp_public, cmp_handle, cmp_operation_asked, NULL,
      1 << LISTENER_DEVICES },
    { "acme", acme_match, procedure_awaits, acme_public, acme_handle, acme_operation_asked, acme_later,
      1 << LISTENER_DEVICES },
    { "crl", crl_match, NULL, crl_public, crl_handle, NULL, NULL, 1 << LISTENER_DEVICES },
    { "ca", ca_match, ca_awaits, ca_public, NULL, NULL, NULL, 1 << LISTENER_DEVICES },
    { "admin", admin_match, NULL, NULL, admin_handle, NULL, NULL, 1 << LISTENER_ADMINISTRATION },
};

struct route route_find(const struct config *config, const struct http_request *request)
{
    uint32_t role = request->listener < config->listener_count
                        ? 1u << config->listener_role[request->listener]
                        : 0;

    for (size_t i = 0; i < COUNT_OF(services); i++) {
        struct route route = { 0 };

        if ((services[i].roles & role) != 0 && services[i].match(config, request->path, &route)) {
            route.service = &services[i];
            return route;
        }
    }
    return (struct route){ 0 };
}
