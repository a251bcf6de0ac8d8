#include "registry_fixture.h"

#include "registry/codec_internal.h"

static struct registration a_full_one(void)
{
    static struct bytes domain[] = { { (const uint8_t *)"a.org", 5 }, { (const uint8_t *)"b.org", 5 } };
    static struct attribute attribute[] = {
        { ATTRIBUTE_COUNTRY, { (const uint8_t *)"IT", 2 } },
        { ATTRIBUTE_DNS, { (const uint8_t *)"x.example.com", 13 } },
        { ATTRIBUTE_REGISTERED_ID, { (const uint8_t *)"1.2.3", 5 } },
    };

    return (struct registration){ .id = an_id(77),
                                  .revision = 3,
                                  .order = ORDER_EST,
                                  .procedure = BYTES_LITERAL("routers"),
                                  .domain = { 99 },
                                  .fqdn = a_pattern("*.example.com"),
                                  .state = REGISTRATION_CLOSED,
                                  .accepted_s = NOW_S,
                                  .valid_days = 30,
                                  .ip = { 4, { 192, 0, 2, 1 } },
                                  .serial_number = BYTES_LITERAL("SN-1"),
                                  .protocols = PROTOCOL_BIT(PROTOCOL_EST) | PROTOCOL_BIT(PROTOCOL_CMP),
                                  .one_time = true,
                                  .used = true,
                                  .has_key_fingerprint = true,
                                  .key_fingerprint = { { 1, 2, 3 } },
                                  .email = BYTES_LITERAL("a@example.com"),
                                  .user_name = BYTES_LITERAL("user"),
                                  .realm = BYTES_LITERAL("realm"),
                                  .enroll_reg = true,
                                  .key_id = BYTES_LITERAL("key"),
                                  .allowed_domain = domain,
                                  .allowed_domain_count = 2,
                                  .pre_authorised = true,
                                  .attribute = attribute,
                                  .attribute_count = 3,
                                  .sealed_secret = BYTES_LITERAL("sealed"),
                                  .commitment = { { 4, 5, 6 } },
                                  .officer = BYTES_LITERAL("officer"),
                                  .audit_index = 12 };
}

static void every_field_comes_back(void **state)
{
    AUTO_STRUCT(buffer) first = BUFFER(10000), again = BUFFER(10000);
    AUTO_ARENA *arena = arena_new(100000);
    struct registration in = a_full_one(), out;
    struct error err;

    (void)state;
    registration_encode(&first, &in);
    assert_false(buffer_failed(&first));
    assert_true(registration_decode(buffer_bytes(&first), arena, &out, &err));
    registration_encode(&again, &out);
    assert_true(bytes_equal(buffer_bytes(&first), buffer_bytes(&again)));
    assert_int_equal(out.revision, 3);
    assert_int_equal(out.order, ORDER_EST);
    assert_int_equal(out.state, REGISTRATION_CLOSED);
    assert_int_equal(out.valid_days, 30);
    assert_true(out.one_time && out.used && out.enroll_reg && out.pre_authorised);
    assert_true(ip_equal(&out.ip, &in.ip));
    assert_int_equal(out.allowed_domain_count, 2);
    assert_true(bytes_is(out.allowed_domain[1], "b.org"));
    assert_int_equal(out.attribute_count, 3);
    assert_int_equal(out.attribute[2].kind, ATTRIBUTE_REGISTERED_ID);
    assert_true(bytes_is(out.attribute[2].value, "1.2.3"));
    assert_true(out.has_key_fingerprint && out.key_fingerprint.bytes[1] == 2);
    assert_string_equal(out.fqdn.text, "*.example.com");
    assert_true(bytes_is(out.serial_number, "SN-1"));
    assert_int_equal(out.audit_index, 12);
}

static void a_plain_one_says_nothing_that_it_was_not_told(void **state)
{
    AUTO_STRUCT(buffer) record = BUFFER(10000);
    AUTO_ARENA *arena = arena_new(100000);
    struct registration in = { .id = an_id(1), .fqdn = a_pattern("a.example.com") }, out;
    struct error err;

    (void)state;
    registration_encode(&record, &in);
    assert_true(registration_decode(buffer_bytes(&record), arena, &out, &err));
    assert_int_equal(out.state, REGISTRATION_STATE_NONE); /* unset is not Open */
    assert_int_equal(out.protocols, 0);
    assert_false(out.has_key_fingerprint || out.one_time || out.pre_authorised);
    assert_int_equal(out.ip.len + out.attribute_count + out.allowed_domain_count, 0);
}

/* A record cut anywhere either fails or ends between two fields. */
static void a_cut_record_never_gives_more_than_it_has(void **state)
{
    AUTO_STRUCT(buffer) record = BUFFER(10000);
    AUTO_ARENA *arena = arena_new(1 << 20);
    struct registration in = a_full_one(), out;
    struct error err;
    unsigned refused = 0;

    (void)state;
    registration_encode(&record, &in);
    for (size_t len = 0; len < record.len; len++) {
        arena_reset(arena);
        if (!registration_decode(bytes_of(record.data, len), arena, &out, &err)) {
            assert_int_equal(err.code, ERROR_FORMAT);
            refused++;
        }
    }
    assert_true(refused > record.len - 40); /* one end for each field */
}

static void an_unknown_choice_or_version_is_refused(void **state)
{
    AUTO_STRUCT(buffer) record = BUFFER(10000);
    AUTO_ARENA *arena = arena_new(100000);
    struct registration in = a_full_one(), out;
    struct error err;

    (void)state;
    in.state = (enum registration_state)7;
    registration_encode(&record, &in);
    assert_false(registration_decode(buffer_bytes(&record), arena, &out, &err));
    assert_int_equal(err.code, ERROR_FORMAT);
    record.data[0] = RECORD_VERSION + 1;
    assert_false(registration_decode(buffer_bytes(&record), arena, &out, &err));
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
}

static void a_full_arena_is_an_error(void **state)
{
    AUTO_STRUCT(buffer) record = BUFFER(10000);
    AUTO_ARENA *arena = arena_new(100000);
    struct registration in = a_full_one(), out;
    struct error err;

    (void)state;
    registration_encode(&record, &in);
    for (unsigned n = 1; n <= 2; n++) {
        arena_fail_after(arena, n);
        assert_false(registration_decode(buffer_bytes(&record), arena, &out, &err));
        assert_int_equal(err.code, ERROR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(a_plain_one_says_nothing_that_it_was_not_told),
        cmocka_unit_test(a_cut_record_never_gives_more_than_it_has),
        cmocka_unit_test(an_unknown_choice_or_version_is_refused),
        cmocka_unit_test(a_full_arena_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
