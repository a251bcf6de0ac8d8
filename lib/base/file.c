#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_LEN = 4096 };

bool file_read(const char *path, struct buffer *out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t chunk[8192];
    ssize_t got;

    if (fd < 0)
        return error_errno(err, path);
    while ((got = read(fd, chunk, sizeof(chunk))) > 0)
        buffer_append(out, bytes_of(chunk, (size_t)got));
    (void)close(fd);
    if (got < 0)
        return error_errno(err, path);
    if (buffer_failed(out))
        return error_set(err, ERROR_LIMIT, "%s: larger than %zu bytes", path, out->max);
    return true;
}

static bool write_all(int fd, struct bytes content)
{
    while (content.len > 0) {
        ssize_t done = write(fd, content.data, content.len);

        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0)
            content = bytes_from(content, (size_t)done);
    }
    return fsync(fd) == 0;
}

/* The new name is on disk, too. What cannot be synced (some file systems) is left to them. */
static void sync_folder(const char *path)
{
    char folder[PATH_LEN];
    const char *slash = strrchr(path, '/');
    int fd;

    (void)snprintf(folder, sizeof(folder), "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
                   slash == NULL ? "." : path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

static bool name_beside(const char *path, const char *end, char beside[PATH_LEN], struct error *err)
{
    return snprintf(beside, PATH_LEN, "%s%s", path, end) < PATH_LEN ||
           error_set(err, ERROR_LIMIT, "path too long");
}

bool file_write(const char *path, struct bytes content, unsigned mode, struct error *err)
{
    char beside[PATH_LEN];
    bool written;
    int fd;

    if (!name_beside(path, ".new", beside, err))
        return false;
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return error_errno(err, beside);
    written = write_all(fd, content);
    if (close(fd) != 0 || !written || rename(beside, path) != 0) {
        (void)error_errno(err, path);
        (void)unlink(beside);
        return false;
    }
    sync_folder(path);
    return true;
}

/* link() and not rename(): what somebody else put there meanwhile is not replaced. */
static bool name_once(const char *beside, const char *path, struct error *err)
{
    if (link(beside, path) == 0)
        return true;
    return errno == EEXIST ? error_set(err, ERROR_CONFLICT, "%s: it is there already", path)
                           : error_errno(err, path);
}

bool file_create(const char *path, struct bytes content, unsigned mode, const struct file_owner *owner,
                 struct error *err)
{
    char beside[PATH_LEN];
    bool done;
    int fd;

    if (!name_beside(path, ".muster-new", beside, err))
        return false;
    (void)unlink(beside); /* left by a crash: nobody else gives that name */
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return error_errno(err, beside);
    done = ((owner == NULL || fchown(fd, owner->uid, owner->gid) == 0) && write_all(fd, content)) ||
           error_errno(err, beside);
    (void)close(fd); /* synced */
    done = done && name_once(beside, path, err);
    (void)unlink(beside);
    if (done)
        sync_folder(path);
    return done;
}

bool file_is_missing(const char *path)
{
    struct stat unused;

    return stat(path, &unused) != 0 && errno == ENOENT;
}
