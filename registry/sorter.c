#include "registry/sorter_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/buffer.h"

/* A pair in memory and in the file: lengths of key and value (4 bytes each, of this machine), key, value. */
enum { HEAD_LEN = 8, WINDOW_LEN = 256 * 1024 };

struct run {
    off_t next, end; /* what was not read into the window yet */
    uint8_t *window;
    size_t at, len, capacity;
};

struct sorter {
    int fd; /* -1 until the first run is written */
    char *directory;
    size_t memory;
    uint8_t *data; /* the run that is filled */
    size_t used;
    size_t *pair; /* offsets in data */
    size_t pairs, pairs_max;
    bool ordered; /* they came in order so far */
    off_t written;
    struct run *run; /* run[0] is the one in memory while merging */
    size_t runs;
    bool merging, started;
    size_t *heap; /* numbers of runs, smallest key first */
    size_t heap_len;
};

bool sorter_new(const char *directory, size_t memory, struct sorter **out, struct error *err)
{
    struct sorter *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return error_set(err, ERROR_MEMORY, "sorter: out of memory");
    s->fd = -1;
    s->memory = memory;
    s->ordered = true;
    s->directory = strdup(directory);
    s->data = malloc(memory);
    if (s->directory == NULL || s->data == NULL) {
        sorter_free(s);
        return error_set(err, ERROR_MEMORY, "sorter: out of memory");
    }
    *out = s;
    return true;
}

void sorter_free(struct sorter *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->runs; i++)
        free(s->run[i].window);
    if (s->fd >= 0)
        close(s->fd);
    free(s->directory);
    free(s->data);
    free(s->pair);
    free(s->run);
    free(s->heap);
    free(s);
}

static size_t pair_at(const uint8_t *data, struct bytes *key, struct bytes *value)
{
    uint32_t len[2];

    memcpy(len, data, sizeof(len));
    *key = bytes_of(data + HEAD_LEN, len[0]);
    *value = bytes_of(data + HEAD_LEN + len[0], len[1]);
    return HEAD_LEN + (size_t)len[0] + len[1];
}

static int by_key(const void *left, const void *right, void *data)
{
    const size_t *a = left, *b = right;
    struct bytes ka, kb, value;
    int order;

    (void)pair_at((const uint8_t *)data + *a, &ka, &value);
    (void)pair_at((const uint8_t *)data + *b, &kb, &value);
    order = bytes_compare(ka, kb);
    return order != 0 ? order : (*a > *b) - (*a < *b);
}

static void sort_run(struct sorter *s)
{
    if (!s->ordered)
        qsort_r(s->pair, s->pairs, sizeof(*s->pair), by_key, s->data);
}

/* --- writing runs --- */
static bool open_file(struct sorter *s, struct error *err)
{
    s->fd = open(s->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) { /* a file system without them */
        char name[4096];
        int len = snprintf(name, sizeof(name), "%s/sort-XXXXXX", s->directory);

        if (len < 0 || (size_t)len >= sizeof(name))
            return error_set(err, ERROR_IO, "sorter: the directory's name is too long");
        s->fd = mkostemp(name, O_CLOEXEC);
        if (s->fd >= 0)
            (void)unlink(name);
    }
    return s->fd >= 0 || error_errno(err, "sorter: a temporary file");
}

static bool write_all(struct sorter *s, struct bytes b, struct error *err)
{
    while (b.len > 0) {
        ssize_t n = pwrite(s->fd, b.data, b.len, s->written);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(err, errno == ENOSPC ? ERROR_UNAVAILABLE : ERROR_IO, "sorter: write: %s",
                             strerror(errno));
        s->written += n;
        b = bytes_from(b, (size_t)n);
    }
    return true;
}

static bool write_sorted(struct sorter *s, struct error *err)
{
    AUTO_STRUCT(buffer) out = BUFFER(s->memory + WINDOW_LEN);

    if (s->ordered)
        return write_all(s, bytes_of(s->data, s->used), err);
    for (size_t i = 0; i < s->pairs; i++) {
        struct bytes key, value;
        size_t len = pair_at(s->data + s->pair[i], &key, &value);

        buffer_append(&out, bytes_of(s->data + s->pair[i], len));
        if (out.len < WINDOW_LEN && i + 1 < s->pairs)
            continue;
        if (buffer_failed(&out))
            return error_set(err, ERROR_MEMORY, "sorter: out of memory");
        if (!write_all(s, buffer_bytes(&out), err))
            return false;
        out.len = 0;
    }
    return true;
}

static bool add_run(struct sorter *s, struct run run, struct error *err)
{
    struct run *grown = realloc(s->run, (s->runs + 1) * sizeof(*grown));

    if (grown == NULL)
        return error_set(err, ERROR_MEMORY, "sorter: out of memory");
    s->run = grown;
    s->run[s->runs++] = run;
    return true;
}

static bool flush(struct sorter *s, struct error *err)
{
    struct run run = { .next = s->written };

    if (s->fd < 0 && !open_file(s, err))
        return false;
    sort_run(s);
    if (!write_sorted(s, err))
        return false;
    run.end = s->written;
    s->used = s->pairs = 0;
    s->ordered = true;
    return add_run(s, run, err);
}

static bool note_pair(struct sorter *s, struct error *err)
{
    if (s->pairs == s->pairs_max) {
        size_t more = s->pairs_max == 0 ? 1024 : s->pairs_max * 2;
        size_t *grown = reallocarray(s->pair, more, sizeof(*grown));

        if (grown == NULL)
            return error_set(err, ERROR_MEMORY, "sorter: out of memory");
        s->pair = grown;
        s->pairs_max = more;
    }
    s->pair[s->pairs] = s->used;
    return true;
}

bool sorter_add(struct sorter *s, struct bytes key, struct bytes value, struct error *err)
{
    uint32_t len[2] = { (uint32_t)key.len, (uint32_t)value.len };
    size_t whole = HEAD_LEN + key.len + value.len;
    uint8_t *to;

    if (s->merging || key.len > UINT16_MAX || value.len > s->memory || whole > s->memory)
        return error_set(err, ERROR_INTERNAL, "sorter: too long, or too late");
    if (whole > s->memory - s->used && !flush(s, err))
        return false;
    if (!note_pair(s, err))
        return false;
    to = s->data + s->used;
    memcpy(to, len, sizeof(len));
    memcpy(to + HEAD_LEN, key.data, key.len);
    if (value.len > 0)
        memcpy(to + HEAD_LEN + key.len, value.data, value.len);
    if (s->ordered && s->pairs > 0) {
        struct bytes last, ignored;

        (void)pair_at(s->data + s->pair[s->pairs - 1], &last, &ignored);
        s->ordered = bytes_compare(last, key) <= 0;
    }
    s->used += whole;
    s->pairs++;
    return true;
}

/* --- merging --- */

/* What is left of a pair that the window cuts is moved to its front, and the window filled behind it. */
static bool fill(struct sorter *s, struct run *run, size_t needed, struct error *err)
{
    if (run->capacity < needed) {
        size_t capacity = needed < WINDOW_LEN ? WINDOW_LEN : needed;
        uint8_t *grown = malloc(capacity);

        if (grown == NULL)
            return error_set(err, ERROR_MEMORY, "sorter: out of memory");
        if (run->len > run->at)
            memcpy(grown, run->window + run->at, run->len - run->at);
        free(run->window);
        run->window = grown;
        run->capacity = capacity;
    } else if (run->len > run->at) {
        memmove(run->window, run->window + run->at, run->len - run->at);
    }
    run->len -= run->at;
    run->at = 0;
    while (run->len < run->capacity && run->next < run->end) {
        size_t room = run->capacity - run->len, left = (size_t)(run->end - run->next);
        ssize_t n = pread(s->fd, run->window + run->len, left < room ? left : room, run->next);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(err, ERROR_IO, "sorter: read: %s", n == 0 ? "end of file" : strerror(errno));
        run->len += (size_t)n;
        run->next += n;
    }
    return run->len >= needed || error_set(err, ERROR_FORMAT, "sorter: a run is cut short");
}

/* Makes sure that a whole pair is in the window; *left false at the end of the run. */
static bool load(struct sorter *s, struct run *run, bool *left, struct error *err)
{
    uint32_t len[2];
    size_t whole;

    *left = run->len > run->at || run->next < run->end;
    if (!*left)
        return true;
    if (run->len - run->at < HEAD_LEN && !fill(s, run, HEAD_LEN, err))
        return false;
    memcpy(len, run->window + run->at, sizeof(len));
    whole = HEAD_LEN + (size_t)len[0] + len[1];
    return run->len - run->at >= whole || fill(s, run, whole, err);
}

static struct bytes run_key(const struct run *run)
{
    struct bytes key, value;

    (void)pair_at(run->window + run->at, &key, &value);
    return key;
}

static bool comes_first(const struct sorter *s, size_t a, size_t b)
{
    int order = bytes_compare(run_key(&s->run[a]), run_key(&s->run[b]));

    return order != 0 ? order < 0 : a < b;
}

static void sift_down(struct sorter *s, size_t at)
{
    for (;;) {
        size_t least = at, left = 2 * at + 1;

        for (size_t child = left; child < left + 2 && child < s->heap_len; child++)
            if (comes_first(s, s->heap[child], s->heap[least]))
                least = child;
        if (least == at)
            return;
        size_t moved = s->heap[at];
        s->heap[at] = s->heap[least];
        s->heap[least] = moved;
        at = least;
    }
}

/* A single run stays in memory; else all go to the file. */
static bool begin_merge(struct sorter *s, struct error *err)
{
    s->merging = true;
    if (s->runs == 0) {
        sort_run(s);
        return true;
    }
    if (s->pairs > 0 && !flush(s, err))
        return false;
    free(take(s->data));
    s->heap = calloc(s->runs, sizeof(*s->heap));
    if (s->heap == NULL)
        return error_set(err, ERROR_MEMORY, "sorter: out of memory");
    for (size_t i = 0; i < s->runs; i++) {
        bool left;

        if (!load(s, &s->run[i], &left, err))
            return false;
        if (left)
            s->heap[s->heap_len++] = i;
    }
    for (size_t i = s->heap_len / 2; i-- > 0;)
        sift_down(s, i);
    return true;
}

/* Moves behind the pair that was given out last. */
static bool advance(struct sorter *s, struct error *err)
{
    struct run *run = &s->run[s->heap[0]];
    struct bytes key, value;
    bool left;

    run->at += pair_at(run->window + run->at, &key, &value);
    if (!load(s, run, &left, err))
        return false;
    if (!left)
        s->heap[0] = s->heap[--s->heap_len];
    sift_down(s, 0);
    return true;
}

bool sorter_next(struct sorter *s, bool *found, struct bytes *key, struct bytes *value, struct error *err)
{
    if (!s->merging && !begin_merge(s, err))
        return false;
    if (s->runs == 0) { /* all in memory; `used` counts what was given out */
        if (!s->started)
            s->used = 0;
        s->started = true;
        *found = s->used < s->pairs;
        if (*found)
            (void)pair_at(s->data + s->pair[s->used++], key, value);
        return true;
    }
    if (s->started && s->heap_len > 0 && !advance(s, err))
        return false;
    s->started = true;
    *found = s->heap_len > 0;
    if (*found) {
        const struct run *run = &s->run[s->heap[0]];

        (void)pair_at(run->window + run->at, key, value);
    }
    return true;
}
