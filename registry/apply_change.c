#include "registry/apply_internal.h"
#include "registry/certificate_rows_internal.h"
#include "registry/match_index_internal.h"
#include "registry/registration_rows_internal.h"
#include "registry/state_rows_internal.h"

/* --- registrations --- */
static bool registration_by_id(struct applying *a, const struct registration_id *id, bool *found,
                               struct registration *out, struct error *err)
{
    struct bytes key;

    if (!row_key_by_id(&a->txn, id, found, &key, err))
        return false;
    return !*found || row_get(&a->txn, key, a->arena, found, out, err);
}

static bool check_registration_put(struct applying *a, const struct change *change, bool *holds,
                                   struct error *err)
{
    const struct registration *r = &change->registration;
    struct registration held = { 0 };
    struct bytes value;
    struct key key, old = { 0 };
    bool found;

    if (!row_key(r, &key, err) || !registration_by_id(a, &r->id, &found, &held, err))
        return false;
    if (change->revision != 0) {
        *holds = found && held.revision == change->revision;
        if (!*holds)
            return true;
        if (!row_key(&held, &old, err))
            return false;
        *holds = bytes_equal(key_bytes(&old), key_bytes(&key)); /* a registration keeps its name */
        return true;
    }
    *holds = !found;
    /* A hidden row of an import holds its name too. */
    if (!txn_get(&a->txn, TABLE_REGISTRATION, key_bytes(&key), &found, &value, err))
        return false;
    a->staged = found && row_is_hidden(&a->txn, value);
    *holds = *holds && !found;
    return true;
}

static bool put_row(struct applying *a, struct bytes key, const struct registration *r, bool is_new,
                    struct error *err)
{
    AUTO_STRUCT(buffer) row = BUFFER(RECORD_MAX);

    row_encode(&row, 0, r);
    if (buffer_failed(&row))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    return is_new ? txn_add(&a->txn, TABLE_REGISTRATION, key, buffer_bytes(&row), err)
                  : txn_put(&a->txn, TABLE_REGISTRATION, key, buffer_bytes(&row), err);
}

static bool write_registration_put(struct applying *a, const struct change *change, uint64_t act_index,
                                   struct error *err)
{
    struct registration r = change->registration;
    struct key key;
    bool is_new = change->revision == 0;

    r.revision = change->revision + 1;
    if (act_index != UINT64_MAX)
        r.audit_index = act_index;
    if (!row_key(&r, &key, err) || !put_row(a, key_bytes(&key), &r, is_new, err))
        return false;
    if (!is_new)
        return true;
    if (!txn_add(&a->txn, TABLE_REGISTRATION_ID, registration_id_bytes(&r.id), key_bytes(&key), err))
        return false;
    return r.fqdn.len == 0 || fqdn_pattern_is_exact(&r.fqdn) ||
           match_index_add(&a->txn, r.domain, &r.fqdn, err);
}

static bool check_registration(struct applying *a, const struct change *change, bool *holds,
                               struct error *err)
{
    struct registration held;
    bool found;

    if (!registration_by_id(a, &change->use.id, &found, &held, err))
        return false;
    *holds = found && held.revision == change->revision &&
             (change->kind != CHANGE_REGISTRATION_USE || held.used != change->use.used);
    return true;
}

static bool write_registration_use(struct applying *a, const struct change *change, struct error *err)
{
    struct registration held;
    struct key key;
    bool found;

    if (!registration_by_id(a, &change->use.id, &found, &held, err))
        return false;
    if (!found || held.used == change->use.used)
        return error_set(err, ERROR_CONFLICT, "registry: a registration was changed twice at once");
    held.used = change->use.used;
    return row_key(&held, &key, err) && put_row(a, key_bytes(&key), &held, false, err);
}

/* --- certificates --- */
static bool certificate_by_id(struct applying *a, const struct certificate_id *id, bool *found,
                              struct certificate_record *out, struct error *err)
{
    struct bytes value;
    struct key key;

    certificate_key(id, &key);
    if (!txn_get(&a->txn, TABLE_CERTIFICATE, key_bytes(&key), found, &value, err))
        return false;
    return !*found || certificate_record_decode(value, out, err);
}

static bool write_certificate_add(struct applying *a, const struct change *change, struct error *err)
{
    AUTO_STRUCT(buffer) record = BUFFER(RECORD_MAX);
    const struct certificate_record *c = &change->certificate;
    struct key key, by_fqdn, by_key;
    uint64_t sequence;

    certificate_record_encode(&record, c);
    if (buffer_failed(&record))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    certificate_key(&c->id, &key);
    certificate_key_prefix(&c->key, &by_key);
    if (!txn_count(&a->txn, TABLE_CERTIFICATE, &sequence, err) || /* none is ever deleted */
        !txn_add(&a->txn, TABLE_CERTIFICATE, key_bytes(&key), buffer_bytes(&record), err))
        return false;
    key_put_u64(&by_key, sequence);
    if (!txn_add(&a->txn, TABLE_CERTIFICATE_KEY, key_bytes(&by_key), key_bytes(&key), err))
        return false;
    if (c->fqdn.len == 0)
        return true;
    if (!certificate_fqdn_prefix(c->domain, &c->fqdn, &by_fqdn, err))
        return false;
    key_put_u64(&by_fqdn, sequence);
    return txn_add(&a->txn, TABLE_CERTIFICATE_FQDN, key_bytes(&by_fqdn), key_bytes(&key), err);
}

static bool write_certificate_revoke(struct applying *a, const struct change *change, struct error *err)
{
    AUTO_STRUCT(buffer) record = BUFFER(RECORD_MAX);
    struct certificate_record c;
    struct key key, revoked, value;
    bool found;

    if (!certificate_by_id(a, &change->revoke.id, &found, &c, err))
        return false;
    if (!found || c.status != CERTIFICATE_GOOD)
        return error_set(err, ERROR_CONFLICT, "registry: a certificate was revoked twice at once");
    c.status = CERTIFICATE_REVOKED;
    c.revoked_s = change->revoke.revoked_s;
    c.revocation_reason = change->revoke.reason;
    certificate_record_encode(&record, &c); /* copies the DER before its page may change */
    if (buffer_failed(&record))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    certificate_key(&c.id, &key);
    certificate_revoked_key(&c.id.issuer, c.not_after_s, bytes_of(c.id.serial, c.id.serial_len), &revoked);
    certificate_revoked_value(c.revoked_s, c.revocation_reason, &value);
    return txn_put(&a->txn, TABLE_CERTIFICATE, key_bytes(&key), buffer_bytes(&record), err) &&
           txn_add(&a->txn, TABLE_REVOKED, key_bytes(&revoked), key_bytes(&value), err);
}

/* --- jobs --- */
static bool forget_due(struct applying *a, const struct job_id *id, struct error *err)
{
    struct job_record old;
    struct bytes value;
    struct key due;
    bool found;

    if (!txn_get(&a->txn, TABLE_JOB, BYTES_ARRAY(id->bytes), &found, &value, err))
        return false;
    if (!found)
        return true;
    if (!job_decode(value, &old, err))
        return false;
    due_key(old.due_s, BYTES_ARRAY(id->bytes), &due);
    return txn_delete(&a->txn, TABLE_JOB_DUE, key_bytes(&due), err);
}

static bool write_job_put(struct applying *a, const struct job_record *job, struct error *err)
{
    AUTO_STRUCT(buffer) record = BUFFER(RECORD_MAX);
    struct key due;

    job_encode(&record, job);
    if (buffer_failed(&record))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    due_key(job->due_s, BYTES_ARRAY(job->id.bytes), &due);
    return forget_due(a, &job->id, err) &&
           txn_put(&a->txn, TABLE_JOB, BYTES_ARRAY(job->id.bytes), buffer_bytes(&record), err) &&
           txn_put(&a->txn, TABLE_JOB_DUE, key_bytes(&due), BYTES_NONE, err);
}

/* --- officers and their acts --- */
static bool has_certificate(const struct officer_record *officer)
{
    static const struct digest256 none;

    return !digest256_equal(&officer->certificate, &none);
}

static bool officer_now(struct applying *a, struct bytes key, bool *found, struct officer_record *out,
                        struct error *err)
{
    struct bytes value;

    *out = (struct officer_record){ 0 };
    if (!txn_get(&a->txn, TABLE_OFFICER, key, found, &value, err))
        return false;
    return !*found || officer_decode(value, a->arena, out, err);
}

static bool check_officer(struct applying *a, const struct change *change, bool *holds, struct error *err)
{
    const struct officer_record *officer = &change->officer;
    struct officer_record old;
    struct bytes holder;
    struct key key;
    bool found;

    if (!officer_key_of(officer->key_id, &key, err) || !officer_now(a, key_bytes(&key), &found, &old, err))
        return false;
    *holds = found == (change->revision != 0) && old.revision == change->revision;
    if (!*holds || !has_certificate(officer))
        return true;
    if (!txn_get(&a->txn, TABLE_OFFICER_CERTIFICATE, digest256_bytes(&officer->certificate), &found, &holder,
                 err))
        return false;
    *holds = !found || bytes_equal(holder, key_bytes(&key)); /* one certificate, one officer */
    return true;
}

static bool write_officer(struct applying *a, const struct change *change, struct error *err)
{
    AUTO_STRUCT(buffer) record = BUFFER(RECORD_MAX);
    struct officer_record officer = change->officer, old;
    struct key key;
    bool found;

    if (!officer_key_of(officer.key_id, &key, err) || !officer_now(a, key_bytes(&key), &found, &old, err))
        return false;
    if (old.revision != change->revision)
        return error_set(err, ERROR_CONFLICT, "registry: an officer was changed twice at once");
    officer.revision = change->revision + 1;
    officer_encode(&record, &officer);
    if (buffer_failed(&record))
        return error_set(err, ERROR_MEMORY, "registry: out of memory");
    if (has_certificate(&old) &&
        !txn_delete(&a->txn, TABLE_OFFICER_CERTIFICATE, digest256_bytes(&old.certificate), err))
        return false;
    if (has_certificate(&officer) && !txn_put(&a->txn, TABLE_OFFICER_CERTIFICATE,
                                              digest256_bytes(&officer.certificate), key_bytes(&key), err))
        return false;
    return txn_put(&a->txn, TABLE_OFFICER, key_bytes(&key), buffer_bytes(&record), err);
}

static bool check_jti(struct applying *a, const struct change *change, bool *holds, struct error *err)
{
    struct bytes value;
    struct key key;
    bool seen;

    if (!jti_key_of(change->jti.officer, change->jti.jti, &key, err) ||
        !txn_get(&a->txn, TABLE_JTI, key_bytes(&key), &seen, &value, err))
        return false;
    *holds = !seen;
    return true;
}

static bool write_jti(struct applying *a, const struct change *change, struct error *err)
{
    struct key key, time = { 0 };

    key_put_u64(&time, (uint64_t)a->now_s);
    return jti_key_of(change->jti.officer, change->jti.jti, &key, err) &&
           txn_add(&a->txn, TABLE_JTI, key_bytes(&key), key_bytes(&time), err);
}

/* --- the table of changes --- */
bool change_check(struct applying *a, const struct change *change, bool *holds, struct error *err)
{
    struct certificate_record certificate;
    bool found;

    *holds = true;
    switch (change->kind) {
    case CHANGE_REGISTRATION_PUT: return check_registration_put(a, change, holds, err);
    case CHANGE_REGISTRATION_ASSUME:
    case CHANGE_REGISTRATION_USE: return check_registration(a, change, holds, err);
    case CHANGE_CERTIFICATE_ADD:
        if (!certificate_by_id(a, &change->certificate.id, &found, &certificate, err))
            return false;
        *holds = !found;
        return true;
    case CHANGE_CERTIFICATE_REVOKE:
    case CHANGE_CERTIFICATE_ASSUME:
        if (!certificate_by_id(a, &change->revoke.id, &found, &certificate, err))
            return false;
        *holds = found && certificate.status == CERTIFICATE_GOOD;
        return true;
    case CHANGE_STATE_PUT:
    case CHANGE_STATE_DELETE:
    case CHANGE_STATE_ASSUME: return check_state(a, change, holds, err);
    case CHANGE_PLACE_TAKE: return check_place_take(a, change, holds, err);
    case CHANGE_OFFICER_PUT: return check_officer(a, change, holds, err);
    case CHANGE_JTI_USE: return check_jti(a, change, holds, err);
    case CHANGE_PLACE_FREE:
    case CHANGE_JOB_PUT:
    case CHANGE_JOB_DELETE:
    case CHANGE_AUDIT_APPEND: return true;
    case CHANGE_NONE: break;
    }
    return error_set(err, ERROR_INTERNAL, "registry: a change of no kind");
}

bool change_write(struct applying *a, const struct change *change, uint64_t act_index, struct error *err)
{
    switch (change->kind) {
    case CHANGE_REGISTRATION_PUT: return write_registration_put(a, change, act_index, err);
    case CHANGE_REGISTRATION_ASSUME:
    case CHANGE_CERTIFICATE_ASSUME:
    case CHANGE_STATE_ASSUME: return true;
    case CHANGE_REGISTRATION_USE: return write_registration_use(a, change, err);
    case CHANGE_CERTIFICATE_ADD: return write_certificate_add(a, change, err);
    case CHANGE_CERTIFICATE_REVOKE: return write_certificate_revoke(a, change, err);
    case CHANGE_STATE_PUT: return write_state_put(a, change, err);
    case CHANGE_STATE_DELETE: return write_state_delete(a, change, err);
    case CHANGE_PLACE_TAKE: return write_place_take(a, change, err);
    case CHANGE_PLACE_FREE: return write_place_free(a, change, err);
    case CHANGE_JOB_PUT: return write_job_put(a, &change->job, err);
    case CHANGE_JOB_DELETE:
        return forget_due(a, &change->job.id, err) &&
               txn_delete(&a->txn, TABLE_JOB, BYTES_ARRAY(change->job.id.bytes), err);
    case CHANGE_OFFICER_PUT: return write_officer(a, change, err);
    case CHANGE_JTI_USE: return write_jti(a, change, err);
    case CHANGE_AUDIT_APPEND:
        return audit_tail_append(&a->txn, &a->audit, a->now_s, change->audit.kind, change->audit.content,
                                 err);
    case CHANGE_NONE: break;
    }
    return error_set(err, ERROR_INTERNAL, "registry: a change of no kind");
}
