/* procedure.h: a token procedure: one enrollment service that a device can be pointed at. Filled from
 * configuration, read-only afterwards. */
#ifndef MUSTER_MODEL_PROCEDURE_H
#define MUSTER_MODEL_PROCEDURE_H

#include "lib/base/address_rules.h"
#include "lib/pki/certificate.h"
#include "lib/pki/public_key.h"
#include "model/registration.h"

enum match_rule { MATCH_ANY = 0, MATCH_MOST_SPECIFIC };

/* A domain as configured. */
struct domain {
    const char *name;
    struct domain_id id;
    enum match_rule match;
    unsigned literal_labels_min; /* in patterns; 0: FQDN_PATTERN_LITERAL_LABELS_MIN */
    bool underscore, single_label;
};

/* Where a name of the certificate's subject comes from. */
enum subject_rule {
    SUBJECT_FROM_REGISTRATION =
        0,                /* CN = FQDN, then the registration's attributes; of the request nothing else */
    SUBJECT_FROM_REQUEST, /* the request's subject, overlaid by the registration's attributes */
};
enum san_rule {
    SAN_FQDN_AND_REQUEST = 0, /* FQDN, what was asked for and allowed, and the registration's attributes */
    SAN_FQDN_AND_REGISTRATION /* FQDN and the registration's attributes; the request's are checked, not copied
                               */
};

struct profile { /* a certificate profile */
    const char *name;
    uint32_t validity_s, backdate_s;
    uint32_t key_usage; /* RFC 5280 bits; key encipherment is left out for keys that cannot */
    const struct bytes *extended_key_usage; /* OID contents */
    size_t extended_key_usage_count;
    enum subject_rule subject;
    enum san_rule san;
    struct key_rules keys;
    uint32_t san_kinds; /* 1 << general_name_kind that a request may ask for beyond DNS and IP */
};

/* How families of clients speak, as one named set of switches. */
struct dialect {
    const char *name; /* "default", "cisco-ios", "scep-des", ... */
    bool scep_des, scep_legacy /* SHA-1 and 3DES */, scep_lenient_nonce;
    bool scep_ca_in_reply; /* the CA's certificate in CertRep */
    bool scep_issuer_only; /* GetCACert without the root */
    bool est_digest_md5;
    bool est_strict_base64;
    bool csr_ber;
    bool cmp_strict;    /* transactionID, messageTime and senderKID must be there, sender names the secret */
    bool cmp_hmac_sha1; /* as the MAC of PasswordBasedMac: what `openssl cmp` sends unasked */
    bool cmp_sha1;      /* as its one-way function too */
    bool cmp_signature_only;      /* no MAC (TS 33.310) */
    bool cmp_root_in_extra_certs; /* base stations learn the operator's root there */
};

enum acme_challenge { /* how an identifier may be proved, in the order that clients are offered them */
                      ACME_HTTP_01 = 0,
                      ACME_DNS_01,
                      ACME_TLS_ALPN_01,
                      ACME_DNS_ACCOUNT_01,
                      ACME_DNS_PERSIST_01, /* a record that stays, and names a CAA identity and the account */
                      ACME_DEVICE_ATTEST_01, /* of permanent identifiers: a statement of the device's maker */
                      ACME_CHALLENGE_COUNT
};
#define ACME_CHALLENGE_BIT(c) (1u << (c))

enum attestation_format { /* of statements that devices make of themselves (WebAuthn 8) */
                          ATTESTATION_APPLE = 0,
                          ATTESTATION_TPM,
                          ATTESTATION_FORMAT_COUNT
};

enum acme_caa { ACME_CAA_OFF = 0, ACME_CAA_WARN, ACME_CAA_ENFORCE };

struct procedure {
    const char *name;
    const struct domain *domain;
    const char *ca; /* name of a CA in the configuration */
    const struct profile *profile;
    struct dialect dialect;
    uint32_t protocols;   /* PROTOCOL_BITs that it is open on */
    bool preregistration; /* always true with SCEP or CMP */
    bool manual_approval; /* an officer approves each first enrollment */
    bool allow_sha1_csr;
    bool unstructured;           /* FQDN from unstructuredName (CSR-68) */
    bool peer_address;           /* the peer's address counts as its IP (CSR-71) */
    bool same_key_renewal;       /* CSR-37 */
    bool latest_only;            /* only the latest certificate of an FQDN renews */
    bool renewal;                /* renewals at all */
    uint32_t renewal_window_s;   /* before the end; 0: at any time */
    uint32_t renewal_grace_s;    /* after the end */
    bool renewal_rename;         /* names may change at renewal (still preregistered) */
    struct bytes *vendor_anchor; /* DER, third-party certificates taken as credential; none by default */
    size_t vendor_anchor_count;
    struct anchors *vendor_anchors;
    /* EST */
    bool est_basic, est_digest, est_client_certificate, est_link_required, est_certificate_and_http;
    const char *est_realm;     /* of the challenge */
    const char *csrattrs_path; /* NULL: made from the profile */
    struct bytes csrattrs;     /* what stands in that file: CsrAttrs, DER; none: made from the profile */
    /* SCEP */
    const char *scep_ra;      /* name of the RA */
    struct bytes scep_ra_key; /* SubjectPublicKeyInfo of its certificate */
    /* CMP */
    const char *cmp_ra;          /* name of the RA */
    struct bytes cmp_ra_key;     /* SubjectPublicKeyInfo of its certificate */
    bool cmp_implicit_confirm;   /* granted when it is asked for */
    bool cmp_ca_pubs;            /* the trust anchor in ip, when a MAC protects it */
    bool cmp_key_generation;     /* keys made here for devices that ask */
    uint32_t cmp_confirm_wait_s; /* a certificate must be confirmed within this */
    uint32_t cmp_iterations_max; /* of a MAC */
    uint32_t cmp_skew_s;         /* of messageTime; 0: not checked */
    struct bytes
        *cmp_ra_anchor; /* DER; RAs that may speak for devices chain to these, with cmcRA; none by default */
    size_t cmp_ra_anchor_count;
    struct anchors *cmp_ra_anchors;
    const struct profile *const *cmp_profile; /* that certProfile may choose, beside `profile` */
    size_t cmp_profile_count;
    /* ACME. An account is bound to a registration by its key id and HMAC key; the unbound one proves each
     * name by a challenge, and needs a registration that names ACME where preregistration is required. */
    bool acme_binding;        /* externalAccountRequired */
    uint32_t acme_challenges; /* ACME_CHALLENGE_BITs; 0: pre-authorised accounts alone get anything */
    bool acme_subdomains; /* one authorization may stand for the names below (RFC 9444), by the DNS alone */
    bool acme_wildcard;   /* "*.example.com" may be ordered, by dns-01 alone */
    bool acme_ip;         /* identifiers of type ip */
    const char *acme_terms_url, *acme_website_url; /* of the directory's meta; NULL: none */
    const char *const *acme_caa_identity;          /* caaIdentities, and who CAA records must name */
    size_t acme_caa_identity_count;
    enum acme_caa acme_caa;
    unsigned acme_identifiers_max; /* of one order; 0: ACME_IDENTIFIERS_DEFAULT */
    unsigned acme_orders_max;      /* open ones of an account; 0: ACME_ORDERS_DEFAULT */
    unsigned acme_accounts_max;    /* of one registration; 0: ACME_ACCOUNTS_DEFAULT */
    unsigned acme_unbound_max;     /* accounts bound to none, in all; 0: ACME_UNBOUND_DEFAULT */
    unsigned acme_validations_max; /* of an account, under way at a time; 0: ACME_VALIDATIONS_DEFAULT */
    unsigned acme_failures_max;    /* of an account, for one name, an hour; 0: ACME_FAILURES_DEFAULT */
    uint32_t acme_order_s;         /* how long an order, and an authorization that is not valid yet, is
                                      open; 0: ACME_ORDER_DEFAULT_S */
    uint32_t acme_authorization_s; /* how long a valid authorization may be used again; 0: the same */
    const struct profile *const *acme_profile; /* that an order may choose, beside `profile` */
    size_t acme_profile_count;
    /* STAR (RFC 8739): short-lived certificates that follow each other without being asked for. */
    bool acme_star, acme_star_get; /* offered; and fetching without a signature */
    uint32_t acme_star_lifetime_s; /* of one certificate, at least; 0: ACME_STAR_LIFETIME_S */
    uint32_t acme_star_duration_s; /* of an order, at most; 0: ACME_STAR_DURATION_S */
    bool acme_replace_all;         /* renewal information tells everybody to renew now (ACME-118) */
    struct anchors *acme_attestation_anchors[ATTESTATION_FORMAT_COUNT]; /* NULL: the format is not taken */
    struct address_rules acme_reach;        /* where validation may go (ACME-84) */
    uint16_t acme_http_port, acme_tls_port; /* of validation; 0: 80 and 443. Others are for tests */
    unsigned retry_after_s;                 /* told to those who wait */
    unsigned patience_s;             /* an answer is held back this long for an upstream CA; 0: never */
    unsigned slow_after, slow_max_s; /* wrong secrets before the slow-down, and its longest pause; 0: none */
};

enum { /* defaults of ACME, and the bound of identifiers whatever is configured */
       ACME_IDENTIFIERS_DEFAULT = 32,
       ACME_IDENTIFIERS_MAX = 100,
       ACME_ISSUERS_MAX = 10, /* that dns-persist-01 may name */
       ACME_ORDERS_DEFAULT = 50,
       ACME_ACCOUNTS_DEFAULT = 10,
       ACME_UNBOUND_DEFAULT = 100000,
       ACME_VALIDATIONS_DEFAULT = 8,
       ACME_FAILURES_DEFAULT = 10,
       ACME_ORDER_DEFAULT_S = 7 * 86400,
       ACME_STAR_LIFETIME_S = 86400,
       ACME_STAR_DURATION_S = 90 * 86400
};

/* "every protocol bit set in a procedure that can be open" checks of a procedure on its own: an open CA, SCEP
 * without preregistration, a reserved EST name. NULL when all is well, else what is wrong, for the
 * configuration's error. */
const char *procedure_fault(const struct procedure *p);

#endif
