#include "bench/options.h"

#include <stdio.h>
#include <unistd.h>

static const char common_usage[] =
    "\n"
    "Who asks:\n"
    "  --names PATTERN  the FQDNs, * counts (default unit-*.bench.example.com): register it reusable\n"
    "  --key TYPE       of the devices: p256, p384, rsa2048, rsa3072, ed25519\n"
    "  --pool N         so many keys for all exchanges, for a procedure that allows that (default: one "
    "each;\n"
    "                   of RSA keys, 32)\n"
    "How:\n"
    "  --clients N      at once, a connection each (default 64, at most 1024)\n"
    "  --count N        exchanges, made beforehand (default 2000; 2000 for each second of a duration)\n"
    "  --duration T     the interval ends after T seconds (250ms, 10s, 2m), whatever is left\n"
    "  --warmup T       before the interval: what ends in it is not measured\n"
    "  --rate R         open loop: R exchanges a second are due; latency counts from when one was due\n"
    "                   (default: closed loop, a client begins the next when one is over)\n"
    "  --think T        closed loop: between two exchanges of a client\n"
    "  --new            a new connection for each exchange (default: kept)\n"
    "  --resume         the same, resumed from a TLS session\n"
    "What is believed and told:\n"
    "  --trust FILE     PEM of the server's anchor (left out: the server is not verified)\n"
    "  --issuer FILE    PEM that each certificate must lead to (default: --trust)\n"
    "  --pid N          the target's process on this machine, for its CPU time\n"
    "  --floor          what the cryptography of an exchange alone costs (implied by --pid)\n"
    "  --json           one line of JSON\n"
    "  --html FILE      a report with plots\n"
    "  --progress       a line on standard error (default: when it is a terminal)\n";

static bool complain(const char *what)
{
    (void)fprintf(stderr, "muster-bench: %s\n", what);
    return false;
}

static bool judge(const struct load_options *o)
{
    if (o->target.count == 0)
        return complain("--target is missing");
    if (o->clients > LOAD_CLIENTS_MAX)
        return complain("at most 1024 clients");
    if (o->rate > 0 && o->think_s > 0)
        return complain("--think is of the closed loop, --rate of the open one");
    if ((o->kid == NULL) != (o->hmac == NULL))
        return complain("--kid and --hmac go together");
    return true;
}

static size_t count_of(const struct load_options *o)
{
    double seconds = o->warm_up_s + o->duration_s;

    if (o->duration_s <= 0)
        return LOAD_COUNT_DEFAULT;
    return (size_t)(seconds * (o->rate > 0 ? o->rate : LOAD_COUNT_A_SECOND)) + 1;
}

bool load_options_read(int argc, char **argv, const char *usage, struct load_options *out)
{
    struct load_options o = { .password = "bench-secret",
                              .pattern = "unit-*.bench.example.com",
                              .clients = 64,
                              .accounts = 32,
                              .progress = isatty(STDERR_FILENO) == 1 };
    const char *key = NULL;
    bool fresh = false, resumed = false;
    const struct argument table[] = {
        { "target", ARGUMENT_TEXTS, { .texts = &o.target } },
        { "mix", ARGUMENT_TEXT, { .text = &o.mix } },
        { "names", ARGUMENT_TEXT, { .text = &o.pattern } },
        { "user", ARGUMENT_TEXT, { .text = &o.user } },
        { "password", ARGUMENT_TEXT, { .text = &o.password } },
        { "kid", ARGUMENT_TEXT, { .text = &o.kid } },
        { "hmac", ARGUMENT_TEXT, { .text = &o.hmac } },
        { "key", ARGUMENT_TEXT, { .text = &key } },
        { "pool", ARGUMENT_NUMBER, { .number = &o.pool } },
        { "accounts", ARGUMENT_NUMBER, { .number = &o.accounts } },
        { "signed", ARGUMENT_FLAG, { .flag = &o.is_signed } },
        { "implicit", ARGUMENT_FLAG, { .flag = &o.implicit_confirm } },
        { "clients", ARGUMENT_NUMBER, { .number = &o.clients } },
        { "count", ARGUMENT_NUMBER, { .number = &o.count } },
        { "rate", ARGUMENT_AMOUNT, { .amount = &o.rate } },
        { "warmup", ARGUMENT_SECONDS, { .amount = &o.warm_up_s } },
        { "duration", ARGUMENT_SECONDS, { .amount = &o.duration_s } },
        { "think", ARGUMENT_SECONDS, { .amount = &o.think_s } },
        { "new", ARGUMENT_FLAG, { .flag = &fresh } },
        { "resume", ARGUMENT_FLAG, { .flag = &resumed } },
        { "trust", ARGUMENT_TEXT, { .text = &o.trust } },
        { "issuer", ARGUMENT_TEXT, { .text = &o.issuer } },
        { "pid", ARGUMENT_NUMBER, { .number = &o.pid } },
        { "floor", ARGUMENT_FLAG, { .flag = &o.floor } },
        { "json", ARGUMENT_FLAG, { .flag = &o.json } },
        { "html", ARGUMENT_TEXT, { .text = &o.html } },
        { "progress", ARGUMENT_FLAG, { .flag = &o.progress } },
    };

    if (!arguments_read(argc, argv, usage, table, COUNT_OF(table))) {
        (void)fputs(common_usage, stderr);
        return false;
    }
    o.key = key != NULL ? key_type_find(key) : NULL;
    if (key != NULL && o.key == NULL)
        return complain("--key is one of p256, p384, rsa2048, rsa3072, ed25519");
    if (!judge(&o))
        return false;
    o.connections = resumed ? LOAD_RESUME : fresh ? LOAD_NEW : LOAD_KEEP;
    o.floor = o.floor || o.pid > 0;
    o.issuer = o.issuer != NULL ? o.issuer : o.trust;
    if (o.count == 0)
        o.count = count_of(&o);
    *out = o;
    return true;
}

struct load_plan load_options_plan(const struct load_options *o)
{
    return (struct load_plan){ .trust_path = o->trust,
                               .clients = (unsigned)o->clients,
                               .connections = o->connections,
                               .rate = o->rate,
                               .warm_up_s = o->warm_up_s,
                               .duration_s = o->duration_s,
                               .late_max_s = LINK_PATIENCE_S,
                               .think_s = o->think_s,
                               .target_pid = (int)o->pid,
                               .progress = o->progress };
}
