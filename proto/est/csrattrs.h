/* csrattrs.h: what a server tells clients to put into a certificate request (RFC 7030 4.5.2 as clarified by
 * RFC 9908 3.2, list form). Pure. */
#ifndef MUSTER_EST_CSRATTRS_H
#define MUSTER_EST_CSRATTRS_H

#include "model/procedure.h"

/* CsrAttrs as a value. OIDs are content octets; none: left out. */
struct est_csrattrs {
    bool challenge_password; /* linking is demanded (EST-82) */
    struct bytes key;        /* algorithm of the key ... */
    struct bytes curve;      /* ... with its curve, */
    unsigned rsa_bits;       /* or its size; neither: any (EST-85) */
    struct bytes bare;       /* an attribute wanted, as an OID alone (EST-86) */
    struct bytes signature;  /* signature scheme */
};

/* What the procedure demands. A demand is stated only where one kind of key alone is accepted: the list form
 * cannot say "or". */
struct est_csrattrs est_csrattrs_of(const struct procedure *procedure);

bool est_csrattrs_is_empty(const struct est_csrattrs *a);

/* What a CsrAttrs that an operator wrote should have had ("expected ..."), for the configuration's error;
 * NULL: it is well-formed, and extensions are demanded as RFC 9908 3.2 has it: one extension request, with
 * one value, no extension twice (EST-84). */
const char *est_csrattrs_fault(struct bytes der);

/* SEQUENCE OF AttrOrOID; a failure stays in the buffer. */
void est_csrattrs_encode(const struct est_csrattrs *a, struct buffer *out);

#endif
