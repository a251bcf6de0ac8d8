#include "bench/registry_rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DER_LEN = 1200 };
static const int64_t NOW_S = 1800000000;

/* --- a registry to throw away --- */
static void remove_registry(const char *directory)
{
    static const char *const file[] = { "data.mdb", "lock.mdb", "daemon.lock" };
    char path[4200];

    for (size_t i = 0; i < COUNT_OF(file); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", directory, file[i]);
        (void)unlink(path);
    }
    (void)rmdir(directory);
}

const char *scratch_directory(void)
{
    const char *directory = getenv("TMPDIR");

    return directory != NULL ? directory : "/tmp";
}

bool scratch_open(const char *directory, struct scratch *out, struct error *err)
{
    struct registry_options options = REGISTRY_OPTIONS_DEFAULT;

    if (snprintf(out->path, sizeof(out->path), "%s/muster-bench-XXXXXX", directory) >=
            (int)sizeof(out->path) ||
        mkdtemp(out->path) == NULL)
        return error_errno(err, "a directory to work in");
    options.path = out->path;
    if (registry_open(&options, &out->registry, err))
        return true;
    remove_registry(out->path);
    return false;
}

void scratch_close(struct scratch *scratch)
{
    registry_close(scratch->registry);
    remove_registry(scratch->path);
}

/* --- registrations --- */
PRINTF(2, 0) static uint8_t print(char out[DNS_NAME_MAX + 1], const char *format, va_list args)
{
    int len = vsnprintf(out, DNS_NAME_MAX + 1, format, args);

    return (uint8_t)(len < 0 ? 0 : len > DNS_NAME_MAX ? DNS_NAME_MAX : len);
}

void rows_text(struct fqdn_pattern *out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    out->len = print(out->text, format, args);
    va_end(args);
}

void rows_name(struct dns_name *out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    out->len = print(out->text, format, args);
    va_end(args);
}

void rows_mixed(uint64_t n, struct fqdn_pattern *out)
{
    rows_text(out,
              n % ROWS_WILD_EVERY == 0 ? "w%08llu-*.site%03u.example.com"
                                       : "router%08llu.site%03u.example.com",
              (unsigned long long)n, (unsigned)(n % 1000));
}

void rows_mixed_name(uint64_t n, struct dns_name *out)
{
    rows_name(out,
              n % ROWS_WILD_EVERY == 0 ? "w%08llu-7.site%03u.example.com"
                                       : "router%08llu.site%03u.example.com",
              (unsigned long long)n, (unsigned)(n % 1000));
}

static void make_registration(uint64_t n, struct domain_id domain, rows_pattern *pattern,
                              struct registration *out)
{
    uint64_t id = 0xcbf29ce484222325u ^ domain.value; /* scattered, as random ids are */
    static const uint8_t sealed[96] = { 1 };

    *out = (struct registration){ .order = ORDER_SCEP,
                                  .procedure = BYTES_LITERAL("routers"),
                                  .domain = domain,
                                  .state = REGISTRATION_OPEN,
                                  .accepted_s = NOW_S,
                                  .protocols = PROTOCOL_BIT(PROTOCOL_SCEP),
                                  .sealed_secret = BYTES_ARRAY(sealed),
                                  .commitment = { { 1 } },
                                  .officer = BYTES_LITERAL("lVHnoJWkhGWXQ8Wb0gWLbRlRhAyyu46jVmT9C0l1fBE") };
    pattern(n, &out->fqdn);
    for (size_t i = 0; i < out->fqdn.len; i++)
        id = (id ^ (uint8_t)out->fqdn.text[i]) * 0x100000001b3u;
    for (size_t i = 0; i < sizeof(n); i++) {
        out->id.bytes[i] = (uint8_t)(id >> (56 - 8 * i));
        out->id.bytes[8 + i] = (uint8_t)(n >> (56 - 8 * i));
    }
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    return b == 0 ? a : gcd(b, a % b);
}

static bool add_rows(struct registry_import *import, struct domain_id domain, rows_pattern *pattern,
                     uint64_t count, struct error *err)
{
    uint64_t step = 7368787, n = 0;

    while (gcd(step, count) != 1)
        step++;
    for (uint64_t i = 0; i < count; i++, n = (n + step) % count) {
        struct registration r;

        make_registration(n, domain, pattern, &r);
        if (!registry_import_add(import, &r, err))
            return false;
    }
    return true;
}

bool rows_import(struct registry *registry, struct domain_id domain, rows_pattern *pattern, uint64_t count,
                 struct error *err)
{
    AUTO_ARENA *arena = arena_new(ROWS_ARENA_MAX);
    struct registry_import *import = NULL;
    struct changes changes;

    if (arena == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (!registry_import_begin(registry, &import, err))
        return false;
    changes_begin(&changes, arena);
    change_audit_append(&changes, AUDIT_ACT, BYTES_LITERAL("{}"));
    if (add_rows(import, domain, pattern, count, err) && registry_import_finish(import, &changes, NOW_S, err))
        return true;
    registry_import_abort(import);
    return false;
}

/* --- certificates --- */
void rows_issuance(uint64_t serial, struct changes *changes)
{
    static const uint8_t der[DER_LEN] = { 0x30 };
    struct certificate_record c = { .id = { .issuer = { { 1 } }, .serial_len = 16 },
                                    .status = CERTIFICATE_GOOD,
                                    .protocol = PROTOCOL_SCEP,
                                    .ca = BYTES_LITERAL("internal"),
                                    .procedure = BYTES_LITERAL("routers"),
                                    .profile = BYTES_LITERAL("device"),
                                    .domain = { 0x6d7573746572 },
                                    .der = BYTES_ARRAY(der),
                                    .issued_s = NOW_S,
                                    .not_after_s = 1900000000 };

    rows_name(&c.fqdn, "router%08llu.example.com", (unsigned long long)serial);
    for (size_t i = 0; i < 8; i++) { /* a time, then something random; the key's hash is random */
        c.id.serial[i] = (uint8_t)(serial >> (56 - 8 * i));
        c.key.bytes[i] = c.id.serial[8 + i] = (uint8_t)((serial * 0x9e3779b97f4a7c15u) >> (56 - 8 * i));
    }
    change_certificate_add(changes, &c);
    change_audit_append(changes, AUDIT_ISSUED, BYTES_LITERAL("{\"fqdn\":\"router\",\"serial\":\"00\"}"));
}
