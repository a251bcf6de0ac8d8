/* CMP-11 to CMP-28: the header (RFC 9810 5.1.1 and 7). */
#include "tests/conformance/cmp/cmp_case.h"

static const uint8_t NULL_ELEMENT[] = { DER_NULL, 0 };

/* --- version --- */

static void cmp_11_the_answer_has_the_version_of_the_request(void **state)
{
    struct cmp_case *c = *state;

    for (uint64_t pvno = 2; pvno <= 3; pvno++) {
        struct cmp_plan plan = { .pvno = pvno };
        struct cmp_said said = cmp_ask(c, plan);

        (void)assert_granted(c, &said, CMP_IP);
        assert_int_equal(said.message.header.pvno, pvno);
        said = cmp_ask(c, cmp_client_next(plan, &said, CMP_CERT_CONF));
        assert_int_equal(said.body, CMP_PKICONF);
        assert_int_equal(said.message.header.pvno, pvno);
    }
}

static void cmp_12_other_versions_are_refused_before_anything_else(void **state)
{
    static const struct {
        uint64_t asked, answered;
    } versions[] = { { 1, 2 }, { 4, 3 }, { 200, 3 }, { UINT64_MAX, 3 } };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct cmp_said said = cmp_ask(
            c, (struct cmp_plan){ .pvno = versions[i].asked, .protection.broken = true });

        assert_error(c, &said, CMP_UNSUPPORTED_VERSION);
        assert_int_equal(said.message.header.pvno, versions[i].answered);
    }
}

static void cmp_13_a_hash_algorithm_needs_version_3(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .pvno = 2 }, next;
    struct cmp_said said = cmp_ask(c, plan), end;

    (void)assert_granted(c, &said, CMP_IP);
    next = cmp_client_next(plan, &said, CMP_CERT_CONF);
    next.confirm.hash_alg = cmp_client_algorithm(c->arena, NID_sha256);
    end = cmp_ask(c, next);
    assert_error(c, &end, CMP_BAD_REQUEST);
}

static void cmp_13_another_hash_in_version_2_is_a_bad_cert_id(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .pvno = 2 }, next;
    struct cmp_said said = cmp_ask(c, plan), end;

    (void)assert_granted(c, &said, CMP_IP);
    next = cmp_client_next(plan, &said, CMP_CERT_CONF);
    next.confirm.digest = "SHA512";
    end = cmp_ask(c, next);
    assert_error(c, &end, CMP_BAD_CERT_ID);
}

/* --- transactionID --- */

static void cmp_14_without_a_transaction_id_one_is_made(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .no_transaction_id = true };
    struct cmp_said said = cmp_ask(c, plan);

    (void)assert_granted(c, &said, CMP_IP);
    plan.no_transaction_id = false;
    cmp_confirmed(c, plan, &said); /* under the id that was made */
}

static void cmp_14_a_strict_dialect_wants_one(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said;

    c->g->procedure.dialect.cmp_strict = true;
    said = cmp_ask(c, (struct cmp_plan){ .no_transaction_id = true });
    assert_error(c, &said, CMP_BAD_DATA_FORMAT);
}

static void cmp_14_an_empty_one_is_a_bad_data_format(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .transaction_id = BYTES_LITERAL("") });

    assert_error(c, &said, CMP_BAD_DATA_FORMAT);
}

static void cmp_15_the_same_message_again_gets_the_same_answer(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .body = CMP_IR };
    struct bytes message = cmp_message_of(c, plan), first;
    struct cmp_said said = cmp_send(c, message);

    (void)assert_granted(c, &said, CMP_IP);
    first = c->reply;
    a_gateway_restart(c->g);
    c->g->now_s += 5;
    said = cmp_send(c, message);
    assert_bytes(c->reply, first);
    cmp_confirmed(c, plan, &said);
    said = cmp_send(c, message); /* also when all is over */
    assert_bytes(c->reply, first);
}

static void cmp_15_another_message_does_not_take_an_open_transaction(void **state)
{
    static const enum cmp_body bodies[] = { CMP_IR, CMP_CR, CMP_P10CR, CMP_GENM };
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .transaction_id = BYTES_LITERAL("transaction") };
    struct cmp_said said = cmp_ask(c, plan), other;

    (void)assert_granted(c, &said, CMP_IP);
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct cmp_plan again = { .body = bodies[i],
                                  .transaction_id = plan.transaction_id,
                                  .request.key = cmp_client_key("P-256", 1) };

        other = cmp_ask(c, again);
        assert_error(c, &other, CMP_TRANSACTION_ID_IN_USE);
    }
    cmp_confirmed(c, plan, &said); /* untouched */
}

static void cmp_15_nor_does_another_client(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .transaction_id = BYTES_LITERAL("transaction") };
    struct cmp_said said = cmp_ask(c, plan), other;

    (void)assert_granted(c, &said, CMP_IP);
    (void)a_gateway_register(c->g, "router7.example.com", "s3cret", (struct registration){ 0 });
    other = cmp_ask(c, (struct cmp_plan){
                           .transaction_id = plan.transaction_id,
                           .sender_kid = BYTES_LITERAL("router7.example.com"),
                           .request = { .cn = "router7.example.com", .key = cmp_client_key("P-256", 1) } });
    assert_error(c, &other, CMP_TRANSACTION_ID_IN_USE);
    cmp_confirmed(c, plan, &said);
}

static void cmp_16_the_transaction_id_comes_back_octet_by_octet(void **state)
{
    struct cmp_case *c = *state;
    uint8_t id[CMP_ID_MAX] = { 0, 0xff, 0x80 };
    static const size_t lengths[] = { 1, 3, 16, 64, CMP_ID_MAX };

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .transaction_id = bytes_of(id, lengths[i]) });

        assert_bytes(said.message.header.transaction_id, bytes_of(id, lengths[i]));
        said = cmp_ask(
            c, (struct cmp_plan){ .transaction_id = bytes_of(id, lengths[i]), .protection.broken = true });
        assert_bytes(said.message.header.transaction_id, bytes_of(id, lengths[i]));
    }
}

/* --- nonces --- */

static void cmp_17_a_sender_nonce_has_128_bits(void **state)
{
    static const int lengths[] = { -1, 1, 15 };
    struct cmp_case *c = *state;
    struct cmp_said said;

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        said = cmp_ask(c, (struct cmp_plan){ .nonce_len = lengths[i] });
        assert_error(c, &said, CMP_BAD_SENDER_NONCE);
    }
    said = cmp_ask(c, (struct cmp_plan){ .nonce = BYTES_LITERAL("") });
    assert_error(c, &said, CMP_BAD_SENDER_NONCE);
    said = cmp_ask(c, (struct cmp_plan){ .nonce_len = 64 });
    (void)assert_granted(c, &said, CMP_IP);
}

static void cmp_18_a_first_message_has_no_recipient_nonce(void **state)
{
    static const enum cmp_body bodies[] = { CMP_IR, CMP_CR, CMP_P10CR, CMP_GENM };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct cmp_said said = cmp_ask(
            c, (struct cmp_plan){ .body = bodies[i], .recip_nonce = BYTES_LITERAL("0123456789abcdef") });

        assert_error(c, &said, CMP_BAD_RECIPIENT_NONCE);
    }
}

static void cmp_19_a_follow_up_carries_our_nonce(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .body = CMP_IR }, next;
    struct cmp_said said = cmp_ask(c, plan), other;

    (void)assert_granted(c, &said, CMP_IP);
    next = cmp_client_next(plan, &said, CMP_CERT_CONF);
    next.recip_nonce = BYTES_NONE;
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_RECIPIENT_NONCE);
    next.recip_nonce = BYTES_LITERAL("");
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_RECIPIENT_NONCE);
    next.recip_nonce = BYTES_LITERAL("0123456789abcdef");
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_RECIPIENT_NONCE);
    cmp_confirmed(c, plan, &said);
}

static void cmp_20_a_nonce_that_was_seen_is_refused(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .nonce = BYTES_LITERAL("0123456789abcdef") }, next;
    struct cmp_said said = cmp_ask(c, plan), other;

    (void)assert_granted(c, &said, CMP_IP);
    next = cmp_client_next(plan, &said, CMP_CERT_CONF);
    next.nonce = plan.nonce;
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_SENDER_NONCE);
    cmp_confirmed(c, plan, &said);
}

/* --- time --- */

static void cmp_21_the_time_counts_where_a_skew_is_set(void **state)
{
    struct cmp_case *c = *state;
    const int64_t now_s = c->g->now_s;
    struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .time_s = now_s - 86400 });

    (void)assert_granted(c, &said, CMP_IP); /* no skew: not looked at */
    c->g->procedure.cmp_skew_s = 300;
    said = cmp_ask(c, (struct cmp_plan){ .time_s = now_s - 301 });
    assert_error(c, &said, CMP_BAD_TIME);
    said = cmp_ask(c, (struct cmp_plan){ .time_s = now_s + 301 });
    assert_error(c, &said, CMP_BAD_TIME);
    said = cmp_ask(c, (struct cmp_plan){ .time_s = now_s + 300 });
    (void)assert_granted(c, &said, CMP_IP);
}

static void cmp_21_a_missing_time_is_taken_unless_strict(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said;

    c->g->procedure.cmp_skew_s = 300;
    said = cmp_ask(c, (struct cmp_plan){ .time_s = -1 });
    (void)assert_granted(c, &said, CMP_IP);
    c->g->procedure.dialect.cmp_strict = true;
    said = cmp_ask(c, (struct cmp_plan){ .time_s = -1 });
    assert_error(c, &said, CMP_BAD_TIME);
}

/* --- sender --- */

static void cmp_22_the_sender_is_the_subject_of_the_signer(void **state)
{
    static const uint8_t mail[] = { 0x81, 3, 'a', '@', 'b' };
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = a_kur(&device);
    struct cmp_said said;

    plan.sender = cmp_client_sender(c->arena, "router6.example.com");
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    plan.sender = cmp_client_sender(c->arena, "");
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    plan.sender = BYTES_ARRAY(mail);
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    plan.sender = BYTES_NONE;
    said = cmp_ask(c, plan);
    (void)assert_granted(c, &said, CMP_KUP);
}

static void cmp_23_a_key_id_alone_names_the_secret(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .sender = cmp_client_sender(c->arena, "") });

    (void)assert_granted(c, &said, CMP_IP);
    said = cmp_ask(c, (struct cmp_plan){ .sender = cmp_client_sender(c->arena, "something else"),
                                         .request.key = cmp_client_key("P-256", 1) });
    (void)assert_granted(c, &said, CMP_IP);
}

static void cmp_23_without_a_key_id_the_sender_names_it(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .no_sender_kid = true });

    (void)assert_granted(c, &said, CMP_IP);
    said = cmp_ask(c, (struct cmp_plan){ .no_sender_kid = true,
                                         .sender = cmp_client_sender(c->arena, ""),
                                         .request.key = cmp_client_key("P-256", 1) });
    (void)assert_granted(c, &said, CMP_IP); /* the subject that is asked for */
}

static void cmp_23_a_key_id_of_nobody_is_a_bad_message_check(void **state)
{
    static const char *const ids[] = { "router6.example.com", "1234", "", "*.example.com" };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .sender = cmp_client_sender(c->arena, ""),
                                                             .request.cn = "router6.example.com",
                                                             .sender_kid = bytes_text(ids[i]) });

        assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    }
}

static void cmp_23_a_strict_dialect_wants_both_and_the_same(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said;

    c->g->procedure.dialect.cmp_strict = true;
    said = cmp_ask(c, (struct cmp_plan){ .sender = cmp_client_sender(c->arena, "") });
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    said = cmp_ask(c, (struct cmp_plan){ .no_sender_kid = true });
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    said = cmp_ask(c, (struct cmp_plan){ .sender = cmp_client_sender(c->arena, "router6.example.com") });
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_IR });
    (void)assert_granted(c, &said, CMP_IP);
}

static void cmp_24_the_key_id_is_that_of_the_signers_certificate(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = a_kur(&device);
    struct cmp_said said;

    plan.sender_kid = BYTES_LITERAL("somebody");
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    plan.no_sender_kid = true;
    c->g->procedure.dialect.cmp_strict = true;
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    c->g->procedure.dialect.cmp_strict = false;
    said = cmp_ask(c, plan);
    (void)assert_granted(c, &said, CMP_KUP);
}

static void cmp_24_a_certificate_without_key_id_needs_none(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_vendor_device(c, (struct cmp_certificate_plan){ .no_key_id = true });
    struct cmp_said said;

    c->g->procedure.dialect.cmp_strict = true;
    said = cmp_ask(c, (struct cmp_plan){ .signer = &device, .request.cn = "router6.example.com" });
    (void)assert_granted_as(c, &said, CMP_IP, CMP_GRANTED_WITH_MODS); /* the serial number */
}

/* --- generalInfo --- */

static struct cmp_info an_info(struct bytes oid, struct bytes value)
{
    return (struct cmp_info){ .oid = oid, .value = value };
}

static void cmp_25_implicit_confirm_is_null(void **state)
{
    static const uint8_t truth[] = { DER_BOOLEAN, 1, 0xff }, long_null[] = { DER_NULL, 1, 0 };
    const struct bytes values[] = { BYTES_ARRAY(truth), BYTES_ARRAY(long_null) };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct cmp_said said = cmp_ask(
            c, (struct cmp_plan){ .info = { an_info(CMP_IT_IMPLICIT_CONFIRM, values[i]) }, .info_count = 1 });

        assert_error(c, &said, CMP_BAD_REQUEST);
    }
}

static void cmp_25_implicit_confirm_stands_in_requests_alone(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = { .request.key = cmp_client_key("P-256", 1) }, next;
    struct cmp_said said = cmp_ask(c, plan), other;

    (void)assert_granted(c, &said, CMP_IP);
    next = cmp_client_next(plan, &said, CMP_CERT_CONF);
    next.implicit_confirm = true;
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_REQUEST);
    next.body = CMP_POLL_REQ;
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_REQUEST);
    other = cmp_ask(c, (struct cmp_plan){ .body = CMP_GENM, .implicit_confirm = true });
    assert_error(c, &other, CMP_BAD_REQUEST);
    other = cmp_ask(c, (struct cmp_plan){ .body = CMP_RR,
                                          .signer = &device,
                                          .revoke.certificate = device.certificate,
                                          .implicit_confirm = true });
    assert_error(c, &other, CMP_BAD_REQUEST);
    assert_false(cmp_is_revoked(c, device.certificate));
}

static void cmp_26_confirm_wait_time_is_a_generalized_time(void **state)
{
    static const uint8_t utc[] = "\x17\x0d"
                                 "260101000000Z",
                         generalized[] = "\x18\x0f"
                                         "20270101000000Z";
    const struct bytes time = bytes_of(generalized, sizeof(generalized) - 1);
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .info = { an_info(CMP_IT_CONFIRM_WAIT_TIME, bytes_of(utc, sizeof(utc) - 1)) },
                             .info_count = 1 };
    struct cmp_said said = cmp_ask(c, plan);

    assert_error(c, &said, CMP_BAD_DATA_FORMAT);
    plan.info[0].value = BYTES_NONE;
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_BAD_DATA_FORMAT);
    plan.info[0].value = time;
    plan.implicit_confirm = true;
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_BAD_REQUEST);
    plan.implicit_confirm = false;
    said = cmp_ask(c, plan);
    (void)assert_granted(c, &said, CMP_IP);
}

/* CertProfileValue of these names. */
static struct cmp_info a_profile(struct cmp_case *c, const char *first, const char *second)
{
    AUTO_STRUCT(buffer) value = BUFFER(1024);
    size_t seq = der_begin(&value, DER_SEQUENCE);

    der_put(&value, DER_UTF8_STRING, bytes_text(first));
    if (second != NULL)
        der_put(&value, DER_UTF8_STRING, bytes_text(second));
    der_end(&value, seq);
    return an_info(CMP_IT_CERT_PROFILE, arena_copy(c->arena, buffer_bytes(&value)));
}

static void cmp_27_a_profile_that_may_be_chosen_is_used(void **state)
{
    struct cmp_case *c = *state;
    struct profile brief = c->g->profile;
    const struct profile *profiles[] = { &brief };
    struct cmp_said said;

    brief.name = "brief";
    brief.validity_s = 86400;
    c->g->procedure.cmp_profile = profiles;
    c->g->procedure.cmp_profile_count = 1;
    said = cmp_ask(c, (struct cmp_plan){ .info = { a_profile(c, "brief", NULL) }, .info_count = 1 });
    assert_true(cmp_record(c, assert_granted(c, &said, CMP_IP)).not_after_s <= c->g->now_s + 86400);
    said = cmp_ask(
        c, (struct cmp_plan){ .body = CMP_P10CR, .info = { a_profile(c, "brief", NULL) }, .info_count = 1 });
    assert_true(cmp_record(c, assert_granted(c, &said, CMP_CP)).not_after_s <= c->g->now_s + 86400);
}

static void cmp_27_unknown_profiles_and_too_many_are_bad_requests(void **state)
{
    static const enum cmp_body bodies[] = { CMP_IR, CMP_CR, CMP_P10CR };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .body = bodies[i],
                                                             .info = { a_profile(c, "unknown", NULL) },
                                                             .info_count = 1 });

        assert_error(c, &said, CMP_BAD_REQUEST);
        said = cmp_ask(c, (struct cmp_plan){ .body = bodies[i],
                                             .info = { a_profile(c, "device", "device") },
                                             .info_count = 1 });
        assert_error(c, &said, CMP_BAD_REQUEST);
    }
}

static void cmp_27_a_profile_in_another_body_is_a_bad_request(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .body = CMP_IR }, next;
    struct cmp_said said = cmp_ask(c, plan), other;

    (void)assert_granted(c, &said, CMP_IP);
    next = cmp_client_next(plan, &said, CMP_CERT_CONF);
    next.info[0] = a_profile(c, "device", NULL);
    next.info_count = 1;
    other = cmp_ask(c, next);
    assert_error(c, &other, CMP_BAD_REQUEST);
    cmp_confirmed(c, plan, &said);
}

static void cmp_28_unknown_infos_and_free_text_are_ignored(void **state)
{
    static const uint8_t oid[] = { 0x2a, 3, 4 };
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(
        c, (struct cmp_plan){ .free_text = true,
                              .info = { an_info(BYTES_ARRAY(oid), BYTES_NONE),
                                        an_info(BYTES_ARRAY(oid), BYTES_ARRAY(NULL_ELEMENT)) },
                              .info_count = 2 });

    (void)assert_granted(c, &said, CMP_IP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CMP_ROW(cmp_11_the_answer_has_the_version_of_the_request),
        CMP_ROW(cmp_12_other_versions_are_refused_before_anything_else),
        CMP_ROW(cmp_13_a_hash_algorithm_needs_version_3),
        CMP_ROW(cmp_13_another_hash_in_version_2_is_a_bad_cert_id),
        CMP_ROW(cmp_14_without_a_transaction_id_one_is_made),
        CMP_ROW(cmp_14_a_strict_dialect_wants_one),
        CMP_ROW(cmp_14_an_empty_one_is_a_bad_data_format),
        CMP_ROW(cmp_15_the_same_message_again_gets_the_same_answer),
        CMP_ROW(cmp_15_another_message_does_not_take_an_open_transaction),
        CMP_ROW(cmp_15_nor_does_another_client),
        CMP_ROW(cmp_16_the_transaction_id_comes_back_octet_by_octet),
        CMP_ROW(cmp_17_a_sender_nonce_has_128_bits),
        CMP_ROW(cmp_18_a_first_message_has_no_recipient_nonce),
        CMP_ROW(cmp_19_a_follow_up_carries_our_nonce),
        CMP_ROW(cmp_20_a_nonce_that_was_seen_is_refused),
        CMP_ROW(cmp_21_the_time_counts_where_a_skew_is_set),
        CMP_ROW(cmp_21_a_missing_time_is_taken_unless_strict),
        CMP_ROW(cmp_22_the_sender_is_the_subject_of_the_signer),
        CMP_ROW(cmp_23_a_key_id_alone_names_the_secret),
        CMP_ROW(cmp_23_without_a_key_id_the_sender_names_it),
        CMP_ROW(cmp_23_a_key_id_of_nobody_is_a_bad_message_check),
        CMP_ROW(cmp_23_a_strict_dialect_wants_both_and_the_same),
        CMP_ROW(cmp_24_the_key_id_is_that_of_the_signers_certificate),
        CMP_ROW(cmp_24_a_certificate_without_key_id_needs_none),
        CMP_ROW(cmp_25_implicit_confirm_is_null),
        CMP_ROW(cmp_25_implicit_confirm_stands_in_requests_alone),
        CMP_ROW(cmp_26_confirm_wait_time_is_a_generalized_time),
        CMP_ROW(cmp_27_a_profile_that_may_be_chosen_is_used),
        CMP_ROW(cmp_27_unknown_profiles_and_too_many_are_bad_requests),
        CMP_ROW(cmp_27_a_profile_in_another_body_is_a_bad_request),
        CMP_ROW(cmp_28_unknown_infos_and_free_text_are_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
