/* muster-bench scep: PKCSReq enrollments. RSA keys are dear, so a pool of them serves: each key has its own
 * name, and every request its own transaction; distinct serial numbers show that each was an enrollment. */
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/load.h"
#include "bench/options.h"
#include "bench/requests.h"
#include "lib/base/clock.h"
#include "lib/pki/cms.h"

enum { POOL_MAX = 64 };

struct sender { /* one key of the pool */
    struct bench_key key;
    struct keys *ring; /* holds it as "signer" */
    struct certificate certificate;
};

struct scep_work {
    struct sender sender[POOL_MAX];
    struct certificate ra;
    struct bytes *request, *serial;
    struct arena *arena;
};

static const uint8_t oid_message_type[] = { 0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, 0x02 };
static const uint8_t oid_sender_nonce[] = { 0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, 0x05 };
static const uint8_t oid_transaction_id[] = { 0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, 0x07 };

/* GetCACert: the first certificate of the bag, or the one DER. */
static bool fetch_ra(const struct load_plan *plan, struct scep_work *work, struct error *err)
{
    AUTO_STRUCT(buffer) request = BUFFER(4096);
    struct load_answer answer = { 0 };
    struct cms_signed bag;
    struct bytes body;
    bool read;

    load_request(&request, &plan->target, "GET", "?operation=GetCACert", false, NULL, BYTES_NONE);
    if (!load_once(plan, buffer_bytes(&request), &answer, err))
        return false;
    body = arena_copy(work->arena, answer.body);
    free((void *)(uintptr_t)answer.body.data);
    if (cms_signed_decode(body, &bag) && bag.certificate_count > 0)
        body = bag.certificate[0];
    read = answer.status == 200 && certificate_decode(body, work->arena, &work->ra);
    return read || error_set(err, ERROR_FORMAT, "GetCACert: status %d, no certificate", answer.status);
}

/* The key goes into a ring of its own, so that messages are signed as the gateway signs. */
static bool make_sender(size_t n, struct scep_work *work, struct error *err)
{
    struct sender *sender = &work->sender[n];
    struct certificate_template t = { .serial = BYTES_LITERAL("\x01"),
                                      .not_before_s = 1700000000,
                                      .not_after_s = 4000000000 };
    char cn[BENCH_CN_MAX];
    struct bytes der;

    bench_fqdn("sender-*", n, cn);
    if (!keys_new(&sender->ring, err) || !keys_generate(sender->ring, "signer", KEY_RSA, 2048, err) ||
        !bench_name(cn, work->arena, &t.subject))
        return false;
    t.issuer = t.subject;
    t.spki = keys_public(sender->ring, "signer");
    if (!certificate_sign(&t, sender->ring, "signer", DIGEST_NONE, work->arena, &der, err) ||
        !certificate_decode(der, work->arena, &sender->certificate))
        return false;
    return true;
}

static bool put_attribute(struct arena *arena, struct cms_attribute *out, struct bytes oid, unsigned tag,
                          struct bytes value)
{
    AUTO_STRUCT(buffer) der = BUFFER(1024);

    der_put(&der, tag, value);
    *out = (struct cms_attribute){ oid, arena_copy(arena, buffer_bytes(&der)) };
    return !buffer_failed(&der) && out->value.data != NULL;
}

/* A CSR whose key is the sender's, made by hand: the ring does not give the key away. */
static bool sender_csr(const struct load_options *options, struct sender *sender, size_t n,
                       struct arena *arena, struct bytes *csr, struct error *err)
{
    static const uint8_t challenge[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07 };
    AUTO_STRUCT(buffer) info = BUFFER(8192);
    AUTO_STRUCT(buffer) out = BUFFER(16384);
    struct bytes signature, name;
    size_t begun, attributes, attribute, set;

    bench_fqdn(options->pattern, n, sender->key.cn);
    if (!bench_name(sender->key.cn, arena, &name))
        return error_set(err, ERROR_FORMAT, "%s", sender->key.cn);
    begun = der_begin(&info, DER_SEQUENCE);
    der_put_uint(&info, 0);
    buffer_append(&info, name);
    buffer_append(&info, keys_public(sender->ring, "signer"));
    attributes = der_begin(&info, DER_CONTEXT(0));
    attribute = der_begin(&info, DER_SEQUENCE);
    der_put_oid(&info, BYTES_ARRAY(challenge));
    set = der_begin(&info, DER_SET);
    der_put(&info, DER_UTF8_STRING, bytes_text(options->password));
    der_end(&info, set);
    der_end(&info, attribute);
    der_end(&info, attributes);
    der_end(&info, begun);
    if (!keys_sign(sender->ring, "signer", DIGEST_SHA256, buffer_bytes(&info), arena, &signature, err))
        return false;
    begun = der_begin(&out, DER_SEQUENCE);
    buffer_append(&out, buffer_bytes(&info));
    if (!signature_algorithm_put(&out, KEY_RSA, DIGEST_SHA256))
        return error_set(err, ERROR_INTERNAL, "signature algorithm");
    der_put_bits(&out, signature);
    der_end(&out, begun);
    *csr = arena_copy(arena, buffer_bytes(&out));
    return (!buffer_failed(&out) && csr->data != NULL) || error_set(err, ERROR_MEMORY, "CSR");
}

static bool message(struct sender *sender, const struct scep_work *work, size_t n, struct bytes csr,
                    struct bytes *der, struct error *err)
{
    struct cms_attribute attribute[3];
    struct bytes enveloped;
    uint8_t nonce[16];
    char transaction[64];

    /* Of this run alone: the gateway remembers the transactions of those before. */
    (void)snprintf(transaction, sizeof(transaction), "bench-%lld-%d-%zu", (long long)clock_now_s(),
                   (int)getpid(), n);
    if (!random_fill(&random_system, nonce, sizeof(nonce)) ||
        !put_attribute(work->arena, &attribute[0], BYTES_ARRAY(oid_message_type), DER_PRINTABLE_STRING,
                       BYTES_LITERAL("19")) ||
        !put_attribute(work->arena, &attribute[1], BYTES_ARRAY(oid_sender_nonce), DER_OCTET_STRING,
                       BYTES_ARRAY(nonce)) ||
        !put_attribute(work->arena, &attribute[2], BYTES_ARRAY(oid_transaction_id), DER_PRINTABLE_STRING,
                       bytes_text(transaction)) ||
        !cms_envelop(
            &(struct cms_enveloping){ .plain = csr, .cipher = CMS_AES_128_CBC, .random = &random_system },
            &work->ra, work->arena, &enveloped, err))
        return false;
    return cms_sign(&(struct cms_signing){ .content = enveloped,
                                           .has_content = true,
                                           .certificate = &sender->certificate,
                                           .keys = sender->ring,
                                           .key_name = "signer",
                                           .hash = DIGEST_SHA256,
                                           .attribute = attribute,
                                           .attribute_count = 3 },
                    work->arena, der, err);
}

static bool build(const struct load_options *options, const struct load_target *target,
                  struct scep_work *work, struct error *err)
{
    struct bytes csr[POOL_MAX];

    assert(options->pool > 0 && options->pool <= POOL_MAX);
    work->request = arena_array(work->arena, options->count, sizeof(*work->request));
    work->serial = arena_array(work->arena, options->count, sizeof(*work->serial));
    if (work->request == NULL || work->serial == NULL)
        return error_set(err, ERROR_MEMORY, "requests");
    for (size_t i = 0; i < options->pool; i++)
        if (!make_sender(i, work, err) ||
            !sender_csr(options, &work->sender[i], i, work->arena, &csr[i], err))
            return false;
    for (size_t i = 0; i < options->count; i++) {
        AUTO_STRUCT(buffer) request = BUFFER(64 * 1024);
        size_t s = i % options->pool;
        struct bytes der;

        if (!message(&work->sender[s], work, i, csr[s], &der, err))
            return false;
        load_request(&request, target, "POST", "?operation=PKIOperation", options->keep_alive,
                     "Content-Type: application/x-pki-message\r\n", der);
        work->request[i] = arena_copy(work->arena, buffer_bytes(&request));
        if (work->request[i].data == NULL)
            return error_set(err, ERROR_MEMORY, "requests");
    }
    return true;
}

/* The certificate in a CertRep: signature of the RA, envelope for the sender, key and name. */
static bool reply_holds(struct bytes body, struct sender *sender, struct scep_work *work,
                        struct bytes *serial)
{
    struct cms_signed reply, bag;
    struct cms_enveloped enveloped;
    struct certificate issued;
    struct bytes der, plain;

    if (!ber_to_der(work->arena, body, &der) || !cms_signed_decode(der, &reply) || !reply.has_content ||
        cms_signed_verify(&reply, &work->ra.key, false) != SIGNATURE_OK ||
        !cms_enveloped_decode(reply.content, &enveloped) ||
        !cms_enveloped_open(&enveloped, &sender->certificate, sender->ring, "signer", work->arena, &plain) ||
        !cms_signed_decode(plain, &bag) || bag.certificate_count == 0 ||
        !certificate_decode(bag.certificate[0], work->arena, &issued) ||
        !bytes_equal(issued.key.spki, keys_public(sender->ring, "signer")))
        return false;
    *serial = issued.serial;
    return issued.san.count > 0 && bytes_is(issued.san.item[0].value, sender->key.cn);
}

static size_t verify(const struct load_result *result, const struct load_options *options,
                     struct scep_work *work)
{
    size_t good = 0;

    for (size_t i = 0; i < result->count; i++)
        if (result->answer[i].status == 200 &&
            reply_holds(result->answer[i].body, &work->sender[i % options->pool], work, &work->serial[good]))
            good++;
    if (bench_distinct(work->serial, good) != good) {
        fprintf(stderr, "muster-bench: serial numbers repeat: these are repeated answers, not enrollments\n");
        return 0;
    }
    return good;
}

static int run(const struct load_options *options)
{
    struct scep_work *work = calloc(1, sizeof(*work));
    struct load_plan plan = { .clients = options->clients,
                              .keep_alive = options->keep_alive,
                              .count = options->count,
                              .target_pid = options->pid };
    struct load_result result = { 0 };
    struct error err = { 0 };
    size_t good = 0;

    if (work == NULL || (work->arena = arena_new((size_t)8 << 30)) == NULL ||
        !load_target_parse(options->target, &plan.target, &err) || !fetch_ra(&plan, work, &err) ||
        !build(options, &plan.target, work, &err)) {
        fprintf(stderr, "muster-bench: %s\n", err.text);
        free(work);
        return EXIT_FAILURE;
    }
    plan.request = work->request;
    if (load_run(&plan, &result, &err)) {
        good = verify(&result, options, work);
        load_report("scep PKCSReq, RSA-2048", &plan, &result, good, bench_floor_scep_us(), options->json);
    } else {
        fprintf(stderr, "muster-bench: %s\n", err.text);
    }
    load_free(&result);
    for (size_t i = 0; i < options->pool; i++)
        keys_unref(work->sender[i].ring);
    arena_free(work->arena);
    free(work);
    return good == options->count ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const char usage[] =
    "usage: muster-bench scep --target URL [options]\n"
    "\n"
    "  --target URL     http://host:port/scep/<procedure>\n"
    "  --password P     challengePassword (default bench-secret)\n"
    "  --names PATTERN  the FQDNs, * counts (default unit-*.bench.example.com): register it reusable\n"
    "  --clients N      at once (default 64)\n"
    "  --count N        enrollments (default 2000)\n"
    "  --pool N         RSA keys that they share, each with its own name (default 32, at most 64)\n"
    "  --new            a new connection for each (default: keep-alive)\n"
    "  --pid N          the target's process, for its CPU time\n"
    "  --json           one line of JSON\n";

int bench_scep(int argc, char **argv)
{
    struct load_options options = LOAD_OPTIONS_DEFAULT;

    if (!load_options_read(argc, argv, usage, &options))
        return 2;
    if (options.pool > POOL_MAX) {
        fprintf(stderr, "muster-bench: at most %d keys\n", POOL_MAX);
        return 2;
    }
    return run(&options);
}
