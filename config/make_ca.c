/* make_ca.c: keys, CA chains and RA certificates are loaded. */
#include "config/rows_internal.h"

#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"

enum { PEM_FILE_MAX = 1 << 20, PASSPHRASE_MAX = 1024 };

static bool out_of_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "the configuration is too large");
}

bool config_read_pem(const struct reader *reader, const struct place *at, const char *setting,
                     const char *path, struct arena *arena, struct bytes *der, size_t max, size_t *count,
                     struct error *err)
{
    AUTO_STRUCT(buffer) pem = BUFFER(PEM_FILE_MAX);

    if (!file_read(path, &pem, err))
        return reader_blame(reader, at, setting, err);
    if (!certificates_from_pem(buffer_bytes(&pem), arena, der, max, count, err)) {
        (void)error_prefix(err, path);
        return reader_blame(reader, at, setting, err);
    }
    if (*count == 0)
        return reader_fault(reader, at, setting, err, "%s: expected PEM certificates; there is none in it",
                            path);
    return true;
}

/* --- keys --- */
static bool load_key(const struct reader *reader, const struct parsed_key *key, struct keys *keys,
                     struct error *err)
{
    AUTO_STRUCT(buffer) passphrase = BUFFER(PASSPHRASE_MAX);

    if (key->passphrase_file != NULL && !file_read(key->passphrase_file, &passphrase, err))
        return reader_blame(reader, &key->place, "passphrase_file", err);
    while (passphrase.len > 0 &&
           (passphrase.data[passphrase.len - 1] == '\n' || passphrase.data[passphrase.len - 1] == '\r'))
        passphrase.len--;
    if (!keys_load(keys, key->name, key->uri, buffer_bytes(&passphrase), err))
        return reader_blame(reader, &key->place, "uri", err);
    return true;
}

bool config_make_keys(const struct reader *reader, const struct parsed *parsed, struct config *config,
                      struct error *err)
{
    const struct parsed_key *key = parsed->keys.item;
    const struct parsed_secrets_key *secrets = parsed->secrets_keys.item;

    config->missing_key = arena_array(config->arena, parsed->keys.count + 1, sizeof(*config->missing_key));
    if (config->missing_key == NULL)
        return out_of_memory(err);
    if (!keys_new(&config->keys, err))
        return false;
    for (size_t i = 0; i < parsed->keys.count; i++) {
        if (config_key_is_missing(parsed, &key[i], &config->missing_key[config->missing_key_count]))
            config->missing_key_count++;
        else if (!load_key(reader, &key[i], config->keys, err))
            return false;
    }
    for (size_t i = 0; i < parsed->secrets_keys.count; i++) {
        if (!keys_load_secrets_key(config->keys, secrets[i].id, secrets[i].file, err))
            return reader_blame(reader, &secrets[i].place, "file", err);
    }
    return true;
}

/* --- CAs --- */
static size_t url_list(const struct items *from, struct bytes *to)
{
    const char **url = from->item;

    for (size_t i = 0; i < from->count; i++)
        to[i] = bytes_text(url[i]);
    return from->count;
}

/* At most CA_CHAIN_MAX, from all the files. */
static bool read_certificates(const struct reader *reader, const struct parsed_ca *from, const char *setting,
                              const struct items *files, struct arena *arena, struct bytes *der,
                              size_t *count, struct error *err)
{
    const char **path = files->item;

    for (size_t i = 0; i < files->count; i++) {
        size_t more = 0;

        if (*count == CA_CHAIN_MAX)
            return reader_fault(reader, &from->place, setting, err, "expected at most %d certificates in all",
                                CA_CHAIN_MAX);
        if (!config_read_pem(reader, &from->place, setting, path[i], arena, &der[*count],
                             CA_CHAIN_MAX - *count, &more, err))
            return false;
        *count += more;
    }
    return true;
}

/* Nothing there: it was never asked for. */
static bool read_kept(const char *path, struct buffer *out, struct error *err)
{
    return access(path, F_OK) != 0 || file_read(path, out, err);
}

static bool recall_chain(const struct reader *reader, const struct parsed_ca *from,
                         const struct config *config, struct ca *ca, struct error *err)
{
    AUTO_STRUCT(buffer) kept = BUFFER(PEM_FILE_MAX);
    struct bytes path = arena_format(config->arena, "%s/chain-%s.pem", config->registry.path, ca->name);

    if (path.data == NULL)
        return out_of_memory(err);
    ca->chain_path = (const char *)path.data;
    return (read_kept(ca->chain_path, &kept, err) &&
            ca_recall_chain(ca, buffer_bytes(&kept), clock_now_s(), config->arena, err)) ||
           reader_blame(reader, &from->place, "anchors", err);
}

static bool make_chain(const struct reader *reader, const struct parsed_ca *from, const struct config *config,
                       struct ca *ca, struct error *err)
{
    if (from->anchors.count == 0)
        return read_certificates(reader, from, "chain", &from->chain, config->arena, ca->chain,
                                 &ca->chain_count, err);
    return read_certificates(reader, from, "anchors", &from->anchors, config->arena, ca->anchor,
                             &ca->anchor_count, err) &&
           recall_chain(reader, from, config, ca, err);
}

static bool read_one(const struct reader *reader, const struct parsed_ca *from, const char *setting,
                     const char *path, struct arena *arena, struct bytes *der, struct error *err)
{
    size_t count;

    return path == NULL || config_read_pem(reader, &from->place, setting, path, arena, der, 1, &count, err);
}

static bool read_root_update(const struct reader *reader, const struct parsed_ca *from, struct ca *ca,
                             struct arena *arena, struct error *err)
{
    return read_one(reader, from, "root_update.new_with_new", from->new_with_new, arena,
                    &ca->root_new_with_new, err) &&
           read_one(reader, from, "root_update.new_with_old", from->new_with_old, arena,
                    &ca->root_new_with_old, err) &&
           read_one(reader, from, "root_update.old_with_new", from->old_with_new, arena,
                    &ca->root_old_with_new, err);
}

/* A new kind is one row: its connector, and how its settings are made (NULL: it has none of its own). */
static const struct ca_kind_row {
    const struct connector *connector;
    bool (*make)(const struct reader *reader, const struct parsed_ca *from, struct config *config,
                 const void **service, struct error *err);
} ca_kinds[CA_KIND_COUNT] = {
    [CA_KIND_LOCAL] = { &ca_local_connector, NULL },
    [CA_KIND_CMP] = { &cmp_connector, config_make_cmp_upstream },
};

bool config_make_cas(const struct reader *reader, const struct parsed *parsed, struct config *config,
                     struct error *err)
{
    const struct parsed_ca *from = parsed->cas.item;

    config->ca = arena_array(config->arena, parsed->cas.count, sizeof(*config->ca));
    config->cmp_upstream = arena_array(config->arena, parsed->cas.count, sizeof(*config->cmp_upstream));
    if (config->ca == NULL || config->cmp_upstream == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < parsed->cas.count; i++) {
        struct ca *ca = &config->ca[i];

        const struct ca_kind_row *kind = &ca_kinds[from[i].kind];

        *ca = from[i].ca;
        ca->connector = kind->connector;
        if (kind->make != NULL && !kind->make(reader, &from[i], config, &ca->connector_service, err))
            return false;
        ca->crl_url_count = url_list(&from[i].crl_url, ca->crl_url);
        ca->ca_issuers_url_count = url_list(&from[i].ca_issuers_url, ca->ca_issuers_url);
        if (!make_chain(reader, &from[i], config, ca, err) ||
            !read_root_update(reader, &from[i], ca, config->arena, err))
            return false;
        if (!ca_prepare(ca, config->keys, err))
            return reader_blame(reader, &from[i].place, ca->anchor_count > 0 ? "anchors" : "chain", err);
        if (!ca_check_root_update(ca, config->arena, err)) {
            ca_release(ca);
            return reader_blame(reader, &from[i].place, "root_update", err);
        }
        config->ca_count = i + 1; /* from here on config_free releases it */
    }
    return true;
}

/* --- RAs --- */
static bool read_ra(const struct reader *reader, const struct parsed_ra *from, struct config *config,
                    struct certificate *to, struct error *err)
{
    struct bytes der[CA_CHAIN_MAX] = { BYTES_NONE };
    size_t count;

    if (from->renew.awaited)
        return true;
    if (!config_read_pem(reader, &from->place, "certificate", from->certificate, config->arena, der,
                         COUNT_OF(der), &count, err))
        return false;
    if (!certificate_decode(der[0], config->arena, to))
        return reader_fault(reader, &from->place, "certificate", err, "%s: malformed certificate",
                            from->certificate);
    if (!bytes_equal(to->key.spki, keys_public(config->keys, from->key)))
        return reader_fault(reader, &from->place, "certificate", err,
                            "%s: expected the certificate of key '%s'; it is of another key",
                            from->certificate, from->key);
    return true;
}

static bool make_scep_ras(const struct reader *reader, const struct items *items, struct config *config,
                          struct error *err)
{
    const struct parsed_ra *from = items->item;
    struct scep_ra *ra = arena_array(config->arena, items->count > 0 ? items->count : 1, sizeof(*ra));

    if (ra == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < items->count; i++) {
        ra[i].name = from[i].name;
        ra[i].key_name = from[i].key;
        if (!read_ra(reader, &from[i], config, &ra[i].certificate, err))
            return false;
    }
    config->scep.ra = ra;
    config->scep.ra_count = items->count;
    return true;
}

static bool make_cmp_ras(const struct reader *reader, const struct items *items, struct config *config,
                         struct error *err)
{
    const struct parsed_ra *from = items->item;
    struct cmp_ra *ra = arena_array(config->arena, items->count > 0 ? items->count : 1, sizeof(*ra));

    if (ra == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < items->count; i++) {
        ra[i].name = from[i].name;
        ra[i].key_name = from[i].key;
        if (!read_ra(reader, &from[i], config, &ra[i].certificate, err))
            return false;
    }
    config->cmp.ra = ra;
    config->cmp.ra_count = items->count;
    return true;
}

bool config_make_ras(const struct reader *reader, const struct parsed *parsed, struct config *config,
                     struct error *err)
{
    return make_scep_ras(reader, &parsed->scep_ras, config, err) &&
           make_cmp_ras(reader, &parsed->cmp_ras, config, err);
}

/* --- listeners --- */
static bool check_tls(const struct reader *reader, const struct parsed_listener *l, struct config *config,
                      struct certificate *leaf, struct error *err)
{
    struct bytes der[CA_CHAIN_MAX] = { BYTES_NONE };
    size_t count;
    const char *path = l->listener.tls.certificate_path;

    if (l->renew.awaited)
        return true;
    if (!config_read_pem(reader, &l->place, "tls.certificate", path, config->arena, der, COUNT_OF(der),
                         &count, err))
        return false;
    if (!certificate_decode(der[0], config->arena, leaf))
        return reader_fault(reader, &l->place, "tls.certificate", err, "%s: malformed certificate", path);
    if (!bytes_equal(leaf->key.spki, keys_public(config->keys, l->listener.tls.key_name)))
        return reader_fault(reader, &l->place, "tls.certificate", err,
                            "%s: expected the certificate of key '%s' first; it is of another key", path,
                            l->listener.tls.key_name);
    return true;
}

/* --- what health watches --- */
static bool watch(struct config *config, struct health_certificate *list, const char *kind, const char *name,
                  const struct certificate *c, struct error *err)
{
    struct bytes what = arena_format(config->arena, "%s %s", kind, name);

    if (what.data == NULL)
        return out_of_memory(err);
    list[config->certificate_count++] = (struct health_certificate){ .what = (const char *)what.data,
                                                                     .not_after_s = c->not_after_s,
                                                                     .awaited = c->encoded.len == 0 };
    return true;
}

/* What the gateway shows upstream. */
static bool watch_upstreams(struct config *config, struct health_certificate *list, struct error *err)
{
    for (size_t i = 0; i < config->ca_count; i++) {
        const struct cmp_upstream *upstream = config->ca[i].connector_service;

        if (config->ca[i].connector == &cmp_connector && upstream->client.certificate != NULL &&
            !watch(config, list, "ra of ca", config->ca[i].name, &upstream->certificate, err))
            return false;
    }
    return true;
}

static bool watch_ras(struct config *config, struct health_certificate *list, struct error *err)
{
    for (size_t i = 0; i < config->scep.ra_count; i++) {
        const struct scep_ra *ra = &config->scep.ra[i];

        if (!watch(config, list, "scep ra", ra->name, &ra->certificate, err))
            return false;
    }
    for (size_t i = 0; i < config->cmp.ra_count; i++) {
        const struct cmp_ra *ra = &config->cmp.ra[i];

        if (!watch(config, list, "cmp ra", ra->name, &ra->certificate, err))
            return false;
    }
    return true;
}

bool config_make_certificates(const struct reader *reader, const struct parsed *parsed, struct config *config,
                              struct error *err)
{
    const struct parsed_listener *l = parsed->listeners.item;
    size_t max = parsed->listeners.count + config->scep.ra_count + config->cmp.ra_count +
                 config->cmp_upstream_count;
    struct health_certificate *list = arena_array(config->arena, max, sizeof(*list));

    if (list == NULL)
        return out_of_memory(err);
    config->certificate = list;
    for (size_t i = 0; i < parsed->listeners.count; i++) {
        struct certificate leaf = { 0 };

        if (l[i].tls_place.node == 0)
            continue;
        if (!check_tls(reader, &l[i], config, &leaf, err) ||
            !watch(config, list, "listener", l[i].listener.name, &leaf, err))
            return false;
    }
    return watch_ras(config, list, err) && watch_upstreams(config, list, err);
}
