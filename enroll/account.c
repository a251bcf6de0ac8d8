#include "enroll/account_internal.h"

#include "enroll/secret_internal.h"
#include "lib/base/encode.h"

/* --- names --- */
bool account_name_of_wildcard(const struct fqdn_pattern *wildcard, struct account_name *out)
{
    const struct dns_rules rules = { .underscore = true, .single_label = true };
    struct bytes text = fqdn_pattern_bytes(wildcard);

    *out = (struct account_name){ .wildcard = true };
    return bytes_starts_with(text, "*.") && dns_name_parse(bytes_from(text, 2), &rules, &out->name) == DNS_OK;
}

static bool has_star(struct bytes text)
{
    return bytes_find(text, '*') < text.len;
}

/* `example.com` allows itself and `a.example.com`, not `evilexample.com`. */
static bool is_at_or_below(struct bytes name, struct bytes domain)
{
    size_t at = name.len - domain.len;

    if (name.len < domain.len || !bytes_equal(bytes_from(name, at), domain))
        return false;
    return at == 0 || name.data[at - 1] == '.';
}

static bool pattern_allows(struct bytes text, const struct account_name *name)
{
    static const struct fqdn_pattern_rules rules = { .dns = { .underscore = true, .single_label = true },
                                                     .literal_labels_min = 1 };
    struct bytes base = bytes_from(text, 2);
    struct fqdn_pattern pattern;

    if (name->wildcard) /* the officer's own text, never a match */
        return bytes_starts_with(text, "*.") && bytes_equal(base, dns_name_bytes(&name->name));
    return fqdn_pattern_parse(text, &rules, &pattern) == FQDN_PATTERN_OK &&
           fqdn_pattern_matches(&pattern, &name->name);
}

static bool allows_address(const struct registration *r, const struct ip_address *ip)
{
    struct bytes listed;

    if (r->ip.len > 0 && ip_equal(&r->ip, ip))
        return true;
    for (size_t i = 0; (listed = registration_attribute(r, ATTRIBUTE_IP_ADDRESS, i)).len > 0; i++) {
        struct ip_address allowed;

        if (ip_parse(listed, &allowed) && ip_equal(&allowed, ip))
            return true;
    }
    return r->allowed_domain_count == 0 && r->ip.len == 0;
}

/* The registered serial number, and no other: without one, none. */
static bool is_registered_device(const struct registration *r, struct bytes device)
{
    const struct serial_source source = { .origin = SERIAL_OF_PERMANENT_ID, .plain = device };

    return serial_agrees(&source, r->serial_number);
}

bool registration_allows_account_name(const struct registration *r, const struct account_name *name)
{
    if (r->order != ORDER_ACME)
        return false;
    if (name->device.len > 0)
        return is_registered_device(r, device_id_bytes(&name->device));
    if (name->name.len == 0)
        return allows_address(r, &name->ip);
    for (size_t i = 0; i < r->allowed_domain_count; i++) {
        struct bytes domain = r->allowed_domain[i];

        if (has_star(domain) ? pattern_allows(domain, name)
                             : is_at_or_below(dns_name_bytes(&name->name), domain))
            return true;
    }
    return r->allowed_domain_count == 0;
}

/* --- what was proved --- */
static bool is_proved(const struct credential *account, const struct account_name *wanted)
{
    for (size_t i = 0; i < account->account.proved_count; i++) {
        const struct account_name *p = &account->account.proved[i];

        if (p->device.len > 0)
            continue; /* what a device said of itself proves no name */
        if (wanted->name.len == 0
                ? p->name.len == 0 && ip_equal(&p->ip, &wanted->ip)
                : p->wildcard == wanted->wildcard && dns_name_equal(&p->name, &wanted->name))
            return true;
    }
    return false;
}

bool account_has_proved(const struct credential *account, const struct identity *identity)
{
    struct account_name name = { .name = identity->fqdn };
    bool proved = identity->fqdn_implied || is_proved(account, &name);

    for (size_t i = 0; i < identity->other_count && proved; i++) {
        name.name = identity->other[i];
        proved = is_proved(account, &name);
    }
    for (size_t i = 0; i < identity->wildcard_count && proved; i++)
        proved = account_name_of_wildcard(&identity->wildcard[i], &name) && is_proved(account, &name);
    for (size_t i = 0; i < identity->ip_count && proved; i++) {
        name = (struct account_name){ .ip = identity->ip[i] };
        proved = is_proved(account, &name);
    }
    return proved;
}

bool account_holds(const struct credential *account, const struct identity *identity,
                   const struct registration *r)
{
    bool proved = account_has_proved(account, identity);

    if (!account->account.bound)
        return r->order != ORDER_ACME && proved;
    return r->order == ORDER_ACME && (proved || r->pre_authorised) &&
           bytes_equal(registration_id_bytes(&account->account.registration), registration_id_bytes(&r->id));
}

/* --- the registration --- */
bool account_registration(struct turn *turn, const struct procedure *procedure,
                          const struct registration_id *id, struct candidates *out, struct error *err)
{
    struct registration *r = arena_alloc(turn->arena, sizeof(*r));
    bool found = false;

    if (r == NULL)
        return error_set(err, ERROR_MEMORY, "registration");
    if (!registry_registration_by_id(turn->view, id, turn->arena, &found, r, err))
        return false;
    *out = (struct candidates){ .item = r, .count = found && r->domain.value == procedure->domain->id.value };
    return true;
}

/* REFUSAL_COUNT: nothing. */
static enum refusal fault_of(const struct registration *r, int64_t now_s)
{
    if (!registration_is_open(r))
        return REFUSAL_CLOSED;
    if (registration_is_expired(r, now_s))
        return REFUSAL_EXPIRED;
    if ((r->protocols & PROTOCOL_BIT(PROTOCOL_ACME)) == 0)
        return REFUSAL_PROTOCOL;
    return REFUSAL_COUNT;
}

/* --- binding --- */
void account_binding_free(struct account_binding *binding)
{
    secret_free(&binding->sealed);
    binding->key = BYTES_NONE;
}

/* The slow-down knows names; a key id is any text. */
static bool name_of_key_id(struct bytes key_id, struct dns_name *out)
{
    struct digest256 digest;

    if (!sha256_parts((struct bytes[]){ BYTES_LITERAL("acme-key-id:"), key_id }, 2, &digest))
        return false;
    out->len = 2 * DIGEST256_LEN;
    hex_encode(digest256_bytes(&digest), out->text);
    return true;
}

static enum refusal judge_binding(const struct registration *r, int64_t now_s)
{
    enum refusal why = r->order == ORDER_ACME ? fault_of(r, now_s) : REFUSAL_NO_REGISTRATION;

    return why == REFUSAL_COUNT && r->one_time && r->used ? REFUSAL_USED : why;
}

/* Its own key, or one that costs the same to open and is nobody's. */
static bool open_key(struct turn *turn, struct account_binding *b, struct error *err)
{
    struct registration nobody;

    if (b->registration != NULL &&
        enroll_registration_password(turn->keys, b->registration, &b->sealed, &b->key))
        return true;
    b->good = false;
    b->registration = NULL; /* a MAC under nobody's key, which is no secret, proves nothing */
    if (b->reason == REFUSAL_COUNT)
        b->reason = REFUSAL_SECRET;
    return (dummy_registration(turn->keys, turn->arena, &nobody) &&
            enroll_registration_password(turn->keys, &nobody, &b->sealed, &b->key)) ||
           error_set(err, ERROR_CRYPTO, "no key to verify an account binding with");
}

bool enroll_account_binding(struct turn *turn, const struct enroll_service *service,
                            const struct procedure *procedure, struct bytes key_id,
                            const struct ip_address *peer, struct account_binding *out, struct error *err)
{
    struct registration *r = arena_alloc(turn->arena, sizeof(*r));
    struct account_binding b = { .reason = REFUSAL_NO_REGISTRATION };
    struct dns_name name;
    bool found = false;

    if (r == NULL || !name_of_key_id(key_id, &name))
        return error_set(err, ERROR_MEMORY, "account binding");
    if (!secret_wait_s(turn, service, procedure, peer, &name, &b.wait_s, err))
        return false;
    if (b.wait_s > 0) {
        *out = (struct account_binding){ .reason = REFUSAL_LOCKED, .wait_s = b.wait_s };
        return true;
    }
    if (!registry_registration_by_key_id(turn->view, procedure->domain->id, key_id, turn->arena, &found, r,
                                         err))
        return false;
    if (found) {
        b.registration = r;
        b.reason = judge_binding(r, turn->now_s);
        b.good = b.reason == REFUSAL_COUNT;
    }
    if (!open_key(turn, &b, err))
        return false;
    *out = b;
    return true;
}

/* --- what may be ordered --- */
static bool judge_bound(struct turn *turn, const struct procedure *procedure,
                        const struct credential *account, const struct account_name *name,
                        struct account_verdict *out, struct error *err)
{
    struct candidates one = { 0 };
    const struct registration *r;

    if (!account_registration(turn, procedure, &account->account.registration, &one, err))
        return false;
    *out = (struct account_verdict){ .reason = REFUSAL_NO_REGISTRATION };
    if (one.count == 0)
        return true;
    r = &one.item[0];
    out->registration = r;
    out->reason = fault_of(r, turn->now_s);
    if (out->reason == REFUSAL_COUNT && !registration_allows_account_name(r, name))
        out->reason = name->device.len > 0 ? REFUSAL_SERIAL : REFUSAL_NAME_POLICY;
    out->may = out->reason == REFUSAL_COUNT;
    out->pre_authorised = out->may && r->pre_authorised;
    return true;
}

bool account_lacks_binding(const struct procedure *procedure, const struct credential *account)
{
    return procedure->acme_binding && !account->account.bound;
}

/* Not more than what admission would find out: the first registration of that name that is good for ACME. */
static bool judge_unbound(struct turn *turn, const struct procedure *procedure,
                          const struct account_name *name, struct account_verdict *out, struct error *err)
{
    struct candidates candidates = { 0 };

    if (name->name.len > 0 &&
        !registry_candidates(turn->view, procedure->domain->id, &name->name, turn->arena, &candidates, err))
        return false;
    *out = (struct account_verdict){ .reason = REFUSAL_NO_REGISTRATION };
    out->may = !procedure->preregistration && candidates.count == 0 && name->device.len == 0;
    for (size_t i = 0; i < candidates.count && !out->may; i++) {
        const struct registration *r = &candidates.item[i];
        enum refusal why = r->order == ORDER_ACME ? REFUSAL_PROTOCOL : fault_of(r, turn->now_s);

        if (i == 0)
            out->reason = why;
        if (why == REFUSAL_COUNT) {
            out->may = true;
            out->registration = r;
        }
        if (why == REFUSAL_CLOSED || procedure->domain->match == MATCH_MOST_SPECIFIC)
            break;
    }
    return true;
}

bool enroll_account_may(struct turn *turn, const struct procedure *procedure,
                        const struct credential *account, const struct account_name *name,
                        struct account_verdict *out, struct error *err)
{
    if (account_lacks_binding(procedure, account)) {
        *out = (struct account_verdict){ .reason = REFUSAL_NO_CREDENTIAL };
        return true;
    }
    return account->account.bound ? judge_bound(turn, procedure, account, name, out, err)
                                  : judge_unbound(turn, procedure, name, out, err);
}
