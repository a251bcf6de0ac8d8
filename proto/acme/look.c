/* One look at a challenge: what to ask for (RFC 8555 8.3, 8.4, RFC 8737 3, RFC 8738 4 to 6, dns-account-01),
 * and what the answer says. Nothing of what a peer sent goes into a problem document. */
#include "proto/acme/validate_internal.h"

#include <stdio.h>

#include "lib/base/encode.h"
#include "lib/pki/certificate.h"

enum { TIMEOUT_MS = 15000, TIMEOUT_DNS_MS = 10000, HTTP_PORT = 80, TLS_PORT = 443, ACCOUNT_HASH_LEN = 10 };

static const char ALPN[] = "acme-tls/1";

/* --- key authorization (RFC 8555 8.1) --- */
static struct bytes key_authorization(const struct acme_look *look)
{
    return arena_format(look->arena, "%s.%s", look->authz->challenge[look->validation->challenge].token,
                        look->validation->thumbprint);
}

static bool key_authorization_digest(const struct acme_look *look, struct digest256 *out)
{
    struct bytes text = key_authorization(look);

    return text.data != NULL && sha256(text, out);
}

/* --- asking --- */
static bool ask_http(const struct acme_look *look, struct job_effect *out)
{
    const struct acme_identifier *id = &look->authz->identifier;
    const char *token = look->authz->challenge[ACME_HTTP_01].token;
    const char *open = id->ip.len == 16 ? "[" : "", *close = id->ip.len == 16 ? "]" : "";
    uint16_t port = look->procedure->acme_http_port;
    char host[ACME_IDENTIFIER_TEXT_MAX], where[16] = "";

    acme_identifier_format(id, host);
    if (port != 0 && port != HTTP_PORT)
        (void)snprintf(where, sizeof(where), ":%u", port);
    *out = (struct job_effect){ .kind = JOB_EFFECT_HTTP,
                                .method = HTTP_METHOD_GET,
                                .url = arena_format(look->arena,
                                                    "http://%s%s%s%s/.well-known/acme-challenge/%s", open,
                                                    host, close, where, token),
                                .timeout_ms = TIMEOUT_MS,
                                .rules = &look->procedure->acme_reach,
                                .port = port };
    return out->url.data != NULL;
}

static bool ask_tls(const struct acme_look *look, struct job_effect *out)
{
    const struct acme_identifier *id = &look->authz->identifier;
    uint16_t port = look->procedure->acme_tls_port;
    char host[ACME_IDENTIFIER_TEXT_MAX];

    acme_identifier_format(id, host);
    *out = (struct job_effect){ .kind = JOB_EFFECT_PROBE,
                                .host = arena_copy(look->arena, bytes_text(host)),
                                .name = id->name,
                                .port = port != 0 ? port : TLS_PORT,
                                .alpn = ALPN,
                                .timeout_ms = TIMEOUT_MS,
                                .rules = &look->procedure->acme_reach };
    if (id->type == ACME_IDENTIFIER_IP)
        dns_name_reverse(&id->ip, &out->name);
    return out->host.data != NULL;
}

/* "_" and base32 of the first ten octets of SHA-256 over the account's URL, "._acme-challenge". */
static bool account_label(struct bytes account_url, char out[64])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    struct digest256 digest;
    char text[ACCOUNT_HASH_LEN * 8 / 5 + 1] = "";

    if (!sha256(account_url, &digest))
        return false;
    for (unsigned i = 0; i < ACCOUNT_HASH_LEN * 8 / 5; i++) {
        unsigned bit = i * 5, value = 0;

        for (unsigned j = bit; j < bit + 5; j++)
            value = value << 1 | ((unsigned)digest.bytes[j / 8] >> (7 - j % 8) & 1u);
        text[i] = alphabet[value];
    }
    return snprintf(out, 64, "_%s._acme-challenge", text) < 64;
}

static bool ask_dns(const struct acme_look *look, struct job_effect *out)
{
    bool persists = look->validation->challenge == ACME_DNS_PERSIST_01;
    char labels[64];

    (void)snprintf(labels, sizeof(labels), "%s", persists ? "_validation-persist" : "_acme-challenge");
    *out = (struct job_effect){ .kind = JOB_EFFECT_DNS, .type = DNS_TYPE_TXT, .timeout_ms = TIMEOUT_DNS_MS };
    if (look->validation->challenge == ACME_DNS_ACCOUNT_01 &&
        !account_label(look->validation->account_url, labels))
        return false;
    /* One that gets too long is asked as it is: there is no such record. */
    if (!dns_name_below(labels, &look->authz->identifier.name, &out->name))
        out->name = look->authz->identifier.name;
    return true;
}

static bool ask(const struct acme_look *look, struct job_effect *out)
{
    switch (look->validation->challenge) {
    case ACME_HTTP_01: return ask_http(look, out);
    case ACME_TLS_ALPN_01: return ask_tls(look, out);
    case ACME_DNS_01:
    case ACME_DNS_ACCOUNT_01:
    case ACME_DNS_PERSIST_01: return ask_dns(look, out);
    case ACME_DEVICE_ATTEST_01: /* judged when it is answered */
    case ACME_CHALLENGE_COUNT: break;
    }
    return false;
}

/* Ids are random: their beginnings tell accounts apart. */
void acme_share_target(struct job_effect *effect, const struct procedure *procedure,
                       const struct acme_id *account)
{
    effect->target = ACME_TARGET;
    effect->target_max = ACME_TARGET_MAX;
    memcpy(&effect->target_share, account->bytes, sizeof(effect->target_share));
    effect->target_share_max = procedure->acme_validations_max > 0 ? procedure->acme_validations_max
                                                                   : ACME_VALIDATIONS_DEFAULT;
}

bool acme_look_effect(const struct acme_look *look, struct job_effect *out)
{
    if (!ask(look, out))
        return false;
    acme_share_target(out, look->procedure, &look->authz->account);
    return true;
}

/* --- judging --- */
static enum acme_finding say(struct acme_fault *fault, enum acme_problem problem, const char *detail)
{
    *fault = (struct acme_fault){ .is = true, .problem = problem, .detail = bytes_text(detail) };
    return ACME_FINDING_NONE;
}

static enum acme_finding judge_fault(enum net_fault why, struct acme_fault *fault)
{
    switch (why) {
    case NET_FAULT_DNS: return say(fault, ACME_DNS, "the name does not resolve");
    case NET_FAULT_ADDRESS:
        (void)say(fault, ACME_CONNECTION, "the address of the name is not one that validation goes to");
        return ACME_FINDING_FINAL;
    case NET_FAULT_CONNECT: return say(fault, ACME_CONNECTION, "no connection could be made");
    case NET_FAULT_TIMEOUT: return say(fault, ACME_CONNECTION, "no answer came in time");
    case NET_FAULT_TLS: return say(fault, ACME_TLS, "the TLS handshake failed");
    case NET_FAULT_ALPN: return say(fault, ACME_INCORRECT_RESPONSE, "acme-tls/1 was not chosen");
    case NET_FAULT_REDIRECT:
    case NET_FAULT_URL: return say(fault, ACME_INCORRECT_RESPONSE, "a redirect is not followed");
    case NET_FAULT_ANSWER: return say(fault, ACME_INCORRECT_RESPONSE, "the answer is no HTTP, or too long");
    case NET_OK:
    case NET_FAULT_OURS: break;
    }
    return ACME_FINDING_OURS;
}

static struct bytes without_trailing_blanks(struct bytes body)
{
    while (body.len > 0 && (body.data[body.len - 1] == ' ' || body.data[body.len - 1] == '\t' ||
                            body.data[body.len - 1] == '\r' || body.data[body.len - 1] == '\n'))
        body.len--;
    return body;
}

static enum acme_finding judge_http(const struct acme_look *look, const struct job_event *event,
                                    struct acme_fault *fault)
{
    struct bytes wanted = key_authorization(look);

    if (event->kind != JOB_EVENT_HTTP || wanted.data == NULL)
        return ACME_FINDING_OURS;
    if (!event->http_ok)
        return judge_fault(event->fault, fault);
    if (event->http_status != 200)
        return say(fault, ACME_INCORRECT_RESPONSE, "the status of the answer is not 200");
    return bytes_equal(without_trailing_blanks(event->http_body), wanted)
               ? ACME_FINDING_MET
               : say(fault, ACME_INCORRECT_RESPONSE, "the answer is not the key authorization");
}

static enum acme_finding judge_dns(const struct acme_look *look, const struct job_event *event,
                                   struct acme_fault *fault)
{
    AUTO_STRUCT(buffer) wanted = BUFFER(64);
    struct digest256 digest;
    struct bytes where;

    if (event->kind != JOB_EVENT_DNS || !key_authorization_digest(look, &digest))
        return ACME_FINDING_OURS;
    base64url_encode(&wanted, digest256_bytes(&digest));
    for (size_t i = 0; i < event->dns.count && event->dns.status == DNS_STATUS_RECORDS; i++)
        if (wanted.len > 0 && bytes_equal(event->dns.record[i].value, buffer_bytes(&wanted)))
            return ACME_FINDING_MET;
    if (event->dns.status == DNS_STATUS_OURS)
        return ACME_FINDING_OURS;
    (void)say(fault, event->dns.status == DNS_STATUS_RECORDS ? ACME_INCORRECT_RESPONSE : ACME_DNS,
              event->dns.status == DNS_STATUS_RECORDS
                  ? "no TXT record has the digest of the key authorization"
                  : dns_status_text(event->dns.status));
    if (look->validation->challenge == ACME_DNS_ACCOUNT_01) {
        where = arena_format(look->arena, "%.*s (account %.*s)", BYTES_FMT(fault->detail),
                             BYTES_FMT(look->validation->account_url));
        fault->detail = where.data != NULL ? where : fault->detail;
    }
    return ACME_FINDING_NONE;
}

/* --- tls-alpn-01 --- */
static const uint8_t OID_ACME_IDENTIFIER[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x1f };

static bool is_this_name(const struct certificate *c, const struct acme_identifier *id)
{
    const struct general_name *name = c->san.item;

    if (c->san.count != 1)
        return false;
    return id->type == ACME_IDENTIFIER_IP
               ? name->kind == GENERAL_NAME_IP && bytes_equal(name->value, ip_bytes(&id->ip))
               : name->kind == GENERAL_NAME_DNS && bytes_equal_nocase(name->value, dns_name_bytes(&id->name));
}

/* The extensions of a certificate, after all that stands before them. */
static struct der extensions_of(struct bytes certificate)
{
    struct der in = der_of(certificate), whole = der_enter(&in, DER_SEQUENCE),
               tbs = der_enter(&whole, DER_SEQUENCE), wrapped;
    unsigned tag;

    while (der_more(&tbs) && !der_next_is(&tbs, DER_CONTEXT(3)))
        (void)der_any(&tbs, &tag);
    wrapped = der_enter(&tbs, DER_CONTEXT(3));
    return der_enter(&wrapped, DER_SEQUENCE);
}

/* There once, critical, and an OCTET STRING of the digest. */
static bool has_digest(struct bytes certificate, const struct digest256 *digest)
{
    struct der list = extensions_of(certificate);
    unsigned count = 0;
    bool good = false;

    while (der_more(&list)) {
        struct der one = der_enter(&list, DER_SEQUENCE), value;
        struct bytes oid = der_value(&one, DER_OID), octets;
        bool critical = der_next_is(&one, DER_BOOLEAN) && der_boolean(&one);

        octets = der_value(&one, DER_OCTET_STRING);
        if (!bytes_equal(oid, BYTES_ARRAY(OID_ACME_IDENTIFIER)))
            continue;
        value = der_of(octets);
        octets = der_value(&value, DER_OCTET_STRING);
        good = critical && der_finished(&value) && der_finished(&one) &&
               bytes_equal(octets, digest256_bytes(digest));
        count++;
    }
    return count == 1 && good;
}

static enum acme_finding judge_tls(const struct acme_look *look, const struct job_event *event,
                                   struct acme_fault *fault)
{
    struct certificate certificate;
    struct digest256 digest;

    if (event->kind != JOB_EVENT_PROBE || !key_authorization_digest(look, &digest))
        return ACME_FINDING_OURS;
    if (event->fault != NET_OK)
        return judge_fault(event->fault, fault);
    if (!certificate_decode(event->probe_certificate, look->arena, &certificate))
        return say(fault, ACME_INCORRECT_RESPONSE, "the certificate that was shown cannot be read");
    if (!is_this_name(&certificate, &look->authz->identifier))
        return say(fault, ACME_INCORRECT_RESPONSE,
                   "the certificate that was shown is not for this name alone");
    return has_digest(event->probe_certificate, &digest)
               ? ACME_FINDING_MET
               : say(fault, ACME_INCORRECT_RESPONSE,
                     "the certificate that was shown has no critical acmeIdentifier with the digest");
}

enum acme_finding acme_look_judge(const struct acme_look *look, const struct job_event *event,
                                  uint32_t *valid_max_s, struct acme_fault *fault)
{
    switch (look->validation->challenge) {
    case ACME_HTTP_01: return judge_http(look, event, fault);
    case ACME_TLS_ALPN_01: return judge_tls(look, event, fault);
    case ACME_DNS_01:
    case ACME_DNS_ACCOUNT_01: return judge_dns(look, event, fault);
    case ACME_DNS_PERSIST_01: return acme_persist_judge(look, event, valid_max_s, fault);
    case ACME_DEVICE_ATTEST_01: /* judged when it is answered */
    case ACME_CHALLENGE_COUNT: break;
    }
    return ACME_FINDING_OURS;
}
