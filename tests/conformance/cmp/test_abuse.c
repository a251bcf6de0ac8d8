/* What someone tries who may do a little: with a secret of his own, with messages of others that he heard, or
 * behind an RA. */
#include "tests/conformance/cmp/cmp_case.h"
#include "tests/lib/upstream.h"

static const struct cmp_plan AN_IR = { .body = CMP_IR };

static enum cmp_body cmp_response_body(enum cmp_body body)
{
    return body == CMP_IR ? CMP_IP : CMP_CP;
}

/* --- origPKIMessage --- */

static struct cmp_plan with_original(struct cmp_case *c, struct cmp_plan plan, struct bytes original)
{
    AUTO_STRUCT(buffer) all = BUFFER(CMP_MESSAGE_MAX);

    cmp_elements_put(&all, &original, 1);
    plan.info[plan.info_count++] = (struct cmp_info){ .oid = CMP_IT_ORIG_PKI_MESSAGE,
                                                      .value = arena_copy(c->arena, buffer_bytes(&all)) };
    return plan;
}

static void cmp_115_an_original_is_an_ras_word(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    struct bytes good = cmp_message_of(c, AN_IR);
    struct bytes guess = cmp_message_of(c, (struct cmp_plan){ .body = CMP_IR, .protection.secret = "guess" });
    struct cmp_said said = cmp_ask(c, with_original(c, AN_IR, good));

    assert_error(c, &said, CMP_NOT_AUTHORIZED); /* the same, whether the secret in it is right or wrong */
    said = cmp_ask(c, with_original(c, AN_IR, guess));
    assert_error(c, &said, CMP_NOT_AUTHORIZED);
    said = cmp_ask(c, with_original(c, (struct cmp_plan){ .body = CMP_IR, .signer = &ra }, guess));
    assert_error(c, &said, CMP_BAD_MESSAGE_CHECK);
    said = cmp_ask(c, with_original(c, (struct cmp_plan){ .body = CMP_IR, .signer = &ra }, good));
    (void)assert_granted(c, &said, CMP_IP);
}

/* --- messages that were heard --- */

static size_t certificates_of(struct cmp_case *c, const X509 *certificate)
{
    const struct certificate_record record = cmp_record(c, certificate);
    struct certificate_record found[8];
    size_t count = 0;

    assert_true(registry_certificates_by_key(a_gateway_view(c->g), &record.key, COUNT_OF(found), c->arena,
                                             found, &count, NULL));
    return count;
}

static struct bytes with_another_extra(struct cmp_case *c, struct bytes message)
{
    AUTO_STRUCT(buffer) out = BUFFER(CMP_MESSAGE_MAX);
    const struct bytes extra = cmp_client_der(c->arena, c->ca);
    struct cmp_message m;

    assert_int_equal(cmp_message_decode(message, &m), CMP_DECODED_ALL);
    cmp_message_put(&out, m.header_encoded, m.body_encoded, m.protection, &extra, 1);
    return arena_copy(c->arena, buffer_bytes(&out));
}

static void cmp_20_a_request_of_old_makes_no_certificate(void **state)
{
    static const enum cmp_body bodies[] = { CMP_IR, CMP_P10CR };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        const struct cmp_plan plan = { .body = bodies[i], .implicit_confirm = true };
        struct bytes message = cmp_message_of(c, plan);
        struct cmp_said said = cmp_send(c, message);
        X509 *certificate = said.certificate;
        size_t count;

        assert_non_null(certificate);
        count = certificates_of(c, certificate);
        cmp_revoke(c, certificate);
        c->g->now_s += (int64_t)c->g->config.enroll.transaction_keep_s + 1;
        said = cmp_send(c, message); /* the transaction is forgotten */
        assert_error(c, &said, CMP_BAD_SENDER_NONCE);
        said = cmp_send(c, with_another_extra(c, message)); /* its protection does not cover these */
        assert_error(c, &said, CMP_BAD_SENDER_NONCE);
        assert_int_equal(certificates_of(c, certificate), count);
        said = cmp_ask(c, plan); /* who knows the secret may well ask again */
        (void)assert_granted_as(c, &said, cmp_response_body(bodies[i]), said.status);
    }
}

/* Its second name: the same domain, another profile. */
static void cmp_20_nor_under_another_procedure(void **state)
{
    struct cmp_case *c = *state;
    struct bytes message = cmp_message_of(c, (struct cmp_plan){ .body = CMP_IR, .implicit_confirm = true });
    struct cmp_said said = cmp_send(c, message);

    (void)assert_granted(c, &said, CMP_IP);
    c->g->procedure.name = "other";
    c->path = "/.well-known/cmp/p/other";
    said = cmp_send(c, message);
    assert_error(c, &said, CMP_BAD_SENDER_NONCE);
}

/* It is answered once more, to whoever repeats it; the device goes on all the same. */
static void cmp_19_a_repetition_by_others_breaks_no_transaction(void **state)
{
    struct cmp_case *c = *state;
    struct bytes opening = cmp_message_of(c, AN_IR), poll;
    struct cmp_said said, last, stolen;

    c->g->procedure.manual_approval = true;
    said = cmp_send(c, opening);
    assert_waiting(c, &said, CMP_IP);
    poll = cmp_message_of(c, cmp_client_next(AN_IR, &said, CMP_POLL_REQ));
    last = cmp_send(c, poll);
    assert_int_equal(last.body, CMP_POLL_REP);
    cmp_decide(c, true);
    stolen = cmp_send(c, opening);
    (void)assert_granted(c, &stolen, CMP_IP);
    stolen = cmp_send(c, opening);
    stolen = cmp_send(c, poll);
    said = cmp_ask(c, cmp_client_next(AN_IR, &last, CMP_POLL_REQ));
    (void)assert_granted(c, &said, CMP_IP);
    cmp_confirmed(c, AN_IR, &said);
}

/* The nonces of the first polls are forgotten in the end, and that of the answer "waiting" counts for long.
 */
static void cmp_20_nor_does_a_poll_of_old(void **state)
{
    struct cmp_case *c = *state;
    struct bytes first = BYTES_NONE;
    struct cmp_plan poll;
    struct cmp_said said;

    c->g->procedure.manual_approval = true;
    said = cmp_ask(c, AN_IR);
    for (unsigned i = 0; i < 40; i++) {
        struct bytes message = cmp_message_of(c, cmp_client_next(AN_IR, &said, CMP_POLL_REQ));

        first = i == 0 ? message : first;
        said = cmp_send(c, message);
        assert_int_equal(said.body, CMP_POLL_REP);
    }
    poll = cmp_client_next(AN_IR, &said, CMP_POLL_REQ);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(cmp_send(c, first).body, CMP_POLL_REP);
    said = cmp_ask(c, poll);
    assert_int_equal(said.body, CMP_POLL_REP);
    cmp_decide(c, true);
    said = cmp_ask(c, cmp_client_next(AN_IR, &said, CMP_POLL_REQ));
    (void)assert_granted(c, &said, CMP_IP);
}

/* --- who takes the room of others --- */

static void cmp_83_one_name_does_not_fill_the_list_of_the_officer(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_plan other = { .body = CMP_IR,
                                    .sender_kid = BYTES_LITERAL("router7.example.com"),
                                    .request.cn = "router7.example.com" };
    struct cmp_said said;

    (void)a_gateway_register(c->g, "router7.example.com", "s3cret",
                             (struct registration){ .order = ORDER_CMP });
    c->g->procedure.manual_approval = true;
    for (unsigned i = 0; i < 8; i++) {
        said = cmp_ask(c, AN_IR);
        assert_waiting(c, &said, CMP_IP);
    }
    said = cmp_ask(c, AN_IR);
    assert_rejected(c, &said, CMP_IP, CMP_SYSTEM_UNAVAIL);
    said = cmp_ask(c, other);
    assert_waiting(c, &said, CMP_IP);
}

static void cmp_85_what_waits_waits_on_when_there_is_no_room(void **state)
{
    struct cmp_case *c = *state;
    const struct connector *connector = c->g->ca.connector;
    struct cmp_said said;

    c->g->procedure.manual_approval = true;
    said = cmp_ask(c, AN_IR);
    assert_waiting(c, &said, CMP_IP);
    cmp_decide(c, true);
    c->g->ca.connector = &upstream_connector; /* and no order may be open */
    said = cmp_ask(c, cmp_client_next(AN_IR, &said, CMP_POLL_REQ));
    assert_int_equal(said.body, CMP_POLL_REP);
    assert_true(said.check_after_s > 0);
    c->g->ca.connector = connector;
    said = cmp_ask(c, cmp_client_next(AN_IR, &said, CMP_POLL_REQ));
    (void)assert_granted(c, &said, CMP_IP);
}

/* --- keys that are made here --- */

/* Keys of this size are not made at all: who is told so has been admitted. */
static void cmp_122_no_key_is_made_for_who_is_not_admitted(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_vendor_device(
        c, (struct cmp_certificate_plan){ .key_usage = "digitalSignature,keyAgreement" });
    struct cmp_plan plan = { .body = CMP_IR,
                             .pvno = 3,
                             .signer = &device,
                             .request = {
                                 .cn = "stranger.example.com", .no_key = true, .pop = CMP_POP_NONE } };
    struct cmp_said said;

    c->g->procedure.cmp_key_generation = true;
    c->g->profile.keys = (struct key_rules){ .rsa_bits_min = 4096, .rsa_bits_max = 4096 };
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_IP, CMP_NOT_AUTHORIZED);
    plan.request.cn = "router6.example.com";
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_IP, CMP_BAD_CERT_TEMPLATE);
    c->g->profile.keys = (struct key_rules){ .p256 = true };
    assert_int_equal(cmp_http(c, HTTP_METHOD_POST, c->path, CMP_TYPE, cmp_message_of(c, plan)).status, 200);
    assert_string_equal(c->facts.verdict, "issued"); /* OpenSSL 3.0 does not read what it comes in */
}

/* --- what is echoed --- */

static void cmp_7_what_is_too_long_to_be_echoed_is_malformed(void **state)
{
    static uint8_t many[70 * 1024];
    struct cmp_case *c = *state;
    AUTO_STRUCT(buffer) name = BUFFER(sizeof(many) + 16);
    struct cmp_plan plan = { .body = CMP_GENM };
    struct cmp_said said;
    struct bytes message;

    memset(many, 'a', sizeof(many));
    der_put(&name, DER_CONTEXT_PRIMITIVE(GENERAL_NAME_URI), BYTES_ARRAY(many));
    plan.sender = buffer_bytes(&name);
    message = cmp_message_of(c, plan);
    assert_int_equal(cmp_http(c, HTTP_METHOD_POST, c->path, CMP_TYPE, message).status, 400);
    plan = (struct cmp_plan){ .body = CMP_GENM, .ask = { { .oid = bytes_of(many, 2000) } }, .ask_count = 1 };
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_BAD_REQUEST);
}

/* --- behind an RA --- */

/* A batch of what devices sent; what each is answered stands in said->nested. */
static struct cmp_said batched(struct cmp_case *c, const struct cmp_person *ra, const struct bytes *message,
                               size_t count)
{
    struct cmp_plan plan = { .body = CMP_NESTED, .signer = ra, .nested_count = count };
    struct cmp_said said;

    for (size_t i = 0; i < count; i++)
        plan.nested[i] = message[i];
    said = cmp_ask(c, plan);
    assert_int_equal(said.body, CMP_NESTED);
    assert_int_equal(said.nested_count, count);
    return said;
}

static struct cmp_said answer_in(struct cmp_case *c, const struct cmp_said *said, size_t i,
                                 struct bytes asked, const char *secret)
{
    struct cmp_trust trust = cmp_trust_of(c);

    trust.secret = secret;
    return cmp_client_read(c->arena, said->nested[i], asked, &trust);
}

/* An RA is trusted by a procedure, which has one CA; its domain may have more. */
static void cmp_92_an_ra_revokes_what_the_procedures_ca_issued(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_plan rr = { .body = CMP_RR, .signer = &ra, .revoke.certificate = device.certificate };
    struct ca both[2] = { c->g->ca, { .name = "other", .connector = c->g->ca.connector, .chain_count = 1 } };
    struct ca_make make = { .validity_s = 10 * 365 * 86400, .now_s = c->g->now_s - 86400 };
    AUTO_STRUCT(buffer) name = BUFFER(256);
    struct cmp_said said;

    assert_true(name_parse(BYTES_LITERAL("CN=Other CA"), &name));
    make.subject = buffer_bytes(&name);
    both[1].key_name = "ca";
    assert_true(
        ca_make_root(&make, c->g->config.keys, "ca", &c->g->random, c->arena, &both[1].chain[0], NULL));
    assert_true(ca_prepare(&both[1], c->g->config.keys, NULL));
    c->g->config.enroll.ca = both;
    c->g->config.enroll.ca_count = COUNT_OF(both);
    c->g->procedure.ca = "other";
    said = cmp_ask(c, rr);
    assert_rejected(c, &said, CMP_RP, CMP_NOT_AUTHORIZED);
    c->g->procedure.ca = "demo";
    said = cmp_ask(c, rr);
    cmp_expect(c, &said, CMP_RP, CMP_ACCEPTED, 0);
    ca_release(&both[1]);
    c->g->config.enroll.ca = &c->g->ca;
    c->g->config.enroll.ca_count = 1;
}

/* Two messages of one device that both change the same: else nobody in the batch would get an answer. */
static void cmp_114_a_device_spoils_no_batch(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    const struct cmp_person device = cmp_enrolled(c);
    const struct cmp_plan rr = { .body = CMP_RR,
                                 .signer = &device,
                                 .revoke.certificate = device.certificate };
    struct cmp_plan ir = { .body = CMP_IR,
                           .sender_kid = BYTES_LITERAL("router7.example.com"),
                           .request = { .cn = "router7.example.com", .key = cmp_client_key("P-256", 2) } };
    struct bytes message[3] = { cmp_message_of(c, rr), cmp_message_of(c, rr), cmp_message_of(c, ir) };
    struct cmp_said all, said;

    (void)a_gateway_register(c->g, "router7.example.com", "s3cret",
                             (struct registration){ .order = ORDER_CMP });
    all = batched(c, &ra, message, COUNT_OF(message));
    said = answer_in(c, &all, 0, message[0], NULL);
    cmp_expect(c, &said, CMP_RP, CMP_ACCEPTED, 0);
    said = answer_in(c, &all, 1, message[1], NULL);
    assert_error(c, &said, CMP_SYSTEM_UNAVAIL);
    said = answer_in(c, &all, 2, message[2], NULL);
    (void)assert_granted(c, &said, CMP_IP);
    assert_true(cmp_is_revoked(c, device.certificate));
}

/* Run again when one of them has news, the others would be told that they come twice. */
static void cmp_114_a_batch_is_not_held_back(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan plan = { .body = CMP_NESTED, .signer = &ra, .nested_count = 2 };
    const struct cmp_plan rr = { .body = CMP_RR,
                                 .signer = &device,
                                 .revoke.certificate = device.certificate },
                          ir = { .body = CMP_IR, .request.key = cmp_client_key("P-256", 2) };
    struct http_response response = { 0 };
    struct http_request request = { .method = HTTP_METHOD_POST, .arena = c->arena };
    struct turn turn = cmp_turn(c);
    struct error err = { 0 };

    c->g->ca.connector = &upstream_connector;
    c->g->ca.patience.orders_max = 1;
    plan.nested[0] = cmp_message_of(c, rr);
    plan.nested[1] = cmp_message_of(c, ir);
    request.body = cmp_message_of(c, plan);
    if (!cmp_serve(&turn, &c->g->config.cmp, &c->g->procedure, BYTES_NONE, &request, &response, &err))
        fail_msg("%s", err.text);
    assert_true(turn.waits); /* the order is to be looked at at once */
    assert_true(turn.not_held_back);
}

/* One registration that gives one certificate, asked twice; and one key under two names. */
static void cmp_114_what_counts_once_counts_once_in_a_batch(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_plan one = { .body = CMP_IR,
                            .sender_kid = BYTES_LITERAL("once.example.com"),
                            .request = { .cn = "once.example.com", .key = cmp_client_key("P-256", 2) } },
                    two = one, other = one;
    struct bytes message[3];
    struct cmp_said all, said;

    (void)a_gateway_register(c->g, "once.example.com", "s3cret",
                             (struct registration){ .order = ORDER_CMP, .one_time = true });
    (void)a_gateway_register(c->g, "router7.example.com", "s3cret",
                             (struct registration){ .order = ORDER_CMP });
    two.request.key = cmp_client_key("P-256", 3);
    other.sender_kid = BYTES_LITERAL("router7.example.com");
    other.request.cn = "router7.example.com";
    message[0] = cmp_message_of(c, one);
    message[1] = cmp_message_of(c, two);
    message[2] = cmp_message_of(c, other);
    all = batched(c, &ra, message, COUNT_OF(message));
    said = answer_in(c, &all, 0, message[0], NULL);
    (void)assert_granted(c, &said, CMP_IP);
    assert_string_equal(c->facts.operation, "nested");
    assert_string_equal(c->facts.reason, "cmp_busy");
    assert_int_equal(c->facts.fqdn.len, 0);
    for (size_t i = 1; i < COUNT_OF(message); i++) {
        said = answer_in(c, &all, i, message[i], NULL);
        assert_error(c, &said, CMP_SYSTEM_UNAVAIL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CMP_ROW(cmp_115_an_original_is_an_ras_word),
        CMP_ROW(cmp_20_a_request_of_old_makes_no_certificate),
        CMP_ROW(cmp_20_nor_under_another_procedure),
        CMP_ROW(cmp_19_a_repetition_by_others_breaks_no_transaction),
        CMP_ROW(cmp_20_nor_does_a_poll_of_old),
        CMP_ROW(cmp_83_one_name_does_not_fill_the_list_of_the_officer),
        CMP_ROW(cmp_85_what_waits_waits_on_when_there_is_no_room),
        CMP_ROW(cmp_122_no_key_is_made_for_who_is_not_admitted),
        CMP_ROW(cmp_7_what_is_too_long_to_be_echoed_is_malformed),
        CMP_ROW(cmp_92_an_ra_revokes_what_the_procedures_ca_issued),
        CMP_ROW(cmp_114_a_device_spoils_no_batch),
        CMP_ROW(cmp_114_a_batch_is_not_held_back),
        CMP_ROW(cmp_114_what_counts_once_counts_once_in_a_batch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
