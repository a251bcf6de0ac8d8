/* service_internal.h: the renewal of one certificate of the gateway, as its job keeps it. */
#ifndef MUSTER_ENROLL_SERVICE_INTERNAL_H
#define MUSTER_ENROLL_SERVICE_INTERNAL_H

#include "enroll/order_internal.h"
#include "enroll/service.h"

enum service_stage {
    SERVICE_STAGE_NONE = 0,
    SERVICE_STAGE_ORDER, /* the CA is asked */
    SERVICE_STAGE_WRITE, /* recorded, and to be in its file */
    SERVICE_STAGE_TELL,  /* the CA is told what became of its certificate */
    SERVICE_STAGE_LOAD,  /* in its file, and not in use yet */
    SERVICE_STAGE_REST,  /* it was refused: not at once again */
    SERVICE_STAGE_COUNT,
};

struct service_renewal {
    enum service_stage stage;
    struct bytes path;
    struct digest256 follows; /* service_digest() of what it renews, or of the first one that is to be */
    struct digest256 made;    /* the new one; zero: none yet */
    struct bytes pem;         /* the file's new content; none: no certificate yet */
    bool confirms;            /* the CA wants to know that it was taken */
    unsigned failures;        /* WRITE, LOAD: one after the other */
    struct order order;       /* without a procedure */
};

/* What it points to lives as long as `record`. False: malformed. */
MUST_USE bool service_renewal_decode(struct bytes record, struct service_renewal *out);
MUST_USE bool service_renewal_encode(const struct service_renewal *renewal, struct arena *arena,
                                     struct bytes *out, struct error *err);

/* --- the order (service_order.c) --- */
/* A renewal of `s` from `ca`, or its first certificate, that was not asked for yet. */
MUST_USE bool service_renewal_begin(const struct service_certificate *s, const struct ca *ca, int64_t now_s,
                                    struct arena *arena, struct service_renewal *out, struct error *err);
/* SHA-256 over its DER. Of one that is awaited: over the names and the key that it is to have, so that an
 * order for others is not gone on with. */
MUST_USE bool service_digest(const struct service_certificate *s, struct digest256 *out, struct error *err);
/* The connector's first step for it. */
MUST_USE bool service_order_start(struct turn *turn, const struct service_certificate *s, const struct ca *ca,
                                  struct connector_step *step, struct error *err);
/* The certificate's record and audit entry, as changes of the turn. */
MUST_USE bool service_record_issued(struct turn *turn, const struct service_certificate *s,
                                    const struct ca *ca, const struct certificate *c, struct error *err);
/* What the file is to hold: the certificate, then the CA's chain without its root: that of the very issuer,
 * where the CA issued it by another certificate than it is known by, and told which. */
MUST_USE bool service_pem(struct turn *turn, const struct ca *ca, const struct certificate *c,
                          const struct connector_step *step, struct bytes *out, struct error *err);

#endif
