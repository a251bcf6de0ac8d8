/* jwk.h: public keys as JSON Web Keys (RFC 7517, RFC 7518 6, RFC 8037) and back to SubjectPublicKeyInfo. EC
 * P-256, RSA of 2048 to 8192 bits and OKP Ed25519 alone; a private member is refused. Pure; any thread. */
#ifndef MUSTER_JOSE_JWK_H
#define MUSTER_JOSE_JWK_H

#include "lib/jose/json.h"

#include "lib/keys/keys.h"

enum { JWK_THUMBPRINT_LEN = 43 }; /* base64url of SHA-256 */

/* KEY_EC_P256, KEY_RSA or KEY_ED25519; KEY_NONE for every other key and for malformed bytes (explicit curves,
 * compressed points and trailing bytes included). */
enum key_kind jwk_kind_of(struct bytes spki);

/* The key's required members alone, as a new object; NULL when the key is not one of these or memory ran out.
 */
MUST_USE json_t *jwk_of_spki(struct bytes spki);

/* Checks the members ("use", "alg", "key_ops" and "kid" may stand there too) and the key itself. False when
 * it is not a public key of these kinds. `spki` in arena. */
MUST_USE bool jwk_to_spki(const json_t *jwk, struct arena *arena, struct bytes *spki);

/* RFC 7638, base64url and a NUL. False when the key is not one of these. */
MUST_USE bool jwk_thumbprint(struct bytes spki, char out[JWK_THUMBPRINT_LEN + 1]);

#endif
