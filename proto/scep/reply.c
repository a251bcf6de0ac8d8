#include "proto/scep/reply_internal.h"

#include <assert.h>

bool scep_reply_reaches(const struct scep_opened *request, struct bytes password)
{
    return request->signer.key.kind == KEY_RSA || password.len > 0;
}

/* SignedData's content for SUCCESS: EnvelopedData of a bag whose leaf is the issued certificate (SCEP-91),
 * for the key of the request's signer, not that of its CSR (SCEP-93). */
static bool envelop(const struct scep_reply *reply, const struct scep_opened *request, struct turn *turn,
                    struct bytes *out, struct error *err)
{
    struct cms_enveloping e = {
        .cipher = request->cipher != CMS_CIPHER_NONE ? request->cipher : CMS_AES_128_CBC,
        .random = &turn->random,
    };

    if (!cms_bag(reply->certificate, reply->certificate_count, NULL, 0, turn->arena, &e.plain, err))
        return false;
    if (request->signer.key.kind == KEY_RSA)
        return cms_envelop(&e, &request->signer, turn->arena, out, err);
    return cms_envelop_password(&e, reply->password, turn->arena, out, err);
}

bool scep_reply_encode(const struct scep_reply *reply, const struct scep_opened *request,
                       const struct scep_ra *ra, struct turn *turn, struct bytes *der, struct error *err)
{
    uint8_t nonce[SCEP_NONCE_LEN];
    struct scep_attributes attributes = {
        .type = SCEP_CERT_REP,
        .status = reply->status,
        .transaction_id = request->attributes.transaction_id,
        .sender_nonce = BYTES_ARRAY(nonce),
        .recipient_nonce = request->attributes.sender_nonce,
    };
    struct cms_attribute list[SCEP_ATTRIBUTES_MAX];
    struct bytes content = BYTES_NONE;
    size_t count;

    assert(reply->status != SCEP_STATUS_NONE);
    if (reply->status == SCEP_FAILURE) {
        attributes.fail_info = reply->failure.fail_info;
        attributes.fail_info_text = bytes_text(reply->failure.text);
    }
    if (!random_fill(&turn->random, nonce, sizeof(nonce))) /* fresh in every reply (SCEP-90) */
        return error_set(err, ERROR_CRYPTO, "no randomness for a nonce");
    if (!scep_attributes_encode(&attributes, turn->arena, list, &count))
        return error_set(err, ERROR_MEMORY, "attributes of a CertRep do not fit the request's arena");
    if (reply->status == SCEP_SUCCESS && !envelop(reply, request, turn, &content, err))
        return false;
    /* PENDING and FAILURE: RFC 8894 3.3.2.2 leaves the content out; certmonger takes that for a broken
     * message, and every client takes an empty one. */
    return cms_sign(
        &(struct cms_signing){
            .content = content,
            .has_content = true,
            .certificate = &ra->certificate,
            .keys = turn->keys,
            .key_name = ra->key_name,
            .hash = request->digest != DIGEST_NONE ? request->digest : DIGEST_SHA256,
            .attribute = list,
            .attribute_count = count,
        },
        turn->arena, der, err);
}
