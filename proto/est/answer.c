#include "proto/est/answer.h"

/* One text for all that would tell one registration from another, or from none, and for showing nothing at
 * all (CSR-111, EST-78). */
#define TEXT_NOT_AUTHENTICATED "authentication required, or it failed\n"
/* The same for a device that has proved itself: which criterion failed is for the log. */
#define TEXT_NOT_AUTHORIZED "not authorized\n"

static struct est_answer say(int status, const char *text)
{
    return (struct est_answer){ .status = status, .text = text };
}

static struct est_answer say_later(int status, const char *text)
{
    return (struct est_answer){ .status = status, .retry_after = true, .text = text };
}

struct est_answer est_answer_to(enum refusal why)
{
    switch (why) {
    case REFUSAL_SYNTAX: return say(400, "the certificate request is malformed\n");
    case REFUSAL_ALGORITHM: return say(400, "signature algorithm of the certificate request not accepted\n");
    case REFUSAL_POP: return say(400, "the signature of the certificate request is wrong\n");
    case REFUSAL_KEY: return say(400, "public key not accepted\n");
    case REFUSAL_KEY_REUSE: return say(403, "public key is in use already\n");
    case REFUSAL_NAME: return say(400, "a name in the certificate request is malformed\n");
    case REFUSAL_PROFILE:
        return say(400, "an extension or attribute of the certificate request is not allowed\n");
    case REFUSAL_NO_FQDN: return say(403, "no FQDN in the certificate request\n");
    case REFUSAL_NO_CREDENTIAL:
    case REFUSAL_SECRET: return say(401, TEXT_NOT_AUTHENTICATED);
    case REFUSAL_NAME_POLICY:
    case REFUSAL_NO_REGISTRATION:
    case REFUSAL_CLOSED:
    case REFUSAL_USED:
    case REFUSAL_EXPIRED:
    case REFUSAL_PROTOCOL:
    case REFUSAL_IP:
    case REFUSAL_SERIAL:
    case REFUSAL_KEY_FINGERPRINT: return say(403, TEXT_NOT_AUTHORIZED);
    case REFUSAL_LOCKED: return say_later(429, "too many tries\n");
    case REFUSAL_RENEW_MISMATCH: return say(403, "names differ from those of the certificate\n");
    case REFUSAL_RENEW_STATE:
        return say(
            403,
            "the client certificate does not entitle to this: chain, expiry, revocation or renewal window\n");
    case REFUSAL_CONFLICT: return say(400, "in conflict with another request\n");
    case REFUSAL_DENIED: return say(403, "denied\n");
    case REFUSAL_CAA: return say(403, "forbidden by a CAA record\n");
    case REFUSAL_CA_UNAVAILABLE: return say_later(503, "the CA cannot serve now: try later\n");
    case REFUSAL_CA_REJECTED: return say(400, "rejected by the CA\n");
    case REFUSAL_INTERNAL:
    case REFUSAL_COUNT: break;
    }
    return say(500, "internal error\n");
}
