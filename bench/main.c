/* muster-bench: the load generator. A command is a file and a row. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/registry_bench.h"
#include "bench/work.h"
#include "lib/base/base.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} command[] = {
    { "est", bench_est, "a server of EST: enrollments, renewals, polls" },
    { "scep", bench_scep, "a server of SCEP: the same" },
    { "cmp", bench_cmp, "a server of CMP: the same, and revocations" },
    { "acme", bench_acme, "a server of ACME: orders to the certificate, polls, revocations" },
    { "mix", work_run_mix, "several of them at the same time" },
    { "issue", bench_issue, "a certificate from a CSR, against its cryptography alone" },
    { "http", bench_http, "a request through lib/net and lib/http, against a bare loop" },
    { "idle", bench_idle, "memory of the gateway for connections that do nothing" },
    { "drip", bench_drip, "how long a connection lives that is fed one octet at a time" },
    { "match", bench_match,
      "finding the registrations of a name, against a scan and among hostile patterns" },
    { "import", bench_import, "bulk import, against a raw append of the same rows" },
    { "commit", bench_commit, "records in one commit, against a commit each" },
    { "seed", bench_seed, "fills a gateway's registry, to measure it at that size" },
    { "registry", bench_registry, "look-ups and import of the registry at several sizes" },
};

static int usage(FILE *to)
{
    (void)fprintf(to, "usage: muster-bench COMMAND [OPTION...]\n");
    for (size_t i = 0; i < COUNT_OF(command); i++)
        (void)fprintf(to, "  %-10s %s\n", command[i].name, command[i].what);
    return to == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN); /* a server may close whenever it likes */
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0))
        return usage(stdout);
    for (size_t i = 0; argc > 1 && i < COUNT_OF(command); i++)
        if (strcmp(argv[1], command[i].name) == 0)
            return command[i].run(argc - 1, argv + 1);
    return usage(stderr);
}
