/* open_internal.h: opening a pkiMessage: signature, algorithms, envelope. Cheap checks and those that need no
 * key come first; what a stranger can make expensive is bounded before it is paid for. */
#ifndef MUSTER_SCEP_OPEN_INTERNAL_H
#define MUSTER_SCEP_OPEN_INTERNAL_H

#include "proto/scep/answer.h"
#include "proto/scep/scep.h"

struct scep_opened {
    struct bytes der; /* the message as DER */
    struct cms_signed signed_data;
    struct scep_attributes attributes;
    bool trailing;                /* octets after the message */
    enum digest_algorithm digest; /* of the request; NONE until judged acceptable */
    struct certificate signer;
    struct bytes chain[CMS_CERTIFICATES_MAX]; /* what came beside the signer's */
    size_t chain_count;
    enum cms_cipher cipher; /* of the request; NONE until judged acceptable */
    struct bytes content;   /* decrypted */
};

/* The outer structure alone. False: no CertRep can be correlated with this (SCEP-13). */
MUST_USE bool scep_open_outer(struct bytes message, struct arena *arena, struct scep_opened *out);

/* Attributes, algorithms, signer, signature and time (SCEP-40 to SCEP-49, SCEP-53). */
enum scep_fault scep_open_check(const struct scep_service *service, const struct dialect *dialect,
                                struct turn *turn, struct scep_opened *o);

/* The envelope, opened with the RA's key (SCEP-50, SCEP-51). */
enum scep_fault scep_open_envelope(const struct scep_ra *ra, const struct dialect *dialect, struct turn *turn,
                                   struct scep_opened *o);

#endif
