/* make_service.c: the gateway's own certificates as the jobs see them that renew them: one row a file,
 * whoever names it. */
#include "config/rows_internal.h"

static bool out_of_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "the configuration is too large");
}

struct row {
    struct service_certificate *certificate;
    const struct parsed_renew *renew; /* of whoever says first that it is renewed */
};

static size_t row_of(const struct service_certificates *all, const char *path)
{
    size_t i = 0;

    while (i < all->count && strcmp(all->item[i].path, path) != 0)
        i++;
    return i;
}

static uint32_t before_of(const struct parsed_renew *renew)
{
    return renew->before_s > 0 ? renew->before_s : SERVICE_RENEW_BEFORE_S;
}

static bool same_names(const struct items *a, const struct items *b)
{
    const char **x = a->item, **y = b->item;

    for (size_t i = 0; a->count == b->count && i < a->count; i++)
        if (strcmp(x[i], y[i]) != 0)
            return false;
    return a->count == b->count;
}

/* A file that is named twice is renewed once: by whoever says so, and all who say so say the same. */
static bool merge(const struct reader *reader, const struct naming *n, struct row *row, struct error *err)
{
    struct service_certificate *s = row->certificate;

    if (n->renew->ca == NULL)
        return true;
    if (row->renew != NULL && (strcmp(s->ca, n->renew->ca) != 0 || s->before_s != before_of(n->renew) ||
                               !same_names(&row->renew->names, &n->renew->names)))
        return reader_fault(reader, n->at, n->setting, err,
                            "expected the same as elsewhere for this file: %s renews it from '%s', too",
                            s->what, s->ca);
    s->ca = n->renew->ca;
    s->before_s = before_of(n->renew);
    row->renew = n->renew;
    return true;
}

static bool read_certificate(const struct reader *reader, const struct naming *n, struct config *config,
                             struct certificate *out, struct error *err)
{
    struct bytes der[CA_CHAIN_MAX] = { BYTES_NONE };
    size_t count;

    return config_read_pem(reader, n->at, n->setting, n->path, config->arena, der, COUNT_OF(der), &count,
                           err) &&
           (certificate_decode(der[0], config->arena, out) ||
            reader_fault(reader, n->at, n->setting, err, "%s: malformed certificate", n->path));
}

static bool add(const struct reader *reader, const struct parsed *parsed, const struct naming *n,
                struct config *config, struct row *row, struct error *err)
{
    struct bytes what = arena_format(config->arena, "%s %s", n->noun, n->name);
    struct service_certificate *s = &config->service_row[config->services.count];

    if (what.data == NULL)
        return out_of_memory(err);
    *s = (struct service_certificate){ .what = (const char *)what.data, .path = n->path, .key_name = n->key };
    if (!(n->renew->awaited ? config_make_first(reader, parsed, n, config, &s->certificate, err)
                            : read_certificate(reader, n, config, &s->certificate, err)))
        return false;
    *row = (struct row){ .certificate = s };
    config->services.count++;
    return true;
}

bool config_make_services(const struct reader *reader, const struct parsed *parsed, struct config *config,
                          struct error *err)
{
    const struct namings *all = &parsed->namings;
    struct row *row = arena_array(config->arena, all->count + 1, sizeof(*row));

    config->service_row = arena_array(config->arena, all->count + 1, sizeof(*config->service_row));
    if (row == NULL || config->service_row == NULL)
        return out_of_memory(err);
    config->services = (struct service_certificates){ .enroll = &config->enroll,
                                                      .item = config->service_row };
    for (size_t i = 0; i < all->count; i++) {
        const struct naming *n = &all->item[i];
        size_t at = row_of(&config->services, n->path);

        if ((at == config->services.count && !add(reader, parsed, n, config, &row[at], err)) ||
            !merge(reader, n, &row[at], err))
            return false;
    }
    return true;
}
