/* Whatever arrives as a PKIMessage: the codec survives it, and what it read is written and read as the same
 * values again. Every body decoder gets the content, whatever body it came in. */
#include <stdlib.h>

#include "proto/cmp/protect.h"

enum { ARENA_MAX = 8 << 20, OUT_MAX = 2 * CMP_MESSAGE_MAX };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static struct bytes kept(struct arena *arena, struct buffer *out)
{
    struct bytes copy;

    require(!buffer_failed(out));
    copy = arena_copy(arena, buffer_bytes(out));
    buffer_free(out);
    require(copy.data != NULL);
    return copy;
}

static bool both_or_none(struct bytes a, struct bytes b)
{
    return (a.data == NULL) == (b.data == NULL) && bytes_equal(a, b);
}

static bool infos_equal(const struct cmp_info *a, const struct cmp_info *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!bytes_equal(a[i].oid, b[i].oid) || !both_or_none(a[i].value, b[i].value))
            return false;
    return true;
}

/* What has no status is written as rejection. */
static bool status_equal(const struct cmp_status_info *a, const struct cmp_status_info *b)
{
    enum cmp_status written = a->status == CMP_STATUS_NONE ? CMP_REJECTION : a->status;

    require(a->status <= CMP_KEY_UPDATE_WARNING && bytes_is_utf8(a->text));
    return written == b->status && a->fail_info == b->fail_info && bytes_equal(a->text, b->text);
}

/* --- the message --- */

static bool headers_equal(const struct cmp_header *a, const struct cmp_header *b)
{
    return a->pvno == b->pvno && bytes_equal(a->sender, b->sender) &&
           bytes_equal(a->recipient, b->recipient) && both_or_none(a->sender_name, b->sender_name) &&
           both_or_none(a->recipient_name, b->recipient_name) && a->has_message_time == b->has_message_time &&
           a->message_time_s == b->message_time_s && both_or_none(a->protection_alg, b->protection_alg) &&
           both_or_none(a->sender_kid, b->sender_kid) && both_or_none(a->recip_kid, b->recip_kid) &&
           a->has_transaction_id == b->has_transaction_id && a->has_sender_nonce == b->has_sender_nonce &&
           a->has_recip_nonce == b->has_recip_nonce && both_or_none(a->transaction_id, b->transaction_id) &&
           both_or_none(a->sender_nonce, b->sender_nonce) && both_or_none(a->recip_nonce, b->recip_nonce) &&
           a->info_count == b->info_count && infos_equal(a->info, b->info, a->info_count);
}

static void check_again(struct arena *arena, const struct cmp_message *m)
{
    struct buffer header = BUFFER(OUT_MAX), body = BUFFER(OUT_MAX), out = BUFFER(OUT_MAX);
    struct bytes header_der, body_der;
    struct cmp_message again;

    cmp_header_put(&header, &m->header);
    cmp_body_put(&body, m->body, m->content);
    header_der = kept(arena, &header);
    body_der = kept(arena, &body);
    cmp_message_put(&out, header_der, body_der, m->protection, m->extra_cert, m->extra_cert_count);
    require(cmp_message_decode(kept(arena, &out), &again) == CMP_DECODED_ALL);
    require(headers_equal(&m->header, &again.header));
    require(bytes_equal(m->body_encoded, again.body_encoded) && m->body == again.body);
    require(bytes_equal(m->content, again.content));
    require(m->has_protection == again.has_protection && bytes_equal(m->protection, again.protection));
    require(m->extra_cert_count == again.extra_cert_count);
    for (size_t i = 0; i < m->extra_cert_count; i++)
        require(bytes_equal(m->extra_cert[i], again.extra_cert[i]));
}

static void check_protection(struct arena *arena, const struct cmp_message *m)
{
    const struct password_mac_rules rules = { .iterations_max = 1000, .allow_hmac_sha1 = true };
    struct certificate signer;
    struct password_mac mac;
    struct bytes part;

    if (cmp_protection_of(m) == CMP_PROTECTION_MAC)
        (void)!password_mac_decode(m->header.protection_alg, &rules, &mac);
    if (cmp_signer_certificate(m, arena, &signer))
        (void)!cmp_verify_signature(m, &signer.key, arena);
    require(cmp_protected_part(m, arena, &part));
    require(part.len > m->header_encoded.len + m->body_encoded.len);
}

/* --- bodies --- */

static void check_elements(struct arena *arena, struct bytes content)
{
    struct bytes in[CMP_NESTED_MAX], again[CMP_NESTED_MAX];
    struct buffer out = BUFFER(OUT_MAX);
    size_t count, count_again;

    if (!cmp_elements_decode(content, in, CMP_NESTED_MAX, &count))
        return;
    cmp_elements_put(&out, in, count);
    require(bytes_equal(kept(arena, &out), content));
    require(cmp_elements_decode(content, again, count, &count_again) && count_again == count);
    require(count == 1 || !cmp_elements_decode(content, again, count - 1, &count_again));
}

static bool responses_equal(const struct cmp_cert_response *a, const struct cmp_cert_response *b)
{
    return a->cert_req_id == b->cert_req_id && status_equal(&a->status, &b->status) &&
           both_or_none(a->certificate, b->certificate) &&
           both_or_none(a->encrypted_cert, b->encrypted_cert) && both_or_none(a->private_key, b->private_key);
}

static void check_cert_rep(struct arena *arena, struct bytes content)
{
    struct buffer out = BUFFER(OUT_MAX);
    struct cmp_cert_rep in, again;

    if (!cmp_cert_rep_decode(content, arena, &in))
        return;
    cmp_cert_rep_put(&out, &in);
    require(cmp_cert_rep_decode(kept(arena, &out), arena, &again));
    require(in.ca_pub_count == again.ca_pub_count && in.response_count == again.response_count);
    for (size_t i = 0; i < in.ca_pub_count; i++)
        require(bytes_equal(in.ca_pub[i], again.ca_pub[i]));
    for (size_t i = 0; i < in.response_count; i++)
        require(responses_equal(&in.response[i], &again.response[i]));
}

static void check_cert_conf(struct arena *arena, struct bytes content)
{
    struct cmp_cert_status in[CMP_ITEMS_MAX], again[CMP_ITEMS_MAX];
    struct buffer out = BUFFER(OUT_MAX);
    size_t count, count_again;

    if (!cmp_cert_conf_decode(content, in, CMP_ITEMS_MAX, &count))
        return;
    cmp_cert_conf_put(&out, in, count);
    require(cmp_cert_conf_decode(kept(arena, &out), again, CMP_ITEMS_MAX, &count_again));
    require(count == count_again);
    for (size_t i = 0; i < count; i++) {
        require(bytes_equal(in[i].cert_hash, again[i].cert_hash) &&
                in[i].cert_req_id == again[i].cert_req_id);
        require(both_or_none(in[i].hash_alg, again[i].hash_alg) && in[i].has_status == again[i].has_status);
        require(!in[i].has_status || status_equal(&in[i].status, &again[i].status));
    }
}

static void check_polling(struct arena *arena, struct bytes content)
{
    int64_t id[CMP_ITEMS_MAX], id_again;
    struct cmp_poll_rep rep[CMP_ITEMS_MAX], rep_again;
    size_t count, count_again;

    if (cmp_poll_req_decode(content, id, CMP_ITEMS_MAX, &count)) {
        for (size_t i = 0; i < count; i++) {
            struct buffer out = BUFFER(OUT_MAX);

            cmp_poll_req_put(&out, id[i]);
            require(cmp_poll_req_decode(kept(arena, &out), &id_again, 1, &count_again));
            require(count_again == 1 && id_again == id[i]);
        }
    }
    if (!cmp_poll_rep_decode(content, rep, CMP_ITEMS_MAX, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        struct buffer out = BUFFER(OUT_MAX);

        cmp_poll_rep_put(&out, &rep[i]);
        require(cmp_poll_rep_decode(kept(arena, &out), &rep_again, 1, &count_again));
        require(rep_again.cert_req_id == rep[i].cert_req_id &&
                rep_again.check_after_s == rep[i].check_after_s);
    }
}

static void check_revocation(struct arena *arena, struct bytes content)
{
    struct cmp_rev_details in[CMP_ITEMS_MAX], again;
    struct cmp_status_info status[CMP_ITEMS_MAX], status_again;
    size_t count, count_again;

    if (cmp_rev_req_decode(content, arena, in, CMP_ITEMS_MAX, &count)) {
        for (size_t i = 0; i < count; i++) {
            struct buffer out = BUFFER(OUT_MAX);

            cmp_rev_req_put(&out, in[i].details.issuer, in[i].details.serial, i % 2 == 0 ? (int)i : -1);
            require(cmp_rev_req_decode(kept(arena, &out), arena, &again, 1, &count_again));
            require(bytes_equal(in[i].details.issuer, again.details.issuer));
            require(bytes_equal(in[i].details.serial, again.details.serial));
            require((again.crl_entry_details.data != NULL) == (i % 2 == 0));
        }
    }
    if (!cmp_rev_rep_decode(content, status, CMP_ITEMS_MAX, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        struct buffer out = BUFFER(OUT_MAX);

        cmp_rev_rep_put(&out, &status[i]);
        require(cmp_rev_rep_decode(kept(arena, &out), &status_again, 1, &count_again));
        require(status_equal(&status[i], &status_again));
    }
}

static void check_general(struct arena *arena, struct bytes content)
{
    struct cmp_info in[CMP_INFO_MAX], again[CMP_INFO_MAX];
    struct cmp_status_info status, status_again;
    struct buffer out = BUFFER(OUT_MAX);
    size_t count, count_again;

    if (cmp_general_decode(content, in, CMP_INFO_MAX, &count)) {
        cmp_general_put(&out, in, count);
        require(cmp_general_decode(kept(arena, &out), again, CMP_INFO_MAX, &count_again));
        require(count == count_again && infos_equal(in, again, count));
    }
    if (!cmp_error_decode(content, &status))
        return;
    cmp_error_put(&out, &status);
    require(cmp_error_decode(kept(arena, &out), &status_again) && status_equal(&status, &status_again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *arena = arena_new(ARENA_MAX);
    struct cmp_message message;

    if (arena == NULL)
        return 0;
    if (cmp_message_decode(bytes_of(data, size), &message) != CMP_DECODED_ALL)
        return 0;
    require(message.body < CMP_BODY_COUNT);
    if (message.body != CMP_BODY_NONE)
        check_again(arena, &message);
    check_protection(arena, &message);
    check_elements(arena, message.content);
    check_cert_rep(arena, message.content);
    check_cert_conf(arena, message.content);
    check_polling(arena, message.content);
    check_revocation(arena, message.content);
    check_general(arena, message.content);
    return 0;
}
