#include "enroll/order_internal.h"

#include "enroll/account_internal.h"
#include "enroll/secret_internal.h"
#include "registry/certificates.h"

typedef enum progress step(struct course *c, struct error *err);

static enum progress walk_on(struct course *c, step *const *steps, size_t count, struct error *err)
{
    enum progress progress = PROGRESS_ON;

    for (size_t i = 0; i < count && progress == PROGRESS_ON; i++)
        progress = steps[i](c, err);
    return progress;
}

static enum progress walk(struct course *c, step *const *steps, size_t count, struct error *err)
{
    enum progress progress = walk_on(c, steps, count, err);

    if (progress == PROGRESS_ON) {
        (void)error_set(err, ERROR_INTERNAL, "an enrollment came to no end");
        return PROGRESS_ERROR;
    }
    if (progress == PROGRESS_ANSWERED && changes_failed(&c->turn->changes)) {
        (void)error_set(err, ERROR_MEMORY, "changes");
        return PROGRESS_ERROR;
    }
    return progress;
}

static void begin(struct course *c)
{
    c->turn->facts.protocol = protocol_name(c->e.protocol);
    c->turn->facts.procedure = c->e.procedure->name;
    if (c->turn->facts.transaction.len == 0) /* who has octets for an id has said it in text */
        c->turn->facts.transaction = c->e.transaction_id;
}

static bool is_secret(const struct credential *credential)
{
    return credential->kind == CREDENTIAL_SECRET || credential->kind == CREDENTIAL_DIGEST;
}

/* One that is judged here, and counted. A MAC was judged before: enroll_judge_mac() has counted it. */
static bool shows_secret(const struct enrollment *e)
{
    return is_secret(&e->credential) || is_secret(&e->second);
}

/* Whom the log line names. */
static bool note_fqdn(struct course *c, struct bytes fqdn, struct error *err)
{
    c->turn->facts.fqdn = arena_copy(c->turn->arena, fqdn);
    return c->turn->facts.fqdn.data != NULL || error_set(err, ERROR_MEMORY, "fqdn for the log");
}

/* --- may it ask at all, and what its credential is worth in itself --- */
static enum progress step_open(struct course *c, struct error *err)
{
    const struct profile *asked = c->e.profile;

    (void)err;
    if ((c->e.procedure->protocols & PROTOCOL_BIT(c->e.protocol)) == 0)
        return course_refuse(c, REFUSAL_PROTOCOL, "the procedure is not open on this protocol");
    if (asked != NULL && enroll_profile(c->e.procedure, bytes_text(asked->name)) != asked)
        return course_refuse(c, REFUSAL_PROFILE, "the procedure does not offer the profile asked for");
    return PROGRESS_ON;
}

static bool find_holder(struct course *c, const struct credential *shown, struct error *err)
{
    if (c->held == NULL || !bytes_equal(c->held->certificate.encoded, shown->certificate.der))
        return enroll_holder(c->turn, c->service, c->e.procedure, shown->certificate.der,
                             shown->certificate.chain, shown->certificate.chain_count, &c->holder, err);
    c->holder = *c->held;
    return true;
}

static enum progress hold_certificate(struct course *c, const struct credential *shown, struct error *err)
{
    if (!find_holder(c, shown, err))
        return PROGRESS_ERROR;
    if (c->holder.kind == HOLDER_OURS) {
        c->e.renewal = true;
        if (!note_fqdn(c, dns_name_bytes(&c->holder.record.fqdn), err)) /* until the request's is known */
            return PROGRESS_ERROR;
    }
    /* Genuine, whatever becomes of the enrollment: its holder may be told why. */
    c->verdict.credential_held = c->holder.usable && c->e.second.kind == CREDENTIAL_NONE;
    return PROGRESS_ON;
}

static enum progress hold_ra(struct course *c, const struct credential *shown, struct error *err)
{
    if (!ra_judge(c->turn, c->e.procedure, shown->certificate.der, shown->certificate.chain,
                  shown->certificate.chain_count, &c->ra, err))
        return PROGRESS_ERROR;
    c->verdict.credential_held = c->ra.trusted;
    return PROGRESS_ON;
}

static enum progress hold_account(struct course *c)
{
    if (account_lacks_binding(c->e.procedure, &c->e.credential))
        return course_refuse(c, REFUSAL_NO_CREDENTIAL, "the account is bound to no registration");
    c->verdict.credential_held = true; /* by its key */
    return PROGRESS_ON;
}

static enum progress step_hold(struct course *c, struct error *err)
{
    switch (c->e.credential.kind) {
    case CREDENTIAL_CERTIFICATE: return hold_certificate(c, &c->e.credential, err);
    case CREDENTIAL_RA: return hold_ra(c, &c->e.credential, err);
    case CREDENTIAL_REGISTRATION: c->verdict.credential_held = true; return PROGRESS_ON; /* by its MAC */
    case CREDENTIAL_ACCOUNT: return hold_account(c);
    case CREDENTIAL_NONE:
    case CREDENTIAL_SECRET:
    case CREDENTIAL_DIGEST: break;
    }
    return c->e.second.kind == CREDENTIAL_CERTIFICATE ? hold_certificate(c, &c->e.second, err) : PROGRESS_ON;
}

/* --- who it says it is --- */
static enum progress step_identify(struct course *c, struct error *err)
{
    const struct certificate *held = c->holder.kind != HOLDER_NONE ? &c->holder.certificate : NULL;
    const char *detail = NULL;
    enum refusal why;

    if (!identity_of(&c->e, held, c->turn->arena, &c->identity, &why, &detail)) {
        if (why != REFUSAL_INTERNAL)
            return course_refuse(c, why, detail);
        (void)error_set(err, ERROR_MEMORY, "identity");
        return PROGRESS_ERROR;
    }
    if (!note_fqdn(c, dns_name_bytes(&c->identity.fqdn), err))
        return PROGRESS_ERROR;
    if (!names_digest(c->e.requested, &c->names_asked) ||
        (held != NULL && !public_key_fingerprint(held->key.spki, &c->holder_key))) {
        (void)error_set(err, ERROR_CRYPTO, "SHA-256");
        return PROGRESS_ERROR;
    }
    c->proof = (struct proof){
        .credential = &c->e.credential,
        .second = &c->e.second,
        .certificate_ours = c->holder.usable && c->holder.kind == HOLDER_OURS,
        .certificate_vendor = c->holder.usable && c->holder.kind == HOLDER_VENDOR,
        .record = c->holder.kind == HOLDER_OURS ? &c->holder.record : NULL,
        .ra_trusted = c->ra.trusted,
        .certificate_key = held != NULL && c->holder.usable ? &c->holder_key : NULL,
        .keys = c->turn->keys,
        .arena = c->turn->arena,
    };
    return PROGRESS_ON;
}

/* --- may it --- */
static enum progress step_slow_down(struct course *c, struct error *err)
{
    unsigned wait_s = 0;

    if (!shows_secret(&c->e))
        return PROGRESS_ON;
    if (!secret_wait_s(c->turn, c->service, c->e.procedure, &c->e.peer, &c->identity.fqdn, &wait_s, err))
        return PROGRESS_ERROR;
    if (wait_s == 0)
        return PROGRESS_ON;
    (void)course_refuse(c, REFUSAL_LOCKED, "too many wrong secrets");
    c->out->retry_after_s = wait_s;
    return PROGRESS_ANSWERED;
}

/* Nobody had to register: then a certificate that counts here is the proof. */
static bool admitted_by_certificate(const struct course *c, const struct candidates *candidates)
{
    return !c->e.procedure->preregistration && candidates->count == 0 && c->holder.usable &&
           c->e.second.kind == CREDENTIAL_NONE;
}

/* Nor here: every name was proved by a challenge. */
static bool admitted_by_challenge(const struct course *c, const struct candidates *candidates)
{
    const struct credential *shown = &c->e.credential;

    return !c->e.procedure->preregistration && candidates->count == 0 && shown->kind == CREDENTIAL_ACCOUNT &&
           !shown->account.bound && account_has_proved(shown, &c->identity);
}

/* An account that is bound has its one registration; everybody else those that match the FQDN. */
static bool find_candidates(struct course *c, struct candidates *out, struct error *err)
{
    const struct credential *shown = &c->e.credential;

    if (shown->kind == CREDENTIAL_ACCOUNT && shown->account.bound)
        return account_registration(c->turn, c->e.procedure, &shown->account.registration, out, err);
    if (c->identity.fqdn.len == 0)
        return true;
    return registry_candidates(c->turn->view, c->e.procedure->domain->id, &c->identity.fqdn, c->turn->arena,
                               out, err);
}

/* For the log, of a message under the secret of one registration; NULL: nothing to add. */
static const char *is_anothers(const struct course *c, const struct candidates *candidates)
{
    return c->e.credential.kind == CREDENTIAL_REGISTRATION && candidates->count > 0 &&
                   c->verdict.reason == REFUSAL_NO_REGISTRATION
               ? "the secret is another registration's"
               : NULL;
}

static enum progress step_admit(struct course *c, struct error *err)
{
    const struct domain *domain = c->e.procedure->domain;
    bool genuine = c->verdict.credential_held;
    struct candidates candidates = { 0 };

    if (!find_candidates(c, &candidates, err))
        return PROGRESS_ERROR;
    if (admitted_by_certificate(c, &candidates) || admitted_by_challenge(c, &candidates)) {
        c->verdict = (struct verdict){ .admitted = true, .credential_held = true };
        return PROGRESS_ON;
    }
    c->verdict = admit(&c->e, &c->identity, &candidates, &c->proof, domain->match, c->turn->now_s);
    c->verdict.credential_held |= genuine;
    if (c->verdict.admitted)
        return PROGRESS_ON;
    if (shows_secret(&c->e))
        c->turn->strike = !c->verdict.credential_held;
    return course_refuse(c, c->verdict.reason, is_anothers(c, &candidates));
}

/* --- what it gets --- */
enum progress step_make_names(struct course *c, struct error *err)
{
    const char *detail = NULL;
    enum refusal why;

    if (effective_names(&c->e, &c->identity, c->verdict.registration, c->turn->arena, &c->names, &why,
                        &detail))
        return PROGRESS_ON;
    if (why != REFUSAL_INTERNAL)
        return course_refuse(c, why, detail);
    (void)error_set(err, ERROR_MEMORY, "effective names");
    return PROGRESS_ERROR;
}

bool enroll_held(struct turn *turn, const struct enroll_service *service, const struct enrollment *e,
                 const struct holder *holder, struct enroll_result *out, struct error *err)
{
    static step *const steps[] = {
        step_open,
        step_hold,
        step_complete_update,
        step_identify,
        step_slow_down,
        step_recall,
        step_judge_certificate,
        step_admit,
        step_judge_other_names,
        step_check_transaction,
        step_make_names,
        step_check_renewed_names,
        step_check_key,
        step_wait_for_officer,
        step_issue,
    };
    struct enroll_result result = { 0 };
    struct course c = {
        .turn = turn,
        .service = service,
        .e = *e,
        .protocol_says_renewal = e->renewal,
        .held = holder,
        .out = &result,
    };

    begin(&c);
    if (walk(&c, steps, COUNT_OF(steps), err) != PROGRESS_ANSWERED)
        return false;
    if (shows_secret(e))
        turn->credential_held = result.credential_held;
    *out = result;
    return true;
}

bool enroll(struct turn *turn, const struct enroll_service *service, const struct enrollment *e,
            struct enroll_result *out, struct error *err)
{
    return enroll_held(turn, service, e, NULL, out, err);
}

bool enroll_would_admit(struct turn *turn, const struct enroll_service *service, const struct enrollment *e,
                        bool *admitted, struct enroll_result *out, struct error *err)
{
    static step *const steps[] = {
        step_open,
        step_hold,
        step_complete_update,
        step_identify,
        step_judge_certificate,
        step_admit,
        step_judge_other_names,
    };
    struct enroll_result result = { 0 };
    struct course c = {
        .turn = turn,
        .service = service,
        .e = *e,
        .protocol_says_renewal = e->renewal,
        .out = &result,
    };
    enum progress progress;

    begin(&c);
    progress = walk_on(&c, steps, COUNT_OF(steps), err);
    if (progress == PROGRESS_ERROR)
        return false;
    *admitted = progress == PROGRESS_ON;
    *out = result;
    return true;
}

/* --- polling --- */
/* Nobody has registered its name more narrowly since, or at all. */
static enum progress judge_name_again(struct course *c, struct error *err)
{
    bool open = false;

    if (!course_name_is_open(c, &c->identity.fqdn, &open, err))
        return PROGRESS_ERROR;
    return open ? PROGRESS_ON : course_refuse(c, REFUSAL_CLOSED, "registered on its own since");
}

/* The registration that admitted it is still good for it. */
static enum progress step_admit_again(struct course *c, struct error *err)
{
    static const struct registration_id none;
    struct registration *r = arena_alloc(c->turn->arena, sizeof(*r));
    bool found = false;

    if (r == NULL) {
        (void)error_set(err, ERROR_MEMORY, "registration");
        return PROGRESS_ERROR;
    }
    c->verdict = (struct verdict){ .admitted = true, .credential_held = true };
    if (bytes_equal(registration_id_bytes(&c->transaction.registration), registration_id_bytes(&none)))
        return c->e.procedure->preregistration ? course_refuse(c, REFUSAL_NO_REGISTRATION, NULL)
                                               : judge_name_again(c, err);
    if (!registry_registration_by_id(c->turn->view, &c->transaction.registration, c->turn->arena, &found, r,
                                     err))
        return PROGRESS_ERROR;
    if (!found)
        return course_refuse(c, REFUSAL_NO_REGISTRATION, "deleted since");
    c->verdict.registration = r;
    if (!registration_is_open(r))
        return course_refuse(c, REFUSAL_CLOSED, "closed since");
    if (registration_is_expired(r, c->turn->now_s))
        return course_refuse(c, REFUSAL_EXPIRED, "expired since");
    if (r->one_time && r->used)
        return course_refuse(c, REFUSAL_USED, "used since");
    if ((r->protocols & PROTOCOL_BIT(c->e.protocol)) == 0)
        return course_refuse(c, REFUSAL_PROTOCOL, NULL);
    if (!fqdn_pattern_matches(&r->fqdn, &c->identity.fqdn) || !registration_allows_names(r, &c->identity))
        return course_refuse(c, REFUSAL_NAME_POLICY, "changed since");
    return judge_name_again(c, err);
}

static enum progress step_mark_repeated(struct course *c, struct error *err)
{
    (void)err;
    c->repeats = true; /* approval counts for it */
    return PROGRESS_ON;
}

/* The request of then is read again: what rules say now is what counts. */
static bool issue_approved(struct course *c, struct error *err)
{
    static step *const steps[] = {
        step_read_again, step_identify,  step_mark_repeated,    step_admit_again, step_judge_other_names,
        step_make_names, step_check_key, step_wait_for_officer, step_issue,
    };

    c->verdict.credential_held = true;
    return walk(c, steps, COUNT_OF(steps), err) == PROGRESS_ANSWERED;
}

static bool answer_poll(struct course *c, struct error *err)
{
    struct certificate_record record;
    bool found = false;

    switch (c->transaction.status) {
    case TRANSACTION_ISSUED:
        if (c->transaction.confirmation == CONFIRMATION_REJECTED ||
            c->transaction.confirmation == CONFIRMATION_LATE)
            return course_refuse(c, REFUSAL_CONFLICT, "its certificate was given back") == PROGRESS_ANSWERED;
        if (!registry_certificate_by_id(c->turn->view, &c->transaction.certificate, c->turn->arena, &found,
                                        &record, err))
            return false;
        if (!found)
            return error_set(err, ERROR_FORMAT, "the certificate of a transaction is not there");
        if (!course_fetched(c, err))
            return false;
        return course_issued(c, record.der, &record.id, true, err) == PROGRESS_ANSWERED;
    case TRANSACTION_PENDING: return course_pending(c, true) == PROGRESS_ANSWERED;
    case TRANSACTION_APPROVED: return issue_approved(c, err);
    case TRANSACTION_DENIED:
        return course_refuse(c, REFUSAL_DENIED, "an officer denied it") == PROGRESS_ANSWERED;
    case TRANSACTION_ORDERED: return order_pending(c, err) == PROGRESS_ANSWERED;
    case TRANSACTION_REJECTED: return order_rejected(c, err) == PROGRESS_ANSWERED;
    case TRANSACTION_STATUS_COUNT:
    case TRANSACTION_NONE: break;
    }
    return error_set(err, ERROR_INTERNAL, "a poll for nothing");
}

bool enroll_poll(struct turn *turn, const struct enroll_service *service, const struct procedure *procedure,
                 enum protocol protocol, struct bytes transaction_id, const struct digest256 *signer,
                 bool *found, struct enroll_result *out, struct error *err)
{
    const struct transaction_key key = { bytes_text(procedure->name), protocol, transaction_id };
    struct enroll_result result = { 0 };
    struct course c = {
        .turn = turn,
        .service = service,
        .e = { .protocol = protocol,
               .procedure = procedure,
               .transaction_id = transaction_id,
               .signer = *signer },
        .out = &result,
    };

    begin(&c);
    if (!transaction_read(turn, &key, &c.transaction, err))
        return false;
    if (c.transaction.status == TRANSACTION_NONE) {
        *found = false;
        return true;
    }
    if (!note_fqdn(&c, c.transaction.fqdn, err))
        return false;
    if (!digest256_equal(&c.transaction.signer, signer))
        (void)course_refuse(&c, REFUSAL_CONFLICT, "another signer began this transaction");
    else if (!answer_poll(&c, err))
        return false;
    *found = true;
    *out = result;
    return true;
}
