/* PKIMessage and PKIHeader (RFC 9810 5.1). The tags of the module are explicit. */
#include <assert.h>

#include "lib/base/clock.h"
#include "lib/pki/names.h"
#include "proto/cmp/message_internal.h"

enum { DER_HEAD_MAX = 6 };

const char *cmp_body_name(enum cmp_body body)
{
    static const char *const names[CMP_BODY_COUNT] = {
        [CMP_BODY_NONE] = "unknown",
        [CMP_IR] = "ir",
        [CMP_IP] = "ip",
        [CMP_CR] = "cr",
        [CMP_CP] = "cp",
        [CMP_P10CR] = "p10cr",
        [CMP_POPDECC] = "popdecc",
        [CMP_POPDECR] = "popdecr",
        [CMP_KUR] = "kur",
        [CMP_KUP] = "kup",
        [CMP_KRR] = "krr",
        [CMP_KRP] = "krp",
        [CMP_RR] = "rr",
        [CMP_RP] = "rp",
        [CMP_CCR] = "ccr",
        [CMP_CCP] = "ccp",
        [CMP_CKUANN] = "ckuann",
        [CMP_CANN] = "cann",
        [CMP_RANN] = "rann",
        [CMP_CRLANN] = "crlann",
        [CMP_PKICONF] = "pkiconf",
        [CMP_NESTED] = "nested",
        [CMP_GENM] = "genm",
        [CMP_GENP] = "genp",
        [CMP_ERROR] = "error",
        [CMP_CERT_CONF] = "certConf",
        [CMP_POLL_REQ] = "pollReq",
        [CMP_POLL_REP] = "pollRep",
    };

    return (unsigned)body < CMP_BODY_COUNT ? names[body] : names[CMP_BODY_NONE];
}

const struct cmp_info *cmp_info_find(const struct cmp_info *info, size_t count, struct bytes oid)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal(info[i].oid, oid))
            return &info[i];
    return NULL;
}

/* --- reading: parts --- */

static struct bytes fail(struct der *in)
{
    *in = (struct der){ .failed = true };
    return BYTES_NONE;
}

struct bytes cmp_explicit_any(struct der *in, unsigned n, unsigned *tag)
{
    struct der inside = der_enter(in, DER_CONTEXT(n));
    struct bytes element = der_any(&inside, tag);

    return der_finished(&inside) ? element : fail(in);
}

struct bytes cmp_explicit_element(struct der *in, unsigned n, unsigned tag)
{
    unsigned found = 0;
    struct bytes element = cmp_explicit_any(in, n, &found);

    return found == tag ? element : fail(in);
}

struct bytes cmp_explicit_optional(struct der *in, unsigned n, unsigned tag)
{
    struct der inside;

    if (!der_next_is(in, DER_CONTEXT(n)))
        return BYTES_NONE;
    inside = der_of(cmp_explicit_element(in, n, tag));
    return der_value(&inside, tag);
}

struct bytes cmp_free_text(struct der *in)
{
    struct der texts = der_enter(in, DER_SEQUENCE);
    struct bytes first = BYTES_NONE;
    size_t count = 0;

    for (; der_more(&texts) && count < CMP_ITEMS_MAX; count++) {
        struct bytes text = der_value(&texts, DER_UTF8_STRING);

        if (!bytes_is_utf8(text))
            return fail(in);
        if (count == 0)
            first = text;
    }
    return count > 0 && der_finished(&texts) ? first : fail(in);
}

bool cmp_sequences_read(struct der *in, struct bytes *element, size_t max, size_t *count)
{
    struct der list = der_enter(in, DER_SEQUENCE);
    size_t n = 0;

    for (; der_more(&list) && n < max; n++)
        element[n] = der_element(&list, DER_SEQUENCE);
    if (n == 0 || !der_finished(&list))
        return false;
    *count = n;
    return true;
}

bool cmp_infos_read(struct der *in, struct cmp_info *out, size_t max, size_t *count)
{
    struct der list = der_enter(in, DER_SEQUENCE);
    size_t n = 0;

    for (; der_more(&list) && n < max; n++) {
        struct der info = der_enter(&list, DER_SEQUENCE);
        struct bytes oid = der_value(&info, DER_OID);
        struct bytes value = der_more(&info) ? der_any(&info, NULL) : BYTES_NONE;

        if (!der_finished(&info) || oid.len == 0 || oid.len > CMP_OID_MAX)
            return false;
        out[n] = (struct cmp_info){ .oid = oid, .value = value };
    }
    if (!der_finished(&list))
        return false;
    *count = n;
    return true;
}

/* --- reading: the header --- */

/* Tags of GeneralName (RFC 5280 4.2.1.6): the constructed ones, and the primitive ones. */
static bool is_general_name(unsigned tag)
{
    switch (tag) {
    case DER_CONTEXT(GENERAL_NAME_OTHER):
    case DER_CONTEXT_PRIMITIVE(GENERAL_NAME_EMAIL):
    case DER_CONTEXT_PRIMITIVE(GENERAL_NAME_DNS):
    case DER_CONTEXT(GENERAL_NAME_X400):
    case DER_CONTEXT(GENERAL_NAME_DIRECTORY):
    case DER_CONTEXT(GENERAL_NAME_EDI):
    case DER_CONTEXT_PRIMITIVE(GENERAL_NAME_URI):
    case DER_CONTEXT_PRIMITIVE(GENERAL_NAME_IP):
    case DER_CONTEXT_PRIMITIVE(GENERAL_NAME_REGISTERED_ID): return true;
    }
    return false;
}

static struct bytes general_name(struct der *in, struct bytes *name)
{
    unsigned tag = 0;
    struct bytes element = der_any(in, &tag);
    struct der whole = der_of(element);

    if (!is_general_name(tag) || element.len > CMP_NAME_MAX)
        return fail(in);
    if (tag != DER_CONTEXT(GENERAL_NAME_DIRECTORY))
        return element;
    *name = cmp_explicit_element(&whole, GENERAL_NAME_DIRECTORY, DER_SEQUENCE);
    return whole.failed ? fail(in) : element;
}

static void message_time_read(struct der *in, struct cmp_header *out)
{
    struct der time;

    if (!der_next_is(in, DER_CONTEXT(0)))
        return;
    time = der_of(cmp_explicit_element(in, 0, DER_GENERALIZED_TIME));
    out->message_time_s = der_time(&time);
    out->has_message_time = der_finished(&time);
    if (!out->has_message_time)
        (void)fail(in);
}

/* KeyIdentifier, transactionID, nonces: OCTET STRINGs that are stored and echoed. */
static struct bytes identifier(struct der *in, unsigned n, bool *present)
{
    struct bytes id = cmp_explicit_optional(in, n, DER_OCTET_STRING);

    if (present != NULL)
        *present = id.data != NULL;
    return id.len <= CMP_ID_MAX ? id : fail(in);
}

static bool header_read(struct bytes element, struct cmp_header *out)
{
    struct der in = der_of(element), header = der_enter(&in, DER_SEQUENCE), inside;

    out->pvno = der_uint(&header);
    out->sender = general_name(&header, &out->sender_name);
    out->recipient = general_name(&header, &out->recipient_name);
    message_time_read(&header, out);
    if (der_next_is(&header, DER_CONTEXT(1)))
        out->protection_alg = cmp_explicit_element(&header, 1, DER_SEQUENCE);
    out->sender_kid = identifier(&header, 2, NULL);
    out->recip_kid = identifier(&header, 3, NULL);
    out->transaction_id = identifier(&header, 4, &out->has_transaction_id);
    out->sender_nonce = identifier(&header, 5, &out->has_sender_nonce);
    out->recip_nonce = identifier(&header, 6, &out->has_recip_nonce);
    if (der_next_is(&header, DER_CONTEXT(7))) { /* nobody reads freeText (CMP-28) */
        inside = der_of(cmp_explicit_element(&header, 7, DER_SEQUENCE));
        (void)cmp_free_text(&inside);
        if (!der_finished(&inside))
            return false;
    }
    if (der_next_is(&header, DER_CONTEXT(8))) {
        inside = der_of(cmp_explicit_element(&header, 8, DER_SEQUENCE));
        if (!cmp_infos_read(&inside, out->info, CMP_INFO_MAX, &out->info_count) || out->info_count == 0)
            return false;
    }
    return der_finished(&header);
}

/* --- reading: the message --- */

static bool body_read(struct der *in, struct cmp_message *out)
{
    unsigned tag = 0, number;
    struct der whole;

    out->body_encoded = der_any(in, &tag);
    number = tag & 0x1f;
    if (tag != DER_CONTEXT(number))
        return false;
    whole = der_of(out->body_encoded);
    out->content = cmp_explicit_any(&whole, number, NULL);
    out->body = number + 1 < CMP_BODY_COUNT ? (enum cmp_body)(number + 1) : CMP_BODY_NONE;
    return der_finished(&whole);
}

static bool protection_read(struct der *in, struct cmp_message *out)
{
    struct der inside;

    if (!der_next_is(in, DER_CONTEXT(0)))
        return true;
    inside = der_of(cmp_explicit_element(in, 0, DER_BIT_STRING));
    out->protection = der_bits(&inside);
    out->has_protection = der_finished(&inside);
    return out->has_protection;
}

static bool extra_certs_read(struct der *in, struct cmp_message *out)
{
    struct der inside;

    if (!der_next_is(in, DER_CONTEXT(1)))
        return true;
    inside = der_of(cmp_explicit_element(in, 1, DER_SEQUENCE));
    return cmp_sequences_read(&inside, out->extra_cert, CMP_EXTRA_CERTS_MAX, &out->extra_cert_count);
}

enum cmp_decoded cmp_message_decode(struct bytes der, struct cmp_message *out)
{
    struct der in = der_of(der), message = der_enter(&in, DER_SEQUENCE);
    struct cmp_message m = { .encoded = der };

    m.header_encoded = der_element(&message, DER_SEQUENCE);
    if (der.len > CMP_MESSAGE_MAX || !der_finished(&in) || !header_read(m.header_encoded, &m.header))
        return CMP_DECODED_NOTHING;
    *out = m;
    if (!body_read(&message, &m) || !protection_read(&message, &m) || !extra_certs_read(&message, &m) ||
        !der_finished(&message))
        return CMP_DECODED_HEADER;
    *out = m;
    return CMP_DECODED_ALL;
}

bool cmp_protected_part(const struct cmp_message *message, struct arena *arena, struct bytes *out)
{
    AUTO_STRUCT(buffer)
    part = BUFFER(message->header_encoded.len + message->body_encoded.len + DER_HEAD_MAX);
    size_t seq = der_begin(&part, DER_SEQUENCE);
    struct bytes copy;

    buffer_append(&part, message->header_encoded);
    buffer_append(&part, message->body_encoded);
    der_end(&part, seq);
    copy = buffer_failed(&part) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&part));
    if (copy.data == NULL)
        return false;
    *out = copy;
    return true;
}

/* --- writing --- */

void cmp_explicit_put(struct buffer *out, unsigned n, struct bytes element)
{
    der_put(out, DER_CONTEXT(n), element);
}

static void general_name_or_null_put(struct buffer *out, struct bytes name)
{
    static const uint8_t null_dn[] = { DER_SEQUENCE, 0 };

    if (name.len > 0)
        buffer_append(out, name);
    else
        der_put(out, DER_CONTEXT(GENERAL_NAME_DIRECTORY), BYTES_ARRAY(null_dn));
}

void cmp_time_put(struct buffer *out, int64_t time_s)
{
    size_t time = der_begin(out, DER_GENERALIZED_TIME);
    struct calendar c;

    calendar_of(time_s, &c);
    if (c.year < 0 || c.year > 9999)
        out->failed = true;
    buffer_format(out, "%04d%02d%02d%02d%02d%02dZ", c.year, c.month, c.day, c.hour, c.minute, c.second);
    der_end(out, time);
}

static void message_time_put(struct buffer *out, int64_t time_s)
{
    size_t tag = der_begin(out, DER_CONTEXT(0));

    cmp_time_put(out, time_s);
    der_end(out, tag);
}

static void identifier_put(struct buffer *out, unsigned n, bool present, struct bytes id)
{
    size_t tag;

    if (!present)
        return;
    tag = der_begin(out, DER_CONTEXT(n));
    der_put(out, DER_OCTET_STRING, id);
    der_end(out, tag);
}

void cmp_header_put(struct buffer *out, const struct cmp_header *header)
{
    size_t seq = der_begin(out, DER_SEQUENCE), tag;

    der_put_uint(out, header->pvno);
    general_name_or_null_put(out, header->sender);
    general_name_or_null_put(out, header->recipient);
    if (header->has_message_time)
        message_time_put(out, header->message_time_s);
    if (header->protection_alg.len > 0)
        cmp_explicit_put(out, 1, header->protection_alg);
    identifier_put(out, 2, header->sender_kid.data != NULL, header->sender_kid);
    identifier_put(out, 3, header->recip_kid.data != NULL, header->recip_kid);
    identifier_put(out, 4, header->has_transaction_id, header->transaction_id);
    identifier_put(out, 5, header->has_sender_nonce, header->sender_nonce);
    identifier_put(out, 6, header->has_recip_nonce, header->recip_nonce);
    if (header->info_count > 0) {
        tag = der_begin(out, DER_CONTEXT(8));
        cmp_general_put(out, header->info, header->info_count);
        der_end(out, tag);
    }
    der_end(out, seq);
}

void cmp_body_put(struct buffer *out, enum cmp_body body, struct bytes content)
{
    assert(body > CMP_BODY_NONE && body < CMP_BODY_COUNT);
    cmp_explicit_put(out, (unsigned)body - 1, content);
}

void cmp_message_put(struct buffer *out, struct bytes header, struct bytes body, struct bytes protection,
                     const struct bytes *extra_cert, size_t extra_cert_count)
{
    size_t seq = der_begin(out, DER_SEQUENCE), tag;

    buffer_append(out, header);
    buffer_append(out, body);
    if (protection.data != NULL) {
        tag = der_begin(out, DER_CONTEXT(0));
        der_put_bits(out, protection);
        der_end(out, tag);
    }
    if (extra_cert_count > 0) {
        tag = der_begin(out, DER_CONTEXT(1));
        cmp_elements_put(out, extra_cert, extra_cert_count);
        der_end(out, tag);
    }
    der_end(out, seq);
}
