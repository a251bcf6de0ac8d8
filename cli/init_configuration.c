#include "cli/init.h"

/* In a URL an IPv6 address stands in brackets. */
static bool is_ipv6(const char *host)
{
    struct ip_address ip;

    return ip_parse(bytes_text(host), &ip) && ip.len == 16;
}

static void put_listeners(const struct init_options *o, const char *host, struct buffer *out)
{
    const char *open = is_ipv6(host) ? "[" : "", *close = is_ipv6(host) ? "]" : "";
    struct ip_address ip;
    const char *address = ip_parse(bytes_text(host), &ip) ? host : "0.0.0.0";

    buffer_format(out,
                  "listeners:\n"
                  "  - name: plain               # SCEP, CMP, certificate lists\n"
                  "    address: \"%s\"\n"
                  "    port: %u\n"
                  "    role: devices\n"
                  "    base_url: http://%s%s%s:%u\n"
                  "  - name: tls                 # EST, ACME, SCEP, CMP\n"
                  "    address: \"%s\"\n"
                  "    port: %u\n"
                  "    role: devices\n"
                  "    base_url: https://%s%s%s:%u\n"
                  "    tls:\n"
                  "      certificate: tls.pem\n"
                  "      key: tls\n"
                  "      client_certificate: optional\n"
                  "      renew: { ca: %s }          # 30 days before its end, over the same key\n",
                  address, o->http_port, open, host, close, o->http_port, address, o->tls_port, open, host,
                  close, o->tls_port, o->ca_name);
    buffer_format(out,
                  "  - name: administration      # officers alone\n"
                  "    address: \"%s\"\n"
                  "    port: %u\n"
                  "    role: administration\n"
                  "    base_url: https://%s%s%s:%u   # signed acts name this place\n"
                  "    tls: { certificate: tls.pem, key: tls, client_certificate: required }\n\n",
                  address, o->admin_port, open, host, close, o->admin_port);
}

bool init_configuration(const struct init_options *o, const char *host, const char *ca_key,
                        struct buffer *out)
{
    const char *open = is_ipv6(host) ? "[" : "", *close = is_ipv6(host) ? "]" : "";

    buffer_append_text(out, "# Made by `muster init`. docs/configuration.md explains every setting;\n"
                            "# `musterd --config FILE --check` validates a change.\n\n"
                            "registry:\n  path: registry\n\n");
    put_listeners(o, host, out);
    buffer_format(out,
                  "keys:\n"
                  "  - { name: ca, uri: \"%s\" }\n"
                  "  - { name: tls, uri: keys/tls.pem }\n"
                  "  - { name: scep-ra, uri: keys/scep-ra.pem }\n"
                  "  - { name: cmp-ra, uri: keys/cmp-ra.pem }\n\n"
                  "secrets_keys:\n"
                  "  - { id: k1, file: keys/secrets.key }\n\n"
                  "cas:\n"
                  "  - name: %s\n"
                  "    kind: local\n"
                  "    chain: [ca.pem]\n"
                  "    key: ca\n"
                  "    crl: { url: [\"http://%s%s%s:%u/crl/%s.crl\"], validity: 7d, refresh: 1d }\n\n",
                  ca_key, o->ca_name, open, host, close, o->http_port, o->ca_name);
    buffer_format(out,
                  "profiles:\n"
                  "  - name: device\n"
                  "    validity: 365d\n"
                  "    backdate: 5m\n"
                  "    key_usage: [digital_signature, key_encipherment]\n"
                  "    extended_key_usage: [client_auth, server_auth]\n"
                  "    subject: registration\n"
                  "    san: request\n"
                  "    keys: { rsa_min: 2048, rsa_max: 8192, curves: [p256, p384, p521] }\n\n"
                  "domains:\n"
                  "  - { name: %s, match: any }\n\n"
                  "scep_ras:\n"
                  "  - { name: scep-ra, key: scep-ra, certificate: scep-ra.pem, renew: { ca: %s } }\n\n"
                  "cmp_ras:\n"
                  "  - { name: cmp-ra, key: cmp-ra, certificate: cmp-ra.pem, renew: { ca: %s } }\n\n",
                  o->domain, o->ca_name, o->ca_name);
    buffer_format(out,
                  "procedures:\n"
                  "  - name: %s\n"
                  "    domain: %s\n"
                  "    ca: %s\n"
                  "    profile: device\n"
                  "    protocols: [scep, est, cmp, acme]\n"
                  "    approval: %s\n"
                  "    dialect: default\n"
                  "    est: { basic: true, digest: true, client_certificate: true }\n"
                  "    scep: { ra: scep-ra }\n"
                  "    cmp: { ra: cmp-ra }\n"
                  "    acme: { binding: true, challenges: [http-01, dns-01, tls-alpn-01] }\n"
                  "    renewal: { enabled: true, window: 0, grace: 0 }\n\n"
                  "default_procedure: %s\n",
                  o->procedure, o->domain, o->ca_name, o->manual_approval ? "manual" : "none", o->procedure);
    return !buffer_failed(out);
}
