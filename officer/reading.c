#include <stdarg.h>
#include <stdio.h>

#include "officer/reading_internal.h"

bool fault_say(struct reading *in, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    (void)vsnprintf(in->fault->text, sizeof(in->fault->text), format, list);
    va_end(list);
    return false;
}

bool out_of_memory(struct reading *in)
{
    in->memory = true;
    return false;
}

void fault_name(struct json_fault *fault, const char *prefix, const char *name)
{
    struct bytes text = bytes_text(name);

    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7e) {
            name = "(not printable)";
            break;
        }
    (void)snprintf(fault->field, sizeof(fault->field), "%s%.40s", prefix, name);
}

static bool copy_text(struct reading *in, struct bytes text, size_t max, struct bytes *out)
{
    if (text.len == 0)
        return fault_say(in, "must not be empty");
    if (text.len > max)
        return fault_say(in, "longer than %zu bytes", max);
    if (!bytes_is_utf8(text) || bytes_has_control(text))
        return fault_say(in, "has control characters");
    *out = arena_copy(in->arena, text);
    return out->data != NULL || out_of_memory(in);
}

bool read_text(struct reading *in, const json_t *value, size_t max, struct bytes *out)
{
    if (!json_is_string(value))
        return fault_say(in, "text expected");
    return copy_text(in, json_bytes(value), max, out);
}

static bool push(struct reading *in, struct bytes text, struct bytes *out, size_t *count)
{
    if (*count == LIST_MAX)
        return fault_say(in, "more than %d values", LIST_MAX);
    if (!copy_text(in, text, LIST_TEXT_MAX, &out[*count]))
        return false;
    (*count)++;
    return true;
}

/* "a,b\,c" is "a" and "b,c"; "\\" is a backslash; blanks around a part do not count. */
static bool split_text(struct reading *in, struct bytes text, struct bytes *out, size_t *count)
{
    uint8_t part[LIST_TEXT_MAX];
    size_t len = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || text.data[i] == ',') {
            if (!push(in, bytes_trim(bytes_of(part, len)), out, count))
                return false;
            len = 0;
            continue;
        }
        if (text.data[i] == '\\' && i + 1 < text.len && (text.data[i + 1] == ',' || text.data[i + 1] == '\\'))
            i++;
        if (len == sizeof(part))
            return fault_say(in, "longer than %zu bytes", sizeof(part));
        part[len++] = text.data[i];
    }
    return true;
}

bool read_list(struct reading *in, const json_t *value, struct bytes *out, size_t *count)
{
    size_t i;
    const json_t *item;

    *count = 0;
    if (json_is_string(value))
        return json_string_length(value) == 0 || split_text(in, json_bytes(value), out, count);
    if (!json_is_array(value))
        return fault_say(in, "array, or text with commas expected");
    json_array_foreach(value, i, item)
    {
        if (!json_is_string(item))
            return fault_say(in, "array of texts expected");
        if (!push(in, json_bytes(item), out, count))
            return false;
    }
    return true;
}
