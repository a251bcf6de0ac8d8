/* What an ACME account may have: names by allowed domains, what it has proved, and admission by both. */
#include "enroll/account_internal.h"
#include "tests/unit/enroll/enroll_world.h"

static struct account_name a_name(const char *text)
{
    const struct dns_rules rules = DNS_RULES_DNS_NAME;
    struct account_name name = { .wildcard = strncmp(text, "*.", 2) == 0 };
    struct bytes bytes = bytes_from(bytes_text(text), name.wildcard ? 2 : 0);

    if (!ip_parse(bytes, &name.ip))
        assert_int_equal(dns_name_parse(bytes, &rules, &name.name), DNS_OK);
    return name;
}

static bool allows(const char *domain, const char *text)
{
    struct bytes allowed = bytes_text(domain);
    const struct registration r = { .order = ORDER_ACME,
                                    .allowed_domain = &allowed,
                                    .allowed_domain_count = domain != NULL };
    const struct account_name name = a_name(text);

    return registration_allows_account_name(&r, &name);
}

static void acme_57_domains_match_at_label_boundaries(void **state)
{
    (void)state;
    assert_true(allows("example.com", "example.com"));
    assert_true(allows("example.com", "a.example.com"));
    assert_true(allows("example.com", "a.b.example.com"));
    assert_true(allows("example.com", "*.example.com"));
    assert_false(allows("example.com", "evilexample.com"));
    assert_false(allows("example.com", "example.com.evil.org"));
    assert_false(allows("a.example.com", "example.com"));
    assert_false(allows("a.example.com", "*.example.com"));
    assert_true(allows(NULL, "anything.example.org")); /* an empty list */
}

static void acme_56_a_requesters_star_never_matches(void **state)
{
    (void)state;
    assert_true(allows("*.example.com", "a.example.com"));
    assert_false(allows("*.example.com", "a.b.example.com"));
    assert_false(allows("*.example.com", "example.com"));
    assert_true(allows("*.example.com", "*.example.com")); /* the officer's own text */
    assert_false(allows("*.example.com", "*.a.example.com"));
    assert_false(allows("a*.example.com", "*.example.com"));
    assert_true(allows("serial-*.example.com", "serial-1.example.com"));
}

static void acme_97_addresses_are_registered(void **state)
{
    struct registration r = { .order = ORDER_ACME };
    const struct account_name one = a_name("192.0.2.1"), two = a_name("192.0.2.2");
    struct attribute attribute = { ATTRIBUTE_IP_ADDRESS, BYTES_LITERAL("192.0.2.2") };
    struct bytes allowed = BYTES_LITERAL("example.com");

    (void)state;
    assert_true(registration_allows_account_name(&r, &one));
    r.ip = one.ip;
    assert_true(registration_allows_account_name(&r, &one));
    assert_false(registration_allows_account_name(&r, &two));
    r.attribute = &attribute;
    r.attribute_count = 1;
    assert_true(registration_allows_account_name(&r, &two));
    r = (struct registration){ .order = ORDER_ACME, .allowed_domain = &allowed, .allowed_domain_count = 1 };
    assert_false(registration_allows_account_name(&r, &one));
    r = (struct registration){ .order = ORDER_EST };
    assert_false(registration_allows_account_name(&r, &one));
}

static void a_name_is_proved_as_it_was_asked_for(void **state)
{
    const struct account_name proved[] = { a_name("a.example.com"), a_name("*.example.com"),
                                           a_name("192.0.2.1") };
    const struct credential account = { .kind = CREDENTIAL_ACCOUNT,
                                        .account = { .proved = proved, .proved_count = 3 } };
    struct identity identity = { .fqdn = proved[0].name };
    struct dns_name other = a_name("b.example.com").name;
    struct ip_address ip = proved[2].ip;

    (void)state;
    assert_true(account_has_proved(&account, &identity));
    identity.ip = &ip;
    identity.ip_count = 1;
    assert_true(account_has_proved(&account, &identity));
    identity.other = &other; /* the wildcard proves no name under it */
    identity.other_count = 1;
    assert_false(account_has_proved(&account, &identity));
    identity.other_count = 0;
    ip.bytes[3] = 2;
    assert_false(account_has_proved(&account, &identity));
}

static void an_account_is_its_own_registrations(void **state)
{
    const struct account_name proved = a_name("a.example.com");
    const struct identity identity = { .fqdn = proved.name };
    struct registration r = { .id = { { 1 } }, .order = ORDER_ACME };
    struct credential account = {
        .kind = CREDENTIAL_ACCOUNT,
        .account = { .bound = true, .registration = { { 1 } }, .proved = &proved, .proved_count = 1 }
    };

    (void)state;
    assert_true(account_holds(&account, &identity, &r));
    account.account.proved_count = 0;
    assert_false(account_holds(&account, &identity, &r));
    r.pre_authorised = true;
    assert_true(account_holds(&account, &identity, &r));
    r.id.bytes[0] = 2;
    assert_false(account_holds(&account, &identity, &r));
    r.id.bytes[0] = 1;
    account.account.bound = false;
    account.account.proved_count = 1;
    assert_false(
        account_holds(&account, &identity, &r)); /* nobody is admitted by another's account registration */
    r.order = ORDER_EST;
    assert_true(account_holds(&account, &identity, &r));
    account.account.proved_count = 0;
    assert_false(account_holds(&account, &identity, &r)); /* pre-authorised counts for the bound alone */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acme_57_domains_match_at_label_boundaries),
        cmocka_unit_test(acme_56_a_requesters_star_never_matches),
        cmocka_unit_test(acme_97_addresses_are_registered),
        cmocka_unit_test(a_name_is_proved_as_it_was_asked_for),
        cmocka_unit_test(an_account_is_its_own_registrations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
