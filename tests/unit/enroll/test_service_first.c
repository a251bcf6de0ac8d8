/* The first certificate of the gateway itself: what is not there is asked for over the gateway's key, judged
 * against what it is to be, written, and in use in the end. */
#include "tests/unit/enroll/service_world.h"

/* What it is to be: names and usages of a_certificate(), over the key `ra`. */
static void await(struct world *w)
{
    struct bytes names = own_names(w);
    AUTO_STRUCT(buffer) san = BUFFER(256);
    size_t begun = der_begin(&san, DER_SEQUENCE);

    buffer_append(&san, names);
    der_end(&san, begun);
    own.certificate = (struct certificate){ .has_key_usage = true,
                                            .key_usage = KEY_USAGE_DIGITAL_SIGNATURE,
                                            .extended_key_usage = { eku[0] },
                                            .extended_key_usage_count = 1 };
    assert_int_equal(name_decode(a_dn(w->arena, "CN=gw.example.com"), w->arena, &own.certificate.subject),
                     NAME_OK);
    assert_int_equal(
        general_names_decode(arena_copy(w->arena, buffer_bytes(&san)), w->arena, &own.certificate.san),
        NAME_OK);
    assert_true(public_key_parse(keys_public(w->keys, "ra"), &own.certificate.key));
    assert_true(service_is_awaited(&own));
}

static int local_first(void **state)
{
    if (local_world(state) != 0)
        return -1;
    await(*state);
    return 0;
}

static int upstream_first(void **state)
{
    if (upstream_world(state) != 0)
        return -1;
    await(*state);
    return 0;
}

/* --- the good way --- */
static void the_embedded_ca_certifies_what_it_is_to_be(void **state)
{
    struct world *w = *state;
    const struct certificate wanted = own.certificate;
    struct certificate_record record;
    struct certificate new;
    struct job_record job;
    struct audit_entry entry;
    size_t count = 0;

    assert_true(look(w)); /* at once */
    comes_due(w);
    assert_true(certificate_decode(file_content(w), w->arena, &new));
    assert_bytes(new.key.spki, wanted.key.spki);
    assert_bytes(new.subject.encoded, wanted.subject.encoded);
    assert_true(general_names_equal(&new.san, &wanted.san));
    assert_int_equal(new.key_usage, wanted.key_usage);
    assert_bytes(new.extended_key_usage[0], eku[0]);
    assert_int_equal(new.not_after_s - w->now_s, 2 * 365 * DAY_S - 300);
    assert_string_equal(w->turn.facts.verdict, "issued");
    assert_string_equal(w->turn.facts.detail, "listener tls: its first one");
    assert_int_equal(recorded(w, &record), 1);
    assert_bytes(record.der, new.encoded);
    assert_true(registry_audit_read(w->view, 0, 1, w->arena, &entry, &count, NULL));
    assert_int_equal(count, 1);
    assert_null(memmem(entry.content.data, entry.content.len, "\"renews\"", 8));
    written(w);
    assert_true(effect.reload);
    in_use(w, new.encoded);
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_false(the_job(w, &job));
    assert_false(look(w)); /* its renewal is far */
    w->now_s = service_renewal_s(&own);
    assert_true(look(w)); /* and goes as usual */
    comes_due(w);
    assert_true(certificate_decode(file_content(w), w->arena, &new));
    assert_string_equal(w->turn.facts.detail, "listener tls: renewed");
}

static void an_upstream_ca_is_asked_once(void **state)
{
    struct world *w = *state;
    struct upstream_order order;
    struct bytes first;

    assert_true(look(w));
    comes_due(w);
    assert_string_equal(w->turn.facts.detail, "listener tls: its first one is ordered");
    assert_true(upstream_read(effect.body, &order));
    assert_bytes(order.spki, keys_public(w->keys, "ra"));
    assert_bytes(order.subject, own.certificate.subject.encoded);
    assert_bytes(order.san, own_names(w));
    assert_true(order.pkcs10.len > 0);
    first = effect.body;
    comes_due(w); /* the gateway stopped before the answer came */
    comes_due(w);
    assert_bytes(effect.body, first);
    assert_true(look(w)); /* no second order */
    answered(w, issues(w, (struct certificate_template){ .path_len = -1 }));
    (void)file_content(w);
}

/* A crash in WRITE finds the file there or not, one in LOAD the certificate in use or not. */
static void after_a_crash_the_same_file_is_written_again(void **state)
{
    struct world *w = *state;
    struct bytes der;
    struct certificate_record record;

    assert_true(look(w));
    comes_due(w);
    answered(w, issues(w, (struct certificate_template){ .path_len = -1 }));
    der = file_content(w);
    comes_due(w);
    assert_bytes(file_content(w), der);
    in_use(w, der); /* the start has read it */
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_WAIT);
    assert_false(effect.reload);
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_int_equal(recorded(w, &record), 1);
}

/* --- what goes wrong --- */
static void assert_wrong(struct world *w, struct certificate_template twist, const char *signer,
                         const char *fault, char then)
{
    struct certificate_record record;
    struct upstream_order order;
    struct job_record job;

    twist.path_len = -1;
    if (twist.extended_key_usage_count == 0) {
        twist.extended_key_usage = eku;
        twist.extended_key_usage_count = 1;
    }
    assert_true(look(w));
    comes_due(w);
    assert_true(upstream_read(effect.body, &order));
    answered(w, upstream_issue(&w->ca, w->keys, &order, twist, signer, &w->random, w->now_s, w->arena));
    assert_complains(w, fault);
    assert_int_equal(recorded(w, &record), 0);
    comes_due(w);
    if (then != '\0') {
        assert_int_equal(effect.body.data[0], then);
        answered(w, BYTES_LITERAL("D"));
        assert_true(the_job(w, &job));
        assert_int_equal(job.due_s, w->now_s + 600); /* nothing is served meanwhile */
        comes_due(w);
    }
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
}

static void a_wrong_certificate_is_never_written_and_is_given_back(void **state)
{
    struct world *w = *state;
    AUTO_STRUCT(buffer) more = BUFFER(256);

    buffer_append(&more, own_names(w));
    general_name_put(&more, GENERAL_NAME_DNS, BYTES_LITERAL("other.example.com"), BYTES_NONE);
    assert_wrong(w, (struct certificate_template){ .spki = keys_public(w->keys, "device") }, "ca",
                 "it certifies another key", '\0');
    assert_wrong(w, (struct certificate_template){ .subject = a_dn(w->arena, "CN=other.example.com") }, "ca",
                 "its subject is another", 'V');
    assert_wrong(w, (struct certificate_template){ .subject = a_dn(w->arena, "O=Example") }, "ca",
                 "its subject is another", 'V');
    assert_wrong(w, (struct certificate_template){ .san = buffer_bytes(&more) }, "ca",
                 "its SAN has other names", 'V');
    assert_wrong(w, (struct certificate_template){ .san = bytes_slice(own_names(w), 0, 16) }, "ca",
                 "its SAN has other names", 'V');
    assert_wrong(w, (struct certificate_template){ .key_usage = KEY_USAGE_KEY_AGREEMENT }, "ca",
                 "it lacks a key usage", 'V');
    assert_wrong(
        w, (struct certificate_template){ .extended_key_usage = &eku[1], .extended_key_usage_count = 1 },
        "ca", "it lacks an extended key usage", 'V');
    assert_wrong(w, (struct certificate_template){ .not_after_s = w->now_s - 1 }, "ca", "it has expired",
                 'V');
    assert_wrong(w, (struct certificate_template){ .not_before_s = w->now_s + DAY_S }, "ca",
                 "it is not valid yet", 'V');
    assert_wrong(w, (struct certificate_template){ .issuer = a_dn(w->arena, "CN=Somebody") }, "ca",
                 "another CA issued it", 'V');
    assert_wrong(w, (struct certificate_template){ 0 }, "device", "it does not chain to the CA", 'V');
    assert_wrong(w, (struct certificate_template){ .is_ca = true }, "ca", "it is a CA's", 'V');
}

static void a_rejection_is_told_and_soon_asked_again(void **state)
{
    struct world *w = *state;
    struct job_record job;

    assert_true(look(w));
    comes_due(w);
    answered(w, BYTES_LITERAL("Rwho are you"));
    assert_complains(w, "certificate of listener tls: the CA rejected its first one: who are you");
    assert_true(the_job(w, &job));
    assert_int_equal(job.due_s, w->now_s + 600);
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_true(look(w));
}

/* Who corrects what was asked for need not wait. */
static void a_rest_is_for_what_was_refused_alone(void **state)
{
    struct world *w = *state;
    struct job_record job;

    assert_true(look(w));
    comes_due(w);
    answered(w, BYTES_LITERAL("Rnot that name"));
    assert_true(look(w));
    assert_true(the_job(w, &job));
    assert_int_equal(job.due_s, w->now_s + 600);
    own.certificate.san.count = 1;
    assert_true(look(w));
    assert_true(the_job(w, &job));
    assert_int_equal(job.due_s, w->now_s);
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_true(look(w));
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_HTTP);
}

/* An order is for what was wanted when it was placed. */
static void other_names_or_another_key_end_an_order(void **state)
{
    struct world *w = *state;
    const struct certificate wanted = own.certificate;

    assert_true(look(w));
    comes_due(w);
    assert_true(public_key_parse(keys_public(w->keys, "device"), &own.certificate.key));
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    own.certificate = wanted;
    assert_true(look(w));
    comes_due(w);
    own.certificate.san.count = 1;
    answered(w, issues(w, (struct certificate_template){ .path_len = -1 }));
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_string_equal(w->turn.facts.verdict, "refused");
}

static void what_an_operator_puts_there_meanwhile_stays(void **state)
{
    struct world *w = *state;

    assert_true(look(w));
    comes_due(w);
    in_use(w, a_certificate(w, "ra", 90));
    comes_due(w);
    assert_int_equal(effect.kind, JOB_EFFECT_DONE);
    assert_false(look(w));
}

static void without_a_ca_that_is_known_nothing_is_asked(void **state)
{
    struct world *w = *state;

    w->ca.chain_awaited = true;
    assert_false(look(w));
    assert_complains(w, "certificate of listener tls is not there yet: the chain of its CA is not known yet");
    w->ca.chain_awaited = false;
    own.ca = "gone";
    w->now_s += DAY_S;
    assert_false(look(w));
    assert_complains(w, "certificate of listener tls is not there yet: its CA is not configured");
}

#define local_test(name)    cmocka_unit_test_setup_teardown(name, local_first, tear_down)
#define upstream_test(name) cmocka_unit_test_setup_teardown(name, upstream_first, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        local_test(the_embedded_ca_certifies_what_it_is_to_be),
        upstream_test(an_upstream_ca_is_asked_once),
        upstream_test(after_a_crash_the_same_file_is_written_again),
        upstream_test(a_wrong_certificate_is_never_written_and_is_given_back),
        upstream_test(a_rejection_is_told_and_soon_asked_again),
        upstream_test(a_rest_is_for_what_was_refused_alone),
        upstream_test(other_names_or_another_key_end_an_order),
        upstream_test(what_an_operator_puts_there_meanwhile_stays),
        local_test(without_a_ca_that_is_known_nothing_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
