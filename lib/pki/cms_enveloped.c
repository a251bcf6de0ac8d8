/* EnvelopedData (RFC 5652 6), read and opened. */
#include "lib/pki/cms_internal.h"
#include "lib/pki/public_key_internal.h"

#define OID(content)                                    \
    {                                                   \
        (const uint8_t *)(content), sizeof(content) - 1 \
    }

enum { VERSION_MAX = 4 };

static const struct bytes mgf1 = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08");
static const struct bytes p_specified = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x09");

/* --- key transport --- */

/* The hash of an AlgorithmIdentifier inside an explicit tag; SHA-1 when the tag is absent. */
static enum digest_algorithm tagged_hash(struct der *in, unsigned n, bool is_mask)
{
    struct bytes oid, parameters, content;
    bool present;

    content = der_optional(in, DER_CONTEXT(n), &present);
    if (!present)
        return in->failed ? DIGEST_NONE : DIGEST_SHA1;
    if (!algorithm_split(content, &oid, &parameters))
        return DIGEST_NONE;
    if (is_mask && (!bytes_equal(oid, mgf1) || !algorithm_split(parameters, &oid, &parameters)))
        return DIGEST_NONE;
    return parameters.data == NULL || parameters_are_null(parameters) ? digest_from_oid(oid) : DIGEST_NONE;
}

/* pSourceAlgorithm absent or the empty label. */
static bool has_empty_label(struct der *in)
{
    struct bytes oid, parameters, content, label;
    struct der label_in;
    bool present;

    content = der_optional(in, DER_CONTEXT(2), &present);
    if (!present)
        return !in->failed;
    if (!algorithm_split(content, &oid, &parameters) || !bytes_equal(oid, p_specified))
        return false;
    label_in = der_of(parameters);
    label = der_value(&label_in, DER_OCTET_STRING);
    return der_finished(&label_in) && label.len == 0;
}

/* RSAES-OAEP-params (RFC 4055 4.1) with one hash in both places; DIGEST_NONE for all else, also for absent
 * parameters. */
static enum digest_algorithm oaep_hash(struct bytes parameters)
{
    struct der in = der_of(parameters), seq = der_enter(&in, DER_SEQUENCE);
    enum digest_algorithm hash = tagged_hash(&seq, 0, false), mask = tagged_hash(&seq, 1, true);
    bool empty = has_empty_label(&seq);

    return empty && der_finished(&seq) && der_finished(&in) && hash == mask && hash != DIGEST_MD5
               ? hash
               : DIGEST_NONE;
}

/* *ours false: well-formed, but a way of transport that we do not take part in. */
static bool transport_read(struct bytes algorithm, struct cms_recipient *out, bool *ours)
{
    struct bytes oid, parameters;

    if (!algorithm_split(algorithm, &oid, &parameters))
        return false;
    *ours = false;
    if (bytes_equal(oid, CMS_OID_RSA_ENCRYPTION)) {
        *ours = parameters.data == NULL || parameters_are_null(parameters);
    } else if (bytes_equal(oid, CMS_OID_RSAES_OAEP)) {
        out->oaep = true;
        out->oaep_hash = parameters.data == NULL ? DIGEST_NONE : oaep_hash(parameters);
        *ours = out->oaep_hash != DIGEST_NONE;
    }
    return true;
}

static bool recipient_read(struct der *in, struct cms_enveloped *out)
{
    struct der info = der_enter(in, DER_SEQUENCE);
    struct cms_recipient r = { .by_issuer = false };
    bool ours;

    if (der_uint(&info) > VERSION_MAX)
        return false;
    if (der_next_is(&info, DER_CONTEXT_PRIMITIVE(0))) {
        r.key_id = der_value(&info, DER_CONTEXT_PRIMITIVE(0));
    } else {
        r.by_issuer = true;
        if (!cms_issuer_and_serial_read(&info, &r.issuer, &r.serial))
            return false;
    }
    if (!transport_read(der_element(&info, DER_SEQUENCE), &r, &ours))
        return false;
    r.wrapped = der_value(&info, DER_OCTET_STRING);
    if (!der_finished(&info))
        return false;
    if (ours)
        out->recipient[out->recipient_count++] = r;
    else
        out->other_recipients = true;
    return true;
}

static bool recipients_read(struct der *in, struct cms_enveloped *out)
{
    struct der set = der_enter(in, DER_SET);
    size_t count = 0;

    if (!der_more(&set))
        return false;
    for (; der_more(&set); count++) {
        if (count == CMS_RECIPIENTS_MAX)
            return false;
        if (!der_next_is(&set, DER_SEQUENCE)) { /* key agreement, KEK, password, other */
            (void)der_any(&set, NULL);
            out->other_recipients = true;
        } else if (!recipient_read(&set, out)) {
            return false;
        }
    }
    return der_finished(&set);
}

static bool content_read(struct der *in, struct cms_enveloped *out)
{
    struct der info = der_enter(in, DER_SEQUENCE), iv_in;
    const struct cipher_row *row;
    struct bytes oid, parameters;

    (void)der_value(&info, DER_OID);
    if (!algorithm_split(der_element(&info, DER_SEQUENCE), &oid, &parameters))
        return false;
    out->encrypted = der_value(&info, DER_CONTEXT_PRIMITIVE(0));
    if (!der_finished(&info))
        return false;
    row = cipher_row_of(oid);
    if (row == NULL)
        return true;
    iv_in = der_of(parameters);
    out->iv = der_value(&iv_in, DER_OCTET_STRING);
    out->cipher = row->cipher;
    return der_finished(&iv_in) && out->iv.len == row->block_len;
}

bool cms_enveloped_decode(struct bytes der, struct cms_enveloped *out)
{
    struct der content = cms_content_enter(der, CMS_OID_ENVELOPED_DATA);
    struct cms_enveloped e = { .recipient_count = 0 };

    if (content.failed || der_uint(&content) > VERSION_MAX)
        return false;
    if (der_next_is(&content, DER_CONTEXT(0))) /* originatorInfo */
        (void)der_element(&content, DER_CONTEXT(0));
    if (!recipients_read(&content, &e) || !content_read(&content, &e))
        return false;
    if (der_next_is(&content, DER_CONTEXT(1))) /* unprotectedAttrs */
        (void)der_element(&content, DER_CONTEXT(1));
    if (!der_finished(&content))
        return false;
    *out = e;
    return true;
}

/* --- opening --- */

static const struct cms_recipient *find(const struct cms_enveloped *e, const struct certificate *c,
                                        struct arena *arena)
{
    for (size_t i = 0; i < e->recipient_count; i++) {
        const struct cms_recipient *r = &e->recipient[i];

        if (r->by_issuer ? cms_names_certificate(r->issuer, r->serial, c, arena)
                         : r->key_id.len > 0 && bytes_equal(r->key_id, c->subject_key_id))
            return r;
    }
    return NULL;
}

bool cms_enveloped_open(const struct cms_enveloped *e, const struct certificate *certificate,
                        const struct keys *keys, const char *name, struct arena *arena, struct bytes *plain)
{
    const struct cms_recipient *r = find(e, certificate, arena);
    const struct cipher_row *row = cipher_row(e->cipher);
    AUTO_STRUCT(secret) key = { 0 };

    if (r == NULL || row == NULL ||
        !keys_unwrap_rsa(keys, name, r->oaep ? r->oaep_hash : DIGEST_NONE, r->wrapped, row->key_len, &key,
                         NULL))
        return false;
    return cipher_decrypt(row, secret_bytes(&key), e->iv, e->encrypted, arena, plain);
}
