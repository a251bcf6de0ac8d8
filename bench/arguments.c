#include "bench/arguments.h"

#include <assert.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/bytes.h"

/* A positive number, and what stands behind it. */
static bool set_amount(const char *value, double *out, const char **unit)
{
    char *end;
    double amount;

    if (value[0] < '0' || value[0] > '9')
        return false;
    amount = strtod(value, &end);
    *unit = end;
    if (!isfinite(amount) || amount <= 0)
        return false;
    *out = amount;
    return true;
}

static bool set_seconds(const char *value, double *out)
{
    static const struct {
        const char *unit;
        double seconds;
    } row[] = { { "", 1 }, { "s", 1 }, { "ms", 1e-3 }, { "m", 60 }, { "h", 3600 } };
    const char *unit;
    double amount;

    if (!set_amount(value, &amount, &unit))
        return false;
    for (size_t i = 0; i < COUNT_OF(row); i++)
        if (strcmp(unit, row[i].unit) == 0) {
            *out = amount * row[i].seconds;
            return true;
        }
    return false;
}

static bool add_text(struct argument_texts *texts, const char *value)
{
    if (texts->count == ARGUMENT_TEXTS_MAX)
        return false;
    texts->text[texts->count++] = value;
    return true;
}

static bool set(const struct argument *argument, const char *value)
{
    const char *unit;

    switch (argument->kind) {
    case ARGUMENT_FLAG: *argument->flag = true; return true;
    case ARGUMENT_TEXT: *argument->text = value; return true;
    case ARGUMENT_TEXTS: return add_text(argument->texts, value);
    case ARGUMENT_AMOUNT: return set_amount(value, argument->amount, &unit) && *unit == '\0';
    case ARGUMENT_SECONDS: return set_seconds(value, argument->amount);
    case ARGUMENT_NUMBER:
        return bytes_to_u64(bytes_text(value), UINT32_MAX, argument->number) && *argument->number > 0;
    }
    return false;
}

bool arguments_read(int argc, char **argv, const char *usage, const struct argument *table, size_t count)
{
    struct option rows[ARGUMENTS_MAX + 2] = { 0 };
    bool sound = true;
    int option;

    assert(count <= ARGUMENTS_MAX);
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct option){ table[i].name,
                                   table[i].kind == ARGUMENT_FLAG ? no_argument : required_argument, NULL,
                                   (int)i + 1 };
    rows[count] = (struct option){ "help", no_argument, NULL, ARGUMENTS_MAX + 1 }; /* the usage alone */
    optind = 1;
    while (sound && (option = getopt_long(argc, argv, "", rows, NULL)) != -1)
        sound = option > 0 && (size_t)option <= count && set(&table[option - 1], optarg);
    if (sound && optind == argc)
        return true;
    fputs(usage, stderr);
    return false;
}
