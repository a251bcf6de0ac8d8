/* arguments.h: the options of a command of muster-bench that loads nobody: a table of names and what they
 * set. */
#ifndef MUSTER_BENCH_ARGUMENTS_H
#define MUSTER_BENCH_ARGUMENTS_H

#include "lib/base/base.h"

enum argument_kind { ARGUMENT_FLAG = 0, ARGUMENT_TEXT, ARGUMENT_NUMBER };

struct argument {
    const char *name; /* without "--" */
    enum argument_kind kind;
    union {
        bool *flag;
        const char **text;
        uint64_t *number; /* from 1 to UINT32_MAX, which numbers here always fit */
    };
};
enum { ARGUMENTS_MAX = 16 };

/* Sets what `table` points to. False: they make no sense; `usage` was printed. */
bool arguments_read(int argc, char **argv, const char *usage, const struct argument *table, size_t count);

#endif
