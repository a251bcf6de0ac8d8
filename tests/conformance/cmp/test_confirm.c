/* CMP-70 to CMP-81: confirmation (RFC 9810 5.1.1.1, 5.3.17, 5.3.18). */
#include "tests/conformance/cmp/cmp_case.h"

/* An ip that waits for its certConf; *next is that. */
static struct cmp_said granted(struct cmp_case *c, struct cmp_plan plan, struct cmp_plan *next)
{
    struct cmp_said said = cmp_ask(c, plan);

    (void)assert_granted(c, &said, CMP_IP);
    *next = cmp_client_next(plan, &said, CMP_CERT_CONF);
    return said;
}

static void assert_confirmed(struct cmp_case *c, struct cmp_plan next)
{
    struct cmp_said end = cmp_ask(c, next);

    cmp_expect(c, &end, CMP_PKICONF, CMP_STATUS_NONE, 0);
}

static void assert_refused(struct cmp_case *c, struct cmp_plan next, uint32_t fail_info)
{
    struct cmp_said end = cmp_ask(c, next);

    assert_error(c, &end, fail_info);
}

/* --- implicit --- */

static void cmp_70_implicit_confirmation_is_echoed_and_closes(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next;
    struct cmp_said said = granted(c, (struct cmp_plan){ .implicit_confirm = true }, &next);

    assert_true(said.implicit_confirm);
    assert_null(said.confirm_wait_time.data);
    assert_refused(c, next, CMP_BAD_REQUEST);
    c->g->now_s += (int64_t)10 * c->g->procedure.cmp_confirm_wait_s;
    cmp_run_confirm_jobs(c);
    assert_false(cmp_is_revoked(c, said.certificate));
}

static void cmp_70_for_every_request(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_plan kur = a_kur(&device);
    struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .body = CMP_P10CR, .implicit_confirm = true });

    (void)assert_granted(c, &said, CMP_CP);
    assert_true(said.implicit_confirm);
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_CR,
                                         .implicit_confirm = true,
                                         .request.key = cmp_client_key("P-256", 2) });
    (void)assert_granted(c, &said, CMP_CP);
    assert_true(said.implicit_confirm);
    kur.implicit_confirm = true;
    said = cmp_ask(c, kur);
    (void)assert_granted(c, &said, CMP_KUP);
    assert_true(said.implicit_confirm);
}

static void cmp_71_where_it_is_not_granted_a_cert_conf_is_expected(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next;
    struct cmp_said said;

    c->g->procedure.cmp_implicit_confirm = false;
    said = granted(c, (struct cmp_plan){ .implicit_confirm = true }, &next);
    assert_false(said.implicit_confirm);
    assert_confirmed(c, next);
}

static void cmp_71_and_never_unasked(void **state)
{
    struct cmp_plan next;
    struct cmp_said said = granted(*state, (struct cmp_plan){ .body = CMP_IR }, &next);

    assert_false(said.implicit_confirm);
    assert_confirmed(*state, next);
}

/* --- certConf --- */

static void cmp_72_a_cert_conf_is_answered_by_pki_conf(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next;
    struct cmp_said said = granted(c, (struct cmp_plan){ .body = CMP_IR }, &next);

    assert_confirmed(c, next);
    c->g->now_s += (int64_t)10 * c->g->procedure.cmp_confirm_wait_s;
    cmp_run_confirm_jobs(c);
    assert_false(cmp_is_revoked(c, said.certificate));
}

static void cmp_72_the_gateway_may_have_stopped_between(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next;
    struct cmp_said said = granted(c, (struct cmp_plan){ .body = CMP_IR }, &next);

    a_gateway_restart(c->g);
    assert_confirmed(c, next);
    a_gateway_restart(c->g);
    c->g->now_s += (int64_t)10 * c->g->procedure.cmp_confirm_wait_s;
    cmp_run_confirm_jobs(c);
    assert_false(cmp_is_revoked(c, said.certificate));
}

static void cmp_72_without_a_status_it_accepts(void **state)
{
    struct cmp_plan next;

    (void)granted(*state, (struct cmp_plan){ .body = CMP_IR }, &next);
    next.confirm.status = CMP_STATUS_NONE;
    assert_confirmed(*state, next);
}

static void cmp_73_a_wrong_hash_is_a_bad_cert_id(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next, bad;
    struct cmp_said said = granted(c, (struct cmp_plan){ .body = CMP_IR }, &next);

    bad = next;
    bad.confirm.certificate = c->ca;
    assert_refused(c, bad, CMP_BAD_CERT_ID);
    bad.confirm.certificate = NULL; /* no octets */
    assert_refused(c, bad, CMP_BAD_CERT_ID);
    bad = next;
    bad.confirm.digest = "SHA1";
    assert_refused(c, bad, CMP_BAD_CERT_ID);
    assert_false(cmp_is_revoked(c, said.certificate));
    assert_confirmed(c, next); /* the transaction is as it was */
}

/* Another CA takes the place of the gateway's, with a key of that kind. */
static void change_ca(struct cmp_case *c, const char *key_name, enum key_kind kind)
{
    struct a_gateway *g = c->g;
    AUTO_STRUCT(buffer) name = BUFFER(256);
    struct ca_make make = { .validity_s = 10 * 365 * 86400, .now_s = g->now_s - 86400 };
    struct error err = { 0 };
    struct bytes ra = BYTES_NONE;

    if (keys_kind(g->config.keys, key_name, NULL) == KEY_NONE)
        assert_true(keys_generate(g->config.keys, key_name, kind, 0, &err));
    assert_true(name_parse(BYTES_LITERAL("CN=Another CA"), &name));
    make.subject = buffer_bytes(&name);
    ca_release(&g->ca);
    g->ca = (struct ca){
        .name = "demo", .connector = &ca_local_connector, .chain_count = 1, .key_name = key_name
    };
    if (!ca_make_root(&make, g->config.keys, key_name, &g->random, g->arena, &g->ca.chain[0], &err) ||
        !ca_prepare(&g->ca, g->config.keys, &err) ||
        !ca_make_service(&g->ca, SERVICE_CMP_RA, &make, BYTES_NONE, g->config.keys, "cmp-ra", &g->random,
                         g->arena, &ra, &err) ||
        !certificate_decode(ra, g->arena, &g->cmp_ra.certificate))
        fail_msg("%s", err.text);
    c->ca = cmp_client_certificate(g->ca.chain[0]);
    c->ra = cmp_client_certificate(ra);
}

static void cmp_73_the_hash_is_that_of_the_certificates_signature(void **state)
{
    static const struct {
        const char *key_name;
        enum key_kind kind;
        const char *digest, *wrong;
    } cas[] = { { "ca-p384", KEY_EC_P384, "SHA384", "SHA256" },
                { "ca-p521", KEY_EC_P521, "SHA512", "SHA256" },
                { "ca-ed25519", KEY_ED25519, "SHA512", "SHA256" },
                { "ca-ed448", KEY_ED448, "SHAKE256", "SHA512" } };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(cas); i++) {
        struct cmp_plan next;

        change_ca(c, cas[i].key_name, cas[i].kind);
        (void)granted(c, (struct cmp_plan){ .body = CMP_IR }, &next);
        next.confirm.digest = cas[i].wrong;
        assert_refused(c, next, CMP_BAD_CERT_ID);
        next.confirm.digest = cas[i].digest;
        assert_confirmed(c, next);
    }
}

static void cmp_74_a_named_hash_is_used_in_version_3(void **state)
{
    static const struct {
        int nid;
        const char *digest;
    } hashes[] = { { NID_sha256, "SHA256" }, { NID_sha384, "SHA384" }, { NID_sha512, "SHA512" } };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(hashes); i++) {
        struct cmp_plan next;

        (void)granted(c, (struct cmp_plan){ .pvno = 3 }, &next);
        next.confirm.hash_alg = cmp_client_algorithm(c->arena, hashes[i].nid);
        next.confirm.digest = hashes[(i + 1) % COUNT_OF(hashes)].digest;
        assert_refused(c, next, CMP_BAD_CERT_ID);
        next.confirm.digest = hashes[i].digest;
        assert_confirmed(c, next);
    }
}

static void cmp_74_unknown_and_old_hashes_are_bad_alg(void **state)
{
    static const int nids[] = { NID_md5, NID_sha1, NID_hmacWithSHA256 };
    struct cmp_case *c = *state;
    struct cmp_plan next;

    (void)granted(c, (struct cmp_plan){ .pvno = 3 }, &next);
    for (size_t i = 0; i < COUNT_OF(nids); i++) {
        struct cmp_plan bad = next;

        bad.confirm.hash_alg = cmp_client_algorithm(c->arena, nids[i]);
        assert_refused(c, bad, CMP_BAD_ALG);
    }
    assert_confirmed(c, next);
}

static void cmp_75_a_rejected_certificate_is_revoked(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next;
    struct cmp_said said = granted(c, (struct cmp_plan){ .body = CMP_IR }, &next);

    next.confirm.status = CMP_REJECTION;
    next.confirm.fail_info = CMP_BAD_CERT_TEMPLATE;
    assert_confirmed(c, next);
    assert_true(cmp_is_revoked(c, said.certificate));
    assert_refused(c, next, CMP_BAD_REQUEST);
}

static void cmp_75_nothing_at_all_rejects_it_too(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next;
    struct cmp_said said = granted(c, (struct cmp_plan){ .body = CMP_IR }, &next);

    next.confirm.empty = true;
    assert_confirmed(c, next);
    assert_true(cmp_is_revoked(c, said.certificate));
}

static void cmp_75_a_one_time_registration_is_free_again(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .sender_kid = BYTES_LITERAL("router7.example.com"),
                             .request.cn = "router7.example.com" },
                    next;
    struct cmp_said said;

    (void)a_gateway_register(c->g, "router7.example.com", "s3cret",
                             (struct registration){ .one_time = true });
    (void)granted(c, plan, &next);
    next.confirm.status = CMP_REJECTION;
    assert_confirmed(c, next);
    plan.request.key = cmp_client_key("P-256", 1);
    (void)granted(c, plan, &next);
    assert_confirmed(c, next);
    plan.request.key = cmp_client_key("P-256", 2);
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_IP, CMP_NOT_AUTHORIZED);
}

static void cmp_76_statuses_that_do_not_fit_are_bad_requests(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next, bad;

    (void)granted(c, (struct cmp_plan){ .body = CMP_IR }, &next);
    bad = next;
    bad.confirm.twice = true;
    assert_refused(c, bad, CMP_BAD_REQUEST);
    bad = next;
    bad.confirm.cert_req_id = 1;
    assert_refused(c, bad, CMP_BAD_REQUEST);
    bad.confirm.cert_req_id = -1;
    assert_refused(c, bad, CMP_BAD_REQUEST);
    bad = next;
    bad.confirm.fail_info = CMP_BAD_POP;
    assert_refused(c, bad, CMP_BAD_REQUEST);
    bad = next;
    bad.confirm.status = CMP_WAITING;
    assert_refused(c, bad, CMP_BAD_REQUEST);
    assert_confirmed(c, next);
}

static void cmp_77_a_second_cert_conf_is_cert_confirmed(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next;
    struct cmp_said said = granted(c, (struct cmp_plan){ .body = CMP_IR }, &next);

    assert_confirmed(c, next);
    assert_refused(c, next, CMP_CERT_CONFIRMED);
    a_gateway_restart(c->g);
    next.confirm.status = CMP_REJECTION;
    assert_refused(c, next, CMP_CERT_CONFIRMED);
    assert_false(cmp_is_revoked(c, said.certificate));
}

static void cmp_78_a_cert_conf_of_no_transaction_is_a_bad_request(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next, bad;

    (void)granted(c, (struct cmp_plan){ .body = CMP_IR }, &next);
    bad = next;
    bad.transaction_id = BYTES_LITERAL("another one");
    assert_refused(c, bad, CMP_BAD_REQUEST);
    bad.no_transaction_id = true;
    assert_refused(c, bad, CMP_BAD_REQUEST);
    assert_confirmed(c, next);
}

static void cmp_78_a_refused_request_leaves_nothing_to_confirm(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_plan plan = { .request.pop = CMP_POP_NONE };
    struct cmp_said said = cmp_ask(c, plan);

    assert_rejected(c, &said, CMP_IP, CMP_BAD_POP);
    said.certificate = c->ca;
    assert_refused(c, cmp_client_next(plan, &said, CMP_CERT_CONF), CMP_BAD_REQUEST);
}

/* --- in time --- */

static void cmp_79_the_time_to_confirm_is_announced(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next;
    struct cmp_said said = granted(c, (struct cmp_plan){ .body = CMP_IR }, &next);
    struct der in = der_of(said.confirm_wait_time);

    assert_int_equal(der_time(&in), c->g->now_s + c->g->procedure.cmp_confirm_wait_s);
    assert_true(der_finished(&in));
    c->g->now_s += c->g->procedure.cmp_confirm_wait_s;
    assert_confirmed(c, next); /* just in time */
}

static void cmp_79_what_is_not_confirmed_in_time_is_revoked(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next;
    struct cmp_said said = granted(c, (struct cmp_plan){ .body = CMP_IR }, &next);

    c->g->now_s += c->g->procedure.cmp_confirm_wait_s - 1;
    cmp_run_confirm_jobs(c);
    assert_false(cmp_is_revoked(c, said.certificate));
    a_gateway_restart(c->g);
    c->g->now_s += 2;
    assert_refused(c, next, CMP_BAD_REQUEST); /* whether the job ran or not */
    cmp_run_confirm_jobs(c);
    assert_true(cmp_is_revoked(c, said.certificate));
    assert_refused(c, next, CMP_BAD_REQUEST);
}

/* --- other words for it --- */

static void cmp_80_a_pki_conf_accepts_all(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next;
    struct cmp_said said = granted(c, (struct cmp_plan){ .body = CMP_IR }, &next);

    next.body = CMP_PKICONF;
    assert_confirmed(c, next);
    c->g->now_s += (int64_t)10 * c->g->procedure.cmp_confirm_wait_s;
    cmp_run_confirm_jobs(c);
    assert_false(cmp_is_revoked(c, said.certificate));
}

static void cmp_81_an_indirect_proof_issues_nothing(void **state)
{
    struct cmp_case *c = *state;
    struct certificate_record records[4];
    struct cmp_said said = cmp_ask(
        c, (struct cmp_plan){ .request = { .key = cmp_client_key("RSA", 0), .pop = CMP_POP_ENCIPHER } });
    size_t count = 0;

    assert_rejected(c, &said, CMP_IP, CMP_BAD_POP);
    assert_true(registry_certificates_list(a_gateway_view(c->g), NULL, 4, c->arena, records, &count, NULL));
    assert_int_equal(count, 0);
}

static void cmp_109_an_error_of_the_client_ends_the_transaction(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next, error;
    struct cmp_said said = granted(c, (struct cmp_plan){ .body = CMP_IR }, &next);

    error = next;
    error.body = CMP_ERROR;
    assert_confirmed(c, error);
    assert_true(cmp_is_revoked(c, said.certificate));
    assert_refused(c, next, CMP_BAD_REQUEST);
}

static void cmp_109_an_error_with_a_wrong_header_is_answered_by_one(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_plan next, error;
    struct cmp_said said = granted(c, (struct cmp_plan){ .body = CMP_IR }, &next);

    error = next;
    error.body = CMP_ERROR;
    error.recip_nonce = BYTES_LITERAL("0123456789abcdef");
    assert_refused(c, error, CMP_BAD_RECIPIENT_NONCE);
    error = next;
    error.body = CMP_ERROR;
    error.transaction_id = BYTES_LITERAL("another one");
    assert_refused(c, error, CMP_BAD_REQUEST);
    assert_false(cmp_is_revoked(c, said.certificate));
    assert_confirmed(c, next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CMP_ROW(cmp_70_implicit_confirmation_is_echoed_and_closes),
        CMP_ROW(cmp_70_for_every_request),
        CMP_ROW(cmp_71_where_it_is_not_granted_a_cert_conf_is_expected),
        CMP_ROW(cmp_71_and_never_unasked),
        CMP_ROW(cmp_72_a_cert_conf_is_answered_by_pki_conf),
        CMP_ROW(cmp_72_the_gateway_may_have_stopped_between),
        CMP_ROW(cmp_72_without_a_status_it_accepts),
        CMP_ROW(cmp_73_a_wrong_hash_is_a_bad_cert_id),
        CMP_ROW(cmp_73_the_hash_is_that_of_the_certificates_signature),
        CMP_ROW(cmp_74_a_named_hash_is_used_in_version_3),
        CMP_ROW(cmp_74_unknown_and_old_hashes_are_bad_alg),
        CMP_ROW(cmp_75_a_rejected_certificate_is_revoked),
        CMP_ROW(cmp_75_nothing_at_all_rejects_it_too),
        CMP_ROW(cmp_75_a_one_time_registration_is_free_again),
        CMP_ROW(cmp_76_statuses_that_do_not_fit_are_bad_requests),
        CMP_ROW(cmp_77_a_second_cert_conf_is_cert_confirmed),
        CMP_ROW(cmp_78_a_cert_conf_of_no_transaction_is_a_bad_request),
        CMP_ROW(cmp_78_a_refused_request_leaves_nothing_to_confirm),
        CMP_ROW(cmp_79_the_time_to_confirm_is_announced),
        CMP_ROW(cmp_79_what_is_not_confirmed_in_time_is_revoked),
        CMP_ROW(cmp_80_a_pki_conf_accepts_all),
        CMP_ROW(cmp_81_an_indirect_proof_issues_nothing),
        CMP_ROW(cmp_109_an_error_of_the_client_ends_the_transaction),
        CMP_ROW(cmp_109_an_error_with_a_wrong_header_is_answered_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
