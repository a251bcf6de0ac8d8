/* Any text as a configuration: it reads, or one fault names the file and a line that it has. */
#include <assert.h>
#include <stdlib.h>

#include "config/rows_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_fault(const struct error *err, size_t lines)
{
    struct bytes text = bytes_text(err->text), digits;
    uint64_t line;

    if (err->code == ERROR_MEMORY)
        return;
    assert(err->code == ERROR_FORMAT && bytes_starts_with(text, "fuzz.yaml:"));
    assert(bytes_is_utf8(text) && !bytes_has_control(text));
    digits = bytes_from(text, strlen("fuzz.yaml:"));
    assert(bytes_to_u64(bytes_slice(digits, 0, bytes_find(digits, ':')), lines + 1, &line) && line > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *arena = arena_new(4 << 20);
    struct parsed parsed = parsed_defaults;
    struct reader *reader = NULL;
    struct error err = { 0 };
    size_t lines = 1;

    if (arena == NULL || size > CONFIG_FILE_MAX)
        return 0;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n' || data[i] == '\r' || data[i] == 0x85 || data[i] == 0xa8 || data[i] == 0xa9;
    parsed.workers = 1;
    bool ok = reader_open_text("fuzz.yaml", bytes_of(data, size), arena, &reader, &err) &&
              reader_read(reader, &settings_file, &parsed, &err) && config_check_names(reader, &parsed, &err);
    if (!ok)
        check_fault(&err, lines);
    reader_close(reader);
    return 0;
}
