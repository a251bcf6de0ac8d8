#include "lib/jose/json.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "lib/base/encode.h"

static void wiping_free(void *memory)
{
    if (memory != NULL)
        OPENSSL_cleanse(memory, malloc_usable_size(memory));
    free(memory);
}

/* Before main, so that no value is ever made otherwise. */
__attribute__((constructor)) static void wipe_what_json_frees(void)
{
    json_set_alloc_funcs(malloc, wiping_free);
}

/* Before anything is parsed: jansson's own bound is two thousand. Brackets within strings do not count; in
 * what is no JSON the count means nothing, and jansson refuses it. */
static bool is_deep(struct bytes text)
{
    bool in_string = false;
    size_t depth = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];

        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_DEPTH_MAX)
                return true;
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
        }
    }
    return false;
}

json_t *json_read(struct bytes text)
{
    json_error_t fault;
    json_t *value;

    if (text.len == 0 || text.len > JSON_READ_MAX || is_deep(text))
        return NULL;
    value = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &fault);
    if (json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

struct bytes json_bytes(const json_t *value)
{
    return json_is_string(value) ? bytes_of(json_string_value(value), json_string_length(value)) : BYTES_NONE;
}

struct bytes json_member(const json_t *object, const char *name)
{
    return json_bytes(json_object_get(object, name));
}

json_t *json_of_bytes(struct bytes text)
{
    return json_stringn(text.len == 0 ? "" : (const char *)text.data, text.len);
}

bool json_put(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

bool json_push(json_t *array, json_t *value)
{
    return json_array_append_new(array, value) == 0;
}

bool json_put_text(json_t *object, const char *name, struct bytes text)
{
    return json_put(object, name, json_of_bytes(text));
}

bool json_put_hex(json_t *object, const char *name, struct bytes value)
{
    char text[2 * 128 + 1];

    if (value.len > sizeof(text) / 2)
        return false;
    hex_encode(value, text);
    return json_put(object, name, json_string(text));
}

bool json_put_base64url(json_t *object, const char *name, struct bytes value)
{
    AUTO_STRUCT(buffer) text = BUFFER(JSON_READ_MAX);

    base64url_encode(&text, value);
    return !buffer_failed(&text) && json_put_text(object, name, buffer_bytes(&text));
}

bool json_write(const json_t *value, struct arena *arena, struct bytes *out)
{
    size_t flags = JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY;
    size_t len = json_dumpb(value, NULL, 0, flags);
    char *text = len == 0 ? NULL : arena_alloc(arena, len);

    if (text == NULL || json_dumpb(value, text, len, flags) != len)
        return false;
    *out = bytes_of(text, len);
    return true;
}
