/* message.h: the SCEP codec (RFC 8894 3): the attributes of a pkiMessage and the small structures inside it,
 * bytes to values and back. Pure: no key, clock or randomness. What cannot be understood becomes a value that
 * refuses (type NONE, status NONE); nothing unknown is ever passed on. */
#ifndef MUSTER_SCEP_MESSAGE_H
#define MUSTER_SCEP_MESSAGE_H

#include "lib/pki/cms.h"

enum { SCEP_NONCE_LEN = 16, SCEP_TRANSACTION_ID_MAX = 255, SCEP_ATTRIBUTES_MAX = 8 };

/* messageType (3.2.1.2). The numbers are those of the wire. */
enum scep_message_type {
    SCEP_MESSAGE_NONE = 0, /* absent, not decimal, or none of these: refused */
    SCEP_CERT_REP = 3,
    SCEP_RENEWAL_REQ = 17,
    SCEP_PKCS_REQ = 19,
    SCEP_CERT_POLL = 20,
    SCEP_GET_CERT = 21,
    SCEP_GET_CRL = 22,
};

/* "PKCSReq", for the log; "unknown" for NONE. */
const char *scep_message_type_name(enum scep_message_type type);

/* pkiStatus (3.2.1.3). Not the numbers of the wire: there 0 is SUCCESS, and here zero never is. */
enum scep_status { SCEP_STATUS_NONE = 0, SCEP_SUCCESS, SCEP_FAILURE, SCEP_PENDING };

/* failInfo (3.2.1.4), numbers of the wire plus one, for the same reason. */
enum scep_fail_info {
    SCEP_FAIL_NONE = 0,
    SCEP_BAD_ALG,
    SCEP_BAD_MESSAGE_CHECK,
    SCEP_BAD_REQUEST,
    SCEP_BAD_TIME,
    SCEP_BAD_CERT_ID,
};

/* The attributes of a pkiMessage. Texts and nonces are content octets, none when absent. */
struct scep_attributes {
    enum scep_message_type type;
    struct bytes transaction_id;
    bool transaction_id_fits;                   /* at most 255 characters, none of them odd (SCEP-43) */
    struct bytes sender_nonce, recipient_nonce; /* of any length */
    bool has_signing_time;
    int64_t signing_time_s;
    enum scep_status status;       /* CertRep */
    enum scep_fail_info fail_info; /* CertRep with FAILURE */
    struct bytes fail_info_text;   /* UTF-8 */
};

/* Reads what stands among the signed attributes. An attribute of a wrong string type counts as absent; a
 * transactionID may be UTF8String or IA5String (SCEP-43). */
void scep_attributes_decode(const struct cms_signed *signed_data, struct scep_attributes *out);

/* The other way, as PrintableString and OCTET STRING: what is NONE or empty is left out. False: out of
 * memory.
 */
MUST_USE bool scep_attributes_encode(const struct scep_attributes *a, struct arena *arena,
                                     struct cms_attribute out[SCEP_ATTRIBUTES_MAX], size_t *count);

/* IssuerAndSubject of a CertPoll (3.3.3): two Name elements. False: malformed. */
struct scep_issuer_and_subject {
    struct bytes issuer, subject;
};
MUST_USE bool scep_issuer_and_subject_decode(struct bytes der, struct scep_issuer_and_subject *out);
void scep_issuer_and_subject_encode(const struct scep_issuer_and_subject *in, struct buffer *out);

/* IssuerAndSerialNumber of GetCert and GetCRL (3.3.4): Name element, INTEGER content octets. */
struct scep_issuer_and_serial {
    struct bytes issuer, serial;
};
MUST_USE bool scep_issuer_and_serial_decode(struct bytes der, struct scep_issuer_and_serial *out);

/* The `message` of a GET (4.1) to DER, whatever its sender did to the base64: percent-escaped once or twice,
 * '+' turned into a blank, line breaks inside, URL alphabet, no padding (SCEP-2 to SCEP-4). `raw` is the
 * value with its escapes. False: not base64, or out of memory. */
MUST_USE bool scep_get_message(struct arena *arena, struct bytes raw, struct bytes *der);

#endif
