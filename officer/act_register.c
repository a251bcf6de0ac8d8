/* act_register.c: registering, re-opening and closing. */
#include "lib/base/encode.h"
#include "lib/base/secret.h"
#include "officer/act_internal.h"
#include "officer/rights.h"
#include "registry/registrations.h"

/* --- who holds the name --- */

struct holder_lookup {
    bool found;
    struct registration held;
};

static bool find_holder(struct acting *a, const struct registration *r, struct holder_lookup *out)
{
    struct turn *turn = a->turn;

    return r->order == ORDER_ACME
               ? registry_registration_by_key_id(turn->view, r->domain, r->key_id, turn->arena, &out->found,
                                                 &out->held, a->err)
               : registry_registration_by_fqdn(turn->view, r->domain, &r->fqdn, turn->arena, &out->found,
                                               &out->held, a->err);
}

static struct bytes name_of(const struct registration *r)
{
    return r->order == ORDER_ACME ? r->key_id : fqdn_pattern_bytes(&r->fqdn);
}

static bool refuse_holder(struct acting *a, enum act_result result, const struct registration *held,
                          const char *what)
{
    char id[ID_TEXT_LEN];

    hex_encode(registration_id_bytes(&held->id), id);
    a->outcome->registration = held->id;
    a->outcome->revision = held->revision;
    return act_refuse(a, result, "%.*s: %s (procedure %.*s, registration %s, revision %llu)",
                      BYTES_FMT(bytes_slice(name_of(held), 0, 80)), what,
                      BYTES_FMT(bytes_slice(held->procedure, 0, 40)), id, (unsigned long long)held->revision);
}

/* --- what the audit says came of it --- */

static bool put_protocols(json_t *effect, uint32_t protocols)
{
    AUTO(json_t) *list = json_array();

    for (enum protocol p = PROTOCOL_NONE + 1; p < PROTOCOL_COUNT; p++)
        if ((protocols & PROTOCOL_BIT(p)) != 0 && !json_push(list, json_string(protocol_name(p))))
            return false;
    return json_put(effect, "protocols", take(list));
}

/* What the signed request leaves to the gateway: enough to make the registration again from both. */
static json_t *effect_of(const struct registration *r, const char *domain)
{
    AUTO(json_t) *effect = json_object();

    if (!json_put_hex(effect, "registration", registration_id_bytes(&r->id)) ||
        !json_put(effect, "revision", json_integer((json_int_t)r->revision)) ||
        !json_put(effect, "accepted", json_integer(r->accepted_s)) ||
        !json_put(effect, "domain", json_string(domain)) || !put_protocols(effect, r->protocols))
        return NULL;
    return take(effect);
}

static bool write_registration(struct acting *a, struct registration *r, const char *domain)
{
    json_t *effect;
    uint64_t expected = r->revision;

    r->revision = expected + 1;
    r->officer = a->act->officer.key_id;
    a->outcome->registration = r->id;
    a->outcome->revision = r->revision;
    effect = effect_of(r, domain);
    if (effect == NULL)
        return error_set(a->err, ERROR_MEMORY, "audit entry of an act");
    change_registration_put(&a->turn->changes, r, expected);
    return act_accept(a, effect);
}

/* --- closing --- */

static bool close_held(struct acting *a, const struct registration *held, const char *domain)
{
    const struct act_request *request = &a->act->request;
    struct registration closed = *held;
    const char *why;

    if (!officer_may(&a->act->officer, RIGHT_CLOSE, held->procedure, &why) ||
        (held->order != ORDER_ACME && !officer_may_name(&a->act->officer, name_of(held), &why)))
        return act_refuse(a, ACT_NO_RIGHT, "%s", why);
    if (request->has_revision && request->revision != held->revision)
        return refuse_holder(a, ACT_REVISION, held, "changed since");
    if (held->state == REGISTRATION_CLOSED)
        return refuse_holder(a, ACT_NOT_IN_STATE, held, "closed already");
    closed.state = REGISTRATION_CLOSED;
    return write_registration(a, &closed, domain);
}

static bool close_named(struct acting *a, const struct registration *named, const char *domain)
{
    struct holder_lookup holder = { 0 };

    if (!find_holder(a, named, &holder))
        return false;
    if (!holder.found)
        return act_refuse(a, ACT_NOT_FOUND, "no registration of this name in domain %s", domain);
    if (!bytes_equal(holder.held.procedure, named->procedure))
        return refuse_holder(a, ACT_HELD, &holder.held, "held through another procedure");
    return close_held(a, &holder.held, domain);
}

bool act_close(struct acting *a)
{
    const struct act_request *request = &a->act->request;
    const struct procedure *procedure = act_procedure(a->service, request->procedure);
    struct registration named = { .procedure = request->procedure, .key_id = request->key_id };
    struct fqdn_pattern_rules rules;

    if (procedure == NULL)
        return act_refuse(a, ACT_UNKNOWN_PROCEDURE, "procedure: there is none of this name");
    rules = domain_pattern_rules(procedure->domain);
    named.domain = procedure->domain->id;
    named.order = request->key_id.len > 0 ? ORDER_ACME : ORDER_SCEP;
    if (named.order != ORDER_ACME &&
        fqdn_pattern_parse(request->fqdn, &rules, &named.fqdn) != FQDN_PATTERN_OK)
        return act_refuse(a, ACT_FIELD, "fqdn: not a DNS name, nor one with '*'");
    return close_named(a, &named, procedure->domain->name);
}

/* --- registering --- */

/* *read false: refused. */
static bool read_registration(struct acting *a, const struct fqdn_pattern_rules *rules,
                              struct registration *out, bool *read)
{
    AUTO(json_t) *object = json_read(a->act->request.object);
    struct json_fault fault;

    *read = false;
    switch (registration_from_json(object, rules, a->turn->arena, out, &fault)) {
    case REGISTRATION_JSON_MEMORY: return error_set(a->err, ERROR_MEMORY, "registration");
    case REGISTRATION_JSON_FAULT: return act_refuse(a, ACT_FIELD, "%s: %s", fault.field, fault.text);
    case REGISTRATION_JSON_OK: *read = true;
    }
    return true;
}

/* The secret that travels beside the act is the one that was signed. NULL when it is. */
static const char *secret_fault(const struct act_input *input, const struct registration *r)
{
    static const struct digest256 none;
    struct digest256 commitment;
    bool committed = !digest256_equal(&r->commitment, &none);

    if (!input->has_secret)
        return committed ? "a commitment without its secret" : NULL;
    if (!committed)
        return "a secret without its commitment";
    if (input->salt.len != ACT_SALT_LEN)
        return "the salt is 32 bytes";
    if (input->secret.len == 0 || input->secret.len > REGISTRATION_SECRET_MAX)
        return "a secret has 1 to 255 bytes";
    if (!officer_commitment(input->salt, input->secret, &commitment) ||
        !digest256_equal(&commitment, &r->commitment))
        return "the secret is not the one that was signed";
    return NULL;
}

static bool seal_secret(struct acting *a, struct registration *r)
{
    const struct act_input *input = &a->act->input;
    AUTO_STRUCT(secret) plain = { 0 };

    if (!input->has_secret)
        return true;
    if (!secret_alloc(ACT_SALT_LEN + input->secret.len, &plain))
        return error_set(a->err, ERROR_MEMORY, "secret");
    memcpy(plain.data, input->salt.data, ACT_SALT_LEN);
    memcpy(plain.data + ACT_SALT_LEN, input->secret.data, input->secret.len);
    return keys_seal(a->turn->keys, secret_bytes(&plain), registration_id_bytes(&r->id), a->turn->arena,
                     &r->sealed_secret, a->err);
}

/* May this one take the name? *free false: refused. */
static bool check_holder(struct acting *a, const struct registration *r, const struct holder_lookup *holder,
                         bool *is_free)
{
    const struct act_request *request = &a->act->request;
    const struct registration *held = &holder->held;

    *is_free = false;
    if (!holder->found && request->has_revision && request->revision != 0)
        return act_refuse(a, ACT_REVISION, "there is nothing of this name to re-open");
    if (holder->found && !bytes_equal(held->procedure, r->procedure))
        return refuse_holder(a, ACT_HELD, held, "held through another procedure");
    if (holder->found && registration_is_open(held) && !registration_is_expired(held, a->turn->now_s))
        return refuse_holder(a, ACT_HELD, held, "held, and Open");
    if (holder->found && (!request->has_revision || request->revision != held->revision))
        return refuse_holder(a, ACT_REVISION, held, "re-opening names the revision of what was");
    *is_free = true;
    return true;
}

static bool warn_of_overlaps(struct acting *a, const struct registration *r)
{
    struct act_outcome *outcome = a->outcome;

    if (r->order == ORDER_ACME)
        return true;
    outcome->overlap = arena_array(a->turn->arena, ACT_OVERLAPS_MAX, sizeof(*outcome->overlap));
    if (outcome->overlap == NULL)
        return error_set(a->err, ERROR_MEMORY, "overlaps");
    return registry_overlaps(a->turn->view, r->domain, &r->fqdn, ACT_OVERLAPS_MAX, outcome->overlap,
                             &outcome->overlap_count, &outcome->more_overlaps, a->err);
}

/* Those that the procedure is open on. ACME must be named, or be all that there is: without account binding,
 * a registration that is good for it admits whoever proves the name. */
static uint32_t protocols_of(enum order_type order, const struct procedure *procedure)
{
    const uint32_t acme = PROTOCOL_BIT(PROTOCOL_ACME), others = procedure->protocols & ~acme;

    if (order == ORDER_ACME)
        return acme;
    return others != 0 ? others : acme;
}

static bool take_name(struct acting *a, struct registration *r, const struct holder_lookup *holder,
                      const struct procedure *procedure)
{
    a->outcome->reopened = holder->found;
    r->accepted_s = a->turn->now_s;
    if (r->protocols == 0)
        r->protocols = protocols_of(r->order, procedure);
    if (holder->found) {
        r->id = holder->held.id;
        r->revision = holder->held.revision;
    } else if (!random_fill(&a->turn->random, r->id.bytes, sizeof(r->id.bytes))) {
        return error_set(a->err, ERROR_CRYPTO, "no randomness");
    }
    return seal_secret(a, r) && warn_of_overlaps(a, r) && write_registration(a, r, procedure->domain->name);
}

/* Checked in the order of what an officer must learn first: rights, then the secret, then the holder. */
static bool register_in(struct acting *a, struct registration *r, const struct procedure *procedure)
{
    struct holder_lookup holder = { 0 };
    const char *why;
    bool is_free;

    if (!find_holder(a, r, &holder))
        return false;
    if (r->state == REGISTRATION_CLOSED && holder.found && bytes_equal(holder.held.procedure, r->procedure))
        return close_held(a, &holder.held, procedure->domain->name); /* cpmState 1001 */
    if (!officer_may_register(&a->act->officer, r, &why))
        return act_refuse(a, ACT_NO_RIGHT, "%s", why);
    why = secret_fault(&a->act->input, r);
    if (why != NULL)
        return act_refuse(a, ACT_SECRET, "%s", why);
    if (!check_holder(a, r, &holder, &is_free))
        return false;
    return !is_free || take_name(a, r, &holder, procedure);
}

bool act_register(struct acting *a)
{
    const struct procedure *procedure;
    struct fqdn_pattern_rules rules;
    struct registration r;
    bool read;

    /* the procedure's name first; its domain then says what a name may look like */
    if (!read_registration(a, &PATTERN_RULES_WIDEST, &r, &read))
        return false;
    if (!read)
        return true;
    procedure = act_procedure(a->service, r.procedure);
    if (procedure == NULL)
        return act_refuse(a, ACT_UNKNOWN_PROCEDURE, "procedure: there is none of this name");
    rules = domain_pattern_rules(procedure->domain);
    if (!read_registration(a, &rules, &r, &read))
        return false;
    r.domain = procedure->domain->id;
    return !read || register_in(a, &r, procedure);
}
