/* The bodies of a PKIMessage, read (RFC 9810 5.3). */
#include "proto/cmp/message_internal.h"

/* PKIStatusInfo (RFC 9810 5.2.3). A number that no status has is NONE. */
static bool status_info_read(struct der *in, struct cmp_status_info *out)
{
    struct der info = der_enter(in, DER_SEQUENCE);
    struct bytes status = der_integer(&info);

    *out = (struct cmp_status_info){ .status = CMP_STATUS_NONE };
    if (status.len == 1 && status.data[0] < CMP_KEY_UPDATE_WARNING)
        out->status = (enum cmp_status)(status.data[0] + 1);
    if (der_next_is(&info, DER_SEQUENCE))
        out->text = cmp_free_text(&info);
    if (der_next_is(&info, DER_BIT_STRING))
        out->fail_info = der_named_bits(&info);
    return der_finished(&info);
}

bool cmp_elements_decode(struct bytes content, struct bytes *element, size_t max, size_t *count)
{
    struct der in = der_of(content);
    size_t n;

    if (!cmp_sequences_read(&in, element, max, &n) || !der_finished(&in))
        return false;
    *count = n;
    return true;
}

/* --- ip, cp, kup: CertRepMessage (RFC 9810 5.3.4) --- */

/* EncryptedKey inside [n]: EncryptedValue, or EnvelopedData under [0]. */
static struct bytes encrypted_key(struct der *in, unsigned n)
{
    unsigned tag = 0;
    struct bytes key = cmp_explicit_any(in, n, &tag);

    if (tag != DER_SEQUENCE && tag != DER_CONTEXT(0))
        *in = (struct der){ .failed = true };
    return key;
}

/* EnvelopedData under its own tag again; EncryptedValue is not offered and reads as none. */
static bool private_key_read(struct der *in, struct arena *arena, struct bytes *out)
{
    struct bytes key = encrypted_key(in, 0);
    uint8_t *copy;

    if (in->failed)
        return false;
    if (key.data[0] == DER_SEQUENCE)
        return true;
    copy = arena_alloc(arena, key.len);
    if (copy == NULL)
        return false;
    memcpy(copy, key.data, key.len);
    copy[0] = DER_SEQUENCE;
    *out = bytes_of(copy, key.len);
    return true;
}

static bool certified_key_pair_read(struct der *in, struct arena *arena, struct cmp_cert_response *out)
{
    struct der pair = der_enter(in, DER_SEQUENCE);

    if (der_next_is(&pair, DER_CONTEXT(0)))
        out->certificate = cmp_explicit_element(&pair, 0, DER_SEQUENCE);
    else
        out->encrypted_cert = encrypted_key(&pair, 1);
    if (der_next_is(&pair, DER_CONTEXT(0)) && !private_key_read(&pair, arena, &out->private_key))
        return false;
    if (der_next_is(&pair, DER_CONTEXT(1))) /* publicationInfo */
        (void)cmp_explicit_element(&pair, 1, DER_SEQUENCE);
    return der_finished(&pair);
}

static bool cert_response_read(struct der *in, struct arena *arena, struct cmp_cert_response *out)
{
    struct der response = der_enter(in, DER_SEQUENCE);

    out->cert_req_id = der_int(&response);
    if (!status_info_read(&response, &out->status))
        return false;
    if (der_next_is(&response, DER_SEQUENCE) && !certified_key_pair_read(&response, arena, out))
        return false;
    (void)der_optional(&response, DER_OCTET_STRING, NULL); /* rspInfo */
    return der_finished(&response);
}

bool cmp_cert_rep_decode(struct bytes content, struct arena *arena, struct cmp_cert_rep *out)
{
    struct der in = der_of(content), rep = der_enter(&in, DER_SEQUENCE), list;
    struct cmp_cert_rep r = { .response_count = 0 };

    if (der_next_is(&rep, DER_CONTEXT(1))) {
        struct der ca_pubs = der_of(cmp_explicit_element(&rep, 1, DER_SEQUENCE));

        if (!cmp_sequences_read(&ca_pubs, r.ca_pub, CMP_ITEMS_MAX, &r.ca_pub_count))
            return false;
    }
    list = der_enter(&rep, DER_SEQUENCE);
    for (; der_more(&list) && r.response_count < CMP_ITEMS_MAX; r.response_count++)
        if (!cert_response_read(&list, arena, &r.response[r.response_count]))
            return false;
    if (!der_finished(&list) || !der_finished(&rep) || !der_finished(&in))
        return false;
    *out = r;
    return true;
}

/* --- certConf (RFC 9810 5.3.18) --- */

static bool cert_status_read(struct der *in, struct cmp_cert_status *out)
{
    struct der status = der_enter(in, DER_SEQUENCE);

    *out = (struct cmp_cert_status){ .cert_hash = der_value(&status, DER_OCTET_STRING) };
    out->cert_req_id = der_int(&status);
    out->has_status = der_next_is(&status, DER_SEQUENCE);
    if (out->has_status && !status_info_read(&status, &out->status))
        return false;
    if (der_next_is(&status, DER_CONTEXT(0)))
        out->hash_alg = cmp_explicit_element(&status, 0, DER_SEQUENCE);
    return der_finished(&status);
}

bool cmp_cert_conf_decode(struct bytes content, struct cmp_cert_status *out, size_t max, size_t *count)
{
    struct der in = der_of(content), list = der_enter(&in, DER_SEQUENCE);
    size_t n = 0;

    for (; der_more(&list) && n < max && n < CMP_ITEMS_MAX; n++)
        if (!cert_status_read(&list, &out[n]))
            return false;
    if (!der_finished(&list) || !der_finished(&in))
        return false;
    *count = n;
    return true;
}

/* --- pollReq, pollRep (RFC 9810 5.3.22) --- */

bool cmp_poll_req_decode(struct bytes content, int64_t *cert_req_id, size_t max, size_t *count)
{
    struct der in = der_of(content), list = der_enter(&in, DER_SEQUENCE);
    size_t n = 0;

    for (; der_more(&list) && n < max && n < CMP_ITEMS_MAX; n++) {
        struct der item = der_enter(&list, DER_SEQUENCE);

        cert_req_id[n] = der_int(&item);
        if (!der_finished(&item))
            return false;
    }
    if (!der_finished(&list) || !der_finished(&in))
        return false;
    *count = n;
    return true;
}

bool cmp_poll_rep_decode(struct bytes content, struct cmp_poll_rep *out, size_t max, size_t *count)
{
    struct der in = der_of(content), list = der_enter(&in, DER_SEQUENCE);
    size_t n = 0;

    for (; der_more(&list) && n < max && n < CMP_ITEMS_MAX; n++) {
        struct der item = der_enter(&list, DER_SEQUENCE);

        out[n].cert_req_id = der_int(&item);
        out[n].check_after_s = der_uint(&item);
        if (der_next_is(&item, DER_SEQUENCE)) /* reason */
            (void)cmp_free_text(&item);
        if (!der_finished(&item))
            return false;
    }
    if (!der_finished(&list) || !der_finished(&in))
        return false;
    *count = n;
    return true;
}

/* --- rr, rp (RFC 9810 5.3.9, 5.3.10) --- */

bool cmp_rev_req_decode(struct bytes content, struct arena *arena, struct cmp_rev_details *out, size_t max,
                        size_t *count)
{
    struct der in = der_of(content), list = der_enter(&in, DER_SEQUENCE);
    size_t n = 0;

    for (; der_more(&list) && n < max && n < CMP_ITEMS_MAX; n++) {
        struct der item = der_enter(&list, DER_SEQUENCE), template = der_enter(&item, DER_SEQUENCE);

        out[n] = (struct cmp_rev_details){ .crl_entry_details = BYTES_NONE };
        if (!crmf_template_decode(&template, arena, &out[n].details) || !der_finished(&template))
            return false;
        if (der_next_is(&item, DER_SEQUENCE))
            out[n].crl_entry_details = der_element(&item, DER_SEQUENCE);
        if (!der_finished(&item))
            return false;
    }
    if (!der_finished(&list) || !der_finished(&in))
        return false;
    *count = n;
    return true;
}

/* revCerts [0] and crls [1]: what was revoked is known from the request. */
static bool skip_list(struct der *in, unsigned n)
{
    struct bytes item[CMP_ITEMS_MAX];
    struct der inside;
    size_t count;

    if (!der_next_is(in, DER_CONTEXT(n)))
        return true;
    inside = der_of(cmp_explicit_element(in, n, DER_SEQUENCE));
    return cmp_sequences_read(&inside, item, CMP_ITEMS_MAX, &count);
}

bool cmp_rev_rep_decode(struct bytes content, struct cmp_status_info *out, size_t max, size_t *count)
{
    struct der in = der_of(content), rep = der_enter(&in, DER_SEQUENCE), list = der_enter(&rep, DER_SEQUENCE);
    size_t n = 0;

    for (; der_more(&list) && n < max && n < CMP_ITEMS_MAX; n++)
        if (!status_info_read(&list, &out[n]))
            return false;
    if (n == 0 || !der_finished(&list) || !skip_list(&rep, 0) || !skip_list(&rep, 1) || !der_finished(&rep) ||
        !der_finished(&in))
        return false;
    *count = n;
    return true;
}

/* --- genm, genp, error --- */

bool cmp_general_decode(struct bytes content, struct cmp_info *out, size_t max, size_t *count)
{
    struct der in = der_of(content);
    size_t n;

    if (!cmp_infos_read(&in, out, max < CMP_INFO_MAX ? max : CMP_INFO_MAX, &n) || !der_finished(&in))
        return false;
    *count = n;
    return true;
}

/* errorCode is implementation's own and errorDetails is for people (RFC 9810 5.3.21). */
bool cmp_error_decode(struct bytes content, struct cmp_status_info *out)
{
    struct der in = der_of(content), error = der_enter(&in, DER_SEQUENCE);
    struct cmp_status_info status;

    if (!status_info_read(&error, &status))
        return false;
    if (der_next_is(&error, DER_INTEGER))
        (void)der_integer(&error);
    if (der_next_is(&error, DER_SEQUENCE))
        (void)cmp_free_text(&error);
    if (!der_finished(&error) || !der_finished(&in))
        return false;
    *out = status;
    return true;
}
