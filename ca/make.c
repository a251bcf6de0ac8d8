/* Making a CA and the gateway's own certificates. */
#include "ca/ca_internal.h"
#include "lib/base/ip.h"
#include "lib/dns/dns_name.h"

/* Clocks of those who will look at a fresh certificate may be this slow. */
enum { BACKDATE_S = 300, SCEP_RA_BITS_MIN = 2048 };

static const uint8_t SERVER_AUTH[] = { 0x2b, 6, 1, 5, 5, 7, 3, 1 }; /* 1.3.6.1.5.5.7.3.1 */
static const uint8_t CLIENT_AUTH[] = { 0x2b, 6, 1, 5, 5, 7, 3, 2 };
static const uint8_t CMC_RA[] = { 0x2b, 6, 1, 5, 5, 7, 3, 28 };
static const uint8_t CM_KGA[] = { 0x2b, 6, 1, 5, 5, 7, 3, 32 };

/* SCEP RA: clients look for digitalSignature and keyEncipherment, some for serverAuth too (SCEP-33). CMP RA:
 * RFC 9810 4.5, 5.3.4. */
static struct service_usages usages_of(enum service_kind kind)
{
    switch (kind) {
    case SERVICE_TLS:
    case SERVICE_SCEP_RA:
        return (struct service_usages){ KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT,
                                        { BYTES_ARRAY(SERVER_AUTH) },
                                        1 };
    case SERVICE_CMP_RA:
        return (struct service_usages){ KEY_USAGE_DIGITAL_SIGNATURE,
                                        { BYTES_ARRAY(CMC_RA), BYTES_ARRAY(CM_KGA) },
                                        2 };
    case SERVICE_OFFICER:
        return (struct service_usages){ KEY_USAGE_DIGITAL_SIGNATURE, { BYTES_ARRAY(CLIENT_AUTH) }, 1 };
    case SERVICE_NONE: break;
    }
    return (struct service_usages){ 0 };
}

struct service_usages ca_service_usages(enum service_kind kind, enum key_kind key)
{
    struct service_usages usages = usages_of(kind);

    usages.key_usage = ca_usable_key_usage(usages.key_usage, key);
    return usages;
}

enum key_kind ca_service_key(enum service_kind kind, unsigned *bits)
{
    *bits = kind == SERVICE_SCEP_RA ? SCEP_RA_BITS_MIN : 0;
    return kind == SERVICE_SCEP_RA ? KEY_RSA : KEY_EC_P256;
}

bool ca_service_subject_put(struct buffer *subject, struct bytes common_name)
{
    const struct name_attribute cn = { .oid = OID_COMMON_NAME, .text = common_name };

    return name_encode(&cn, 1, subject);
}

bool ca_service_host_put(struct buffer *san, struct bytes host)
{
    const struct dns_rules rules = { .single_label = true };
    struct dns_name name;
    struct ip_address ip;

    if (ip_parse(host, &ip))
        general_name_put(san, GENERAL_NAME_IP, ip_bytes(&ip), BYTES_NONE);
    else if (dns_name_parse(host, &rules, &name) == DNS_OK)
        general_name_put(san, GENERAL_NAME_DNS, dns_name_bytes(&name), BYTES_NONE);
    else
        return false;
    return !buffer_failed(san);
}

bool ca_make_root(const struct ca_make *make, const struct keys *keys, const char *key_name,
                  const struct random_source *random, struct arena *arena, struct bytes *der,
                  struct error *err)
{
    struct bytes spki = keys_public(keys, key_name);
    uint8_t serial[CA_SERIAL_LEN];

    if (spki.len == 0)
        return error_set(err, ERROR_NOT_FOUND, "there is no key '%s'", key_name);
    if (!ca_serial_make(make->now_s, random, serial))
        return error_set(err, ERROR_CRYPTO, "no randomness for a serial number");
    return certificate_sign(
        &(struct certificate_template){
            .serial = BYTES_ARRAY(serial),
            .issuer = make->subject,
            .subject = make->subject,
            .not_before_s = make->now_s - BACKDATE_S,
            .not_after_s = make->now_s + make->validity_s,
            .spki = spki,
            .is_ca = true,
            .path_len = -1,
            .key_usage = KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN,
        },
        keys, key_name, DIGEST_NONE, arena, der, err);
}

bool ca_make_service(const struct ca *ca, enum service_kind kind, const struct ca_make *make,
                     struct bytes san, const struct keys *keys, const char *key_name,
                     const struct random_source *random, struct arena *arena, struct bytes *der,
                     struct error *err)
{
    unsigned bits = 0;
    enum key_kind key = keys_kind(keys, key_name, &bits);
    struct service_usages usages = ca_service_usages(kind, key);
    struct bytes spki = keys_public(keys, key_name);
    struct certificate_template t;
    uint8_t serial[CA_SERIAL_LEN], key_id[20];

    if (spki.len == 0)
        return error_set(err, ERROR_NOT_FOUND, "there is no key '%s'", key_name);
    if (kind == SERVICE_SCEP_RA && (key != KEY_RSA || bits < SCEP_RA_BITS_MIN))
        return error_set(err, ERROR_FORMAT, "a SCEP RA needs an RSA key of %d bits or more",
                         SCEP_RA_BITS_MIN);
    if (usages.key_usage == 0 || !ca_is_local(ca))
        return error_set(err, ERROR_UNSUPPORTED, "CA '%s' makes no certificate of that kind", ca->name);
    if (!ca_serial_make(make->now_s, random, serial))
        return error_set(err, ERROR_CRYPTO, "no randomness for a serial number");
    if (!ca_template(ca, key_id, &t, err))
        return false;
    t.serial = BYTES_ARRAY(serial);
    t.subject = make->subject;
    t.not_before_s = make->now_s - BACKDATE_S;
    t.not_after_s = make->now_s + make->validity_s;
    if (t.not_after_s > ca->certificate.not_after_s)
        t.not_after_s = ca->certificate.not_after_s;
    t.spki = spki;
    t.san = san;
    t.key_usage = usages.key_usage;
    t.extended_key_usage = usages.extended_key_usage;
    t.extended_key_usage_count = usages.extended_key_usage_count;
    return certificate_sign(&t, keys, ca->key_name, ca->hash, arena, der, err);
}
