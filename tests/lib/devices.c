#include "tests/lib/devices.h"

#include <openssl/cms.h>
#include <stdio.h>

#include "lib/base/encode.h"
#include "tests/lib/scep_client.h"

enum { MESSAGE_ARENA = 1 << 20 };

void device_init(struct device *d, const char *fqdn, unsigned key)
{
    d->key = key;
    (void)snprintf(d->fqdn, sizeof(d->fqdn), "%s", fqdn);
    d->arena = arena_new(MESSAGE_ARENA);
    assert_non_null(d->arena);
}

void device_free(struct device *d)
{
    arena_free(d->arena);
    d->arena = NULL;
}

static const char *secret_of(const struct device *d)
{
    return d->kind == DEVICE_WILDCARD       ? "fleet-secret"
           : d->kind == DEVICE_WRONG_SECRET ? "wrong"
                                            : "right-secret";
}

static struct scep_plan plan_of(const struct device *d, const char *transaction)
{
    return (
        struct scep_plan){ .csr = { .key = scep_client_key(d->key), .cn = d->fqdn, .password = secret_of(d) },
                           .transaction_id = transaction };
}

static void make_scep(struct device *d, const struct a_gateway *g)
{
    char transaction[64];
    struct scep_plan plan = plan_of(d, transaction);

    (void)snprintf(transaction, sizeof(transaction), "T-%u-%u", d->number, ++d->transaction);
    plan.recipient = scep_client_certificate(g->ra.certificate.encoded);
    d->message = scep_client_message(d->arena, &plan);
    scep_client_reset();
}

static void make_est(struct device *d)
{
    struct scep_csr_plan plan = { .key = scep_client_key(d->key), .cn = d->fqdn };
    AUTO_STRUCT(buffer) text = BUFFER(8192);

    base64_encode(&text, scep_client_csr(d->arena, &plan), 64);
    d->message = arena_copy(d->arena, buffer_bytes(&text));
}

static struct bytes basic(struct device *d, struct arena *arena)
{
    AUTO_STRUCT(buffer) text = BUFFER(512);
    AUTO_STRUCT(buffer) value = BUFFER(512);

    buffer_format(&text, "device:%s", secret_of(d));
    buffer_append_text(&value, "Basic ");
    base64_encode(&value, buffer_bytes(&text), 0);
    return arena_copy(arena, buffer_bytes(&value));
}

void device_runs_again(struct device *d, int64_t now_s)
{
    if (!d->scep && now_s - d->asked_s > DEVICE_REPEAT_S)
        d->different_requests++;
}

void device_request(struct device *d, const struct a_gateway *g, bool again, struct arena *arena,
                    struct http_request *request)
{
    struct http_header *header = arena_array(arena, 2, sizeof(*header));

    assert_non_null(header);
    if (again && d->message.len > 0) {
        device_runs_again(d, g->now_s);
    } else {
        arena_reset(d->arena);
        if (d->scep)
            make_scep(d, g);
        else
            make_est(d);
        d->asked_s = g->now_s;
        d->different_requests++;
    }
    *request = (struct http_request){ .method = HTTP_METHOD_POST,
                                      .method_text = BYTES_LITERAL("POST"),
                                      .minor_version = 1,
                                      .header = header,
                                      .body = arena_copy(arena, d->message),
                                      .arena = arena,
                                      .peer = { .tls = !d->scep, .tls_version = d->scep ? 0 : 0x0304 } };
    assert_true(ip_parse(bytes_text("192.0.2.99"), &request->peer.address));
    if (d->scep) {
        request->path = bytes_text("/scep/demo");
        request->query = bytes_text("operation=PKIOperation");
        return;
    }
    request->path = bytes_text("/.well-known/est/demo/simpleenroll");
    header[0] = (struct http_header){ BYTES_LITERAL("Content-Type"), BYTES_LITERAL("application/pkcs10") };
    header[1] = (struct http_header){ BYTES_LITERAL("Authorization"), basic(d, arena) };
    request->header_count = 2;
}

static struct bytes read_scep(struct device *d, const struct a_gateway *g,
                              const struct http_response *response, struct arena *arena)
{
    struct scep_plan plan = plan_of(d, NULL);
    struct scep_said said;
    struct bytes der = BYTES_NONE;

    assert_int_equal(response->status, 200);
    said = scep_client_read(response->body, scep_client_certificate(g->ra.certificate.encoded), &plan);
    if (said.pki_status == 0) {
        assert_true(said.certificate_count >= 1);
        der = scep_client_der(arena, said.certificate[0]);
    }
    scep_client_reset();
    return der;
}

static struct bytes read_est(const struct http_response *response, struct arena *arena)
{
    uint8_t *raw = arena_alloc(arena, BASE64_DECODED_MAX(response->body.len));
    X509 *certificate[SCEP_CLIENT_CERTIFICATES_MAX];
    struct bytes der = BYTES_NONE;
    size_t len;

    if (response->status != 200)
        return der;
    assert_non_null(raw);
    assert_true(base64_decode(response->body, raw, &len));
    assert_int_equal(scep_client_bag(bytes_of(raw, len), certificate, SCEP_CLIENT_CERTIFICATES_MAX), 1);
    der = scep_client_der(arena, certificate[0]);
    scep_client_reset();
    return der;
}

bool device_read(struct device *d, const struct a_gateway *g, const struct http_response *response,
                 struct arena *arena, struct bytes *der)
{
    struct bytes found = d->scep ? read_scep(d, g, response, arena) : read_est(response, arena);
    X509 *certificate;

    if (found.len == 0)
        return false;
    certificate = scep_client_certificate(found);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate), scep_client_key(d->key)), 1);
    assert_int_equal(X509_check_host(certificate, d->fqdn, 0, 0, NULL), 1);
    scep_client_reset();
    *der = found;
    return true;
}
