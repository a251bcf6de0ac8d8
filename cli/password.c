#include "cli/password.h"

#include <stdio.h>

#include "lib/base/encode.h"
#include "lib/base/file.h"

enum { PASSWORD_FILE_MAX = 4096 };

static bool take_line(struct bytes text, struct secret *out, struct error *err)
{
    struct bytes line;

    if (!bytes_split(&text, '\n', &line) || line.len == 0)
        return error_set(err, ERROR_FORMAT, "the password is empty");
    if (line.data[line.len - 1] == '\r')
        line.len--;
    return secret_copy(line, out) || error_set(err, ERROR_MEMORY, "out of memory");
}

static bool read_stdin(struct secret *out, struct error *err)
{
    AUTO_STRUCT(buffer) text = BUFFER(PASSWORD_FILE_MAX);
    int c;

    while ((c = getchar()) != EOF && c != '\n')
        buffer_append_byte(&text, (uint8_t)c);
    if (buffer_failed(&text))
        return error_set(err, ERROR_LIMIT, "the password is longer than %d bytes", PASSWORD_FILE_MAX);
    return take_line(buffer_bytes(&text), out, err);
}

/* Without the letters and digits that people mix up. */
static bool generate(const struct random_source *random, struct secret *out, struct error *err)
{
    static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";

    if (!secret_alloc(PASSWORD_GENERATED_LEN, out))
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (!random_fill(random, out->data, out->len)) {
        secret_free(out);
        return error_set(err, ERROR_CRYPTO, "no randomness");
    }
    for (size_t i = 0; i < out->len; i++)
        out->data[i] = (uint8_t)alphabet[out->data[i] % (sizeof(alphabet) - 1)];
    return true;
}

bool password_get(const struct password_options *options, const struct random_source *random,
                  struct secret *out, struct error *err)
{
    AUTO_STRUCT(buffer) file = BUFFER(PASSWORD_FILE_MAX);
    int given = (options->text != NULL) + (options->file != NULL) + options->from_stdin + options->generate;

    *out = (struct secret){ 0 };
    if (given > 1)
        return error_set(err, ERROR_CONFLICT,
                         "--password, --password-file, --password-stdin, --generate: one of them");
    if (options->text != NULL)
        return take_line(bytes_text(options->text), out, err);
    if (options->file != NULL)
        return file_read(options->file, &file, err) && take_line(buffer_bytes(&file), out, err);
    if (options->from_stdin)
        return read_stdin(out, err);
    return !options->generate || generate(random, out, err);
}

bool password_is_given(const struct password_options *options)
{
    return options->text != NULL || options->file != NULL || options->from_stdin;
}

static bool decode_key(struct bytes text, struct secret *out, struct error *err)
{
    AUTO_STRUCT(secret) key = { 0 };
    size_t len = 0;

    while (text.len > 0 && text.data[text.len - 1] == '=')
        text.len--;
    if (!secret_alloc(BASE64_DECODED_MAX(text.len), &key))
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (!base64url_decode(text, key.data, &len) || len < HMAC_KEY_LEN)
        return error_set(err, ERROR_FORMAT, "the HMAC key must be base64url of at least %d bytes",
                         HMAC_KEY_LEN);
    return secret_copy(bytes_of(key.data, len), out) || error_set(err, ERROR_MEMORY, "out of memory");
}

bool password_hmac_key(const struct password_options *options, const struct random_source *random,
                       struct secret *out, struct error *err)
{
    AUTO_STRUCT(secret) text = { 0 };

    *out = (struct secret){ 0 };
    if (password_is_given(options))
        return password_get(options, random, &text, err) && decode_key(secret_bytes(&text), out, err);
    if (!secret_alloc(HMAC_KEY_LEN, out))
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (random_fill(random, out->data, out->len))
        return true;
    secret_free(out);
    return error_set(err, ERROR_CRYPTO, "no randomness");
}
