#include "model/fqdn_pattern.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct fqdn_pattern_rules rules = { .dns = { .trailing_dot = true, .unicode = true } };
static const struct fqdn_pattern_rules loose = { .dns = { .single_label = true }, .literal_labels_min = 1 };

static struct fqdn_pattern a_pattern_by(const char *text, const struct fqdn_pattern_rules *by)
{
    struct fqdn_pattern p = { 0 };

    assert_int_equal(fqdn_pattern_parse(bytes_text(text), by, &p), FQDN_PATTERN_OK);
    return p;
}

static struct fqdn_pattern a_pattern(const char *text)
{
    return a_pattern_by(text, &rules);
}

static enum fqdn_pattern_fault parsed(const char *text)
{
    struct fqdn_pattern p;

    return fqdn_pattern_parse(bytes_text(text), &rules, &p);
}

static bool matches(const char *pattern, const char *text)
{
    struct fqdn_pattern p = a_pattern_by(pattern, strcmp(pattern, "*.example") == 0 ? &loose : &rules);
    struct dns_name name;

    assert_int_equal(dns_name_parse(bytes_text(text), &rules.dns, &name), DNS_OK);
    return fqdn_pattern_matches(&p, &name);
}

static void csr_93_a_star_stays_in_its_label(void **state)
{
    (void)state;
    assert_true(matches("*.dept.example.com", "router5.dept.example.com"));
    assert_false(matches("*.dept.example.com", "a.b.dept.example.com"));
    assert_false(matches("*.dept.example.com", "dept.example.com"));
    assert_false(matches("*.dept.example.com", "xdept.example.com"));
}

static void csr_94_a_star_stands_for_one_character_at_least(void **state)
{
    struct dns_name name = { .len = 19, .text = "serial-.example.com" }; /* no parser lets it in */
    struct fqdn_pattern p = a_pattern("serial-*.example.com");

    (void)state;
    assert_true(matches("serial-*.example.com", "serial-1234.example.com"));
    assert_false(matches("serial-*.example.com", "serial-1.2.example.com"));
    assert_false(fqdn_pattern_matches(&p, &name));
    assert_false(matches("ab*.example.com", "ab.example.com"));
    assert_false(matches("*ab.example.com", "ab.example.com"));
    assert_false(matches("a*b.example.com", "ab.example.com"));
}

static void csr_95_a_lone_star_is_any_name_and_two_stars_are_none(void **state)
{
    struct fqdn_pattern any = a_pattern("*");

    (void)state;
    assert_true(fqdn_pattern_is_any(&any));
    assert_false(fqdn_pattern_is_exact(&any));
    assert_true(matches("*", "a.example.com"));
    assert_true(matches("*", "a.b.c.d.example.com"));
    assert_int_equal(parsed("**.example.com"), FQDN_PATTERN_DOUBLE_STAR);
    assert_int_equal(parsed("**"), FQDN_PATTERN_DOUBLE_STAR);
    assert_true(matches("a*b*c.example.com", "a1b2c.example.com"));
    assert_true(matches("a*b*c.example.com", "abbbc.example.com"));
    assert_false(matches("a*b*c.example.com", "abc.example.com"));
    assert_false(matches("a*b*c.example.com", "a1b2cd.example.com"));
}

static void csr_97_a_labels_match_as_text_and_no_star_stands_in_one(void **state)
{
    (void)state;
    assert_true(matches("*.example", "xn--bcher-kva.example"));
    assert_int_equal(parsed("xn--*.example.com"), FQDN_PATTERN_A_LABEL);
    assert_int_equal(parsed("XN--b*.example.com"), FQDN_PATTERN_A_LABEL);
    assert_int_equal(parsed("ab--*.example.com"), FQDN_PATTERN_A_LABEL);
}

static void a_pattern_is_canonical(void **state)
{
    static const char *const pair[][2] = {
        { "Serial-*.DEPT.example.com.", "serial-*.dept.example.com" },
        { "*.b\xc3\xbc"
          "cher.example.com",
          "*.xn--bcher-kva.example.com" },
        { "Router5.Example.COM", "router5.example.com" },
        { "a*B*.x*y.example.com", "a*b*.x*y.example.com" },
        { "fixed.*.example.com", "fixed.*.example.com" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pair); i++) {
        struct fqdn_pattern p = a_pattern(pair[i][0]), again;

        assert_string_equal(p.text, pair[i][1]);
        again = a_pattern(p.text);
        assert_memory_equal(&p, &again, sizeof(p));
    }
}

static void what_is_too_wild_or_broken_is_told_apart(void **state)
{
    (void)state;
    assert_int_equal(parsed("*.com"), FQDN_PATTERN_TOO_WILD);
    assert_int_equal(parsed("example.*"), FQDN_PATTERN_TOO_WILD);
    assert_int_equal(parsed("a.*.com"), FQDN_PATTERN_TOO_WILD);
    assert_int_equal(parsed("*.*.*.*.example.com"), FQDN_PATTERN_TOO_WILD);
    assert_int_equal(parsed("*.*.*.example.com"), FQDN_PATTERN_OK);
    assert_int_equal(parsed("a*b*c*d*e*.example.com"), FQDN_PATTERN_TOO_WILD);
    assert_int_equal(parsed("a*b*c*d*e.example.com"), FQDN_PATTERN_OK);
    assert_int_equal(parsed(""), FQDN_PATTERN_SYNTAX);
    assert_int_equal(parsed("*..example.com"), FQDN_PATTERN_SYNTAX);
    assert_int_equal(parsed("-*.example.com"), FQDN_PATTERN_SYNTAX);
    assert_int_equal(parsed("*-.example.com"), FQDN_PATTERN_SYNTAX);
    assert_int_equal(parsed("a b*.example.com"), FQDN_PATTERN_SYNTAX);
    assert_int_equal(parsed("a_*.example.com"), FQDN_PATTERN_SYNTAX);
    assert_int_equal(parsed("*.192.0.2"), FQDN_PATTERN_SYNTAX);
    assert_int_equal(parsed("router5"), FQDN_PATTERN_SYNTAX);
    /* an ideographic stop beside a star */
    assert_int_equal(parsed("*\xe3\x80\x82"
                            "dept.example.com"),
                     FQDN_PATTERN_SYNTAX);
    /* one among literal labels would move the star to another label */
    assert_int_equal(parsed("a\xe3\x80\x82"
                            "b.*.example.com"),
                     FQDN_PATTERN_SYNTAX);
}

static void specificity_puts_exact_first_and_any_last(void **state)
{
    static const char *const order[] = {
        "a.example.com",         /* exact */
        "b.example.com",         /* exact, by text */
        "serial-1*.example.com", /* one wildcard label, 18 literals */
        "*-serial.example.com",  /* 17, the longer literal suffix */
        "serial-*.example.com",  /* 17 */
        "*.dept.example.com",    /* 14 */
        "x*.example.com",        /* 11 */
        "*.example.com",         /* 10 */
        "x*.*.example.com",      /* two wildcard labels */
        "*.*.example.com",       /* and fewer literals */
        "*",                     /* labels without number */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(order); i++)
        for (size_t j = 0; j < COUNT_OF(order); j++) {
            struct fqdn_pattern a = a_pattern(order[i]), b = a_pattern(order[j]);
            int order_of_two = fqdn_pattern_compare(&a, &b);

            assert_int_equal(order_of_two < 0, i < j);
            assert_int_equal(order_of_two > 0, i > j);
        }
}

/* All patterns over a small alphabet, of one to three labels. */
enum { PATTERNS_MAX = 4096 };
static struct fqdn_pattern all[PATTERNS_MAX];
static size_t all_count;

static void collect(const char *alphabet, size_t letters, size_t len_max)
{
    char text[8];

    all_count = 0;
    for (size_t len = 1; len <= len_max; len++) {
        size_t total = 1;

        for (size_t i = 0; i < len; i++)
            total *= letters;
        for (size_t n = 0; n < total; n++) {
            size_t rest = n;

            for (size_t i = 0; i < len; i++, rest /= letters)
                text[i] = alphabet[rest % letters];
            text[len] = '\0';
            assert_true(all_count < PATTERNS_MAX);
            memcpy(all[all_count].text, text, len);
            memcpy(all[all_count].text + len, ".z", 3);
            if (fqdn_pattern_parse(bytes_text(all[all_count].text), &loose, &all[all_count]) ==
                FQDN_PATTERN_OK)
                all_count++;
        }
    }
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void the_order_is_total(void **state)
{
    (void)state;
    collect("a*-b", 4, 3);
    assert_true(all_count > 30);
    for (size_t i = 0; i < all_count; i++)
        for (size_t j = 0; j < all_count; j++) {
            int ij = sign(fqdn_pattern_compare(&all[i], &all[j]));

            assert_int_equal(ij, -sign(fqdn_pattern_compare(&all[j], &all[i])));
            assert_int_equal(ij == 0, bytes_equal(fqdn_pattern_bytes(&all[i]), fqdn_pattern_bytes(&all[j])));
            for (size_t k = 0; k < all_count && ij < 0; k++)
                if (fqdn_pattern_compare(&all[j], &all[k]) < 0)
                    assert_true(fqdn_pattern_compare(&all[i], &all[k]) < 0);
        }
}

/* Naive: '*' tries every length from one on. */
static bool naive_match(const char *p, const char *t)
{
    if (*p == '\0')
        return *t == '\0';
    if (*p != '*')
        return *p == *t && naive_match(p + 1, t + 1);
    for (size_t n = 1; t[n - 1] != '\0' && t[n - 1] != '.'; n++)
        if (naive_match(p + 1, t + n))
            return true;
    return false;
}

static size_t names_over(const char *alphabet, size_t letters, size_t len_max, struct dns_name *out)
{
    size_t count = 0, total = 1;

    for (size_t len = 1; len <= len_max; len++) {
        total *= letters;
        for (size_t n = 0; n < total; n++) {
            char text[16];
            size_t rest = n;

            for (size_t i = 0; i < len; i++, rest /= letters)
                text[i] = alphabet[rest % letters];
            memcpy(text + len, ".z", 3);
            count += dns_name_parse(bytes_text(text), &loose.dns, &out[count]) == DNS_OK;
        }
    }
    return count;
}

static void matching_and_overlap_equal_brute_force(void **state)
{
    static struct dns_name names[PATTERNS_MAX];
    /* two of at most four tokens match a common name of at most 8 characters, if any; "c" is filler */
    size_t count = names_over("abc", 3, 6, names);

    (void)state;
    collect("ab*", 3, 4);
    for (size_t i = 0; i < all_count; i++)
        for (size_t n = 0; n < count; n++)
            assert_int_equal(fqdn_pattern_matches(&all[i], &names[n]),
                             naive_match(all[i].text, names[n].text));
    for (size_t i = 0; i < all_count; i++)
        for (size_t j = 0; j < all_count; j++) {
            bool common = false;

            for (size_t n = 0; n < count && !common; n++)
                common = fqdn_pattern_matches(&all[i], &names[n]) && fqdn_pattern_matches(&all[j], &names[n]);
            assert_int_equal(fqdn_pattern_overlaps(&all[i], &all[j]), common);
        }
}

static void overlap_looks_at_every_label_and_its_length(void **state)
{
    struct fqdn_pattern a = a_pattern("a*.x.example.com"), b = a_pattern("*b.x.example.com"),
                        c = a_pattern("*b.y.example.com"), d = a_pattern("*.*.x.example.com"),
                        any = a_pattern("*"), exact = a_pattern("ab.x.example.com"),
                        long_left = a_pattern("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa*.example.com"),
                        long_right = a_pattern("*bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.example.com");

    (void)state;
    assert_true(fqdn_pattern_overlaps(&a, &b));
    assert_false(fqdn_pattern_overlaps(&b, &c));
    assert_false(fqdn_pattern_overlaps(&a, &d));
    assert_true(fqdn_pattern_overlaps(&any, &d));
    assert_true(fqdn_pattern_overlaps(&exact, &a));
    assert_false(fqdn_pattern_overlaps(&long_left, &long_right)); /* it would take 80 characters */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csr_93_a_star_stays_in_its_label),
        cmocka_unit_test(csr_94_a_star_stands_for_one_character_at_least),
        cmocka_unit_test(csr_95_a_lone_star_is_any_name_and_two_stars_are_none),
        cmocka_unit_test(csr_97_a_labels_match_as_text_and_no_star_stands_in_one),
        cmocka_unit_test(a_pattern_is_canonical),
        cmocka_unit_test(what_is_too_wild_or_broken_is_told_apart),
        cmocka_unit_test(specificity_puts_exact_first_and_any_last),
        cmocka_unit_test(the_order_is_total),
        cmocka_unit_test(matching_and_overlap_equal_brute_force),
        cmocka_unit_test(overlap_looks_at_every_label_and_its_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
