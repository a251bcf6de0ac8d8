#include "registry/changes.h"

#include "registry/changes_internal.h"

void changes_begin(struct changes *changes, struct arena *arena)
{
    *changes = (struct changes){ .arena = arena };
}

void changes_rewind(struct changes *changes, struct changes mark)
{
    *changes = mark;
    if (changes->last != NULL)
        changes->last->next = NULL;
}

/* A new change at the end of the list; NULL when the list has failed. */
static struct change *add(struct changes *c, enum change_kind kind)
{
    struct change *change = c->failed ? NULL : arena_alloc(c->arena, sizeof(*change));

    if (change == NULL) {
        c->failed = true;
        return NULL;
    }
    change->kind = kind;
    if (c->last == NULL)
        c->first = change;
    else
        c->last->next = change;
    c->last = change;
    c->count++;
    return change;
}

/* A copy in the list's arena; none stays none. */
static struct bytes copy(struct changes *c, struct bytes b)
{
    struct bytes copied;

    if (b.len == 0 || c->failed)
        return BYTES_NONE;
    copied = arena_copy(c->arena, b);
    if (copied.data == NULL)
        c->failed = true;
    return copied;
}

static struct bytes *copy_list(struct changes *c, const struct bytes *list, size_t count)
{
    struct bytes *copied;

    if (count == 0 || c->failed)
        return NULL;
    copied = arena_array(c->arena, count, sizeof(*copied));
    if (copied == NULL) {
        c->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        copied[i] = copy(c, list[i]);
    return copied;
}

static struct state_key copy_state_key(struct changes *c, const struct state_key *key)
{
    struct state_key copied = { .procedure = copy(c, key->procedure), .id = copy(c, key->id) };

    copied.kind = c->failed ? NULL : arena_text(c->arena, bytes_text(key->kind));
    if (copied.kind == NULL)
        c->failed = true;
    return copied;
}

bool changes_put_job(const struct changes *changes)
{
    for (const struct change *c = changes->first; c != NULL; c = c->next) {
        if (c->kind == CHANGE_JOB_PUT)
            return true;
    }
    return false;
}

void change_registration_put(struct changes *c, const struct registration *r, uint64_t expected_revision)
{
    struct change *change = add(c, CHANGE_REGISTRATION_PUT);

    if (change == NULL)
        return;
    change->revision = expected_revision;
    if (!registration_copy(r, c->arena, &change->registration))
        c->failed = true;
}

void change_registration_assume(struct changes *c, const struct registration_id *id, uint64_t revision)
{
    struct change *change = add(c, CHANGE_REGISTRATION_ASSUME);

    if (change == NULL)
        return;
    change->revision = revision;
    change->use.id = *id;
}

void change_registration_use(struct changes *c, const struct registration_id *id, uint64_t revision,
                             bool used)
{
    struct change *change = add(c, CHANGE_REGISTRATION_USE);

    if (change == NULL)
        return;
    change->revision = revision;
    change->use.id = *id;
    change->use.used = used;
}

void change_certificate_add(struct changes *c, const struct certificate_record *record)
{
    struct change *change = add(c, CHANGE_CERTIFICATE_ADD);

    if (change == NULL)
        return;
    change->certificate = *record;
    change->certificate.ca = copy(c, record->ca);
    change->certificate.procedure = copy(c, record->procedure);
    change->certificate.profile = copy(c, record->profile);
    change->certificate.der = copy(c, record->der);
}

void change_certificate_revoke(struct changes *c, const struct certificate_id *id, int reason,
                               int64_t revoked_s)
{
    struct change *change = add(c, CHANGE_CERTIFICATE_REVOKE);

    if (change == NULL)
        return;
    change->revoke.id = *id;
    change->revoke.reason = reason;
    change->revoke.revoked_s = revoked_s;
}

void change_certificate_assume(struct changes *c, const struct certificate_id *id)
{
    struct change *change = add(c, CHANGE_CERTIFICATE_ASSUME);

    if (change != NULL)
        change->revoke.id = *id;
}

void change_state_put(struct changes *c, const struct state_key *key, const struct state_value *value,
                      uint64_t expected_revision)
{
    struct change *change = add(c, CHANGE_STATE_PUT);

    if (change == NULL)
        return;
    change->revision = expected_revision;
    change->state.key = copy_state_key(c, key);
    change->state.value = *value;
    change->state.value.blob = copy(c, value->blob);
}

void change_state_delete(struct changes *c, const struct state_key *key, uint64_t expected_revision)
{
    struct change *change = add(c, CHANGE_STATE_DELETE);

    if (change == NULL)
        return;
    change->revision = expected_revision;
    change->state.key = copy_state_key(c, key);
}

void change_state_assume(struct changes *c, const struct state_key *key, uint64_t expected_revision)
{
    struct change *change = add(c, CHANGE_STATE_ASSUME);

    if (change == NULL)
        return;
    change->revision = expected_revision;
    change->state.key = copy_state_key(c, key);
}

void change_place_take(struct changes *c, const struct state_key *holder, struct bytes member,
                       int64_t expires_s, uint32_t max)
{
    struct change *change = add(c, CHANGE_PLACE_TAKE);

    if (change == NULL)
        return;
    change->place.holder = copy_state_key(c, holder);
    change->place.member = copy(c, member);
    change->place.expires_s = expires_s;
    change->place.max = max;
}

void change_place_free(struct changes *c, const struct state_key *holder, struct bytes member)
{
    struct change *change = add(c, CHANGE_PLACE_FREE);

    if (change == NULL)
        return;
    change->place.holder = copy_state_key(c, holder);
    change->place.member = copy(c, member);
}

void change_job_put(struct changes *c, const struct job_record *job)
{
    struct change *change = add(c, CHANGE_JOB_PUT);

    if (change == NULL)
        return;
    change->job = *job;
    change->job.kind = copy(c, job->kind);
    change->job.state = copy(c, job->state);
}

void change_job_delete(struct changes *c, const struct job_id *id)
{
    struct change *change = add(c, CHANGE_JOB_DELETE);

    if (change != NULL)
        change->job.id = *id;
}

void change_officer_put(struct changes *c, const struct officer_record *officer)
{
    struct change *change = add(c, CHANGE_OFFICER_PUT);

    if (change == NULL)
        return;
    change->revision = officer->revision;
    change->officer = *officer;
    change->officer.key_id = copy(c, officer->key_id);
    change->officer.name = copy(c, officer->name);
    change->officer.spki = copy(c, officer->spki);
    change->officer.procedure = copy_list(c, officer->procedure, officer->procedure_count);
    change->officer.suffix = copy_list(c, officer->suffix, officer->suffix_count);
}

void change_jti_use(struct changes *c, struct bytes officer, struct bytes jti)
{
    struct change *change = add(c, CHANGE_JTI_USE);

    if (change == NULL)
        return;
    change->jti.officer = copy(c, officer);
    change->jti.jti = copy(c, jti);
}

void change_audit_append(struct changes *c, enum audit_kind kind, struct bytes content)
{
    struct change *change = add(c, CHANGE_AUDIT_APPEND);

    if (change == NULL)
        return;
    change->audit.kind = kind;
    change->audit.content = copy(c, content);
}
