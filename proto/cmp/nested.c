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

/* How one message of several is answered after all: none is served beside one whose protection does not hold
 * (CMP-114), nor two that would change the same thing, as each is judged by what was before them all. */
static enum cmp_fault judge_inner(struct cmp_exchange *inner, struct changes before, struct error *err)
{
    if (cmp_answer_to_fault(inner->fault).fail_info == CMP_BAD_MESSAGE_CHECK)
        return inner->fault;
    if (!changes_clash(&inner->turn->changes, before))
        return CMP_OK;
    return cmp_exchange_refuse(inner, CMP_FAULT_BUSY, before, err) ? CMP_OK : CMP_FAULT_INTERNAL;
}

/* The answer to one message, DER. */
static enum cmp_fault run_inner(struct cmp_exchange *outer, struct bytes message, bool alone,
                                struct bytes *reply, struct error *err)
{
    struct cmp_exchange *inner = arena_alloc(outer->turn->arena, sizeof(*inner));
    const struct changes before = changes_mark(&outer->turn->changes);
    enum cmp_fault fault = CMP_OK;
    int status;

    if (inner == NULL)
        return cmp_trouble(err, ERROR_MEMORY, "a nested message");
    if (!inner_exchange(outer, inner))
        return CMP_FAULT_BODY;
    if (!cmp_exchange_run(inner, message, &status, err))
        fault = CMP_FAULT_INTERNAL;
    else if (status != 200)
        fault = CMP_FAULT_SYNTAX;
    else if (!alone)
        fault = judge_inner(inner, before, err);
    *reply = inner->out;
    cmp_exchange_end(inner);
    return fault;
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

    return fault == CMP_OK ? run_inner(x, message, true, &x->out, err) : fault;
}

/* --- several: a batch (CMP-114) --- */

static enum cmp_fault check_pair(const struct cmp_header *a, const struct cmp_header *b)
{
    if (bytes_equal(a->transaction_id, b->transaction_id))
        return CMP_FAULT_TRANSACTION_IN_USE;
    return bytes_equal(a->sender_nonce, b->sender_nonce) ? CMP_FAULT_SENDER_NONCE : CMP_OK;
}

/* Each has its own, and so has the outer message. */
static enum cmp_fault check_distinct(const struct cmp_header *outer, const struct cmp_header *header,
                                     size_t count)
{
    enum cmp_fault fault = CMP_OK;

    for (size_t i = 0; i < count && fault == CMP_OK; i++) {
        fault = check_pair(outer, &header[i]);
        for (size_t k = 0; k < i && fault == CMP_OK; k++)
            fault = check_pair(&header[i], &header[k]);
    }
    return fault;
}

static enum cmp_fault serve_batch(struct cmp_exchange *x, const struct bytes *message,
                                  const struct cmp_header *header, size_t count, struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(CMP_CONTENT_MAX);
    struct bytes reply[CMP_NESTED_MAX];
    const struct turn_facts before = x->turn->facts;
    enum cmp_fault fault = check_distinct(&x->request.header, header, count);
    const char *reason = NULL;

    for (size_t i = 0; i < count && fault == CMP_OK; i++) {
        x->turn->facts = before;
        fault = run_inner(x, message[i], false, &reply[i], err);
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
