/* file.h: whole files, for configuration, keys and certificates. Never on the path of a request. */
#ifndef MUSTER_FILE_H
#define MUSTER_FILE_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"

/* Appends the content of `path` to `out` (its maximum bounds the file). */
MUST_USE bool file_read(const char *path, struct buffer *out, struct error *err);

/* Writes beside `path`, syncs and renames: readers see the old content or the new. `mode` as in chmod(2). */
MUST_USE bool file_write(const char *path, struct bytes content, unsigned mode, struct error *err);

#endif
