/* muster-bench scep: SCEP (RFC 8894). RSA keys are dear, so a pool of them serves: each key has its own name,
 * and every request its own transaction; distinct serial numbers show that each was an enrollment. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/requests.h"
#include "bench/work.h"
#include "lib/base/encode.h"
#include "proto/scep/message.h"

static const char key_name[] = "signer";

struct sender {        /* one key of the pool */
    struct keys *ring; /* holds it as key_name: messages are signed as the gateway signs */
    char cn[BENCH_CN_MAX];
    struct certificate self_signed;
    struct bytes subject, csr;
};

struct exchange {
    struct bytes request, transaction_id;
    const struct certificate *shown; /* that signs it, and that the answer is encrypted for */
    struct bytes certificate;        /* that was given */
};

struct scep {
    struct work_order order;
    const struct key_type *type;
    struct arena *arena;
    size_t pool;
    struct sender *sender;
    struct exchange *exchange;
    struct link_target target;
    struct certificate ra;
    struct bytes issuer; /* Name of the CA */
    enum scep_message_type said;
    enum scep_status expected;
};

static void end(void *context)
{
    struct scep *scep = context;

    for (size_t i = 0; scep->sender != NULL && i < scep->pool; i++)
        keys_unref(scep->sender[i].ring);
    arena_free(scep->arena);
    free(scep);
}

/* --- before the interval --- */

/* GetCACert: the first certificate of the bag, or the one DER. */
static bool fetch_ra(struct scep *scep, struct error *err)
{
    AUTO_STRUCT(buffer) request = BUFFER(4096);
    struct link_answer answer = { 0 };
    struct cms_signed bag;
    struct bytes body;

    link_request_put(&request, &scep->target,
                     &(struct link_request){ .method = "GET", .query = "?operation=GetCACert" });
    if (!load_once(&scep->target, scep->order.options->trust, buffer_bytes(&request), &answer, err))
        return false;
    body = arena_copy(scep->arena, answer.body);
    if (answer.status == 200 && cms_signed_decode(body, &bag) && bag.certificate_count > 0)
        body = bag.certificate[0];
    if (answer.status != 200 || !certificate_decode(body, scep->arena, &scep->ra))
        (void)error_set(err, ERROR_FORMAT, "GetCACert: status %d, no certificate", answer.status);
    link_answer_free(&answer);
    scep->issuer = scep->ra.is_ca ? scep->ra.subject.encoded : scep->ra.issuer.encoded;
    return scep->ra.encoded.len > 0;
}

static bool sign_itself(struct scep *scep, struct sender *sender, struct error *err)
{
    const struct certificate_template t = { .serial = BYTES_LITERAL("\x01"),
                                            .not_before_s = 1700000000,
                                            .not_after_s = 4000000000,
                                            .issuer = sender->subject,
                                            .subject = sender->subject,
                                            .spki = keys_public(sender->ring, key_name) };
    struct bytes der;

    return certificate_sign(&t, sender->ring, key_name, DIGEST_NONE, scep->arena, &der, err) &&
           (certificate_decode(der, scep->arena, &sender->self_signed) ||
            error_set(err, ERROR_INTERNAL, "self-signed certificate"));
}

/* A CSR by hand: lib/pki writes none with a challengePassword. */
static bool make_csr(struct scep *scep, struct sender *sender, const char *password, struct error *err)
{
    static const uint8_t challenge[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07 };
    AUTO_STRUCT(buffer) info = BUFFER(8192);
    AUTO_STRUCT(buffer) out = BUFFER(16384);
    struct bytes signature;
    size_t begun = der_begin(&info, DER_SEQUENCE), attributes, attribute, set;

    der_put_uint(&info, 0);
    buffer_append(&info, sender->subject);
    buffer_append(&info, keys_public(sender->ring, key_name));
    attributes = der_begin(&info, DER_CONTEXT(0));
    if (password != NULL) {
        attribute = der_begin(&info, DER_SEQUENCE);
        der_put_oid(&info, BYTES_ARRAY(challenge));
        set = der_begin(&info, DER_SET);
        der_put(&info, DER_UTF8_STRING, bytes_text(password));
        der_end(&info, set);
        der_end(&info, attribute);
    }
    der_end(&info, attributes);
    der_end(&info, begun);
    if (!keys_sign(sender->ring, key_name, DIGEST_SHA256, buffer_bytes(&info), scep->arena, &signature, err))
        return false;
    begun = der_begin(&out, DER_SEQUENCE);
    buffer_append(&out, buffer_bytes(&info));
    if (!signature_algorithm_put(&out, KEY_RSA, DIGEST_SHA256))
        return error_set(err, ERROR_INTERNAL, "signature algorithm");
    der_put_bits(&out, signature);
    der_end(&out, begun);
    sender->csr = buffer_failed(&out) ? BYTES_NONE : arena_copy(scep->arena, buffer_bytes(&out));
    return sender->csr.data != NULL || error_set(err, ERROR_MEMORY, "CSR");
}

static bool make_sender(struct scep *scep, size_t i, struct error *err)
{
    const struct load_options *options = scep->order.options;
    struct sender *sender = &scep->sender[i];

    bench_fqdn(options->pattern, scep->order.first + i, sender->cn);
    if (!bench_name(sender->cn, scep->arena, &sender->subject))
        return error_set(err, ERROR_FORMAT, "%s", sender->cn);
    return keys_new(&sender->ring, err) &&
           keys_generate(sender->ring, key_name, KEY_RSA, scep->type->bits, err) &&
           sign_itself(scep, sender, err) && make_csr(scep, sender, options->password, err);
}

/* The whole request of exchange `n`: `plain` enveloped for the RA, signed by what the sender shows. */
static bool make_message(struct scep *scep, size_t n, struct bytes plain, struct error *err)
{
    struct exchange *x = &scep->exchange[n];
    struct scep_attributes a = { .type = scep->said, .transaction_id = x->transaction_id };
    struct cms_attribute attribute[SCEP_ATTRIBUTES_MAX];
    AUTO_STRUCT(buffer) request = BUFFER(64 * 1024);
    struct cms_signing signing = { .has_content = true,
                                   .certificate = x->shown,
                                   .keys = scep->sender[n % scep->pool].ring,
                                   .key_name = key_name,
                                   .hash = DIGEST_SHA256,
                                   .attribute = attribute };
    const struct cms_enveloping enveloping = { .plain = plain,
                                               .cipher = CMS_AES_128_CBC,
                                               .random = &random_system };
    uint8_t nonce[SCEP_NONCE_LEN];
    struct bytes der;

    a.sender_nonce = BYTES_ARRAY(nonce);
    if (!random_fill(&random_system, nonce, sizeof(nonce)) ||
        !scep_attributes_encode(&a, scep->arena, attribute, &signing.attribute_count))
        return error_set(err, ERROR_MEMORY, "requests");
    if (!cms_envelop(&enveloping, &scep->ra, scep->arena, &signing.content, err) ||
        !cms_sign(&signing, scep->arena, &der, err))
        return false;
    link_request_put(&request, &scep->target,
                     &(struct link_request){ .method = "POST",
                                             .query = "?operation=PKIOperation",
                                             .more = "Content-Type: application/x-pki-message\r\n",
                                             .keep_alive = scep->order.options->connections == LOAD_KEEP,
                                             .body = der });
    x->request = buffer_failed(&request) ? BYTES_NONE : arena_copy(scep->arena, buffer_bytes(&request));
    return x->request.data != NULL || error_set(err, ERROR_MEMORY, "requests");
}

/* One that no run before had: the gateway remembers those. */
static bool begin_transaction(struct scep *scep, struct exchange *x, struct error *err)
{
    uint8_t random[12];
    char text[2 * sizeof(random) + 1];

    if (!random_fill(&random_system, random, sizeof(random)))
        return error_set(err, ERROR_CRYPTO, "no randomness");
    hex_encode(BYTES_ARRAY(random), text);
    x->transaction_id = arena_copy(scep->arena, bytes_text(text));
    return x->transaction_id.data != NULL || error_set(err, ERROR_MEMORY, "requests");
}

static bool make_pool(struct scep *scep, struct error *err)
{
    scep->pool = work_pool(&scep->order, scep->type);
    assert(scep->pool > 0);
    scep->sender = arena_array(scep->arena, scep->pool, sizeof(*scep->sender));
    scep->exchange = arena_array(scep->arena, scep->order.count, sizeof(*scep->exchange));
    if (scep->sender == NULL || scep->exchange == NULL)
        return error_set(err, ERROR_MEMORY, "requests");
    for (size_t i = 0; i < scep->pool; i++)
        if (!make_sender(scep, i, err))
            return false;
    for (size_t n = 0; n < scep->order.count; n++)
        scep->exchange[n].shown = &scep->sender[n % scep->pool].self_signed;
    return true;
}

static struct scep *begin(const struct work_order *order, struct error *err)
{
    struct scep *scep = calloc(1, sizeof(*scep));

    if (scep == NULL || (scep->arena = arena_new((size_t)16 << 30)) == NULL) {
        free(scep);
        (void)error_set(err, ERROR_MEMORY, "requests");
        return NULL;
    }
    scep->order = *order;
    scep->type = work_key(order->options, "rsa2048");
    if (scep->type->kind != KEY_RSA)
        (void)error_set(err, ERROR_UNSUPPORTED,
                        "scep: the answer is encrypted for the key: --key rsa2048 or rsa3072");
    else if (link_target_parse(order->url, &scep->target, err) && fetch_ra(scep, err) && make_pool(scep, err))
        return scep;
    end(scep);
    return NULL;
}

/* --- what is said and heard --- */

static bool say(void *context, unsigned client, size_t n, const struct link_answer *before,
                struct buffer *request)
{
    const struct scep *scep = context;

    (void)client;
    if (before != NULL)
        return false;
    buffer_append(request, scep->exchange[n].request);
    return true;
}

/* A CertRep that the RA signed; with SHA-1, which old servers know alone, too: nothing hangs on it here. */
static bool read_reply(const struct scep *scep, const struct link_answer *last, struct arena *arena,
                       struct cms_signed *reply, char why[LOAD_WHY_MAX])
{
    struct bytes der;

    (void)snprintf(why, LOAD_WHY_MAX, "HTTP status %d", last->status);
    if (last->status != 200)
        return false;
    (void)snprintf(why, LOAD_WHY_MAX, "no CertRep that the RA signed");
    return ber_to_der(arena, last->body, &der) && cms_signed_decode(der, reply) &&
           cms_signed_verify(reply, &scep->ra.key, true) == SIGNATURE_OK;
}

static bool has_status(const struct scep *scep, const struct cms_signed *reply, char why[LOAD_WHY_MAX])
{
    static const char *const fail_info[] = {
        [SCEP_FAIL_NONE] = "no failInfo",
        [SCEP_BAD_ALG] = "badAlg",
        [SCEP_BAD_MESSAGE_CHECK] = "badMessageCheck",
        [SCEP_BAD_REQUEST] = "badRequest",
        [SCEP_BAD_TIME] = "badTime",
        [SCEP_BAD_CERT_ID] = "badCertId",
    };
    struct scep_attributes a;

    scep_attributes_decode(reply, &a);
    switch (a.status) {
    case SCEP_STATUS_NONE: (void)snprintf(why, LOAD_WHY_MAX, "no pkiStatus"); break;
    case SCEP_SUCCESS: (void)snprintf(why, LOAD_WHY_MAX, "SUCCESS, unexpectedly"); break;
    case SCEP_PENDING: (void)snprintf(why, LOAD_WHY_MAX, "PENDING: it awaits approval"); break;
    case SCEP_FAILURE: (void)snprintf(why, LOAD_WHY_MAX, "FAILURE, %s", fail_info[a.fail_info]); break;
    }
    return a.status == scep->expected;
}

/* The certificate in it, for the sender's key and name. */
static bool judge(void *context, size_t n, const struct link_answer *last, struct arena *arena,
                  struct bytes *certificate, char why[LOAD_WHY_MAX])
{
    struct scep *scep = context;
    const struct sender *sender = &scep->sender[n % scep->pool];
    struct cms_signed reply, bag;
    struct cms_enveloped enveloped;
    struct certificate issued;
    struct bytes envelope, plain;

    if (!read_reply(scep, last, arena, &reply, why) || !has_status(scep, &reply, why))
        return false;
    if (scep->expected == SCEP_PENDING)
        return true;
    (void)snprintf(why, LOAD_WHY_MAX, "no certificate in an envelope for the sender");
    if (!reply.has_content || !ber_to_der(arena, reply.content, &envelope) ||
        !cms_enveloped_decode(envelope, &enveloped) ||
        !cms_enveloped_open(&enveloped, scep->exchange[n].shown, sender->ring, key_name, arena, &plain) ||
        !cms_signed_decode(plain, &bag) || bag.certificate_count == 0 ||
        !certificate_decode(bag.certificate[0], arena, &issued))
        return false;
    (void)snprintf(why, LOAD_WHY_MAX, "the certificate is for another key or name");
    if (!bench_certificate_is(&issued, keys_public(sender->ring, key_name), sender->cn))
        return false;
    *certificate = bag.certificate[0];
    scep->exchange[n].certificate = arena_copy(scep->arena, *certificate);
    return true;
}

/* The message is decrypted, its signature verified, the answer signed; and for a certificate the CSR is
 * verified, it is signed, and encrypted; for a renewal the old one is verified. */
static void bill(const void *context, struct floor *exchange, struct floor *handshake)
{
    const struct scep *scep = context;

    (void)handshake;
    exchange->times[UNWRAP_RSA2048]++;
    exchange->times[scep->type->verify]++;
    exchange->times[SIGN_RSA2048]++;
    if (scep->expected != SCEP_SUCCESS)
        return;
    exchange->times[scep->type->verify]++;
    exchange->times[SIGN_P256]++;
    exchange->times[scep->type->wrap]++;
    exchange->times[VERIFY_P256] += scep->said == SCEP_RENEWAL_REQ;
}

static void offer(struct scep *scep, const char *what, struct load_work *out)
{
    out->target = scep->target;
    out->talk = say;
    out->judge = judge;
    out->bill = bill;
    out->end = end;
    out->context = scep;
    (void)snprintf(out->name, sizeof(out->name), "scep %s, %s", what, scep->type->title);
}

/* --- the operations --- */

static bool say_all(struct scep *scep, enum scep_message_type type, enum scep_status expected,
                    struct error *err)
{
    scep->said = type;
    scep->expected = expected;
    for (size_t n = 0; n < scep->order.count; n++)
        if (!begin_transaction(scep, &scep->exchange[n], err) ||
            !make_message(scep, n, scep->sender[n % scep->pool].csr, err))
            return false;
    return true;
}

static bool open_enroll(const struct work_order *order, struct load_work *out, struct error *err)
{
    struct scep *scep = begin(order, err);

    if (scep == NULL)
        return false;
    if (!say_all(scep, SCEP_PKCS_REQ, SCEP_SUCCESS, err)) {
        end(scep);
        return false;
    }
    offer(scep, "PKCSReq", out);
    return true;
}

/* What each sender was given is what it shows from now on; its CSR needs no password. */
static bool show_certificates(struct scep *scep, struct error *err)
{
    struct certificate *held = arena_array(scep->arena, scep->order.count, sizeof(*held));

    for (size_t n = 0; n < scep->order.count; n++) {
        if (held == NULL || !certificate_decode(scep->exchange[n].certificate, scep->arena, &held[n]))
            return error_set(err, ERROR_MEMORY, "a certificate that is to be renewed");
        scep->exchange[n].shown = &held[n];
    }
    for (size_t i = 0; i < scep->pool; i++)
        if (!make_csr(scep, &scep->sender[i], NULL, err))
            return false;
    return true;
}

/* Each exchange enrolls beforehand and renews what it was given. */
static bool open_renew(const struct work_order *order, struct load_work *out, struct error *err)
{
    struct scep *scep;

    if (!open_enroll(order, out, err))
        return false;
    scep = out->context;
    if (!work_hold(order, out, err) || !show_certificates(scep, err) ||
        !say_all(scep, SCEP_RENEWAL_REQ, SCEP_SUCCESS, err)) {
        end(scep);
        return false;
    }
    offer(scep, "RenewalReq", out);
    return true;
}

/* A request of each sender awaits approval, and is asked for again and again. */
static bool open_poll(const struct work_order *order, struct load_work *out, struct error *err)
{
    struct load_work awaiting;
    struct scep *scep;
    bool done;

    if (!open_enroll(order, out, err))
        return false;
    scep = out->context;
    scep->expected = SCEP_PENDING;
    awaiting = *out;
    awaiting.count = scep->pool;
    done = work_hold(order, &awaiting, err);
    scep->said = SCEP_CERT_POLL;
    for (size_t n = 0; done && n < order->count; n++) {
        const struct scep_issuer_and_subject who = { scep->issuer, scep->sender[n % scep->pool].subject };
        AUTO_STRUCT(buffer) names = BUFFER(4096);

        scep->exchange[n].transaction_id = scep->exchange[n % scep->pool].transaction_id;
        scep_issuer_and_subject_encode(&who, &names);
        done = make_message(scep, n, buffer_bytes(&names), err);
    }
    if (!done) {
        end(scep);
        return false;
    }
    offer(scep, "CertPoll", out);
    return true;
}

static const char usage[] =
    "usage: muster-bench scep --target URL [options]\n"
    "\n"
    "  --target URL     http://host:port/scep/<procedure>\n"
    "  --mix A=W,...    operations and weights (default enroll): enroll (PKCSReq); renew (RenewalReq of\n"
    "                   certificates that are enrolled beforehand); poll (CertPoll for enrollments that "
    "await\n"
    "                   approval)\n"
    "  --password P     challengePassword (default bench-secret)\n";

const struct work_protocol work_scep = {
    "scep", usage, { { "enroll", open_enroll }, { "renew", open_renew }, { "poll", open_poll } }
};

int bench_scep(int argc, char **argv)
{
    return work_run(&work_scep, argc, argv);
}
