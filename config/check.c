/* check.c: what must hold between settings. */
#include "config/rows_internal.h"

/* --- names: unique, and there when referred to --- */
struct noun {
    const struct items *items;
    size_t size, place_at, name_at; /* of one item */
    const char *name_setting, *list;
};

static const char *name_of(const struct noun *noun, size_t index)
{
    const char *name;
    memcpy(&name, (const uint8_t *)noun->items->item + index * noun->size + noun->name_at, sizeof(name));
    return name;
}

static struct place place_of(const struct noun *noun, size_t index)
{
    struct place place;
    memcpy(&place, (const uint8_t *)noun->items->item + index * noun->size + noun->place_at, sizeof(place));
    return place;
}

static bool is_named(const struct noun *noun, const char *name)
{
    for (size_t i = 0; i < noun->items->count; i++) {
        if (strcmp(name_of(noun, i), name) == 0)
            return true;
    }
    return false;
}

static bool check_unique(const struct reader *reader, const struct noun *noun, struct error *err)
{
    for (size_t i = 0; i < noun->items->count; i++) {
        for (size_t j = 0; j < i; j++) {
            struct place here = place_of(noun, i), there = place_of(noun, j);

            if (strcmp(name_of(noun, i), name_of(noun, j)) == 0)
                return reader_fault(reader, &here, noun->name_setting, err,
                                    "expected a name of its own; %s has '%s' already", there.path,
                                    name_of(noun, i));
        }
    }
    return true;
}

static bool check_reference(const struct reader *reader, const struct place *at, const char *setting,
                            const struct noun *noun, const char *name, struct error *err)
{
    char known[120];
    struct choice names[65] = { 0 };

    if (name == NULL || is_named(noun, name))
        return true;
    for (size_t i = 0; i < noun->items->count && i + 1 < COUNT_OF(names); i++)
        names[i].name = name_of(noun, i);
    choices_list(names, known, sizeof(known));
    return reader_fault(reader, at, setting, err, "expected a name from %s (%s); got '%.64s'", noun->list,
                        known, name);
}

#define NOUN(list_items, type, name_field, setting, list_name)    \
    ((struct noun){ .items = (list_items),                        \
                    .size = sizeof(struct type),                  \
                    .place_at = offsetof(struct type, place),     \
                    .name_at = offsetof(struct type, name_field), \
                    .name_setting = (setting),                    \
                    .list = (list_name) })

struct nouns {
    struct noun listener, key, secrets_key, ca, profile, scep_ra, cmp_ra, domain, procedure;
};

static struct nouns nouns_of(const struct parsed *p)
{
    return (struct nouns){
        .listener = NOUN(&p->listeners, parsed_listener, listener.name, "name", "listeners"),
        .key = NOUN(&p->keys, parsed_key, name, "name", "keys"),
        .secrets_key = NOUN(&p->secrets_keys, parsed_secrets_key, id, "id", "secrets_keys"),
        .ca = NOUN(&p->cas, parsed_ca, ca.name, "name", "cas"),
        .profile = NOUN(&p->profiles, parsed_profile, profile.name, "name", "profiles"),
        .scep_ra = NOUN(&p->scep_ras, parsed_ra, name, "name", "scep_ras"),
        .cmp_ra = NOUN(&p->cmp_ras, parsed_ra, name, "name", "cmp_ras"),
        .domain = NOUN(&p->domains, parsed_domain, domain.name, "name", "domains"),
        .procedure = NOUN(&p->procedures, parsed_procedure, procedure.name, "name", "procedures"),
    };
}

/* --- one noun each --- */
static bool check_listener(const struct reader *reader, const struct parsed_listener *l,
                           const struct nouns *nouns, struct error *err)
{
    struct ip_address address;
    struct ip_range range;
    const char **proxy = l->proxy_from.item;
    bool tls = l->tls_place.node != 0;

    if (!ip_parse(bytes_text(l->listener.address), &address))
        return reader_fault(reader, &l->place, "address", err,
                            "expected an IP address like 127.0.0.1 or ::; got '%.45s'", l->listener.address);
    for (size_t i = 0; i < l->proxy_from.count; i++) {
        if (!ip_range_parse(bytes_text(proxy[i]), &range))
            return reader_fault(reader, &l->place, "proxy_from", err,
                                "expected ranges like 10.0.0.0/8 or 2001:db8::/32; got '%.43s'", proxy[i]);
    }
    if (l->role == LISTENER_ADMINISTRATION && !tls)
        return reader_fault(reader, &l->place, "tls", err,
                            "missing; administration needs TLS with the officer's certificate");
    if (l->role == LISTENER_ADMINISTRATION && reader_has(reader, &l->tls_place, "client_certificate") &&
        l->listener.tls.client_certificate != NET_CLIENT_CERTIFICATE_REQUIRED)
        return reader_fault(reader, &l->place, "tls.client_certificate", err,
                            "expected required, as the role is administration");
    if (l->listener.base_url != NULL && bytes_ends_with(bytes_text(l->listener.base_url), "/"))
        return reader_fault(reader, &l->place, "base_url", err, "expected no '/' at its end");
    return check_reference(reader, &l->place, "tls.key", &nouns->key, tls ? l->listener.tls.key_name : NULL,
                           err) &&
           check_reference(reader, &l->place, "tls.renew.ca", &nouns->ca, l->renew.ca, err) &&
           config_check_renew_names(reader, &l->place, "tls.renew.names", &l->renew, err);
}

static bool check_ports(const struct reader *reader, const struct parsed *parsed, struct error *err)
{
    const struct parsed_listener *l = parsed->listeners.item;

    for (size_t i = 0; i < parsed->listeners.count; i++) {
        for (size_t j = 0; j < i && l[i].listener.port != 0; j++) {
            if (l[i].listener.port == l[j].listener.port &&
                strcmp(l[i].listener.address, l[j].listener.address) == 0)
                return reader_fault(reader, &l[i].place, "port", err,
                                    "expected an address and port of its own; %s has %s port %u already",
                                    l[j].place.path, l[j].listener.address, l[j].listener.port);
        }
    }
    return true;
}

/* By a shared secret, or by a signature: one of the two, and whole. */
static bool check_cmp_credentials(const struct reader *reader, const struct parsed_ca *ca, struct error *err)
{
    const struct parsed_cmp_upstream *cmp = &ca->cmp;
    bool secret = cmp->reference != NULL || cmp->secret_file != NULL;
    bool key = cmp->key != NULL || cmp->certificate != NULL;

    if (secret == key)
        return reader_fault(reader, &ca->place, "cmp", err,
                            "expected credentials: either reference and secret_file, or key and certificate");
    if (secret && (cmp->reference == NULL || cmp->secret_file == NULL))
        return reader_fault(reader, &ca->place, cmp->reference == NULL ? "cmp.reference" : "cmp.secret_file",
                            err, "missing; reference and secret_file belong together");
    if (key && (cmp->key == NULL || cmp->certificate == NULL))
        return reader_fault(reader, &ca->place, cmp->key == NULL ? "cmp.key" : "cmp.certificate", err,
                            "missing; key and certificate belong together");
    if (cmp->signer != NULL && cmp->signer_anchors.count > 0)
        return reader_fault(reader, &ca->place, "cmp.signer_anchors", err,
                            "expected none beside signer: no other certificate signs then");
    return true;
}

/* What is configured, or what vouches for what the CA tells: one of the two. */
static bool check_chain(const struct reader *reader, const struct parsed_ca *ca, struct error *err)
{
    if (ca->chain.count > 0 && ca->anchors.count > 0)
        return reader_fault(reader, &ca->place, "anchors", err,
                            "expected none beside chain: the CA is not asked for it then");
    if (ca->anchors.count > 0 && ca->kind != CA_KIND_CMP)
        return reader_fault(reader, &ca->place, "anchors", err, "expected none, as the kind is not cmp");
    if (ca->anchors.count > 0 && ca->new_with_new != NULL)
        return reader_fault(reader, &ca->place, "root_update", err, "expected none beside anchors");
    return ca->chain.count > 0 || ca->anchors.count > 0 ||
           reader_fault(reader, &ca->place, "chain", err,
                        "missing; expected PEM files, the issuing CA first, its root last");
}

static bool check_cmp_ca(const struct reader *reader, const struct parsed_ca *ca, const struct nouns *nouns,
                         struct error *err)
{
    if (ca->kind != CA_KIND_CMP)
        return ca->cmp.url == NULL ||
               reader_fault(reader, &ca->place, "cmp", err, "expected none, as the kind is not cmp");
    if (ca->cmp.url == NULL)
        return reader_fault(reader, &ca->place, "cmp", err, "missing; the kind is cmp");
    if (ca->ca.key_name != NULL)
        return reader_fault(reader, &ca->place, "key", err,
                            "expected none: the CA's key is not here; the gateway's own is cmp.key");
    return check_cmp_credentials(reader, ca, err) &&
           check_reference(reader, &ca->place, "cmp.key", &nouns->key, ca->cmp.key, err);
}

static bool check_ca(const struct reader *reader, const struct parsed_ca *ca, const struct nouns *nouns,
                     struct error *err)
{
    if (ca->ca.crl_refresh_s >= ca->ca.crl_validity_s)
        return reader_fault(reader, &ca->place, "crl.refresh", err,
                            "expected less than the validity, so that a new list is there before the old "
                            "one ends");
    if (ca->kind == CA_KIND_LOCAL && ca->ca.key_name == NULL)
        return reader_fault(reader, &ca->place, "key", err,
                            "missing; expected a name from keys, as the kind is local");
    return check_chain(reader, ca, err) && check_cmp_ca(reader, ca, nouns, err) &&
           check_reference(reader, &ca->place, "key", &nouns->key, ca->ca.key_name, err);
}

static bool check_profile(const struct reader *reader, const struct parsed_profile *p, struct error *err)
{
    const struct key_rules *keys = &p->profile.keys;

    if (keys->rsa_bits_min > keys->rsa_bits_max || (keys->rsa_bits_min == 0) != (keys->rsa_bits_max == 0))
        return reader_fault(reader, &p->place, "keys.rsa_min", err,
                            "expected at most rsa_max (%u), both 0 for no RSA; got %u", keys->rsa_bits_max,
                            keys->rsa_bits_min);
    if (keys->rsa_bits_min > 0 && keys->rsa_bits_min < 2048)
        return reader_fault(reader, &p->place, "keys.rsa_min", err, "expected at least 2048; got %u",
                            keys->rsa_bits_min);
    if (keys->rsa_bits_max == 0 && p->curves == 0)
        return reader_fault(reader, &p->place, "keys", err, "expected RSA or a curve; nothing is accepted");
    if (p->profile.backdate_s >= p->profile.validity_s)
        return reader_fault(reader, &p->place, "backdate", err, "expected less than the validity");
    return true;
}

static bool check_ras(const struct reader *reader, const struct items *ras, const struct nouns *nouns,
                      struct error *err)
{
    const struct parsed_ra *ra = ras->item;

    for (size_t i = 0; i < ras->count; i++) {
        if (!check_reference(reader, &ra[i].place, "key", &nouns->key, ra[i].key, err) ||
            !check_reference(reader, &ra[i].place, "renew.ca", &nouns->ca, ra[i].renew.ca, err) ||
            !config_check_renew_names(reader, &ra[i].place, "renew.names", &ra[i].renew, err))
            return false;
    }
    return true;
}

static bool is_open_on(const struct procedure *procedure, enum protocol protocol)
{
    return (procedure->protocols & PROTOCOL_BIT(protocol)) != 0;
}

static bool check_profiles(const struct reader *reader, const struct place *at, const char *setting,
                           const struct items *names, const struct nouns *nouns, struct error *err)
{
    const char **profile = names->item;

    for (size_t i = 0; i < names->count; i++) {
        if (!check_reference(reader, at, setting, &nouns->profile, profile[i], err))
            return false;
    }
    return true;
}

static bool check_cmp(const struct reader *reader, const struct parsed_procedure *p,
                      const struct nouns *nouns, struct error *err)
{
    if (!check_profiles(reader, &p->place, "cmp.profiles", &p->cmp_profiles, nouns, err))
        return false;
    if (is_open_on(&p->procedure, PROTOCOL_CMP) && p->procedure.cmp_ra == NULL)
        return reader_fault(reader, &p->place, "cmp.ra", err,
                            "missing; expected a name from cmp_ras, as the procedure is open on cmp");
    return check_reference(reader, &p->place, "cmp.ra", &nouns->cmp_ra, p->procedure.cmp_ra, err);
}

static bool check_procedure(const struct reader *reader, const struct parsed_procedure *p,
                            const struct nouns *nouns, struct error *err)
{
    const struct procedure *made = &p->procedure;

    if (!check_reference(reader, &p->place, "domain", &nouns->domain, p->domain, err) ||
        !check_reference(reader, &p->place, "ca", &nouns->ca, made->ca, err) ||
        !check_reference(reader, &p->place, "profile", &nouns->profile, p->profile, err) ||
        !check_reference(reader, &p->place, "scep.ra", &nouns->scep_ra, made->scep_ra, err))
        return false;
    if (is_open_on(made, PROTOCOL_EST) && est_label_is_reserved(bytes_text(made->name)))
        return reader_fault(reader, &p->place, "name", err,
                            "'%s' is an operation of EST; it cannot name a procedure that is open on est",
                            made->name);
    if (is_open_on(made, PROTOCOL_SCEP) && made->scep_ra == NULL)
        return reader_fault(reader, &p->place, "scep.ra", err,
                            "missing; expected a name from scep_ras, as the procedure is open on scep");
    return check_profiles(reader, &p->place, "acme.profiles", &p->acme_profiles, nouns, err) &&
           check_cmp(reader, p, nouns, err);
}

/* ACME is served over TLS alone, and its links are made from the base URL. */
static bool check_acme_listener(const struct reader *reader, const struct parsed *parsed, struct error *err)
{
    const struct parsed_listener *l = parsed->listeners.item;
    const struct parsed_procedure *p = parsed->procedures.item;

    for (size_t i = 0; i < parsed->listeners.count; i++) {
        if (l[i].role == LISTENER_DEVICES && l[i].tls_place.node != 0 && l[i].listener.base_url != NULL)
            return true;
    }
    for (size_t i = 0; i < parsed->procedures.count; i++) {
        if (is_open_on(&p[i].procedure, PROTOCOL_ACME))
            return reader_fault(reader, &p[i].place, "protocols", err,
                                "acme needs a listener for devices with tls and base_url; there is none");
    }
    return true;
}

/* Certificates follow each other there without anybody's doing, with dates of the order and the same key. */
static bool check_star(const struct reader *reader, const struct parsed *parsed, struct error *err)
{
    const struct parsed_procedure *p = parsed->procedures.item;
    const struct parsed_ca *ca = parsed->cas.item;

    for (size_t i = 0; i < parsed->procedures.count; i++) {
        const struct procedure *made = &p[i].procedure;

        if (!made->acme_star)
            continue;
        if (made->manual_approval || !made->same_key_renewal)
            return reader_fault(reader, &p[i].place, "acme.star", err,
                                "not where an officer approves, nor without renewal.same_key");
        for (size_t j = 0; j < parsed->cas.count; j++)
            if (strcmp(ca[j].ca.name, made->ca) == 0 && ca[j].kind != CA_KIND_LOCAL)
                return reader_fault(reader, &p[i].place, "acme.star", err,
                                    "needs the embedded CA; '%s' is another's", made->ca);
    }
    return true;
}

static bool check_each(const struct reader *reader, const struct parsed *parsed, const struct nouns *nouns,
                       struct error *err)
{
    const struct parsed_listener *listener = parsed->listeners.item;
    const struct parsed_ca *ca = parsed->cas.item;
    const struct parsed_profile *profile = parsed->profiles.item;
    const struct parsed_procedure *procedure = parsed->procedures.item;

    for (size_t i = 0; i < parsed->listeners.count; i++) {
        if (!check_listener(reader, &listener[i], nouns, err))
            return false;
    }
    for (size_t i = 0; i < parsed->cas.count; i++) {
        if (!check_ca(reader, &ca[i], nouns, err))
            return false;
    }
    for (size_t i = 0; i < parsed->profiles.count; i++) {
        if (!check_profile(reader, &profile[i], err))
            return false;
    }
    if (!check_ras(reader, &parsed->scep_ras, nouns, err) || !check_ras(reader, &parsed->cmp_ras, nouns, err))
        return false;
    for (size_t i = 0; i < parsed->procedures.count; i++) {
        if (!check_procedure(reader, &procedure[i], nouns, err))
            return false;
    }
    return true;
}

static bool check_dns_servers(const struct reader *reader, const struct parsed *parsed, struct error *err)
{
    const char **item = parsed->dns_servers.item;

    for (size_t i = 0; i < parsed->dns_servers.count; i++) {
        if (!net_resolver_servers_valid(bytes_text(item[i])) || strchr(item[i], ',') != NULL)
            return reader_fault(
                reader, &parsed->place, "dns_servers", err,
                "expected addresses like 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53; got '%.60s'",
                item[i]);
    }
    return true;
}

bool config_check_names(const struct reader *reader, const struct parsed *parsed, struct error *err)
{
    struct nouns nouns = nouns_of(parsed);
    const struct noun *each[] = { &nouns.listener, &nouns.key,     &nouns.secrets_key,
                                  &nouns.ca,       &nouns.profile, &nouns.scep_ra,
                                  &nouns.cmp_ra,   &nouns.domain,  &nouns.procedure };
    unsigned views = parsed->workers + parsed->net.loops + 8;

    for (size_t i = 0; i < COUNT_OF(each); i++) {
        if (!check_unique(reader, each[i], err))
            return false;
    }
    if (parsed->registry.readers_max < views)
        return reader_fault(reader, &parsed->place, "registry.readers_max", err,
                            "expected at least %u (workers, loops and 8 more); got %u", views,
                            parsed->registry.readers_max);
    return check_each(reader, parsed, &nouns, err) && check_ports(reader, parsed, err) &&
           check_acme_listener(reader, parsed, err) && check_star(reader, parsed, err) &&
           check_dns_servers(reader, parsed, err) &&
           check_reference(reader, &parsed->place, "default_procedure", &nouns.procedure,
                           parsed->default_procedure, err);
}

/* --- after loading --- */
static bool check_made_procedure(const struct reader *reader, const struct parsed_procedure *p,
                                 const struct config *config, struct error *err)
{
    const struct procedure *made = &p->procedure;
    const char *fault = procedure_fault(made);

    if (fault != NULL)
        return reader_fault(reader, &p->place, "", err, "%s", fault);
    if (is_open_on(made, PROTOCOL_SCEP))
        fault = scep_procedure_fault(&config->scep, made, config->keys);
    if (fault != NULL)
        return reader_fault(reader, &p->place, "scep.ra", err, "%s", fault);
    if (is_open_on(made, PROTOCOL_CMP))
        fault = cmp_procedure_fault(&config->cmp, made, config->keys);
    return fault == NULL || reader_fault(reader, &p->place, "cmp.ra", err, "%s", fault);
}

static const struct ca *ca_named(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->ca_count; i++)
        if (strcmp(config->ca[i].name, name) == 0)
            return &config->ca[i];
    return NULL;
}

/* A CMP RA's certificate comes from the issuer of the procedures that it speaks for; from another one it
 * would be refused at the reload that is to take it into use. */
static bool check_cmp_renewal(const struct reader *reader, const struct parsed_ra *ra,
                              const struct parsed *parsed, const struct config *config, struct error *err)
{
    const struct parsed_procedure *p = parsed->procedures.item;
    const struct ca *from = ra->renew.ca != NULL ? ca_named(config, ra->renew.ca) : NULL;

    for (size_t i = 0; i < parsed->procedures.count && from != NULL; i++) {
        const struct procedure *made = &p[i].procedure;
        const struct ca *of;

        if (!is_open_on(made, PROTOCOL_CMP) || made->cmp_ra == NULL || strcmp(made->cmp_ra, ra->name) != 0)
            continue;
        of = ca_named(config, made->ca);
        if (of != NULL && of->anchor_count == 0 && !bytes_equal(of->chain[0], from->chain[0]))
            return reader_fault(reader, &ra->place, "renew.ca", err,
                                "expected the issuer of procedure '%s', which is CA '%s'", made->name,
                                made->ca);
    }
    return true;
}

bool config_check_made(const struct reader *reader, const struct parsed *parsed, const struct config *config,
                       struct error *err)
{
    const struct parsed_procedure *p = parsed->procedures.item;
    const struct parsed_ra *ra = parsed->cmp_ras.item;

    for (size_t i = 0; i < parsed->procedures.count; i++) {
        if (!check_made_procedure(reader, &p[i], config, err))
            return false;
    }
    for (size_t i = 0; i < parsed->cmp_ras.count; i++) {
        if (!check_cmp_renewal(reader, &ra[i], parsed, config, err))
            return false;
    }
    return true;
}
