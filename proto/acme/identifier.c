#include "proto/acme/identifier.h"

#include <stdio.h>

enum { FLAG_WILDCARD = 1, FLAG_SUBDOMAINS = 2 }; /* stored */

static enum acme_identifier_fault read_name(struct bytes value, const struct procedure *procedure,
                                            struct acme_identifier *out)
{
    struct dns_rules rules = DNS_RULES_DNS_NAME;

    rules.underscore = procedure->domain->underscore;
    rules.single_label = procedure->domain->single_label;
    out->type = ACME_IDENTIFIER_DNS;
    out->wildcard = bytes_starts_with(value, "*.");
    if (dns_name_parse(out->wildcard ? bytes_from(value, 2) : value, &rules, &out->name) != DNS_OK)
        return ACME_IDENTIFIER_MALFORMED;
    return out->wildcard && !procedure->acme_wildcard ? ACME_IDENTIFIER_REJECTED : ACME_IDENTIFIER_OK;
}

/* One text for one address: RFC 8738 3 wants that of RFC 5952, which is what comes out again. */
static enum acme_identifier_fault read_address(struct bytes value, const struct procedure *procedure,
                                               struct acme_identifier *out)
{
    char text[IP_TEXT_LEN];

    if (!procedure->acme_ip)
        return ACME_IDENTIFIER_UNSUPPORTED;
    out->type = ACME_IDENTIFIER_IP;
    if (!ip_parse(value, &out->ip))
        return ACME_IDENTIFIER_MALFORMED;
    ip_format(&out->ip, text);
    return bytes_is(value, text) ? ACME_IDENTIFIER_OK : ACME_IDENTIFIER_MALFORMED;
}

static bool take_device(struct bytes value, struct acme_identifier *out)
{
    if (value.len == 0 || value.len > DEVICE_ID_MAX || !bytes_is_utf8(value) || bytes_has_control(value))
        return false;
    *out = (struct acme_identifier){ .type = ACME_IDENTIFIER_DEVICE, .device.len = (uint8_t)value.len };
    memcpy(out->device.text, value.data, value.len);
    return true;
}

static enum acme_identifier_fault read_device(struct bytes value, const struct procedure *procedure,
                                              struct acme_identifier *out)
{
    if ((procedure->acme_challenges & ACME_CHALLENGE_BIT(ACME_DEVICE_ATTEST_01)) == 0)
        return ACME_IDENTIFIER_UNSUPPORTED;
    return take_device(value, out) ? ACME_IDENTIFIER_OK : ACME_IDENTIFIER_MALFORMED;
}

bool acme_identifier_of_permanent(struct bytes der, struct acme_identifier *out)
{
    struct permanent_identifier id;

    return permanent_identifier_decode(der, &id) && id.has_value && !id.has_assigner &&
           take_device(id.value, out);
}

enum acme_identifier_fault acme_identifier_read(const json_t *object, const struct procedure *procedure,
                                                struct acme_identifier *out)
{
    struct bytes type = json_member(object, "type"), value = json_member(object, "value");
    enum acme_identifier_fault fault = ACME_IDENTIFIER_UNSUPPORTED;
    struct acme_identifier id = { 0 };

    if (!json_is_object(object) || type.len == 0 || value.len == 0)
        return ACME_IDENTIFIER_MALFORMED;
    if (bytes_is(type, "dns"))
        fault = read_name(value, procedure, &id);
    else if (bytes_is(type, "ip"))
        fault = read_address(value, procedure, &id);
    else if (bytes_is(type, "permanent-identifier"))
        fault = read_device(value, procedure, &id);
    if (fault == ACME_IDENTIFIER_OK)
        *out = id;
    return fault;
}

bool acme_identifier_equal(const struct acme_identifier *a, const struct acme_identifier *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == ACME_IDENTIFIER_IP)
        return ip_equal(&a->ip, &b->ip);
    if (a->type == ACME_IDENTIFIER_DEVICE)
        return bytes_equal(device_id_bytes(&a->device), device_id_bytes(&b->device));
    return a->wildcard == b->wildcard && a->subdomains == b->subdomains && dns_name_equal(&a->name, &b->name);
}

static void format(const struct acme_identifier *id, bool star, char out[ACME_IDENTIFIER_TEXT_MAX])
{
    out[0] = '\0';
    if (id->type == ACME_IDENTIFIER_IP)
        ip_format(&id->ip, out);
    else if (id->type == ACME_IDENTIFIER_DEVICE)
        (void)snprintf(out, ACME_IDENTIFIER_TEXT_MAX, "%.*s", (int)id->device.len, id->device.text);
    else
        (void)snprintf(out, ACME_IDENTIFIER_TEXT_MAX, "%s%.*s", star && id->wildcard ? "*." : "",
                       (int)id->name.len, id->name.text);
}

void acme_identifier_format(const struct acme_identifier *id, char out[ACME_IDENTIFIER_TEXT_MAX])
{
    format(id, true, out);
}

static const char *type_name(enum acme_identifier_type type)
{
    switch (type) {
    case ACME_IDENTIFIER_IP: return "ip";
    case ACME_IDENTIFIER_DEVICE: return "permanent-identifier";
    case ACME_IDENTIFIER_NONE:
    case ACME_IDENTIFIER_DNS: break;
    }
    return "dns";
}

json_t *acme_identifier_json(const struct acme_identifier *id, bool in_order)
{
    AUTO(json_t) *object = json_object();
    char text[ACME_IDENTIFIER_TEXT_MAX];

    format(id, in_order, text);
    if (!json_put(object, "type", json_string(type_name(id->type))) ||
        !json_put(object, "value", json_string(text)))
        return NULL;
    return take(object);
}

static struct bytes content_of(const struct acme_identifier *id)
{
    if (id->type == ACME_IDENTIFIER_DEVICE)
        return device_id_bytes(&id->device);
    return id->type == ACME_IDENTIFIER_IP ? ip_bytes(&id->ip) : dns_name_bytes(&id->name);
}

void acme_identifier_put(struct buffer *out, const struct acme_identifier *id)
{
    buffer_append_byte(out, (uint8_t)id->type);
    buffer_append_byte(
        out, (uint8_t)((id->wildcard ? FLAG_WILDCARD : 0) | (id->subdomains ? FLAG_SUBDOMAINS : 0)));
    buffer_append(out, content_of(id));
}

bool acme_identifier_take(struct bytes stored, struct acme_identifier *out)
{
    struct bytes rest = bytes_from(stored, 2);
    struct acme_identifier id = { 0 };

    if (stored.len < 3 || rest.len > DNS_NAME_MAX)
        return false;
    switch ((enum acme_identifier_type)stored.data[0]) {
    case ACME_IDENTIFIER_DNS:
        id.type = ACME_IDENTIFIER_DNS;
        id.name.len = (uint8_t)rest.len;
        memcpy(id.name.text, rest.data, rest.len);
        break;
    case ACME_IDENTIFIER_IP:
        id.type = ACME_IDENTIFIER_IP;
        if (!ip_from_bytes(rest, &id.ip))
            return false;
        break;
    case ACME_IDENTIFIER_DEVICE:
        if (!take_device(rest, &id))
            return false;
        break;
    case ACME_IDENTIFIER_NONE: break;
    }
    if (id.type == ACME_IDENTIFIER_NONE)
        return false;
    id.wildcard = (stored.data[1] & FLAG_WILDCARD) != 0;
    id.subdomains = (stored.data[1] & FLAG_SUBDOMAINS) != 0;
    *out = id;
    return true;
}
