/* cmp_world.h: who takes part in the simulation of CMP, and what is under way. */
#ifndef MUSTER_TESTS_CMP_WORLD_H
#define MUSTER_TESTS_CMP_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/cmp_device.h"
#include "tests/lib/devices.h"

enum { STEPS = 260, IN_FLIGHT = 8, REQUEST_ARENA = 4 << 20, WORLD_ARENA = 64 << 20, WAITING_MAX = 32 };

/* By their registration; the vendor's device shows the certificate it was made with. */
enum cast {
    CAST_PLAIN,
    CAST_WILDCARD,
    CAST_ONE_TIME,
    CAST_ONE_TIME_TOO,
    CAST_EXPIRING,
    CAST_CLOSING,
    CAST_CLOSED,
    CAST_UNREGISTERED,
    CAST_WRONG_SECRET,
    CAST_VENDOR,
    CAST_COUNT,
};

static const struct {
    const char *fqdn, *pattern; /* NULL: not registered */
    struct registration registration;
    bool is_rivalled, is_hopeless;
} cast[CAST_COUNT] = {
    [CAST_PLAIN] = { "plain.example.com", "plain.example.com", .is_rivalled = true },
    [CAST_WILDCARD] = { "unit-7.fleet.example.com", "unit-*.fleet.example.com" },
    [CAST_ONE_TIME] = { "once.example.com", "once.example.com", { .one_time = true }, .is_rivalled = true },
    [CAST_ONE_TIME_TOO] = { "once-too.example.com", "once-too.example.com", { .one_time = true } },
    [CAST_EXPIRING] = { "expiring.example.com", "expiring.example.com", { .valid_days = 2 } },
    [CAST_CLOSING] = { "closing.example.com", "closing.example.com" },
    [CAST_CLOSED] = { "closed.example.com",
                      "closed.example.com",
                      { .state = REGISTRATION_CLOSED },
                      .is_hopeless = true },
    [CAST_UNREGISTERED] = { "stranger.example.com", NULL, .is_hopeless = true },
    [CAST_WRONG_SECRET] = { "wrong.example.com", "wrong.example.com", .is_hopeless = true },
    [CAST_VENDOR] = { "vendor.example.com", "vendor.example.com" },
};

/* A request between its turn and its commit. */
struct flight {
    bool busy, is_rival;
    unsigned device;
    struct cmp_deal *deal;
    struct bytes sent;
    struct arena *arena;
    struct http_request request;
    struct answering answering;
};

struct world {
    uint64_t seed;
    bool telling;
    struct a_gateway *gateway;
    struct arena *arena;
    struct cmp_device device[CAST_COUNT];
    struct device rival[CAST_COUNT];
    struct registration registration[CAST_COUNT]; /* revision 0: none */
    uint64_t turned[STEPS]; /* where the audit stood when CAST_CLOSING was closed, or opened again */
    size_t turned_count;
    struct flight flight[IN_FLIGHT];
    unsigned received, confirmed, given_back, updated, revoked, waited, refused_old, conflicts, crashes;
};

#define tell(world, ...)         \
    do {                         \
        if ((world)->telling)    \
            printf(__VA_ARGS__); \
    } while (0)

static inline unsigned choose(struct world *w, unsigned count)
{
    uint32_t value;

    assert_true(random_fill(&w->gateway->random, (uint8_t *)&value, sizeof(value)));
    return value % count;
}

/* --- the cast --- */
static inline struct bytes once(struct bytes der)
{
    uint8_t *copy = malloc(der.len);

    assert_non_null(copy);
    memcpy(copy, der.data, der.len);
    return bytes_of(copy, der.len);
}

/* The vendor's CA, and the certificate that its device was made with. */
static inline void cast_vendor(struct world *w, struct cmp_device *d)
{
    static struct bytes ca, leaf;

    if (leaf.len == 0) {
        struct cmp_person vendor = cmp_client_person(&(struct cmp_certificate_plan){
            .key = cmp_client_key("P-256", 30), .cn = "Vendor CA", .key_usage = "keyCertSign" });
        struct cmp_person person = cmp_client_person(&(struct cmp_certificate_plan){
            .key = cmp_client_key("P-256", 31), .issuer = &vendor, .serial_number = "S1" });

        ca = once(cmp_client_der(w->arena, vendor.certificate));
        leaf = once(cmp_client_der(w->arena, person.certificate));
    }
    assert_true(anchors_new(&ca, 1, &w->gateway->procedure.vendor_anchors, NULL));
    d->vendor = (struct cmp_device_identity){ .certificate = leaf, .key = cmp_client_key("P-256", 31) };
}

static inline void cast_devices(struct world *w)
{
    for (unsigned i = 0; i < CAST_COUNT; i++) {
        struct cmp_device *d = &w->device[i];
        struct registration r = cast[i].registration;

        cmp_device_init(d, cast[i].fqdn, i == CAST_WRONG_SECRET ? "wrong" : "right-secret");
        d->key[0] = cmp_client_key("P-256", 2 * i);
        d->key[1] = cmp_client_key("P-256", 2 * i + 1);
        if (i == CAST_VENDOR) {
            cast_vendor(w, d);
            r.serial_number = BYTES_LITERAL("S1");
        }
        if (cast[i].pattern != NULL)
            w->registration[i] = a_gateway_register(w->gateway, cast[i].pattern,
                                                    i == CAST_VENDOR ? "" : "right-secret", r);
        w->rival[i] = (struct device){ .kind = DEVICE_PLAIN, .protocol = PROTOCOL_SCEP, .number = 100 + i };
        if (cast[i].is_rivalled)
            device_init(&w->rival[i], cast[i].fqdn, i % DEVICE_KEYS);
    }
    cmp_client_reset();
}

#endif
