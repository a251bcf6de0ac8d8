/* Certificates (RFC 8555 7.4.2): the leaf and what leads to the root, as PEM. */
#include "proto/acme/order_internal.h"

#include "registry/certificates.h"

enum { PEM_MAX = 512 * 1024 };

static const char PEM_CHAIN[] = "application/pem-certificate-chain";

static const struct ca *ca_of(const struct acme_call *c, const struct certificate_record *record)
{
    for (size_t i = 0; i < c->service->enroll->ca_count; i++)
        if (bytes_is(record->ca, c->service->enroll->ca[i].name))
            return &c->service->enroll->ca[i];
    return NULL;
}

/* Only what says clearly that it wants something else is refused. */
static bool accepts_pem(const struct http_request *request)
{
    struct bytes rest = http_header_find(request, "Accept"), part;

    if (rest.len == 0)
        return true;
    while (bytes_split(&rest, ',', &part)) {
        struct bytes type = bytes_trim(part);

        if (http_media_type_is(type, PEM_CHAIN) || http_media_type_is(type, "*/*") ||
            http_media_type_is(type, "application/*"))
            return true;
    }
    return false;
}

/* Without the root, which the client must have from elsewhere; but one that stands alone is sent: clients
 * split off the leaf and want something to be left. The alternate chain is the one with it. */
static size_t chain_len(const struct ca *ca, unsigned alternate)
{
    return alternate == 0 && ca->chain_count > 1 ? ca->chain_count - 1 : ca->chain_count;
}

static enum acme_progress respond_chain(struct acme_call *c, const struct certificate_record *record,
                                        const struct ca *ca, struct error *err)
{
    AUTO_STRUCT(buffer) pem = BUFFER(PEM_MAX);
    bool good = pem_encode("CERTIFICATE", record->der, &pem);

    for (size_t i = 0; i < chain_len(ca, c->resource.alternate) && good; i++)
        good = pem_encode("CERTIFICATE", ca->chain[i], &pem);
    c->response->status = 200;
    c->response->body = good ? arena_copy(c->turn->arena, buffer_bytes(&pem)) : BYTES_NONE;
    if (c->response->body.data == NULL) {
        (void)error_set(err, ERROR_MEMORY, "no memory for a chain");
        return ACME_ERROR;
    }
    http_response_add(c->response, "Content-Type", bytes_text(PEM_CHAIN));
    if (ca->chain_count > 1 &&
        !acme_add_link(c, "alternate",
                       acme_call_url_of(c, acme_resource_name(c->resource.kind), &c->resource.id,
                                        c->resource.alternate == 0 ? "/1" : ""),
                       err))
        return ACME_ERROR;
    c->turn->facts.verdict = "served";
    return ACME_ANSWERED;
}

enum acme_progress acme_respond_certificate(struct acme_call *c, const struct acme_order *order,
                                            struct certificate_record *record, struct error *err)
{
    const struct ca *ca;
    bool found = false;

    if (!accepts_pem(c->request))
        return acme_refuse_with(c,
                                &(struct acme_refusal){ .problem = ACME_MALFORMED,
                                                        .status = 406,
                                                        .detail = "certificates come as "
                                                                  "application/pem-certificate-chain" },
                                err);
    if (!registry_certificate_by_id(c->turn->view, &order->certificate, c->turn->arena, &found, record, err))
        return ACME_ERROR;
    ca = found ? ca_of(c, record) : NULL;
    if (ca == NULL || (c->resource.alternate > 0 && (c->resource.alternate > 1 || ca->chain_count < 2)))
        return acme_not_found(c, err);
    return respond_chain(c, record, ca, err);
}

enum acme_progress acme_certificate(struct acme_call *c, struct error *err)
{
    struct certificate_record record;
    struct acme_order order;
    enum acme_progress progress = acme_own_order(c, &order, err);

    if (progress != ACME_ON)
        return progress;
    if (order.status != ACME_ORDER_VALID || order.star.is)
        return acme_not_found(c, err);
    return acme_respond_certificate(c, &order, &record, err);
}
