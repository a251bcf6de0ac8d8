/* enrollment.h: what a device asks, in no protocol's words. Decoding ends here. */
#ifndef MUSTER_MODEL_ENROLLMENT_H
#define MUSTER_MODEL_ENROLLMENT_H

#include "lib/pki/certificate.h"
#include "lib/pki/requested.h"
#include "model/procedure.h"

/* HTTP Digest (RFC 7616) as the client computed it; enough to compute it again. The nonce was judged before.
 */
struct http_digest {
    enum digest_algorithm algorithm; /* MD5 or SHA-256 */
    struct bytes user_name, realm, nonce, nc, cnonce, uri, method;
    struct bytes response; /* hexadecimal, lower case */
};

enum credential_kind {
    CREDENTIAL_NONE = 0,
    CREDENTIAL_SECRET,       /* SCEP challengePassword, HTTP Basic */
    CREDENTIAL_DIGEST,       /* HTTP Digest */
    CREDENTIAL_CERTIFICATE,  /* a certificate whose key's possession is proved, ours or a vendor's */
    CREDENTIAL_REGISTRATION, /* the secret of one registration, proved by a MAC over the whole message (CMP)
                              */
    CREDENTIAL_RA, /* `certificate` of an RA that the procedure trusts: it speaks for the device, which must
                      be registered, and has seen that it holds its key (CMP) */
    CREDENTIAL_ACCOUNT, /* an ACME account: bound to a registration, or not; names that it proved */
};

/* What a maker calls one device, as text: usually its serial number. Compared by code points. */
enum { DEVICE_ID_MAX = 128 };
struct device_id {
    uint8_t len; /* 0: none */
    char text[DEVICE_ID_MAX];
};
static inline struct bytes device_id_bytes(const struct device_id *id)
{
    return bytes_of(id->text, id->len);
}

/* A name that an ACME account asks for, or has proved to be its own by a challenge. */
struct account_name {
    bool wildcard;        /* "*." stands before `name` */
    struct dns_name name; /* none: the address, or the device */
    struct ip_address ip;
    struct device_id device; /* a device that has said so itself; none: a name or an address */
};

/* What `request` is. */
enum request_form { REQUEST_PKCS10 = 0, REQUEST_CRMF };

struct credential {
    enum credential_kind kind;
    union {
        struct {
            struct bytes secret;
            struct bytes user_name; /* none: a protocol without user names; empty text counts as none */
            struct bytes realm;     /* that the challenge carried; none: no realm in this protocol */
        } secret;
        struct http_digest digest;
        struct {
            struct bytes der;          /* leaf */
            const struct bytes *chain; /* what came with it */
            size_t chain_count;
        } certificate;
        struct registration_id registration;
        struct {
            struct bytes id; /* for the audit */
            bool bound;
            struct registration_id registration; /* bound: to this one */
            const struct account_name *proved;
            size_t proved_count;
        } account;
    };
};

struct enrollment {
    enum protocol protocol;
    const struct procedure *procedure;
    struct bytes transaction_id; /* as the protocol has it; with EST made from client and content. At most 255
                                    octets */
    struct digest256 signer; /* who speaks: with SCEP SHA-256 over the key of a self-signed signer, over the
                                certificate of another; with EST of the client's identity */
    const struct requested *requested;
    enum request_form form;
    struct bytes request; /* DER of the CSR or CertReqMsg, kept while an officer thinks about it */
    const struct profile
        *profile; /* the one asked for by name, allowed by the procedure; NULL: the procedure's */
    int64_t not_before_s, not_after_s; /* exact dates, within the profile's validity; both 0: the profile's.
                                          For the embedded CA alone */
    uint32_t confirm_within_s; /* the certificate must be confirmed within this, or is revoked; 0: never */
    struct credential credential;
    struct credential second; /* EST with both certificate and HTTP authentication demanded; NONE else */
    bool renewal;           /* the protocol says that this is one, or the credential is our own certificate */
    struct ip_address peer; /* none: do not use it */
    uint32_t repeat_s;      /* how long the same request gets the same certificate; 0: for good */
};

/* The profile by which it is judged and certified. */
static inline const struct profile *enrollment_profile(const struct enrollment *e)
{
    return e->profile != NULL ? e->profile : e->procedure->profile;
}

#endif
