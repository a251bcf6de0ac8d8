/* link.h: linking the proof of possession of the CSR to the TLS session (RFC 7030 3.5): the CSR carries a
 * value that both ends of this one TLS connection know. tls-unique (RFC 5929) up to TLS 1.2, tls-exporter
 * (RFC 9266) in 1.3. */
#ifndef MUSTER_EST_LINK_H
#define MUSTER_EST_LINK_H

#include "lib/base/digest.h"
#include "lib/http/message.h"
#include "lib/pki/csr.h"

enum est_link {
    EST_LINK_WRONG = 0,   /* a value that is not this connection's (EST-61, EST-66, EST-69) */
    EST_LINK_UNSUPPORTED, /* otpChallenge, revocationChallenge (RFC 7894), ChangeSubjectName (RFC 6402): what
                             demands something must not be passed over in silence (EST-54, EST-67) */
    EST_LINK_UNSAFE,      /* TLS 1.2 without extended master secret: no value would prove anything (EST-64) */
    EST_LINK_ABSENT,      /* nothing to verify (EST-62) */
    EST_LINK_HOLDS,
};

/* Judges challengePassword and estIdentityLinking of the CSR: each that is there must hold; an empty one
 * counts as absent (libest echoes csrattrs so). */
enum est_link est_link_verify(const struct csr *csr, const struct http_peer *peer, struct arena *arena);

/* SHA-256 over what the CSR asks, without the linking value and the signature: equal for the repetition of a
 * request on a new TLS session (EST-49). False: libcrypto failed, or out of memory. */
MUST_USE bool est_link_content(const struct csr *csr, struct arena *arena, struct digest256 *out);

#endif
