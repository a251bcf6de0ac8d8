#include "enroll/admit.h"

#include "enroll/account_internal.h"
#include "enroll/secret_internal.h"
#include "lib/base/encode.h"

enum { COMMITMENT_RANDOM_LEN = 32 }; /* stands before the password in a sealed secret */

/* --- secrets --- */
bool enroll_registration_password(const struct keys *keys, const struct registration *r,
                                  struct secret *sealed, struct bytes *password)
{
    if (r->sealed_secret.len == 0 ||
        !keys_open(keys, r->sealed_secret, registration_id_bytes(&r->id), sealed, NULL))
        return false;
    *password = bytes_from(secret_bytes(sealed), COMMITMENT_RANDOM_LEN);
    return password->len > 0;
}

bool dummy_registration(const struct keys *keys, struct arena *arena, struct registration *out)
{
    static const uint8_t plain[COMMITMENT_RANDOM_LEN + 16];

    *out = (struct registration){ 0 };
    return keys_seal(keys, BYTES_ARRAY(plain), registration_id_bytes(&out->id), arena, &out->sealed_secret,
                     NULL);
}

/* A registration without a user name (or realm) accepts any; so does a protocol without them. */
static bool fits(struct bytes shown, struct bytes registered)
{
    return registered.len == 0 || shown.len == 0 || bytes_equal_constant_time(shown, registered);
}

/* Not short-circuited: the secret is compared whatever the user name was. */
static bool secret_holds(const struct credential *credential, const struct registration *r,
                         const struct proof *proof)
{
    AUTO_STRUCT(secret) sealed = { 0 };
    struct bytes password = BYTES_NONE;
    bool opened = enroll_registration_password(proof->keys, r, &sealed, &password);
    bool proves = secret_proves(credential->secret.secret, password);
    bool user = fits(credential->secret.user_name, r->user_name);
    bool realm = fits(credential->secret.realm, r->realm);

    return opened && proves && user && realm;
}

/* --- HTTP Digest, RFC 7616 3.4.1 to 3.4.3, qop=auth --- */
enum { HEX_MAX = 2 * DIGEST_MAX + 1 };

static bool hex_digest(enum digest_algorithm algorithm, struct buffer *in, char out[HEX_MAX])
{
    uint8_t hash[DIGEST_MAX];
    size_t len;

    if (buffer_failed(in) || !digest(algorithm, buffer_bytes(in), hash, &len))
        return false;
    hex_encode(bytes_of(hash, len), out);
    return true;
}

static void append_joined(struct buffer *out, const struct bytes *part, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_byte(out, ':');
        buffer_append(out, part[i]);
    }
}

static bool digest_response(const struct http_digest *d, struct bytes password, char out[HEX_MAX])
{
    enum { INPUT_MAX = 16 * 1024 };
    AUTO_STRUCT(buffer) a1 = BUFFER(INPUT_MAX);
    AUTO_STRUCT(buffer) a2 = BUFFER(INPUT_MAX);
    AUTO_STRUCT(buffer) all = BUFFER(INPUT_MAX);
    char ha1[HEX_MAX], ha2[HEX_MAX];

    append_joined(&a1, (struct bytes[]){ d->user_name, d->realm, password }, 3);
    append_joined(&a2, (struct bytes[]){ d->method, d->uri }, 2);
    if (!hex_digest(d->algorithm, &a1, ha1) || !hex_digest(d->algorithm, &a2, ha2))
        return false;
    append_joined(&all,
                  (struct bytes[]){ bytes_text(ha1), d->nonce, d->nc, d->cnonce, BYTES_LITERAL("auth"),
                                    bytes_text(ha2) },
                  6);
    return hex_digest(d->algorithm, &all, out);
}

static bool digest_holds(const struct http_digest *d, const struct registration *r, const struct proof *proof)
{
    AUTO_STRUCT(secret) sealed = { 0 };
    struct bytes password = BYTES_NONE;
    char expected[HEX_MAX] = "";
    bool opened = enroll_registration_password(proof->keys, r, &sealed, &password);
    bool made = (d->algorithm == DIGEST_MD5 || d->algorithm == DIGEST_SHA256) &&
                digest_response(d, password, expected);
    bool equal = bytes_equal_constant_time(d->response, bytes_text(expected));
    bool user = fits(d->user_name, r->user_name);
    bool realm = fits(d->realm, r->realm);

    return opened && made && equal && user && realm && d->response.len > 0;
}

/* --- certificates --- */
static bool own_certificate_holds(const struct enrollment *e, const struct identity *identity,
                                  const struct registration *r, const struct proof *proof)
{
    if (!proof->certificate_ours || proof->record == NULL)
        return false;
    return dns_name_equal(&proof->record->fqdn, &identity->fqdn) ||
           (e->procedure->renewal_rename &&
            bytes_equal(registration_id_bytes(&proof->record->registration), registration_id_bytes(&r->id)));
}

/* Which device of that vendor it is must have been registered: a registration without a serial number would
 * else let every device of the vendor in. */
static bool vendor_certificate_holds(const struct identity *identity, const struct registration *r,
                                     const struct proof *proof)
{
    if (!proof->certificate_vendor)
        return false;
    for (size_t i = 0; i < identity->serial_count; i++)
        if (identity->serial[i].certified && serial_agrees(&identity->serial[i], r->serial_number))
            return true;
    return r->has_key_fingerprint && proof->certificate_key != NULL &&
           digest256_equal(&r->key_fingerprint, proof->certificate_key);
}

/* --- one credential against one registration --- */
static bool one_holds(const struct credential *credential, const struct enrollment *e,
                      const struct identity *identity, const struct registration *r,
                      const struct proof *proof)
{
    switch (credential->kind) {
    case CREDENTIAL_NONE:
        return r->sealed_secret.len == 0 && r->has_key_fingerprint &&
               digest256_equal(&r->key_fingerprint, &identity->key);
    case CREDENTIAL_SECRET: return secret_holds(credential, r, proof);
    case CREDENTIAL_DIGEST: return digest_holds(&credential->digest, r, proof);
    case CREDENTIAL_CERTIFICATE:
        return own_certificate_holds(e, identity, r, proof) || vendor_certificate_holds(identity, r, proof);
    case CREDENTIAL_REGISTRATION:
        return bytes_equal(registration_id_bytes(&credential->registration), registration_id_bytes(&r->id));
    case CREDENTIAL_RA: return proof->ra_trusted;
    case CREDENTIAL_ACCOUNT: return account_holds(credential, identity, r);
    }
    return false;
}

bool credential_holds(const struct enrollment *e, const struct identity *identity,
                      const struct registration *r, const struct proof *proof)
{
    bool first = one_holds(proof->credential, e, identity, r, proof);
    bool second = proof->second == NULL || proof->second->kind == CREDENTIAL_NONE ||
                  one_holds(proof->second, e, identity, r, proof);

    return first && second;
}
