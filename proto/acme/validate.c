/* The job that looks whether a challenge is met, tries again, and asks CAA. What is written is the
 * challenge's state; the order sees it when somebody looks at the order. */
#include "proto/acme/validate_internal.h"

#include "lib/base/record.h"
#include "lib/dns/dns_caa.h"
#include "proto/acme/recheck_internal.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 8 * 1024, TRIES_MAX = 6, RETRY_MAX_S = 60 };

/* --- state --- */
enum field {
    FIELD_PROCEDURE = 1,
    FIELD_AUTHZ,
    FIELD_CHALLENGE,
    FIELD_THUMBPRINT,
    FIELD_ACCOUNT_URL,
    FIELD_STAGE,
    FIELD_CLIMBED,
    FIELD_TRIES,
    FIELD_VALID_MAX
};

bool acme_validation_encode(const struct acme_validation *v, struct arena *arena, struct bytes *out,
                            struct error *err)
{
    AUTO_STRUCT(buffer) blob = BUFFER(RECORD_MAX);
    struct bytes copy;

    record_begin(&blob, RECORD_VERSION);
    record_put(&blob, FIELD_PROCEDURE, v->procedure);
    record_put(&blob, FIELD_AUTHZ, acme_id_bytes(&v->authz));
    record_put_u64(&blob, FIELD_CHALLENGE, v->challenge);
    record_put(&blob, FIELD_THUMBPRINT, bytes_text(v->thumbprint));
    record_put(&blob, FIELD_ACCOUNT_URL, v->account_url);
    record_put_u64(&blob, FIELD_STAGE, v->stage);
    record_put(&blob, FIELD_CLIMBED, dns_name_bytes(&v->climbed));
    record_put_u64(&blob, FIELD_TRIES, v->tries);
    record_put_u64(&blob, FIELD_VALID_MAX, v->valid_max_s);
    copy = buffer_failed(&blob) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&blob));
    if (copy.data == NULL)
        return error_set(err, ERROR_MEMORY, "state of a validation");
    *out = copy;
    return true;
}

/* `size` counts the room for a NUL. */
static bool take_text(struct bytes content, char *out, size_t size)
{
    if (content.len >= size)
        return false;
    if (content.len > 0)
        memcpy(out, content.data, content.len);
    return true;
}

static bool take_field(struct record_reader *in, const struct record_field *f, struct acme_validation *out)
{
    uint64_t number;

    switch (f->tag) {
    case FIELD_PROCEDURE: out->procedure = f->content; return true;
    case FIELD_AUTHZ:
        if (f->content.len != ACME_ID_LEN)
            return false;
        memcpy(out->authz.bytes, f->content.data, ACME_ID_LEN);
        return true;
    case FIELD_CHALLENGE:
        number = record_u64(in, f);
        out->challenge = (enum acme_challenge)number;
        return number < ACME_CHALLENGE_COUNT;
    case FIELD_THUMBPRINT: return take_text(f->content, out->thumbprint, sizeof(out->thumbprint));
    case FIELD_ACCOUNT_URL: out->account_url = f->content; return true;
    case FIELD_STAGE:
        number = record_u64(in, f);
        out->stage = (enum acme_validation_stage)number;
        return number <= ACME_VALIDATION_CAA;
    case FIELD_CLIMBED:
        out->climbed.len = (uint8_t)f->content.len;
        return take_text(f->content, out->climbed.text, sizeof(out->climbed.text));
    case FIELD_TRIES: out->tries = (unsigned)record_u64(in, f); return true;
    case FIELD_VALID_MAX: out->valid_max_s = (uint32_t)record_u64(in, f); return true;
    default: return true;
    }
}

bool acme_validation_decode(struct bytes state, struct acme_validation *out)
{
    struct acme_validation v = { 0 };
    struct record_reader in;
    struct record_field f;
    uint8_t version;

    if (!record_open(state, &in, &version) || version != RECORD_VERSION)
        return false;
    while (record_next(&in, &f))
        if (!take_field(&in, &f, &v))
            return false;
    if (in.failed || v.procedure.len == 0)
        return false;
    *out = v;
    return true;
}

/* --- the job --- */
struct run {
    struct turn *turn;
    const struct procedure *procedure;
    struct acme_validation v;
    struct acme_authz authz;
    struct job_step *out;
};

static struct acme_challenge_state *challenge_of(struct run *r)
{
    return &r->authz.challenge[r->v.challenge];
}

static bool over(struct run *r)
{
    const struct state_key taken_up = acme_taken_up_key(r->v.procedure, &r->authz.account);

    change_place_free(&r->turn->changes, &taken_up, acme_id_bytes(&r->v.authz));
    r->out->effect = (struct job_effect){ .kind = JOB_EFFECT_DONE, .news = true };
    return true;
}

static bool save(struct run *r, struct error *err)
{
    return acme_validation_encode(&r->v, r->turn->arena, &r->out->state, err);
}

static bool put_authz(struct run *r, struct error *err)
{
    return acme_authz_put(r->turn, r->v.procedure, &r->authz, err);
}

static bool succeed(struct run *r, struct error *err)
{
    uint32_t open_s = r->procedure->acme_order_s > 0 ? r->procedure->acme_order_s : ACME_ORDER_DEFAULT_S;
    uint32_t valid_s = r->procedure->acme_authorization_s > 0 ? r->procedure->acme_authorization_s : open_s;

    if (r->v.valid_max_s > 0 && valid_s > r->v.valid_max_s)
        valid_s = r->v.valid_max_s;
    challenge_of(r)->status = ACME_CHALLENGE_VALID;
    challenge_of(r)->validated_s = r->turn->now_s;
    challenge_of(r)->fault.is = false;
    r->authz.status = ACME_AUTHZ_VALID;
    r->authz.expires_s = r->turn->now_s + (int64_t)valid_s;
    r->turn->facts.verdict = "served";
    return put_authz(r, err) && over(r);
}

static bool make_invalid(struct run *r, const struct acme_fault *fault, struct error *err)
{
    challenge_of(r)->status = ACME_CHALLENGE_INVALID;
    challenge_of(r)->fault = *fault;
    r->authz.status = ACME_AUTHZ_INVALID;
    r->turn->facts.verdict = "refused";
    r->turn->facts.reason = acme_problem_name(fault->problem);
    return put_authz(r, err) && over(r);
}

static bool fail(struct run *r, const struct acme_fault *fault, struct error *err)
{
    struct digest256 digest;
    struct state_key key;

    if (!acme_failed_key(r->v.procedure, &r->authz, &digest, &key, err))
        return false;
    change_place_take(&r->turn->changes, &key, acme_id_bytes(&r->v.authz), r->turn->now_s + ACME_FAILED_S, 0);
    return make_invalid(r, fault, err);
}

/* The client sees why the last try failed while there are others to come (ACME-76). */
static bool try_later(struct run *r, const struct acme_fault *fault, struct error *err)
{
    int64_t pause_s = (int64_t)2 << r->v.tries;

    if (++r->v.tries >= TRIES_MAX)
        return fail(r, fault, err);
    challenge_of(r)->fault = *fault;
    r->out->effect = (struct job_effect){
        .kind = JOB_EFFECT_WAIT, .until_s = r->turn->now_s + (pause_s < RETRY_MAX_S ? pause_s : RETRY_MAX_S)
    };
    return put_authz(r, err) && save(r, err);
}

/* --- CAA --- */
static bool ask_caa(struct run *r, struct error *err)
{
    r->v.stage = ACME_VALIDATION_CAA;
    r->out->effect = acme_caa_effect(&r->v.climbed, r->procedure, &r->authz.account);
    return save(r, err);
}

static bool met(struct run *r, struct error *err)
{
    if (r->procedure->acme_caa == ACME_CAA_OFF || r->authz.identifier.type != ACME_IDENTIFIER_DNS)
        return succeed(r, err);
    r->v.climbed = r->authz.identifier.name;
    r->v.tries = 0;
    return ask_caa(r, err);
}

/* Where CAA is only warned of, the log says what would have been. */
static bool caa_fails(struct run *r, enum acme_problem problem, const char *detail, bool final,
                      struct error *err)
{
    const struct acme_fault fault = { .is = true, .problem = problem, .detail = bytes_text(detail) };

    if (r->procedure->acme_caa == ACME_CAA_WARN) {
        r->turn->facts.detail = detail;
        acme_caa_looked(&r->authz, false, r->turn->now_s);
        return succeed(r, err);
    }
    return final ? fail(r, &fault, err) : try_later(r, &fault, err);
}

static bool judge_caa(struct run *r, const struct dns_answer *answer, struct error *err)
{
    const struct acme_caa_question question = {
        .identity = r->procedure->acme_caa_identity,
        .identity_count = r->procedure->acme_caa_identity_count,
        .wildcard = r->authz.identifier.wildcard,
        .account_url = r->v.account_url,
        .method = acme_challenge_name(r->v.challenge),
    };

    if (answer->status != DNS_STATUS_RECORDS && answer->status != DNS_STATUS_NXDOMAIN)
        return caa_fails(r, ACME_CAA, ACME_CAA_TEXT_SILENCE, false, err);
    switch (
        acme_caa_judge(&question, answer->record, answer->status == DNS_STATUS_RECORDS ? answer->count : 0)) {
    case ACME_CAA_SILENT:
        if (dns_name_parent(&r->v.climbed, &r->v.climbed))
            return ask_caa(r, err);
        acme_caa_looked(&r->authz, true, r->turn->now_s);
        return succeed(r, err);
    case ACME_CAA_ALLOWS: acme_caa_looked(&r->authz, true, r->turn->now_s); return succeed(r, err);
    case ACME_CAA_FORBIDS: break;
    }
    return caa_fails(r, ACME_CAA, ACME_CAA_TEXT_FORBIDS, true, err);
}

/* --- the challenge --- */
static bool ask(struct run *r, struct error *err)
{
    const struct acme_look look = {
        .procedure = r->procedure, .validation = &r->v, .authz = &r->authz, .arena = r->turn->arena
    };

    r->v.stage = ACME_VALIDATION_ASK;
    return (acme_look_effect(&look, &r->out->effect) ||
            error_set(err, ERROR_MEMORY, "no memory for a validation")) &&
           save(r, err);
}

static bool judge(struct run *r, const struct job_event *event, struct error *err)
{
    const struct acme_look look = {
        .procedure = r->procedure, .validation = &r->v, .authz = &r->authz, .arena = r->turn->arena
    };
    struct acme_fault fault = { .is = true,
                                .problem = ACME_SERVER_INTERNAL,
                                .detail = BYTES_LITERAL("validation could not be done") };

    switch (acme_look_judge(&look, event, &r->v.valid_max_s, &fault)) {
    case ACME_FINDING_MET: return met(r, err);
    case ACME_FINDING_FINAL: return fail(r, &fault, err);
    case ACME_FINDING_OURS:
    case ACME_FINDING_NONE: break;
    }
    return try_later(r, &fault, err);
}

/* A reload has turned it off: nobody is left waiting for it. */
static bool withdraw(struct run *r, struct error *err)
{
    const struct acme_fault fault = { .is = true,
                                      .problem = ACME_UNAUTHORIZED,
                                      .detail = BYTES_LITERAL("this challenge is not taken any more") };

    return make_invalid(r, &fault, err);
}

/* Whatever decided it meanwhile (another challenge, deactivation, its time, the procedure) ends this. */
static bool is_wanted(struct run *r)
{
    return r->authz.status == ACME_AUTHZ_PENDING && r->authz.expires_s > r->turn->now_s &&
           challenge_of(r)->status == ACME_CHALLENGE_PROCESSING;
}

bool acme_validate_run(struct turn *turn, const void *service, const struct job_record *job,
                       const struct job_event *event, struct job_step *out, struct error *err)
{
    struct run r = { .turn = turn, .out = out };
    bool found = false;

    if (!acme_validation_decode(job->state, &r.v))
        return error_set(err, ERROR_FORMAT, "the state of a validation cannot be read");
    turn->facts.protocol = "acme";
    turn->facts.operation = acme_challenge_name(r.v.challenge);
    r.procedure = acme_procedure_named(service, r.v.procedure);
    if (!acme_authz_read(turn, r.v.procedure, &r.v.authz, &found, &r.authz, err))
        return false;
    if (!found || r.procedure == NULL || !is_wanted(&r))
        return over(&r);
    turn->facts.procedure = r.procedure->name;
    turn->facts.fqdn = arena_copy(turn->arena, dns_name_bytes(&r.authz.identifier.name));
    if (!acme_challenge_is_taken(r.procedure, &r.authz, r.v.challenge))
        return withdraw(&r, err);
    if (event->kind == JOB_EVENT_DUE)
        return r.v.stage == ACME_VALIDATION_CAA ? ask_caa(&r, err) : ask(&r, err);
    if (r.v.stage == ACME_VALIDATION_CAA)
        return judge_caa(&r, &event->dns, err);
    return judge(&r, event, err);
}
