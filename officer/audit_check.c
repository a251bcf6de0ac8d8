#include "officer/audit_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/encode.h"
#include "lib/jose/jws.h"
#include "officer/act_internal.h"
#include "officer/audit_ledger_internal.h"
#include "officer/officer_json.h"
#include "officer/rights.h"
#include "registry/registrations.h"
#include "registry/state.h"

enum { OFFICERS_MAX = 4096, OFFICERS_ARENA = 64 << 20, TREE_DEPTH_MAX = 64 };

struct audit_checker {
    struct audit_report report;
    struct digest256 subtree[TREE_DEPTH_MAX]; /* RFC 6962 2.1: complete subtrees, largest first */
    struct arena *arena;                      /* officers, for as long as the check runs */
    struct officer_record officer[OFFICERS_MAX];
    size_t officer_count;
    struct ledger ledger;
};

bool audit_checker_new(struct audit_checker **out, struct error *err)
{
    struct audit_checker *checker = calloc(1, sizeof(*checker));

    if (checker == NULL || (checker->arena = arena_new(OFFICERS_ARENA)) == NULL) {
        free(checker);
        return error_set(err, ERROR_MEMORY, "audit check");
    }
    checker->report.sound = true;
    *out = checker;
    return true;
}

void audit_checker_free(struct audit_checker *checker)
{
    if (checker == NULL)
        return;
    ledger_free(&checker->ledger);
    arena_free(checker->arena);
    free(checker);
}

UNUSED static inline void auto_checker(struct audit_checker **checker)
{
    audit_checker_free(*checker);
}

void audit_checker_report(const struct audit_checker *checker, struct audit_report *report)
{
    *report = checker->report;
}

/* The first finding is kept. */
PRINTF(2, 3) static bool find_fault(struct audit_checker *c, const char *format, ...)
{
    va_list list;

    if (!c->report.sound)
        return false;
    c->report.sound = false;
    va_start(list, format);
    (void)vsnprintf(c->report.fault, sizeof(c->report.fault), format, list);
    va_end(list);
    return false;
}

/* --- the tree --- */

static bool hash_nodes(const struct digest256 *left, const struct digest256 *right, struct digest256 *out)
{
    static const uint8_t node = 1;

    return sha256_parts(
        (const struct bytes[]){ bytes_of(&node, 1), digest256_bytes(left), digest256_bytes(right) }, 3, out);
}

/* A leaf joins; two subtrees of one size become one of twice the size. */
static bool add_leaf(struct audit_checker *c, const struct digest256 *leaf)
{
    unsigned depth = (unsigned)__builtin_popcountll(c->report.entries);
    struct digest256 node = *leaf;

    for (uint64_t size = c->report.entries; (size & 1) != 0; size >>= 1)
        if (!hash_nodes(&c->subtree[--depth], &node, &node))
            return find_fault(c, "SHA-256 failed");
    c->subtree[depth] = node;
    c->report.entries++;
    return true;
}

static bool tree_root(const struct audit_checker *c, struct digest256 *out)
{
    unsigned depth = (unsigned)__builtin_popcountll(c->report.entries);

    if (depth == 0)
        return sha256(BYTES_NONE, out);
    *out = c->subtree[--depth];
    while (depth > 0)
        if (!hash_nodes(&c->subtree[--depth], out, out))
            return false;
    return true;
}

/* --- entries that carry an act --- */

struct checked_act {
    const struct audit_entry *entry;
    const json_t *effect;
    const struct jws *jws;
    struct act_request request;
    struct arena *arena;
};

static bool entry_fault(struct audit_checker *c, const struct audit_entry *entry, const char *what)
{
    return find_fault(c, "entry %llu: %s", (unsigned long long)entry->index, what);
}

static struct officer_record *officer_of(struct audit_checker *c, struct bytes key_id)
{
    for (size_t i = 0; i < c->officer_count; i++)
        if (bytes_equal(c->officer[i].key_id, key_id))
            return &c->officer[i];
    return NULL;
}

static uint64_t effect_number(const struct checked_act *act, const char *name)
{
    json_int_t number = json_integer_value(json_object_get(act->effect, name));

    return number < 0 ? 0 : (uint64_t)number;
}

static bool effect_id(const struct checked_act *act, struct registration_id *out)
{
    struct bytes text = json_member(act->effect, "registration");

    return text.len == 2 * ID_LEN && hex_decode(text, out->bytes);
}

static bool read_appointed(struct audit_checker *c, const struct checked_act *act, struct officer_record *out)
{
    AUTO(json_t) *object = json_read(act->request.object);
    struct json_fault fault;

    if (officer_from_json(object, c->arena, out, &fault) != REGISTRATION_JSON_OK)
        return entry_fault(c, act->entry, "not an officer");
    out->revision = effect_number(act, "revision");
    return bytes_equal(json_member(act->effect, "officer"), out->key_id) ||
           entry_fault(c, act->entry, "the effect names another officer than the act");
}

static bool check_appointment(struct audit_checker *c, const struct checked_act *act)
{
    struct officer_record officer, *known;

    if (!read_appointed(c, act, &officer))
        return false;
    known = officer_of(c, officer.key_id);
    if (officer.revision != (known == NULL ? 1 : known->revision + 1))
        return entry_fault(c, act->entry, "a revision of this officer is missing");
    if (known == NULL && c->officer_count == OFFICERS_MAX)
        return entry_fault(c, act->entry, "too many officers");
    if (known == NULL)
        known = &c->officer[c->officer_count++];
    *known = officer;
    c->report.officers = c->officer_count;
    return true;
}

/* The registration as the signed request and what the gateway added to it make it. */
static bool rebuild(struct audit_checker *c, const struct checked_act *act, struct registration *out)
{
    AUTO(json_t) *object = json_read(act->request.object);
    const json_t *list = json_object_get(act->effect, "protocols"), *name;
    struct json_fault fault;
    uint32_t protocols = 0;
    size_t i;

    if (registration_from_json(object, &PATTERN_RULES_WIDEST, act->arena, out, &fault) !=
        REGISTRATION_JSON_OK)
        return entry_fault(c, act->entry, "not a registration");
    json_array_foreach(list, i, name) protocols |= PROTOCOL_BIT(protocol_from_name(json_bytes(name)));
    if (out->protocols != 0 && out->protocols != protocols)
        return entry_fault(c, act->entry, "other protocols than the act names");
    out->protocols = protocols;
    out->accepted_s = (int64_t)effect_number(act, "accepted");
    out->domain = domain_id_of(json_member(act->effect, "domain"));
    return true;
}

static bool name_of(const struct registration *r, struct digest256 *out)
{
    return ledger_name_digest(r->domain, r->procedure, r->order == ORDER_ACME,
                              r->order == ORDER_ACME ? r->key_id : fqdn_pattern_bytes(&r->fqdn), out);
}

/* Closes `slot`, when it is the one of this name. */
static bool close_slot(struct audit_checker *c, const struct checked_act *act, struct ledger_slot *slot,
                       const struct digest256 *name)
{
    if (slot == NULL || slot->closed || !digest256_equal(&slot->name, name))
        return entry_fault(c, act->entry, "closes what is not open, or another than the act names");
    if (effect_number(act, "revision") != slot->revision + 1 ||
        (act->request.has_revision && act->request.revision != slot->revision))
        return entry_fault(c, act->entry, "a revision of this registration is missing");
    slot->revision++;
    slot->closed = true;
    return sha256(act->jws->header.kid, &slot->officer) || entry_fault(c, act->entry, "SHA-256 failed");
}

static bool check_closing(struct audit_checker *c, const struct checked_act *act)
{
    const struct act_request *request = &act->request;
    struct domain_id domain = domain_id_of(json_member(act->effect, "domain"));
    struct bytes text = request->key_id;
    struct registration_id id;
    struct fqdn_pattern pattern;
    struct digest256 name;

    if (request->key_id.len == 0) {
        if (fqdn_pattern_parse(request->fqdn, &PATTERN_RULES_WIDEST, &pattern) != FQDN_PATTERN_OK)
            return entry_fault(c, act->entry, "not a name");
        text = fqdn_pattern_bytes(&pattern);
    }
    if (!effect_id(act, &id) ||
        !ledger_name_digest(domain, request->procedure, request->key_id.len > 0, text, &name))
        return entry_fault(c, act->entry, "no registration is named");
    return close_slot(c, act, ledger_find(&c->ledger, &id), &name);
}

static bool check_registering(struct audit_checker *c, const struct checked_act *act)
{
    struct registration r;
    struct registration_id id;
    struct ledger_slot *slot;
    struct digest256 name;
    uint64_t revision = effect_number(act, "revision");

    if (!rebuild(c, act, &r))
        return false;
    if (!effect_id(act, &id) || !name_of(&r, &name))
        return entry_fault(c, act->entry, "no registration is named");
    slot = ledger_find(&c->ledger, &id);
    if (slot != NULL && r.state == REGISTRATION_CLOSED)
        return close_slot(c, act, slot, &name);
    if (revision != (slot == NULL ? 1 : slot->revision + 1))
        return entry_fault(c, act->entry, "a revision of this registration is missing");
    if (slot != NULL && !digest256_equal(&slot->name, &name))
        return entry_fault(c, act->entry, "re-opens another than the act names");
    if (slot == NULL && (slot = ledger_add(&c->ledger, &id)) == NULL)
        return entry_fault(c, act->entry, "out of memory");
    slot->revision = revision;
    slot->name = name;
    slot->closed = r.state == REGISTRATION_CLOSED;
    return (ledger_fields_digest(&r, &slot->fields) && sha256(act->jws->header.kid, &slot->officer)) ||
           entry_fault(c, act->entry, "out of memory");
}

static bool check_effect(struct audit_checker *c, const struct checked_act *act)
{
    switch (act->request.kind) {
    case ACT_NONE: break;
    case ACT_REGISTER: return check_registering(c, act);
    case ACT_CLOSE: return check_closing(c, act);
    case ACT_OFFICER: return check_appointment(c, act);
    case ACT_REVOKE:
    case ACT_APPROVE:
    case ACT_DENY: return true; /* what they did stands in entries of its own */
    }
    return entry_fault(c, act->entry, "not an act");
}

static uint32_t right_for(enum act_kind kind)
{
    switch (kind) {
    case ACT_NONE: break;
    case ACT_REGISTER: return 0; /* or to close: which it was, the effect tells */
    case ACT_CLOSE: return RIGHT_CLOSE;
    case ACT_REVOKE: return RIGHT_REVOKE;
    case ACT_APPROVE:
    case ACT_DENY: return RIGHT_APPROVE;
    case ACT_OFFICER: return RIGHT_OFFICERS;
    }
    return RIGHTS_ALL;
}

/* The key that must have signed: the officer's as the audit knows it; the first officer's own. */
static bool check_signer(struct audit_checker *c, const struct checked_act *act)
{
    struct officer_record first = { 0 };
    const struct officer_record *signer = officer_of(c, act->jws->header.kid);
    bool is_first = act->entry->kind == AUDIT_OFFICER;
    const char *why;

    if (is_first) {
        if (c->officer_count != 0 || act->request.kind != ACT_OFFICER || !read_appointed(c, act, &first))
            return entry_fault(c, act->entry, "an officer that no officer appointed");
        signer = &first;
    }
    if (signer == NULL || !bytes_equal(signer->key_id, act->jws->header.kid))
        return entry_fault(c, act->entry, "signed by nobody who was an officer then");
    if (jws_verify(act->jws, signer->spki) != JWS_OK)
        return entry_fault(c, act->entry, "the officer's signature does not verify");
    return is_first || officer_may(signer, right_for(act->request.kind), BYTES_NONE, &why) ||
           entry_fault(c, act->entry, "the officer had no right to it");
}

static bool check_act(struct audit_checker *c, const struct audit_entry *entry, struct arena *arena)
{
    AUTO(json_t) *content = json_read(entry->content);
    const json_t *whole = json_object_get(content, "jws");
    struct checked_act act = { .entry = entry, .arena = arena, .effect = json_object_get(content, "effect") };
    struct json_fault fault;
    struct bytes text;
    struct jws jws;

    if (whole == NULL || !json_write(whole, arena, &text) ||
        jws_parse(text, &JWS_RULES_OFFICER, arena, &jws) != JWS_OK ||
        act_request_parse(jws.payload, arena, &act.request, &fault) != REGISTRATION_JSON_OK)
        return entry_fault(c, entry, "not a signed act");
    act.jws = &jws;
    c->report.acts++;
    return check_signer(c, &act) && check_effect(c, &act);
}

bool audit_checker_entry(struct audit_checker *c, const struct audit_entry *entry, struct arena *arena)
{
    struct digest256 leaf;

    arena_reset(arena);
    if (!c->report.sound)
        return false;
    if (entry->index != c->report.entries)
        return entry_fault(c, entry, "not the next one");
    if (!audit_leaf(entry->index, entry->time_s, entry->kind, entry->content, &leaf))
        return entry_fault(c, entry, "no leaf can be made of it");
    if (!add_leaf(c, &leaf))
        return false;
    if (entry->kind == AUDIT_ACT_REFUSED)
        c->report.refused_acts++;
    return (entry->kind != AUDIT_ACT && entry->kind != AUDIT_OFFICER) || check_act(c, entry, arena);
}

/* --- what is live --- */

static bool registration_fault(struct audit_checker *c, const struct registration *r, const char *what)
{
    char id[ID_TEXT_LEN];

    hex_encode(registration_id_bytes(&r->id), id);
    return find_fault(c, "registration %s: %s", id, what);
}

bool audit_checker_registration(struct audit_checker *c, const struct registration *r)
{
    struct ledger_slot *slot = ledger_find(&c->ledger, &r->id);
    struct digest256 fields, officer;

    if (!c->report.sound)
        return false;
    if (slot == NULL)
        return registration_fault(c, r, "no signed act says that there is one");
    if (slot->seen)
        return registration_fault(c, r, "stands there twice");
    if (!ledger_fields_digest(r, &fields) || !sha256(r->officer, &officer))
        return registration_fault(c, r, "out of memory");
    if (!digest256_equal(&fields, &slot->fields))
        return registration_fault(c, r, "its fields are not what was signed");
    if ((r->state == REGISTRATION_CLOSED) != slot->closed || r->revision != slot->revision ||
        !digest256_equal(&officer, &slot->officer))
        return registration_fault(c, r, "its state is not what was signed last");
    slot->seen = true;
    c->report.registrations++;
    return true;
}

bool audit_checker_finish(struct audit_checker *c, const struct audit_head *head)
{
    struct digest256 root;

    if (!c->report.sound)
        return false;
    c->report.head = *head;
    if (!tree_root(c, &root))
        return find_fault(c, "SHA-256 failed");
    if (head->size != c->report.entries || !digest256_equal(&root, &head->root))
        return find_fault(c, "the head says another root than the %llu entries have",
                          (unsigned long long)c->report.entries);
    return c->report.registrations == c->ledger.count ||
           find_fault(c, "%llu registrations were signed, %llu are there",
                      (unsigned long long)c->ledger.count, (unsigned long long)c->report.registrations);
}

/* --- the whole registry --- */

struct whole_check {
    struct audit_checker *checker;
    const struct keys *keys;
    struct arena *arena;
};

static bool each_entry(const struct audit_entry *entry, void *context)
{
    struct whole_check *whole = context;

    return audit_checker_entry(whole->checker, entry, whole->arena);
}

static bool check_secret(struct whole_check *whole, const struct registration *r)
{
    static const struct digest256 none;
    AUTO_STRUCT(secret) plain = { 0 };
    struct digest256 commitment;

    if ((r->sealed_secret.len == 0) != digest256_equal(&r->commitment, &none))
        return registration_fault(whole->checker, r, "secret and commitment do not go together");
    if (r->sealed_secret.len == 0 || whole->keys == NULL)
        return true;
    if (!keys_open(whole->keys, r->sealed_secret, registration_id_bytes(&r->id), &plain, NULL) ||
        !sha256(secret_bytes(&plain), &commitment) || !digest256_equal(&commitment, &r->commitment))
        return registration_fault(whole->checker, r, "its secret is not the one that was signed");
    whole->checker->report.secrets++;
    return true;
}

static bool each_registration(const struct registration *r, void *context)
{
    struct whole_check *whole = context;

    return audit_checker_registration(whole->checker, r) && check_secret(whole, r);
}

static bool same_officer(const struct officer_record *a, const struct officer_record *b)
{
    AUTO(json_t) *left = officer_to_json(a);
    AUTO(json_t) *right = officer_to_json(b);

    return left != NULL && right != NULL && json_equal(left, right) && a->revision == b->revision;
}

static bool check_officers(struct whole_check *whole, struct registry_view *view, struct error *err)
{
    struct audit_checker *c = whole->checker;
    struct officer_record *live;
    size_t count;

    arena_reset(whole->arena);
    live = arena_array(whole->arena, c->officer_count + 1, sizeof(*live));
    if (live == NULL)
        return error_set(err, ERROR_MEMORY, "audit check");
    if (!registry_officers_list(view, c->officer_count + 1, whole->arena, live, &count, err))
        return false;
    if (count != c->officer_count)
        (void)find_fault(c, "%zu officers were appointed, %zu are there", c->officer_count, count);
    for (size_t i = 0; i < count; i++) {
        const struct officer_record *signed_one = officer_of(c, live[i].key_id);

        if (signed_one == NULL || !same_officer(signed_one, &live[i]))
            (void)find_fault(c, "officer %.*s: not what was signed", BYTES_FMT(live[i].key_id));
    }
    return true;
}

/* `each` stopped: a finding of ours. Else the registry found something altered. */
static bool verify_entries(struct whole_check *whole, struct registry_view *view, struct arena *arena,
                           struct audit_head *head, struct error *err)
{
    struct error why = { 0 };

    if (registry_audit_verify(view, arena, each_entry, whole, head, &why) || !whole->checker->report.sound)
        return true;
    if (why.code == ERROR_FORMAT) {
        (void)find_fault(whole->checker, "%.200s", why.text);
        return true;
    }
    *err = why;
    return false;
}

bool audit_check(struct registry_view *view, const struct keys *keys, struct arena *arena,
                 struct audit_report *report, struct error *err)
{
    __attribute__((cleanup(auto_checker))) struct audit_checker *checker = NULL;
    AUTO_ARENA *scratch = arena_new(OFFICERS_ARENA);
    struct whole_check whole = { .keys = keys, .arena = scratch };
    struct audit_head head = { 0 };

    if (scratch == NULL)
        return error_set(err, ERROR_MEMORY, "audit check");
    if (!audit_checker_new(&checker, err))
        return false;
    whole.checker = checker;
    if (!verify_entries(&whole, view, arena, &head, err))
        return false;
    if (checker->report.sound && !registry_registrations_each(view, arena, each_registration, &whole, err))
        return false;
    if (checker->report.sound && !check_officers(&whole, view, err))
        return false;
    checker->report.sound = audit_checker_finish(checker, &head);
    *report = checker->report;
    return true;
}
