#include "proto/scep/message.h"

#include "lib/base/encode.h"
#include "lib/http/message.h"

/* 2.16.840.1.113733.1.9.n (VeriSign's arc), failInfoText 1.3.6.1.5.5.7.24.1,
 * signingTime 1.2.840.113549.1.9.5.
 */
#define SCEP_ARC 0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09
static const uint8_t MESSAGE_TYPE[] = { SCEP_ARC, 2 };
static const uint8_t PKI_STATUS[] = { SCEP_ARC, 3 };
static const uint8_t FAIL_INFO[] = { SCEP_ARC, 4 };
static const uint8_t SENDER_NONCE[] = { SCEP_ARC, 5 };
static const uint8_t RECIPIENT_NONCE[] = { SCEP_ARC, 6 };
static const uint8_t TRANSACTION_ID[] = { SCEP_ARC, 7 };
static const uint8_t FAIL_INFO_TEXT[] = { 0x2b, 6, 1, 5, 5, 7, 24, 1 };
static const uint8_t SIGNING_TIME[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05 };

/* A closed set and its decimal texts. */
struct numeral {
    const char *text;
    unsigned value;
};

static const struct numeral types[] = {
    { "3", SCEP_CERT_REP },   { "17", SCEP_RENEWAL_REQ }, { "19", SCEP_PKCS_REQ },
    { "20", SCEP_CERT_POLL }, { "21", SCEP_GET_CERT },    { "22", SCEP_GET_CRL },
};
static const struct numeral statuses[] = {
    { "0", SCEP_SUCCESS },
    { "2", SCEP_FAILURE },
    { "3", SCEP_PENDING },
};
static const struct numeral fail_infos[] = {
    { "0", SCEP_BAD_ALG },  { "1", SCEP_BAD_MESSAGE_CHECK }, { "2", SCEP_BAD_REQUEST },
    { "3", SCEP_BAD_TIME }, { "4", SCEP_BAD_CERT_ID },
};

static unsigned value_of(const struct numeral *row, size_t count, struct bytes text)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_is(text, row[i].text))
            return row[i].value;
    return 0;
}

static struct bytes text_of(const struct numeral *row, size_t count, unsigned value)
{
    for (size_t i = 0; i < count; i++)
        if (row[i].value == value)
            return bytes_text(row[i].text);
    return BYTES_NONE;
}

const char *scep_message_type_name(enum scep_message_type type)
{
    switch (type) {
    case SCEP_MESSAGE_NONE: return "unknown";
    case SCEP_CERT_REP: return "CertRep";
    case SCEP_RENEWAL_REQ: return "RenewalReq";
    case SCEP_PKCS_REQ: return "PKCSReq";
    case SCEP_CERT_POLL: return "CertPoll";
    case SCEP_GET_CERT: return "GetCert";
    case SCEP_GET_CRL: return "GetCRL";
    }
    return "unknown";
}

/* --- reading --- */

static struct bytes attribute_of(const struct cms_signed *s, struct bytes oid, unsigned wanted)
{
    struct bytes element, content;
    struct der in;

    if (!cms_attribute_find(s, oid, &element))
        return BYTES_NONE;
    in = der_of(element);
    content = der_value(&in, wanted);
    return der_finished(&in) ? content : BYTES_NONE;
}

static bool is_printable_string(struct bytes b)
{
    static const char others[] = " '()+,-./:=?";

    for (size_t i = 0; i < b.len; i++) {
        uint8_t c = b.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!letter && memchr(others, c, sizeof(others) - 1) == NULL)
            return false;
    }
    return true;
}

static bool is_visible_ascii(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i] < 0x20 || b.data[i] > 0x7e)
            return false;
    return true;
}

/* What came as PrintableString goes back as it is; other string types must fit into one. */
static void read_transaction_id(const struct cms_signed *s, struct scep_attributes *out)
{
    static const unsigned others[] = { DER_UTF8_STRING, DER_IA5_STRING };
    struct bytes id = attribute_of(s, BYTES_ARRAY(TRANSACTION_ID), DER_PRINTABLE_STRING);
    bool fits = is_visible_ascii(id);

    for (size_t i = 0; i < COUNT_OF(others) && id.len == 0; i++) {
        id = attribute_of(s, BYTES_ARRAY(TRANSACTION_ID), others[i]);
        fits = is_printable_string(id);
    }
    out->transaction_id = id;
    out->transaction_id_fits = fits && id.len > 0 && id.len <= SCEP_TRANSACTION_ID_MAX;
}

static void read_signing_time(const struct cms_signed *s, struct scep_attributes *out)
{
    struct bytes element;
    struct der in;
    int64_t time_s;

    if (!cms_attribute_find(s, BYTES_ARRAY(SIGNING_TIME), &element))
        return;
    in = der_of(element);
    time_s = der_time(&in);
    out->has_signing_time = der_finished(&in);
    out->signing_time_s = out->has_signing_time ? time_s : 0;
}

void scep_attributes_decode(const struct cms_signed *s, struct scep_attributes *out)
{
    struct bytes type = attribute_of(s, BYTES_ARRAY(MESSAGE_TYPE), DER_PRINTABLE_STRING);
    struct bytes status = attribute_of(s, BYTES_ARRAY(PKI_STATUS), DER_PRINTABLE_STRING);
    struct bytes fail_info = attribute_of(s, BYTES_ARRAY(FAIL_INFO), DER_PRINTABLE_STRING);

    *out = (struct scep_attributes){
        .type = (enum scep_message_type)value_of(types, COUNT_OF(types), type),
        .status = (enum scep_status)value_of(statuses, COUNT_OF(statuses), status),
        .fail_info = (enum scep_fail_info)value_of(fail_infos, COUNT_OF(fail_infos), fail_info),
        .fail_info_text = attribute_of(s, BYTES_ARRAY(FAIL_INFO_TEXT), DER_UTF8_STRING),
        .sender_nonce = attribute_of(s, BYTES_ARRAY(SENDER_NONCE), DER_OCTET_STRING),
        .recipient_nonce = attribute_of(s, BYTES_ARRAY(RECIPIENT_NONCE), DER_OCTET_STRING),
    };
    read_transaction_id(s, out);
    read_signing_time(s, out);
}

/* --- writing --- */

struct attribute_list {
    struct arena *arena;
    struct cms_attribute *item;
    size_t count;
    bool failed;
};

static void put_value(struct attribute_list *list, struct bytes oid, struct bytes element)
{
    element = arena_copy(list->arena, element);
    if (element.data == NULL) {
        list->failed = true;
        return;
    }
    list->item[list->count++] = (struct cms_attribute){ .oid = oid, .value = element };
}

static void put(struct attribute_list *list, struct bytes oid, unsigned tag, struct bytes content)
{
    AUTO_STRUCT(buffer) out = BUFFER(content.len + 16);

    if (content.len == 0)
        return;
    der_put(&out, tag, content);
    list->failed = list->failed || buffer_failed(&out);
    put_value(list, oid, buffer_bytes(&out));
}

static void put_time(struct attribute_list *list, int64_t time_s)
{
    AUTO_STRUCT(buffer) out = BUFFER(32);

    der_put_time(&out, time_s);
    list->failed = list->failed || buffer_failed(&out);
    put_value(list, BYTES_ARRAY(SIGNING_TIME), buffer_bytes(&out));
}

bool scep_attributes_encode(const struct scep_attributes *a, struct arena *arena,
                            struct cms_attribute out[SCEP_ATTRIBUTES_MAX], size_t *count)
{
    struct attribute_list list = { .arena = arena, .item = out };

    put(&list, BYTES_ARRAY(MESSAGE_TYPE), DER_PRINTABLE_STRING, text_of(types, COUNT_OF(types), a->type));
    put(&list, BYTES_ARRAY(PKI_STATUS), DER_PRINTABLE_STRING,
        text_of(statuses, COUNT_OF(statuses), a->status));
    put(&list, BYTES_ARRAY(FAIL_INFO), DER_PRINTABLE_STRING,
        text_of(fail_infos, COUNT_OF(fail_infos), a->fail_info));
    put(&list, BYTES_ARRAY(FAIL_INFO_TEXT), DER_UTF8_STRING, a->fail_info_text);
    put(&list, BYTES_ARRAY(SENDER_NONCE), DER_OCTET_STRING, a->sender_nonce);
    put(&list, BYTES_ARRAY(RECIPIENT_NONCE), DER_OCTET_STRING, a->recipient_nonce);
    put(&list, BYTES_ARRAY(TRANSACTION_ID), DER_PRINTABLE_STRING, a->transaction_id);
    if (a->has_signing_time)
        put_time(&list, a->signing_time_s);
    if (list.failed)
        return false;
    *count = list.count;
    return true;
}

/* --- what stands inside --- */

bool scep_issuer_and_subject_decode(struct bytes der, struct scep_issuer_and_subject *out)
{
    struct der in = der_of(der), sequence = der_enter(&in, DER_SEQUENCE);
    struct bytes issuer = der_element(&sequence, DER_SEQUENCE);
    struct bytes subject = der_element(&sequence, DER_SEQUENCE);

    if (!der_finished(&sequence) || !der_finished(&in))
        return false;
    *out = (struct scep_issuer_and_subject){ .issuer = issuer, .subject = subject };
    return true;
}

void scep_issuer_and_subject_encode(const struct scep_issuer_and_subject *in, struct buffer *out)
{
    size_t sequence = der_begin(out, DER_SEQUENCE);

    buffer_append(out, in->issuer);
    buffer_append(out, in->subject);
    der_end(out, sequence);
}

bool scep_issuer_and_serial_decode(struct bytes der, struct scep_issuer_and_serial *out)
{
    struct der in = der_of(der), sequence = der_enter(&in, DER_SEQUENCE);
    struct bytes issuer = der_element(&sequence, DER_SEQUENCE);
    struct bytes serial = der_integer(&sequence);

    if (!der_finished(&sequence) || !der_finished(&in))
        return false;
    *out = (struct scep_issuer_and_serial){ .issuer = issuer, .serial = serial };
    return true;
}

/* --- GET --- */

enum { ESCAPES_MAX = 2 }; /* some senders escape what is escaped already */

/* To the standard alphabet. A blank was a '+' on its way here; line breaks stay and are skipped later. */
static bool to_standard_alphabet(struct arena *arena, struct bytes in, struct bytes *out)
{
    uint8_t *text = arena_alloc(arena, in.len + 1);

    if (text == NULL)
        return false;
    for (size_t i = 0; i < in.len; i++) {
        switch (in.data[i]) {
        case ' ':
        case '-': text[i] = '+'; break;
        case '_': text[i] = '/'; break;
        default: text[i] = in.data[i]; break;
        }
    }
    *out = bytes_of(text, in.len);
    return true;
}

bool scep_get_message(struct arena *arena, struct bytes raw, struct bytes *der)
{
    struct bytes text = raw;
    uint8_t *out;
    size_t len;

    for (int i = 0; i < ESCAPES_MAX && bytes_find(text, '%') < text.len; i++)
        if (!http_percent_decode(arena, text, &text))
            return false;
    if (!to_standard_alphabet(arena, text, &text))
        return false;
    out = arena_alloc(arena, BASE64_DECODED_MAX(text.len));
    if (out == NULL || !base64_decode(text, out, &len) || len == 0)
        return false;
    *der = bytes_of(out, len);
    return true;
}
