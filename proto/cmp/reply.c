/* The answer: header, protection in kind, and what is remembered of it. */
#include "proto/cmp/exchange_internal.h"

#include <assert.h>

enum { EXTRA_MAX = 2 + CA_CHAIN_MAX };

static const uint8_t NULL_VALUE[] = { 0x05, 0x00 };

enum cmp_fault cmp_say(struct cmp_exchange *x, enum cmp_body body, const struct buffer *content,
                       struct error *err)
{
    struct bytes copy = buffer_failed(content) ? BYTES_NONE
                                               : arena_copy(x->turn->arena, buffer_bytes(content));

    if (copy.data == NULL)
        return cmp_trouble(err, ERROR_MEMORY, "a reply");
    x->reply.body = body;
    x->reply.content = copy;
    return CMP_OK;
}

enum cmp_fault cmp_say_error(struct cmp_exchange *x, struct cmp_answer answer, struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(4096);
    const struct cmp_status_info status = { .status = CMP_REJECTION,
                                            .fail_info = answer.fail_info,
                                            .text = bytes_text(answer.text) };

    x->reply = (struct cmp_reply){ 0 };
    cmp_error_put(&content, &status);
    return cmp_say(x, CMP_ERROR, &content, err);
}

/* --- header --- */

static struct bytes directory_name(struct bytes name, struct arena *arena)
{
    AUTO_STRUCT(buffer) element = BUFFER(64 * 1024);

    general_name_put(&element, GENERAL_NAME_DIRECTORY, name, BYTES_NONE);
    return buffer_failed(&element) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&element));
}

/* The same version as the request, or the nearest that is spoken here (CMP-11, CMP-12). */
static uint64_t version_for(uint64_t asked)
{
    return asked < 2 ? 2 : asked > 3 ? 3 : asked;
}

static bool add_infos(const struct cmp_exchange *x, struct cmp_header *h)
{
    AUTO_STRUCT(buffer) time = BUFFER(64);
    struct bytes value;

    if (x->reply.implicit_confirm)
        h->info[h->info_count++] = (struct cmp_info){ .oid = CMP_IT_IMPLICIT_CONFIRM,
                                                      .value = BYTES_ARRAY(NULL_VALUE) };
    if (x->reply.confirm_until_s == 0)
        return true;
    cmp_time_put(&time, x->reply.confirm_until_s);
    value = buffer_failed(&time) ? BYTES_NONE : arena_copy(x->turn->arena, buffer_bytes(&time));
    h->info[h->info_count++] = (struct cmp_info){ .oid = CMP_IT_CONFIRM_WAIT_TIME, .value = value };
    return value.data != NULL;
}

static bool make_header(const struct cmp_exchange *x, struct cmp_header *out, struct error *err)
{
    const struct cmp_header *asked = &x->request.header;
    struct cmp_header h = {
        .pvno = version_for(asked->pvno),
        .sender = directory_name(x->ra->certificate.subject.encoded, x->turn->arena),
        .recipient = asked->sender,
        .has_message_time = true,
        .message_time_s = x->turn->now_s,
        .has_transaction_id = true,
        .transaction_id = x->transaction_id,
        .has_sender_nonce = true,
        .sender_nonce = x->nonce,
        .has_recip_nonce = asked->has_sender_nonce,
        .recip_nonce = asked->sender_nonce,
    };

    if (x->sender.role == CMP_ROLE_SECRET)
        h.sender_kid = asked->sender_kid; /* RFC 9483 3.1: the same reference value */
    if (h.sender.data == NULL || !add_infos(x, &h))
        return error_set(err, ERROR_MEMORY, "header of a CMP answer");
    *out = h;
    return true;
}

/* --- protection --- */

/* Under the same secret with the same parameters (RFC 9810 5.1.3.1), or signed by the RA (CMP-41, CMP-43). */
static struct cmp_protector protector_for(const struct cmp_exchange *x)
{
    if (x->sender.role == CMP_ROLE_SECRET)
        return (struct cmp_protector){
            .kind = CMP_PROTECTION_MAC,
            .mac = x->sender.mac,
            .mac_key = &x->sender.mac_key,
        };
    return (struct cmp_protector){
        .kind = CMP_PROTECTION_SIGNATURE,
        .keys = x->turn->keys,
        .key_name = x->ra->key_name,
        .certificate = &x->ra->certificate,
    };
}

static void add_certificate(struct bytes *list, size_t *count, struct bytes der)
{
    for (size_t i = 0; i < *count; i++)
        if (bytes_equal(list[i], der))
            return;
    list[(*count)++] = der;
}

/* The signer first; then what leads from it, or from the issued certificate, up to the root. The root itself
 * is for those who learn it here (TS 33.310), or when it is the issuer (CMP-45, CMP-132). */
static size_t extra_certificates(const struct cmp_exchange *x, const struct cmp_protector *protector,
                                 struct bytes list[EXTRA_MAX])
{
    const struct ca *ca = x->ca;
    bool all = x->procedure->dialect.cmp_root_in_extra_certs;
    size_t count = 0, chain = ca->chain_count > 1 && !all ? ca->chain_count - 1 : ca->chain_count;

    if (protector->kind == CMP_PROTECTION_SIGNATURE)
        add_certificate(list, &count, x->ra->certificate.encoded);
    if (protector->kind == CMP_PROTECTION_SIGNATURE || x->reply.has_chain || all)
        for (size_t i = 0; i < chain; i++)
            add_certificate(list, &count, ca->chain[i]);
    return count;
}

bool cmp_reply_encode(struct cmp_exchange *x, struct error *err)
{
    const struct cmp_protector protector = protector_for(x);
    struct bytes extra[EXTRA_MAX];
    size_t count = extra_certificates(x, &protector, extra);
    struct cmp_header header;

    assert(x->reply.body != CMP_BODY_NONE);
    return make_header(x, &header, err) && cmp_protect(&protector, header, x->reply.body, x->reply.content,
                                                       extra, count, x->turn->arena, &x->out, err);
}

/* --- memory --- */

enum cmp_fault cmp_say_again(struct cmp_exchange *x)
{
    x->out = x->request.body == CMP_POLL_REQ ? x->transaction.poll_reply : x->transaction.reply;
    cmp_note(x, x->transaction.phase == CMP_PHASE_WAITING ? "pending" : "served", NULL,
             "the same message again");
    return CMP_OK;
}

/* Anyone can repeat a message that he heard. Where one does not go on from our last answer, what the device
 * had from us still counts. */
static void note_nonce_before(const struct cmp_exchange *x, struct cmp_transaction *t)
{
    const struct bytes recip_nonce = x->request.header.recip_nonce;

    if (recip_nonce.len > 0 &&
        (bytes_equal(recip_nonce, t->our_nonce) || bytes_equal(recip_nonce, t->nonce_before)))
        t->nonce_before = BYTES_NONE;
    else if (t->nonce_before.len == 0)
        t->nonce_before = t->our_nonce;
}

bool cmp_remember(struct cmp_exchange *x, uint32_t keep_s, struct error *err)
{
    struct cmp_transaction *t = &x->transaction;
    int64_t expires_s = keep_s > 0 ? x->turn->now_s + (int64_t)keep_s : 0;

    note_nonce_before(x, t);
    t->our_nonce = x->nonce;
    if (!cmp_nonce_add(t, x->request.header.sender_nonce, x->turn->arena))
        return error_set(err, ERROR_MEMORY, "nonces of a CMP transaction");
    return cmp_transaction_put(x->turn, bytes_text(x->procedure->name), x->transaction_id, t, expires_s, err);
}
