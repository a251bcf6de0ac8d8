/* file.h: whole files, for configuration, keys and certificates. Never on the path of a request. */
#ifndef MUSTER_FILE_H
#define MUSTER_FILE_H

#include <sys/types.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"

/* Appends the content of `path` to `out` (its maximum bounds the file). */
MUST_USE bool file_read(const char *path, struct buffer *out, struct error *err);

/* Writes beside `path`, syncs and renames: readers see the old content or the new. `mode` as in chmod(2). */
MUST_USE bool file_write(const char *path, struct bytes content, unsigned mode, struct error *err);

struct file_owner {
    uid_t uid;
    gid_t gid;
};

/* The same for a file that is not there yet: ERROR_CONFLICT where it is, and it stays as it is. It belongs to
 * `owner` (NULL: to whoever runs) and has its mode from the first octet on, so that a key may be written. */
MUST_USE bool file_create(const char *path, struct bytes content, unsigned mode,
                          const struct file_owner *owner, struct error *err);

/* There is nothing of that name. What cannot be looked at may be there. */
bool file_is_missing(const char *path);

#endif
