/* arguments.h: the options of a command of muster-bench: a table of names and what they set. */
#ifndef MUSTER_BENCH_ARGUMENTS_H
#define MUSTER_BENCH_ARGUMENTS_H

#include "lib/base/base.h"

enum argument_kind {
    ARGUMENT_FLAG = 0,
    ARGUMENT_TEXT,
    ARGUMENT_TEXTS, /* may come several times */
    ARGUMENT_NUMBER,
    ARGUMENT_AMOUNT,  /* "12.5" */
    ARGUMENT_SECONDS, /* "10", "10s", "250ms", "2m" */
};

enum { ARGUMENT_TEXTS_MAX = 8 };
struct argument_texts {
    const char *text[ARGUMENT_TEXTS_MAX];
    size_t count;
};

struct argument {
    const char *name; /* without "--" */
    enum argument_kind kind;
    union {
        bool *flag;
        const char **text;
        struct argument_texts *texts;
        uint64_t *number; /* from 1 to UINT32_MAX, which numbers here always fit */
        double *amount;   /* above 0, of seconds too */
    };
};
enum { ARGUMENTS_MAX = 32 };

/* Sets what `table` points to. False: they make no sense; `usage` was printed, as
 * for --help. */
bool arguments_read(int argc, char **argv, const char *usage, const struct argument *table, size_t count);

#endif
