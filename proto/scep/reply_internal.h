/* reply_internal.h: CertRep (RFC 8894 3.3.2), made from what is to be said. */
#ifndef MUSTER_SCEP_REPLY_INTERNAL_H
#define MUSTER_SCEP_REPLY_INTERNAL_H

#include "proto/scep/open_internal.h"

/* What is to be said. `status` NONE is a defect. */
struct scep_reply {
    enum scep_status status;
    struct scep_answer failure;      /* FAILURE */
    const struct bytes *certificate; /* SUCCESS: the issued one first */
    size_t certificate_count;
    struct bytes password; /* SUCCESS: for a signer whose key cannot decrypt (SCEP-80) */
};

/* An answer can be encrypted to the signer: its key decrypts, or there is a password. */
bool scep_reply_reaches(const struct scep_opened *request, struct bytes password);

/* CertRep, DER, signed by the RA; digest and cipher are those of the request (SCEP-90 to SCEP-96). */
MUST_USE bool scep_reply_encode(const struct scep_reply *reply, const struct scep_opened *request,
                                const struct scep_ra *ra, struct turn *turn, struct bytes *der,
                                struct error *err);

#endif
