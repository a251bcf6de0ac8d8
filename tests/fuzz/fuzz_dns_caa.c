/* Any bytes as a CAA record, and as the value of its issue tag: what is accepted has a tag of letters and
 * digits, an issuer that is a canonical name, and parameters that stand in the value; put together again it
 * says the same. */
#include <assert.h>

#include "lib/base/buffer.h"
#include "lib/dns/dns_caa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(struct bytes value)
{
    AUTO_STRUCT(buffer) text = BUFFER(1 << 20);
    struct dns_issue_value v, again;

    if (!dns_issue_value_parse(value, &v))
        return;
    buffer_append(&text, dns_name_bytes(&v.issuer));
    for (size_t i = 0; i < v.count; i++) {
        buffer_append_byte(&text, ';');
        buffer_append(&text, v.parameter[i].tag);
        buffer_append_byte(&text, '=');
        buffer_append(&text, v.parameter[i].value);
    }
    assert(v.count <= DNS_CAA_PARAMETERS_MAX && !buffer_failed(&text) && text.len <= value.len);
    assert(dns_issue_value_parse(buffer_bytes(&text), &again));
    assert(dns_name_equal(&v.issuer, &again.issuer) && v.count == again.count &&
           v.duplicate == again.duplicate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_caa caa;

    check_value(bytes_of(data, size));
    if (!dns_caa_parse(bytes_of(data, size), &caa))
        return 0;
    assert(caa.tag_text.len > 0 && 2 + caa.tag_text.len + caa.value.len == size);
    check_value(caa.value);
    return 0;
}
