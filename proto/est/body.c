#include "proto/est/body.h"

#include "lib/base/encode.h"
#include "lib/pki/csr.h"

enum { LIBEST_COLUMNS = 64 };

static const char PEM_BEGIN[] = "-----BEGIN";
static const uint8_t DER_SEQUENCE_OCTET = 0x30; /* as a base64 digit ('0') it could begin no SEQUENCE */

enum est_body est_body_decode(struct bytes body, bool strict, struct arena *arena, struct bytes *der)
{
    uint8_t *decoded;
    size_t len;

    if (!strict && body.len > 0 && body.data[0] == DER_SEQUENCE_OCTET) {
        *der = body;
        return EST_BODY_DER;
    }
    if (!strict && bytes_starts_with(bytes_trim(body), PEM_BEGIN))
        return csr_from_pem(body, arena, der) ? EST_BODY_PEM : EST_BODY_MALFORMED;
    decoded = arena_alloc(arena, BASE64_DECODED_MAX(body.len));
    if (decoded == NULL)
        return EST_BODY_MEMORY;
    if (!base64_decode(body, decoded, &len) || len == 0)
        return EST_BODY_MALFORMED;
    *der = bytes_of(decoded, len);
    return EST_BODY_BASE64;
}

bool est_client_is_libest(const struct http_request *request)
{
    return bytes_starts_with(http_header_find(request, "User-Agent"), "libest");
}

bool est_body_encode(struct bytes der, const struct http_request *request, struct bytes *out)
{
    AUTO_STRUCT(buffer) text = BUFFER(der.len * 2 + 64);
    unsigned columns = est_client_is_libest(request) ? LIBEST_COLUMNS : 0;
    struct bytes copy;

    base64_encode(&text, der, columns);
    if (columns == 0)
        buffer_append_byte(&text, '\n'); /* libest's short answers need one, nobody minds */
    if (buffer_failed(&text))
        return false;
    copy = arena_copy(request->arena, buffer_bytes(&text));
    if (copy.data == NULL)
        return false;
    *out = copy;
    return true;
}

bool est_respond(struct bytes der, const char *content_type, const struct http_request *request,
                 struct http_response *response)
{
    struct bytes body;

    if (!est_body_encode(der, request, &body))
        return false;
    *response = http_respond(200, content_type, body);
    http_response_add(response, "Content-Transfer-Encoding", BYTES_LITERAL("base64"));
    return true;
}
