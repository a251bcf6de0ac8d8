/* dns_name.h: a DNS name that is canonical by construction: A-labels in lower case, no trailing dot, 1 to 253
 * characters, labels of 1 to 63 (RFC 1034, 1123, 5890). Vectors: conformance CSR-84 to CSR-92. Pure. */
#ifndef MUSTER_DNS_NAME_H
#define MUSTER_DNS_NAME_H

#include "lib/base/ip.h"

enum { DNS_NAME_MAX = 253, DNS_LABEL_MAX = 63, DNS_LABELS_MAX = 127 };

struct dns_name {
    uint8_t len; /* 0: none */
    char text[DNS_NAME_MAX + 1];
};

struct dns_rules {
    bool underscore;   /* '_' allowed in labels (CSR-90) */
    bool single_label; /* "router5" is a name (CSR-67) */
    bool
        trailing_dot; /* one is removed; else it is a fault (CSR-84: registry input and CN yes, dNSName no) */
    bool unicode;     /* U-labels and full-width forms are mapped by IDNA2008 (CN, registry input); else ASCII
                         only */
};

/* For a CN and for what an officer types; for a SAN dNSName. */
#define DNS_RULES_TEXT     ((struct dns_rules){ .trailing_dot = true, .unicode = true })
#define DNS_RULES_DNS_NAME ((struct dns_rules){ 0 })

enum dns_fault {
    DNS_FAULT_SYNTAX = 0, /* empty label, length, character, hyphen at an end: a broken name */
    DNS_NOT_A_NAME,       /* something else: an address, blanks, last label all digits, a single label */
    DNS_FAULT_IDNA,       /* fake A-label, unmappable (CSR-88, CSR-89) */
    DNS_OK,
};

/* Checks and makes canonical. `out` is written on DNS_OK alone. A '*' is never part of a name:
 * DNS_NOT_A_NAME. */
enum dns_fault dns_name_parse(struct bytes text, const struct dns_rules *rules, struct dns_name *out);

static inline struct bytes dns_name_bytes(const struct dns_name *name)
{
    return bytes_of(name->text, name->len);
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);
unsigned dns_name_labels(const struct dns_name *name);

/* "_acme-challenge" before the name. False when it gets too long. `labels`: well-formed, underscores allowed.
 */
MUST_USE bool dns_name_below(const char *labels, const struct dns_name *name, struct dns_name *out);

/* The reverse name of an address (RFC 1035 3.5, RFC 3596 2.5): "1.2.0.192.in-addr.arpa". Of none: length 0.
 */
void dns_name_reverse(const struct ip_address *ip, struct dns_name *out);

#endif
