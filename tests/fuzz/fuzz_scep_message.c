/* Whatever arrives as a pkiMessage: the codec survives it, refuses what it does not know, and what it read
 * encodes and decodes to the same values again. The first octet chooses how the rest comes in. */
#include <stdlib.h>

#include "proto/scep/message.h"

enum { ARENA_MAX = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_known(enum scep_message_type type)
{
    switch (type) {
    case SCEP_MESSAGE_NONE:
    case SCEP_CERT_REP:
    case SCEP_RENEWAL_REQ:
    case SCEP_PKCS_REQ:
    case SCEP_CERT_POLL:
    case SCEP_GET_CERT:
    case SCEP_GET_CRL: return true;
    }
    return false;
}

static void check_attributes(struct arena *arena, const struct cms_signed *in)
{
    struct cms_signed again = { 0 };
    struct scep_attributes a, b;

    scep_attributes_decode(in, &a);
    require(is_known(a.type));
    require(!a.transaction_id_fits ||
            (a.transaction_id.len > 0 && a.transaction_id.len <= SCEP_TRANSACTION_ID_MAX));
    if (a.has_signing_time &&
        (a.signing_time_s < 0 || a.signing_time_s > 4102444800)) /* one form until 2100 */
        a.has_signing_time = false;
    if (!scep_attributes_encode(&a, arena, again.attribute, &again.attribute_count))
        return;
    scep_attributes_decode(&again, &b);
    require(a.type == b.type && a.status == b.status && a.fail_info == b.fail_info);
    require(bytes_equal(a.transaction_id, b.transaction_id));
    require(bytes_equal(a.sender_nonce, b.sender_nonce));
    require(bytes_equal(a.recipient_nonce, b.recipient_nonce));
    require(bytes_equal(a.fail_info_text, b.fail_info_text));
    require(a.has_signing_time == b.has_signing_time);
    require(!a.has_signing_time || a.signing_time_s == b.signing_time_s);
}

static void check_message(struct arena *arena, struct bytes in)
{
    struct scep_issuer_and_subject names;
    struct scep_issuer_and_serial serial;
    struct cms_enveloped enveloped;
    struct cms_signed outer;
    struct bytes der, inner;

    if (!ber_to_der(arena, in, &der))
        return;
    if (scep_issuer_and_subject_decode(der, &names)) {
        AUTO_STRUCT(buffer) again = BUFFER(der.len);

        scep_issuer_and_subject_encode(&names, &again);
        require(bytes_equal(buffer_bytes(&again), der));
    }
    (void)!scep_issuer_and_serial_decode(der, &serial);
    if (!cms_signed_decode(der, &outer))
        return;
    check_attributes(arena, &outer);
    (void)cms_signer_certificate(&outer, arena);
    if (outer.has_content && ber_to_der(arena, outer.content, &inner))
        (void)!cms_enveloped_decode(inner, &enveloped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *arena = arena_new(ARENA_MAX);
    struct bytes rest, der;

    if (arena == NULL || size < 1)
        return 0;
    rest = bytes_of(data + 1, size - 1);
    if ((data[0] & 1) == 0)
        check_message(arena, rest);
    else if (scep_get_message(arena, rest, &der))
        check_message(arena, der);
    return 0;
}
