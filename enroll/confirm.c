#include "enroll/confirm.h"

#include "enroll/audit_internal.h"
#include "enroll/confirm_internal.h"
#include "enroll/order.h"
#include "enroll/revoke_internal.h"
#include "lib/base/record.h"
#include "registry/certificates.h"
#include "registry/registrations.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 1024 };

/* --- marks --- */
static bool mark_key(struct turn *turn, const struct certificate_id *id, struct state_key *out,
                     struct error *err)
{
    AUTO_STRUCT(buffer) key = BUFFER(DIGEST256_LEN + SERIAL_MAX);

    buffer_append(&key, digest256_bytes(&id->issuer));
    buffer_append(&key, bytes_of(id->serial, id->serial_len));
    *out = (struct state_key){ .kind = "unconfirmed" }; /* of no procedure: any may be shown it */
    if (!buffer_failed(&key))
        out->id = arena_copy(turn->arena, buffer_bytes(&key));
    return out->id.data != NULL || error_set(err, ERROR_MEMORY, "certificate id");
}

static bool mark(struct turn *turn, const struct certificate_id *id, struct error *err)
{
    static const uint8_t record[] = { RECORD_VERSION };
    const struct state_value value = { .blob = BYTES_ARRAY(record) };
    struct state_key key;

    if (!mark_key(turn, id, &key, err))
        return false;
    change_state_put(&turn->changes, &key, &value, 0); /* two renewals of one certificate: the first counts */
    return true;
}

static bool mark_read(struct turn *turn, const struct certificate_id *id, struct state_key *key, bool *found,
                      struct state_value *out, struct error *err)
{
    return mark_key(turn, id, key, err) && registry_state(turn->view, key, turn->arena, found, out, err);
}

static bool unmark(struct turn *turn, const struct certificate_id *id, struct error *err)
{
    struct state_value value;
    struct state_key key;
    bool found;

    if (id->serial_len == 0)
        return true;
    if (!mark_read(turn, id, &key, &found, &value, err))
        return false;
    if (found)
        change_state_delete(&turn->changes, &key, value.revision);
    return true;
}

bool confirmation_awaited(struct turn *turn, const struct certificate_id *id, bool *awaited,
                          struct error *err)
{
    struct state_value value;
    struct state_key key;

    return mark_read(turn, id, &key, awaited, &value, err);
}

/* --- the job that ends the wait --- */
enum field { FIELD_PROCEDURE = 1, FIELD_PROTOCOL, FIELD_TRANSACTION_ID };

static bool job_id_for(const struct transaction_key *key, struct job_id *out, struct error *err)
{
    struct digest256 digest;

    if (!transaction_digest(key, ENROLL_CONFIRM_JOB, &digest))
        return error_set(err, ERROR_CRYPTO, "SHA-256 of a transaction id");
    memcpy(out->bytes, digest.bytes, sizeof(out->bytes));
    return true;
}

static bool put_job(struct turn *turn, const struct transaction_key *key, int64_t due_s, struct error *err)
{
    AUTO_STRUCT(buffer) state = BUFFER(RECORD_MAX);
    struct job_record job = { .kind = BYTES_LITERAL(ENROLL_CONFIRM_JOB), .due_s = due_s };

    record_begin(&state, RECORD_VERSION);
    record_put(&state, FIELD_PROCEDURE, key->procedure);
    record_put_u64(&state, FIELD_PROTOCOL, key->protocol);
    record_put(&state, FIELD_TRANSACTION_ID, key->id);
    if (buffer_failed(&state))
        return error_set(err, ERROR_MEMORY, "job of a confirmation");
    job.state = buffer_bytes(&state);
    if (!job_id_for(key, &job.id, err))
        return false;
    change_job_put(&turn->changes, &job);
    return true;
}

static bool delete_job(struct turn *turn, const struct transaction_key *key, struct error *err)
{
    struct job_id id;

    if (!job_id_for(key, &id, err))
        return false;
    change_job_delete(&turn->changes, &id);
    return true;
}

static bool read_job(struct bytes state, struct transaction_key *out)
{
    struct transaction_key key = { 0 };
    struct record_reader in;
    struct record_field field;
    uint8_t version;
    uint64_t protocol = 0;

    if (!record_open(state, &in, &version) || version != RECORD_VERSION)
        return false;
    while (record_next(&in, &field)) {
        switch ((enum field)field.tag) {
        case FIELD_PROCEDURE: key.procedure = field.content; break;
        case FIELD_PROTOCOL: protocol = record_u64(&in, &field); break;
        case FIELD_TRANSACTION_ID: key.id = field.content; break;
        }
    }
    if (in.failed || key.procedure.len == 0 || protocol == PROTOCOL_NONE || protocol >= PROTOCOL_COUNT)
        return false;
    key.protocol = (enum protocol)protocol;
    *out = key;
    return true;
}

bool confirmation_begin(struct turn *turn, const struct transaction_key *key, struct transaction *t,
                        const struct certificate_id *renews, struct error *err)
{
    t->confirmation = CONFIRMATION_AWAITED;
    t->confirm_until_s = turn->now_s + (int64_t)t->confirm_within_s;
    if (renews != NULL)
        t->renews = *renews;
    return put_job(turn, key, t->confirm_until_s, err) && mark(turn, &t->certificate, err) &&
           (renews == NULL || mark(turn, renews, err));
}

bool confirmation_restart(struct turn *turn, const struct transaction_key *key, struct transaction *t,
                          struct error *err)
{
    t->confirm_until_s = turn->now_s + (int64_t)t->confirm_within_s;
    return put_job(turn, key, t->confirm_until_s, err);
}

/* --- how the wait ends --- */
struct ending {
    struct turn *turn;
    const struct enroll_service *service;
    const struct transaction_key *key;
    struct transaction transaction;
    struct certificate_record record;
};

static bool read_ending(struct ending *e, struct error *err)
{
    bool found = true;

    if (!transaction_read(e->turn, e->key, &e->transaction, err))
        return false;
    if (e->transaction.confirmation == CONFIRMATION_AWAITED &&
        !registry_certificate_by_id(e->turn->view, &e->transaction.certificate, e->turn->arena, &found,
                                    &e->record, err))
        return false;
    return found || error_set(err, ERROR_FORMAT, "the certificate of a transaction is not there");
}

static bool settle(struct ending *e, enum confirmation how, struct error *err)
{
    const uint32_t keep_s = e->service->transaction_keep_s;

    e->transaction.confirmation = how;
    if (transaction_has_order(&e->transaction) && /* whoever issued it may want to know */
        !enroll_order_wake(e->turn, &e->transaction.order, err))
        return false;
    return transaction_put(e->turn, e->key, &e->transaction,
                           keep_s > 0 ? e->turn->now_s + (int64_t)keep_s : 0, err) &&
           unmark(e->turn, &e->transaction.certificate, err) && unmark(e->turn, &e->transaction.renews, err);
}

static bool accept(struct ending *e, struct error *err)
{
    const struct certificate_record *record = &e->record;
    AUTO_STRUCT(buffer) entry = BUFFER(AUDIT_ENTRY_MAX);

    audit_begin(&entry);
    audit_hex(&entry, "issuer", digest256_bytes(&record->id.issuer));
    audit_hex(&entry, "serial", bytes_of(record->id.serial, record->id.serial_len));
    audit_text(&entry, "fqdn", dns_name_bytes(&record->fqdn));
    audit_text(&entry, "procedure", record->procedure);
    audit_hex(&entry, "transaction", e->key->id);
    audit_end(&entry);
    if (buffer_failed(&entry))
        return error_set(err, ERROR_MEMORY, "audit entry");
    change_certificate_assume(&e->turn->changes, &record->id);
    change_audit_append(&e->turn->changes, AUDIT_CONFIRMED, buffer_bytes(&entry));
    return settle(e, CONFIRMATION_DONE, err);
}

/* The mark that the issuance set, and no other's: at that revision of the registration it can be nobody
 * else's. */
static bool free_registration(struct ending *e, struct error *err)
{
    const uint64_t revision = e->transaction.used_revision;
    struct registration r;
    bool found;

    if (revision == 0)
        return true;
    if (!registry_registration_by_id(e->turn->view, &e->transaction.registration, e->turn->arena, &found, &r,
                                     err))
        return false;
    return !found || !r.used || r.revision != revision || registration_give_back(e->turn, &r, err);
}

/* A certificate that an officer revoked before is left to him, and so is its registration. */
static bool discard(struct ending *e, enum confirmation how, struct error *err)
{
    const struct revocation revocation = {
        .record = &e->record,
        .reason = REVOCATION_CESSATION,
        .by = how == CONFIRMATION_REJECTED ? "holder" : "gateway",
        .why = how == CONFIRMATION_REJECTED ? "the device rejected it" : "not confirmed in time",
        .transaction = e->key->id,
    };

    if (e->record.status == CERTIFICATE_GOOD &&
        (!revocation_put(e->turn, &revocation, err) || !free_registration(e, err)))
        return false;
    return settle(e, how, err);
}

/* --- the device's word --- */
static enum confirm_outcome outcome_of(const struct ending *e)
{
    switch (e->transaction.confirmation) {
    case CONFIRMATION_NONE: return CONFIRM_UNKNOWN;
    case CONFIRMATION_AWAITED:
        return e->turn->now_s <= e->transaction.confirm_until_s && e->record.status == CERTIFICATE_GOOD
                   ? CONFIRM_DONE
                   : CONFIRM_OVER; /* the job will settle it */
    case CONFIRMATION_DONE: return CONFIRM_ALREADY;
    case CONFIRMATION_REJECTED:
    case CONFIRMATION_LATE: return CONFIRM_OVER;
    }
    return CONFIRM_UNKNOWN;
}

bool enroll_confirm(struct turn *turn, const struct enroll_service *service,
                    const struct procedure *procedure, enum protocol protocol, struct bytes transaction_id,
                    bool accepted, enum confirm_outcome *out, struct error *err)
{
    const struct transaction_key key = { bytes_text(procedure->name), protocol, transaction_id };
    struct ending e = { .turn = turn, .service = service, .key = &key };
    enum confirm_outcome outcome;

    if (!read_ending(&e, err))
        return false;
    turn->facts.fqdn = arena_copy(turn->arena, e.transaction.fqdn);
    if (turn->facts.fqdn.data == NULL)
        return error_set(err, ERROR_MEMORY, "fqdn for the log");
    outcome = outcome_of(&e);
    if (outcome == CONFIRM_DONE && !(delete_job(turn, &key, err) &&
                                     (accepted ? accept(&e, err) : discard(&e, CONFIRMATION_REJECTED, err))))
        return false;
    *out = outcome;
    return true;
}

/* --- its silence --- */
bool enroll_confirm_job_run(struct turn *turn, const void *service, const struct job_record *job,
                            const struct job_event *event, struct job_step *out, struct error *err)
{
    struct transaction_key key;
    struct ending e = { .turn = turn, .service = service, .key = &key };

    (void)event;
    if (!read_job(job->state, &key))
        return error_set(err, ERROR_FORMAT, "the state of a job that ends a confirmation is malformed");
    if (!read_ending(&e, err))
        return false;
    out->effect.kind = JOB_EFFECT_DONE;
    if (e.transaction.confirmation != CONFIRMATION_AWAITED)
        return true;
    if (turn->now_s < e.transaction.confirm_until_s) {
        out->state = job->state;
        out->effect = (struct job_effect){ .kind = JOB_EFFECT_WAIT,
                                           .until_s = e.transaction.confirm_until_s };
        return true;
    }
    return discard(&e, CONFIRMATION_LATE, err);
}
