#include "tests/unit/enroll/enroll_world.h"

static const struct asking good = { 0 };

static bool identify(struct world *w, const struct asking *a, const struct certificate *held, bool renewal,
                     struct identity *out, enum refusal *why)
{
    struct enrollment e = an_enrollment(w, a);
    const char *detail = NULL;
    bool found;

    e.renewal = renewal;
    found = identity_of(&e, held, w->arena, out, why, &detail);
    if (!found)
        assert_non_null(detail);
    return found;
}

#define assert_fqdn(w, expected, ...)                                                        \
    do {                                                                                     \
        struct identity identity_;                                                           \
        enum refusal why_ = REFUSAL_COUNT;                                                   \
        if (!identify((w), &(struct asking){ __VA_ARGS__ }, NULL, false, &identity_, &why_)) \
            fail_msg("%s", refusal_name(why_));                                              \
        assert_string_equal(identity_.fqdn.text, expected);                                  \
    } while (0)

#define assert_no_identity(w, expected, ...)                                                          \
    do {                                                                                              \
        struct identity identity_;                                                                    \
        enum refusal why_ = REFUSAL_COUNT;                                                            \
        assert_false(identify((w), &(struct asking){ __VA_ARGS__ }, NULL, false, &identity_, &why_)); \
        assert_string_equal(refusal_name(why_), refusal_name(expected));                              \
    } while (0)

static struct identity the_identity(struct world *w, const struct asking *a)
{
    struct identity identity;
    enum refusal why = REFUSAL_COUNT;

    if (!identify(w, a, NULL, false, &identity, &why))
        fail_msg("%s", refusal_name(why));
    return identity;
}

static void csr_66_the_fqdn_is_cn_then_the_first_dns_name(void **state)
{
    struct world *w = *state;

    assert_fqdn(w, "router5.example.com", .dns = { "a.example.com" });
    assert_fqdn(w, "router5.example.com", .subject = "CN=Router5.EXAMPLE.com.");
    assert_fqdn(w, "a.example.com", .subject = "CN=SCEP Client 7",
                .dns = { "a.example.com", "b.example.com" });
    assert_fqdn(w, "a.example.com", .subject = "O=Example", .dns = { "A.example.com" });
    assert_no_identity(w, REFUSAL_NO_FQDN, .subject = "CN=SCEP Client 7");
    assert_no_identity(w, REFUSAL_NO_FQDN, .subject = "O=Example", .ip = { "192.0.2.1" });
}

static void csr_67_a_single_label_is_a_name_by_setting(void **state)
{
    struct world *w = *state;

    assert_no_identity(w, REFUSAL_NO_FQDN, .subject = "CN=router5");
    w->domain.single_label = true;
    assert_fqdn(w, "router5", .subject = "CN=router5");
}

static void csr_68_unstructured_name_counts_when_nothing_else_does(void **state)
{
    struct world *w = *state;

    assert_fqdn(w, "r1.example.com", .subject = "O=Example", .unstructured_name = "R1.example.com");
    assert_fqdn(w, "router5.example.com", .unstructured_name = "r1.example.com");
    assert_no_identity(w, REFUSAL_NO_FQDN, .subject = "O=Example", .unstructured_name = "Router");
    assert_no_identity(w, REFUSAL_NAME, .subject = "O=Example", .unstructured_name = "a..example.com");
    w->procedure.unstructured = false;
    assert_no_identity(w, REFUSAL_NO_FQDN, .subject = "O=Example", .unstructured_name = "r1.example.com");
}

static void csr_85_broken_names_are_refused_wherever_they_stand(void **state)
{
    struct world *w = *state;

    assert_no_identity(w, REFUSAL_NAME, .subject = "CN=a..example.com");
    assert_no_identity(w, REFUSAL_NAME, .subject = "CN=xn--a.example.com");
    assert_no_identity(w, REFUSAL_NAME, .dns = { "a..example.com" });
    assert_no_identity(w, REFUSAL_NAME, .dns = { "router5.example.com." }); /* CSR-84 */
    assert_no_identity(w, REFUSAL_NAME, .dns = { "192.0.2.1" });            /* CSR-62 */
    assert_no_identity(w, REFUSAL_NAME, .dns = { "router5.example.com", "host_1.example.com" });
    w->domain.underscore = true;
    assert_fqdn(w, "router5.example.com", .dns = { "router5.example.com", "host_1.example.com" });
}

static void csr_59_more_than_one_cn_is_refused(void **state)
{
    struct world *w = *state;
    struct name_attribute two[] = {
        { .oid = OID_COMMON_NAME, .text = BYTES_LITERAL("a.example.com") },
        { .oid = OID_COMMON_NAME, .text = BYTES_LITERAL("b.example.com"), .rdn = 1 }
    };

    assert_no_identity(w, REFUSAL_NAME, .attribute = two, .attribute_count = 2);
}

static void csr_60_a_multi_valued_rdn_is_read_attribute_by_attribute(void **state)
{
    struct world *w = *state;
    struct name_attribute one[] = { { .oid = OID_COMMON_NAME, .text = BYTES_LITERAL("a.example.com") },
                                    { .oid = OID_SERIAL_NUMBER, .text = BYTES_LITERAL("SN 1") } };
    struct identity identity = the_identity(w, &(struct asking){ .attribute = one, .attribute_count = 2 });

    assert_string_equal(identity.fqdn.text, "a.example.com");
    assert_int_equal(identity.serial_count, 1);
    assert_text(identity.serial[0].plain, "sn 1");
}

static void csr_61_a_wildcard_is_a_name_that_is_asked_for(void **state)
{
    struct world *w = *state;
    struct identity identity = the_identity(w, &(struct asking){ .dns = { "*.A.example.com" } });

    assert_int_equal(identity.wildcard_count, 1);
    assert_int_equal(identity.other_count, 0);
    assert_string_equal(identity.wildcard[0].text, "*.a.example.com");
    assert_no_identity(w, REFUSAL_NAME, .dns = { "a*.example.com" });
    assert_no_identity(w, REFUSAL_NAME, .dns = { "*" });
    assert_no_identity(w, REFUSAL_NAME, .subject = "CN=*", .dns = { "router5.example.com" });
    assert_no_identity(w, REFUSAL_NAME, .dns = { "*.*.example.com" });
    assert_no_identity(w, REFUSAL_NAME_POLICY, .subject = "CN=*.dept.example.com");
}

static void csr_70_further_names_are_kept_each_once(void **state)
{
    struct world *w = *state;
    struct identity identity = the_identity(w,
                                            &(struct asking){ .dns = { "b.example.com", "Router5.example.com",
                                                                       "c.example.com", "B.example.com" } });

    assert_int_equal(identity.other_count, 2);
    assert_string_equal(identity.other[0].text, "b.example.com");
    assert_string_equal(identity.other[1].text, "c.example.com");
}

static void csr_71_addresses_come_from_san_unstructured_address_and_peer(void **state)
{
    struct world *w = *state;
    struct asking a = { .ip = { "192.0.2.1", "2001:db8::1" },
                        .unstructured_address = " 192.0.2.7 ",
                        .peer = "192.0.2.9" };
    struct identity identity = the_identity(w, &a);
    struct ip_address expected;

    assert_int_equal(identity.ip_count, 2);
    assert_true(ip_parse(BYTES_LITERAL("192.0.2.7"), &expected));
    assert_true(ip_equal(&identity.unstructured_ip, &expected));
    assert_int_equal(identity.peer.len, 0); /* only where the procedure says so */
    w->procedure.peer_address = true;
    identity = the_identity(w, &a);
    assert_int_equal(identity.peer.len, 4);
}

static void csr_62_an_address_as_cn_is_an_address(void **state)
{
    struct world *w = *state;
    struct identity identity = the_identity(
        w, &(struct asking){ .subject = "CN=192.0.2.1", .dns = { "a.example.com" } });

    assert_int_equal(identity.ip_count, 1);
    assert_string_equal(identity.fqdn.text, "a.example.com");
}

static void csr_73_a_mapped_address_is_its_four_bytes(void **state)
{
    struct world *w = *state;
    struct identity identity = the_identity(w, &(struct asking){ .ip = { "::ffff:192.0.2.1" } });

    assert_int_equal(identity.ip[0].len, 4);
}

/* --- serial numbers --- */
static struct bytes a_hardware_name(struct world *w, struct bytes serial)
{
    static const uint8_t type[] = { 0x2a, 0x03, 0x04 }; /* 1.2.3.4 */
    AUTO_STRUCT(buffer) out = BUFFER(256);
    size_t begun = der_begin(&out, DER_SEQUENCE);

    der_put_oid(&out, BYTES_ARRAY(type));
    der_put(&out, DER_OCTET_STRING, serial);
    der_end(&out, begun);
    return arena_copy(w->arena, buffer_bytes(&out));
}

static struct bytes a_permanent_id(struct world *w, const char *value, bool assigner)
{
    static const uint8_t oid[] = { 0x2a, 0x03, 0x04 };
    AUTO_STRUCT(buffer) out = BUFFER(256);
    size_t begun = der_begin(&out, DER_SEQUENCE);

    if (value != NULL)
        der_put(&out, DER_UTF8_STRING, bytes_text(value));
    if (assigner)
        der_put_oid(&out, BYTES_ARRAY(oid));
    der_end(&out, begun);
    return arena_copy(w->arena, buffer_bytes(&out));
}

static bool agrees(const struct identity *identity, const char *registered)
{
    assert_int_equal(identity->serial_count, 1);
    return serial_agrees(&identity->serial[0], bytes_text(registered));
}

static void csr_75_a_hardware_module_name_is_the_pair_or_its_octets(void **state)
{
    static const uint8_t raw[] = { 0x00, 0xab };
    struct world *w = *state;
    struct asking a = { .other_type = OID_HARDWARE_MODULE_NAME,
                        .other_value = a_hardware_name(w, BYTES_LITERAL("SN-01")) };
    struct identity identity = the_identity(w, &a);

    assert_true(agrees(&identity, "SN-01"));
    assert_true(agrees(&identity, " sn-01 "));
    assert_true(agrees(&identity, "1.2.3.4:534e2d3031"));
    assert_true(agrees(&identity, "1.2.3.4:534E2D3031"));
    assert_false(agrees(&identity, "1.2.3.5:534e2d3031"));
    assert_false(agrees(&identity, "SN-1"));
    a.other_value = a_hardware_name(w, BYTES_ARRAY(raw));
    identity = the_identity(w, &a);
    assert_true(agrees(&identity, "1.2.3.4:00ab"));
    assert_true(agrees(&identity, "00AB"));
    assert_false(agrees(&identity, "ab"));
    assert_no_identity(w, REFUSAL_SYNTAX, .other_type = OID_HARDWARE_MODULE_NAME,
                       .other_value = BYTES_LITERAL("\x30\x00"));
}

static void csr_76_a_permanent_identifier_is_compared_by_code_points(void **state)
{
    struct world *w = *state;
    struct asking a = { .other_type = OID_PERMANENT_IDENTIFIER,
                        .other_value = a_permanent_id(w, "Sn1", true) };
    struct identity identity = the_identity(w, &a);

    assert_true(agrees(&identity, "Sn1"));
    assert_true(agrees(&identity, "1.2.3.4:Sn1"));
    assert_false(agrees(&identity, "sn1"));
    assert_false(agrees(&identity, "1.2.3.5:Sn1"));
    a.other_value = a_permanent_id(w, NULL, false);
    assert_no_identity(w, REFUSAL_SYNTAX, .other_type = a.other_type, .other_value = a.other_value);
    a.subject = "CN=router5.example.com,serialNumber=X9";
    identity = the_identity(w, &a);
    assert_int_equal(identity.serial_count, 2); /* the subject's, and the identifier that stands for it */
    assert_true(serial_agrees(&identity.serial[0], BYTES_LITERAL("X9")));
    assert_true(serial_agrees(&identity.serial[1], BYTES_LITERAL("X9")));
}

static void csr_78_a_subject_serial_folds_case_and_blanks(void **state)
{
    struct world *w = *state;
    struct identity identity = the_identity(
        w, &(struct asking){ .subject = "CN=router5.example.com,serialNumber=AB  012-3" });

    assert_true(agrees(&identity, "ab 012-3"));
    assert_true(agrees(&identity, "  Ab    012-3 "));
    assert_false(agrees(&identity, "ab 12-3"));
    assert_false(agrees(&identity, "ab 0123"));
    assert_false(agrees(&identity, ""));
    assert_false(agrees(&identity, "ab 012-3 4"));
}

static void csr_79_two_serial_numbers_are_refused(void **state)
{
    struct world *w = *state;

    assert_no_identity(w, REFUSAL_NAME, .subject = "CN=router5.example.com,serialNumber=1,serialNumber=2");
}

/* --- with a certificate shown --- */
static void csr_80_a_renewal_takes_its_name_from_both(void **state)
{
    struct world *w = *state;
    struct requested *old = a_request(
        w, &(struct asking){ .subject = "CN=router5.example.com,serialNumber=S1", .ip = { "192.0.2.1" } });
    struct certificate held = { .subject = old->subject, .san = old->san };
    struct asking other = { .subject = "CN=router6.example.com" },
                  serial = { .subject = "CN=router5.example.com,serialNumber=S2" },
                  nameless = { .subject = "O=Example" };
    struct identity identity;
    enum refusal why = REFUSAL_COUNT;

    assert_true(identify(w, &good, &held, true, &identity, &why));
    assert_int_equal(identity.held_ip_count, 1);
    assert_int_equal(identity.serial_count, 1);
    assert_true(identity.serial[0].certified);
    assert_true(identify(w, &nameless, &held, true, &identity, &why));
    assert_string_equal(identity.fqdn.text, "router5.example.com");
    assert_false(identify(w, &other, &held, true, &identity, &why));
    assert_int_equal(why, REFUSAL_RENEW_MISMATCH);
    assert_false(identify(w, &serial, &held, true, &identity, &why));
    assert_int_equal(why, REFUSAL_RENEW_MISMATCH);
    assert_true(identify(w, &other, &held, false, &identity, &why)); /* a vendor's: the subject may differ */
    w->procedure.renewal_rename = true;
    assert_true(identify(w, &other, &held, true, &identity, &why));
}

static void no_memory_is_an_error_of_ours_and_changes_nothing(void **state)
{
    struct world *w = *state;
    struct enrollment e = an_enrollment(w, &(struct asking){ .subject = "CN=r.example.com,serialNumber=1" });

    for (unsigned n = 1; n <= 5; n++) {
        struct arena *small = arena_new(64 * 1024);
        struct identity identity = { .serial_count = 77 };
        enum refusal why = REFUSAL_COUNT;
        const char *detail;

        arena_fail_after(small, n);
        assert_false(identity_of(&e, NULL, small, &identity, &why, &detail));
        assert_int_equal(why, REFUSAL_INTERNAL);
        assert_int_equal(identity.serial_count, 77);
        arena_free(small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(csr_66_the_fqdn_is_cn_then_the_first_dns_name),
        world_test(csr_67_a_single_label_is_a_name_by_setting),
        world_test(csr_68_unstructured_name_counts_when_nothing_else_does),
        world_test(csr_85_broken_names_are_refused_wherever_they_stand),
        world_test(csr_59_more_than_one_cn_is_refused),
        world_test(csr_60_a_multi_valued_rdn_is_read_attribute_by_attribute),
        world_test(csr_61_a_wildcard_is_a_name_that_is_asked_for),
        world_test(csr_70_further_names_are_kept_each_once),
        world_test(csr_71_addresses_come_from_san_unstructured_address_and_peer),
        world_test(csr_62_an_address_as_cn_is_an_address),
        world_test(csr_73_a_mapped_address_is_its_four_bytes),
        world_test(csr_75_a_hardware_module_name_is_the_pair_or_its_octets),
        world_test(csr_76_a_permanent_identifier_is_compared_by_code_points),
        world_test(csr_78_a_subject_serial_folds_case_and_blanks),
        world_test(csr_79_two_serial_numbers_are_refused),
        world_test(csr_80_a_renewal_takes_its_name_from_both),
        world_test(no_memory_is_an_error_of_ours_and_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
