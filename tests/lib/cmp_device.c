#include "tests/lib/cmp_device.h"

enum { DEVICE_ARENA = 32 << 20, CERTIFICATE_NAME_MAX = 256 };

void cmp_device_init(struct cmp_device *d, const char *fqdn, const char *secret)
{
    d->fqdn = fqdn;
    d->secret = secret;
    d->arena = arena_new(DEVICE_ARENA);
    assert_non_null(d->arena);
}

void cmp_device_free(struct cmp_device *d)
{
    arena_free(d->arena);
    *d = (struct cmp_device){ 0 };
}

static struct bytes kept(struct cmp_device *d, struct bytes b)
{
    struct bytes copy = arena_copy(d->arena, b);

    assert_non_null(copy.data);
    return copy;
}

/* --- what it says --- */
static struct bytes chance(struct cmp_device *d, const struct random_source *random, uint8_t *out)
{
    uint8_t *octets = out != NULL ? out : arena_alloc(d->arena, CMP_DEVICE_ID_LEN);

    assert_non_null(octets);
    assert_true(random_fill(random, octets, CMP_DEVICE_ID_LEN));
    return bytes_of(octets, CMP_DEVICE_ID_LEN);
}

static struct bytes say(struct cmp_device *d, const struct random_source *random, struct cmp_plan plan)
{
    struct cmp_person person = { .key = d->deal->signer.key };
    struct bytes message;

    plan.transaction_id = BYTES_ARRAY(d->deal->id);
    plan.nonce = chance(d, random, NULL);
    plan.protection.iterations = PASSWORD_MAC_ITERATIONS_MIN;
    plan.protection.secret = d->secret;
    if (person.key != NULL) {
        person.certificate = cmp_client_certificate(d->deal->signer.certificate);
        plan.signer = &person;
    } else {
        plan.sender = cmp_client_sender(d->arena, d->fqdn);
        plan.sender_kid = bytes_text(d->fqdn);
    }
    message = cmp_client_message(d->arena, &plan);
    d->message = message;
    return message;
}

static struct cmp_device_identity signer_of(const struct cmp_device *d, enum cmp_device_by by)
{
    switch (by) {
    case CMP_DEVICE_BY_SECRET: return d->vendor;
    case CMP_DEVICE_BY_OWN: return d->own;
    case CMP_DEVICE_BY_OLD: return d->old;
    }
    return d->vendor;
}

struct bytes cmp_device_begin(struct cmp_device *d, const struct random_source *random, enum cmp_body body,
                              enum cmp_device_by by, bool implicit)
{
    struct cmp_deal *deal = arena_alloc(d->arena, sizeof(*deal));
    struct cmp_plan plan = { .body = body, .implicit_confirm = implicit };

    assert_non_null(deal);
    *deal = (struct cmp_deal){ .next = d->deal,
                               .body = body,
                               .implicit = implicit,
                               .superseded = by == CMP_DEVICE_BY_OLD,
                               .key = d->key[d->transactions++ % 2],
                               .signer = signer_of(d, by) };
    (void)chance(d, random, deal->id);
    d->deal = deal;
    d->phase = CMP_DEVICE_ASKS;
    plan.request = (struct cmp_request_plan){ .key = deal->key, .cn = d->fqdn };
    plan.csr = (struct scep_csr_plan){ .key = deal->key, .cn = d->fqdn };
    if (body == CMP_RR)
        plan.revoke.certificate = cmp_client_certificate(deal->signer.certificate);
    deal->opening = say(d, random, plan);
    return deal->opening;
}

struct bytes cmp_device_poll(struct cmp_device *d, const struct random_source *random)
{
    return say(
        d, random,
        (struct cmp_plan){ .body = CMP_POLL_REQ, .recip_nonce = d->recip_nonce, .poll_id = d->cert_req_id });
}

struct bytes cmp_device_settle(struct cmp_device *d, const struct random_source *random, enum cmp_body body,
                               bool accept)
{
    struct cmp_plan plan = { .body = body, .recip_nonce = d->recip_nonce };

    d->deal->accepts |= accept;
    d->deal->rejects |= !accept;
    if (d->deal->certificate.len > 0) {
        plan.confirm = (struct cmp_confirm_plan){ .certificate = cmp_client_certificate(d->deal->certificate),
                                                  .cert_req_id = d->cert_req_id,
                                                  .status = accept ? CMP_ACCEPTED : CMP_REJECTION,
                                                  .fail_info = accept ? 0 : CMP_BAD_CERT_TEMPLATE };
    }
    d->phase = CMP_DEVICE_TOLD;
    return say(d, random, plan);
}

struct bytes cmp_device_go_on(struct cmp_device *d, const struct random_source *random, bool implicit)
{
    switch (d->phase) {
    case CMP_DEVICE_ASKS:
    case CMP_DEVICE_TOLD: return d->message;
    case CMP_DEVICE_WAITS: return cmp_device_poll(d, random);
    case CMP_DEVICE_HOLDS: return cmp_device_settle(d, random, CMP_CERT_CONF, true);
    case CMP_DEVICE_IDLE: break;
    }
    return cmp_device_begin(d, random, CMP_IR, CMP_DEVICE_BY_SECRET, implicit);
}

void cmp_device_request(const struct cmp_device *d, struct bytes message, struct arena *arena,
                        struct http_request *out)
{
    struct http_header *header = arena_alloc(arena, sizeof(*header));

    (void)d;
    assert_non_null(header);
    *header = (struct http_header){ BYTES_LITERAL("Content-Type"), BYTES_LITERAL("application/pkixcmp") };
    *out = (struct http_request){ .method = HTTP_METHOD_POST,
                                  .method_text = BYTES_LITERAL("POST"),
                                  .path = BYTES_LITERAL("/.well-known/cmp/p/demo"),
                                  .minor_version = 1,
                                  .header = header,
                                  .header_count = 1,
                                  .body = arena_copy(arena, message),
                                  .arena = arena };
    assert_true(ip_parse(BYTES_LITERAL("192.0.2.99"), &out->peer.address));
}

/* --- what it hears --- */
static void take_certificate(struct cmp_device *d, struct cmp_deal *deal, const struct cmp_said *said,
                             struct arena *arena)
{
    struct bytes der = cmp_client_der(arena, said->certificate);

    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(said->certificate), deal->key), 1);
    assert_int_equal(X509_check_host(said->certificate, d->fqdn, 0, 0, NULL), 1);
    if (deal->certificate.len == 0)
        deal->certificate = kept(d, der);
    else
        assert_bytes(deal->certificate, der); /* one for each transaction */
    deal->implied |= said->implicit_confirm;
    if (said->implicit_confirm)
        assert_true(deal->implicit);
}

/* The certificate of `deal` is its own now. */
static void adopt(struct cmp_device *d, const struct cmp_deal *deal)
{
    if (deal->body == CMP_KUR)
        d->old = deal->signer;
    d->own = (struct cmp_device_identity){ .certificate = deal->certificate, .key = deal->key };
    d->phase = CMP_DEVICE_IDLE;
}

static void hear_response(struct cmp_device *d, const struct cmp_said *said)
{
    bool early = d->phase == CMP_DEVICE_ASKS || d->phase == CMP_DEVICE_WAITS;

    if (!early || (said->status == CMP_WAITING && d->phase == CMP_DEVICE_WAITS))
        return; /* it knows already */
    d->recip_nonce = kept(d, said->message.header.sender_nonce);
    d->cert_req_id = said->cert_req_id;
    if (said->certificate != NULL && said->implicit_confirm)
        adopt(d, d->deal);
    else
        d->phase = said->certificate != NULL     ? CMP_DEVICE_HOLDS
                   : said->status == CMP_WAITING ? CMP_DEVICE_WAITS
                                                 : CMP_DEVICE_IDLE;
}

static void hear_error(struct cmp_device *d, const struct cmp_said *said)
{
    if (d->phase == CMP_DEVICE_TOLD && said->fail_info == CMP_CERT_CONFIRMED && !d->deal->rejects)
        adopt(d, d->deal);
    d->phase = CMP_DEVICE_IDLE;
}

/* What it said last is answered. */
static void advance(struct cmp_device *d, const struct cmp_said *said)
{
    switch (said->body) {
    case CMP_IP:
    case CMP_CP:
    case CMP_KUP: hear_response(d, said); break;
    case CMP_POLL_REP: d->recip_nonce = kept(d, said->message.header.sender_nonce); break;
    case CMP_PKICONF:
        if (d->deal->certificate.len > 0 && !d->deal->rejects)
            adopt(d, d->deal);
        d->phase = CMP_DEVICE_IDLE;
        break;
    case CMP_ERROR: hear_error(d, said); break;
    default: d->phase = CMP_DEVICE_IDLE; break;
    }
    if (said->body == CMP_RP && said->status == CMP_ACCEPTED &&
        bytes_equal(d->own.certificate, d->deal->signer.certificate))
        d->own = (struct cmp_device_identity){ 0 };
}

static struct cmp_deal *deal_of(const struct cmp_device *d, struct bytes sent)
{
    struct cmp_deal *deal = d->deal;
    struct cmp_message m;

    assert_int_equal(cmp_message_decode(sent, &m), CMP_DECODED_ALL);
    while (deal != NULL && !bytes_equal(BYTES_ARRAY(deal->id), m.header.transaction_id))
        deal = deal->next;
    assert_non_null(deal);
    return deal;
}

struct cmp_said cmp_device_hear(struct cmp_device *d, const struct a_gateway *g, struct bytes sent,
                                struct bytes reply, struct arena *arena)
{
    const struct cmp_trust trust = { .secret = d->secret,
                                     .ca = cmp_client_certificate(g->ca.chain[0]),
                                     .now_s = g->now_s };
    struct cmp_said said = cmp_client_read(arena, reply, sent, &trust);
    struct cmp_deal *deal = deal_of(d, sent);
    bool opening = bytes_equal(sent, deal->opening);

    if (deal->superseded)
        assert_true(said.body == CMP_ERROR && said.fail_info == CMP_CERT_REVOKED);
    if (said.certificate != NULL)
        take_certificate(d, deal, &said, arena);
    if (said.certificate != NULL && opening && deal->reply.len == 0)
        deal->reply = kept(d, reply);
    else if (said.certificate != NULL && opening)
        assert_bytes(deal->reply, reply);
    deal->settled |= said.body == CMP_PKICONF;
    if (deal == d->deal && (bytes_equal(sent, d->message) || (opening && said.certificate != NULL)))
        advance(d, &said);
    return said;
}
