#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>

enum { CELL_MAX = 300, COLUMNS_MAX = 12, INDENT = 2 };

static void append(char *out, size_t size, const char *text)
{
    size_t len = strlen(out);

    for (; *text != '\0' && len + 1 < size; text++)
        out[len++] = (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text;
    out[len] = '\0';
}

static void append_value(const json_t *value, char *out, size_t size)
{
    char number[32];
    size_t i;
    const json_t *item;

    if (json_is_string(value)) {
        append(out, size, json_string_value(value));
    } else if (json_is_integer(value)) {
        (void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
        append(out, size, number);
    } else if (json_is_boolean(value)) {
        append(out, size, json_is_true(value) ? "yes" : "no");
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, item)
        {
            append(out, size, i == 0 ? "" : ", ");
            append_value(item, out, size);
        }
    } else {
        append(out, size, "-");
    }
}

void value_text(const json_t *value, char *out, size_t size)
{
    out[0] = '\0';
    append_value(value, out, size);
}

/* Columns of a terminal that a UTF-8 text takes, near enough: one a character. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_cell(const char *text, size_t width, bool last)
{
    (void)fputs(text, stdout);
    for (size_t used = width_of(text); !last && used < width + 2; used++)
        (void)putchar(' ');
}

void print_table(const json_t *rows, const struct column *column, size_t count)
{
    size_t width[COLUMNS_MAX] = { 0 }, i;
    char cell[CELL_MAX];
    const json_t *row;

    for (size_t c = 0; c < count; c++)
        width[c] = width_of(column[c].title);
    json_array_foreach(rows, i, row) for (size_t c = 0; c < count; c++)
    {
        value_text(json_object_get(row, column[c].member), cell, sizeof(cell));
        width[c] = width_of(cell) > width[c] ? width_of(cell) : width[c];
    }
    for (size_t c = 0; c < count; c++)
        print_cell(column[c].title, width[c], c + 1 == count);
    (void)putchar('\n');
    json_array_foreach(rows, i, row)
    {
        for (size_t c = 0; c < count; c++) {
            value_text(json_object_get(row, column[c].member), cell, sizeof(cell));
            print_cell(cell, width[c], c + 1 == count);
        }
        (void)putchar('\n');
    }
}

static void print_members(const json_t *object, int indent)
{
    json_t *all = (json_t *)(uintptr_t)object; /* jansson's iterator takes no const */
    char text[1024];
    const char *name;
    json_t *value;

    json_object_foreach(all, name, value)
    {
        if (json_is_object(value)) {
            printf("%*s%s\n", indent, "", name);
            print_members(value, indent + INDENT);
            continue;
        }
        value_text(value, text, sizeof(text));
        printf("%*s%-*s %s\n", indent, "", 20 - indent, name, text);
    }
}

void print_object(const json_t *object)
{
    print_members(object, 0);
}

void print_json(const json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
    (void)putchar('\n');
}
