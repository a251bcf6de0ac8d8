/* What a client makes of an answer. */
#include "tests/unit/proto/cmp/client_world.h"

static struct cmp_result asks_and_hears(enum cmp_body body, struct answer a, struct cmp_dialog *dialog)
{
    const struct cmp_client client = client_with_secret();
    struct bytes request = asks_for(&client, body, false, dialog);

    return hears(&client, dialog, request, a);
}

static struct bytes says_poll(struct cmp_dialog *dialog)
{
    const struct cmp_client client = client_with_secret();
    const struct cmp_call call = a_call();
    struct bytes der;

    if (!cmp_client_poll(&client, &call, dialog, &der, &err))
        fail_msg("%s", err.text);
    return der;
}

static struct bytes says_confirm(struct cmp_dialog *dialog, bool accepted)
{
    const struct cmp_client client = client_with_secret();
    const struct cmp_call call = a_call();
    struct bytes der;

    if (!cmp_client_confirm(&client, &call, accepted, dialog, &der, &err))
        fail_msg("%s", err.text);
    return der;
}

static struct cmp_result secret_hears(struct cmp_dialog *dialog, struct bytes request, struct answer a)
{
    const struct cmp_client client = client_with_secret();

    return hears(&client, dialog, request, a);
}

/* --- a certificate --- */

static void a_certificate_is_to_be_confirmed(void **state)
{
    const struct bytes certificate = device_certificate();
    const struct answer a = { .body = CMP_IP, .content = response(CMP_ACCEPTED, certificate, 0) };
    struct cmp_dialog dialog;
    struct cmp_result r = asks_and_hears(CMP_IR, a, &dialog);
    struct cmp_cert_status status[1];
    struct digest256 hash;
    struct cmp_message m;
    size_t count;

    (void)state;
    assert_int_equal(r.outcome, CMP_OUTCOME_CERTIFICATE);
    assert_bytes(r.certificate, certificate);
    assert_true(r.confirm);
    assert_int_equal(cmp_message_decode(says_confirm(&dialog, true), &m), CMP_DECODED_ALL);
    assert_int_equal(m.body, CMP_CERT_CONF);
    assert_bytes(m.header.recip_nonce, hex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"));
    assert_true(cmp_cert_conf_decode(m.content, status, 1, &count));
    assert_true(sha256(certificate, &hash));
    assert_bytes(status[0].cert_hash, digest256_bytes(&hash));
    assert_int_equal(status[0].status.status, CMP_ACCEPTED);
    assert_int_equal(status[0].status.fail_info, 0);
    assert_int_equal(secret_hears(&dialog, m.encoded, CONFIRMED).outcome, CMP_OUTCOME_DONE);
}

static void one_that_is_not_wanted_is_rejected(void **state)
{
    struct cmp_dialog dialog;
    struct cmp_cert_status status[1];
    struct cmp_message m;
    size_t count;

    (void)state;
    (void)asks_and_hears(CMP_IR, GRANTED, &dialog);
    assert_int_equal(cmp_message_decode(says_confirm(&dialog, false), &m), CMP_DECODED_ALL);
    assert_true(cmp_cert_conf_decode(m.content, status, 1, &count));
    assert_int_equal(status[0].status.status, CMP_REJECTION);
    assert_true(status[0].status.fail_info != 0);
}

static void cmp_70_implicit_confirmation_is_asked_for_and_granted(void **state)
{
    const struct cmp_client client = client_with_secret();
    struct cmp_dialog dialog;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        bool asked = (i & 1) != 0, granted = (i & 2) != 0;
        struct bytes request = asks_for(&client, CMP_IR, asked, &dialog);
        struct answer a = GRANTED;

        a.implicit_confirm = granted;
        assert_int_equal(hears(&client, &dialog, request, a).confirm, !(asked && granted));
    }
}

static void cmp_61_the_response_to_a_pkcs10_has_no_number_or_zero(void **state)
{
    (void)state;
    for (int64_t id = -2; id <= 1; id++) {
        struct cmp_dialog dialog;
        struct answer a = { .body = CMP_CP, .content = response(CMP_ACCEPTED, device_certificate(), id) };
        bool good = id == -1 || id == 0;

        assert_int_equal(asks_and_hears(CMP_P10CR, a, &dialog).outcome,
                         good ? CMP_OUTCOME_CERTIFICATE : CMP_OUTCOME_VIOLATION);
        if (good)
            assert_int_equal(dialog.cert_req_id, id);
    }
}

static void cmp_73_the_hash_goes_with_the_signature(void **state)
{
    static const struct {
        const char *key;
        size_t len;
    } rows[] = { { "p384", 48 },  { "p521", 64 }, { "ed25519", 64 },
                 { "ed448", 64 }, { "rsa2", 32 }, { "pss", 32 } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes der = signed_by(rows[i].key, issued_to("CN=" REFERENCE, "rsa", "32"));
        struct answer a = { .body = CMP_IP, .content = response(CMP_ACCEPTED, der, 0) };
        struct cmp_dialog dialog;
        uint8_t expected[DIGEST_MAX];
        size_t len;

        assert_int_equal(asks_and_hears(CMP_IR, a, &dialog).outcome, CMP_OUTCOME_CERTIFICATE);
        assert_int_equal(dialog.cert_hash_len, rows[i].len);
        if (strcmp(rows[i].key, "ed25519") == 0) {
            assert_true(digest(DIGEST_SHA512, der, expected, &len));
            assert_memory_equal(dialog.cert_hash, expected, len);
        }
    }
}

/* --- what is no answer --- */

static void nothing_of_another_transaction_or_message_is_believed(void **state)
{
    const struct cmp_client client = client_with_secret();
    struct answer different[5];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(different); i++)
        different[i] = GRANTED;
    different[0].transaction_id = hex("00112233445566778899aabbccddeeff");
    different[1].recip_nonce = hex("00112233445566778899aabbccddeeff");
    different[2].no_recip_nonce = true;
    different[3].pvno = 1;
    different[4].pvno = 4;
    for (size_t i = 0; i < COUNT_OF(different); i++) {
        struct cmp_dialog dialog, before;
        struct bytes request = asks_for(&client, CMP_IR, false, &dialog);
        struct cmp_result r;

        before = dialog;
        r = hears(&client, &dialog, request, different[i]);
        assert_int_equal(r.outcome, CMP_OUTCOME_UNBELIEVED);
        assert_non_null(r.what);
        assert_memory_equal(&dialog, &before, sizeof(dialog));
        assert_int_equal(hears(&client, &dialog, request, GRANTED).outcome, CMP_OUTCOME_CERTIFICATE);
    }
}

static void no_prefix_and_no_bent_octet_of_an_answer_is_believed(void **state)
{
    const struct cmp_client client = client_with_secret();
    const struct cmp_call call = a_call();
    struct cmp_dialog dialog;
    struct bytes request = asks_for(&client, CMP_IR, false, &dialog), good = answered(request, &GRANTED);
    uint8_t *bent = arena_alloc(arena, good.len);
    struct cmp_result r;

    (void)state;
    for (size_t len = 0; len < good.len; len += 7) {
        struct cmp_dialog d = dialog;

        cmp_client_hear(&client, &call, bytes_slice(good, 0, len), &d, &r);
        assert_int_equal(r.outcome, CMP_OUTCOME_UNBELIEVED);
        memcpy(bent, good.data, good.len);
        bent[len] ^= 0x01;
        d = dialog;
        cmp_client_hear(&client, &call, bytes_of(bent, good.len), &d, &r);
        assert_int_equal(r.outcome, CMP_OUTCOME_UNBELIEVED);
    }
}

static void our_own_message_is_no_answer(void **state)
{
    struct anchors *anchors = anchors_of(the_root());
    const struct cmp_client clients[] = { client_with_secret(), client_with_key(anchors) };
    const struct cmp_call call = a_call();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        struct cmp_dialog dialog;
        struct bytes request = asks_for(&clients[i], CMP_IR, false, &dialog);
        struct cmp_result r;

        cmp_client_hear(&clients[i], &call, request, &dialog, &r);
        assert_int_equal(r.outcome, CMP_OUTCOME_UNBELIEVED);
    }
    anchors_free(anchors);
}

static void an_answer_comes_once(void **state)
{
    struct cmp_dialog dialog;

    (void)state;
    assert_int_equal(asks_and_hears(CMP_IR, GRANTED, &dialog).outcome, CMP_OUTCOME_CERTIFICATE);
    {
        const struct cmp_client client = client_with_secret();
        struct cmp_dialog other;
        struct bytes request = asks_for(&client, CMP_IR, false, &other);

        other = dialog;
        assert_int_equal(hears(&client, &other, request, GRANTED).outcome, CMP_OUTCOME_UNBELIEVED);
    }
}

/* --- authentic, and wrong --- */

static struct bytes two_responses(void)
{
    const struct cmp_cert_rep rep = { .response = { { .status = { .status = CMP_WAITING } },
                                                    { .status = { .status = CMP_WAITING } } },
                                      .response_count = 2 };
    struct buffer out = BUFFER(4096);

    cmp_cert_rep_put(&out, &rep);
    return kept(&out);
}

static void what_answers_something_else_is_a_violation(void **state)
{
    struct answer rows[] = {
        { .body = CMP_CP, .content = response(CMP_ACCEPTED, device_certificate(), 0) },
        { .body = CMP_KUP, .content = response(CMP_ACCEPTED, device_certificate(), 0) },
        CONFIRMED,
        { .body = CMP_POLL_REP, .content = poll_rep(0, 1) },
        { .body = CMP_GENP, .content = hex("3000") },
        { .body = CMP_IR, .content = hex("3000") },
        { .body = CMP_IP, .content = hex("3000") },
        { .body = CMP_IP, .content = response(CMP_ACCEPTED, device_certificate(), 1) },
        { .body = CMP_IP, .content = response(CMP_ACCEPTED, device_certificate(), -1) },
        { .body = CMP_IP, .content = response(CMP_ACCEPTED, BYTES_NONE, 0) },
        { .body = CMP_IP, .content = response(CMP_ACCEPTED, hex("3003 020100"), 0) },
        { .body = CMP_IP, .content = response(CMP_REVOCATION_WARNING, device_certificate(), 0) },
        { .body = CMP_IP, .content = two_responses() },
        { .body = CMP_ERROR, .content = hex("3000") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct cmp_dialog dialog;
        struct cmp_result r = asks_and_hears(CMP_IR, rows[i], &dialog);

        assert_int_equal(r.outcome, CMP_OUTCOME_VIOLATION);
        assert_non_null(r.what);
    }
}

/* --- rejected --- */

static void a_rejection_says_why(void **state)
{
    struct answer a = { .body = CMP_ERROR, .content = refusal(CMP_BAD_POP, "no proof") };
    struct cmp_dialog dialog;
    struct cmp_result r = asks_and_hears(CMP_IR, a, &dialog);

    (void)state;
    assert_int_equal(r.outcome, CMP_OUTCOME_REJECTED);
    assert_int_equal(r.status.fail_info, CMP_BAD_POP);
    assert_string_equal(cmp_status_text(&r.status, arena), "badPOP: no proof");
    a.body = CMP_IP;
    a.content = response(CMP_REJECTION, BYTES_NONE, 0);
    r = asks_and_hears(CMP_IR, a, &dialog);
    assert_int_equal(r.outcome, CMP_OUTCOME_REJECTED);
    assert_string_equal(cmp_status_text(&r.status, arena), "rejection");
}

static void words_that_are_not_fit_for_a_log_are_left_out(void **state)
{
    const struct cmp_status_info rows[] = {
        { .fail_info = CMP_BAD_ALG | CMP_NOT_AUTHORIZED, .text = BYTES_LITERAL("a\nb") },
        { .fail_info = CMP_BAD_ALG | CMP_NOT_AUTHORIZED, .text = BYTES_LITERAL("\xff") },
        { .fail_info = CMP_BAD_ALG | CMP_NOT_AUTHORIZED, .text = bytes_of(arena_alloc(arena, 200), 200) },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(cmp_status_text(&rows[i], arena), "badAlg, notAuthorized");
}

/* --- waiting (RFC 9810 5.3.22, RFC 9483 4.4) --- */

static const struct answer *waiting(void)
{
    static struct answer a;

    a = (struct answer){ .body = CMP_IP, .content = response(CMP_WAITING, BYTES_NONE, 0) };
    return &a;
}

static int64_t polled_id(struct bytes message)
{
    struct cmp_message m;
    int64_t id;
    size_t count;

    assert_int_equal(cmp_message_decode(message, &m), CMP_DECODED_ALL);
    assert_int_equal(m.body, CMP_POLL_REQ);
    assert_true(cmp_poll_req_decode(m.content, &id, 1, &count));
    return id;
}

static void cmp_83_a_request_that_waits_is_polled(void **state)
{
    struct cmp_dialog dialog;
    struct cmp_result r = asks_and_hears(CMP_IR, *waiting(), &dialog);
    struct bytes poll;

    (void)state;
    assert_int_equal(r.outcome, CMP_OUTCOME_WAITING);
    assert_false(r.check_after_told);
    poll = says_poll(&dialog);
    assert_int_equal(polled_id(poll), 0);
    r = secret_hears(&dialog, poll, (struct answer){ .body = CMP_POLL_REP, .content = poll_rep(0, 30) });
    assert_int_equal(r.outcome, CMP_OUTCOME_WAITING);
    assert_true(r.check_after_told);
    assert_int_equal(r.check_after_s, 30);
    r = secret_hears(&dialog, says_poll(&dialog), GRANTED);
    assert_int_equal(r.outcome, CMP_OUTCOME_CERTIFICATE);
    assert_int_equal(secret_hears(&dialog, says_confirm(&dialog, true), CONFIRMED).outcome, CMP_OUTCOME_DONE);
}

static void waiting_is_neither_endless_nor_a_storm(void **state)
{
    static const struct {
        uint64_t said;
        int64_t taken;
    } rows[] = { { 0, 1 }, { 1, 1 }, { 86400, 86400 }, { 86401, 86400 }, { UINT64_MAX, 86400 } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct cmp_dialog dialog;
        struct cmp_result r;

        (void)asks_and_hears(CMP_IR, *waiting(), &dialog);
        r = secret_hears(&dialog, says_poll(&dialog),
                         (struct answer){ .body = CMP_POLL_REP, .content = poll_rep(0, rows[i].said) });
        assert_int_equal(r.check_after_s, rows[i].taken);
    }
}

static void waiting_again_instead_of_poll_rep_is_no_reason_to_hurry(void **state)
{
    struct cmp_dialog dialog;
    struct cmp_result r;

    (void)state;
    (void)asks_and_hears(CMP_IR, *waiting(), &dialog);
    r = secret_hears(&dialog, says_poll(&dialog), *waiting());
    assert_int_equal(r.outcome, CMP_OUTCOME_WAITING);
    assert_true(r.check_after_told);
    assert_true(r.check_after_s > 1);
}

static void a_poll_rep_for_another_request_is_a_violation(void **state)
{
    struct cmp_dialog dialog;

    (void)state;
    (void)asks_and_hears(CMP_IR, *waiting(), &dialog);
    assert_int_equal(secret_hears(&dialog, says_poll(&dialog),
                                  (struct answer){ .body = CMP_POLL_REP, .content = poll_rep(-1, 30) })
                         .outcome,
                     CMP_OUTCOME_VIOLATION);
}

static void the_final_answer_may_come_to_the_request_itself(void **state)
{
    struct answer a = GRANTED;
    struct cmp_dialog dialog;

    (void)state;
    (void)asks_and_hears(CMP_IR, *waiting(), &dialog);
    a.recip_nonce = arena_copy(arena, BYTES_ARRAY(dialog.asked_nonce));
    assert_int_equal(secret_hears(&dialog, says_poll(&dialog), a).outcome, CMP_OUTCOME_CERTIFICATE);
}

static void cmp_87_a_response_that_is_delayed_whole_has_no_number(void **state)
{
    const struct answer late = { .body = CMP_ERROR, .content = wait_error() };
    struct cmp_dialog dialog;
    struct bytes poll;

    (void)state;
    assert_int_equal(asks_and_hears(CMP_IR, late, &dialog).outcome, CMP_OUTCOME_WAITING);
    poll = says_poll(&dialog);
    assert_int_equal(polled_id(poll), -1);
    assert_int_equal(secret_hears(&dialog, poll, GRANTED).outcome, CMP_OUTCOME_CERTIFICATE);
    assert_int_equal(secret_hears(&dialog, says_confirm(&dialog, true), late).outcome, CMP_OUTCOME_WAITING);
    poll = says_poll(&dialog);
    assert_int_equal(polled_id(poll), -1);
    assert_int_equal(secret_hears(&dialog, poll, CONFIRMED).outcome, CMP_OUTCOME_DONE);
}

static void a_poll_whose_answer_was_lost_is_mended_once(void **state)
{
    const struct cmp_client client = client_with_secret();
    const struct cmp_call call = a_call();
    const struct answer repeated = { .body = CMP_ERROR, .content = refusal(CMP_BAD_SENDER_NONCE, NULL) };
    struct answer first = *waiting();
    struct cmp_dialog dialog;
    struct cmp_message m;
    struct bytes der;

    (void)state;
    first.sender_nonce = hex("b0b1b2b3b4b5b6b7b8b9babbbcbdbebf");
    (void)asks_and_hears(CMP_IR, first, &dialog);
    (void)secret_hears(&dialog, says_poll(&dialog),
                       (struct answer){ .body = CMP_POLL_REP, .content = poll_rep(0, 30) });
    assert_int_equal(secret_hears(&dialog, says_poll(&dialog), repeated).outcome, CMP_OUTCOME_NONCES);
    assert_true(cmp_client_poll_anew(&client, &call, &dialog, &der, &err));
    assert_int_equal(cmp_message_decode(der, &m), CMP_DECODED_ALL);
    assert_bytes(m.header.recip_nonce, first.sender_nonce);
    {
        struct cmp_dialog again = dialog;

        assert_false(cmp_client_poll_anew(&client, &call, &again, &der, &err));
        assert_int_equal(secret_hears(&again, m.encoded, repeated).outcome, CMP_OUTCOME_REJECTED);
    }
    assert_int_equal(secret_hears(&dialog, m.encoded, GRANTED).outcome, CMP_OUTCOME_CERTIFICATE);
}

/* --- revocation and questions --- */

static void a_revocation_is_taken_or_rejected(void **state)
{
    static const struct {
        enum cmp_status status;
        enum cmp_outcome outcome;
    } rows[] = { { CMP_ACCEPTED, CMP_OUTCOME_DONE },
                 { CMP_GRANTED_WITH_MODS, CMP_OUTCOME_DONE },
                 { CMP_REVOCATION_NOTIFICATION, CMP_OUTCOME_DONE },
                 { CMP_REJECTION, CMP_OUTCOME_REJECTED },
                 { CMP_WAITING, CMP_OUTCOME_WAITING },
                 { CMP_KEY_UPDATE_WARNING, CMP_OUTCOME_VIOLATION } };
    const struct cmp_client client = client_with_secret();
    const struct cmp_call call = a_call();
    const struct certificate c = decoded(device_certificate());
    const struct cmp_revocation_wish what = { .issuer = c.issuer.encoded, .serial = c.serial, .reason = 1 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct cmp_status_info status = { .status = rows[i].status };
        struct buffer content = BUFFER(1024);
        struct cmp_dialog dialog;
        struct bytes der;

        assert_true(cmp_client_revoke(&client, &call, &what, &dialog, &der, &err));
        cmp_rev_rep_put(&content, &status);
        assert_int_equal(
            secret_hears(&dialog, der, (struct answer){ .body = CMP_RP, .content = kept(&content) }).outcome,
            rows[i].outcome);
    }
}

static void cmp_100_the_ca_tells_its_certificates(void **state)
{
    const struct cmp_client client = client_with_secret();
    const struct cmp_call call = a_call();
    const struct cmp_info question = { .oid = CMP_IT_CA_CERTS };
    const struct bytes root = the_root();
    struct cmp_info told = question;
    struct buffer content = BUFFER(1 << 16);
    struct cmp_dialog dialog;
    struct cmp_result r;
    struct bytes der, list[4];
    size_t count;

    (void)state;
    told.value = wrap(DER_SEQUENCE, join(root, the_signer()));
    cmp_general_put(&content, &told, 1);
    assert_true(cmp_client_general(&client, &call, &question, 1, &dialog, &der, &err));
    r = secret_hears(&dialog, der, (struct answer){ .body = CMP_GENP, .content = kept(&content) });
    assert_int_equal(r.outcome, CMP_OUTCOME_GENERAL);
    assert_true(cmp_ca_certs(&r, list, COUNT_OF(list), &count));
    assert_int_equal(count, 2);
    assert_bytes(list[0], root);
    assert_false(cmp_ca_certs(&r, list, 1, &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(a_certificate_is_to_be_confirmed),
        CLIENT_TEST(one_that_is_not_wanted_is_rejected),
        CLIENT_TEST(cmp_70_implicit_confirmation_is_asked_for_and_granted),
        CLIENT_TEST(cmp_61_the_response_to_a_pkcs10_has_no_number_or_zero),
        CLIENT_TEST(cmp_73_the_hash_goes_with_the_signature),
        CLIENT_TEST(nothing_of_another_transaction_or_message_is_believed),
        CLIENT_TEST(no_prefix_and_no_bent_octet_of_an_answer_is_believed),
        CLIENT_TEST(our_own_message_is_no_answer),
        CLIENT_TEST(an_answer_comes_once),
        CLIENT_TEST(what_answers_something_else_is_a_violation),
        CLIENT_TEST(a_rejection_says_why),
        CLIENT_TEST(words_that_are_not_fit_for_a_log_are_left_out),
        CLIENT_TEST(cmp_83_a_request_that_waits_is_polled),
        CLIENT_TEST(waiting_is_neither_endless_nor_a_storm),
        CLIENT_TEST(waiting_again_instead_of_poll_rep_is_no_reason_to_hurry),
        CLIENT_TEST(a_poll_rep_for_another_request_is_a_violation),
        CLIENT_TEST(the_final_answer_may_come_to_the_request_itself),
        CLIENT_TEST(cmp_87_a_response_that_is_delayed_whole_has_no_number),
        CLIENT_TEST(a_poll_whose_answer_was_lost_is_mended_once),
        CLIENT_TEST(a_revocation_is_taken_or_rejected),
        CLIENT_TEST(cmp_100_the_ca_tells_its_certificates),
    };
    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
