/* The embedded CA: an order becomes a certificate at once. */
#include "ca/ca_internal.h"

static const uint8_t EMPTY_NAME[] = { 0x30, 0x00 };

static bool rejected(struct connector_step *out, const char *why)
{
    *out = (struct connector_step){ .verdict = CONNECTOR_REJECTED, .why = why };
    return true;
}

/* Dates that were asked for. */
static bool fits_profile(const struct ca_order *order)
{
    int64_t from_s = order->not_before_s > order->now_s ? order->not_before_s : order->now_s;

    return order->not_after_s > from_s && order->not_after_s - from_s <= (int64_t)order->profile->validity_s;
}

/* NULL when the order can be served; else why not. */
static const char *order_fault(const struct ca *ca, const struct ca_order *order)
{
    const struct profile *profile = order->profile;

    if (order->now_s < ca->certificate.not_before_s || order->now_s >= ca->certificate.not_after_s)
        return "the CA's own certificate is not valid now";
    if ((profile->key_usage & (KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN)) != 0)
        return "the profile asks for key usages of a CA";
    if (profile->validity_s == 0)
        return "the profile has no validity";
    if (order->not_after_s != 0 && !fits_profile(order))
        return "the dates asked for are not within the profile's validity";
    if (bytes_equal(order->subject, BYTES_ARRAY(EMPTY_NAME)) && order->san.len == 0)
        return "neither subject nor subjectAltName"; /* RFC 5280 4.1.2.6 */
    return NULL;
}

/* Dates of the profile, cut to those of the CA: what outlives its issuer cannot be verified. */
static void set_validity(const struct ca *ca, const struct ca_order *order, struct certificate_template *t)
{
    const struct certificate *issuer = &ca->certificate;

    t->not_before_s = order->now_s - order->profile->backdate_s;
    t->not_after_s = order->now_s + order->profile->validity_s;
    if (order->not_after_s != 0) {
        t->not_before_s = order->not_before_s;
        t->not_after_s = order->not_after_s;
    }
    if (t->not_before_s < issuer->not_before_s)
        t->not_before_s = issuer->not_before_s;
    if (t->not_after_s > issuer->not_after_s)
        t->not_after_s = issuer->not_after_s;
}

static bool local_start(const struct connector_call *call, const struct ca_order *order,
                        struct connector_step *out, struct error *err)
{
    const struct ca *ca = call->ca;
    const char *fault = order_fault(ca, order);
    struct certificate_template t;
    uint8_t serial[CA_SERIAL_LEN], key_id[20];
    struct bytes der;

    if (fault != NULL)
        return rejected(out, fault);
    if (!ca_serial_make(order->now_s, call->random, serial))
        return error_set(err, ERROR_CRYPTO, "no randomness for a serial number");
    if (!ca_template(ca, key_id, &t, err))
        return false;
    set_validity(ca, order, &t);
    t.serial = BYTES_ARRAY(serial);
    t.subject = order->subject;
    t.spki = order->key->spki;
    t.san = order->san;
    t.san_critical = bytes_equal(order->subject, BYTES_ARRAY(EMPTY_NAME));
    t.key_usage = ca_usable_key_usage(order->profile->key_usage, order->key->kind);
    t.extended_key_usage = order->profile->extended_key_usage;
    t.extended_key_usage_count = order->profile->extended_key_usage_count;
    if (!certificate_sign(&t, call->keys, ca->key_name, ca->hash, call->arena, &der, err))
        return error_prefix(err, ca->name);
    *out = (struct connector_step){ .verdict = CONNECTOR_ISSUED, .certificate = der };
    return true;
}

const struct connector ca_local_connector = { .name = "local", .start = local_start };
