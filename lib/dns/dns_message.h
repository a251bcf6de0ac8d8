/* dns_message.h: the answer to one DNS question as values (RFC 1035 4, RFC 3597). Every byte of it is
 * hostile. Pure; any thread. */
#ifndef MUSTER_DNS_MESSAGE_H
#define MUSTER_DNS_MESSAGE_H

#include "lib/base/arena.h"
#include "lib/dns/dns_name.h"

enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_TXT = 16,
    DNS_TYPE_AAAA = 28,
    DNS_TYPE_CAA = 257
};

enum { DNS_MESSAGE_MAX = 65535, DNS_RECORDS_MAX = 256, DNS_CNAMES_MAX = 16 };

struct dns_record {
    /* A, AAAA: 4 or 16 bytes. TXT: its strings put together. CAA: RDATA, for dns_caa_parse(). */
    struct bytes value;
    uint32_t ttl_s;
};

enum dns_status {
    DNS_STATUS_OURS = 0,  /* could not be asked: memory, no server, a name that is too long */
    DNS_STATUS_TIMEOUT,   /* no server answered in time */
    DNS_STATUS_SERVFAIL,  /* servers say that they could not find out; with DNSSEC also: bogus */
    DNS_STATUS_REFUSED,   /* servers do not want to answer, or not this */
    DNS_STATUS_MALFORMED, /* what they say cannot be read, or is more than is taken */
    DNS_STATUS_NXDOMAIN,  /* there is no such name */
    DNS_STATUS_RECORDS,   /* there is: these records, maybe none */
};

/* "no such name": for logs and problem texts. */
const char *dns_status_text(enum dns_status status);

struct dns_answer {
    enum dns_status status;
    const struct dns_record *record; /* of the type that was asked for alone */
    size_t count;
};

/* Reads a response to the question (name, type). Aliases are followed within the message, DNS_CNAMES_MAX at
 * most; records of other names and types are passed over. Malformed: what is cut off or truncated, answers
 * something else, or holds more than DNS_RECORDS_MAX records. Records live in `arena`. */
struct dns_answer dns_message_read(struct bytes message, const struct dns_name *name, enum dns_type type,
                                   struct arena *arena);

#endif
