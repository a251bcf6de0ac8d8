#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

static int usage(FILE *to, int code)
{
    (void)fputs("usage: muster COMMAND [options]\n\n", to);
    for (size_t i = 0; i < command_count; i++)
        (void)fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
    (void)fputs(
        "\n`muster COMMAND --help` explains each. Exit codes: 0 done; 1 refused by the gateway, or not "
        "sound; 2 wrong usage,\nconfiguration, or nobody answers. Environment: MUSTER_CONFIG, "
        "MUSTER_SERVER, MUSTER_OFFICER, MUSTER_CA.\n",
        to);
    return code;
}

int main(int argc, char **argv)
{
    const struct command *command;
    int code;

    if (argc < 2)
        return usage(stderr, EXIT_FAILED);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return usage(stdout, EXIT_DONE);
    if (strcmp(argv[1], "--version") == 0) {
        (void)puts("muster " MUSTER_VERSION);
        return EXIT_DONE;
    }
    command = command_find(argv[1]);
    if (command == NULL) {
        (void)fail_text("there is no command '%s'", argv[1]);
        return usage(stderr, EXIT_FAILED);
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail_text("libcurl does not start");
    code = command->run(argc - 1, argv + 1);
    curl_global_cleanup();
    return code;
}
