/* Who protects a message: by a MAC under the secret of a registration, or by a signature whose certificate is
 * ours, a vendor's or an RA's (RFC 9810 5.1.3, RFC 9483 3.2 to 3.5). */
#include "enroll/secret.h"
#include "proto/cmp/exchange_internal.h"

static bool identify(const char *kind, struct bytes who, struct digest256 *out)
{
    const struct bytes parts[] = { bytes_text(kind), who };

    return sha256_parts(parts, COUNT_OF(parts), out);
}

/* --- MAC --- */

/* CMP-35: what acts for a certificate must be signed. */
static bool takes_mac(const struct cmp_exchange *x, enum cmp_body body)
{
    return !x->procedure->dialect.cmp_signature_only && body != CMP_KUR && body != CMP_RR &&
           body != CMP_NESTED;
}

static struct bytes common_name_of(struct bytes name_element, struct arena *arena)
{
    struct distinguished_name name;

    if (name_element.len == 0 || name_decode(name_element, arena, &name) != NAME_OK)
        return BYTES_NONE;
    return name_find(&name, OID_COMMON_NAME, NULL);
}

/* The subject that a request asks for, before anything of it is believed: a name to look for a secret under.
 */
static struct bytes subject_asked(const struct cmp_message *m, struct arena *arena)
{
    struct bytes element;
    struct der in, request;
    size_t count;

    if (m->body == CMP_P10CR) {
        in = der_of(m->content);
        request = der_enter(&in, DER_SEQUENCE);
        in = der_enter(&request, DER_SEQUENCE);
        (void)der_uint(&in);
        return common_name_of(der_element(&in, DER_SEQUENCE), arena);
    }
    if ((m->body != CMP_IR && m->body != CMP_CR) || !cmp_elements_decode(m->content, &element, 1, &count))
        return BYTES_NONE;
    {
        struct crmf_template template;
        struct der message = der_of(element), content;

        content = der_enter(&message, DER_SEQUENCE);
        request = der_enter(&content, DER_SEQUENCE);
        (void)der_integer(&request);
        in = der_enter(&request, DER_SEQUENCE);
        if (in.failed || !crmf_template_decode(&in, arena, &template))
            return BYTES_NONE;
        return common_name_of(template.subject, arena);
    }
}

/* CMP-23, to the letter: the sender's common name and senderKID both name the secret. */
static bool names_the_secret(const struct cmp_header *h, struct arena *arena)
{
    struct bytes cn = common_name_of(h->sender_name, arena);

    return h->sender_kid.len > 0 && cn.len > 0 && bytes_equal_nocase(cn, h->sender_kid);
}

static bool algorithm_of_mac(const struct password_mac *mac, struct digest256 *out)
{
    const uint8_t kind[] = { (uint8_t)mac->kind, (uint8_t)mac->hash, (uint8_t)mac->mac };

    return identify("mac", BYTES_ARRAY(kind), out);
}

static enum cmp_fault read_mac(struct cmp_exchange *x, const struct cmp_message *m, struct password_mac *mac)
{
    const struct dialect *dialect = &x->procedure->dialect;
    const struct password_mac_rules rules = {
        .iterations_max = x->procedure->cmp_iterations_max,
        .allow_hmac_sha1 = dialect->cmp_hmac_sha1 || dialect->cmp_sha1,
        .allow_sha1 = dialect->cmp_sha1,
    };

    if (password_mac_decode(m->header.protection_alg, &rules, mac) == PASSWORD_MAC_OK)
        return CMP_OK;
    x->turn->facts.detail = "MAC algorithm, salt or iteration count not accepted";
    return CMP_FAULT_ALGORITHM;
}

static enum cmp_fault judge_mac(struct cmp_exchange *x, const struct cmp_message *m,
                                struct mac_verdict *verdict, struct password_mac *mac, struct error *err)
{
    struct arena *arena = x->turn->arena;
    struct mac_claim claim = {
        .value = m->protection,
        .key_id = m->header.sender_kid,
        .name = { common_name_of(m->header.sender_name, arena), subject_asked(m, arena) },
        .peer = *x->peer,
    };
    enum cmp_fault fault = read_mac(x, m, mac);

    if (fault != CMP_OK)
        return fault;
    claim.mac = *mac;
    if (!cmp_protected_part(m, arena, &claim.message))
        return cmp_trouble(err, ERROR_MEMORY, "protected part");
    if (!enroll_judge_mac(x->turn, x->service->enroll, x->procedure, &claim, verdict, err))
        return CMP_FAULT_INTERNAL;
    if (verdict->held)
        return CMP_OK;
    x->turn->facts.detail = refusal_name(verdict->reason);
    return CMP_FAULT_PROTECTION;
}

static enum cmp_fault authenticate_mac(struct cmp_exchange *x, struct error *err)
{
    const struct cmp_message *m = &x->request;
    struct cmp_sender *sender = &x->sender;
    AUTO_STRUCT(mac_verdict) verdict = { 0 };
    enum cmp_fault fault;

    if (!takes_mac(x, m->body))
        return CMP_FAULT_INTEGRITY;
    if (x->procedure->dialect.cmp_strict && !names_the_secret(&m->header, x->turn->arena))
        return CMP_FAULT_SENDER;
    fault = judge_mac(x, m, &verdict, &sender->mac, err);
    if (fault != CMP_OK)
        return fault;
    sender->registration = verdict.registration;
    sender->mac_key = verdict.key;
    if (!identify("registration", registration_id_bytes(&verdict.registration->id), &sender->identity) ||
        !algorithm_of_mac(&sender->mac, &sender->algorithm))
        return cmp_trouble(err, ERROR_CRYPTO, "SHA-256 of a sender");
    sender->role = CMP_ROLE_SECRET;
    return CMP_OK;
}

/* --- signature --- */

/* CMP-36: extraCerts begins with it; a follow-up may leave it out, it is known. */
static enum cmp_fault find_signer(const struct cmp_exchange *x, const struct cmp_message *m,
                                  struct certificate *out)
{
    struct bytes der = BYTES_NONE;

    if (m->extra_cert_count > 0)
        der = m->extra_cert[0];
    else if (m == &x->request && cmp_body_follows(m->body))
        der = x->transaction.signer;
    return der.len > 0 && certificate_decode(der, x->turn->arena, out) ? CMP_OK : CMP_FAULT_SIGNER;
}

static enum cmp_fault check_sender(const struct cmp_exchange *x, const struct cmp_header *h,
                                   const struct certificate *signer)
{
    struct distinguished_name name;

    if (h->sender_name.len == 0 || name_decode_lenient(h->sender_name, x->turn->arena, &name) != NAME_OK ||
        !name_equal(&name, &signer->subject))
        return CMP_FAULT_SENDER;
    if (h->sender_kid.len == 0)
        return x->procedure->dialect.cmp_strict && signer->subject_key_id.len > 0 ? CMP_FAULT_KEY_ID : CMP_OK;
    return bytes_equal(h->sender_kid, signer->subject_key_id) ? CMP_OK : CMP_FAULT_KEY_ID;
}

static enum cmp_fault check_signature(const struct cmp_exchange *x, const struct cmp_message *m,
                                      const struct certificate *signer)
{
    if (signer->key.bits > CMP_SENDER_BITS_MAX) /* before its signature costs anything */
        return CMP_FAULT_ALGORITHM;
    switch (cmp_verify_signature(m, &signer->key, x->turn->arena)) {
    case SIGNATURE_OK: return CMP_OK;
    case SIGNATURE_ALGORITHM: return CMP_FAULT_ALGORITHM;
    case SIGNATURE_WRONG:
    case SIGNATURE_SYNTAX:
    case SIGNATURE_INTERNAL: break;
    }
    return CMP_FAULT_PROTECTION;
}

static enum cmp_fault verify_signer(const struct cmp_exchange *x, const struct cmp_message *m,
                                    struct certificate *signer)
{
    enum cmp_fault fault;

    if (!signature_algorithm_is_known(
            m->header.protection_alg)) /* a MAC that is none of ours has no signer */
        return CMP_FAULT_ALGORITHM;
    fault = find_signer(x, m, signer);
    if (fault == CMP_OK)
        fault = check_sender(x, &m->header, signer);
    if (fault == CMP_OK)
        fault = check_signature(x, m, signer);
    if (fault == CMP_OK && signer->has_key_usage && (signer->key_usage & KEY_USAGE_DIGITAL_SIGNATURE) == 0)
        fault = CMP_FAULT_SIGNER_NOT_TRUSTED; /* CMP-37 */
    return fault;
}

static bool has_extended_usage(const struct certificate *c, struct bytes oid)
{
    for (size_t i = 0; i < c->extended_key_usage_count; i++)
        if (bytes_equal(c->extended_key_usage[i], oid))
            return true;
    return false;
}

static enum cmp_fault judge_ra(struct cmp_exchange *x, const struct certificate *signer, bool *trusted,
                               struct error *err)
{
    *trusted = false;
    if (x->procedure->cmp_ra_anchors == NULL || !has_extended_usage(signer, CMP_KP_CMC_RA))
        return CMP_OK;
    return enroll_judge_ra(x->turn, x->service->enroll, x->procedure, signer->encoded, x->sender.chain,
                           x->sender.chain_count, trusted, &x->turn->facts.detail, err)
               ? CMP_OK
               : CMP_FAULT_INTERNAL;
}

/* The role of a holder whose certificate was judged. */
static enum cmp_fault role_of(struct cmp_exchange *x, const struct holder *holder)
{
    struct cmp_sender *sender = &x->sender;

    switch (holder->kind) {
    case HOLDER_OURS:
        if (holder->record.status != CERTIFICATE_GOOD)
            return CMP_FAULT_SIGNER_REVOKED;
        if (holder->record.domain.value != x->procedure->domain->id.value) {
            sender->role = CMP_ROLE_FOREIGN;
            return CMP_OK;
        }
        sender->role = CMP_ROLE_HOLDER;
        break;
    case HOLDER_VENDOR: sender->role = CMP_ROLE_VENDOR; break;
    case HOLDER_NONE: break;
    }
    if (holder->kind != HOLDER_NONE && holder->usable)
        return CMP_OK;
    sender->role = CMP_ROLE_NONE;
    x->turn->facts.detail = holder->detail;
    return CMP_FAULT_SIGNER_NOT_TRUSTED;
}

/* CMP-38, CMP-60: a certificate that was updated begins nothing any more. */
static enum cmp_fault check_update(struct cmp_exchange *x, struct error *err)
{
    enum cmp_update update = CMP_UPDATE_NONE;

    if (x->sender.role != CMP_ROLE_HOLDER || cmp_body_follows(x->request.body))
        return CMP_OK;
    if (!cmp_update_read(x->turn, &x->sender.holder.record.id, &update, err))
        return CMP_FAULT_INTERNAL;
    switch (update) {
    case CMP_UPDATE_PENDING: return x->request.body == CMP_GENM ? CMP_OK : CMP_FAULT_UPDATE_PENDING;
    case CMP_UPDATE_DONE: return CMP_FAULT_SIGNER_REVOKED;
    case CMP_UPDATE_NONE: break;
    }
    return CMP_OK;
}

static enum cmp_fault judge_signer(struct cmp_exchange *x, const struct certificate *signer,
                                   struct error *err)
{
    struct cmp_sender *sender = &x->sender;
    bool trusted = false;
    enum cmp_fault fault = judge_ra(x, signer, &trusted, err);

    if (fault != CMP_OK)
        return fault;
    if (trusted) {
        sender->holder.certificate = *signer;
        sender->role = CMP_ROLE_RA;
        return CMP_OK;
    }
    if (!enroll_holder(x->turn, x->service->enroll, x->procedure, signer->encoded, sender->chain,
                       sender->chain_count, &sender->holder, err))
        return CMP_FAULT_INTERNAL;
    fault = role_of(x, &sender->holder);
    return fault == CMP_OK ? check_update(x, err) : fault;
}

static enum cmp_fault authenticate_signature(struct cmp_exchange *x, struct error *err)
{
    const struct cmp_message *m = &x->request;
    struct cmp_sender *sender = &x->sender;
    struct certificate signer;
    enum cmp_fault fault = verify_signer(x, m, &signer);

    if (fault != CMP_OK)
        return fault;
    for (size_t i = 1; i < m->extra_cert_count; i++)
        sender->chain[sender->chain_count++] = m->extra_cert[i];
    if (!identify("certificate", signer.encoded, &sender->identity) ||
        !identify("signature", m->header.protection_alg, &sender->algorithm))
        return cmp_trouble(err, ERROR_CRYPTO, "SHA-256 of a sender");
    return judge_signer(x, &signer, err);
}

enum cmp_fault cmp_authenticate(struct cmp_exchange *x, struct error *err)
{
    if (!x->request.has_protection || x->request.header.protection_alg.len == 0) /* CMP-30 */
        return CMP_FAULT_UNPROTECTED;
    switch (cmp_protection_of(&x->request)) {
    case CMP_PROTECTION_MAC: return authenticate_mac(x, err);
    case CMP_PROTECTION_SIGNATURE: return authenticate_signature(x, err);
    case CMP_PROTECTION_NONE: break;
    }
    return CMP_FAULT_UNPROTECTED;
}

enum cmp_fault cmp_authenticate_original(struct cmp_exchange *x, const struct cmp_message *original,
                                         struct error *err)
{
    AUTO_STRUCT(mac_verdict) verdict = { 0 };
    struct certificate signer;
    struct password_mac mac;

    switch (cmp_protection_of(original)) {
    case CMP_PROTECTION_MAC: return judge_mac(x, original, &verdict, &mac, err);
    case CMP_PROTECTION_SIGNATURE: return verify_signer(x, original, &signer);
    case CMP_PROTECTION_NONE: break;
    }
    return CMP_FAULT_UNPROTECTED;
}
