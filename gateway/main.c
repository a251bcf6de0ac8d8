/* musterd: the enrollment gateway. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/gateway.h"

static const char usage[] =
    "usage: musterd --config FILE [--check]\n"
    "\n"
    "  --config FILE  the configuration (default: $MUSTER_CONFIG, else /etc/muster/muster.yaml)\n"
    "  --check        check the configuration, its keys and certificates, and exit\n"
    "  --version      print the version and exit\n"
    "\n"
    "Signals: HUP reads the configuration anew, TERM and INT finish what is in flight and stop.\n";

/* What is loaded into clients beforehand, and what people compare. */
static void print_fingerprints(const struct config *config)
{
    char sha256[CA_FINGERPRINT_LEN], sha1[CA_FINGERPRINT_LEN];

    for (size_t i = 0; i < config->ca_count; i++) {
        const struct ca *ca = &config->ca[i];

        if (ca->chain_awaited)
            printf("CA %s: its chain is not known yet; the CA is asked for it\n", ca->name);
        else if (ca_fingerprint(ca, DIGEST_SHA256, sha256) && ca_fingerprint(ca, DIGEST_SHA1, sha1))
            printf("CA %s: SHA-256 %s, SHA-1 %s\n", ca->name, sha256, sha1);
        if (ca->anchor_count > 0 && !ca->chain_awaited)
            printf("CA %s: %zu certificates in its chain, %zu others, as it told them: %s\n", ca->name,
                   ca->chain_count, ca->other_count, ca->chain_path);
    }
}

/* What is not there yet and comes by itself. */
static void print_awaited(const struct config *config)
{
    for (size_t i = 0; i < config->services.count; i++) {
        const struct service_certificate *s = &config->services.item[i];

        if (service_is_awaited(s))
            printf("certificate of %s: %s is not there yet; CA %s is asked for it\n", s->what, s->path,
                   s->ca);
    }
    for (size_t i = 0; i < config->missing_key_count; i++)
        printf("key %s: %s is not there yet; musterd makes it\n", config->missing_key[i].name,
               config->missing_key[i].path);
}

static int check(const char *path)
{
    struct config *config;
    struct error err = { 0 };

    if (!config_load(path, &config, &err)) {
        fprintf(stderr, "musterd: %s\n", err.text);
        return EXIT_FAILURE;
    }
    printf("%s: well-formed; procedures: %zu, listeners: %zu\n", path, config->procedure_count,
           config->listener_count);
    print_fingerprints(config);
    print_awaited(config);
    config_free(config);
    return EXIT_SUCCESS;
}

static void reload(struct gateway *gateway)
{
    struct error err = { 0 };
    const char *note = NULL;

    if (!gateway_reload(gateway, &note, &err))
        log_fields(LOG_ERROR, "reload", LOG_CTEXT("result", "kept the old configuration"),
                   LOG_CTEXT("error", err.text));
    else
        log_fields(LOG_INFO, "reload", LOG_CTEXT("result", "done"), LOG_CTEXT("note", note));
}

static int serve(const char *path)
{
    struct gateway gateway;
    struct error err = { 0 };
    sigset_t signals;
    int signal_number = 0;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGHUP);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);

    if (!gateway_start(&gateway, path, &err)) {
        fprintf(stderr, "musterd: %s\n", err.text);
        return EXIT_FAILURE;
    }
    log_fields(LOG_INFO, "started", LOG_CTEXT("config", path), LOG_NUMBER("pid", getpid()));
    do {
        if (sigwait(&signals, &signal_number) == 0 && signal_number == SIGHUP)
            reload(&gateway);
    } while (signal_number == SIGHUP);
    log_fields(LOG_INFO, "stopping", LOG_CTEXT("signal", signal_number == SIGINT ? "INT" : "TERM"));
    gateway_stop(&gateway);
    log_fields(LOG_INFO, "stopped", LOG_NUMBER("pid", getpid()));
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "check", no_argument, NULL, 'k' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'v' },
        { 0 },
    };
    const char *path = getenv("MUSTER_CONFIG") != NULL ? getenv("MUSTER_CONFIG") : "/etc/muster/muster.yaml";
    bool check_only = false;
    int option;

    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c': path = optarg; break;
        case 'k': check_only = true; break;
        case 'h': return printf("%s", usage) < 0;
        case 'v': return puts("musterd " MUSTER_VERSION) < 0;
        default: return fprintf(stderr, "%s", usage) < 0 ? EXIT_FAILURE : 2;
        }
    }
    if (optind < argc)
        return fprintf(stderr, "musterd: unexpected argument '%s'\n%s", argv[optind], usage) < 0
                   ? EXIT_FAILURE
                   : 2;
    return check_only ? check(path) : serve(path);
}
