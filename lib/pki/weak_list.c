#include "lib/pki/weak_list.h"

#include <stdlib.h>

#include "lib/base/digest.h"
#include "lib/base/encode.h"

enum { SHA1_LEN = 20, MODULUS_MAX = 2048 /* octets: the largest key that rules can accept */ };

struct entry {
    uint8_t bytes[WEAK_LIST_ENTRY_LEN];
};

struct weak_list {
    size_t count;
    struct entry entry[]; /* sorted, each once */
};

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct entry));
}

/* --- the file --- */
static bool is_skipped(struct bytes line)
{
    return line.len == 0 || line.data[0] == '#';
}

/* No fewer than are read. */
static size_t lines_in(struct bytes text)
{
    size_t lines = 1;

    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    return lines;
}

static bool read_lines(struct bytes text, size_t which, struct weak_list *list, struct error *err)
{
    struct bytes rest = text, line;
    size_t number = 0;

    while (bytes_split(&rest, '\n', &line)) {
        line = bytes_trim(line);
        number++;
        if (is_skipped(line))
            continue;
        if (line.len != 2 * WEAK_LIST_ENTRY_LEN || !hex_decode(line, list->entry[list->count].bytes))
            return error_set(err, ERROR_FORMAT, "list %zu, line %zu: expected %d hexadecimal digits",
                             which + 1, number, 2 * WEAK_LIST_ENTRY_LEN);
        list->count++;
    }
    return true;
}

static void sort_and_unite(struct weak_list *list)
{
    size_t kept = 0;

    qsort(list->entry, list->count, sizeof(struct entry), compare);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || compare(&list->entry[kept - 1], &list->entry[i]) != 0)
            list->entry[kept++] = list->entry[i];
    list->count = kept;
}

bool weak_list_new(const struct bytes *text, size_t count, struct weak_list **out, struct error *err)
{
    struct weak_list *list;
    size_t lines = 0;

    for (size_t i = 0; i < count; i++) {
        if (text[i].len > WEAK_LIST_FILE_MAX)
            return error_set(err, ERROR_LIMIT, "a list of weak keys has at most %d octets",
                             WEAK_LIST_FILE_MAX);
        lines += lines_in(text[i]);
    }
    list = calloc(1, sizeof(*list) + lines * sizeof(struct entry));
    if (list == NULL)
        return error_set(err, ERROR_MEMORY, "a list of weak keys");
    for (size_t i = 0; i < count; i++) {
        if (!read_lines(text[i], i, list, err)) {
            weak_list_free(list);
            return false;
        }
    }
    sort_and_unite(list);
    *out = list;
    return true;
}

void weak_list_free(struct weak_list *list)
{
    free(list);
}

size_t weak_list_count(const struct weak_list *list)
{
    return list->count;
}

/* --- a key --- */
/* As `openssl rsa -modulus` prints it: upper case, no zero digit first. */
static bool entry_of(struct bytes modulus, struct entry *out)
{
    static const char label[] = "Modulus=", digits[] = "0123456789ABCDEF";
    char text[sizeof(label) + 2 * MODULUS_MAX + 1];
    size_t len = sizeof(label) - 1, hash_len;
    uint8_t hash[DIGEST_MAX];

    memcpy(text, label, len);
    for (size_t i = 0; i < modulus.len; i++) {
        if (i > 0 || modulus.data[i] >= 0x10)
            text[len++] = digits[modulus.data[i] >> 4];
        text[len++] = digits[modulus.data[i] & 0x0f];
    }
    text[len++] = '\n';
    if (!digest(DIGEST_SHA1, bytes_of(text, len), hash, &hash_len) || hash_len != SHA1_LEN)
        return false;
    memcpy(out->bytes, hash + SHA1_LEN - WEAK_LIST_ENTRY_LEN, WEAK_LIST_ENTRY_LEN);
    return true;
}

bool weak_list_has(const struct weak_list *list, struct bytes modulus, bool *has)
{
    struct entry entry;

    if (modulus.len == 0 || modulus.len > MODULUS_MAX) {
        *has = false;
        return true;
    }
    if (!entry_of(modulus, &entry))
        return false;
    *has = bsearch(&entry, list->entry, list->count, sizeof(entry), compare) != NULL;
    return true;
}
