/* csr_internal.h: the parts of the PKCS#10 decoder; what they judge, they judge for CRMF too. */
#ifndef MUSTER_PKI_CSR_INTERNAL_H
#define MUSTER_PKI_CSR_INTERNAL_H

#include "lib/pki/csr.h"

/* A verdict and what the log says of it. */
struct csr_finding {
    enum csr_fault fault;
    const char *detail;
};

static inline struct csr_finding csr_found(enum csr_fault fault, const char *detail)
{
    return (struct csr_finding){ fault, detail };
}

#define CSR_SOUND ((struct csr_finding){ CSR_OK, "" })

/* A fault of a name or string as a fault of the request. */
struct csr_finding csr_name_finding(enum name_fault fault, const char *detail);

/* Extensions (RFC 5280 4.2), element whole, into what is requested. */
struct csr_finding csr_extensions_decode(struct bytes element, struct arena *arena, struct requested *out);

/* Attributes of a request, content of [0] (RFC 2986 4.1, RFC 2985). */
struct csr_finding csr_attributes_decode(struct der in, struct arena *arena, struct requested *out);

/* Rules over subject, SAN and attributes together (CSR-55, CSR-56, CSR-59, CSR-62, CSR-76, CSR-79).
 * unstructuredName and unstructuredAddress come from the subject where no attribute gave them; both must
 * agree where both are there. */
struct csr_finding csr_names_judge(struct requested *requested);

/* The key by the rules; one that cannot sign is POP (CSR-17). `spki` is the element whole. */
struct csr_finding csr_key_judge(struct bytes spki, const struct key_rules *rules, struct public_key *out);

/* Proof of possession by a signature. `algorithm` is the AlgorithmIdentifier element. */
struct csr_finding csr_signature_judge(const struct public_key *key, struct bytes algorithm,
                                       struct bytes message, struct bytes signature, bool allow_sha1);

#endif
