/* message.h: the CMP codec (RFC 9810 5, appendix F): PKIMessage and its bodies, bytes to values and back.
 * Pure: no key, clock or randomness. Values point into the input. What cannot be understood becomes a value
 * that refuses (body NONE, status NONE). CertReqMsg and CertTemplate: lib/pki/crmf.h. */
#ifndef MUSTER_CMP_MESSAGE_H
#define MUSTER_CMP_MESSAGE_H

#include "lib/base/error.h"
#include "lib/pki/crmf.h"

enum {
    CMP_MESSAGE_MAX = 256 * 1024,
    CMP_INFO_MAX = 32, /* InfoTypeAndValue in a header or a general message */
    CMP_EXTRA_CERTS_MAX = 16,
    CMP_NESTED_MAX = 32, /* messages of a batch */
    CMP_ITEMS_MAX = 32,  /* of any SEQUENCE OF in a body; more is malformed */
    CMP_NONCE_LEN = 16,
    CMP_ID_MAX = 255,         /* transactionID, nonces, senderKID: octets; longer is malformed */
    CMP_NAME_MAX = 16 * 1024, /* sender and recipient: echoed too */
    CMP_OID_MAX = 128,        /* infoType */
};

/* PKIBody. In the order of its tags, which are one less: zero is no body. */
enum cmp_body {
    CMP_BODY_NONE = 0,
    CMP_IR,
    CMP_IP,
    CMP_CR,
    CMP_CP,
    CMP_P10CR,
    CMP_POPDECC,
    CMP_POPDECR,
    CMP_KUR,
    CMP_KUP,
    CMP_KRR,
    CMP_KRP,
    CMP_RR,
    CMP_RP,
    CMP_CCR,
    CMP_CCP,
    CMP_CKUANN,
    CMP_CANN,
    CMP_RANN,
    CMP_CRLANN,
    CMP_PKICONF,
    CMP_NESTED,
    CMP_GENM,
    CMP_GENP,
    CMP_ERROR,
    CMP_CERT_CONF,
    CMP_POLL_REQ,
    CMP_POLL_REP,
    CMP_BODY_COUNT,
};
const char *cmp_body_name(enum cmp_body body); /* "ir"; "unknown" for NONE */

/* PKIStatus, numbers of the wire plus one, for the same reason. */
enum cmp_status {
    CMP_STATUS_NONE = 0,
    CMP_ACCEPTED,
    CMP_GRANTED_WITH_MODS,
    CMP_REJECTION,
    CMP_WAITING,
    CMP_REVOCATION_WARNING,
    CMP_REVOCATION_NOTIFICATION,
    CMP_KEY_UPDATE_WARNING,
};

/* PKIFailureInfo as a mask (bit 0 of the standard = 0x1). */
enum cmp_fail_info {
    CMP_BAD_ALG = 1 << 0,
    CMP_BAD_MESSAGE_CHECK = 1 << 1,
    CMP_BAD_REQUEST = 1 << 2,
    CMP_BAD_TIME = 1 << 3,
    CMP_BAD_CERT_ID = 1 << 4,
    CMP_BAD_DATA_FORMAT = 1 << 5,
    CMP_WRONG_AUTHORITY = 1 << 6,
    CMP_BAD_POP = 1 << 9,
    CMP_CERT_REVOKED = 1 << 10,
    CMP_CERT_CONFIRMED = 1 << 11,
    CMP_WRONG_INTEGRITY = 1 << 12,
    CMP_BAD_RECIPIENT_NONCE = 1 << 13,
    CMP_ADD_INFO_NOT_AVAILABLE = 1 << 17,
    CMP_BAD_SENDER_NONCE = 1 << 18,
    CMP_BAD_CERT_TEMPLATE = 1 << 19,
    CMP_SIGNER_NOT_TRUSTED = 1 << 20,
    CMP_TRANSACTION_ID_IN_USE = 1 << 21,
    CMP_UNSUPPORTED_VERSION = 1 << 22,
    CMP_NOT_AUTHORIZED = 1 << 23,
    CMP_SYSTEM_UNAVAIL = 1 << 24,
    CMP_SYSTEM_FAILURE = 1 << 25,
    CMP_DUPLICATE_CERT_REQ = 1 << 26,
};

/* Content octets of id-it (1.3.6.1.5.5.7.4.n) and id-kp (1.3.6.1.5.5.7.3.n) object identifiers. */
extern const struct bytes CMP_IT_CURRENT_CRL, CMP_IT_UNSUPPORTED_OIDS, CMP_IT_IMPLICIT_CONFIRM,
    CMP_IT_CONFIRM_WAIT_TIME, CMP_IT_ORIG_PKI_MESSAGE, CMP_IT_SUPP_LANG_TAGS, CMP_IT_CA_CERTS,
    CMP_IT_ROOT_CA_KEY_UPDATE, CMP_IT_CERT_REQ_TEMPLATE, CMP_IT_ROOT_CA_CERT, CMP_IT_CERT_PROFILE,
    CMP_IT_CRL_STATUS_LIST, CMP_IT_CRLS, CMP_IT_CA_PROT_ENC_CERT, CMP_IT_SIGN_KEY_PAIR_TYPES,
    CMP_IT_ENC_KEY_PAIR_TYPES, CMP_IT_PREFERRED_SYMM_ALG, CMP_IT_CA_KEY_UPDATE_INFO, CMP_KP_CMC_CA,
    CMP_KP_CMC_RA, CMP_KP_CM_KGA;

struct cmp_info {       /* InfoTypeAndValue */
    struct bytes oid;   /* content octets */
    struct bytes value; /* element whole; none when absent */
};

struct cmp_header {
    uint64_t pvno;
    struct bytes sender, recipient;           /* GeneralName elements whole */
    struct bytes sender_name, recipient_name; /* the Name element of a directoryName; none else */
    bool has_message_time;
    int64_t message_time_s;
    struct bytes protection_alg; /* AlgorithmIdentifier element; none */
    bool has_transaction_id, has_sender_nonce, has_recip_nonce;
    struct bytes sender_kid, recip_kid, transaction_id, sender_nonce, recip_nonce;
    struct cmp_info info[CMP_INFO_MAX]; /* generalInfo; freeText is skipped */
    size_t info_count;
};

/* NULL when there is none of that type. */
const struct cmp_info *cmp_info_find(const struct cmp_info *info, size_t count, struct bytes oid);

struct cmp_message {
    struct bytes encoded;
    struct bytes header_encoded, body_encoded; /* elements whole, as received */
    struct cmp_header header;
    enum cmp_body body;
    struct bytes content; /* the element inside the body's explicit tag */
    bool has_protection;
    struct bytes protection; /* bits */
    struct bytes extra_cert[CMP_EXTRA_CERTS_MAX];
    size_t extra_cert_count;
};

enum cmp_decoded {
    CMP_DECODED_NOTHING = 0, /* no PKIMessage: nothing can be correlated (CMP-7: HTTP 400) */
    CMP_DECODED_HEADER,      /* the header alone is good: error badDataFormat */
    CMP_DECODED_ALL
};
/* Strict DER; octets after the message, or fewer than it says: NOTHING, and *out is untouched. With HEADER
 * all that stands behind the header is none in *out. The inside of the body is for the functions below. A
 * body of an unknown tag decodes with body NONE. */
enum cmp_decoded cmp_message_decode(struct bytes der, struct cmp_message *out);

/* ProtectedPart (RFC 9810 5.1.3): what the protection covers, made from the parts as received. */
MUST_USE bool cmp_protected_part(const struct cmp_message *message, struct arena *arena, struct bytes *out);

/* --- bodies, read. `content` is the message's; false: malformed, or more than `max`. Then *count is
 * untouched, but not what an array of the caller's holds. --- */

/* CertReqMessages, and PKIMessages of a nested body: the elements, at most `max`; none or more: false. */
MUST_USE bool cmp_elements_decode(struct bytes content, struct bytes *element, size_t max, size_t *count);

struct cmp_status_info {
    enum cmp_status status;
    uint32_t fail_info; /* mask; 0: absent */
    struct bytes text;  /* first UTF8String of statusString; none */
};

struct cmp_cert_response {
    int64_t cert_req_id;
    struct cmp_status_info status;
    struct bytes certificate;    /* CMPCertificate element; none */
    struct bytes encrypted_cert; /* EncryptedKey element, inside of [1]; none */
    struct bytes private_key;    /* EnvelopedData inside of EncryptedKey's [0], as an element of its own
                                    (SEQUENCE), which decoding makes in its arena; none, also when it came as
                                    EncryptedValue */
};
struct cmp_cert_rep {
    struct bytes ca_pub[CMP_ITEMS_MAX];
    size_t ca_pub_count;
    struct cmp_cert_response response[CMP_ITEMS_MAX];
    size_t response_count;
};
MUST_USE bool cmp_cert_rep_decode(struct bytes content, struct arena *arena, struct cmp_cert_rep *out);

struct cmp_cert_status {
    struct bytes cert_hash;
    int64_t cert_req_id;
    bool has_status;
    struct cmp_status_info status;
    struct bytes hash_alg; /* AlgorithmIdentifier element; none */
};
MUST_USE bool cmp_cert_conf_decode(struct bytes content, struct cmp_cert_status *out, size_t max,
                                   size_t *count); /* count 0 is well-formed */

struct cmp_poll_rep {
    int64_t cert_req_id;
    uint64_t check_after_s;
};
MUST_USE bool cmp_poll_req_decode(struct bytes content, int64_t *cert_req_id, size_t max, size_t *count);
MUST_USE bool cmp_poll_rep_decode(struct bytes content, struct cmp_poll_rep *out, size_t max, size_t *count);

struct cmp_rev_details {
    struct crmf_template details;
    struct bytes crl_entry_details; /* Extensions element; none */
};
MUST_USE bool cmp_rev_req_decode(struct bytes content, struct arena *arena, struct cmp_rev_details *out,
                                 size_t max, size_t *count);
MUST_USE bool cmp_rev_rep_decode(struct bytes content, struct cmp_status_info *out, size_t max,
                                 size_t *count);

MUST_USE bool cmp_general_decode(struct bytes content, struct cmp_info *out, size_t max, size_t *count);
MUST_USE bool cmp_error_decode(struct bytes content, struct cmp_status_info *out);

/* --- bodies, written: the element that stands inside the body's tag, appended. --- */
/* A status NONE is written as rejection; a text that is none is left out, and so is a mask of no bits. */
void cmp_status_info_put(struct buffer *out, const struct cmp_status_info *status);
void cmp_cert_rep_put(struct buffer *out, const struct cmp_cert_rep *rep);
void cmp_cert_conf_put(struct buffer *out, const struct cmp_cert_status *status, size_t count);
void cmp_poll_req_put(struct buffer *out, int64_t cert_req_id);
void cmp_poll_rep_put(struct buffer *out, const struct cmp_poll_rep *rep);
/* `issuer` is a Name element, `serial` INTEGER content octets (struct certificate has both); none: left out.
 * `reason` below 0: no crlEntryDetails. */
void cmp_rev_req_put(struct buffer *out, struct bytes issuer, struct bytes serial, int reason);
void cmp_rev_rep_put(struct buffer *out, const struct cmp_status_info *status);
void cmp_general_put(struct buffer *out, const struct cmp_info *info, size_t count);
void cmp_error_put(struct buffer *out, const struct cmp_status_info *status);
void cmp_elements_put(struct buffer *out, const struct bytes *element, size_t count); /* SEQUENCE OF */

/* --- the message, written --- */
/* PKIHeader element. `sender` and `recipient` are GeneralName elements; none: NULL-DN. sender_name and
 * recipient_name are not looked at. The has_ members decide what is written; key identifiers that are none
 * are left out. */
void cmp_header_put(struct buffer *out, const struct cmp_header *header);

/* GeneralizedTime whatever the year, unlike the Time of a certificate. */
void cmp_time_put(struct buffer *out, int64_t time_s);

/* PKIBody element: `content` inside its tag. Not for NONE. */
void cmp_body_put(struct buffer *out, enum cmp_body body, struct bytes content);

/* PKIMessage of its parts, protection bits (none: no protection) and certificates. */
void cmp_message_put(struct buffer *out, struct bytes header, struct bytes body, struct bytes protection,
                     const struct bytes *extra_cert, size_t extra_cert_count);

#endif
