/* der.h: ASN.1 DER, read and written over flat bytes (X.690). The reader is strict: definite minimal lengths,
 * one-byte tags, nothing left over. A failed read yields nothing and marks its reader; callers ask once at
 * the end with der_finished(). ber_to_der() turns the BER that some CMS senders emit into DER first, so that
 * all that follows is strict. Pure. */
#ifndef MUSTER_PKI_DER_H
#define MUSTER_PKI_DER_H

#include "lib/base/arena.h"
#include "lib/base/buffer.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_UTF8_STRING = 0x0c,
    DER_NUMERIC_STRING = 0x12,
    DER_PRINTABLE_STRING = 0x13,
    DER_TELETEX_STRING = 0x14,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_VISIBLE_STRING = 0x1a,
    DER_UNIVERSAL_STRING = 0x1c,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};
/* [n] constructed and [n] primitive, context class, n < 31. */
#define DER_CONTEXT(n)           (0xa0 | (n))
#define DER_CONTEXT_PRIMITIVE(n) (0x80 | (n))

struct der { /* a reader */
    struct bytes rest;
    bool failed;
};

static inline struct der der_of(struct bytes b)
{
    return (struct der){ .rest = b };
}

/* Nothing left and nothing failed. */
bool der_finished(const struct der *in);
/* More elements follow. */
bool der_more(const struct der *in);
/* The next element has this tag. */
bool der_next_is(const struct der *in, unsigned tag);

/* The next element whole (tag, length, content) and its tag; none and failed when malformed. */
struct bytes der_any(struct der *in, unsigned *tag);
/* Content of the next element, which must have `tag`. */
struct bytes der_value(struct der *in, unsigned tag);
/* The next element whole, which must have `tag`. */
struct bytes der_element(struct der *in, unsigned tag);
/* Content when the next element has `tag`; else none, not failed. */
struct bytes der_optional(struct der *in, unsigned tag, bool *present);
/* A reader over the content of the next element. The sub-reader is failed when this one is. */
struct der der_enter(struct der *in, unsigned tag);
/* A non-negative INTEGER that fits. */
uint64_t der_uint(struct der *in);
/* An INTEGER that fits, of either sign. */
int64_t der_int(struct der *in);
/* Content octets of an INTEGER, minimal form checked. */
struct bytes der_integer(struct der *in);
bool der_boolean(struct der *in);
/* BIT STRING whose unused bits are 0 in number (keys, signatures). */
struct bytes der_bits(struct der *in);
/* A named-bit BIT STRING as a mask, bit 0 of the standard = 0x1. At most 32 bits. */
uint32_t der_named_bits(struct der *in);
/* UTCTime or GeneralizedTime in the form RFC 5280 4.1.2.5 allows, seconds since 1970. */
int64_t der_time(struct der *in);

/* --- writing: appended forward; der_end patches the length. Failures stay in the buffer (buffer_failed). ---
 */
size_t der_begin(struct buffer *out, unsigned tag);
void der_end(struct buffer *out, size_t begun);
void der_put(struct buffer *out, unsigned tag, struct bytes content);
void der_put_oid(struct buffer *out, struct bytes oid); /* content octets of the OID */
void der_put_uint(struct buffer *out, uint64_t value);
void der_put_int(struct buffer *out, int64_t value);
void der_put_integer(struct buffer *out, struct bytes magnitude); /* unsigned big-endian; made minimal */
void der_put_bits(struct buffer *out, struct bytes bits);         /* no unused bits */
void der_put_named_bits(struct buffer *out, uint32_t mask);
void der_put_boolean(struct buffer *out, bool value);
void der_put_null(struct buffer *out);
void der_put_time(struct buffer *out, int64_t time_s); /* UTCTime before 2050, else GeneralizedTime */
/* The elements standing between `begun` and the end are put in DER order for a SET OF. Call before der_end.
 * Quadratic: for our own small sets. */
void der_sort_set(struct buffer *out, size_t begun);

/* Definite lengths, primitive strings: BER as found in CMS becomes DER; the order of sets is kept as it came.
 * So does encryptedContent in segments (the [0] after an OID and a SEQUENCE, RFC 5652 6.1). Depth at most 32.
 * False when malformed or out of memory. Input that is DER already is returned as it is. Trailing bytes after
 * the first element: false. */
MUST_USE bool ber_to_der(struct arena *arena, struct bytes in, struct bytes *out);

/* The first element inside a constructed BER element, as it was received. For input that ber_to_der took. */
MUST_USE bool ber_first_child(struct bytes in, struct bytes *child);

/* Dotted text of an OID ("1.2.840.113549") into `out`; false when malformed or too long. And back. */
MUST_USE bool oid_format(struct bytes oid, char *out, size_t size);
MUST_USE bool oid_parse(struct bytes text, uint8_t *out, size_t size, size_t *len);

#endif
