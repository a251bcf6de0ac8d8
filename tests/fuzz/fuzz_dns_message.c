/* Any bytes as the answer to a question, whose type the first byte chooses: what is read is of that type and
 * bounded, and read again it is the same. */
#include <assert.h>

#include "lib/dns/dns_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum dns_type types[] = { DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_TXT, DNS_TYPE_CAA };
    AUTO_ARENA *arena = arena_new(4 << 20);
    struct dns_name name = { .len = 9, .text = "a.example" };
    struct dns_answer answer, again;
    enum dns_type type;

    if (size == 0)
        return 0;
    type = types[data[0] % COUNT_OF(types)];
    answer = dns_message_read(bytes_of(data + 1, size - 1), &name, type, arena);
    again = dns_message_read(bytes_of(data + 1, size - 1), &name, type, arena);
    assert(answer.status == again.status && answer.count == again.count);
    assert(answer.count <= DNS_RECORDS_MAX && (answer.count == 0 || answer.status == DNS_STATUS_RECORDS));
    for (size_t i = 0; i < answer.count; i++) {
        struct bytes value = answer.record[i].value;

        assert(bytes_equal(value, again.record[i].value) && value.len < size);
        assert(type != DNS_TYPE_A || value.len == 4);
        assert(type != DNS_TYPE_AAAA || value.len == 16);
    }
    return 0;
}
