/* make_procedure.c: profiles and procedures are completed: names resolved, dialects applied, anchors loaded.
 */
#include <stdio.h>

#include "config/rows_internal.h"
#include "lib/base/file.h"
#include "proto/est/csrattrs.h"

enum { OID_CONTENT_MAX = 64, ANCHORS_MAX = 64, CMP_STRICT_SKEW_S = 300 };

static bool out_of_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "the configuration is too large");
}

/* --- profiles --- */
static const struct {
    const char *name, *oid;
} extended_key_usages[] = {
    { "server_auth", "1.3.6.1.5.5.7.3.1" },      { "client_auth", "1.3.6.1.5.5.7.3.2" },
    { "code_signing", "1.3.6.1.5.5.7.3.3" },     { "email_protection", "1.3.6.1.5.5.7.3.4" },
    { "ipsec_end_system", "1.3.6.1.5.5.7.3.5" }, { "ipsec_user", "1.3.6.1.5.5.7.3.7" },
    { "ipsec_ike", "1.3.6.1.5.5.7.3.17" },       { "ike_intermediate", "1.3.6.1.5.5.8.2.2" },
};

static const char *extended_key_usage_oid(const char *text)
{
    for (size_t i = 0; i < COUNT_OF(extended_key_usages); i++) {
        if (strcmp(extended_key_usages[i].name, text) == 0)
            return extended_key_usages[i].oid;
    }
    return text; /* dotted, or nothing that parses */
}

static bool make_extended_key_usage(const struct reader *reader, struct parsed_profile *p,
                                    struct arena *arena, struct error *err)
{
    const char **text = p->extended_key_usage.item;
    size_t count = p->extended_key_usage.count, len;
    struct bytes *list = arena_array(arena, count > 0 ? count : 1, sizeof(*list));
    uint8_t oid[OID_CONTENT_MAX];

    if (list == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        if (!oid_parse(bytes_text(extended_key_usage_oid(text[i])), oid, sizeof(oid), &len))
            return reader_fault(
                reader, &p->place, "extended_key_usage", err,
                "expected client_auth, server_auth, ipsec_ike, ... or an OID like 1.3.6.1; got '%.40s'",
                text[i]);
        list[i] = arena_copy(arena, bytes_of(oid, len));
        if (list[i].data == NULL)
            return out_of_memory(err);
    }
    p->profile.extended_key_usage = list;
    p->profile.extended_key_usage_count = count;
    return true;
}

static void make_curves(struct parsed_profile *p)
{
    p->profile.keys.p256 = (p->curves & 1u << KEY_EC_P256) != 0;
    p->profile.keys.p384 = (p->curves & 1u << KEY_EC_P384) != 0;
    p->profile.keys.p521 = (p->curves & 1u << KEY_EC_P521) != 0;
    p->profile.keys.ed25519 = (p->curves & 1u << KEY_ED25519) != 0;
    p->profile.keys.ed448 = (p->curves & 1u << KEY_ED448) != 0;
}

/* Files of one profile, one list. */
static bool read_weak_list(const struct reader *reader, const struct parsed_profile *p,
                           struct weak_list **out, struct error *err)
{
    const char **path = p->weak_list.item;
    struct buffer file[WEAK_LISTS_MAX];
    struct bytes text[WEAK_LISTS_MAX];
    size_t count = 0;
    bool ok = true;

    while (ok && count < p->weak_list.count) {
        file[count] = BUFFER(WEAK_LIST_FILE_MAX);
        ok = file_read(path[count], &file[count], err);
        text[count] = buffer_bytes(&file[count]);
        count++;
    }
    ok = ok && weak_list_new(text, count, out, err);
    while (count > 0)
        buffer_free(&file[--count]);
    return ok || reader_blame(reader, &p->place, "keys.weak_list", err);
}

static bool make_weak_lists(const struct reader *reader, const struct parsed *parsed, struct config *config,
                            struct error *err)
{
    struct parsed_profile *profile = parsed->profiles.item;

    config->weak_list = arena_array(config->arena, parsed->profiles.count, sizeof(struct weak_list *));
    if (config->weak_list == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < parsed->profiles.count; i++) {
        struct weak_list **list = &config->weak_list[config->weak_list_count];

        if (profile[i].weak_list.count == 0)
            continue;
        if (!read_weak_list(reader, &profile[i], list, err))
            return false;
        config->weak_list_count++;
        profile[i].profile.keys.weak = *list;
    }
    return true;
}

/* --- procedures --- */
static const struct profile *profile_named(const struct parsed *parsed, const char *name)
{
    const struct parsed_profile *p = parsed->profiles.item;

    for (size_t i = 0; i < parsed->profiles.count; i++) {
        if (strcmp(p[i].profile.name, name) == 0)
            return &p[i].profile;
    }
    return NULL;
}

static const struct domain *domain_named(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->domain_count; i++) {
        if (strcmp(config->domain[i]->name, name) == 0)
            return config->domain[i];
    }
    return NULL;
}

/* The dialect, and over it the switches that the file names. */
static bool make_dialect(const struct reader *reader, struct parsed_procedure *p, struct error *err)
{
    const struct dialect *dialect = dialect_named(p->dialect);
    char names[150], setting[64];

    if (dialect == NULL) {
        dialects_list(names, sizeof(names));
        return reader_fault(reader, &p->place, "dialect", err, "expected one of %s; got '%.40s'", names,
                            p->dialect);
    }
    p->procedure.dialect = *dialect;
    for (size_t i = 0; i < settings_switches.count; i++) {
        const struct setting *row = &settings_switches.row[i];

        (void)snprintf(setting, sizeof(setting), "switches.%s", row->name);
        if (reader_has(reader, &p->place, setting))
            memcpy((uint8_t *)&p->procedure.dialect + row->offset, (uint8_t *)&p->switches + row->offset,
                   row->size);
    }
    return true;
}

struct anchor_list {
    struct bytes *der;
    size_t count;
    struct anchors *anchors;
};

/* All certificates of the files that `setting` lists. */
static bool read_anchors(const struct reader *reader, const struct place *at, const char *setting,
                         const struct items *files, struct arena *arena, struct anchor_list *out,
                         struct error *err)
{
    const char **path = files->item;
    size_t more;

    if (files->count == 0)
        return true;
    out->der = arena_array(arena, ANCHORS_MAX, sizeof(*out->der));
    if (out->der == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < files->count; i++) {
        if (out->count == ANCHORS_MAX)
            return reader_fault(reader, at, setting, err, "expected at most %d certificates in all",
                                ANCHORS_MAX);
        if (!config_read_pem(reader, at, setting, path[i], arena, out->der + out->count,
                             ANCHORS_MAX - out->count, &more, err))
            return false;
        out->count += more;
    }
    return anchors_new(out->der, out->count, &out->anchors, err) || reader_blame(reader, at, setting, err);
}

static const char *const attestation_setting[] = {
    [ATTESTATION_APPLE] = "acme.attestation_anchors.apple", [ATTESTATION_TPM] = "acme.attestation_anchors.tpm"
};
_Static_assert(COUNT_OF(attestation_setting) == ATTESTATION_FORMAT_COUNT, "each format has a setting");

static bool make_anchors(const struct reader *reader, struct parsed_procedure *p, struct arena *arena,
                         struct error *err)
{
    struct anchor_list vendor = { 0 }, ra = { 0 };

    if (!read_anchors(reader, &p->place, "vendor_anchors", &p->vendor_anchors, arena, &vendor, err))
        return false;
    p->procedure.vendor_anchor = vendor.der;
    p->procedure.vendor_anchor_count = vendor.count;
    p->procedure.vendor_anchors = vendor.anchors;
    if (!read_anchors(reader, &p->place, "cmp.ra_anchors", &p->cmp_ra_anchors, arena, &ra, err))
        return false;
    p->procedure.cmp_ra_anchor = ra.der;
    p->procedure.cmp_ra_anchor_count = ra.count;
    p->procedure.cmp_ra_anchors = ra.anchors;
    for (size_t i = 0; i < ATTESTATION_FORMAT_COUNT; i++) {
        struct anchor_list makers = { 0 };

        if (!read_anchors(reader, &p->place, attestation_setting[i], &p->acme_attestation_anchors[i], arena,
                          &makers, err))
            return false;
        p->procedure.acme_attestation_anchors[i] = makers.anchors;
    }
    return true;
}

/* CsrAttrs as the operator wrote them: checked, and sent as they are. */
static bool make_csrattrs(const struct reader *reader, struct parsed_procedure *p, struct arena *arena,
                          struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(64 << 10);
    const char *fault;

    if (p->procedure.csrattrs_path == NULL)
        return true;
    if (!file_read(p->procedure.csrattrs_path, &content, err))
        return reader_blame(reader, &p->place, "est.csrattrs", err);
    fault = est_csrattrs_fault(buffer_bytes(&content));
    if (fault != NULL)
        return reader_fault(reader, &p->place, "est.csrattrs", err, "expected %s", fault);
    p->procedure.csrattrs = arena_copy(arena, buffer_bytes(&content));
    return p->procedure.csrattrs.data != NULL || out_of_memory(err);
}

/* Profiles that a request may choose. */
static bool make_profile_list(const struct parsed *parsed, const struct items *names, struct arena *arena,
                              const struct profile *const **out, struct error *err)
{
    const char **name = names->item;
    const struct profile **profile = arena_array(arena, names->count > 0 ? names->count : 1,
                                                 sizeof(*profile));

    if (profile == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < names->count; i++)
        profile[i] = profile_named(parsed, name[i]);
    *out = profile;
    return true;
}

static bool make_profile_lists(const struct parsed *parsed, struct parsed_procedure *p, struct arena *arena,
                               struct error *err)
{
    p->procedure.cmp_profile_count = p->cmp_profiles.count;
    p->procedure.acme_profile_count = p->acme_profiles.count;
    return make_profile_list(parsed, &p->cmp_profiles, arena, &p->procedure.cmp_profile, err) &&
           make_profile_list(parsed, &p->acme_profiles, arena, &p->procedure.acme_profile, err);
}

static bool make_procedure(const struct reader *reader, const struct parsed *parsed,
                           const struct config *config, struct parsed_procedure *p, struct error *err)
{
    p->procedure.domain = domain_named(config, p->domain);
    p->procedure.profile = profile_named(parsed, p->profile);
    if (p->procedure.est_realm == NULL)
        p->procedure.est_realm = p->procedure.name;
    if (!reader_has(reader, &p->place, "unstructured")) /* routers send only this (CSR-68) */
        p->procedure.unstructured = (p->procedure.protocols & PROTOCOL_BIT(PROTOCOL_SCEP)) != 0;
    if (!make_dialect(reader, p, err) || !make_anchors(reader, p, config->arena, err) ||
        !make_csrattrs(reader, p, config->arena, err) || !make_profile_lists(parsed, p, config->arena, err) ||
        !config_make_acme(reader, p, config->arena, err))
        return false;
    /* A dialect that demands messageTime looks at it, too. */
    if (p->procedure.dialect.cmp_strict && !reader_has(reader, &p->place, "cmp.clock_skew"))
        p->procedure.cmp_skew_s = CMP_STRICT_SKEW_S;
    return true;
}

static void set_ra_keys(const struct config *config, struct procedure *procedure)
{
    for (size_t i = 0; i < config->scep.ra_count && procedure->scep_ra != NULL; i++)
        if (strcmp(config->scep.ra[i].name, procedure->scep_ra) == 0)
            procedure->scep_ra_key = keys_public(config->keys, config->scep.ra[i].key_name);
    for (size_t i = 0; i < config->cmp.ra_count && procedure->cmp_ra != NULL; i++)
        if (strcmp(config->cmp.ra[i].name, procedure->cmp_ra) == 0)
            procedure->cmp_ra_key = keys_public(config->keys, config->cmp.ra[i].key_name);
}

void config_set_ra_keys(struct config *config)
{
    for (size_t i = 0; i < config->procedure_count; i++)
        set_ra_keys(config, config->procedure_row[i]);
}

bool config_make_procedures(const struct reader *reader, const struct parsed *parsed, struct config *config,
                            struct error *err)
{
    struct parsed_profile *profile = parsed->profiles.item;
    struct parsed_procedure *p = parsed->procedures.item;
    size_t count = parsed->procedures.count;
    const struct procedure **list = arena_array(config->arena, count, sizeof(*list));

    config->procedure_row = arena_array(config->arena, count, sizeof(*config->procedure_row));
    if (list == NULL || config->procedure_row == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < parsed->profiles.count; i++) {
        make_curves(&profile[i]);
        if (!make_extended_key_usage(reader, &profile[i], config->arena, err))
            return false;
    }
    if (!make_weak_lists(reader, parsed, config, err))
        return false;
    config->procedure = list;
    for (size_t i = 0; i < count; i++) {
        list[i] = config->procedure_row[i] = &p[i].procedure;
        config->procedure_count = i + 1; /* from here on config_free releases its anchors */
        if (!make_procedure(reader, parsed, config, &p[i], err))
            return false;
    }
    config_set_ra_keys(config);
    return true;
}
