/* reader_document.c: the file as a document, where things stand in it, and faults that say so. */
#include "config/reader_document_internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/file.h"

struct trail trail_down(const struct trail *t, const char *name)
{
    struct trail down;
    snprintf(down.text, sizeof(down.text), "%.200s%s%.50s", t->text, t->text[0] != '\0' ? "." : "", name);
    return down;
}

struct trail trail_index(const struct trail *t, size_t index)
{
    struct trail down;
    snprintf(down.text, sizeof(down.text), "%.200s[%zu]", t->text, index);
    return down;
}

static bool fault_v(const struct reader *reader, const yaml_node_t *node, const char *path, struct error *err,
                    const char *format, va_list arguments) PRINTF(5, 0);
static bool fault_v(const struct reader *reader, const yaml_node_t *node, const char *path, struct error *err,
                    const char *format, va_list arguments)
{
    char text[224];
    size_t line = node != NULL ? node->start_mark.line + 1 : 1;

    vsnprintf(text, sizeof(text), format, arguments);
    if (path[0] == '\0')
        return error_set(err, ERROR_FORMAT, "%s:%zu: %s", reader->file, line, text);
    return error_set(err, ERROR_FORMAT, "%s:%zu: %s: %s", reader->file, line, path, text);
}

bool fault_at(const struct reader *reader, const yaml_node_t *node, const char *path, struct error *err,
              const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fault_v(reader, node, path, err, format, arguments);
    va_end(arguments);
    return false;
}

bool reader_out_of_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "the configuration is too large");
}

const yaml_node_pair_t *pair_named(const struct reader *reader, const yaml_node_t *mapping, struct bytes name,
                                   const yaml_node_pair_t *before)
{
    for (const yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < before; p++) {
        const yaml_node_t *key = node_of(reader, p->key);

        if (key != NULL && key->type == YAML_SCALAR_NODE && bytes_equal(scalar(key), name))
            return p;
    }
    return NULL;
}

/* --- faults found later --- */
static const yaml_node_t *child_of(const struct reader *reader, const yaml_node_t *node, struct bytes part)
{
    size_t bracket = bytes_find(part, '[');
    struct bytes name = bytes_slice(part, 0, bracket);
    uint64_t index;

    if (name.len > 0) {
        if (node->type != YAML_MAPPING_NODE)
            return NULL;
        const yaml_node_pair_t *pair = pair_named(reader, node, name, node->data.mapping.pairs.top);
        node = pair != NULL ? node_of(reader, pair->value) : NULL;
    }
    if (node == NULL || bracket == part.len || node->type != YAML_SEQUENCE_NODE)
        return node;
    struct bytes digits = bytes_slice(part, bracket + 1, part.len - bracket - 2);
    if (!bytes_to_u64(digits, CONFIG_ITEMS_MAX, &index) || index >= sequence_len(node))
        return node;
    return node_of(reader, node->data.sequence.items.start[index]);
}

/* The deepest part of `setting` that the file has, from `at`. *whole: all of it is there. */
static const yaml_node_t *find(const struct reader *reader, const struct place *at, const char *setting,
                               bool *whole)
{
    const yaml_node_t *node = node_of(reader, at->node > 0 ? at->node : 1);
    struct bytes rest = bytes_text(setting), part;

    *whole = at->node > 0;
    while (node != NULL && rest.len > 0 && bytes_split(&rest, '.', &part)) {
        const yaml_node_t *child = child_of(reader, node, part);

        if (child == NULL) {
            *whole = false;
            break;
        }
        node = child;
    }
    return node;
}

static struct trail trail_of(const struct place *at, const char *setting)
{
    struct trail path;
    const char *above = at->path != NULL ? at->path : "";

    snprintf(path.text, sizeof(path.text), "%.200s", above);
    return setting[0] == '\0' ? path : trail_down(&path, setting);
}

bool reader_fault(const struct reader *reader, const struct place *at, const char *setting, struct error *err,
                  const char *format, ...)
{
    bool whole;
    va_list arguments;

    va_start(arguments, format);
    fault_v(reader, find(reader, at, setting, &whole), trail_of(at, setting).text, err, format, arguments);
    va_end(arguments);
    return false;
}

bool reader_blame(const struct reader *reader, const struct place *at, const char *setting, struct error *err)
{
    bool whole;
    char context[512];
    const yaml_node_t *node = find(reader, at, setting, &whole);
    size_t line = node != NULL ? node->start_mark.line + 1 : 1;

    snprintf(context, sizeof(context), "%s:%zu: %s", reader->file, line, trail_of(at, setting).text);
    return error_prefix(err, context);
}

bool reader_has(const struct reader *reader, const struct place *at, const char *setting)
{
    bool whole;
    return find(reader, at, setting, &whole) != NULL && whole;
}

/* --- the file --- */
static bool parse_fault(const struct reader *reader, const yaml_parser_t *parser, struct error *err)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return reader_out_of_memory(err);
    return error_set(err, ERROR_FORMAT, "%s:%zu: not YAML: %s", reader->file, parser->problem_mark.line + 1,
                     parser->problem != NULL ? parser->problem : "malformed");
}

/* An alias would make the same text stand for settings in two places, and cycles possible. libyaml's
 * document does not tell, so its events are asked first. */
static bool refuse_aliases(const struct reader *reader, struct bytes text, struct error *err)
{
    yaml_parser_t parser;
    yaml_event_t event;
    bool ok = true, more = true;
    unsigned documents = 0;

    if (!yaml_parser_initialize(&parser))
        return reader_out_of_memory(err);
    yaml_parser_set_input_string(&parser, text.data, text.len);
    while (ok && more) {
        if (!yaml_parser_parse(&parser, &event)) {
            ok = parse_fault(reader, &parser, err);
            break;
        }
        if (event.type == YAML_ALIAS_EVENT)
            ok = error_set(err, ERROR_FORMAT, "%s:%zu: aliases (*name) are not supported", reader->file,
                           event.start_mark.line + 1);
        if (event.type == YAML_DOCUMENT_START_EVENT && ++documents > 1)
            ok = error_set(err, ERROR_FORMAT, "%s:%zu: a second document (---)", reader->file,
                           event.start_mark.line + 1);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (ok && documents == 0)
        return error_set(err, ERROR_FORMAT, "%s:1: there is nothing in it", reader->file);
    return ok;
}

static bool load(struct reader *reader, struct bytes text, struct error *err)
{
    yaml_parser_t parser;

    if (text.len == 0)
        return error_set(err, ERROR_FORMAT, "%s:1: there is nothing in it", reader->file);
    if (!refuse_aliases(reader, text, err))
        return false;
    if (!yaml_parser_initialize(&parser))
        return reader_out_of_memory(err);
    yaml_parser_set_input_string(&parser, text.data, text.len);
    reader->has_document = yaml_parser_load(&parser, &reader->document) != 0;
    bool ok = reader->has_document || parse_fault(reader, &parser, err);
    yaml_parser_delete(&parser);
    if (ok && node_of(reader, 1) == reader->document.nodes.top)
        return error_set(err, ERROR_FORMAT, "%s:1: there is nothing in it", reader->file);
    return ok;
}

bool reader_open_text(const char *name, struct bytes text, struct arena *arena, struct reader **out,
                      struct error *err)
{
    struct reader *reader = arena_alloc(arena, sizeof(*reader));

    if (reader == NULL)
        return reader_out_of_memory(err);
    reader->file = arena_text(arena, bytes_text(name));
    reader->arena = arena;
    if (reader->file == NULL)
        return reader_out_of_memory(err);
    const char *slash = strrchr(reader->file, '/');
    if (slash != NULL)
        reader->folder = bytes_of(reader->file, slash == reader->file ? 1 : (size_t)(slash - reader->file));
    if (!load(reader, text, err)) {
        reader_close(reader);
        return false;
    }
    *out = reader;
    return true;
}

bool reader_open(const char *path, struct arena *arena, struct reader **out, struct error *err)
{
    AUTO_STRUCT(buffer) text = BUFFER(CONFIG_FILE_MAX);

    return file_read(path, &text, err) && reader_open_text(path, buffer_bytes(&text), arena, out, err);
}

void reader_close(struct reader *reader)
{
    if (reader != NULL && reader->has_document) {
        yaml_document_delete(&reader->document);
        reader->has_document = false;
    }
}
