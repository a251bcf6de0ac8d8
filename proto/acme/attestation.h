/* attestation.h: what a device says of itself and of a key that it holds: a WebAuthn attestation object (8.2)
 * as device-attest-01 carries it, with the key authorization in place of authenticatorData and
 * clientDataHash. Formats: `apple` (a certificate of the maker over the key, with the digest of the token)
 * and `tpm` (WebAuthn 8.3: a statement signed by an attestation key that its maker has certified). Pure. */
#ifndef MUSTER_ACME_ATTESTATION_H
#define MUSTER_ACME_ATTESTATION_H

#include "lib/base/digest.h"
#include "model/procedure.h"

/* What it has to say. All borrowed. */
struct attestation_claim {
    struct bytes object; /* CBOR */
    struct bytes token, key_authorization;
    struct bytes device;                  /* the identifier */
    const struct anchors *const *anchors; /* ATTESTATION_FORMAT_COUNT; NULL: the format is not taken */
    int64_t now_s;
};

enum attestation_finding {
    ATTESTATION_INTERNAL = 0,
    ATTESTATION_MALFORMED, /* no attestation object at all */
    ATTESTATION_BAD,       /* it does not prove what it says */
    ATTESTATION_OTHER,     /* it holds, of another device */
    ATTESTATION_HOLDS,
};

/* HOLDS: *key is SHA-256 over the SubjectPublicKeyInfo of the key that was attested. Else *detail says why,
 * as static text without a word of what was sent. */
enum attestation_finding attestation_judge(const struct attestation_claim *claim, struct arena *arena,
                                           struct digest256 *key, const char **detail);

/* "apple", "tpm" */
const char *attestation_format_name(enum attestation_format format);

#endif
