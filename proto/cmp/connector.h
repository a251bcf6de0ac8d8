/* connector.h: the way to a CA that speaks CMP (RFC 9810), as the connector "cmp" of ca/ca.h. The gateway is
 * the CA's registration authority: what admission let pass is asked for under the gateway's own credentials,
 * in transactions of their own (CMP-118).
 *
 * How a certificate is asked for:
 * - ir or cr: a template of the key with the subject and the names that admission decided, raVerified: the
 *   device's proof of possession was checked here (CMP-117). The CA has to trust the gateway's certificate as
 *   that of an RA (cmcRA). Nothing of the device's own message leaves the gateway.
 * - p10cr: the device's PKCS#10 as it was signed, so that the CA sees the proof itself. It asks for the names
 *   that the device wanted, which the CA may grant or not: a certificate that names more than admission let
 *   pass is given back. Its attributes go along, a challengePassword too. Where no PKCS#10 is at hand, ir.
 * Renewals are asked for in the same way: kur would need the old key's signature. The gateway's own
 * certificates (ca_order.key_name) are, too, but with a proof of possession by their key, and with their key
 * usages.
 *
 * Only what is authentic decides. All else (no answer, an HTTP error, garbage, a wrong protection, another
 * nonce) is as if nothing had come: the same octets are sent again, until the order's time is over. */
#ifndef MUSTER_CMP_CONNECTOR_H
#define MUSTER_CMP_CONNECTOR_H

#include "ca/ca.h"
#include "lib/base/secret.h"
#include "proto/cmp/client.h"

enum cmp_upstream_request { CMP_UPSTREAM_IR = 0, CMP_UPSTREAM_CR, CMP_UPSTREAM_P10CR };

/* Settings of one CA: its `connector_service`. Read-only, shared by all threads. */
struct cmp_upstream {
    struct bytes url;
    const char *trust_path; /* PEM of the anchors for https; NULL: the system's */
    enum cmp_upstream_request request;
    bool implicit_confirm; /* asked for: the CA is not told whether its certificate was taken */
    struct bytes profile;  /* certProfile; none */
    /* Credentials and trust. Where neither a signer nor anchors are named, and always as the CA itself and
     * as recipient, the CA's own chain counts. */
    struct cmp_client client;
    struct certificate certificate; /* client.certificate points here */
    struct secret secret;           /* client.secret is borrowed from it; owned */
    struct anchors *anchors;        /* client.anchors; owned */
};

void cmp_upstream_release(struct cmp_upstream *upstream); /* what it owns */

extern const struct connector cmp_connector;

#endif
