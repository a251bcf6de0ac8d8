#include "gateway/gateway.h"
#include "lib/base/encode.h"
#include "lib/base/file.h"

enum { NOTE_ARENA_MAX = 1 << 20, CONFIG_FILE_MAX = 4 << 20 };

struct note {
    struct outcome outcome;
    struct arena *arena; /* which the note lives in */
    struct changes changes;
};

static void on_noted(struct outcome *outcome, enum apply_result result, const struct error *err)
{
    struct note *note = queue_owner(outcome, struct note, outcome);

    if (result != APPLY_DONE && result != APPLY_CONFLICT)
        log_fields(LOG_ERROR, "audit", LOG_CTEXT("error", err->text));
    arena_free(note->arena);
}

void gateway_audit(struct gateway *gateway, enum audit_kind kind, struct bytes content)
{
    struct arena *arena = arena_new(NOTE_ARENA_MAX);
    struct note *note = arena == NULL ? NULL : arena_alloc(arena, sizeof(*note));

    if (note == NULL) {
        arena_free(arena);
        return;
    }
    note->arena = arena;
    changes_begin(&note->changes, arena);
    change_audit_append(&note->changes, kind, content);
    note->outcome = (struct outcome){ .changes = &note->changes, .done = on_noted };
    if (changes_failed(&note->changes) || !writer_submit(gateway->writer, &note->outcome))
        arena_free(arena);
}

void gateway_audit_configuration(struct gateway *gateway)
{
    AUTO_STRUCT(buffer) file = BUFFER(CONFIG_FILE_MAX);
    AUTO_STRUCT(buffer) text = BUFFER(256);
    struct digest256 digest;
    char hex[2 * DIGEST256_LEN + 1];

    if (!file_read(gateway->config_path, &file, NULL) || !sha256(buffer_bytes(&file), &digest))
        return;
    hex_encode(digest256_bytes(&digest), hex);
    buffer_format(&text, "{\"configuration_sha256\":\"%s\"}", hex);
    gateway_audit(gateway, AUDIT_CONFIGURATION, buffer_bytes(&text));
}
