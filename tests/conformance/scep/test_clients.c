/* SCEP-120 to SCEP-125: what each family of clients needs from the first question to its certificate, in its
 * own way of asking. The real clients that can be had are in tests/interop. */
#include <openssl/pkcs7.h>

#include "tests/conformance/scep/scep_case.h"

/* --- what clients ask and how they read it --- */

static bool lists(struct scep_case *c, const char *keyword)
{
    struct http_response response = scep_get(c, "operation=GetCACaps");
    struct bytes text = response.body, line;

    assert_http(&response, 200, "text/plain");
    while (text.data != NULL && bytes_split(&text, '\n', &line))
        if (bytes_is(line, keyword))
            return true;
    return false;
}

static void assert_lists(struct scep_case *c, const char *const *keyword, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!lists(c, keyword[i]))
            fail_msg("GetCACaps has no %s", keyword[i]);
}

/* The bag of GetCACert with this identifier: the RA, then the CA. */
static void assert_bag(struct scep_case *c, const char *path, const char *query)
{
    struct http_response response = scep_http(c, HTTP_METHOD_GET, path, bytes_text(query), BYTES_NONE);
    X509 *bag[4];

    assert_http(&response, 200, "application/x-x509-ca-ra-cert");
    assert_int_equal(scep_client_bag(response.body, bag, 4), 2);
    assert_int_equal(X509_cmp(bag[0], c->ra), 0);
    assert_int_equal(X509_cmp(bag[1], c->ca), 0);
}

/* The message posted under this media type (NULL: none). */
static struct http_response post_as(struct scep_case *c, const char *type, struct bytes message)
{
    const struct http_header header = { BYTES_LITERAL("Content-Type"), bytes_text(type) };
    struct http_request request = {
        .method = HTTP_METHOD_POST,
        .path = BYTES_LITERAL("/scep/demo"),
        .query = BYTES_LITERAL("operation=PKIOperation"),
        .header = &header,
        .header_count = type != NULL ? 1 : 0,
        .minor_version = 1,
        .body = message,
        .arena = c->arena,
    };
    struct http_response response = a_gateway_ask(c->g, &request, &c->facts);

    assert_http(&response, 200, PKI_MESSAGE); /* compared by clients as a whole: no parameters */
    return response;
}

/* The message by GET, in base64 with what a URL cannot hold escaped. */
static struct http_response get_at(struct scep_case *c, const char *path, struct bytes message)
{
    AUTO_STRUCT(buffer) base64 = BUFFER(1 << 16);
    AUTO_STRUCT(buffer) query = BUFFER(1 << 17);
    struct bytes copy;

    base64_encode(&base64, message, 0);
    buffer_append_text(&query, "operation=PKIOperation&message=");
    for (size_t i = 0; i < base64.len; i++) {
        uint8_t ch = base64.data[i];

        if (ch == '+' || ch == '/' || ch == '=')
            buffer_format(&query, "%%%02X", (unsigned)ch);
        else
            buffer_append_byte(&query, ch);
    }
    copy = arena_copy(c->arena, buffer_bytes(&query));
    assert_non_null(copy.data);
    return scep_http(c, HTTP_METHOD_GET, path, copy, BYTES_NONE);
}

/* --- the families --- */

static void scep_120_sscep(void **state)
{
    static const char *const wanted[] = { "POSTPKIOperation", "SCEPStandard", "AES", "SHA-256" };
    struct scep_case *c = *state;
    struct scep_plan plan = { .message_type = "19", .csr.password = "s3cret" };
    struct bytes message = scep_message(c, &plan);
    struct http_response response;
    const unsigned char *p;
    struct scep_said said;
    PKCS7 *p7;

    assert_lists(c, wanted, COUNT_OF(wanted));
    assert_bag(c, "/scep/demo",
               "operation=GetCACert&message=CAIdentifier"); /* numbered files in this order */
    assert_true(message.len < 16 << 10);
    response = post_as(c, NULL, message);
    p = response.body.data;
    p7 = d2i_PKCS7(NULL, &p, (long)response.body.len); /* it reads with OpenSSL's PKCS7 */
    assert_non_null(p7);
    assert_true(PKCS7_type_is_signed(p7));
    PKCS7_free(p7);
    said = scep_client_read(response.body, c->ra, &plan);
    (void)assert_success(c, &said);
    assert_int_equal(said.cipher, NID_aes_128_cbc);
}

static void scep_121_jscep(void **state)
{
    static const uint8_t nonce[16] = "jscep asks again";
    struct scep_case *c = *state;
    struct scep_said said = scep_ask(c, (struct scep_plan){ .csr.password = "s3cret", .nonce = nonce });

    assert_true(lists(c, "SHA-512"));
    (void)assert_success(c, &said);
    assert_int_equal(said.recipient_nonce_len, 16);
    assert_memory_equal(said.recipient_nonce, nonce, 16);
    assert_int_equal(said.sender_nonce_len, 16);
}

static void scep_122_apple(void **state)
{
    static const char *const wanted[] = { "SHA-256", "AES", "POSTPKIOperation" };
    struct scep_case *c = *state;
    struct scep_plan plan = { .csr.password = "s3cret" };
    struct scep_said said;

    c->g->procedure.dialect = (struct dialect){ .name = "apple", .scep_ca_in_reply = true };
    c->g->procedure.manual_approval = true;
    assert_lists(c, wanted, COUNT_OF(wanted));
    assert_bag(c, "/scep/demo", "operation=GetCACert&message=EnrollmentCAInstance");
    assert_true((X509_get_key_usage(c->ra) & KU_KEY_ENCIPHERMENT) != 0);
    assert_int_equal(X509_get_key_usage(c->ca) & KU_KEY_ENCIPHERMENT, 0);
    said = scep_ask(c, plan); /* a profile says how often it asks again: the same request */
    assert_pending(&said);
    said = scep_ask(c, plan);
    assert_pending(&said);
    scep_decide(c, true);
    said = scep_ask(c, plan);
    (void)assert_success(c, &said);
    assert_int_equal(said.certificate_count, 2);
}

static void put_rdn(X509_NAME *name, const char *attribute, const char *value)
{
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, attribute, MBSTRING_ASC, (const unsigned char *)value, -1, -1, 0),
        1);
}

/* As routers send it: no CN, but what the router knows of itself. */
static struct bytes a_router_s_csr(struct scep_case *c)
{
    X509_REQ *req = X509_REQ_new();
    X509_NAME *name = X509_NAME_new();
    unsigned char *der = NULL;
    struct bytes copy;
    int len;

    put_rdn(name, "serialNumber", "FOC123");
    put_rdn(name, "unstructuredAddress", "192.0.2.7");
    put_rdn(name, "unstructuredName", "edge.example.com");
    assert_true(X509_REQ_set_subject_name(req, name) && X509_REQ_set_pubkey(req, scep_client_key(0)));
    assert_true(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, V_ASN1_PRINTABLESTRING,
                                          (const unsigned char *)"cisco", 5));
    assert_true(X509_REQ_sign(req, scep_client_key(0), EVP_sha256()) > 0);
    len = i2d_X509_REQ(req, &der);
    assert_true(len > 0);
    copy = arena_copy(c->arena, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    X509_NAME_free(name);
    X509_REQ_free(req);
    return copy;
}

static void scep_123_cisco(void **state)
{
    static const char path[] = "/cgi-bin/pkiclient.exe";
    struct scep_case *c = *state;
    struct scep_plan plan = { .content = a_router_s_csr(c) }, old = plan;
    struct http_response response;
    struct registration fields = { .serial_number = BYTES_LITERAL("FOC123") };
    struct scep_said said;

    assert_true(ip_parse(BYTES_LITERAL("192.0.2.7"), &fields.ip));
    (void)a_gateway_register(c->g, "edge.example.com", "cisco", fields);
    c->g->procedure.dialect =
        (struct dialect){ .name = "cisco-ios", .scep_ca_in_reply = true, .scep_lenient_nonce = true };
    assert_bag(c, path, "operation=GetCACert&message=trustpoint");
    response = get_at(c, path, scep_message(c, &plan));
    assert_http(&response, 200, PKI_MESSAGE);
    said = scep_client_read(response.body, c->ra, &plan);
    (void)assert_success(c, &said);
    assert_text(c->facts.fqdn, "edge.example.com");
    old.transaction_id = "old";
    old.digest = "MD5"; /* defaults of old trains */
    said = scep_ask(c, old);
    assert_failure(&said, BAD_ALG);
    old.digest = NULL;
    old.cipher = "DES-CBC";
    said = scep_ask(c, old);
    assert_failure(&said, BAD_ALG);
}

static void scep_124_windows(void **state)
{
    static const char *const wanted[] = { "Renewal", "SHA-256", "AES" };
    struct scep_case *c = *state;
    X509 *mine;
    struct scep_said said;

    assert_lists(c, wanted, COUNT_OF(wanted));
    assert_false(lists(c, "DES3"));
    c->g->procedure.dialect.scep_legacy = true;
    assert_true(lists(c, "DES3"));
    c->g->procedure.dialect.scep_legacy = false;
    assert_bag(c, "/scep/demo/pkiclient.exe", "operation=GetCACert&message=My%20Enrollment%2FCA");
    mine = scep_enrolled(c, "first");
    said = scep_ask(c, (struct scep_plan){ .signer = mine,
                                           .signer_key = scep_client_key(0),
                                           .csr.key = scep_client_key(1),
                                           .message_type = "17",
                                           .transaction_id = "second" }); /* because Renewal is listed */
    (void)assert_success(c, &said);
}

static void scep_125_the_go_client(void **state)
{
    struct scep_case *c = *state;
    struct scep_plan plan = { .csr.password = "s3cret" };
    struct http_response response;
    struct scep_said said;

    assert_true(lists(c, "SCEPStandard") && lists(c, "POSTPKIOperation"));
    for (int more = 0; more <= 1; more++) { /* it takes the first certificate, whatever follows */
        c->g->procedure.dialect.scep_ca_in_reply = more != 0;
        plan.transaction_id = more != 0 ? "with the CA" : "alone";
        response = post_as(c, "application/octet-stream", scep_message(c, &plan));
        said = scep_client_read(response.body, c->ra, &plan);
        assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(assert_success(c, &said)), scep_client_key(0)), 1);
        assert_int_equal(said.certificate_count, 1 + more);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCEP_ROW(scep_120_sscep), SCEP_ROW(scep_121_jscep),   SCEP_ROW(scep_122_apple),
        SCEP_ROW(scep_123_cisco), SCEP_ROW(scep_124_windows), SCEP_ROW(scep_125_the_go_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
