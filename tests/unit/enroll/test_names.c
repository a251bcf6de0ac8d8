#include "tests/unit/enroll/enroll_world.h"

struct made {
    bool ok;
    struct bytes subject_text;
    struct general_names san;
    enum refusal why;
};

static struct made make(struct world *w, const struct asking *a, const struct registration *r)
{
    struct enrollment e = an_enrollment(w, a);
    struct made made = { 0 };
    struct identity identity;
    struct effective_names names;
    const char *detail = NULL;
    struct distinguished_name subject;
    AUTO_STRUCT(buffer) whole = BUFFER(65536);
    size_t begun;

    assert_true(identity_of(&e, NULL, w->arena, &identity, &made.why, &detail));
    made.ok = effective_names(&e, &identity, r, w->arena, &names, &made.why, &detail);
    if (!made.ok) {
        assert_non_null(detail);
        return made;
    }
    assert_int_equal(name_decode(names.subject, w->arena, &subject), NAME_OK);
    made.subject_text = name_format(&subject, w->arena);
    begun = der_begin(&whole, DER_SEQUENCE);
    buffer_append(&whole, names.san);
    der_end(&whole, begun);
    assert_int_equal(general_names_decode(arena_copy(w->arena, buffer_bytes(&whole)), w->arena, &made.san),
                     NAME_OK);
    return made;
}

static void assert_san(const struct made *m, size_t at, enum general_name_kind kind, struct bytes value)
{
    assert_true(m->ok);
    assert_true(at < m->san.count);
    assert_int_equal(m->san.item[at].kind, kind);
    assert_bytes(m->san.item[at].value, value);
}

#define with_attributes(...)                                                                 \
    ((struct registration){ .attribute = (struct attribute[]){ __VA_ARGS__ },                \
                            .attribute_count = sizeof((struct attribute[]){ __VA_ARGS__ }) / \
                                               sizeof(struct attribute) })

static void csr_63_the_subject_is_the_registrations(void **state)
{
    struct world *w = *state;
    struct registration r = with_attributes({ ATTRIBUTE_ORGANISATION_UNIT, BYTES_LITERAL("Routers") },
                                            { ATTRIBUTE_ORGANISATION_UNIT, BYTES_LITERAL("Plant 2") },
                                            { ATTRIBUTE_COUNTRY, BYTES_LITERAL("SE") },
                                            { ATTRIBUTE_ORGANISATION, BYTES_LITERAL("Example AB") });
    struct made m = make(w, &(struct asking){ .subject = "CN=router5.example.com,O=Evil,serialNumber=7" },
                         &r);

    assert_text(m.subject_text, "CN=router5.example.com,OU=Plant 2,OU=Routers,O=Example AB,C=SE");
    assert_int_equal(m.san.count, 1);
    assert_san(&m, 0, GENERAL_NAME_DNS, BYTES_LITERAL("router5.example.com"));
}

static void a_registered_serial_number_stands_in_the_subject(void **state)
{
    struct world *w = *state;
    struct registration r = { .serial_number = BYTES_LITERAL("SN-7") };
    struct made m = make(w, &(struct asking){ .subject = "CN=router5.example.com,serialNumber=sn-7" }, &r);

    assert_text(m.subject_text, "serialNumber=sn-7,CN=router5.example.com");
    m = make(w, &(struct asking){ 0 }, &r); /* shown in another name form, say */
    assert_text(m.subject_text, "serialNumber=SN-7,CN=router5.example.com");
}

static void a_registered_common_name_takes_the_place_of_the_fqdn(void **state)
{
    struct world *w = *state;
    struct registration r = with_attributes({ ATTRIBUTE_COMMON_NAME, BYTES_LITERAL("Router 5") });
    struct made m = make(w, &(struct asking){ 0 }, &r);

    assert_text(m.subject_text, "CN=Router 5");
    assert_san(&m, 0, GENERAL_NAME_DNS, BYTES_LITERAL("router5.example.com"));
}

static void csr_54_an_fqdn_that_is_too_long_for_cn_stands_in_the_san_alone(void **state)
{
    static const char fqdn[] = "a-device-with-a-name.of-a-department-with-a-name.of-a-plant.example.com";
    struct world *w = *state;
    struct registration r = { 0 };
    struct made m = make(w, &(struct asking){ .subject = "O=x", .dns = { fqdn } }, &r);

    assert_true(sizeof(fqdn) - 1 > 64);
    assert_int_equal(m.subject_text.len, 0);
    assert_san(&m, 0, GENERAL_NAME_DNS, bytes_text(fqdn));
}

static void under_subject_from_request_attributes_lie_over_it(void **state)
{
    struct world *w = *state;
    struct registration r = with_attributes({ ATTRIBUTE_ORGANISATION, BYTES_LITERAL("Example") });
    struct made m;

    w->profile.subject = SUBJECT_FROM_REQUEST;
    m = make(w, &(struct asking){ .subject = "CN=ROUTER5.example.com,OU=Lab,O=Evil" }, &r);
    assert_true(m.ok);
    assert_text(m.subject_text, "O=Example,CN=router5.example.com,OU=Lab");
}

static void csr_60_a_multi_valued_rdn_stays_one(void **state)
{
    struct world *w = *state;
    struct name_attribute one[] = {
        { .oid = OID_ORGANIZATION, .text = BYTES_LITERAL("Example") },
        { .oid = OID_COMMON_NAME, .text = BYTES_LITERAL("router5.example.com"), .rdn = 1 },
        { .oid = OID_SERIAL_NUMBER, .text = BYTES_LITERAL("S1"), .rdn = 1 }
    };
    struct registration r = { 0 };
    struct made m;

    w->profile.subject = SUBJECT_FROM_REQUEST;
    m = make(w, &(struct asking){ .attribute = one, .attribute_count = 3 }, &r);
    assert_true(m.ok);
    assert_true(bytes_find(m.subject_text, '+') < m.subject_text.len);
}

static void what_identifies_a_router_is_not_copied_unchecked(void **state)
{
    struct world *w = *state;
    struct name_attribute asked[] = {
        { .oid = OID_COMMON_NAME, .text = BYTES_LITERAL("router5.example.com") },
        { .oid = OID_UNSTRUCTURED_NAME, .text = BYTES_LITERAL("core.example.com"), .rdn = 1 },
        { .oid = OID_UNSTRUCTURED_ADDRESS, .text = BYTES_LITERAL("192.0.2.66"), .rdn = 2 },
    };
    struct registration r = { 0 };
    struct made m;

    w->profile.subject = SUBJECT_FROM_REQUEST;
    m = make(w, &(struct asking){ .attribute = asked, .attribute_count = 3 }, &r);
    assert_text(m.subject_text, "CN=router5.example.com");
    asked[1].text = BYTES_LITERAL("Router5.example.com");
    assert_true(ip_parse(BYTES_LITERAL("192.0.2.66"), &r.ip));
    m = make(w, &(struct asking){ .attribute = asked, .attribute_count = 3 }, &r);
    assert_true(m.subject_text.len > strlen("CN=router5.example.com"));
}

static void csr_58_an_email_in_the_subject_needs_the_profile(void **state)
{
    struct world *w = *state;
    struct registration r = { 0 };
    const struct asking a = { .subject = "CN=router5.example.com,emailAddress=boss@example.com" };

    w->profile.subject = SUBJECT_FROM_REQUEST;
    assert_int_equal(make(w, &a, &r).why, REFUSAL_NAME_POLICY);
    w->profile.san_kinds = 1u << GENERAL_NAME_EMAIL;
    assert_true(make(w, &a, &r).ok);
}

static void csr_58_kinds_of_san_need_profile_or_registration(void **state)
{
    struct world *w = *state;
    struct registration none = { 0 }, listed = with_attributes(
                                          { ATTRIBUTE_SAN_EMAIL_ADDRESS, BYTES_LITERAL("a@example.com") });
    struct made m;

    assert_int_equal(make(w, &(struct asking){ .email = "a@example.com" }, &none).why, REFUSAL_NAME_POLICY);
    assert_int_equal(make(w, &(struct asking){ .email = "b@example.com" }, &listed).why, REFUSAL_NAME_POLICY);
    m = make(w, &(struct asking){ .email = "a@example.com" }, &listed);
    assert_int_equal(m.san.count, 2); /* once */
    assert_san(&m, 1, GENERAL_NAME_EMAIL, BYTES_LITERAL("a@example.com"));
    w->profile.san_kinds = 1u << GENERAL_NAME_EMAIL;
    assert_true(make(w, &(struct asking){ .email = "b@example.com" }, &none).ok);
}

static void names_of_the_request_are_copied_in_their_canonical_form(void **state)
{
    static const uint8_t address[] = { 192, 0, 2, 1 };
    struct world *w = *state;
    struct registration r = { 0 };
    const struct asking a = { .dns = { "B.example.com", "Router5.example.com" }, .ip = { "192.0.2.1" } };
    struct made m = make(w, &a, &r);

    assert_int_equal(m.san.count, 3);
    assert_san(&m, 0, GENERAL_NAME_DNS, BYTES_LITERAL("router5.example.com"));
    assert_san(&m, 1, GENERAL_NAME_DNS, BYTES_LITERAL("b.example.com"));
    assert_san(&m, 2, GENERAL_NAME_IP, BYTES_ARRAY(address));
    w->profile.san = SAN_FQDN_AND_REGISTRATION;
    m = make(w, &a, &r);
    assert_int_equal(m.san.count, 1);
}

static void every_attribute_of_a_registration_becomes_a_name(void **state)
{
    static const uint8_t address[] = { 192, 0, 2, 1 }, oid[] = { 0x2a, 0x03, 0x04 };
    struct world *w = *state;
    struct registration r = with_attributes({ ATTRIBUTE_DNS, BYTES_LITERAL("www.example.com") },
                                            { ATTRIBUTE_DNS, BYTES_LITERAL("router5.example.com") },
                                            { ATTRIBUTE_IP_ADDRESS, BYTES_LITERAL("192.0.2.1") },
                                            { ATTRIBUTE_URI, BYTES_LITERAL("urn:a:b") },
                                            { ATTRIBUTE_SAN_EMAIL_ADDRESS, BYTES_LITERAL("a@example.com") },
                                            { ATTRIBUTE_REGISTERED_ID, BYTES_LITERAL("1.2.3.4") },
                                            { ATTRIBUTE_DIRECTORY, BYTES_LITERAL("CN=x,O=y") },
                                            { ATTRIBUTE_OTHER_NAME_OID, BYTES_LITERAL("1.2.3.4") },
                                            { ATTRIBUTE_OTHER_NAME_VALUE, BYTES_LITERAL("upn@example.com") },
                                            { ATTRIBUTE_POSTAL_ADDRESS, BYTES_LITERAL("Street 1\nCity") });
    struct made m = make(w, &(struct asking){ 0 }, &r);

    assert_true(m.ok);
    assert_int_equal(m.san.count, 8);
    assert_san(&m, 1, GENERAL_NAME_DNS, BYTES_LITERAL("www.example.com"));
    assert_san(&m, 2, GENERAL_NAME_EMAIL, BYTES_LITERAL("a@example.com"));
    assert_san(&m, 3, GENERAL_NAME_URI, BYTES_LITERAL("urn:a:b"));
    assert_san(&m, 4, GENERAL_NAME_IP, BYTES_ARRAY(address));
    assert_int_equal(m.san.item[5].kind, GENERAL_NAME_DIRECTORY);
    assert_san(&m, 6, GENERAL_NAME_REGISTERED_ID, BYTES_ARRAY(oid));
    assert_int_equal(m.san.item[7].kind, GENERAL_NAME_OTHER);
    assert_bytes(m.san.item[7].oid, BYTES_ARRAY(oid));
}

static void an_other_name_takes_the_registered_encoding(void **state)
{
    static const struct {
        const char *encoding, *value;
        uint8_t tag;
    } row[] = { { "IA5", "abc", DER_IA5_STRING },
                { "printable", "abc", DER_PRINTABLE_STRING },
                { "octet", "0aFF", DER_OCTET_STRING },
                { "der", "0c0161", DER_UTF8_STRING },
                { "utf8", "abc", DER_UTF8_STRING } };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(row); i++) {
        struct registration r = with_attributes(
            { ATTRIBUTE_OTHER_NAME_OID, BYTES_LITERAL("1.2.3.4") },
            { ATTRIBUTE_OTHER_NAME_ENCODING, bytes_text(row[i].encoding) },
            { ATTRIBUTE_OTHER_NAME_VALUE, bytes_text(row[i].value) });
        struct made m = make(w, &(struct asking){ 0 }, &r);

        assert_true(m.ok);
        assert_int_equal(m.san.item[1].value.data[0], row[i].tag);
    }
}

static void the_registered_other_name_may_be_asked_for(void **state)
{
    static const uint8_t type[] = { 0x2a, 0x03, 0x04 };
    struct world *w = *state;
    struct registration r = with_attributes({ ATTRIBUTE_OTHER_NAME_OID, BYTES_LITERAL("1.2.3.4") },
                                            { ATTRIBUTE_OTHER_NAME_VALUE, BYTES_LITERAL("abc") });
    const struct asking a = { .other_type = BYTES_ARRAY(type),
                              .other_value = BYTES_LITERAL("\x0c\x03"
                                                           "abc") },
                        b = { .other_type = BYTES_ARRAY(type),
                              .other_value = BYTES_LITERAL("\x0c\x03"
                                                           "abd") };
    struct made m = make(w, &a, &r);

    assert_true(m.ok);
    assert_int_equal(m.san.count, 2); /* once, beside the FQDN */
    assert_int_equal(make(w, &b, &r).why, REFUSAL_NAME_POLICY);
}

static void what_cannot_be_a_name_is_refused(void **state)
{
    struct world *w = *state;
    struct attribute bad[] = { { ATTRIBUTE_IP_ADDRESS, BYTES_LITERAL("192.0.2") },
                               { ATTRIBUTE_REGISTERED_ID, BYTES_LITERAL("x") },
                               { ATTRIBUTE_DIRECTORY, BYTES_LITERAL("no name") },
                               { ATTRIBUTE_OTHER_NAME_OID, BYTES_LITERAL("x") },
                               { ATTRIBUTE_POSTAL_ADDRESS, BYTES_LITERAL("1\n2\n3\n4\n5\n6\n7") } };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct registration r = { .attribute = &bad[i], .attribute_count = 1 };
        struct made m = make(w, &(struct asking){ 0 }, &r);

        assert_false(m.ok);
        assert_int_equal(m.why, REFUSAL_NAME);
    }
}

static void without_a_registration_a_wildcard_is_nobodys(void **state)
{
    struct world *w = *state;

    assert_true(make(w, &(struct asking){ .dns = { "b.example.com" } }, NULL).ok);
    assert_int_equal(make(w, &(struct asking){ .dns = { "*.example.com" } }, NULL).why, REFUSAL_NAME_POLICY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(csr_63_the_subject_is_the_registrations),
        world_test(a_registered_serial_number_stands_in_the_subject),
        world_test(a_registered_common_name_takes_the_place_of_the_fqdn),
        world_test(csr_54_an_fqdn_that_is_too_long_for_cn_stands_in_the_san_alone),
        world_test(under_subject_from_request_attributes_lie_over_it),
        world_test(csr_60_a_multi_valued_rdn_stays_one),
        world_test(what_identifies_a_router_is_not_copied_unchecked),
        world_test(csr_58_an_email_in_the_subject_needs_the_profile),
        world_test(csr_58_kinds_of_san_need_profile_or_registration),
        world_test(names_of_the_request_are_copied_in_their_canonical_form),
        world_test(every_attribute_of_a_registration_becomes_a_name),
        world_test(an_other_name_takes_the_registered_encoding),
        world_test(the_registered_other_name_may_be_asked_for),
        world_test(what_cannot_be_a_name_is_refused),
        world_test(without_a_registration_a_wildcard_is_nobodys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
