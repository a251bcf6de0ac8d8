#include "tests/lib/attestation_maker.h"

#include <cbor/encoding.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "tests/lib/test.h"

enum { OBJECT_MAX = 32 * 1024, DAY_S = 86400, HASH_LEN = 32, COORDINATE_LEN = 32, NAMES = 5 };

enum who {
    ROOT,
    INTERMEDIATE,
    ATTESTATION_KEY,
    RSA_ATTESTATION_KEY,
    FOREIGN_ROOT,
    DEVICE,
    RSA_DEVICE,
    WHO_COUNT
};

static EVP_PKEY *key_of(enum who who)
{
    static EVP_PKEY *made[WHO_COUNT];

    if (made[who] == NULL)
        made[who] = who == RSA_ATTESTATION_KEY || who == RSA_DEVICE ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    assert_non_null(made[who]);
    return made[who];
}

EVP_PKEY *attestation_device_key(bool rsa)
{
    return key_of(rsa ? RSA_DEVICE : DEVICE);
}

static struct bytes kept(struct arena *arena, struct buffer *buffer)
{
    struct bytes copy = arena_copy(arena, buffer_bytes(buffer));

    assert_false(buffer_failed(buffer));
    assert_non_null(copy.data);
    return copy;
}

/* --- DER by hand --- */
static struct bytes tlv(struct arena *arena, uint8_t tag, struct bytes content)
{
    AUTO_STRUCT(buffer) out = BUFFER(1024);

    assert_in_range(content.len, 0, 127);
    buffer_append_byte(&out, tag);
    buffer_append_byte(&out, (uint8_t)content.len);
    buffer_append(&out, content);
    return kept(arena, &out);
}

static struct bytes joined(struct arena *arena, struct bytes a, struct bytes b)
{
    AUTO_STRUCT(buffer) out = BUFFER(2048);

    buffer_append(&out, a);
    buffer_append(&out, b);
    return kept(arena, &out);
}

/* --- certificates --- */
static void extend(X509 *x, const char *oid, bool critical, struct bytes value)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    assert_int_equal(ASN1_OCTET_STRING_set(octets, value.data, (int)value.len), 1);
    extension = X509_EXTENSION_create_by_OBJ(NULL, object, critical, octets);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(object);
}

static X509 *begun(EVP_PKEY *subject_key, const char *subject, const char *issuer, int64_t now_s)
{
    static long serial = 1;
    X509 *x = X509_new();
    X509_NAME *name = X509_NAME_new();

    assert_non_null(x);
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(now_s - DAY_S));
    ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(now_s + 365 * (int64_t)DAY_S));
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)issuer, -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_NAME_free(name);
    name = X509_NAME_new();
    if (subject[0] != '\0')
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)subject, -1, -1, 0);
    X509_set_subject_name(x, name);
    X509_NAME_free(name);
    assert_int_equal(X509_set_pubkey(x, subject_key), 1);
    return x;
}

static struct bytes signed_by(struct arena *arena, X509 *x, EVP_PKEY *issuer)
{
    unsigned char *der = NULL;
    struct bytes out;
    int len;

    assert_true(X509_sign(x, issuer, EVP_sha256()) > 0);
    len = i2d_X509(x, &der);
    assert_true(len > 0);
    out = arena_copy(arena, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    X509_free(x);
    return out;
}

static struct bytes a_ca(struct arena *arena, EVP_PKEY *key, const char *subject, const char *issuer,
                         EVP_PKEY *issuer_key, int64_t now_s)
{
    X509 *x = begun(key, subject, issuer, now_s);

    extend(x, "2.5.29.19", true, BYTES_LITERAL("\x30\x03\x01\x01\xff"));
    return signed_by(arena, x, issuer_key);
}

struct bytes attestation_root(struct arena *arena, int64_t now_s)
{
    return a_ca(arena, key_of(ROOT), "Maker Root", "Maker Root", key_of(ROOT), now_s);
}

static struct bytes intermediate(struct arena *arena, const struct attestation_plan *plan)
{
    EVP_PKEY *root = key_of(plan->flaw == FLAW_FOREIGN_ROOT ? FOREIGN_ROOT : ROOT);

    return a_ca(arena, key_of(INTERMEDIATE), "Maker Attestation", "Maker Root", root, plan->now_s);
}

static const char *serial_of(const struct attestation_plan *plan)
{
    return plan->serial != NULL ? plan->serial : "C02XK1";
}

static void put_apple(X509 *x, const struct attestation_plan *plan)
{
    unsigned char digest[HASH_LEN];
    const char *token = plan->token != NULL ? plan->token : "";

    assert_int_equal(EVP_Digest(token, strlen(token), digest, NULL, EVP_sha256(), NULL), 1);
    if (plan->flaw != FLAW_NO_FRESHNESS)
        extend(x, "1.2.840.113635.100.8.11.1", false, BYTES_ARRAY(digest));
    if (serial_of(plan)[0] != '\0')
        extend(x, "1.2.840.113635.100.8.9.1", false, bytes_text(serial_of(plan)));
    if (plan->udid != NULL)
        extend(x, "1.2.840.113635.100.8.9.2", false, bytes_text(plan->udid));
    if (plan->flaw == FLAW_EMPTY_PURPOSES)
        extend(x, "2.5.29.37", false, BYTES_LITERAL("\x30\x00"));
}

/* permanentIdentifier, 1.3.6.1.5.5.7.8.3, or HardwareModuleName, 1.3.6.1.5.5.7.8.4, of hwType 1.3.6.1.4.1.9
 */
static struct bytes identity(struct arena *arena, const struct attestation_plan *plan)
{
    const bool hardware = plan->hardware != NULL;
    struct bytes oid = hardware ? BYTES_LITERAL("\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x04")
                                : BYTES_LITERAL("\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x03");
    struct bytes value = hardware ? joined(arena, BYTES_LITERAL("\x06\x06\x2b\x06\x01\x04\x01\x09"),
                                           tlv(arena, 0x04, bytes_text(plan->hardware)))
                                  : tlv(arena, 0x0c, bytes_text(serial_of(plan)));

    value = tlv(arena, 0xa0, tlv(arena, 0x30, value));
    return tlv(arena, 0x30, tlv(arena, 0xa0, joined(arena, oid, value)));
}

static void put_tpm(struct arena *arena, X509 *x, const struct attestation_plan *plan)
{
    if (plan->flaw == FLAW_EMPTY_SAN)
        extend(x, "2.5.29.17", true, BYTES_LITERAL("\x30\x00"));
    else if (plan->hardware != NULL || serial_of(plan)[0] != '\0')
        extend(x, "2.5.29.17", true, identity(arena, plan));
    if (plan->flaw == FLAW_EMPTY_PURPOSES)
        extend(x, "2.5.29.37", false, BYTES_LITERAL("\x30\x00"));
    else if (plan->flaw != FLAW_NO_PURPOSES)
        extend(x, "2.5.29.37", false, BYTES_LITERAL("\x30\x07\x06\x05\x67\x81\x05\x08\x03"));
}

static struct bytes leaf(struct arena *arena, const struct attestation_plan *plan, bool tpm)
{
    EVP_PKEY *key = tpm ? key_of(plan->rsa ? RSA_ATTESTATION_KEY : ATTESTATION_KEY) : plan->key;
    X509 *x = begun(key, tpm ? "" : "device", "Maker Attestation", plan->now_s);

    if (plan->flaw == FLAW_EXPIRED)
        ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(plan->now_s - 60));
    if (plan->flaw == FLAW_CA)
        extend(x, "2.5.29.19", true, BYTES_LITERAL("\x30\x03\x01\x01\xff"));
    if (tpm)
        put_tpm(arena, x, plan);
    else
        put_apple(x, plan);
    return signed_by(arena, x, key_of(INTERMEDIATE));
}

/* --- structures of a TPM --- */
static void put_sized(struct buffer *out, struct bytes b)
{
    buffer_append_u16(out, (uint16_t)b.len);
    buffer_append(out, b);
}

static void put_number(struct buffer *out, const EVP_PKEY *key, const char *name)
{
    unsigned char octets[512];
    BIGNUM *number = NULL;
    int len;

    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    len = BN_bn2bin(number, octets);
    BN_free(number);
    put_sized(out, bytes_of(octets, (size_t)len));
}

static struct bytes pub_area(struct arena *arena, const struct attestation_plan *plan)
{
    AUTO_STRUCT(buffer) out = BUFFER(4096);
    bool rsa = EVP_PKEY_get_base_id(plan->key) == EVP_PKEY_RSA;

    buffer_append_u16(&out, rsa ? 0x0001 : 0x0023);
    buffer_append_u16(&out, plan->flaw == FLAW_SHA1_NAME ? 0x0004 : 0x000b);
    /* fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, sign */
    buffer_append_u32(&out, plan->flaw == FLAW_EXPORTABLE ? 0x00040060 : 0x00040072);
    put_sized(&out, BYTES_NONE); /* policy */
    buffer_append_u16(&out, 0x0010);
    if (rsa) {
        buffer_append_u16(&out, 0x0014); /* RSASSA with SHA-256 */
        buffer_append_u16(&out, 0x000b);
        buffer_append_u16(&out, 2048);
        buffer_append_u32(&out, 0);
        put_number(&out, plan->key, OSSL_PKEY_PARAM_RSA_N);
    } else {
        buffer_append_u16(&out, 0x0018); /* ECDSA with SHA-256 */
        buffer_append_u16(&out, 0x000b);
        buffer_append_u16(&out, 0x0003);
        buffer_append_u16(&out, 0x0010);
        put_number(&out, plan->key, OSSL_PKEY_PARAM_EC_PUB_X);
        put_number(&out, plan->key, OSSL_PKEY_PARAM_EC_PUB_Y);
    }
    return kept(arena, &out);
}

static struct bytes cert_info(struct arena *arena, const struct attestation_plan *plan, struct bytes key)
{
    AUTO_STRUCT(buffer) out = BUFFER(1024);
    const char *authorization = plan->authorization != NULL ? plan->authorization : "";
    unsigned char name[2 + HASH_LEN] = { 0x00, 0x0b }, extra[HASH_LEN];
    static const uint8_t clock[8 + 4 + 4 + 1 + 8] = { 0 };

    assert_int_equal(EVP_Digest(key.data, key.len, name + 2, NULL, EVP_sha256(), NULL), 1);
    assert_int_equal(EVP_Digest(authorization, strlen(authorization), extra, NULL, EVP_sha256(), NULL), 1);
    if (plan->flaw == FLAW_NAME)
        name[5] ^= 1;
    buffer_append_u32(&out, plan->flaw == FLAW_MAGIC ? 0xff544348 : 0xff544347);
    buffer_append_u16(&out, plan->flaw == FLAW_TYPE ? 0x8018 : 0x8017);
    put_sized(&out, BYTES_LITERAL("\x00\x0bsigner"));
    put_sized(&out, BYTES_ARRAY(extra));
    buffer_append(&out, BYTES_ARRAY(clock));
    put_sized(&out, BYTES_ARRAY(name));
    put_sized(&out, BYTES_LITERAL("\x00\x0bqualified"));
    if (plan->flaw == FLAW_LONG_CERT_INFO)
        buffer_append_byte(&out, 0);
    return kept(arena, &out);
}

static struct bytes signature(struct arena *arena, const struct attestation_plan *plan, struct bytes message)
{
    AUTO_STRUCT(buffer) out = BUFFER(1024);
    EVP_PKEY *key = key_of(plan->rsa ? RSA_ATTESTATION_KEY : ATTESTATION_KEY);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char octets[512], number[64];
    const unsigned char *at = octets;
    size_t len = sizeof(octets);

    if (plan->flaw == FLAW_SIGNATURE)
        key = plan->rsa ? key_of(RSA_DEVICE) : key_of(ROOT);
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, octets, &len, message.data, message.len), 1);
    EVP_MD_CTX_free(ctx);
    buffer_append_u16(&out, plan->rsa ? 0x0014 : 0x0018);
    buffer_append_u16(&out, 0x000b);
    if (plan->rsa) {
        put_sized(&out, bytes_of(octets, len));
    } else {
        ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);

        put_sized(&out, bytes_of(number, (size_t)BN_bn2bin(ECDSA_SIG_get0_r(sig), number)));
        put_sized(&out, bytes_of(number, (size_t)BN_bn2bin(ECDSA_SIG_get0_s(sig), number)));
        ECDSA_SIG_free(sig);
    }
    return kept(arena, &out);
}

/* --- CBOR --- */
typedef size_t encoder(size_t value, unsigned char *out, size_t size);

static void put_head(struct buffer *out, encoder *encode, size_t value)
{
    unsigned char head[9];

    buffer_append(out, bytes_of(head, encode(value, head, sizeof(head))));
}

static void put_text(struct buffer *out, const char *text)
{
    put_head(out, cbor_encode_string_start, strlen(text));
    buffer_append_text(out, text);
}

static void put_octets(struct buffer *out, struct bytes b)
{
    put_head(out, cbor_encode_bytestring_start, b.len);
    buffer_append(out, b);
}

static void put_chain(struct arena *arena, struct buffer *out, const struct attestation_plan *plan, bool tpm)
{
    if (plan->flaw == FLAW_NO_X5C)
        return;
    put_text(out, "x5c");
    put_head(out, cbor_encode_array_start, plan->flaw == FLAW_EMPTY_X5C ? 0 : 2);
    if (plan->flaw == FLAW_EMPTY_X5C)
        return;
    put_octets(out, leaf(arena, plan, tpm));
    put_octets(out, intermediate(arena, plan));
}

static void put_certified(struct arena *arena, struct buffer *out, const struct attestation_plan *plan)
{
    struct bytes key = pub_area(arena, plan), info = cert_info(arena, plan, key);
    bool rsa = plan->rsa != (plan->flaw == FLAW_ALGORITHM);
    unsigned char number[9];

    put_text(out, "ver");
    put_text(out, plan->flaw == FLAW_VERSION ? "1.2" : "2.0");
    put_text(out, "alg");
    buffer_append(out, bytes_of(number, cbor_encode_negint(rsa ? 256 : 6, number, sizeof(number))));
    put_text(out, "sig");
    put_octets(out, signature(arena, plan, info));
    put_text(out, "certInfo");
    put_octets(out, info);
    put_text(out, "pubArea");
    put_octets(out, bytes_slice(key, 0, key.len - (plan->flaw == FLAW_SHORT_PUB_AREA)));
}

struct bytes attestation_make(struct arena *arena, const struct attestation_plan *plan)
{
    AUTO_STRUCT(buffer) out = BUFFER(OBJECT_MAX);
    const char *format = plan->format != NULL ? plan->format : "apple";
    bool tpm = strcmp(format, "tpm") == 0, has_chain = plan->flaw != FLAW_NO_X5C;

    put_head(&out, cbor_encode_map_start, plan->auth_data ? 3 : 2);
    put_text(&out, "fmt");
    put_text(&out, format);
    put_text(&out, "attStmt");
    put_head(&out, cbor_encode_map_start, (tpm ? (size_t)NAMES : 0) + has_chain);
    put_chain(arena, &out, plan, tpm);
    if (tpm)
        put_certified(arena, &out, plan);
    if (plan->auth_data) {
        put_text(&out, "authData");
        put_octets(&out, BYTES_LITERAL("whatever"));
    }
    return kept(arena, &out);
}
