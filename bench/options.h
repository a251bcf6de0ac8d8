/* options.h: what the commands that load a gateway are told, one table for all of them. */
#ifndef MUSTER_BENCH_OPTIONS_H
#define MUSTER_BENCH_OPTIONS_H

#include "lib/base/base.h"

struct load_options {
    const char *target, *trust, *pattern;
    const char *user;       /* HTTP Basic, "user:password" */
    const char *password;   /* challengePassword; CMP's shared secret */
    const char *kid, *hmac; /* ACME's external account binding; NULL: none */
    unsigned clients, pool;
    size_t count;
    bool keep_alive, json;
    bool with_signatures, implicit_confirm; /* CMP */
    int pid;
};

#define LOAD_OPTIONS_DEFAULT                                       \
    ((struct load_options){ .user = "bench:bench-secret",          \
                            .password = "bench-secret",            \
                            .pattern = "unit-*.bench.example.com", \
                            .clients = 64,                         \
                            .pool = 32,                            \
                            .count = 2000,                         \
                            .keep_alive = true })

/* Reads the arguments into *options, which holds the defaults. False: they make no sense; `usage` was
 * printed. */
bool load_options_read(int argc, char **argv, const char *usage, struct load_options *options);

#endif
