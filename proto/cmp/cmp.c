/* The HTTP binding (RFC 9811 3): method, media type, operation label; and what a procedure needs for CMP. */
#include "proto/cmp/cmp.h"

#include "proto/cmp/exchange_internal.h"

/* --- configuration --- */

const struct cmp_ra *cmp_ra_of(const struct cmp_service *service, const struct procedure *procedure)
{
    for (size_t i = 0; i < service->ra_count && procedure->cmp_ra != NULL; i++)
        if (strcmp(service->ra[i].name, procedure->cmp_ra) == 0)
            return &service->ra[i];
    return NULL;
}

static bool is_awaited(const struct cmp_ra *ra)
{
    return ra->certificate.encoded.len == 0;
}

bool cmp_is_awaiting(const struct cmp_service *service, const struct procedure *procedure)
{
    const struct cmp_ra *ra = cmp_ra_of(service, procedure);

    return ra != NULL && is_awaited(ra);
}

static bool has_purpose(const struct certificate *certificate, struct bytes oid)
{
    for (size_t i = 0; i < certificate->extended_key_usage_count; i++)
        if (bytes_equal(certificate->extended_key_usage[i], oid))
            return true;
    return false;
}

/* Whom a device believes: the CA itself says that this RA speaks for it (CMP-42). */
static const char *certificate_fault(const struct certificate *c, const struct ca *ca,
                                     const struct procedure *procedure)
{
    if (!c->has_key_usage || (c->key_usage & KEY_USAGE_DIGITAL_SIGNATURE) == 0)
        return "the certificate of its CMP RA needs digitalSignature";
    if (!has_purpose(c, CMP_KP_CMC_RA) && !has_purpose(c, CMP_KP_CMC_CA))
        return "the certificate of its CMP RA needs the extended key usage cmcRA (1.3.6.1.5.5.7.3.28)";
    if (procedure->cmp_key_generation && !has_purpose(c, CMP_KP_CM_KGA))
        return "keys are generated, but the certificate of its CMP RA lacks the extended key usage cmKGA "
               "(1.3.6.1.5.5.7.3.32)";
    if (ca != NULL && ca->anchor_count > 0) /* by which of its certificates is not known from the start */
        return NULL;
    if (ca == NULL || !name_equal(&c->issuer, &ca->certificate.subject) ||
        certificate_verify_signature(c, &ca->certificate.key) != SIGNATURE_OK)
        return "the certificate of its CMP RA was not issued by its CA";
    return NULL;
}

const char *cmp_procedure_fault(const struct cmp_service *service, const struct procedure *procedure,
                                const struct keys *keys)
{
    const struct cmp_ra *ra = cmp_ra_of(service, procedure);
    const struct ca *ca = enroll_ca(service->enroll, procedure);

    if (!procedure->preregistration)
        return "CMP needs preregistration";
    if (ra == NULL)
        return "its CMP RA is not configured";
    if (!is_awaited(ra) && !bytes_equal(keys_public(keys, ra->key_name), ra->certificate.key.spki))
        return "the certificate of its CMP RA is not for its key";
    if (procedure->cmp_key_generation && procedure->manual_approval)
        return "keys are generated for devices that are answered at once: not where an officer approves";
    if (procedure->cmp_key_generation && ca != NULL && ca->connector->resume != NULL)
        return "keys are generated for devices that are answered at once: not where another CA is asked";
    return is_awaited(ra) ? NULL : certificate_fault(&ra->certificate, ca, procedure);
}

/* --- HTTP --- */

static struct http_response method_not_allowed(void)
{
    struct http_response response = http_respond_text(405, "CMP is served by POST\n");

    http_response_add(&response, "Allow", BYTES_LITERAL("POST"));
    return response;
}

/* None of these carries a PKIMessage (CMP-8). */
bool cmp_serve_public(const struct cmp_service *service, const struct procedure *procedure,
                      struct bytes label, const struct http_request *request, struct http_response *response)
{
    (void)service;
    if ((procedure->protocols & PROTOCOL_BIT(PROTOCOL_CMP)) == 0 ||
        (label.len > 0 && cmp_operation_name(label) == NULL))
        *response = http_respond_text(404, "not found\n");
    else if (request->method != HTTP_METHOD_POST)
        *response = method_not_allowed();
    else if (!http_media_type_is(http_header_find(request, "Content-Type"), "application/pkixcmp"))
        *response = http_respond_text(415, "expected application/pkixcmp\n");
    else if (request->body.len == 0)
        *response = http_respond_text(400, "expected a PKIMessage\n");
    else if (request->body.len > CMP_MESSAGE_MAX)
        *response = http_respond_text(413, "the message is too large\n");
    else
        return false;
    return true;
}

bool cmp_serve(struct turn *turn, const struct cmp_service *service, const struct procedure *procedure,
               struct bytes label, const struct http_request *request, struct http_response *response,
               struct error *err)
{
    struct cmp_exchange x = {
        .turn = turn,
        .service = service,
        .procedure = procedure,
        .ra = cmp_ra_of(service, procedure),
        .ca = enroll_ca(service->enroll, procedure),
        .peer = &request->peer.address,
        .label = label,
    };
    int status = 500;
    bool served = x.ra != NULL && x.ca != NULL
                      ? cmp_exchange_run(&x, request->body, &status, err)
                      : error_set(err, ERROR_NOT_FOUND, "procedure '%s' has no CMP RA, or no CA",
                                  procedure->name);

    if (!served)
        *response = http_respond_text(500, "internal error\n");
    else if (status != 200) /* CMP-7, CMP-9: an empty body */
        *response = (struct http_response){ .status = status };
    else
        *response = http_respond(200, "application/pkixcmp", x.out);
    cmp_exchange_end(&x);
    return served;
}
