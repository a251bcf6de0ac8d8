/* Which operation, by which method, over what; and what needs no secret. */
#include "proto/est/est.h"

#include "lib/pki/cms.h"
#include "proto/est/body.h"
#include "proto/est/csrattrs.h"
#include "proto/est/enroll_op_internal.h"
#include "proto/est/nonce.h"

static const char CERTS_ONLY[] = "application/pkcs7-mime; smime-type=certs-only";

/* --- operations --- */

enum operation {
    OPERATION_UNKNOWN = 0,
    OPERATION_CA_CERTS,
    OPERATION_CSR_ATTRS,
    OPERATION_ENROLL,
    OPERATION_REENROLL,
    OPERATION_NOT_IMPLEMENTED,
};

static const struct {
    const char *name;
    enum operation operation;
} operations[] = {
    { "cacerts", OPERATION_CA_CERTS },        { "csrattrs", OPERATION_CSR_ATTRS },
    { "simpleenroll", OPERATION_ENROLL },     { "simplereenroll", OPERATION_REENROLL },
    { "fullcmc", OPERATION_NOT_IMPLEMENTED }, { "serverkeygen", OPERATION_NOT_IMPLEMENTED },
};

/* RFC 8295 and RFC 9148: not served, and not to be taken for a label either. */
static const char *const reserved_elsewhere[] = { "pal",      "eecerts", "crls", "symmetrickeys",
                                                  "firmware", "tamp",    "crts", "sen",
                                                  "sren",     "skg",     "skc",  "att" };

static enum operation operation_of(struct bytes name)
{
    for (size_t i = 0; i < COUNT_OF(operations); i++)
        if (bytes_is(name, operations[i].name))
            return operations[i].operation;
    return OPERATION_UNKNOWN;
}

const char *est_operation_name(struct bytes name)
{
    for (size_t i = 0; i < COUNT_OF(operations); i++)
        if (bytes_is(name, operations[i].name))
            return operations[i].name;
    return NULL;
}

bool est_label_is_reserved(struct bytes label)
{
    for (size_t i = 0; i < COUNT_OF(operations); i++)
        if (bytes_is_nocase(label, operations[i].name))
            return true;
    for (size_t i = 0; i < COUNT_OF(reserved_elsewhere); i++)
        if (bytes_is_nocase(label, reserved_elsewhere[i]))
            return true;
    return false;
}

/* --- cacerts: the issuing CA and what leads up to its root (EST-30 to EST-35) --- */

static struct http_response ca_certs(const struct est_service *service, const struct procedure *procedure,
                                     const struct http_request *request)
{
    const struct ca *ca = enroll_ca(service->enroll, procedure);
    struct http_response response;
    struct bytes bag;
    struct error err;

    if (ca == NULL || ca->chain_count == 0)
        return http_respond_text(503, "no CA certificate is loaded\n");
    if (!cms_bag(ca->chain, ca->chain_count, NULL, 0, request->arena, &bag, &err) ||
        !est_respond(bag, CERTS_ONLY, request, &response))
        return http_respond_text(500, "internal error\n");
    return response;
}

/* --- csrattrs --- */

static struct http_response csr_attrs(const struct procedure *procedure, const struct http_request *request)
{
    AUTO_STRUCT(buffer) made = BUFFER(1024);
    struct est_csrattrs demands = est_csrattrs_of(procedure);
    struct bytes der = procedure->csrattrs;
    struct http_response response;

    if (der.len == 0 && est_csrattrs_is_empty(&demands))
        return (struct http_response){ .status = 204 };
    if (der.len == 0) {
        est_csrattrs_encode(&demands, &made);
        der = buffer_bytes(&made);
    }
    if (buffer_failed(&made) || !est_respond(der, "application/csrattrs", request, &response))
        return http_respond_text(500, "internal error\n");
    return response;
}

/* --- HTTP --- */

static struct http_response not_allowed(const char *allow)
{
    struct http_response response = http_respond_text(405, "method not allowed for this operation\n");

    http_response_add(&response, "Allow", bytes_text(allow));
    return response;
}

/* A body whose end is not told is no body (EST-17). */
static bool has_length(const struct http_request *request)
{
    return request->body.len > 0 || http_header_count(request, "Content-Length") > 0 ||
           http_header_count(request, "Transfer-Encoding") > 0;
}

static bool is_pkcs10(const struct http_request *request)
{
    struct bytes type = http_header_find(request, "Content-Type");

    return type.len == 0 || http_media_type_is(type, "application/pkcs10");
}

/* The refusals of an enrollment that can be told from its head; true when there is one. */
static bool refuse_enroll_head(const struct http_request *request, struct http_response *response)
{
    if (request->method != HTTP_METHOD_POST)
        *response = not_allowed("POST");
    else if (!has_length(request))
        *response = http_respond_text(411, "Content-Length is missing\n");
    else if (!is_pkcs10(request))
        *response = http_respond_text(415, "expected application/pkcs10\n");
    else
        return false;
    return true;
}

static bool is_get(const struct http_request *request)
{
    return request->method == HTTP_METHOD_GET || request->method == HTTP_METHOD_HEAD;
}

bool est_serve_public(const struct est_service *service, const struct procedure *procedure,
                      struct bytes operation, const struct http_request *request,
                      struct http_response *response)
{
    enum operation op = operation_of(operation);

    if (!request->peer.tls) { /* EST-1 */
        *response = http_respond_text(403, "EST is served over TLS only\n");
        return true;
    }
    switch (op) {
    case OPERATION_CA_CERTS:
        *response = is_get(request) ? ca_certs(service, procedure, request) : not_allowed("GET, HEAD");
        return true;
    case OPERATION_CSR_ATTRS:
        *response = is_get(request) ? csr_attrs(procedure, request) : not_allowed("GET, HEAD");
        return true;
    case OPERATION_ENROLL:
    case OPERATION_REENROLL: return refuse_enroll_head(request, response);
    case OPERATION_NOT_IMPLEMENTED:
        *response = http_respond_text(501, "this operation is not offered\n");
        return true;
    case OPERATION_UNKNOWN: break;
    }
    *response = http_respond_text(404, "no such operation\n");
    return true;
}

bool est_serve(struct turn *turn, const struct est_service *service, const struct procedure *procedure,
               struct bytes operation, const struct http_request *request, struct http_response *response,
               struct error *err)
{
    enum operation op = operation_of(operation);
    struct http_response made = { 0 };
    struct est_operation enrollment = {
        .turn = turn,
        .service = service,
        .procedure = procedure,
        .request = request,
        .name = operation,
        .reenroll = op == OPERATION_REENROLL,
        .response = &made,
    };

    if (op == OPERATION_REENROLL || op == OPERATION_ENROLL)
        turn->facts.operation = op == OPERATION_REENROLL ? "simplereenroll" : "simpleenroll";
    if ((op != OPERATION_ENROLL && op != OPERATION_REENROLL) || !request->peer.tls ||
        refuse_enroll_head(request, &made))
        return est_serve_public(service, procedure, operation, request, response);
    if (!est_enroll(&enrollment, err)) {
        *response = http_respond_text(500, "internal error\n");
        return false;
    }
    *response = made;
    return true;
}
