#include "lib/base/encode.h"
#include "lib/jose/jws_internal.h"

#define OFFICER_ALGORITHMS (JWS_SET(JWS_ES256) | JWS_SET(JWS_RS256) | JWS_SET(JWS_EDDSA))
#define ACME_ALGORITHMS    (OFFICER_ALGORITHMS | JWS_SET(JWS_ES384) | JWS_SET(JWS_ES512) | JWS_SET(JWS_PS256))
#define MAC_ALGORITHMS     (JWS_SET(JWS_HS256) | JWS_SET(JWS_HS384) | JWS_SET(JWS_HS512))

const struct jws_rules JWS_RULES_OFFICER = { .algorithms = OFFICER_ALGORITHMS, .kid_max = JWS_KID_MAX };
const struct jws_rules JWS_RULES_ACME = {
    .algorithms = ACME_ALGORITHMS, .wanted = JWS_MEMBER_URL, .acme = true, .kid_max = JWS_URL_MAX
};
const struct jws_rules JWS_RULES_ACME_BINDING = { .algorithms = MAC_ALGORITHMS,
                                                  .wanted = JWS_MEMBER_KID | JWS_MEMBER_URL,
                                                  .unwanted = JWS_MEMBER_NONCE,
                                                  .acme = true,
                                                  .kid_max = JWS_KID_MAX };
const struct jws_rules JWS_RULES_ACME_KEY_CHANGE = { .algorithms = ACME_ALGORITHMS,
                                                     .wanted = JWS_MEMBER_JWK | JWS_MEMBER_URL,
                                                     .unwanted = JWS_MEMBER_NONCE,
                                                     .acme = true };

const struct jws_kind jws_kinds[JWS_KINDS] = {
    { JWS_ES256, "ES256", KEY_EC_P256, DIGEST_SHA256, 64, false }, /* RFC 7518 3.4 */
    { JWS_ES384, "ES384", KEY_EC_P384, DIGEST_SHA384, 96, false },
    { JWS_ES512, "ES512", KEY_EC_P521, DIGEST_SHA512, 132, false },
    { JWS_RS256, "RS256", KEY_RSA, DIGEST_SHA256, 0, false },   /* 3.3 */
    { JWS_PS256, "PS256", KEY_RSA, DIGEST_SHA256, 0, true },    /* 3.5 */
    { JWS_EDDSA, "EdDSA", KEY_ED25519, DIGEST_NONE, 0, false }, /* RFC 8037 3.1 */
    { JWS_HS256, "HS256", KEY_NONE, DIGEST_SHA256, 0, false },  /* RFC 7518 3.2 */
    { JWS_HS384, "HS384", KEY_NONE, DIGEST_SHA384, 0, false },
    { JWS_HS512, "HS512", KEY_NONE, DIGEST_SHA512, 0, false },
};

const struct jws_kind *jws_kind_of(enum jws_algorithm algorithm)
{
    for (size_t i = 0; i < JWS_KINDS; i++)
        if (jws_kinds[i].algorithm == algorithm)
            return &jws_kinds[i];
    return NULL;
}

const char *jws_algorithm_name(enum jws_algorithm algorithm)
{
    const struct jws_kind *kind = jws_kind_of(algorithm);

    return kind != NULL ? kind->name : NULL;
}

static enum jws_algorithm algorithm_named(struct bytes name, unsigned accepted)
{
    for (size_t i = 0; i < JWS_KINDS; i++)
        if ((accepted & JWS_SET(jws_kinds[i].algorithm)) != 0 && bytes_is(name, jws_kinds[i].name))
            return jws_kinds[i].algorithm;
    return JWS_ALGORITHM_NONE;
}

static bool decode_part(struct bytes text, struct arena *arena, struct bytes *out)
{
    uint8_t *data = arena_alloc(arena, BASE64_DECODED_MAX(text.len));
    size_t len;

    if (data == NULL || !base64url_decode(text, data, &len))
        return false;
    *out = bytes_of(data, len);
    return true;
}

/* A text member of the header: absent, or of 1 to `max` bytes without control characters. */
static bool header_text(const json_t *header, const char *name, size_t max, struct arena *arena,
                        struct bytes *out)
{
    const json_t *value = json_object_get(header, name);
    struct bytes text = json_bytes(value);

    if (value == NULL)
        return true;
    if (text.len == 0 || text.len > max || bytes_has_control(text))
        return false;
    *out = arena_copy(arena, text);
    return out->data != NULL;
}

static bool header_time(const json_t *header, struct jws_header *out)
{
    const json_t *value = json_object_get(header, "iat");

    if (value == NULL)
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    out->has_iat = true;
    out->iat_s = json_integer_value(value);
    return true;
}

/* The members that say who signed, and for what; see enum jws_member. */
static bool members_are_right(const struct jws_header *header, bool has_jwk, const struct jws_rules *rules)
{
    unsigned there = (header->kid.len > 0 ? JWS_MEMBER_KID : 0u) | (has_jwk ? JWS_MEMBER_JWK : 0u) |
                     (header->url.len > 0 ? JWS_MEMBER_URL : 0u) |
                     (header->nonce.len > 0 ? JWS_MEMBER_NONCE : 0u);

    if ((there & rules->wanted) != rules->wanted || (there & rules->unwanted) != 0)
        return false;
    return !rules->acme || has_jwk != (header->kid.len > 0);
}

static bool is_base64url(struct bytes text, struct arena *arena)
{
    struct bytes ignored;

    return decode_part(text, arena, &ignored);
}

/* The key that a header brings along, and whether the algorithm fits it. */
static enum jws_fault read_jwk(const json_t *jwk, struct arena *arena, struct jws_header *out)
{
    const struct jws_kind *kind = jws_kind_of(out->algorithm);

    switch (jwk_read(jwk, JWK_ANY, arena, &out->jwk)) {
    case JWK_MALFORMED: return JWS_MALFORMED;
    case JWK_BAD: return JWS_KEY;
    case JWK_MEMORY: return JWS_MEMORY;
    case JWK_OK: break;
    }
    return kind != NULL && kind->key == jwk_kind_of(out->jwk) ? JWS_OK : JWS_ALGORITHM;
}

static enum jws_fault read_header(struct bytes text, const struct jws_rules *rules, struct arena *arena,
                                  struct jws_header *out)
{
    AUTO(json_t) *header = json_read(text);
    struct bytes name = json_member(header, "alg");
    const json_t *jwk = rules->acme ? json_object_get(header, "jwk") : NULL;

    if (header == NULL || name.len == 0)
        return JWS_MALFORMED;
    if (json_object_get(header, "crit") != NULL || json_object_get(header, "b64") != NULL)
        return JWS_CRITICAL;
    out->algorithm = algorithm_named(name, rules->algorithms);
    if (out->algorithm == JWS_ALGORITHM_NONE)
        return JWS_ALGORITHM;
    if (!header_text(header, "kid", rules->kid_max, arena, &out->kid) ||
        !header_text(header, "url", JWS_URL_MAX, arena, &out->url) ||
        !header_text(header, "jti", JWS_JTI_MAX, arena, &out->jti) ||
        !header_text(header, "nonce", JWS_JTI_MAX, arena, &out->nonce) || !header_time(header, out))
        return JWS_MALFORMED;
    if (!members_are_right(out, jwk != NULL, rules) || (rules->acme && !is_base64url(out->nonce, arena)))
        return JWS_MALFORMED;
    return jwk != NULL ? read_jwk(jwk, arena, out) : JWS_OK;
}

enum jws_fault jws_parse(struct bytes text, const struct jws_rules *rules, struct arena *arena,
                         struct jws *out)
{
    AUTO(json_t) *whole = text.len > JWS_MAX ? NULL : json_read(text);
    struct bytes protected_text = json_member(whole, "protected"), header;
    struct bytes payload_text = json_member(whole, "payload"),
                 signature_text = json_member(whole, "signature");
    struct jws jws = { 0 };
    enum jws_fault fault;

    if (whole == NULL || json_object_size(whole) != 3 || protected_text.len == 0 || signature_text.len == 0 ||
        !json_is_string(json_object_get(whole, "payload")))
        return JWS_MALFORMED;
    if (!decode_part(protected_text, arena, &header) || !decode_part(payload_text, arena, &jws.payload) ||
        !decode_part(signature_text, arena, &jws.signature))
        return JWS_MALFORMED;
    fault = read_header(header, rules, arena, &jws.header);
    if (fault != JWS_OK)
        return fault;
    jws.signed_text = arena_format(arena, "%.*s.%.*s", BYTES_FMT(protected_text), BYTES_FMT(payload_text));
    if (jws.signed_text.data == NULL)
        return JWS_MEMORY;
    *out = jws;
    return JWS_OK;
}
