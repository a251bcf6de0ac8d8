/* registration.h: the preregistration of one device, or of many through a wildcard. A plain value; what it
 * points to belongs to whoever made it (an arena, a view). */
#ifndef MUSTER_MODEL_REGISTRATION_H
#define MUSTER_MODEL_REGISTRATION_H

#include "lib/base/digest.h"
#include "lib/base/ip.h"
#include "model/fqdn_pattern.h"
#include "model/protocol.h"

/* A namespace of registrations. The id is the first 8 bytes of SHA-256 over its name: no table, equal
 * everywhere. */
struct domain_id {
    uint64_t value;
};
struct domain_id domain_id_of(struct bytes name);

enum { ID_LEN = 16, ID_TEXT_LEN = 33 };
struct registration_id {
    uint8_t bytes[ID_LEN];
};
static inline struct bytes registration_id_bytes(const struct registration_id *id)
{
    return bytes_of(id->bytes, ID_LEN);
}

enum registration_state { REGISTRATION_STATE_NONE = 0, REGISTRATION_OPEN, REGISTRATION_CLOSED };

enum order_type { ORDER_NONE = 0, ORDER_SCEP, ORDER_CMP, ORDER_EST, ORDER_ACME };

/* What shapes the certificate. Names of the JSON are in attribute_name(). */
enum attribute_kind {
    ATTRIBUTE_NONE = 0,
    ATTRIBUTE_COUNTRY,
    ATTRIBUTE_COMMON_NAME,
    ATTRIBUTE_EMAIL_ADDRESS,
    ATTRIBUTE_DMD,
    ATTRIBUTE_GIVEN_NAME,
    ATTRIBUTE_INITIALS,
    ATTRIBUTE_KEY_PROCEDURE_ID,
    ATTRIBUTE_LOCALITY,
    ATTRIBUTE_ORGANISATION,
    ATTRIBUTE_ORGANIZATION_IDENTIFIER,
    ATTRIBUTE_PSEUDONYM,
    ATTRIBUTE_TITLE,
    ATTRIBUTE_UNIQUE_IDENTIFIER,
    ATTRIBUTE_SURNAME,
    ATTRIBUTE_TELEPHONE_NUMBER,
    ATTRIBUTE_STREET,
    ATTRIBUTE_STATE_OR_PROVINCE,
    ATTRIBUTE_POSTAL_CODE,
    ATTRIBUTE_ENCODING,
    ATTRIBUTE_OTHER_NAME_OID,
    ATTRIBUTE_OTHER_NAME_ENCODING,
    ATTRIBUTE_OTHER_NAME_VALUE,
    /* these may have several values */
    ATTRIBUTE_ORGANISATION_UNIT,
    ATTRIBUTE_POSTAL_ADDRESS,
    ATTRIBUTE_SAN_EMAIL_ADDRESS,
    ATTRIBUTE_IP_ADDRESS,
    ATTRIBUTE_DNS,
    ATTRIBUTE_DIRECTORY,
    ATTRIBUTE_URI,
    ATTRIBUTE_REGISTERED_ID,
    ATTRIBUTE_COUNT,
};

struct attribute {
    enum attribute_kind kind;
    struct bytes value; /* UTF-8, checked for its kind when it was registered: `dns` canonical, `ipaddress` as
                           text of RFC 5952, registeredid dotted, ... */
};

const char *attribute_name(enum attribute_kind kind);       /* "organisationunit"; lower case */
enum attribute_kind attribute_from_name(struct bytes name); /* any case */
bool attribute_is_multiple(enum attribute_kind kind);

enum { REGISTRATION_ATTRIBUTES_MAX = 64, REGISTRATION_DOMAINS_MAX = 64, REGISTRATION_SECRET_MAX = 255 };

struct registration {
    struct registration_id id;
    uint64_t revision; /* 1 at first; a change names the one that it expects */
    enum order_type order;
    struct bytes procedure;   /* through which it was made */
    struct domain_id domain;  /* which that procedure had then */
    struct fqdn_pattern fqdn; /* none for ACME */
    enum registration_state state;
    int64_t accepted_s;         /* validity counts from here */
    uint32_t valid_days;        /* 0: always */
    struct ip_address ip;       /* none: any */
    struct bytes serial_number; /* as given; none: any */
    uint32_t protocols;         /* PROTOCOL_BITs that it is good for */
    bool one_time;
    bool used; /* one_time: a certificate was issued on it */
    bool has_key_fingerprint;
    struct digest256 key_fingerprint; /* SHA-256 over SPKI */
    struct bytes email;
    struct bytes user_name, realm; /* EST; none: any user name, no rule for the realm */
    bool enroll_reg;               /* SCEP */
    struct bytes key_id;           /* ACME, unique per domain */
    struct bytes *allowed_domain;  /* ACME */
    size_t allowed_domain_count;
    bool pre_authorised; /* ACME */
    struct attribute *attribute;
    size_t attribute_count;
    struct bytes sealed_secret; /* keys_seal() of the 32 random bytes and the password (or HMAC key), bound to
                                   id; none: no password */
    struct digest256
        commitment;       /* SHA-256 over the 32 random bytes and the secret: what the officer signed */
    struct bytes officer; /* key id of who signed the last change */
    uint64_t audit_index; /* where the last signed request stands in the audit */
};

/* First value of that attribute, and the n-th (from 0); none when there is no such. */
struct bytes registration_attribute(const struct registration *r, enum attribute_kind kind, size_t n);

/* State Open and its days not over. */
bool registration_is_open(const struct registration *r);
bool registration_is_expired(const struct registration *r, int64_t now_s);

/* A deep copy in `arena`; false when it is full. */
struct arena;
MUST_USE bool registration_copy(const struct registration *from, struct arena *arena,
                                struct registration *out);

/* RFC 5280 7.1 caseIgnoreMatch, leading zeros and dashes kept (CSR-78): the folded form that serial numbers
 * compare in. */
MUST_USE bool serial_number_fold(struct bytes serial, struct arena *arena, struct bytes *out);

#endif
