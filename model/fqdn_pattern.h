/* fqdn_pattern.h: which FQDNs a registration names: labels with '*' in them. A '*' stands for one or more
 * characters of one label and never crosses a dot (CSR-93 to CSR-97). Canonical by construction. Pure. */
#ifndef MUSTER_MODEL_FQDN_PATTERN_H
#define MUSTER_MODEL_FQDN_PATTERN_H

#include "lib/dns/dns_name.h"

enum {
    FQDN_PATTERN_WILD_LABELS_MAX = 3, /* labels with '*' in one pattern */
    FQDN_PATTERN_STARS_MAX = 4,       /* '*' in one label */
    FQDN_PATTERN_LITERAL_LABELS_MIN = 2,
};

struct fqdn_pattern {
    uint8_t len;                 /* 0: none */
    char text[DNS_NAME_MAX + 1]; /* canonical: lower-case A-labels and '*' */
};

struct fqdn_pattern_rules {
    struct dns_rules dns;
    unsigned
        literal_labels_min; /* labels without '*' at the right; 0 means FQDN_PATTERN_LITERAL_LABELS_MIN */
};

enum fqdn_pattern_fault {
    FQDN_PATTERN_SYNTAX = 0,  /* not a name with stars */
    FQDN_PATTERN_DOUBLE_STAR, /* "**" (CSR-95) */
    FQDN_PATTERN_TOO_WILD,    /* too few literal labels at the right, too many wild labels or stars */
    FQDN_PATTERN_A_LABEL,     /* a '*' in a label that begins with "xn--" (CSR-97) */
    FQDN_PATTERN_OK,
};

/* A lone "*" (any FQDN of any depth) is accepted here; the right to register it is judged by officer/. */
enum fqdn_pattern_fault fqdn_pattern_parse(struct bytes text, const struct fqdn_pattern_rules *rules,
                                           struct fqdn_pattern *out);

static inline struct bytes fqdn_pattern_bytes(const struct fqdn_pattern *p)
{
    return bytes_of(p->text, p->len);
}

bool fqdn_pattern_is_exact(const struct fqdn_pattern *p); /* no '*' */
bool fqdn_pattern_is_any(const struct fqdn_pattern *p);   /* a lone '*' */

/* Iterative two-pointer glob, label by label; at most 63 x 63 steps a label. */
bool fqdn_pattern_matches(const struct fqdn_pattern *p, const struct dns_name *name);

/* The total order of specificity: <0 when `a` is more specific. Exact; fewer wildcard labels; more literal
 * characters; longer literal suffix; canonical string. A lone '*' comes last: it stands for labels without
 * number. Dots are not counted as literals. 0 only for equal patterns. */
int fqdn_pattern_compare(const struct fqdn_pattern *a, const struct fqdn_pattern *b);

/* Some name matches both (for overlap warnings). Exact: decided label by label, over all texts that respect
 * the lengths of labels and names (also those whose "--" in positions 3 and 4 no parser would let in). */
bool fqdn_pattern_overlaps(const struct fqdn_pattern *a, const struct fqdn_pattern *b);

#endif
