/* client_world.h: a client of ours, and a CA that answers it by the script of a test: a valid answer, and one
 * thing of it that is different. */
#ifndef MUSTER_TEST_CMP_CLIENT_WORLD_H
#define MUSTER_TEST_CMP_CLIENT_WORLD_H

#include "proto/cmp/client.h"
#include "tests/lib/test.h"
#include "tests/unit/lib/pki/certificates.h"

#define REFERENCE "router5.example.com"
#define SECRET    "correct horse"

static uint64_t seed;
static struct random_source seeded;

UNUSED static struct cmp_call a_call(void)
{
    return (struct cmp_call){ .keys = ring, .random = &seeded, .now_s = NOW_S, .arena = arena };
}

/* --- certificates: the root is "p256", the CA's signer of answers "p384", ours "other" --- */
UNUSED static struct bytes the_root(void)
{
    return root_of("CN=Root", "p256");
}

UNUSED static struct certificate_template issued_to(const char *subject, const char *key, const char *serial)
{
    struct certificate_template t = plain("CN=Root", "p256");

    t.subject = name_of(subject);
    t.spki = keys_public(ring, key);
    t.serial = hex(serial);
    t.key_usage = KEY_USAGE_DIGITAL_SIGNATURE;
    return t;
}

UNUSED static struct bytes signer_with(const struct bytes *usage, struct certificate_template t)
{
    t.extended_key_usage = usage;
    t.extended_key_usage_count = usage != NULL ? 1 : 0;
    return signed_by("p256", t);
}

/* With cmcRA. */
UNUSED static struct bytes the_signer(void)
{
    return signer_with(&CMP_KP_CMC_RA, issued_to("CN=CMP", "p384", "31"));
}

UNUSED static struct bytes device_certificate(void)
{
    return signed_by("p256", issued_to("CN=" REFERENCE, "rsa", "32"));
}

/* --- the client --- */
UNUSED static struct cmp_client client_with_secret(void)
{
    return (struct cmp_client){ .kind = CMP_PROTECTION_MAC,
                                .reference = BYTES_LITERAL(REFERENCE),
                                .secret = BYTES_LITERAL(SECRET) };
}

UNUSED static struct anchors *anchors_of(struct bytes root)
{
    struct anchors *anchors;

    assert_true(anchors_new(&root, 1, &anchors, &err));
    return anchors;
}

/* Signs with "other"; believes whom the root vouches for. */
UNUSED static struct cmp_client client_with_key(const struct anchors *anchors)
{
    struct certificate *own = arena_alloc(arena, sizeof(*own));

    assert_non_null(own);
    *own = decoded(signer_with(&CMP_KP_CMC_RA, issued_to("CN=Gateway", "other", "33")));
    return (struct cmp_client){ .kind = CMP_PROTECTION_SIGNATURE,
                                .key_name = "other",
                                .certificate = own,
                                .extra_cert = { own->encoded },
                                .extra_cert_count = 1,
                                .anchors = anchors,
                                .ca = the_root() };
}

UNUSED static struct cmp_wish a_wish(enum cmp_body body)
{
    return (struct cmp_wish){ .body = body,
                              .pkcs10 = hex("3003 020100"), /* the client does not look into it */
                              .crmf = { .subject = name_of("CN=" REFERENCE),
                                        .spki = keys_public(ring, "rsa"),
                                        .pop = CRMF_POP_RA_VERIFIED } };
}

UNUSED static struct bytes asks_for(const struct cmp_client *client, enum cmp_body body,
                                    bool implicit_confirm, struct cmp_dialog *dialog)
{
    const struct cmp_call call = a_call();
    struct cmp_wish wish = a_wish(body);
    struct bytes der;

    wish.implicit_confirm = implicit_confirm;
    if (!cmp_client_request(client, &call, &wish, dialog, &der, &err))
        fail_msg("%s", err.text);
    return der;
}

/* --- the CA --- */
struct answer {
    enum cmp_body body;
    struct bytes content;
    bool implicit_confirm;
    /* what is different; none: nothing */
    uint64_t pvno;
    struct bytes transaction_id, recip_nonce, sender_nonce;
    bool no_recip_nonce, unprotected, no_extra_cert;
    const char *secret, *key;
    enum digest_algorithm mac;
    uint32_t iterations;
    struct bytes signer; /* of `key`; signed instead of a MAC */
};

UNUSED static struct cmp_protector protector_for(const struct answer *a, struct certificate *signer)
{
    if (a->unprotected)
        return (struct cmp_protector){ .kind = CMP_PROTECTION_NONE };
    if (a->signer.len == 0)
        return (struct cmp_protector){
            .kind = CMP_PROTECTION_MAC,
            .mac = { .kind = PASSWORD_MAC_PBM,
                     .salt = BYTES_LITERAL("0123456789abcdef"),
                     .iterations = a->iterations > 0 ? a->iterations : 500,
                     .hash = DIGEST_SHA256,
                     .mac = a->mac != DIGEST_NONE ? a->mac : DIGEST_SHA256 },
            .secret = bytes_text(a->secret != NULL ? a->secret : SECRET),
        };
    *signer = decoded(a->signer);
    return (struct cmp_protector){ .kind = CMP_PROTECTION_SIGNATURE,
                                   .keys = ring,
                                   .key_name = a->key != NULL ? a->key : "p384",
                                   .certificate = signer };
}

UNUSED static struct bytes chosen(struct bytes different, struct bytes right)
{
    return different.len > 0 ? different : right;
}

UNUSED static struct bytes answered(struct bytes request, const struct answer *a)
{
    static const uint8_t null_value[] = { 0x05, 0x00 };
    struct cmp_message m;
    struct certificate signer;
    const struct cmp_protector protector = protector_for(a, &signer);
    struct bytes der;

    assert_int_equal(cmp_message_decode(request, &m), CMP_DECODED_ALL);
    struct cmp_header h = {
        .pvno = a->pvno > 0 ? a->pvno : 2,
        .has_transaction_id = true,
        .transaction_id = chosen(a->transaction_id, m.header.transaction_id),
        .has_sender_nonce = true,
        .sender_nonce = chosen(a->sender_nonce, hex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")),
        .has_recip_nonce = !a->no_recip_nonce,
        .recip_nonce = chosen(a->recip_nonce, m.header.sender_nonce),
        .info = { { .oid = CMP_IT_IMPLICIT_CONFIRM, .value = BYTES_ARRAY(null_value) } },
        .info_count = a->implicit_confirm ? 1 : 0,
    };
    if (!cmp_protect(&protector, h, a->body, a->content, &a->signer,
                     a->signer.len > 0 && !a->no_extra_cert ? 1 : 0, arena, &der, &err))
        fail_msg("%s", err.text);
    return der;
}

/* --- contents --- */
UNUSED static struct bytes response(enum cmp_status status, struct bytes certificate, int64_t id)
{
    const struct cmp_cert_rep rep = {
        .response = { { .cert_req_id = id, .status = { .status = status }, .certificate = certificate } },
        .response_count = 1,
    };
    struct buffer out = BUFFER(1 << 18);

    cmp_cert_rep_put(&out, &rep);
    return kept(&out);
}

UNUSED static struct bytes refusal(enum cmp_fail_info why, const char *text)
{
    const struct cmp_status_info status = { .status = CMP_REJECTION,
                                            .fail_info = (uint32_t)why,
                                            .text = bytes_text(text) };
    struct buffer out = BUFFER(4096);

    cmp_error_put(&out, &status);
    return kept(&out);
}

UNUSED static struct bytes wait_error(void)
{
    const struct cmp_status_info status = { .status = CMP_WAITING };
    struct buffer out = BUFFER(4096);

    cmp_error_put(&out, &status);
    return kept(&out);
}

UNUSED static struct bytes poll_rep(int64_t id, uint64_t after_s)
{
    const struct cmp_poll_rep rep = { .cert_req_id = id, .check_after_s = after_s };
    struct buffer out = BUFFER(4096);

    cmp_poll_rep_put(&out, &rep);
    return kept(&out);
}

#define CONFIRMED                                   \
    (struct answer)                                 \
    {                                               \
        .body = CMP_PKICONF, .content = hex("0500") \
    }
#define GRANTED                                                                    \
    (struct answer)                                                                \
    {                                                                              \
        .body = CMP_IP, .content = response(CMP_ACCEPTED, device_certificate(), 0) \
    }

UNUSED static struct cmp_result hears(const struct cmp_client *client, struct cmp_dialog *dialog,
                                      struct bytes request, struct answer a)
{
    const struct cmp_call call = a_call();
    struct cmp_result result;

    cmp_client_hear(client, &call, answered(request, &a), dialog, &result);
    return result;
}

UNUSED static int open_world(void **state)
{
    seed = 7;
    seeded = random_seeded(&seed);
    return open_arena(state);
}

#define CLIENT_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_arena)

#endif
