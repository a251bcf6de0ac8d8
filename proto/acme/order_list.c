/* The orders of an account: how many may be open, and their list (RFC 8555 7.1.2.1). */
#include "proto/acme/order_internal.h"

#include "lib/base/encode.h"

enum { ORDERS_PAGE = 100 };

/* --- the lists of earlier versions --- */
static enum acme_progress read_old(struct acme_call *c, struct acme_list **out, struct error *err)
{
    *out = arena_alloc(c->turn->arena, sizeof(**out));
    if (*out == NULL) {
        (void)error_set(err, ERROR_MEMORY, "no memory for a list of orders");
        return ACME_ERROR;
    }
    return acme_list_read(c->turn, c->procedure, "acme-orders", acme_id_bytes(&c->account.id), *out, err)
               ? ACME_ON
               : ACME_ERROR;
}

/* What such a list names has its places from now on, and the list is gone: once for each account. */
static bool take_over(struct acme_call *c, const struct acme_list *list, unsigned *open, struct error *err)
{
    const struct state_key key = { .procedure = bytes_text(c->procedure->name),
                                   .kind = "acme-orders",
                                   .id = acme_id_bytes(&c->account.id) };

    *open = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct acme_order order;
        bool found = false;

        if (!acme_order_read(c->turn, c->procedure, &list->id[i], false, &found, &order, err))
            return false;
        if (!found)
            continue;
        if (acme_order_open_s(&order) > c->turn->now_s) { /* who closes it meanwhile comes first */
            acme_order_assume(c->turn, c->procedure, &order);
            ++*open;
        }
        acme_order_enlist(c->turn, c->procedure, &order, 0);
    }
    change_state_delete(&c->turn->changes, &key, list->revision);
    return true;
}

/* --- room for one more --- */
enum acme_progress acme_order_room(struct acme_call *c, struct error *err)
{
    const struct state_key key = acme_open_key(c->procedure, &c->account.id);
    const unsigned max = acme_orders_max(c->procedure);
    struct acme_list *old;
    enum acme_progress progress = read_old(c, &old, err);
    unsigned open = 0;
    bool room = false;

    if (progress != ACME_ON)
        return progress;
    if ((old->revision > 0 && !take_over(c, old, &open, err)) ||
        !registry_places_room(c->turn->view, &key, max, c->turn->now_s, &room, err))
        return ACME_ERROR;
    if (room && open < max)
        return ACME_ON;
    return acme_refuse_for_now(c, "the account has too many open orders", err);
}

/* --- the list --- */
struct page {
    uint8_t member[ORDERS_PAGE][ACME_LISTED_LEN];
    size_t count;
    bool more;
};

static bool put_on_page(struct bytes member, int64_t expires_s, void *context)
{
    struct page *page = context;

    (void)expires_s;
    page->more = page->count == ORDERS_PAGE;
    if (!page->more && member.len == ACME_LISTED_LEN)
        memcpy(page->member[page->count++], member.data, ACME_LISTED_LEN);
    return !page->more;
}

/* The last place of the page before; none: from the start. */
static bool page_start(const struct acme_call *c, struct bytes *after)
{
    struct bytes cursor;
    uint8_t *octets;
    size_t len;

    *after = BYTES_NONE;
    if (c->request->query.len == 0)
        return true;
    if (!http_query_find(c->request, "cursor", &cursor))
        return false;
    octets = arena_alloc(c->turn->arena, BASE64_DECODED_MAX(cursor.len));
    if (octets == NULL || !base64url_decode(cursor, octets, &len))
        return false;
    *after = bytes_of(octets, len);
    return len == ACME_LISTED_LEN;
}

static bool push_order(struct acme_call *c, const uint8_t *id, json_t *list, struct error *err)
{
    struct acme_order order;
    struct acme_id named;
    bool found = false;

    memcpy(named.bytes, id, ACME_ID_LEN);
    if (!acme_order_read(c->turn, c->procedure, &named, false, &found, &order, err))
        return false;
    if (!found || order.status == ACME_ORDER_INVALID)
        return true;
    return json_push(list, json_of_bytes(acme_call_url_of(c, "order", &named, ""))) ||
           error_set(err, ERROR_MEMORY, "no memory for a list of orders");
}

static bool add_next(struct acme_call *c, const struct page *page, struct error *err)
{
    AUTO_STRUCT(buffer) cursor = BUFFER(2 * ACME_LISTED_LEN);

    base64url_encode(&cursor, bytes_of(page->member[page->count - 1], ACME_LISTED_LEN));
    return acme_add_link(c, "next",
                         arena_format(c->turn->arena, "%.*s?cursor=%.*s",
                                      BYTES_FMT(acme_call_url_of(c, "account", &c->account.id, "/orders")),
                                      BYTES_FMT(buffer_bytes(&cursor))),
                         err);
}

/* An old list is shown whole: whoever has one has ordered nothing since. */
static bool list_orders(struct acme_call *c, const struct acme_list *old, struct bytes after, json_t *urls,
                        struct error *err)
{
    const struct state_key key = acme_listed_key(c->procedure, &c->account.id);
    struct page *page = arena_alloc(c->turn->arena, sizeof(*page));

    for (size_t i = 0; i < old->count; i++)
        if (!push_order(c, old->id[i].bytes, urls, err))
            return false;
    if (old->revision > 0)
        return true;
    if (page == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a list of orders");
    page->count = 0;
    page->more = false;
    if (!registry_places_each(c->turn->view, &key, after, put_on_page, page, err))
        return false;
    for (size_t i = 0; i < page->count; i++)
        if (!push_order(c, page->member[i] + ACME_LISTED_LEN - ACME_ID_LEN, urls, err))
            return false;
    return !page->more || add_next(c, page, err);
}

enum acme_progress acme_orders(struct acme_call *c, struct error *err)
{
    AUTO(json_t) *object = json_object();
    AUTO(json_t) *urls = json_array();
    enum acme_progress progress = acme_is_own_account(c, err);
    struct acme_list *old;
    struct bytes after;

    if (progress != ACME_ON)
        return progress;
    if (!page_start(c, &after))
        return acme_refuse(c, ACME_MALFORMED, "no such page", err);
    progress = read_old(c, &old, err);
    if (progress != ACME_ON)
        return progress;
    if (!list_orders(c, old, after, urls, err))
        return ACME_ERROR;
    return acme_respond(c, 200, json_put(object, "orders", take(urls)) ? take(object) : NULL, err);
}
