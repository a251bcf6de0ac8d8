#define MUSTER_ERROR_C
#include "lib/base/error.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return false;
    err->code = code;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return false;
}

bool error_openssl(struct error *err, const char *what)
{
    unsigned long code = ERR_get_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);

    ERR_clear_error();
    return error_set(err, ERROR_CRYPTO, "%s: %s", what, reason != NULL ? reason : "no reason given");
}

bool error_errno(struct error *err, const char *what)
{
    return error_set(err, ERROR_IO, "%s: %s", what, strerror(errno));
}

bool error_prefix(struct error *err, const char *context)
{
    char text[sizeof(err->text)];

    if (err == NULL)
        return false;
    (void)snprintf(text, sizeof(text), "%s: %.*s", context, (int)sizeof(text) / 2, err->text);
    memcpy(err->text, text, sizeof(text));
    return false;
}

const char *error_code_name(enum error_code code)
{
    switch (code) {
    case ERROR_NONE: return "none";
    case ERROR_MEMORY: return "memory";
    case ERROR_LIMIT: return "limit";
    case ERROR_FORMAT: return "format";
    case ERROR_NOT_FOUND: return "not_found";
    case ERROR_CONFLICT: return "conflict";
    case ERROR_DENIED: return "denied";
    case ERROR_CRYPTO: return "crypto";
    case ERROR_STORAGE: return "storage";
    case ERROR_IO: return "io";
    case ERROR_BUDGET: return "budget";
    case ERROR_UNAVAILABLE: return "unavailable";
    case ERROR_UNSUPPORTED: return "unsupported";
    case ERROR_INTERNAL: return "internal";
    }
    return "unknown";
}
