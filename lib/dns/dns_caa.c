#include "lib/dns/dns_caa.h"

static bool is_letter_or_digit(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static enum dns_caa_tag tag_of(struct bytes text)
{
    if (bytes_is_nocase(text, "issue"))
        return DNS_CAA_ISSUE;
    if (bytes_is_nocase(text, "issuewild"))
        return DNS_CAA_ISSUEWILD;
    return bytes_is_nocase(text, "iodef") ? DNS_CAA_IODEF : DNS_CAA_OTHER;
}

bool dns_caa_parse(struct bytes rdata, struct dns_caa *out)
{
    struct bytes tag;

    if (rdata.len < 2 || rdata.data[1] == 0 || rdata.len - 2 < rdata.data[1])
        return false;
    tag = bytes_slice(rdata, 2, rdata.data[1]);
    for (size_t i = 0; i < tag.len; i++)
        if (!is_letter_or_digit(tag.data[i]))
            return false;
    *out = (struct dns_caa){ .critical = (rdata.data[0] & 0x80) != 0,
                             .tag = tag_of(tag),
                             .tag_text = tag,
                             .value = bytes_from(rdata, 2 + tag.len) };
    return true;
}

/* --- issue-value, RFC 8659 4.2 --- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct bytes without_blanks(struct bytes text)
{
    while (text.len > 0 && is_blank(text.data[0]))
        text = bytes_from(text, 1);
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

/* Letters, digits, and hyphens between them. */
static bool is_tag(struct bytes text)
{
    if (text.len == 0 || text.data[0] == '-' || text.data[text.len - 1] == '-')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_letter_or_digit(text.data[i]) && text.data[i] != '-')
            return false;
    return true;
}

static bool is_value(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x21 || text.data[i] > 0x7e || text.data[i] == ';')
            return false;
    return true;
}

static bool add_parameter(struct bytes text, struct dns_issue_value *out)
{
    size_t equals = bytes_find(text, '=');
    struct dns_caa_parameter p = { .tag = without_blanks(bytes_slice(text, 0, equals)),
                                   .value = without_blanks(bytes_from(text, equals + 1)) };

    if (equals == text.len || !is_tag(p.tag) || !is_value(p.value) || out->count == DNS_CAA_PARAMETERS_MAX)
        return false;
    if (p.value.len == 0)
        p.value = bytes_of("", 0); /* there, and empty */
    for (size_t i = 0; i < out->count; i++)
        out->duplicate |= bytes_equal_nocase(out->parameter[i].tag, p.tag);
    out->parameter[out->count++] = p;
    return true;
}

bool dns_issue_value_parse(struct bytes value, struct dns_issue_value *out)
{
    const struct dns_rules rules = { .single_label = true };
    size_t semicolon = bytes_find(value, ';');
    struct bytes issuer = without_blanks(bytes_slice(value, 0, semicolon));
    struct bytes rest = without_blanks(bytes_from(value, semicolon < value.len ? semicolon + 1 : value.len)),
                 part;
    struct dns_issue_value parsed = { 0 };

    if (issuer.len > 0 && dns_name_parse(issuer, &rules, &parsed.issuer) != DNS_OK)
        return false;
    while (rest.len > 0 && bytes_split(&rest, ';', &part)) {
        if (!add_parameter(part, &parsed))
            return false;
        if (rest.data != NULL && rest.len == 0)
            return false; /* a semicolon with nothing behind it */
    }
    *out = parsed;
    return true;
}

struct bytes dns_issue_parameter(const struct dns_issue_value *value, const char *tag)
{
    for (size_t i = 0; i < value->count; i++)
        if (bytes_is_nocase(value->parameter[i].tag, tag))
            return value->parameter[i].value;
    return BYTES_NONE;
}

bool dns_name_parent(const struct dns_name *name, struct dns_name *out)
{
    struct bytes text = dns_name_bytes(name);
    struct bytes above = bytes_from(text, bytes_find(text, '.') + 1);
    struct dns_name parent = { .len = (uint8_t)above.len };

    if (above.len == 0)
        return false;
    memcpy(parent.text, above.data, above.len);
    *out = parent;
    return true;
}
