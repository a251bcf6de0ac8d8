/* service_order.c: what is ordered for a certificate of the gateway itself: the same again, over the same
 * key, or a first one; and what is kept of it. */
#include "enroll/audit_internal.h"
#include "enroll/service_internal.h"

#include "lib/pki/csr.h"

enum { NAMES_MAX = 64 * 1024, BACKDATE_S = 300, FIRST_LIFE_S = 2 * 365 * 86400, PEM_MAX = 512 * 1024 };

/* --- the order --- */
/* The content of its SAN as it stands. */
static bool san_of(const struct certificate *c, struct arena *arena, struct bytes *out, struct error *err)
{
    AUTO_STRUCT(buffer) san = BUFFER(NAMES_MAX);

    for (size_t i = 0; i < c->san.count; i++)
        buffer_append(&san, c->san.item[i].encoded);
    *out = buffer_failed(&san) || c->san.count == 0 ? BYTES_NONE : arena_copy(arena, buffer_bytes(&san));
    return c->san.count == 0 || out->data != NULL ||
           error_set(err, ERROR_MEMORY, "names of a service certificate");
}

bool service_digest(const struct service_certificate *s, struct digest256 *out, struct error *err)
{
    const struct certificate *c = &s->certificate;
    AUTO_STRUCT(buffer) wanted = BUFFER(2 * NAMES_MAX);

    if (!service_is_awaited(s))
        return sha256(c->encoded, out) || error_openssl(err, "SHA-256");
    buffer_append(&wanted, c->subject.encoded);
    for (size_t i = 0; i < c->san.count; i++)
        buffer_append(&wanted, c->san.item[i].encoded);
    buffer_append(&wanted, c->key.spki);
    if (buffer_failed(&wanted))
        return error_set(err, ERROR_MEMORY, "names of a service certificate");
    return sha256(buffer_bytes(&wanted), out) || error_openssl(err, "SHA-256");
}

bool service_renewal_begin(const struct service_certificate *s, const struct ca *ca, int64_t now_s,
                           struct arena *arena, struct service_renewal *out, struct error *err)
{
    const struct certificate *c = &s->certificate;

    *out = (struct service_renewal){
        .stage = SERVICE_STAGE_ORDER,
        .path = bytes_text(s->path),
        .order = { .phase = ORDER_PHASE_FETCH,
                   .ca = bytes_text(ca->name),
                   .deadline_s = now_s + (ca->patience.order_keep_s > 0 ? (int64_t)ca->patience.order_keep_s
                                                                        : CA_ORDER_KEEP_S),
                   .subject = c->subject.encoded,
                   .spki = c->key.spki },
    };
    return service_digest(s, &out->follows, err) && san_of(c, arena, &out->order.san, err);
}

/* As long a life as the old one has, from now on; a first one's is `muster init`'s. */
static struct profile profile_of(const struct service_certificate *s)
{
    const struct certificate *c = &s->certificate;
    int64_t life_s = service_is_awaited(s) ? FIRST_LIFE_S : c->not_after_s - c->not_before_s;
    uint32_t backdate_s = life_s > 2 * BACKDATE_S ? BACKDATE_S : 0;

    if (life_s > UINT32_MAX)
        life_s = UINT32_MAX;
    return (struct profile){ .name = "service",
                             .validity_s = (uint32_t)(life_s > 0 ? life_s : 1) - backdate_s,
                             .backdate_s = backdate_s,
                             .key_usage = c->key_usage,
                             .extended_key_usage = c->extended_key_usage,
                             .extended_key_usage_count = c->extended_key_usage_count };
}

static bool sign_request(struct turn *turn, const struct service_certificate *s, const struct ca_order *order,
                         struct bytes *out, struct error *err)
{
    const struct certificate_template usages = {
        .key_usage = order->profile->key_usage,
        .extended_key_usage = order->profile->extended_key_usage,
        .extended_key_usage_count = order->profile->extended_key_usage_count,
    };
    AUTO_STRUCT(buffer) extensions = BUFFER(4096);
    struct csr_order csr = {
        .subject = order->subject, .spki = order->key->spki, .san = order->san, .key_name = s->key_name
    };

    certificate_usages_put(&extensions, &usages);
    if (buffer_failed(&extensions))
        return error_set(err, ERROR_MEMORY, "request for a service certificate");
    csr.extensions = buffer_bytes(&extensions);
    return csr_sign(&csr, turn->keys, turn->arena, out, err);
}

bool service_order_start(struct turn *turn, const struct service_certificate *s, const struct ca *ca,
                         struct connector_step *step, struct error *err)
{
    const struct profile profile = profile_of(s);
    const struct connector_call call = {
        .ca = ca,
        .keys = turn->keys,
        .random = &turn->random,
        .now_s = turn->now_s,
        .arena = turn->arena,
    };
    struct ca_order order = {
        .profile = &profile,
        .subject = s->certificate.subject.encoded,
        .key = &s->certificate.key,
        .renews = s->certificate.encoded,
        .key_name = s->key_name,
        .now_s = turn->now_s,
    };

    return san_of(&s->certificate, turn->arena, &order.san, err) &&
           sign_request(turn, s, &order, &order.request, err) &&
           ca->connector->start(&call, &order, step, err);
}

/* --- what came of it --- */
/* Its first DNS name, so that people find it; empty: it has none. */
static struct dns_name fqdn_of(const struct certificate *c)
{
    const struct dns_rules rules = { .single_label = true };
    struct dns_name name = { 0 };

    for (size_t i = 0; i < c->san.count; i++)
        if (c->san.item[i].kind == GENERAL_NAME_DNS &&
            dns_name_parse(c->san.item[i].value, &rules, &name) == DNS_OK)
            return name;
    return (struct dns_name){ 0 };
}

static bool append_audit(struct turn *turn, const struct service_certificate *s,
                         const struct certificate_record *record, struct error *err)
{
    AUTO_STRUCT(buffer) entry = BUFFER(AUDIT_ENTRY_MAX);
    struct digest256 certificate;

    if (!sha256(record->der, &certificate))
        return error_openssl(err, "SHA-256");
    audit_begin(&entry);
    audit_text(&entry, "service", bytes_text(s->what));
    audit_text(&entry, "file", bytes_text(s->path));
    audit_text(&entry, "ca", record->ca);
    audit_hex(&entry, "serial", bytes_of(record->id.serial, record->id.serial_len));
    audit_hex(&entry, "issuer", digest256_bytes(&record->id.issuer));
    audit_hex(&entry, "certificate", digest256_bytes(&certificate));
    audit_hex(&entry, "key", digest256_bytes(&record->key));
    audit_number(&entry, "not_after", record->not_after_s);
    if (!service_is_awaited(s))
        audit_hex(&entry, "renews", s->certificate.serial);
    audit_end(&entry);
    if (buffer_failed(&entry))
        return error_set(err, ERROR_MEMORY, "audit entry");
    change_audit_append(&turn->changes, AUDIT_ISSUED, buffer_bytes(&entry));
    return true;
}

/* Of no procedure and no domain: no device renews by it, and it can be revoked like any other. */
bool service_record_issued(struct turn *turn, const struct service_certificate *s, const struct ca *ca,
                           const struct certificate *c, struct error *err)
{
    struct certificate_record record = {
        .status = CERTIFICATE_GOOD,
        .ca = bytes_text(ca->name),
        .fqdn = fqdn_of(c),
        .der = c->encoded,
        .issued_s = turn->now_s,
        .not_before_s = c->not_before_s,
        .not_after_s = c->not_after_s,
    };

    if (!certificate_id_of(c->issuer.encoded, c->serial, &record.id))
        return error_set(err, ERROR_FORMAT, "CA %s gave a serial number that is too long", ca->name);
    if (!sha256(c->key.spki, &record.key))
        return error_openssl(err, "SHA-256");
    change_certificate_add(&turn->changes, &record);
    return append_audit(turn, s, &record, err);
}

/* From its issuer on; empty where the CA gave no way from there to what is pinned. */
static bool chain_of(struct turn *turn, const struct ca *ca, const struct certificate *c,
                     const struct connector_step *step, struct ca_chain *out, struct error *err)
{
    struct bytes der[CA_TOLD_MAX];
    struct ca_told told;
    struct certificate first;
    const char *fault;

    *out = (struct ca_chain){ .chain_count = ca->chain_count };
    memcpy(out->chain, ca->chain, sizeof(out->chain));
    if (ca->anchor_count == 0 || bytes_equal(c->issuer.encoded, ca->certificate.subject.encoded))
        return true;
    ca_told_beside_known(ca, step->chain, step->chain_count, der, &told);
    told.issuer = c->issuer.encoded;
    if (!ca_chain_choose(ca, &told, turn->now_s, turn->arena, out, &fault, err))
        return false;
    if (fault != NULL || !certificate_decode(out->chain[0], turn->arena, &first) ||
        !bytes_equal(first.subject.encoded, c->issuer.encoded))
        out->chain_count = 0;
    return true;
}

bool service_pem(struct turn *turn, const struct ca *ca, const struct certificate *c,
                 const struct connector_step *step, struct bytes *out, struct error *err)
{
    AUTO_STRUCT(buffer) pem = BUFFER(PEM_MAX);
    bool put = pem_encode("CERTIFICATE", c->encoded, &pem);
    struct ca_chain chain;

    if (!chain_of(turn, ca, c, step, &chain, err))
        return false;
    for (size_t i = 0; i + 1 < chain.chain_count; i++)
        put = put && pem_encode("CERTIFICATE", chain.chain[i], &pem);
    *out = !put || buffer_failed(&pem) ? BYTES_NONE : arena_copy(turn->arena, buffer_bytes(&pem));
    return out->data != NULL || error_set(err, ERROR_MEMORY, "file of a service certificate");
}
