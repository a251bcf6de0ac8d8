#include "cli/init.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/officer_files.h"
#include "config/config.h"
#include "lib/base/encode.h"
#include "lib/base/file.h"
#include "lib/base/secret.h"
#include "officer/act.h"

enum { ARENA_MAX = 4 << 20, CONFIGURATION_MAX = 64 << 10, SECRETS_KEY_LEN = 32, RSA_BITS_CA = 3072 };
static const uint32_t CA_VALIDITY_S = 10u * 365 * 86400, SERVICE_VALIDITY_S = 2u * 365 * 86400;
static const char CA[] = "ca", TLS[] = "tls", SCEP_RA[] = "scep-ra", CMP_RA[] = "cmp-ra",
                  OFFICER[] = "officer";

struct making {
    const struct init_options *options;
    struct keys *keys;
    struct arena *arena;
    struct ca ca;
    int64_t now_s;
    const char *ca_key; /* as the configuration names it */
    const char *host;   /* the first */
    struct error *err;
};

static const char *path_of(struct making *m, const char *file)
{
    struct bytes path = arena_format(m->arena, "%s/%s", m->options->dir, file);

    return (const char *)path.data;
}

static bool make_folder(struct making *m, const char *name, unsigned mode)
{
    const char *path = path_of(m, name);

    if (path == NULL)
        return error_set(m->err, ERROR_MEMORY, "out of memory");
    return mkdir(path, mode) == 0 || errno == EEXIST || error_errno(m->err, path);
}

static bool make_key(struct making *m, const char *name, enum key_kind kind, unsigned bits)
{
    struct bytes file = arena_format(m->arena, "keys/%s.pem", name);
    const char *path = file.data == NULL ? NULL : path_of(m, (const char *)file.data);

    if (path == NULL)
        return error_set(m->err, ERROR_MEMORY, "out of memory");
    return keys_generate(m->keys, name, kind, bits, m->err) && keys_save(m->keys, name, path, m->err);
}

/* --- the CA --- */

static bool make_new_ca(struct making *m)
{
    const struct init_options *o = m->options;
    AUTO_STRUCT(buffer) subject = BUFFER(2048);

    if (!name_parse(bytes_text(o->ca_subject), &subject))
        return error_set(m->err, ERROR_FORMAT, "--ca-subject: a name like CN=Demo CA,O=Example expected");
    m->ca_key = "keys/ca.pem";
    m->ca.chain_count = 1;
    return make_key(m, CA, o->rsa ? KEY_RSA : KEY_EC_P256, o->rsa ? RSA_BITS_CA : 0) &&
           ca_make_root(&(struct ca_make){ buffer_bytes(&subject), CA_VALIDITY_S, m->now_s }, m->keys, CA,
                        &random_system, m->arena, &m->ca.chain[0], m->err);
}

static bool take_existing_ca(struct making *m)
{
    const struct init_options *o = m->options;
    AUTO_STRUCT(buffer) pem = BUFFER(1 << 20);
    char *absolute = strchr(o->ca_key, ':') == NULL ? realpath(o->ca_key, NULL) : NULL;
    struct bytes key = arena_format(m->arena, "%s", absolute != NULL ? absolute : o->ca_key);

    free(absolute);
    m->ca_key = (const char *)key.data;
    if (m->ca_key == NULL)
        return error_set(m->err, ERROR_MEMORY, "out of memory");
    if (!file_read(o->ca_certificate, &pem, m->err) ||
        !certificates_from_pem(buffer_bytes(&pem), m->arena, m->ca.chain, CA_CHAIN_MAX, &m->ca.chain_count,
                               m->err))
        return false;
    if (m->ca.chain_count == 0)
        return error_set(m->err, ERROR_FORMAT, "%s: no certificate in PEM", o->ca_certificate);
    return keys_load(m->keys, CA, m->ca_key, BYTES_NONE, m->err);
}

static bool make_ca(struct making *m)
{
    const char *path = path_of(m, "ca.pem");

    m->ca = (struct ca){ .name = m->options->ca_name, .connector = &ca_local_connector, .key_name = CA };
    if (!(m->options->ca_certificate != NULL ? take_existing_ca(m) : make_new_ca(m)))
        return false;
    if (path == NULL)
        return error_set(m->err, ERROR_MEMORY, "out of memory");
    return ca_prepare(&m->ca, m->keys, m->err) &&
           write_certificates(path, m->ca.chain, m->ca.chain_count, m->err);
}

/* --- the gateway's own certificates --- */

static bool put_hosts(struct making *m, struct buffer *san)
{
    struct bytes rest = bytes_text(m->options->hosts), host;

    while (bytes_split(&rest, ',', &host)) {
        host = bytes_trim(host);
        if (!ca_service_host_put(san, host))
            return error_set(m->err, ERROR_FORMAT, "--host: neither a name nor an address");
        if (m->host == NULL && (m->host = arena_text(m->arena, host)) == NULL)
            return error_set(m->err, ERROR_MEMORY, "out of memory");
    }
    return true;
}

static bool make_service_key(struct making *m, enum service_kind kind, const char *name)
{
    unsigned bits;
    enum key_kind key = ca_service_key(kind, &bits);

    return make_key(m, name, key, bits);
}

/* Leaf first, then what leads to the anchor. */
static bool make_service(struct making *m, enum service_kind kind, const char *key, struct bytes san,
                         const char *common_name, const char *file)
{
    AUTO_STRUCT(buffer) subject = BUFFER(1024);
    struct bytes chain[1 + CA_CHAIN_MAX];
    const char *path = path_of(m, file);
    size_t others = m->ca.chain_count > 1 ? m->ca.chain_count - 1 : 0; /* without the root */

    if (path == NULL || !ca_service_subject_put(&subject, bytes_text(common_name)))
        return error_set(m->err, ERROR_MEMORY, "out of memory");
    if (!ca_make_service(&m->ca, kind,
                         &(struct ca_make){ buffer_bytes(&subject), SERVICE_VALIDITY_S, m->now_s }, san,
                         m->keys, key, &random_system, m->arena, &chain[0], m->err))
        return false;
    memcpy(chain + 1, m->ca.chain, others * sizeof(chain[0]));
    return write_certificates(path, chain, 1 + others, m->err);
}

static bool make_services(struct making *m)
{
    AUTO_STRUCT(buffer) san = BUFFER(8192);

    return put_hosts(m, &san) && make_service_key(m, SERVICE_TLS, TLS) &&
           make_service_key(m, SERVICE_SCEP_RA, SCEP_RA) && make_service_key(m, SERVICE_CMP_RA, CMP_RA) &&
           make_service(m, SERVICE_TLS, TLS, buffer_bytes(&san), m->host, "tls.pem") &&
           make_service(m, SERVICE_SCEP_RA, SCEP_RA, BYTES_NONE, "muster SCEP RA", "scep-ra.pem") &&
           make_service(m, SERVICE_CMP_RA, CMP_RA, BYTES_NONE, "muster CMP RA", "cmp-ra.pem");
}

static bool make_secrets_key(struct making *m)
{
    AUTO_STRUCT(secret) key = { 0 };
    AUTO_STRUCT(secret) text = { 0 };
    const char *path = path_of(m, "keys/secrets.key");

    if (path == NULL || !secret_alloc(SECRETS_KEY_LEN, &key) || !secret_alloc(2 * SECRETS_KEY_LEN + 1, &text))
        return error_set(m->err, ERROR_MEMORY, "out of memory");
    if (!random_fill(&random_system, key.data, key.len))
        return error_set(m->err, ERROR_CRYPTO, "no randomness");
    hex_encode(secret_bytes(&key), (char *)text.data);
    text.data[2 * SECRETS_KEY_LEN] = '\n';
    return file_write(path, secret_bytes(&text), 0600, m->err);
}

/* --- the registry and its first officer --- */

static bool sign_appointment(struct making *m, struct bytes certificate, struct bytes *jws)
{
    const struct appointment appointment = { .name = m->options->officer, .certificate = certificate };
    AUTO(json_t) *act = officer_appointment(&appointment, m->arena, m->err);
    struct bytes payload;

    if (act == NULL)
        return false;
    if (!json_write(act, m->arena, &payload))
        return error_set(m->err, ERROR_MEMORY, "out of memory");
    return officer_act_sign(m->keys, OFFICER, payload, BYTES_LITERAL("muster:init"), m->now_s, &random_system,
                            m->arena, jws, m->err);
}

static bool write_first(struct making *m, struct registry *registry, struct bytes jws)
{
    struct changes changes;
    const struct changes *all = &changes;
    struct act_outcome outcome = { 0 };
    enum apply_result applied = APPLY_NONE;

    changes_begin(&changes, m->arena);
    if (!officer_act_first(&changes, jws, &outcome, m->err))
        return false;
    if (outcome.result != ACT_DONE)
        return error_set(m->err, ERROR_INTERNAL, "the first officer: %.200s", outcome.detail);
    return registry_apply(registry, &all, 1, m->now_s, &applied, m->err) &&
           apply_result_error(applied, m->err);
}

static bool make_officer(struct making *m)
{
    struct registry_options options = REGISTRY_OPTIONS_DEFAULT;
    const char *prefix = path_of(m, "officer");
    struct registry *registry;
    struct bytes certificate, jws;
    bool written;

    options.path = path_of(m, "registry");
    if (prefix == NULL || options.path == NULL)
        return error_set(m->err, ERROR_MEMORY, "out of memory");
    if (!officer_files_make(m->keys, OFFICER, prefix, m->options->officer, m->now_s, m->arena, &certificate,
                            m->err) ||
        !sign_appointment(m, certificate, &jws) || !registry_open(&options, &registry, m->err))
        return false;
    written = write_first(m, registry, jws);
    registry_close(registry);
    return written;
}

/* --- the configuration, last: it says that all the rest is there --- */

static bool make_configuration(struct making *m)
{
    AUTO_STRUCT(buffer) text = BUFFER(CONFIGURATION_MAX);
    const char *path = path_of(m, "muster.yaml");
    struct config *config;

    if (path == NULL || !init_configuration(m->options, m->host, m->ca_key, &text))
        return error_set(m->err, ERROR_MEMORY, "out of memory");
    if (!file_write(path, buffer_bytes(&text), 0644, m->err) || !config_load(path, &config, m->err))
        return false;
    config_free(config);
    return true;
}

/* What can be wrong in the options is found before anything is made; what is there already is left alone. */
static bool check_options(struct making *m)
{
    static const char *const files[] = { "muster.yaml",      "keys/ca.pem",     "keys/tls.pem",
                                         "keys/scep-ra.pem", "keys/cmp-ra.pem", "ca.pem",
                                         "keys/secrets.key", "officer.key",     "officer.pem",
                                         "registry/data.mdb" };
    AUTO_STRUCT(buffer) scratch = BUFFER(8192);

    for (size_t i = 0; i < COUNT_OF(files); i++) {
        const char *path = path_of(m, files[i]);

        if (path == NULL)
            return error_set(m->err, ERROR_MEMORY, "out of memory");
        if (m->options->ca_certificate != NULL && strstr(files[i], "ca.pem") != NULL)
            continue; /* the existing CA may well stand there */
        if (access(path, F_OK) == 0)
            return error_set(m->err, ERROR_CONFLICT, "%s is there already: nothing was changed", path);
    }
    return put_hosts(m, &scratch);
}

static bool make_all(struct making *m)
{
    return check_options(m) && make_folder(m, "", 0755) && make_folder(m, "keys", 0700) && make_ca(m) &&
           make_services(m) && make_secrets_key(m) && make_officer(m) && make_configuration(m);
}

static bool find_fingerprints(struct making *m, struct init_fingerprints *out)
{
    return (ca_fingerprint(&m->ca, DIGEST_SHA256, out->sha256) &&
            ca_fingerprint(&m->ca, DIGEST_SHA1, out->sha1)) ||
           error_set(m->err, ERROR_CRYPTO, "no hash of the CA's certificate");
}

bool init_installation(const struct init_options *options, int64_t now_s, struct init_fingerprints *out,
                       struct error *err)
{
    struct making m = { .options = options, .now_s = now_s, .err = err, .arena = arena_new(ARENA_MAX) };
    struct init_fingerprints found;
    bool made;

    if (m.arena == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    made = keys_new(&m.keys, err) && make_all(&m) && find_fingerprints(&m, &found);
    if (made)
        *out = found;
    ca_release(&m.ca);
    keys_unref(m.keys);
    arena_free(m.arena);
    return made;
}
