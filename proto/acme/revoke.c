/* revokeCert (RFC 8555 7.6): by the account that ordered the certificate, by one that holds valid
 * authorizations for all its names, or by its key. The certificate is named by its octets, whole: nobody
 * revokes one that he has not seen. */
#include "proto/acme/order_internal.h"

#include "enroll/revoke.h"
#include "lib/base/encode.h"
#include "registry/certificates.h"
#include "registry/state.h"

static bool owner_of(struct acme_call *c, const struct certificate_id *id, bool *found,
                     struct acme_id *account, struct acme_id *order, struct error *err)
{
    struct state_value value;
    struct digest256 digest;
    struct state_key key;
    bool known = false;

    *found = false;
    if (!acme_certificate_digest(id, &digest))
        return error_set(err, ERROR_CRYPTO, "SHA-256 of a certificate's id");
    key = (struct state_key){ .procedure = bytes_text(c->procedure->name),
                              .kind = "acme-cert",
                              .id = digest256_bytes(&digest) };
    if (!registry_state(c->turn->view, &key, c->turn->arena, &known, &value, err))
        return false;
    *found = known && value.blob.len == 2 * ACME_ID_LEN;
    if (*found) {
        memcpy(account->bytes, value.blob.data, ACME_ID_LEN);
        memcpy(order->bytes, value.blob.data + ACME_ID_LEN, ACME_ID_LEN);
    }
    return true;
}

bool acme_certificate_account(struct acme_call *c, const struct certificate_id *id, bool *found,
                              struct acme_id *account, struct error *err)
{
    struct acme_id order;

    return owner_of(c, id, found, account, &order, err);
}

/* It is of an order of STAR: cancelled, not revoked (RFC 8739 3.1.3). */
static bool is_of_star(struct acme_call *c, const struct certificate_id *id, bool *is, struct error *err)
{
    struct acme_id account, order_id;
    struct acme_order order;
    bool found = false;

    *is = false;
    if (!owner_of(c, id, &found, &account, &order_id, err) ||
        (found && !acme_order_read(c->turn, c->procedure, &order_id, false, &found, &order, err)))
        return false;
    *is = found && order.star.is;
    return true;
}

/* --- who may --- */
/* What was proved by a challenge counts as long as the registration is open and has the name. What was spared
 * one says nothing of who holds the name: for other people's certificates that is not enough. */
static bool is_good_still(struct acme_call *c, const struct acme_authz *authz, bool *good, struct error *err)
{
    const struct credential account = acme_credential(&c->account);
    const struct account_name name = acme_account_name(&authz->identifier);
    struct account_verdict verdict = { 0 };

    if (!enroll_account_may(c->turn, c->procedure, &account, &name, &verdict, err))
        return false;
    *good = verdict.may && !authz->pre_authorised;
    return true;
}

static bool holds_authz(struct acme_call *c, const struct general_name *name, bool *holds, struct error *err)
{
    const struct dns_rules rules = { .underscore = true, .single_label = true };
    struct acme_identifier id = { .type = ACME_IDENTIFIER_DNS };
    struct acme_authz authz;
    bool found = false, is = false;

    *holds = false;
    if (name->kind == GENERAL_NAME_IP) {
        id.type = ACME_IDENTIFIER_IP;
        is = ip_from_bytes(name->value, &id.ip);
    } else if (name->kind == GENERAL_NAME_OTHER) {
        is = bytes_equal(name->oid, OID_PERMANENT_IDENTIFIER) &&
             acme_identifier_of_permanent(name->value, &id);
    } else if (name->kind == GENERAL_NAME_DNS) {
        id.wildcard = bytes_starts_with(name->value, "*.");
        is = dns_name_parse(id.wildcard ? bytes_from(name->value, 2) : name->value, &rules, &id.name) ==
             DNS_OK;
    }
    if (!is)
        return true;
    if (!acme_authz_of_name(c, &id, &found, &authz, err))
        return false;
    if (!found || !acme_authz_is_valid(&authz, c->turn->now_s))
        return true;
    return is_good_still(c, &authz, holds, err);
}

static bool account_may(struct acme_call *c, const struct certificate *certificate,
                        const struct certificate_id *id, bool *may, struct error *err)
{
    struct acme_id owner;
    bool found = false;

    if (!acme_certificate_account(c, id, &found, &owner, err))
        return false;
    *may = found && acme_id_equal(&owner, &c->account.id);
    if (*may || certificate->san.count == 0)
        return true;
    *may = true;
    for (size_t i = 0; i < certificate->san.count && *may; i++)
        if (!holds_authz(c, &certificate->san.item[i], may, err))
            return false;
    return true;
}

static bool judge_signer(struct acme_call *c, const struct certificate *certificate,
                         const struct certificate_id *id, bool *may, struct error *err)
{
    if (c->by_account)
        return account_may(c, certificate, id, may, err);
    *may = bytes_equal(c->spki, certificate->key.spki);
    return true;
}

/* --- what is asked --- */
static enum acme_progress read_certificate(struct acme_call *c, struct certificate *certificate,
                                           struct certificate_id *id, struct error *err)
{
    struct bytes text = json_member(c->payload, "certificate");
    uint8_t *der = arena_alloc(c->turn->arena, BASE64_DECODED_MAX(text.len));
    size_t len = 0;

    if (der == NULL) {
        (void)error_set(err, ERROR_MEMORY, "no memory for a certificate");
        return ACME_ERROR;
    }
    if (text.len == 0 || !base64url_decode(text, der, &len) ||
        !certificate_decode(bytes_of(der, len), c->turn->arena, certificate) ||
        !certificate_id_of(certificate->issuer.encoded, certificate->serial, id))
        return acme_refuse(c, ACME_MALFORMED, "certificate is not base64url of a certificate", err);
    return ACME_ON;
}

/* Those that a subscriber can know (ACME-113). */
static enum acme_progress read_reason(struct acme_call *c, int *reason, struct error *err)
{
    const json_t *asked = json_object_get(c->payload, "reason");
    json_int_t number = json_integer_value(asked);

    *reason = REVOCATION_UNSPECIFIED;
    if (asked == NULL)
        return ACME_ON;
    if (!json_is_integer(asked))
        return acme_refuse(c, ACME_MALFORMED, "reason is a number", err);
    if (number != REVOCATION_UNSPECIFIED && number != REVOCATION_KEY_COMPROMISE &&
        number != REVOCATION_AFFILIATION_CHANGED && number != REVOCATION_SUPERSEDED &&
        number != REVOCATION_CESSATION)
        return acme_refuse(c, ACME_BAD_REVOCATION_REASON, "this reason is not taken: 0, 1, 3, 4 and 5 are",
                           err);
    *reason = (int)number;
    return ACME_ON;
}

/* One of ours, of this procedure, octet for octet. */
static bool is_ours(struct acme_call *c, const struct certificate *certificate,
                    const struct certificate_id *id, bool *ours, struct error *err)
{
    struct certificate_record record;
    bool found = false;

    if (!registry_certificate_by_id(c->turn->view, id, c->turn->arena, &found, &record, err))
        return false;
    *ours = found && record.domain.value == c->procedure->domain->id.value &&
            bytes_is(record.procedure, c->procedure->name) && bytes_equal(record.der, certificate->encoded);
    return true;
}

static enum acme_progress revoke(struct acme_call *c, const struct certificate_id *id, int reason,
                                 struct error *err)
{
    enum revoke_outcome outcome = REVOKE_UNKNOWN;

    if (!enroll_revoke(c->turn, c->procedure, id, reason, c->by_account ? "account" : "holder", &outcome,
                       err))
        return ACME_ERROR;
    switch (outcome) {
    case REVOKE_DONE: c->response->status = 200; return ACME_ANSWERED;
    case REVOKE_ALREADY:
        return acme_refuse(c, ACME_ALREADY_REVOKED, "the certificate is revoked already", err);
    case REVOKE_UNKNOWN: break;
    }
    return acme_not_found(c, err);
}

enum acme_progress acme_revoke_cert(struct acme_call *c, struct error *err)
{
    struct certificate certificate = { 0 };
    struct certificate_id id = { 0 };
    bool ours = false, may = false, star = false;
    int reason = 0;
    enum acme_progress progress = read_certificate(c, &certificate, &id, err);

    if (progress != ACME_ON)
        return progress;
    if (!is_ours(c, &certificate, &id, &ours, err))
        return ACME_ERROR;
    if (!ours)
        return acme_not_found(c, err);
    if (!judge_signer(c, &certificate, &id, &may, err))
        return ACME_ERROR;
    if (!may)
        return acme_refuse(c, ACME_UNAUTHORIZED, "the signer may not revoke this certificate", err);
    if (!is_of_star(c, &id, &star, err))
        return ACME_ERROR;
    if (star)
        return acme_refuse(c, ACME_AUTO_RENEWAL_REVOCATION_NOT_SUPPORTED,
                           "certificates of an auto-renewal order are not revoked: the order is canceled",
                           err);
    progress = read_reason(c, &reason, err);
    return progress == ACME_ON ? revoke(c, &id, reason, err) : progress;
}
