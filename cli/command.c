#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct command commands[] = {
    { "init", "[options]", "make a CA, keys, an officer, a registry and a configuration", run_init },
    { "register", "FQDN [options]", "preregister a device, or many by a pattern with '*'", run_register },
    { "close", "FQDN [options]", "close a registration: it admits nobody any more", run_close },
    { "revoke", "[FQDN] [options]", "revoke a certificate", run_revoke },
    { "list", "[options]", "list registrations", run_list },
    { "show", "ID|FQDN [options]", "show one registration", run_show },
    { "cert", "[FQDN] [options]", "list certificates", run_certificates },
    { "pending", "[options]", "list enrollments that wait for an officer", run_pending },
    { "approve", "ID [options]", "approve an enrollment that waits", run_approve },
    { "deny", "ID [options]", "deny an enrollment that waits", run_deny },
    { "explain", "FQDN [options]", "say which registrations match a name, and why each would refuse",
      run_explain },
    { "audit", "verify|show|head [options]", "verify or read the audit", run_audit },
    { "officer", "add|list [options]", "add or change an officer, list them", run_officer },
};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int fail_text(const char *format, ...)
{
    va_list list;

    (void)fputs("muster: ", stderr);
    va_start(list, format);
    (void)vfprintf(stderr, format, list);
    va_end(list);
    (void)fputc('\n', stderr);
    return EXIT_FAILED;
}

int fail(const struct error *err)
{
    return fail_text("%s", err->text);
}
