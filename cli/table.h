/* table.h: what came as JSON, for people: tables and lists. Control characters never reach the terminal. */
#ifndef MUSTER_CLI_TABLE_H
#define MUSTER_CLI_TABLE_H

#include "lib/jose/json.h"

struct column {
    const char *title;
    const char *member; /* of each row */
};

/* An array of objects as aligned columns; "-" where a row has no such member. */
void print_table(const json_t *rows, const struct column *column, size_t count);

/* One object: a line a member, lists joined with ", ", nested objects indented. */
void print_object(const json_t *object);

/* Indented JSON and a newline. */
void print_json(const json_t *value);

/* A value as one line of text; cut when it does not fit. For text that a person reads. */
void value_text(const json_t *value, char *out, size_t size);

#endif
