/* The attestation object: read, its chain judged, then what its format says. */
#include "proto/acme/attestation_internal.h"

#include "lib/cbor/cbor.h"

enum { MEMBERS_MAX = 16 };

static const struct format {
    const char *name;
    enum attestation_finding (*judge)(struct attestation_inquiry *q);
} formats[] = {
    [ATTESTATION_APPLE] = { "apple", attestation_judge_apple },
    [ATTESTATION_TPM] = { "tpm", attestation_judge_tpm },
};
_Static_assert(COUNT_OF(formats) == ATTESTATION_FORMAT_COUNT, "each format has a row");

const char *attestation_format_name(enum attestation_format format)
{
    return formats[(unsigned)format < ATTESTATION_FORMAT_COUNT ? format : ATTESTATION_APPLE].name;
}

/* --- reading --- */
/* Keys are text, each once. */
static bool take_key(struct cbor_reader *in, struct bytes seen[MEMBERS_MAX], size_t count, struct bytes *key)
{
    *key = cbor_take_text(in);
    for (size_t i = 0; i < count; i++)
        if (bytes_equal(seen[i], *key))
            return false;
    seen[count] = *key;
    return !in->failed;
}

/* authData, and what else stands there, is passed over. */
static bool read_object(struct bytes object, struct bytes *format, struct bytes *statement)
{
    struct cbor_reader in = cbor_reader_of(object);
    struct bytes seen[MEMBERS_MAX], key;
    size_t count = cbor_take_map(&in);
    bool has_format = false, has_statement = false;

    if (count > MEMBERS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!take_key(&in, seen, i, &key))
            return false;
        if (bytes_is(key, "fmt")) {
            *format = cbor_take_text(&in);
            has_format = true;
        } else if (bytes_is(key, "attStmt")) {
            *statement = cbor_take_any(&in);
            has_statement = true;
        } else {
            (void)cbor_take_any(&in);
        }
    }
    return cbor_finished(&in) && has_format && has_statement;
}

static bool take_chain(struct cbor_reader *in, struct attestation_statement *out)
{
    size_t count = cbor_take_array(in);

    if (count > ATTESTATION_CHAIN_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        out->x5c[i] = cbor_take_bytes(in);
    out->x5c_count = count;
    return !in->failed;
}

static bool take_member(struct cbor_reader *in, struct bytes key, struct attestation_statement *out)
{
    if (bytes_is(key, "x5c"))
        return take_chain(in, out);
    if (bytes_is(key, "alg"))
        out->alg = cbor_take_int(in);
    else if (bytes_is(key, "ver"))
        out->ver = cbor_take_text(in);
    else if (bytes_is(key, "sig"))
        out->sig = cbor_take_bytes(in);
    else if (bytes_is(key, "certInfo"))
        out->cert_info = cbor_take_bytes(in);
    else if (bytes_is(key, "pubArea"))
        out->pub_area = cbor_take_bytes(in);
    else
        (void)cbor_take_any(in);
    return !in->failed;
}

static bool read_statement(struct bytes statement, struct attestation_statement *out)
{
    struct cbor_reader in = cbor_reader_of(statement);
    struct bytes seen[MEMBERS_MAX], key;
    size_t count = cbor_take_map(&in);

    if (count > MEMBERS_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!take_key(&in, seen, i, &key) || !take_member(&in, key, out))
            return false;
    return cbor_finished(&in);
}

/* --- its chain --- */
/* A list of purposes that lists none says nothing (RFC 5280 4.2.1.12: one at least). */
static bool has_empty_purposes(const struct certificate *c)
{
    static const uint8_t oid[] = { 0x55, 0x1d, 0x25 };
    struct bytes value;

    return certificate_extension(c, BYTES_ARRAY(oid), &value) && c->extended_key_usage_count == 0;
}

static enum attestation_finding judge_chain(struct attestation_inquiry *q, const struct anchors *anchors)
{
    const struct attestation_statement *s = &q->statement;
    struct certificate c;

    if (s->x5c_count == 0)
        return attestation_say(q, ATTESTATION_BAD, "the attestation statement has no certificate");
    for (size_t i = 0; i < s->x5c_count; i++) {
        if (!certificate_decode(s->x5c[i], q->arena, &c) || has_empty_purposes(&c))
            return attestation_say(q, ATTESTATION_BAD, "a certificate of the attestation is malformed");
        if (i == 0)
            q->leaf = c;
    }
    if (q->leaf.is_ca)
        return attestation_say(q, ATTESTATION_BAD, "the certificate of the attestation is a CA's");
    switch (anchors_verify(anchors, s->x5c[0], s->x5c + 1, s->x5c_count - 1, q->claim->now_s)) {
    case CHAIN_OK: return ATTESTATION_HOLDS;
    case CHAIN_INTERNAL: return attestation_say(q, ATTESTATION_INTERNAL, "the chain could not be judged");
    case CHAIN_EXPIRED:
    case CHAIN_NOT_YET_VALID:
    case CHAIN_UNTRUSTED: break;
    }
    return attestation_say(q, ATTESTATION_BAD, "the attestation does not chain to a maker that is trusted");
}

/* --- all together --- */
static const struct format *format_named(struct bytes name, const struct anchors *const *anchors,
                                         const struct anchors **out)
{
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        if (!bytes_is(name, formats[i].name) || anchors[i] == NULL)
            continue;
        *out = anchors[i];
        return &formats[i];
    }
    return NULL;
}

static enum attestation_finding judge(struct attestation_inquiry *q)
{
    struct bytes name = BYTES_NONE, statement = BYTES_NONE;
    const struct anchors *anchors = NULL;
    const struct format *format;
    enum attestation_finding finding;

    if (!read_object(q->claim->object, &name, &statement))
        return attestation_say(q, ATTESTATION_MALFORMED, "attObj is no attestation object");
    format = format_named(name, q->claim->anchors, &anchors);
    if (format == NULL)
        return attestation_say(q, ATTESTATION_BAD, "attestations of this format are not taken");
    if (!read_statement(statement, &q->statement))
        return attestation_say(q, ATTESTATION_MALFORMED, "attObj has no statement of its format");
    finding = judge_chain(q, anchors);
    return finding == ATTESTATION_HOLDS ? format->judge(q) : finding;
}

enum attestation_finding attestation_judge(const struct attestation_claim *claim, struct arena *arena,
                                           struct digest256 *key, const char **detail)
{
    struct attestation_inquiry *q = arena_alloc(arena, sizeof(*q));
    enum attestation_finding finding;

    *detail = "no memory for an attestation";
    if (q == NULL)
        return ATTESTATION_INTERNAL;
    q->claim = claim;
    q->arena = arena;
    finding = judge(q);
    if (finding == ATTESTATION_HOLDS)
        *key = q->key;
    else
        *detail = q->detail;
    return finding;
}
