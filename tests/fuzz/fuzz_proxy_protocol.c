/* What is taken as a header is decided by its own octets: every shorter prefix of it wants more, and what
 * follows it changes nothing. */
#include <assert.h>

#include "lib/net/proxy_protocol_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    struct proxy_header header, alone;
    size_t consumed = 0, again = 0;
    enum proxy_parse prefix;

    if (proxy_parse(input, &header, &consumed) != PROXY_DONE)
        return 0;
    assert(consumed > 0 && consumed <= size && consumed <= PROXY_HEADER_MAX);
    assert(proxy_parse(bytes_slice(input, 0, consumed), &alone, &again) == PROXY_DONE && again == consumed);
    assert(alone.port == header.port && ip_equal(&alone.client, &header.client));
    for (size_t len = 0; len < consumed; len++) {
        prefix = proxy_parse(bytes_slice(input, 0, len), &alone, &again);
        assert(prefix == PROXY_MORE);
    }
    return 0;
}
