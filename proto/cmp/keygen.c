/* Central key generation (RFC 9810 5.2.2 and appendix D, RFC 9483 4.1.6): a key made here for a device that
 * cannot make a good one itself. It leaves encrypted for that device alone, and nothing of it is kept. */
#include "enroll/secret.h"
#include "lib/pki/cms.h"
#include "proto/cmp/exchange_internal.h"

static const uint8_t OID_SIGNED_DATA[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2 };
/* id-ct-KP-aKeyPackage (RFC 5958 2) */
static const uint8_t OID_KEY_PACKAGE[] = { 0x60, 0x86, 0x48, 1, 0x65, 2, 1, 2, 0x4e, 5 };
static const uint8_t OID_RSA[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1 };
static const uint8_t OID_EC[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1 };
static const uint8_t OID_P256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7 };
static const uint8_t OID_P384[] = { 0x2b, 0x81, 4, 0, 34 };
static const uint8_t OID_P521[] = { 0x2b, 0x81, 4, 0, 35 };
static const uint8_t OID_ED25519[] = { 0x2b, 0x65, 0x70 };
static const uint8_t OID_ED448[] = { 0x2b, 0x65, 0x71 };

enum { KEY_PACKAGE_MAX = 16 * 1024 };

/* --- may it be? --- */

/* The key of the protecting certificate must be able to receive (CMP-121). */
static bool reaches(const struct cmp_exchange *x)
{
    const struct certificate *c = &x->sender.holder.certificate;
    uint32_t needed = 0;

    switch (x->sender.role == CMP_ROLE_SECRET ? KEY_NONE : c->key.kind) {
    case KEY_NONE: return true; /* under the password */
    case KEY_RSA: needed = KEY_USAGE_KEY_ENCIPHERMENT; break;
    case KEY_EC_P256:
    case KEY_EC_P384:
    case KEY_EC_P521: needed = KEY_USAGE_KEY_AGREEMENT; break;
    case KEY_RSA_PSS:
    case KEY_ED25519:
    case KEY_ED448: return false;
    }
    return !c->has_key_usage || (c->key_usage & needed) != 0;
}

enum cmp_fault cmp_judge_generation(const struct cmp_exchange *x, const struct crmf_request *r)
{
    if (!x->procedure->cmp_key_generation)
        return CMP_FAULT_TEMPLATE;
    if (r->pop != CRMF_POP_ABSENT) /* of a key that does not exist yet */
        return CMP_FAULT_POP;
    if (x->request.header.pvno < 3)
        return CMP_FAULT_NEEDS_VERSION_3;
    return reaches(x) ? CMP_OK : CMP_FAULT_NOT_AUTHORIZED;
}

/* --- making --- */

struct wanted_key {
    enum key_kind kind;
    unsigned bits;
};

static const struct {
    struct bytes algorithm, curve; /* curve none: not looked at */
    enum key_kind kind;
} known_keys[] = {
    { BYTES_ARRAY(OID_RSA), { NULL, 0 }, KEY_RSA },
    { BYTES_ARRAY(OID_EC), BYTES_ARRAY(OID_P256), KEY_EC_P256 },
    { BYTES_ARRAY(OID_EC), BYTES_ARRAY(OID_P384), KEY_EC_P384 },
    { BYTES_ARRAY(OID_EC), BYTES_ARRAY(OID_P521), KEY_EC_P521 },
    { BYTES_ARRAY(OID_ED25519), { NULL, 0 }, KEY_ED25519 },
    { BYTES_ARRAY(OID_ED448), { NULL, 0 }, KEY_ED448 },
};

/* A SubjectPublicKeyInfo whose key has no bits names the kind by its algorithm. */
static enum key_kind kind_of(struct bytes spki)
{
    struct der in = der_of(spki), info = der_enter(&in, DER_SEQUENCE);
    struct der algorithm = der_enter(&info, DER_SEQUENCE);
    struct bytes oid = der_value(&algorithm, DER_OID), curve = BYTES_NONE;

    if (der_next_is(&algorithm, DER_OID))
        curve = der_value(&algorithm, DER_OID);
    for (size_t i = 0; i < COUNT_OF(known_keys); i++)
        if (bytes_equal(oid, known_keys[i].algorithm) &&
            (known_keys[i].curve.len == 0 || bytes_equal(curve, known_keys[i].curve)))
            return known_keys[i].kind;
    return KEY_NONE;
}

/* What the profile accepts, the quickest to make first. */
static enum key_kind preferred(const struct key_rules *rules)
{
    if (rules->p256)
        return KEY_EC_P256;
    if (rules->p384)
        return KEY_EC_P384;
    if (rules->p521)
        return KEY_EC_P521;
    if (rules->ed25519)
        return KEY_ED25519;
    return rules->ed448 ? KEY_ED448 : KEY_RSA;
}

enum cmp_fault cmp_generate(struct cmp_exchange *x, const struct crmf_template *t,
                            const struct profile *profile, struct public_key *key, struct error *err)
{
    const struct key_rules *rules = &profile->keys;
    enum key_kind kind = t->has_key ? kind_of(t->spki) : preferred(rules);
    const char *detail;
    struct bytes spki;

    if (kind == KEY_NONE || (kind == KEY_RSA && rules->rsa_bits_min > DEVICE_RSA_BITS_MAX))
        return CMP_FAULT_TEMPLATE;
    if (!keys_make_for_device(kind, rules->rsa_bits_min, x->turn->arena, &x->device_key, &spki, err))
        return CMP_FAULT_INTERNAL;
    /* One that the profile refuses goes nowhere. */
    return public_key_decode(spki, rules, key, &detail) == KEY_OK ? CMP_OK : CMP_FAULT_TEMPLATE;
}

/* --- handing over --- */

/* The content of a ContentInfo: CMP carries SignedData and EnvelopedData bare. */
static struct bytes bare(struct bytes content_info)
{
    struct der in = der_of(content_info), info = der_enter(&in, DER_SEQUENCE), inside;

    (void)der_value(&info, DER_OID);
    inside = der_enter(&info, DER_CONTEXT(0));
    return der_element(&inside, DER_SEQUENCE);
}

/* SignedData { AsymmetricKeyPackage { OneAsymmetricKey } } by the key generation authority, which is the RA.
 */
static bool sign_package(struct cmp_exchange *x, struct bytes *signed_data, struct error *err)
{
    AUTO_STRUCT(buffer) package = BUFFER(KEY_PACKAGE_MAX);
    struct cms_signing signing = {
        .content_type = BYTES_ARRAY(OID_KEY_PACKAGE),
        .has_content = true,
        .certificate = &x->ra->certificate,
        .more = x->ca->chain,
        .more_count = x->ca->chain_count,
        .keys = x->turn->keys,
        .key_name = x->ra->key_name,
    };
    struct bytes der;

    der_put(&package, DER_SEQUENCE, secret_bytes(&x->device_key));
    if (buffer_failed(&package))
        return error_set(err, ERROR_MEMORY, "package of a device's key");
    signing.content = buffer_bytes(&package);
    if (!cms_sign(&signing, x->turn->arena, &der, err))
        return false;
    *signed_data = bare(der);
    return true;
}

/* Under the password that protects the request. */
static bool envelop_for_secret(struct cmp_exchange *x, const struct cms_enveloping *e, struct bytes *der,
                               struct error *err)
{
    AUTO_STRUCT(secret) sealed = { 0 };
    struct bytes password;

    if (!enroll_registration_password(x->turn->keys, x->sender.registration, &sealed, &password))
        return error_set(err, ERROR_CRYPTO, "a secret that held does not open");
    return cms_envelop_password(e, password, x->turn->arena, der, err);
}

bool cmp_wrap_device_key(struct cmp_exchange *x, struct bytes *enveloped, struct error *err)
{
    const struct certificate *holder = &x->sender.holder.certificate;
    struct cms_enveloping e = {
        .content_type = BYTES_ARRAY(OID_SIGNED_DATA),
        .cipher = CMS_AES_256_CBC,
        .random = &x->turn->random,
    };
    struct bytes der;
    bool made;

    if (!sign_package(x, &e.plain, err))
        return false;
    if (x->sender.role == CMP_ROLE_SECRET)
        made = envelop_for_secret(x, &e, &der, err);
    else if (holder->key.kind == KEY_RSA)
        made = cms_envelop(&e, holder, x->turn->arena, &der, err);
    else
        made = cms_envelop_agree(&e, holder, x->turn->arena, &der, err);
    if (made)
        *enveloped = bare(der);
    return made;
}
