/* turn.h: one run of a handler: what it is given and what it wants written. The same request may take several
 * turns (an assumption no longer held; a job is done): a handler keeps nothing between them. Nothing here is
 * a socket, a file or a clock. */
#ifndef MUSTER_REGISTRY_TURN_H
#define MUSTER_REGISTRY_TURN_H

#include "lib/base/random.h"
#include "lib/keys/keys.h"
#include "registry/registry.h"

/* What the log line of a request says beyond protocol and status. Filled by handlers as they learn it;
 * borrowed. */
struct turn_facts {
    const char *protocol, *procedure, *operation;
    struct bytes transaction, fqdn, officer;
    struct bytes serial; /* of the certificate issued, hexadecimal */
    const char *verdict; /* "issued", "pending", "refused", "served", "busy", "error" */
    const char *reason;  /* refusal_name() or an error's code */
    const char *detail;  /* static text */
    const char *weak;    /* an algorithm that a dialect alone allows, and that deserves a warning; or NULL */
    char error[256];     /* the text of an error of ours */
};

/* A source and name that showed a wrong secret. */
struct struck {
    struct digest256 key;
    struct struck *next;
};

struct turn {
    struct registry_view *view;
    const struct keys *keys;
    struct random_source random;
    int64_t now_s;
    struct arena *arena;     /* the request's */
    struct changes changes;  /* out */
    struct turn_facts facts; /* out */
    bool strike; /* out: a wrong secret was shown; whoever runs the turn counts it (enroll/slow_down.h) */
    bool credential_held; /* out: the secret shown holds; whoever runs the turn forgets its strikes */
    struct digest256 strike_key;
    struct struck *struck; /* out: the strikes before that one, of other messages in the same request */
    bool waits; /* out: "pending" until this job has news; whoever runs the turn may hold the answer
                   back for a while and run it again then */
    struct job_id waits_for;
    bool not_held_back; /* out: beside what waits there are answers that are done, and would be others if the
                           request ran again */
};

#endif
