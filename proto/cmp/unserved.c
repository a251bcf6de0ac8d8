/* What stands here until messages are served: the answer is 501. */
#include "proto/cmp/cmp.h"

#include "proto/cmp/message.h"

const struct bytes CMP_KP_CMC_CA = BYTES_LITERAL("\x2b\x06\x01\x05\x05\x07\x03\x1b");
const struct bytes CMP_KP_CMC_RA = BYTES_LITERAL("\x2b\x06\x01\x05\x05\x07\x03\x1c");
const struct bytes CMP_KP_CM_KGA = BYTES_LITERAL("\x2b\x06\x01\x05\x05\x07\x03\x20");

bool cmp_serve(struct turn *turn, const struct cmp_service *service, const struct procedure *procedure,
               struct bytes label, const struct http_request *request, struct http_response *response,
               struct error *err)
{
    (void)service;
    (void)err;
    turn->facts.protocol = protocol_name(PROTOCOL_CMP);
    turn->facts.procedure = procedure->name;
    if (cmp_serve_public(service, procedure, label, request, response))
        return true;
    *response = http_respond_text(501, "not implemented\n");
    return true;
}
