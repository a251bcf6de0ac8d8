/* Challenges (RFC 8555 7.5.1): shown, and taken up when the client says that one is met. */
#include "proto/acme/order_internal.h"
#include "proto/acme/validate_internal.h"

enum acme_progress acme_respond_challenge(struct acme_call *c, const struct acme_authz *authz,
                                          struct error *err)
{
    enum acme_challenge which = c->resource.challenge;

    if (authz->challenge[which].status == ACME_CHALLENGE_PROCESSING)
        http_response_add(c->response, "Retry-After", BYTES_LITERAL("3"));
    if (!acme_add_link(c, "up", acme_call_url_of(c, "authz", &authz->id, ""), err))
        return ACME_ERROR;
    return acme_respond(c, 200, acme_challenge_json(c, authz, which), err);
}

/* A name that is not met is not tried without end. */
static enum acme_progress count_failures(struct acme_call *c, const struct acme_authz *authz,
                                         struct error *err)
{
    const unsigned max = c->procedure->acme_failures_max > 0 ? c->procedure->acme_failures_max
                                                             : ACME_FAILURES_DEFAULT;
    struct digest256 digest;
    struct state_key key;
    bool room = false;

    if (!acme_failed_key(bytes_text(c->procedure->name), authz, &digest, &key, err) ||
        !registry_places_room(c->turn->view, &key, max, c->turn->now_s, &room, err))
        return ACME_ERROR;
    return room ? ACME_ON : acme_refuse_for_now(c, "too many validations of this name failed lately", err);
}

/* Each is a job until it is decided: no account fills the queue of all. */
static enum acme_progress take_place(struct acme_call *c, const struct acme_authz *authz, struct error *err)
{
    const struct state_key key = acme_taken_up_key(bytes_text(c->procedure->name), &c->account.id);
    bool room = false;

    if (!registry_places_room(c->turn->view, &key, ACME_TAKEN_UP_MAX, c->turn->now_s, &room, err))
        return ACME_ERROR;
    if (!room)
        return acme_refuse_for_now(c, "too many challenges of the account are looked at already", err);
    change_place_take(&c->turn->changes, &key, acme_id_bytes(&authz->id), authz->expires_s,
                      ACME_TAKEN_UP_MAX);
    return ACME_ON;
}

/* The key authorization is that of the key which the account has now (ACME-79). */
static enum acme_progress take_up(struct acme_call *c, struct acme_authz *authz, struct error *err)
{
    struct acme_validation v = { .procedure = bytes_text(c->procedure->name),
                                 .authz = authz->id,
                                 .challenge = c->resource.challenge,
                                 .account_url = acme_call_url_of(c, "account", &c->account.id, "") };
    struct job_record job = { .kind = BYTES_LITERAL(ACME_VALIDATE_JOB), .due_s = c->turn->now_s };
    enum acme_progress progress = count_failures(c, authz, err);

    if (progress == ACME_ON)
        progress = take_place(c, authz, err);
    if (progress != ACME_ON)
        return progress;
    if (!jwk_thumbprint(c->account.spki, v.thumbprint) || v.account_url.data == NULL) {
        (void)error_set(err, ERROR_MEMORY, "key authorization");
        return ACME_ERROR;
    }
    if (!random_fill(&c->turn->random, job.id.bytes, sizeof(job.id.bytes))) {
        (void)error_set(err, ERROR_CRYPTO, "no randomness for a validation");
        return ACME_ERROR;
    }
    authz->challenge[c->resource.challenge].status = ACME_CHALLENGE_PROCESSING;
    if (!acme_validation_encode(&v, c->turn->arena, &job.state, err) ||
        !acme_authz_put(c->turn, bytes_text(c->procedure->name), authz, err))
        return ACME_ERROR;
    change_job_put(&c->turn->changes, &job);
    return acme_respond_challenge(c, authz, err);
}

enum acme_progress acme_challenge_serve(struct acme_call *c, struct error *err)
{
    const struct acme_challenge_state *challenge;
    struct acme_authz authz;
    bool found = false;

    if (!acme_authz_read(c->turn, bytes_text(c->procedure->name), &c->resource.id, &found, &authz, err))
        return ACME_ERROR;
    if (!found || !acme_id_equal(&authz.account, &c->account.id) ||
        !authz.challenge[c->resource.challenge].offered)
        return acme_not_found(c, err);
    challenge = &authz.challenge[c->resource.challenge];
    if (c->reads || challenge->status == ACME_CHALLENGE_PROCESSING ||
        challenge->status == ACME_CHALLENGE_VALID)
        return acme_respond_challenge(c, &authz, err);
    if (authz.status != ACME_AUTHZ_PENDING || authz.expires_s <= c->turn->now_s)
        return acme_refuse(c, ACME_MALFORMED, "the authorization is not pending", err);
    if (!acme_challenge_is_taken(c->procedure, &authz, c->resource.challenge))
        return acme_refuse(c, ACME_MALFORMED, "this challenge is not taken any more", err);
    return c->resource.challenge == ACME_DEVICE_ATTEST_01 ? acme_attest(c, &authz, err)
                                                          : take_up(c, &authz, err);
}
