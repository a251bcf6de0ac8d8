/* bytes.h: a borrowed run of bytes; what all input is until it has become a checked type.
 * Never owns; lives as long as what it points into (usually the request's arena). Text is bytes in UTF-8. */
#ifndef MUSTER_BYTES_H
#define MUSTER_BYTES_H

#include <string.h>

#include "lib/base/base.h"

struct bytes {
    const uint8_t *data;
    size_t len;
};

#define BYTES_NONE ((struct bytes){ NULL, 0 })
/* printf("%.*s", BYTES_FMT(b)): only for text that is known to be printable. */
#define BYTES_FMT(b) (int)(b).len, (const char *)((b).data != NULL ? (b).data : (const uint8_t *)"")
/* The bytes of a fixed array or string literal. */
#define BYTES_ARRAY(a)      ((struct bytes){ (const uint8_t *)(a), sizeof(a) })
#define BYTES_LITERAL(text) ((struct bytes){ (const uint8_t *)(text), sizeof(text) - 1 })

static inline struct bytes bytes_of(const void *data, size_t len)
{
    return (struct bytes){ (const uint8_t *)data, len };
}

/* The characters of a C string without its NUL; none for NULL. */
static inline struct bytes bytes_text(const char *text)
{
    return text == NULL ? BYTES_NONE : bytes_of(text, strlen(text));
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bytes_is(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_text(text));
}

/* The part from `from`, at most `len` long, cut to what is there. */
static inline struct bytes bytes_slice(struct bytes b, size_t from, size_t len)
{
    if (from > b.len)
        from = b.len;
    if (len > b.len - from)
        len = b.len - from;
    return bytes_of(from == 0 ? b.data : b.data + from, len); /* NULL + 0 is undefined */
}

static inline struct bytes bytes_from(struct bytes b, size_t from)
{
    return bytes_slice(b, from, SIZE_MAX);
}

/* <0, 0, >0 as memcmp; a prefix sorts before what it begins. */
int bytes_compare(struct bytes a, struct bytes b);

/* Equal in content. Time depends on the lengths alone. */
bool bytes_equal_constant_time(struct bytes a, struct bytes b);

/* ASCII letters compare without case; all other bytes as they are. */
bool bytes_equal_nocase(struct bytes a, struct bytes b);
bool bytes_is_nocase(struct bytes a, const char *text);

bool bytes_starts_with(struct bytes b, const char *prefix);
bool bytes_ends_with(struct bytes b, const char *suffix);

/* Without ASCII space, tab, CR and LF at both ends. */
struct bytes bytes_trim(struct bytes b);

/* Position of the first `byte`, or b.len. */
size_t bytes_find(struct bytes b, uint8_t byte);

/* Splits off what stands before the first `separator` and moves *rest behind it. False when *rest was
 * exhausted: NULL data marks that. An empty input yields one empty part. */
bool bytes_split(struct bytes *rest, uint8_t separator, struct bytes *part);

/* A decimal number without sign or leading blanks, at most `max`. False when it is not one. */
bool bytes_to_u64(struct bytes b, uint64_t max, uint64_t *out);

/* Well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool bytes_is_utf8(struct bytes b);

/* Some byte below 0x20 or 0x7f. */
bool bytes_has_control(struct bytes b);

#endif
