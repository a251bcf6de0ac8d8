/* crmf_internal.h: IMPLICIT TAGS, and object identifiers of CRMF. */
#ifndef MUSTER_PKI_CRMF_INTERNAL_H
#define MUSTER_PKI_CRMF_INTERNAL_H

#include "lib/pki/crmf.h"

extern const struct bytes CRMF_OID_OLD_CERT_ID, CRMF_OID_SUBJECT_ALT_NAME; /* content octets */

/* The same element under the tag that an implicit one stands for, as a copy; all tags have one octet. None
 * when out of memory. */
struct bytes crmf_retag(struct bytes element, unsigned tag, struct arena *arena);

/* The one element inside an explicit tag, which must have `tag`. Failed reads mark `in`. */
struct bytes crmf_inside(struct der *in, unsigned outer, unsigned tag);

/* crmf_template_decode(), which tells SYNTAX from INTERNAL (out of memory). */
enum csr_fault crmf_template_read(struct der *in, struct arena *arena, struct crmf_template *out);

#endif
