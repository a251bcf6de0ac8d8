/* options.h: the options of one command as rows: "--name VALUE", "--name=VALUE" or a flag, in any order with
 * the arguments; "--" ends options; --help is made from the rows. */
#ifndef MUSTER_CLI_OPTIONS_H
#define MUSTER_CLI_OPTIONS_H

#include "lib/base/bytes.h"

enum { OPTION_VALUES_MAX = 64 };

/* A repeatable option's values. */
struct option_values {
    const char *value[OPTION_VALUES_MAX];
    size_t count;
};

struct option {
    const char *name;  /* without "--" */
    const char *value; /* what its value is called in --help; NULL: a flag */
    const char *help;
    bool *flag;
    const char **text;
    struct option_values *values;
};

enum options_result {
    OPTIONS_WRONG = 0 /* said on standard error */,
    OPTIONS_HELP /* printed */,
    OPTIONS_OK
};

/* Arguments that are no options go to `argument`, at most `arguments_max`; more is wrong. */
enum options_result options_parse(int argc, char **argv, const struct option *options, size_t count,
                                  const char **argument, size_t arguments_max);

/* The return of a command after anything but OPTIONS_OK. */
int options_exit(enum options_result result);

#endif
