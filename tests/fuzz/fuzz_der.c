/* BER, OIDs and names. What ber_to_der gives is DER, for ever: a second pass changes nothing, and a byte
 * after it is refused. OIDs and names that decode encode to what reads the same. */
#include <assert.h>
#include <stdlib.h>

#include "lib/pki/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ber(struct arena *arena, struct bytes in)
{
    struct bytes der, again, child;
    uint8_t *longer;

    if (!ber_to_der(arena, in, &der))
        return;
    assert(ber_to_der(arena, der, &again));
    assert(again.data == der.data && again.len == der.len);
    if (ber_first_child(in, &child))
        assert(child.len < in.len && child.data > in.data);
    longer = malloc(in.len + 1);
    assert(longer != NULL);
    memcpy(longer, in.data, in.len);
    longer[in.len] = 0;
    assert(!ber_to_der(arena, bytes_of(longer, in.len + 1), &again));
    free(longer);
}

static void check_oid(struct bytes in)
{
    char text[512];
    uint8_t oid[256];
    size_t len;

    if (in.len > sizeof(oid) || !oid_format(in, text, sizeof(text)))
        return;
    assert(oid_parse(bytes_text(text), oid, sizeof(oid), &len));
    assert(bytes_equal(bytes_of(oid, len), in));
}

static void check_name(struct arena *arena, struct bytes in)
{
    AUTO_STRUCT(buffer) out = BUFFER(1024 * 1024);
    struct distinguished_name name, again;

    if (name_decode_lenient(in, arena, &name) == NAME_OK)
        (void)name_format(&name, arena);
    if (name_decode(in, arena, &name) != NAME_OK || !name_encode(name.attribute, name.count, &out))
        return;
    assert(name_decode(buffer_bytes(&out), arena, &again) == NAME_OK);
    assert(name_equal(&name, &again) && name_equal(&again, &name));
}

static void check_general_names(struct arena *arena, struct bytes in)
{
    AUTO_STRUCT(buffer) out = BUFFER(1024 * 1024);
    struct general_names names;
    size_t seq;

    if (general_names_decode(in, arena, &names) != NAME_OK)
        return;
    seq = der_begin(&out, DER_SEQUENCE);
    for (size_t i = 0; i < names.count; i++)
        general_name_put(&out, names.item[i].kind, names.item[i].value, names.item[i].oid);
    der_end(&out, seq);
    assert(bytes_equal(buffer_bytes(&out), in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(16 * 1024 * 1024);
    struct bytes in = bytes_of(data, size);

    assert(arena != NULL);
    check_ber(arena, in);
    check_oid(in);
    check_name(arena, in);
    check_general_names(arena, in);
    arena_free(arena);
    return 0;
}
