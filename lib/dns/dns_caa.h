/* dns_caa.h: certification authority authorization: records (RFC 8659 4.1), the values of their issue and
 * issuewild tags (4.2, RFC 8657), and the way up the tree (RFC 8659 3). Pure; any thread. */
#ifndef MUSTER_DNS_CAA_H
#define MUSTER_DNS_CAA_H

#include "lib/dns/dns_name.h"

enum { DNS_CAA_PARAMETERS_MAX = 16 };

enum dns_caa_tag { DNS_CAA_OTHER = 0, DNS_CAA_ISSUE, DNS_CAA_ISSUEWILD, DNS_CAA_IODEF };

struct dns_caa {
    bool critical;
    enum dns_caa_tag tag; /* compares without case */
    struct bytes tag_text, value;
};

/* From RDATA. False when it is malformed: then nobody may issue (what it says is not known). */
MUST_USE bool dns_caa_parse(struct bytes rdata, struct dns_caa *out);

struct dns_caa_parameter {
    struct bytes tag, value; /* point into the value that was parsed; tags compare without case */
};

/* issue-value: [issuer] *(";" tag "=" value), blanks around each. Also that of dns-persist-01. */
struct dns_issue_value {
    struct dns_name issuer; /* of length 0: nobody */
    struct dns_caa_parameter parameter[DNS_CAA_PARAMETERS_MAX];
    size_t count;
    bool duplicate; /* some tag stands there twice */
};

/* False when it is malformed or has too many parameters: it counts as one without issuer. */
MUST_USE bool dns_issue_value_parse(struct bytes value, struct dns_issue_value *out);

/* The parameter's value; data is NULL when absent. */
struct bytes dns_issue_parameter(const struct dns_issue_value *value, const char *tag);

/* The name without its first label; false when that would be the root: climb from the name itself until
 * false. `out` may be `name`. */
MUST_USE bool dns_name_parent(const struct dns_name *name, struct dns_name *out);

#endif
