/* protect.h: the protection of a PKIMessage (RFC 9810 5.1.3): by a MAC under a shared secret, or by a
 * signature of a key that stays behind its name. */
#ifndef MUSTER_CMP_PROTECT_H
#define MUSTER_CMP_PROTECT_H

#include "lib/keys/keys.h"
#include "lib/pki/certificate.h"
#include "lib/pki/password_mac.h"
#include "proto/cmp/message.h"

enum cmp_protection_kind {
    CMP_PROTECTION_NONE = 0, /* no protection at all */
    CMP_PROTECTION_MAC,
    CMP_PROTECTION_SIGNATURE
};

struct cmp_protector {
    enum cmp_protection_kind kind;
    /* MAC */
    struct password_mac mac;
    struct bytes secret;
    const struct password_mac_key *mac_key; /* derived for `mac` already: then no secret is needed; NULL */
    /* SIGNATURE */
    const struct keys *keys;
    const char *key_name;
    enum digest_algorithm hash;            /* DIGEST_NONE: the key's default */
    const struct certificate *certificate; /* its subject is the sender, its key identifier the senderKID */
};

/* Makes the message: protectionAlg goes into the header (with SIGNATURE also sender and senderKID, which is
 * none when the certificate has no key identifier), the body is made of `content`, the protection is
 * computed, the certificates are attached. DER in `arena`. Errors: ERROR_DENIED (neither secret nor key),
 * ERROR_CRYPTO, ERROR_NOT_FOUND (no key of that name), ERROR_MEMORY. */
MUST_USE bool cmp_protect(const struct cmp_protector *protector, struct cmp_header header, enum cmp_body body,
                          struct bytes content, const struct bytes *extra_cert, size_t extra_cert_count,
                          struct arena *arena, struct bytes *der, struct error *err);

/* The kind that a message carries, by its protectionAlg; NONE when it has neither algorithm nor bits. Bits
 * without an algorithm, and what is no MAC that is known, are SIGNATURE: its verification fails. */
enum cmp_protection_kind cmp_protection_of(const struct cmp_message *message);

/* `key` made the signature over the message. SHA-1 is refused. Without bits or algorithm: SIGNATURE_WRONG. */
enum signature_fault cmp_verify_signature(const struct cmp_message *message, const struct public_key *key,
                                          struct arena *arena);

/* The certificate of the signer among extraCerts: the first whose subject is the sender's name (CMP-22) and
 * whose key identifier is senderKID, if there is one (CMP-24). It may stand anywhere: whether it must be the
 * first (CMP-36) is the caller's to say. False: none, also when the sender is no directoryName; *out is
 * untouched. */
MUST_USE bool cmp_signer_certificate(const struct cmp_message *message, struct arena *arena,
                                     struct certificate *out);

#endif
