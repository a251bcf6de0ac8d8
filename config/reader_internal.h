/* reader_internal.h: a YAML file read into structs by tables of rows: one row a setting, with its name, kind,
 * bounds and place in the struct. What is not in a table is refused, what is in one is checked. Every fault
 * reads "FILE:LINE: SETTING: expected X; got Y". Pure but for reading the file. */
#ifndef MUSTER_CONFIG_READER_INTERNAL_H
#define MUSTER_CONFIG_READER_INTERNAL_H

#include "lib/base/arena.h"
#include "lib/base/error.h"

enum { CONFIG_FILE_MAX = 1 << 20, CONFIG_DEPTH_MAX = 8, CONFIG_ITEMS_MAX = 4096, CONFIG_TEXT_MAX = 4096 };

struct reader;

/* Where a mapping stands in the file, for checks that come after reading. A node of 0: it is not there. */
struct place {
    int node;
    const char *path; /* "procedures[2]" */
};

/* A sequence as it was read. */
struct items {
    void *item; /* of the row's element: const char * with TEXTS and PATHS, else the group's struct */
    size_t count;
};

enum setting_kind {
    SETTING_TEXT,         /* const char *, not empty, without control characters */
    SETTING_NAME,         /* const char *, letters, digits, '.', '_' and '-', at most 64, no '.' first */
    SETTING_PATH,         /* const char *, resolved from the file's folder */
    SETTING_STORE,        /* as PATH, or a URI with a scheme, kept as it is; never shown in a fault */
    SETTING_URL,          /* const char *, http:// or https:// */
    SETTING_FLAG,         /* bool */
    SETTING_COUNT,        /* a plain number */
    SETTING_SIZE,         /* bytes: 64KiB */
    SETTING_SECONDS,      /* 10s, 5m, 12h, 90d */
    SETTING_MILLISECONDS, /* the same and 500ms */
    SETTING_CHOICE,       /* an enum: one of `choice` */
    SETTING_SET,          /* uint32_t: the values of the choices or'ed */
    SETTING_TEXTS,        /* struct items of const char *; one alone may stand without brackets */
    SETTING_PATHS,
    SETTING_URLS,
    SETTING_GROUP, /* a mapping, into the struct at the offset */
    SETTING_ITEMS, /* struct items of the group's struct */
};

struct choice {
    const char *name;
    uint32_t value;
};

struct settings;

struct setting {
    const char *name;
    enum setting_kind kind;
    bool required;
    size_t offset, size;
    uint64_t min,
        max; /* numbers, in the unit that is stored; texts and items: how many. max 0: of the type */
    const struct choice *choice; /* ends with a NULL name */
    const struct settings *group;
};

#define SETTING_AT(type, field) .offset = offsetof(type, field), .size = sizeof(((type *)NULL)->field)

enum { NO_PLACE = -1 };
struct settings {
    const struct setting *row;
    size_t count;
    size_t size;         /* of the struct */
    const void *initial; /* ITEMS: what an item holds before it is read; NULL: zeros */
    int place_at;        /* offset of its struct place, or NO_PLACE */
};

/* Reads and parses the file. Aliases, several documents and more than CONFIG_FILE_MAX bytes are faults. */
MUST_USE bool reader_open(const char *path, struct arena *arena, struct reader **out, struct error *err);
/* The same from memory; `name` stands for the file. */
MUST_USE bool reader_open_text(const char *name, struct bytes text, struct arena *arena, struct reader **out,
                               struct error *err);
void reader_close(struct reader *reader); /* accepts NULL */

/* The whole document into *out, which holds the defaults already. */
MUST_USE bool reader_read(struct reader *reader, const struct settings *settings, void *out,
                          struct error *err);

/* A fault that was found after reading. `setting` is a path below `at` ("est.realm", "chain[1]", "" for
 * itself); the line is that of the deepest part that the file has. Returns false. */
bool reader_fault(const struct reader *reader, const struct place *at, const char *setting, struct error *err,
                  const char *format, ...) PRINTF(5, 6);

/* Puts file, line and setting before an error that is already set. Returns false. */
bool reader_blame(const struct reader *reader, const struct place *at, const char *setting,
                  struct error *err);

/* The file has this setting below `at` itself. */
bool reader_has(const struct reader *reader, const struct place *at, const char *setting);

/* "NAME, NAME, NAME" of choices, or of the rows: for faults. Cut with "..." when longer. */
void choices_list(const struct choice *choice, char *out, size_t size);

/* --- values (reader_values.c) --- */
/* A number with its unit; false: not one of this kind. */
MUST_USE bool value_number(enum setting_kind kind, struct bytes text, uint64_t *out);
/* The way people write it: "64KiB", "5m"; `out` of at least 24 characters. */
void value_format(enum setting_kind kind, uint64_t value, char *out, size_t size);
/* "a duration (10s, 5m, 90d)" */
const char *value_kind_words(enum setting_kind kind);
bool value_is_name(struct bytes text);
bool value_is_url(struct bytes text);
/* From the folder of the configuration; `credential:NAME` from systemd's. NULL: memory. */
const char *value_path(struct arena *arena, struct bytes folder, struct bytes text);
bool value_is_uri(struct bytes text);
/* The row whose name is near, for "did you mean"; NULL: none. */
const char *value_near(const struct settings *settings, struct bytes name);

#endif
