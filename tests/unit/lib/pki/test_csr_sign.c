/* What is written is a request that we decode and that libcrypto holds to be its key's. */
#include <openssl/x509.h>

#include "lib/pki/csr.h"
#include "tests/unit/lib/pki/certificates.h"
#include "tests/unit/lib/pki/requests.h"

static struct csr csr;

#define assert_same(a, b) assert_true(bytes_equal(a, b))

static struct bytes request_of(const char *key, struct csr_order order)
{
    struct bytes der = BYTES_NONE;

    order.subject = name_of("CN=gw.example.com,O=Example");
    order.spki = keys_public(ring, key);
    order.key_name = key;
    if (!csr_sign(&order, ring, arena, &der, &err))
        fail_msg("%s", err.text);
    return der;
}

static enum csr_fault decode(struct bytes der)
{
    struct csr_rules rules = { .key = KEY_RULES_DEFAULT };
    const char *detail = "";

    rules.key.ed25519 = rules.key.ed448 = rules.key.rsa_pss = true;
    memset(&csr, 0, sizeof(csr));
    return csr_decode(der, &rules, arena, &csr, &detail);
}

static void what_is_asked_for_is_decoded(void **state)
{
    static const uint8_t server_auth[] = { 0x2b, 6, 1, 5, 5, 7, 3, 1 };
    const struct bytes eku = BYTES_ARRAY(server_auth);
    const struct certificate_template usages = { .key_usage = KEY_USAGE_DIGITAL_SIGNATURE,
                                                 .extended_key_usage = &eku,
                                                 .extended_key_usage_count = 1 };
    struct buffer extensions = BUFFER(1024);
    struct csr_order order = { .san = join(dns("gw.example.com"), dns("b.example.com")) };

    (void)state;
    certificate_usages_put(&extensions, &usages);
    order.extensions = kept(&extensions);
    assert_int_equal(decode(request_of("p256", order)), CSR_OK);
    assert_same(csr.requested.subject.encoded, name_of("CN=gw.example.com,O=Example"));
    assert_same(csr.requested.key.spki, keys_public(ring, "p256"));
    assert_int_equal(csr.requested.san.count, 2);
    assert_true(bytes_is(csr.requested.san.item[1].value, "b.example.com"));
    assert_int_equal(csr.requested.key_usage, KEY_USAGE_DIGITAL_SIGNATURE);
    assert_int_equal(csr.requested.extended_key_usage_count, 1);
    assert_same(csr.requested.extended_key_usage[0], eku);
}

static void without_extensions_there_is_no_attribute(void **state)
{
    (void)state;
    assert_int_equal(decode(request_of("p256", (struct csr_order){ 0 })), CSR_OK);
    assert_int_equal(csr.requested.san.count, 0);
    assert_int_equal(csr.requested.unknown_attribute_count, 0);
}

static void every_kind_of_key_proves_its_possession(void **state)
{
    static const char *const keys[] = { "rsa", "pss", "p256", "p384", "p521", "ed25519", "ed448" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct bytes der = request_of(keys[i], (struct csr_order){ .san = dns("gw.example.com") });
        const unsigned char *p = der.data;
        X509_REQ *read = d2i_X509_REQ(NULL, &p, (long)der.len);

        assert_non_null(read);
        assert_int_equal(X509_REQ_verify(read, X509_REQ_get0_pubkey(read)), 1);
        X509_REQ_free(read);
        assert_int_equal(decode(der), CSR_OK);
    }
}

static void a_key_that_is_not_there_is_an_error(void **state)
{
    struct csr_order order = { .subject = name_of("CN=x"),
                               .spki = keys_public(ring, "p256"),
                               .key_name = "gone" };
    struct bytes der = BYTES_NONE;

    (void)state;
    assert_false(csr_sign(&order, ring, arena, &der, &err));
    assert_null(der.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_asked_for_is_decoded),
        TEST(without_extensions_there_is_no_attribute),
        TEST(every_kind_of_key_proves_its_possession),
        TEST(a_key_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
