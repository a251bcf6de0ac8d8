/* make.c: what was read becomes struct config. */
#include "config/rows_internal.h"

static bool out_of_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "the configuration is too large");
}

/* What check.c saw to be good, so that it cannot fail here for the file's reasons. */
static bool make_listeners(const struct reader *reader, const struct parsed *parsed, struct config *config,
                           struct error *err)
{
    const struct parsed_listener *from = parsed->listeners.item;

    for (size_t i = 0; i < parsed->listeners.count; i++) {
        struct net_listener *to = &config->listener[i];
        const char **range = from[i].proxy_from.item;

        *to = from[i].listener;
        to->tls.enabled = from[i].tls_place.node != 0;
        to->tls.awaited = from[i].renew.awaited;
        if (to->tls.enabled && !reader_has(reader, &from[i].tls_place, "client_certificate"))
            to->tls.client_certificate = from[i].role == LISTENER_DEVICES ? NET_CLIENT_CERTIFICATE_OPTIONAL
                                                                          : NET_CLIENT_CERTIFICATE_REQUIRED;
        for (size_t j = 0; j < from[i].proxy_from.count; j++) {
            if (!ip_range_parse(bytes_text(range[j]), &to->proxy[j]))
                return reader_fault(reader, &from[i].place, "proxy_from", err,
                                    "expected ranges like 10.0.0.0/8; got '%.43s'", range[j]);
        }
        to->proxy_count = from[i].proxy_from.count;
        config->listener_role[i] = from[i].role;
    }
    config->listener_count = parsed->listeners.count;
    return true;
}

static bool make_domains(const struct parsed *parsed, struct config *config, struct error *err)
{
    struct parsed_domain *from = parsed->domains.item;
    const struct domain **list = arena_array(config->arena, parsed->domains.count, sizeof(*list));

    if (list == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < parsed->domains.count; i++) {
        from[i].domain.id = domain_id_of(bytes_text(from[i].domain.name));
        list[i] = &from[i].domain;
    }
    config->domain = list;
    config->domain_count = parsed->domains.count;
    return true;
}

/* What the rooms above get; the gateway adds what outlives a reload. */
static void make_services(const struct parsed *parsed, struct config *config)
{
    config->enroll = (struct enroll_service){ .ca = config->ca,
                                              .ca_count = config->ca_count,
                                              .procedure = config->procedure,
                                              .procedure_count = config->procedure_count,
                                              .transaction_keep_s = parsed->transaction_keep_s,
                                              .pending_keep_s = parsed->pending_keep_s,
                                              .pending_max = parsed->pending_max };
    config->scep.enroll = &config->enroll;
    config->scep.skew_s = parsed->scep_skew_s;
    config->cmp.enroll = &config->enroll;
    config->acme.enroll = &config->enroll;
    config->acme.nonce_valid_s = parsed->acme_nonce_valid_s;
    config->est.enroll = &config->enroll;
    config->est.nonce_valid_s = parsed->nonce_valid_s;
    config->admin = (struct admin_service){ .enroll = &config->enroll,
                                            .domain = config->domain,
                                            .domain_count = config->domain_count,
                                            .act_skew_s = parsed->act_skew_s };
}

static bool make_dns_servers(const struct parsed *parsed, struct config *config, struct error *err)
{
    const char **item = parsed->dns_servers.item;
    struct bytes all = BYTES_NONE;

    for (size_t i = 0; i < parsed->dns_servers.count; i++) {
        all = arena_format(config->arena, "%.*s%s%s", BYTES_FMT(all), i == 0 ? "" : ",", item[i]);
        if (all.data == NULL)
            return error_set(err, ERROR_MEMORY, "DNS servers");
    }
    config->dns_servers = (const char *)all.data;
    return true;
}

bool config_make(const struct reader *reader, struct parsed *parsed, struct config *config, struct error *err)
{
    config->net = parsed->net;
    config->registry = parsed->registry;
    config->workers = parsed->workers;
    config->queue_max = parsed->queue_max;
    config->busy_retry_after_s = parsed->busy_retry_after_s;
    config->log_format = parsed->log_format;
    config->log_level = parsed->log_level;
    config->user = parsed->user;
    if (!config_find_namings(parsed, config->arena, err) || !make_dns_servers(parsed, config, err) ||
        !make_listeners(reader, parsed, config, err) || !make_domains(parsed, config, err) ||
        !config_make_keys(reader, parsed, config, err) || !config_make_cas(reader, parsed, config, err) ||
        !config_make_ras(reader, parsed, config, err) ||
        !config_make_certificates(reader, parsed, config, err) ||
        !config_make_services(reader, parsed, config, err) ||
        !config_make_procedures(reader, parsed, config, err))
        return false;
    make_services(parsed, config);
    if (parsed->default_procedure != NULL)
        config->default_procedure = config_procedure(config, bytes_text(parsed->default_procedure));
    return true;
}
