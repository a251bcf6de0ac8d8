/* What a CMP client makes of an answer. The first octet says what was asked and how far that is, the second
 * the body of the answer, the rest is its content, under a protection that holds: what a CA that means ill
 * can say. The dialog moves on to a stage that fits the outcome, and is the same after it was stored. The
 * octets as they are, without protection, decide nothing. */
#include <assert.h>

#include "proto/cmp/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct cmp_client client = { .kind = CMP_PROTECTION_MAC,
                                          .reference = { (const uint8_t *)"device", 6 },
                                          .secret = { (const uint8_t *)"secret", 6 },
                                          .iterations = 100 };

static struct cmp_dialog a_dialog(uint8_t choice)
{
    static const enum cmp_body asked[] = {
        CMP_IR, CMP_CR, CMP_KUR, CMP_P10CR, CMP_CERT_CONF, CMP_RR, CMP_GENM
    };
    struct cmp_dialog d = { .stage = (choice & 1) != 0 ? CMP_DIALOG_POLLED : CMP_DIALOG_ASKED,
                            .asked = asked[(choice >> 1) % COUNT_OF(asked)],
                            .implicit_confirm = (choice & 0x80) != 0,
                            .poll_id = (choice & 0x40) != 0 ? -1 : 0,
                            .waiting_nonce = BYTES_LITERAL("waiting") };

    memset(d.transaction_id, 1, sizeof(d.transaction_id));
    memset(d.sender_nonce, 2, sizeof(d.sender_nonce));
    memset(d.asked_nonce, 3, sizeof(d.asked_nonce));
    return d;
}

/* None: there is no such body, or no memory. */
static struct bytes answer_of(const struct cmp_dialog *d, uint8_t body, struct bytes content,
                              struct arena *arena)
{
    const struct cmp_protector protector = {
        .kind = CMP_PROTECTION_MAC,
        .mac = { PASSWORD_MAC_PBM, BYTES_LITERAL("0123456789abcdef"), 100, DIGEST_SHA256, DIGEST_SHA256, 0 },
        .secret = client.secret,
    };
    const struct cmp_header header = { .pvno = 2,
                                       .has_transaction_id = true,
                                       .transaction_id = BYTES_ARRAY(d->transaction_id),
                                       .has_sender_nonce = true,
                                       .sender_nonce = BYTES_LITERAL("0123456789abcdef"),
                                       .has_recip_nonce = true,
                                       .recip_nonce = BYTES_ARRAY(d->sender_nonce),
                                       .info = { { .oid = CMP_IT_IMPLICIT_CONFIRM } },
                                       .info_count = body >> 7 };
    enum cmp_body kind = (enum cmp_body)((body & 0x7f) % (CMP_BODY_COUNT - 1) + 1);
    struct bytes der = BYTES_NONE;

    return cmp_protect(&protector, header, kind, content, NULL, 0, arena, &der, NULL) ? der : BYTES_NONE;
}

static void check_stored(const struct cmp_dialog *d, struct arena *arena)
{
    struct bytes first = BYTES_NONE, second = BYTES_NONE;
    struct cmp_dialog again;

    if (!cmp_dialog_encode(d, arena, &first, NULL))
        return;
    assert(cmp_dialog_decode(first, &again));
    assert(!cmp_dialog_encode(&again, arena, &second, NULL) || bytes_equal(first, second));
}

static void check_outcome(const struct cmp_result *r, const struct cmp_dialog *before,
                          const struct cmp_dialog *d)
{
    switch (r->outcome) {
    case CMP_OUTCOME_UNBELIEVED: assert(r->what != NULL && memcmp(before, d, sizeof(*d)) == 0); return;
    case CMP_OUTCOME_VIOLATION: assert(r->what != NULL && d->stage == CMP_DIALOG_ANSWERED); return;
    case CMP_OUTCOME_REJECTED:
    case CMP_OUTCOME_DONE:
    case CMP_OUTCOME_GENERAL: assert(d->stage == CMP_DIALOG_ANSWERED); return;
    case CMP_OUTCOME_NONCES: assert(d->stage == CMP_DIALOG_POLLED); return;
    case CMP_OUTCOME_WAITING:
        assert(d->stage == CMP_DIALOG_WAITING);
        assert(r->check_after_s >= 1 && r->check_after_s <= CMP_CHECK_AFTER_MAX_S);
        return;
    case CMP_OUTCOME_CERTIFICATE:
        assert(d->stage == CMP_DIALOG_ANSWERED && r->certificate.len > 0 && d->cert_hash_len > 0);
        assert(r->confirm || before->implicit_confirm);
        return;
    }
    assert(false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *arena = arena_new(8 << 20);
    struct cmp_call call = { .now_s = 1780000000, .arena = arena };
    struct cmp_dialog before, d;
    struct cmp_result r;
    struct bytes der;

    if (arena == NULL || size < 2)
        return 0;
    before = d = a_dialog(data[0]);
    cmp_client_hear(&client, &call, bytes_of(data, size), &d, &r);
    assert(r.outcome == CMP_OUTCOME_UNBELIEVED);
    der = answer_of(&d, data[1], bytes_of(data + 2, size - 2), arena);
    if (der.len == 0)
        return 0;
    cmp_client_hear(&client, &call, der, &d, &r);
    check_outcome(&r, &before, &d);
    check_stored(&d, arena);
    if (r.outcome == CMP_OUTCOME_REJECTED)
        (void)cmp_status_text(&r.status, arena);
    return 0;
}
