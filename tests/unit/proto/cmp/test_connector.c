/* The connector to a CA that speaks CMP: one step an event, and only what is authentic decides. */
#include "proto/cmp/connector.h"
#include "tests/unit/proto/cmp/client_world.h"

static struct ca ca;
static struct cmp_upstream upstream;
static struct connector_step step;
static struct bytes state_now; /* as its driver keeps it */

static int open_ca(void **state)
{
    if (open_world(state) != 0)
        return -1;
    ca = (struct ca){ .name = "upstream",
                      .connector = &cmp_connector,
                      .connector_service = &upstream,
                      .chain = { the_root() },
                      .chain_count = 1 };
    upstream = (struct cmp_upstream){ .url = BYTES_LITERAL("http://ca.example.com/cmp"),
                                      .trust_path = "tls.pem",
                                      .client = client_with_secret() };
    return ca_prepare(&ca, ring, &err) ? 0 : -1;
}

static int close_ca(void **state)
{
    ca_release(&ca);
    return close_arena(state);
}

static struct connector_call a_connector_call(void)
{
    return (
        struct connector_call){ .ca = &ca, .keys = ring, .random = &seeded, .now_s = NOW_S, .arena = arena };
}

/* --- the driver --- */

static void keep_state(bool done)
{
    if (!done)
        fail_msg("%s", err.text);
    if (step.state.len > 0)
        state_now = arena_copy(arena, step.state);
}

static struct bytes starts_with(struct bytes pkcs10)
{
    const struct connector_call call = a_connector_call();
    static struct public_key key;
    struct ca_order order = { .subject = name_of("CN=" REFERENCE),
                              .san = hex("8213 726f75746572352e6578616d706c652e636f6d"),
                              .key = &key,
                              .request = pkcs10,
                              .now_s = NOW_S };

    assert_true(public_key_parse(keys_public(ring, "rsa"), &key));
    keep_state(cmp_connector.start(&call, &order, &step, &err));
    assert_int_equal(step.verdict, CONNECTOR_SEND);
    return step.request.body;
}

static struct bytes starts(void)
{
    return starts_with(BYTES_NONE);
}

static enum connector_verdict resumes(struct connector_event event)
{
    const struct connector_call call = a_connector_call();

    keep_state(cmp_connector.resume(&call, state_now, &event, &step, &err));
    return step.verdict;
}

static enum connector_verdict hears_octets(int status, struct bytes body)
{
    return resumes((struct connector_event){ CONNECTOR_EVENT_ANSWER, status, body, NULL });
}

static enum connector_verdict hears_answer(struct bytes request, struct answer a)
{
    return hears_octets(200, answered(request, &a));
}

static struct bytes confirms(bool accepted)
{
    const struct connector_call call = a_connector_call();

    keep_state(cmp_connector.confirm(&call, state_now, accepted, &step, &err));
    assert_int_equal(step.verdict, CONNECTOR_SEND);
    return step.request.body;
}

static struct bytes revokes(struct bytes certificate)
{
    const struct connector_call call = a_connector_call();
    const struct ca_revocation what = { .certificate = certificate, .reason = 1, .now_s = NOW_S };

    keep_state(cmp_connector.revoke(&call, &what, &step, &err));
    assert_int_equal(step.verdict, CONNECTOR_SEND);
    return step.request.body;
}

static enum cmp_body body_of(struct bytes der)
{
    struct cmp_message m;

    assert_int_equal(cmp_message_decode(der, &m), CMP_DECODED_ALL);
    return m.body;
}

static struct answer rejection(enum cmp_fail_info why)
{
    return (struct answer){ .body = CMP_ERROR, .content = refusal(why, "no") };
}

/* --- an order --- */

static void an_order_is_asked_for_filled_and_confirmed(void **state)
{
    struct bytes request = starts();

    (void)state;
    assert_bytes(step.request.url, upstream.url);
    assert_bytes(step.request.content_type, BYTES_LITERAL("application/pkixcmp"));
    assert_string_equal(step.request.trust_path, "tls.pem");
    assert_int_equal(hears_answer(request, GRANTED), CONNECTOR_ISSUED);
    assert_true(step.certificate.len > 0);
    assert_true(step.confirms);
    request = confirms(true);
    assert_int_equal(body_of(request), CMP_CERT_CONF);
    assert_int_equal(hears_answer(request, CONFIRMED), CONNECTOR_DONE);
}

static void cmp_117_what_admission_decided_is_what_is_asked_for(void **state)
{
    const struct crmf_rules rules = { .key = KEY_RULES_DEFAULT };
    struct crmf_request crmf;
    struct cmp_message m;
    struct bytes element;
    const char *detail;
    size_t count;

    (void)state;
    assert_int_equal(cmp_message_decode(starts_with(hex("3003 020100")), &m), CMP_DECODED_ALL);
    assert_int_equal(m.body, CMP_IR); /* the PKCS#10 stays here */
    assert_bytes(m.header.recipient_name, name_of("CN=Root"));
    assert_true(cmp_elements_decode(m.content, &element, 1, &count));
    assert_int_equal(crmf_decode(element, &rules, arena, &crmf, &detail), CSR_OK);
    assert_int_equal(crmf.pop, CRMF_POP_RA_VERIFIED);
    assert_bytes(crmf.requested.subject.encoded, name_of("CN=" REFERENCE));
    assert_int_equal(crmf.requested.san.count, 1);
    assert_text(crmf.requested.san.item[0].value, REFERENCE);
    assert_bytes(crmf.requested.key.spki, keys_public(ring, "rsa"));
    upstream.request = CMP_UPSTREAM_CR;
    assert_int_equal(body_of(starts()), CMP_CR);
}

static void a_pkcs10_is_handed_on_where_it_is_at_hand(void **state)
{
    struct cmp_message m;

    (void)state;
    upstream.request = CMP_UPSTREAM_P10CR;
    assert_int_equal(cmp_message_decode(starts_with(hex("3003 020100")), &m), CMP_DECODED_ALL);
    assert_int_equal(m.body, CMP_P10CR);
    assert_bytes(m.content, hex("3003 020100"));
    assert_int_equal(body_of(starts()), CMP_IR);
}

static void implicit_confirmation_ends_it(void **state)
{
    struct answer a = GRANTED;

    (void)state;
    upstream.implicit_confirm = true;
    a.implicit_confirm = true;
    assert_int_equal(hears_answer(starts(), a), CONNECTOR_ISSUED);
    assert_false(step.confirms);
}

static void ca_certificates_come_along_and_no_others(void **state)
{
    struct cmp_cert_rep rep = { .ca_pub = { the_root(), device_certificate() },
                                .ca_pub_count = 2,
                                .response = { { .status = { .status = CMP_ACCEPTED },
                                                .certificate = device_certificate() } },
                                .response_count = 1 };
    struct buffer content = BUFFER(1 << 18);
    struct answer a = { .body = CMP_IP, .signer = the_signer() };

    (void)state;
    cmp_cert_rep_put(&content, &rep);
    a.content = kept(&content);
    assert_int_equal(hears_answer(starts(), a), CONNECTOR_ISSUED);
    assert_int_equal(step.chain_count, 1);
    assert_bytes(step.chain[0], rep.ca_pub[0]);
}

/* --- what decides nothing --- */

static void nothing_that_is_not_authentic_decides(void **state)
{
    struct bytes request = starts(), first = state_now;
    struct answer wrong[4] = { GRANTED, GRANTED, GRANTED, rejection(CMP_BAD_REQUEST) };

    (void)state;
    wrong[0].secret = "another";
    wrong[1].recip_nonce = hex("00112233445566778899aabbccddeeff");
    wrong[2].transaction_id = hex("00112233445566778899aabbccddeeff");
    wrong[3].unprotected = true;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(hears_answer(request, wrong[i]), CONNECTOR_AGAIN);
        assert_non_null(step.why);
    }
    assert_int_equal(hears_octets(200, BYTES_NONE), CONNECTOR_AGAIN);
    assert_int_equal(hears_octets(200, BYTES_LITERAL("<html>")), CONNECTOR_AGAIN);
    assert_int_equal(hears_octets(200, request), CONNECTOR_AGAIN);
    assert_int_equal(hears_octets(503, BYTES_NONE), CONNECTOR_AGAIN);
    assert_string_equal(step.why, "HTTP status 503");
    assert_int_equal(hears_octets(404, BYTES_LITERAL("gone")), CONNECTOR_AGAIN);
    assert_int_equal(
        resumes((struct connector_event){ .kind = CONNECTOR_EVENT_FAILURE, .failure = "refused" }),
        CONNECTOR_AGAIN);
    assert_string_equal(step.why, "refused");
    assert_bytes(state_now, first);
    assert_int_equal(hears_answer(request, GRANTED), CONNECTOR_ISSUED);
}

static void an_authentic_answer_counts_whatever_http_says(void **state)
{
    struct bytes request = starts();
    const struct answer a = rejection(CMP_BAD_REQUEST);

    (void)state;
    assert_int_equal(hears_octets(400, answered(request, &a)), CONNECTOR_REJECTED);
}

static void a_ca_that_cannot_now_is_asked_again(void **state)
{
    struct bytes request = starts();

    (void)state;
    assert_int_equal(hears_answer(request, rejection(CMP_SYSTEM_UNAVAIL)), CONNECTOR_AGAIN);
    assert_int_equal(hears_answer(request, rejection(CMP_SYSTEM_FAILURE)), CONNECTOR_AGAIN);
    assert_int_equal(hears_answer(request, GRANTED), CONNECTOR_ISSUED);
}

static void a_rejection_and_a_violation_end_it(void **state)
{
    (void)state;
    assert_int_equal(hears_answer(starts(), rejection(CMP_NOT_AUTHORIZED)), CONNECTOR_REJECTED);
    assert_string_equal(step.why, "the CA answered notAuthorized: no");
    assert_int_equal(hears_answer(starts(), CONFIRMED), CONNECTOR_REJECTED);
    assert_string_equal(step.why, "the CA's answer is wrong: its body answers something else");
}

static void a_device_of_the_same_ca_cannot_answer_in_its_name(void **state)
{
    struct answer a = rejection(CMP_BAD_REQUEST);
    struct bytes request = starts();

    (void)state;
    a.signer = device_certificate();
    a.key = "rsa";
    assert_int_equal(hears_answer(request, a), CONNECTOR_AGAIN);
    a.signer = the_signer(); /* the CA's chain vouches for it */
    a.key = NULL;
    assert_int_equal(hears_answer(request, a), CONNECTOR_REJECTED);
}

/* --- waiting --- */

static void a_ca_that_takes_its_time_is_polled(void **state)
{
    struct answer late = { .body = CMP_IP, .content = response(CMP_WAITING, BYTES_NONE, 0) };
    struct answer later = { .body = CMP_POLL_REP, .content = poll_rep(0, 90) };
    struct bytes poll;

    (void)state;
    assert_int_equal(hears_answer(starts(), late), CONNECTOR_SEND);
    poll = step.request.body;
    assert_int_equal(body_of(poll), CMP_POLL_REQ);
    assert_int_equal(resumes((struct connector_event){ .kind = CONNECTOR_EVENT_FAILURE }), CONNECTOR_AGAIN);
    assert_int_equal(hears_answer(poll, later), CONNECTOR_WAIT);
    assert_int_equal(step.wait_until_s, NOW_S + 90);
    assert_int_equal(resumes((struct connector_event){ .kind = CONNECTOR_EVENT_DUE }), CONNECTOR_SEND);
    poll = step.request.body;
    assert_int_equal(hears_answer(poll, rejection(CMP_BAD_RECIPIENT_NONCE)), CONNECTOR_SEND);
    poll = step.request.body;
    assert_int_equal(body_of(poll), CMP_POLL_REQ);
    assert_int_equal(hears_answer(poll, GRANTED), CONNECTOR_ISSUED);
}

/* --- confirmation and revocation --- */

static void a_confirmation_that_was_heard_before_is_done(void **state)
{
    struct bytes request;

    (void)state;
    assert_int_equal(hears_answer(starts(), GRANTED), CONNECTOR_ISSUED);
    request = confirms(true);
    assert_int_equal(hears_octets(200, BYTES_NONE), CONNECTOR_AGAIN);
    assert_int_equal(hears_answer(request, rejection(CMP_CERT_CONFIRMED)), CONNECTOR_DONE);
    assert_int_equal(hears_answer(request, rejection(CMP_BAD_REQUEST)), CONNECTOR_REJECTED);
}

static void a_revocation_is_passed_on(void **state)
{
    const struct cmp_status_info good = { .status = CMP_ACCEPTED },
                                 before = { .status = CMP_REJECTION, .fail_info = CMP_CERT_REVOKED },
                                 never = { .status = CMP_REJECTION, .fail_info = CMP_BAD_CERT_ID };
    const struct {
        const struct cmp_status_info *status;
        enum connector_verdict verdict;
    } rows[] = { { &good, CONNECTOR_DONE }, { &before, CONNECTOR_DONE }, { &never, CONNECTOR_REJECTED } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes request = revokes(device_certificate());
        struct buffer content = BUFFER(1024);

        assert_int_equal(body_of(request), CMP_RR);
        cmp_rev_rep_put(&content, rows[i].status);
        assert_int_equal(hears_answer(request, (struct answer){ .body = CMP_RP, .content = kept(&content) }),
                         rows[i].verdict);
    }
}

/* --- our own faults --- */

static struct bytes asks_chain(void)
{
    const struct connector_call call = a_connector_call();

    keep_state(cmp_connector.ask_chain(&call, &step, &err));
    assert_int_equal(step.verdict, CONNECTOR_SEND);
    return step.request.body;
}

static enum connector_verdict hears_chain(struct bytes request, struct bytes value)
{
    const struct cmp_info told = { .oid = CMP_IT_CA_CERTS, .value = value };
    struct buffer content = BUFFER(1 << 16);

    cmp_general_put(&content, &told, 1);
    return hears_answer(request, (struct answer){ .body = CMP_GENP, .content = kept(&content) });
}

static void cmp_100_the_ca_is_asked_for_its_chain(void **state)
{
    const struct bytes root = the_root();
    struct bytes request = asks_chain();

    (void)state;
    assert_int_equal(body_of(request), CMP_GENM);
    assert_int_equal(hears_chain(request, wrap(DER_SEQUENCE, join(root, the_signer()))), CONNECTOR_CHAIN);
    assert_int_equal(step.chain_count, 1); /* the signer is no CA */
    assert_bytes(step.chain[0], root);
    assert_int_equal(hears_chain(asks_chain(), BYTES_NONE), CONNECTOR_REJECTED);
    assert_int_equal(hears_chain(starts(), wrap(DER_SEQUENCE, root)),
                     CONNECTOR_REJECTED); /* a certificate was asked for */
    assert_int_equal(hears_answer(asks_chain(), rejection(CMP_BAD_REQUEST)), CONNECTOR_REJECTED);
    (void)asks_chain();
    assert_int_equal(hears_octets(200, BYTES_LITERAL("garbage")), CONNECTOR_AGAIN);
}

static void a_state_that_cannot_be_read_is_our_error(void **state)
{
    const struct connector_call call = a_connector_call();
    const struct connector_event due = { .kind = CONNECTOR_EVENT_DUE };

    (void)state;
    (void)starts();
    for (size_t len = 0; len < state_now.len; len++) {
        assert_false(cmp_connector.resume(&call, bytes_slice(state_now, 0, len), &due, &step, &err));
        assert_int_equal(err.code, ERROR_FORMAT);
        assert_false(cmp_connector.confirm(&call, bytes_slice(state_now, 0, len), true, &step, &err));
    }
}

static void a_request_that_is_too_large_is_our_error(void **state)
{
    const struct connector_call call = a_connector_call();
    struct public_key key;
    const struct ca_order order = {
        .key = &key, .request = wrap(DER_SEQUENCE, bytes_of(arena_alloc(arena, 65536), 65536))
    };

    (void)state;
    upstream.request = CMP_UPSTREAM_P10CR;
    assert_false(cmp_connector.start(&call, &order, &step, &err));
    assert_int_equal(err.code, ERROR_LIMIT);
}

static void what_an_upstream_owns_is_released(void **state)
{
    struct cmp_upstream owner = { .anchors = anchors_of(the_root()) };

    (void)state;
    assert_true(secret_copy(BYTES_LITERAL(SECRET), &owner.secret));
    cmp_upstream_release(&owner);
    assert_null(owner.anchors);
    assert_int_equal(owner.secret.len, 0);
    cmp_upstream_release(&owner);
}

#define CONNECTOR_TEST(name) cmocka_unit_test_setup_teardown(name, open_ca, close_ca)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONNECTOR_TEST(an_order_is_asked_for_filled_and_confirmed),
        CONNECTOR_TEST(cmp_117_what_admission_decided_is_what_is_asked_for),
        CONNECTOR_TEST(a_pkcs10_is_handed_on_where_it_is_at_hand),
        CONNECTOR_TEST(implicit_confirmation_ends_it),
        CONNECTOR_TEST(ca_certificates_come_along_and_no_others),
        CONNECTOR_TEST(nothing_that_is_not_authentic_decides),
        CONNECTOR_TEST(an_authentic_answer_counts_whatever_http_says),
        CONNECTOR_TEST(a_ca_that_cannot_now_is_asked_again),
        CONNECTOR_TEST(a_rejection_and_a_violation_end_it),
        CONNECTOR_TEST(a_device_of_the_same_ca_cannot_answer_in_its_name),
        CONNECTOR_TEST(a_ca_that_takes_its_time_is_polled),
        CONNECTOR_TEST(a_confirmation_that_was_heard_before_is_done),
        CONNECTOR_TEST(a_revocation_is_passed_on),
        CONNECTOR_TEST(cmp_100_the_ca_is_asked_for_its_chain),
        CONNECTOR_TEST(a_state_that_cannot_be_read_is_our_error),
        CONNECTOR_TEST(a_request_that_is_too_large_is_our_error),
        CONNECTOR_TEST(what_an_upstream_owns_is_released),
    };
    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
