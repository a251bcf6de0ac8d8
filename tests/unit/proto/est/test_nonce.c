#include "proto/est/nonce.h"

#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "tests/lib/test.h"

static const int64_t NOW_S = 1790000000;
static const char NC[] = "00000001";

struct fixture {
    struct est_service service;
    uint64_t seed;
    struct random_source random;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){ .service = { .nonce_key = { 7 }, .nonce_valid_s = 300 }, .seed = 1 };
    f.random = random_seeded(&f.seed);
    assert_true(est_nonces_new(64, &f.service.nonces, NULL));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    est_nonces_free(f->service.nonces);
    return 0;
}

struct nonce {
    char text[EST_NONCE_LEN + 1];
};

static struct nonce make(struct fixture *f, const char *realm, int64_t now_s)
{
    struct nonce n;

    assert_true(est_nonce_make(&f->service, bytes_text(realm), now_s, &f->random, n.text, NULL));
    return n;
}

static enum est_nonce_verdict use(struct fixture *f, const struct nonce *n, const char *nc,
                                  const struct http_request *request, int64_t now_s)
{
    return est_nonce_take(&f->service, BYTES_LITERAL("demo"), bytes_text(n->text), bytes_text(nc), request,
                          now_s);
}

static void a_nonce_is_fresh_once_for_each_nc(void **state)
{
    struct http_request a = { 0 }, b = { 0 };
    struct nonce n = make(*state, "demo", NOW_S);

    assert_int_equal(use(*state, &n, NC, &a, NOW_S), EST_NONCE_FRESH);
    assert_int_equal(use(*state, &n, NC, &b, NOW_S), EST_NONCE_REPLAYED);
    assert_int_equal(use(*state, &n, "00000002", &b, NOW_S + 300), EST_NONCE_FRESH);
}

static void two_nonces_of_one_second_differ(void **state)
{
    struct nonce a = make(*state, "demo", NOW_S), b = make(*state, "demo", NOW_S);

    assert_string_not_equal(a.text, b.text);
    assert_int_equal(strlen(a.text), EST_NONCE_LEN);
}

static void the_same_request_may_ask_again_even_late(void **state)
{
    struct http_request a = { 0 };
    struct nonce n = make(*state, "demo", NOW_S);

    assert_int_equal(use(*state, &n, NC, &a, NOW_S), EST_NONCE_FRESH);
    assert_int_equal(use(*state, &n, NC, &a, NOW_S + 1000), EST_NONCE_FRESH);
}

static void a_later_request_at_the_same_address_is_another(void **state)
{
    struct fixture *f = *state;
    struct http_request a = { 0 };
    struct nonce n = make(f, "demo", NOW_S);

    assert_int_equal(use(f, &n, NC, &a, NOW_S), EST_NONCE_FRESH);
    a.number++;
    assert_int_equal(use(f, &n, NC, &a, NOW_S), EST_NONCE_REPLAYED);
}

static void an_old_nonce_is_stale_and_not_taken(void **state)
{
    struct http_request a = { 0 };
    struct nonce n = make(*state, "demo", NOW_S);

    assert_int_equal(use(*state, &n, NC, &a, NOW_S + 301), EST_NONCE_STALE);
    assert_int_equal(use(*state, &n, NC, &a, NOW_S - 301), EST_NONCE_STALE);
    assert_int_equal(use(*state, &n, NC, &a, NOW_S), EST_NONCE_FRESH);
}

static void what_we_did_not_make_is_forged(void **state)
{
    struct fixture *f = *state;
    struct http_request a = { 0 };
    struct nonce n = make(f, "demo", NOW_S), other = make(f, "other", NOW_S);

    assert_int_equal(use(f, &other, NC, &a, NOW_S), EST_NONCE_FORGED);
    assert_int_equal(use(f, &(struct nonce){ "" }, NC, &a, NOW_S), EST_NONCE_FORGED);
    for (size_t i = 0; i < EST_NONCE_LEN; i++) {
        struct nonce changed = n;

        changed.text[i] = changed.text[i] == '0' ? '1' : '0';
        assert_int_equal(use(f, &changed, NC, &a, NOW_S), EST_NONCE_FORGED);
    }
    for (size_t i = 0; i < EST_NONCE_LEN; i++)
        if (n.text[i] >= 'a') { /* one text for one nonce */
            struct nonce upper = n;

            upper.text[i] = (char)(n.text[i] - 'a' + 'A');
            assert_int_equal(use(f, &upper, NC, &a, NOW_S), EST_NONCE_FORGED);
        }
    f->service.nonce_key[0]++;
    assert_int_equal(use(f, &n, NC, &a, NOW_S), EST_NONCE_FORGED);
}

/* Whatever is forgotten, nothing is taken twice. */
static void a_full_memory_never_lets_a_replay_through(void **state)
{
    enum { COUNT = 500 };
    static struct nonce n[COUNT];
    struct http_request a = { 0 }, b = { 0 };
    unsigned fresh = 0;

    for (size_t i = 0; i < COUNT; i++) {
        n[i] = make(*state, "demo", NOW_S + (int64_t)i / 10);
        fresh += use(*state, &n[i], NC, &a, NOW_S + 50) == EST_NONCE_FRESH;
    }
    assert_true(fresh >= 64);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_not_equal(use(*state, &n[i], NC, &b, NOW_S + 50), EST_NONCE_FRESH);
}

enum { RACERS = 4, RACES = 200 };
struct racer {
    struct fixture *f;
    const struct nonce *nonce;
    sem_t *done;
    unsigned won;
};

static void *race(void *context)
{
    struct racer *r = context;
    struct http_request mine = { 0 };

    for (size_t i = 0; i < RACES; i++)
        r->won += use(r->f, &r->nonce[i], NC, &mine, NOW_S) == EST_NONCE_FRESH;
    (void)sem_post(r->done);
    for (;;) /* as in the daemon, a thread that has hashed lives as long as the process */
        (void)pause();
    return NULL;
}

static void threads_that_race_for_a_nonce_have_one_winner(void **state)
{
    static struct nonce n[RACES];
    static struct racer racer[RACERS];
    struct fixture *f = *state;
    unsigned won = 0;
    sem_t done;

    assert_int_equal(sem_init(&done, 0, 0), 0);
    est_nonces_free(f->service.nonces);
    assert_true(est_nonces_new(16 * 1024, &f->service.nonces, NULL));
    for (size_t i = 0; i < RACES; i++)
        n[i] = make(f, "demo", NOW_S);
    for (size_t i = 0; i < RACERS; i++) {
        pthread_t thread;

        racer[i] = (struct racer){ .f = f, .nonce = n, .done = &done };
        assert_int_equal(pthread_create(&thread, NULL, race, &racer[i]), 0);
        assert_int_equal(pthread_detach(thread), 0);
    }
    for (size_t i = 0; i < RACERS; i++)
        assert_int_equal(sem_wait(&done), 0);
    for (size_t i = 0; i < RACERS; i++)
        won += racer[i].won;
    assert_int_equal(won, RACES);
}

#define WITH_NONCES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NONCES(a_nonce_is_fresh_once_for_each_nc),
        WITH_NONCES(two_nonces_of_one_second_differ),
        WITH_NONCES(the_same_request_may_ask_again_even_late),
        WITH_NONCES(a_later_request_at_the_same_address_is_another),
        WITH_NONCES(an_old_nonce_is_stale_and_not_taken),
        WITH_NONCES(what_we_did_not_make_is_forged),
        WITH_NONCES(a_full_memory_never_lets_a_replay_through),
        WITH_NONCES(threads_that_race_for_a_nonce_have_one_winner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
