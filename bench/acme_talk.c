/* What is asked next follows from what an answer says: where names are authorized beforehand an order takes
 * newOrder, finalize and the certificate; else an authorization is read and a challenge is posted, which the
 * server must take without looking. */
#include <stdio.h>
#include <time.h>

#include "bench/acme_internal.h"
#include "lib/jose/json.h"

/* Between two looks at an order that is not done: what servers say (Retry-After) is in whole seconds. */
static const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };

enum { POSTS_MAX = 2000 /* of an exchange: then it is given up */ };

static bool ask(struct acme_exchange *x, enum acme_doing doing, struct bytes url, struct bytes payload)
{
    x->doing = doing;
    x->payload = payload;
    return acme_set_text(x->url, ACME_URL_MAX, url);
}

static bool look_at_order(struct acme_exchange *x)
{
    return ask(x, ORDER, bytes_text(x->order), BYTES_NONE);
}

static bool after_order(struct acme_exchange *x, const json_t *order)
{
    struct bytes status = json_member(order, "status");

    if (bytes_is(status, "valid"))
        return ask(x, CERTIFICATE, json_member(order, "certificate"), BYTES_NONE);
    if (bytes_is(status, "ready"))
        return ask(x, ORDER, json_member(order, "finalize"), x->csr);
    if (bytes_is(status, "pending") && !x->challenge_posted)
        return ask(x, AUTHORIZATION, json_bytes(json_array_get(json_object_get(order, "authorizations"), 0)),
                   BYTES_NONE);
    if (bytes_is(status, "invalid"))
        return false;
    (void)nanosleep(&pause, NULL);
    return look_at_order(x);
}

static bool after_authorization(struct acme_exchange *x, const json_t *authorization)
{
    const json_t *challenge = json_array_get(json_object_get(authorization, "challenges"), 0);

    if (!bytes_is(json_member(authorization, "status"), "pending"))
        return look_at_order(x);
    x->challenge_posted = true;
    return ask(x, CHALLENGE, json_member(challenge, "url"), BYTES_LITERAL("{}"));
}

static bool is_bad_nonce(const struct link_answer *answer)
{
    AUTO(json_t) *problem = json_read(answer->body);

    return bytes_is(json_member(problem, "type"), "urn:ietf:params:acme:error:badNonce");
}

/* What is to be asked after this answer; false: nothing. */
static bool go_on(struct acme_exchange *x, enum acme_doing last, const struct link_answer *answer)
{
    AUTO(json_t) *object = NULL;

    if (answer->status >= 300)
        return is_bad_nonce(answer); /* the same again */
    if (x->doing == NEW_ORDER && !acme_set_text(x->order, ACME_URL_MAX, link_header(answer, "Location")))
        return false;
    if (x->doing == last)
        return false;
    object = json_read(answer->body);
    if (object == NULL)
        return false;
    switch (x->doing) {
    case AUTHORIZATION: return after_authorization(x, object);
    case CHALLENGE: return look_at_order(x);
    case NEW_ORDER:
    case ORDER:
    case CERTIFICATE:
    case REVOCATION: break;
    }
    return after_order(x, object);
}

static bool begin_exchange(const struct acme *c, struct acme_exchange *x)
{
    switch (c->first) {
    case ORDER: return look_at_order(x);
    case REVOCATION: return ask(x, REVOCATION, bytes_text(c->revoke_cert), x->revocation);
    case NEW_ORDER:
    case AUTHORIZATION:
    case CHALLENGE:
    case CERTIFICATE: break;
    }
    return ask(x, NEW_ORDER, bytes_text(c->new_order), x->names);
}

bool acme_talk(void *context, unsigned client, size_t n, const struct link_answer *before,
               struct buffer *request)
{
    struct acme *c = context;
    struct acme_exchange *x = &c->exchange[n];
    char *nonce = c->nonce[client];
    bool sound = true, fetched = before != NULL && x->fetches_nonce;

    if (x->account == NULL)
        x->account = &c->account[client % c->accounts];
    if (before == NULL)
        sound = begin_exchange(c, x);
    else if (!acme_set_text(nonce, ACME_NONCE_MAX, link_header(before, "Replay-Nonce")))
        nonce[0] = '\0';
    if (before != NULL && !fetched)
        sound = go_on(x, c->last, before);
    if (!sound || x->posts == POSTS_MAX)
        return false;
    x->fetches_nonce = nonce[0] == '\0';
    if (x->fetches_nonce)
        return !fetched && acme_put_http(c, c->new_nonce, "GET", BYTES_NONE, request);
    sound = acme_put_post(c, x->account, x->url, nonce, x->payload, request);
    nonce[0] = '\0';
    x->posts++;
    return sound;
}
