/* requests.h: parts of requests, whatever form they come in. */
#ifndef MUSTER_TEST_PKI_REQUESTS_H
#define MUSTER_TEST_PKI_REQUESTS_H

#include "tests/unit/lib/pki/fixtures.h"

UNUSED static struct bytes extension(const char *oid, bool critical, struct bytes value)
{
    struct bytes head = wrap(DER_OID, hex(oid));

    if (critical)
        head = join(head, hex("0101ff"));
    return wrap(DER_SEQUENCE, join(head, wrap(DER_OCTET_STRING, value)));
}

UNUSED static struct bytes dns(const char *name)
{
    return wrap(DER_CONTEXT_PRIMITIVE(2), bytes_text(name));
}

UNUSED static struct bytes rdn(const char *oid, unsigned tag, struct bytes value)
{
    return wrap(DER_SET, wrap(DER_SEQUENCE, join(wrap(DER_OID, hex(oid)), wrap(tag, value))));
}

UNUSED static struct bytes subject_with(const char *oid, unsigned tag, struct bytes value)
{
    return wrap(DER_SEQUENCE, rdn(oid, tag, value));
}

UNUSED static struct bytes text_of(size_t len)
{
    char *text = arena_alloc(arena, len + 1);

    memset(text, 'x', len);
    return bytes_of(text, len);
}

#endif
