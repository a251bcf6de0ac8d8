#include "model/procedure.h"

enum { NAME_MAX_LEN = 64 };

/* Operations of EST (RFC 7030 3.2.2, RFC 9148 4.1) and path words of ours: a procedure of that name could not
 * be told from them (EST-10). */
static const char *const reserved[] = { "cacerts", "simpleenroll", "simplereenroll",
                                        "fullcmc", "serverkeygen", "csrattrs",
                                        "crts",    "sen",          "sren",
                                        "skg",     "skc",          "att" };

static bool name_is_fit(const char *name)
{
    struct bytes text = bytes_text(name);

    if (text.len == 0 || text.len > NAME_MAX_LEN || text.data[0] == '.')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
              c == '_' || c == '.'))
            return false;
    }
    return true;
}

static bool name_is_reserved(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(reserved); i++)
        if (bytes_is_nocase(bytes_text(name), reserved[i]))
            return true;
    return false;
}

static bool is_open_on(const struct procedure *p, enum protocol protocol)
{
    return (p->protocols & PROTOCOL_BIT(protocol)) != 0;
}

static const char *est_fault(const struct procedure *p)
{
    if (!p->est_basic && !p->est_digest && !p->est_client_certificate)
        return "open on EST, but no way to authenticate is on";
    if (p->est_certificate_and_http && (!p->est_client_certificate || (!p->est_basic && !p->est_digest)))
        return "certificate and HTTP authentication are demanded together, but one of them is off";
    if (!p->preregistration && (p->est_basic || p->est_digest))
        return "HTTP authentication without preregistration has no secret to compare with";
    return NULL;
}

static bool knows_maker(const struct procedure *p)
{
    for (size_t i = 0; i < ATTESTATION_FORMAT_COUNT; i++)
        if (p->acme_attestation_anchors[i] != NULL)
            return true;
    return false;
}

/* What an unbound account shows for a name is a challenge; without either it is an open CA. */
static const char *acme_fault(const struct procedure *p)
{
    if (!p->acme_binding && p->acme_challenges == 0)
        return "open on ACME with neither account binding nor a challenge: an open CA";
    if (p->acme_challenges >> ACME_CHALLENGE_COUNT != 0)
        return "an unknown challenge";
    if ((p->acme_challenges & ACME_CHALLENGE_BIT(ACME_DNS_PERSIST_01)) != 0 &&
        (p->acme_caa_identity_count == 0 || p->acme_caa_identity_count > ACME_ISSUERS_MAX))
        return "dns-persist-01 needs one to ten CAA identities";
    if ((p->acme_challenges & ACME_CHALLENGE_BIT(ACME_DEVICE_ATTEST_01)) != 0 && !knows_maker(p))
        return "device-attest-01 needs roots of a maker of devices (attestation_anchors)";
    if (p->acme_identifiers_max > ACME_IDENTIFIERS_MAX)
        return "an ACME order has 100 identifiers at most";
    if (p->acme_caa != ACME_CAA_OFF && p->acme_subdomains)
        return "CAA is looked up name by name: authorization of subdomains must be off";
    if (p->acme_caa != ACME_CAA_OFF && p->acme_caa_identity_count == 0)
        return "CAA is judged, but no CAA identity is named";
    return NULL;
}

const char *procedure_fault(const struct procedure *p)
{
    const uint32_t known = PROTOCOL_BIT(PROTOCOL_SCEP) | PROTOCOL_BIT(PROTOCOL_EST) |
                           PROTOCOL_BIT(PROTOCOL_CMP) | PROTOCOL_BIT(PROTOCOL_ACME);

    if (!name_is_fit(p->name))
        return "its name must be 1 to 64 letters, digits, '-', '_' or '.'";
    if (is_open_on(p, PROTOCOL_EST) && name_is_reserved(p->name))
        return "its name is an operation of EST";
    if (p->domain == NULL || p->ca == NULL || p->profile == NULL)
        return "it names no domain, no CA or no profile";
    if (p->profile->validity_s == 0)
        return "its profile gives certificates no validity";
    if (p->protocols == 0 || (p->protocols & ~known) != 0)
        return "it is open on no protocol, or on an unknown one";
    if (!p->preregistration && (is_open_on(p, PROTOCOL_SCEP) || is_open_on(p, PROTOCOL_CMP)))
        return "SCEP and CMP require preregistration";
    if (!p->preregistration && is_open_on(p, PROTOCOL_EST) && !p->est_client_certificate)
        return "neither preregistration nor a client certificate is required: an open CA";
    if (is_open_on(p, PROTOCOL_ACME) && acme_fault(p) != NULL)
        return acme_fault(p);
    return is_open_on(p, PROTOCOL_EST) ? est_fault(p) : NULL;
}
