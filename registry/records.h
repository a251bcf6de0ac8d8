/* records.h: the smaller values that the registry keeps: protocol state, jobs, officers, audit entries. */
#ifndef MUSTER_REGISTRY_RECORDS_H
#define MUSTER_REGISTRY_RECORDS_H

#include "lib/base/digest.h"
#include "model/registration.h"

/* --- generic protocol state: (procedure, kind, id) -> versioned blob --- */
enum { STATE_KIND_MAX = 32 };
struct state_key {
    struct bytes procedure; /* name; none for state of the gateway itself */
    const char *kind;       /* "txn", "pending", "crl", ... */
    struct bytes id;        /* any length; hashed when long */
};
struct state_value {
    struct bytes blob;
    uint64_t revision; /* read: current; written by the registry */
    int64_t expires_s; /* 0: never; the sweeper deletes what is older */
    int64_t changed_s;
};

/* --- jobs --- */
struct job_id {
    uint8_t bytes[ID_LEN];
};
struct job_record {
    struct job_id id;
    struct bytes kind;  /* row of the job table */
    struct bytes state; /* the job's own, a record */
    int64_t due_s;      /* not before */
    uint32_t attempts;
};

/* --- officers --- */
enum officer_right {
    RIGHT_REGISTER = 1 << 0,
    RIGHT_WILDCARD = 1 << 1,
    RIGHT_ANY_NAME = 1 << 2, /* a lone '*' */
    RIGHT_PRE_AUTHORISE = 1 << 3,
    RIGHT_CLOSE = 1 << 4,
    RIGHT_REVOKE = 1 << 5,
    RIGHT_APPROVE = 1 << 6,  /* pending enrollments */
    RIGHT_READ = 1 << 7,     /* list, show, explain, audit */
    RIGHT_OFFICERS = 1 << 8, /* add and change officers */
};
enum { RIGHTS_ALL = (1 << 9) - 1 };

struct officer_record {
    struct bytes key_id; /* the `kid` of what it signs: RFC 7638 thumbprint, base64url */
    struct bytes name;   /* for people */
    struct bytes spki;
    struct digest256 certificate; /* SHA-256 over the DER of its TLS client certificate; zero: none */
    uint32_t rights;
    struct bytes *procedure; /* names; none: all */
    size_t procedure_count;
    struct bytes *suffix; /* FQDN suffixes that it may register under; none: all */
    size_t suffix_count;
    bool disabled;
    uint64_t revision; /* expected; 0: new */
};

/* --- audit --- */
enum audit_kind {
    AUDIT_NONE = 0,
    AUDIT_ACT,         /* an officer's signed request, whole, as it came (flattened JWS) */
    AUDIT_ACT_REFUSED, /* one that was refused, with the reason */
    AUDIT_ISSUED,
    AUDIT_REVOKED,
    AUDIT_APPROVED,
    AUDIT_CONFIGURATION,
    AUDIT_REFUSALS, /* refusals of devices, summed over a minute */
    AUDIT_OFFICER,
    AUDIT_PUBLISHED,
    AUDIT_CONFIRMED, /* a device has its certificate */
    AUDIT_ACCOUNT,   /* an ACME account: bound to a registration, given names without challenge, another key,
                        deactivated */
    AUDIT_KIND_COUNT,
};
const char *audit_kind_name(enum audit_kind kind);

struct audit_entry {
    uint64_t index;
    int64_t time_s;
    enum audit_kind kind;
    struct bytes content;  /* JSON */
    struct digest256 leaf; /* RFC 6962: SHA-256(0x00 || the entry's encoding) */
};

struct audit_head {
    uint64_t size;
    struct digest256 root; /* RFC 6962 Merkle tree hash; of an empty log SHA-256 of nothing */
    int64_t time_s;
};

#endif
