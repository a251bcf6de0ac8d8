/* audit_internal.h: audit entries of this room, JSON objects of text and numbers. */
#ifndef MUSTER_ENROLL_AUDIT_INTERNAL_H
#define MUSTER_ENROLL_AUDIT_INTERNAL_H

#include "lib/base/buffer.h"

enum { AUDIT_ENTRY_MAX = 16 * 1024 };

void audit_begin(struct buffer *out);
void audit_text(struct buffer *out, const char *name, struct bytes text); /* none: left out */
void audit_hex(struct buffer *out, const char *name, struct bytes octets);
void audit_number(struct buffer *out, const char *name, int64_t number);
void audit_end(struct buffer *out);

#endif
