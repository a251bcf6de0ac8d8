/* exchange_internal.h: one PKIMessage on its way through this room: open, judge, decide, answer. */
#ifndef MUSTER_CMP_EXCHANGE_INTERNAL_H
#define MUSTER_CMP_EXCHANGE_INTERNAL_H

#include "lib/base/secret.h"
#include "proto/cmp/answer.h"
#include "proto/cmp/cmp.h"
#include "proto/cmp/protect.h"
#include "proto/cmp/transaction_internal.h"

enum { CMP_SENDER_BITS_MAX = 8192, CMP_CONTENT_MAX = 8 * 1024 * 1024 };

/* Who protects a message, by what that proves. */
enum cmp_role {
    CMP_ROLE_NONE = 0,
    CMP_ROLE_SECRET,  /* knows the secret of a registration */
    CMP_ROLE_HOLDER,  /* holds a certificate of ours that is good */
    CMP_ROLE_VENDOR,  /* a device with its vendor's certificate */
    CMP_ROLE_RA,      /* an RA that the procedure trusts */
    CMP_ROLE_FOREIGN, /* holds a certificate of ours, of another domain: authentic, and nothing here (CMP-39)
                       */
};

struct cmp_sender {
    enum cmp_role role;
    /* SECRET */
    struct password_mac mac;
    struct password_mac_key mac_key; /* for the answer; wiped by cmp_exchange_end() */
    const struct registration *registration;
    /* the others */
    struct holder holder;                    /* the signer's certificate, and our record of it */
    struct bytes chain[CMP_EXTRA_CERTS_MAX]; /* what came beside it */
    size_t chain_count;
    /* all */
    struct digest256 identity;  /* who: over the registration's id, or the certificate */
    struct digest256 algorithm; /* how: over the protection's algorithm, without salt */
};

/* What is to be said. */
struct cmp_reply {
    enum cmp_body body;   /* NONE: nothing yet */
    struct bytes content; /* the element inside the body's tag */
    bool implicit_confirm;
    int64_t confirm_until_s; /* announced as confirmWaitTime; 0: not */
    bool has_chain;          /* the CA's certificates in extraCerts */
};

struct cmp_exchange {
    struct turn *turn;
    const struct cmp_service *service;
    const struct procedure *procedure;
    const struct cmp_ra *ra;
    const struct ca *ca;
    const struct ip_address *peer;
    struct bytes label; /* operation in the URL; none */
    bool nested;        /* it came inside another message */
    bool repeats;       /* octet for octet the message before, to which we said "waiting" */
    struct cmp_message request;
    struct bytes transaction_id; /* the request's, or one that was made */
    struct bytes nonce;          /* senderNonce of our answer */
    struct cmp_transaction transaction;
    struct cmp_sender sender;
    const struct requested *requested; /* ir, cr, kur, p10cr; else NULL */
    struct secret device_key; /* made here for the device: PKCS#8; none else. Owned by the exchange */
    struct cmp_reply reply;
    enum cmp_fault fault; /* what the body `error` says; OK: it says something else */
    struct bytes out;     /* the answer, DER */
};

/* A step of the way: CMP_OK to go on (or done, when the reply has a body), a fault that becomes the body
 * `error`, or CMP_FAULT_INTERNAL with *err set. */
typedef enum cmp_fault cmp_step(struct cmp_exchange *x, struct error *err);

/* An error of ours. */
static inline enum cmp_fault cmp_trouble(struct error *err, enum error_code code, const char *what)
{
    (void)error_set(err, code, "CMP: %s", what);
    return CMP_FAULT_INTERNAL;
}

const struct cmp_ra *cmp_ra_of(const struct cmp_service *service, const struct procedure *procedure);

/* Runs one message to its answer in x->out. *http_status: 200, or what is said instead of a PKIMessage (400,
 * 403). False: an error of ours. */
MUST_USE bool cmp_exchange_run(struct cmp_exchange *x, struct bytes der, int *http_status, struct error *err);
/* Another answer than the one that it ran to: `fault`; the changes go back to `before`. */
MUST_USE bool cmp_exchange_refuse(struct cmp_exchange *x, enum cmp_fault fault, struct changes before,
                                  struct error *err);
void cmp_exchange_end(struct cmp_exchange *x); /* wipes what it holds */

/* --- check.c: the header, without state or keys (CMP-11 to CMP-28). Pure. --- */
enum cmp_fault cmp_check_version(const struct cmp_message *request);
enum cmp_fault cmp_check_header(const struct cmp_message *request, const struct procedure *procedure,
                                int64_t now_s);
/* The body is one that the operation in the URL is for (CMP-6). */
enum cmp_fault cmp_check_label(struct bytes label, const struct cmp_message *request);
/* The profile that certProfile names; NULL: none is named. */
enum cmp_fault cmp_profile_asked(const struct cmp_exchange *x, const struct profile **profile);
/* It opens a transaction; it goes on with one. */
bool cmp_body_opens(enum cmp_body body);
bool cmp_body_follows(enum cmp_body body);

/* --- authenticate.c (CMP-22 to CMP-24, CMP-30 to CMP-40) --- */
enum cmp_fault cmp_authenticate(struct cmp_exchange *x, struct error *err);
/* Another message that stands inside this one: only whether its protection holds. */
enum cmp_fault cmp_authenticate_original(struct cmp_exchange *x, const struct cmp_message *original,
                                         struct error *err);

/* --- the bodies --- */
enum cmp_fault cmp_serve_request(struct cmp_exchange *x, struct error *err);  /* ir, cr, kur, p10cr */
enum cmp_fault cmp_serve_confirm(struct cmp_exchange *x, struct error *err);  /* certConf */
enum cmp_fault cmp_serve_pki_conf(struct cmp_exchange *x, struct error *err); /* pkiConf, error */
enum cmp_fault cmp_serve_poll(struct cmp_exchange *x, struct error *err);     /* pollReq */
enum cmp_fault cmp_serve_revoke(struct cmp_exchange *x, struct error *err);   /* rr */
enum cmp_fault cmp_serve_general(struct cmp_exchange *x, struct error *err);  /* genm */
enum cmp_fault cmp_serve_nested(struct cmp_exchange *x, struct error *err);   /* nested */

/* --- keygen.c: central key generation (RFC 9810 5.2.2, RFC 9483 4.1.6) --- */
/* What stands in the way of it (CMP-13, CMP-121, CMP-122); CMP_OK: a key may be made and can be handed over.
 */
enum cmp_fault cmp_judge_generation(const struct cmp_exchange *x, const struct crmf_request *r);
/* Makes the key that the template names, or the profile prefers, into x->device_key and *key. */
enum cmp_fault cmp_generate(struct cmp_exchange *x, const struct crmf_template *t,
                            const struct profile *profile, struct public_key *key, struct error *err);
/* The private key for its device alone: EnvelopedData around SignedData around the key package. */
MUST_USE bool cmp_wrap_device_key(struct cmp_exchange *x, struct bytes *enveloped, struct error *err);

/* --- deliver.c: ip, cp and kup --- */
/* The response body that answers this request. */
enum cmp_body cmp_response_to(enum cmp_body opened_by);
/* What enroll() decided, as response and state of the transaction. */
enum cmp_fault cmp_deliver(struct cmp_exchange *x, const struct enroll_result *result, struct error *err);
/* A rejection of the request itself, in the response body that belongs to it; for the log `fault`'s name. */
enum cmp_fault cmp_reject(struct cmp_exchange *x, enum cmp_fault fault, const char *detail,
                          struct error *err);

/* --- reply.c --- */
/* `content` copied into the arena as x->reply. */
enum cmp_fault cmp_say(struct cmp_exchange *x, enum cmp_body body, const struct buffer *content,
                       struct error *err);
enum cmp_fault cmp_say_error(struct cmp_exchange *x, struct cmp_answer answer, struct error *err);
/* Protects and encodes x->reply into x->out. */
MUST_USE bool cmp_reply_encode(struct cmp_exchange *x, struct error *err);

/* Our answer to the message before that this one repeats, octet for octet. */
enum cmp_fault cmp_say_again(struct cmp_exchange *x);

/* The transaction as it is now, durable with the reply: what was seen, what we said. `keep_s` from now; 0:
 * for good. */
MUST_USE bool cmp_remember(struct cmp_exchange *x, uint32_t keep_s, struct error *err);

/* What the log says of a message that was not served. */
void cmp_note(struct cmp_exchange *x, const char *verdict, const char *reason, const char *detail);

#endif
