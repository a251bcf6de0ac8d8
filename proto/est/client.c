/* Who asks: the TLS client certificate and what Authorization says. */
#include "proto/est/enroll_op_internal.h"
#include "proto/est/nonce.h"

static struct bytes realm_of(const struct procedure *p)
{
    return bytes_text(p->est_realm != NULL ? p->est_realm : p->name);
}

/* --- HTTP authentication --- */

enum http_shown { HTTP_SHOWN_NONE = 0, HTTP_SHOWN_REFUSED /* answered */, HTTP_SHOWN_CREDENTIAL };

static bool refuse_http(struct est_operation *op, const struct est_refusal *refusal, enum http_shown *shown,
                        struct error *err)
{
    *shown = HTTP_SHOWN_REFUSED;
    return est_refuse(op, refusal, err);
}

static void keep_basic(const struct est_operation *op, const struct http_auth *auth, struct credential *out)
{
    *out = (struct credential){ .kind = CREDENTIAL_SECRET };
    out->secret.secret = auth->password;
    out->secret.user_name = auth->user_name;
    out->secret.realm = realm_of(op->procedure);
}

/* RFC 7616 3.4 and 3.4.6, but for the response itself. */
static const char *digest_fault(const struct est_operation *op, const struct http_auth *auth)
{
    const struct http_digest *d = &auth->digest;

    if (!bytes_equal(d->realm, realm_of(op->procedure)))
        return "Digest realm is not ours";
    if (!http_auth_uri_fits(d->uri, op->request, op->name))
        return "Digest uri is not the request's";
    if (auth->opaque.len > 0 && !bytes_is(auth->opaque, HTTP_AUTH_OPAQUE))
        return "Digest opaque is not ours";
    return NULL;
}

static bool judge_digest(struct est_operation *op, const struct http_auth *auth, struct credential *out,
                         enum http_shown *shown, struct error *err)
{
    const char *fault = digest_fault(op, auth);

    if (fault != NULL)
        return refuse_http(op, &(struct est_refusal){ .why = REFUSAL_SECRET, .detail = fault }, shown, err);
    switch (est_nonce_take(op->service, realm_of(op->procedure), auth->digest.nonce, auth->digest.nc,
                           op->request, op->turn->now_s)) {
    case EST_NONCE_FRESH:
        *out = (struct credential){ .kind = CREDENTIAL_DIGEST };
        out->digest = auth->digest;
        *shown = HTTP_SHOWN_CREDENTIAL;
        return true;
    case EST_NONCE_STALE: /* said of the nonce alone: with an old one nobody gets to try a password (EST-74)
                           */
        return refuse_http(op,
                           &(struct est_refusal){ .why = REFUSAL_NO_CREDENTIAL,
                                                  .stale = true,
                                                  .detail = "Digest nonce is stale" },
                           shown, err);
    case EST_NONCE_REPLAYED:
        return refuse_http(
            op, &(struct est_refusal){ .why = REFUSAL_SECRET, .detail = "Digest nonce was used before" },
            shown, err);
    case EST_NONCE_FORGED: break;
    }
    return refuse_http(
        op, &(struct est_refusal){ .why = REFUSAL_SECRET, .detail = "Digest nonce is not ours" }, shown, err);
}

static bool find_http(struct est_operation *op, struct credential *out, enum http_shown *shown,
                      struct error *err)
{
    const struct procedure *p = op->procedure;
    struct http_auth auth;

    *shown = HTTP_SHOWN_NONE;
    if (!p->est_basic && !p->est_digest)
        return true;
    auth = http_auth_read(op->request);
    switch (auth.kind) {
    case HTTP_AUTH_NONE:
    case HTTP_AUTH_OTHER: return true;
    case HTTP_AUTH_MALFORMED:
        return refuse_http(
            op, &(struct est_refusal){ .why = REFUSAL_NO_CREDENTIAL, .detail = "Authorization is malformed" },
            shown, err);
    case HTTP_AUTH_BASIC:
        if (!p->est_basic)
            return true;
        keep_basic(op, &auth, out);
        *shown = HTTP_SHOWN_CREDENTIAL;
        return true;
    case HTTP_AUTH_DIGEST:
        if (!p->est_digest || (auth.digest.algorithm == DIGEST_MD5 && !p->dialect.est_digest_md5))
            return true;
        return judge_digest(op, &auth, out, shown, err);
    }
    return true;
}

/* --- the TLS client certificate --- */

static bool find_certificate(struct est_operation *op, struct credential *out, struct holder *holder,
                             struct error *err)
{
    const struct http_peer *peer = &op->request->peer;

    *holder = (struct holder){ .fault = REFUSAL_RENEW_STATE };
    if (!op->procedure->est_client_certificate || peer->certificate.len == 0)
        return true;
    if (!enroll_holder(op->turn, op->service->enroll, op->procedure, peer->certificate, peer->chain,
                       peer->chain_count, holder, err))
        return false;
    if (holder->kind == HOLDER_NONE)
        return true;
    *out = (struct credential){ .kind = CREDENTIAL_CERTIFICATE };
    out->certificate.der = peer->certificate;
    out->certificate.chain = peer->chain;
    out->certificate.chain_count = peer->chain_count;
    return true;
}

/* --- both --- */

static bool refuse(struct est_operation *op, enum refusal why, int status, const char *detail,
                   enum est_found *found, struct error *err)
{
    *found = EST_FOUND_NONE;
    return est_refuse(op, &(struct est_refusal){ .why = why, .status = status, .detail = detail }, err);
}

static struct bytes user_name_of(const struct credential *c)
{
    return c->kind == CREDENTIAL_DIGEST ? c->digest.user_name : c->secret.user_name;
}

/* Neither password nor nonce is in it: the repetition may come with another nonce. Whoever it is, the CSR
 * that is repeated is signed by its key. */
static bool identify(struct est_client *client, struct error *err)
{
    const struct credential *c = &client->credential;
    bool certificate = c->kind == CREDENTIAL_CERTIFICATE;
    struct bytes part[2] = { certificate ? BYTES_LITERAL("certificate:") : BYTES_LITERAL("user:"),
                             certificate ? c->certificate.der : user_name_of(c) };

    if (!sha256_parts(part, 2, &client->identity))
        return error_set(err, ERROR_CRYPTO, "no digest of the client's identity");
    return true;
}

/* A certificate that does not count here is as none, unless nothing else could be shown: then it gives the
 * reason. */
static enum refusal reason_without(const struct est_operation *op, const struct holder *holder)
{
    bool shown = op->procedure->est_client_certificate && op->request->peer.certificate.len > 0;

    if (!shown)
        return REFUSAL_NO_CREDENTIAL;
    return holder->fault;
}

bool est_client_find(struct est_operation *op, struct est_client *out, enum est_found *found,
                     struct error *err)
{
    struct est_client client = { 0 };
    struct credential http = { 0 }, certificate = { 0 };
    const struct procedure *p = op->procedure;
    enum http_shown shown = HTTP_SHOWN_NONE;
    struct holder holder;

    *found = EST_FOUND_NONE;
    if (!find_certificate(op, &certificate, &holder, err))
        return false;
    /* what is renewed is the certificate of the TLS session; without it nothing says which (EST-52, EST-56)
     */
    if (op->reenroll && holder.kind != HOLDER_OURS)
        return refuse(op, REFUSAL_RENEW_STATE, 403, "simplereenroll without a client certificate of ours",
                      found, err);
    if (p->est_certificate_and_http && holder.kind == HOLDER_NONE)
        return refuse(op, reason_without(op, &holder), 403, "client certificate missing or not accepted",
                      found, err);
    if ((!op->reenroll || p->est_certificate_and_http) && !find_http(op, &http, &shown, err))
        return false;
    if (shown == HTTP_SHOWN_REFUSED)
        return true;
    if (p->est_certificate_and_http) {
        if (shown == HTTP_SHOWN_NONE)
            return refuse(op, REFUSAL_NO_CREDENTIAL, 0, "HTTP authentication missing", found, err);
        client = (struct est_client){ .credential = certificate, .second = http };
    } else if (shown == HTTP_SHOWN_CREDENTIAL) { /* it is sent on purpose; a certificate often by habit */
        client = (struct est_client){ .credential = http };
    } else if (holder.kind != HOLDER_NONE) {
        client = (struct est_client){ .credential = certificate };
    } else if (p->est_basic || p->est_digest) {
        return refuse(op, REFUSAL_NO_CREDENTIAL, 0, "no credential shown", found, err);
    } else {
        return refuse(op, reason_without(op, &holder), 403, "no accepted client certificate", found, err);
    }
    if (!identify(&client, err))
        return false;
    *out = client;
    *found = EST_FOUND;
    return true;
}
