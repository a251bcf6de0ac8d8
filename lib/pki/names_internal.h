/* names_internal.h: attribute values between their string types and UTF-8. */
#ifndef MUSTER_PKI_NAMES_INTERNAL_H
#define MUSTER_PKI_NAMES_INTERNAL_H

#include "lib/pki/names.h"

/* The text of a string element. Strict: characters outside its type, control characters (C1 too) and an empty
 * value are VALUE; else only control characters are. A tag that is no string: SYNTAX. */
enum name_fault string_decode(unsigned tag, struct bytes content, bool strict, struct arena *arena,
                              struct bytes *text);

/* As string_decode, but control characters are let through: what a secret is made of (CSR-47). */
enum name_fault string_decode_raw(unsigned tag, struct bytes content, struct arena *arena,
                                  struct bytes *text);

bool text_is_printable_string(struct bytes text);
bool text_is_ascii(struct bytes text);

/* Control characters, in UTF-8: below 0x20, 0x7f to 0x9f. */
bool text_has_control(struct bytes text);

/* Characters of well-formed UTF-8. */
size_t text_count(struct bytes text);

#endif
