#include "lib/cbor/cbor.h"

#include <cbor/callbacks.h>
#include <cbor/streaming.h>

enum kind {
    KIND_NONE = 0,
    KIND_UINT,
    KIND_NEGATIVE,
    KIND_BYTES,
    KIND_TEXT,
    KIND_ARRAY,
    KIND_MAP,
    KIND_OTHER
};

/* What libcbor says of one head; with a string, of its content too. */
struct head {
    enum kind kind;
    uint64_t number;
    struct bytes content;
};

static void say(void *context, enum kind kind, uint64_t number)
{
    struct head *head = context;

    head->kind = kind;
    head->number = number;
}

/* --- what it calls: kinds that are not taken leave KIND_NONE --- */
static void on_uint8(void *c, uint8_t n)
{
    say(c, KIND_UINT, n);
}

static void on_uint16(void *c, uint16_t n)
{
    say(c, KIND_UINT, n);
}

static void on_uint32(void *c, uint32_t n)
{
    say(c, KIND_UINT, n);
}

static void on_uint64(void *c, uint64_t n)
{
    say(c, KIND_UINT, n);
}

static void on_negative8(void *c, uint8_t n)
{
    say(c, KIND_NEGATIVE, n);
}

static void on_negative16(void *c, uint16_t n)
{
    say(c, KIND_NEGATIVE, n);
}

static void on_negative32(void *c, uint32_t n)
{
    say(c, KIND_NEGATIVE, n);
}

static void on_negative64(void *c, uint64_t n)
{
    say(c, KIND_NEGATIVE, n);
}

static void on_bytes(void *c, cbor_data data, size_t len)
{
    say(c, KIND_BYTES, len);
    ((struct head *)c)->content = bytes_of(data, len);
}

static void on_text(void *c, cbor_data data, size_t len)
{
    say(c, KIND_TEXT, len);
    ((struct head *)c)->content = bytes_of(data, len);
}

static void on_array(void *c, size_t count)
{
    say(c, KIND_ARRAY, count);
}

static void on_map(void *c, size_t count)
{
    say(c, KIND_MAP, count);
}

static void on_float(void *c, float n)
{
    (void)n;
    say(c, KIND_OTHER, 0);
}

static void on_double(void *c, double n)
{
    (void)n;
    say(c, KIND_OTHER, 0);
}

static void on_simple(void *c)
{
    say(c, KIND_OTHER, 0);
}

static void on_bool(void *c, bool b)
{
    (void)b;
    say(c, KIND_OTHER, 0);
}

static const struct cbor_callbacks callbacks = {
    .uint8 = on_uint8,
    .uint16 = on_uint16,
    .uint32 = on_uint32,
    .uint64 = on_uint64,
    .negint64 = on_negative64,
    .negint32 = on_negative32,
    .negint16 = on_negative16,
    .negint8 = on_negative8,
    .byte_string_start = cbor_null_byte_string_start_callback,
    .byte_string = on_bytes,
    .string = on_text,
    .string_start = cbor_null_string_start_callback,
    .indef_array_start = cbor_null_indef_array_start_callback,
    .array_start = on_array,
    .indef_map_start = cbor_null_indef_map_start_callback,
    .map_start = on_map,
    .tag = cbor_null_tag_callback,
    .float2 = on_float,
    .float4 = on_float,
    .float8 = on_double,
    .undefined = on_simple,
    .null = on_simple,
    .boolean = on_bool,
    .indef_break = cbor_null_indef_break_callback,
};

/* --- reading --- */
static size_t head_len(uint64_t number)
{
    if (number < 24)
        return 1;
    if (number <= UINT8_MAX)
        return 2;
    if (number <= UINT16_MAX)
        return 3;
    return number <= UINT32_MAX ? 5 : 9;
}

static bool is_short(const struct head *head, size_t read)
{
    return head->kind == KIND_OTHER || read - head->content.len == head_len(head->number);
}

/* What it announces has room in what follows. */
static bool has_room(const struct head *head, size_t left)
{
    switch (head->kind) {
    case KIND_NONE: return false;
    case KIND_ARRAY: return head->number <= left;
    case KIND_MAP: return head->number <= left / 2;
    case KIND_TEXT: return bytes_is_utf8(head->content);
    case KIND_UINT:
    case KIND_NEGATIVE: return head->number <= INT64_MAX;
    case KIND_BYTES:
    case KIND_OTHER: break;
    }
    return true;
}

static struct head take_head(struct cbor_reader *in)
{
    struct cbor_decoder_result result = { 0 };
    struct head head = { 0 };

    if (!in->failed && in->rest.len > 0)
        result = cbor_stream_decode(in->rest.data, in->rest.len, &callbacks, &head);
    if (result.read == 0 || result.read > in->rest.len || result.status != CBOR_DECODER_FINISHED ||
        !is_short(&head, result.read) || !has_room(&head, in->rest.len - result.read)) {
        in->failed = true;
        return (struct head){ 0 };
    }
    in->rest = bytes_from(in->rest, result.read);
    return head;
}

static struct head take_kind(struct cbor_reader *in, enum kind kind)
{
    struct head head = take_head(in);

    if (head.kind == kind)
        return head;
    in->failed = true;
    return (struct head){ 0 };
}

bool cbor_finished(const struct cbor_reader *in)
{
    return !in->failed && in->rest.len == 0;
}

int64_t cbor_take_int(struct cbor_reader *in)
{
    struct head head = take_head(in);

    if (head.kind == KIND_UINT)
        return (int64_t)head.number;
    if (head.kind == KIND_NEGATIVE)
        return -1 - (int64_t)head.number;
    in->failed = true;
    return 0;
}

struct bytes cbor_take_bytes(struct cbor_reader *in)
{
    return take_kind(in, KIND_BYTES).content;
}

struct bytes cbor_take_text(struct cbor_reader *in)
{
    return take_kind(in, KIND_TEXT).content;
}

size_t cbor_take_array(struct cbor_reader *in)
{
    return (size_t)take_kind(in, KIND_ARRAY).number;
}

size_t cbor_take_map(struct cbor_reader *in)
{
    return (size_t)take_kind(in, KIND_MAP).number;
}

/* Counts what is still to come; each round takes an octet at least, so that it ends. */
struct bytes cbor_take_any(struct cbor_reader *in)
{
    struct bytes whole = in->rest;
    uint64_t open = 1;

    while (open > 0 && !in->failed) {
        struct head head = take_head(in);

        open--;
        if (head.kind == KIND_ARRAY)
            open += head.number;
        else if (head.kind == KIND_MAP)
            open += 2 * head.number;
        if (open > in->rest.len)
            in->failed = true;
    }
    return in->failed ? BYTES_NONE : bytes_slice(whole, 0, whole.len - in->rest.len);
}
