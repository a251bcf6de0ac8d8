/* registrations.h: reading registrations. What is returned borrows from the view; lists are in the arena. */
#ifndef MUSTER_REGISTRY_REGISTRATIONS_H
#define MUSTER_REGISTRY_REGISTRATIONS_H

#include "registry/registry.h"

struct candidates {
    struct registration *item; /* in the arena, most specific first */
    size_t count;              /* at most REGISTRY_CANDIDATES_MAX */
};

/* Given one registration after another, each good during the call. False stops. */
typedef bool registration_each(const struct registration *r, void *context);

/* Registrations of `domain` whose pattern matches `fqdn`, most specific first, in every state. Over the match
 * budget: false, ERROR_BUDGET (the caller refuses). */
MUST_USE bool registry_candidates(struct registry_view *view, struct domain_id domain,
                                  const struct dns_name *fqdn, struct arena *arena, struct candidates *out,
                                  struct error *err);

/* The holder of exactly this pattern; *found false when it is free. */
MUST_USE bool registry_registration_by_fqdn(struct registry_view *view, struct domain_id domain,
                                            const struct fqdn_pattern *pattern, struct arena *arena,
                                            bool *found, struct registration *out, struct error *err);
MUST_USE bool registry_registration_by_key_id(struct registry_view *view, struct domain_id domain,
                                              struct bytes key_id, struct arena *arena, bool *found,
                                              struct registration *out, struct error *err);
MUST_USE bool registry_registration_by_id(struct registry_view *view, const struct registration_id *id,
                                          struct arena *arena, bool *found, struct registration *out,
                                          struct error *err);

/* Gives the registrations of the domain whose pattern shares a name with `pattern`, first that of the very
 * pattern, until `each` returns false. *whole: the scan's budget (some thousands) did not end it. */
MUST_USE bool registry_overlaps_each(struct registry_view *view, struct domain_id domain,
                                     const struct fqdn_pattern *pattern, registration_each *each,
                                     void *context, bool *whole, struct error *err);

/* Their patterns without `pattern` itself, for warnings. At most `max` are returned; *more says whether there
 * are others or the scan's budget ended. */
MUST_USE bool registry_overlaps(struct registry_view *view, struct domain_id domain,
                                const struct fqdn_pattern *pattern, size_t max, struct fqdn_pattern *out,
                                size_t *count, bool *more, struct error *err);

/* One page, patterns first in the order of their labels from the right (what stands under one suffix stands
 * together), then ACME key ids. `after` is the last one of the page before: a pattern's text, or "~" and the
 * key id; none: from the start. */
MUST_USE bool registry_registrations_list(struct registry_view *view, struct domain_id domain,
                                          struct bytes after, size_t max, struct arena *arena,
                                          struct registration *out, size_t *count, struct error *err);

/* Every registration of the registry, for audit verification and export. The arena
 * is reset between calls. */
MUST_USE bool registry_registrations_each(struct registry_view *view, struct arena *arena,
                                          registration_each *each, void *context, struct error *err);

#endif
