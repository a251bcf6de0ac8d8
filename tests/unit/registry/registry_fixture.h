/* registry_fixture.h: a registry in a directory of its own, for the tests of this room. */
#ifndef MUSTER_TEST_REGISTRY_FIXTURE_H
#define MUSTER_TEST_REGISTRY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/random.h"
#include "registry/audit.h"
#include "registry/certificates.h"
#include "registry/registrations.h"
#include "registry/state.h"
#include "registry/storage_internal.h"

enum { NOW_S = 1800000000 };

struct fixture {
    char directory[256];
    struct registry_options options;
    struct registry *registry;
    struct arena *arena;
    struct changes changes;
    struct error err;
    uint64_t next_id;
};

UNUSED static struct domain_id the_domain(void)
{
    return (struct domain_id){ 0x1122334455667788 };
}

UNUSED static void reopen(struct fixture *f)
{
    registry_close(f->registry);
    f->registry = NULL;
    if (!registry_open(&f->options, &f->registry, &f->err))
        fail_msg("%s", f->err.text);
}

UNUSED static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const char *base = getenv("TMPDIR");

    assert_non_null(f);
    (void)snprintf(f->directory, sizeof(f->directory), "%s/muster-registry-XXXXXX",
                   base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(f->directory));
    f->options = REGISTRY_OPTIONS_DEFAULT;
    f->options.path = f->directory;
    f->options.map_max = (uint64_t)1 << 30;
    f->options.no_sync = true;
    f->arena = arena_new(64 << 20);
    assert_non_null(f->arena);
    reopen(f);
    changes_begin(&f->changes, f->arena);
    *state = f;
    return 0;
}

UNUSED static void remove_file(const char *directory, const char *name)
{
    char path[1024];

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    (void)unlink(path);
}

UNUSED static int tear_down(void **state)
{
    struct fixture *f = *state;

    registry_close(f->registry);
    remove_file(f->directory, "data.mdb");
    remove_file(f->directory, "lock.mdb");
    remove_file(f->directory, "daemon.lock");
    assert_int_equal(rmdir(f->directory), 0);
    arena_free(f->arena);
    free(f);
    return 0;
}

#define registry_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* --- values --- */
UNUSED static struct fqdn_pattern a_pattern(const char *text)
{
    struct fqdn_pattern p = { .len = (uint8_t)strlen(text) };

    assert_true(strlen(text) <= DNS_NAME_MAX);
    memcpy(p.text, text, strlen(text));
    return p;
}

UNUSED static struct dns_name a_name(const char *text)
{
    struct dns_name n = { .len = (uint8_t)strlen(text) };

    assert_true(strlen(text) <= DNS_NAME_MAX);
    memcpy(n.text, text, strlen(text));
    return n;
}

UNUSED static struct registration_id an_id(uint64_t number)
{
    struct registration_id id = { 0 };

    for (size_t i = 0; i < 8; i++)
        id.bytes[i] = (uint8_t)(number >> (56 - 8 * i));
    id.bytes[15] = 1; /* none is all zero */
    return id;
}

UNUSED static struct registration a_registration(struct fixture *f, const char *fqdn)
{
    return (struct registration){ .id = an_id(++f->next_id),
                                  .order = ORDER_SCEP,
                                  .procedure = BYTES_LITERAL("routers"),
                                  .domain = the_domain(),
                                  .fqdn = a_pattern(fqdn),
                                  .state = REGISTRATION_OPEN,
                                  .accepted_s = NOW_S,
                                  .protocols = PROTOCOL_BIT(PROTOCOL_SCEP),
                                  .sealed_secret = BYTES_LITERAL("sealed"),
                                  .officer = BYTES_LITERAL("officer-1") };
}

UNUSED static struct certificate_record a_certificate(uint8_t serial, const char *fqdn)
{
    struct certificate_record c = { .id = { .issuer = { { 7 } }, .serial_len = 1, .serial = { serial } },
                                    .status = CERTIFICATE_GOOD,
                                    .protocol = PROTOCOL_EST,
                                    .ca = BYTES_LITERAL("internal"),
                                    .procedure = BYTES_LITERAL("routers"),
                                    .profile = BYTES_LITERAL("device"),
                                    .domain = the_domain(),
                                    .fqdn = a_name(fqdn),
                                    .key = { { 9 } },
                                    .der = BYTES_LITERAL("der of it"),
                                    .issued_s = NOW_S,
                                    .not_before_s = NOW_S,
                                    .not_after_s = NOW_S + 1000 };

    return c;
}

/* --- applying --- */
UNUSED static enum apply_result apply(struct fixture *f)
{
    const struct changes *list[] = { &f->changes };
    enum apply_result result = APPLY_NONE;

    if (!registry_apply(f->registry, list, 1, NOW_S, &result, &f->err))
        fail_msg("%s", f->err.text);
    changes_begin(&f->changes, f->arena);
    return result;
}

UNUSED static void put_registration(struct fixture *f, const char *fqdn)
{
    struct registration r = a_registration(f, fqdn);

    change_registration_put(&f->changes, &r, 0);
    assert_int_equal(apply(f), APPLY_DONE);
}

UNUSED static struct registry_view *begin_view(struct fixture *f)
{
    struct registry_view *view = NULL;

    if (!registry_view_begin(f->registry, &view, &f->err))
        fail_msg("%s", f->err.text);
    return view;
}

UNUSED static bool is_registered(struct fixture *f, const char *fqdn, struct registration *out)
{
    struct registry_view *view = begin_view(f);
    struct fqdn_pattern pattern = a_pattern(fqdn);
    struct registration r, copy = { 0 };
    bool found = false;

    assert_true(registry_registration_by_fqdn(view, the_domain(), &pattern, f->arena, &found, &r, &f->err));
    if (found)
        assert_true(registration_copy(&r, f->arena, &copy)); /* outlives the view */
    if (out != NULL)
        *out = copy;
    registry_view_end(view);
    return found;
}

#endif
