/* syntax_internal.h: the character classes and the request target of RFC 9110, 9112 and 3986. Pure. */
#ifndef MUSTER_HTTP_SYNTAX_INTERNAL_H
#define MUSTER_HTTP_SYNTAX_INTERNAL_H

#include "lib/base/bytes.h"

static inline bool http_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* 0..15, or -1. */
int http_hex_value(uint8_t c);

/* tchar+ (RFC 9110 5.6.2). */
bool http_is_token(struct bytes text);

/* What may stand in a head: HTAB, SP, VCHAR and obs-text. */
static inline bool http_is_field_octet(uint8_t c)
{
    return c == '\t' || (c >= 0x20 && c != 0x7f);
}

/* uri-host [ ":" port ], without user information. */
bool http_is_authority(struct bytes text);

struct http_target {
    struct bytes authority; /* of the absolute form; none in the origin form */
    struct bytes path;      /* begins with '/' */
    struct bytes query;     /* data is NULL when there is no '?' */
};

/* Origin form, or absolute form with http or https (RFC 9112 3.2.1, 3.2.2). False for all else. */
MUST_USE bool http_target_split(struct bytes target, struct http_target *out);

#endif
