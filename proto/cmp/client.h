/* client.h: CMP (RFC 9810, Lightweight profile RFC 9483), the client, as functions over values: what is to be
 * asked becomes a PKIMessage, a PKIMessage that came back becomes a result. Nothing is sent here. Between two
 * calls all that is known of a transaction is its struct cmp_dialog, which can be stored. The connector
 * (connector.h), the load generator and tests stand on it. */
#ifndef MUSTER_CMP_CLIENT_H
#define MUSTER_CMP_CLIENT_H

#include "lib/base/random.h"
#include "proto/cmp/protect.h"

enum {
    CMP_SALT_LEN = 16,
    CMP_ITERATIONS = 1000,              /* of a MAC, unless the client says otherwise */
    CMP_ANSWER_ITERATIONS_MAX = 100000, /* of a MAC over an answer: more is not computed */
    CMP_CHECK_AFTER_MAX_S = 86400,      /* whoever says later is asked again by then */
};

/* Who asks, and whose answers are believed. Read-only and borrowed; all threads may share one. */
struct cmp_client {
    enum cmp_protection_kind kind; /* of what is sent */
    /* MAC */
    struct bytes reference; /* senderKID, and the sender's common name */
    struct bytes secret;
    enum password_mac_kind mac; /* NONE: PasswordBasedMac, which every CA reads */
    uint32_t iterations;        /* 0: CMP_ITERATIONS */
    /* SIGNATURE */
    const char *key_name;
    const struct certificate *certificate;
    struct bytes extra_cert[CMP_EXTRA_CERTS_MAX]; /* sent along: `certificate` first, then what leads up */
    size_t extra_cert_count;
    /* both */
    struct bytes recipient; /* Name element; none: NULL-DN */
    /* Whose answers: under the same secret, when there is one; or signed by `signer`, or without one by
     * whom `anchors` vouch for: the CA itself (`ca`), or a certificate with cmcCA or cmcRA. A device's
     * certificate of the same CA must not do (RFC 9810 4.5, 8.6). */
    bool allow_hmac_sha1; /* as the MAC of an answer: what `openssl cmp` answers with unasked */
    struct bytes signer;  /* DER; none */
    const struct anchors *anchors;
    struct bytes ca; /* DER; none */
    bool any_ca;     /* each CA certificate under the anchors counts as the CA itself */
};

/* What each call is given. */
struct cmp_call {
    const struct keys *keys;
    const struct random_source *random;
    int64_t now_s;
    struct arena *arena;
};

enum cmp_dialog_stage {
    CMP_DIALOG_NONE = 0,
    CMP_DIALOG_ASKED,   /* a message was made; its answer is awaited */
    CMP_DIALOG_WAITING, /* the CA wants to be asked again: cmp_client_poll() */
    CMP_DIALOG_POLLED,  /* it was; the answer is awaited */
    CMP_DIALOG_ANSWERED,
    CMP_DIALOG_STAGE_COUNT
};

/* One transaction as its client knows it. Made by the functions below; plain otherwise. */
struct cmp_dialog {
    enum cmp_dialog_stage stage;
    enum cmp_body asked; /* what is to be answered: ir, cr, kur, p10cr, certConf, rr, genm, error */
    bool implicit_confirm;
    bool nonce_mended; /* polled under the nonce of the first waiting answer, since the last answer */
    int64_t poll_id;   /* certReqId of pollReq: -1 for a response that is delayed whole (RFC 9483 4.4) */
    int64_t cert_req_id;
    uint8_t transaction_id[CMP_NONCE_LEN], salt[CMP_SALT_LEN];
    uint8_t sender_nonce[CMP_NONCE_LEN], asked_nonce[CMP_NONCE_LEN]; /* of the last message; of `asked` */
    struct bytes peer_nonce, waiting_nonce; /* of the last answer; of the one that first said "waiting" */
    uint8_t cert_hash[DIGEST_MAX];          /* what certConf says */
    size_t cert_hash_len;
};

/* As a record (lib/base/record.h). What was decoded points into `record`. */
MUST_USE bool cmp_dialog_decode(struct bytes record, struct cmp_dialog *out);
MUST_USE bool cmp_dialog_encode(const struct cmp_dialog *dialog, struct arena *arena, struct bytes *out,
                                struct error *err);

/* --- what is said. Each makes one PKIMessage, DER in the arena, and moves *dialog on; on a failure both are
 * untouched. Errors: those of cmp_protect() and crmf_put(); ERROR_CRYPTO without randomness; ERROR_INTERNAL
 * when the dialog is at no stage for it. --- */

struct cmp_wish {
    enum cmp_body body;     /* CMP_IR, CMP_CR, CMP_KUR: `crmf`; CMP_P10CR: `pkcs10` */
    struct crmf_order crmf; /* cert_req_id is 0 whatever it says */
    struct bytes pkcs10;    /* DER */
    struct bytes profile;   /* certProfile (RFC 9810 5.1.1.4), text; none */
    bool implicit_confirm;  /* asked for; the CA may grant it */
};
/* Opens a dialog. */
MUST_USE bool cmp_client_request(const struct cmp_client *client, const struct cmp_call *call,
                                 const struct cmp_wish *wish, struct cmp_dialog *dialog, struct bytes *der,
                                 struct error *err);

struct cmp_revocation_wish {
    struct bytes issuer, serial; /* Name element, INTEGER content, as in struct certificate */
    int reason;                  /* RFC 5280 5.3.1; below 0: not told */
};
MUST_USE bool cmp_client_revoke(const struct cmp_client *client, const struct cmp_call *call,
                                const struct cmp_revocation_wish *what, struct cmp_dialog *dialog,
                                struct bytes *der, struct error *err);

MUST_USE bool cmp_client_general(const struct cmp_client *client, const struct cmp_call *call,
                                 const struct cmp_info *info, size_t count, struct cmp_dialog *dialog,
                                 struct bytes *der, struct error *err);

/* After CMP_OUTCOME_WAITING. */
MUST_USE bool cmp_client_poll(const struct cmp_client *client, const struct cmp_call *call,
                              struct cmp_dialog *dialog, struct bytes *der, struct error *err);

/* After CMP_OUTCOME_NONCES: the CA heard a pollReq whose answer was lost, and takes that one for a
 * repetition. Asks once more, going on from the answer that first said "waiting" (RFC 9483 4.4). */
MUST_USE bool cmp_client_poll_anew(const struct cmp_client *client, const struct cmp_call *call,
                                   struct cmp_dialog *dialog, struct bytes *der, struct error *err);

/* certConf, when the result said `confirm`. */
MUST_USE bool cmp_client_confirm(const struct cmp_client *client, const struct cmp_call *call, bool accepted,
                                 struct cmp_dialog *dialog, struct bytes *der, struct error *err);

/* Ends an open dialog with the body `error`. */
MUST_USE bool cmp_client_give_up(const struct cmp_client *client, const struct cmp_call *call,
                                 const struct cmp_status_info *why, struct cmp_dialog *dialog,
                                 struct bytes *der, struct error *err);

/* --- what is heard --- */
enum cmp_outcome {
    CMP_OUTCOME_UNBELIEVED = 0, /* no answer at all: malformed, not authentic, of another transaction, to
                                   another message. The true one may still come: the same message can be sent
                                   again */
    CMP_OUTCOME_VIOLATION,      /* authentic, and no answer to what was asked */
    CMP_OUTCOME_REJECTED,       /* `status` says why */
    CMP_OUTCOME_NONCES,         /* a pollReq was refused for its nonces: cmp_client_poll_anew(). Once, else
                                   REJECTED */
    CMP_OUTCOME_WAITING,        /* poll after check_after_s */
    CMP_OUTCOME_CERTIFICATE,    /* to ir, cr, kur, p10cr */
    CMP_OUTCOME_DONE,           /* to certConf, error, rr: taken */
    CMP_OUTCOME_GENERAL,        /* to genm: `info` */
};

struct cmp_result { /* points into the answer and the arena */
    enum cmp_outcome outcome;
    const char *what;              /* UNBELIEVED, VIOLATION: what is wrong, for the log */
    struct cmp_status_info status; /* REJECTED, CERTIFICATE */
    bool check_after_told;         /* WAITING: else the CA has not said when; it is to be polled at once */
    int64_t check_after_s;         /* 1 to CMP_CHECK_AFTER_MAX_S */
    struct bytes certificate; /* CERTIFICATE: DER. Well-formed; whether it is what was asked for is for the
                                 caller to judge */
    struct bytes private_key; /* EnvelopedData of a key made by the CA; none */
    bool confirm;             /* CERTIFICATE: certConf is due; else implicitConfirm was granted */
    struct bytes ca_pub[CMP_ITEMS_MAX], extra_cert[CMP_EXTRA_CERTS_MAX]; /* material for chains, no anchors */
    size_t ca_pub_count, extra_cert_count;
    struct cmp_info info[CMP_INFO_MAX]; /* GENERAL */
    size_t info_count;
};

/* The answer to the dialog's last message. *dialog moves on with what is authentic, and is untouched by
 * UNBELIEVED. */
void cmp_client_hear(const struct cmp_client *client, const struct cmp_call *call, struct bytes der,
                     struct cmp_dialog *dialog, struct cmp_result *out);

/* "badRequest, notAuthorized: text" for the log, text that is not printable left out; NULL: no memory. */
const char *cmp_status_text(const struct cmp_status_info *status, struct arena *arena);

/* The certificates of id-it-caCerts (RFC 9810 5.3.19.14) in a general answer. False: there are none, more
 * than `max`, or malformed. */
MUST_USE bool cmp_ca_certs(const struct cmp_result *result, struct bytes *der, size_t max, size_t *count);

#endif
