/* certConf, pkiConf and error of a client (RFC 9810 5.3.17, 5.3.18, 5.3.21); pollReq (5.3.22). */
#include "enroll/confirm.h"
#include "proto/cmp/exchange_internal.h"

/* --- certHash --- */

/* The hash of the certificate's own signature algorithm, or the one that is named (CMP-73, CMP-74); NONE:
 * that of Ed448, which is no hash function of a fixed length. */
static enum cmp_fault hash_for(const struct cmp_exchange *x, const struct cmp_cert_status *s,
                               const struct certificate *c, enum digest_algorithm *hash)
{
    struct der in = der_of(s->hash_alg), algorithm;

    if (s->hash_alg.len == 0) {
        *hash = signature_algorithm_hash(c->signature_algorithm);
        if (*hash == DIGEST_NONE && x->ca->certificate.key.kind != KEY_ED448)
            *hash = DIGEST_SHA512; /* Ed25519 (RFC 9481 2.3) */
        return CMP_OK;
    }
    if (x->request.header.pvno < 3)
        return CMP_FAULT_NEEDS_VERSION_3;
    algorithm = der_enter(&in, DER_SEQUENCE);
    *hash = digest_from_oid(der_value(&algorithm, DER_OID));
    return *hash == DIGEST_SHA256 || *hash == DIGEST_SHA384 || *hash == DIGEST_SHA512
               ? CMP_OK
               : CMP_FAULT_HASH_ALGORITHM;
}

static enum cmp_fault check_hash(const struct cmp_exchange *x, const struct cmp_cert_status *s)
{
    enum digest_algorithm hash = DIGEST_NONE;
    uint8_t expected[DIGEST_MAX];
    size_t len = SHAKE256_LEN;
    struct certificate c;
    enum cmp_fault fault;

    if (!certificate_decode(x->transaction.certificate, x->turn->arena, &c))
        return CMP_FAULT_INTERNAL;
    fault = hash_for(x, s, &c, &hash);
    if (fault != CMP_OK)
        return fault;
    if (!(hash == DIGEST_NONE ? shake256(c.encoded, expected) : digest(hash, c.encoded, expected, &len)))
        return CMP_FAULT_INTERNAL;
    return bytes_equal(s->cert_hash, bytes_of(expected, len)) ? CMP_OK : CMP_FAULT_CERT_HASH;
}

/* --- certConf --- */

/* What the device says of its one certificate; nothing at all rejects it (CMP-75). */
static enum cmp_fault read_status(struct cmp_exchange *x, bool *accepted)
{
    struct cmp_cert_status status[2];
    size_t count;

    if (!cmp_cert_conf_decode(x->request.content, status, COUNT_OF(status), &count))
        return CMP_FAULT_COUNT;
    *accepted = false;
    if (count == 0)
        return CMP_OK;
    if (count != 1)
        return CMP_FAULT_COUNT;
    if (status[0].cert_req_id != x->transaction.cert_req_id)
        return CMP_FAULT_CERT_REQ_ID;
    if (status[0].has_status && status[0].status.status == CMP_REJECTION)
        return CMP_OK;
    if (status[0].has_status && (status[0].status.status != CMP_ACCEPTED || status[0].status.fail_info != 0))
        return CMP_FAULT_CERT_STATUS;
    *accepted = true;
    return check_hash(x, &status[0]);
}

static enum cmp_fault say_pki_conf(struct cmp_exchange *x, struct error *err)
{
    AUTO_STRUCT(buffer) content = BUFFER(16);

    der_put_null(&content);
    return cmp_say(x, CMP_PKICONF, &content, err);
}

/* The old certificate of a key update has its successor, or has not. */
static bool settle_update(struct cmp_exchange *x, bool accepted, struct error *err)
{
    if (x->transaction.old.serial_len == 0)
        return true;
    return cmp_update_put(x->turn, &x->transaction.old, accepted ? CMP_UPDATE_DONE : CMP_UPDATE_NONE, 0, err);
}

static enum cmp_fault settle(struct cmp_exchange *x, bool accepted, struct error *err)
{
    enum confirm_outcome outcome;
    enum cmp_fault fault;

    if (!enroll_confirm(x->turn, x->service->enroll, x->procedure, PROTOCOL_CMP, x->transaction_id, accepted,
                        &outcome, err))
        return CMP_FAULT_INTERNAL;
    if (outcome == CONFIRM_UNKNOWN || outcome == CONFIRM_OVER) /* CMP-79 */
        return CMP_FAULT_TRANSACTION_UNKNOWN;
    if (outcome == CONFIRM_ALREADY)
        return CMP_FAULT_CONFIRMED;
    x->transaction.phase = accepted ? CMP_PHASE_CONFIRMED : CMP_PHASE_CLOSED;
    fault = say_pki_conf(x, err);
    if (fault != CMP_OK)
        return fault;
    cmp_note(x, accepted ? "confirmed" : "rejected", NULL,
             accepted ? NULL : "the device rejected its certificate");
    return settle_update(x, accepted, err) && cmp_remember(x, x->service->enroll->transaction_keep_s, err)
               ? CMP_OK
               : CMP_FAULT_INTERNAL;
}

enum cmp_fault cmp_serve_confirm(struct cmp_exchange *x, struct error *err)
{
    bool accepted = false;
    enum cmp_fault fault;

    if (x->transaction.phase != CMP_PHASE_DELIVERED)
        return CMP_FAULT_TRANSACTION_UNKNOWN;
    fault = read_status(x, &accepted);
    if (fault == CMP_FAULT_INTERNAL)
        return cmp_trouble(err, ERROR_CRYPTO, "hash of a certificate");
    return fault == CMP_OK ? settle(x, accepted, err) : fault;
}

/* A pkiConf where a certConf belongs accepts all (CMP-80); an error ends the transaction: what was delivered
 * was not accepted (CMP-109). */
enum cmp_fault cmp_serve_pki_conf(struct cmp_exchange *x, struct error *err)
{
    enum cmp_fault fault;

    if (x->transaction.phase == CMP_PHASE_DELIVERED)
        return settle(x, x->request.body == CMP_PKICONF, err);
    if (x->request.body == CMP_PKICONF)
        return CMP_FAULT_TRANSACTION_UNKNOWN;
    x->transaction.phase = CMP_PHASE_CLOSED;
    cmp_note(x, "served", NULL, "the device gave up");
    fault = say_pki_conf(x, err);
    if (fault != CMP_OK)
        return fault;
    return cmp_remember(x, x->service->enroll->transaction_keep_s, err) ? CMP_OK : CMP_FAULT_INTERNAL;
}
