/* CMP-130 to CMP-132: enrollment of base stations (3GPP TS 33.310). */
#include "tests/conformance/cmp/cmp_case.h"

static void cmp_130_a_vendors_device_proves_possession_of_its_new_key(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_plan plan = { .signer = &device, .request = { .cn = "router6.example.com" } };
    struct cmp_said said;

    plan.request.pop = CMP_POP_NONE;
    said = cmp_ask(c, plan);
    assert_rejected(c, &said, CMP_IP, CMP_BAD_POP);
}

static void cmp_131_a_proof_of_possession_with_sha_2(void **state)
{
    static const char *const digests[] = { "SHA256", "SHA384", "SHA512" };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(digests); i++) {
        struct cmp_said said = cmp_ask(c, (struct cmp_plan){ .request.pop_digest = digests[i] });

        (void)assert_granted(c, &said, CMP_IP);
        said = cmp_ask(c, (struct cmp_plan){ .body = CMP_P10CR, .csr.digest = digests[i] });
        (void)assert_granted(c, &said, CMP_CP);
    }
}

static void cmp_131_md5_and_sha_1_prove_nothing(void **state)
{
    static const char *const digests[] = { "SHA1", "MD5" };
    struct cmp_case *c = *state;

    for (size_t i = 0; i < COUNT_OF(digests); i++) {
        struct cmp_plan plan = { .request = { .key = cmp_client_key("RSA", 0), .pop_digest = digests[i] } };
        struct cmp_said said = cmp_ask(c, plan);

        assert_rejected(c, &said, CMP_IP, CMP_BAD_ALG);
        said = cmp_ask(c, (struct cmp_plan){ .body = CMP_P10CR, .csr.digest = digests[i] });
        assert_rejected(c, &said, CMP_CP, CMP_BAD_ALG);
    }
}

static void cmp_132_a_base_station_learns_the_root_in_extra_certs(void **state)
{
    struct cmp_case *c = *state;
    const struct cmp_person device = cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_plan plan = { .signer = &device, .request.cn = "router6.example.com" };
    struct cmp_said said;
    bool root = false;

    c->g->procedure.dialect.cmp_root_in_extra_certs = true;
    c->g->procedure.dialect.cmp_signature_only = true;
    said = cmp_ask(c, plan);
    (void)assert_granted_as(c, &said, CMP_IP, CMP_GRANTED_WITH_MODS);
    for (size_t i = 0; i < said.extra_count; i++)
        root |= X509_self_signed(said.extra[i], 1) == 1;
    assert_true(root);
    cmp_confirmed(c, plan, &said);
}

static void cmp_132_a_key_update_renews(void **state)
{
    struct cmp_case *c = *state;
    struct cmp_person device = cmp_vendor_device(c, (struct cmp_certificate_plan){ 0 });
    struct cmp_plan plan = { .signer = &device, .request.cn = "router6.example.com" }, kur;
    struct cmp_said said;

    c->g->procedure.dialect.cmp_signature_only = true;
    said = cmp_ask(c, plan);
    (void)assert_granted_as(c, &said, CMP_IP, CMP_GRANTED_WITH_MODS);
    cmp_confirmed(c, plan, &said);
    device = (struct cmp_person){ .key = cmp_client_key("P-256", 0), .certificate = said.certificate };
    kur = a_kur(&device);
    kur.request.cn = "router6.example.com";
    kur.request.san = NULL;
    said = cmp_ask(c, kur);
    (void)assert_granted_as(c, &said, CMP_KUP, said.status);
    cmp_confirmed(c, kur, &said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CMP_ROW(cmp_130_a_vendors_device_proves_possession_of_its_new_key),
        CMP_ROW(cmp_131_a_proof_of_possession_with_sha_2),
        CMP_ROW(cmp_131_md5_and_sha_1_prove_nothing),
        CMP_ROW(cmp_132_a_base_station_learns_the_root_in_extra_certs),
        CMP_ROW(cmp_132_a_key_update_renews),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
