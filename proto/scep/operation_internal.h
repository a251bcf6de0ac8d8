/* operation_internal.h: PKIOperation (RFC 8894 4.3): open, decide, answer. */
#ifndef MUSTER_SCEP_OPERATION_INTERNAL_H
#define MUSTER_SCEP_OPERATION_INTERNAL_H

#include "proto/scep/reply_internal.h"

const struct scep_ra *scep_ra_of(const struct scep_service *service, const struct procedure *procedure);

/* `message` is the pkiMessage as it came (BER is taken). *correlated false: it was none, and there is no
 * reply (SCEP-13). */
MUST_USE bool scep_operation(struct turn *turn, const struct scep_service *service,
                             const struct procedure *procedure, const struct ip_address *peer,
                             struct bytes message, bool *correlated, struct bytes *reply, struct error *err);

#endif
