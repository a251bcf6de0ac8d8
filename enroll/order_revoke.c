/* order_revoke.c: what is revoked here is revoked at the upstream CA that issued it, whoever revoked it. */
#include "enroll/order_internal.h"
#include "lib/base/record.h"
#include "registry/audit.h"
#include "registry/certificates.h"
#include "registry/state.h"

enum { LOOK_S = 10, PIECE = 64, RECORD_VERSION = 1, FIELD_AUDIT_SIZE = 1 };

/* --- what the registry has looked like --- */
static uint64_t seen_size(struct bytes state)
{
    struct record_reader in;
    struct record_field field;
    uint64_t size = 0;
    uint8_t version;

    if (!record_open(state, &in, &version) || version != RECORD_VERSION)
        return 0;
    while (record_next(&in, &field))
        if (field.tag == FIELD_AUDIT_SIZE)
            size = record_u64(&in, &field);
    return in.failed ? 0 : size;
}

static bool wait_more(struct turn *turn, uint64_t size, int64_t until_s, struct job_step *out,
                      struct error *err)
{
    AUTO_STRUCT(buffer) state = BUFFER(64);

    record_begin(&state, RECORD_VERSION);
    record_put_u64(&state, FIELD_AUDIT_SIZE, size);
    if (!buffer_failed(&state))
        out->state = arena_copy(turn->arena, buffer_bytes(&state));
    out->effect = (struct job_effect){ .kind = JOB_EFFECT_WAIT, .until_s = until_s };
    return out->state.data != NULL || error_set(err, ERROR_MEMORY, "revocations");
}

/* --- those of one CA that it was not told of --- */
struct search {
    struct turn *turn;
    struct digest256 issuer;
    struct certificate_id found[PIECE];
    size_t count, max;
    bool failed;
    struct error *err;
};

static bool told_key(struct turn *turn, const struct certificate_id *id, struct state_key *out,
                     struct error *err)
{
    AUTO_STRUCT(buffer) key = BUFFER(DIGEST256_LEN + SERIAL_MAX);

    buffer_append(&key, digest256_bytes(&id->issuer));
    buffer_append(&key, bytes_of(id->serial, id->serial_len));
    *out = (struct state_key){ .kind = "revoked upstream" };
    if (!buffer_failed(&key))
        out->id = arena_copy(turn->arena, buffer_bytes(&key));
    return out->id.data != NULL || error_set(err, ERROR_MEMORY, "certificate id");
}

static bool find_one(const struct revoked_certificate *r, void *context)
{
    struct search *s = context;
    struct certificate_id id = { .issuer = s->issuer, .serial_len = (uint8_t)r->serial.len };
    struct state_key key;
    struct state_value value;
    bool told = true;

    if (s->count == s->max || r->serial.len > SERIAL_MAX)
        return s->count < s->max;
    memcpy(id.serial, r->serial.data, r->serial.len);
    s->failed = !told_key(s->turn, &id, &key, s->err) ||
                !registry_state(s->turn->view, &key, s->turn->arena, &told, &value, s->err);
    if (!s->failed && !told)
        s->found[s->count++] = id;
    return !s->failed;
}

static bool put_order(struct turn *turn, const struct ca *ca, const struct certificate_record *record,
                      struct error *err)
{
    struct job_record job = { .kind = BYTES_LITERAL(ENROLL_ORDER_JOB), .due_s = turn->now_s };
    struct order order = { .phase = ORDER_PHASE_REVOKE,
                           .ca = bytes_text(ca->name),
                           .procedure = record->procedure,
                           .protocol = record->protocol,
                           .fqdn = record->fqdn,
                           .deadline_s = turn->now_s + ORDER_FOLLOW_UP_KEEP_S,
                           .certificate = record->der,
                           .reason = record->revocation_reason };

    if (!random_fill(&turn->random, job.id.bytes, sizeof(job.id.bytes)))
        return error_set(err, ERROR_CRYPTO, "no randomness for a revocation");
    if (!order_encode(&order, turn->arena, &job.state, err))
        return false;
    change_job_put(&turn->changes, &job);
    return true;
}

/* The CA that it came from, when it can be asked: several ways may lead to one issuer. */
static const struct ca *origin_of(const struct enroll_service *s, const struct certificate_record *record)
{
    for (size_t i = 0; i < s->ca_count; i++)
        if (bytes_is(record->ca, s->ca[i].name) && s->ca[i].connector->revoke != NULL)
            return &s->ca[i];
    return NULL;
}

static bool pass_on(struct turn *turn, const struct enroll_service *s, const struct certificate_id *id,
                    struct error *err)
{
    const struct ca *ca;
    struct certificate_record record;
    struct state_value told = { .blob = BYTES_LITERAL("\1") };
    struct state_key key;
    bool found = false;

    if (!registry_certificate_by_id(turn->view, id, turn->arena, &found, &record, err) ||
        !told_key(turn, id, &key, err))
        return false;
    if (!found)
        return true;
    told.expires_s = record.not_after_s + 86400; /* then it is not listed any more */
    change_state_put(&turn->changes, &key, &told, 0);
    ca = origin_of(s, &record);
    return ca == NULL || put_order(turn, ca, &record, err);
}

/* Its list was searched already. */
static bool is_searched(const struct enroll_service *s, size_t index, const struct digest256 *issuer)
{
    for (size_t i = 0; i < index; i++)
        if (s->ca[i].connector->revoke != NULL && ca_is_issuer(&s->ca[i], issuer))
            return true;
    return false;
}

/* Of one issuer; *count grows by what was passed on. */
static bool search_issuer(struct turn *turn, const struct enroll_service *s, const struct digest256 *issuer,
                          size_t *count, struct error *err)
{
    struct search search = { .turn = turn, .issuer = *issuer, .max = PIECE - *count, .err = err };

    if (!registry_revoked_each(turn->view, issuer, turn->now_s, find_one, &search, err) || search.failed)
        return false;
    for (size_t i = 0; i < search.count; i++)
        if (!pass_on(turn, s, &search.found[i], err))
            return false;
    *count += search.count;
    return true;
}

static bool is_repeated(const struct ca *ca, size_t other)
{
    for (size_t i = 0; i < other; i++)
        if (digest256_equal(&ca->other_issuer[i], &ca->other_issuer[other]))
            return true;
    return digest256_equal(&ca->issuer, &ca->other_issuer[other]);
}

/* Of a CA: by its certificate, and by its others. */
static bool search_ca(struct turn *turn, const struct enroll_service *s, size_t index, size_t *count,
                      struct error *err)
{
    const struct ca *ca = &s->ca[index];

    if (!is_searched(s, index, &ca->issuer) && !search_issuer(turn, s, &ca->issuer, count, err))
        return false;
    for (size_t i = 0; i < ca->other_count; i++)
        if (!is_repeated(ca, i) && !is_searched(s, index, &ca->other_issuer[i]) &&
            !search_issuer(turn, s, &ca->other_issuer[i], count, err))
            return false;
    return true;
}

bool enroll_revocations_job_run(struct turn *turn, const void *service, const struct job_record *job,
                                const struct job_event *event, struct job_step *out, struct error *err)
{
    const struct enroll_service *s = service;
    struct audit_head head;
    size_t count = 0;

    (void)event;
    if (!registry_audit_head(turn->view, &head, err))
        return false;
    /* A revocation never comes without an audit entry. */
    for (size_t i = 0; i < s->ca_count && head.size != seen_size(job->state); i++) {
        if (s->ca[i].connector->revoke != NULL && !search_ca(turn, s, i, &count, err))
            return false;
    }
    /* There may be more: the size is not seen yet. */
    return count == PIECE ? wait_more(turn, 0, turn->now_s, out, err)
                          : wait_more(turn, head.size, turn->now_s + LOOK_S, out, err);
}
