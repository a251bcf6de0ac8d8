/* STAR (RFC 8739): what an order may ask for, how its certificate is fetched, and how it is canceled. The job
 * that makes the certificates is in star_job.c. */
#include "proto/acme/order_internal.h"

#include "lib/base/clock.h"

bool acme_star_offered(const struct acme_call *c)
{
    const struct ca *ca = c->procedure->acme_star ? enroll_ca(c->service->enroll, c->procedure) : NULL;

    return ca != NULL && ca_is_local(ca);
}

/* --- newOrder (3.1.1) --- */
static const struct profile *profile_of(const struct acme_call *c, const struct acme_order *order)
{
    const struct profile *profile = acme_order_profile(c, order);

    return profile != NULL ? profile : c->procedure->profile;
}

static bool read_seconds(const json_t *object, const char *name, bool required, uint32_t *out)
{
    const json_t *asked = json_object_get(object, name);
    json_int_t number = json_integer_value(asked);

    if (asked == NULL)
        return !required;
    if (!json_is_integer(asked) || number < 0 || number > UINT32_MAX)
        return false;
    *out = (uint32_t)number;
    return true;
}

static bool read_dates(const json_t *asked, struct acme_star *out)
{
    return clock_parse(json_member(asked, "end-date"), &out->end_s) &&
           (json_object_get(asked, "start-date") == NULL ||
            (clock_parse(json_member(asked, "start-date"), &out->start_s) && out->start_s > 0));
}

/* NULL: *out is what is granted. */
static const char *read_star(const struct acme_call *c, const json_t *asked, struct acme_star *out)
{
    const json_t *get = json_object_get(asked, "allow-certificate-get");

    if (!json_is_object(asked))
        return "auto-renewal is an object";
    if (!read_dates(asked, out))
        return "auto-renewal needs an end-date, and its dates are those of RFC 3339";
    if (!read_seconds(asked, "lifetime", true, &out->lifetime_s) ||
        !read_seconds(asked, "lifetime-adjust", false, &out->adjust_s))
        return "auto-renewal needs a lifetime, in seconds, as lifetime-adjust is";
    if (get != NULL && !json_is_boolean(get))
        return "allow-certificate-get is true or false";
    out->get = json_is_true(get) && c->procedure->acme_star_get;
    return NULL;
}

static const char *bounds_fault(const struct acme_call *c, const struct acme_star *star)
{
    int64_t longest_s = (int64_t)acme_star_duration_max(c->procedure), now_s = c->turn->now_s;
    int64_t from_s = star->start_s > now_s ? star->start_s : now_s;

    if (star->end_s <= from_s)
        return "end-date is over, or not after start-date";
    if (star->end_s - from_s > longest_s || from_s - now_s > longest_s)
        return "end-date or start-date is too far away: max-duration says how far it may be";
    if (star->lifetime_s < acme_star_lifetime_min(c->procedure))
        return "lifetime is shorter than min-lifetime";
    return star->adjust_s > star->lifetime_s ? "lifetime-adjust is longer than lifetime" : NULL;
}

/* A device says anew for each certificate which key it holds: nobody asks it when one follows by itself. */
static bool names_device(const struct acme_order *order)
{
    for (size_t i = 0; i < order->identifier_count; i++)
        if (order->identifier[i].type == ACME_IDENTIFIER_DEVICE)
            return true;
    return false;
}

/* A lifetime beyond the profile's is granted as the profile's. */
enum acme_progress acme_star_read(struct acme_call *c, struct acme_order *order, struct error *err)
{
    const json_t *asked = json_object_get(c->payload, "auto-renewal");
    uint32_t longest_s = profile_of(c, order)->validity_s;
    struct acme_star star = { .is = true };
    const char *fault;

    if (asked == NULL)
        return ACME_ON;
    if (!acme_star_offered(c))
        return acme_refuse(c, ACME_MALFORMED, "auto-renewal is not offered", err);
    if (names_device(order))
        return acme_refuse(c, ACME_MALFORMED, "there is no auto-renewal for devices", err);
    fault = read_star(c, asked, &star);
    if (fault == NULL)
        fault = bounds_fault(c, &star);
    if (fault != NULL)
        return acme_refuse(c, ACME_MALFORMED, fault, err);
    star.lifetime_s = star.lifetime_s < longest_s ? star.lifetime_s : longest_s;
    star.adjust_s = star.adjust_s < star.lifetime_s ? star.adjust_s : star.lifetime_s;
    order->star = star;
    return ACME_ON;
}

bool acme_put_star(const struct acme_star *star, json_t *object)
{
    AUTO(json_t) *made = json_object();

    return (star->start_s == 0 || acme_put_time(made, "start-date", star->start_s)) &&
           acme_put_time(made, "end-date", star->end_s) &&
           json_put(made, "lifetime", json_integer(star->lifetime_s)) &&
           (star->adjust_s == 0 || json_put(made, "lifetime-adjust", json_integer(star->adjust_s))) &&
           (!star->get || json_put(made, "allow-certificate-get", json_true())) &&
           json_put(object, "auto-renewal", take(made));
}

/* --- dates (3.5) --- */
bool acme_star_dates(const struct acme_call *c, const struct acme_order *order, int64_t *not_before_s,
                     int64_t *not_after_s)
{
    const struct profile *profile = profile_of(c, order);
    const struct acme_star *star = &order->star;
    int64_t from_s = star->start_s > c->turn->now_s ? star->start_s : c->turn->now_s;
    uint32_t lifetime_s = star->lifetime_s < profile->validity_s ? star->lifetime_s : profile->validity_s;
    uint32_t pad_s = star->adjust_s > profile->backdate_s ? star->adjust_s : profile->backdate_s;

    *not_before_s = from_s - pad_s > star->start_s ? from_s - pad_s : star->start_s;
    *not_after_s = from_s + lifetime_s < star->end_s ? from_s + lifetime_s : star->end_s;
    return *not_after_s > from_s;
}

/* --- cancelation (3.1.2) --- */
enum acme_progress acme_star_cancel(struct acme_call *c, struct acme_order *order, struct error *err)
{
    char text[ACME_ID_TEXT_LEN + 1];

    if (!order->star.is)
        return acme_refuse(c, ACME_MALFORMED, "the payload must be empty", err);
    if (!bytes_is(json_member(c->payload, "status"), "canceled"))
        return acme_refuse(c, ACME_MALFORMED, "an order can be canceled, nothing else", err);
    if (order->status != ACME_ORDER_VALID || order->star.end_s <= c->turn->now_s)
        return acme_refuse(c, ACME_AUTO_RENEWAL_CANCELLATION_INVALID, "the order is not valid", err);
    order->status = ACME_ORDER_CANCELED;
    order->star.renew_s = 0;
    acme_id_format(&order->id, text);
    return acme_order_put(c->turn, c->procedure, order, err) &&
                   acme_audit_account(c, &c->account, "canceled", bytes_text(text), err)
               ? acme_respond_order(c, 200, order, err)
               : ACME_ERROR;
}

/* --- fetching (3.3, 3.4) --- */
/* HTTP-date, RFC 9110 5.6.7. */
static bool put_date(struct acme_call *c, const char *name, int64_t time_s, struct error *err)
{
    static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct calendar at;

    calendar_of(time_s, &at);
    return acme_add_header(c, name,
                           arena_format(c->turn->arena, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                        days[(time_s / 86400) % 7], at.day, months[at.month - 1], at.year,
                                        at.hour, at.minute, at.second),
                           err);
}

/* Why it has no certificate any more; the order is one of STAR and had one. */
static enum acme_progress refuse_what_is_over(struct acme_call *c, const struct acme_order *order,
                                              struct error *err)
{
    const char *detail = arena_text(c->turn->arena, order->fault.detail);

    if (order->status == ACME_ORDER_CANCELED)
        return acme_refuse(c, ACME_AUTO_RENEWAL_CANCELED, "the order was canceled", err);
    if (order->status != ACME_ORDER_INVALID)
        return acme_refuse(c, ACME_AUTO_RENEWAL_EXPIRED, "the order's end-date has come", err);
    return acme_refuse_with(c,
                            &(struct acme_refusal){ .problem = order->fault.problem,
                                                    .status = 403,
                                                    .detail = detail != NULL ? detail : "no certificate" },
                            err);
}

static enum acme_progress fetch(struct acme_call *c, const struct acme_order *order, struct error *err)
{
    struct certificate_record record = { 0 };
    enum acme_progress progress;

    if (!order->star.is || order->certificate.serial_len == 0)
        return acme_not_found(c, err);
    if (order->status != ACME_ORDER_VALID || order->star.end_s <= c->turn->now_s)
        return refuse_what_is_over(c, order, err);
    progress = acme_respond_certificate(c, order, &record, err);
    if (progress != ACME_ANSWERED || c->response->status != 200)
        return progress;
    return put_date(c, "Cert-Not-Before", record.not_before_s, err) &&
                   put_date(c, "Cert-Not-After", record.not_after_s, err)
               ? ACME_ANSWERED
               : ACME_ERROR;
}

enum acme_progress acme_star_certificate(struct acme_call *c, struct error *err)
{
    struct acme_order order;
    enum acme_progress progress = acme_own_order(c, &order, err);

    return progress == ACME_ON ? fetch(c, &order, err) : progress;
}

/* By whoever knows the URL, which nobody guesses. */
enum acme_progress acme_star_get(struct acme_call *c, struct error *err)
{
    struct acme_order order = { 0 };
    bool found = false;

    if (!acme_order_read(c->turn, c->procedure, &c->resource.id, false, &found, &order, err))
        return ACME_ERROR;
    if (!found || !order.star.get)
        return acme_not_allowed(c, "POST", err);
    return fetch(c, &order, err);
}
