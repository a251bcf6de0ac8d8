/* record.h: how a value rests in the registry and in protocol state: a version byte, then fields of
 * tag (u16), length (u32) and content, in any order, unknown tags skipped. Numbers are 8 bytes big-endian.
 * A newer version than the reader knows is refused by its caller. */
#ifndef MUSTER_RECORD_H
#define MUSTER_RECORD_H

#include "lib/base/arena.h"
#include "lib/base/buffer.h"
#include "lib/base/error.h"

void record_begin(struct buffer *out, uint8_t version);
void record_put(struct buffer *out, uint16_t tag, struct bytes content);
void record_put_u64(struct buffer *out, uint16_t tag, uint64_t value);

struct record_reader {
    struct bytes rest;
    bool failed; /* truncated or malformed; asked once at the end */
};

struct record_field {
    uint16_t tag;
    struct bytes content;
};

/* False for an empty record. */
MUST_USE bool record_open(struct bytes record, struct record_reader *out, uint8_t *version);

/* The next field; false at the end or when malformed (then reader->failed). */
bool record_next(struct record_reader *reader, struct record_field *out);

/* A whole record of this version: each field goes to `take_field`, which puts it into `into`, or says false:
 * it is malformed. False: that, truncated, or another version; what `into` holds then is nothing. */
typedef bool record_take(struct record_reader *reader, const struct record_field *field, void *into);
MUST_USE bool record_read(struct bytes record, uint8_t version, record_take *take_field, void *into);

/* The record that was put, in the arena. `what` it is, for the error. */
MUST_USE bool record_keep(const struct buffer *record, const char *what, struct arena *arena,
                          struct bytes *out, struct error *err);

/* The number in a field; marks the reader when the field is not 8 bytes long. */
uint64_t record_u64(struct record_reader *reader, const struct record_field *field);

/* The same for a value of an enum: 0 from `count` on, which a later version may have meant. */
unsigned record_choice(struct record_reader *reader, const struct record_field *field, unsigned count);

/* Content that is exactly `len` octets, into `out`; false otherwise. */
MUST_USE bool record_octets(struct bytes content, uint8_t *out, size_t len);

/* The same for a hash. */
#define record_digest(content, digest) record_octets((content), (digest)->bytes, sizeof((digest)->bytes))

#endif
