/* CMP-100 to CMP-107: genm and genp (RFC 9810 5.3.19, RFC 9483 4.3). */
#include "jobs/crl.h"
#include "tests/conformance/cmp/cmp_case.h"

static struct cmp_said asked(struct cmp_case *c, struct bytes oid, struct bytes value)
{
    return cmp_ask(
        c, (struct cmp_plan){ .body = CMP_GENM, .ask = { { .oid = oid, .value = value } }, .ask_count = 1 });
}

/* The value of the one answer, of that type. */
static struct bytes answered(struct cmp_case *c, const struct cmp_said *said, struct bytes oid)
{
    cmp_expect(c, said, CMP_GENP, CMP_STATUS_NONE, 0);
    assert_bytes(said->info.oid, oid);
    return said->info.value;
}

static struct bytes element(struct cmp_case *c, const struct buffer *buffer)
{
    struct bytes copy;

    assert_false(buffer_failed(buffer));
    copy = arena_copy(c->arena, buffer_bytes(buffer));
    assert_non_null(copy.data);
    return copy;
}

/* --- certificates of the CA --- */

static void cmp_100_ca_certs_are_the_chain_of_the_ca(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = asked(c, CMP_IT_CA_CERTS, BYTES_NONE);
    struct bytes value = answered(c, &said, CMP_IT_CA_CERTS);
    struct der in = der_of(value), list = der_enter(&in, DER_SEQUENCE);

    assert_int_equal(X509_cmp(cmp_client_certificate(der_element(&list, DER_SEQUENCE)), c->ca), 0);
    assert_true(der_finished(&list));
    assert_true(der_finished(&in));
}

static void cmp_100_signers_and_secrets_are_answered_alike(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person ours = cmp_enrolled(c);
    const struct cmp_person vendors = cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    const struct cmp_person ra = cmp_trusted_ra(c, (struct cmp_certificate_plan){ 0 });
    const struct cmp_person *const signers[] = { NULL, &ours, &vendors, &ra };

    for (size_t i = 0; i < COUNT_OF(signers); i++) {
        struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .body = CMP_GENM, .signer = signers[i] });

        assert_int_equal(said.body, CMP_GENP);
        assert_int_equal(said.by_mac, signers[i] == NULL);
    }
}

static void cmp_101_without_a_new_root_there_is_no_value(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = asked(c, CMP_IT_ROOT_CA_CERT, BYTES_NONE);

    assert_int_equal(answered(c, &said, CMP_IT_ROOT_CA_KEY_UPDATE).len, 0);
    said = asked(c, CMP_IT_ROOT_CA_CERT, cmp_client_der(c->arena, c->ca));
    assert_int_equal(answered(c, &said, CMP_IT_ROOT_CA_KEY_UPDATE).len, 0);
}

static void cmp_101_a_new_root_comes_with_its_links(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person new_root = cmp_client_person(
        &(struct cmp_certificate_plan){ .key = cmp_client_key("P-256", 5), .cn = "Next CA" });
    const struct bytes new_der = cmp_client_der(c->arena, new_root.certificate);
    struct cmp_said said;
    struct der in, update;

    c->g->ca.root_new_with_new = new_der;
    c->g->ca.root_new_with_old = c->g->ca.chain[0]; /* their form alone counts here */
    c->g->ca.root_old_with_new = c->g->ca.chain[0];
    said = asked(c, CMP_IT_ROOT_CA_CERT, cmp_client_der(c->arena, c->ca));
    in = der_of(answered(c, &said, CMP_IT_ROOT_CA_KEY_UPDATE));
    update = der_enter(&in, DER_SEQUENCE);
    assert_bytes(der_element(&update, DER_SEQUENCE), new_der);
    assert_bytes(der_value(&update, DER_CONTEXT(0)), c->g->ca.chain[0]);
    assert_bytes(der_value(&update, DER_CONTEXT(1)), c->g->ca.chain[0]);
    assert_true(der_finished(&update));
    said = asked(c, CMP_IT_ROOT_CA_CERT, BYTES_NONE);
    assert_true(answered(c, &said, CMP_IT_ROOT_CA_KEY_UPDATE).len > 0);
    said = asked(c, CMP_IT_ROOT_CA_CERT, new_der); /* who has it already */
    assert_int_equal(answered(c, &said, CMP_IT_ROOT_CA_KEY_UPDATE).len, 0);
}

static void cmp_102_a_template_says_which_keys_are_certified(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = asked(c, CMP_IT_CERT_REQ_TEMPLATE, BYTES_NONE);
    struct der in = der_of(answered(c, &said, CMP_IT_CERT_REQ_TEMPLATE)), seq = der_enter(&in, DER_SEQUENCE),
               template = der_enter(&seq, DER_SEQUENCE), specs = der_enter(&seq, DER_SEQUENCE);
    struct crmf_template decoded;
    size_t curves = 0, lengths = 0;

    assert_true(der_finished(&seq));
    assert_true(crmf_template_decode(&template, c->arena, &decoded));
    assert_false(decoded.has_key);
    while (der_more(&specs)) {
        struct der spec = der_enter(&specs, DER_SEQUENCE), value;

        if (bytes_equal(der_value(&spec, DER_OID), BYTES_LITERAL("\x2b\6\1\5\5\7\5\1\x0b"))) { /* algId */
            value = der_enter(&spec, DER_SEQUENCE);
            assert_false(bytes_equal(der_value(&value, DER_OID),
                                     BYTES_LITERAL("\x2a\x86\x48\x86\xf7\x0d\1\1\1"))); /* never RSA */
            curves++;
        } else { /* rsaKeyLen */
            assert_int_equal(der_uint(&spec), 2048);
            lengths++;
        }
        assert_true(!spec.failed);
    }
    assert_true(der_finished(&specs));
    assert_int_equal(curves, 3); /* P-256, P-384, P-521 */
    assert_int_equal(lengths, 1);
}

static void cmp_102_for_the_profile_that_is_named(void **state)
{
    static const uint8_t known[] = { DER_SEQUENCE, 8, DER_UTF8_STRING, 6, 'd', 'e', 'v', 'i', 'c', 'e' },
                         unknown[] = { DER_SEQUENCE, 3, DER_UTF8_STRING, 1, 'x' };
    struct cmp_case *c = *state;
    struct cmp_plan plan = { .body = CMP_GENM,
                             .ask = { { .oid = CMP_IT_CERT_REQ_TEMPLATE } },
                             .ask_count = 1,
                             .info = { { .oid = CMP_IT_CERT_PROFILE, .value = BYTES_ARRAY(known) } },
                             .info_count = 1 };
    struct cmp_said said = cmp_ask(c, plan);

    assert_true(answered(c, &said, CMP_IT_CERT_REQ_TEMPLATE).len > 0);
    plan.info[0].value = BYTES_ARRAY(unknown);
    said = cmp_ask(c, plan);
    assert_error(c, &said, CMP_BAD_REQUEST);
}

/* --- certificate lists --- */

/* The job that signs them, once. */
static void make_crl(struct cmp_case *c)
{
    static const struct job_event due = { .kind = JOB_EVENT_DUE };
    const struct crl_service service = { .ca = &c->g->ca, .count = 1 };
    struct turn turn = cmp_turn(c);
    struct job_record job = { 0 };
    struct job_step step = { 0 };
    struct error err = { 0 };

    if (!job_crl_run(&turn, &service, &job, &due, &step, &err))
        fail_msg("%s", err.text);
    a_gateway_apply(c->g, &turn.changes);
}

/* CRLStatusList of one: by the issuer's name, or by a distribution point; thisUpdate 0: left out. */
static struct bytes crl_status_list(struct cmp_case *c, const X509_NAME *issuer, const char *url,
                                    int64_t this_update_s)
{
    AUTO_STRUCT(buffer) out = BUFFER(4096);
    size_t list = der_begin(&out, DER_SEQUENCE), one = der_begin(&out, DER_SEQUENCE), source, names, name;

    source = der_begin(&out, DER_CONTEXT(url != NULL ? 0 : 1));
    names = der_begin(&out, url != NULL ? DER_CONTEXT(0) : DER_SEQUENCE);
    if (url != NULL) {
        der_put(&out, DER_CONTEXT_PRIMITIVE(6), bytes_text(url));
    } else {
        name = der_begin(&out, DER_CONTEXT(4));
        buffer_append(&out, cmp_client_name(c->arena, issuer));
        der_end(&out, name);
    }
    der_end(&out, names);
    der_end(&out, source);
    if (this_update_s != 0)
        der_put_time(&out, this_update_s);
    der_end(&out, one);
    der_end(&out, list);
    return element(c, &out);
}

static void assert_one_crl(struct cmp_case *c, struct bytes value)
{
    struct der in = der_of(value), list = der_enter(&in, DER_SEQUENCE);
    struct bytes der = der_element(&list, DER_SEQUENCE);
    const unsigned char *at = der.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);

    assert_true(der_finished(&list));
    assert_non_null(crl);
    assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(c->ca)), 1);
    X509_CRL_free(crl);
}

static void cmp_103_a_list_that_is_newer_is_given(void **state)
{
    struct cmp_case *c = *state;
    const X509_NAME *issuer = X509_get_subject_name(c->ca);
    struct cmp_said said;

    make_crl(c);
    said = asked(c, CMP_IT_CRL_STATUS_LIST, crl_status_list(c, issuer, NULL, 0));
    assert_one_crl(c, answered(c, &said, CMP_IT_CRLS));
    said = asked(c, CMP_IT_CRL_STATUS_LIST, crl_status_list(c, issuer, NULL, c->g->now_s - 86400 * 30));
    assert_one_crl(c, answered(c, &said, CMP_IT_CRLS));
    said = asked(c, CMP_IT_CRL_STATUS_LIST, crl_status_list(c, issuer, NULL, c->g->now_s + 1));
    assert_int_equal(answered(c, &said, CMP_IT_CRLS).len, 0);
}

static void cmp_103_of_other_issuers_there_is_none(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = asked(c, CMP_IT_CRL_STATUS_LIST,
                                 crl_status_list(c, X509_get_subject_name(c->ca), NULL, 0));

    assert_int_equal(answered(c, &said, CMP_IT_CRLS).len, 0); /* none was made yet */
    make_crl(c);
    said = asked(c, CMP_IT_CRL_STATUS_LIST, crl_status_list(c, X509_get_subject_name(c->ra), NULL, 0));
    assert_int_equal(answered(c, &said, CMP_IT_CRLS).len, 0);
}

static void cmp_103_a_distribution_point_is_a_key_to_look_up(void **state)
{
    static const struct bytes url = { (const uint8_t *)"http://crl.example.com/demo.crl", 31 };
    struct cmp_case *c = *state;
    struct cmp_said said;

    make_crl(c);
    c->g->ca.crl_url[0] = url;
    c->g->ca.crl_url_count = 1;
    said = asked(c, CMP_IT_CRL_STATUS_LIST, crl_status_list(c, NULL, "http://crl.example.com/demo.crl", 0));
    assert_one_crl(c, answered(c, &said, CMP_IT_CRLS));
    said = asked(c, CMP_IT_CRL_STATUS_LIST, crl_status_list(c, NULL, "http://crl.example.com/other.crl", 0));
    assert_int_equal(answered(c, &said, CMP_IT_CRLS).len, 0);
}

static void cmp_104_the_current_crl(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_enrolled(c);
    struct cmp_said said = asked(c, CMP_IT_CURRENT_CRL, BYTES_NONE);
    const unsigned char *at;
    struct bytes value;
    X509_REVOKED *revoked;
    X509_CRL *crl;

    assert_int_equal(answered(c, &said, CMP_IT_CURRENT_CRL).len, 0);
    cmp_revoke(c, device.certificate);
    make_crl(c);
    said = asked(c, CMP_IT_CURRENT_CRL, BYTES_NONE);
    value = answered(c, &said, CMP_IT_CURRENT_CRL);
    at = value.data;
    crl = d2i_X509_CRL(NULL, &at, (long)value.len);
    assert_non_null(crl);
    assert_int_equal(X509_CRL_get0_by_cert(crl, &revoked, device.certificate), 1);
    X509_CRL_free(crl);
}

/* --- form --- */

static void cmp_105_values_stand_where_they_belong(void **state)
{
    static const uint8_t null[] = { DER_NULL, 0 };
    const struct bytes without[] = { CMP_IT_CA_CERTS, CMP_IT_CERT_REQ_TEMPLATE, CMP_IT_CURRENT_CRL,
                                     CMP_IT_SIGN_KEY_PAIR_TYPES, CMP_IT_PREFERRED_SYMM_ALG };
    const struct bytes with[] = { CMP_IT_CRL_STATUS_LIST, CMP_IT_SUPP_LANG_TAGS };
    struct cmp_case *c = *state;
    struct cmp_said said;

    for (size_t i = 0; i < COUNT_OF(without); i++) {
        said = asked(c, without[i], BYTES_ARRAY(null));
        assert_error(c, &said, CMP_BAD_REQUEST);
        said = asked(c, without[i], BYTES_NONE);
        assert_int_equal(said.body, CMP_GENP);
    }
    for (size_t i = 0; i < COUNT_OF(with); i++) {
        said = asked(c, with[i], BYTES_NONE);
        assert_error(c, &said, CMP_BAD_REQUEST);
    }
    said = asked(c, CMP_IT_CRL_STATUS_LIST, BYTES_LITERAL("\x30\x00"));
    assert_error(c, &said, CMP_BAD_REQUEST);
}

static void cmp_105_malformed_values_are_a_bad_data_format(void **state)
{
    static const uint8_t number[] = { DER_INTEGER, 1, 5 };
    static const uint8_t numbers[] = { DER_SEQUENCE, 3, DER_INTEGER, 1, 5 };
    const struct bytes oids[] = { CMP_IT_CRL_STATUS_LIST, CMP_IT_SUPP_LANG_TAGS };
    struct cmp_case *c = *state;
    struct cmp_said said;

    for (size_t i = 0; i < COUNT_OF(oids); i++) {
        said = asked(c, oids[i], BYTES_ARRAY(numbers));
        assert_error(c, &said, CMP_BAD_DATA_FORMAT);
    }
    said = asked(c, CMP_IT_SUPP_LANG_TAGS, BYTES_ARRAY(number));
    assert_error(c, &said, CMP_BAD_DATA_FORMAT);
}

static void cmp_106_what_is_unknown_is_named(void **state)
{
    static const uint8_t oid[] = { 0x2a, 3, 4, 5 };
    const struct bytes unknown[] = { BYTES_ARRAY(oid), CMP_IT_CA_PROT_ENC_CERT, CMP_IT_ENC_KEY_PAIR_TYPES,
                                     CMP_IT_CA_KEY_UPDATE_INFO };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        struct cmp_said said = asked(c, unknown[i], BYTES_NONE);
        struct der in = der_of(answered(c, &said, CMP_IT_UNSUPPORTED_OIDS)),
                   list = der_enter(&in, DER_SEQUENCE);

        assert_bytes(der_value(&list, DER_OID), unknown[i]);
        assert_true(der_finished(&list));
    }
}

static void cmp_106_one_question_a_message(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = cmp_ask(
        c, (struct cmp_plan){ .body = CMP_GENM,
                              .ask = { { .oid = CMP_IT_CA_CERTS }, { .oid = CMP_IT_CURRENT_CRL } },
                              .ask_count = 2 });

    assert_error(c, &said, CMP_BAD_REQUEST);
    said = cmp_ask(c, (struct cmp_plan){ .body = CMP_GENM, .content = BYTES_LITERAL("\x30\x00") });
    assert_error(c, &said, CMP_BAD_REQUEST);
}

static struct bytes languages(struct cmp_case *c, const char *first, const char *second)
{
    AUTO_STRUCT(buffer) out = BUFFER(256);
    size_t list = der_begin(&out, DER_SEQUENCE);

    der_put(&out, DER_UTF8_STRING, bytes_text(first));
    der_put(&out, DER_UTF8_STRING, bytes_text(second));
    der_end(&out, list);
    return element(c, &out);
}

static void cmp_107_english_is_spoken_here(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_said said = asked(c, CMP_IT_SUPP_LANG_TAGS, languages(c, "fr", "en-GB"));
    struct der in = der_of(answered(c, &said, CMP_IT_SUPP_LANG_TAGS)), list = der_enter(&in, DER_SEQUENCE);

    assert_text(der_value(&list, DER_UTF8_STRING), "en");
    assert_true(der_finished(&list));
    said = asked(c, CMP_IT_SUPP_LANG_TAGS, languages(c, "fr", "enx"));
    assert_error(c, &said, CMP_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CMP_ROW(cmp_100_ca_certs_are_the_chain_of_the_ca),
        CMP_ROW(cmp_100_signers_and_secrets_are_answered_alike),
        CMP_ROW(cmp_101_without_a_new_root_there_is_no_value),
        CMP_ROW(cmp_101_a_new_root_comes_with_its_links),
        CMP_ROW(cmp_102_a_template_says_which_keys_are_certified),
        CMP_ROW(cmp_102_for_the_profile_that_is_named),
        CMP_ROW(cmp_103_a_list_that_is_newer_is_given),
        CMP_ROW(cmp_103_of_other_issuers_there_is_none),
        CMP_ROW(cmp_103_a_distribution_point_is_a_key_to_look_up),
        CMP_ROW(cmp_104_the_current_crl),
        CMP_ROW(cmp_105_values_stand_where_they_belong),
        CMP_ROW(cmp_105_malformed_values_are_a_bad_data_format),
        CMP_ROW(cmp_106_what_is_unknown_is_named),
        CMP_ROW(cmp_106_one_question_a_message),
        CMP_ROW(cmp_107_english_is_spoken_here),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
