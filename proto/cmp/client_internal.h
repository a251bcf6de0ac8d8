/* client_internal.h: the parts of the client. */
#ifndef MUSTER_CMP_CLIENT_INTERNAL_H
#define MUSTER_CMP_CLIENT_INTERNAL_H

#include "proto/cmp/client.h"

/* client_trust.c: the protection of an answer holds, under the client's secret or by a signer that it
 * believes. NULL, or what is wrong. */
const char *cmp_client_distrusts(const struct cmp_client *client, const struct cmp_call *call,
                                 const struct cmp_message *answer);

#endif
