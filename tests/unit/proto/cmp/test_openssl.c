/* Whole conversations: OpenSSL's client with this codec as its server, and OpenSSL's server with this codec
 * as its client. */
#include "lib/pki/crmf.h"
#include "proto/cmp/protect.h"
#include "tests/lib/test.h"
#include "tests/unit/proto/cmp/cmp_peer.h"

static const struct password_mac_rules any_mac = { .iterations_max = 10000, .allow_hmac_sha1 = true };

static struct cmp_protector with_secret(void)
{
    return (struct cmp_protector){
        .kind = CMP_PROTECTION_MAC,
        .mac = { .kind = PASSWORD_MAC_PBM,
                 .salt = hex("000102030405060708090a0b0c0d0e0f"),
                 .iterations = 1000,
                 .hash = DIGEST_SHA256,
                 .mac = DIGEST_SHA256 },
        .secret = BYTES_LITERAL(PEER_SECRET),
    };
}

static struct cmp_protector with_key(const char *key, const struct certificate *certificate)
{
    return (struct cmp_protector){
        .kind = CMP_PROTECTION_SIGNATURE, .keys = ring, .key_name = key, .certificate = certificate
    };
}

/* --- a server of this codec --- */

struct server {
    struct cmp_protector protector;
    struct bytes certificate; /* what is issued; none: refused */
    struct bytes ca_pub;      /* none: no caPubs */
    struct bytes chain[2];    /* extraCerts */
    size_t chain_count;
    unsigned waiting; /* answers before the one that counts */
    bool grants_implicit_confirm, answers_error;
    struct cmp_cert_status confirmed; /* what was heard */
    struct cmp_rev_details revoked;
    struct cmp_info asked;
    enum cmp_body last_request;
};

static const struct cmp_status_info refusal = { CMP_REJECTION, CMP_BAD_CERT_TEMPLATE,
                                                BYTES_LITERAL("no such name") };

static enum cmp_body answer_to(enum cmp_body request)
{
    return request == CMP_P10CR ? CMP_CP : (enum cmp_body)(request + 1);
}

static void put_certificate(struct buffer *out, struct server *s, int64_t cert_req_id)
{
    struct cmp_cert_rep rep = { .response_count = 1 };
    struct cmp_cert_response *r = &rep.response[0];

    r->cert_req_id = cert_req_id;
    if (s->waiting > 0) {
        r->status.status = CMP_WAITING;
    } else if (s->certificate.len == 0) {
        r->status = refusal;
    } else {
        r->status.status = CMP_ACCEPTED;
        r->certificate = s->certificate;
        if (s->ca_pub.len > 0)
            rep.ca_pub[rep.ca_pub_count++] = s->ca_pub;
    }
    cmp_cert_rep_put(out, &rep);
}

static enum cmp_body put_poll_answer(struct buffer *out, struct server *s, struct bytes content)
{
    struct cmp_poll_rep rep = { .check_after_s = 0 };
    size_t count;

    assert_true(cmp_poll_req_decode(content, &rep.cert_req_id, 1, &count));
    assert_int_equal(count, 1);
    if (--s->waiting > 0) {
        cmp_poll_rep_put(out, &rep);
        return CMP_POLL_REP;
    }
    put_certificate(out, s, rep.cert_req_id);
    return answer_to(s->last_request);
}

static enum cmp_body put_answer(struct buffer *out, struct server *s, const struct cmp_message *request)
{
    struct cmp_status_info accepted = { .status = CMP_ACCEPTED };
    struct cmp_info answered;
    struct bytes element[1];
    size_t count;

    switch (request->body) {
    case CMP_IR:
    case CMP_CR:
    case CMP_KUR:
        assert_true(cmp_elements_decode(request->content, element, 1, &count));
        put_certificate(out, s, 0);
        break;
    case CMP_P10CR: put_certificate(out, s, -1); break;
    case CMP_POLL_REQ: return put_poll_answer(out, s, request->content);
    case CMP_CERT_CONF:
        assert_true(cmp_cert_conf_decode(request->content, &s->confirmed, 1, &count));
        assert_int_equal(count, 1);
        der_put_null(out);
        return CMP_PKICONF;
    case CMP_RR:
        assert_true(cmp_rev_req_decode(request->content, arena, &s->revoked, 1, &count));
        cmp_rev_rep_put(out, &accepted);
        break;
    case CMP_GENM:
        assert_true(cmp_general_decode(request->content, &s->asked, 1, &count));
        answered = (struct cmp_info){ .oid = s->asked.oid, .value = wrap(DER_SEQUENCE, s->ca_pub) };
        cmp_general_put(out, &answered, 1);
        break;
    default: fail_msg("%s", cmp_body_name(request->body));
    }
    s->last_request = request->body;
    return answer_to(request->body);
}

static struct bytes serve(struct conversation *c, const struct cmp_message *request)
{
    struct server *s = c->more;
    struct buffer content = BUFFER(1 << 16);
    struct cmp_header header = {
        .pvno = request->header.pvno,
        .sender = wrap(DER_CONTEXT(4), name_of("CN=RA")),
        .recipient = request->header.sender,
        .sender_kid = request->header.sender_kid,
        .has_transaction_id = true,
        .transaction_id = request->header.transaction_id,
        .has_sender_nonce = true,
        .sender_nonce = hex("0f0e0d0c0b0a09080706050403020100"),
        .has_recip_nonce = true,
        .recip_nonce = request->header.sender_nonce,
    };
    const struct cmp_info *implicit = cmp_info_find(request->header.info, request->header.info_count,
                                                    CMP_IT_IMPLICIT_CONFIRM);
    enum cmp_body body = put_answer(&content, s, request);
    struct bytes der;

    if (s->answers_error) {
        buffer_free(&content);
        cmp_error_put(&content, &refusal);
        body = CMP_ERROR;
    }
    if (implicit != NULL && s->grants_implicit_confirm)
        header.info[header.info_count++] = *implicit;
    if (!cmp_protect(&s->protector, header, body, kept(&content), s->chain, s->chain_count, arena, &der,
                     &err))
        fail_msg("%s", err.text);
    return der;
}

static void assert_issued(OSSL_CMP_CTX *ctx, struct bytes expected)
{
    unsigned char *der = NULL;
    int len = i2d_X509(OSSL_CMP_CTX_get0_newCert(ctx), &der);

    assert_true(len > 0);
    assert_bytes(bytes_of(der, (size_t)len), expected);
    OPENSSL_free(der);
}

static void a_client_with_a_secret_gets_its_certificate_and_confirms_it(void **state)
{
    static const enum cmp_body bodies[] = { CMP_IR, CMP_CR, CMP_P10CR };
    struct peer p = peer_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct server s = { .protector = with_secret(), .certificate = p.issued_der };
        struct conversation c = { .answer = serve, .more = &s };
        OSSL_CMP_CTX *ctx = client_with_secret(&p, &c);
        struct digest256 hash;

        if (bodies[i] == CMP_P10CR)
            give_csr(ctx, &p);
        assert_true(client_runs(ctx, bodies[i]));
        assert_issued(ctx, p.issued_der);
        assert_int_equal(c.count, 2);
        assert_true(sha256(p.issued_der, &hash));
        assert_bytes(s.confirmed.cert_hash, digest256_bytes(&hash));
        assert_int_equal(s.confirmed.cert_req_id, bodies[i] == CMP_P10CR ? -1 : 0);
        assert_true(!s.confirmed.has_status || s.confirmed.status.status == CMP_ACCEPTED);
        OSSL_CMP_CTX_free(ctx);
    }
    peer_free(&p);
}

static void a_client_with_a_certificate_gets_another_one(void **state)
{
    static const enum cmp_body bodies[] = { CMP_IR, CMP_CR, CMP_P10CR, CMP_KUR };
    static const char *const keys[] = { "p256", "rsa", "ed25519", "p384" };
    struct peer p = peer_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct certificate ra = decoded(device_certificate(keys_public(ring, keys[i]), "CN=RA", "41"));
        struct server s = { .protector = with_key(keys[i], &ra),
                            .certificate = p.issued_der,
                            .chain = { ra.encoded, p.root_der },
                            .chain_count = 2 };
        struct conversation c = { .answer = serve, .more = &s };
        OSSL_CMP_CTX *ctx = client_with_certificate(&p, &c);

        if (bodies[i] == CMP_P10CR)
            give_csr(ctx, &p);
        assert_true(client_runs(ctx, bodies[i]));
        assert_issued(ctx, p.issued_der);
        assert_int_equal(c.count, 2);
        OSSL_CMP_CTX_free(ctx);
    }
    peer_free(&p);
}

static void a_client_learns_the_anchor(void **state)
{
    struct peer p = peer_new();
    struct server s = { .protector = with_secret(), .certificate = p.issued_der, .ca_pub = p.root_der };
    struct conversation c = { .answer = serve, .more = &s };
    OSSL_CMP_CTX *ctx = client_with_secret(&p, &c);
    STACK_OF(X509) * learnt;

    (void)state;
    assert_true(client_runs(ctx, CMP_IR));
    learnt = OSSL_CMP_CTX_get1_caPubs(ctx);
    assert_int_equal(sk_X509_num(learnt), 1);
    assert_int_equal(X509_cmp(sk_X509_value(learnt, 0), p.root), 0);
    sk_X509_pop_free(learnt, X509_free);
    OSSL_CMP_CTX_free(ctx);
    peer_free(&p);
}

static void an_implicit_confirmation_ends_the_conversation(void **state)
{
    struct peer p = peer_new();

    (void)state;
    for (int granted = 0; granted <= 1; granted++) {
        struct server s = { .protector = with_secret(),
                            .certificate = p.issued_der,
                            .grants_implicit_confirm = granted };
        struct conversation c = { .answer = serve, .more = &s };
        OSSL_CMP_CTX *ctx = client_with_secret(&p, &c);

        assert_int_equal(OSSL_CMP_CTX_set_option(ctx, OSSL_CMP_OPT_IMPLICIT_CONFIRM, 1), 1);
        assert_true(client_runs(ctx, CMP_IR));
        assert_int_equal(c.count, granted ? 1 : 2);
        OSSL_CMP_CTX_free(ctx);
    }
    peer_free(&p);
}

static void a_client_polls_until_it_is_served(void **state)
{
    struct peer p = peer_new();
    struct server s = { .protector = with_secret(), .certificate = p.issued_der, .waiting = 3 };
    struct conversation c = { .answer = serve, .more = &s };
    OSSL_CMP_CTX *ctx = client_with_secret(&p, &c);

    (void)state;
    assert_true(client_runs(ctx, CMP_CR));
    assert_issued(ctx, p.issued_der);
    assert_int_equal(c.count, 5); /* cr, three times pollReq, certConf */
    OSSL_CMP_CTX_free(ctx);
    peer_free(&p);
}

static void a_refusal_is_understood(void **state)
{
    struct peer p = peer_new();

    (void)state;
    for (int as_error = 0; as_error <= 1; as_error++) {
        struct server s = { .protector = with_secret(), .answers_error = as_error };
        struct conversation c = { .answer = serve, .more = &s };
        OSSL_CMP_CTX *ctx = client_with_secret(&p, &c);
        OSSL_CMP_PKIFREETEXT *text;

        (void)OSSL_CMP_CTX_set_log_verbosity(ctx, 0);
        assert_false(client_runs(ctx, CMP_IR));
        assert_int_equal(OSSL_CMP_CTX_get_status(ctx), OSSL_CMP_PKISTATUS_rejection);
        assert_int_equal(OSSL_CMP_CTX_get_failInfoCode(ctx), CMP_BAD_CERT_TEMPLATE);
        text = OSSL_CMP_CTX_get0_statusString(ctx);
        assert_int_equal(sk_ASN1_UTF8STRING_num(text), 1);
        assert_string_equal((const char *)ASN1_STRING_get0_data(sk_ASN1_UTF8STRING_value(text, 0)),
                            "no such name");
        ERR_clear_error();
        OSSL_CMP_CTX_free(ctx);
    }
    peer_free(&p);
}

static void a_client_rejects_a_certificate_of_another_key(void **state)
{
    struct peer p = peer_new();
    struct server s = { .protector = with_secret(), .certificate = p.device_der };
    struct conversation c = { .answer = serve, .more = &s };
    OSSL_CMP_CTX *ctx = client_with_secret(&p, &c);

    (void)state;
    (void)OSSL_CMP_CTX_set_log_verbosity(ctx, 0);
    assert_false(client_runs(ctx, CMP_IR));
    assert_int_equal(c.count, 2);
    assert_true(s.confirmed.has_status);
    assert_int_equal(s.confirmed.status.status, CMP_REJECTION);
    assert_true(s.confirmed.status.text.len > 0);
    ERR_clear_error();
    OSSL_CMP_CTX_free(ctx);
    peer_free(&p);
}

static void a_client_revokes(void **state)
{
    struct peer p = peer_new();

    (void)state;
    for (int reason = -1; reason <= 1; reason += 2) {
        struct certificate ra = decoded(device_certificate(keys_public(ring, "p256"), "CN=RA", "41"));
        struct server s = { .protector = with_key("p256", &ra), .chain = { ra.encoded }, .chain_count = 1 };
        struct conversation c = { .answer = serve, .more = &s };
        OSSL_CMP_CTX *ctx = client_with_certificate(&p, &c);

        assert_int_equal(OSSL_CMP_CTX_set_option(ctx, OSSL_CMP_OPT_REVOCATION_REASON, reason), 1);
        assert_true(client_runs(ctx, CMP_RR));
        assert_true(s.revoked.details.has_serial && s.revoked.details.has_issuer);
        assert_bytes(s.revoked.details.serial, hex("21"));
        assert_bytes(s.revoked.details.issuer, name_of("CN=Root"));
        if (reason < 0)
            assert_null(s.revoked.crl_entry_details.data);
        else
            assert_bytes(s.revoked.crl_entry_details, hex("300c 300a 0603551d15 0403 0a0101"));
        OSSL_CMP_CTX_free(ctx);
    }
    peer_free(&p);
}

static void a_client_asks_for_the_certificates_of_the_ca(void **state)
{
    struct peer p = peer_new();
    struct server s = { .protector = with_secret(), .ca_pub = p.root_der };
    struct conversation c = { .answer = serve, .more = &s };
    OSSL_CMP_CTX *ctx = client_with_secret(&p, &c);

    (void)state;
    assert_int_equal(
        OSSL_CMP_CTX_push0_genm_ITAV(ctx, OSSL_CMP_ITAV_create(OBJ_txt2obj("1.3.6.1.5.5.7.4.17", 1), NULL)),
        1);
    assert_true(client_runs(ctx, CMP_GENM));
    assert_bytes(s.asked.oid, CMP_IT_CA_CERTS);
    assert_null(s.asked.value.data);
    OSSL_CMP_CTX_free(ctx);
    peer_free(&p);
}

/* --- a client of this codec --- */

static OSSL_CMP_PKISI *issue(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *request, int cert_req_id,
                             const OSSL_CRMF_MSG *crm, const X509_REQ *csr, X509 **certificate,
                             STACK_OF(X509) * *chain, STACK_OF(X509) * *ca_pubs)
{
    const struct peer *p = OSSL_CMP_SRV_CTX_get0_custom_ctx(srv);

    (void)request;
    (void)chain;
    assert_true((crm != NULL) == (csr == NULL));
    assert_int_equal(cert_req_id, csr != NULL ? -1 : 0);
    *certificate = peer_certificate(p->issued_der);
    *ca_pubs = sk_X509_new_null();
    X509_up_ref(p->root);
    assert_int_equal(sk_X509_push(*ca_pubs, p->root), 1);
    return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_grantedWithMods, 0, "granted");
}

static OSSL_CMP_PKISI *revoke(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *request, const X509_NAME *issuer,
                              const ASN1_INTEGER *serial)
{
    const struct peer *p = OSSL_CMP_SRV_CTX_get0_custom_ctx(srv);

    (void)request;
    assert_int_equal(X509_NAME_cmp(issuer, X509_get_issuer_name(p->device)), 0);
    assert_int_equal(ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(p->device)), 0);
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
    (void)srv;
    (void)request;
    (void)cert_req_id;
    (void)status;
    assert_int_equal(ASN1_STRING_length(hash), DIGEST256_LEN);
    return 1;
}

static int poll(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *request, int cert_req_id, OSSL_CMP_MSG **original,
                int64_t *check_after)
{
    (void)srv;
    (void)request;
    (void)cert_req_id;
    (void)original;
    *check_after = 60;
    return 1;
}

/* With the secret, and with the root's own key and certificate. */
static OSSL_CMP_SRV_CTX *server_of(struct peer *p, bool by_certificate)
{
    OSSL_CMP_SRV_CTX *srv = OSSL_CMP_SRV_CTX_new(NULL, NULL);
    OSSL_CMP_CTX *ctx;

    assert_non_null(srv);
    assert_int_equal(
        OSSL_CMP_SRV_CTX_init(srv, p, issue, revoke, say_again, hear_error, hear_confirmation, poll), 1);
    ctx = OSSL_CMP_SRV_CTX_get0_cmp_ctx(srv);
    (void)OSSL_CMP_CTX_set_log_cb(ctx, quiet);
    if (by_certificate) {
        trust_root(ctx, p);
        assert_int_equal(OSSL_CMP_CTX_set1_cert(ctx, p->device), 1);
        assert_int_equal(OSSL_CMP_CTX_set1_pkey(ctx, p->key), 1);
        return srv;
    }
    assert_int_equal(
        OSSL_CMP_CTX_set1_referenceValue(ctx, (const unsigned char *)PEER_REF, (int)strlen(PEER_REF)), 1);
    assert_int_equal(
        OSSL_CMP_CTX_set1_secretValue(ctx, (const unsigned char *)PEER_SECRET, (int)strlen(PEER_SECRET)), 1);
    return srv;
}

struct client {
    OSSL_CMP_SRV_CTX *srv;
    struct cmp_protector protector;
    struct bytes extra; /* none: no certificate is sent */
    struct cmp_header header;
};

static struct client client_new(OSSL_CMP_SRV_CTX *srv, struct cmp_protector protector)
{
    return (struct client){ .srv = srv,
                            .protector = protector,
                            .header = {
                                .pvno = 2,
                                .sender = wrap(DER_CONTEXT(4), name_of("CN=router5.example.com")),
                                .recipient = wrap(DER_CONTEXT(4), name_of("CN=Root")),
                                .sender_kid = BYTES_LITERAL(PEER_REF),
                                .has_message_time = true,
                                .message_time_s = NOW_S,
                                .has_transaction_id = true,
                                .transaction_id = hex("00112233445566778899aabbccddeeff"),
                                .has_sender_nonce = true,
                                .sender_nonce = hex("ffeeddccbbaa99887766554433221100"),
                            } };
}

static void assert_protected(const struct client *client, const struct cmp_message *m)
{
    struct password_mac mac;
    struct certificate signer;
    struct bytes part;

    assert_int_equal(cmp_protection_of(m), client->protector.kind);
    if (client->protector.kind == CMP_PROTECTION_SIGNATURE) {
        assert_true(cmp_signer_certificate(m, arena, &signer));
        assert_int_equal(cmp_verify_signature(m, &signer.key, arena), SIGNATURE_OK);
        return;
    }
    assert_int_equal(password_mac_decode(m->header.protection_alg, &any_mac, &mac), PASSWORD_MAC_OK);
    assert_true(cmp_protected_part(m, arena, &part));
    assert_true(password_mac_holds(&mac, BYTES_LITERAL(PEER_SECRET), part, m->protection));
}

/* Says it and hears the answer, which belongs to it and is protected. */
static struct cmp_message ask(struct client *client, enum cmp_body body, struct bytes content)
{
    OSSL_CMP_MSG *request, *answer;
    struct cmp_message m;
    struct bytes der;

    if (!cmp_protect(&client->protector, client->header, body, content, &client->extra,
                     client->extra.len > 0 ? 1 : 0, arena, &der, &err))
        fail_msg("%s", err.text);
    request = peer_read(der);
    answer = OSSL_CMP_SRV_process_request(client->srv, request);
    if (answer == NULL)
        ERR_print_errors_fp(stderr);
    assert_non_null(answer);
    assert_int_equal(cmp_message_decode(peer_write(answer), &m), CMP_DECODED_ALL);
    OSSL_CMP_MSG_free(request);
    OSSL_CMP_MSG_free(answer);
    assert_bytes(m.header.transaction_id, client->header.transaction_id);
    assert_bytes(m.header.recip_nonce, client->header.sender_nonce);
    assert_protected(client, &m);
    client->header.has_recip_nonce = true;
    client->header.recip_nonce = m.header.sender_nonce;
    return m;
}

static struct bytes cert_request(struct bytes spki, const char *key)
{
    struct crmf_order order = { .subject = name_of("CN=router5.example.com"),
                                .spki = spki,
                                .pop = CRMF_POP_SIGNATURE,
                                .keys = ring,
                                .key_name = key };
    struct buffer out = BUFFER(1 << 16);

    if (!crmf_put(&out, &order, arena, &err))
        fail_msg("%s", err.text);
    return wrap(DER_SEQUENCE, kept(&out));
}

static struct bytes confirmation(struct bytes certificate)
{
    struct cmp_cert_status status = { .has_status = true, .status = { .status = CMP_ACCEPTED } };
    struct buffer out = BUFFER(1024);
    struct digest256 hash;

    assert_true(sha256(certificate, &hash));
    status.cert_hash = digest256_bytes(&hash);
    cmp_cert_conf_put(&out, &status, 1);
    return kept(&out);
}

static void enroll_over(struct client *client, enum cmp_body body, struct bytes content, const struct peer *p)
{
    struct cmp_message m = ask(client, body, content);
    struct cmp_cert_rep rep;

    assert_int_equal(m.body, answer_to(body));
    assert_true(cmp_cert_rep_decode(m.content, arena, &rep));
    assert_int_equal(rep.response_count, 1);
    assert_int_equal(rep.response[0].cert_req_id, body == CMP_P10CR ? -1 : 0);
    assert_int_equal(rep.response[0].status.status, CMP_GRANTED_WITH_MODS);
    assert_text(rep.response[0].status.text, "granted");
    assert_bytes(rep.response[0].certificate, p->issued_der);
    if (body == CMP_IR)
        assert_bytes(rep.ca_pub[0], p->root_der);
    m = ask(client, CMP_CERT_CONF, confirmation(p->issued_der));
    assert_int_equal(m.body, CMP_PKICONF);
    assert_bytes(m.content, hex("0500"));
}

static void a_server_takes_requests_under_a_secret(void **state)
{
    static const enum cmp_body bodies[] = { CMP_IR, CMP_CR };
    struct peer p = peer_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        OSSL_CMP_SRV_CTX *srv = server_of(&p, false);
        struct client client = client_new(srv, with_secret());

        enroll_over(&client, bodies[i], cert_request(keys_public(ring, "p384"), "p384"), &p);
        OSSL_CMP_SRV_CTX_free(srv);
    }
    peer_free(&p);
}

static void a_server_takes_requests_under_a_signature(void **state)
{
    static const enum cmp_body bodies[] = { CMP_IR, CMP_CR, CMP_KUR };
    struct peer p = peer_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        OSSL_CMP_SRV_CTX *srv = server_of(&p, true);
        struct certificate own = decoded(device_certificate(keys_public(ring, "rsa"), "CN=device", "51"));
        struct client client = client_new(srv, with_key("rsa", &own));

        client.extra = own.encoded;
        enroll_over(&client, bodies[i], cert_request(keys_public(ring, "p384"), "p384"), &p);
        OSSL_CMP_SRV_CTX_free(srv);
    }
    peer_free(&p);
}

static void a_server_takes_a_revocation(void **state)
{
    struct peer p = peer_new();
    OSSL_CMP_SRV_CTX *srv = server_of(&p, false);
    struct client client = client_new(srv, with_secret());
    struct certificate device = decoded(p.device_der);
    struct buffer content = BUFFER(1024);
    struct cmp_status_info status;
    struct cmp_message m;
    size_t count;

    (void)state;
    cmp_rev_req_put(&content, device.issuer.encoded, device.serial, 4);
    m = ask(&client, CMP_RR, kept(&content));
    assert_int_equal(m.body, CMP_RP);
    assert_true(cmp_rev_rep_decode(m.content, &status, 1, &count));
    assert_int_equal(status.status, CMP_ACCEPTED);
    OSSL_CMP_SRV_CTX_free(srv);
    peer_free(&p);
}

static void a_server_takes_a_general_message(void **state)
{
    const struct cmp_info asked[] = { { .oid = CMP_IT_CA_CERTS },
                                      { .oid = CMP_IT_CERT_PROFILE, .value = hex("3000") } };
    struct peer p = peer_new();
    OSSL_CMP_SRV_CTX *srv = server_of(&p, false);
    struct client client = client_new(srv, with_secret());
    struct buffer content = BUFFER(1024);
    struct cmp_info answered[2];
    struct cmp_message m;
    size_t count;

    (void)state;
    cmp_general_put(&content, asked, 2);
    m = ask(&client, CMP_GENM, kept(&content));
    assert_int_equal(m.body, CMP_GENP);
    assert_true(cmp_general_decode(m.content, answered, 2, &count));
    assert_int_equal(count, 2);
    assert_bytes(answered[0].oid, CMP_IT_CA_CERTS);
    assert_null(answered[0].value.data);
    assert_bytes(answered[1].value, hex("3000"));
    OSSL_CMP_SRV_CTX_free(srv);
    peer_free(&p);
}

static void a_server_takes_an_error(void **state)
{
    struct peer p = peer_new();
    OSSL_CMP_SRV_CTX *srv = server_of(&p, false);
    struct client client = client_new(srv, with_secret());
    struct buffer content = BUFFER(1024);

    (void)state;
    cmp_error_put(&content, &refusal);
    assert_int_equal(ask(&client, CMP_ERROR, kept(&content)).body, CMP_PKICONF);
    OSSL_CMP_SRV_CTX_free(srv);
    peer_free(&p);
}

/* Out of its turn: what the server says then is what we read. */
static void a_server_tells_an_error(void **state)
{
    struct peer p = peer_new();
    OSSL_CMP_SRV_CTX *srv = server_of(&p, false);
    struct client client = client_new(srv, with_secret());
    struct buffer content = BUFFER(1024);
    struct cmp_status_info status;
    struct cmp_message m;

    (void)state;
    (void)OSSL_CMP_CTX_set_log_verbosity(OSSL_CMP_SRV_CTX_get0_cmp_ctx(srv), 0);
    cmp_poll_req_put(&content, 0);
    m = ask(&client, CMP_POLL_REQ, kept(&content));
    assert_int_equal(m.body, CMP_ERROR);
    assert_true(cmp_error_decode(m.content, &status));
    assert_int_equal(status.status, CMP_REJECTION);
    assert_int_equal(status.fail_info, CMP_BAD_REQUEST);
    assert_true(status.text.len > 0);
    ERR_clear_error();
    OSSL_CMP_SRV_CTX_free(srv);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_with_a_secret_gets_its_certificate_and_confirms_it),
        TEST(a_client_with_a_certificate_gets_another_one),
        TEST(a_client_learns_the_anchor),
        TEST(an_implicit_confirmation_ends_the_conversation),
        TEST(a_client_polls_until_it_is_served),
        TEST(a_refusal_is_understood),
        TEST(a_client_rejects_a_certificate_of_another_key),
        TEST(a_client_revokes),
        TEST(a_client_asks_for_the_certificates_of_the_ca),
        TEST(a_server_takes_requests_under_a_secret),
        TEST(a_server_takes_requests_under_a_signature),
        TEST(a_server_takes_a_revocation),
        TEST(a_server_takes_a_general_message),
        TEST(a_server_takes_an_error),
        TEST(a_server_tells_an_error),
    };

    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
