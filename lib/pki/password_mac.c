#include "lib/pki/password_mac.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "lib/pki/public_key_internal.h"

#define OID(content)                                    \
    {                                                   \
        (const uint8_t *)(content), sizeof(content) - 1 \
    }
#define RSADSI(last) OID("\x2a\x86\x48\x86\xf7\x0d" last)

static const struct bytes password_based_mac = OID("\x2a\x86\x48\x86\xf6\x7d\x07\x42\x0d");
static const struct bytes pbmac1 = RSADSI("\x01\x05\x0e");
static const struct bytes pbkdf2_oid = RSADSI("\x01\x05\x0c");

static const struct hmac_row {
    struct bytes oid;
    enum digest_algorithm hash;
} hmacs[] = {
    { RSADSI("\x02\x07"), DIGEST_SHA1 }, /* RFC 8018 B.1.1: PBMAC1 speaks of it so */
    { RSADSI("\x02\x08"), DIGEST_SHA224 },
    { RSADSI("\x02\x09"), DIGEST_SHA256 },
    { RSADSI("\x02\x0a"), DIGEST_SHA384 },
    { RSADSI("\x02\x0b"), DIGEST_SHA512 },
    { OID("\x2b\x06\x01\x05\x05\x08\x01\x02"), DIGEST_SHA1 }, /* RFC 4211 4.4: PasswordBasedMac does */
};

static struct bytes hmac_oid(enum digest_algorithm hash, enum password_mac_kind kind)
{
    if (hash == DIGEST_SHA1 && kind == PASSWORD_MAC_PBM)
        return hmacs[COUNT_OF(hmacs) - 1].oid;
    for (size_t i = 0; i < COUNT_OF(hmacs); i++)
        if (hmacs[i].hash == hash)
            return hmacs[i].oid;
    return BYTES_NONE;
}

/* --- reading --- */

/* The OID of an AlgorithmIdentifier whose parameters are absent or NULL. */
static enum password_mac_fault bare_algorithm(struct bytes element, struct bytes *oid)
{
    struct bytes parameters;

    if (!algorithm_split(element, oid, &parameters))
        return PASSWORD_MAC_SYNTAX;
    return parameters.data == NULL || parameters_are_null(parameters) ? PASSWORD_MAC_OK
                                                                      : PASSWORD_MAC_ALGORITHM;
}

static enum password_mac_fault take_hmac(struct bytes element, bool allow_sha1, enum digest_algorithm *out)
{
    struct bytes oid;
    enum password_mac_fault fault = bare_algorithm(element, &oid);

    if (fault != PASSWORD_MAC_OK)
        return fault;
    for (size_t i = 0; i < COUNT_OF(hmacs); i++) {
        if (!bytes_equal(oid, hmacs[i].oid))
            continue;
        if (hmacs[i].hash == DIGEST_SHA1 && !allow_sha1)
            break;
        *out = hmacs[i].hash;
        return PASSWORD_MAC_OK;
    }
    return PASSWORD_MAC_ALGORITHM;
}

static enum password_mac_fault take_hash(struct bytes element, bool allow_sha1, enum digest_algorithm *out)
{
    struct bytes oid;
    enum password_mac_fault fault = bare_algorithm(element, &oid);
    enum digest_algorithm hash = fault == PASSWORD_MAC_OK ? digest_from_oid(oid) : DIGEST_NONE;

    if (fault != PASSWORD_MAC_OK)
        return fault;
    if (hash == DIGEST_NONE || hash == DIGEST_MD5 || (hash == DIGEST_SHA1 && !allow_sha1))
        return PASSWORD_MAC_ALGORITHM;
    *out = hash;
    return PASSWORD_MAC_OK;
}

/* The value of an INTEGER's content, UINT32_MAX for all that is more; 0 for what is negative. */
static uint32_t capped(struct bytes integer)
{
    uint32_t value = 0;

    if (integer.len == 0 || integer.data[0] >= 0x80)
        return 0;
    for (size_t i = 0; i < integer.len; i++) {
        if (value > UINT32_MAX >> 8)
            return UINT32_MAX;
        value = value << 8 | integer.data[i];
    }
    return value;
}

/* What both kinds have in common, when all is read. */
static enum password_mac_fault judge_costs(const struct password_mac *m,
                                           const struct password_mac_rules *rules)
{
    if (m->salt.len == 0 || m->salt.len > PASSWORD_MAC_SALT_MAX)
        return PASSWORD_MAC_SYNTAX;
    return m->iterations < PASSWORD_MAC_ITERATIONS_MIN || m->iterations > rules->iterations_max
               ? PASSWORD_MAC_ROUNDS
               : PASSWORD_MAC_OK;
}

/* PBMParameter (RFC 4211 4.4). */
static enum password_mac_fault read_pbm(struct bytes parameters, const struct password_mac_rules *rules,
                                        struct password_mac *out)
{
    struct der in = der_of(parameters), seq = der_enter(&in, DER_SEQUENCE);
    struct bytes owf, mac;
    enum password_mac_fault fault;

    out->kind = PASSWORD_MAC_PBM;
    out->salt = der_value(&seq, DER_OCTET_STRING);
    owf = der_element(&seq, DER_SEQUENCE);
    out->iterations = capped(der_integer(&seq));
    mac = der_element(&seq, DER_SEQUENCE);
    if (!der_finished(&seq) || !der_finished(&in))
        return PASSWORD_MAC_SYNTAX;
    fault = take_hash(owf, rules->allow_sha1, &out->hash);
    if (fault == PASSWORD_MAC_OK)
        fault = take_hmac(mac, rules->allow_hmac_sha1, &out->mac);
    return fault == PASSWORD_MAC_OK ? judge_costs(out, rules) : fault;
}

/* PBKDF2-params (RFC 8018 A.2). The key is as long as the MAC's hash when its length is not given. */
static enum password_mac_fault read_pbkdf2(struct bytes parameters, const struct password_mac_rules *rules,
                                           struct password_mac *out)
{
    struct der in = der_of(parameters), seq = der_enter(&in, DER_SEQUENCE);
    struct bytes prf = BYTES_NONE;
    enum password_mac_fault fault = PASSWORD_MAC_OK;

    if (der_next_is(&seq, DER_SEQUENCE))
        return PASSWORD_MAC_ALGORITHM; /* a salt from somewhere else */
    out->salt = der_value(&seq, DER_OCTET_STRING);
    out->iterations = capped(der_integer(&seq));
    out->key_len = der_next_is(&seq, DER_INTEGER) ? capped(der_integer(&seq)) : digest_len(out->mac);
    if (der_more(&seq))
        prf = der_element(&seq, DER_SEQUENCE);
    if (!der_finished(&seq) || !der_finished(&in))
        return PASSWORD_MAC_SYNTAX;
    if (prf.data != NULL)
        fault = take_hmac(prf, rules->allow_sha1, &out->hash);
    else if (rules->allow_sha1)
        out->hash = DIGEST_SHA1; /* the default */
    else
        fault = PASSWORD_MAC_ALGORITHM;
    if (fault == PASSWORD_MAC_OK &&
        (out->key_len < PASSWORD_MAC_KEY_LEN_MIN || out->key_len > PASSWORD_MAC_KEY_LEN_MAX))
        fault = PASSWORD_MAC_ALGORITHM;
    return fault == PASSWORD_MAC_OK ? judge_costs(out, rules) : fault;
}

/* PBMAC1-params (RFC 8018 A.5). */
static enum password_mac_fault read_pbmac1(struct bytes parameters, const struct password_mac_rules *rules,
                                           struct password_mac *out)
{
    struct der in = der_of(parameters), seq = der_enter(&in, DER_SEQUENCE);
    struct bytes derivation = der_element(&seq, DER_SEQUENCE), mac = der_element(&seq, DER_SEQUENCE), oid,
                 inner;
    enum password_mac_fault fault;

    out->kind = PASSWORD_MAC_PBMAC1;
    if (!der_finished(&seq) || !der_finished(&in) || !algorithm_split(derivation, &oid, &inner))
        return PASSWORD_MAC_SYNTAX;
    if (!bytes_equal(oid, pbkdf2_oid))
        return PASSWORD_MAC_ALGORITHM;
    fault = take_hmac(mac, rules->allow_hmac_sha1, &out->mac);
    return fault == PASSWORD_MAC_OK ? read_pbkdf2(inner, rules, out) : fault;
}

bool password_mac_is(struct bytes algorithm)
{
    struct bytes oid, parameters;

    return algorithm_split(algorithm, &oid, &parameters) &&
           (bytes_equal(oid, password_based_mac) || bytes_equal(oid, pbmac1));
}

enum password_mac_fault password_mac_decode(struct bytes algorithm, const struct password_mac_rules *rules,
                                            struct password_mac *out)
{
    struct password_mac m = { 0 };
    struct bytes oid, parameters;
    enum password_mac_fault fault;

    if (!algorithm_split(algorithm, &oid, &parameters))
        return PASSWORD_MAC_SYNTAX;
    if (bytes_equal(oid, password_based_mac))
        fault = read_pbm(parameters, rules, &m);
    else if (bytes_equal(oid, pbmac1))
        fault = read_pbmac1(parameters, rules, &m);
    else
        fault = PASSWORD_MAC_ALGORITHM;
    if (fault == PASSWORD_MAC_OK)
        *out = m;
    return fault;
}

/* --- writing --- */

static void put_algorithm(struct buffer *out, struct bytes oid)
{
    size_t seq = der_begin(out, DER_SEQUENCE);

    der_put_oid(out, oid);
    der_put_null(out);
    der_end(out, seq);
    if (oid.len == 0)
        out->failed = true;
}

static void put_pbm(struct buffer *out, const struct password_mac *m)
{
    der_put(out, DER_OCTET_STRING, m->salt);
    put_algorithm(out, digest_oid(m->hash));
    der_put_uint(out, m->iterations);
    put_algorithm(out, hmac_oid(m->mac, m->kind));
}

static void put_pbmac1(struct buffer *out, const struct password_mac *m)
{
    size_t derivation = der_begin(out, DER_SEQUENCE), params;

    der_put_oid(out, pbkdf2_oid);
    params = der_begin(out, DER_SEQUENCE);
    der_put(out, DER_OCTET_STRING, m->salt);
    der_put_uint(out, m->iterations);
    der_put_uint(out, m->key_len);
    if (m->hash != DIGEST_SHA1) /* the default */
        put_algorithm(out, hmac_oid(m->hash, m->kind));
    der_end(out, params);
    der_end(out, derivation);
    put_algorithm(out, hmac_oid(m->mac, m->kind));
}

void password_mac_put(struct buffer *out, const struct password_mac *m)
{
    size_t algorithm = der_begin(out, DER_SEQUENCE), params;

    der_put_oid(out, m->kind == PASSWORD_MAC_PBM ? password_based_mac : pbmac1);
    params = der_begin(out, DER_SEQUENCE);
    switch (m->kind) {
    case PASSWORD_MAC_NONE: out->failed = true; break;
    case PASSWORD_MAC_PBM: put_pbm(out, m); break;
    case PASSWORD_MAC_PBMAC1: put_pbmac1(out, m); break;
    }
    der_end(out, params);
    der_end(out, algorithm);
}

/* --- computing --- */

/* BASEKEY: the one-way function over secret and salt, and over its own output. All of it is the HMAC's key,
 * whatever that one's hash is, as everyone does it. */
static bool derive_pbm(const struct password_mac *m, struct bytes secret, uint8_t key[DIGEST_MAX],
                       size_t *len)
{
    const struct bytes parts[] = { secret, m->salt };

    return digest_parts(m->hash, parts, COUNT_OF(parts), key, len) &&
           (m->iterations <= 1 || digest_repeat(m->hash, key, m->iterations - 1));
}

void password_mac_key_wipe(struct password_mac_key *key)
{
    OPENSSL_cleanse(key, sizeof(*key));
}

bool password_mac_derive(const struct password_mac *m, struct bytes secret, struct password_mac_key *out)
{
    bool done = false;

    switch (m->kind) {
    case PASSWORD_MAC_NONE: break;
    case PASSWORD_MAC_PBM: done = secret.len > 0 && derive_pbm(m, secret, out->octet, &out->len); break;
    case PASSWORD_MAC_PBMAC1:
        out->len = m->key_len;
        done = secret.len > 0 && m->key_len <= sizeof(out->octet) &&
               pbkdf2(m->hash, secret, m->salt, m->iterations, out->octet, m->key_len);
        break;
    }
    if (!done)
        password_mac_key_wipe(out);
    ERR_clear_error();
    return done;
}

bool password_mac_make(const struct password_mac *m, const struct password_mac_key *key, struct bytes message,
                       uint8_t *out, size_t *len)
{
    bool done = key->len > 0 && hmac(m->mac, bytes_of(key->octet, key->len), message, out, len);

    ERR_clear_error();
    return done;
}

bool password_mac_proves(const struct password_mac *m, const struct password_mac_key *key,
                         struct bytes message, struct bytes value)
{
    uint8_t expected[DIGEST_MAX];
    size_t len = 0;

    return password_mac_make(m, key, message, expected, &len) && len > 0 &&
           bytes_equal_constant_time(bytes_of(expected, len), value);
}

bool password_mac_compute(const struct password_mac *m, struct bytes secret, struct bytes message,
                          uint8_t *out, size_t *len)
{
    AUTO_STRUCT(password_mac_key) key = { .len = 0 };

    return password_mac_derive(m, secret, &key) && password_mac_make(m, &key, message, out, len);
}

bool password_mac_holds(const struct password_mac *m, struct bytes secret, struct bytes message,
                        struct bytes value)
{
    AUTO_STRUCT(password_mac_key) key = { .len = 0 };

    return password_mac_derive(m, secret, &key) && password_mac_proves(m, &key, message, value);
}
