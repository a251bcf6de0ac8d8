#include <assert.h>
#include <stdlib.h>

#include "lib/base/buffer.h"
#include "registry/match_index_internal.h"

/* --- labels --- */
struct labels {
    unsigned count;
    struct bytes at[DNS_LABELS_MAX]; /* from the left */
};

static void split_labels(struct bytes text, struct labels *out)
{
    struct bytes part;

    out->count = 0;
    while (out->count < DNS_LABELS_MAX && bytes_split(&text, '.', &part))
        out->at[out->count++] = part;
}

static bool is_wild(struct bytes label)
{
    return bytes_find(label, '*') < label.len;
}

enum { WILD_MAX = FQDN_PATTERN_WILD_LABELS_MAX, NO_LABEL = 0xff };

/* Which labels have a '*': positions from the left, NO_LABEL behind the last. */
struct shape {
    uint8_t label[WILD_MAX];
};

static bool shape_has(const struct shape *shape, unsigned label)
{
    for (size_t i = 0; i < WILD_MAX; i++)
        if (shape->label[i] == label)
            return true;
    return false;
}

static void shape_of(const struct labels *labels, struct shape *out)
{
    size_t n = 0;

    memset(out->label, NO_LABEL, sizeof(out->label));
    for (unsigned i = 0; i < labels->count; i++) {
        if (!is_wild(labels->at[i]))
            continue;
        assert(n < WILD_MAX); /* fqdn_pattern_parse() let no more through */
        out->label[n++] = (uint8_t)i;
    }
}

/* --- anchors --- */
enum anchor_kind { ANCHOR_NONE = 0, ANCHOR_PREFIX, ANCHOR_SUFFIX, ANCHOR_INNER };

struct anchor {
    enum anchor_kind kind;
    uint8_t label, class; /* class: length of an inner anchor, else 0 */
    struct bytes text;    /* not reversed yet */
};

/* Of each wildcard label both ends and the runs between its stars. */
enum { ANCHORS_MAX = WILD_MAX * (2 + FQDN_PATTERN_STARS_MAX - 1), ANCHOR_END_GOOD = 3 };

/* Lengths that inner runs are cut to: close enough that a cut one still tells patterns apart. */
static const uint8_t inner_class[] = { 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48 };

static uint8_t class_of(size_t len)
{
    uint8_t class = 0;

    for (size_t i = 0; i < COUNT_OF(inner_class) && inner_class[i] <= len; i++)
        class = inner_class[i];
    return class;
}

static size_t anchors_of_label(struct bytes label, uint8_t number, struct anchor *out)
{
    size_t first = bytes_find(label, '*'), last = first, n = 0;

    out[n++] = (struct anchor){ ANCHOR_PREFIX, number, 0, bytes_slice(label, 0, first) };
    for (size_t i = first + 1; i < label.len; i++) {
        uint8_t class;

        if (label.data[i] != '*')
            continue;
        class = class_of(i - last - 1);
        if (class > 0)
            out[n++] = (struct anchor){ ANCHOR_INNER, number, class, bytes_slice(label, last + 1, class) };
        last = i;
    }
    out[n++] = (struct anchor){ ANCHOR_SUFFIX, number, 0, bytes_from(label, last + 1) };
    return n;
}

/* An end of three characters or more beats any inner run, which costs a probe for each position. */
static unsigned anchor_worth(const struct anchor *a)
{
    bool end = a->kind != ANCHOR_INNER;

    return (unsigned)a->text.len * 2 + (end ? 1 : 0) + (end && a->text.len >= ANCHOR_END_GOOD ? 1000 : 0);
}

static int by_worth(const void *left, const void *right)
{
    const struct anchor *a = left, *b = right;
    unsigned wa = anchor_worth(a), wb = anchor_worth(b);

    if (wa != wb)
        return wa > wb ? -1 : 1;
    if (a->label != b->label)
        return a->label < b->label ? -1 : 1;
    return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1) : bytes_compare(a->text, b->text);
}

static size_t anchors_of(const struct labels *labels, const struct shape *shape,
                         struct anchor out[ANCHORS_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < WILD_MAX && shape->label[i] != NO_LABEL; i++)
        n += anchors_of_label(labels->at[shape->label[i]], shape->label[i], out + n);
    qsort(out, n, sizeof(*out), by_worth);
    return n;
}

/* --- keys --- */
enum {
    KEY_DEPTH_AT = 8,
    KEY_SHAPE_AT = 9,
    KEY_KIND_AT = KEY_SHAPE_AT + WILD_MAX,
    KEY_LABEL_AT,
    KEY_CLASS_AT,
    KEY_PROBE_LEN,
    END_STEPS = 4
};

static void put_depth(struct key *key, struct domain_id domain, unsigned depth)
{
    key_put_u64(key, domain.value);
    key_put_u8(key, (uint8_t)depth);
}

static void put_probe(struct key *key, struct domain_id domain, unsigned depth, const struct shape *shape,
                      const struct anchor *anchor)
{
    put_depth(key, domain, depth);
    key_put(key, BYTES_ARRAY(shape->label));
    key_put_u8(key, (uint8_t)anchor->kind);
    key_put_u8(key, anchor->label);
    key_put_u8(key, anchor->class);
}

static void put_literals(struct key *key, const struct labels *labels, const struct shape *shape)
{
    for (unsigned i = labels->count; i-- > 0;) {
        if (shape_has(shape, i))
            continue;
        key_put(key, labels->at[i]);
        key_put_u8(key, 0); /* in no label */
    }
}

static void put_reversed(struct key *key, struct bytes text)
{
    assert(text.len == 0 || text.data != NULL);
    for (size_t i = text.len; i-- > 0;)
        key_put_u8(key, text.data[i]);
}

static void put_anchor(struct key *key, const struct anchor *anchor)
{
    if (anchor->kind == ANCHOR_SUFFIX)
        put_reversed(key, anchor->text);
    else
        key_put(key, anchor->text);
}

static void bucket_key(struct domain_id domain, const struct labels *labels, const struct shape *shape,
                       const struct anchor *anchor, struct key *out)
{
    out->len = 0;
    put_probe(out, domain, labels->count, shape, anchor);
    put_literals(out, labels, shape);
    put_anchor(out, anchor);
}

void match_index_key(struct domain_id domain, const struct fqdn_pattern *pattern, struct key *out)
{
    struct labels labels;
    struct shape shape;
    struct anchor anchor[ANCHORS_MAX];

    split_labels(fqdn_pattern_bytes(pattern), &labels);
    shape_of(&labels, &shape);
    (void)anchors_of(&labels, &shape, anchor);
    bucket_key(domain, &labels, &shape, &anchor[0], out);
}

/* --- buckets: length and text of each pattern, one after the other --- */
enum { BUCKET_BYTES_MAX = MATCH_BUCKET_MAX * (DNS_NAME_MAX + 1) };

static bool bucket_next(struct bytes *rest, struct bytes *text)
{
    if (rest->len == 0 || rest->len < 1u + rest->data[0])
        return false;
    *text = bytes_slice(*rest, 1, rest->data[0]);
    *rest = bytes_from(*rest, 1u + rest->data[0]);
    return true;
}

static size_t bucket_count(struct bytes bucket)
{
    struct bytes text;
    size_t n = 0;

    while (bucket_next(&bucket, &text))
        n++;
    return n;
}

static void pattern_of(struct bytes text, struct fqdn_pattern *out)
{
    assert(text.len <= DNS_NAME_MAX);
    out->len = (uint8_t)text.len;
    memcpy(out->text, text.data, text.len);
    out->text[text.len] = '\0';
}

/* --- probes in use --- */

/* What a probe costs a look-up by the longest label: an end is walked to in a few steps, a run between stars
 * may begin at any position. */
static unsigned probe_steps(struct bytes probe)
{
    if (probe.len != KEY_PROBE_LEN || probe.data[KEY_KIND_AT] != ANCHOR_INNER)
        return END_STEPS;
    return DNS_LABEL_MAX - 1u - probe.data[KEY_CLASS_AT];
}

static bool probe_allowed(struct txn *txn, struct bytes probe, bool *allowed, struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    struct bytes depth = bytes_slice(probe, 0, KEY_SHAPE_AT);
    unsigned steps = probe_steps(probe);

    if (!cursor_open(txn, TABLE_PLAN, &cursor, err) || !cursor_seek(&cursor, depth, err))
        return false;
    while (cursor_under(&cursor, depth)) {
        steps += probe_steps(cursor.key);
        if (!cursor_next(&cursor, err))
            return false;
    }
    *allowed = steps <= MATCH_STEPS_MAX;
    return true;
}

/* Counts one pattern more or less behind a probe; *refused when it would be one probe too many. */
static bool probe_count(struct txn *txn, struct bytes probe, bool more, bool *refused, struct error *err)
{
    struct key count = { 0 };
    struct bytes value;
    bool found, allowed = true;
    uint64_t n;

    *refused = false;
    if (!txn_get(txn, TABLE_PLAN, probe, &found, &value, err))
        return false;
    n = found && value.len == 8 ? key_u64(value, 0) : 0;
    if (!more && n <= 1)
        return txn_delete(txn, TABLE_PLAN, probe, err);
    if (n == 0 && !probe_allowed(txn, probe, &allowed, err))
        return false;
    *refused = !allowed;
    key_put_u64(&count, more ? n + 1 : n - 1);
    return !allowed || txn_put(txn, TABLE_PLAN, probe, key_bytes(&count), err);
}

/* The lone '*' has no labels: depth 0, and no bucket. */
static void any_key(struct domain_id domain, struct key *out)
{
    out->len = 0;
    put_depth(out, domain, 0);
}

/* --- changing --- */
static bool bucket_put(struct txn *txn, const struct key *key, struct bytes old,
                       const struct fqdn_pattern *pattern, struct error *err)
{
    AUTO_STRUCT(buffer) bucket = BUFFER(BUCKET_BYTES_MAX);

    buffer_append(&bucket, old);
    buffer_append_byte(&bucket, pattern->len);
    buffer_append(&bucket, fqdn_pattern_bytes(pattern));
    if (buffer_failed(&bucket))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    return txn_put(txn, TABLE_WILD, key_bytes(key), buffer_bytes(&bucket), err);
}

static bool add_under(struct txn *txn, const struct key *key, const struct fqdn_pattern *pattern, bool *done,
                      struct error *err)
{
    struct bytes bucket;
    bool found, refused;

    *done = false;
    if (!txn_get(txn, TABLE_WILD, key_bytes(key), &found, &bucket, err))
        return false;
    if (bucket_count(bucket) >= MATCH_BUCKET_MAX)
        return true;
    if (!bucket_put(txn, key, bucket, pattern,
                    err) || /* the old content is copied before it is overwritten */
        !probe_count(txn, bytes_slice(key_bytes(key), 0, KEY_PROBE_LEN), true, &refused, err))
        return false;
    if (!refused) {
        *done = true;
        return true;
    }
    /* Only a probe that nobody used is refused, so the bucket was empty. */
    return txn_delete(txn, TABLE_WILD, key_bytes(key), err);
}

bool match_index_add(struct txn *txn, struct domain_id domain, const struct fqdn_pattern *pattern,
                     struct error *err)
{
    struct labels labels;
    struct shape shape;
    struct anchor anchor[ANCHORS_MAX];
    struct key key = { 0 };
    bool done = false;
    size_t n;

    if (fqdn_pattern_is_any(pattern)) {
        any_key(domain, &key);
        return txn_put(txn, TABLE_PLAN, key_bytes(&key), BYTES_LITERAL("\1"), err);
    }
    split_labels(fqdn_pattern_bytes(pattern), &labels);
    shape_of(&labels, &shape);
    n = anchors_of(&labels, &shape, anchor);
    for (size_t i = 0; i < n && !done; i++) {
        bucket_key(domain, &labels, &shape, &anchor[i], &key);
        if (!add_under(txn, &key, pattern, &done, err))
            return false;
    }
    return done ||
           error_set(err, ERROR_LIMIT,
                     "registry: too many patterns look like %s, or too many kinds of patterns are there; "
                     "it could not be told from them fast enough",
                     pattern->text);
}

/* Takes `pattern` out of this bucket if it is in it. */
static bool remove_under(struct txn *txn, const struct key *key, const struct fqdn_pattern *pattern,
                         bool *done, struct error *err)
{
    AUTO_STRUCT(buffer) kept = BUFFER(BUCKET_BYTES_MAX);
    struct bytes bucket, text, rest;
    bool found, refused;

    if (!txn_get(txn, TABLE_WILD, key_bytes(key), &found, &bucket, err))
        return false;
    for (rest = bucket; bucket_next(&rest, &text);) {
        if (bytes_equal(text, fqdn_pattern_bytes(pattern)))
            continue;
        buffer_append_byte(&kept, (uint8_t)text.len);
        buffer_append(&kept, text);
    }
    *done = buffer_bytes(&kept).len != bucket.len;
    if (buffer_failed(&kept))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    if (!*done)
        return true;
    if (kept.len == 0 ? !txn_delete(txn, TABLE_WILD, key_bytes(key), err)
                      : !txn_put(txn, TABLE_WILD, key_bytes(key), buffer_bytes(&kept), err))
        return false;
    return probe_count(txn, bytes_slice(key_bytes(key), 0, KEY_PROBE_LEN), false, &refused, err);
}

bool match_index_remove(struct txn *txn, struct domain_id domain, const struct fqdn_pattern *pattern,
                        struct error *err)
{
    struct labels labels;
    struct shape shape;
    struct anchor anchor[ANCHORS_MAX];
    struct key key = { 0 };
    bool done = false;
    size_t n;

    if (fqdn_pattern_is_any(pattern)) {
        any_key(domain, &key);
        return txn_delete(txn, TABLE_PLAN, key_bytes(&key), err);
    }
    split_labels(fqdn_pattern_bytes(pattern), &labels);
    shape_of(&labels, &shape);
    n = anchors_of(&labels, &shape, anchor);
    for (size_t i = 0; i < n && !done; i++) {
        bucket_key(domain, &labels, &shape, &anchor[i], &key);
        if (!remove_under(txn, &key, pattern, &done, err))
            return false;
    }
    return true;
}

/* --- looking up --- */
struct search {
    struct txn *txn;
    const struct dns_name *name;
    struct labels labels;
    struct arena *arena;
    struct cursor *wild; /* opened once a probe needs it */
    struct fqdn_pattern **match;
    size_t count;
    unsigned compared;
};

static bool seen_before(const struct search *s, struct bytes text)
{
    for (size_t i = 0; i < s->count; i++)
        if (bytes_equal(fqdn_pattern_bytes(s->match[i]), text))
            return true;
    return false;
}

static bool visit_bucket(struct search *s, struct bytes bucket, struct error *err)
{
    struct fqdn_pattern pattern;
    struct bytes text;

    while (bucket_next(&bucket, &text)) {
        if (++s->compared > MATCH_BUDGET)
            return error_set(err, ERROR_BUDGET, "registry: more than %d patterns come close to %s",
                             MATCH_BUDGET, s->name->text);
        pattern_of(text, &pattern);
        if (!fqdn_pattern_matches(&pattern, s->name) || seen_before(s, text))
            continue;
        s->match[s->count] = arena_alloc(s->arena, sizeof(pattern));
        if (s->match[s->count] == NULL)
            return error_set(err, ERROR_MEMORY, "registry: out of memory");
        *s->match[s->count++] = pattern;
    }
    return true;
}

static size_t shared_len(struct bytes a, struct bytes b)
{
    size_t n = 0, max = a.len < b.len ? a.len : b.len;

    while (n < max && a.data[n] == b.data[n])
        n++;
    return n;
}

/* Every stored key that begins with the first `fixed` bytes of `key` and is itself the beginning of `key`,
 * longest first: each step goes to the greatest key not above what is left and shortens to what they share.
 */
static bool descend(struct search *s, struct key *key, size_t fixed, struct error *err)
{
    for (;;) {
        size_t shared;

        if (!cursor_at_or_before(s->wild, key_bytes(key), err))
            return false;
        if (!s->wild->found)
            return true;
        shared = shared_len(s->wild->key, key_bytes(key));
        if (shared < fixed)
            return true;
        if (shared == s->wild->key.len) {
            if (!visit_bucket(s, s->wild->value, err))
                return false;
            if (shared == fixed)
                return true;
            shared--;
        }
        key->len = shared;
    }
}

static bool probe_inner(struct search *s, struct key *key, struct bytes label, size_t class,
                        struct error *err)
{
    size_t fixed = key->len;

    /* a '*' on either side takes a character at least */
    for (size_t i = 1; i + class < label.len; i++) {
        struct bytes bucket;
        bool found;

        key->len = fixed;
        key_put(key, bytes_slice(label, i, class));
        if (!txn_get(s->txn, TABLE_WILD, key_bytes(key), &found, &bucket, err) ||
            !visit_bucket(s, bucket, err))
            return false;
    }
    return true;
}

static bool run_probe(struct search *s, struct bytes probe, struct error *err)
{
    struct key key = { 0 };
    struct shape shape;
    struct bytes label;
    size_t fixed;

    if (probe.len != KEY_PROBE_LEN || probe.data[KEY_LABEL_AT] >= s->labels.count)
        return error_set(err, ERROR_FORMAT, "registry: the match index is malformed");
    memcpy(shape.label, probe.data + KEY_SHAPE_AT, sizeof(shape.label));
    label = s->labels.at[probe.data[KEY_LABEL_AT]];
    key_put(&key, probe);
    put_literals(&key, &s->labels, &shape);
    fixed = key.len;
    switch (probe.data[KEY_KIND_AT]) {
    case ANCHOR_PREFIX: key_put(&key, bytes_slice(label, 0, label.len - 1)); break;
    case ANCHOR_SUFFIX: put_reversed(&key, bytes_from(label, 1)); break;
    case ANCHOR_INNER: return probe_inner(s, &key, label, probe.data[KEY_CLASS_AT], err);
    default: return error_set(err, ERROR_FORMAT, "registry: the match index is malformed");
    }
    return descend(s, &key, fixed, err);
}

static bool find_any(struct search *s, struct domain_id domain, struct error *err)
{
    struct key key = { 0 };
    struct bytes value;
    bool found;

    any_key(domain, &key);
    if (!txn_get(s->txn, TABLE_PLAN, key_bytes(&key), &found, &value, err))
        return false;
    return !found || visit_bucket(s, BYTES_LITERAL("\1*"), err);
}

static int by_specificity(const void *left, const void *right)
{
    const struct fqdn_pattern *const *a = left, *const *b = right;

    return fqdn_pattern_compare(*a, *b);
}

static bool run_probes(struct search *s, struct domain_id domain, struct error *err)
{
    AUTO_STRUCT(cursor) plan = { 0 };
    struct key depth = { 0 };

    put_depth(&depth, domain, s->labels.count);
    if (!cursor_open(s->txn, TABLE_PLAN, &plan, err) || !cursor_seek(&plan, key_bytes(&depth), err))
        return false;
    if (!cursor_under(&plan, key_bytes(&depth)))
        return true;
    if (!cursor_open(s->txn, TABLE_WILD, s->wild, err))
        return false;
    while (cursor_under(&plan, key_bytes(&depth)))
        if (!run_probe(s, plan.key, err) || !cursor_next(&plan, err))
            return false;
    return true;
}

bool match_index_find(struct txn *txn, struct domain_id domain, const struct dns_name *name,
                      struct arena *arena, struct fqdn_pattern *out[MATCH_BUDGET + 1], size_t *count,
                      struct error *err)
{
    AUTO_STRUCT(cursor) wild = { 0 };
    struct search s = { .txn = txn, .name = name, .arena = arena, .wild = &wild, .match = out };

    split_labels(dns_name_bytes(name), &s.labels);
    if (!run_probes(&s, domain, err) || !find_any(&s, domain, err))
        return false;
    if (s.count > 1)
        qsort(out, s.count, sizeof(struct fqdn_pattern *), by_specificity);
    *count = s.count;
    return true;
}

bool match_index_each(struct txn *txn, struct domain_id domain, unsigned depth, match_index_each_fn *each,
                      void *context, struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    struct key key = { 0 };
    struct fqdn_pattern pattern;

    put_depth(&key, domain, depth);
    if (!cursor_open(txn, TABLE_WILD, &cursor, err) || !cursor_seek(&cursor, key_bytes(&key), err))
        return false;
    while (cursor_under(&cursor, key_bytes(&key))) {
        struct bytes bucket = cursor.value, text;

        while (bucket_next(&bucket, &text)) {
            pattern_of(text, &pattern);
            if (!each(&pattern, context))
                return true;
        }
        if (!cursor_next(&cursor, err))
            return false;
    }
    return true;
}
