/* SCEP-20 to SCEP-38: GetCACaps, GetCACert, GetNextCACert, and what is checked at start. */
#include "tests/conformance/scep/scep_case.h"

static struct bytes capabilities(struct scep_case *c)
{
    struct http_response response = scep_get(c, "operation=GetCACaps");

    assert_http(&response, 200, "text/plain");
    return response.body;
}

static bool lists(struct bytes text, const char *keyword)
{
    struct bytes line;

    while (text.data != NULL && bytes_split(&text, '\n', &line))
        if (bytes_is(line, keyword))
            return true;
    return false;
}

static void scep_20_one_keyword_a_line(void **state)
{
    struct bytes text = capabilities(*state);

    assert_true(text.len > 0 && text.data[text.len - 1] == '\n');
    assert_int_equal(bytes_find(text, ' '), text.len);
}

static void scep_21_22_the_default_profile(void **state)
{
    static const char *const wanted[] = { "SCEPStandard", "AES",     "POSTPKIOperation", "SHA-256",
                                          "SHA-384",      "SHA-512", "Renewal" };
    struct bytes text = capabilities(*state);

    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        assert_true(lists(text, wanted[i]));
}

static void scep_23_what_is_off_is_not_listed(void **state)
{
    struct scep_case *c = *state;
    struct bytes text = capabilities(c);

    assert_false(lists(text, "DES3"));
    assert_false(lists(text, "SHA-1"));
    assert_false(lists(text, "GetNextCACert"));
    c->g->procedure.renewal = false;
    assert_false(lists(capabilities(c), "Renewal"));
    c->g->procedure.dialect.scep_legacy = true;
    text = capabilities(c);
    assert_true(lists(text, "DES3"));
    assert_true(lists(text, "SHA-1"));
}

/* None of ours: a private one would need a prefix of ours, "Example.com-Foo". */
static void scep_24_there_is_no_keyword_of_our_own(void **state)
{
    static const char *const known[] = { "AES",     "DES3",        "GetNextCACert", "POSTPKIOperation",
                                         "Renewal", "SHA-1",       "SHA-256",       "SHA-384",
                                         "SHA-512", "SCEPStandard" };
    struct scep_case *c = *state;

    for (unsigned switches = 0; switches < 8; switches++) {
        struct bytes text, line;
        size_t lines = 0;

        c->g->procedure.renewal = (switches & 1) != 0;
        c->g->procedure.dialect.scep_legacy = (switches & 2) != 0;
        c->g->procedure.dialect.scep_des = (switches & 4) != 0;
        text = capabilities(c);
        while (bytes_split(&text, '\n', &line)) {
            bool found = line.len == 0;

            for (size_t i = 0; i < COUNT_OF(known); i++)
                found |= bytes_is(line, known[i]);
            if (!found)
                fail_msg("keyword %.*s", BYTES_FMT(line));
            lines += line.len > 0;
        }
        assert_true(lines >= 6);
    }
}

static void scep_26_sha_256_stands_in_every_dialect(void **state)
{
    struct scep_case *c = *state;

    c->g->procedure.dialect.scep_des = true;
    assert_true(lists(capabilities(c), "SHA-256"));
    c->g->procedure.dialect.scep_legacy = true;
    assert_true(lists(capabilities(c), "SHA-256"));
}

static void scep_25_a_procedure_that_is_not_open_has_no_capabilities(void **state)
{
    struct scep_case *c = *state;
    struct http_response response;

    c->g->procedure.protocols = PROTOCOL_BIT(PROTOCOL_EST);
    response = scep_get(c, "operation=GetCACaps");
    assert_int_equal(response.status, 404);
}

static void scep_30_a_lone_certificate_goes_bare(void **state)
{
    struct scep_case *c = *state;
    struct http_response response;

    c->g->ra.certificate = c->g->ca.certificate; /* the CA itself serves */
    response = scep_get(c, "operation=GetCACert");
    assert_http(&response, 200, "application/x-x509-ca-cert");
    assert_bytes(response.body, c->g->ca.chain[0]);
}

static void scep_31_an_ra_makes_it_a_bag(void **state)
{
    struct scep_case *c = *state;
    struct http_response response = scep_get(c, "operation=GetCACert");
    const unsigned char *p = response.body.data;
    CMS_ContentInfo *cms;

    assert_http(&response, 200, "application/x-x509-ca-ra-cert");
    cms = d2i_CMS_ContentInfo(NULL, &p, (long)response.body.len);
    assert_non_null(cms);
    assert_true(p == response.body.data + response.body.len);
    assert_int_equal(OBJ_obj2nid(CMS_get0_type(cms)), NID_pkcs7_signed);
    assert_int_equal(sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)), 0);
    CMS_ContentInfo_free(cms);
}

static void scep_32_the_ra_stands_first_then_the_issuing_ca(void **state)
{
    struct scep_case *c = *state;
    struct http_response response = scep_get(c, "operation=GetCACert");
    X509 *bag[4];

    assert_int_equal(scep_client_bag(response.body, bag, 4), 2);
    assert_int_equal(X509_cmp(bag[0], c->ra), 0);
    assert_int_equal(X509_cmp(bag[1], c->ca), 0);
}

static void scep_33_the_ra_signs_and_decrypts(void **state)
{
    struct scep_case *c = *state;

    assert_int_equal(X509_get_key_usage(c->ra), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
}

static void scep_34_only_the_ra_carries_key_encipherment(void **state)
{
    struct scep_case *c = *state;

    assert_int_equal(X509_get_key_usage(c->ca) & KU_KEY_ENCIPHERMENT, 0);
}

/* An intermediate CA under the test's root: chain of two. */
static void use_intermediate(struct scep_case *c)
{
    struct a_gateway *g = c->g;

    g->ca.chain[1] = g->ca.chain[0];
    g->ca.chain_count = 2;
}

static void scep_32_clients_that_want_the_issuer_alone_get_no_root(void **state)
{
    struct scep_case *c = *state;
    struct http_response response;
    X509 *bag[4];

    use_intermediate(c);
    response = scep_get(c, "operation=GetCACert");
    assert_int_equal(scep_client_bag(response.body, bag, 4), 3);
    c->g->procedure.dialect.scep_issuer_only = true;
    response = scep_get(c, "operation=GetCACert");
    assert_int_equal(scep_client_bag(response.body, bag, 4), 2);
}

static void scep_36_no_next_ca_is_404(void **state)
{
    struct http_response response = scep_get(*state, "operation=GetNextCACert");

    assert_http_error(&response, 404);
}

static const char *fault(struct scep_case *c)
{
    return scep_procedure_fault(&c->g->config.scep, &c->g->procedure, c->g->config.keys);
}

static void scep_54_a_procedure_needs_an_ra_that_decrypts(void **state)
{
    struct scep_case *c = *state;

    assert_null(fault(c));
    c->g->ra.key_name = "ca"; /* P-256 */
    assert_non_null(fault(c));
    c->g->ra.key_name = "scep-ra";
    c->g->ra.certificate.key_usage = KEY_USAGE_DIGITAL_SIGNATURE;
    assert_non_null(fault(c));
    c->g->ra.certificate.key_usage = KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT;
    c->g->ra.certificate.key = c->g->ca.certificate.key;
    assert_non_null(fault(c));
}

static void scep_54_a_procedure_names_an_ra_and_requires_preregistration(void **state)
{
    struct scep_case *c = *state;

    c->g->procedure.scep_ra = "nobody";
    assert_non_null(fault(c));
    c->g->procedure.scep_ra = NULL;
    assert_non_null(fault(c));
    c->g->procedure.scep_ra = "scep-ra";
    c->g->procedure.preregistration = false;
    assert_non_null(fault(c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCEP_ROW(scep_20_one_keyword_a_line),
        SCEP_ROW(scep_21_22_the_default_profile),
        SCEP_ROW(scep_23_what_is_off_is_not_listed),
        SCEP_ROW(scep_24_there_is_no_keyword_of_our_own),
        SCEP_ROW(scep_26_sha_256_stands_in_every_dialect),
        SCEP_ROW(scep_25_a_procedure_that_is_not_open_has_no_capabilities),
        SCEP_ROW(scep_30_a_lone_certificate_goes_bare),
        SCEP_ROW(scep_31_an_ra_makes_it_a_bag),
        SCEP_ROW(scep_32_the_ra_stands_first_then_the_issuing_ca),
        SCEP_ROW(scep_32_clients_that_want_the_issuer_alone_get_no_root),
        SCEP_ROW(scep_33_the_ra_signs_and_decrypts),
        SCEP_ROW(scep_34_only_the_ra_carries_key_encipherment),
        SCEP_ROW(scep_36_no_next_ca_is_404),
        SCEP_ROW(scep_54_a_procedure_needs_an_ra_that_decrypts),
        SCEP_ROW(scep_54_a_procedure_names_an_ra_and_requires_preregistration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
