/* json.h: JSON as this project reads and writes it: bounded, duplicate members refused, no U+0000, written in
 * one canonical form (compact, members sorted). A thin layer over jansson, whose memory is wiped when it is
 * freed, since secrets pass through it on their way in. Pure; any thread. */
#ifndef MUSTER_JOSE_JSON_H
#define MUSTER_JOSE_JSON_H

#include <jansson.h>

#include "lib/base/arena.h"

enum { JSON_READ_MAX = 1 << 20, JSON_DEPTH_MAX = 32 };

AUTO_POINTER(json_t, json_decref)

/* One object and nothing after it, at most JSON_READ_MAX bytes and JSON_DEPTH_MAX objects and arrays within
 * each other. NULL when it is anything else (or memory ran out): the caller refuses. The caller owns the
 * result. */
MUST_USE json_t *json_read(struct bytes text);

/* Content of a string; none when `value` is NULL or no string. Lives as long as the value. */
struct bytes json_bytes(const json_t *value);

/* Content of the string member `name`; none when absent or no string. */
struct bytes json_member(const json_t *object, const char *name);

/* A string value; NULL when the text is not UTF-8 or memory ran out. */
MUST_USE json_t *json_of_bytes(struct bytes text);

/* Sets a member and owns `value` from then on, whatever happens. False when it is NULL or memory ran out. */
MUST_USE bool json_put(json_t *object, const char *name, json_t *value);
/* Appends and owns `value`. */
MUST_USE bool json_push(json_t *array, json_t *value);

/* Text and lower-case hexadecimal members. */
MUST_USE bool json_put_text(json_t *object, const char *name, struct bytes text);
MUST_USE bool json_put_hex(json_t *object, const char *name, struct bytes value);
MUST_USE bool json_put_base64url(json_t *object, const char *name, struct bytes value);

/* Canonical text in `arena`; false when memory ran out. */
MUST_USE bool json_write(const json_t *value, struct arena *arena, struct bytes *out);

#endif
