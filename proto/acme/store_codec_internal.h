/* store_codec_internal.h: how accounts, orders and authorizations rest in state: records of fields, a version
 * in front. Decoding fills what is stored; the rest of *out is the caller's. */
#ifndef MUSTER_ACME_STORE_CODEC_INTERNAL_H
#define MUSTER_ACME_STORE_CODEC_INTERNAL_H

#include "proto/acme/store_internal.h"

enum {
    ACME_STATE_MAX = 256 * 1024,
    ACME_AUTHZ_GRACE_S = 90 * 86400 /* an authorization is kept after its end: orders refer to it */
};

void acme_account_encode(const struct acme_account *account, struct buffer *out);
MUST_USE bool acme_account_decode(struct bytes blob, struct acme_account *out);
void acme_order_encode(const struct acme_order *order, struct buffer *out);
/* Lists are in the arena; NULL: they are counted, and left out. */
MUST_USE bool acme_order_decode(struct bytes blob, struct arena *arena, struct acme_order *out);
void acme_authz_encode(const struct acme_authz *authz, struct buffer *out);
MUST_USE bool acme_authz_decode(struct bytes blob, struct acme_authz *out);

#endif
