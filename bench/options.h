/* options.h: what the commands that load a gateway are told, one table for all of them. */
#ifndef MUSTER_BENCH_OPTIONS_H
#define MUSTER_BENCH_OPTIONS_H

#include "bench/arguments.h"
#include "bench/key_type.h"
#include "bench/load.h"

struct load_options {
    struct argument_texts target; /* URL; of a mix PROTOCOL=URL */
    const char *mix;              /* NULL: enroll alone */
    /* who asks for what */
    const char *pattern;              /* names */
    const char *user;                 /* HTTP Basic, "user:password"; NULL: not told */
    const char *password;             /* challengePassword; CMP's shared secret */
    const char *kid, *hmac;           /* ACME's external account binding; NULL: none */
    const struct key_type *key;       /* NULL: the protocol's own choice */
    uint64_t pool;                    /* keys that the exchanges share; 0: one each */
    uint64_t accounts;                /* ACME */
    bool is_signed, implicit_confirm; /* CMP */
    /* how */
    uint64_t clients, count; /* count 0: as many as the duration may take */
    double rate, warm_up_s, duration_s, think_s;
    enum load_connections connections;
    /* what is believed, measured and told */
    const char *trust, *issuer; /* PEM */
    uint64_t pid;
    bool floor, json, progress;
    const char *html; /* file */
};

/* Exchanges that are made beforehand when it is not said how many: these, or so many for each second. */
enum { LOAD_COUNT_DEFAULT = 2000, LOAD_COUNT_A_SECOND = 2000 };

/* Reads the arguments over the defaults. False: they make no sense; `usage`, and that of the options that all
 * have, was printed, or what it is. */
MUST_USE bool load_options_read(int argc, char **argv, const char *usage, struct load_options *out);

/* What the loop is told by them; the works are left out. */
struct load_plan load_options_plan(const struct load_options *options);

#endif
