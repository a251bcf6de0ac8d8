/* requested.h: what a requester asks to be certified, whatever form it came in (PKCS#10, or a CRMF
 * template). All parts point into the request's arena. */
#ifndef MUSTER_PKI_REQUESTED_H
#define MUSTER_PKI_REQUESTED_H

#include "lib/pki/names.h"
#include "lib/pki/public_key.h"

enum { EXTENDED_KEY_USAGES_MAX = 16, REQUESTED_UNKNOWN_MAX = 16 };

struct requested {
    struct public_key key;
    struct distinguished_name subject;
    struct general_names san;                             /* count 0: none asked for */
    struct bytes unstructured_name, unstructured_address; /* attribute or RDN, UTF-8; none when absent */
    struct bytes challenge_password; /* UTF-8; none when absent or empty. A secret: never logged */
    uint32_t key_usage;              /* wish, named bits */
    bool has_key_usage;
    struct bytes extended_key_usage[EXTENDED_KEY_USAGES_MAX]; /* wish, OID contents */
    size_t extended_key_usage_count;
    struct bytes unknown_attribute[REQUESTED_UNKNOWN_MAX]; /* OID contents, for the audit (CSR-8) */
    size_t unknown_attribute_count;
    struct bytes template_name; /* Microsoft certificate template name, none when absent */
};

#endif
