/* The bodies of a PKIMessage, written (RFC 9810 5.3). */
#include <assert.h>

#include "proto/cmp/message_internal.h"

#define REASON_CODE "\x55\x1d\x15" /* 2.5.29.21 */

/* A status that nobody set rejects. */
static unsigned status_number(enum cmp_status status)
{
    return (unsigned)(status == CMP_STATUS_NONE ? CMP_REJECTION : status) - 1;
}

void cmp_status_info_put(struct buffer *out, const struct cmp_status_info *status)
{
    size_t seq = der_begin(out, DER_SEQUENCE), text;

    der_put_uint(out, status_number(status->status));
    if (status->text.len > 0) {
        text = der_begin(out, DER_SEQUENCE);
        der_put(out, DER_UTF8_STRING, status->text);
        der_end(out, text);
    }
    if (status->fail_info != 0)
        der_put_named_bits(out, status->fail_info);
    der_end(out, seq);
}

/* EncryptedKey envelopedData [0] IMPLICIT: the SEQUENCE under another tag. */
static void private_key_put(struct buffer *out, struct bytes enveloped)
{
    size_t tag = der_begin(out, DER_CONTEXT(0)), at = out->len;

    buffer_append(out, enveloped);
    if (!buffer_failed(out) && out->len > at)
        out->data[at] = DER_CONTEXT(0);
    der_end(out, tag);
}

static void cert_response_put(struct buffer *out, const struct cmp_cert_response *response)
{
    size_t seq = der_begin(out, DER_SEQUENCE), pair;

    der_put_int(out, response->cert_req_id);
    cmp_status_info_put(out, &response->status);
    if (response->certificate.len > 0 || response->encrypted_cert.len > 0) {
        pair = der_begin(out, DER_SEQUENCE);
        if (response->certificate.len > 0)
            cmp_explicit_put(out, 0, response->certificate);
        else
            cmp_explicit_put(out, 1, response->encrypted_cert);
        if (response->private_key.len > 0)
            private_key_put(out, response->private_key);
        der_end(out, pair);
    }
    der_end(out, seq);
}

void cmp_cert_rep_put(struct buffer *out, const struct cmp_cert_rep *rep)
{
    size_t seq = der_begin(out, DER_SEQUENCE), part;

    if (rep->ca_pub_count > 0) {
        part = der_begin(out, DER_CONTEXT(1));
        cmp_elements_put(out, rep->ca_pub, rep->ca_pub_count);
        der_end(out, part);
    }
    part = der_begin(out, DER_SEQUENCE);
    for (size_t i = 0; i < rep->response_count; i++)
        cert_response_put(out, &rep->response[i]);
    der_end(out, part);
    der_end(out, seq);
}

void cmp_cert_conf_put(struct buffer *out, const struct cmp_cert_status *status, size_t count)
{
    size_t list = der_begin(out, DER_SEQUENCE);

    for (size_t i = 0; i < count; i++) {
        size_t seq = der_begin(out, DER_SEQUENCE);

        der_put(out, DER_OCTET_STRING, status[i].cert_hash);
        der_put_int(out, status[i].cert_req_id);
        if (status[i].has_status)
            cmp_status_info_put(out, &status[i].status);
        if (status[i].hash_alg.len > 0)
            cmp_explicit_put(out, 0, status[i].hash_alg);
        der_end(out, seq);
    }
    der_end(out, list);
}

void cmp_poll_req_put(struct buffer *out, int64_t cert_req_id)
{
    size_t list = der_begin(out, DER_SEQUENCE), seq = der_begin(out, DER_SEQUENCE);

    der_put_int(out, cert_req_id);
    der_end(out, seq);
    der_end(out, list);
}

void cmp_poll_rep_put(struct buffer *out, const struct cmp_poll_rep *rep)
{
    size_t list = der_begin(out, DER_SEQUENCE), seq = der_begin(out, DER_SEQUENCE);

    der_put_int(out, rep->cert_req_id);
    der_put_uint(out, rep->check_after_s);
    der_end(out, seq);
    der_end(out, list);
}

/* Extensions with a reasonCode (RFC 5280 5.3.1). */
static void reason_put(struct buffer *out, int reason)
{
    size_t list = der_begin(out, DER_SEQUENCE), extension = der_begin(out, DER_SEQUENCE), value;
    uint8_t code = (uint8_t)reason;

    der_put_oid(out, BYTES_LITERAL(REASON_CODE));
    value = der_begin(out, DER_OCTET_STRING);
    der_put(out, DER_ENUMERATED, bytes_of(&code, 1));
    der_end(out, value);
    der_end(out, extension);
    der_end(out, list);
}

void cmp_rev_req_put(struct buffer *out, struct bytes issuer, struct bytes serial, int reason)
{
    size_t list = der_begin(out, DER_SEQUENCE), details = der_begin(out, DER_SEQUENCE),
           template = der_begin(out, DER_SEQUENCE);

    assert(reason < 0x80);
    if (serial.len > 0)
        der_put(out, DER_CONTEXT_PRIMITIVE(1), serial);
    if (issuer.len > 0)
        der_put(out, DER_CONTEXT(3), issuer);
    der_end(out, template);
    if (reason >= 0)
        reason_put(out, reason);
    der_end(out, details);
    der_end(out, list);
}

void cmp_rev_rep_put(struct buffer *out, const struct cmp_status_info *status)
{
    size_t seq = der_begin(out, DER_SEQUENCE), list = der_begin(out, DER_SEQUENCE);

    cmp_status_info_put(out, status);
    der_end(out, list);
    der_end(out, seq);
}

void cmp_general_put(struct buffer *out, const struct cmp_info *info, size_t count)
{
    size_t list = der_begin(out, DER_SEQUENCE);

    for (size_t i = 0; i < count; i++) {
        size_t seq = der_begin(out, DER_SEQUENCE);

        der_put_oid(out, info[i].oid);
        buffer_append(out, info[i].value);
        der_end(out, seq);
    }
    der_end(out, list);
}

void cmp_error_put(struct buffer *out, const struct cmp_status_info *status)
{
    size_t seq = der_begin(out, DER_SEQUENCE);

    cmp_status_info_put(out, status);
    der_end(out, seq);
}

void cmp_elements_put(struct buffer *out, const struct bytes *element, size_t count)
{
    size_t list = der_begin(out, DER_SEQUENCE);

    for (size_t i = 0; i < count; i++)
        buffer_append(out, element[i]);
    der_end(out, list);
}
