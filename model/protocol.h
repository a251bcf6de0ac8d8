/* protocol.h: the protocols that devices speak, and the order types of registrations. */
#ifndef MUSTER_MODEL_PROTOCOL_H
#define MUSTER_MODEL_PROTOCOL_H

#include "lib/base/bytes.h"

enum protocol { PROTOCOL_NONE = 0, PROTOCOL_SCEP, PROTOCOL_EST, PROTOCOL_CMP, PROTOCOL_ACME, PROTOCOL_COUNT };

/* A set of protocols: PROTOCOL_BIT(PROTOCOL_SCEP) | ... */
#define PROTOCOL_BIT(p) (1u << (p))

const char *protocol_name(enum protocol p); /* "scep" */
enum protocol protocol_from_name(struct bytes name);

#endif
