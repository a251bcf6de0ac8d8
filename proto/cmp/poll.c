/* pollReq (RFC 9810 5.3.22): what became of a request that waits. */
#include "proto/cmp/exchange_internal.h"

enum cmp_fault cmp_serve_poll(struct cmp_exchange *x, struct error *err)
{
    struct enroll_result result = { 0 };
    int64_t cert_req_id;
    bool found = false;
    size_t count;

    if (!cmp_poll_req_decode(x->request.content, &cert_req_id, 1, &count))
        return CMP_FAULT_SYNTAX;
    if (cert_req_id != x->transaction.cert_req_id) /* CMP-87 */
        return CMP_FAULT_CERT_REQ_ID;
    if (x->transaction.generated) /* CMP-90: the certificate without its key is of no use */
        return CMP_FAULT_TRANSACTION_UNKNOWN;
    if (!enroll_poll(x->turn, x->service->enroll, x->procedure, PROTOCOL_CMP, x->transaction_id,
                     &x->sender.identity, &found, &result, err))
        return CMP_FAULT_INTERNAL;
    if (!found)
        return CMP_FAULT_TRANSACTION_UNKNOWN;
    return cmp_deliver(x, &result, err);
}
