/* problem.h: what a client is told when something fails: the ACME column of the refusal table (csr.md), as
 * problem documents (RFC 7807, RFC 8555 6.7). Types of the registered set alone. Tables that the compiler
 * checks for completeness. */
#ifndef MUSTER_ACME_PROBLEM_H
#define MUSTER_ACME_PROBLEM_H

#include "lib/jose/json.h"
#include "model/refusal.h"

enum acme_problem { /* stored with challenges and orders: new ones at the end */
                    ACME_SERVER_INTERNAL = 0,
                    ACME_ACCOUNT_DOES_NOT_EXIST,
                    ACME_ALREADY_REPLACED,
                    ACME_ALREADY_REVOKED,
                    ACME_BAD_CSR,
                    ACME_BAD_NONCE,
                    ACME_BAD_PUBLIC_KEY,
                    ACME_BAD_REVOCATION_REASON,
                    ACME_BAD_SIGNATURE_ALGORITHM,
                    ACME_CAA,
                    ACME_CONNECTION,
                    ACME_DNS,
                    ACME_EXTERNAL_ACCOUNT_REQUIRED,
                    ACME_INCORRECT_RESPONSE,
                    ACME_INVALID_CONTACT,
                    ACME_INVALID_PROFILE,
                    ACME_MALFORMED,
                    ACME_ORDER_NOT_READY,
                    ACME_RATE_LIMITED,
                    ACME_REJECTED_IDENTIFIER,
                    ACME_TLS,
                    ACME_UNAUTHORIZED,
                    ACME_UNSUPPORTED_CONTACT,
                    ACME_UNSUPPORTED_IDENTIFIER,
                    ACME_USER_ACTION_REQUIRED,
                    ACME_AUTO_RENEWAL_CANCELED, /* RFC 8739 */
                    ACME_AUTO_RENEWAL_EXPIRED,
                    ACME_AUTO_RENEWAL_CANCELLATION_INVALID,
                    ACME_AUTO_RENEWAL_REVOCATION_NOT_SUPPORTED,
                    ACME_BAD_ATTESTATION_STATEMENT,
                    ACME_PROBLEM_COUNT
};

/* "malformed"; what stands after "urn:ietf:params:acme:error:". */
const char *acme_problem_name(enum acme_problem problem);
int acme_problem_status(enum acme_problem problem);

struct acme_answer {
    enum acme_problem problem;
    bool retry_after;   /* goes with Retry-After */
    int status;         /* 0: the problem's */
    const char *detail; /* static; names no registration */
};

/* `why` has gone through refusal_on_wire(). */
struct acme_answer acme_answer_to(enum refusal why);

/* {"type", "detail", "status" when it is not 0} as a new object; NULL when memory ran out. */
MUST_USE json_t *acme_problem_json(enum acme_problem problem, struct bytes detail, int status);

#endif
