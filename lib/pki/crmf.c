#include "lib/pki/crmf.h"

#include "lib/pki/crmf_internal.h"
#include "lib/pki/csr_internal.h"
#include "lib/pki/public_key_internal.h"

#define OID(content)                                    \
    {                                                   \
        (const uint8_t *)(content), sizeof(content) - 1 \
    }

enum { CONTROLS_MAX = 32, VERSION_3 = 2 };

const struct bytes CRMF_OID_OLD_CERT_ID = OID("\x2b\x06\x01\x05\x05\x07\x05\x01\x05");
const struct bytes CRMF_OID_SUBJECT_ALT_NAME = OID("\x55\x1d\x11");

/* What a proof by signature is made of; the rest of it is in the request. */
struct proof {
    struct bytes algorithm, signature;
    struct bytes input; /* POPOSigningKeyInput, still as [0]; none when the CertRequest itself is signed */
};

/* --- controls (RFC 4211 6) --- */

/* CertId. An issuer that is no directoryName is none of ours. */
static bool read_old_cert_id(struct der *attribute, struct crmf_request *out)
{
    struct der cert_id = der_enter(attribute, DER_SEQUENCE);

    if (out->has_old_cert_id)
        return false;
    if (der_next_is(&cert_id, DER_CONTEXT(GENERAL_NAME_DIRECTORY)))
        out->old_issuer = crmf_inside(&cert_id, DER_CONTEXT(GENERAL_NAME_DIRECTORY), DER_SEQUENCE);
    else
        (void)der_any(&cert_id, NULL);
    out->old_serial = der_integer(&cert_id);
    out->has_old_cert_id = true;
    return der_finished(&cert_id);
}

/* AttributeTypeAndValues, one at least. `out` NULL: nothing in them counts (regInfo). */
static bool read_attributes(struct der *in, struct crmf_request *out)
{
    struct der list = der_enter(in, DER_SEQUENCE);
    size_t count = 0;

    while (der_more(&list)) {
        struct der attribute = der_enter(&list, DER_SEQUENCE);
        struct bytes oid = der_value(&attribute, DER_OID);

        if (oid.len == 0 || count++ == CONTROLS_MAX)
            return false;
        if (out != NULL && bytes_equal(oid, CRMF_OID_OLD_CERT_ID)) {
            if (!read_old_cert_id(&attribute, out))
                return false;
        } else {
            (void)der_any(&attribute, NULL);
        }
        if (!der_finished(&attribute))
            return false;
    }
    return count > 0 && der_finished(&list);
}

/* --- proof of possession (RFC 4211 4) --- */

/* POPOSigningKeyInput: authInfo is a CHOICE, whose first alternative holds another one. */
static bool read_sk_input(struct bytes input, struct crmf_request *out)
{
    struct der in = der_of(input), seq = der_enter(&in, DER_CONTEXT(0));

    if (der_next_is(&seq, DER_CONTEXT(0))) {
        struct der sender = der_enter(&seq, DER_CONTEXT(0));

        out->sk_input_sender = der_any(&sender, NULL);
        if (!der_finished(&sender))
            return false;
    } else {
        struct der mac = der_enter(&seq, DER_SEQUENCE);

        out->sk_input_mac_algorithm = der_element(&mac, DER_SEQUENCE);
        out->sk_input_mac = der_bits(&mac);
        if (!der_finished(&mac))
            return false;
    }
    out->has_sk_input = true;
    out->sk_input_key = der_element(&seq, DER_SEQUENCE);
    return der_finished(&seq) && der_finished(&in);
}

static bool read_signature(struct der *in, struct crmf_request *out, struct proof *proof)
{
    struct der seq = der_enter(in, DER_CONTEXT(1));

    out->pop = CRMF_POP_SIGNATURE;
    if (der_next_is(&seq, DER_CONTEXT(0))) {
        proof->input = der_element(&seq, DER_CONTEXT(0));
        if (!read_sk_input(proof->input, out))
            return false;
    }
    proof->algorithm = der_element(&seq, DER_SEQUENCE);
    proof->signature = der_bits(&seq);
    return der_finished(&seq);
}

/* What we do not offer is read no deeper than its tag. */
static bool read_other(struct der *in, unsigned tag, struct crmf_request *out)
{
    struct der choice = der_enter(in, tag);

    (void)der_any(&choice, NULL);
    out->pop = CRMF_POP_OTHER;
    return der_finished(&choice);
}

static bool read_pop(struct der *in, struct crmf_request *out, struct proof *proof)
{
    if (der_next_is(in, DER_CONTEXT_PRIMITIVE(0))) {
        out->pop = CRMF_POP_RA_VERIFIED;
        return der_value(in, DER_CONTEXT_PRIMITIVE(0)).len == 0;
    }
    if (der_next_is(in, DER_CONTEXT(1)))
        return read_signature(in, out, proof);
    for (unsigned n = 2; n <= 3; n++)
        if (der_next_is(in, DER_CONTEXT(n)))
            return read_other(in, DER_CONTEXT(n), out);
    return true; /* absent */
}

/* --- the request --- */

/* CertRequest (RFC 4211 5). */
static enum csr_fault read_request(struct bytes element, struct arena *arena, struct crmf_request *out)
{
    struct der in = der_of(element), request = der_enter(&in, DER_SEQUENCE), template;
    enum csr_fault fault;

    out->cert_req_id = der_int(&request);
    template = der_enter(&request, DER_SEQUENCE);
    fault = crmf_template_read(&template, arena, &out->template);
    if (fault == CSR_OK && der_more(&request) && !read_attributes(&request, out))
        fault = CSR_FAULT_SYNTAX;
    return fault == CSR_OK && !der_finished(&request) ? CSR_FAULT_SYNTAX : fault;
}

/* CertReqMsg (RFC 4211 3) in its parts. */
static enum csr_fault read_message(struct bytes der, struct arena *arena, struct crmf_request *out,
                                   struct proof *proof)
{
    struct der in = der_of(der), message = der_enter(&in, DER_SEQUENCE);

    out->encoded = der;
    out->cert_request = der_element(&message, DER_SEQUENCE);
    if (der.len > CRMF_LEN_MAX || !read_pop(&message, out, proof) ||
        (der_more(&message) && !read_attributes(&message, NULL)) || !der_finished(&message) ||
        !der_finished(&in))
        return CSR_FAULT_SYNTAX;
    return read_request(out->cert_request, arena, out);
}

/* --- judgement --- */

static bool has_whole_key(const struct crmf_template *t)
{
    return t->has_key && !t->key_is_empty;
}

/* What the CA alone decides (CMP-48), and what must be there (CMP-49): a subject, but where poposkInput names
 * the requester instead (RFC 4211 4.1). */
static struct csr_finding judge_template(const struct crmf_request *r)
{
    const struct crmf_template *t = &r->template;

    if (t->has_version && t->version != VERSION_3)
        return csr_found(CSR_FAULT_PROFILE, "version in the template is not 3");
    if (t->has_serial || t->has_signing_algorithm)
        return csr_found(CSR_FAULT_PROFILE, "serial number or signing algorithm in the template");
    if (t->has_issuer_uid || t->has_subject_uid)
        return csr_found(CSR_FAULT_PROFILE, "unique identifier in the template");
    if (!t->has_subject && !r->has_sk_input)
        return csr_found(CSR_FAULT_PROFILE, "no subject in the template");
    return CSR_SOUND;
}

static struct csr_finding take_names(const struct crmf_template *t, struct arena *arena,
                                     struct requested *out)
{
    struct csr_finding finding = CSR_SOUND;

    if (t->has_subject)
        finding = csr_name_finding(name_decode(t->subject, arena, &out->subject), "subject");
    if (finding.fault == CSR_OK && t->has_extensions)
        finding = csr_extensions_decode(t->extensions, arena, out);
    return finding.fault == CSR_OK ? csr_names_judge(out) : finding;
}

/* CMP-51, CMP-52: poposkInput stands where the template says too little, and speaks of the same key. */
static struct csr_finding judge_sk_input(const struct crmf_request *r)
{
    const struct crmf_template *t = &r->template;

    if (!has_whole_key(t))
        return csr_found(CSR_FAULT_POP, "signature without a public key");
    if (r->has_sk_input && t->has_subject)
        return csr_found(CSR_FAULT_POP, "poposkInput beside subject and public key");
    if (r->has_sk_input && !bytes_equal(r->sk_input_key, t->spki))
        return csr_found(CSR_FAULT_POP, "another public key in poposkInput");
    return CSR_SOUND;
}

/* The signature covers POPOSigningKeyInput under its own tag (RFC 4211 4.1), or the CertRequest as received.
 */
static struct csr_finding judge_signature(const struct crmf_request *r, const struct proof *proof,
                                          bool allow_sha1, struct arena *arena)
{
    struct bytes message = r->has_sk_input ? crmf_retag(proof->input, DER_SEQUENCE, arena) : r->cert_request;

    if (message.data == NULL)
        return csr_found(CSR_FAULT_INTERNAL, "out of memory");
    return csr_signature_judge(&r->requested.key, proof->algorithm, message, proof->signature, allow_sha1);
}

/* What is cheap comes first; arithmetic is the last. */
static struct csr_finding judge(struct crmf_request *r, const struct proof *proof,
                                const struct crmf_rules *rules, struct arena *arena)
{
    bool verify = r->pop == CRMF_POP_SIGNATURE && !rules->ignore_pop;
    struct csr_finding finding = judge_template(r);

    if (finding.fault == CSR_OK && verify)
        finding = judge_sk_input(r);
    if (finding.fault == CSR_OK)
        finding = take_names(&r->template, arena, &r->requested);
    if (finding.fault == CSR_OK && has_whole_key(&r->template))
        finding = csr_key_judge(r->template.spki, &rules->key, &r->requested.key);
    return finding.fault == CSR_OK && verify ? judge_signature(r, proof, rules->allow_sha1, arena) : finding;
}

enum csr_fault crmf_decode(struct bytes der, const struct crmf_rules *rules, struct arena *arena,
                           struct crmf_request *out, const char **detail)
{
    struct crmf_request request = { 0 };
    struct proof proof = { 0 };
    enum csr_fault fault = read_message(der, arena, &request, &proof);
    struct csr_finding finding;

    if (fault != CSR_OK) {
        *detail = fault == CSR_FAULT_INTERNAL ? "out of memory" : "request malformed";
        return fault;
    }
    finding = judge(&request, &proof, rules, arena);
    if (finding.fault != CSR_OK) {
        request.requested = (struct requested){ 0 };
        *detail = finding.detail;
    }
    *out = request;
    return finding.fault;
}
