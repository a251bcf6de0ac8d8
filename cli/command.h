/* command.h: a command of `muster` is a file and a row in the table. Exit codes: 0 done; 1 refused by the
 * gateway, or what was checked is not sound; 2 wrong usage, configuration, or nobody answers. */
#ifndef MUSTER_CLI_COMMAND_H
#define MUSTER_CLI_COMMAND_H

#include "lib/base/error.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_FAILED = 2 };

struct command {
    const char *name;
    const char *arguments;             /* "FQDN [options]" */
    const char *summary;               /* one line */
    int (*run)(int argc, char **argv); /* argv[0]: the command's name */
};

extern const struct command commands[];
extern const size_t command_count;
const struct command *command_find(const char *name);

int run_init(int argc, char **argv);
int run_register(int argc, char **argv);
int run_close(int argc, char **argv);
int run_revoke(int argc, char **argv);
int run_list(int argc, char **argv);
int run_show(int argc, char **argv);
int run_certificates(int argc, char **argv);
int run_pending(int argc, char **argv);
int run_approve(int argc, char **argv);
int run_deny(int argc, char **argv);
int run_explain(int argc, char **argv);
int run_audit(int argc, char **argv);
int run_officer(int argc, char **argv);

/* "muster: text" on standard error; EXIT_FAILED. */
int fail(const struct error *err);
int fail_text(const char *format, ...) PRINTF(1, 2);

#endif
