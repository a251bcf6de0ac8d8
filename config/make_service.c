/* make_service.c: the gateway's own certificates as the jobs see them that renew them: one row a file,
 * whoever names it. */
#include "config/rows_internal.h"

/* One place of the file that names a certificate. */
struct naming {
    const struct reader *reader;
    const struct place *at;
    const char *setting; /* "renew", "tls.renew" */
    const char *kind, *name, *path, *key;
    const struct parsed_renew *renew;
};

static bool out_of_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "the configuration is too large");
}

static struct service_certificate *row_of(struct service_certificate *list, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].path, path) == 0)
            return &list[i];
    return NULL;
}

static uint32_t before_of(const struct parsed_renew *renew)
{
    return renew->before_s > 0 ? renew->before_s : SERVICE_RENEW_BEFORE_S;
}

/* A file that is named twice is renewed once: by whoever says so, and all who say so say the same. */
static bool merge(const struct naming *n, struct service_certificate *row, struct error *err)
{
    if (n->renew->ca == NULL)
        return true;
    if (row->ca != NULL && (strcmp(row->ca, n->renew->ca) != 0 || row->before_s != before_of(n->renew)))
        return reader_fault(n->reader, n->at, n->setting, err,
                            "expected the same as elsewhere for this file: %s renews it from '%s', too",
                            row->what, row->ca);
    row->ca = n->renew->ca;
    row->before_s = before_of(n->renew);
    return true;
}

static bool add(const struct naming *n, struct config *config, struct service_certificate *list,
                struct error *err)
{
    struct service_certificate *row = row_of(list, config->services.count, n->path);
    struct bytes what = arena_format(config->arena, "%s %s", n->kind, n->name);
    struct bytes der[CA_CHAIN_MAX] = { BYTES_NONE };
    size_t count;

    if (row != NULL)
        return merge(n, row, err);
    row = &list[config->services.count];
    if (what.data == NULL)
        return out_of_memory(err);
    if (!config_read_pem(n->reader, n->at, n->setting, n->path, config->arena, der, COUNT_OF(der), &count,
                         err))
        return false;
    *row =
        (struct service_certificate){ .what = (const char *)what.data, .path = n->path, .key_name = n->key };
    if (!certificate_decode(der[0], config->arena, &row->certificate))
        return reader_fault(n->reader, n->at, n->setting, err, "%s: malformed certificate", n->path);
    config->services.count++;
    return merge(n, row, err);
}

static bool add_listeners(const struct reader *reader, const struct parsed *parsed, struct config *config,
                          struct service_certificate *list, struct error *err)
{
    const struct parsed_listener *l = parsed->listeners.item;

    for (size_t i = 0; i < parsed->listeners.count; i++) {
        const struct naming n = { .reader = reader,
                                  .at = &l[i].place,
                                  .setting = "tls.renew",
                                  .kind = "listener",
                                  .name = l[i].listener.name,
                                  .path = l[i].listener.tls.certificate_path,
                                  .key = l[i].listener.tls.key_name,
                                  .renew = &l[i].renew };

        if (l[i].tls_place.node != 0 && !add(&n, config, list, err))
            return false;
    }
    return true;
}

static bool add_ras(const struct reader *reader, const struct items *ras, const char *kind,
                    struct config *config, struct service_certificate *list, struct error *err)
{
    const struct parsed_ra *ra = ras->item;

    for (size_t i = 0; i < ras->count; i++) {
        const struct naming n = { .reader = reader,
                                  .at = &ra[i].place,
                                  .setting = "renew",
                                  .kind = kind,
                                  .name = ra[i].name,
                                  .path = ra[i].certificate,
                                  .key = ra[i].key,
                                  .renew = &ra[i].renew };

        if (!add(&n, config, list, err))
            return false;
    }
    return true;
}

bool config_make_services(const struct reader *reader, const struct parsed *parsed, struct config *config,
                          struct error *err)
{
    size_t max = parsed->listeners.count + parsed->scep_ras.count + parsed->cmp_ras.count;
    struct service_certificate *list = arena_array(config->arena, max > 0 ? max : 1, sizeof(*list));

    if (list == NULL)
        return out_of_memory(err);
    config->services = (struct service_certificates){ .enroll = &config->enroll, .item = list };
    return add_listeners(reader, parsed, config, list, err) &&
           add_ras(reader, &parsed->scep_ras, "scep ra", config, list, err) &&
           add_ras(reader, &parsed->cmp_ras, "cmp ra", config, list, err);
}
