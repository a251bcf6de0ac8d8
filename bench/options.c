#include "bench/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static bool take_option(int option, struct load_options *options)
{
    switch (option) {
    case 't': options->target = optarg; return true;
    case 'c': options->trust = optarg; return true;
    case 'u': options->user = optarg; return true;
    case 's': options->password = optarg; return true;
    case 'n': options->pattern = optarg; return true;
    case 'k': options->clients = (unsigned)strtoul(optarg, NULL, 10); return true;
    case 'N': options->count = strtoul(optarg, NULL, 10); return true;
    case 'l': options->pool = (unsigned)strtoul(optarg, NULL, 10); return true;
    case 'w': options->keep_alive = false; return true;
    case 'p': options->pid = (int)strtol(optarg, NULL, 10); return true;
    case 'j': options->json = true; return true;
    case 'S': options->with_signatures = true; return true;
    case 'K': options->kid = optarg; return true;
    case 'H': options->hmac = optarg; return true;
    case 'i': options->implicit_confirm = true; return true;
    default: return false;
    }
}

bool load_options_read(int argc, char **argv, const char *usage, struct load_options *options)
{
    static const struct option rows[] = {
        { "target", required_argument, NULL, 't' }, { "trust", required_argument, NULL, 'c' },
        { "user", required_argument, NULL, 'u' },   { "password", required_argument, NULL, 's' },
        { "names", required_argument, NULL, 'n' },  { "clients", required_argument, NULL, 'k' },
        { "count", required_argument, NULL, 'N' },  { "pool", required_argument, NULL, 'l' },
        { "new", no_argument, NULL, 'w' },          { "pid", required_argument, NULL, 'p' },
        { "json", no_argument, NULL, 'j' },         { "signed", no_argument, NULL, 'S' },
        { "implicit", no_argument, NULL, 'i' },     { "kid", required_argument, NULL, 'K' },
        { "hmac", required_argument, NULL, 'H' },   { 0 },
    };
    bool sound = true;
    int option;

    while (sound && (option = getopt_long(argc, argv, "", rows, NULL)) != -1)
        sound = take_option(option, options);
    if (sound && options->target != NULL && options->count > 0 && options->clients > 0 && options->pool > 0)
        return true;
    fputs(usage, stderr);
    return false;
}
