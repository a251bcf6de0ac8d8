/* error.h: what went wrong on our side. Values, no global state; text is for the log, never for the wire. */
#ifndef MUSTER_ERROR_H
#define MUSTER_ERROR_H

#include "lib/base/base.h"

enum error_code {
    ERROR_NONE = 0,
    ERROR_MEMORY,      /* an allocation failed, or an arena or buffer reached its bound */
    ERROR_LIMIT,       /* a configured limit was reached */
    ERROR_FORMAT,      /* input of ours (configuration, stored record, key file) is malformed */
    ERROR_NOT_FOUND,   /* something that must be there is not */
    ERROR_CONFLICT,    /* an assumption no longer holds */
    ERROR_DENIED,      /* not allowed to this caller */
    ERROR_CRYPTO,      /* libcrypto or a key refused */
    ERROR_STORAGE,     /* the registry's storage failed */
    ERROR_IO,          /* a file, socket or process failed */
    ERROR_BUDGET,      /* a match or a scan was too expensive and was given up */
    ERROR_UNAVAILABLE, /* someone else (CA, disk space) cannot serve now */
    ERROR_UNSUPPORTED, /* not built in, or a newer version than this program knows */
    ERROR_INTERNAL,    /* a defect of ours */
};

struct error {
    enum error_code code;
    char text[256];
};

/* Fills *err (which may be NULL) and returns false, so that `return error_set(err, ...)` reads well. */
bool error_set(struct error *err, enum error_code code, const char *format, ...) PRINTF(3, 4);

/* As error_set with ERROR_CRYPTO, the oldest entry of this thread's OpenSSL error queue appended; the queue
 * is emptied. */
bool error_openssl(struct error *err, const char *what);

/* As error_set with ERROR_IO, strerror(errno) appended. */
bool error_errno(struct error *err, const char *what);

/* Puts "context: " before the text of an error that is already set. Returns false. */
bool error_prefix(struct error *err, const char *context);

#if defined(__clang_analyzer__) && !defined(MUSTER_ERROR_C)
/* It sees one file at a time, and would follow paths on which these return true. */
#define error_set(...)     ((void)error_set(__VA_ARGS__), false)
#define error_openssl(...) ((void)error_openssl(__VA_ARGS__), false)
#define error_errno(...)   ((void)error_errno(__VA_ARGS__), false)
#define error_prefix(...)  ((void)error_prefix(__VA_ARGS__), false)
#endif

const char *error_code_name(enum error_code code);

#endif
