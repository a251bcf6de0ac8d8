/* However its octets arrive, a request is the same request, or refused for the same reason. The first octet
 * of the input chooses the split. */
#include <assert.h>
#include <stdlib.h>

#include "lib/http/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_limits limits = {
    .target_max = 512, .head_max = 1024, .body_max = 512, .header_max = 16
};

struct outcome {
    enum http_parse result;
    struct http_parser parser;
    struct http_request request;
};

static struct outcome parse(struct bytes input, size_t first, size_t step, struct arena *arena)
{
    struct outcome o = { .result = HTTP_PARSE_MORE };

    http_parser_init(&o.parser, &limits);
    for (size_t at = first < input.len ? first : input.len;;
         at = at + step < input.len ? at + step : input.len) {
        uint8_t *copy = malloc(at + 1); /* its own block, so that a read past the end is seen */

        assert(copy != NULL);
        if (at > 0)
            memcpy(copy, input.data, at);
        o.result = http_parse_request(&o.parser, bytes_of(copy, at), arena, &o.request);
        free(copy);
        if (o.result == HTTP_PARSE_REFUSED || o.result == HTTP_PARSE_DONE || at == input.len)
            return o;
    }
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
    assert(a->result == b->result);
    if (a->result == HTTP_PARSE_REFUSED)
        assert(a->parser.status == b->parser.status && a->parser.reason == b->parser.reason);
    if (a->result != HTTP_PARSE_DONE)
        return;
    assert(a->parser.consumed == b->parser.consumed && a->parser.keep_alive == b->parser.keep_alive);
    assert(bytes_equal(a->request.path, b->request.path) && bytes_equal(a->request.query, b->request.query));
    assert(bytes_equal(a->request.body, b->request.body));
    assert(a->request.header_count == b->request.header_count);
    for (size_t i = 0; i < a->request.header_count; i++)
        assert(bytes_equal(a->request.header[i].name, b->request.header[i].name) &&
               bytes_equal(a->request.header[i].value, b->request.header[i].value));
}

static void check_sound(const struct outcome *o, struct bytes input)
{
    if (o->result == HTTP_PARSE_REFUSED)
        assert(o->parser.status >= 400 && o->parser.reason != NULL);
    if (o->result != HTTP_PARSE_DONE)
        return;
    assert(o->parser.consumed <= input.len && o->parser.consumed <= http_input_max(&limits));
    assert(o->request.path.len > 0 && o->request.path.data[0] == '/');
    assert(o->request.body.len <= limits.body_max && o->request.header_count <= limits.header_max);
    for (size_t i = 0; i < o->request.header_count; i++)
        assert(o->request.header[i].name.len > 0 &&
               bytes_find(o->request.header[i].value, 0) == o->request.header[i].value.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 20);
    struct bytes input = bytes_of(data, size);
    struct outcome whole, octets, halves;

    if (size == 0 || size > 4096 || arena == NULL) {
        arena_free(arena);
        return 0;
    }
    input = bytes_from(input, 1);
    whole = parse(input, input.len, 1, arena);
    octets = parse(input, 0, 1, arena);
    halves = parse(input, data[0], 64, arena);
    check_sound(&whole, input);
    check_same(&whole, &octets);
    check_same(&whole, &halves);
    arena_free(arena);
    return 0;
}
