/* answer.h: what a device is told, by reason: the SCEP column of the refusal table, and the faults of a
 * message that are found before anybody decides. Two tables that the compiler checks for completeness. */
#ifndef MUSTER_SCEP_ANSWER_H
#define MUSTER_SCEP_ANSWER_H

#include "model/refusal.h"
#include "proto/scep/message.h"

/* What is wrong with a message itself (RFC 8894 3.2). OK is not zero. */
enum scep_fault {
    SCEP_FAULT_STRUCTURE = 0,       /* SCEP-40, SCEP-53: content type, number of signers, trailing bytes */
    SCEP_FAULT_TYPE,                /* SCEP-41: messageType unknown, or none that is asked of a server */
    SCEP_FAULT_NONCE,               /* SCEP-42 */
    SCEP_FAULT_TRANSACTION_ID,      /* SCEP-43 */
    SCEP_FAULT_ALGORITHM,           /* SCEP-46 to SCEP-48 */
    SCEP_FAULT_SIGNER,              /* SCEP-44: no certificate of the signer */
    SCEP_FAULT_SIGNATURE,           /* SCEP-45 */
    SCEP_FAULT_TIME,                /* SCEP-49 */
    SCEP_FAULT_ENVELOPE,            /* SCEP-50, SCEP-52: cannot be decrypted, or garbage inside */
    SCEP_FAULT_CLEAR,               /* SCEP-51: not encrypted at all */
    SCEP_FAULT_RECIPIENT,           /* SCEP-80: the answer could not be encrypted */
    SCEP_FAULT_SERVICE,             /* SCEP-111: GetCert and GetCRL are not offered */
    SCEP_FAULT_UNKNOWN_TRANSACTION, /* SCEP-101 */
    SCEP_FAULT_FOREIGN_TRANSACTION, /* SCEP-103 */
    SCEP_FAULT_INTERNAL,
    SCEP_OK,
};

const char *scep_fault_name(enum scep_fault fault); /* for log and metrics */

struct scep_answer {
    enum scep_fail_info fail_info; /* NONE: HTTP 500 without CMS */
    const char *text;              /* failInfoText */
};

struct scep_answer scep_answer_to_fault(enum scep_fault fault);

/* `why` has gone through refusal_on_wire(). */
struct scep_answer scep_answer_to(enum refusal why);

#endif
