/* reading_internal.h: what the readers of a registration's JSON share. A reader returns false after
 * fault_say(), or with `memory` set. */
#ifndef MUSTER_OFFICER_READING_INTERNAL_H
#define MUSTER_OFFICER_READING_INTERNAL_H

#include "officer/registration_json.h"

struct reading {
    const struct fqdn_pattern_rules *rules;
    struct arena *arena;
    struct registration *r;
    struct json_fault *fault;
    bool memory;
};

bool fault_say(struct reading *in, const char *format, ...) PRINTF(2, 3);
bool out_of_memory(struct reading *in);

/* Text of 1 to `max` bytes, UTF-8 without control characters; `out` is a copy in the arena. */
MUST_USE bool read_text(struct reading *in, const json_t *value, size_t max, struct bytes *out);

/* An array of texts, or one text split at its commas. Parts are not empty; an empty text is an empty list. */
enum { LIST_MAX = 64, LIST_TEXT_MAX = 1024 };
MUST_USE bool read_list(struct reading *in, const json_t *value, struct bytes *out, size_t *count);

/* The "attributes" object. Sets the fault's field itself. */
MUST_USE bool read_attributes(struct reading *in, const json_t *value);
MUST_USE bool write_attributes(json_t *object, const struct registration *r);

/* A member's name for a fault: what cannot be shown is not. */
void fault_name(struct json_fault *fault, const char *prefix, const char *name);

#endif
