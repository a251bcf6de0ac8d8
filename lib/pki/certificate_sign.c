/* Certificates and certificate lists, written by hand and signed through lib/keys. */
#include "lib/pki/certificate.h"

#define OID(content)                                    \
    {                                                   \
        (const uint8_t *)(content), sizeof(content) - 1 \
    }
#define ID_CE(last) OID("\x55\x1d" last)

enum { CERTIFICATE_MAX = 256 * 1024, SERIAL_MAX = 20 };

static const struct bytes subject_key_identifier = ID_CE("\x0e"), key_usage = ID_CE("\x0f"),
                          subject_alt_name = ID_CE("\x11"), basic_constraints = ID_CE("\x13"),
                          crl_number = ID_CE("\x14"), reason_code = ID_CE("\x15"),
                          crl_distribution_points = ID_CE("\x1f"), authority_key_identifier = ID_CE("\x23"),
                          extended_key_usage = ID_CE("\x25"),
                          authority_info_access = OID("\x2b\x06\x01\x05\x05\x07\x01\x01"),
                          access_ocsp = OID("\x2b\x06\x01\x05\x05\x07\x30\x01"),
                          access_ca_issuers = OID("\x2b\x06\x01\x05\x05\x07\x30\x02");

/* An extension around what is written between begin and end. */
struct extension {
    size_t whole, value;
};

static struct extension begin(struct buffer *out, struct bytes oid, bool critical)
{
    struct extension e = { .whole = der_begin(out, DER_SEQUENCE) };

    der_put_oid(out, oid);
    if (critical)
        der_put_boolean(out, true);
    e.value = der_begin(out, DER_OCTET_STRING);
    return e;
}

static void end(struct buffer *out, struct extension e)
{
    der_end(out, e.value);
    der_end(out, e.whole);
}

static void put_basic_constraints(struct buffer *out, int path_len)
{
    struct extension e = begin(out, basic_constraints, true);
    size_t seq = der_begin(out, DER_SEQUENCE);

    der_put_boolean(out, true);
    if (path_len >= 0)
        der_put_uint(out, (uint64_t)path_len);
    der_end(out, seq);
    end(out, e);
}

static bool put_subject_key_id(struct buffer *out, struct bytes spki)
{
    uint8_t id[20];
    struct extension e;

    if (!public_key_identifier(spki, id))
        return false;
    e = begin(out, subject_key_identifier, false);
    der_put(out, DER_OCTET_STRING, BYTES_ARRAY(id));
    end(out, e);
    return true;
}

static void put_authority_key_id(struct buffer *out, struct bytes id)
{
    struct extension e;
    size_t seq;

    if (id.len == 0)
        return;
    e = begin(out, authority_key_identifier, false);
    seq = der_begin(out, DER_SEQUENCE);
    der_put(out, DER_CONTEXT_PRIMITIVE(0), id);
    der_end(out, seq);
    end(out, e);
}

void certificate_usages_put(struct buffer *out, const struct certificate_template *t)
{
    struct extension e;
    size_t seq;

    if (t->key_usage != 0) {
        e = begin(out, key_usage, true);
        der_put_named_bits(out, t->key_usage);
        end(out, e);
    }
    if (t->extended_key_usage_count == 0)
        return;
    e = begin(out, extended_key_usage, false);
    seq = der_begin(out, DER_SEQUENCE);
    for (size_t i = 0; i < t->extended_key_usage_count; i++)
        der_put_oid(out, t->extended_key_usage[i]);
    der_end(out, seq);
    end(out, e);
}

static void put_san(struct buffer *out, const struct certificate_template *t)
{
    struct extension e;
    size_t seq;

    if (t->san.len == 0)
        return;
    e = begin(out, subject_alt_name, t->san_critical);
    seq = der_begin(out, DER_SEQUENCE);
    buffer_append(out, t->san);
    der_end(out, seq);
    end(out, e);
}

/* CRLDistributionPoints (RFC 5280 4.2.1.13): one point for each URL, by full name. */
static void put_distribution_points(struct buffer *out, const struct certificate_template *t)
{
    struct extension e;
    size_t seq;

    if (t->crl_url_count == 0)
        return;
    e = begin(out, crl_distribution_points, false);
    seq = der_begin(out, DER_SEQUENCE);
    for (size_t i = 0; i < t->crl_url_count; i++) {
        size_t point = der_begin(out, DER_SEQUENCE), name = der_begin(out, DER_CONTEXT(0)),
               full = der_begin(out, DER_CONTEXT(0));

        general_name_put(out, GENERAL_NAME_URI, t->crl_url[i], BYTES_NONE);
        der_end(out, full);
        der_end(out, name);
        der_end(out, point);
    }
    der_end(out, seq);
    end(out, e);
}

static void put_access(struct buffer *out, struct bytes method, const struct bytes *url, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t description = der_begin(out, DER_SEQUENCE);

        der_put_oid(out, method);
        general_name_put(out, GENERAL_NAME_URI, url[i], BYTES_NONE);
        der_end(out, description);
    }
}

static void put_authority_info(struct buffer *out, const struct certificate_template *t)
{
    struct extension e;
    size_t seq;

    if (t->ocsp_url_count + t->ca_issuers_url_count == 0)
        return;
    e = begin(out, authority_info_access, false);
    seq = der_begin(out, DER_SEQUENCE);
    put_access(out, access_ocsp, t->ocsp_url, t->ocsp_url_count);
    put_access(out, access_ca_issuers, t->ca_issuers_url, t->ca_issuers_url_count);
    der_end(out, seq);
    end(out, e);
}

static bool put_extensions(struct buffer *out, const struct certificate_template *t)
{
    size_t wrapped = der_begin(out, DER_CONTEXT(3)), list = der_begin(out, DER_SEQUENCE);
    bool done;

    if (t->is_ca)
        put_basic_constraints(out, t->path_len);
    certificate_usages_put(out, t);
    done = put_subject_key_id(out, t->spki);
    put_authority_key_id(out, t->authority_key_id);
    put_san(out, t);
    put_distribution_points(out, t);
    put_authority_info(out, t);
    der_end(out, list);
    der_end(out, wrapped);
    return done;
}

static bool put_tbs(struct buffer *out, const struct certificate_template *t, enum key_kind kind,
                    enum digest_algorithm hash)
{
    size_t tbs = der_begin(out, DER_SEQUENCE), part = der_begin(out, DER_CONTEXT(0));
    bool done;

    der_put_uint(out, 2); /* v3 */
    der_end(out, part);
    der_put_integer(out, t->serial);
    done = signature_algorithm_put(out, kind, hash);
    buffer_append(out, t->issuer);
    part = der_begin(out, DER_SEQUENCE);
    der_put_time(out, t->not_before_s);
    der_put_time(out, t->not_after_s);
    der_end(out, part);
    buffer_append(out, t->subject);
    buffer_append(out, t->spki);
    done = put_extensions(out, t) && done;
    der_end(out, tbs);
    return done && !buffer_failed(out);
}

/* SEQUENCE { tbs, algorithm, signature } appended to `out`. */
static bool put_signed(struct bytes tbs, const struct keys *keys, const char *signer, enum key_kind kind,
                       enum digest_algorithm hash, struct buffer *out, struct arena *arena, struct error *err)
{
    struct bytes signature;
    size_t seq;
    bool done;

    if (!keys_sign(keys, signer, hash, tbs, arena, &signature, err))
        return false;
    seq = der_begin(out, DER_SEQUENCE);
    buffer_append(out, tbs);
    done = signature_algorithm_put(out, kind, hash);
    der_put_bits(out, signature);
    der_end(out, seq);
    return done && !buffer_failed(out) ? true : error_set(err, ERROR_MEMORY, "signed structure too large");
}

bool certificate_sign(const struct certificate_template *t, const struct keys *keys, const char *signer,
                      enum digest_algorithm hash, struct arena *arena, struct bytes *der, struct error *err)
{
    enum key_kind kind = keys_kind(keys, signer, NULL);
    AUTO_STRUCT(buffer) tbs = BUFFER(CERTIFICATE_MAX);
    AUTO_STRUCT(buffer) whole = BUFFER(CERTIFICATE_MAX);
    struct bytes copy;

    if (kind == KEY_NONE)
        return error_set(err, ERROR_NOT_FOUND, "no key %s", signer);
    if (t->serial.len == 0 || t->serial.len > SERIAL_MAX)
        return error_set(err, ERROR_FORMAT, "serial number of %zu octets", t->serial.len);
    if (hash == DIGEST_NONE)
        hash = signature_default_hash(kind);
    if (!put_tbs(&tbs, t, kind, hash))
        return error_set(err, buffer_failed(&tbs) ? ERROR_MEMORY : ERROR_CRYPTO,
                         "certificate: too large, or a key or hash that does not fit");
    if (!put_signed(buffer_bytes(&tbs), keys, signer, kind, hash, &whole, arena, err))
        return false;
    copy = arena_copy(arena, buffer_bytes(&whole));
    if (copy.data == NULL)
        return error_set(err, ERROR_MEMORY, "certificate");
    *der = copy;
    return true;
}

/* --- certificate lists --- */

static void put_entry(struct buffer *out, const struct revoked_entry *entry)
{
    size_t seq = der_begin(out, DER_SEQUENCE);

    der_put_integer(out, entry->serial);
    der_put_time(out, entry->revoked_s);
    if (entry->reason > 0) {
        size_t list = der_begin(out, DER_SEQUENCE);
        struct extension e = begin(out, reason_code, false);
        uint8_t reason = (uint8_t)entry->reason;

        der_put(out, DER_ENUMERATED, bytes_of(&reason, 1));
        end(out, e);
        der_end(out, list);
    }
    der_end(out, seq);
}

static bool put_tbs_list(struct buffer *out, const struct crl_template *t, enum key_kind kind,
                         enum digest_algorithm hash)
{
    size_t tbs = der_begin(out, DER_SEQUENCE), part, list;
    struct extension e;
    bool done;

    der_put_uint(out, 1); /* v2 */
    done = signature_algorithm_put(out, kind, hash);
    buffer_append(out, t->issuer);
    der_put_time(out, t->this_update_s);
    der_put_time(out, t->next_update_s);
    if (t->entry_count > 0) {
        part = der_begin(out, DER_SEQUENCE);
        for (size_t i = 0; i < t->entry_count; i++)
            put_entry(out, &t->entry[i]);
        der_end(out, part);
    }
    part = der_begin(out, DER_CONTEXT(0));
    list = der_begin(out, DER_SEQUENCE);
    put_authority_key_id(out, t->authority_key_id);
    e = begin(out, crl_number, false);
    der_put_uint(out, t->number);
    end(out, e);
    der_end(out, list);
    der_end(out, part);
    der_end(out, tbs);
    return done && !buffer_failed(out);
}

bool crl_sign(const struct crl_template *t, const struct keys *keys, const char *signer, struct buffer *out,
              struct arena *arena, struct error *err)
{
    enum key_kind kind = keys_kind(keys, signer, NULL);
    enum digest_algorithm hash = signature_default_hash(kind);
    AUTO_STRUCT(buffer) tbs = BUFFER(out->max);

    if (kind == KEY_NONE)
        return error_set(err, ERROR_NOT_FOUND, "no key %s", signer);
    if (!put_tbs_list(&tbs, t, kind, hash))
        return error_set(err, ERROR_MEMORY, "certificate list too large");
    return put_signed(buffer_bytes(&tbs), keys, signer, kind, hash, out, arena, err);
}
