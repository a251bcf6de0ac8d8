/* Any text as a flattened JWS: what is accepted has three members alone, says its algorithm, and signs
 * exactly what it holds; under a key that did not sign it never verifies. And as the header of a request of
 * ACME: what is accepted has one key alone, of the kind of its algorithm. */
#include <assert.h>

#include "lib/base/encode.h"
#include "lib/jose/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 8037 A.2 */
static const char ED_JWK[] =
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
static const char SIGNED[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";

/* As a header: it is put into a request, so that all of the input is the header's text. */
static void acme(struct bytes header, struct arena *arena)
{
    static const struct jws_rules *const all[] = { &JWS_RULES_ACME, &JWS_RULES_ACME_BINDING,
                                                   &JWS_RULES_ACME_KEY_CHANGE };
    AUTO_STRUCT(buffer) text = BUFFER(JWS_MAX);
    struct jws jws;

    buffer_append_text(&text, "{\"protected\":\"");
    base64url_encode(&text, header);
    buffer_append_text(&text, "\",\"payload\":\"\",\"signature\":\"AA\"}");
    for (size_t i = 0; i < COUNT_OF(all) && !buffer_failed(&text); i++) {
        if (jws_parse(buffer_bytes(&text), all[i], arena, &jws) != JWS_OK)
            continue;
        assert((all[i]->algorithms & JWS_SET(jws.header.algorithm)) != 0);
        assert((jws.header.kid.len > 0) != (jws.header.jwk.len > 0) && jws.header.url.len > 0);
        if (jws.header.jwk.len > 0)
            assert(jws_verify(&jws, jws.header.jwk) == JWS_SIGNATURE);
        assert(jws_verify_mac(&jws, BYTES_LITERAL("k")) != JWS_OK);
    }
}

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
    acme(bytes_of(data, size), arena);
    if (jws_parse(bytes_of(data, size), &JWS_RULES_OFFICER, arena, &jws) != JWS_OK)
        return 0;
    assert(size <= JWS_MAX && jws.header.algorithm != JWS_ALGORITHM_NONE);
    assert(bytes_find(jws.signed_text, '.') < jws.signed_text.len);
    assert(jws.header.kid.len <= JWS_KID_MAX && jws.header.jti.len <= JWS_JTI_MAX);
    if (jws_verify(&jws, spki) == JWS_OK)
        assert(bytes_is(jws.signed_text, SIGNED));
    return 0;
}
