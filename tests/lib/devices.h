/* devices.h: devices as the simulation has them: each asks over SCEP, EST or CMP, asks again what it asked
 * before, and reads what it is answered with an implementation that is not ours. */
#ifndef MUSTER_TESTS_DEVICES_H
#define MUSTER_TESTS_DEVICES_H

#include "tests/lib/a_gateway.h"
#include "tests/lib/cmp_device.h"

enum device_kind {
    DEVICE_PLAIN,
    DEVICE_WILDCARD,
    DEVICE_ONE_TIME,
    DEVICE_EXPIRING,
    DEVICE_CLOSING, /* its registration is closed and opened again by an officer */
    DEVICE_CLOSED,
    DEVICE_UNREGISTERED,
    DEVICE_WRONG_SECRET,
    DEVICE_KINDS,
};

enum { DEVICE_KEYS = 4, DEVICE_REPEAT_S = 600 };

struct device {
    enum device_kind kind;
    enum protocol protocol;
    unsigned number, key;
    char fqdn[64];
    unsigned different_requests; /* at most this many certificates may exist */
    int64_t asked_s;             /* when the current request was made */
    unsigned transaction;
    struct arena *arena; /* of the current request */
    struct bytes message;
    struct cmp_device cmp;
};

enum { DEVICE_PROTOCOLS = 3 };
static const enum protocol device_protocol[DEVICE_PROTOCOLS] UNUSED = { PROTOCOL_SCEP, PROTOCOL_EST,
                                                                        PROTOCOL_CMP };

void device_init(struct device *d, const char *fqdn, unsigned key);
void device_free(struct device *d);

EVP_PKEY *device_key(const struct device *d);

/* The next request in `arena`: with `again` the one it made before, octet by octet; over CMP, where it goes
 * on with what it began, what comes next. */
void device_request(struct device *d, const struct a_gateway *g, bool again, struct arena *arena,
                    struct http_request *request);

/* The gateway runs the current request once more: after ten minutes EST takes it for a new one. */
void device_runs_again(struct device *d, int64_t now_s);

/* True and the certificate when the answer carries one; it must be over the device's key and name. */
bool device_read(struct device *d, const struct a_gateway *g, const struct http_request *request,
                 const struct http_response *response, struct arena *arena, struct bytes *der);

#endif
