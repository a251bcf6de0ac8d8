/* writer.h: a response as octets. Pure. */
#ifndef MUSTER_HTTP_WRITER_H
#define MUSTER_HTTP_WRITER_H

#include "lib/base/buffer.h"
#include "lib/http/message.h"

/* Appends head and body in one piece (a client of the field reads both at once). Date is `now_s`. `head_only`
 * leaves the body out but not its Content-Length (HEAD). Writes "Connection: close" when `close`, else
 * "Connection: keep-alive", which clients of HTTP/1.0 need to hear. A 204 or 304 has neither body nor
 * length. */
void http_write_response(struct buffer *out, const struct http_response *response, int64_t now_s,
                         bool head_only, bool close);

#endif
