#include "lib/base/encode.h"
#include "lib/pki/certificate.h"
#include "lib/pki/pem_internal.h"

#define BEGIN  "-----BEGIN "
#define END    "-----END "
#define DASHES "-----"

enum { LABEL_MAX = 64 };

/* Position of `what` at the start of a line, or text.len. */
static size_t find_line(struct bytes text, const char *what)
{
    for (size_t at = 0; at < text.len;) {
        struct bytes rest = bytes_from(text, at);

        if (bytes_starts_with(rest, what))
            return at;
        at += bytes_find(rest, '\n') + 1;
    }
    return text.len;
}

/* Takes "LABEL-----" and the end of its line off the front. */
static bool take_label(struct bytes *rest, struct bytes *label)
{
    size_t len = 0;
    struct bytes tail;

    while (len < rest->len && len <= LABEL_MAX && rest->data[len] != '-' && rest->data[len] >= 0x20)
        len++;
    tail = bytes_from(*rest, len);
    if (len == 0 || len > LABEL_MAX || !bytes_starts_with(tail, DASHES))
        return false;
    *label = bytes_slice(*rest, 0, len);
    tail = bytes_from(tail, sizeof(DASHES) - 1);
    while (tail.len > 0 && (tail.data[0] == ' ' || tail.data[0] == '\t' || tail.data[0] == '\r'))
        tail = bytes_from(tail, 1);
    if (tail.len > 0 && tail.data[0] != '\n')
        return false;
    *rest = bytes_from(tail, 1);
    return true;
}

bool pem_next(struct bytes *rest, struct pem_block *out, struct bytes *before)
{
    size_t begin = find_line(*rest, BEGIN), end;
    struct bytes text, label;
    struct pem_block block;

    if (begin == rest->len)
        return false;
    text = bytes_from(*rest, begin + sizeof(BEGIN) - 1);
    if (!take_label(&text, &block.label))
        return false;
    end = find_line(text, END);
    block.body = bytes_slice(text, 0, end);
    text = bytes_from(text, end + sizeof(END) - 1);
    if (!take_label(&text, &label) || !bytes_equal(label, block.label))
        return false;
    if (before != NULL)
        *before = bytes_slice(*rest, 0, begin);
    *rest = text;
    *out = block;
    return true;
}

bool pem_decode(const struct pem_block *block, struct arena *arena, struct bytes *der)
{
    uint8_t *out = arena_alloc(arena, BASE64_DECODED_MAX(block->body.len));
    size_t len;

    if (out == NULL || !base64_decode(block->body, out, &len))
        return false;
    *der = bytes_of(out, len);
    return true;
}

bool certificates_from_pem(struct bytes pem, struct arena *arena, struct bytes *der, size_t max,
                           size_t *count, struct error *err)
{
    struct pem_block block;
    size_t found = 0;

    while (pem_next(&pem, &block, NULL)) {
        if (!bytes_is(block.label, "CERTIFICATE"))
            continue;
        if (found == max)
            return error_set(err, ERROR_LIMIT, "more than %zu certificates", max);
        if (!pem_decode(&block, arena, &der[found]))
            return error_set(err, ERROR_FORMAT, "certificate %zu is not base64", found + 1);
        found++;
    }
    *count = found;
    return true;
}

bool pem_encode(const char *label, struct bytes der, struct buffer *out)
{
    buffer_format(out, BEGIN "%s" DASHES "\n", label);
    base64_encode(out, der, 64);
    buffer_format(out, END "%s" DASHES "\n", label);
    return !buffer_failed(out);
}
