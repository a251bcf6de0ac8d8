/* The HTTP binding (RFC 8894 4): which operation, where its message is, and what needs no secret. */
#include "proto/scep/scep.h"

#include "proto/scep/operation_internal.h"

enum { RA_RSA_BITS_MIN = 2048 };

static const char TEXT_PLAIN[] = "text/plain";

enum operation_name {
    OPERATION_UNKNOWN = 0,
    OPERATION_CAPS,
    OPERATION_CA,
    OPERATION_NEXT_CA,
    OPERATION_PKI,
};

/* --- configuration --- */

static bool is_awaited(const struct scep_ra *ra)
{
    return ra->certificate.encoded.len == 0;
}

bool scep_is_awaiting(const struct scep_service *service, const struct procedure *procedure)
{
    const struct scep_ra *ra = scep_ra_of(service, procedure);

    return ra != NULL && is_awaited(ra);
}

const char *scep_procedure_fault(const struct scep_service *service, const struct procedure *procedure,
                                 const struct keys *keys)
{
    const uint32_t needed = KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT;
    const struct scep_ra *ra = scep_ra_of(service, procedure);
    unsigned bits = 0;
    enum key_kind kind;

    if (!procedure->preregistration)
        return "SCEP needs preregistration";
    if (ra == NULL)
        return "its SCEP RA is not configured";
    kind = keys_kind(keys, ra->key_name, &bits);
    if (is_awaited(ra) && kind == KEY_NONE)
        return NULL;
    if (kind != KEY_RSA || bits < RA_RSA_BITS_MIN)
        return "the key of its SCEP RA must be RSA of 2048 bits or more";
    if (is_awaited(ra))
        return NULL;
    if (!bytes_equal(keys_public(keys, ra->key_name), ra->certificate.key.spki))
        return "the certificate of its SCEP RA is not for its key";
    if (!ra->certificate.has_key_usage || (ra->certificate.key_usage & needed) != needed)
        return "the certificate of its SCEP RA needs digitalSignature and keyEncipherment";
    return NULL;
}

/* --- what needs no secret --- */

/* Keywords exactly as clients compare them. strongSwan 5.9.8 goes only with SHA-384 in the list; a keyword
 * whose feature is off must not stand there (SCEP-21 to SCEP-26). */
static struct http_response capabilities(const struct procedure *procedure, struct arena *arena)
{
    const struct dialect *d = &procedure->dialect;
    struct bytes text = arena_format(arena,
                                     "AES\nPOSTPKIOperation\n%s%s%sSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n",
                                     procedure->renewal ? "Renewal\n" : "", d->scep_legacy ? "DES3\n" : "",
                                     d->scep_legacy || d->scep_des ? "SHA-1\n" : "");

    if (text.data == NULL)
        return http_respond_text(503, "out of memory");
    return http_respond(200, TEXT_PLAIN, text);
}

/* SCEP-30 to SCEP-34: the RA first, then the issuing CA and upwards; a lone certificate goes bare. */
static struct http_response ca_certificates(const struct scep_service *service,
                                            const struct procedure *procedure, struct arena *arena)
{
    const struct scep_ra *ra = scep_ra_of(service, procedure);
    const struct ca *ca = enroll_ca(service->enroll, procedure);
    struct bytes list[1 + CA_CHAIN_MAX], bag;
    size_t count = 0, chain;
    struct error err;

    if (ra == NULL || ca == NULL)
        return http_respond_text(500, "internal error");
    chain = procedure->dialect.scep_issuer_only && ca->chain_count > 1 ? 1 : ca->chain_count;
    if (!bytes_equal(ra->certificate.encoded, ca->chain[0]))
        list[count++] = ra->certificate.encoded;
    for (size_t i = 0; i < chain; i++)
        list[count++] = ca->chain[i];
    if (count == 1)
        return http_respond(200, "application/x-x509-ca-cert", list[0]);
    if (!cms_bag(list, count, NULL, 0, arena, &bag, &err))
        return http_respond_text(500, "internal error");
    return http_respond(200, "application/x-x509-ca-ra-cert", bag);
}

static const struct {
    const char *name;
    enum operation_name operation;
} known[] = {
    { "GetCACaps", OPERATION_CAPS },
    { "GetCACert", OPERATION_CA },
    { "GetNextCACert", OPERATION_NEXT_CA },
    { "PKIOperation", OPERATION_PKI },
};

/* A POST that names no operation is a PKIOperation: many servers never look (SCEP-6). */
static enum operation_name operation_of(const struct http_request *request)
{
    struct bytes name;

    if (!http_query_find(request, "operation", &name))
        return request->method == HTTP_METHOD_POST && !http_query_find_raw(request, "operation", &name)
                   ? OPERATION_PKI
                   : OPERATION_UNKNOWN;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (bytes_is_nocase(name, known[i].name))
            return known[i].operation;
    return OPERATION_UNKNOWN;
}

const char *scep_operation_name(const struct http_request *request)
{
    enum operation_name operation = operation_of(request);

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (operation == known[i].operation)
            return known[i].name;
    return NULL;
}

static struct http_response method_not_allowed(void)
{
    struct http_response response = http_respond_text(405, "SCEP is served by GET and POST");

    http_response_add(&response, "Allow", BYTES_LITERAL("GET, POST"));
    return response;
}

static struct http_response get(const struct scep_service *service, const struct procedure *procedure,
                                enum operation_name operation, const struct http_request *request)
{
    struct bytes message;

    switch (operation) {
    case OPERATION_CAPS: return capabilities(procedure, request->arena);
    case OPERATION_CA: return ca_certificates(service, procedure, request->arena);
    case OPERATION_NEXT_CA: return http_respond_text(404, "no next CA certificate");
    case OPERATION_PKI:
        if (http_query_find_raw(request, "message", &message) && message.len > 0)
            return (struct http_response){ 0 };
        return http_respond_text(400, "PKIOperation without message");
    case OPERATION_UNKNOWN: break;
    }
    return http_respond_text(400, "operation unknown or missing");
}

bool scep_serve_public(const struct scep_service *service, const struct procedure *procedure,
                       const struct http_request *request, struct http_response *response)
{
    enum operation_name operation = operation_of(request);
    struct http_response answer = { 0 };

    if ((procedure->protocols & PROTOCOL_BIT(PROTOCOL_SCEP)) == 0)
        answer = http_respond_text(404, "not found");
    else if (request->method == HTTP_METHOD_GET)
        answer = get(service, procedure, operation, request);
    else if (request->method != HTTP_METHOD_POST)
        answer = method_not_allowed();
    else if (operation != OPERATION_PKI)
        answer = http_respond_text(400, "only PKIOperation is posted");
    if (answer.status == 0)
        return false;
    *response = answer;
    return true;
}

/* --- PKIOperation --- */

static bool message_of(const struct http_request *request, struct bytes *out)
{
    struct bytes raw;

    if (request->method == HTTP_METHOD_POST) {
        *out = request->body;
        return request->body.len > 0;
    }
    return http_query_find_raw(request, "message", &raw) && scep_get_message(request->arena, raw, out);
}

bool scep_serve(struct turn *turn, const struct scep_service *service, const struct procedure *procedure,
                const struct http_request *request, struct http_response *response, struct error *err)
{
    struct bytes message, reply;
    bool correlated = false;

    turn->facts.protocol = protocol_name(PROTOCOL_SCEP);
    turn->facts.procedure = procedure->name;
    turn->facts.operation = "PKIOperation";
    if (scep_serve_public(service, procedure, request, response))
        return true;
    if (message_of(request, &message) && !scep_operation(turn, service, procedure, &request->peer.address,
                                                         message, &correlated, &reply, err)) {
        turn->facts.verdict = "error";
        changes_begin(&turn->changes, turn->arena); /* nothing is recorded that was not answered */
        *response = http_respond_text(500, "internal error");
        return false;
    }
    if (!correlated) {
        turn->facts.verdict = "refused";
        turn->facts.reason = refusal_name(REFUSAL_SYNTAX);
        turn->facts.detail = "not a pkiMessage with a transactionID";
        *response = http_respond_text(400, "not a SCEP message");
        return true;
    }
    *response = http_respond(200, "application/x-pki-message", reply);
    return true;
}
