/* RSA moduli that are known to be weak. */
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "lib/pki/public_key_internal.h"

enum { ROCA_FIRST = 1, ROCA_LAST = 38, ROCA_GENERATOR = 65537, FERMAT_ROUNDS = 100 };

AUTO_POINTER(BIGNUM, BN_free)
AUTO_POINTER(BN_CTX, BN_CTX_free)

/* All primes up to 751. */
static const uint16_t primes[] = {
    2,   3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,
    71,  73,  79,  83,  89,  97,  101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163,
    167, 173, 179, 181, 191, 193, 197, 199, 211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269,
    271, 277, 281, 283, 293, 307, 311, 313, 317, 331, 337, 347, 349, 353, 359, 367, 373, 379, 383,
    389, 397, 401, 409, 419, 421, 431, 433, 439, 443, 449, 457, 461, 463, 467, 479, 487, 491, 499,
    503, 509, 521, 523, 541, 547, 557, 563, 569, 571, 577, 587, 593, 599, 601, 607, 613, 617, 619,
    631, 641, 643, 647, 653, 659, 661, 673, 677, 683, 691, 701, 709, 719, 727, 733, 739, 743, 751,
};

/* The modulus by 32 bits at a time; `by` below 2^32. */
static uint32_t remainder_of(struct bytes modulus, uint32_t by)
{
    uint64_t rest = 0;
    size_t i = 0;

    for (; i < modulus.len % 4; i++)
        rest = rest << 8 | modulus.data[i];
    for (rest %= by; i < modulus.len; i += 4) {
        uint32_t word = (uint32_t)modulus.data[i] << 24 | (uint32_t)modulus.data[i + 1] << 16 |
                        (uint32_t)modulus.data[i + 2] << 8 | modulus.data[i + 3];

        rest = (rest << 32 | word) % by;
    }
    return (uint32_t)rest;
}

/* The remainders by each prime, several primes to one pass: by their product as long as it has 32 bits. */
static void all_remainders(struct bytes modulus, uint16_t out[COUNT_OF(primes)])
{
    for (size_t first = 0; first < COUNT_OF(primes);) {
        uint64_t product = 1;
        size_t end = first;
        uint32_t rest;

        while (end < COUNT_OF(primes) && product * primes[end] <= UINT32_MAX)
            product *= primes[end++];
        rest = remainder_of(modulus, (uint32_t)product);
        for (; first < end; first++)
            out[first] = (uint16_t)(rest % primes[first]);
    }
}

/* `rest` is a power of the generator modulo `prime`. */
static bool is_power(uint32_t rest, uint32_t prime)
{
    uint32_t power = 1;

    do {
        if (power == rest)
            return true;
        power = power * (ROCA_GENERATOR % prime) % prime;
    } while (power != 1);
    return false;
}

/* CVE-2017-15361: primes of that library are k * M + (65537^a mod M), so the modulus is a power of 65537
 * modulo each small prime. Most moduli leave at the first few. */
static bool has_roca_fingerprint(const uint16_t rest[COUNT_OF(primes)])
{
    for (size_t i = ROCA_FIRST; i <= ROCA_LAST; i++)
        if (!is_power(rest[i], primes[i]))
            return false;
    return true;
}

const char *weak_modulus(struct bytes modulus)
{
    uint16_t rest[COUNT_OF(primes)];

    all_remainders(modulus, rest);
    for (size_t i = 0; i < COUNT_OF(primes); i++)
        if (rest[i] == 0)
            return "RSA modulus has a small factor";
    return has_roca_fingerprint(rest) ? "RSA key of a broken generator (ROCA)" : NULL;
}

/* The greatest number whose square is at most n (Newton's iteration from above). */
static bool integer_root(const BIGNUM *n, BIGNUM *root, BN_CTX *ctx)
{
    AUTO(BIGNUM) *next = BN_new();

    if (next == NULL || !BN_one(next) || !BN_lshift(next, next, (BN_num_bits(n) + 1) / 2))
        return false;
    do { /* next = (root + n / root) / 2 */
        if (BN_copy(root, next) == NULL)
            return false;
        if (BN_is_zero(root))
            return true;
        if (!BN_div(next, NULL, n, root, ctx) || !BN_add(next, next, root) || !BN_rshift1(next, next))
            return false;
    } while (BN_cmp(next, root) < 0);
    return true;
}

/* CVE-2022-26320: with p and q close, one of the first squares above n differs from n by a square. */
static bool look_for_close_primes(const BIGNUM *n, bool *close, BN_CTX *ctx)
{
    AUTO(BIGNUM) *a = BN_new();
    AUTO(BIGNUM) *root = BN_new();
    AUTO(BIGNUM) *square = BN_new();
    AUTO(BIGNUM) *difference = BN_new();

    if (a == NULL || root == NULL || square == NULL || difference == NULL)
        return false;
    *close = false;
    if (!integer_root(n, a, ctx) || !BN_sqr(square, a, ctx))
        return false;
    if (BN_cmp(square, n) == 0) {
        *close = true;
        return true;
    }
    for (int round = 0; round < FERMAT_ROUNDS; round++) {
        if (!BN_add_word(a, 1) || !BN_sqr(square, a, ctx) || !BN_sub(difference, square, n) ||
            !integer_root(difference, root, ctx) || !BN_sqr(square, root, ctx))
            return false;
        if (BN_cmp(square, difference) == 0) {
            *close = true;
            return true;
        }
    }
    return true;
}

bool weak_modulus_full(const struct public_key *key, const char **weakness)
{
    AUTO(EVP_PKEY) *pkey = public_key_evp(key);
    AUTO(EVP_PKEY_CTX) *check = pkey == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    AUTO(BN_CTX) *ctx = BN_CTX_new();
    AUTO(BIGNUM) *n = BN_bin2bn(key->modulus.data, (int)key->modulus.len, NULL);
    bool close;

    if (check == NULL || ctx == NULL || n == NULL || !look_for_close_primes(n, &close, ctx))
        return false;
    *weakness = close ? "RSA primes are close to each other" : NULL;
    if (!close && EVP_PKEY_public_check(check) != 1) /* prime, power of a prime (SP 800-56B 6.4.2.2) */
        *weakness = "RSA modulus is not a product of two primes";
    return true;
}
