#include "registry_fixture.h"

#include "registry/match_index_internal.h"

/* --- against the naive matcher --- */
struct world {
    struct fqdn_pattern *pattern;
    size_t count;
};

static uint64_t seed_state;

static unsigned pick(unsigned below)
{
    struct random_source source = random_seeded(&seed_state);
    uint8_t raw[4];

    assert_true(random_fill(&source, raw, sizeof(raw)));
    return ((unsigned)raw[0] << 16 | (unsigned)raw[1] << 8 | raw[2]) % below;
}

typedef void label_maker(char *out, bool wild);

static void random_text(char *out, unsigned len, const char *alphabet)
{
    size_t letters = strlen(alphabet);

    for (unsigned i = 0; i < len; i++)
        out[i] = alphabet[pick((unsigned)letters)];
    out[len] = '\0';
}

/* Few letters and short labels, so that patterns meet names often. */
static void mixed_label(char *out, bool wild)
{
    random_text(out, 1 + pick(6), "ab");
    if (!wild)
        return;
    for (unsigned stars = 1 + pick(3), i = 0; i < stars; i++)
        out[pick((unsigned)strlen(out))] = '*';
    for (char *p; (p = strstr(out, "**")) != NULL;)
        memmove(p, p + 1, strlen(p));
}

static void prefix_label(char *out, bool wild)
{
    random_text(out, 1 + pick(8), "01");
    if (wild)
        strcat(out, "*");
}

static void suffix_label(char *out, bool wild)
{
    random_text(out + (wild ? 1 : 0), 1 + pick(8), "01");
    if (wild)
        out[0] = '*';
}

static void inner_label(char *out, bool wild)
{
    random_text(out + (wild ? 1 : 0), (wild ? 1 : 3) + pick(wild ? 7 : 12), "01");
    if (!wild)
        return;
    out[0] = '*';
    strcat(out, "*");
}

static void make_name(char *out, label_maker *maker, unsigned wild_labels)
{
    static const char *const suffix[] = { "example.com", "example.org", "b.com" };
    unsigned labels = 1 + pick(3);
    char label[64];

    *out = '\0';
    for (unsigned i = 0; i < labels; i++) {
        maker(label, wild_labels > 0 && (i == 0 || pick(2) == 0));
        strcat(out, label);
        strcat(out, ".");
    }
    strcat(out, suffix[pick(3)]);
}

static bool world_has(const struct world *world, const struct fqdn_pattern *p)
{
    for (size_t i = 0; i < world->count; i++)
        if (fqdn_pattern_compare(&world->pattern[i], p) == 0)
            return true;
    return false;
}

static void fill_world(struct fixture *f, struct world *world, label_maker *maker, size_t wanted)
{
    struct txn txn = { 0 };
    char text[256];

    world->pattern = calloc(wanted, sizeof(*world->pattern));
    assert_non_null(world->pattern);
    assert_true(txn_begin_write(f->registry, &txn, &f->err));
    for (size_t i = 0; i < wanted; i++) {
        struct fqdn_pattern p;

        make_name(text, maker, 1);
        p = a_pattern(pick(200) == 0 ? "*" : text);
        if (world_has(world, &p))
            continue;
        if (match_index_add(&txn, the_domain(), &p, &f->err))
            world->pattern[world->count++] = p;
        else
            assert_int_equal(f->err.code, ERROR_LIMIT);
    }
    assert_true(txn_commit(&txn, &f->err));
}

static int by_specificity(const void *a, const void *b)
{
    return fqdn_pattern_compare(a, b);
}

/* Every name gets what a look at all patterns finds, in the same order; or the budget ended, and then many
 * come close. */
static void assert_index_is_naive(struct fixture *f, struct world *world, label_maker *maker, size_t names,
                                  size_t *answered, size_t *found)
{
    struct fqdn_pattern *match[MATCH_BUDGET + 1];
    struct registry_view *view = begin_view(f);
    char text[256];

    qsort(world->pattern, world->count, sizeof(*world->pattern), by_specificity);
    for (size_t n = 0; n < names; n++) {
        struct dns_name name;
        size_t count = 0, expected = 0;

        make_name(text, maker, 0);
        name = a_name(text);
        arena_reset(f->arena);
        if (!match_index_find(view_txn(view), the_domain(), &name, f->arena, match, &count, &f->err)) {
            assert_int_equal(f->err.code, ERROR_BUDGET);
            continue;
        }
        ++*answered;
        for (size_t i = 0; i < world->count; i++) {
            if (!fqdn_pattern_matches(&world->pattern[i], &name))
                continue;
            assert_true(expected < count);
            assert_string_equal(match[expected]->text, world->pattern[i].text);
            expected++;
        }
        assert_int_equal(count, expected);
        *found += count;
    }
    registry_view_end(view);
}

static void compare_worlds(struct fixture *f, label_maker *maker, uint64_t seed, size_t patterns)
{
    struct world world = { 0 };
    size_t answered = 0, found = 0, names = 400;

    print_message("seed %llu\n", (unsigned long long)seed);
    seed_state = seed;
    fill_world(f, &world, maker, patterns);
    assert_index_is_naive(f, &world, maker, names, &answered, &found);
    assert_true(answered > names / 2);
    assert_true(found > names / 20); /* enough patterns met a name to say something */
    free(world.pattern);
}

static void the_index_finds_what_the_naive_matcher_finds(void **state)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        compare_worlds(*state, mixed_label, seed, 60);
        (void)tear_down(state);
        (void)set_up(state);
    }
}

static void many_prefixes_are_no_exception(void **state)
{
    compare_worlds(*state, prefix_label, 11, 1500);
}

static void many_suffixes_are_no_exception(void **state)
{
    compare_worlds(*state, suffix_label, 12, 1500);
}

static void many_inner_runs_are_no_exception(void **state)
{
    compare_worlds(*state, inner_label, 13, 500);
}

/* --- by example --- */
static void add(struct fixture *f, const char *text)
{
    struct fqdn_pattern p = a_pattern(text);
    struct txn txn = { 0 };

    assert_true(txn_begin_write(f->registry, &txn, &f->err));
    assert_true(match_index_add(&txn, the_domain(), &p, &f->err));
    assert_true(txn_commit(&txn, &f->err));
}

static void take_out(struct fixture *f, const char *text)
{
    struct fqdn_pattern p = a_pattern(text);
    struct txn txn = { 0 };

    assert_true(txn_begin_write(f->registry, &txn, &f->err));
    assert_true(match_index_remove(&txn, the_domain(), &p, &f->err));
    assert_true(txn_commit(&txn, &f->err));
}

/* The matches of a name, joined by blanks. */
static const char *matches(struct fixture *f, const char *text)
{
    static char joined[1024];
    struct fqdn_pattern *match[MATCH_BUDGET + 1];
    struct registry_view *view = begin_view(f);
    struct dns_name name = a_name(text);
    size_t count = 0;

    assert_true(match_index_find(view_txn(view), the_domain(), &name, f->arena, match, &count, &f->err));
    joined[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        strcat(joined, i > 0 ? " " : "");
        strcat(joined, match[i]->text);
    }
    registry_view_end(view);
    return joined;
}

static void csr_93_a_star_stays_in_its_label(void **state)
{
    struct fixture *f = *state;

    add(f, "*.dept.example.com");
    assert_string_equal(matches(f, "router5.dept.example.com"), "*.dept.example.com");
    assert_string_equal(matches(f, "a.b.dept.example.com"), "");
    assert_string_equal(matches(f, "dept.example.com"), "");
    assert_string_equal(matches(f, "xdept.example.com"), "");
}

static void csr_94_a_star_stands_for_one_character_at_least(void **state)
{
    struct fixture *f = *state;

    add(f, "serial-*.example.com");
    assert_string_equal(matches(f, "serial-1234.example.com"), "serial-*.example.com");
    assert_string_equal(matches(f, "serial-1.example.com"), "serial-*.example.com");
    assert_string_equal(matches(f, "serial-.example.com"), "");
    assert_string_equal(matches(f, "serial-1.2.example.com"), "");
}

static void csr_95_a_lone_star_matches_any_name_as_the_least_specific(void **state)
{
    struct fixture *f = *state;

    add(f, "*");
    add(f, "a*b*c.example.com");
    assert_string_equal(matches(f, "router5.dept.example.com"), "*");
    assert_string_equal(matches(f, "com"), "*");
    assert_string_equal(matches(f, "a1b2c.example.com"), "a*b*c.example.com *");
    take_out(f, "*");
    assert_string_equal(matches(f, "com"), "");
}

static void the_most_specific_comes_first(void **state)
{
    struct fixture *f = *state;

    add(f, "*.*.example.com");
    add(f, "*.dept.example.com");
    add(f, "router*.dept.example.com");
    assert_string_equal(matches(f, "router5.dept.example.com"),
                        "router*.dept.example.com *.dept.example.com *.*.example.com");
}

static void a_pattern_taken_out_matches_no_more(void **state)
{
    struct fixture *f = *state;

    add(f, "*.dept.example.com");
    add(f, "a*.dept.example.com");
    take_out(f, "*.dept.example.com");
    assert_string_equal(matches(f, "ab.dept.example.com"), "a*.dept.example.com");
    take_out(f, "a*.dept.example.com");
    assert_string_equal(matches(f, "ab.dept.example.com"), "");
}

static void domains_do_not_meet(void **state)
{
    struct fixture *f = *state;
    struct fqdn_pattern *match[MATCH_BUDGET + 1];
    struct dns_name name = a_name("router5.dept.example.com");
    struct registry_view *view;
    size_t count = 9;

    add(f, "*.dept.example.com");
    view = begin_view(f);
    assert_true(
        match_index_find(view_txn(view), (struct domain_id){ 1 }, &name, f->arena, match, &count, &f->err));
    assert_int_equal(count, 0);
    registry_view_end(view);
}

/* --- bounds --- */
static void patterns_that_nothing_tells_apart_are_refused(void **state)
{
    struct fixture *f = *state;
    struct fqdn_pattern p;
    struct txn txn = { 0 };
    unsigned n = 0;
    bool added = true;

    /* All begin and end with the same three characters and have the same run inside; what differs lies behind
     * the class that runs are cut to. */
    assert_true(txn_begin_write(f->registry, &txn, &f->err));
    for (; added && n < 1000; n++) {
        char text[128];

        (void)snprintf(text, sizeof(text), "aaa*mmmmmmmmmmmm%03u*zzz.example.com", n);
        p = a_pattern(text);
        added = match_index_add(&txn, the_domain(), &p, &f->err);
    }
    assert_false(added);
    assert_int_equal(f->err.code, ERROR_LIMIT);
    assert_int_equal(n, 3 * MATCH_BUCKET_MAX + 1); /* prefix, suffix and inner run were all used */
    assert_true(txn_commit(&txn, &f->err));
}

/* A run of one character between stars in label `at` of four; of the others, those in `wild` are stars. */
static void add_run(struct fixture *f, unsigned wild, unsigned at)
{
    char text[128] = "";

    for (unsigned label = 0; label < 4; label++)
        strcat(text, label == at ? "*x*." : (wild >> label & 1) != 0 ? "*." : "b.");
    strcat(text, "example.com");
    add(f, text);
}

static void runs_between_stars_are_looked_for_in_so_many_steps_at_most(void **state)
{
    struct fixture *f = *state;
    const unsigned steps = DNS_LABEL_MAX - 1 - 1, room = MATCH_STEPS_MAX / steps;
    unsigned runs = 0, n = 0;
    struct txn txn = { 0 };
    bool added = true;

    for (unsigned wild = 0; wild < 16; wild++) /* two or three of the labels, a run in each of them in turn */
        for (unsigned at = 0; at < 4 && runs < room; at++)
            if ((wild >> at & 1) != 0 && wild != 15 && (wild & (wild - 1)) != 0) {
                add_run(f, wild, at);
                runs++;
            }
    assert_int_equal(runs, room);
    assert_string_equal(matches(f, "axb.c.b.b.example.com"), "*x*.*.b.b.example.com *x*.*.*.b.example.com");
    assert_true(txn_begin_write(f->registry, &txn, &f->err));
    for (; added && n < 1000; n++) {
        char text[128];
        struct fqdn_pattern p;

        (void)snprintf(text, sizeof(text), "*%c%c*.b.b.b.example.com", 'a' + (int)n % 26, 'a' + (int)n / 26);
        p = a_pattern(text);
        added = match_index_add(&txn, the_domain(), &p, &f->err);
    }
    assert_int_equal(f->err.code, ERROR_LIMIT);
    assert_int_equal(n, 2 * MATCH_BUCKET_MAX + 1); /* only their ends, which are empty, were left */
    assert_true(txn_commit(&txn, &f->err));
}

static void a_name_that_too_many_patterns_come_close_to_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct fqdn_pattern *match[MATCH_BUDGET + 1];
    struct dns_name name = a_name("abcdefghijkl.example.com");
    struct registry_view *view;
    struct txn txn = { 0 };
    size_t count = 77;

    assert_true(txn_begin_write(f->registry, &txn, &f->err));
    for (unsigned len = 3; len < 11; len++)
        for (unsigned n = 0; n < 60; n++) {
            char text[128];
            struct fqdn_pattern p;

            (void)snprintf(text, sizeof(text), "%.*s*%c*%c.example.com", (int)len, name.text,
                           'a' + (int)n % 26, 'a' + (int)n / 26);
            p = a_pattern(text);
            assert_true(match_index_add(&txn, the_domain(), &p, &f->err));
        }
    assert_true(txn_commit(&txn, &f->err));
    view = begin_view(f);
    assert_false(match_index_find(view_txn(view), the_domain(), &name, f->arena, match, &count, &f->err));
    assert_int_equal(f->err.code, ERROR_BUDGET);
    assert_int_equal(count, 77); /* untouched */
    registry_view_end(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(the_index_finds_what_the_naive_matcher_finds),
        registry_test(many_prefixes_are_no_exception),
        registry_test(many_suffixes_are_no_exception),
        registry_test(many_inner_runs_are_no_exception),
        registry_test(csr_93_a_star_stays_in_its_label),
        registry_test(csr_94_a_star_stands_for_one_character_at_least),
        registry_test(csr_95_a_lone_star_matches_any_name_as_the_least_specific),
        registry_test(the_most_specific_comes_first),
        registry_test(a_pattern_taken_out_matches_no_more),
        registry_test(domains_do_not_meet),
        registry_test(patterns_that_nothing_tells_apart_are_refused),
        registry_test(runs_between_stars_are_looked_for_in_so_many_steps_at_most),
        registry_test(a_name_that_too_many_patterns_come_close_to_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
