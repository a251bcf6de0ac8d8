#include "ca/ca_internal.h"
#include "lib/base/encode.h"

/* A chain is decoded once and kept: names, general names and little else. */
enum { CA_ARENA_MAX = 1024 * 1024 };

bool ca_may_issue(const struct certificate *c)
{
    return c->is_ca && (!c->has_key_usage || (c->key_usage & KEY_USAGE_KEY_CERT_SIGN) != 0);
}

static bool check_link(const struct ca *ca, size_t at, const struct certificate *c,
                       const struct certificate *issuer, struct error *err)
{
    if (!name_equal(&c->issuer, &issuer->subject) ||
        certificate_verify_signature(c, &issuer->key) != SIGNATURE_OK)
        return error_set(err, ERROR_FORMAT,
                         "CA '%s': certificate %zu of its chain was not issued by the one that follows",
                         ca->name, at + 1);
    return true;
}

static bool decode_chain(const struct ca *ca, struct arena *arena, struct certificate *leaf,
                         struct error *err)
{
    struct certificate below = { 0 }, c;

    if (ca->chain_count == 0 || ca->chain_count > CA_CHAIN_MAX)
        return error_set(err, ERROR_FORMAT, "CA '%s': a chain of 1 to %d certificates is needed", ca->name,
                         CA_CHAIN_MAX);
    for (size_t i = 0; i < ca->chain_count; i++) {
        if (!certificate_decode(ca->chain[i], arena, &c))
            return error_set(err, ERROR_FORMAT, "CA '%s': certificate %zu of its chain is malformed",
                             ca->name, i + 1);
        if (!ca_may_issue(&c))
            return error_set(err, ERROR_FORMAT, "CA '%s': certificate %zu of its chain is not a CA's",
                             ca->name, i + 1);
        if (i > 0 && !check_link(ca, i - 1, &below, &c, err))
            return false;
        if (i == 0)
            *leaf = c;
        below = c;
    }
    return true;
}

static bool check_key(const struct ca *ca, const struct keys *keys, const struct certificate *c,
                      struct error *err)
{
    struct bytes spki;

    if (!ca_is_local(ca))
        return true;
    spki = keys_public(keys, ca->key_name);
    if (spki.len == 0)
        return error_set(err, ERROR_NOT_FOUND, "CA '%s': there is no key '%s'", ca->name, ca->key_name);
    if (!bytes_equal(spki, c->key.spki))
        return error_set(err, ERROR_FORMAT, "CA '%s': key '%s' is not that of its certificate", ca->name,
                         ca->key_name);
    return true;
}

/* The chain, its others and what vouches for them. */
static bool make_anchors(struct ca *ca, struct anchors **out, struct error *err)
{
    struct bytes all[CA_CHAIN_MAX + CA_OTHERS_MAX + CA_ANCHORS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < ca->chain_count; i++)
        all[count++] = ca->chain[i];
    for (size_t i = 0; i < ca->other_count; i++)
        all[count++] = ca->other[i];
    for (size_t i = 0; i < ca->anchor_count; i++)
        all[count++] = ca->anchor[i];
    return anchors_new(all, count, out, err);
}

static bool hash_issuers(struct ca *ca, const struct certificate *leaf, struct arena *arena,
                         struct digest256 *out, struct error *err)
{
    struct certificate c;

    for (size_t i = 0; i < ca->other_count; i++) {
        if (!certificate_decode(ca->other[i], arena, &c))
            return error_set(err, ERROR_FORMAT, "CA '%s': one of its certificates is malformed", ca->name);
        if (!sha256(c.subject.encoded, &ca->other_issuer[i]))
            return error_set(err, ERROR_CRYPTO, "CA '%s': SHA-256 failed", ca->name);
    }
    return sha256(leaf->subject.encoded, out) ||
           error_set(err, ERROR_CRYPTO, "CA '%s': SHA-256 failed", ca->name);
}

bool ca_is_issuer(const struct ca *ca, const struct digest256 *issuer)
{
    for (size_t i = 0; i < ca->other_count; i++)
        if (digest256_equal(&ca->other_issuer[i], issuer))
            return true;
    return digest256_equal(&ca->issuer, issuer);
}

bool ca_prepare(struct ca *ca, const struct keys *keys, struct error *err)
{
    struct arena *arena = arena_new(CA_ARENA_MAX);
    struct certificate leaf;
    struct digest256 issuer;
    struct anchors *anchors;

    if (arena == NULL)
        return error_set(err, ERROR_MEMORY, "CA '%s': out of memory", ca->name);
    if (ca->connector == NULL) {
        arena_free(arena);
        return error_set(err, ERROR_UNSUPPORTED, "CA '%s': its kind is not built in", ca->name);
    }
    if (!decode_chain(ca, arena, &leaf, err) || !check_key(ca, keys, &leaf, err) ||
        !hash_issuers(ca, &leaf, arena, &issuer, err)) {
        arena_free(arena);
        return false;
    }
    if (!make_anchors(ca, &anchors, err)) {
        arena_free(arena);
        return error_prefix(err, ca->name);
    }
    ca->certificate = leaf;
    ca->issuer = issuer;
    ca->anchors = anchors;
    ca->arena = arena;
    return true;
}

void ca_release(struct ca *ca)
{
    if (ca->anchors != NULL)
        anchors_free(take(ca->anchors));
    arena_free(take(ca->arena));
    ca->certificate = (struct certificate){ 0 };
    ca->issuer = (struct digest256){ 0 };
}

bool ca_serial_make(int64_t now_s, const struct random_source *random, uint8_t out[CA_SERIAL_LEN])
{
    uint8_t serial[CA_SERIAL_LEN];
    uint32_t time = (uint32_t)now_s & 0x7fffffff;

    if (!random_fill(random, serial + 4, sizeof(serial) - 4))
        return false;
    serial[0] = (uint8_t)(time >> 24);
    serial[1] = (uint8_t)(time >> 16);
    serial[2] = (uint8_t)(time >> 8);
    serial[3] = (uint8_t)time;
    if (time == 0) /* once in 68 years: still positive and of full length */
        serial[0] = 1;
    memcpy(out, serial, sizeof(serial));
    return true;
}

bool ca_template(const struct ca *ca, uint8_t key_id[20], struct certificate_template *out, struct error *err)
{
    struct bytes authority = ca->certificate.subject_key_id;

    if (authority.len == 0) {
        if (!public_key_identifier(ca->certificate.key.spki, key_id))
            return error_set(err, ERROR_CRYPTO, "CA '%s': no key identifier can be made", ca->name);
        authority = bytes_of(key_id, 20);
    }
    *out = (struct certificate_template){
        .issuer = ca->certificate.subject.encoded,
        .path_len = -1,
        .authority_key_id = authority,
        .crl_url = ca->crl_url,
        .crl_url_count = ca->crl_url_count,
        .ca_issuers_url = ca->ca_issuers_url,
        .ca_issuers_url_count = ca->ca_issuers_url_count,
    };
    return true;
}

uint32_t ca_usable_key_usage(uint32_t wanted, enum key_kind kind)
{
    const uint32_t encipherment = KEY_USAGE_KEY_ENCIPHERMENT | KEY_USAGE_DATA_ENCIPHERMENT;
    const uint32_t agreement = KEY_USAGE_KEY_AGREEMENT;

    switch (kind) {
    case KEY_RSA: return wanted & ~agreement;
    case KEY_EC_P256:
    case KEY_EC_P384:
    case KEY_EC_P521: return wanted & ~encipherment;
    case KEY_RSA_PSS:
    case KEY_ED25519:
    case KEY_ED448: return wanted & ~(encipherment | agreement);
    case KEY_NONE: return 0;
    }
    return 0;
}

bool ca_fingerprint(const struct ca *ca, enum digest_algorithm hash, char *out)
{
    uint8_t octets[DIGEST_MAX];
    size_t len;

    if (!digest(hash, ca->chain[0], octets, &len))
        return false;
    hex_encode(bytes_of(octets, len), out);
    return true;
}
