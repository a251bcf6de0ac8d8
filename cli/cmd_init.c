/* cmd_init.c: muster init */
#include <stdio.h>

#include "cli/command.h"
#include "cli/init.h"
#include "cli/options.h"
#include "lib/base/clock.h"

static bool take_port(const char *text, unsigned *port)
{
    uint64_t number;

    if (text == NULL)
        return true;
    if (!bytes_to_u64(bytes_text(text), UINT16_MAX, &number) || number == 0)
        return false;
    *port = (unsigned)number;
    return true;
}

static bool is_name(const char *text)
{
    return text[0] != '\0' && text[0] != '.' && strlen(text) <= 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(text);
}

int run_init(int argc, char **argv)
{
    struct init_options init = { .dir = ".",
                                 .domain = "devices",
                                 .procedure = "routers",
                                 .ca_name = "demo",
                                 .ca_subject = "CN=muster demo CA",
                                 .officer = "first officer",
                                 .hosts = "127.0.0.1,localhost",
                                 .http_port = 8080,
                                 .tls_port = 8443,
                                 .admin_port = 8444 };
    const char *http_port = NULL, *tls_port = NULL, *admin_port = NULL;
    const struct option options[] = {
        { "dir", "DIR", "where all of it goes (the current folder)", .text = &init.dir },
        { "domain", "NAME", "name of the domain (devices)", .text = &init.domain },
        { "procedure", "NAME", "name of the procedure (routers)", .text = &init.procedure },
        { "host", "LIST", "names and addresses of this gateway (127.0.0.1,localhost)", .text = &init.hosts },
        { "http-port", "PORT", "plain HTTP (8080)", .text = &http_port },
        { "tls-port", "PORT", "TLS (8443)", .text = &tls_port },
        { "admin-port", "PORT", "administration (8444)", .text = &admin_port },
        { "ca-name", "NAME", "name of the CA in URLs (demo)", .text = &init.ca_name },
        { "ca-subject", "NAME", "of a new CA, as CN=Demo CA,O=Example", .text = &init.ca_subject },
        { "ca-rsa", NULL, "a new CA's key is RSA 3072, not EC P-256", .flag = &init.rsa },
        { "ca-cert", "FILE", "an existing CA: its chain in PEM, the issuing CA first",
          .text = &init.ca_certificate },
        { "ca-key", "URI", "an existing CA's key: a path or an OSSL_STORE URI (pkcs11:...)",
          .text = &init.ca_key },
        { "officer-name", "TEXT", "the first officer, who has all rights", .text = &init.officer },
        { "manual-approval", NULL, "an officer approves each first enrollment",
          .flag = &init.manual_approval },
    };
    enum options_result parsed = options_parse(argc, argv, options, COUNT_OF(options), NULL, 0);
    struct init_fingerprints fingerprints;
    struct error err = { 0 };

    if (parsed != OPTIONS_OK)
        return options_exit(parsed);
    if ((init.ca_certificate == NULL) != (init.ca_key == NULL))
        return fail_text("init: --ca-cert and --ca-key go together");
    if (!is_name(init.domain) || !is_name(init.procedure) || !is_name(init.ca_name))
        return fail_text("init: names have letters, digits, '.', '_' and '-'");
    if (!take_port(http_port, &init.http_port) || !take_port(tls_port, &init.tls_port) ||
        !take_port(admin_port, &init.admin_port))
        return fail_text("init: a port is a number from 1 to 65535");
    if (!init_installation(&init, clock_now_s(), &fingerprints, &err))
        return fail(&err);
    printf(
        "%s/muster.yaml is ready.\n"
        "start the gateway:   musterd --config %s/muster.yaml\n"
        "register a device:   MUSTER_CONFIG=%s/muster.yaml muster register FQDN --procedure %s --generate\n"
        "the officer's key is %s/officer.key: keep it somewhere safer\n"
        "the CA's certificate: SHA-256 %s\n"
        "                      SHA-1   %s\n",
        init.dir, init.dir, init.dir, init.procedure, init.dir, fingerprints.sha256, fingerprints.sha1);
    return EXIT_DONE;
}
