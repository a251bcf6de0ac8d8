/* genm (RFC 9810 5.3.19, RFC 9483 4.3): questions about the CA. One question, one answer; each type is a row.
 */
#include "jobs/crl.h"
#include "proto/cmp/exchange_internal.h"

enum { ANSWER_MAX = CRL_BYTES_MAX };

/* What a question is answered with. A value that is none is an answer too: there is nothing to be had. */
struct answer {
    struct bytes oid;
    struct buffer value; /* element */
};

typedef enum cmp_fault general_answer(struct cmp_exchange *x, struct bytes asked, struct answer *out,
                                      struct error *err);

/* --- CA certificates --- */

static enum cmp_fault answer_ca_certs(struct cmp_exchange *x, struct bytes asked, struct answer *out,
                                      struct error *err)
{
    (void)asked;
    (void)err;
    cmp_elements_put(&out->value, x->ca->chain, x->ca->chain_count);
    return CMP_OK;
}

static void put_tagged(struct buffer *out, unsigned n, struct bytes element)
{
    if (element.len > 0)
        der_put(out, DER_CONTEXT(n), element);
}

/* The root that follows the one that is named, or ours (CMP-101). */
static enum cmp_fault answer_root_update(struct cmp_exchange *x, struct bytes asked, struct answer *out,
                                         struct error *err)
{
    const struct ca *ca = x->ca;
    size_t begun;

    (void)err;
    out->oid = CMP_IT_ROOT_CA_KEY_UPDATE;
    if (ca->root_new_with_new.len == 0 ||
        (asked.len > 0 && !bytes_equal(asked, ca->chain[ca->chain_count - 1])))
        return CMP_OK;
    begun = der_begin(&out->value, DER_SEQUENCE);
    buffer_append(&out->value, ca->root_new_with_new);
    put_tagged(&out->value, 0, ca->root_new_with_old);
    put_tagged(&out->value, 1, ca->root_old_with_new);
    der_end(&out->value, begun);
    return CMP_OK;
}

/* --- certReqTemplate (CMP-102) --- */

static const uint8_t OID_ALG_ID[] = { 0x2b, 6, 1, 5, 5, 7, 5, 1, 11 };
static const uint8_t OID_RSA_KEY_LEN[] = { 0x2b, 6, 1, 5, 5, 7, 5, 1, 12 };
static const uint8_t OID_EC_PUBLIC_KEY[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1 };
static const uint8_t OID_P256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7 };
static const uint8_t OID_P384[] = { 0x2b, 0x81, 4, 0, 34 };
static const uint8_t OID_P521[] = { 0x2b, 0x81, 4, 0, 35 };
static const uint8_t OID_ED25519[] = { 0x2b, 0x65, 0x70 };
static const uint8_t OID_ED448[] = { 0x2b, 0x65, 0x71 };
static const uint8_t OID_RSA[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1 };

static void put_algorithm(struct buffer *out, struct bytes oid, struct bytes curve)
{
    size_t begun = der_begin(out, DER_SEQUENCE);

    der_put_oid(out, oid);
    if (curve.len > 0)
        der_put_oid(out, curve);
    der_end(out, begun);
}

static void put_algorithm_control(struct buffer *out, struct bytes oid, struct bytes curve)
{
    size_t begun = der_begin(out, DER_SEQUENCE);

    der_put_oid(out, BYTES_ARRAY(OID_ALG_ID));
    put_algorithm(out, oid, curve);
    der_end(out, begun);
}

/* Controls: one for each choice. */
static void put_key_spec(struct buffer *out, const struct key_rules *keys)
{
    size_t all = der_begin(out, DER_SEQUENCE), begun;

    if (keys->p256)
        put_algorithm_control(out, BYTES_ARRAY(OID_EC_PUBLIC_KEY), BYTES_ARRAY(OID_P256));
    if (keys->p384)
        put_algorithm_control(out, BYTES_ARRAY(OID_EC_PUBLIC_KEY), BYTES_ARRAY(OID_P384));
    if (keys->p521)
        put_algorithm_control(out, BYTES_ARRAY(OID_EC_PUBLIC_KEY), BYTES_ARRAY(OID_P521));
    if (keys->ed25519)
        put_algorithm_control(out, BYTES_ARRAY(OID_ED25519), BYTES_NONE);
    if (keys->ed448)
        put_algorithm_control(out, BYTES_ARRAY(OID_ED448), BYTES_NONE);
    if (keys->rsa_bits_max > 0) {
        begun = der_begin(out, DER_SEQUENCE);
        der_put_oid(out, BYTES_ARRAY(OID_RSA_KEY_LEN));
        der_put_uint(out, keys->rsa_bits_min);
        der_end(out, begun);
    }
    der_end(out, all);
}

/* A subject with a common name that is for the device to fill in (RFC 9483 4.3.3). */
static void put_template(struct buffer *out)
{
    size_t template = der_begin(out, DER_SEQUENCE), subject = der_begin(out, DER_CONTEXT(5));
    size_t name = der_begin(out, DER_SEQUENCE), rdn = der_begin(out, DER_SET);
    size_t attribute = der_begin(out, DER_SEQUENCE);

    der_put_oid(out, OID_COMMON_NAME);
    der_put(out, DER_UTF8_STRING, BYTES_NONE);
    der_end(out, attribute);
    der_end(out, rdn);
    der_end(out, name);
    der_end(out, subject);
    der_end(out, template);
}

static enum cmp_fault answer_template(struct cmp_exchange *x, struct bytes asked, struct answer *out,
                                      struct error *err)
{
    const struct profile *profile;
    enum cmp_fault fault = cmp_profile_asked(x, &profile);
    size_t begun;

    (void)asked;
    (void)err;
    if (fault != CMP_OK)
        return fault;
    if (profile == NULL)
        profile = x->procedure->profile;
    begun = der_begin(&out->value, DER_SEQUENCE);
    put_template(&out->value);
    put_key_spec(&out->value, &profile->keys);
    der_end(&out->value, begun);
    return CMP_OK;
}

/* --- certificate lists --- */

static bool read_crl(struct cmp_exchange *x, bool *found, struct crl_state *crl, struct error *err)
{
    return crl_state_read(x->turn->view, bytes_text(x->ca->name), x->turn->arena, found, crl, err);
}

static enum cmp_fault answer_current_crl(struct cmp_exchange *x, struct bytes asked, struct answer *out,
                                         struct error *err)
{
    struct crl_state crl;
    bool found;

    (void)asked;
    if (!read_crl(x, &found, &crl, err))
        return CMP_FAULT_INTERNAL;
    if (found)
        buffer_append(&out->value, crl.der);
    return CMP_OK;
}

/* GeneralNames among which one is ours: a URL of the list, or the CA's name. Never fetched (CMP-103). */
static bool names_our_crl(const struct cmp_exchange *x, struct bytes sequence)
{
    struct general_names names;
    struct distinguished_name issuer;

    if (general_names_decode(sequence, x->turn->arena, &names) != NAME_OK)
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const struct general_name *n = &names.item[i];

        if (n->kind == GENERAL_NAME_DIRECTORY &&
            name_decode_lenient(n->value, x->turn->arena, &issuer) == NAME_OK &&
            name_equal(&issuer, &x->ca->certificate.subject))
            return true;
        for (size_t u = 0; n->kind == GENERAL_NAME_URI && u < x->ca->crl_url_count; u++)
            if (bytes_equal(n->value, x->ca->crl_url[u]))
                return true;
    }
    return false;
}

static struct bytes as_sequence(const struct cmp_exchange *x, struct bytes content)
{
    AUTO_STRUCT(buffer) element = BUFFER(64 * 1024);

    der_put(&element, DER_SEQUENCE, content);
    return buffer_failed(&element) ? BYTES_NONE : arena_copy(x->turn->arena, buffer_bytes(&element));
}

/* One CRLStatus: which list, and since when it is known. */
struct crl_status {
    bool ours, has_this_update;
    int64_t this_update_s;
};

static bool read_crl_status(const struct cmp_exchange *x, struct der *in, struct crl_status *out)
{
    struct der status = der_enter(in, DER_SEQUENCE), source, point;

    *out = (struct crl_status){ 0 };
    if (der_next_is(&status, DER_CONTEXT(0))) { /* dpn: fullName [0] GeneralNames, or a relative name */
        source = der_enter(&status, DER_CONTEXT(0));
        if (der_next_is(&source, DER_CONTEXT(0))) {
            point = der_enter(&source, DER_CONTEXT(0));
            out->ours = names_our_crl(x, as_sequence(x, point.rest));
        }
    } else {
        source = der_enter(&status, DER_CONTEXT(1));
        out->ours = names_our_crl(x, der_element(&source, DER_SEQUENCE));
    }
    if (der_more(&status)) {
        out->has_this_update = true;
        out->this_update_s = der_time(&status);
    }
    return der_finished(&status) && !source.failed;
}

static enum cmp_fault answer_crls(struct cmp_exchange *x, struct bytes asked, struct answer *out,
                                  struct error *err)
{
    struct der in = der_of(asked), list = der_enter(&in, DER_SEQUENCE);
    struct crl_status status;
    struct crl_state crl;
    bool found, wanted = false;

    if (!der_more(&list))
        return CMP_FAULT_INFO_VALUE;
    if (!read_crl(x, &found, &crl, err))
        return CMP_FAULT_INTERNAL;
    while (der_more(&list)) {
        if (!read_crl_status(x, &list, &status))
            return CMP_FAULT_SYNTAX;
        wanted |= found && status.ours &&
                  (!status.has_this_update || crl.this_update_s > status.this_update_s);
    }
    if (!der_finished(&list) || !der_finished(&in))
        return CMP_FAULT_SYNTAX;
    out->oid = CMP_IT_CRLS;
    if (wanted)
        der_put(&out->value, DER_SEQUENCE, crl.der);
    return CMP_OK;
}

/* --- languages and algorithms --- */

static const struct bytes ENGLISH = { (const uint8_t *)"en", 2 };

static enum cmp_fault answer_languages(struct cmp_exchange *x, struct bytes asked, struct answer *out,
                                       struct error *err)
{
    struct der in = der_of(asked), list = der_enter(&in, DER_SEQUENCE);
    bool spoken = false;
    size_t begun;

    (void)x;
    (void)err;
    while (der_more(&list)) {
        struct bytes tag = der_value(&list, DER_UTF8_STRING);

        spoken |= bytes_equal_nocase(bytes_slice(tag, 0, 2), ENGLISH) &&
                  (tag.len == 2 || (tag.len > 2 && tag.data[2] == '-'));
    }
    if (!der_finished(&list) || !der_finished(&in))
        return CMP_FAULT_SYNTAX;
    if (!spoken)
        return CMP_FAULT_LANGUAGE;
    begun = der_begin(&out->value, DER_SEQUENCE);
    der_put(&out->value, DER_UTF8_STRING, ENGLISH);
    der_end(&out->value, begun);
    return CMP_OK;
}

/* Keys that the profile certifies (RFC 9810 5.3.19.2). */
static enum cmp_fault answer_sign_types(struct cmp_exchange *x, struct bytes asked, struct answer *out,
                                        struct error *err)
{
    const struct key_rules *keys = &x->procedure->profile->keys;
    size_t begun = der_begin(&out->value, DER_SEQUENCE);

    (void)asked;
    (void)err;
    if (keys->p256)
        put_algorithm(&out->value, BYTES_ARRAY(OID_EC_PUBLIC_KEY), BYTES_ARRAY(OID_P256));
    if (keys->p384)
        put_algorithm(&out->value, BYTES_ARRAY(OID_EC_PUBLIC_KEY), BYTES_ARRAY(OID_P384));
    if (keys->p521)
        put_algorithm(&out->value, BYTES_ARRAY(OID_EC_PUBLIC_KEY), BYTES_ARRAY(OID_P521));
    if (keys->ed25519)
        put_algorithm(&out->value, BYTES_ARRAY(OID_ED25519), BYTES_NONE);
    if (keys->ed448)
        put_algorithm(&out->value, BYTES_ARRAY(OID_ED448), BYTES_NONE);
    if (keys->rsa_bits_max > 0)
        put_algorithm(&out->value, BYTES_ARRAY(OID_RSA), BYTES_NONE);
    der_end(&out->value, begun);
    return CMP_OK;
}

/* AES-256-CBC (RFC 9810 5.3.19.4). */
static enum cmp_fault answer_symmetric(struct cmp_exchange *x, struct bytes asked, struct answer *out,
                                       struct error *err)
{
    static const uint8_t aes_256_cbc[] = { 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42 };

    (void)x;
    (void)asked;
    (void)err;
    put_algorithm(&out->value, BYTES_ARRAY(aes_256_cbc), BYTES_NONE);
    return CMP_OK;
}

/* --- the table --- */

enum value_rule { VALUE_ABSENT = 0, VALUE_OPTIONAL, VALUE_NEEDED };

static const struct general_row {
    const struct bytes *oid;
    enum value_rule value; /* CMP-105 */
    general_answer *answer;
} rows[] = {
    { &CMP_IT_CA_CERTS, VALUE_ABSENT, answer_ca_certs },
    { &CMP_IT_ROOT_CA_CERT, VALUE_OPTIONAL, answer_root_update },
    { &CMP_IT_CERT_REQ_TEMPLATE, VALUE_ABSENT, answer_template },
    { &CMP_IT_CRL_STATUS_LIST, VALUE_NEEDED, answer_crls },
    { &CMP_IT_CURRENT_CRL, VALUE_ABSENT, answer_current_crl },
    { &CMP_IT_SUPP_LANG_TAGS, VALUE_NEEDED, answer_languages },
    { &CMP_IT_SIGN_KEY_PAIR_TYPES, VALUE_ABSENT, answer_sign_types },
    { &CMP_IT_PREFERRED_SYMM_ALG, VALUE_ABSENT, answer_symmetric },
};

static const struct general_row *row_of(struct bytes oid)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (bytes_equal(*rows[i].oid, oid))
            return &rows[i];
    return NULL;
}

static enum cmp_fault say(struct cmp_exchange *x, const struct answer *answer, struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(ANSWER_MAX + 1024);
    const struct cmp_info info = { .oid = answer->oid, .value = buffer_bytes(&answer->value) };

    if (buffer_failed(&answer->value))
        return cmp_trouble(err, ERROR_MEMORY, "a general response");
    cmp_general_put(&content, &info, 1);
    return cmp_say(x, CMP_GENP, &content, err);
}

/* CMP-106: what is not known here is named. */
static enum cmp_fault say_unsupported(struct cmp_exchange *x, struct bytes oid, struct error *err)
{
    struct answer answer = { .oid = CMP_IT_UNSUPPORTED_OIDS, .value = BUFFER(1024) };
    size_t begun = der_begin(&answer.value, DER_SEQUENCE);
    enum cmp_fault fault;

    der_put_oid(&answer.value, oid);
    der_end(&answer.value, begun);
    fault = say(x, &answer, err);
    buffer_free(&answer.value);
    return fault;
}

static enum cmp_fault answer_row(struct cmp_exchange *x, const struct general_row *row,
                                 const struct cmp_info *asked, struct error *err)
{
    struct answer answer = { .oid = asked->oid, .value = BUFFER(ANSWER_MAX) };
    enum cmp_fault fault = row->answer(x, asked->value, &answer, err);

    if (fault == CMP_OK)
        fault = say(x, &answer, err);
    buffer_free(&answer.value);
    return fault;
}

enum cmp_fault cmp_serve_general(struct cmp_exchange *x, struct error *err)
{
    struct cmp_info info[2];
    const struct general_row *row;
    size_t count;

    if (x->sender.role == CMP_ROLE_FOREIGN)
        return CMP_FAULT_NOT_AUTHORIZED;
    if (!cmp_general_decode(x->request.content, info, COUNT_OF(info), &count) || count != 1)
        return CMP_FAULT_COUNT;
    cmp_note(x, "served", NULL, NULL);
    row = row_of(info[0].oid);
    if (row == NULL)
        return say_unsupported(x, info[0].oid, err);
    if ((row->value == VALUE_ABSENT && info[0].value.len > 0) ||
        (row->value == VALUE_NEEDED && info[0].value.len == 0))
        return CMP_FAULT_INFO_VALUE;
    return answer_row(x, row, &info[0], err);
}
