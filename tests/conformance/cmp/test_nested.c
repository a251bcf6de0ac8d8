/* CMP-112 to CMP-116: nested messages and what RAs do (RFC 9810 5.1.3.5, RFC 9483 5.2). */
#include "tests/conformance/cmp/cmp_case.h"

static struct cmp_person an_ra(struct cmp_case *c)
{
    return cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
}

static struct bytes an_ir(struct cmp_case *c)
{
    return cmp_message_of(c, (struct cmp_plan){ .body = CMP_IR, .request.san = "DNS:router5.example.com" });
}

/* --- one message: added protection --- */

static void cmp_112_the_answer_is_the_plain_one_to_the_inner_message(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);

    for (uint64_t pvno = 2; pvno <= 3; pvno++) {
        struct cmp_plan plan = { .pvno = pvno }, outer;
        struct bytes inner = cmp_message_of(c, plan);
        struct cmp_said said;

        outer = a_nested(&ra, inner);
        outer.pvno = pvno == 2 ? 3 : 2;
        said = cmp_send_for(c, cmp_message_of(c, outer), inner);
        (void)assert_granted(c, &said, CMP_IP);
        assert_true(said.by_mac); /* as the inner one */
        assert_int_equal(said.message.header.pvno, pvno);
        inner = cmp_message_of(c, cmp_client_next(plan, &said, CMP_CERT_CONF));
        said = cmp_send_for(c, cmp_message_of(c, a_nested(&ra, inner)), inner);
        cmp_expect(c, &said, CMP_PKICONF, CMP_STATUS_NONE, 0);
    }
}

static void cmp_112_a_signed_inner_message_is_answered_by_a_signature(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c), ra = an_ra(c);
    struct bytes inner = cmp_message_of(c, a_kur(&device));
    struct cmp_said said = cmp_send_for(c, cmp_message_of(c, a_nested(&ra, inner)), inner);

    (void)assert_granted(c, &said, CMP_KUP);
    assert_false(said.by_mac);
}

static void cmp_112_the_inner_protection_counts(void **state)
{
    static const struct cmp_protection_plan plans[] = { { .broken = true }, { .by = CMP_BY_NOTHING } };
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);

    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct bytes inner = cmp_message_of(c, (struct cmp_plan){ .protection = plans[i] });
        struct cmp_said said = cmp_send_for(c, cmp_message_of(c, a_nested(&ra, inner)), inner);

        assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    }
}

static void cmp_112_the_same_message_again_gets_the_same_answer(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    struct bytes inner = an_ir(c), outer = cmp_message_of(c, a_nested(&ra, inner)), first;

    (void)cmp_send_for(c, outer, inner);
    first = c->reply;
    a_gateway_restart(c->g);
    (void)cmp_send_for(c, outer, inner);
    assert_bytes(c->reply, first);
}

static void cmp_113_transaction_id_and_nonce_are_copied(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    struct cmp_plan outer = a_nested(&ra, an_ir(c));
    struct cmp_said said;

    outer.transaction_id = BYTES_NONE; /* another one */
    said = cmp_ask(c, outer);
    assert_error(c, &said, CMP_BAD_REQUEST);
    outer = a_nested(&ra, an_ir(c));
    outer.nonce = BYTES_NONE;
    said = cmp_ask(c, outer);
    assert_error(c, &said, CMP_BAD_SENDER_NONCE);
}

static void cmp_113_a_mac_outside_is_wrong_integrity(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, a_nested(NULL, an_ir(c)));

    assert_error(c, &said, CMP_WRONG_INTEGRITY);
}

static void cmp_113_who_is_no_ra_is_not_authorized(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ours = cmp_enrolled(c), ra = an_ra(c);
    const struct cmp_person vendors = cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    const struct cmp_person *const signers[] = { &ours, &vendors };
    struct cmp_said said;

    (void)ra;
    for (size_t i = 0; i < COUNT_OF(signers); i++) {
        said = cmp_ask(c, a_nested(signers[i], an_ir(c)));
        assert_error(c, &said, CMP_NOT_AUTHORIZED);
    }
}

static void cmp_113_what_is_under_the_anchor_without_cmc_ra_is_no_ra(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person plain = cmp_trusted_ra(
        c, (struct cmp_certificate_plan){ .extended_key_usage = "clientAuth" });
    struct cmp_said said = cmp_ask(c, a_nested(&plain, an_ir(c)));

    assert_error(c, &said, CMP_SIGNER_NOT_TRUSTED);
}

static void cmp_113_a_wrong_outer_signature_is_a_bad_message_check(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    struct cmp_plan outer = a_nested(&ra, an_ir(c));
    struct cmp_said said;

    outer.protection.broken = true;
    said = cmp_ask(c, outer);
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
}

static void cmp_113_nested_in_nested_is_a_bad_request(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    struct bytes inner = cmp_message_of(c, a_nested(&ra, an_ir(c)));
    struct cmp_said said = cmp_send_for(c, cmp_message_of(c, a_nested(&ra, inner)), inner);

    assert_error(c, &said, CMP_BAD_REQUEST);
}

/* --- a batch --- */

/* Two requests of two devices, of two versions. */
static struct cmp_plan a_batch(struct cmp_case *c, const struct cmp_person *ra)
{
    (void)a_gateway_register(c->g, "router7.example.com", "s3cret", (struct registration){ 0 });
    return (struct cmp_plan){
        .body = CMP_NESTED,
        .signer = ra,
        .nested = { an_ir(c), cmp_message_of(
                                  c, (struct cmp_plan){ .pvno = 3,
                                                        .sender_kid = BYTES_LITERAL("router7.example.com"),
                                                        .request = { .cn = "router7.example.com",
                                                                     .key = cmp_client_key("P-256", 1) } }) },
        .nested_count = 2,
    };
}

static void cmp_114_a_batch_is_answered_by_a_batch(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    const struct cmp_plan batch = a_batch(c, &ra);
    struct cmp_said said = cmp_ask(c, batch);
    const struct cmp_trust trust = cmp_trust_of(c);

    assert_int_equal(said.body, CMP_NESTED);
    assert_false(said.by_mac);
    assert_int_equal(said.nested_count, 2);
    for (size_t i = 0; i < 2; i++) {
        struct cmp_said inner = cmp_client_read(c->arena, said.nested[i], batch.nested[i], &trust);

        (void)assert_granted_as(c, &inner, CMP_IP, inner.status);
        assert_int_equal(inner.message.header.pvno, 2 + i);
    }
}

static void cmp_114_transaction_ids_and_nonces_of_a_batch_differ(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    struct cmp_plan batch = a_batch(c, &ra);
    const struct cmp_plan same_id = { .transaction_id = BYTES_LITERAL("the same for both") };
    const struct cmp_plan same_nonce = { .nonce = BYTES_LITERAL("0123456789abcdef") };
    struct cmp_said said;

    batch.nested[0] = cmp_message_of(c, same_id);
    batch.nested[1] = cmp_message_of(c, same_id);
    said = cmp_ask(c, batch);
    assert_error(c, &said, CMP_TRANSACTION_ID_IN_USE);
    batch.nested[0] = cmp_message_of(c, same_nonce);
    batch.nested[1] = cmp_message_of(c, same_nonce);
    said = cmp_ask(c, batch);
    assert_error(c, &said, CMP_BAD_SENDER_NONCE);
}

static void cmp_114_and_those_of_the_outer_message_too(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    struct cmp_plan batch = a_batch(c, &ra);
    struct cmp_message inner;
    struct cmp_said said;

    assert_int_equal(cmp_message_decode(batch.nested[1], &inner), CMP_DECODED_ALL);
    batch.transaction_id = inner.header.transaction_id;
    said = cmp_ask(c, batch);
    assert_error(c, &said, CMP_TRANSACTION_ID_IN_USE);
    batch.transaction_id = BYTES_NONE;
    batch.nonce = inner.header.sender_nonce;
    said = cmp_ask(c, batch);
    assert_error(c, &said, CMP_BAD_SENDER_NONCE);
}

static void cmp_114_one_wrong_protection_refuses_the_batch(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    struct cmp_plan batch = a_batch(c, &ra);
    struct certificate_record records[2];
    struct cmp_said said;
    size_t count = 0;

    batch.nested[batch.nested_count++] = cmp_message_of(c, (struct cmp_plan){ .protection.broken = true });
    said = cmp_ask(c, batch);
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    assert_true(registry_certificates_list(a_gateway_view(c->g), NULL, 2, c->arena, records, &count, NULL));
    assert_int_equal(count, 0);
}

static void cmp_114_a_refusal_in_a_batch_is_its_own(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    struct cmp_plan batch = a_batch(c, &ra);
    const struct cmp_trust trust = cmp_trust_of(c);
    struct cmp_said said, inner;

    batch.nested[1] = cmp_message_of(c, (struct cmp_plan){ .request.pop = CMP_POP_NONE });
    said = cmp_ask(c, batch);
    assert_int_equal(said.nested_count, 2);
    inner = cmp_client_read(c->arena, said.nested[0], batch.nested[0], &trust);
    (void)assert_granted(c, &inner, CMP_IP);
    inner = cmp_client_read(c->arena, said.nested[1], batch.nested[1], &trust);
    assert_rejected(c, &inner, CMP_IP, CMP_BAD_POP);
}

static void cmp_114_a_batch_of_confirmations(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    struct cmp_plan batch = a_batch(c, &ra), first = { .request.key = cmp_client_key("P-256", 1) },
                    second = { .request.key = cmp_client_key("P-256", 2) };
    struct cmp_said said[] = { cmp_ask(c, first), cmp_ask(c, second) }, all, end;
    const struct cmp_trust trust = cmp_trust_of(c);

    batch.nested[0] = cmp_message_of(c, cmp_client_next(first, &said[0], CMP_CERT_CONF));
    batch.nested[1] = cmp_message_of(c, cmp_client_next(second, &said[1], CMP_CERT_CONF));
    all = cmp_ask(c, batch);
    assert_int_equal(all.nested_count, 2);
    for (size_t i = 0; i < 2; i++) {
        end = cmp_client_read(c->arena, all.nested[i], batch.nested[i], &trust);
        cmp_expect(c, &end, CMP_PKICONF, CMP_STATUS_NONE, 0);
    }
    c->g->now_s += (int64_t)10 * c->g->procedure.cmp_confirm_wait_s;
    cmp_run_confirm_jobs(c);
    assert_false(cmp_is_revoked(c, said[0].certificate));
    assert_false(cmp_is_revoked(c, said[1].certificate));
}

static void cmp_114_a_nested_message_in_a_batch_is_a_bad_request(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    struct cmp_plan batch = a_batch(c, &ra);
    const struct cmp_trust trust = cmp_trust_of(c);
    struct cmp_said said, inner;

    batch.nested[1] = cmp_message_of(c, a_nested(&ra, an_ir(c)));
    said = cmp_ask(c, batch);
    inner = cmp_client_read(c->arena, said.nested[1], batch.nested[1], &trust);
    assert_error(c, &inner, CMP_BAD_REQUEST);
}

static void cmp_114_two_that_change_the_same_are_not_served_at_once(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    struct cmp_plan batch = a_batch(c, &ra), inner = { .sender_kid = BYTES_LITERAL("router8.example.com"),
                                                       .request.cn = "router8.example.com" };
    const struct cmp_trust trust = cmp_trust_of(c);
    struct cmp_said said, one;

    (void)a_gateway_register(c->g, "router8.example.com", "s3cret",
                             (struct registration){ .one_time = true });
    for (unsigned i = 0; i < 2; i++) {
        inner.request.key = cmp_client_key("P-256", i);
        batch.nested[i] = cmp_message_of(c, inner);
    }
    said = cmp_ask(c, batch);
    one = cmp_client_read(c->arena, said.nested[0], batch.nested[0], &trust);
    (void)assert_granted(c, &one, CMP_IP);
    one = cmp_client_read(c->arena, said.nested[1], batch.nested[1], &trust);
    assert_error(c, &one, CMP_SYSTEM_UNAVAIL);
    one = cmp_send(c, batch.nested[1]); /* later */
    assert_rejected(c, &one, CMP_IP, CMP_NOT_AUTHORIZED);
}

/* --- origPKIMessage --- */

/* What an RA changed, with the message that it had: a further one when `twice`. */
static struct cmp_plan a_changed_ir(struct cmp_case *c, const struct cmp_person *ra, struct bytes original,
                                    bool twice)
{
    AUTO_STRUCT(buffer) value = BUFFER(64 * 1024);
    size_t seq = der_begin(&value, DER_SEQUENCE);
    struct cmp_message m;

    assert_int_equal(cmp_message_decode(original, &m), CMP_DECODED_ALL);
    buffer_append(&value, original);
    if (twice)
        buffer_append(&value, original);
    der_end(&value, seq);
    return (struct cmp_plan){
        .body = CMP_IR,
        .signer = ra,
        .transaction_id = m.header.transaction_id,
        .nonce = m.header.sender_nonce,
        .info = { { .oid = CMP_IT_ORIG_PKI_MESSAGE, .value = arena_copy(c->arena, buffer_bytes(&value)) } },
        .info_count = 1,
        .request = { .pop = CMP_POP_RA_VERIFIED, .san = "DNS:router5.example.com" },
    };
}

static void cmp_115_the_original_message_must_have_been_good(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    struct cmp_said said = cmp_ask(c, a_changed_ir(c, &ra, an_ir(c), false));

    (void)assert_granted(c, &said, CMP_IP);
    said = cmp_ask(
        c, a_changed_ir(c, &ra, cmp_message_of(c, (struct cmp_plan){ .protection.broken = true }), false));
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    said = cmp_ask(
        c,
        a_changed_ir(c, &ra, cmp_message_of(c, (struct cmp_plan){ .protection.by = CMP_BY_NOTHING }), false));
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
}

static void cmp_115_there_is_one_original_message(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    struct cmp_plan plan = a_changed_ir(c, &ra, an_ir(c), true);
    struct cmp_said said = cmp_ask(c, plan);

    assert_error(c, &said, CMP_BAD_REQUEST);
    plan.info[0].value = BYTES_LITERAL("\x30\x00");
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_BAD_REQUEST);
}

static void cmp_116_ra_verified_of_the_device_is_not_authorized(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = an_ra(c);
    struct bytes inner = cmp_message_of(c, (struct cmp_plan){ .request.pop = CMP_POP_RA_VERIFIED });
    struct cmp_said said = cmp_send_for(c, cmp_message_of(c, a_nested(&ra, inner)), inner);

    assert_rejected(c, &said, CMP_IP, CMP_NOT_AUTHORIZED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CMP_ROW(cmp_112_the_answer_is_the_plain_one_to_the_inner_message),
        CMP_ROW(cmp_112_a_signed_inner_message_is_answered_by_a_signature),
        CMP_ROW(cmp_112_the_inner_protection_counts),
        CMP_ROW(cmp_112_the_same_message_again_gets_the_same_answer),
        CMP_ROW(cmp_113_transaction_id_and_nonce_are_copied),
        CMP_ROW(cmp_113_a_mac_outside_is_wrong_integrity),
        CMP_ROW(cmp_113_who_is_no_ra_is_not_authorized),
        CMP_ROW(cmp_113_what_is_under_the_anchor_without_cmc_ra_is_no_ra),
        CMP_ROW(cmp_113_a_wrong_outer_signature_is_a_bad_message_check),
        CMP_ROW(cmp_113_nested_in_nested_is_a_bad_request),
        CMP_ROW(cmp_114_a_batch_is_answered_by_a_batch),
        CMP_ROW(cmp_114_transaction_ids_and_nonces_of_a_batch_differ),
        CMP_ROW(cmp_114_and_those_of_the_outer_message_too),
        CMP_ROW(cmp_114_one_wrong_protection_refuses_the_batch),
        CMP_ROW(cmp_114_a_refusal_in_a_batch_is_its_own),
        CMP_ROW(cmp_114_a_batch_of_confirmations),
        CMP_ROW(cmp_114_a_nested_message_in_a_batch_is_a_bad_request),
        CMP_ROW(cmp_114_two_that_change_the_same_are_not_served_at_once),
        CMP_ROW(cmp_115_the_original_message_must_have_been_good),
        CMP_ROW(cmp_115_there_is_one_original_message),
        CMP_ROW(cmp_116_ra_verified_of_the_device_is_not_authorized),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
