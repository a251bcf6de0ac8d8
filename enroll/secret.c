#include "enroll/secret.h"

#include "enroll/secret_internal.h"
#include "lib/base/encode.h"
#include "registry/registrations.h"

/* One request may carry several messages: each wrong secret counts, and one that held or was not looked at
 * takes none of them back. */
static bool keep_strike(struct turn *turn, struct error *err)
{
    struct struck *struck = turn->strike ? arena_alloc(turn->arena, sizeof(*struck)) : NULL;

    if (turn->strike && struck == NULL)
        return error_set(err, ERROR_MEMORY, "a wrong secret");
    if (struck != NULL) {
        *struck = (struct struck){ .key = turn->strike_key, .next = turn->struck };
        turn->struck = struck;
    }
    turn->strike = turn->credential_held = false;
    return true;
}

static bool was_struck(const struct turn *turn)
{
    for (const struct struck *s = turn->struck; s != NULL; s = s->next)
        if (digest256_equal(&s->key, &turn->strike_key))
            return true;
    return false;
}

bool secret_wait_s(struct turn *turn, const struct enroll_service *service, const struct procedure *procedure,
                   const struct ip_address *peer, const struct dns_name *name, unsigned *out,
                   struct error *err)
{
    if (!keep_strike(turn, err))
        return false;
    if (!slow_down_key(peer, name, &turn->strike_key))
        return error_set(err, ERROR_CRYPTO, "SHA-256");
    if (service->slow_down != NULL && procedure->slow_after > 0 && was_struck(turn)) {
        *out = 1; /* the table learns of it only when the turn is over */
        return true;
    }
    *out = service->slow_down == NULL
               ? 0
               : slow_down_wait_s(service->slow_down, &turn->strike_key, procedure->slow_after,
                                  procedure->slow_max_s, turn->now_s);
    return true;
}

/* --- who is meant --- */
enum meaning { MEANT_NOBODY = 0, MEANT_ID, MEANT_PATTERN, MEANT_KEY_NAME, MEANT_NAME };

/* By the form of what was sent alone: who may try again, and when, must not depend on what is registered, nor
 * on anything that may be changed from one try to the next without meaning somebody else. */
struct meant {
    enum meaning meaning;
    struct registration_id id;
    struct fqdn_pattern pattern;
    struct dns_name name; /* the FQDN; else the canonical text of id or pattern */
};

static bool is_id(struct bytes text, struct meant *out)
{
    _Static_assert(2 * ID_LEN <= DNS_NAME_MAX, "its text has room");

    if (text.len != (size_t)2 * ID_LEN || !hex_decode(text, out->id.bytes))
        return false;
    hex_encode(registration_id_bytes(&out->id), out->name.text);
    out->name.len = 2 * ID_LEN;
    return true;
}

static struct dns_rules rules_of(const struct domain *domain)
{
    struct dns_rules rules = DNS_RULES_TEXT;

    rules.underscore = domain->underscore;
    rules.single_label = domain->single_label;
    return rules;
}

static bool is_pattern(struct bytes text, const struct domain *domain, struct meant *out)
{
    const struct fqdn_pattern_rules rules = { .dns = rules_of(domain), .literal_labels_min = 1 };

    if (bytes_find(text, '*') == text.len ||
        fqdn_pattern_parse(text, &rules, &out->pattern) != FQDN_PATTERN_OK)
        return false;
    memcpy(out->name.text, out->pattern.text, sizeof(out->name.text));
    out->name.len = out->pattern.len;
    return true;
}

static bool is_fqdn(struct bytes text, const struct domain *domain, struct meant *out)
{
    const struct dns_rules rules = rules_of(domain);

    return text.len > 0 && dns_name_parse(text, &rules, &out->name) == DNS_OK;
}

static struct meant who_is_meant(const struct mac_claim *claim, const struct domain *domain)
{
    struct meant m = { 0 };

    if (is_id(claim->key_id, &m))
        m.meaning = MEANT_ID;
    else if (is_pattern(claim->key_id, domain, &m))
        m.meaning = MEANT_PATTERN;
    else if (is_fqdn(claim->key_id, domain, &m))
        m.meaning = MEANT_KEY_NAME;
    for (size_t i = 0; i < COUNT_OF(claim->name) && m.meaning == MEANT_NOBODY; i++)
        if (is_fqdn(claim->name[i], domain, &m))
            m.meaning = MEANT_NAME;
    return m;
}

/* --- whose secrets are tried --- */
struct judging {
    struct turn *turn;
    const struct procedure *procedure;
    const struct mac_claim *claim;
    struct meant meant;
    struct candidates candidates;
    size_t tried;
};

static bool find_one(struct judging *j, struct error *err)
{
    const struct domain_id domain = j->procedure->domain->id;
    struct registration *r = arena_alloc(j->turn->arena, sizeof(*r));
    bool found = false, read;

    if (r == NULL)
        return error_set(err, ERROR_MEMORY, "registration");
    read = j->meant.meaning == MEANT_ID
               ? registry_registration_by_id(j->turn->view, &j->meant.id, j->turn->arena, &found, r, err)
               : registry_registration_by_fqdn(j->turn->view, domain, &j->meant.pattern, j->turn->arena,
                                               &found, r, err);
    if (read && found && r->domain.value == domain.value)
        j->candidates = (struct candidates){ .item = r, .count = 1 };
    return read;
}

static bool find_candidates(struct judging *j, struct error *err)
{
    switch (j->meant.meaning) {
    case MEANT_NOBODY: return true;
    case MEANT_ID:
    case MEANT_PATTERN: return find_one(j, err);
    case MEANT_KEY_NAME:
    case MEANT_NAME: break;
    }
    if (!registry_candidates(j->turn->view, j->procedure->domain->id, &j->meant.name, j->turn->arena,
                             &j->candidates, err))
        return false;
    /* Named by its key id, exactly: it, and no broader one (CMP-34: then one secret is tried). */
    if (j->meant.meaning == MEANT_KEY_NAME && j->candidates.count > 0 &&
        fqdn_pattern_is_exact(&j->candidates.item[0].fqdn))
        j->candidates.count = 1;
    return true;
}

static bool holds(struct judging *j, const struct registration *r, struct password_mac_key *key)
{
    const struct mac_claim *claim = j->claim;
    AUTO_STRUCT(secret) sealed = { 0 };
    struct bytes password = BYTES_NONE;

    if (!enroll_registration_password(j->turn->keys, r, &sealed, &password))
        return false;
    j->tried++;
    return password_mac_derive(&claim->mac, password, key) &&
           password_mac_proves(&claim->mac, key, claim->message, claim->value);
}

static const struct registration *find_holder(struct judging *j, struct password_mac_key *key)
{
    for (size_t i = 0; i < j->candidates.count && j->tried < SECRETS_TRIED_MAX; i++)
        if (holds(j, &j->candidates.item[i], key))
            return &j->candidates.item[i];
    return NULL;
}

/* What comes out of it is not looked at. */
static void try_dummy(struct judging *j, struct password_mac_key *key)
{
    struct registration r;

    if (dummy_registration(j->turn->keys, j->turn->arena, &r))
        (void)holds(j, &r, key);
}

/* As many as may be tried for what was sent, whatever is registered: the sender chooses what one try costs,
 * and could count them. */
static size_t tries_for(enum meaning meaning)
{
    return meaning == MEANT_KEY_NAME || meaning == MEANT_NAME ? SECRETS_TRIED_MAX : 1;
}

static void judge(struct judging *j, struct mac_verdict *out)
{
    AUTO_STRUCT(password_mac_key) key = { .len = 0 };
    const struct registration *holder = find_holder(j, &key);

    *out = (struct mac_verdict){
        .held = holder != NULL,
        .reason = j->tried > 0 ? REFUSAL_SECRET : REFUSAL_NO_REGISTRATION,
        .registration = holder,
    };
    if (holder != NULL)
        out->key = key;
    for (size_t i = j->tried; i < tries_for(j->meant.meaning) && holder == NULL; i++)
        try_dummy(j, &key);
}

bool enroll_judge_mac(struct turn *turn, const struct enroll_service *service,
                      const struct procedure *procedure, const struct mac_claim *claim,
                      struct mac_verdict *out, struct error *err)
{
    struct judging j = {
        .turn = turn, .procedure = procedure, .claim = claim, .meant = who_is_meant(claim, procedure->domain)
    };
    unsigned wait_s = 0;

    turn->facts.fqdn = arena_copy(turn->arena, dns_name_bytes(&j.meant.name));
    if (turn->facts.fqdn.data == NULL)
        return error_set(err, ERROR_MEMORY, "fqdn for the log");
    if (!secret_wait_s(turn, service, procedure, &claim->peer, &j.meant.name, &wait_s, err))
        return false;
    if (wait_s > 0) {
        *out = (struct mac_verdict){ .reason = REFUSAL_LOCKED, .wait_s = wait_s };
        return true;
    }
    if (!find_candidates(&j, err))
        return false;
    judge(&j, out);
    turn->strike = !out->held;
    turn->credential_held = out->held;
    return true;
}
