#include "officer/rights.h"

static bool refuse(const char **why, const char *text)
{
    *why = text;
    return false;
}

static bool contains(const struct bytes *list, size_t count, struct bytes text)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal(list[i], text))
            return true;
    return false;
}

bool officer_may(const struct officer_record *officer, uint32_t rights, struct bytes procedure,
                 const char **why)
{
    if (officer->disabled)
        return refuse(why, "the officer is disabled");
    if ((officer->rights & rights) != rights)
        return refuse(why, "the officer has no right to this kind of act");
    if (procedure.len > 0 && officer->procedure_count > 0 &&
        !contains(officer->procedure, officer->procedure_count, procedure))
        return refuse(why, "the procedure is not one of the officer's");
    return true;
}

static bool is_under(struct bytes name, struct bytes suffix)
{
    struct bytes tail;

    if (bytes_equal(name, suffix))
        return true;
    if (name.len <= suffix.len)
        return false;
    tail = bytes_from(name, name.len - suffix.len);
    return bytes_equal(tail, suffix) && name.data[name.len - suffix.len - 1] == '.';
}

bool officer_may_name(const struct officer_record *officer, struct bytes name, const char **why)
{
    for (size_t i = 0; i < officer->suffix_count; i++)
        if (is_under(name, officer->suffix[i]))
            return true;
    return officer->suffix_count == 0 || refuse(why, "the name is not under a suffix of the officer's");
}

static bool may_pattern(const struct officer_record *officer, struct bytes pattern, const char **why)
{
    if (bytes_is(pattern, "*") && (officer->rights & RIGHT_ANY_NAME) == 0)
        return refuse(why, "the officer has no right to register any name");
    if (bytes_find(pattern, '*') < pattern.len && (officer->rights & RIGHT_WILDCARD) == 0)
        return refuse(why, "the officer has no right to register wildcards");
    return officer_may_name(officer, pattern, why);
}

/* A common name is judged when it is a DNS name, or would stand for some: text is nobody's. */
static bool may_common_name(const struct officer_record *officer, struct bytes text, const char **why)
{
    static const struct dns_rules rules = { .underscore = true, .trailing_dot = true, .unicode = true };
    static const struct fqdn_pattern_rules patterns = {
        .dns = { .underscore = true, .single_label = true, .trailing_dot = true, .unicode = true },
        .literal_labels_min = 1,
    };
    struct fqdn_pattern pattern;
    struct dns_name name;

    if (bytes_find(text, '*') < text.len && bytes_find(text, ' ') == text.len)
        return fqdn_pattern_parse(text, &patterns, &pattern) == FQDN_PATTERN_OK
                   ? may_pattern(officer, fqdn_pattern_bytes(&pattern), why)
                   : refuse(why, "the common name has a '*' and is no pattern");
    return dns_name_parse(text, &rules, &name) != DNS_OK ||
           officer_may_name(officer, dns_name_bytes(&name), why);
}

static bool may_attributes(const struct officer_record *officer, const struct registration *r,
                           const char **why)
{
    for (size_t i = 0; i < r->attribute_count; i++) {
        const struct attribute *a = &r->attribute[i];

        if (a->kind == ATTRIBUTE_DNS && !may_pattern(officer, a->value, why))
            return false;
        if (a->kind == ATTRIBUTE_COMMON_NAME && !may_common_name(officer, a->value, why))
            return false;
    }
    return true;
}

static bool may_acme(const struct officer_record *officer, const struct registration *r, const char **why)
{
    if (r->pre_authorised && (officer->rights & RIGHT_PRE_AUTHORISE) == 0)
        return refuse(why, "the officer has no right to pre-authorise");
    if (r->allowed_domain_count == 0 && officer->suffix_count > 0)
        return refuse(why, "an empty list allows names outside the officer's suffixes");
    if (r->allowed_domain_count == 0 && r->pre_authorised && (officer->rights & RIGHT_ANY_NAME) == 0)
        return refuse(why, "pre-authorised with an empty list needs the right to register any name");
    for (size_t i = 0; i < r->allowed_domain_count; i++)
        if (!may_pattern(officer, r->allowed_domain[i], why))
            return false;
    return true;
}

bool officer_may_register(const struct officer_record *officer, const struct registration *r,
                          const char **why)
{
    if (!officer_may(officer, RIGHT_REGISTER, r->procedure, why) || !may_attributes(officer, r, why))
        return false;
    return r->order == ORDER_ACME ? may_acme(officer, r, why)
                                  : may_pattern(officer, fqdn_pattern_bytes(&r->fqdn), why);
}

/* All that `other` may is within what `officer` may. */
static bool covers(const struct officer_record *officer, const struct officer_record *other, const char **why)
{
    if ((other->rights & ~officer->rights) != 0)
        return refuse(why, "an officer can give no right that it has not itself");
    if (officer->procedure_count > 0 && other->procedure_count == 0)
        return refuse(why, "an officer can give no procedure that it has not itself");
    for (size_t i = 0; i < other->procedure_count && officer->procedure_count > 0; i++)
        if (!contains(officer->procedure, officer->procedure_count, other->procedure[i]))
            return refuse(why, "an officer can give no procedure that it has not itself");
    if (officer->suffix_count > 0 && other->suffix_count == 0)
        return refuse(why, "an officer can give no names that it has not itself");
    for (size_t i = 0; i < other->suffix_count; i++)
        if (!officer_may_name(officer, other->suffix[i], why))
            return false;
    return true;
}

bool officer_may_appoint(const struct officer_record *officer, const struct officer_record *before,
                         const struct officer_record *changed, const char **why)
{
    return officer_may(officer, RIGHT_OFFICERS, BYTES_NONE, why) && covers(officer, changed, why) &&
           (before == NULL || covers(officer, before, why));
}
