#include "tests/lib/devices.h"

#include <openssl/cms.h>
#include <stdio.h>

#include "lib/base/encode.h"
#include "tests/lib/scep_client.h"

enum { MESSAGE_ARENA = 1 << 20 };

static const char *secret_of(const struct device *d)
{
    return d->kind == DEVICE_WILDCARD       ? "fleet-secret"
           : d->kind == DEVICE_WRONG_SECRET ? "wrong"
                                            : "right-secret";
}

EVP_PKEY *device_key(const struct device *d)
{
    return d->protocol == PROTOCOL_CMP ? cmp_client_key("P-256", d->number) : scep_client_key(d->key);
}

void device_init(struct device *d, const char *fqdn, unsigned key)
{
    d->key = key;
    (void)snprintf(d->fqdn, sizeof(d->fqdn), "%s", fqdn);
    d->arena = arena_new(MESSAGE_ARENA);
    assert_non_null(d->arena);
    if (d->protocol != PROTOCOL_CMP)
        return;
    cmp_device_init(&d->cmp, d->fqdn, secret_of(d));
    d->cmp.key[0] = d->cmp.key[1] = device_key(d);
}

void device_free(struct device *d)
{
    arena_free(d->arena);
    d->arena = NULL;
    if (d->protocol == PROTOCOL_CMP)
        cmp_device_free(&d->cmp);
}

static struct scep_plan plan_of(const struct device *d, const char *transaction)
{
    return (
        struct scep_plan){ .csr = { .key = scep_client_key(d->key), .cn = d->fqdn, .password = secret_of(d) },
                           .transaction_id = transaction };
}

/* Messages are dear to make and depend on device, key and transaction alone: each is made once a process. */
struct made {
    struct made *next;
    char name[160];
    struct bytes message;
};

static struct made *made(const struct device *d, const char *transaction)
{
    static struct made *first;
    static struct arena *arena;
    char name[sizeof(first->name)];
    struct made *m;

    (void)snprintf(name, sizeof(name), "%s %d %u %s", d->fqdn, (int)d->kind, d->key, transaction);
    for (m = first; m != NULL; m = m->next)
        if (strcmp(m->name, name) == 0)
            return m;
    if (arena == NULL)
        arena = arena_new((size_t)256 << 20);
    m = arena_alloc(arena, sizeof(*m));
    assert_non_null(m);
    memcpy(m->name, name, sizeof(name));
    m->next = first;
    first = m;
    return m;
}

static void keep(struct made *m, struct bytes message)
{
    uint8_t *copy = malloc(message.len);

    assert_non_null(copy);
    memcpy(copy, message.data, message.len);
    m->message = bytes_of(copy, message.len);
}

static struct bytes make_scep(struct device *d, const struct a_gateway *g)
{
    char transaction[64] = "";
    struct scep_plan plan = plan_of(d, transaction);
    struct made *m;

    (void)snprintf(transaction, sizeof(transaction), "T-%u-%u", d->number, ++d->transaction);
    m = made(d, transaction);
    if (m->message.len == 0) {
        plan.recipient = scep_client_certificate(g->ra.certificate.encoded);
        keep(m, scep_client_message(d->arena, &plan));
        scep_client_reset();
    }
    return m->message;
}

static struct bytes make_est(struct device *d)
{
    struct scep_csr_plan plan = { .key = scep_client_key(d->key), .cn = d->fqdn };
    char number[16];
    struct made *m;

    (void)snprintf(number, sizeof(number), "%u", ++d->transaction % 8);
    m = made(d, number);
    if (m->message.len == 0) {
        AUTO_STRUCT(buffer) text = BUFFER(8192);

        base64_encode(&text, scep_client_csr(d->arena, &plan), d->transaction % 8 * 4 + 48);
        keep(m, buffer_bytes(&text));
    }
    return m->message;
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
    if (d->protocol == PROTOCOL_EST && now_s - d->asked_s > DEVICE_REPEAT_S)
        d->different_requests++;
}

/* It begins anew once it is through with what it began, or gives that up without a word. */
static void ask_cmp(struct device *d, const struct a_gateway *g, bool again, struct arena *arena,
                    struct http_request *request)
{
    struct bytes message;
    uint8_t octet;

    assert_true(random_fill(&g->random, &octet, 1));
    if (d->cmp.phase != CMP_DEVICE_IDLE && (again || octet % 4 != 0)) {
        message = cmp_device_go_on(&d->cmp, &g->random, false);
    } else {
        message = cmp_device_begin(&d->cmp, &g->random, CMP_IR, CMP_DEVICE_BY_SECRET, octet % 3 == 0);
        d->different_requests++;
    }
    cmp_client_reset();
    cmp_device_request(&d->cmp, message, arena, request);
}

void device_request(struct device *d, const struct a_gateway *g, bool again, struct arena *arena,
                    struct http_request *request)
{
    struct http_header *header = arena_array(arena, 2, sizeof(*header));
    bool est = d->protocol == PROTOCOL_EST;

    assert_non_null(header);
    if (d->protocol == PROTOCOL_CMP) {
        ask_cmp(d, g, again, arena, request);
        return;
    }
    if (again && d->message.len > 0) {
        device_runs_again(d, g->now_s);
    } else {
        arena_reset(d->arena);
        d->message = d->protocol == PROTOCOL_SCEP ? make_scep(d, g) : make_est(d);
        d->asked_s = g->now_s;
        d->different_requests++;
    }
    *request = (struct http_request){ .method = HTTP_METHOD_POST,
                                      .method_text = BYTES_LITERAL("POST"),
                                      .minor_version = 1,
                                      .header = header,
                                      .body = arena_copy(arena, d->message),
                                      .arena = arena,
                                      .peer = { .tls = est, .tls_version = est ? 0x0304 : 0 } };
    assert_true(ip_parse(bytes_text("192.0.2.99"), &request->peer.address));
    if (!est) {
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

/* It has said what it thinks of its certificate: the answer to that has none. */
static struct bytes read_cmp(struct device *d, const struct a_gateway *g, const struct http_request *request,
                             const struct http_response *response, struct arena *arena)
{
    struct cmp_said said;
    struct bytes der = BYTES_NONE;

    assert_int_equal(response->status, 200);
    said = cmp_device_hear(&d->cmp, g, request->body, response->body, arena);
    if (said.certificate != NULL)
        der = cmp_client_der(arena, said.certificate);
    cmp_client_reset();
    return der;
}

bool device_read(struct device *d, const struct a_gateway *g, const struct http_request *request,
                 const struct http_response *response, struct arena *arena, struct bytes *der)
{
    struct bytes found = d->protocol == PROTOCOL_SCEP  ? read_scep(d, g, response, arena)
                         : d->protocol == PROTOCOL_EST ? read_est(response, arena)
                                                       : read_cmp(d, g, request, response, arena);
    X509 *certificate;

    if (found.len == 0)
        return false;
    certificate = scep_client_certificate(found);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate), device_key(d)), 1);
    assert_int_equal(X509_check_host(certificate, d->fqdn, 0, 0, NULL), 1);
    scep_client_reset();
    *der = found;
    return true;
}
