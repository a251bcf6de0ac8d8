#include "registry_fixture.h"

#include "registry/codec_internal.h"

static void every_field_comes_back(void **state)
{
    AUTO_STRUCT(buffer) first = BUFFER(10000), again = BUFFER(10000);
    struct certificate_record in = a_certificate(5, "router5.example.com"), out;
    struct error err;

    (void)state;
    in.registration = an_id(3);
    in.status = CERTIFICATE_REVOKED;
    in.revoked_s = NOW_S + 1;
    in.revocation_reason = REVOCATION_SUPERSEDED;
    certificate_record_encode(&first, &in);
    assert_true(certificate_record_decode(buffer_bytes(&first), &out, &err));
    certificate_record_encode(&again, &out);
    assert_true(bytes_equal(buffer_bytes(&first), buffer_bytes(&again)));
    assert_int_equal(out.id.serial_len, 1);
    assert_int_equal(out.status, CERTIFICATE_REVOKED);
    assert_int_equal(out.protocol, PROTOCOL_EST);
    assert_int_equal(out.revocation_reason, REVOCATION_SUPERSEDED);
    assert_int_equal(out.not_after_s, NOW_S + 1000);
    assert_true(dns_name_equal(&in.fqdn, &out.fqdn));
    assert_true(bytes_is(out.profile, "device"));
}

static void a_cut_record_never_gives_more_than_it_has(void **state)
{
    AUTO_STRUCT(buffer) record = BUFFER(10000);
    struct certificate_record in = a_certificate(5, "router5.example.com"), out;
    struct error err;
    unsigned refused = 0;

    (void)state;
    certificate_record_encode(&record, &in);
    for (size_t len = 0; len < record.len; len++)
        refused += !certificate_record_decode(bytes_of(record.data, len), &out, &err);
    assert_true(refused > record.len - 20);
}

static void an_unknown_status_is_refused(void **state)
{
    AUTO_STRUCT(buffer) record = BUFFER(10000);
    struct certificate_record in = a_certificate(5, "router5.example.com"), out;
    struct error err;

    (void)state;
    in.status = (enum certificate_status)9;
    certificate_record_encode(&record, &in);
    assert_false(certificate_record_decode(buffer_bytes(&record), &out, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(a_cut_record_never_gives_more_than_it_has),
        cmocka_unit_test(an_unknown_status_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
