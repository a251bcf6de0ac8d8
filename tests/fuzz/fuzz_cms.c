/* CMS. BER comes in as it does from the network; what decodes has its parts inside, its counts within bounds,
 * and nothing behind it; opening and verifying garbage gives an answer. */
#include <assert.h>
#include <stdlib.h>

#include "lib/pki/cms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct keys *ring;
static struct public_key key;

static void prepare(void)
{
    if (ring != NULL)
        return;
    if (!keys_new(&ring, NULL) || !keys_generate(ring, "ra", KEY_RSA, 2048, NULL) ||
        !public_key_parse(keys_public(ring, "ra"), &key))
        abort();
}

static bool is_inside(struct bytes part, struct bytes whole)
{
    return part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void check_signed(struct arena *arena, struct bytes der, struct bytes longer)
{
    struct cms_signed s, again;
    struct bytes certificate;

    if (!cms_signed_decode(der, &s))
        return;
    assert(s.certificate_count <= CMS_CERTIFICATES_MAX && s.attribute_count <= CMS_ATTRIBUTES_MAX);
    assert(is_inside(s.content, der) && is_inside(s.signature, der) && is_inside(s.signed_attributes, der));
    assert(!cms_signed_decode(longer, &again));
    for (size_t i = 0; i < s.attribute_count; i++) {
        struct bytes value;

        assert(cms_attribute_find(&s, s.attribute[i].oid, &value) && value.data == s.attribute[i].value.data);
    }
    certificate = cms_signer_certificate(&s, arena);
    assert(is_inside(certificate, der));
    assert(cms_signed_verify(&s, &key, true) != SIGNATURE_OK); /* nobody has signed with this key */
}

/* Addressed to us by force, so that unwrapping and decrypting see every input. */
static void check_enveloped(struct arena *arena, struct bytes der, struct bytes longer)
{
    struct cms_enveloped e, again;
    struct certificate ours = { .serial = BYTES_NONE };
    struct bytes plain;

    if (!cms_enveloped_decode(der, &e))
        return;
    assert(e.recipient_count <= CMS_RECIPIENTS_MAX);
    assert(is_inside(e.encrypted, der) && is_inside(e.iv, der));
    assert(!cms_enveloped_decode(longer, &again));
    if (e.recipient_count == 0)
        return;
    ours.issuer.encoded = e.recipient[0].issuer;
    ours.serial = e.recipient[0].serial;
    ours.subject_key_id = e.recipient[0].key_id;
    if (cms_enveloped_open(&e, &ours, ring, "ra", arena, &plain))
        assert(plain.len <= e.encrypted.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(16 * 1024 * 1024);
    struct bytes der;

    prepare();
    assert(arena != NULL);
    if (ber_to_der(arena, bytes_of(data, size), &der)) {
        uint8_t *longer = calloc(1, der.len + 1);

        assert(longer != NULL);
        memcpy(longer, der.data, der.len);
        check_signed(arena, der, bytes_of(longer, der.len + 1));
        check_enveloped(arena, der, bytes_of(longer, der.len + 1));
        free(longer);
    }
    arena_free(arena);
    return 0;
}
