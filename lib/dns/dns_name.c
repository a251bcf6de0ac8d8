#include "lib/dns/dns_name.h"

#include <idn2.h>
#include <stdio.h>

/* What U-labels may take before they are mapped: more than any 253 characters of ASCII can come from. */
enum { UNICODE_INPUT_MAX = 1020 };

static bool is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= 0x80)
            return false;
    return true;
}

static uint8_t to_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Characters that mean something other than a name was written: text, an address, a URI, a pattern. */
static bool is_foreign(uint8_t c)
{
    return c == ' ' || c == ':' || c == '/' || c == '@' || c == '*';
}

static bool has_foreign(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (is_foreign(text.data[i]))
            return true;
    return false;
}

/* An A-label is genuine when its U-label encodes to it again under IDNA2008 proper, without any mapping
 * (RFC 5891 5.4). */
static bool a_label_is_genuine(const char *label)
{
    char *u_label = NULL, *again = NULL;
    bool genuine = idn2_to_unicode_8z8z(label, &u_label, 0) == IDN2_OK && !is_ascii(bytes_text(u_label)) &&
                   idn2_lookup_u8((const uint8_t *)u_label, (uint8_t **)&again, IDN2_NO_TR46) == IDN2_OK &&
                   strcmp(label, again) == 0;

    idn2_free(again);
    idn2_free(u_label);
    return genuine;
}

static enum dns_fault label_check(struct bytes label, bool underscore)
{
    char text[DNS_LABEL_MAX + 1];

    if (label.len == 0 || label.len > DNS_LABEL_MAX)
        return DNS_FAULT_SYNTAX;
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = label.data[i];

        if (!((c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || (c == '_' && underscore)))
            return DNS_FAULT_SYNTAX;
    }
    if (label.data[0] == '-' || label.data[label.len - 1] == '-')
        return DNS_FAULT_SYNTAX;
    if (label.len < 4 || label.data[2] != '-' || label.data[3] != '-')
        return DNS_OK;
    if (!bytes_starts_with(label, "xn--"))
        return DNS_FAULT_IDNA; /* reserved for prefixes yet to come (RFC 5890 2.3.1) */
    memcpy(text, label.data, label.len);
    text[label.len] = '\0';
    return a_label_is_genuine(text) ? DNS_OK : DNS_FAULT_IDNA;
}

static bool all_digits(struct bytes label)
{
    for (size_t i = 0; i < label.len; i++)
        if (!is_digit(label.data[i]))
            return false;
    return true;
}

/* `text` is ASCII without a trailing dot. */
static enum dns_fault parse_ascii(struct bytes text, const struct dns_rules *rules, struct dns_name *out)
{
    struct dns_name name = { 0 };
    struct bytes rest, label = BYTES_NONE;
    unsigned labels = 0;

    if (has_foreign(text))
        return DNS_NOT_A_NAME;
    if (!rules->single_label && text.len > 0 && bytes_find(text, '.') == text.len)
        return DNS_NOT_A_NAME;
    if (text.len == 0 || text.len > DNS_NAME_MAX)
        return DNS_FAULT_SYNTAX;
    for (size_t i = 0; i < text.len; i++)
        name.text[i] = (char)to_lower(text.data[i]);
    name.len = (uint8_t)text.len;

    rest = dns_name_bytes(&name);
    while (bytes_split(&rest, '.', &label)) {
        enum dns_fault fault = label_check(label, rules->underscore);

        if (fault != DNS_OK)
            return fault;
        labels++;
    }
    if (all_digits(label) || (labels == 1 && !rules->single_label))
        return DNS_NOT_A_NAME;
    *out = name;
    return DNS_OK;
}

/* IDEOGRAPHIC, FULLWIDTH and HALFWIDTH FULL STOP: UTS 46 maps them to a dot. */
static bool has_any_dot(struct bytes text)
{
    static const char *const dot[] = { "\xe3\x80\x82", "\xef\xbc\x8e", "\xef\xbd\xa1" };

    if (bytes_find(text, '.') < text.len)
        return true;
    for (size_t i = 0; i < text.len; i++)
        for (size_t d = 0; d < COUNT_OF(dot); d++)
            if (bytes_starts_with(bytes_from(text, i), dot[d]))
                return true;
    return false;
}

/* UTS 46 mapping, nontransitional, then IDNA2008; what comes out is judged like any ASCII name, so that a
 * mapped star or blank is still refused. */
static enum dns_fault parse_unicode(struct bytes text, const struct dns_rules *rules, struct dns_name *out)
{
    char input[UNICODE_INPUT_MAX + 1];
    char *mapped = NULL;
    enum dns_fault fault = DNS_FAULT_IDNA;

    if (!rules->unicode || !bytes_is_utf8(text) || text.len > UNICODE_INPUT_MAX)
        return DNS_FAULT_SYNTAX;
    if (has_foreign(text) || (!rules->single_label && !has_any_dot(text)))
        return DNS_NOT_A_NAME;
    memcpy(input, text.data, text.len);
    input[text.len] = '\0';
    if (idn2_to_ascii_8z(input, &mapped, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK) {
        struct bytes ascii = bytes_text(mapped);

        if (rules->trailing_dot && bytes_ends_with(ascii, "."))
            ascii.len--;
        fault = is_ascii(ascii) ? parse_ascii(ascii, rules, out) : DNS_FAULT_IDNA;
    }
    idn2_free(mapped);
    return fault;
}

enum dns_fault dns_name_parse(struct bytes text, const struct dns_rules *rules, struct dns_name *out)
{
    if (bytes_has_control(text))
        return DNS_FAULT_SYNTAX;
    if (!is_ascii(text))
        return parse_unicode(text, rules, out);
    if (rules->trailing_dot && bytes_ends_with(text, "."))
        text.len--;
    return parse_ascii(text, rules, out);
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
    return bytes_equal(dns_name_bytes(a), dns_name_bytes(b));
}

unsigned dns_name_labels(const struct dns_name *name)
{
    unsigned labels = name->len > 0;

    for (size_t i = 0; i < name->len; i++)
        labels += name->text[i] == '.';
    return labels;
}

bool dns_name_below(const char *labels, const struct dns_name *name, struct dns_name *out)
{
    const struct dns_rules rules = { .underscore = true, .single_label = true };
    char text[2 * DNS_NAME_MAX + 2];
    int len = snprintf(text, sizeof(text), "%s.%.*s", labels, (int)name->len, name->text);

    return name->len > 0 && len > 0 && (size_t)len < sizeof(text) &&
           dns_name_parse(bytes_of(text, (size_t)len), &rules, out) == DNS_OK;
}

void dns_name_reverse(const struct ip_address *ip, struct dns_name *out)
{
    struct dns_name name = { 0 };
    size_t at = 0;

    for (size_t i = ip->len; i-- > 0;) {
        int written = ip->len == 4 ? snprintf(name.text + at, sizeof(name.text) - at, "%u.", ip->bytes[i])
                                   : snprintf(name.text + at, sizeof(name.text) - at, "%x.%x.",
                                              ip->bytes[i] & 0xf, ip->bytes[i] >> 4);

        at += (size_t)written;
    }
    if (at > 0)
        at += (size_t)snprintf(name.text + at, sizeof(name.text) - at,
                               ip->len == 4 ? "in-addr.arpa" : "ip6.arpa");
    name.len = (uint8_t)at;
    *out = name;
}
