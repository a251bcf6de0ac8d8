/* reader.c: the walk over the document along the tables. */
#include <inttypes.h>
#include <stdio.h>

#include "config/reader_document_internal.h"

/* `key: ` and `key: ~` set nothing. */
static bool is_nothing(const yaml_node_t *node)
{
    return node == NULL || node->type == YAML_NO_NODE ||
           (node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
            (scalar(node).len == 0 || bytes_is(scalar(node), "~") || bytes_is(scalar(node), "null")));
}

/* What stands there, for "got ...": short, one line, printable. */
static const char *seen(const yaml_node_t *node, char out[64])
{
    if (is_nothing(node))
        return "nothing";
    if (node->type == YAML_SEQUENCE_NODE)
        return "a list";
    if (node->type == YAML_MAPPING_NODE)
        return "settings (name: value)";
    struct bytes text = scalar(node);
    snprintf(out, 64, "'%.*s%s'", (int)(text.len > 40 ? 40 : text.len), (const char *)text.data,
             text.len > 40 ? "..." : "");
    for (char *c = out; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
            *c = '?';
    }
    return out;
}

static bool unexpected(const struct reader *reader, const yaml_node_t *node, const struct trail *at,
                       const char *expected, struct error *err)
{
    char got[64];
    return fault_at(reader, node, at->text, err, "expected %s; got %s", expected, seen(node, got));
}

void choices_list(const struct choice *choice, char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    for (; choice->name != NULL; choice++) {
        int n = snprintf(out + len, size - len, "%s%s", len > 0 ? ", " : "", choice->name);
        if (n < 0 || (size_t)n >= size - len) {
            snprintf(out + (size > 4 ? size - 4 : 0), 4, "...");
            return;
        }
        len += (size_t)n;
    }
}

/* --- single values --- */
static void store(void *out, size_t size, uint64_t value)
{
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;

    switch (size) {
    case 1: memcpy(out, &u8, 1); break;
    case 2: memcpy(out, &u16, 2); break;
    case 4: memcpy(out, &u32, 4); break;
    default: memcpy(out, &value, 8); break;
    }
}

static uint64_t most_of(size_t size)
{
    return size >= 8 ? INT64_MAX : (((uint64_t)1 << (8 * size)) - 1);
}

static bool read_number(const struct reader *reader, const struct setting *row, const yaml_node_t *node,
                        const struct trail *at, void *out, struct error *err)
{
    uint64_t value, max = row->max > 0 ? row->max : most_of(row->size);
    char low[24], high[24], expected[160];

    if (node->type != YAML_SCALAR_NODE || !value_number(row->kind, scalar(node), &value))
        return unexpected(reader, node, at, value_kind_words(row->kind), err);
    if (value < row->min || value > max) {
        value_format(row->kind, row->min, low, sizeof(low));
        value_format(row->kind, max, high, sizeof(high));
        snprintf(expected, sizeof(expected), "%s from %s to %s", value_kind_words(row->kind), low, high);
        return unexpected(reader, node, at, expected, err);
    }
    store(out, row->size, value);
    return true;
}

static bool read_flag(const struct reader *reader, const yaml_node_t *node, const struct trail *at, void *out,
                      struct error *err)
{
    bool value = node->type == YAML_SCALAR_NODE && bytes_is(scalar(node), "true");

    if (!value && (node->type != YAML_SCALAR_NODE || !bytes_is(scalar(node), "false")))
        return unexpected(reader, node, at, "true or false", err);
    memcpy(out, &value, sizeof(value));
    return true;
}

static bool choose(const struct reader *reader, const struct setting *row, const yaml_node_t *node,
                   const struct trail *at, uint32_t *out, struct error *err)
{
    char names[150], expected[170];

    if (node->type == YAML_SCALAR_NODE) {
        for (const struct choice *c = row->choice; c->name != NULL; c++) {
            if (bytes_is(scalar(node), c->name)) {
                *out = c->value;
                return true;
            }
        }
    }
    choices_list(row->choice, names, sizeof(names));
    snprintf(expected, sizeof(expected), "one of %s", names);
    return unexpected(reader, node, at, expected, err);
}

static bool read_set(const struct reader *reader, const struct setting *row, const yaml_node_t *node,
                     const struct trail *at, void *out, struct error *err)
{
    uint32_t set = 0, one = 0;

    if (node->type != YAML_SEQUENCE_NODE) {
        if (!choose(reader, row, node, at, &one, err))
            return false;
        memcpy(out, &one, sizeof(one));
        return true;
    }
    for (const yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top;
         i++) {
        if (!choose(reader, row, node_of(reader, *i), at, &one, err))
            return false;
        set |= one;
    }
    memcpy(out, &set, sizeof(set));
    return true;
}

/* The form of one text of this kind. */
static bool text_is_good(enum setting_kind kind, struct bytes text)
{
    if (text.len == 0 || text.len > CONFIG_TEXT_MAX || bytes_has_control(text) || !bytes_is_utf8(text))
        return false;
    if (kind == SETTING_NAME)
        return value_is_name(text);
    return (kind != SETTING_URL && kind != SETTING_URLS) || value_is_url(text);
}

static bool is_path(enum setting_kind kind, struct bytes text)
{
    if (kind == SETTING_STORE) /* systemd's credentials are files; other schemes are OpenSSL's */
        return !value_is_uri(text) || bytes_starts_with(text, "credential:");
    return kind == SETTING_PATH || kind == SETTING_PATHS;
}

static bool read_text(const struct reader *reader, enum setting_kind kind, const yaml_node_t *node,
                      const struct trail *at, void *out, struct error *err)
{
    if (node->type != YAML_SCALAR_NODE || is_nothing(node) || !text_is_good(kind, scalar(node))) {
        if (kind == SETTING_STORE && node->type == YAML_SCALAR_NODE && !is_nothing(node))
            return fault_at(reader, node, at->text, err, "expected %s", value_kind_words(kind));
        return unexpected(reader, node, at, value_kind_words(kind), err);
    }
    const char *text = is_path(kind, scalar(node)) ? value_path(reader->arena, reader->folder, scalar(node))
                                                   : arena_text(reader->arena, scalar(node));
    if (text == NULL)
        return reader_out_of_memory(err);
    memcpy(out, &text, sizeof(text));
    return true;
}

/* How many a list has, against its row. */
static bool count_is_good(const struct reader *reader, const struct setting *row, const yaml_node_t *node,
                          const struct trail *at, size_t count, struct error *err)
{
    uint64_t max = row->max > 0 ? row->max : CONFIG_ITEMS_MAX;

    if (count >= row->min && count <= max)
        return true;
    return fault_at(reader, node, at->text, err, "expected %" PRIu64 " to %" PRIu64 " entries; got %zu",
                    row->min, max, count);
}

static bool read_texts(const struct reader *reader, const struct setting *row, const yaml_node_t *node,
                       const struct trail *at, void *out, struct error *err)
{
    bool list = node->type == YAML_SEQUENCE_NODE;
    size_t count = list ? sequence_len(node) : 1;
    const char **text;

    if (!count_is_good(reader, row, node, at, count, err))
        return false;
    text = arena_array(reader->arena, count > 0 ? count : 1, sizeof(*text));
    if (text == NULL)
        return reader_out_of_memory(err);
    if (!list && !read_text(reader, row->kind, node, at, &text[0], err))
        return false;
    for (size_t i = 0; list && i < count; i++) {
        struct trail down = trail_index(at, i);
        const yaml_node_t *child = node_of(reader, node->data.sequence.items.start[i]);
        enum setting_kind one = row->kind == SETTING_PATHS  ? SETTING_PATH
                                : row->kind == SETTING_URLS ? SETTING_URL
                                                            : SETTING_TEXT;

        if (!read_text(reader, one, child, &down, &text[i], err))
            return false;
    }
    memcpy(out, &(struct items){ .item = (void *)text, .count = count }, sizeof(struct items));
    return true;
}

/* --- mappings --- */
static bool read_mapping(const struct reader *reader, const struct settings *settings,
                         const yaml_node_t *node, const struct trail *at, unsigned depth, void *out,
                         struct error *err);

static bool read_items(const struct reader *reader, const struct setting *row, const yaml_node_t *node,
                       const struct trail *at, unsigned depth, void *out, struct error *err)
{
    const struct settings *group = row->group;

    if (node->type != YAML_SEQUENCE_NODE)
        return unexpected(reader, node, at, value_kind_words(row->kind), err);
    size_t count = sequence_len(node);
    if (!count_is_good(reader, row, node, at, count, err))
        return false;
    uint8_t *item = arena_array(reader->arena, count > 0 ? count : 1, group->size);
    if (item == NULL)
        return reader_out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        struct trail down = trail_index(at, i);

        if (group->initial != NULL)
            memcpy(item + i * group->size, group->initial, group->size);
        if (!read_mapping(reader, group, node_of(reader, node->data.sequence.items.start[i]), &down, depth,
                          item + i * group->size, err))
            return false;
    }
    memcpy(out, &(struct items){ .item = item, .count = count }, sizeof(struct items));
    return true;
}

static bool read_setting(const struct reader *reader, const struct setting *row, const yaml_node_t *node,
                         const struct trail *at, unsigned depth, void *out, struct error *err)
{
    uint32_t chosen = 0;

    switch (row->kind) {
    case SETTING_TEXT:
    case SETTING_NAME:
    case SETTING_PATH:
    case SETTING_STORE:
    case SETTING_URL: return read_text(reader, row->kind, node, at, out, err);
    case SETTING_FLAG: return read_flag(reader, node, at, out, err);
    case SETTING_COUNT:
    case SETTING_SIZE:
    case SETTING_SECONDS:
    case SETTING_MILLISECONDS: return read_number(reader, row, node, at, out, err);
    case SETTING_CHOICE:
        if (!choose(reader, row, node, at, &chosen, err))
            return false;
        store(out, row->size, chosen);
        return true;
    case SETTING_SET: return read_set(reader, row, node, at, out, err);
    case SETTING_TEXTS:
    case SETTING_PATHS:
    case SETTING_URLS: return read_texts(reader, row, node, at, out, err);
    case SETTING_GROUP: return read_mapping(reader, row->group, node, at, depth, out, err);
    case SETTING_ITEMS: return read_items(reader, row, node, at, depth, out, err);
    }
    return error_set(err, ERROR_INTERNAL, "a setting of unknown kind");
}

static const struct setting *row_named(const struct settings *settings, struct bytes name)
{
    for (size_t i = 0; i < settings->count; i++) {
        if (bytes_is(name, settings->row[i].name))
            return &settings->row[i];
    }
    return NULL;
}

static bool unknown_setting(const struct reader *reader, const struct settings *settings,
                            const yaml_node_t *key, const struct trail *at, struct error *err)
{
    char got[64];
    const char *near = value_near(settings, scalar(key));

    if (near != NULL)
        return fault_at(reader, key, at->text, err, "unknown setting %s; did you mean '%s'?", seen(key, got),
                        near);
    struct choice names[64] = { 0 };
    char list[140];
    for (size_t i = 0; i < settings->count && i + 1 < COUNT_OF(names); i++)
        names[i].name = settings->row[i].name;
    choices_list(names, list, sizeof(list));
    return fault_at(reader, key, at->text, err, "unknown setting %s; expected one of %s", seen(key, got),
                    list);
}

static bool read_pair(const struct reader *reader, const struct settings *settings,
                      const yaml_node_t *mapping, const yaml_node_pair_t *pair, const struct trail *at,
                      unsigned depth, void *out, struct error *err)
{
    const yaml_node_t *key = node_of(reader, pair->key), *value = node_of(reader, pair->value);

    if (key == NULL || value == NULL || key->type != YAML_SCALAR_NODE)
        return fault_at(reader, mapping, at->text, err, "expected settings (name: value)");
    const struct setting *row = row_named(settings, scalar(key));
    if (row == NULL)
        return unknown_setting(reader, settings, key, at, err);
    struct trail down = trail_down(at, row->name);
    const yaml_node_pair_t *first = pair_named(reader, mapping, scalar(key), pair);
    if (first != NULL)
        return fault_at(reader, key, down.text, err, "set twice; it is on line %zu already",
                        node_of(reader, first->key)->start_mark.line + 1);
    return read_setting(reader, row, value, &down, depth, (uint8_t *)out + row->offset, err);
}

static bool read_mapping(const struct reader *reader, const struct settings *settings,
                         const yaml_node_t *node, const struct trail *at, unsigned depth, void *out,
                         struct error *err)
{
    if (node == NULL || node->type != YAML_MAPPING_NODE || depth == 0)
        return unexpected(reader, node, at, value_kind_words(SETTING_GROUP), err);
    for (const yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
        if (!read_pair(reader, settings, node, p, at, depth - 1, out, err))
            return false;
    }
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *row = &settings->row[i];

        if (row->required &&
            pair_named(reader, node, bytes_text(row->name), node->data.mapping.pairs.top) == NULL)
            return fault_at(reader, node, trail_down(at, row->name).text, err, "missing; expected %s",
                            value_kind_words(row->kind));
    }
    if (settings->place_at != NO_PLACE) {
        struct place place = { .node = id_of(reader, node),
                               .path = arena_text(reader->arena, bytes_text(at->text)) };
        if (place.path == NULL)
            return reader_out_of_memory(err);
        memcpy((uint8_t *)out + settings->place_at, &place, sizeof(place));
    }
    return true;
}

bool reader_read(struct reader *reader, const struct settings *settings, void *out, struct error *err)
{
    struct trail top = { "" };
    return read_mapping(reader, settings, node_of(reader, 1), &top, CONFIG_DEPTH_MAX, out, err);
}
