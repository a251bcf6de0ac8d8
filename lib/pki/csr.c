#include "lib/pki/csr.h"

#include "lib/pki/csr_internal.h"
#include "lib/pki/pem_internal.h"
#include "lib/pki/public_key_internal.h"

#define OID(content)                                    \
    {                                                   \
        (const uint8_t *)(content), sizeof(content) - 1 \
    }

/* Keys that cannot sign, so that their request proves nothing (CSR-17). */
static const struct bytes agreement_keys[] = {
    OID("\x2b\x65\x6e"),                         /* X25519 */
    OID("\x2b\x65\x6f"),                         /* X448 */
    OID("\x60\x86\x48\x01\x65\x03\x04\x04\x01"), /* ML-KEM-512 */
    OID("\x60\x86\x48\x01\x65\x03\x04\x04\x02"), /* ML-KEM-768 */
    OID("\x60\x86\x48\x01\x65\x03\x04\x04\x03"), /* ML-KEM-1024 */
};

/* CertificationRequest in its parts (RFC 2986 4). */
struct parts {
    struct bytes info, subject, spki, attributes, algorithm, signature;
};

static bool split(struct bytes der, struct parts *out)
{
    struct der in = der_of(der), request = der_enter(&in, DER_SEQUENCE), info_in, info;
    bool present;

    out->info = der_element(&request, DER_SEQUENCE);
    out->algorithm = der_element(&request, DER_SEQUENCE);
    out->signature = der_bits(&request);
    if (!der_finished(&request) || !der_finished(&in))
        return false;
    info_in = der_of(out->info);
    info = der_enter(&info_in, DER_SEQUENCE);
    if (der_uint(&info) != 0)
        return false;
    out->subject = der_element(&info, DER_SEQUENCE);
    out->spki = der_element(&info, DER_SEQUENCE);
    out->attributes = der_optional(&info, DER_CONTEXT(0), &present); /* absent counts as empty (CSR-6) */
    return der_finished(&info);
}

struct csr_finding csr_key_judge(struct bytes spki, const struct key_rules *rules, struct public_key *out)
{
    struct spki_parts parts;
    const char *detail = "";

    if (spki_split(spki, &parts))
        for (size_t i = 0; i < COUNT_OF(agreement_keys); i++)
            if (bytes_equal(parts.algorithm, agreement_keys[i]))
                return csr_found(CSR_FAULT_POP, "key cannot sign");
    switch (public_key_decode(spki, rules, out, &detail)) {
    case KEY_FAULT_SYNTAX: return csr_found(CSR_FAULT_SYNTAX, detail);
    case KEY_FAULT_ALGORITHM: return csr_found(CSR_FAULT_ALGORITHM, detail);
    case KEY_FAULT_WEAK: return csr_found(CSR_FAULT_KEY, detail);
    case KEY_FAULT_INTERNAL: return csr_found(CSR_FAULT_INTERNAL, detail);
    case KEY_OK: return CSR_SOUND;
    }
    return csr_found(CSR_FAULT_INTERNAL, detail);
}

struct csr_finding csr_signature_judge(const struct public_key *key, struct bytes algorithm,
                                       struct bytes message, struct bytes signature, bool allow_sha1)
{
    switch (signature_verify(key, algorithm, message, signature, allow_sha1)) {
    case SIGNATURE_WRONG: return csr_found(CSR_FAULT_POP, "self-signature wrong");
    case SIGNATURE_ALGORITHM: return csr_found(CSR_FAULT_ALGORITHM, "signature algorithm not accepted");
    case SIGNATURE_SYNTAX: return csr_found(CSR_FAULT_SYNTAX, "signature algorithm malformed");
    case SIGNATURE_INTERNAL: return csr_found(CSR_FAULT_INTERNAL, "verification failed to run");
    case SIGNATURE_OK: return CSR_SOUND;
    }
    return csr_found(CSR_FAULT_INTERNAL, "verification");
}

static struct csr_finding take_names(const struct parts *parts, struct arena *arena, struct requested *out)
{
    struct csr_finding finding = csr_name_finding(name_decode(parts->subject, arena, &out->subject),
                                                  "subject");

    if (finding.fault == CSR_OK)
        finding = csr_attributes_decode(der_of(parts->attributes), arena, out);
    return finding.fault == CSR_OK ? csr_names_judge(out) : finding;
}

/* To DER. `info` is what the signature covers: the bytes as received, also when they are BER (CSR-9). */
static struct csr_finding take_encoding(struct bytes input, bool accept_ber, struct arena *arena,
                                        struct bytes *der, struct bytes *info)
{
    if (input.len > CSR_LEN_MAX)
        return csr_found(CSR_FAULT_SYNTAX, "request too long");
    if (!ber_to_der(arena, input, der))
        return csr_found(CSR_FAULT_SYNTAX, "request malformed");
    if (der->data == input.data)
        return CSR_SOUND;
    return accept_ber && ber_first_child(input, info) ? CSR_SOUND
                                                      : csr_found(CSR_FAULT_SYNTAX, "request not in DER");
}

/* What is cheap comes first; arithmetic is the last. */
static struct csr_finding decode(struct bytes input, const struct csr_rules *rules, struct arena *arena,
                                 struct csr *out)
{
    struct bytes der, received = BYTES_NONE;
    struct parts parts;
    struct csr_finding finding = take_encoding(input, rules->accept_ber, arena, &der, &received);

    if (finding.fault != CSR_OK)
        return finding;
    if (!split(der, &parts))
        return csr_found(CSR_FAULT_SYNTAX, "request malformed");
    out->encoded = der;
    out->info = received.data != NULL ? received : parts.info;
    finding = take_names(&parts, arena, &out->requested);
    out->requested.key.spki = parts.spki;
    if (finding.fault != CSR_OK || rules->ignore_key)
        return finding;
    finding = csr_key_judge(parts.spki, &rules->key, &out->requested.key);
    return finding.fault == CSR_OK ? csr_signature_judge(&out->requested.key, parts.algorithm, out->info,
                                                         parts.signature, rules->allow_sha1)
                                   : finding;
}

enum csr_fault csr_decode(struct bytes der, const struct csr_rules *rules, struct arena *arena,
                          struct csr *out, const char **detail)
{
    struct csr csr = { 0 };
    struct csr_finding finding = decode(der, rules, arena, &csr);

    if (finding.fault == CSR_OK)
        *out = csr;
    else
        *detail = finding.detail;
    return finding.fault;
}

bool csr_from_pem(struct bytes pem, struct arena *arena, struct bytes *der)
{
    struct pem_block block;
    struct bytes rest = pem, before, decoded;

    if (pem.len > 2 * CSR_LEN_MAX || !pem_next(&rest, &block, &before) || bytes_trim(before).len != 0 ||
        bytes_trim(rest).len != 0 ||
        !(bytes_is(block.label, "CERTIFICATE REQUEST") || bytes_is(block.label, "NEW CERTIFICATE REQUEST")) ||
        !pem_decode(&block, arena, &decoded) || decoded.len == 0)
        return false;
    *der = decoded;
    return true;
}
