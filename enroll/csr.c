#include "enroll/enroll.h"

static enum refusal refusal_of(enum csr_fault fault)
{
    switch (fault) {
    case CSR_FAULT_SYNTAX: return REFUSAL_SYNTAX;
    case CSR_FAULT_ALGORITHM: return REFUSAL_ALGORITHM;
    case CSR_FAULT_POP: return REFUSAL_POP;
    case CSR_FAULT_KEY: return REFUSAL_KEY;
    case CSR_FAULT_NAME: return REFUSAL_NAME;
    case CSR_FAULT_PROFILE: return REFUSAL_PROFILE;
    case CSR_FAULT_INTERNAL:
    case CSR_OK: break;
    }
    return REFUSAL_INTERNAL;
}

static const struct key_rules *keys_of(const struct procedure *procedure, const struct profile *profile)
{
    return profile != NULL ? &profile->keys : &procedure->profile->keys;
}

bool enroll_csr_decode(const struct procedure *procedure, const struct profile *profile,
                       enum protocol protocol, struct bytes der, struct arena *arena, struct csr *out,
                       enum refusal *why, const char **detail)
{
    const struct dialect *dialect = &procedure->dialect;
    const struct csr_rules rules = {
        .key = *keys_of(procedure, profile),
        .allow_sha1 = procedure->allow_sha1_csr ||
                      (protocol == PROTOCOL_SCEP && (dialect->scep_legacy || dialect->scep_des)),
        .accept_ber = dialect->csr_ber,
    };
    enum csr_fault fault = csr_decode(der, &rules, arena, out, detail);

    if (fault == CSR_OK)
        return true;
    *why = refusal_of(fault);
    return false;
}
