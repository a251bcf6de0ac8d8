/* pem_internal.h: textual encodings (RFC 7468). */
#ifndef MUSTER_PKI_PEM_INTERNAL_H
#define MUSTER_PKI_PEM_INTERNAL_H

#include "lib/pki/der.h"

struct pem_block {
    struct bytes label, body; /* body: the characters between the two lines */
};

/* The next block; *rest moves behind its END line, *before (may be NULL) is what stood in front. False: no
 * further block, or one that is not closed by its own label. */
MUST_USE bool pem_next(struct bytes *rest, struct pem_block *out, struct bytes *before);

/* Base64 of the body, into `arena`. False: malformed or out of memory. */
MUST_USE bool pem_decode(const struct pem_block *block, struct arena *arena, struct bytes *der);

#endif
