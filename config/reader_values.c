/* reader_values.c: the forms that single values have. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/reader_internal.h"

struct unit {
    const char *name;
    uint64_t factor;
};

/* Largest first, so that formatting takes the first that divides. */
static const struct unit size_unit[] = {
    { "TiB", (uint64_t)1 << 40 }, { "GiB", 1 << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 }, { "B", 1 }
};
static const struct unit second_unit[] = { { "d", 86400 }, { "h", 3600 }, { "m", 60 }, { "s", 1 } };
static const struct unit millisecond_unit[] = {
    { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }
};

static const struct unit *units_of(enum setting_kind kind, size_t *count)
{
    if (kind == SETTING_SIZE) {
        *count = COUNT_OF(size_unit);
        return size_unit;
    }
    if (kind == SETTING_SECONDS) {
        *count = COUNT_OF(second_unit);
        return second_unit;
    }
    if (kind == SETTING_MILLISECONDS) {
        *count = COUNT_OF(millisecond_unit);
        return millisecond_unit;
    }
    *count = 0;
    return NULL;
}

bool value_number(enum setting_kind kind, struct bytes text, uint64_t *out)
{
    size_t digits = 0, count;
    const struct unit *unit = units_of(kind, &count);
    uint64_t number;

    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    if (!bytes_to_u64(bytes_slice(text, 0, digits), UINT64_MAX, &number))
        return false;
    struct bytes name = bytes_from(text, digits);
    if (name.len == 0) { /* without a unit: a count, nothing of anything, bytes */
        if (count > 0 && number != 0 && kind != SETTING_SIZE)
            return false;
        *out = number;
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (!bytes_is(name, unit[i].name))
            continue;
        return !__builtin_mul_overflow(number, unit[i].factor, out);
    }
    return false;
}

void value_format(enum setting_kind kind, uint64_t value, char *out, size_t size)
{
    size_t count;
    const struct unit *unit = units_of(kind, &count);

    for (size_t i = 0; i < count && value > 0; i++) {
        if (value % unit[i].factor == 0) {
            snprintf(out, size, "%" PRIu64 "%s", value / unit[i].factor, unit[i].name);
            return;
        }
    }
    snprintf(out, size, "%" PRIu64, value);
}

const char *value_kind_words(enum setting_kind kind)
{
    switch (kind) {
    case SETTING_TEXT: return "a text";
    case SETTING_NAME: return "a name of letters, digits, '.', '_' and '-', at most 64";
    case SETTING_PATH: return "a path";
    case SETTING_STORE: return "a path or a URI";
    case SETTING_URL: return "a URL that begins with http:// or https://";
    case SETTING_FLAG: return "true or false";
    case SETTING_COUNT: return "a number";
    case SETTING_SIZE: return "a size like 64KiB or 1MiB";
    case SETTING_SECONDS: return "a duration like 10s, 5m, 12h or 90d";
    case SETTING_MILLISECONDS: return "a duration like 500ms, 10s or 5m";
    case SETTING_CHOICE:
    case SETTING_SET: return "one of the choices";
    case SETTING_TEXTS: return "a list of texts";
    case SETTING_PATHS: return "a list of paths";
    case SETTING_URLS: return "a list of URLs";
    case SETTING_GROUP: return "settings (name: value)";
    case SETTING_ITEMS: return "a list of settings (- name: value)";
    }
    return "something else";
}

static bool is_name_character(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
}

bool value_is_name(struct bytes text)
{
    if (text.len == 0 || text.len > 64 || text.data[0] == '.')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_name_character(text.data[i]))
            return false;
    }
    return true;
}

bool value_is_url(struct bytes text)
{
    size_t scheme = bytes_starts_with(text, "http://") ? 7 : bytes_starts_with(text, "https://") ? 8 : 0;

    if (scheme == 0 || text.len == scheme || text.data[scheme] == '/')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= 0x20 || text.data[i] >= 0x7f)
            return false;
    }
    return true;
}

/* RFC 3986 3.1; one letter is no scheme. */
bool value_is_uri(struct bytes text)
{
    size_t colon = bytes_find(text, ':');

    if (colon == text.len || colon < 2)
        return false;
    for (size_t i = 0; i < colon; i++) {
        uint8_t c = text.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';

        if (!letter && (i == 0 || !other))
            return false;
    }
    return true;
}

const char *value_path(struct arena *arena, struct bytes folder, struct bytes text)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    struct bytes made;

    if (bytes_starts_with(text, "credential:") && credentials != NULL) {
        struct bytes name = bytes_from(text, strlen("credential:"));
        made = arena_format(arena, "%s/%.*s", credentials, BYTES_FMT(name));
    } else if (text.data[0] == '/' || folder.len == 0) {
        made = arena_format(arena, "%.*s", BYTES_FMT(text));
    } else {
        made = arena_format(arena, "%.*s/%.*s", BYTES_FMT(folder), BYTES_FMT(text));
    }
    return (const char *)made.data;
}

/* --- did you mean --- */
enum { NEAR_MAX = 48 };

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Levenshtein distance with one row of memory; both at most NEAR_MAX long. */
static unsigned distance(struct bytes a, struct bytes b)
{
    unsigned row[NEAR_MAX + 1];

    for (unsigned j = 0; j <= b.len; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned above = row[j];
            unsigned change = diagonal + (a.data[i - 1] == b.data[j - 1] ? 0 : 1);
            row[j] = least(above + 1, row[j - 1] + 1, change);
            diagonal = above;
        }
    }
    return row[b.len];
}

const char *value_near(const struct settings *settings, struct bytes name)
{
    const char *best = NULL;
    unsigned best_distance = 3;

    if (name.len > NEAR_MAX)
        return NULL;
    for (size_t i = 0; i < settings->count; i++) {
        struct bytes known = bytes_text(settings->row[i].name);
        unsigned d = distance(name, known);

        if (d < best_distance && d < known.len) {
            best_distance = d;
            best = settings->row[i].name;
        }
    }
    return best;
}
