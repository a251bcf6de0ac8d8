#include "model/fqdn_pattern.h"

#include <assert.h>
#include <limits.h>

enum { INPUT_MAX = 1020, PLACEHOLDER = 'x' };

static uint8_t to_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static bool has_star(struct bytes text)
{
    return bytes_find(text, '*') < text.len;
}

static size_t stars(struct bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '*';
    return count;
}

static bool is_label_character(uint8_t c, bool underscore)
{
    c = to_lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '*' ||
           (c == '_' && underscore);
}

/* A label with '*' in it, as typed. */
static enum fqdn_pattern_fault wild_label_check(struct bytes label, bool underscore)
{
    if (label.len > DNS_LABEL_MAX || label.data[0] == '-' || label.data[label.len - 1] == '-')
        return FQDN_PATTERN_SYNTAX;
    for (size_t i = 0; i < label.len; i++) {
        if (!is_label_character(label.data[i], underscore))
            return FQDN_PATTERN_SYNTAX;
        if (i > 0 && label.data[i] == '*' && label.data[i - 1] == '*')
            return FQDN_PATTERN_DOUBLE_STAR;
    }
    if (stars(label) > FQDN_PATTERN_STARS_MAX)
        return FQDN_PATTERN_TOO_WILD;
    /* A literal beginning "??--" would stand for A-labels alone, or for no name at all. */
    if (label.len >= 4 && label.data[2] == '-' && label.data[3] == '-' && !has_star(bytes_slice(label, 0, 2)))
        return FQDN_PATTERN_A_LABEL;
    return FQDN_PATTERN_OK;
}

/* What stands where in a pattern that is being read. */
struct outline {
    uint8_t masked[INPUT_MAX]; /* the text, its wild labels replaced by placeholders of their length */
    size_t len;
    bool is_wild[DNS_LABELS_MAX + 1];
    size_t labels, wild_labels, literal_at_right;
};

static enum fqdn_pattern_fault outline_of(struct bytes text, const struct fqdn_pattern_rules *rules,
                                          struct outline *out)
{
    struct bytes rest = text, label;

    *out = (struct outline){ .len = text.len };
    if (text.len > INPUT_MAX)
        return FQDN_PATTERN_SYNTAX;
    if (text.len > 0)
        memcpy(out->masked, text.data, text.len);
    while (bytes_split(&rest, '.', &label)) {
        enum fqdn_pattern_fault fault;

        if (out->labels > DNS_LABELS_MAX)
            return FQDN_PATTERN_SYNTAX;
        if (has_star(label)) {
            fault = wild_label_check(label, rules->dns.underscore);
            if (fault != FQDN_PATTERN_OK)
                return fault;
            memset(out->masked + (label.data - text.data), PLACEHOLDER, label.len);
            out->is_wild[out->labels] = true;
            out->wild_labels++;
            out->literal_at_right = 0;
        } else if (label.len > 0) {
            out->literal_at_right++;
        }
        out->labels++;
    }
    return FQDN_PATTERN_OK;
}

/* The wild labels of `text` go back to where `name` has placeholders. */
static bool fill_in(struct bytes text, const struct outline *outline, const struct dns_name *name,
                    struct fqdn_pattern *out)
{
    struct fqdn_pattern pattern = { .len = name->len };
    struct bytes typed = text, made = dns_name_bytes(name), from, to;
    size_t trailing = bytes_ends_with(text, ".") ? 1 : 0;

    memcpy(pattern.text, name->text, sizeof(pattern.text));
    if (outline->wild_labels > 0 && dns_name_labels(name) != outline->labels - trailing)
        return false; /* another character was mapped to a dot */
    for (size_t i = 0; bytes_split(&typed, '.', &from) && bytes_split(&made, '.', &to); i++) {
        char *label = pattern.text + ((const char *)to.data - name->text);

        if (!outline->is_wild[i])
            continue;
        assert(from.len == to.len);
        for (size_t c = 0; c < from.len; c++)
            label[c] = (char)to_lower(from.data[c]);
    }
    *out = pattern;
    return true;
}

enum fqdn_pattern_fault fqdn_pattern_parse(struct bytes text, const struct fqdn_pattern_rules *rules,
                                           struct fqdn_pattern *out)
{
    unsigned literal_min = rules->literal_labels_min > 0 ? rules->literal_labels_min
                                                         : FQDN_PATTERN_LITERAL_LABELS_MIN;
    struct outline outline;
    struct dns_name name;
    enum fqdn_pattern_fault fault;

    if (bytes_is(text, "*")) {
        *out = (struct fqdn_pattern){ .len = 1, .text = "*" };
        return FQDN_PATTERN_OK;
    }
    fault = outline_of(text, rules, &outline);
    if (fault != FQDN_PATTERN_OK)
        return fault;
    if (dns_name_parse(bytes_of(outline.masked, outline.len), &rules->dns, &name) != DNS_OK)
        return FQDN_PATTERN_SYNTAX;
    if (outline.wild_labels > 0 &&
        (outline.wild_labels > FQDN_PATTERN_WILD_LABELS_MAX || outline.literal_at_right < literal_min))
        return FQDN_PATTERN_TOO_WILD;
    return fill_in(text, &outline, &name, out) ? FQDN_PATTERN_OK : FQDN_PATTERN_SYNTAX;
}

bool fqdn_pattern_is_exact(const struct fqdn_pattern *p)
{
    return p->len > 0 && !has_star(fqdn_pattern_bytes(p));
}

bool fqdn_pattern_is_any(const struct fqdn_pattern *p)
{
    return p->len == 1 && p->text[0] == '*';
}

/* Two cursors; on a mismatch the last star takes one more character. */
static bool label_matches(struct bytes pattern, struct bytes label)
{
    size_t p = 0, l = 0, after_star = 0, star_end = 0;
    bool starred = false;

    while (l < label.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            starred = true;
            after_star = ++p;
            star_end = ++l; /* one character at least */
        } else if (p < pattern.len && pattern.data[p] == label.data[l]) {
            p++;
            l++;
        } else if (starred) {
            p = after_star;
            l = ++star_end;
        } else {
            return false;
        }
    }
    return p == pattern.len;
}

bool fqdn_pattern_matches(const struct fqdn_pattern *p, const struct dns_name *name)
{
    struct bytes patterns = fqdn_pattern_bytes(p), names = dns_name_bytes(name), pattern, label;

    if (p->len == 0 || name->len == 0)
        return false;
    if (fqdn_pattern_is_any(p))
        return true;
    for (;;) {
        bool more_patterns = bytes_split(&patterns, '.', &pattern);
        bool more_labels = bytes_split(&names, '.', &label);

        if (!more_patterns || !more_labels)
            return more_patterns == more_labels;
        if (!label_matches(pattern, label))
            return false;
    }
}

struct rank {
    unsigned wild_labels, literals, literal_suffix;
};

static struct rank rank_of(const struct fqdn_pattern *p)
{
    struct bytes rest = fqdn_pattern_bytes(p), label;
    struct rank rank = { 0 };

    if (fqdn_pattern_is_any(p))
        return (struct rank){ .wild_labels = UINT_MAX }; /* it stands for labels without number */
    while (bytes_split(&rest, '.', &label)) {
        size_t wild = stars(label);

        rank.wild_labels += wild > 0;
        rank.literals += (unsigned)(label.len - wild);
    }
    while (rank.literal_suffix < p->len && p->text[p->len - 1 - rank.literal_suffix] != '*')
        rank.literal_suffix++;
    return rank;
}

int fqdn_pattern_compare(const struct fqdn_pattern *a, const struct fqdn_pattern *b)
{
    struct rank left = rank_of(a), right = rank_of(b);

    /* An exact one has no wildcard label: the first rule is the second one's case of none. */
    if (left.wild_labels != right.wild_labels)
        return left.wild_labels < right.wild_labels ? -1 : 1;
    if (left.literals != right.literals)
        return left.literals > right.literals ? -1 : 1;
    if (left.literal_suffix != right.literal_suffix)
        return left.literal_suffix > right.literal_suffix ? -1 : 1;
    return bytes_compare(fqdn_pattern_bytes(a), fqdn_pattern_bytes(b));
}

/* --- overlap: the shortest label that both patterns match --- */
enum { ANY_ONE = '?', ANY_MORE = '*', TOKENS_MAX = DNS_NAME_MAX + DNS_NAME_MAX, NEVER = 255 };

struct tokens {
    uint8_t item[TOKENS_MAX];
    size_t count;
};

/* '*' is one character and then any number of them. */
static void tokens_of(struct bytes label, struct tokens *out)
{
    out->count = 0;
    for (size_t i = 0; i < label.len; i++) {
        if (label.data[i] == '*')
            out->item[out->count++] = ANY_ONE;
        out->item[out->count++] = label.data[i];
    }
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Least length of a text that a[i..] and b[j..] both match, from the lengths of what remains: `next` is the
 * row of i + 1, `row` the row of i, filled from the right. */
static unsigned shortest(uint8_t a, uint8_t b, const uint8_t *next, const uint8_t *row, size_t j)
{
    unsigned best = NEVER;

    if (a == ANY_MORE)
        best = least(best, next[j]);
    if (b == ANY_MORE)
        best = least(best, row[j + 1]);
    if (a == ANY_MORE && b != ANY_MORE)
        best = least(best, row[j + 1] + 1u);
    else if (a != ANY_MORE && b == ANY_MORE)
        best = least(best, next[j] + 1u);
    else if (a == b || a == ANY_ONE || b == ANY_ONE)
        best = least(best, next[j + 1] + 1u);
    return best;
}

/* NEVER when no label matches both. */
static unsigned shortest_common_label(struct bytes left, struct bytes right)
{
    struct tokens a, b;
    uint8_t rows[2][TOKENS_MAX + 1] = { { 0 } };

    tokens_of(left, &a);
    tokens_of(right, &b);
    for (size_t i = a.count + 1; i-- > 0;) {
        uint8_t *row = rows[i % 2];
        const uint8_t *next = rows[(i + 1) % 2];

        for (size_t j = b.count + 1; j-- > 0;) {
            unsigned best;

            if (i < a.count && j < b.count)
                best = shortest(a.item[i], b.item[j], next, row, j);
            else if (i < a.count)
                best = a.item[i] == ANY_MORE ? next[j] : NEVER;
            else if (j < b.count)
                best = b.item[j] == ANY_MORE ? row[j + 1] : NEVER;
            else
                best = 0;
            row[j] = (uint8_t)least(best, NEVER);
        }
    }
    return rows[0][0] > DNS_LABEL_MAX ? NEVER : rows[0][0];
}

bool fqdn_pattern_overlaps(const struct fqdn_pattern *a, const struct fqdn_pattern *b)
{
    struct bytes lefts = fqdn_pattern_bytes(a), rights = fqdn_pattern_bytes(b), left, right;
    unsigned total = 0;

    if (a->len == 0 || b->len == 0)
        return false;
    if (fqdn_pattern_is_any(a) || fqdn_pattern_is_any(b))
        return true;
    for (;;) {
        bool more_left = bytes_split(&lefts, '.', &left), more_right = bytes_split(&rights, '.', &right);
        unsigned len;

        if (!more_left || !more_right)
            return more_left == more_right && total <= DNS_NAME_MAX + 1;
        len = shortest_common_label(left, right);
        if (len == NEVER)
            return false;
        total += len + 1;
    }
}
