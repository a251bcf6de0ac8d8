/* reader_document_internal.h: the document behind a reader, for reader.c (the walk along the tables) and
 * reader_document.c (files, places, faults). No one else sees libyaml. */
#ifndef MUSTER_CONFIG_READER_DOCUMENT_INTERNAL_H
#define MUSTER_CONFIG_READER_DOCUMENT_INTERNAL_H

#include <yaml.h>

#include "config/reader_internal.h"

struct reader {
    const char *file;
    struct bytes folder; /* of the file, without the last '/'; none: the current one */
    struct arena *arena;
    yaml_document_t document;
    bool has_document;
};

/* A path in the making: "procedures[2].est" grows on the stack and is copied where it is kept. */
struct trail {
    char text[256];
};
struct trail trail_down(const struct trail *t, const char *name);
struct trail trail_index(const struct trail *t, size_t index);

/* NULL for an id of 0. The document's nodes are read only through here; libyaml's call takes no const. */
static inline const yaml_node_t *node_of(const struct reader *reader, int id)
{
    return id <= 0 ? NULL : reader->document.nodes.start + (id - 1);
}

static inline int id_of(const struct reader *reader, const yaml_node_t *node)
{
    return node == NULL ? 0 : (int)(node - reader->document.nodes.start) + 1;
}

static inline struct bytes scalar(const yaml_node_t *node)
{
    return bytes_of(node->data.scalar.value, node->data.scalar.length);
}

static inline size_t sequence_len(const yaml_node_t *node)
{
    return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

/* The pair of that name before `before`; NULL: none. */
const yaml_node_pair_t *pair_named(const struct reader *reader, const yaml_node_t *mapping, struct bytes name,
                                   const yaml_node_pair_t *before);

/* "FILE:LINE: PATH: ..." with the line of `node` (NULL: the first). Return false. */
bool fault_at(const struct reader *reader, const yaml_node_t *node, const char *path, struct error *err,
              const char *format, ...) PRINTF(5, 6);
bool reader_out_of_memory(struct error *err);

#endif
