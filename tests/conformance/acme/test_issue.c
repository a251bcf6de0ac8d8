/* From an account to a certificate. */
#include "tests/conformance/acme/acme_case.h"

static void acme_62_an_order_ends_in_a_certificate(void **state)
{
    struct acme_case *c = *state;
    struct acme_ordered o;
    struct http_response r;
    X509 *leaf;

    acme_joined(c, ACME_KEY_A);
    o = acme_ready(c, "a.example.com,b.example.com");
    r = acme_get(c, o.order);
    assert_member(c, "status", "ready");
    r = acme_finalized(
        c, o.order,
        (struct est_csr_plan){ .cn = "a.example.com", .san = "DNS:b.example.com,DNS:a.example.com" });
    assert_status(c, &r, 200);
    assert_member(c, "status", "valid");
    r = acme_get(c, acme_path(c, json_member(c->json, "certificate")));
    assert_status(c, &r, 200);
    assert_text(acme_header(&r, "Content-Type", 0), "application/pem-certificate-chain");
    leaf = acme_leaf(r.body);
    assert_int_equal(X509_check_host(leaf, "b.example.com", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(leaf, "a.example.com", 0, 0, NULL), 1);
    X509_free(leaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACME_ROW(acme_62_an_order_ends_in_a_certificate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
