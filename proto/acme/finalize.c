/* Finalization (RFC 8555 7.4): the CSR names what the order names, enroll() decides and issues, and what
 * waits is asked for again with every look at the order. */
#include "proto/acme/recheck_internal.h"

#include "lib/base/encode.h"
#include "lib/pki/csr.h"
#include "registry/certificates.h"
#include "registry/state.h"

enum { ISSUED_KEEP_S = 30 * 86400 /* an order is kept so much longer than its certificate is valid */ };

/* --- the CSR --- */
static enum acme_progress read_csr(struct acme_call *c, struct bytes *der, struct error *err)
{
    struct bytes text = json_member(c->payload, "csr");
    uint8_t *octets = arena_alloc(c->turn->arena, BASE64_DECODED_MAX(text.len));
    size_t len = 0;

    if (octets == NULL) {
        (void)error_set(err, ERROR_MEMORY, "no memory for a certificate request");
        return ACME_ERROR;
    }
    if (text.len == 0 || !base64url_decode(text, octets, &len) || len > CSR_LEN_MAX)
        return acme_refuse(c, ACME_BAD_CSR, "csr is not base64url of a certificate request", err);
    *der = bytes_of(octets, len);
    return ACME_ON;
}

/* A name of the CSR as an identifier; false: it is none. */
static bool identifier_of(const struct general_name *name, struct acme_identifier *out)
{
    const struct dns_rules rules = { .underscore = true, .single_label = true };

    *out = (struct acme_identifier){ 0 };
    if (name->kind == GENERAL_NAME_IP) {
        out->type = ACME_IDENTIFIER_IP;
        return ip_from_bytes(name->value, &out->ip);
    }
    if (name->kind == GENERAL_NAME_OTHER)
        return bytes_equal(name->oid, OID_PERMANENT_IDENTIFIER) &&
               acme_identifier_of_permanent(name->value, out);
    out->type = ACME_IDENTIFIER_DNS;
    out->wildcard = bytes_starts_with(name->value, "*.");
    return name->kind == GENERAL_NAME_DNS &&
           dns_name_parse(out->wildcard ? bytes_from(name->value, 2) : name->value, &rules, &out->name) ==
               DNS_OK;
}

/* A CN is a device of the order, a name or an address, as text. */
static bool identifier_of_cn(const struct acme_order *order, struct bytes text, struct acme_identifier *out)
{
    struct ip_address ip;

    for (size_t i = 0; i < order->identifier_count; i++) {
        *out = order->identifier[i];
        if (out->type == ACME_IDENTIFIER_DEVICE && bytes_equal(device_id_bytes(&out->device), text))
            return true;
    }
    if (ip_parse(text, &ip)) {
        *out = (struct acme_identifier){ .type = ACME_IDENTIFIER_IP, .ip = ip };
        return true;
    }
    return identifier_of(&(struct general_name){ .kind = GENERAL_NAME_DNS, .value = text }, out);
}

/* Where `id` stands in the order; identifier_count: nowhere. */
static size_t place_of(const struct acme_order *order, const struct acme_identifier *id)
{
    size_t i = 0;

    while (i < order->identifier_count && !acme_identifier_equal(&order->identifier[i], id))
        i++;
    return i;
}

/* NULL: its names are exactly the order's (ACME-62, ACME-63). A device need not be named (ACME-108). */
static const char *names_fault(const struct acme_order *order, const struct requested *requested)
{
    bool seen[ACME_IDENTIFIERS_MAX] = { false };
    struct acme_identifier id;
    size_t count;
    struct bytes cn = name_find(&requested->subject, OID_COMMON_NAME, &count);

    if (count > 1)
        return "the certificate request has more than one CN";
    for (size_t i = 0; i < requested->san.count; i++) {
        if (!identifier_of(&requested->san.item[i], &id) || place_of(order, &id) == order->identifier_count)
            return "the certificate request names what the order does not";
        seen[place_of(order, &id)] = true;
    }
    if (count == 1) {
        if (!identifier_of_cn(order, cn, &id) || place_of(order, &id) == order->identifier_count)
            return "the CN of the certificate request is no name of the order";
        seen[place_of(order, &id)] = true;
    }
    for (size_t i = 0; i < order->identifier_count; i++)
        if (!seen[i] && order->identifier[i].type != ACME_IDENTIFIER_DEVICE)
            return "the certificate request lacks a name of the order";
    return NULL;
}

/* ON: *csr may be asked for. */
static enum acme_progress judge_csr(struct acme_call *c, const struct acme_order *order, struct bytes der,
                                    struct csr *csr, struct error *err)
{
    const struct profile *profile = acme_order_profile(c, order);
    const char *detail = NULL;
    bool attested = false;
    enum refusal why;

    if (order->profile.len > 0 && profile == NULL)
        return acme_refuse(c, ACME_INVALID_PROFILE, "the order's profile is not offered any more", err);
    if (!enroll_csr_decode(c->procedure, profile, PROTOCOL_ACME, der, c->turn->arena, csr, &why, &detail))
        return acme_refuse_enrollment(c, why, true, detail, err);
    if (bytes_equal(csr->requested.key.spki, c->account.spki))
        return acme_refuse(c, ACME_BAD_CSR, "the account's key is not certified", err);
    if (!acme_attested_key_is(c, order, csr->requested.key.spki, &attested, err))
        return ACME_ERROR;
    if (!attested)
        return acme_refuse(c, ACME_BAD_CSR, "the key is not the one that the device has attested", err);
    detail = names_fault(order, &csr->requested);
    return detail == NULL ? ACME_ON : acme_refuse(c, ACME_BAD_CSR, detail, err);
}

/* --- asking enroll() --- */
static bool stands_for(const struct acme_call *c, const struct acme_authz *authz,
                       const struct acme_identifier *id)
{
    return c->procedure->acme_subdomains && acme_covers(&authz->identifier, id);
}

/* Not the first certificate: nobody speaks for the device then. */
static bool is_renewal(const struct acme_order *order)
{
    return order->star.is && order->status == ACME_ORDER_VALID;
}

/* What the account has proved by challenges. Once an order is processing, what was proved then counts, unless
 * it was taken back; with STAR it does so to the end. */
static bool collect_proved(struct acme_call *c, const struct acme_order *order, struct credential *out,
                           struct error *err)
{
    struct account_name *proved = arena_array(c->turn->arena, order->authz_count, sizeof(*proved));

    *out = acme_credential(&c->account);
    if (proved == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for what was proved");
    out->account.proved = proved;
    for (size_t i = 0; i < order->authz_count; i++) {
        struct acme_authz authz;
        bool found = false;

        if (!acme_authz_read(c->turn, bytes_text(c->procedure->name), &order->authz[i], &found, &authz, err))
            return false;
        if (found && is_renewal(order)) /* who takes it back meanwhile comes first */
            acme_authz_assume(c->turn, bytes_text(c->procedure->name), &authz);
        if (found && !authz.pre_authorised && authz.status == ACME_AUTHZ_VALID &&
            (order->status == ACME_ORDER_PROCESSING || is_renewal(order) || authz.expires_s > c->turn->now_s))
            proved[out->account.proved_count++] = acme_account_name(
                stands_for(c, &authz, &order->identifier[i]) ? &order->identifier[i] : &authz.identifier);
    }
    return true;
}

/* Of STAR each certificate is a transaction of its own: its number follows the order's id. */
static struct bytes transaction_of(struct acme_call *c, const struct acme_order *order)
{
    AUTO_STRUCT(buffer) id = BUFFER(ACME_ID_LEN + sizeof(uint32_t));

    buffer_append(&id, acme_id_bytes(&order->id));
    if (is_renewal(order))
        for (int shift = 24; shift >= 0; shift -= 8)
            buffer_append_byte(&id, (uint8_t)((order->star.renewals + 1) >> shift));
    return buffer_failed(&id) ? BYTES_NONE : arena_copy(c->turn->arena, buffer_bytes(&id));
}

static bool ask(struct acme_call *c, const struct acme_order *order, const struct csr *csr,
                struct enroll_result *out, struct error *err)
{
    struct enrollment e = { .protocol = PROTOCOL_ACME,
                            .procedure = c->procedure,
                            .transaction_id = transaction_of(c, order),
                            .requested = &csr->requested,
                            .request = csr->encoded,
                            .profile = acme_order_profile(c, order),
                            .peer = is_renewal(order) ? order->star.peer : c->request->peer.address };
    char text[ACME_ID_TEXT_LEN + 1];

    if (e.transaction_id.data == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a transaction's id");
    if (order->star.is &&
        (!acme_star_offered(c) || !acme_star_dates(c, order, &e.not_before_s, &e.not_after_s))) {
        *out = (struct enroll_result){ .reason = REFUSAL_EXPIRED,
                                       .credential_held = true,
                                       .detail = "auto-renewal is over, or not offered any more" };
        return true;
    }
    acme_id_format(&order->id, text);
    c->turn->facts.transaction = arena_copy(c->turn->arena, bytes_text(text));
    if (!sha256_parts((struct bytes[]){ BYTES_LITERAL("acme-account:"), acme_id_bytes(&order->account) }, 2,
                      &e.signer))
        return error_set(err, ERROR_CRYPTO, "SHA-256 of an account");
    return collect_proved(c, order, &e.credential, err) && enroll(c->turn, c->service->enroll, &e, out, err);
}

/* --- what comes of it --- */
/* Whose certificate it is, and by which order. */
static bool put_owner(struct acme_call *c, const struct acme_order *order, int64_t expires_s,
                      struct error *err)
{
    AUTO_STRUCT(buffer) blob = BUFFER(2 * ACME_ID_LEN);
    struct digest256 digest;
    struct state_value value, old;
    struct state_key key;
    bool found = false;

    if (!acme_certificate_digest(&order->certificate, &digest))
        return error_set(err, ERROR_CRYPTO, "SHA-256 of a certificate's id");
    buffer_append(&blob, acme_id_bytes(&order->account));
    buffer_append(&blob, acme_id_bytes(&order->id));
    value = (struct state_value){ .blob = buffer_bytes(&blob), .expires_s = expires_s };
    key = (struct state_key){ .procedure = bytes_text(c->procedure->name),
                              .kind = "acme-cert",
                              .id = digest256_bytes(&digest) };
    if (!registry_state(c->turn->view, &key, c->turn->arena, &found, &old, err))
        return false;
    change_state_put(&c->turn->changes, &key, &value, found ? old.revision : 0);
    return true;
}

bool acme_take_certificate(struct acme_call *c, struct acme_order *order, struct bytes der, struct error *err)
{
    struct certificate certificate;
    int64_t over_s;

    if (!certificate_decode(der, c->turn->arena, &certificate) ||
        !certificate_id_of(certificate.issuer.encoded, certificate.serial, &order->certificate))
        return error_set(err, ERROR_FORMAT, "the certificate that was issued cannot be read");
    order->status = ACME_ORDER_VALID;
    over_s = certificate.not_after_s;
    if (order->star.is) {
        acme_star_plan(&order->star, &certificate, c->turn->now_s);
        over_s = order->star.end_s > over_s ? order->star.end_s : over_s;
    }
    if (order->keep_s < over_s + ISSUED_KEEP_S)
        order->keep_s = over_s + ISSUED_KEEP_S;
    return acme_order_put(c->turn, c->procedure, order, err) && put_owner(c, order, order->keep_s, err);
}

static enum acme_progress issued(struct acme_call *c, struct acme_order *order, struct bytes der,
                                 struct error *err)
{
    order->star.peer = c->request->peer.address;
    if (!acme_take_certificate(c, order, der, err) || (order->star.is && !acme_star_begin(c, order, err)) ||
        (order->replaces.len > 0 && !acme_mark_replaced(c, order->replaces, &order->id, err)))
        return ACME_ERROR;
    return acme_respond_order(c, 200, order, err);
}

static enum acme_progress waits(struct acme_call *c, struct acme_order *order, bool first, unsigned wait_s,
                                struct error *err)
{
    order->status = ACME_ORDER_PROCESSING;
    if (first) {
        /* as long as the CA may take */
        order->keep_s += (int64_t)c->service->enroll->pending_keep_s;
        if (!acme_order_put(c->turn, c->procedure, order, err) || !acme_caa_is_over(c, order, err))
            return ACME_ERROR;
    }
    http_response_retry_after(c->turn->arena, c->response, wait_s > 0 ? wait_s : 5);
    return acme_respond_order(c, 200, order, err);
}

/* An order that was refused for good is invalid and says why; what the client can mend leaves it as it was
 * (ACME-63, ACME-66). */
static bool is_final(enum refusal reason, bool processing)
{
    if (reason == REFUSAL_CA_REJECTED || reason == REFUSAL_DENIED)
        return true;
    return processing && reason != REFUSAL_CA_UNAVAILABLE;
}

void acme_fail_order(struct acme_order *order, const struct enroll_result *result)
{
    struct acme_answer answer = acme_answer_to(refusal_on_wire(result->reason, result->credential_held));

    order->status = ACME_ORDER_INVALID;
    order->fault =
        (struct acme_fault){ .is = true, .problem = answer.problem, .detail = bytes_text(answer.detail) };
}

static enum acme_progress refused(struct acme_call *c, struct acme_order *order,
                                  const struct enroll_result *result, struct error *err)
{
    if (!is_final(result->reason, order->status == ACME_ORDER_PROCESSING)) {
        if (order->status != ACME_ORDER_PROCESSING)
            return acme_refuse_enrollment(c, result->reason, result->credential_held, result->detail, err);
        return waits(c, order, false, 0, err);
    }
    acme_fail_order(order, result);
    return acme_order_put(c->turn, c->procedure, order, err) ? acme_respond_order(c, 200, order, err)
                                                             : ACME_ERROR;
}

/* `first`: nobody was asked for it yet. */
static enum acme_progress go_on(struct acme_call *c, struct acme_order *order, const struct csr *csr,
                                bool first, struct error *err)
{
    struct enroll_result result = { 0 };

    if (first && order->star.is && order->star.end_s <= c->turn->now_s)
        return acme_refuse(c, ACME_AUTO_RENEWAL_EXPIRED, "the order's end-date has come", err);
    if (!ask(c, order, csr, &result, err))
        return ACME_ERROR;
    order->csr = csr->encoded;
    switch (result.kind) {
    case ENROLL_ISSUED: return issued(c, order, result.certificate, err);
    case ENROLL_PENDING: return waits(c, order, first, result.retry_after_s, err);
    case ENROLL_REFUSED: break;
    }
    return refused(c, order, &result, err);
}

/* The CSR is read again by the rules of now. */
enum acme_progress acme_go_on(struct acme_call *c, struct acme_order *order, struct error *err)
{
    struct csr csr;
    const char *detail = NULL;
    enum refusal why;
    bool asked = false;
    enum acme_progress progress = acme_await_caa(c, order, &asked, err);

    if (progress != ACME_ON)
        return progress;
    if (!enroll_csr_decode(c->procedure, acme_order_profile(c, order), PROTOCOL_ACME, order->csr,
                           c->turn->arena, &csr, &why, &detail))
        return refused(c, order, &(struct enroll_result){ .reason = why, .credential_held = true }, err);
    return go_on(c, order, &csr, !asked, err);
}

bool acme_ask_again(struct acme_call *c, const struct acme_order *order, struct enroll_result *out,
                    struct error *err)
{
    const struct profile *profile = acme_order_profile(c, order);
    const char *detail = NULL;
    enum refusal why = REFUSAL_PROFILE;
    struct csr csr;

    if ((order->profile.len > 0 && profile == NULL) ||
        !enroll_csr_decode(c->procedure, profile, PROTOCOL_ACME, order->csr, c->turn->arena, &csr, &why,
                           &detail)) {
        if (why == REFUSAL_INTERNAL)
            return error_set(err, ERROR_INTERNAL, "the certificate request of an order cannot be read");
        *out = (struct enroll_result){ .reason = why, .detail = detail, .credential_held = true };
        return true;
    }
    return ask(c, order, &csr, out, err);
}

/* Of two at once the second conflicts, runs again, and finds the first one's order (ACME-67). */
enum acme_progress acme_finalize(struct acme_call *c, struct error *err)
{
    struct bytes der = BYTES_NONE;
    struct acme_order order;
    struct csr csr;
    enum acme_progress progress = acme_own_order(c, &order, err);
    bool repeats = false, asked = false;

    if (progress == ACME_ON)
        progress = read_csr(c, &der, err);
    if (progress != ACME_ON)
        return progress;
    repeats = order.csr.len > 0 && bytes_equal(order.csr, der);
    if (order.status == ACME_ORDER_VALID && repeats)
        return acme_respond_order(c, 200, &order, err);
    if (order.status == ACME_ORDER_PROCESSING && repeats)
        return acme_go_on(c, &order, err);
    if (!acme_order_judge(c, &order, err))
        return ACME_ERROR;
    if (order.status != ACME_ORDER_READY)
        return acme_refuse(c, ACME_ORDER_NOT_READY, "the order is not ready", err);
    if (!acme_terms_agreed(c, c->account.terms))
        return acme_refuse_terms(c, err);
    progress = judge_csr(c, &order, der, &csr, err);
    order.csr = der;
    if (progress == ACME_ON)
        progress = acme_await_caa(c, &order, &asked, err);
    return progress == ACME_ON ? go_on(c, &order, &csr, true, err) : progress;
}
