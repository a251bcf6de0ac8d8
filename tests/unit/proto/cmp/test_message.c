#include <stdio.h>

#include "tests/lib/test.h"
#include "tests/unit/proto/cmp/cmp_peer.h"

#define NULL_DN "a402 3000"
#define FILLED     \
    (uint8_t[300]) \
    {              \
        0          \
    }

/* --- messages made by hand --- */

static struct bytes header_with(struct bytes optional)
{
    return wrap(DER_SEQUENCE, join(hex("020102" NULL_DN NULL_DN), optional));
}

/* The message that is good: pkiconf. */
static struct bytes message_with(struct bytes header, const char *behind)
{
    return wrap(DER_SEQUENCE, join(header, hex(behind)));
}
#define PKICONF "b302 0500"

static enum cmp_decoded decode(struct bytes der)
{
    struct cmp_message message;

    return cmp_message_decode(der, &message);
}

static enum cmp_decoded header_decodes(struct bytes optional)
{
    return decode(message_with(header_with(optional), PKICONF));
}

static struct bytes text_in(unsigned n, unsigned tag, const char *text)
{
    return wrap(DER_CONTEXT(n), wrap(tag, bytes_text(text)));
}

static struct bytes octets_in(unsigned n, size_t len)
{
    return wrap(DER_CONTEXT(n), wrap(DER_OCTET_STRING, bytes_of(FILLED, len)));
}

static struct bytes repeated(struct bytes item, size_t count)
{
    struct buffer out = BUFFER(1 << 20);

    for (size_t i = 0; i < count; i++)
        buffer_append(&out, item);
    return kept(&out);
}

static struct bytes encoded_again(const struct cmp_message *m)
{
    struct buffer header = BUFFER(1 << 16), body = BUFFER(1 << 18), out = BUFFER(1 << 18);
    struct bytes header_der, body_der;

    cmp_header_put(&header, &m->header);
    cmp_body_put(&body, m->body, m->content);
    header_der = kept(&header);
    body_der = kept(&body);
    cmp_message_put(&out, header_der, body_der, m->protection, m->extra_cert, m->extra_cert_count);
    return kept(&out);
}

/* --- the header --- */

static void a_header_without_options_is_good(void **state)
{
    struct cmp_message m;

    (void)state;
    assert_int_equal(cmp_message_decode(message_with(header_with(BYTES_NONE), PKICONF), &m), CMP_DECODED_ALL);
    assert_int_equal(m.header.pvno, 2);
    assert_int_equal(m.body, CMP_PKICONF);
    assert_bytes(m.content, hex("0500"));
    assert_bytes(m.header.sender, hex(NULL_DN));
    assert_bytes(m.header.sender_name, hex("3000"));
    assert_false(m.header.has_message_time || m.header.has_transaction_id || m.header.has_sender_nonce ||
                 m.header.has_recip_nonce || m.has_protection);
    assert_null(m.header.protection_alg.data);
    assert_null(m.header.sender_kid.data);
    assert_int_equal(m.header.info_count, 0);
    assert_int_equal(m.extra_cert_count, 0);
}

static void any_version_decodes_but_a_negative_one(void **state)
{
    static const struct {
        const char *pvno;
        enum cmp_decoded decoded;
        uint64_t value;
    } rows[] = {
        { "020100", CMP_DECODED_ALL, 0 },
        { "020101", CMP_DECODED_ALL, 1 },
        { "020103", CMP_DECODED_ALL, 3 },
        { "02020100", CMP_DECODED_ALL, 256 },
        { "0209 00ffffffffffffffff", CMP_DECODED_ALL, UINT64_MAX },
        { "0209 010000000000000000", CMP_DECODED_NOTHING, 0 },
        { "0201ff", CMP_DECODED_NOTHING, 0 },
        { "02020002", CMP_DECODED_NOTHING, 0 },
        { "0200", CMP_DECODED_NOTHING, 0 },
        { "0a0102", CMP_DECODED_NOTHING, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes header = wrap(DER_SEQUENCE, join(hex(rows[i].pvno), hex(NULL_DN NULL_DN)));
        struct cmp_message m;

        assert_int_equal(cmp_message_decode(message_with(header, PKICONF), &m), rows[i].decoded);
        if (rows[i].decoded == CMP_DECODED_ALL)
            assert_int_equal(m.header.pvno, rows[i].value);
    }
}

static void sender_and_recipient_are_general_names(void **state)
{
    static const struct {
        const char *name;
        enum cmp_decoded decoded;
        bool is_directory;
    } rows[] = {
        { "a402 3000", CMP_DECODED_ALL, true },
        { "8203 612e62", CMP_DECODED_ALL, false },
        { "8103 614062", CMP_DECODED_ALL, false },
        { "8604 75726e3a", CMP_DECODED_ALL, false },
        { "8704 0a000001", CMP_DECODED_ALL, false },
        { "8803 2b0601", CMP_DECODED_ALL, false },
        { "a007 06012aa0020500", CMP_DECODED_ALL, false },
        { "a502 3000", CMP_DECODED_ALL, false },
        { "a302 3000", CMP_DECODED_ALL, false },
        { "a400", CMP_DECODED_NOTHING, false },
        { "a404 30003000", CMP_DECODED_NOTHING, false },
        { "a402 3100", CMP_DECODED_NOTHING, false },
        { "a402 0500", CMP_DECODED_NOTHING, false },
        { "8402 3000", CMP_DECODED_NOTHING, false },
        { "a203 612e62", CMP_DECODED_NOTHING, false },
        { "a902 3000", CMP_DECODED_NOTHING, false },
        { "3000", CMP_DECODED_NOTHING, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes name = hex(rows[i].name), null_dn = hex(NULL_DN);
        struct bytes as_sender = wrap(DER_SEQUENCE, join(hex("020102"), join(name, null_dn)));
        struct bytes as_recipient = wrap(DER_SEQUENCE, join(hex("020102"), join(null_dn, name)));
        struct cmp_message m;

        assert_int_equal(decode(message_with(as_sender, PKICONF)), rows[i].decoded);
        assert_int_equal(cmp_message_decode(message_with(as_recipient, PKICONF), &m), rows[i].decoded);
        if (rows[i].decoded != CMP_DECODED_ALL)
            continue;
        assert_bytes(m.header.recipient, name);
        assert_int_equal(m.header.recipient_name.data != NULL, rows[i].is_directory);
    }
}

static void message_time_has_one_form(void **state)
{
    static const struct {
        unsigned tag;
        const char *text;
        bool good;
    } rows[] = {
        { DER_GENERALIZED_TIME, "20260131235959Z", true },
        { DER_GENERALIZED_TIME, "20510101000000Z", true },
        { DER_GENERALIZED_TIME, "19690101000000Z", true },
        { DER_GENERALIZED_TIME, "20260131235959.5Z", false },
        { DER_GENERALIZED_TIME, "202601312359Z", false },
        { DER_GENERALIZED_TIME, "20260131235959", false },
        { DER_GENERALIZED_TIME, "20260131235959+0200", false },
        { DER_GENERALIZED_TIME, "20260231235959Z", false },
        { DER_GENERALIZED_TIME, "", false },
        { DER_UTC_TIME, "260131235959Z", false },
        { DER_UTF8_STRING, "20260131235959Z", false },
    };
    struct cmp_message m;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(header_decodes(text_in(0, rows[i].tag, rows[i].text)),
                         rows[i].good ? CMP_DECODED_ALL : CMP_DECODED_NOTHING);
    assert_int_equal(
        cmp_message_decode(
            message_with(header_with(text_in(0, DER_GENERALIZED_TIME, "20260131235959Z")), PKICONF), &m),
        CMP_DECODED_ALL);
    assert_true(m.header.has_message_time);
    assert_int_equal(m.header.message_time_s, 1769903999);
}

static void message_time_is_written_as_generalized_time(void **state)
{
    static const int64_t times[] = { 0, -1, 1769903999, 2556144000 /* 2051 */, 253402300799 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        struct cmp_header header = { .pvno = 2, .has_message_time = true, .message_time_s = times[i] };
        struct buffer out = BUFFER(1024);
        struct cmp_message m;

        cmp_header_put(&out, &header);
        assert_int_equal(cmp_message_decode(message_with(kept(&out), PKICONF), &m), CMP_DECODED_ALL);
        assert_int_equal(m.header.message_time_s, times[i]);
    }
}

static void a_time_without_a_year_fails_the_buffer(void **state)
{
    struct cmp_header header = { .has_message_time = true, .message_time_s = INT64_MAX / 4 };
    AUTO_STRUCT(buffer) out = BUFFER(1024);

    (void)state;
    cmp_header_put(&out, &header);
    assert_true(buffer_failed(&out));
}

static void identifiers_have_a_bound(void **state)
{
    (void)state;
    for (unsigned n = 2; n <= 6; n++) {
        assert_int_equal(header_decodes(octets_in(n, 0)), CMP_DECODED_ALL);
        assert_int_equal(header_decodes(octets_in(n, CMP_ID_MAX)), CMP_DECODED_ALL);
        assert_int_equal(header_decodes(octets_in(n, CMP_ID_MAX + 1)), CMP_DECODED_NOTHING);
        assert_int_equal(header_decodes(text_in(n, DER_UTF8_STRING, "text")), CMP_DECODED_NOTHING);
        assert_int_equal(header_decodes(wrap(DER_CONTEXT_PRIMITIVE(n), hex("0102"))), CMP_DECODED_NOTHING);
        assert_int_equal(header_decodes(wrap(DER_CONTEXT(n), hex("04010004 0100"))), CMP_DECODED_NOTHING);
        assert_int_equal(header_decodes(wrap(DER_CONTEXT(n), BYTES_NONE)), CMP_DECODED_NOTHING);
    }
}

static void an_identifier_of_no_octets_is_not_absent(void **state)
{
    struct cmp_message m;

    (void)state;
    assert_int_equal(cmp_message_decode(message_with(header_with(octets_in(4, 0)), PKICONF), &m),
                     CMP_DECODED_ALL);
    assert_true(m.header.has_transaction_id);
    assert_int_equal(m.header.transaction_id.len, 0);
    assert_false(m.header.has_sender_nonce);
}

static void options_stand_in_their_order_and_once(void **state)
{
    (void)state;
    assert_int_equal(header_decodes(join(octets_in(4, 16), octets_in(5, 16))), CMP_DECODED_ALL);
    assert_int_equal(header_decodes(join(octets_in(5, 16), octets_in(4, 16))), CMP_DECODED_NOTHING);
    assert_int_equal(header_decodes(join(octets_in(4, 16), octets_in(4, 16))), CMP_DECODED_NOTHING);
    assert_int_equal(header_decodes(octets_in(9, 16)), CMP_DECODED_NOTHING);
    assert_int_equal(header_decodes(hex("0500")), CMP_DECODED_NOTHING);
    assert_int_equal(header_decodes(hex("a102 3000")), CMP_DECODED_ALL);
    assert_int_equal(header_decodes(hex("a102 0500")), CMP_DECODED_NOTHING);
    assert_int_equal(header_decodes(hex("a104 30003000")), CMP_DECODED_NOTHING);
}

static void cmp_28_free_text_is_utf8_and_passed_over(void **state)
{
    static const struct {
        const char *texts;
        bool good;
    } rows[] = {
        { "0c0161", true },          { "0c00", true },
        { "0c02c3a9 0c0162", true }, { "", false }, /* SIZE (1..MAX) */
        { "130161", false },                        /* PrintableString */
        { "0c01e9", false },                        /* Latin-1 */
        { "0c0161 0500", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes free_text = wrap(DER_CONTEXT(7), wrap(DER_SEQUENCE, hex(rows[i].texts)));

        assert_int_equal(header_decodes(free_text), rows[i].good ? CMP_DECODED_ALL : CMP_DECODED_NOTHING);
    }
    assert_int_equal(
        header_decodes(wrap(DER_CONTEXT(7), wrap(DER_SEQUENCE, repeated(hex("0c0161"), CMP_ITEMS_MAX)))),
        CMP_DECODED_ALL);
    assert_int_equal(
        header_decodes(wrap(DER_CONTEXT(7), wrap(DER_SEQUENCE, repeated(hex("0c0161"), CMP_ITEMS_MAX + 1)))),
        CMP_DECODED_NOTHING);
}

static enum cmp_decoded infos_decode(struct bytes infos)
{
    return header_decodes(wrap(DER_CONTEXT(8), wrap(DER_SEQUENCE, infos)));
}

static void general_info_is_a_bounded_list(void **state)
{
    struct bytes info = hex("300a 06082b06010505070463");

    (void)state;
    assert_int_equal(infos_decode(BYTES_NONE), CMP_DECODED_NOTHING);
    assert_int_equal(infos_decode(repeated(info, CMP_INFO_MAX)), CMP_DECODED_ALL);
    assert_int_equal(infos_decode(repeated(info, CMP_INFO_MAX + 1)), CMP_DECODED_NOTHING);
    assert_int_equal(infos_decode(hex("3004 06012a 05 00")), CMP_DECODED_NOTHING); /* cut off */
    assert_int_equal(infos_decode(hex("3005 06012a 0500")), CMP_DECODED_ALL);
    assert_int_equal(infos_decode(hex("3007 06012a 0500 0500")), CMP_DECODED_NOTHING);
    assert_int_equal(infos_decode(hex("3002 0600")), CMP_DECODED_NOTHING);
    assert_int_equal(infos_decode(hex("3000")), CMP_DECODED_NOTHING);
    assert_int_equal(infos_decode(hex("06012a")), CMP_DECODED_NOTHING);
}

static void an_info_is_found_by_its_type(void **state)
{
    struct bytes null = hex("0500");
    const struct cmp_info infos[] = {
        { .oid = CMP_IT_CERT_PROFILE, .value = hex("3000") },
        { .oid = CMP_IT_IMPLICIT_CONFIRM, .value = null },
        { .oid = CMP_IT_CERT_PROFILE },
    };

    (void)state;
    assert_ptr_equal(cmp_info_find(infos, 3, CMP_IT_IMPLICIT_CONFIRM), &infos[1]);
    assert_ptr_equal(cmp_info_find(infos, 3, CMP_IT_CERT_PROFILE), &infos[0]);
    assert_null(cmp_info_find(infos, 3, CMP_IT_CA_CERTS));
    assert_null(cmp_info_find(infos, 0, CMP_IT_CERT_PROFILE));
}

/* --- the message --- */

static void whatever_is_broken_behind_the_header_leaves_the_header(void **state)
{
    static const char *const rows[] = {
        "",                         /* no body */
        "0500",                     /* no tag of a body */
        "3000",                     /* neither */
        "b300",                     /* nothing inside */
        "b304 05000500",            /* two elements inside */
        "b302 0501",                /* cut off inside */
        "9300",                     /* primitive */
        "bf1f02 0500",              /* a tag of two octets */
        PKICONF "a000",             /* protection of nothing */
        PKICONF "a002 0300",        /* a BIT STRING without its count */
        PKICONF "a004 03020180",    /* unused bits */
        PKICONF "a003 030100 0500", /* more behind it */
        PKICONF "8002 0001",        /* implicit */
        PKICONF "a102 3000",        /* extraCerts: SIZE (1..MAX) */
        PKICONF "a104 30020500",    /* no certificate */
        PKICONF "a1043002 3000a0030301 00" /* out of order */,
        PKICONF PKICONF,
        PKICONF "0500",
    };
    struct bytes header = header_with(octets_in(4, 16));

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct cmp_message m;

        assert_int_equal(cmp_message_decode(message_with(header, rows[i]), &m), CMP_DECODED_HEADER);
        assert_bytes(m.header_encoded, header);
        assert_int_equal(m.header.transaction_id.len, 16);
        assert_int_equal(m.body, CMP_BODY_NONE);
        assert_null(m.content.data);
        assert_null(m.body_encoded.data);
        assert_false(m.has_protection);
        assert_int_equal(m.extra_cert_count, 0);
    }
}

static void every_tag_of_the_standard_is_a_body_and_the_others_are_none(void **state)
{
    (void)state;
    for (unsigned tag = 0; tag < 31; tag++) {
        struct bytes body = wrap(DER_CONTEXT(tag), hex("3000"));
        struct cmp_message m;

        assert_int_equal(cmp_message_decode(wrap(DER_SEQUENCE, join(header_with(BYTES_NONE), body)), &m),
                         CMP_DECODED_ALL);
        assert_int_equal(m.body, tag <= 26 ? tag + 1 : CMP_BODY_NONE);
        assert_bytes(m.body_encoded, body);
        assert_bytes(m.content, hex("3000"));
    }
    assert_int_equal(CMP_BODY_COUNT, 28);
}

static void extra_certificates_have_a_bound(void **state)
{
    struct bytes header = header_with(BYTES_NONE);

    (void)state;
    for (size_t count = 1; count <= CMP_EXTRA_CERTS_MAX + 1; count++) {
        struct bytes certificates = wrap(DER_CONTEXT(1), wrap(DER_SEQUENCE, repeated(hex("3000"), count)));
        struct cmp_message m;

        assert_int_equal(
            cmp_message_decode(wrap(DER_SEQUENCE, join(header, join(hex(PKICONF), certificates))), &m),
            count <= CMP_EXTRA_CERTS_MAX ? CMP_DECODED_ALL : CMP_DECODED_HEADER);
        assert_int_equal(m.extra_cert_count, count <= CMP_EXTRA_CERTS_MAX ? count : 0);
    }
}

static void what_is_no_message_leaves_nothing(void **state)
{
    struct bytes good = message_with(header_with(BYTES_NONE), PKICONF);
    struct cmp_message m = { .body = CMP_RANN };

    (void)state;
    assert_int_equal(cmp_message_decode(BYTES_NONE, &m), CMP_DECODED_NOTHING);
    assert_int_equal(cmp_message_decode(hex("3000"), &m), CMP_DECODED_NOTHING);
    assert_int_equal(cmp_message_decode(join(good, hex("00")), &m), CMP_DECODED_NOTHING);
    assert_int_equal(cmp_message_decode(join(good, good), &m), CMP_DECODED_NOTHING);
    assert_int_equal(cmp_message_decode(wrap(DER_SET, bytes_from(good, 2)), &m), CMP_DECODED_NOTHING);
    assert_int_equal(cmp_message_decode(join(hex("3080"), bytes_from(good, 2)), &m), CMP_DECODED_NOTHING);
    assert_int_equal(m.body, CMP_RANN);
}

static void a_message_has_a_bound(void **state)
{
    struct bytes header = header_with(BYTES_NONE);
    uint8_t *zeros = arena_alloc(arena, CMP_MESSAGE_MAX + 1);

    (void)state;
    assert_non_null(zeros);
    for (int over = 0; over <= 1; over++) {
        size_t around = 5 + header.len + 5 + 5, len = CMP_MESSAGE_MAX - around + (size_t)over;
        struct bytes body = wrap(DER_CONTEXT(23), wrap(DER_OCTET_STRING, bytes_of(zeros, len)));
        struct bytes der = wrap(DER_SEQUENCE, join(header, body));

        assert_int_equal(der.len, CMP_MESSAGE_MAX + over);
        assert_int_equal(decode(der), over ? CMP_DECODED_NOTHING : CMP_DECODED_ALL);
    }
}

static void the_protected_part_is_header_and_body_in_a_sequence(void **state)
{
    struct bytes header = header_with(octets_in(4, 200)), part;
    struct cmp_message m;

    (void)state;
    assert_int_equal(cmp_message_decode(message_with(header, PKICONF "a003 030100"), &m), CMP_DECODED_ALL);
    assert_true(cmp_protected_part(&m, arena, &part));
    assert_bytes(part, wrap(DER_SEQUENCE, join(header, hex(PKICONF))));
}

static void a_full_arena_makes_no_protected_part(void **state)
{
    AUTO_ARENA *tight = arena_new(1 << 16);
    struct bytes part = BYTES_NONE;
    struct cmp_message m;

    (void)state;
    assert_int_equal(cmp_message_decode(message_with(header_with(BYTES_NONE), PKICONF), &m), CMP_DECODED_ALL);
    arena_fail_after(tight, 1);
    assert_false(cmp_protected_part(&m, tight, &part));
    assert_null(part.data);
}

static void every_body_has_its_name(void **state)
{
    (void)state;
    for (unsigned body = 0; body < CMP_BODY_COUNT; body++)
        assert_non_null(cmp_body_name((enum cmp_body)body));
    assert_string_equal(cmp_body_name(CMP_BODY_NONE), "unknown");
    assert_string_equal(cmp_body_name(CMP_IR), "ir");
    assert_string_equal(cmp_body_name(CMP_POLL_REP), "pollRep");
    assert_string_equal(cmp_body_name(CMP_BODY_COUNT), "unknown");
    assert_string_equal(cmp_body_name((enum cmp_body) - 1), "unknown");
}

/* --- what is written --- */

static struct cmp_header a_full_header(void)
{
    struct cmp_header h = {
        .pvno = 3,
        .sender = wrap(DER_CONTEXT(4), name_of("CN=router5.example.com,O=Example")),
        .recipient = wrap(DER_CONTEXT(4), name_of("CN=CA")),
        .has_message_time = true,
        .message_time_s = NOW_S,
        .protection_alg = hex("300a06082a8648ce3d040302"),
        .sender_kid = hex("0102030405"),
        .recip_kid = hex("06"),
        .has_transaction_id = true,
        .transaction_id = hex("00112233445566778899aabbccddeeff"),
        .has_sender_nonce = true,
        .sender_nonce = hex("ffeeddccbbaa99887766554433221100"),
        .has_recip_nonce = true,
        .recip_nonce = hex("0f0e0d0c0b0a09080706050403020100"),
        .info_count = 2,
    };

    h.info[0] = (struct cmp_info){ .oid = CMP_IT_IMPLICIT_CONFIRM, .value = hex("0500") };
    h.info[1] = (struct cmp_info){ .oid = CMP_IT_CA_CERTS };
    return h;
}

static void assert_headers_equal(const struct cmp_header *a, const struct cmp_header *b)
{
    assert_int_equal(a->pvno, b->pvno);
    assert_bytes(a->sender, b->sender);
    assert_bytes(a->recipient, b->recipient);
    assert_int_equal(a->has_message_time, b->has_message_time);
    assert_int_equal(a->message_time_s, b->message_time_s);
    assert_bytes(a->protection_alg, b->protection_alg);
    assert_bytes(a->sender_kid, b->sender_kid);
    assert_bytes(a->recip_kid, b->recip_kid);
    assert_int_equal(a->has_transaction_id, b->has_transaction_id);
    assert_bytes(a->transaction_id, b->transaction_id);
    assert_int_equal(a->has_sender_nonce, b->has_sender_nonce);
    assert_bytes(a->sender_nonce, b->sender_nonce);
    assert_int_equal(a->has_recip_nonce, b->has_recip_nonce);
    assert_bytes(a->recip_nonce, b->recip_nonce);
    assert_int_equal(a->info_count, b->info_count);
    for (size_t i = 0; i < a->info_count; i++) {
        assert_bytes(a->info[i].oid, b->info[i].oid);
        assert_bytes(a->info[i].value, b->info[i].value);
    }
}

static struct bytes a_full_message(const struct cmp_header *header)
{
    struct buffer head = BUFFER(1 << 16), body = BUFFER(1 << 16), out = BUFFER(1 << 16);
    const struct bytes certificates[] = { root_of("CN=CA", "p256"), root_of("CN=CB", "p256") };
    struct bytes head_der, body_der;

    cmp_header_put(&head, header);
    cmp_body_put(&body, CMP_PKICONF, hex("0500"));
    head_der = kept(&head);
    body_der = kept(&body);
    cmp_message_put(&out, head_der, body_der, hex("0102"), certificates, 2);
    return kept(&out);
}

static void what_is_written_reads_as_the_same(void **state)
{
    struct cmp_header h = a_full_header();
    struct cmp_message m;

    (void)state;
    assert_int_equal(cmp_message_decode(a_full_message(&h), &m), CMP_DECODED_ALL);
    assert_headers_equal(&h, &m.header);
    assert_int_equal(m.body, CMP_PKICONF);
    assert_true(m.has_protection);
    assert_bytes(m.protection, hex("0102"));
    assert_int_equal(m.extra_cert_count, 2);
    assert_bytes(encoded_again(&m), m.encoded);
}

static void names_that_are_none_are_written_as_null_dn(void **state)
{
    struct buffer out = BUFFER(1024);

    (void)state;
    cmp_header_put(&out, &(struct cmp_header){ .pvno = 2 });
    assert_bytes(kept(&out), header_with(BYTES_NONE));
}

static void a_small_buffer_is_marked(void **state)
{
    struct cmp_header h = a_full_header();

    (void)state;
    for (size_t max = 0; max < 64; max++) {
        AUTO_STRUCT(buffer) out = BUFFER(max);

        cmp_header_put(&out, &h);
        assert_true(buffer_failed(&out));
    }
}

static void openssl_reads_the_header_that_is_written(void **state)
{
    struct cmp_header h = a_full_header();
    struct bytes der = a_full_message(&h);
    OSSL_CMP_MSG *peer;
    const ASN1_OCTET_STRING *id, *nonce;
    OSSL_CMP_PKIHEADER *header;

    (void)state;
    peer = peer_read(der);
    header = OSSL_CMP_MSG_get0_header(peer);
    id = OSSL_CMP_HDR_get0_transactionID(header);
    nonce = OSSL_CMP_HDR_get0_recipNonce(header);
    assert_bytes(bytes_of(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)), h.transaction_id);
    assert_bytes(bytes_of(ASN1_STRING_get0_data(nonce), (size_t)ASN1_STRING_length(nonce)), h.recip_nonce);
    assert_int_equal(OSSL_CMP_MSG_get_bodytype(peer), CMP_PKICONF - 1);
    assert_bytes(peer_write(peer), der);
    OSSL_CMP_MSG_free(peer);
}

/* --- what OpenSSL writes --- */

static const struct {
    enum cmp_body body;
    bool by_certificate;
} requests[] = {
    { CMP_IR, false },   { CMP_IR, true },  { CMP_CR, false }, { CMP_CR, true },    { CMP_P10CR, false },
    { CMP_P10CR, true }, { CMP_KUR, true }, { CMP_RR, true },  { CMP_GENM, false }, { CMP_GENM, true },
};

static void what_openssl_writes_is_read_and_written_alike(void **state)
{
    struct peer p = peer_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        struct bytes der = peer_request(&p, requests[i].body, requests[i].by_certificate);
        struct cmp_message m;

        assert_int_equal(cmp_message_decode(der, &m), CMP_DECODED_ALL);
        assert_int_equal(m.body, requests[i].body);
        assert_int_equal(m.header.pvno, 2);
        assert_int_equal(m.header.transaction_id.len, 16);
        assert_int_equal(m.header.sender_nonce.len, 16);
        assert_false(m.header.has_recip_nonce);
        assert_true(m.header.has_message_time && m.has_protection);
        assert_int_equal(m.extra_cert_count, requests[i].by_certificate ? 1 : 0);
        if (requests[i].by_certificate)
            assert_bytes(m.extra_cert[0], p.device_der);
        else
            assert_text(m.header.sender_kid, PEER_REF);
        assert_bytes(encoded_again(&m), der);
    }
    peer_free(&p);
}

static void a_message_that_is_cut_off_anywhere_is_none(void **state)
{
    struct peer p = peer_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        struct bytes der = peer_request(&p, requests[i].body, requests[i].by_certificate);

        for (size_t len = 0; len < der.len; len++) {
            uint8_t *cut = test_malloc(len + 1); /* so that a read past the end is seen */

            memcpy(cut, der.data, len);
            assert_int_equal(decode(bytes_of(cut, len)), CMP_DECODED_NOTHING);
            test_free(cut);
        }
    }
    peer_free(&p);
}

/* Cut off inside and told so: every length around it is made to fit. Then the header is good as long as it is
 * whole, and nothing is ever accepted but the message without what is optional behind the body. */
static void a_message_that_ends_early_keeps_its_header_at_most(void **state)
{
    struct cmp_header h = a_full_header();
    struct bytes der = a_full_message(&h);
    struct der in = der_of(der);
    struct bytes content = der_value(&in, DER_SEQUENCE);
    struct cmp_message whole;
    size_t header_len, body_len, protection_len;

    (void)state;
    assert_int_equal(cmp_message_decode(der, &whole), CMP_DECODED_ALL);
    header_len = whole.header_encoded.len;
    body_len = header_len + whole.body_encoded.len;
    protection_len = body_len + 2 + 2 + 1 + whole.protection.len;
    for (size_t len = 0; len < content.len; len++) {
        enum cmp_decoded decoded = decode(wrap(DER_SEQUENCE, bytes_slice(content, 0, len)));

        if (len == body_len || len == protection_len)
            assert_int_equal(decoded, CMP_DECODED_ALL);
        else
            assert_int_equal(decoded, len < header_len ? CMP_DECODED_NOTHING : CMP_DECODED_HEADER);
    }
}

static void whatever_octet_changes_what_is_read_is_written_alike(void **state)
{
    static const uint8_t flips[] = { 0x01, 0x20, 0x80, 0xff };
    struct cmp_header h = a_full_header();
    struct bytes der = a_full_message(&h);
    uint8_t *changed = test_malloc(der.len);

    (void)state;
    for (size_t at = 0; at < der.len; at++) {
        for (size_t i = 0; i < COUNT_OF(flips); i++) {
            struct cmp_message m;

            memcpy(changed, der.data, der.len);
            changed[at] ^= flips[i];
            if (cmp_message_decode(bytes_of(changed, der.len), &m) == CMP_DECODED_ALL &&
                m.body != CMP_BODY_NONE)
                assert_bytes(encoded_again(&m), m.encoded);
        }
    }
    test_free(changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_header_without_options_is_good),
        TEST(any_version_decodes_but_a_negative_one),
        TEST(sender_and_recipient_are_general_names),
        TEST(message_time_has_one_form),
        TEST(message_time_is_written_as_generalized_time),
        TEST(a_time_without_a_year_fails_the_buffer),
        TEST(identifiers_have_a_bound),
        TEST(an_identifier_of_no_octets_is_not_absent),
        TEST(options_stand_in_their_order_and_once),
        TEST(cmp_28_free_text_is_utf8_and_passed_over),
        TEST(general_info_is_a_bounded_list),
        TEST(an_info_is_found_by_its_type),
        TEST(whatever_is_broken_behind_the_header_leaves_the_header),
        TEST(every_tag_of_the_standard_is_a_body_and_the_others_are_none),
        TEST(extra_certificates_have_a_bound),
        TEST(what_is_no_message_leaves_nothing),
        TEST(a_message_has_a_bound),
        TEST(the_protected_part_is_header_and_body_in_a_sequence),
        TEST(a_full_arena_makes_no_protected_part),
        TEST(every_body_has_its_name),
        TEST(what_is_written_reads_as_the_same),
        TEST(names_that_are_none_are_written_as_null_dn),
        TEST(a_small_buffer_is_marked),
        TEST(openssl_reads_the_header_that_is_written),
        TEST(what_openssl_writes_is_read_and_written_alike),
        TEST(a_message_that_is_cut_off_anywhere_is_none),
        TEST(a_message_that_ends_early_keeps_its_header_at_most),
        TEST(whatever_octet_changes_what_is_read_is_written_alike),
    };

    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
