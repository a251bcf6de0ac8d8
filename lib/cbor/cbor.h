/* cbor.h: CBOR (RFC 8949) read over flat bytes, head by head with libcbor: nothing is built, nothing is
 * allocated, and nesting costs no stack. Strict: definite lengths, the shortest form of each number, text in
 * UTF-8, no tags. A failed read yields nothing and marks its reader; callers ask once at the end with
 * cbor_finished(). Pure. */
#ifndef MUSTER_CBOR_H
#define MUSTER_CBOR_H

#include "lib/base/base.h"
#include "lib/base/bytes.h"

struct cbor_reader {
    struct bytes rest;
    bool failed;
};

static inline struct cbor_reader cbor_reader_of(struct bytes b)
{
    return (struct cbor_reader){ .rest = b };
}

/* Nothing left and nothing failed. */
bool cbor_finished(const struct cbor_reader *in);

/* The next item, which must be of that kind. A number fits into 63 bits and a sign. */
int64_t cbor_take_int(struct cbor_reader *in);
struct bytes cbor_take_bytes(struct cbor_reader *in);
struct bytes cbor_take_text(struct cbor_reader *in);

/* Into an array, or a map: how many items, or pairs of key and value, follow. Never more than there are
 * octets for. */
size_t cbor_take_array(struct cbor_reader *in);
size_t cbor_take_map(struct cbor_reader *in);

/* The next item whole, with all that it holds; well-formed by the rules above (floats and simple values too).
 */
struct bytes cbor_take_any(struct cbor_reader *in);

#endif
