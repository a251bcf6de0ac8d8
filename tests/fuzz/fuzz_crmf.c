/* CertReqMsg. What decodes has its parts inside the input, and never with a byte behind it; a proof that
 * holds is not needed again; and what was read, ordered anew and proved by a key of ours, decodes to the same
 * wishes. */
#include <assert.h>
#include <stdlib.h>

#include "lib/keys/keys.h"
#include "lib/pki/crmf.h"

enum { ARENA_MAX = 16 << 20 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct keys *ring;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct error err;
    bool made = keys_new(&ring, &err) && keys_generate(ring, "ed25519", KEY_ED25519, 0, &err);

    (void)argc;
    (void)argv;
    assert(made);
    return 0;
}

static bool decodes(struct arena *arena, struct bytes der, bool ignore_pop, struct crmf_request *out)
{
    struct crmf_rules rules = { .key = KEY_RULES_DEFAULT, .allow_sha1 = true, .ignore_pop = ignore_pop };
    const char *detail = NULL;
    enum csr_fault fault;

    rules.key.ed25519 = true;
    fault = crmf_decode(der, &rules, arena, out, &detail);
    assert(fault == CSR_OK || detail != NULL);
    return fault == CSR_OK;
}

static bool is_inside(struct bytes part, struct bytes whole)
{
    return part.data == NULL || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void check_parts(const struct crmf_request *r, struct bytes in)
{
    const struct crmf_template *t = &r->template;

    assert(bytes_equal(r->encoded, in) && is_inside(r->cert_request, in));
    assert(is_inside(t->subject, r->cert_request) && is_inside(t->issuer, r->cert_request));
    assert(is_inside(r->old_issuer, r->cert_request) && is_inside(r->old_serial, r->cert_request));
    assert(is_inside(r->sk_input_sender, in) && is_inside(r->sk_input_key, in));
    assert(is_inside(r->sk_input_mac, in) && is_inside(r->sk_input_mac_algorithm, in));
    assert(t->has_subject == (t->subject.len > 0) && t->has_key == (t->spki.len > 0));
    assert(t->has_extensions == (t->extensions.len > 0) && (t->has_key || !t->key_is_empty));
    assert(r->requested.san.count <= GENERAL_NAMES_MAX && r->requested.challenge_password.len == 0);
    assert((r->requested.key.kind == KEY_NONE) == (!t->has_key || t->key_is_empty));
}

static bool same_wishes(const struct requested *a, const struct requested *b)
{
    if (a->san.count != b->san.count || a->key_usage != b->key_usage ||
        a->has_key_usage != b->has_key_usage || a->extended_key_usage_count != b->extended_key_usage_count ||
        !bytes_equal(a->subject.encoded, b->subject.encoded) ||
        !bytes_equal(a->unstructured_name, b->unstructured_name) ||
        !bytes_equal(a->template_name, b->template_name))
        return false;
    for (size_t i = 0; i < a->san.count; i++)
        if (!bytes_equal(a->san.item[i].encoded, b->san.item[i].encoded))
            return false;
    return true;
}

/* The same wishes for a key of ours. */
static void check_order(struct arena *arena, const struct crmf_request *r)
{
    struct buffer out = BUFFER(CRMF_LEN_MAX);
    struct der extensions = der_of(r->template.extensions);
    struct crmf_order order = {
        .cert_req_id = r->cert_req_id,
        .subject = r->template.subject,
        .spki = keys_public(ring, "ed25519"),
        .extensions = r->template.has_extensions ? der_value(&extensions, DER_SEQUENCE) : BYTES_NONE,
        .old_issuer = r->old_issuer,
        .old_serial = r->old_serial,
        .pop = CRMF_POP_SIGNATURE,
        .sk_input_sender = r->template.has_subject ? BYTES_NONE : r->sk_input_sender,
        .keys = ring,
        .key_name = "ed25519",
    };
    struct crmf_request again;
    struct error err;
    bool put;

    if (!r->template.has_subject && order.sk_input_sender.len == 0)
        return;
    put = crmf_put(&out, &order, arena, &err);
    assert(put || err.code == ERROR_MEMORY);
    if (put) {
        bool good = decodes(arena, buffer_bytes(&out), false, &again);

        assert(good && again.pop == CRMF_POP_SIGNATURE && again.cert_req_id == r->cert_req_id);
        assert(bytes_equal(again.requested.key.spki, order.spki));
        assert(same_wishes(&r->requested, &again.requested));
        assert(bytes_equal(again.old_issuer, r->old_issuer));
        assert(r->old_issuer.len == 0 || bytes_equal(again.old_serial, r->old_serial));
        assert(bytes_equal(again.sk_input_sender, order.sk_input_sender));
    }
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(ARENA_MAX);
    uint8_t *longer = calloc(1, size + 1);
    struct bytes in = bytes_of(data, size);
    struct crmf_request r, again;
    struct crmf_template template;
    struct der content = der_of(in);
    bool proved;

    assert(arena != NULL && longer != NULL);
    if (size > 0)
        memcpy(longer, data, size);
    proved = decodes(arena, in, false, &r);
    if (decodes(arena, in, true, &again)) {
        check_parts(&again, in);
        check_order(arena, &again);
        assert(!proved || same_wishes(&r.requested, &again.requested));
        assert(!decodes(arena, bytes_of(longer, size + 1), true, &r));
    } else {
        assert(!proved);
    }
    if (crmf_template_decode(&content, arena, &template))
        assert(der_finished(&content));
    free(longer);
    arena_free(arena);
    return 0;
}
