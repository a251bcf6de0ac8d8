/* act_internal.h: one run of an act: what the files that apply its kinds share. */
#ifndef MUSTER_OFFICER_ACT_INTERNAL_H
#define MUSTER_OFFICER_ACT_INTERNAL_H

#include "officer/act.h"

struct acting {
    struct turn *turn;
    const struct act_service *service;
    const struct act *act;
    struct act_outcome *outcome;
    struct error *err;
};

/* Sets the outcome and leaves the audit entry of the refusal. Returns true: a refusal is not an error; false
 * when even that did not fit. */
bool act_refuse(struct acting *a, enum act_result result, const char *format, ...) PRINTF(3, 4);

/* Appends the act whole with its effect (owned, whatever happens), uses up its jti, and sets ACT_DONE. */
bool act_accept(struct acting *a, json_t *effect);

const struct procedure *act_procedure(const struct act_service *service, struct bytes name);
struct fqdn_pattern_rules domain_pattern_rules(const struct domain *domain);

/* The rules under which everything that any domain may hold is read: for audits and before the procedure is
 * known. */
extern const struct fqdn_pattern_rules PATTERN_RULES_WIDEST;

bool act_register(struct acting *a);
bool act_close(struct acting *a);
bool act_revoke(struct acting *a);
bool act_decide(struct acting *a, const struct act_subject *subject);
bool act_appoint(struct acting *a);

/* Writes {"effect":...,"jws":...}; owns `effect`. */
bool act_entry(struct bytes jws, json_t *effect, struct arena *arena, struct bytes *out);

#endif
