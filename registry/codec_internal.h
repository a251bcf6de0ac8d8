/* codec_internal.h: how values rest in the tables: versioned records (lib/base/record.h). What is decoded
 * borrows from the record; lists are in the arena. A record that does not decode is ERROR_FORMAT. */
#ifndef MUSTER_REGISTRY_CODEC_INTERNAL_H
#define MUSTER_REGISTRY_CODEC_INTERNAL_H

#include "lib/base/record.h"

#include "registry/records.h"
#include "registry/storage_internal.h"

/* The longest record: a certificate with its DER, an act with a large body, a CRL in state. */
enum { RECORD_MAX = 64 << 20, RECORD_VERSION = 1 };

/* --- each begins with an empty buffer; ask buffer_failed() --- */
void registration_encode(struct buffer *out, const struct registration *r);
MUST_USE bool registration_decode(struct bytes record, struct arena *arena, struct registration *out,
                                  struct error *err);

void certificate_record_encode(struct buffer *out, const struct certificate_record *c);
MUST_USE bool certificate_record_decode(struct bytes record, struct certificate_record *out,
                                        struct error *err);

/* State carries its whole key: the table's is hashed. */
struct state_row {
    struct bytes procedure, kind, id, blob;
    uint64_t revision;
    int64_t expires_s, changed_s;
    uint64_t holder_len; /* a place: so much of its id is that of what it is in; 0: no place */
};
void state_encode(struct buffer *out, const struct state_row *s);
MUST_USE bool state_decode(struct bytes record, struct state_row *out, struct error *err);

void job_encode(struct buffer *out, const struct job_record *job);
MUST_USE bool job_decode(struct bytes record, struct job_record *out, struct error *err);

void officer_encode(struct buffer *out, const struct officer_record *officer);
MUST_USE bool officer_decode(struct bytes record, struct arena *arena, struct officer_record *out,
                             struct error *err);

void audit_encode(struct buffer *out, const struct audit_entry *entry);
MUST_USE bool audit_decode(struct bytes record, uint64_t index, struct audit_entry *out, struct error *err);

/* --- for the codecs themselves --- */
/* Writes a field unless it says nothing. */
void field_put(struct buffer *out, uint16_t tag, struct bytes content);
void field_put_u64(struct buffer *out, uint16_t tag, uint64_t value);
/* Copies a field of exactly `len` bytes; marks the reader otherwise. */
void field_fixed(struct record_reader *in, const struct record_field *field, uint8_t *out, size_t len);
/* One more in a list that was made for it. */
void list_put(struct bytes *list, size_t *count, struct bytes item);
/* Opens a record of this room's version. */
MUST_USE bool codec_open(struct bytes record, struct record_reader *out, struct error *err);
/* The one check at the end. */
MUST_USE bool codec_finish(const struct record_reader *in, const char *what, struct error *err);

#endif
