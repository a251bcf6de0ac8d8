/* BER to DER (X.690 8 to 10), for what CMS senders emit. */
#include "lib/pki/der.h"

enum { DEPTH_MAX = 32, CONSTRUCTED = 0x20 };

/* One element as BER has it. */
struct element {
    uint8_t tag;
    bool indefinite;
    bool minimal;         /* a definite length in its shortest form */
    struct bytes content; /* indefinite: all that follows; the end is found on the way */
};

static bool take_header(struct bytes *in, struct element *out)
{
    size_t octets, value = 0, head = 2;

    if (in->len < 2 || in->data[0] == 0 || (in->data[0] & 0x1f) == 0x1f)
        return false;
    *out = (struct element){ .tag = in->data[0], .minimal = true };
    if (in->data[1] == 0x80) {
        out->indefinite = true;
        out->content = bytes_from(*in, 2);
        *in = out->content;
        return (out->tag & CONSTRUCTED) != 0;
    }
    if (in->data[1] < 0x80) {
        value = in->data[1];
    } else {
        octets = in->data[1] & 0x7fu;
        if (octets > sizeof(uint32_t) || octets > in->len - 2)
            return false;
        for (size_t i = 0; i < octets; i++)
            value = value << 8 | in->data[2 + i];
        out->minimal = value >= 0x80 && in->data[2] != 0;
        head += octets;
    }
    if (value > in->len - head)
        return false;
    out->content = bytes_slice(*in, head, value);
    *in = bytes_from(*in, head + value);
    return true;
}

/* End-of-contents octets come next; they are taken. */
static bool take_end(struct bytes *in)
{
    if (in->len < 2 || in->data[0] != 0 || in->data[1] != 0)
        return false;
    *in = bytes_from(*in, 2);
    return true;
}

/* Universal string types, which BER may cut into segments. */
static bool is_string(uint8_t tag)
{
    static const uint8_t types[] = { DER_BIT_STRING,     DER_OCTET_STRING,     DER_UTF8_STRING,
                                     DER_NUMERIC_STRING, DER_PRINTABLE_STRING, DER_TELETEX_STRING,
                                     DER_IA5_STRING,     DER_VISIBLE_STRING,   DER_UNIVERSAL_STRING,
                                     DER_BMP_STRING };

    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (types[i] == (tag & ~CONSTRUCTED))
            return true;
    return false;
}

/* Steps over the children of a constructed element. False at its end, or with *ok false when malformed. */
static bool next_child(struct bytes *rest, bool indefinite, bool *ok)
{
    if (indefinite ? take_end(rest) : rest->len == 0)
        return false;
    *ok = rest->len > 0;
    return *ok;
}

static bool copy_element(struct bytes *in, unsigned depth, struct buffer *out);

/* The segments of a constructed string, one after the other. BIT STRING: the octet that counts unused bits
 * stands once in front; only the last segment may have any. */
static bool copy_segments(struct bytes *rest, bool indefinite, bool bits, unsigned depth, uint8_t *unused,
                          struct buffer *out)
{
    bool ok = true;

    if (depth > DEPTH_MAX)
        return false;
    while (next_child(rest, indefinite, &ok)) {
        struct element child;

        if (!take_header(rest, &child) ||
            (child.tag & ~CONSTRUCTED) != (bits ? DER_BIT_STRING : DER_OCTET_STRING) || *unused != 0)
            return false;
        if ((child.tag & CONSTRUCTED) != 0) {
            struct bytes *inner = child.indefinite ? rest : &child.content;

            if (!copy_segments(inner, child.indefinite, bits, depth + 1, unused, out))
                return false;
            continue;
        }
        if (bits) {
            if (child.content.len == 0 || child.content.data[0] > 7)
                return false;
            *unused = child.content.data[0];
            child.content = bytes_from(child.content, 1);
        }
        buffer_append(out, child.content);
    }
    return ok;
}

static bool copy_string(struct bytes *rest, const struct element *e, unsigned tag, unsigned depth,
                        struct buffer *out)
{
    bool bits = tag == DER_BIT_STRING;
    size_t begun = der_begin(out, tag);
    uint8_t unused = 0;

    if (bits)
        buffer_append_byte(out, 0);
    if (!copy_segments(rest, e->indefinite, bits, depth, &unused, out))
        return false;
    if (bits && !buffer_failed(out))
        out->data[begun] = unused;
    der_end(out, begun);
    return true;
}

/* encryptedContent is [0] IMPLICIT OCTET STRING: cut into segments it looks like an explicit tag. What tells
 * it is where it stands: third in SEQUENCE { OID, SEQUENCE, [0] } (RFC 5652 6.1 EncryptedContentInfo). */
struct place {
    uint8_t first, second;
    unsigned index;
};

static bool is_encrypted_content(const struct place *place, const struct element *child)
{
    return place->index == 2 && place->first == DER_OID && place->second == DER_SEQUENCE &&
           child->tag == DER_CONTEXT(0) && child->content.len > 0 &&
           (child->content.data[0] & ~CONSTRUCTED) == DER_OCTET_STRING;
}

static bool copy_children(struct bytes *rest, const struct element *e, unsigned depth, struct buffer *out)
{
    struct place place = { 0 };
    bool ok = true;

    while (next_child(rest, e->indefinite, &ok)) {
        struct bytes ahead = *rest;
        struct element child;

        if (!take_header(&ahead, &child))
            return false;
        if (e->tag == DER_SEQUENCE && is_encrypted_content(&place, &child)) {
            struct bytes *inner = child.indefinite ? &ahead : &child.content;

            if (!copy_string(inner, &child, DER_CONTEXT_PRIMITIVE(0), depth + 1, out))
                return false;
            *rest = ahead;
        } else if (!copy_element(rest, depth + 1, out)) {
            return false;
        }
        if (place.index == 0)
            place.first = child.tag;
        else if (place.index == 1)
            place.second = child.tag;
        place.index++;
    }
    return ok;
}

static bool copy_element(struct bytes *in, unsigned depth, struct buffer *out)
{
    struct element e;
    struct bytes *rest;
    size_t begun;

    if (depth > DEPTH_MAX || !take_header(in, &e))
        return false;
    if ((e.tag & CONSTRUCTED) == 0) {
        der_put(out, e.tag, e.content);
        return true;
    }
    rest = e.indefinite ? in : &e.content;
    if (is_string(e.tag))
        return copy_string(rest, &e, e.tag & ~(unsigned)CONSTRUCTED, depth + 1, out);
    begun = der_begin(out, e.tag);
    if (!copy_children(rest, &e, depth, out))
        return false;
    der_end(out, begun);
    return true;
}

/* Nothing in it that ber_to_der would change; false also when malformed. */
static bool is_der(struct bytes *in, unsigned depth, struct element *e)
{
    struct place place = { 0 };

    if (depth > DEPTH_MAX || !take_header(in, e) || e->indefinite || !e->minimal)
        return false;
    if ((e->tag & CONSTRUCTED) == 0)
        return true;
    if (is_string(e->tag))
        return false;
    for (struct bytes rest = e->content; rest.len > 0; place.index++) {
        struct element child;

        if (!is_der(&rest, depth + 1, &child) ||
            (e->tag == DER_SEQUENCE && is_encrypted_content(&place, &child)))
            return false;
        if (place.index == 0)
            place.first = child.tag;
        else if (place.index == 1)
            place.second = child.tag;
    }
    return true;
}

bool ber_to_der(struct arena *arena, struct bytes in, struct bytes *out)
{
    /* A length may grow by two octets where the end was open; not more than every 64 KiB of a level does. */
    AUTO_STRUCT(buffer) der = BUFFER(in.len + in.len / 1024 + 64);
    struct bytes rest = in, copy;
    struct element e;

    if (is_der(&rest, 0, &e)) {
        if (rest.len != 0)
            return false;
        *out = in;
        return true;
    }
    rest = in;
    if (!copy_element(&rest, 0, &der) || rest.len != 0 || buffer_failed(&der))
        return false;
    copy = arena_copy(arena, buffer_bytes(&der));
    if (copy.data == NULL)
        return false;
    *out = copy;
    return true;
}

/* Moves *in behind one element. */
static bool skip(struct bytes *in, unsigned depth)
{
    struct element e;
    bool ok = true;

    if (depth > DEPTH_MAX || !take_header(in, &e))
        return false;
    if (!e.indefinite)
        return true;
    while (next_child(in, true, &ok))
        if (!skip(in, depth + 1))
            return false;
    return ok;
}

bool ber_first_child(struct bytes in, struct bytes *child)
{
    struct element outer;
    struct bytes rest;

    if (!take_header(&in, &outer) || (outer.tag & CONSTRUCTED) == 0)
        return false;
    rest = outer.content;
    if (!skip(&rest, 0))
        return false;
    *child = bytes_slice(outer.content, 0, outer.content.len - rest.len);
    return true;
}
