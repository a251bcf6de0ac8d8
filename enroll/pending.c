#include "enroll/pending.h"

#include "enroll/audit_internal.h"
#include "enroll/transaction_internal.h"
#include "lib/base/encode.h"
#include "lib/base/record.h"
#include "registry/state.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 8 * 1024, SUBJECT_MAX = 4 * 1024, PENDING_ID_LEN = 16 };

enum field {
    FIELD_PROTOCOL = 1,
    FIELD_TRANSACTION_ID,
    FIELD_FQDN,
    FIELD_REGISTRATION,
    FIELD_SUBJECT,
    FIELD_ASKED,
};

/* An entry with what leads to its transaction. */
struct entry {
    struct pending pending;
    struct bytes transaction_id;
    struct bytes id; /* octets */
    uint64_t revision;
};

/* --- writing --- */
/* What an officer can be shown, whole characters of it. */
static struct bytes shortened(struct bytes text)
{
    text = bytes_slice(text, 0, SUBJECT_MAX);
    while (text.len > 0 && !bytes_is_utf8(text))
        text.len--;
    return text;
}

bool pending_put(struct turn *turn, const struct transaction_key *key, const struct dns_name *fqdn,
                 const struct registration_id *registration, struct bytes subject, int64_t expires_s,
                 struct error *err)
{
    AUTO_STRUCT(buffer) blob = BUFFER(RECORD_MAX);
    struct state_key state_key = { .procedure = key->procedure, .kind = "pending" };
    struct state_value value = { .expires_s = expires_s }, old = { 0 };
    struct digest256 id;
    bool found;

    if (!transaction_digest(key, "", &id))
        return error_set(err, ERROR_CRYPTO, "SHA-256 of a transaction id");
    state_key.id = bytes_of(id.bytes, PENDING_ID_LEN);
    if (!registry_state(turn->view, &state_key, turn->arena, &found, &old, err))
        return false; /* one whose time is over may still be there */
    record_begin(&blob, RECORD_VERSION);
    record_put_u64(&blob, FIELD_PROTOCOL, key->protocol);
    record_put(&blob, FIELD_TRANSACTION_ID, key->id);
    record_put(&blob, FIELD_FQDN, dns_name_bytes(fqdn));
    record_put(&blob, FIELD_REGISTRATION, registration_id_bytes(registration));
    record_put(&blob, FIELD_SUBJECT, shortened(subject));
    record_put_u64(&blob, FIELD_ASKED, (uint64_t)turn->now_s);
    if (buffer_failed(&blob))
        return error_set(err, ERROR_MEMORY, "pending enrollment");
    value.blob = buffer_bytes(&blob);
    change_state_put(&turn->changes, &state_key, &value, found ? old.revision : 0);
    return true;
}

/* --- reading --- */
static bool take_field(struct record_reader *in, const struct record_field *f, struct entry *e)
{
    uint64_t number;

    switch ((enum field)f->tag) {
    case FIELD_PROTOCOL:
        number = record_u64(in, f);
        e->pending.protocol = number < PROTOCOL_COUNT ? (enum protocol)number : PROTOCOL_NONE;
        return e->pending.protocol != PROTOCOL_NONE;
    case FIELD_TRANSACTION_ID: e->transaction_id = f->content; return true;
    case FIELD_FQDN:
        if (f->content.len > DNS_NAME_MAX)
            return false;
        e->pending.fqdn.len = (uint8_t)f->content.len;
        if (f->content.len > 0)
            memcpy(e->pending.fqdn.text, f->content.data, f->content.len);
        return true;
    case FIELD_REGISTRATION:
        if (f->content.len != ID_LEN)
            return false;
        memcpy(e->pending.registration.bytes, f->content.data, ID_LEN);
        return true;
    case FIELD_SUBJECT: e->pending.subject = f->content; return true;
    case FIELD_ASKED: e->pending.asked_s = (int64_t)record_u64(in, f); return true;
    }
    return true;
}

/* Copies into the arena what is borrowed. */
static bool entry_decode(const struct state_key *key, const struct state_value *value, struct arena *arena,
                         struct entry *out, struct error *err)
{
    struct entry e = { .id = arena_copy(arena, key->id), .revision = value->revision };
    struct record_reader in;
    struct record_field field;
    uint8_t version;
    char hex[2 * PENDING_ID_LEN + 1];

    if (key->id.len != PENDING_ID_LEN || !record_open(value->blob, &in, &version) ||
        version != RECORD_VERSION)
        return error_set(err, ERROR_FORMAT, "a stored pending enrollment is malformed");
    while (record_next(&in, &field))
        if (!take_field(&in, &field, &e))
            return error_set(err, ERROR_FORMAT, "a stored pending enrollment is malformed");
    if (in.failed)
        return error_set(err, ERROR_FORMAT, "a stored pending enrollment is malformed");
    hex_encode(key->id, hex);
    e.pending.id = arena_copy(arena, bytes_text(hex));
    e.pending.procedure = arena_copy(arena, key->procedure);
    e.pending.subject = arena_copy(arena, e.pending.subject);
    e.transaction_id = arena_copy(arena, e.transaction_id);
    if (e.id.data == NULL || e.pending.id.data == NULL || e.pending.procedure.data == NULL ||
        e.pending.subject.data == NULL || e.transaction_id.data == NULL)
        return error_set(err, ERROR_MEMORY, "pending enrollment");
    *out = e;
    return true;
}

static bool is_over(const struct turn *turn, const struct state_value *value)
{
    return value->expires_s != 0 && value->expires_s <= turn->now_s;
}

/* --- listing --- */
struct listing {
    struct turn *turn;
    size_t max, count;
    struct pending *item;
    struct error *err;
    bool failed;
};

/* The oldest `max`, kept sorted while they are met. */
static bool list_one(const struct state_key *key, const struct state_value *value, void *context)
{
    struct listing *l = context;
    struct entry e;
    size_t at;

    if (is_over(l->turn, value))
        return true;
    l->failed = !entry_decode(key, value, l->turn->arena, &e, l->err);
    if (l->failed)
        return false;
    for (at = l->count; at > 0 && l->item[at - 1].asked_s > e.pending.asked_s; at--)
        if (at < l->max)
            l->item[at] = l->item[at - 1];
    if (at < l->max)
        l->item[at] = e.pending;
    if (l->count < l->max)
        l->count++;
    return true;
}

bool pending_list(struct turn *turn, struct bytes procedure, size_t max, struct pending *out, size_t *count,
                  struct error *err)
{
    struct listing l = { .turn = turn, .max = max, .item = out, .err = err };

    if (!registry_state_each(turn->view, procedure, "pending", list_one, &l, err) || l.failed)
        return false;
    *count = l.count;
    return true;
}

struct counting {
    const struct turn *turn;
    struct bytes fqdn;
    size_t max, count, of_one;
};

static bool is_of(struct bytes blob, struct bytes fqdn)
{
    struct record_reader in;
    struct record_field field;
    uint8_t version;

    if (!record_open(blob, &in, &version))
        return false;
    while (record_next(&in, &field))
        if (field.tag == FIELD_FQDN)
            return bytes_equal(field.content, fqdn);
    return false;
}

static bool count_one(const struct state_key *key, const struct state_value *value, void *context)
{
    struct counting *c = context;

    (void)key;
    if (is_over(c->turn, value))
        return true;
    c->count++;
    c->of_one += is_of(value->blob, c->fqdn);
    return c->count < c->max && c->of_one < OPEN_OF_ONE_MAX;
}

bool pending_room(struct turn *turn, struct bytes procedure, const struct dns_name *fqdn, size_t max,
                  const char **full, struct error *err)
{
    struct counting c = { .turn = turn, .fqdn = dns_name_bytes(fqdn), .max = max };

    if (!registry_state_each(turn->view, procedure, "pending", count_one, &c, err))
        return false;
    *full = c.count >= max                ? "too many enrollments wait for an officer"
            : c.of_one >= OPEN_OF_ONE_MAX ? "too many enrollments of this name wait for an officer"
                                          : NULL;
    return true;
}

/* --- one --- */
struct search {
    struct turn *turn;
    struct bytes id;
    struct entry entry;
    bool found, failed;
    struct error *err;
};

static bool search_one(const struct state_key *key, const struct state_value *value, void *context)
{
    struct search *s = context;

    if (!bytes_equal(key->id, s->id) || is_over(s->turn, value))
        return true;
    s->found = entry_decode(key, value, s->turn->arena, &s->entry, s->err);
    s->failed = !s->found;
    return false;
}

static bool find(struct turn *turn, struct bytes id, struct search *out, struct error *err)
{
    uint8_t octets[PENDING_ID_LEN];

    *out = (struct search){ .turn = turn, .err = err };
    if (id.len != sizeof(octets) * 2 || !hex_decode(id, octets))
        return true;
    out->id = BYTES_ARRAY(octets);
    if (!registry_state_each(turn->view, BYTES_NONE, "pending", search_one, out, err) || out->failed)
        return false;
    out->id = BYTES_NONE;
    return true;
}

bool pending_find(struct turn *turn, struct bytes id, bool *found, struct pending *out, struct error *err)
{
    struct search s;

    if (!find(turn, id, &s, err))
        return false;
    *found = s.found;
    if (s.found)
        *out = s.entry.pending;
    return true;
}

/* --- deciding --- */
static bool append_audit(struct turn *turn, const struct pending *p, bool approve, struct bytes officer,
                         struct error *err)
{
    AUTO_STRUCT(buffer) entry = BUFFER(AUDIT_ENTRY_MAX);

    audit_begin(&entry);
    audit_text(&entry, "decision", bytes_text(approve ? "approved" : "denied"));
    audit_text(&entry, "pending", p->id);
    audit_text(&entry, "procedure", p->procedure);
    audit_text(&entry, "protocol", bytes_text(protocol_name(p->protocol)));
    audit_text(&entry, "fqdn", dns_name_bytes(&p->fqdn));
    audit_hex(&entry, "registration", registration_id_bytes(&p->registration));
    audit_text(&entry, "officer", officer);
    audit_end(&entry);
    if (buffer_failed(&entry))
        return error_set(err, ERROR_MEMORY, "audit entry");
    change_audit_append(&turn->changes, AUDIT_APPROVED, buffer_bytes(&entry));
    return true;
}

/* How long a decision waits for its device to come back. */
enum { FETCH_KEEP_S = 30 * 24 * 60 * 60 };

bool pending_decide(struct turn *turn, struct bytes id, bool approve, struct bytes officer, bool *found,
                    struct error *err)
{
    struct transaction transaction;
    struct transaction_key key;
    struct state_key entry;
    struct search s;

    if (!find(turn, id, &s, err))
        return false;
    *found = false;
    if (!s.found)
        return true;
    key = (struct transaction_key){ s.entry.pending.procedure, s.entry.pending.protocol,
                                    s.entry.transaction_id };
    if (!transaction_read(turn, &key, &transaction, err))
        return false;
    if (transaction.status != TRANSACTION_PENDING)
        return true;
    transaction.status = approve ? TRANSACTION_APPROVED : TRANSACTION_DENIED;
    entry = (struct state_key){ .procedure = key.procedure, .kind = "pending", .id = s.entry.id };
    if (!transaction_put(turn, &key, &transaction, turn->now_s + FETCH_KEEP_S, err) ||
        !append_audit(turn, &s.entry.pending, approve, officer, err))
        return false;
    change_state_delete(&turn->changes, &entry, s.entry.revision);
    *found = true;
    return true;
}
