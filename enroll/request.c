/* Requests in the two forms that they come in, read by the rules of procedure and profile. */
#include "enroll/enroll_internal.h"

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

static bool judge(enum csr_fault fault, enum refusal *why)
{
    if (fault != CSR_OK)
        *why = refusal_of(fault);
    return fault == CSR_OK;
}

static const struct profile *profile_of(const struct procedure *procedure, const struct profile *asked)
{
    return asked != NULL ? asked : procedure->profile;
}

bool enroll_csr_decode(const struct procedure *procedure, const struct profile *profile,
                       enum protocol protocol, struct bytes der, struct arena *arena, struct csr *out,
                       enum refusal *why, const char **detail)
{
    const struct dialect *dialect = &procedure->dialect;
    const struct csr_rules rules = {
        .key = profile_of(procedure, profile)->keys,
        .allow_sha1 = procedure->allow_sha1_csr ||
                      (protocol == PROTOCOL_SCEP && (dialect->scep_legacy || dialect->scep_des)),
        .accept_ber = dialect->csr_ber,
    };

    return judge(csr_decode(der, &rules, arena, out, detail), why);
}

static struct crmf_rules crmf_rules_of(const struct procedure *procedure, const struct profile *profile)
{
    return (struct crmf_rules){ .key = profile_of(procedure, profile)->keys,
                                .allow_sha1 = procedure->allow_sha1_csr };
}

bool enroll_crmf_decode(const struct procedure *procedure, const struct profile *profile, struct bytes der,
                        struct arena *arena, struct crmf_request *out, enum refusal *why, const char **detail)
{
    const struct crmf_rules rules = crmf_rules_of(procedure, profile);

    return judge(crmf_decode(der, &rules, arena, out, detail), why);
}

const struct profile *enroll_profile(const struct procedure *procedure, struct bytes name)
{
    if (bytes_is(name, procedure->profile->name))
        return procedure->profile;
    for (size_t i = 0; i < procedure->cmp_profile_count; i++)
        if (bytes_is(name, procedure->cmp_profile[i]->name))
            return procedure->cmp_profile[i];
    for (size_t i = 0; i < procedure->acme_profile_count; i++)
        if (bytes_is(name, procedure->acme_profile[i]->name))
            return procedure->acme_profile[i];
    return NULL;
}

/* --- from storage --- */
static const struct requested *read_csr(const struct course *c, enum refusal *why, const char **detail)
{
    struct csr *csr = arena_alloc(c->turn->arena, sizeof(*csr));

    return csr != NULL && enroll_csr_decode(c->e.procedure, c->e.profile, c->e.protocol,
                                            c->transaction.request, c->turn->arena, csr, why, detail)
               ? &csr->requested
               : NULL;
}

/* That the device holds its key was judged with the message that the request came in. */
static const struct requested *read_crmf(const struct course *c, enum refusal *why, const char **detail)
{
    struct crmf_request *request = arena_alloc(c->turn->arena, sizeof(*request));
    struct crmf_rules rules = crmf_rules_of(c->e.procedure, c->e.profile);

    rules.ignore_pop = true;
    return request != NULL &&
                   judge(crmf_decode(c->transaction.request, &rules, c->turn->arena, request, detail), why)
               ? &request->requested
               : NULL;
}

enum progress step_read_again(struct course *c, struct error *err)
{
    const struct transaction *t = &c->transaction;
    enum refusal why = REFUSAL_INTERNAL;
    const char *detail = NULL;

    c->e.form = t->form;
    c->e.confirm_within_s = t->confirm_within_s;
    if (t->profile.len > 0) {
        c->e.profile = enroll_profile(c->e.procedure, t->profile);
        if (c->e.profile == NULL)
            return course_refuse(c, REFUSAL_PROFILE, "the profile asked for is not offered any more");
    }
    switch (t->form) {
    case REQUEST_PKCS10: c->e.requested = read_csr(c, &why, &detail); break;
    case REQUEST_CRMF: c->e.requested = read_crmf(c, &why, &detail); break;
    }
    if (c->e.requested != NULL)
        return PROGRESS_ON;
    if (why != REFUSAL_INTERNAL)
        return course_refuse(c, REFUSAL_PROFILE, "the request is not accepted any more");
    (void)error_set(err, ERROR_MEMORY, "the request cannot be read again");
    return PROGRESS_ERROR;
}
