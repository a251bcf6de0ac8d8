#include "registry/audit.h"

#include "registry/audit_internal.h"

const char *audit_kind_name(enum audit_kind kind)
{
    switch (kind) {
    case AUDIT_NONE: return "none";
    case AUDIT_ACT: return "act";
    case AUDIT_ACT_REFUSED: return "act_refused";
    case AUDIT_ISSUED: return "issued";
    case AUDIT_REVOKED: return "revoked";
    case AUDIT_APPROVED: return "approved";
    case AUDIT_CONFIGURATION: return "configuration";
    case AUDIT_REFUSALS: return "refusals";
    case AUDIT_OFFICER: return "officer";
    case AUDIT_PUBLISHED: return "published";
    case AUDIT_CONFIRMED: return "confirmed";
    case AUDIT_ACCOUNT: return "account";
    case AUDIT_KIND_COUNT: break;
    }
    return "unknown";
}

/* --- hashing, RFC 6962 2.1 --- */
bool audit_leaf(uint64_t index, int64_t time_s, enum audit_kind kind, struct bytes content,
                struct digest256 *out)
{
    struct key head = { 0 };

    key_put_u8(&head, 0);
    key_put_u64(&head, index);
    key_put_u64(&head, (uint64_t)time_s);
    key_put_u8(&head, (uint8_t)kind);
    return sha256_parts((struct bytes[]){ key_bytes(&head), content }, 2, out);
}

static bool node_hash(const struct digest256 *left, const struct digest256 *right, struct digest256 *out,
                      struct error *err)
{
    struct digest256 hash;

    if (!sha256_parts((struct bytes[]){ BYTES_LITERAL("\1"), digest256_bytes(left), digest256_bytes(right) },
                      3, &hash))
        return error_openssl(err, "registry: SHA-256");
    *out = hash;
    return true;
}

bool audit_tail_root(const struct audit_tail *tail, struct digest256 *out, struct error *err)
{
    struct digest256 root = { 0 };
    bool any = false;

    if (tail->size == 0)
        return sha256(BYTES_NONE, out) || error_openssl(err, "registry: SHA-256");
    for (unsigned level = 0; level < AUDIT_LEVELS; level++) {
        if ((tail->size >> level & 1) == 0)
            continue;
        if (!any)
            root = tail->peak[level];
        else if (!node_hash(&tail->peak[level], &root, &root, err))
            return false;
        any = true;
    }
    *out = root;
    return true;
}

/* --- rows --- */
static void entry_key(uint64_t index, struct key *out)
{
    out->len = 0;
    key_put_u64(out, index);
}

static void node_key(unsigned level, uint64_t index, struct key *out)
{
    out->len = 0;
    key_put_u8(out, (uint8_t)level);
    key_put_u64(out, index);
}

static bool to_digest(bool found, struct bytes value, struct digest256 *out)
{
    if (!found || value.len != DIGEST256_LEN)
        return false;
    memcpy(out->bytes, value.data, DIGEST256_LEN);
    return true;
}

static bool load_entry(struct txn *txn, uint64_t index, struct audit_entry *out, struct error *err)
{
    struct key key;
    struct bytes value = BYTES_NONE;
    bool found = false;

    entry_key(index, &key);
    if (!txn_get(txn, TABLE_AUDIT, key_bytes(&key), &found, &value, err))
        return false;
    if (!found)
        return error_set(err, ERROR_FORMAT, "audit: entry %llu is missing", (unsigned long long)index);
    return audit_decode(value, index, out, err);
}

static bool load_node(struct txn *txn, unsigned level, uint64_t index, struct digest256 *out,
                      struct error *err)
{
    struct audit_entry entry = { 0 };
    struct bytes value = BYTES_NONE;
    struct key key;
    bool found = false;

    if (level == 0) {
        if (!load_entry(txn, index, &entry, err))
            return false;
        *out = entry.leaf;
        return true;
    }
    node_key(level, index, &key);
    if (!txn_get(txn, TABLE_AUDIT_NODE, key_bytes(&key), &found, &value, err))
        return false;
    return to_digest(found, value, out) ||
           error_set(err, ERROR_FORMAT, "audit: the stored tree has no node %llu of level %u",
                     (unsigned long long)index, level);
}

/* Head: size, time, root. */
enum { HEAD_LEN = 8 + 8 + DIGEST256_LEN };

static bool load_head(struct txn *txn, struct audit_head *out, struct error *err)
{
    struct audit_head head = { 0 };
    struct bytes value = BYTES_NONE;
    bool found = false;

    if (!txn_get(txn, TABLE_META, META_AUDIT, &found, &value, err))
        return false;
    if (!found) {
        if (!sha256(BYTES_NONE, &head.root))
            return error_openssl(err, "registry: SHA-256");
    } else if (value.len != HEAD_LEN) {
        return error_set(err, ERROR_FORMAT, "audit: its head is malformed");
    } else {
        head.size = key_u64(value, 0);
        head.time_s = (int64_t)key_u64(value, 8);
        memcpy(head.root.bytes, value.data + 16, DIGEST256_LEN);
    }
    *out = head;
    return true;
}

/* --- appending --- */
bool audit_tail_load(struct txn *txn, struct audit_tail *out, struct error *err)
{
    struct audit_tail tail = { 0 };
    struct audit_head head = { 0 };

    if (!load_head(txn, &head, err))
        return false;
    tail.size = head.size;
    for (unsigned level = 0; level < AUDIT_LEVELS; level++)
        if ((tail.size >> level & 1) != 0 &&
            !load_node(txn, level, (tail.size >> level) - 1, &tail.peak[level], err))
            return false;
    *out = tail;
    return true;
}

/* Adds a leaf's hash; complete subtrees that it closes go to `each` (NULL: nowhere). */
typedef bool subtree_each(struct txn *txn, unsigned level, uint64_t index, const struct digest256 *hash,
                          struct error *err);
static bool tail_add(struct txn *txn, struct audit_tail *tail, const struct digest256 *leaf,
                     subtree_each *each, struct error *err)
{
    struct digest256 hash = *leaf;
    uint64_t index = tail->size;
    unsigned level = 0;

    for (; (index & 1) != 0; index >>= 1, level++)
        if (!node_hash(&tail->peak[level], &hash, &hash, err) ||
            !each(txn, level + 1, index >> 1, &hash, err))
            return false;
    tail->peak[level] = hash;
    tail->size++;
    return true;
}

static bool store_node(struct txn *txn, unsigned level, uint64_t index, const struct digest256 *hash,
                       struct error *err)
{
    struct key key;

    node_key(level, index, &key);
    return txn_add(txn, TABLE_AUDIT_NODE, key_bytes(&key), digest256_bytes(hash), err);
}

bool audit_tail_append(struct txn *txn, struct audit_tail *tail, int64_t time_s, enum audit_kind kind,
                       struct bytes content, struct error *err)
{
    AUTO_STRUCT(buffer) record = BUFFER(RECORD_MAX);
    struct audit_entry entry = { .index = tail->size, .time_s = time_s, .kind = kind, .content = content };
    struct key key;

    if (!audit_leaf(entry.index, time_s, kind, content, &entry.leaf))
        return error_openssl(err, "registry: SHA-256");
    audit_encode(&record, &entry);
    if (buffer_failed(&record))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    entry_key(entry.index, &key);
    return txn_append(txn, TABLE_AUDIT, key_bytes(&key), buffer_bytes(&record), err) &&
           tail_add(txn, tail, &entry.leaf, store_node, err);
}

bool audit_tail_store(struct txn *txn, const struct audit_tail *tail, int64_t time_s, struct error *err)
{
    struct digest256 root;
    struct key value = { 0 };

    if (!audit_tail_root(tail, &root, err))
        return false;
    key_put_u64(&value, tail->size);
    key_put_u64(&value, (uint64_t)time_s);
    key_put(&value, digest256_bytes(&root));
    return txn_put(txn, TABLE_META, META_AUDIT, key_bytes(&value), err);
}

/* --- reading --- */
bool registry_audit_head(struct registry_view *view, struct audit_head *out, struct error *err)
{
    return load_head(view_txn(view), out, err);
}

bool registry_audit_read(struct registry_view *view, uint64_t index, size_t max, struct arena *arena,
                         struct audit_entry *out, size_t *count, struct error *err)
{
    AUTO_STRUCT(cursor) cursor = { 0 };
    struct audit_entry *page = arena_array(arena, max, sizeof(*page));
    struct key key;
    size_t n = 0;

    if (page == NULL)
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    entry_key(index, &key);
    if (!cursor_open(view_txn(view), TABLE_AUDIT, &cursor, err) ||
        !cursor_seek(&cursor, key_bytes(&key), err))
        return false;
    for (; n < max && cursor.found; n++) {
        if (!audit_decode(cursor.value, key_u64(cursor.key, 0), &page[n], err))
            return false;
        page[n].content = arena_copy(arena, page[n].content);
        if (page[n].content.data == NULL)
            return error_set(err, ERROR_MEMORY, "registry: out of memory");
        if (!cursor_next(&cursor, err))
            return false;
    }
    if (n > 0)
        memcpy(out, page, n * sizeof(*out));
    *count = n;
    return true;
}

/* --- verifying --- */
static bool compare_node(struct txn *txn, unsigned level, uint64_t index, const struct digest256 *hash,
                         struct error *err)
{
    struct digest256 stored = { 0 };

    if (!load_node(txn, level, index, &stored, err))
        return false;
    return digest256_equal(&stored, hash) ||
           error_set(err, ERROR_FORMAT, "audit: the stored tree differs at node %llu of level %u",
                     (unsigned long long)index, level);
}

static bool verify_entry(struct txn *txn, uint64_t index, struct audit_tail *tail, struct audit_entry *out,
                         struct error *err)
{
    struct digest256 leaf = { 0 };

    if (!load_entry(txn, index, out, err))
        return false;
    if (!audit_leaf(index, out->time_s, out->kind, out->content, &leaf))
        return error_openssl(err, "registry: SHA-256");
    if (!digest256_equal(&leaf, &out->leaf))
        return error_set(err, ERROR_FORMAT, "audit: entry %llu was altered", (unsigned long long)index);
    return tail_add(txn, tail, &leaf, compare_node, err);
}

static bool verify_size(struct txn *txn, const struct audit_head *head, struct error *err)
{
    uint64_t entries = 0;

    if (!txn_count(txn, TABLE_AUDIT, &entries, err))
        return false;
    return entries == head->size || error_set(err, ERROR_FORMAT, "audit: %llu entries, its head says %llu",
                                              (unsigned long long)entries, (unsigned long long)head->size);
}

bool registry_audit_verify(struct registry_view *view, struct arena *arena, audit_each *each, void *context,
                           struct audit_head *out, struct error *err)
{
    struct txn *txn = view_txn(view);
    struct audit_tail tail = { 0 };
    struct audit_entry entry = { 0 };
    struct audit_head head = { 0 };
    struct digest256 root;

    (void)arena; /* entries are shown as they lie in the view */
    if (!load_head(txn, &head, err) || !verify_size(txn, &head, err))
        return false;
    for (uint64_t i = 0; i < head.size; i++) {
        if (!verify_entry(txn, i, &tail, &entry, err))
            return false;
        if (each != NULL && !each(&entry, context))
            return error_set(err, ERROR_FORMAT, "audit: entry %llu was not accepted", (unsigned long long)i);
    }
    if (!audit_tail_root(&tail, &root, err))
        return false;
    if (!digest256_equal(&root, &head.root))
        return error_set(err, ERROR_FORMAT, "audit: the head's root is not that of its %llu entries",
                         (unsigned long long)head.size);
    *out = head;
    return true;
}
