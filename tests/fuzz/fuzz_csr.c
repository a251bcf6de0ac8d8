/* PKCS#10 and X.509. What decodes has its parts inside the input, and never with a byte behind it; what
 * strict DER accepts, the switch for BER accepts with the same result. */
#include <assert.h>
#include <stdlib.h>

#include "lib/pki/certificate.h"
#include "lib/pki/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool decodes(struct arena *arena, struct bytes der, bool accept_ber, bool ignore_key, struct csr *csr)
{
    struct csr_rules rules = {
        .key = KEY_RULES_DEFAULT, .allow_sha1 = true, .accept_ber = accept_ber, .ignore_key = ignore_key
    };
    const char *detail = NULL;
    enum csr_fault fault = csr_decode(der, &rules, arena, csr, &detail);

    assert(fault == CSR_OK || detail != NULL);
    return fault == CSR_OK;
}

static bool is_inside(struct bytes part, struct bytes whole)
{
    return part.data >= whole.data && part.data + part.len <= whole.data + whole.len;
}

static void check_csr(struct arena *arena, struct bytes in, struct bytes longer)
{
    struct csr csr, again;

    if (!decodes(arena, in, false, true, &csr))
        return;
    assert(is_inside(csr.info, in) && is_inside(csr.requested.key.spki, csr.info));
    assert(is_inside(csr.requested.subject.encoded, csr.info));
    assert(csr.requested.san.count <= GENERAL_NAMES_MAX);
    assert(decodes(arena, in, true, true, &again));
    assert(bytes_equal(csr.info, again.info));
    assert(!decodes(arena, longer, true, true, &again));
    (void)decodes(arena, in, false, false, &again);
}

static void check_certificate(struct arena *arena, struct bytes in, struct bytes longer)
{
    struct certificate c, again;

    if (!certificate_decode(in, arena, &c))
        return;
    assert(is_inside(c.tbs, in) && is_inside(c.signature, in));
    assert(!certificate_decode(longer, arena, &again));
    assert(name_equal(&c.subject, &c.subject));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(16 * 1024 * 1024);
    uint8_t *longer = calloc(1, size + 1);
    struct bytes der;

    assert(arena != NULL && longer != NULL);
    if (size > 0)
        memcpy(longer, data, size);
    check_csr(arena, bytes_of(data, size), bytes_of(longer, size + 1));
    check_certificate(arena, bytes_of(data, size), bytes_of(longer, size + 1));
    if (csr_from_pem(bytes_of(data, size), arena, &der))
        assert(der.len <= size);
    free(longer);
    arena_free(arena);
    return 0;
}
