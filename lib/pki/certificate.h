/* certificate.h: X.509 certificates (RFC 5280): a view over the DER that we read, a builder that signs
 * through lib/keys, and chains to anchors. */
#ifndef MUSTER_PKI_CERTIFICATE_H
#define MUSTER_PKI_CERTIFICATE_H

#include "lib/pki/names.h"
#include "lib/pki/public_key.h"

enum key_usage_bit { /* RFC 5280 4.2.1.3, for der_named_bits */
                     KEY_USAGE_DIGITAL_SIGNATURE = 1 << 0,
                     KEY_USAGE_CONTENT_COMMITMENT = 1 << 1,
                     KEY_USAGE_KEY_ENCIPHERMENT = 1 << 2,
                     KEY_USAGE_DATA_ENCIPHERMENT = 1 << 3,
                     KEY_USAGE_KEY_AGREEMENT = 1 << 4,
                     KEY_USAGE_KEY_CERT_SIGN = 1 << 5,
                     KEY_USAGE_CRL_SIGN = 1 << 6,
};

struct certificate {
    struct bytes encoded, tbs;
    struct bytes serial; /* INTEGER content octets; clients send up to 33 */
    struct distinguished_name issuer, subject;
    int64_t not_before_s, not_after_s;
    struct public_key key;
    struct general_names san;
    uint32_t key_usage;
    bool has_key_usage, is_ca;
    struct bytes extended_key_usage[16]; /* OID contents */
    size_t extended_key_usage_count;
    struct bytes subject_key_id, authority_key_id; /* content; none when absent */
    struct bytes signature_algorithm, signature;
};

/* Reads a certificate of any issuer. Strict DER in what is read; unknown extensions are skipped. False:
 * malformed. */
MUST_USE bool certificate_decode(struct bytes der, struct arena *arena, struct certificate *out);

/* What stands in the OCTET STRING of that extension; none and false when it has none. */
MUST_USE bool certificate_extension(const struct certificate *c, struct bytes oid, struct bytes *value);

/* `issuer`'s key made the signature of `c`. Nothing else is checked. */
enum signature_fault certificate_verify_signature(const struct certificate *c,
                                                  const struct public_key *issuer);

/* The same without SHA-1. What held a moment ago, for the same octets and the same key, is not computed
 * again: a device shows its certificate with each of its messages. Any thread. */
enum signature_fault certificate_verify_remembered(const struct certificate *c,
                                                   const struct public_key *issuer);

/* --- building --- */
struct certificate_template {     /* all borrowed */
    struct bytes serial;          /* magnitude */
    struct bytes issuer, subject; /* Name elements, DER */
    int64_t not_before_s, not_after_s;
    struct bytes spki; /* element whole */
    struct bytes san;  /* content of GeneralNames (elements one after the other); none: no extension */
    bool san_critical; /* with an empty subject */
    bool is_ca;
    int path_len;       /* <0: none */
    uint32_t key_usage; /* 0: no extension */
    const struct bytes *extended_key_usage;
    size_t extended_key_usage_count;
    struct bytes authority_key_id; /* content octets */
    const struct bytes *crl_url, *ca_issuers_url, *ocsp_url;
    size_t crl_url_count, ca_issuers_url_count, ocsp_url_count;
};

/* DER of the certificate signed with key `signer` of the ring; `hash` DIGEST_NONE: the key's default. */
MUST_USE bool certificate_sign(const struct certificate_template *t, const struct keys *keys,
                               const char *signer, enum digest_algorithm hash, struct arena *arena,
                               struct bytes *der, struct error *err);

/* The Extension elements of its keyUsage and extKeyUsage, for requests too; nothing where it has none. */
void certificate_usages_put(struct buffer *out, const struct certificate_template *t);

/* --- PEM --- */
/* All CERTIFICATE blocks of a file's content, in order; at most `max`. */
MUST_USE bool certificates_from_pem(struct bytes pem, struct arena *arena, struct bytes *der, size_t max,
                                    size_t *count, struct error *err);
MUST_USE bool pem_encode(const char *label, struct bytes der, struct buffer *out);

/* --- chains --- */
/* A set of trust anchors, read-only after creation, shared by all threads. */
struct anchors;
MUST_USE bool anchors_new(const struct bytes *der, size_t count, struct anchors **out, struct error *err);
void anchors_free(struct anchors *anchors); /* accepts NULL */

enum chain_fault { CHAIN_UNTRUSTED = 0, CHAIN_EXPIRED, CHAIN_NOT_YET_VALID, CHAIN_INTERNAL, CHAIN_OK };

/* Path from `leaf` over `others` to an anchor at time `at_s` (RFC 5280 6, without revocation and without
 * purpose). An expired leaf gives CHAIN_EXPIRED only when all else holds, so that a grace period can be
 * judged by the caller. */
enum chain_fault anchors_verify(const struct anchors *anchors, struct bytes leaf, const struct bytes *others,
                                size_t count, int64_t at_s);

/* --- certificate lists (RFC 5280 5) --- */
struct revoked_entry {
    struct bytes serial; /* magnitude */
    int64_t revoked_s;
    int reason; /* RFC 5280 5.3.1; 0: no extension */
};
struct crl_template {
    struct bytes issuer;
    struct bytes authority_key_id;
    uint64_t number;
    int64_t this_update_s, next_update_s;
    const struct revoked_entry *entry;
    size_t entry_count;
};
MUST_USE bool crl_sign(const struct crl_template *t, const struct keys *keys, const char *signer,
                       struct buffer *out, struct arena *arena, struct error *err);

#endif
