/* Whatever comes after a good signature: the first octet chooses where. Payloads go to what the resources do,
 * with an account that is bound: they always answer, with a status that is one of theirs. Paths and states:
 * what is read is written and read the same again. */
#include <stdlib.h>

#include "proto/acme/call_internal.h"
#include "proto/acme/store_codec_internal.h"
#include "proto/acme/validate_internal.h"
#include "tests/lib/a_gateway.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 16 << 20 };

static const char URL[] = "https://ra.example.com";

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* --- what is pure --- */
static void check_resource(struct bytes in)
{
    struct acme_resource r;

    if (!acme_resource_parse(in, &r))
        return;
    require(r.kind != ACME_RESOURCE_NONE && acme_resource_name(r.kind) != NULL);
    require(r.challenge < ACME_CHALLENGE_COUNT && r.alternate <= 9);
}

static void check_authz(struct bytes in)
{
    AUTO_STRUCT(buffer) first = BUFFER(ACME_STATE_MAX);
    AUTO_STRUCT(buffer) second = BUFFER(ACME_STATE_MAX);
    struct acme_authz a = { 0 }, b = { 0 };

    if (!acme_authz_decode(in, &a))
        return;
    acme_authz_encode(&a, &first);
    if (buffer_failed(&first) || !acme_authz_decode(buffer_bytes(&first), &b))
        return; /* without tokens: nothing that we wrote */
    acme_authz_encode(&b, &second);
    require(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
}

static void check_order(struct bytes in, struct arena *arena)
{
    AUTO_STRUCT(buffer) first = BUFFER(ACME_STATE_MAX);
    AUTO_STRUCT(buffer) second = BUFFER(ACME_STATE_MAX);
    struct acme_order a = { 0 }, b = { 0 };

    if (!acme_order_decode(in, arena, &a))
        return;
    acme_order_encode(&a, &first);
    require(!buffer_failed(&first) && acme_order_decode(buffer_bytes(&first), arena, &b));
    acme_order_encode(&b, &second);
    require(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
}

static void check_account(struct bytes in)
{
    AUTO_STRUCT(buffer) blob = BUFFER(ACME_STATE_MAX);
    struct acme_account a = { 0 }, b = { 0 };

    if (!acme_account_decode(in, &a))
        return;
    acme_account_encode(&a, &blob);
    require(!buffer_failed(&blob) && acme_account_decode(buffer_bytes(&blob), &b));
    require(a.status == b.status && a.contact_count == b.contact_count && bytes_equal(a.spki, b.spki));
}

static void check_caa(struct bytes in)
{
    static const char *const identity = "ca.example.net";
    const struct acme_caa_question q = {
        .identity = &identity, .identity_count = 1, .account_url = BYTES_LITERAL("u"), .method = "dns-01"
    };
    const struct dns_record record = { .value = in };

    require(acme_caa_judge(&q, &record, 1) != ACME_CAA_SILENT);
}

/* A certificate that a stranger's server shows. */
static void check_shown(struct bytes in, struct arena *arena)
{
    struct acme_authz authz = { .identifier = { .type = ACME_IDENTIFIER_IP, .ip = { .len = 4 } } };
    const struct acme_validation v = { .challenge = ACME_TLS_ALPN_01 };
    static const struct procedure procedure;
    const struct acme_look look = {
        .procedure = &procedure, .validation = &v, .authz = &authz, .arena = arena
    };
    const struct job_event event = { .kind = JOB_EVENT_PROBE, .fault = NET_OK, .probe_certificate = in };
    struct acme_fault fault = { 0 };
    uint32_t valid_s = 0;

    (void)acme_look_judge(&look, &event, &valid_s, &fault);
}

/* --- payloads --- */
static struct a_gateway *gateway(void)
{
    static struct a_gateway *g;

    if (g != NULL)
        return g;
    g = a_gateway_new(1);
    g->procedure.protocols |= PROTOCOL_BIT(PROTOCOL_ACME);
    g->procedure.acme_wildcard = g->procedure.acme_ip = true;
    g->procedure.acme_challenges = (1u << ACME_CHALLENGE_COUNT) - 1;
    return g;
}

typedef enum acme_progress operation(struct acme_call *c, struct error *err);
static operation *const operations[] = {
    acme_new_account, acme_account,     acme_key_change,  acme_new_order,
    acme_new_authz,   acme_authz_serve, acme_revoke_cert, acme_finalize,
};

static void check_payload(operation *run, struct bytes in, struct arena *arena)
{
    static const uint8_t spki[] = { 0x30, 0x00 };
    static struct registration registration;
    struct a_gateway *g = gateway();
    struct http_response response = { 0 };
    const struct http_request request = { .base_url = URL, .arena = arena };
    const struct acme_service service = { .enroll = &g->config.enroll };
    struct error err = { 0 };
    struct turn turn = { .view = a_gateway_view(g),
                         .keys = g->config.keys,
                         .random = g->random,
                         .now_s = g->now_s,
                         .arena = arena };
    struct acme_call c = {
        .turn = &turn,
        .service = &service,
        .procedure = &g->procedure,
        .request = &request,
        .response = &response,
        .jws = { .payload = in, .header = { .url = BYTES_LITERAL("u"), .kid = BYTES_LITERAL("k") } },
        .by_account = true,
        .account = { .status = ACME_ACCOUNT_VALID, .spki = BYTES_ARRAY(spki), .bound = true },
        .spki = BYTES_ARRAY(spki),
    };

    if (registration.revision == 0)
        registration = a_gateway_register(g, "kid-1", "secret", (struct registration){ .order = ORDER_ACME });
    turn.view = a_gateway_view(g);
    c.account.registration = registration.id;
    changes_begin(&turn.changes, arena);
    c.payload = json_read(in);
    if (c.payload == NULL && run != acme_key_change)
        return;
    require(run(&c, &err) == ACME_ANSWERED || err.code == ERROR_MEMORY);
    require(err.code != ERROR_NONE || (response.status >= 200 && response.status < 500));
    json_decref(c.payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *arena = arena_new(ARENA_MAX);
    struct bytes in = bytes_of(data + 1, size > 0 ? size - 1 : 0);

    require(arena != NULL);
    if (size == 0)
        return 0;
    switch (data[0]) {
    case 'r': check_resource(in); break;
    case 'a': check_account(in); break;
    case 'o': check_order(in, arena); break;
    case 'z': check_authz(in); break;
    case 'c': check_caa(in); break;
    case 't': check_shown(in, arena); break;
    default: check_payload(operations[data[0] % COUNT_OF(operations)], in, arena); break;
    }
    return 0;
}
