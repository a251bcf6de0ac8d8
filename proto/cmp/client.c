/* What a client says. */
#include "proto/cmp/client.h"

enum { CONTENT_MAX = CMP_MESSAGE_MAX, NAME_MAX_LEN = 4096, PVNO = 2 };

static const uint8_t NULL_VALUE[] = { 0x05, 0x00 };

static bool out_of_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "CMP request");
}

/* --- header and protection --- */

static bool directory_name(struct bytes name, struct arena *arena, struct bytes *out)
{
    AUTO_STRUCT(buffer) element = BUFFER(64 * 1024);

    *out = BYTES_NONE;
    if (name.len == 0)
        return true;
    general_name_put(&element, GENERAL_NAME_DIRECTORY, name, BYTES_NONE);
    *out = buffer_failed(&element) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&element));
    return out->data != NULL;
}

/* RFC 9483 3.1: the reference value is the common name too. One that cannot be a name is no name. */
static bool sender_of_reference(struct bytes reference, struct arena *arena, struct bytes *out)
{
    const struct name_attribute cn = { .oid = OID_COMMON_NAME, .text = reference };
    AUTO_STRUCT(buffer) name = BUFFER(NAME_MAX_LEN);
    struct distinguished_name decoded;

    if (!name_encode(&cn, 1, &name) || name_decode(buffer_bytes(&name), arena, &decoded) != NAME_OK)
        return directory_name(BYTES_NONE, arena, out);
    return directory_name(buffer_bytes(&name), arena, out);
}

static bool make_header(const struct cmp_client *client, const struct cmp_call *call,
                        const struct cmp_dialog *d, struct bytes recip_nonce, struct cmp_header *out)
{
    struct cmp_header h = {
        .pvno = PVNO,
        .has_message_time = true,
        .message_time_s = call->now_s,
        .has_transaction_id = true,
        .transaction_id = BYTES_ARRAY(d->transaction_id),
        .has_sender_nonce = true,
        .sender_nonce = BYTES_ARRAY(d->sender_nonce),
        .has_recip_nonce = recip_nonce.len > 0,
        .recip_nonce = recip_nonce,
    };

    if (client->kind == CMP_PROTECTION_MAC) { /* a signer's certificate says who it is: cmp_protect() */
        h.sender_kid = client->reference;
        if (!sender_of_reference(client->reference, call->arena, &h.sender))
            return false;
    }
    if (!directory_name(client->recipient, call->arena, &h.recipient))
        return false;
    *out = h;
    return true;
}

static struct cmp_protector protector_of(const struct cmp_client *client, const struct cmp_call *call,
                                         const struct cmp_dialog *d)
{
    bool pbmac1 = client->mac == PASSWORD_MAC_PBMAC1;

    return (struct cmp_protector){
        .kind = client->kind,
        .mac = { .kind = pbmac1 ? PASSWORD_MAC_PBMAC1 : PASSWORD_MAC_PBM,
                 .salt = BYTES_ARRAY(d->salt),
                 .iterations = client->iterations > 0 ? client->iterations : CMP_ITERATIONS,
                 .hash = DIGEST_SHA256,
                 .mac = DIGEST_SHA256,
                 .key_len = pbmac1 ? DIGEST256_LEN : 0 },
        .secret = client->secret,
        .keys = call->keys,
        .key_name = client->key_name,
        .certificate = client->certificate,
    };
}

/* --- one message --- */

struct saying {
    enum cmp_body body;
    const struct buffer *content;
    struct bytes recip_nonce;
    const struct cmp_info *info;
    size_t info_count;
};

/* `next` is the dialog as it is to be afterwards, but for the nonce. */
static bool say(const struct cmp_client *client, const struct cmp_call *call, const struct saying *what,
                struct cmp_dialog *next, struct bytes *der, struct error *err)
{
    const struct cmp_protector protector = protector_of(client, call, next);
    struct cmp_header header;

    if (!random_fill(call->random, next->sender_nonce, sizeof(next->sender_nonce)))
        return error_set(err, ERROR_CRYPTO, "no randomness for a nonce");
    if (client->kind == CMP_PROTECTION_NONE)
        return error_set(err, ERROR_DENIED, "a CMP client without secret or key");
    if (buffer_failed(what->content) || !make_header(client, call, next, what->recip_nonce, &header))
        return out_of_memory(err);
    for (size_t i = 0; i < what->info_count; i++)
        header.info[header.info_count++] = what->info[i];
    return cmp_protect(&protector, header, what->body, buffer_bytes(what->content), client->extra_cert,
                       client->kind == CMP_PROTECTION_SIGNATURE ? client->extra_cert_count : 0, call->arena,
                       der, err);
}

/* A message that is to be answered itself, not a question about another. */
static bool ask(const struct cmp_client *client, const struct cmp_call *call, const struct saying *what,
                struct cmp_dialog next, struct cmp_dialog *dialog, struct bytes *der, struct error *err)
{
    next.stage = CMP_DIALOG_ASKED;
    next.asked = what->body;
    next.nonce_mended = false;
    next.waiting_nonce = BYTES_NONE;
    if (!say(client, call, what, &next, der, err))
        return false;
    memcpy(next.asked_nonce, next.sender_nonce, sizeof(next.asked_nonce));
    *dialog = next;
    return true;
}

static bool open_dialog(const struct cmp_call *call, struct cmp_dialog *out, struct error *err)
{
    *out = (struct cmp_dialog){ .stage = CMP_DIALOG_NONE };
    return (random_fill(call->random, out->transaction_id, sizeof(out->transaction_id)) &&
            random_fill(call->random, out->salt, sizeof(out->salt))) ||
           error_set(err, ERROR_CRYPTO, "no randomness for a transaction id");
}

/* --- requests --- */

static bool put_wish(const struct cmp_wish *wish, const struct cmp_call *call, struct buffer *content,
                     struct error *err)
{
    struct crmf_order order = wish->crmf;
    size_t list;

    switch (wish->body) {
    case CMP_P10CR: buffer_append(content, wish->pkcs10); return true;
    case CMP_IR:
    case CMP_CR:
    case CMP_KUR: break;
    default: return error_set(err, ERROR_INTERNAL, "%s asks for no certificate", cmp_body_name(wish->body));
    }
    order.cert_req_id = 0;
    list = der_begin(content, DER_SEQUENCE);
    if (!crmf_put(content, &order, call->arena, err))
        return false;
    der_end(content, list);
    return true;
}

static bool wish_infos(const struct cmp_wish *wish, struct arena *arena, struct cmp_info *info, size_t *count)
{
    AUTO_STRUCT(buffer) value = BUFFER(NAME_MAX_LEN);
    size_t list, n = 0;

    if (wish->implicit_confirm)
        info[n++] = (struct cmp_info){ .oid = CMP_IT_IMPLICIT_CONFIRM, .value = BYTES_ARRAY(NULL_VALUE) };
    if (wish->profile.len > 0) {
        list = der_begin(&value, DER_SEQUENCE);
        der_put(&value, DER_UTF8_STRING, wish->profile);
        der_end(&value, list);
        info[n] = (struct cmp_info){ .oid = CMP_IT_CERT_PROFILE };
        info[n].value = buffer_failed(&value) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&value));
        if (info[n++].value.data == NULL)
            return false;
    }
    *count = n;
    return true;
}

bool cmp_client_request(const struct cmp_client *client, const struct cmp_call *call,
                        const struct cmp_wish *wish, struct cmp_dialog *dialog, struct bytes *der,
                        struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(CONTENT_MAX);
    struct cmp_info info[2];
    struct saying what = { .body = wish->body, .content = &content, .info = info };
    struct cmp_dialog next;

    if (!put_wish(wish, call, &content, err) || !open_dialog(call, &next, err))
        return false;
    if (!wish_infos(wish, call->arena, info, &what.info_count))
        return out_of_memory(err);
    next.implicit_confirm = wish->implicit_confirm;
    next.cert_req_id = wish->body == CMP_P10CR ? -1 : 0;
    return ask(client, call, &what, next, dialog, der, err);
}

bool cmp_client_revoke(const struct cmp_client *client, const struct cmp_call *call,
                       const struct cmp_revocation_wish *what, struct cmp_dialog *dialog, struct bytes *der,
                       struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(CONTENT_MAX);
    const struct saying saying = { .body = CMP_RR, .content = &content };
    struct cmp_dialog next;

    cmp_rev_req_put(&content, what->issuer, what->serial, what->reason);
    return open_dialog(call, &next, err) && ask(client, call, &saying, next, dialog, der, err);
}

bool cmp_client_general(const struct cmp_client *client, const struct cmp_call *call,
                        const struct cmp_info *info, size_t count, struct cmp_dialog *dialog,
                        struct bytes *der, struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(CONTENT_MAX);
    const struct saying what = { .body = CMP_GENM, .content = &content };
    struct cmp_dialog next;

    cmp_general_put(&content, info, count);
    return open_dialog(call, &next, err) && ask(client, call, &what, next, dialog, der, err);
}

/* --- what follows --- */

static bool wrong_stage(struct error *err, const char *what)
{
    return error_set(err, ERROR_INTERNAL, "a CMP dialog is not at the stage for %s", what);
}

static bool poll_under(const struct cmp_client *client, const struct cmp_call *call, struct bytes recip_nonce,
                       struct cmp_dialog *dialog, struct bytes *der, struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(CONTENT_MAX);
    const struct saying what = { .body = CMP_POLL_REQ, .content = &content, .recip_nonce = recip_nonce };
    struct cmp_dialog next = *dialog;

    next.stage = CMP_DIALOG_POLLED;
    cmp_poll_req_put(&content, dialog->poll_id);
    if (!say(client, call, &what, &next, der, err))
        return false;
    *dialog = next;
    return true;
}

bool cmp_client_poll(const struct cmp_client *client, const struct cmp_call *call, struct cmp_dialog *dialog,
                     struct bytes *der, struct error *err)
{
    if (dialog->stage != CMP_DIALOG_WAITING)
        return wrong_stage(err, "pollReq");
    return poll_under(client, call, dialog->peer_nonce, dialog, der, err);
}

bool cmp_client_poll_anew(const struct cmp_client *client, const struct cmp_call *call,
                          struct cmp_dialog *dialog, struct bytes *der, struct error *err)
{
    if (dialog->stage != CMP_DIALOG_POLLED || dialog->nonce_mended)
        return wrong_stage(err, "another pollReq");
    if (!poll_under(client, call, dialog->waiting_nonce, dialog, der, err))
        return false;
    dialog->nonce_mended = true;
    return true;
}

bool cmp_client_confirm(const struct cmp_client *client, const struct cmp_call *call, bool accepted,
                        struct cmp_dialog *dialog, struct bytes *der, struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(CONTENT_MAX);
    const struct saying what = { .body = CMP_CERT_CONF,
                                 .content = &content,
                                 .recip_nonce = dialog->peer_nonce };
    const struct cmp_cert_status status = {
        .cert_hash = bytes_of(dialog->cert_hash, dialog->cert_hash_len),
        .cert_req_id = dialog->cert_req_id,
        .has_status = true,
        .status = { .status = accepted ? CMP_ACCEPTED : CMP_REJECTION,
                    .fail_info = accepted ? 0 : CMP_BAD_CERT_TEMPLATE,
                    .text = accepted ? BYTES_NONE : BYTES_LITERAL("not what was asked for") },
    };

    if (dialog->stage != CMP_DIALOG_ANSWERED || dialog->cert_hash_len == 0)
        return wrong_stage(err, "certConf");
    cmp_cert_conf_put(&content, &status, 1);
    return ask(client, call, &what, *dialog, dialog, der, err);
}

bool cmp_client_give_up(const struct cmp_client *client, const struct cmp_call *call,
                        const struct cmp_status_info *why, struct cmp_dialog *dialog, struct bytes *der,
                        struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(CONTENT_MAX);
    const struct saying what = { .body = CMP_ERROR, .content = &content, .recip_nonce = dialog->peer_nonce };

    if (dialog->stage == CMP_DIALOG_NONE)
        return wrong_stage(err, "error");
    cmp_error_put(&content, why);
    return ask(client, call, &what, *dialog, dialog, der, err);
}
