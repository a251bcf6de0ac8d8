/* cms_internal.h: object identifiers and ciphers of CMS. */
#ifndef MUSTER_PKI_CMS_INTERNAL_H
#define MUSTER_PKI_CMS_INTERNAL_H

#include "lib/base/secret.h"
#include "lib/pki/cms.h"

enum { CIPHER_BLOCK_MAX = 16, CIPHER_KEY_MAX = 32 };

extern const struct bytes CMS_OID_DATA, CMS_OID_SIGNED_DATA, CMS_OID_ENVELOPED_DATA, CMS_OID_CONTENT_TYPE,
    CMS_OID_MESSAGE_DIGEST, CMS_OID_RSA_ENCRYPTION, CMS_OID_RSAES_OAEP;

/* The content of ContentInfo { type, [0] content }, which is the whole of `der`; a failed reader when it is
 * of another type. */
struct der cms_content_enter(struct bytes der, struct bytes type);

/* Begins ContentInfo { type, [0] { SEQUENCE {; cms_content_end closes all three. */
struct cms_content {
    size_t whole, explicit, sequence;
};
struct cms_content cms_content_begin(struct buffer *out, struct bytes type);
void cms_content_end(struct buffer *out, struct cms_content content);

/* IssuerAndSerialNumber (RFC 5652 10.2.4). */
void cms_issuer_and_serial_put(struct buffer *out, const struct certificate *certificate);
bool cms_issuer_and_serial_read(struct der *in, struct bytes *issuer, struct bytes *serial);

/* The issuer and serial number of a message name `certificate`. */
bool cms_names_certificate(struct bytes issuer, struct bytes serial, const struct certificate *certificate,
                           struct arena *arena);

/* A copy in the arena of what was written. */
MUST_USE bool cms_give(const struct buffer *written, struct arena *arena, struct bytes *der,
                       struct error *err);

/* --- ciphers --- */
struct cipher_row {
    enum cms_cipher cipher;
    struct bytes oid;
    const char *name; /* OpenSSL's */
    size_t key_len, block_len;
};
/* NULL: not a cipher of ours. */
const struct cipher_row *cipher_row(enum cms_cipher cipher);
const struct cipher_row *cipher_row_of(struct bytes oid);

/* CBC with PKCS#7 padding, into `arena`. False: libcrypto or memory failed, or the padding is wrong. */
MUST_USE bool cipher_decrypt(const struct cipher_row *row, struct bytes key, struct bytes iv, struct bytes in,
                             struct arena *arena, struct bytes *out);
MUST_USE bool cipher_encrypt(const struct cipher_row *row, struct bytes key, struct bytes iv, struct bytes in,
                             struct arena *arena, struct bytes *out);

/* CBC over whole blocks, in place, without padding. */
MUST_USE bool cipher_encrypt_blocks(const struct cipher_row *row, struct bytes key, const uint8_t *iv,
                                    uint8_t *data, size_t len);

/* A key for the content. */
MUST_USE bool cms_content_key(const struct cipher_row *row, const struct random_source *random,
                              struct secret *key, struct error *err);

/* EncryptedContentInfo under a key (RFC 5652 6.1). The cipher is one of ours. */
MUST_USE bool cms_encrypted_content_put(struct buffer *out, const struct cms_enveloping *e, struct bytes key,
                                        struct arena *arena, struct error *err);

#endif
