/* Any text as a flattened JWS: what is accepted has three members alone, says its algorithm, and signs
 * exactly what it holds; under a key that did not sign it never verifies. */
#include <assert.h>

#include "lib/jose/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 8037 A.2 */
static const char ED_JWK[] =
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
static const char SIGNED[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *arena = arena_new(1 << 20);
    AUTO(json_t) *jwk = json_read(BYTES_LITERAL(ED_JWK));
    AUTO(json_t) *fuzzed_key = json_read(bytes_of(data, size));
    struct bytes spki, other;
    struct jws jws;

    assert(arena != NULL && jwk_read(jwk, JWK_OFFICER, arena, &spki) == JWK_OK);
    if (fuzzed_key != NULL && jwk_read(fuzzed_key, JWK_ANY, arena, &other) == JWK_OK)
        assert(jwk_kind_of(other) != KEY_NONE);
    if (jws_parse(bytes_of(data, size), &JWS_RULES_OFFICER, arena, &jws) != JWS_OK)
        return 0;
    assert(size <= JWS_MAX && jws.header.algorithm != JWS_ALGORITHM_NONE);
    assert(bytes_find(jws.signed_text, '.') < jws.signed_text.len);
    assert(jws.header.kid.len <= JWS_KID_MAX && jws.header.jti.len <= JWS_JTI_MAX);
    if (jws_verify(&jws, spki) == JWS_OK)
        assert(bytes_is(jws.signed_text, SIGNED));
    return 0;
}
