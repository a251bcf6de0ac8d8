/* order_place.c: an order in the turns of its device: placed, asked for, rejected. */
#include "enroll/confirm_internal.h"
#include "enroll/order_internal.h"

#include "registry/state.h"

static struct state_key listed_key(struct bytes procedure, const struct job_id *id)
{
    return (struct state_key){ .procedure = procedure, .kind = "order", .id = BYTES_ARRAY(id->bytes) };
}

/* --- how many --- */
struct counting {
    const struct ca *ca;
    struct bytes fqdn;
    size_t count, of_one;
};

/* What stands in the list: the CA's name, an octet zero, the FQDN. */
static struct bytes listed_value(const struct course *c, const struct ca *ca)
{
    return arena_format(c->turn->arena, "%s%c%.*s", ca->name, '\0',
                        BYTES_FMT(dns_name_bytes(&c->identity.fqdn)));
}

static bool count_one(const struct state_key *key, const struct state_value *value, void *context)
{
    struct counting *c = context;
    size_t end = bytes_find(value->blob, '\0');

    (void)key;
    if (!bytes_is(bytes_slice(value->blob, 0, end), c->ca->name))
        return true;
    c->count++;
    c->of_one += bytes_equal(bytes_from(value->blob, end + 1), c->fqdn);
    return c->count < c->ca->patience.orders_max && c->of_one < OPEN_OF_ONE_MAX;
}

enum progress order_room(struct course *c, const struct ca *ca, struct error *err)
{
    struct counting counting = { .ca = ca, .fqdn = dns_name_bytes(&c->identity.fqdn) };

    if (ca->connector->resume == NULL) /* it always answers at once */
        return PROGRESS_ON;
    if (c->transaction.status == TRANSACTION_ORDERED) /* for this very request: one is enough */
        return order_pending(c, err);
    if (!registry_state_each(c->turn->view, BYTES_NONE, "order", count_one, &counting, err))
        return PROGRESS_ERROR;
    if (counting.count >= ca->patience.orders_max)
        return course_refuse(c, REFUSAL_CA_UNAVAILABLE, "too many orders are open with the CA");
    return counting.of_one < OPEN_OF_ONE_MAX
               ? PROGRESS_ON
               : course_refuse(c, REFUSAL_CA_UNAVAILABLE,
                               "too many orders of this name are open with the CA");
}

/* --- placing --- */
static struct order order_of(const struct course *c, const struct ca *ca)
{
    const struct registration *r = c->verdict.registration;
    const struct requested *requested = c->e.requested;
    struct order order = {
        .phase = ORDER_PHASE_FETCH,
        .ca = bytes_text(ca->name),
        .procedure = bytes_text(c->e.procedure->name),
        .protocol = c->e.protocol,
        .transaction_id = c->e.transaction_id,
        .deadline_s = c->turn->now_s + (int64_t)ca->patience.order_keep_s,
        .fqdn = c->identity.fqdn,
        .subject = c->names.subject,
        .san = c->names.san,
        .spki = requested->key.spki,
        .repeat_s = c->e.repeat_s,
        .ra_name = c->ra.name,
        .ra = c->ra.id,
        .unknown_count = requested->unknown_attribute_count,
    };

    if (r != NULL) {
        order.registration = r->id;
        order.registration_revision = r->revision;
        order.registration_used = r->one_time && !r->used && !course_renews(c);
    }
    if (course_renews(c))
        order.renews = c->holder.record.id;
    memcpy(order.unknown, requested->unknown_attribute, sizeof(order.unknown));
    return order;
}

enum progress order_place(struct course *c, const struct ca *ca, const struct connector_step *step,
                          struct error *err)
{
    const struct transaction_key key = course_key(c);
    struct job_record job = { .kind = BYTES_LITERAL(ENROLL_ORDER_JOB), .due_s = c->turn->now_s };
    struct transaction t = course_transaction(c, TRANSACTION_ORDERED);
    struct order order = order_of(c, ca);
    /* Longer than the order: its end must find it. */
    uint32_t keep_s = c->service->transaction_keep_s;
    int64_t expires_s = keep_s > 0 ? order.deadline_s + (int64_t)keep_s : 0;
    struct state_value listed = { .blob = listed_value(c, ca), .expires_s = expires_s };
    struct state_key listing;

    if (listed.blob.data == NULL) {
        (void)error_set(err, ERROR_MEMORY, "an order");
        return PROGRESS_ERROR;
    }
    if (!random_fill(&c->turn->random, job.id.bytes, sizeof(job.id.bytes))) {
        (void)error_set(err, ERROR_CRYPTO, "no randomness for an order");
        return PROGRESS_ERROR;
    }
    listing = listed_key(key.procedure, &job.id);
    t.order = job.id;
    t.used_revision = order.registration_used ? order.registration_revision : 0;
    if (!order_take_step(&order, step, c->turn->now_s, err) ||
        !order_encode(&order, c->turn->arena, &job.state, err) ||
        !transaction_put(c->turn, &key, &t, expires_s, err))
        return PROGRESS_ERROR;
    if (order.next_s > 0)
        job.due_s = order.next_s;
    course_bind_what_admitted(c);
    change_job_put(&c->turn->changes, &job);
    change_state_put(&c->turn->changes, &listing, &listed, 0);
    return course_ordered(c, &job.id, order.next_s > 0 ? (unsigned)(order.next_s - c->turn->now_s) : 0,
                          false);
}

bool order_unlist(struct turn *turn, struct bytes procedure, const struct job_id *id, struct error *err)
{
    struct state_key key = listed_key(procedure, id);
    struct state_value value;
    bool found = false;

    if (!registry_state(turn->view, &key, turn->arena, &found, &value, err))
        return false;
    if (found)
        change_state_delete(&turn->changes, &key, value.revision);
    return true;
}

/* --- asking again --- */
enum { ASK_AGAIN_MAX_S = 86400 };

enum progress order_pending(struct course *c, struct error *err)
{
    const struct job_id id = c->transaction.order;
    struct job_record job;
    struct order order;
    int64_t wait_s = 0;
    bool found = false;

    if (!registry_job(c->turn->view, &id, c->turn->arena, &found, &job, err))
        return PROGRESS_ERROR;
    if (found && order_decode(job.state, &order) && order.stage == ORDER_STAGE_WAIT)
        wait_s = order.next_s - c->turn->now_s + 1; /* when the CA has been asked again */
    if (wait_s > ASK_AGAIN_MAX_S)
        wait_s = ASK_AGAIN_MAX_S;
    return course_ordered(c, &id, wait_s > 0 ? (unsigned)wait_s : 0, true);
}

bool course_fetched(struct course *c, struct error *err)
{
    const struct transaction_key key = course_key(c);
    struct transaction t = c->transaction;
    bool confirms = t.confirmation == CONFIRMATION_AWAITED;

    if (!t.unfetched || (c->e.repeat_s == 0 && !confirms))
        return true;
    t.unfetched = false;
    if (confirms && !confirmation_restart(c->turn, &key, &t, err))
        return false;
    return transaction_put(c->turn, &key, &t, confirms ? 0 : c->turn->now_s + (int64_t)c->e.repeat_s, err);
}

enum progress order_rejected(struct course *c, struct error *err)
{
    const char *why = arena_text(c->turn->arena, c->transaction.why);

    if (why == NULL) {
        (void)error_set(err, ERROR_MEMORY, "why the CA rejected an order");
        return PROGRESS_ERROR;
    }
    return course_refuse(c, REFUSAL_CA_REJECTED, why);
}

bool enroll_order_wake(struct turn *turn, const struct job_id *order, struct error *err)
{
    struct job_record job;
    bool found = false;

    if (!registry_job(turn->view, order, turn->arena, &found, &job, err))
        return false;
    if (found) {
        job.due_s = turn->now_s;
        change_job_put(&turn->changes, &job);
    }
    return true;
}
