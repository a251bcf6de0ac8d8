#include "enroll/admit.h"

#include "enroll/account_internal.h"
#include "enroll/secret_internal.h"

static struct verdict refused(enum refusal reason)
{
    return verdict_refused(reason);
}

static struct verdict admitted(const struct registration *r)
{
    return (struct verdict){ .admitted = true, .credential_held = true, .registration = r };
}

/* --- criteria --- */
static bool has_attribute(const struct registration *r, enum attribute_kind kind, struct bytes value)
{
    struct bytes listed;

    for (size_t n = 0; (listed = registration_attribute(r, kind, n)).len > 0; n++)
        if (bytes_equal_nocase(listed, value))
            return true;
    return false;
}

static bool has_ip_attribute(const struct registration *r, const struct ip_address *ip)
{
    struct bytes listed;

    for (size_t n = 0; (listed = registration_attribute(r, ATTRIBUTE_IP_ADDRESS, n)).len > 0; n++) {
        struct ip_address allowed;

        if (ip_parse(listed, &allowed) && ip_equal(&allowed, ip))
            return true;
    }
    return false;
}

static bool carries_ip(const struct identity *identity, const struct ip_address *ip)
{
    for (size_t i = 0; i < identity->ip_count; i++)
        if (ip_equal(&identity->ip[i], ip))
            return true;
    for (size_t i = 0; i < identity->held_ip_count; i++)
        if (ip_equal(&identity->held_ip[i], ip))
            return true;
    return (identity->unstructured_ip.len > 0 && ip_equal(&identity->unstructured_ip, ip)) ||
           (identity->peer.len > 0 && ip_equal(&identity->peer, ip));
}

bool registration_allows_ip(const struct registration *r, const struct identity *identity)
{
    if (r->ip.len == 0)
        return true; /* any (CSR-81) */
    for (size_t i = 0; i < identity->ip_count; i++)
        if (!ip_equal(&identity->ip[i], &r->ip) && !has_ip_attribute(r, &identity->ip[i]))
            return false;
    return carries_ip(identity, &r->ip);
}

/* Any source present must agree, and one must be there (CSR-74). */
static bool allows_serial(const struct registration *r, const struct identity *identity)
{
    if (r->serial_number.len == 0)
        return true;
    for (size_t i = 0; i < identity->serial_count; i++)
        if (!serial_agrees(&identity->serial[i], r->serial_number))
            return false;
    return identity->serial_count > 0;
}

/* An ACME registration has no pattern: its allowed domains say it of each name. */
static bool allows_account_names(const struct registration *r, const struct identity *identity)
{
    struct account_name name = { .name = identity->fqdn };

    if (!identity->fqdn_implied && !registration_allows_account_name(r, &name))
        return false;
    for (size_t i = 0; i < identity->other_count; i++) {
        name.name = identity->other[i];
        if (!registration_allows_account_name(r, &name))
            return false;
    }
    for (size_t i = 0; i < identity->wildcard_count; i++)
        if (!account_name_of_wildcard(&identity->wildcard[i], &name) ||
            !registration_allows_account_name(r, &name))
            return false;
    for (size_t i = 0; i < identity->serial_count; i++) /* a device that was attested is a registered one */
        if (identity->serial[i].certified && !serial_agrees(&identity->serial[i], r->serial_number))
            return false;
    for (size_t i = 0; i < identity->ip_count; i++) {
        name = (struct account_name){ .ip = identity->ip[i] };
        if (!registration_allows_account_name(r, &name))
            return false;
    }
    return true;
}

bool registration_allows_names(const struct registration *r, const struct identity *identity)
{
    if (r->order == ORDER_ACME)
        return allows_account_names(r, identity);
    for (size_t i = 0; i < identity->other_count; i++)
        if (!fqdn_pattern_matches(&r->fqdn, &identity->other[i]) &&
            !has_attribute(r, ATTRIBUTE_DNS, dns_name_bytes(&identity->other[i])))
            return false;
    /* A '*' that a requester types never acts as a wildcard: only the officer's own text allows it. */
    for (size_t i = 0; i < identity->wildcard_count; i++)
        if (!has_attribute(r, ATTRIBUTE_DNS, fqdn_pattern_bytes(&identity->wildcard[i])))
            return false;
    return true;
}

static bool allows_key(const struct registration *r, const struct identity *identity,
                       const struct proof *proof)
{
    return !r->has_key_fingerprint || digest256_equal(&r->key_fingerprint, &identity->key) ||
           (proof->certificate_key != NULL && digest256_equal(&r->key_fingerprint, proof->certificate_key));
}

/* The credential is looked at whatever else fails: so that it takes the same time, and so that a device that
 * has proved itself can be told why. */
static bool registration_admits(const struct registration *r, const struct enrollment *e,
                                const struct identity *identity, const struct proof *proof, int64_t now_s,
                                struct verdict *why)
{
    bool held = credential_holds(e, identity, r, proof);
    bool renews = proof->credential->kind == CREDENTIAL_CERTIFICATE && proof->certificate_ours;
    bool bound = r->order == ORDER_ACME; /* the account that its one binding made goes on with it */

    *why = (struct verdict){ .credential_held = held, .registration = r };
    if (!registration_is_open(r))
        why->reason = REFUSAL_CLOSED;
    else if (registration_is_expired(r, now_s))
        why->reason = REFUSAL_EXPIRED;
    else if (r->one_time && r->used && !renews && !bound)
        why->reason = REFUSAL_USED;
    else if ((r->protocols & PROTOCOL_BIT(e->protocol)) == 0)
        why->reason = REFUSAL_PROTOCOL;
    else if (!registration_allows_ip(r, identity))
        why->reason = REFUSAL_IP;
    else if (!allows_serial(r, identity))
        why->reason = REFUSAL_SERIAL;
    else if (!allows_key(r, identity, proof))
        why->reason = REFUSAL_KEY_FINGERPRINT;
    else if (!registration_allows_names(r, identity))
        why->reason = REFUSAL_NAME_POLICY;
    else if (!held)
        why->reason = REFUSAL_SECRET;
    else
        return true;
    return false;
}

/* As dear as one verification against a registration; what comes out of it is not looked at. */
static void verify_dummy(const struct enrollment *e, const struct identity *identity,
                         const struct proof *proof)
{
    struct registration r;

    if (dummy_registration(proof->keys, proof->arena, &r))
        (void)credential_holds(e, identity, &r, proof);
}

struct verdict admit(const struct enrollment *e, const struct identity *identity,
                     const struct candidates *candidates, const struct proof *proof, enum match_rule rule,
                     int64_t now_s)
{
    const bool chosen = proof->credential->kind == CREDENTIAL_REGISTRATION;
    struct verdict verdict = refused(REFUSAL_NO_REGISTRATION);

    if (candidates->count == 0)
        verify_dummy(e, identity, proof);
    for (size_t i = 0; i < candidates->count; i++) { /* most specific first */
        const struct registration *r = &candidates->item[i];
        struct verdict why;

        if (registration_admits(r, e, identity, proof, now_s, &why))
            return admitted(r);
        if (i == 0 || (chosen && why.credential_held))
            verdict = why; /* the most specific one gives the reason, or the one that was chosen */
        if (!registration_is_open(r) || rule == MATCH_MOST_SPECIFIC)
            break; /* a Closed one blocks every broader one */
    }
    if (proof->credential->kind == CREDENTIAL_NONE && !verdict.credential_held)
        verdict.reason = REFUSAL_NO_CREDENTIAL; /* whatever is registered: it must not tell */
    if (chosen && !verdict.credential_held)
        verdict.reason = REFUSAL_NO_REGISTRATION; /* of others it must not tell either */
    return verdict;
}
