#include "proto/est/http_auth.h"

#include "tests/lib/test.h"

static int set_up(void **state)
{
    *state = arena_new(1 << 20);
    return *state == NULL;
}

static int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static struct http_auth read(struct arena *arena, const char *authorization)
{
    struct http_header *header = arena_alloc(arena, sizeof(*header));
    struct http_request request = {
        .method_text = BYTES_LITERAL("POST"), .header = header, .header_count = 1, .arena = arena
    };

    assert_non_null(header);
    *header = (struct http_header){ BYTES_LITERAL("Authorization"), bytes_text(authorization) };
    return http_auth_read(&request);
}

static void basic_splits_at_the_first_colon(void **state)
{
    struct http_auth auth = read(*state, "basic dXNlcjpwYTpzcw=="); /* user:pa:ss */

    assert_int_equal(auth.kind, HTTP_AUTH_BASIC);
    assert_text(auth.user_name, "user");
    assert_text(auth.password, "pa:ss");
}

static void basic_may_come_without_user_name(void **state)
{
    struct http_auth auth = read(*state, "Basic OnMzY3JldA=="); /* :s3cret */

    assert_int_equal(auth.kind, HTTP_AUTH_BASIC);
    assert_int_equal(auth.user_name.len, 0);
    assert_text(auth.password, "s3cret");
}

static void basic_that_is_no_pair_of_clean_text_is_malformed(void **state)
{
    static const char *const bad[] = {
        "Basic",               /* nothing */
        "Basic dXNlcg==",      /* no colon */
        "Basic dXNlcjpw!",     /* no base64 */
        "Basic dTpwCg==",      /* control character */
        "Basic dTr/",          /* not UTF-8 */
        "Basic\tdXNlcjpwYQ==", /* a tab ends no scheme */
        "",
        " Basic dXNlcjpwYQ==",
        ",",
        "\"Basic\" x",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(read(*state, bad[i]).kind, HTTP_AUTH_MALFORMED);
}

static void a_scheme_we_do_not_speak_is_other(void **state)
{
    assert_int_equal(read(*state, "Bearer abc").kind, HTTP_AUTH_OTHER);
    assert_int_equal(read(*state, "Negotiate").kind, HTTP_AUTH_OTHER);
}

static void none_and_two_headers_are_told_apart(void **state)
{
    static const struct http_header two[] = {
        { BYTES_LITERAL("Authorization"), BYTES_LITERAL("Basic dXNlcjpwYQ==") },
        { BYTES_LITERAL("authorization"), BYTES_LITERAL("Basic dXNlcjpwYQ==") },
    };
    struct http_request request = { .header = two, .arena = *state };

    assert_int_equal(http_auth_read(&request).kind, HTTP_AUTH_NONE);
    request.header_count = 2;
    assert_int_equal(http_auth_read(&request).kind, HTTP_AUTH_MALFORMED);
}

/* The parameters of RFC 7616 3.9.1, one left out or changed at a time. */
#define RESPONSE_256 "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
#define RESPONSE_MD5 "8ca523f5e9506fed4657c9700eebdbec"
#define PART_USER    "username=\"Mufasa\", "
#define PART_REALM   "realm=\"http-auth@example.org\", "
#define PART_URI     "uri=\"/dir/index.html\", "
#define PART_ALG     "algorithm=SHA-256, "
#define PART_NONCE   "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
#define PART_NC      "nc=00000001, "
#define PART_CNONCE  "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", "
#define PART_QOP     "qop=auth, "
#define PART_REPLY   "response=\"" RESPONSE_256 "\""

static void digest_is_read_as_the_rfc_writes_it(void **state)
{
    struct http_auth auth = read(
        *state,
        "Digest " PART_USER PART_REALM PART_URI PART_ALG PART_NONCE PART_NC PART_CNONCE PART_QOP PART_REPLY
        ", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"");

    assert_int_equal(auth.kind, HTTP_AUTH_DIGEST);
    assert_int_equal(auth.digest.algorithm, DIGEST_SHA256);
    assert_text(auth.digest.user_name, "Mufasa");
    assert_text(auth.digest.realm, "http-auth@example.org");
    assert_text(auth.digest.uri, "/dir/index.html");
    assert_text(auth.digest.nonce, "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v");
    assert_text(auth.digest.nc, "00000001");
    assert_text(auth.digest.cnonce, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
    assert_text(auth.digest.response, RESPONSE_256);
    assert_text(auth.digest.method, "POST");
    assert_text(auth.opaque, "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS");
}

static void digest_without_algorithm_is_md5(void **state)
{
    struct http_auth auth = read(
        *state, "Digest " PART_USER PART_REALM PART_URI PART_NONCE PART_NC PART_CNONCE PART_QOP
                "response=\"" RESPONSE_MD5 "\"");

    assert_int_equal(auth.kind, HTTP_AUTH_DIGEST);
    assert_int_equal(auth.digest.algorithm, DIGEST_MD5);
}

static void digest_takes_blanks_escapes_and_unknown_parameters(void **state)
{
    struct http_auth auth = read(
        *state,
        "DIGEST , ,UserName = \"a\\\"b\\\\c\" ,x=\"1,2\", " PART_REALM PART_URI PART_ALG PART_NONCE PART_NC
        "cnonce=x, qop=\"auth\", " PART_REPLY " ,");

    assert_int_equal(auth.kind, HTTP_AUTH_DIGEST);
    assert_text(auth.digest.user_name, "a\"b\\c");
    assert_text(auth.digest.cnonce, "x");
}

static void a_user_name_may_come_in_the_extended_form(void **state)
{
    struct http_auth auth = read(*state, "Digest username*=UTF-8''J%C3%A4s%C3%B8n, " PART_REALM PART_URI
                                             PART_ALG PART_NONCE PART_NC PART_CNONCE PART_QOP PART_REPLY);

    assert_int_equal(auth.kind, HTTP_AUTH_DIGEST);
    assert_text(auth.digest.user_name, "J\xc3\xa4s\xc3\xb8n");
}

static void est_75_a_digest_with_a_part_missing_twice_or_broken_is_malformed(void **state)
{
    static const char *const bad[] = {
        "Digest",
        "Digest " PART_REALM PART_URI PART_ALG PART_NONCE PART_NC PART_CNONCE PART_QOP PART_REPLY,
        "Digest " PART_USER PART_URI PART_ALG PART_NONCE PART_NC PART_CNONCE PART_QOP PART_REPLY,
        "Digest " PART_USER PART_REALM PART_ALG PART_NONCE PART_NC PART_CNONCE PART_QOP PART_REPLY,
        "Digest " PART_USER PART_REALM PART_URI PART_ALG PART_NC PART_CNONCE PART_QOP PART_REPLY,
        "Digest " PART_USER PART_REALM PART_URI PART_ALG PART_NONCE PART_CNONCE PART_QOP PART_REPLY,
        "Digest " PART_USER PART_REALM PART_URI PART_ALG PART_NONCE PART_NC PART_QOP PART_REPLY,
        "Digest " PART_USER PART_REALM PART_URI PART_ALG PART_NONCE PART_NC PART_CNONCE PART_REPLY,
        "Digest " PART_USER PART_REALM PART_URI PART_ALG PART_NONCE PART_NC PART_CNONCE PART_QOP "x=1",
        "Digest " PART_USER PART_REALM PART_URI PART_ALG PART_NONCE PART_NC
        "cnonce=\"\", " PART_QOP PART_REPLY,
        "Digest " PART_USER PART_REALM PART_URI PART_ALG PART_NONCE "nc=1, " PART_CNONCE PART_QOP PART_REPLY,
        "Digest " PART_USER PART_REALM PART_URI PART_ALG PART_NONCE
        "nc=0000000g, " PART_CNONCE PART_QOP PART_REPLY,
        "Digest " PART_USER PART_USER PART_REALM PART_URI PART_ALG PART_NONCE PART_NC PART_CNONCE PART_QOP
            PART_REPLY,
        "Digest " PART_USER "username*=UTF-8''x, " PART_REALM PART_URI PART_ALG PART_NONCE PART_NC PART_CNONCE
            PART_QOP PART_REPLY,
        "Digest username*=latin-1''x, " PART_REALM PART_URI PART_ALG PART_NONCE PART_NC PART_CNONCE PART_QOP
            PART_REPLY,
        "Digest " PART_USER PART_REALM PART_URI PART_ALG PART_NONCE PART_NC PART_CNONCE PART_QOP
        "response=\"" RESPONSE_MD5 "\"",
        "Digest " PART_USER PART_REALM PART_URI PART_ALG PART_NONCE PART_NC PART_CNONCE PART_QOP
        "response=\"753927FA0E85D155564E2E272A28D1802CA10DAF4496794697CF8DB5856CB6C1\"",
        "Digest username=\"open",
        "Digest username=\"x\\",
        "Digest username",
        "Digest =x",
        "Digest username=\"a\" realm=\"b\"",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(read(*state, bad[i]).kind, HTTP_AUTH_MALFORMED);
}

static void kinds_of_digest_that_we_do_not_speak_are_other(void **state)
{
    static const char *const other[] = {
        "Digest " PART_USER PART_REALM PART_URI
        "algorithm=SHA-256-sess, " PART_NONCE PART_NC PART_CNONCE PART_QOP PART_REPLY,
        "Digest " PART_USER PART_REALM PART_URI
        "algorithm=SHA-512-256, " PART_NONCE PART_NC PART_CNONCE PART_QOP PART_REPLY,
        "Digest " PART_USER PART_REALM PART_URI PART_ALG PART_NONCE PART_NC PART_CNONCE
        "qop=auth-int, " PART_REPLY,
        "Digest " PART_USER PART_REALM PART_URI PART_ALG PART_NONCE PART_NC PART_CNONCE PART_QOP
        "userhash=true, " PART_REPLY,
    };

    for (size_t i = 0; i < COUNT_OF(other); i++)
        assert_int_equal(read(*state, other[i]).kind, HTTP_AUTH_OTHER);
}

static void the_uri_is_the_target_or_libests_without_label(void **state)
{
    struct http_request request = { .path = BYTES_LITERAL("/.well-known/est/demo/simpleenroll"),
                                    .arena = *state };
    struct bytes op = BYTES_LITERAL("simpleenroll");

    assert_true(http_auth_uri_fits(request.path, &request, op));
    assert_true(http_auth_uri_fits(BYTES_LITERAL("/.well-known/est/simpleenroll"), &request, op));
    assert_false(http_auth_uri_fits(BYTES_LITERAL("/.well-known/est/simplereenroll"), &request, op));
    assert_false(http_auth_uri_fits(BYTES_LITERAL("/.well-known/est/other/simpleenroll"), &request, op));
    assert_false(http_auth_uri_fits(BYTES_LITERAL("/.well-known/est/demo/simpleenrollx"), &request, op));
    assert_false(http_auth_uri_fits(BYTES_LITERAL("/.well-known/est/demo/simpleenroll?a"), &request, op));
    assert_false(http_auth_uri_fits(BYTES_LITERAL("/"), &request, op));
    assert_false(http_auth_uri_fits(BYTES_NONE, &request, op));
    request.query = BYTES_LITERAL("a=b");
    assert_true(http_auth_uri_fits(BYTES_LITERAL("/.well-known/est/demo/simpleenroll?a=b"), &request, op));
    assert_false(http_auth_uri_fits(request.path, &request, op));
}

static void est_70_73_challenges_come_strongest_first(void **state)
{
    const struct http_challenges c = {
        .realm = "de\"mo", .basic = true, .digest = true, .digest_md5 = true, .nonce = "abc"
    };
    struct http_response response = { .status = 401 };

    assert_true(http_auth_challenge(&c, *state, &response));
    assert_int_equal(response.header_count, 3);
    assert_text(response.header[0].name, "WWW-Authenticate");
    assert_text(response.header[0].value,
                "Digest realm=\"de\\\"mo\", qop=\"auth\", algorithm=SHA-256, nonce=\"abc\", "
                "opaque=\"6d7573746572\"");
    assert_text(
        response.header[1].value,
        "Digest realm=\"de\\\"mo\", qop=\"auth\", algorithm=MD5, nonce=\"abc\", opaque=\"6d7573746572\"");
    assert_text(response.header[2].value, "Basic realm=\"de\\\"mo\", charset=\"UTF-8\"");
}

static void libest_finds_first_what_it_can_speak(void **state)
{
    struct http_challenges c = {
        .realm = "demo", .basic = true, .digest = true, .nonce = "abc", .stale = true, .libest = true
    };
    struct http_response response = { .status = 401 };

    assert_true(http_auth_challenge(&c, *state, &response));
    assert_int_equal(response.header_count, 2);
    assert_text(response.header[0].value, "Basic realm=\"demo\", charset=\"UTF-8\"");
    assert_true(bytes_ends_with(response.header[1].value, ", stale=true"));
    c.digest_md5 = true;
    response.header_count = 0;
    assert_true(http_auth_challenge(&c, *state, &response));
    assert_int_equal(response.header_count, 3);
    assert_true(
        bytes_starts_with(response.header[0].value, "Digest realm=\"demo\", qop=\"auth\", algorithm=MD5"));
}

static void a_challenge_is_whole_or_not_there(void **state)
{
    const struct http_challenges c = { .realm = "demo", .basic = true, .digest = true, .nonce = "abc" };

    for (unsigned n = 1; n <= 3; n++) {
        struct http_response response = { .status = 401 };

        arena_fail_after(*state, n);
        assert_false(http_auth_challenge(&c, *state, &response));
        assert_int_equal(response.header_count, 0);
    }
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(basic_splits_at_the_first_colon),
        WITH_ARENA(basic_may_come_without_user_name),
        WITH_ARENA(basic_that_is_no_pair_of_clean_text_is_malformed),
        WITH_ARENA(a_scheme_we_do_not_speak_is_other),
        WITH_ARENA(none_and_two_headers_are_told_apart),
        WITH_ARENA(digest_is_read_as_the_rfc_writes_it),
        WITH_ARENA(digest_without_algorithm_is_md5),
        WITH_ARENA(digest_takes_blanks_escapes_and_unknown_parameters),
        WITH_ARENA(a_user_name_may_come_in_the_extended_form),
        WITH_ARENA(est_75_a_digest_with_a_part_missing_twice_or_broken_is_malformed),
        WITH_ARENA(kinds_of_digest_that_we_do_not_speak_are_other),
        WITH_ARENA(the_uri_is_the_target_or_libests_without_label),
        WITH_ARENA(est_70_73_challenges_come_strongest_first),
        WITH_ARENA(libest_finds_first_what_it_can_speak),
        WITH_ARENA(a_challenge_is_whole_or_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
