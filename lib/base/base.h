/* base.h: the few things that every file uses.
 *
 * The one convention of muster: a function that can fail for our reasons is
 *     MUST_USE bool f(in..., out *, struct error *err);
 * On failure it returns false, says why in *err and leaves its outputs untouched. A device's fault is not an
 * error: it is a value (enum refusal, a *_fault enum). */
#ifndef MUSTER_BASE_H
#define MUSTER_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE       __attribute__((warn_unused_result))
#define PRINTF(at, va) __attribute__((format(printf, at, va)))
#define UNUSED         __attribute__((unused))
#define COUNT_OF(a)    (sizeof(a) / sizeof((a)[0]))

/* Clean-up on the variable. AUTO(X509) *p needs auto_X509(X509 **); AUTO_STRUCT(buffer) b needs
 * auto_buffer(struct buffer *). take(p) moves ownership out of the variable. */
#define AUTO(type)       __attribute__((cleanup(auto_##type))) type
#define AUTO_STRUCT(tag) __attribute__((cleanup(auto_##tag))) struct tag
#define take(p)                     \
    (__extension__({                \
        __typeof__(p) taken_ = (p); \
        (p) = NULL;                 \
        taken_;                     \
    }))

/* Defines auto_<type>(type **) from a free function that accepts NULL or is guarded here. */
#define AUTO_POINTER(type, free_function)           \
    UNUSED static inline void auto_##type(type **p) \
    {                                               \
        if (*p != NULL)                             \
            free_function(*p);                      \
    }

#endif
