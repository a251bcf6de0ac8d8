/* attestation_internal.h: an attestation object taken apart, and what its formats judge. */
#ifndef MUSTER_ACME_ATTESTATION_INTERNAL_H
#define MUSTER_ACME_ATTESTATION_INTERNAL_H

#include "lib/pki/certificate.h"
#include "proto/acme/attestation.h"

enum { ATTESTATION_CHAIN_MAX = 8 };

/* attStmt: members that it lacks are none. */
struct attestation_statement {
    struct bytes ver, sig, cert_info, pub_area;
    int64_t alg;
    struct bytes x5c[ATTESTATION_CHAIN_MAX]; /* leaf first */
    size_t x5c_count;
};

struct attestation_inquiry {
    const struct attestation_claim *claim;
    struct arena *arena;
    struct attestation_statement statement;
    struct certificate leaf; /* it chains to an anchor of the format */
    struct digest256 key;
    const char *detail;
};

static inline enum attestation_finding attestation_say(struct attestation_inquiry *q,
                                                       enum attestation_finding finding, const char *detail)
{
    q->detail = detail;
    return finding;
}

/* The rest of a statement whose chain holds; HOLDS with q->key. */
enum attestation_finding attestation_judge_apple(struct attestation_inquiry *q);
enum attestation_finding attestation_judge_tpm(struct attestation_inquiry *q);

#endif
