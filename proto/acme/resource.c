#include "proto/acme/resource.h"

#include "lib/base/encode.h"

/* Rows: the word, whether an id follows, and a word after it. */
static const struct row {
    enum acme_resource_kind kind;
    const char *name, *word, *suffix;
} rows[] = {
    { ACME_DIRECTORY, "directory", "directory", NULL },
    { ACME_NEW_NONCE, "new-nonce", "new-nonce", NULL },
    { ACME_NEW_ACCOUNT, "new-account", "new-account", NULL },
    { ACME_NEW_ORDER, "new-order", "new-order", NULL },
    { ACME_NEW_AUTHZ, "new-authz", "new-authz", NULL },
    { ACME_REVOKE_CERT, "revoke-cert", "revoke-cert", NULL },
    { ACME_KEY_CHANGE, "key-change", "key-change", NULL },
    { ACME_ACCOUNT, "account", "account", "" },
    { ACME_ORDERS, "orders", "account", "/orders" },
    { ACME_ORDER, "order", "order", "" },
    { ACME_FINALIZE, "finalize", "order", "/finalize" },
    { ACME_AUTHZ, "authz", "authz", "" },
    { ACME_CERTIFICATE, "certificate", "certificate", "" },
    { ACME_STAR, "star-certificate", "star-certificate", "" },
};

static const char *const challenge_names[] = { [ACME_HTTP_01] = "http-01",
                                               [ACME_DNS_01] = "dns-01",
                                               [ACME_TLS_ALPN_01] = "tls-alpn-01",
                                               [ACME_DNS_ACCOUNT_01] = "dns-account-01",
                                               [ACME_DNS_PERSIST_01] = "dns-persist-01",
                                               [ACME_DEVICE_ATTEST_01] = "device-attest-01" };
_Static_assert(COUNT_OF(challenge_names) == ACME_CHALLENGE_COUNT, "each challenge has a name");

const char *acme_challenge_name(enum acme_challenge challenge)
{
    return challenge_names[(unsigned)challenge < ACME_CHALLENGE_COUNT ? challenge : ACME_HTTP_01];
}

const char *acme_resource_name(enum acme_resource_kind kind)
{
    if (kind == ACME_CHALLENGE)
        return "challenge";
    if (kind == ACME_RENEWAL_INFO)
        return "renewal-info";
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].kind == kind)
            return rows[i].name;
    return NULL;
}

void acme_id_format(const struct acme_id *id, char out[ACME_ID_TEXT_LEN + 1])
{
    AUTO_STRUCT(buffer) text = BUFFER(64);

    base64url_encode(&text, acme_id_bytes(id));
    memset(out, 0, ACME_ID_TEXT_LEN + 1);
    if (text.len == ACME_ID_TEXT_LEN)
        memcpy(out, text.data, ACME_ID_TEXT_LEN);
}

bool acme_id_parse(struct bytes text, struct acme_id *out)
{
    uint8_t octets[BASE64_DECODED_MAX(ACME_ID_TEXT_LEN)];
    size_t len;

    if (text.len != ACME_ID_TEXT_LEN || !base64url_decode(text, octets, &len) || len != ACME_ID_LEN)
        return false;
    memcpy(out->bytes, octets, ACME_ID_LEN);
    return true;
}

/* Takes "word/" off the front. */
static bool take_word(struct bytes *path, const char *word)
{
    size_t len = strlen(word);

    if (!bytes_starts_with(*path, word) || path->len <= len || path->data[len] != '/')
        return false;
    *path = bytes_from(*path, len + 1);
    return true;
}

static bool take_id(struct bytes *path, struct acme_id *id)
{
    if (!acme_id_parse(bytes_slice(*path, 0, ACME_ID_TEXT_LEN), id))
        return false;
    *path = bytes_from(*path, ACME_ID_TEXT_LEN);
    return true;
}

static bool parse_row(const struct row *row, struct bytes path, struct acme_resource *out)
{
    if (row->suffix == NULL)
        return bytes_is(path, row->word);
    return take_word(&path, row->word) && take_id(&path, &out->id) && bytes_is(path, row->suffix);
}

static bool parse_challenge(struct bytes path, struct acme_resource *out)
{
    if (!take_word(&path, "challenge") || !take_id(&path, &out->id) || !bytes_starts_with(path, "/"))
        return false;
    for (unsigned i = 0; i < ACME_CHALLENGE_COUNT; i++) {
        if (bytes_is(bytes_from(path, 1), challenge_names[i])) {
            out->challenge = (enum acme_challenge)i;
            return true;
        }
    }
    return false;
}

/* An alternate chain: "/1" to "/9". */
static bool parse_alternate(struct bytes path, const char *word, struct acme_resource *out)
{
    if (!take_word(&path, word) || !take_id(&path, &out->id) || path.len != 2 || path.data[0] != '/' ||
        path.data[1] < '1' || path.data[1] > '9')
        return false;
    out->alternate = (unsigned)(path.data[1] - '0');
    return true;
}

static enum acme_resource_kind kind_of(struct bytes path, struct acme_resource *out)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (parse_row(&rows[i], path, out))
            return rows[i].kind;
    if (parse_challenge(path, out))
        return ACME_CHALLENGE;
    if (parse_alternate(path, "certificate", out))
        return ACME_CERTIFICATE;
    if (parse_alternate(path, "star-certificate", out))
        return ACME_STAR;
    if (take_word(&path, "renewal-info")) {
        out->text = path;
        return ACME_RENEWAL_INFO;
    }
    return ACME_RESOURCE_NONE;
}

bool acme_resource_parse(struct bytes path, struct acme_resource *out)
{
    struct acme_resource resource = { 0 };

    resource.kind = kind_of(path, &resource);
    if (resource.kind == ACME_RESOURCE_NONE)
        return false;
    *out = resource;
    return true;
}

struct bytes acme_url(struct arena *arena, const char *base_url, const struct procedure *procedure,
                      const char *path)
{
    return arena_format(arena, "%s/acme/%s/%s", base_url, procedure->name, path);
}

struct bytes acme_url_of(struct arena *arena, const char *base_url, const struct procedure *procedure,
                         const char *kind, const struct acme_id *id, const char *suffix)
{
    char text[ACME_ID_TEXT_LEN + 1];

    acme_id_format(id, text);
    return arena_format(arena, "%s/acme/%s/%s/%s%s", base_url, procedure->name, kind, text, suffix);
}

bool acme_url_parse(struct bytes url, const char *base_url, const struct procedure *procedure,
                    struct acme_resource *out)
{
    const char *const front[] = { base_url, "/acme/", procedure->name, "/" };

    for (size_t i = 0; i < COUNT_OF(front); i++) {
        if (!bytes_starts_with(url, front[i]))
            return false;
        url = bytes_from(url, strlen(front[i]));
    }
    return acme_resource_parse(url, out);
}
