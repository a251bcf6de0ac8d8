/* Orders (RFC 8555 7.1.3, 7.4): made, judged, shown. */
#include "proto/acme/order_internal.h"

enum { ORDER_GRACE_S = 7 * 86400 /* an order that is over can be looked at for so long */ };

/* --- judging --- */
static void fail(struct acme_order *order, enum acme_problem problem, struct bytes detail)
{
    order->status = ACME_ORDER_INVALID;
    order->fault = (struct acme_fault){ .is = true, .problem = problem, .detail = detail };
}

static void fail_by(struct acme_order *order, const struct acme_authz *authz)
{
    for (unsigned i = 0; i < ACME_CHALLENGE_COUNT; i++) {
        const struct acme_challenge_state *challenge = &authz->challenge[i];

        if (challenge->offered && challenge->status == ACME_CHALLENGE_INVALID && challenge->fault.is) {
            fail(order, challenge->fault.problem, challenge->fault.detail);
            return;
        }
    }
    fail(order, ACME_UNAUTHORIZED, BYTES_LITERAL("an authorization is not valid any more"));
}

bool acme_order_judge(struct acme_call *c, struct acme_order *order, struct error *err)
{
    bool ready = true;

    if (order->status != ACME_ORDER_PENDING)
        return true;
    if (order->expires_s <= c->turn->now_s) {
        fail(order, ACME_MALFORMED, BYTES_LITERAL("the order's time is over"));
        return true;
    }
    for (size_t i = 0; i < order->authz_count; i++) {
        struct acme_authz authz;
        bool found = false;

        if (!acme_authz_read(c->turn, bytes_text(c->procedure->name), &order->authz[i], &found, &authz, err))
            return false;
        if (!found || authz.expires_s <= c->turn->now_s ||
            (authz.status != ACME_AUTHZ_VALID && authz.status != ACME_AUTHZ_PENDING)) {
            fail_by(order, found ? &authz : &(struct acme_authz){ 0 });
            return true;
        }
        ready = ready && authz.status == ACME_AUTHZ_VALID;
    }
    order->status = ready ? ACME_ORDER_READY : ACME_ORDER_PENDING;
    return true;
}

enum acme_progress acme_own_order(struct acme_call *c, struct acme_order *out, struct error *err)
{
    bool found = false;

    if (!acme_order_read(c->turn, c->procedure, &c->resource.id, true, &found, out, err))
        return ACME_ERROR;
    return found && acme_id_equal(&out->account, &c->account.id) ? ACME_ON : acme_not_found(c, err);
}

/* --- the object --- */
static bool is_among(const struct acme_id *list, size_t count, const struct acme_id *id)
{
    for (size_t i = 0; i < count; i++)
        if (acme_id_equal(&list[i], id))
            return true;
    return false;
}

static bool put_lists(struct acme_call *c, const struct acme_order *order, json_t *object)
{
    AUTO(json_t) *identifiers = json_array();
    AUTO(json_t) *authorizations = json_array();

    for (size_t i = 0; i < order->identifier_count; i++)
        if (!json_push(identifiers, acme_identifier_json(&order->identifier[i], true)))
            return false;
    for (size_t i = 0; i < order->authz_count; i++)
        if (!is_among(order->authz, i, &order->authz[i]) &&
            !json_push(authorizations, json_of_bytes(acme_call_url_of(c, "authz", &order->authz[i], ""))))
            return false;
    return json_put(object, "identifiers", take(identifiers)) &&
           json_put(object, "authorizations", take(authorizations));
}

static bool put_certificate(struct acme_call *c, const struct acme_order *order, json_t *object)
{
    const char *word = order->star.is ? "star-certificate" : "certificate";

    return json_put_text(object, word, acme_call_url_of(c, word, &order->id, ""));
}

enum acme_progress acme_respond_order(struct acme_call *c, int status, const struct acme_order *order,
                                      struct error *err)
{
    static const char *const statuses[] = {
        [ACME_ORDER_PENDING] = "pending",       [ACME_ORDER_READY] = "ready",
        [ACME_ORDER_PROCESSING] = "processing", [ACME_ORDER_VALID] = "valid",
        [ACME_ORDER_INVALID] = "invalid",       [ACME_ORDER_CANCELED] = "canceled"
    };
    AUTO(json_t) *object = json_object();

    if (!json_put(object, "status", json_string(statuses[order->status])) ||
        !acme_put_time(object, "expires", order->expires_s) || !put_lists(c, order, object) ||
        !json_put_text(object, "finalize", acme_call_url_of(c, "order", &order->id, "/finalize")) ||
        (order->profile.len > 0 && !json_put_text(object, "profile", order->profile)) ||
        (order->replaces.len > 0 && !json_put_text(object, "replaces", order->replaces)) ||
        (order->star.is && !acme_put_star(&order->star, object)) ||
        (order->status == ACME_ORDER_VALID && !put_certificate(c, order, object)) ||
        (order->status == ACME_ORDER_INVALID && order->fault.is &&
         !json_put(object, "error", acme_fault_json(&order->fault, NULL)))) {
        (void)error_set(err, ERROR_MEMORY, "no memory for an order");
        return ACME_ERROR;
    }
    if (!acme_add_header(c, "Location", acme_call_url_of(c, "order", &order->id, ""), err))
        return ACME_ERROR;
    return acme_respond(c, status, take(object), err);
}

enum acme_progress acme_order_serve(struct acme_call *c, struct error *err)
{
    struct acme_order order;
    enum acme_progress progress = acme_own_order(c, &order, err);

    if (progress != ACME_ON)
        return progress;
    if (!c->reads)
        return acme_star_cancel(c, &order, err);
    if (order.status == ACME_ORDER_PROCESSING)
        return acme_go_on(c, &order, err);
    return acme_order_judge(c, &order, err) ? acme_respond_order(c, 200, &order, err) : ACME_ERROR;
}

/* --- newOrder --- */
static bool is_offered(const struct procedure *p, struct bytes name)
{
    if (bytes_is(name, p->profile->name))
        return true;
    for (size_t i = 0; i < p->acme_profile_count; i++)
        if (bytes_is(name, p->acme_profile[i]->name))
            return true;
    return false;
}

/* The one asked for; without a choice to be made none is shown (ACME-122). */
static enum acme_progress choose_profile(struct acme_call *c, struct acme_order *order, struct error *err)
{
    const struct procedure *p = c->procedure;
    const json_t *asked = json_object_get(c->payload, "profile");
    struct bytes name = json_bytes(asked);

    if (asked == NULL) {
        if (p->acme_profile_count > 0)
            order->profile = bytes_text(p->profile->name);
        return ACME_ON;
    }
    if (p->acme_profile_count == 0 || !is_offered(p, name))
        return acme_refuse(c, ACME_INVALID_PROFILE, "there is no such profile", err);
    order->profile = name;
    return ACME_ON;
}

static enum acme_progress read_replaces(struct acme_call *c, struct acme_order *order, struct error *err)
{
    const json_t *asked = json_object_get(c->payload, "replaces");

    if (asked == NULL)
        return ACME_ON;
    order->replaces = json_bytes(asked);
    return acme_judge_replaces(c, order->replaces, order->identifier, order->identifier_count, err);
}

static enum acme_progress read_order(struct acme_call *c, struct acme_order *order,
                                     struct dns_name **ancestor, bool *pre_authorised, struct error *err)
{
    enum acme_progress progress;

    if (json_object_get(c->payload, "notBefore") != NULL || json_object_get(c->payload, "notAfter") != NULL)
        return acme_refuse(c, ACME_MALFORMED, "the profile decides about notBefore and notAfter", err);
    progress = acme_read_identifiers(c, &order->identifier, ancestor, &order->identifier_count, err);
    if (progress == ACME_ON)
        progress = choose_profile(c, order, err);
    if (progress == ACME_ON)
        progress = acme_star_read(c, order, err);
    if (progress == ACME_ON)
        progress = acme_judge_names(c, order->identifier, order->identifier_count, pre_authorised, err);
    return progress == ACME_ON ? read_replaces(c, order, err) : progress;
}

/* Where `id` was authorized in this order before; `count`: nowhere. */
static size_t place_of(const struct acme_identifier *authorized, size_t count,
                       const struct acme_identifier *id)
{
    size_t i = 0;

    while (i < count && !acme_identifier_equal(&authorized[i], id))
        i++;
    return i;
}

static bool authorize_one(struct acme_call *c, struct acme_order *order, const struct acme_identifier *id,
                          bool pre_authorised, struct error *err)
{
    struct acme_authz authz;
    bool made = false;

    if (!acme_authz_for(c, id, pre_authorised, &authz, &made, err))
        return false;
    order->authz[order->authz_count++] = authz.id;
    if (authz.status != ACME_AUTHZ_VALID)
        order->status = ACME_ORDER_PENDING;
    if (authz.expires_s < order->expires_s)
        order->expires_s = authz.expires_s;
    return true;
}

/* One for each identifier, in their order; of an ancestor's it may be the same one several times. */
static bool authorize(struct acme_call *c, struct acme_order *order, const struct dns_name *ancestor,
                      bool pre_authorised, struct error *err)
{
    struct acme_identifier *authorized = arena_array(c->turn->arena, order->identifier_count,
                                                     sizeof(*authorized));

    order->authz = arena_array(c->turn->arena, order->identifier_count, sizeof(*order->authz));
    if (order->authz == NULL || authorized == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for an order");
    order->status = ACME_ORDER_READY;
    for (size_t i = 0; i < order->identifier_count; i++) {
        const struct acme_identifier *id = &order->identifier[i];
        size_t place;

        authorized[i] = *id;
        if (!pre_authorised && !acme_choose_authorized(c, id, &ancestor[i], &authorized[i], err))
            return false;
        place = place_of(authorized, i, &authorized[i]);
        if (place < i)
            order->authz[order->authz_count++] = order->authz[place];
        else if (!authorize_one(c, order, &authorized[i], pre_authorised, err))
            return false;
    }
    return true;
}

static bool put_order(struct acme_call *c, const struct acme_order *order, struct error *err)
{
    struct acme_order stored = *order;

    stored.status = ACME_ORDER_PENDING;
    return acme_order_put(c->turn, c->procedure, &stored, err);
}

enum acme_progress acme_new_order(struct acme_call *c, struct error *err)
{
    const struct procedure *p = c->procedure;
    struct acme_order order = { .account = c->account.id, .created_s = c->turn->now_s };
    struct dns_name *ancestor = NULL;
    enum acme_progress progress;
    bool pre_authorised = false;

    if (!acme_terms_agreed(c, c->account.terms))
        return acme_refuse_terms(c, err);
    order.expires_s = c->turn->now_s +
                      (int64_t)(p->acme_order_s > 0 ? p->acme_order_s : ACME_ORDER_DEFAULT_S);
    progress = read_order(c, &order, &ancestor, &pre_authorised, err);
    if (progress == ACME_ON)
        progress = acme_order_room(c, err);
    if (progress != ACME_ON)
        return progress;
    if (!acme_account_touch(c, err) || !acme_id_make(c->turn, &order.id, err) ||
        !authorize(c, &order, ancestor, pre_authorised, err))
        return ACME_ERROR;
    order.keep_s = order.expires_s + ORDER_GRACE_S;
    return put_order(c, &order, err) ? acme_respond_order(c, 201, &order, err) : ACME_ERROR;
}
