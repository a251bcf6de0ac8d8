/* A body of EST: strictness takes nothing that leniency refuses, what is taken comes again from its own
 * encoding, for both kinds of client, and lies within bounds. */
#include <assert.h>
#include <stdlib.h>

#include "proto/est/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_taken(enum est_body form)
{
    return form == EST_BODY_BASE64 || form == EST_BODY_DER || form == EST_BODY_PEM;
}

static void check_round_trip(struct bytes der, const char *user_agent, struct arena *arena)
{
    struct http_header header = { BYTES_LITERAL("User-Agent"), bytes_text(user_agent) };
    struct http_request request = { .header = &header, .header_count = 1, .arena = arena };
    struct bytes text, again = BYTES_NONE;

    assert(est_body_encode(der, &request, &text));
    assert(text.len > 0 && text.data[text.len - 1] == '\n');
    assert(est_body_decode(text, true, arena, &again) == EST_BODY_BASE64);
    assert(bytes_equal(again, der));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 20);
    uint8_t *copy = malloc(size + 1); /* its own block, so that a read past the end is seen */
    struct bytes lenient = BYTES_NONE, strict = BYTES_NONE;

    if (arena != NULL && copy != NULL && size <= 16384) {
        enum est_body by_leniency, by_strictness;

        if (size > 0)
            memcpy(copy, data, size);
        by_leniency = est_body_decode(bytes_of(copy, size), false, arena, &lenient);
        by_strictness = est_body_decode(bytes_of(copy, size), true, arena, &strict);
        assert(!is_taken(by_strictness) || by_strictness == EST_BODY_BASE64);
        if (is_taken(by_strictness) && by_leniency == EST_BODY_BASE64)
            assert(bytes_equal(lenient, strict));
        if (is_taken(by_leniency)) {
            assert(lenient.len > 0 && lenient.len <= size);
            check_round_trip(lenient, "libest", arena);
            check_round_trip(lenient, "curl", arena);
        }
    }
    free(copy);
    arena_free(arena);
    return 0;
}
