/* What a client says: read by our own codec, and answered by OpenSSL's server. */
#include <stdio.h>

#include "tests/lib/test.h"
#include "tests/unit/proto/cmp/cmp_peer.h"

#include "proto/cmp/client.h"

static uint64_t seed = 11;
static struct random_source seeded;

static struct cmp_call a_call(void)
{
    return (struct cmp_call){ .keys = ring, .random = &seeded, .now_s = NOW_S, .arena = arena };
}

static struct cmp_client with_secret(void)
{
    return (struct cmp_client){ .kind = CMP_PROTECTION_MAC,
                                .reference = BYTES_LITERAL(PEER_REF),
                                .secret = BYTES_LITERAL(PEER_SECRET),
                                .recipient = name_of("CN=Root"),
                                .allow_hmac_sha1 = true };
}

static struct cmp_client with_key(const char *key, const struct certificate *own, const struct peer *p)
{
    return (struct cmp_client){ .kind = CMP_PROTECTION_SIGNATURE,
                                .key_name = key,
                                .certificate = own,
                                .extra_cert = { own->encoded },
                                .extra_cert_count = 1,
                                .recipient = name_of("CN=Root"),
                                .signer = p->device_der };
}

static struct cmp_wish a_wish(enum cmp_body body, const struct peer *p)
{
    return (struct cmp_wish){ .body = body,
                              .crmf = { .subject = name_of("CN=router5.example.com"),
                                        .spki = spki_of(p->new_key),
                                        .pop = CRMF_POP_RA_VERIFIED } };
}

/* --- OpenSSL's server --- */

struct mock {
    struct peer *peer;
    unsigned polls; /* pollReqs before there is a certificate */
    unsigned confirmed, revoked;
    enum cmp_body body;
    OSSL_CMP_MSG *waits;
};

static OSSL_CMP_PKISI *issue(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *request, int cert_req_id,
                             const OSSL_CRMF_MSG *crm, const X509_REQ *csr, X509 **certificate,
                             STACK_OF(X509) * *chain, STACK_OF(X509) * *ca_pubs)
{
    struct mock *mock = OSSL_CMP_SRV_CTX_get0_custom_ctx(srv);

    (void)cert_req_id;
    (void)crm;
    (void)csr;
    (void)chain;
    if (mock->polls > 0) {
        mock->waits = OSSL_CMP_MSG_dup(request);
        return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_waiting, 0, NULL);
    }
    *certificate = peer_certificate(mock->peer->issued_der);
    *ca_pubs = sk_X509_new_null();
    X509_up_ref(mock->peer->root);
    assert_int_equal(sk_X509_push(*ca_pubs, mock->peer->root), 1);
    return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_accepted, 0, NULL);
}

static OSSL_CMP_PKISI *revoke(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *request, const X509_NAME *issuer,
                              const ASN1_INTEGER *serial)
{
    struct mock *mock = OSSL_CMP_SRV_CTX_get0_custom_ctx(srv);

    (void)request;
    assert_int_equal(X509_NAME_cmp(issuer, X509_get_issuer_name(mock->peer->device)), 0);
    assert_int_equal(ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(mock->peer->device)), 0);
    mock->revoked++;
    return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_accepted, 0, NULL);
}

static int say_again(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *request, const STACK_OF(OSSL_CMP_ITAV) * in,
                     STACK_OF(OSSL_CMP_ITAV) * *out)
{
    (void)srv;
    (void)request;
    *out = sk_OSSL_CMP_ITAV_deep_copy(in, OSSL_CMP_ITAV_dup, OSSL_CMP_ITAV_free);
    return *out != NULL;
}

static void hear_error(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *request, const OSSL_CMP_PKISI *status,
                       const ASN1_INTEGER *code, const OSSL_CMP_PKIFREETEXT *details)
{
    (void)srv;
    (void)request;
    (void)status;
    (void)code;
    (void)details;
}

static int hear_confirmation(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *request, int cert_req_id,
                             const ASN1_OCTET_STRING *hash, const OSSL_CMP_PKISI *status)
{
    struct mock *mock = OSSL_CMP_SRV_CTX_get0_custom_ctx(srv);
    struct digest256 expected;

    (void)request;
    (void)cert_req_id;
    (void)status;
    assert_true(sha256(mock->peer->issued_der, &expected));
    assert_bytes(bytes_of(ASN1_STRING_get0_data(hash), (size_t)ASN1_STRING_length(hash)),
                 digest256_bytes(&expected));
    mock->confirmed++;
    return 1;
}

static int poll(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *request, int cert_req_id, OSSL_CMP_MSG **original,
                int64_t *check_after)
{
    struct mock *mock = OSSL_CMP_SRV_CTX_get0_custom_ctx(srv);

    (void)request;
    (void)cert_req_id;
    *check_after = 60;
    *original = NULL;
    if (--mock->polls == 0) {
        *original = mock->waits;
        mock->waits = NULL;
    }
    return 1;
}

static OSSL_CMP_SRV_CTX *server_of(struct mock *mock, bool by_certificate, bool grants)
{
    OSSL_CMP_SRV_CTX *srv = OSSL_CMP_SRV_CTX_new(NULL, NULL);
    OSSL_CMP_CTX *ctx;

    assert_non_null(srv);
    assert_int_equal(
        OSSL_CMP_SRV_CTX_init(srv, mock, issue, revoke, say_again, hear_error, hear_confirmation, poll), 1);
    assert_int_equal(OSSL_CMP_SRV_CTX_set_accept_raverified(srv, 1), 1);
    assert_int_equal(OSSL_CMP_SRV_CTX_set_grant_implicit_confirm(srv, grants), 1);
    ctx = OSSL_CMP_SRV_CTX_get0_cmp_ctx(srv);
    (void)OSSL_CMP_CTX_set_log_cb(ctx, quiet);
    if (by_certificate) {
        trust_root(ctx, mock->peer);
        assert_int_equal(OSSL_CMP_CTX_set1_cert(ctx, mock->peer->device), 1);
        assert_int_equal(OSSL_CMP_CTX_set1_pkey(ctx, mock->peer->key), 1);
        return srv;
    }
    assert_int_equal(
        OSSL_CMP_CTX_set1_referenceValue(ctx, (const unsigned char *)PEER_REF, (int)strlen(PEER_REF)), 1);
    assert_int_equal(
        OSSL_CMP_CTX_set1_secretValue(ctx, (const unsigned char *)PEER_SECRET, (int)strlen(PEER_SECRET)), 1);
    return srv;
}

static struct bytes served(OSSL_CMP_SRV_CTX *srv, struct bytes der)
{
    OSSL_CMP_MSG *request = peer_read(der), *answer = OSSL_CMP_SRV_process_request(srv, request);
    struct bytes out;

    if (answer == NULL)
        ERR_print_errors_fp(stderr);
    assert_non_null(answer);
    out = peer_write(answer);
    OSSL_CMP_MSG_free(request);
    OSSL_CMP_MSG_free(answer);
    return out;
}

static struct cmp_result exchange(const struct cmp_client *client, OSSL_CMP_SRV_CTX *srv, struct bytes der,
                                  struct cmp_dialog *dialog)
{
    const struct cmp_call call = a_call();
    struct cmp_result r;

    cmp_client_hear(client, &call, served(srv, der), dialog, &r);
    if (r.outcome == CMP_OUTCOME_UNBELIEVED)
        fail_msg("%s", r.what);
    return r;
}

/* One certificate from OpenSSL's server, confirmed where it was not granted implicitly. */
static void enrolls(const struct cmp_client *client, const struct cmp_wish *wish, struct mock *mock,
                    bool grants)
{
    OSSL_CMP_SRV_CTX *srv = server_of(mock, client->kind == CMP_PROTECTION_SIGNATURE, grants);
    const struct cmp_call call = a_call();
    struct cmp_dialog dialog;
    struct cmp_result r;
    struct bytes der;

    if (!cmp_client_request(client, &call, wish, &dialog, &der, &err))
        fail_msg("%s", err.text);
    r = exchange(client, srv, der, &dialog);
    while (r.outcome == CMP_OUTCOME_WAITING) {
        assert_true(cmp_client_poll(client, &call, &dialog, &der, &err));
        r = exchange(client, srv, der, &dialog);
    }
    assert_int_equal(r.outcome, CMP_OUTCOME_CERTIFICATE);
    assert_bytes(r.certificate, mock->peer->issued_der);
    assert_int_equal(r.confirm, !(grants && wish->implicit_confirm));
    if (wish->body == CMP_IR)
        assert_bytes(r.ca_pub[0], mock->peer->root_der);
    if (r.confirm) {
        assert_true(cmp_client_confirm(client, &call, true, &dialog, &der, &err));
        assert_int_equal(exchange(client, srv, der, &dialog).outcome, CMP_OUTCOME_DONE);
    }
    assert_int_equal(mock->confirmed, r.confirm ? 1 : 0);
    OSSL_CMP_SRV_CTX_free(srv);
}

static struct bytes csr_of(const struct peer *p)
{
    X509_REQ *csr = X509_REQ_new();
    unsigned char *der = NULL;
    struct bytes copy;
    int len;

    assert_int_equal(X509_REQ_set_subject_name(csr, X509_get_subject_name(p->device)), 1);
    assert_int_equal(X509_REQ_set_pubkey(csr, p->new_key), 1);
    assert_true(X509_REQ_sign(csr, p->new_key, EVP_sha256()) > 0);
    len = i2d_X509_REQ(csr, &der);
    assert_true(len > 0);
    copy = arena_copy(arena, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    X509_REQ_free(csr);
    return copy;
}

static void openssl_answers_every_request(void **state)
{
    static const enum cmp_body bodies[] = { CMP_IR, CMP_CR, CMP_P10CR };
    struct peer p = peer_new();
    struct certificate own = decoded(device_certificate(keys_public(ring, "rsa"), "CN=Gateway", "51"));
    const struct cmp_client clients[] = { with_secret(), with_key("rsa", &own, &p) };

    (void)state;
    for (size_t c = 0; c < COUNT_OF(clients); c++)
        for (size_t i = 0; i < COUNT_OF(bodies); i++)
            for (unsigned polls = 0; polls <= 2; polls++) {
                struct mock mock = { .peer = &p, .polls = polls };
                struct cmp_wish wish = a_wish(bodies[i], &p);

                wish.pkcs10 = csr_of(&p);
                enrolls(&clients[c], &wish, &mock, false);
            }
    peer_free(&p);
}

static void cmp_70_openssl_grants_implicit_confirmation_when_asked(void **state)
{
    struct peer p = peer_new();
    const struct cmp_client client = with_secret();

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct mock mock = { .peer = &p };
        struct cmp_wish wish = a_wish(CMP_IR, &p);

        wish.implicit_confirm = (i & 1) != 0;
        enrolls(&client, &wish, &mock, (i & 2) != 0);
    }
    peer_free(&p);
}

static void openssl_revokes_and_answers_questions(void **state)
{
    struct peer p = peer_new();
    struct mock mock = { .peer = &p };
    const struct cmp_client client = with_secret();
    const struct cmp_call call = a_call();
    const struct certificate device = decoded(p.device_der);
    const struct cmp_revocation_wish what = { device.issuer.encoded, device.serial, 4 };
    const struct cmp_info question = { .oid = CMP_IT_CA_CERTS };
    OSSL_CMP_SRV_CTX *srv = server_of(&mock, false, false);
    struct cmp_dialog dialog;
    struct cmp_result r;
    struct bytes der;

    (void)state;
    assert_true(cmp_client_revoke(&client, &call, &what, &dialog, &der, &err));
    assert_int_equal(exchange(&client, srv, der, &dialog).outcome, CMP_OUTCOME_DONE);
    assert_int_equal(mock.revoked, 1);
    assert_true(cmp_client_general(&client, &call, &question, 1, &dialog, &der, &err));
    r = exchange(&client, srv, der, &dialog);
    assert_int_equal(r.outcome, CMP_OUTCOME_GENERAL);
    assert_int_equal(r.info_count, 1);
    assert_bytes(r.info[0].oid, CMP_IT_CA_CERTS);
    OSSL_CMP_SRV_CTX_free(srv);
    peer_free(&p);
}

/* --- the message itself --- */

static struct cmp_message asked(const struct cmp_client *client, const struct cmp_wish *wish,
                                struct cmp_dialog *dialog)
{
    const struct cmp_call call = a_call();
    struct cmp_message m;
    struct bytes der;

    if (!cmp_client_request(client, &call, wish, dialog, &der, &err))
        fail_msg("%s", err.text);
    assert_int_equal(cmp_message_decode(der, &m), CMP_DECODED_ALL);
    return m;
}

static void cmp_23_sender_and_key_id_name_the_secret(void **state)
{
    struct peer p = peer_new();
    struct cmp_client client = with_secret();
    const struct cmp_wish wish = a_wish(CMP_IR, &p);
    struct cmp_dialog dialog;
    struct cmp_message m = asked(&client, &wish, &dialog);

    (void)state;
    assert_bytes(m.header.sender_kid, BYTES_LITERAL(PEER_REF));
    assert_bytes(m.header.sender_name, name_of("CN=" PEER_REF));
    assert_bytes(m.header.recipient_name, name_of("CN=Root"));
    assert_int_equal(m.header.pvno, 2);
    assert_int_equal(m.header.message_time_s, NOW_S);
    assert_false(m.header.has_recip_nonce);
    client.reference = hex("00ff"); /* no text, no name */
    client.recipient = BYTES_NONE;
    m = asked(&client, &wish, &dialog);
    assert_bytes(m.header.sender_kid, hex("00ff"));
    assert_bytes(m.header.sender_name, hex("3000"));
    assert_bytes(m.header.recipient_name, hex("3000"));
    peer_free(&p);
}

static void cmp_118_every_dialog_has_its_own_id_and_nonces(void **state)
{
    struct peer p = peer_new();
    const struct cmp_client client = with_secret();
    const struct cmp_wish wish = a_wish(CMP_IR, &p);
    struct cmp_dialog one, other;

    (void)state;
    (void)asked(&client, &wish, &one);
    (void)asked(&client, &wish, &other);
    assert_memory_not_equal(one.transaction_id, other.transaction_id, sizeof(one.transaction_id));
    assert_memory_not_equal(one.sender_nonce, other.sender_nonce, sizeof(one.sender_nonce));
    assert_memory_equal(one.sender_nonce, one.asked_nonce, sizeof(one.sender_nonce));
    peer_free(&p);
}

static void both_macs_are_spoken(void **state)
{
    static const enum password_mac_kind kinds[] = { PASSWORD_MAC_PBM, PASSWORD_MAC_PBMAC1 };
    const struct password_mac_rules rules = { .iterations_max = 100000 };
    struct peer p = peer_new();
    struct cmp_client client = with_secret();
    const struct cmp_wish wish = a_wish(CMP_IR, &p);

    (void)state;
    client.iterations = 2000;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct cmp_dialog dialog;
        struct cmp_message m;
        struct password_mac mac;
        struct bytes part;

        client.mac = kinds[i];
        m = asked(&client, &wish, &dialog);
        assert_int_equal(password_mac_decode(m.header.protection_alg, &rules, &mac), PASSWORD_MAC_OK);
        assert_int_equal(mac.kind, kinds[i]);
        assert_int_equal(mac.iterations, 2000);
        assert_true(cmp_protected_part(&m, arena, &part));
        assert_true(password_mac_holds(&mac, BYTES_LITERAL(PEER_SECRET), part, m.protection));
    }
    peer_free(&p);
}

static void a_profile_may_be_named(void **state)
{
    struct peer p = peer_new();
    const struct cmp_client client = with_secret();
    struct cmp_wish wish = a_wish(CMP_IR, &p);
    const struct cmp_info *info;
    struct cmp_dialog dialog;
    struct cmp_message m;

    (void)state;
    wish.profile = BYTES_LITERAL("device");
    m = asked(&client, &wish, &dialog);
    info = cmp_info_find(m.header.info, m.header.info_count, CMP_IT_CERT_PROFILE);
    assert_non_null(info);
    assert_bytes(info->value, hex("3008 0c06 646576696365"));
    peer_free(&p);
}

static void without_credentials_nothing_is_said(void **state)
{
    struct peer p = peer_new();
    const struct cmp_client none = { .kind = CMP_PROTECTION_NONE };
    struct cmp_client empty = with_secret();
    const struct cmp_wish wish = a_wish(CMP_IR, &p), wrong = a_wish(CMP_IP, &p);
    const struct cmp_call call = a_call();
    struct cmp_dialog dialog = { .stage = CMP_DIALOG_NONE };
    struct bytes der = BYTES_NONE;

    (void)state;
    empty.secret = BYTES_NONE;
    assert_false(cmp_client_request(&none, &call, &wish, &dialog, &der, &err));
    assert_false(cmp_client_request(&empty, &call, &wish, &dialog, &der, &err));
    assert_false(cmp_client_request(&empty, &call, &wrong, &dialog, &der, &err));
    assert_int_equal(dialog.stage, CMP_DIALOG_NONE);
    assert_null(der.data);
    peer_free(&p);
}

static int open_seeded(void **state)
{
    seeded = random_seeded(&seed);
    return open_arena(state);
}
#define CLIENT_TEST(name) cmocka_unit_test_setup_teardown(name, open_seeded, close_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(openssl_answers_every_request),
        CLIENT_TEST(cmp_70_openssl_grants_implicit_confirmation_when_asked),
        CLIENT_TEST(openssl_revokes_and_answers_questions),
        CLIENT_TEST(cmp_23_sender_and_key_id_name_the_secret),
        CLIENT_TEST(cmp_118_every_dialog_has_its_own_id_and_nonces),
        CLIENT_TEST(both_macs_are_spoken),
        CLIENT_TEST(a_profile_may_be_named),
        CLIENT_TEST(without_credentials_nothing_is_said),
    };
    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
