/* message_internal.h: the parts that header and bodies are both made of. A reader that meets something
 * malformed is marked failed; the caller asks once at the end. */
#ifndef MUSTER_CMP_MESSAGE_INTERNAL_H
#define MUSTER_CMP_MESSAGE_INTERNAL_H

#include "proto/cmp/message.h"

/* What stands inside the explicit tag [n], which must be next: exactly one element, any or of that tag. */
struct bytes cmp_explicit_any(struct der *in, unsigned n, unsigned *tag);
struct bytes cmp_explicit_element(struct der *in, unsigned n, unsigned tag);
/* Its content when [n] is next; none when it is not. */
struct bytes cmp_explicit_optional(struct der *in, unsigned n, unsigned tag);

/* PKIFreeText: SEQUENCE SIZE (1..CMP_ITEMS_MAX) OF UTF8String. The first; *in failed when malformed. */
struct bytes cmp_free_text(struct der *in);

/* SEQUENCE SIZE (1..max) OF a SEQUENCE: the elements. */
MUST_USE bool cmp_sequences_read(struct der *in, struct bytes *element, size_t max, size_t *count);

/* SEQUENCE OF InfoTypeAndValue; none is well-formed. */
MUST_USE bool cmp_infos_read(struct der *in, struct cmp_info *out, size_t max, size_t *count);

void cmp_explicit_put(struct buffer *out, unsigned n, struct bytes element);

#endif
