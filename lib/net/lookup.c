#include "lib/net/lookup_internal.h"

static void add(struct lookup *lookup, const struct ip_address *ip)
{
    size_t at = lookup->count;

    if (!address_allowed(lookup->rules, ip)) {
        lookup->forbidden = true;
        return;
    }
    if (lookup->count == LOOKUP_MAX)
        return;
    while (at > 0 && ip->len < lookup->address[at - 1].len) {
        lookup->address[at] = lookup->address[at - 1];
        at--;
    }
    lookup->address[at] = *ip;
    lookup->count++;
}

static void end(struct lookup *lookup)
{
    if (lookup->count > 0) {
        lookup->fault = NET_OK;
    } else if (lookup->forbidden) {
        lookup->fault = NET_FAULT_ADDRESS;
        lookup->failure = "the address is forbidden";
    } else {
        lookup->fault = lookup->status == DNS_STATUS_OURS ? NET_FAULT_OURS : NET_FAULT_DNS;
        lookup->failure = lookup->status == DNS_STATUS_RECORDS ? "the name has no address"
                                                               : dns_status_text(lookup->status);
    }
    lookup->done(lookup, lookup->user);
}

/* Of two questions, the one that failed says why there is nothing. */
static void on_answer(const struct dns_answer *answer, void *user)
{
    struct lookup *lookup = user;
    struct ip_address ip;

    for (size_t i = 0; i < answer->count; i++)
        if (ip_from_bytes(answer->record[i].value, &ip))
            add(lookup, &ip);
    if (answer->status < lookup->status)
        lookup->status = answer->status;
    if (--lookup->waiting == 0)
        end(lookup);
}

void lookup_start(struct lookup *lookup, struct bytes host, unsigned timeout_ms)
{
    const struct dns_rules rules = { .underscore = true, .single_label = true, .trailing_dot = true };
    struct net_question question = { .type = DNS_TYPE_A, .timeout_ms = timeout_ms };
    struct ip_address ip;

    lookup->count = 0;
    lookup->forbidden = false;
    lookup->status = DNS_STATUS_RECORDS;
    if (ip_parse(host, &ip)) {
        add(lookup, &ip);
        end(lookup);
        return;
    }
    if (dns_name_parse(host, &rules, &question.name) != DNS_OK) {
        lookup->status = DNS_STATUS_NXDOMAIN;
        end(lookup);
        return;
    }
    lookup->waiting = 0;
    if (net_resolver_ask(lookup->resolver, &question, on_answer, lookup, NULL))
        lookup->waiting++;
    question.type = DNS_TYPE_AAAA;
    if (net_resolver_ask(lookup->resolver, &question, on_answer, lookup, NULL))
        lookup->waiting++;
    if (lookup->waiting == 0) {
        lookup->status = DNS_STATUS_OURS;
        end(lookup);
    }
}
