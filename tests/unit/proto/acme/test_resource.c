#include "proto/acme/resource.h"

#include "tests/lib/test.h"

#define ID "AAECAwQFBgcICQoLDA0ODw"

static const struct procedure PROCEDURE = { .name = "demo" };

static void paths_name_resources(void **state)
{
    static const struct {
        const char *path;
        enum acme_resource_kind kind;
    } rows[] = {
        { "directory", ACME_DIRECTORY },
        { "new-nonce", ACME_NEW_NONCE },
        { "new-account", ACME_NEW_ACCOUNT },
        { "new-order", ACME_NEW_ORDER },
        { "new-authz", ACME_NEW_AUTHZ },
        { "revoke-cert", ACME_REVOKE_CERT },
        { "key-change", ACME_KEY_CHANGE },
        { "account/" ID, ACME_ACCOUNT },
        { "account/" ID "/orders", ACME_ORDERS },
        { "order/" ID, ACME_ORDER },
        { "order/" ID "/finalize", ACME_FINALIZE },
        { "authz/" ID, ACME_AUTHZ },
        { "challenge/" ID "/tls-alpn-01", ACME_CHALLENGE },
        { "certificate/" ID, ACME_CERTIFICATE },
        { "certificate/" ID "/1", ACME_CERTIFICATE },
        { "star-certificate/" ID, ACME_STAR },
        { "star-certificate/" ID "/1", ACME_STAR },
        { "renewal-info/a.b", ACME_RENEWAL_INFO },
    };
    struct acme_resource r;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(acme_resource_parse(bytes_text(rows[i].path), &r));
        assert_int_equal(r.kind, rows[i].kind);
        assert_non_null(acme_resource_name(r.kind));
    }
    assert_true(acme_resource_parse(BYTES_LITERAL("order/" ID), &r));
    for (uint8_t i = 0; i < ACME_ID_LEN; i++)
        assert_int_equal(r.id.bytes[i], i);
}

static void what_names_nothing(void **state)
{
    static const char *const paths[] = {
        "",
        "/",
        "directory/",
        "order",
        "order/",
        "order/" ID "/",
        "order/" ID "x",
        "order/AAECAwQFBgcICQoLDA0ODx" /* bits left over */,
        "order/short",
        "challenge/" ID,
        "challenge/" ID "/dns-02",
        "certificate/" ID "/0",
        "certificate/" ID "/10",
        "renewal-info",
        "Directory",
        "account/" ID "/order",
    };
    struct acme_resource r;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        assert_false(acme_resource_parse(bytes_text(paths[i]), &r));
}

static void acme_23_urls_are_made_and_read_back(void **state)
{
    const struct acme_id id = { { 1, 2, 3 } };
    AUTO_ARENA *arena = arena_new(4096);
    struct bytes url = acme_url_of(arena, "https://ra.example.com", &PROCEDURE, "account", &id, "");
    struct acme_resource r;

    (void)state;
    assert_text(url, "https://ra.example.com/acme/demo/account/AQIDAAAAAAAAAAAAAAAAAA");
    assert_true(acme_url_parse(url, "https://ra.example.com", &PROCEDURE, &r));
    assert_int_equal(r.kind, ACME_ACCOUNT);
    assert_true(acme_id_equal(&r.id, &id));
    assert_false(acme_url_parse(url, "https://ra.example.net", &PROCEDURE, &r));
    assert_false(acme_url_parse(url, "https://ra.example.com", &(struct procedure){ .name = "dem" }, &r));
    assert_text(acme_url(arena, "https://ra.example.com", &PROCEDURE, "directory"),
                "https://ra.example.com/acme/demo/directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_name_resources),
        cmocka_unit_test(what_names_nothing),
        cmocka_unit_test(acme_23_urls_are_made_and_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
