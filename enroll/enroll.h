/* enroll.h: what a device may have. A protocol's server decodes a message into struct enrollment, calls
 * enroll(), and encodes the result; admission, repetition, approval, renewal rules and issuance live here and
 * nowhere else, so that no frontend can forget one.
 *
 * enroll() is a function of its arguments: it reads the view, writes nothing, and leaves in turn->changes
 * what must be durable before the result may leave (the certificate's record, the transaction, the one-time
 * registration's use, the audit entry). */
#ifndef MUSTER_ENROLL_H
#define MUSTER_ENROLL_H

#include "ca/ca.h"
#include "enroll/slow_down.h"
#include "lib/pki/crmf.h"
#include "model/enrollment.h"
#include "model/verdict.h"
#include "registry/turn.h"

/* The gateway's configuration as this room needs it; read-only, shared. Everything in the request refers into
 * it. */
struct enroll_service {
    const struct ca *ca;
    size_t ca_count;
    const struct procedure *const *procedure;
    size_t procedure_count;
    const struct slow_down *slow_down; /* NULL: no slow-down */
    uint32_t transaction_keep_s;       /* how long a finished transaction is remembered */
    uint32_t pending_keep_s;           /* how long an officer may think */
    unsigned pending_max; /* of one procedure, few of them of one name; beyond: REFUSAL_CA_UNAVAILABLE */
};

const struct ca *enroll_ca(const struct enroll_service *service, const struct procedure *procedure);

enum enroll_kind { ENROLL_REFUSED = 0, ENROLL_ISSUED, ENROLL_PENDING };

struct enroll_result {
    enum enroll_kind kind;
    enum refusal
        reason; /* REFUSED: exact, for the log; the wire gets refusal_on_wire(reason, credential_held) */
    bool credential_held;
    const char *detail;       /* static text for the log; may be NULL */
    struct bytes certificate; /* ISSUED: DER */
    unsigned retry_after_s;   /* PENDING: until the next round; REFUSED with REFUSAL_LOCKED: the pause */
    bool repeated;            /* ISSUED or PENDING: the answer to the same request before */
    bool unconfirmed;         /* ISSUED: it is revoked unless it is confirmed in time (enroll/confirm.h) */
    const struct registration *registration; /* which admitted; NULL: none, or none required */
};

/* Admits and issues. Also sets turn->facts (fqdn, serial, verdict, reason, detail). False: an error of ours;
 * the caller answers the protocol's "internal". */
MUST_USE bool enroll(struct turn *turn, const struct enroll_service *service, const struct enrollment *e,
                     struct enroll_result *out, struct error *err);

/* Whether enroll() would come as far as making names, for a request whose key is not there yet: before one is
 * made for it, which is dear. Not admitted: *out is the refusal. Not for secrets that are judged here: it
 * counts none. Writes nothing. */
MUST_USE bool enroll_would_admit(struct turn *turn, const struct enroll_service *service,
                                 const struct enrollment *e, bool *admitted, struct enroll_result *out,
                                 struct error *err);

/* A poll that names a transaction alone (SCEP CertPoll). *found false: no such transaction (SCEP-101). A
 * signer other than the one who began it: REFUSAL_CONFLICT. An approved one is issued now, if its
 * registration is still open. */
MUST_USE bool enroll_poll(struct turn *turn, const struct enroll_service *service,
                          const struct procedure *procedure, enum protocol protocol,
                          struct bytes transaction_id, const struct digest256 *signer, bool *found,
                          struct enroll_result *out, struct error *err);

/* Reads a PKCS#10 request by the rules of the procedure and the profile (NULL: the procedure's): its keys,
 * SHA-1 where its switches or (SCEP) its dialect take it, BER where its dialect does. False: *why is the
 * refusal (REFUSAL_INTERNAL: an error of ours) and *detail a static text. */
bool enroll_csr_decode(const struct procedure *procedure, const struct profile *profile,
                       enum protocol protocol, struct bytes der, struct arena *arena, struct csr *out,
                       enum refusal *why, const char **detail);

/* Reads a CertReqMsg in the same way. A proof of possession that is no signature is left to the caller. */
bool enroll_crmf_decode(const struct procedure *procedure, const struct profile *profile, struct bytes der,
                        struct arena *arena, struct crmf_request *out, enum refusal *why,
                        const char **detail);

/* A profile that a request may name: the procedure's own, or one that certProfile may choose. NULL: none. */
const struct profile *enroll_profile(const struct procedure *procedure, struct bytes name);

/* --- a certificate as credential (also for protocols that must know before they decode further) --- */
enum holder_kind { HOLDER_NONE = 0 /* not a certificate that counts here */, HOLDER_OURS, HOLDER_VENDOR };
struct holder {
    enum holder_kind kind;
    bool usable; /* zeroed: not. Revoked, expired beyond grace, of another domain, superseded: not */
    bool awaits_confirmation; /* OURS: it is not confirmed, or its renewal is not. It may confirm and poll; to
                                 renew or enroll by it is refused by enroll() itself (CMP-60) */
    enum refusal fault;       /* when not usable */
    const char *detail;       /* static text for the log, when not usable */
    struct certificate certificate;
    struct certificate_record record; /* OURS */
};
/* Judges leaf and chain for this procedure at turn->now_s: anchors, dates with grace, revocation by our own
 * record, domain. */
MUST_USE bool enroll_holder(struct turn *turn, const struct enroll_service *service,
                            const struct procedure *procedure, struct bytes der, const struct bytes *chain,
                            size_t chain_count, struct holder *out, struct error *err);

/* enroll() by one who is known already: `holder` is what enroll_holder() said in this turn of the certificate
 * that is the credential. It is not judged again. */
MUST_USE bool enroll_held(struct turn *turn, const struct enroll_service *service, const struct enrollment *e,
                          const struct holder *holder, struct enroll_result *out, struct error *err);

/* --- an RA that speaks for devices (CMP) --- */
/* Its certificate chains to the procedure's cmp_ra_anchors at turn->now_s, may sign and has the extended key
 * usage cmcRA; one that we issued ourselves is not revoked. *detail: a static text for the log when it is not
 * trusted. enroll() judges CREDENTIAL_RA by this again. */
MUST_USE bool enroll_judge_ra(struct turn *turn, const struct enroll_service *service,
                              const struct procedure *procedure, struct bytes der, const struct bytes *chain,
                              size_t chain_count, bool *trusted, const char **detail, struct error *err);

#endif
