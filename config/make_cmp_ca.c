/* make_cmp_ca.c: what a CA that is reached by CMP needs: secret or certificate, and whose answers count. */
#include "config/rows_internal.h"
#include "lib/base/file.h"

enum { SECRET_MAX = 1024, RECIPIENT_MAX = 4096 };

static bool out_of_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "the configuration is too large");
}

static bool read_secret(const struct reader *reader, const struct parsed_ca *from, struct cmp_upstream *to,
                        struct error *err)
{
    AUTO_STRUCT(buffer) secret = BUFFER(SECRET_MAX);

    if (!file_read(from->cmp.secret_file, &secret, err))
        return reader_blame(reader, &from->place, "cmp.secret_file", err);
    while (secret.len > 0 && (secret.data[secret.len - 1] == '\n' || secret.data[secret.len - 1] == '\r'))
        secret.len--;
    if (secret.len == 0)
        return reader_fault(reader, &from->place, "cmp.secret_file", err,
                            "%s: expected a secret; it is empty", from->cmp.secret_file);
    if (!secret_copy(buffer_bytes(&secret), &to->secret))
        return out_of_memory(err);
    to->client.kind = CMP_PROTECTION_MAC;
    to->client.reference = bytes_text(from->cmp.reference);
    to->client.secret = secret_bytes(&to->secret);
    to->client.mac = from->cmp.mac;
    to->client.iterations = from->cmp.iterations;
    return true;
}

static bool signs(const struct certificate *c)
{
    return !c->has_key_usage || (c->key_usage & KEY_USAGE_DIGITAL_SIGNATURE) != 0;
}

static bool read_certificate(const struct reader *reader, const struct parsed_ca *from, struct config *config,
                             struct cmp_upstream *to, struct error *err)
{
    static const char setting[] = "cmp.certificate";
    const char *path = from->cmp.certificate;
    struct cmp_client *client = &to->client;

    if (!config_read_pem(reader, &from->place, setting, path, config->arena, client->extra_cert,
                         COUNT_OF(client->extra_cert), &client->extra_cert_count, err))
        return false;
    if (!certificate_decode(client->extra_cert[0], config->arena, &to->certificate))
        return reader_fault(reader, &from->place, setting, err, "%s: malformed certificate", path);
    if (!bytes_equal(to->certificate.key.spki, keys_public(config->keys, from->cmp.key)))
        return reader_fault(reader, &from->place, setting, err,
                            "%s: expected the certificate of key '%s' first; it is of another key", path,
                            from->cmp.key);
    if (!signs(&to->certificate))
        return reader_fault(reader, &from->place, setting, err,
                            "%s: expected a certificate with digitalSignature", path);
    client->kind = CMP_PROTECTION_SIGNATURE;
    client->key_name = from->cmp.key;
    client->certificate = &to->certificate;
    return true;
}

static bool read_signer(const struct reader *reader, const struct parsed_ca *from, struct config *config,
                        struct cmp_upstream *to, struct error *err)
{
    struct certificate c;
    size_t count;

    if (from->cmp.signer == NULL)
        return true;
    if (!config_read_pem(reader, &from->place, "cmp.signer", from->cmp.signer, config->arena,
                         &to->client.signer, 1, &count, err))
        return false;
    if (!certificate_decode(to->client.signer, config->arena, &c) || !signs(&c))
        return reader_fault(reader, &from->place, "cmp.signer", err,
                            "%s: expected a certificate with digitalSignature", from->cmp.signer);
    return true;
}

static bool read_signer_anchors(const struct reader *reader, const struct parsed_ca *from,
                                struct config *config, struct cmp_upstream *to, struct error *err)
{
    const char **path = from->cmp.signer_anchors.item;
    struct bytes der[CA_CHAIN_MAX];
    size_t total = 0, count;

    for (size_t i = 0; i < from->cmp.signer_anchors.count; i++, total += count) {
        if (total == COUNT_OF(der))
            return reader_fault(reader, &from->place, "cmp.signer_anchors", err,
                                "expected at most %d certificates in all", CA_CHAIN_MAX);
        if (!config_read_pem(reader, &from->place, "cmp.signer_anchors", path[i], config->arena, &der[total],
                             COUNT_OF(der) - total, &count, err))
            return false;
    }
    if (total == 0)
        return true;
    if (!anchors_new(der, total, &to->anchors, err))
        return reader_blame(reader, &from->place, "cmp.signer_anchors", err);
    to->client.anchors = to->anchors;
    return true;
}

static bool read_recipient(const struct reader *reader, const struct parsed_ca *from, struct config *config,
                           struct cmp_upstream *to, struct error *err)
{
    AUTO_STRUCT(buffer) name = BUFFER(RECIPIENT_MAX);

    if (from->cmp.recipient == NULL)
        return true;
    if (!name_parse(bytes_text(from->cmp.recipient), &name))
        return reader_fault(reader, &from->place, "cmp.recipient", err,
                            "expected a name like CN=Device CA,O=Example; got '%.80s'", from->cmp.recipient);
    to->client.recipient = arena_copy(config->arena, buffer_bytes(&name));
    return to->client.recipient.data != NULL || out_of_memory(err);
}

/* An RA's signature vouches for the names; under a shared secret the device's own request has to. */
static enum cmp_upstream_request request_of(const struct reader *reader, const struct parsed_ca *from)
{
    if (reader_has(reader, &from->place, "cmp.request") || from->cmp.key != NULL)
        return from->cmp.request;
    return CMP_UPSTREAM_P10CR;
}

bool config_make_cmp_upstream(const struct reader *reader, const struct parsed_ca *from,
                              struct config *config, const void **service, struct error *err)
{
    struct cmp_upstream *to = arena_alloc(config->arena, sizeof(*to));

    if (to == NULL)
        return out_of_memory(err);
    config->cmp_upstream[config->cmp_upstream_count++] = to; /* from here on config_free releases it */
    to->url = bytes_text(from->cmp.url);
    to->trust_path = from->cmp.trust;
    to->request = request_of(reader, from);
    to->implicit_confirm = from->cmp.implicit_confirm;
    to->profile = bytes_text(from->cmp.profile);
    to->client.allow_hmac_sha1 = from->cmp.hmac_sha1;
    if (!(from->cmp.key != NULL ? read_certificate(reader, from, config, to, err)
                                : read_secret(reader, from, to, err)) ||
        !read_signer(reader, from, config, to, err) || !read_signer_anchors(reader, from, config, to, err) ||
        !read_recipient(reader, from, config, to, err))
        return false;
    *service = to;
    return true;
}
