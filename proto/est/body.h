/* body.h: how EST carries DER in HTTP bodies (RFC 7030 as corrected by RFC 8951 3). Pure. */
#ifndef MUSTER_EST_BODY_H
#define MUSTER_EST_BODY_H

#include "lib/http/message.h"

/* What form a request's body had. Whatever Content-Transfer-Encoding says is not looked at (EST-21). */
enum est_body {
    EST_BODY_MALFORMED = 0, /* none of the forms below, or empty */
    EST_BODY_MEMORY,        /* out of arena */
    EST_BODY_BASE64,        /* as the standard has it, wrapped in any way or not at all */
    EST_BODY_DER,           /* raw: a quirk of the field (EST-24) */
    EST_BODY_PEM,           /* armoured as a certificate request: another */
};

/* The octets inside. `strict` takes base64 alone. *der is set for the last three results; it points into the
 * arena or the body. That it is one DER element is for whoever decodes it to see. */
enum est_body est_body_decode(struct bytes body, bool strict, struct arena *arena, struct bytes *der);

/* Base64 for this client. libest reads with a PEM decoder and needs lines of 64 columns; strongSwan tolerates
 * no line break but the last (EST-23). False: out of memory. */
MUST_USE bool est_body_encode(struct bytes der, const struct http_request *request, struct bytes *out);

/* The client is libest's: its User-Agent says so. */
bool est_client_is_libest(const struct http_request *request);

/* 200 with that body and type, and Content-Transfer-Encoding: base64 for those who still ask for it. False:
 * out of memory. */
MUST_USE bool est_respond(struct bytes der, const char *content_type, const struct http_request *request,
                          struct http_response *response);

#endif
