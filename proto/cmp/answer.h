/* answer.h: what a sender is told, by reason: the CMP column of the refusal table, and the faults of a
 * message that are found before anybody decides. Two tables that the compiler checks for completeness. */
#ifndef MUSTER_CMP_ANSWER_H
#define MUSTER_CMP_ANSWER_H

#include "model/refusal.h"
#include "proto/cmp/message.h"

/* What is wrong with a message (conformance CMP-7 to CMP-122). OK is not zero. */
enum cmp_fault {
    CMP_FAULT_INTERNAL = 0,
    CMP_FAULT_VERSION,             /* CMP-12 */
    CMP_FAULT_SYNTAX,              /* CMP-7: the body cannot be decoded */
    CMP_FAULT_BODY,                /* CMP-65: no body that is asked of a server */
    CMP_FAULT_LABEL,               /* CMP-6 */
    CMP_FAULT_TRANSACTION_ID,      /* CMP-14 */
    CMP_FAULT_TRANSACTION_IN_USE,  /* CMP-15 */
    CMP_FAULT_TRANSACTION_UNKNOWN, /* CMP-78, CMP-89 */
    CMP_FAULT_SENDER_NONCE,        /* CMP-17, CMP-20 */
    CMP_FAULT_RECIPIENT_NONCE,     /* CMP-18, CMP-19 */
    CMP_FAULT_TIME,                /* CMP-21 */
    CMP_FAULT_SENDER,              /* CMP-22, CMP-23 */
    CMP_FAULT_KEY_ID,              /* CMP-24 */
    CMP_FAULT_IMPLICIT_CONFIRM,    /* CMP-25 */
    CMP_FAULT_CONFIRM_WAIT_SYNTAX, /* CMP-26 */
    CMP_FAULT_CONFIRM_WAIT,        /* CMP-26 */
    CMP_FAULT_PROFILE,             /* CMP-27 */
    CMP_FAULT_UNPROTECTED,         /* CMP-30 */
    CMP_FAULT_PROTECTION,          /* CMP-31, CMP-64: wrong, or of somebody who is not known */
    CMP_FAULT_ALGORITHM,           /* CMP-32, CMP-34 */
    CMP_FAULT_INTEGRITY,           /* CMP-35, CMP-40, CMP-113 */
    CMP_FAULT_SIGNER,              /* CMP-36 */
    CMP_FAULT_SIGNER_NOT_TRUSTED,  /* CMP-37 */
    CMP_FAULT_SIGNER_REVOKED,      /* CMP-38 */
    CMP_FAULT_OTHER_SENDER,        /* CMP-40 */
    CMP_FAULT_NOT_AUTHORIZED,      /* CMP-39, CMP-53 */
    CMP_FAULT_COUNT,               /* CMP-46, CMP-76, CMP-96, CMP-106 */
    CMP_FAULT_CERT_REQ_ID,         /* CMP-47, CMP-76, CMP-87 */
    CMP_FAULT_TEMPLATE,            /* CMP-48, CMP-49, CMP-122 */
    CMP_FAULT_POP,                 /* CMP-50 to CMP-55 */
    CMP_FAULT_WRONG_AUTHORITY,     /* template.issuer names another CA */
    CMP_FAULT_OLD_CERT_ID,         /* CMP-58 */
    CMP_FAULT_UPDATE_PENDING,      /* CMP-60 */
    CMP_FAULT_NEEDS_VERSION_3,     /* CMP-13 */
    CMP_FAULT_CERT_HASH,           /* CMP-73 */
    CMP_FAULT_HASH_ALGORITHM,      /* CMP-74 */
    CMP_FAULT_CERT_STATUS,         /* CMP-76: accepted, with a failInfo */
    CMP_FAULT_CONFIRMED,           /* CMP-77 */
    CMP_FAULT_REVOKE_INCOMPLETE,   /* CMP-93 */
    CMP_FAULT_REVOKE_UNKNOWN,      /* CMP-94 */
    CMP_FAULT_REVOKED_ALREADY,     /* CMP-95 */
    CMP_FAULT_REVOKE_REASON,       /* CMP-96 */
    CMP_FAULT_REVIVE,              /* CMP-97 */
    CMP_FAULT_INFO_VALUE,          /* CMP-105 */
    CMP_FAULT_LANGUAGE,            /* CMP-107 */
    CMP_FAULT_ORIGINAL,            /* CMP-115 */
    CMP_FAULT_BUSY,
    CMP_FAULT_REPLAYED,
    CMP_OK,
};

const char *cmp_fault_name(enum cmp_fault fault); /* for log and metrics */

struct cmp_answer {
    uint32_t fail_info; /* one bit; 0: nothing of CMP, HTTP 500 */
    const char *text;   /* statusString */
};

struct cmp_answer cmp_answer_to_fault(enum cmp_fault fault);

/* `why` has gone through refusal_on_wire(). */
struct cmp_answer cmp_answer_to(enum refusal why);

#endif
