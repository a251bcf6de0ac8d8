/* audit_check.h: is the audit what it says it is? Recomputes the Merkle tree, verifies every officer's
 * signature under the key that the audit itself appointed (the first officer's entry is signed by itself and
 * stands before all acts), and proves of each live registration, and of each officer, that it is what the
 * last signed act about it said: nothing more, nothing missing. One slot of some 90 bytes a registration is
 * held in memory. */
#ifndef MUSTER_OFFICER_AUDIT_CHECK_H
#define MUSTER_OFFICER_AUDIT_CHECK_H

#include "lib/keys/keys.h"
#include "registry/audit.h"

struct audit_report {
    bool sound;
    char fault[256]; /* when not: what, and where */
    uint64_t entries, acts, refused_acts, officers, registrations, secrets;
    struct audit_head head;
};

/* A finding is a value (report->sound false); false is an error of ours. `keys` may be NULL; else every
 * sealed secret is opened and held against its commitment too. `arena` (1 MiB at least) is reset on the way.
 */
MUST_USE bool audit_check(struct registry_view *view, const struct keys *keys, struct arena *arena,
                          struct audit_report *report, struct error *err);

/* --- the same piece by piece, for entries that come over the network --- */
struct audit_checker;
MUST_USE bool audit_checker_new(struct audit_checker **out, struct error *err);
void audit_checker_free(struct audit_checker *checker); /* accepts NULL */

/* The next entry, in order, from index 0: its leaf and its signature. False when something is wrong
 * (the report names it). The arena is reset. */
MUST_USE bool audit_checker_entry(struct audit_checker *checker, const struct audit_entry *entry,
                                  struct arena *arena);

/* A live registration after all entries. False when no signed act said so. */
MUST_USE bool audit_checker_registration(struct audit_checker *checker, const struct registration *r);

/* After all registrations: none that was signed is missing, and the root is the head's. */
MUST_USE bool audit_checker_finish(struct audit_checker *checker, const struct audit_head *head);

void audit_checker_report(const struct audit_checker *checker, struct audit_report *report);

#endif
