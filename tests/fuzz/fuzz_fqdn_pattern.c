/* Input: rules (one byte), then "pattern LF pattern LF name". Canonical twice is canonical once; order and
 * overlap are symmetric; what both patterns match, they overlap in; matching equals a naive matcher. */
#include <stdlib.h>

#include "model/fqdn_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

/* By a table of what is reachable, unlike the matcher: bit p says that pattern[p..] may go on here. */
static bool naive_label(struct bytes pattern, struct bytes label)
{
    bool here[DNS_LABEL_MAX + 2] = { true }, next[DNS_LABEL_MAX + 2];

    CHECK(pattern.len <= DNS_LABEL_MAX);
    for (size_t l = 0; l < label.len; l++) {
        memset(next, 0, sizeof(next));
        for (size_t p = 0; p < pattern.len; p++) {
            if (!here[p])
                continue;
            if (pattern.data[p] == '*')
                next[p] = next[p + 1] = true;
            else if (pattern.data[p] == label.data[l])
                next[p + 1] = true;
        }
        memcpy(here, next, sizeof(here));
    }
    return here[pattern.len];
}

static bool naive(const struct fqdn_pattern *p, const struct dns_name *name)
{
    struct bytes patterns = fqdn_pattern_bytes(p), labels = dns_name_bytes(name), pattern, label;

    if (fqdn_pattern_is_any(p))
        return true;
    while (bytes_split(&patterns, '.', &pattern)) {
        if (!bytes_split(&labels, '.', &label) || !naive_label(pattern, label))
            return false;
    }
    return !bytes_split(&labels, '.', &label);
}

static bool read_pattern(struct bytes text, const struct fqdn_pattern_rules *rules, struct fqdn_pattern *out)
{
    struct fqdn_pattern again;

    if (fqdn_pattern_parse(text, rules, out) != FQDN_PATTERN_OK)
        return false;
    CHECK(fqdn_pattern_parse(fqdn_pattern_bytes(out), rules, &again) == FQDN_PATTERN_OK);
    CHECK(bytes_equal(fqdn_pattern_bytes(out), fqdn_pattern_bytes(&again)));
    CHECK(fqdn_pattern_overlaps(out, out) && fqdn_pattern_compare(out, out) == 0);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = bytes_of(data, size), text[3];
    struct fqdn_pattern_rules rules = { 0 };
    struct fqdn_pattern a, b;
    struct dns_name name;

    if (size < 1)
        return 0;
    rules.dns = (struct dns_rules){ .underscore = data[0] & 1,
                                    .single_label = data[0] & 2,
                                    .trailing_dot = data[0] & 4,
                                    .unicode = data[0] & 8 };
    rules.literal_labels_min = (data[0] >> 4) & 3;
    rest = bytes_from(rest, 1);
    for (size_t i = 0; i < COUNT_OF(text); i++)
        if (!bytes_split(&rest, '\n', &text[i]))
            return 0;

    if (!read_pattern(text[0], &rules, &a) || !read_pattern(text[1], &rules, &b))
        return 0;
    CHECK((fqdn_pattern_compare(&a, &b) < 0) == (fqdn_pattern_compare(&b, &a) > 0));
    CHECK(fqdn_pattern_overlaps(&a, &b) == fqdn_pattern_overlaps(&b, &a));
    if (dns_name_parse(text[2], &rules.dns, &name) != DNS_OK)
        return 0;
    CHECK(fqdn_pattern_matches(&a, &name) == naive(&a, &name));
    CHECK(fqdn_pattern_matches(&b, &name) == naive(&b, &name));
    CHECK(!fqdn_pattern_matches(&a, &name) || !fqdn_pattern_matches(&b, &name) ||
          fqdn_pattern_overlaps(&a, &b));
    return 0;
}
