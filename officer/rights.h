/* rights.h: what an officer may do. Pure. Each returns whether it may; when not, *why (static text) says what
 * is missing, for the officer and the audit. */
#ifndef MUSTER_OFFICER_RIGHTS_H
#define MUSTER_OFFICER_RIGHTS_H

#include "model/registration.h"
#include "registry/records.h"

/* All bits of `rights`, and, when `procedure` is not none, this procedure. A disabled officer may nothing. */
MUST_USE bool officer_may(const struct officer_record *officer, uint32_t rights, struct bytes procedure,
                          const char **why);

/* A canonical name or pattern that ends in one of the officer's suffixes at a label boundary; a lone '*'
 * only without suffixes. */
MUST_USE bool officer_may_name(const struct officer_record *officer, struct bytes name, const char **why);

/* To register this: procedure, right, and for each name in it (pattern, dns attributes, common name when it
 * is a DNS name, allowed domains) the suffix and the right to wildcards or to any name. */
MUST_USE bool officer_may_register(const struct officer_record *officer, const struct registration *r,
                                   const char **why);

/* To make `changed` of `before` (NULL: new): nobody gives, or takes from, another more than it has itself. */
MUST_USE bool officer_may_appoint(const struct officer_record *officer, const struct officer_record *before,
                                  const struct officer_record *changed, const char **why);

#endif
