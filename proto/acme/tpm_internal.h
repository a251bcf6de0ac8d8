/* tpm_internal.h: structures of TPM 2.0 (Trusted Platform Module Library, part 2) as an attestation statement
 * carries them: read strictly, nothing left over. Pure. */
#ifndef MUSTER_ACME_TPM_INTERNAL_H
#define MUSTER_ACME_TPM_INTERNAL_H

#include "lib/base/buffer.h"
#include "lib/base/digest.h"

enum tpm_attribute { /* of a key: TPMA_OBJECT, 8.3 */
                     TPM_FIXED_TPM = 1 << 1,
                     TPM_FIXED_PARENT = 1 << 4,
                     TPM_SENSITIVE_DATA_ORIGIN = 1 << 5,
};

/* TPMT_PUBLIC (12.2.4) of an RSA or ECC key. */
struct tpm_public {
    enum digest_algorithm name_hash; /* nameAlg */
    uint32_t attributes;
    uint16_t curve;    /* ECC: TPM_ECC_CURVE; 0: RSA */
    uint32_t exponent; /* RSA */
    struct bytes x, y; /* RSA: x is the modulus */
    struct bytes encoded;
};
MUST_USE bool tpm_public_read(struct bytes in, struct tpm_public *out);
/* Its SubjectPublicKeyInfo, appended; false: a key that is none of ours. */
MUST_USE bool tpm_public_spki(const struct tpm_public *key, struct buffer *out);
/* `name` is its Name (part 1, 16): nameAlg and the digest of all of it. */
MUST_USE bool tpm_public_has_name(const struct tpm_public *key, struct bytes name);

/* TPMS_ATTEST (10.12.12) of TPM2_Certify: made by a TPM, about the key of that name. */
struct tpm_certified {
    struct bytes extra, name;
};
MUST_USE bool tpm_certified_read(struct bytes in, struct tpm_certified *out);

/* TPMT_SIGNATURE (11.3.4): RSASSA, or ECDSA as DER in `out`. */
struct tpm_signature {
    bool is_rsa;
    enum digest_algorithm hash;
};
MUST_USE bool tpm_signature_read(struct bytes in, struct tpm_signature *signature, struct buffer *out);

#endif
