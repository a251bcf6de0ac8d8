/* audit_ledger_internal.h: what the signed acts say there must be: one slot a registration, found by its id.
 */
#ifndef MUSTER_OFFICER_AUDIT_LEDGER_INTERNAL_H
#define MUSTER_OFFICER_AUDIT_LEDGER_INTERNAL_H

#include "model/registration.h"

struct ledger_slot {
    struct registration_id id;
    uint64_t revision;       /* 0: an empty slot */
    struct digest256 fields; /* over everything that was signed but the state */
    struct digest256 name;   /* over domain, procedure and name */
    struct digest256 officer;
    bool closed, seen;
};

struct ledger {
    struct ledger_slot *slot;
    size_t count, capacity;
};

void ledger_free(struct ledger *ledger);
/* The slot of that id; NULL when there is none. */
struct ledger_slot *ledger_find(const struct ledger *ledger, const struct registration_id *id);
/* A slot for an id that has none; NULL: out of memory. */
struct ledger_slot *ledger_add(struct ledger *ledger, const struct registration_id *id);

/* False: out of memory, or libcrypto failed. */
bool ledger_fields_digest(const struct registration *r, struct digest256 *out);
bool ledger_name_digest(struct domain_id domain, struct bytes procedure, bool is_key_id, struct bytes name,
                        struct digest256 *out);

#endif
