#include "registry_fixture.h"

static size_t candidates(struct fixture *f, const char *fqdn, char *joined)
{
    struct registry_view *view = begin_view(f);
    struct dns_name name = a_name(fqdn);
    struct candidates c = { 0 };

    if (!registry_candidates(view, the_domain(), &name, f->arena, &c, &f->err))
        fail_msg("%s", f->err.text);
    joined[0] = '\0';
    for (size_t i = 0; i < c.count; i++) {
        strcat(joined, i > 0 ? " " : "");
        strcat(joined, c.item[i].fqdn.text);
    }
    registry_view_end(view);
    return c.count;
}

static void candidates_are_exact_first_and_the_lone_star_last(void **state)
{
    struct fixture *f = *state;
    char joined[8192];

    put_registration(f, "*");
    put_registration(f, "*.dept.example.com");
    put_registration(f, "router5.dept.example.com");
    put_registration(f, "router*.dept.example.com");
    assert_int_equal(candidates(f, "router5.dept.example.com", joined), 4);
    assert_string_equal(joined, "router5.dept.example.com router*.dept.example.com *.dept.example.com *");
    assert_int_equal(candidates(f, "other.org", joined), 1);
}

static void a_closed_registration_stays_a_candidate(void **state)
{
    struct fixture *f = *state;
    struct registration r = a_registration(f, "*.dept.example.com");
    char joined[8192];

    change_registration_put(&f->changes, &r, 0);
    assert_int_equal(apply(f), APPLY_DONE);
    r.state = REGISTRATION_CLOSED;
    change_registration_put(&f->changes, &r, 1);
    assert_int_equal(apply(f), APPLY_DONE);
    assert_int_equal(candidates(f, "router5.dept.example.com", joined), 1);
    r.state = REGISTRATION_OPEN;
    change_registration_put(&f->changes, &r, 2);
    assert_int_equal(apply(f), APPLY_DONE);
    assert_int_equal(candidates(f, "router5.dept.example.com", joined), 1); /* once, not twice */
}

static void csr_96_a_star_typed_by_a_requester_is_no_wildcard(void **state)
{
    struct fixture *f = *state;
    struct dns_name name;

    put_registration(f, "*.dept.example.com");
    assert_int_not_equal(dns_name_parse(BYTES_LITERAL("*.dept.example.com"), &DNS_RULES_TEXT, &name), DNS_OK);
}

static void at_most_sixteen_are_returned_the_most_specific(void **state)
{
    struct fixture *f = *state;
    const char *label = "abcdefghijklmnopqrstuvwxyz";
    char text[128], joined[8192];

    for (int len = 1; len < 26; len++) {
        (void)snprintf(text, sizeof(text), "%.*s*.example.com", len, label);
        put_registration(f, text);
    }
    (void)snprintf(text, sizeof(text), "%s.example.com", label);
    assert_int_equal(candidates(f, text, joined), REGISTRY_CANDIDATES_MAX);
    assert_memory_equal(joined, "abcdefghijklmnopqrstuvwxy*.example.com ", 38);
    assert_null(strstr(joined, "abcdefghi*."));
}

static void a_registration_is_found_by_its_id(void **state)
{
    struct fixture *f = *state;
    struct registry_view *view;
    struct registration r;
    struct registration_id id = an_id(1), none = an_id(2);
    bool found = false;

    put_registration(f, "router5.example.com");
    view = begin_view(f);
    assert_true(registry_registration_by_id(view, &id, f->arena, &found, &r, &f->err));
    assert_true(found);
    assert_string_equal(r.fqdn.text, "router5.example.com");
    assert_true(registry_registration_by_id(view, &none, f->arena, &found, &r, &f->err));
    assert_false(found);
    registry_view_end(view);
}

static void pages_follow_the_labels_from_the_right(void **state)
{
    static const char *const name[] = { "b.example.org", "a.example.com", "example.com", "*.example.com",
                                        "b.a.example.com" };
    static const char *const sorted[] = { "example.com", "*.example.com", "a.example.com", "b.a.example.com",
                                          "b.example.org" };
    struct fixture *f = *state;
    struct registration page[2], acme = a_registration(f, "");
    struct registry_view *view;
    struct bytes after = BYTES_NONE;
    size_t count = 0, seen = 0;

    for (size_t i = 0; i < COUNT_OF(name); i++)
        put_registration(f, name[i]);
    acme.key_id = BYTES_LITERAL("key-1");
    acme.order = ORDER_ACME;
    change_registration_put(&f->changes, &acme, 0);
    assert_int_equal(apply(f), APPLY_DONE);
    view = begin_view(f);
    do {
        assert_true(
            registry_registrations_list(view, the_domain(), after, 2, f->arena, page, &count, &f->err));
        for (size_t i = 0; i < count; i++, seen++) {
            if (seen < COUNT_OF(sorted))
                assert_string_equal(page[i].fqdn.text, sorted[seen]);
            else
                assert_true(bytes_is(page[i].key_id, "key-1"));
        }
        if (count > 0)
            after = page[count - 1].fqdn.len > 0
                        ? arena_copy(f->arena, fqdn_pattern_bytes(&page[count - 1].fqdn))
                        : BYTES_LITERAL("~key-1");
    } while (count > 0);
    assert_int_equal(seen, COUNT_OF(sorted) + 1);
    registry_view_end(view);
}

static bool count_up_to_two(const struct registration *r, void *context)
{
    size_t *n = context;

    assert_true(r->fqdn.len > 0);
    return ++*n < 2;
}

static void each_stops_when_it_is_told(void **state)
{
    struct fixture *f = *state;
    struct registry_view *view;
    size_t n = 0;

    put_registration(f, "a.example.com");
    put_registration(f, "b.example.com");
    put_registration(f, "c.example.com");
    view = begin_view(f);
    assert_true(registry_registrations_each(view, f->arena, count_up_to_two, &n, &f->err));
    assert_int_equal(n, 2);
    registry_view_end(view);
}

static size_t overlaps(struct fixture *f, const char *text, size_t max, bool *more, const char *expected)
{
    struct fqdn_pattern out[32], pattern = a_pattern(text);
    struct registry_view *view = begin_view(f);
    size_t count = 0;
    bool seen = expected == NULL;

    assert_true(max <= COUNT_OF(out));
    if (!registry_overlaps(view, the_domain(), &pattern, max, out, &count, more, &f->err))
        fail_msg("%s", f->err.text);
    for (size_t i = 0; i < count; i++)
        seen |= expected != NULL && strcmp(out[i].text, expected) == 0;
    assert_true(seen);
    registry_view_end(view);
    return count;
}

static void overlaps_are_patterns_that_share_a_name(void **state)
{
    struct fixture *f = *state;
    bool more = true;

    put_registration(f, "*.dept.example.com");
    put_registration(f, "a*.dept.example.com");
    put_registration(f, "router5.dept.example.com");
    put_registration(f, "*.*.example.com");
    put_registration(f, "*.other.example.com");
    put_registration(f, "x.y.dept.example.com");
    assert_int_equal(overlaps(f, "router5.dept.example.com", 8, &more, "*.*.example.com"), 2);
    assert_false(more);
    assert_int_equal(overlaps(f, "*.dept.example.com", 8, &more, "router5.dept.example.com"), 3);
    assert_int_equal(overlaps(f, "b*.dept.example.com", 8, &more, "*.dept.example.com"), 2);
    assert_int_equal(overlaps(f, "*", 8, &more, "x.y.dept.example.com"), 6);
    assert_false(more);
    assert_int_equal(overlaps(f, "*", 3, &more, NULL), 3);
    assert_true(more);
    put_registration(f, "*");
    assert_int_equal(overlaps(f, "z.org", 8, &more, "*"), 1);
    assert_int_equal(overlaps(f, "*.z.org", 8, &more, "*"), 1);
}

static bool count_each(const struct registration *r, void *context)
{
    size_t *n = context;

    assert_true(r->fqdn.len > 0);
    return ++*n < 3;
}

static void overlaps_come_whole_with_the_patterns_own(void **state)
{
    struct fixture *f = *state;
    struct fqdn_pattern pattern = a_pattern("*.dept.example.com");
    struct registry_view *view;
    bool whole = false;
    size_t n = 0;

    put_registration(f, "*.dept.example.com");
    put_registration(f, "a*.dept.example.com");
    view = begin_view(f);
    assert_true(registry_overlaps_each(view, the_domain(), &pattern, count_each, &n, &whole, &f->err));
    assert_int_equal(n, 2);
    assert_true(whole);
    registry_view_end(view);
    put_registration(f, "b.dept.example.com");
    put_registration(f, "c.dept.example.com");
    view = begin_view(f);
    n = 0;
    assert_true(registry_overlaps_each(view, the_domain(), &pattern, count_each, &n, &whole, &f->err));
    assert_int_equal(n, 3); /* and no more: it was told so */
    assert_true(whole);
    registry_view_end(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(candidates_are_exact_first_and_the_lone_star_last),
        registry_test(a_closed_registration_stays_a_candidate),
        registry_test(csr_96_a_star_typed_by_a_requester_is_no_wildcard),
        registry_test(at_most_sixteen_are_returned_the_most_specific),
        registry_test(a_registration_is_found_by_its_id),
        registry_test(pages_follow_the_labels_from_the_right),
        registry_test(each_stops_when_it_is_told),
        registry_test(overlaps_are_patterns_that_share_a_name),
        registry_test(overlaps_come_whole_with_the_patterns_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
