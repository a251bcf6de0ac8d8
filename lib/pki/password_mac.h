/* password_mac.h: message authentication under a password, as CMP uses it (RFC 9481 6.1): PasswordBasedMac
 * (RFC 4211 4.4) and PBMAC1 (RFC 8018 7.1). Read from an AlgorithmIdentifier and judged before anything is
 * hashed: the sender chooses the number of rounds, and pays nothing for them. */
#ifndef MUSTER_PKI_PASSWORD_MAC_H
#define MUSTER_PKI_PASSWORD_MAC_H

#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/base/random.h"
#include "lib/pki/der.h"

enum password_mac_kind { PASSWORD_MAC_NONE = 0, PASSWORD_MAC_PBM, PASSWORD_MAC_PBMAC1 };

enum {
    PASSWORD_MAC_SALT_MAX = 128,
    PASSWORD_MAC_ITERATIONS_MIN = 100, /* RFC 4211 4.4 */
    PASSWORD_MAC_KEY_LEN_MIN = 20,     /* the sender names the length: a short key could be guessed */
    PASSWORD_MAC_KEY_LEN_MAX = DIGEST_MAX,
};

struct password_mac { /* points into what it was read from */
    enum password_mac_kind kind;
    struct bytes salt;
    uint32_t iterations;
    enum digest_algorithm hash; /* PBM: the one-way function; PBMAC1: of PBKDF2's pseudo-random function */
    enum digest_algorithm mac;  /* of the HMAC */
    size_t key_len;             /* PBMAC1: of the derived key, octets */
};

struct password_mac_rules {
    uint32_t iterations_max;
    bool allow_hmac_sha1; /* as the MAC: what `openssl cmp` sends unasked */
    bool allow_sha1;      /* as the one-way function, and as PBKDF2's, where it is the default */
};

enum password_mac_fault {
    PASSWORD_MAC_SYNTAX = 0,
    PASSWORD_MAC_ALGORITHM, /* a hash or MAC that is unknown or refused */
    PASSWORD_MAC_ROUNDS,    /* too few or too many iterations (CMP-34) */
    PASSWORD_MAC_OK
};

/* True for the object identifiers of the two kinds; `algorithm` is the AlgorithmIdentifier element. */
bool password_mac_is(struct bytes algorithm);

/* `algorithm` is the AlgorithmIdentifier element whole. SYNTAX: also a salt that is empty or over
 * PASSWORD_MAC_SALT_MAX. ALGORITHM: also MD5 and unknown hashes, MACs that are no HMAC, a key shorter or
 * longer than the bounds, another key derivation than PBKDF2. *out is untouched unless OK. */
enum password_mac_fault password_mac_decode(struct bytes algorithm, const struct password_mac_rules *rules,
                                            struct password_mac *out);

/* The AlgorithmIdentifier element of `m`, appended; the buffer is failed when `m` has no kind or names a hash
 * that has no object identifier. What was decoded and allowed decodes to the same again. */
void password_mac_put(struct buffer *out, const struct password_mac *m);

/* What the rounds make of a secret: the dear part, and the same for each message that names the same
 * parameters. As secret as what it is made of. */
struct password_mac_key {
    uint8_t octet[DIGEST_MAX];
    size_t len; /* 0: none; no MAC is made or holds under it */
};
void password_mac_key_wipe(struct password_mac_key *key);
UNUSED static inline void auto_password_mac_key(struct password_mac_key *key)
{
    password_mac_key_wipe(key);
}

/* False: the secret is empty, or libcrypto failed; then there is none in *out. */
MUST_USE bool password_mac_derive(const struct password_mac *m, struct bytes secret,
                                  struct password_mac_key *out);

/* The MAC over `message` under a key that was derived for `m`; `out` holds DIGEST_MAX. False: no key, or
 * libcrypto failed. */
MUST_USE bool password_mac_make(const struct password_mac *m, const struct password_mac_key *key,
                                struct bytes message, uint8_t *out, size_t *len);

/* `value` is the MAC over `message` under that key. Constant time in the comparison; an error of libcrypto
 * proves nothing. */
bool password_mac_proves(const struct password_mac *m, const struct password_mac_key *key,
                         struct bytes message, struct bytes value);

/* The same of a secret, whose key serves once. An empty secret makes nothing and proves nothing, ever. */
MUST_USE bool password_mac_compute(const struct password_mac *m, struct bytes secret, struct bytes message,
                                   uint8_t *out, size_t *len);
bool password_mac_holds(const struct password_mac *m, struct bytes secret, struct bytes message,
                        struct bytes value);

#endif
