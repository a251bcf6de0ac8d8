/* cms.h: Cryptographic Message Syntax (RFC 5652) as the enrollment protocols use it: SignedData with one
 * signer, EnvelopedData with one RSA or password recipient, and certs-only bags. Read and written over flat
 * DER (BER input is turned into DER first), so that private keys stay behind lib/keys and hostile structures
 * are refused before libcrypto sees them: AuthEnvelopedData, other recipient kinds and odd OAEP parameters
 * never reach a decryption. */
#ifndef MUSTER_PKI_CMS_H
#define MUSTER_PKI_CMS_H

#include "lib/base/random.h"
#include "lib/pki/certificate.h"

enum { CMS_CERTIFICATES_MAX = 16, CMS_ATTRIBUTES_MAX = 32, CMS_RECIPIENTS_MAX = 16 };

enum cms_cipher {
    CMS_CIPHER_NONE = 0,
    CMS_DES_CBC,
    CMS_DES_EDE3_CBC,
    CMS_AES_128_CBC,
    CMS_AES_192_CBC,
    CMS_AES_256_CBC
};

struct cms_attribute {
    struct bytes oid;   /* content octets */
    struct bytes value; /* the single value, element whole */
};

struct cms_signed {            /* points into the (DER) input */
    struct bytes content_type; /* OID content of eContentType */
    struct bytes content;      /* eContent octets */
    bool has_content;
    struct bytes certificate[CMS_CERTIFICATES_MAX];
    size_t certificate_count;
    struct bytes crl[4];
    size_t crl_count;
    size_t signer_count; /* the fields below are of the first */
    struct bytes signer_issuer,
        signer_serial; /* Name element; INTEGER content. None when by key identifier */
    struct bytes signer_key_id;
    struct bytes digest_algorithm;    /* OID content */
    struct bytes signature_algorithm; /* AlgorithmIdentifier element */
    struct bytes signed_attributes;   /* element whole, as [0] */
    struct cms_attribute attribute[CMS_ATTRIBUTES_MAX];
    size_t attribute_count;
    struct bytes signature;
};

/* Parses ContentInfo { signedData }. `der` comes from ber_to_der. No signature is checked. False: malformed
 * or over a bound. An attribute that stands twice or has not exactly one value: malformed. */
MUST_USE bool cms_signed_decode(struct bytes der, struct cms_signed *out);

/* The value of an attribute; false when absent. */
MUST_USE bool cms_attribute_find(const struct cms_signed *s, struct bytes oid, struct bytes *value);

/* The first signer's certificate among those carried (issuer and serial, or key identifier); none when
 * absent. */
struct bytes cms_signer_certificate(const struct cms_signed *s, struct arena *arena);

/* Checks messageDigest, contentType and the signature (over the attributes as they stand) with `key`. Digests
 * that are refused (MD2, MD4, MD5 always; SHA-1 unless allowed): SIGNATURE_ALGORITHM. */
enum signature_fault cms_signed_verify(const struct cms_signed *s, const struct public_key *key,
                                       bool allow_sha1);

struct cms_recipient {
    bool by_issuer; /* issuer and serial set, else key_id */
    struct bytes issuer, serial, key_id;
    bool oaep;
    enum digest_algorithm oaep_hash;
    struct bytes wrapped; /* encrypted key */
};

struct cms_enveloped {
    struct cms_recipient recipient[CMS_RECIPIENTS_MAX]; /* key transport only */
    size_t recipient_count;
    bool other_recipients;  /* kinds that we do not take part in */
    enum cms_cipher cipher; /* CMS_CIPHER_NONE: unknown OID */
    struct bytes iv, encrypted;
};

/* Parses ContentInfo { envelopedData }. False: malformed (also authEnvelopedData, wrong IV length). */
MUST_USE bool cms_enveloped_decode(struct bytes der, struct cms_enveloped *out);

/* Decrypts for `certificate` with key `name`. One and the same false for: no recipient is ours, key transport
 * failed, garbage inside (SCEP-50). The plain text lives in `arena`. CMS_DES_CBC needs OpenSSL's legacy
 * provider, which is loaded into a library context of its own on first use. */
MUST_USE bool cms_enveloped_open(const struct cms_enveloped *e, const struct certificate *certificate,
                                 const struct keys *keys, const char *name, struct arena *arena,
                                 struct bytes *plain);

/* SignedData { `content` of its type, `certificate` embedded, issuerAndSerialNumber } with these signed
 * attributes beside contentType and messageDigest, which are added; sorted as DER asks. has_content false:
 * eContent is left out. */
struct cms_signing {
    struct bytes content;
    struct bytes content_type; /* OID content octets; none: data */
    bool has_content;
    const struct certificate *certificate;
    const struct bytes *more; /* further certificates to embed, DER */
    size_t more_count;
    const struct keys *keys;
    const char *key_name;
    enum digest_algorithm hash;
    const struct cms_attribute *attribute;
    size_t attribute_count;
};
MUST_USE bool cms_sign(const struct cms_signing *s, struct arena *arena, struct bytes *der,
                       struct error *err);

/* What goes into an EnvelopedData. */
struct cms_enveloping {
    struct bytes plain;
    struct bytes content_type; /* OID content octets; none: data */
    enum cms_cipher cipher;
    const struct random_source *random;
};

/* EnvelopedData for one RSA certificate: version 0, issuerAndSerialNumber, PKCS#1 v1.5. */
MUST_USE bool cms_envelop(const struct cms_enveloping *e, const struct certificate *recipient,
                          struct arena *arena, struct bytes *der, struct error *err);

/* The same for an EC certificate (RFC 5753 3.1.1): an ephemeral key on its curve, X9.63 key derivation with
 * SHA-256, AES-256 key wrap. ERROR_UNSUPPORTED: its key is on none of the NIST curves. */
MUST_USE bool cms_envelop_agree(const struct cms_enveloping *e, const struct certificate *recipient,
                                struct arena *arena, struct bytes *der, struct error *err);

/* EnvelopedData under a password (RFC 5652 6.2.4: PBKDF2-HMAC-SHA-256, RFC 3211 wrap), for recipients that
 * cannot decrypt with a key. An empty password: ERROR_DENIED. Not with single DES. */
MUST_USE bool cms_envelop_password(const struct cms_enveloping *e, struct bytes password, struct arena *arena,
                                   struct bytes *der, struct error *err);

/* Degenerate SignedData: version 1, no signer, no content; certificates in the order given, and CRLs. */
MUST_USE bool cms_bag(const struct bytes *certificate, size_t count, const struct bytes *crl,
                      size_t crl_count, struct arena *arena, struct bytes *der, struct error *err);

#endif
