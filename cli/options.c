#include "cli/options.h"

#include <stdio.h>

#include "cli/command.h"

static void print_help(const char *name, const struct option *options, size_t count)
{
    const struct command *command = command_find(name);

    if (command != NULL)
        printf("usage: muster %s %s\n\n%s\n\n", command->name, command->arguments, command->summary);
    for (size_t i = 0; i < count; i++) {
        char left[64];

        (void)snprintf(left, sizeof(left), "--%s%s%s", options[i].name, options[i].value != NULL ? " " : "",
                       options[i].value != NULL ? options[i].value : "");
        printf("  %-28s %s\n", left, options[i].help);
    }
    printf("\nExit codes: 0 done; 1 refused by the gateway, or not sound; 2 wrong usage, configuration, or "
           "nobody "
           "answers.\n");
}

static const struct option *find_option(struct bytes name, const struct option *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_is(name, options[i].name))
            return &options[i];
    return NULL;
}

static bool set_value(const struct option *option, const char *value)
{
    if (option->text != NULL) {
        *option->text = value;
        return true;
    }
    if (option->values->count == OPTION_VALUES_MAX) {
        (void)fail_text("--%s: at most %d times", option->name, OPTION_VALUES_MAX);
        return false;
    }
    option->values->value[option->values->count++] = value;
    return true;
}

/* One option at argv[*at]; *at moves over its value. */
static bool take_option(int argc, char **argv, int *at, const struct option *options, size_t count)
{
    struct bytes name, rest = bytes_text(argv[*at] + 2);
    bool has_value = bytes_find(rest, '=') < rest.len;
    const struct option *option;

    (void)bytes_split(&rest, '=', &name);
    option = find_option(name, options, count);
    if (option == NULL) {
        (void)fail_text("%s: unknown option --%.*s (see muster %s --help)", argv[0], BYTES_FMT(name),
                        argv[0]);
        return false;
    }
    if (option->value == NULL) {
        *option->flag = true;
        if (has_value)
            (void)fail_text("--%s takes no value", option->name);
        return !has_value;
    }
    if (has_value)
        return set_value(option, (const char *)rest.data);
    if (*at + 1 == argc) {
        (void)fail_text("--%s needs a value", option->name);
        return false;
    }
    return set_value(option, argv[++*at]);
}

enum options_result options_parse(int argc, char **argv, const struct option *options, size_t count,
                                  const char **argument, size_t arguments_max)
{
    bool all_arguments = false;
    size_t arguments = 0;

    for (int i = 1; i < argc; i++) {
        if (!all_arguments && strcmp(argv[i], "--") == 0) {
            all_arguments = true;
        } else if (!all_arguments && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            print_help(argv[0], options, count);
            return OPTIONS_HELP;
        } else if (!all_arguments && strncmp(argv[i], "--", 2) == 0) {
            if (!take_option(argc, argv, &i, options, count))
                return OPTIONS_WRONG;
        } else if (arguments == arguments_max) {
            (void)fail_text("%s: unexpected argument '%s'", argv[0], argv[i]);
            return OPTIONS_WRONG;
        } else {
            argument[arguments++] = argv[i];
        }
    }
    return OPTIONS_OK;
}

int options_exit(enum options_result result)
{
    return result == OPTIONS_HELP ? EXIT_DONE : EXIT_FAILED;
}
