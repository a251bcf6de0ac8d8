#include "bench/arguments.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>

#include "lib/base/bytes.h"

static bool set(const struct argument *argument, const char *value)
{
    switch (argument->kind) {
    case ARGUMENT_FLAG: *argument->flag = true; return true;
    case ARGUMENT_TEXT: *argument->text = value; return true;
    case ARGUMENT_NUMBER:
        return bytes_to_u64(bytes_text(value), UINT32_MAX, argument->number) && *argument->number > 0;
    }
    return false;
}

bool arguments_read(int argc, char **argv, const char *usage, const struct argument *table, size_t count)
{
    struct option rows[ARGUMENTS_MAX + 1] = { 0 };
    bool sound = true;
    int option;

    assert(count <= ARGUMENTS_MAX);
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct option){ table[i].name,
                                   table[i].kind == ARGUMENT_FLAG ? no_argument : required_argument, NULL,
                                   (int)i + 1 };
    optind = 1;
    while (sound && (option = getopt_long(argc, argv, "", rows, NULL)) != -1)
        sound = option > 0 && (size_t)option <= count && set(&table[option - 1], optarg);
    if (sound && optind == argc)
        return true;
    fputs(usage, stderr);
    return false;
}
