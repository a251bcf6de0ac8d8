/* jwk.h: public keys as JSON Web Keys (RFC 7517, RFC 7518 6, RFC 8037) and back to SubjectPublicKeyInfo. EC
 * P-256, P-384 and P-521, RSA of 2048 to 8192 bits and OKP Ed25519 alone, of which a caller accepts the kinds
 * that it names; a private member is refused. Pure; any thread. */
#ifndef MUSTER_JOSE_JWK_H
#define MUSTER_JOSE_JWK_H

#include "lib/jose/json.h"

#include "lib/keys/keys.h"

enum { JWK_THUMBPRINT_LEN = 43 }; /* base64url of SHA-256 */

/* Sets of kinds: what officers may have, and all. */
#define JWK_KIND(kind) (1u << (kind))
#define JWK_OFFICER    (JWK_KIND(KEY_EC_P256) | JWK_KIND(KEY_RSA) | JWK_KIND(KEY_ED25519))
#define JWK_ANY        (JWK_OFFICER | JWK_KIND(KEY_EC_P384) | JWK_KIND(KEY_EC_P521))

/* KEY_NONE for a key that is none of JWK_ANY and for malformed bytes (explicit curves, compressed points and
 * trailing bytes included). */
enum key_kind jwk_kind_of(struct bytes spki);

/* The key is of one of these kinds. */
bool jwk_is_of(struct bytes spki, unsigned kinds);

/* The key's required members alone, as a new object; NULL when the key is not one of these or memory ran out.
 */
MUST_USE json_t *jwk_of_spki(struct bytes spki);

enum jwk_fault {
    JWK_MALFORMED = 0, /* no object, no `kty`, a member missing, of another type or not base64url */
    JWK_BAD,           /* another kind or curve, off the curve, too small or large, a private member */
    JWK_MEMORY,
    JWK_OK,
};

/* Checks the members ("use", "alg", "key_ops" and "kid" may stand there too) and the key itself, which must
 * be of one of these kinds. `spki` in arena, written on JWK_OK alone. */
enum jwk_fault jwk_read(const json_t *jwk, unsigned kinds, struct arena *arena, struct bytes *spki);

/* RFC 7638, base64url and a NUL. False when the key is not one of these. */
MUST_USE bool jwk_thumbprint(struct bytes spki, char out[JWK_THUMBPRINT_LEN + 1]);

#endif
