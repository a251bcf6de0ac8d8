/* nested (RFC 9810 5.1.3.5, RFC 9483 5.2.2): an RA adds its protection to a message, or sends several as a
 * batch. Each is run as if it had come alone. */
#include "proto/cmp/exchange_internal.h"

static bool inner_exchange(const struct cmp_exchange *outer, struct cmp_exchange *out)
{
    *out = (struct cmp_exchange){
        .turn = outer->turn,
        .service = outer->service,
        .procedure = outer->procedure,
        .ra = outer->ra,
        .ca = outer->ca,
        .peer = outer->peer,
        .nested = true,
    };
    return !outer->nested; /* one level: a nested message in a nested one would go on for ever */
}

/* It runs on the view of the turn, which does not know what messages before it in the batch want. One that
 * wants to change the same is told to come again; the others are not its business. */
static bool run_beside_others(struct cmp_exchange *inner, struct bytes message, int *status,
                              struct error *err)
{
    struct changes *changes = &inner->turn->changes;
    const struct changes before = changes_mark(changes);

    if (!cmp_exchange_run(inner, message, status, err))
        return false;
    if (!changes_clash(changes, before))
        return true;
    changes_rewind(changes, before);
    cmp_note(inner, "busy", cmp_fault_name(CMP_FAULT_BUSY), "another message of the batch changes the same");
    return cmp_say_error(inner, cmp_answer_to_fault(CMP_FAULT_BUSY), err) == CMP_OK &&
           cmp_reply_encode(inner, err);
}

/* The answer to one message, DER. */
static enum cmp_fault run_inner(struct cmp_exchange *outer, struct bytes message, struct bytes *reply,
                                struct error *err)
{
    struct cmp_exchange *inner = arena_alloc(outer->turn->arena, sizeof(*inner));
    bool ran;
    int status = 0;

    if (inner == NULL)
        return cmp_trouble(err, ERROR_MEMORY, "a nested message");
    if (!inner_exchange(outer, inner))
        return CMP_FAULT_BODY;
    ran = run_beside_others(inner, message, &status, err);
    *reply = inner->out;
    cmp_exchange_end(inner);
    if (!ran)
        return CMP_FAULT_INTERNAL;
    return status == 200 ? CMP_OK : CMP_FAULT_SYNTAX;
}

/* --- one message: added protection (CMP-112, CMP-113) --- */

static enum cmp_fault check_copied(const struct cmp_exchange *x, const struct cmp_header *inner)
{
    const struct cmp_header *outer = &x->request.header;

    if (!bytes_equal(outer->transaction_id, inner->transaction_id))
        return CMP_FAULT_COUNT;
    return bytes_equal(outer->sender_nonce, inner->sender_nonce) ? CMP_OK : CMP_FAULT_SENDER_NONCE;
}

/* The answer is the plain answer to the inner message. */
static enum cmp_fault serve_one(struct cmp_exchange *x, struct bytes message, const struct cmp_header *header,
                                struct error *err)
{
    enum cmp_fault fault = check_copied(x, header);

    return fault == CMP_OK ? run_inner(x, message, &x->out, err) : fault;
}

/* --- several: a batch (CMP-114) --- */

static enum cmp_fault check_distinct(const struct cmp_header *header, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++) {
            if (bytes_equal(header[i].transaction_id, header[k].transaction_id))
                return CMP_FAULT_TRANSACTION_IN_USE;
            if (bytes_equal(header[i].sender_nonce, header[k].sender_nonce))
                return CMP_FAULT_SENDER_NONCE;
        }
    return CMP_OK;
}

static enum cmp_fault serve_batch(struct cmp_exchange *x, const struct bytes *message,
                                  const struct cmp_header *header, size_t count, struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(CMP_CONTENT_MAX);
    struct bytes reply[CMP_NESTED_MAX];
    const struct turn_facts before = x->turn->facts;
    enum cmp_fault fault = check_distinct(header, count);
    const char *reason = NULL;

    for (size_t i = 0; i < count && fault == CMP_OK; i++) {
        x->turn->facts = before;
        fault = run_inner(x, message[i], &reply[i], err);
        reason = reason == NULL ? x->turn->facts.reason : reason;
    }
    if (fault != CMP_OK)
        return fault;
    x->turn->facts = before; /* those of the last one would speak for all */
    x->turn->not_held_back = true;
    cmp_note(x, "served", reason, reason != NULL ? "a batch; the first refusal in it" : "a batch");
    cmp_elements_put(&content, reply, count);
    return cmp_say(x, CMP_NESTED, &content, err);
}

enum cmp_fault cmp_serve_nested(struct cmp_exchange *x, struct error *err)
{
    struct bytes message[CMP_NESTED_MAX];
    struct cmp_header *header = arena_array(x->turn->arena, CMP_NESTED_MAX, sizeof(*header));
    struct cmp_message *read = arena_alloc(x->turn->arena, sizeof(*read));
    size_t count;

    if (header == NULL || read == NULL)
        return cmp_trouble(err, ERROR_MEMORY, "nested messages");
    if (x->sender.role != CMP_ROLE_RA)
        return CMP_FAULT_NOT_AUTHORIZED;
    if (!cmp_elements_decode(x->request.content, message, CMP_NESTED_MAX, &count))
        return CMP_FAULT_SYNTAX;
    for (size_t i = 0; i < count; i++) {
        if (cmp_message_decode(message[i], read) == CMP_DECODED_NOTHING)
            return CMP_FAULT_SYNTAX;
        header[i] = read->header;
    }
    return count == 1 ? serve_one(x, message[0], &header[0], err)
                      : serve_batch(x, message, header, count, err);
}
