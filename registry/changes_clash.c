/* What two handlers of one turn want, when both looked at the same view: whether it can stand together. */
#include "registry/changes.h"

#include "registry/changes_internal.h"

enum concern {
    CONCERN_NOTHING = 0,
    CONCERN_REGISTRATION,
    CONCERN_CERTIFICATE,
    CONCERN_STATE,
    CONCERN_PLACE,
    CONCERN_JOB,
    CONCERN_OFFICER,
    CONCERN_ACT
};

static enum concern concern_of(const struct change *change)
{
    switch (change->kind) {
    case CHANGE_REGISTRATION_PUT:
    case CHANGE_REGISTRATION_ASSUME:
    case CHANGE_REGISTRATION_USE: return CONCERN_REGISTRATION;
    case CHANGE_CERTIFICATE_ADD:
    case CHANGE_CERTIFICATE_REVOKE:
    case CHANGE_CERTIFICATE_ASSUME: return CONCERN_CERTIFICATE;
    case CHANGE_STATE_PUT:
    case CHANGE_STATE_DELETE:
    case CHANGE_STATE_ASSUME: return CONCERN_STATE;
    case CHANGE_PLACE_TAKE:
    case CHANGE_PLACE_FREE: return CONCERN_PLACE;
    case CHANGE_JOB_PUT:
    case CHANGE_JOB_DELETE: return CONCERN_JOB;
    case CHANGE_OFFICER_PUT: return CONCERN_OFFICER;
    case CHANGE_JTI_USE: return CONCERN_ACT;
    case CHANGE_NONE:
    case CHANGE_AUDIT_APPEND: break;
    }
    return CONCERN_NOTHING;
}

static bool only_assumes(const struct change *change)
{
    return change->kind == CHANGE_REGISTRATION_ASSUME || change->kind == CHANGE_CERTIFICATE_ASSUME ||
           change->kind == CHANGE_STATE_ASSUME;
}

static const struct registration_id *registration_of(const struct change *change)
{
    return change->kind == CHANGE_REGISTRATION_PUT ? &change->registration.id : &change->use.id;
}

static const struct certificate_id *certificate_of(const struct change *change)
{
    return change->kind == CHANGE_CERTIFICATE_ADD ? &change->certificate.id : &change->revoke.id;
}

/* Two certificates over one key are two minds about whose it is: the second must see the first. */
static bool same_certificate(const struct change *a, const struct change *b)
{
    if (a->kind == CHANGE_CERTIFICATE_ADD && b->kind == CHANGE_CERTIFICATE_ADD &&
        digest256_equal(&a->certificate.key, &b->certificate.key))
        return true;
    return certificate_id_equal(certificate_of(a), certificate_of(b));
}

static bool same_state(const struct state_key *a, const struct state_key *b)
{
    return strcmp(a->kind, b->kind) == 0 && bytes_equal(a->procedure, b->procedure) &&
           bytes_equal(a->id, b->id);
}

static bool counts(const struct change *change)
{
    return change->kind == CHANGE_PLACE_TAKE && change->place.max > 0;
}

/* Two that are counted may both have seen the last room. */
static bool same_place(const struct change *a, const struct change *b)
{
    return same_state(&a->place.holder, &b->place.holder) &&
           ((counts(a) && counts(b)) || bytes_equal(a->place.member, b->place.member));
}

static bool clash(const struct change *a, const struct change *b)
{
    enum concern concern = concern_of(a);

    if (concern != concern_of(b) || (only_assumes(a) && only_assumes(b)))
        return false;
    switch (concern) {
    case CONCERN_REGISTRATION:
        return bytes_equal(registration_id_bytes(registration_of(a)),
                           registration_id_bytes(registration_of(b)));
    case CONCERN_CERTIFICATE: return same_certificate(a, b);
    case CONCERN_STATE: return same_state(&a->state.key, &b->state.key);
    case CONCERN_PLACE: return same_place(a, b);
    case CONCERN_JOB: return memcmp(&a->job.id, &b->job.id, sizeof(a->job.id)) == 0;
    case CONCERN_OFFICER: return bytes_equal(a->officer.key_id, b->officer.key_id);
    case CONCERN_ACT:
        return bytes_equal(a->jti.officer, b->jti.officer) && bytes_equal(a->jti.jti, b->jti.jti);
    case CONCERN_NOTHING: break;
    }
    return false;
}

bool changes_clash(const struct changes *changes, struct changes mark)
{
    const struct change *since = mark.last == NULL ? changes->first : mark.last->next;

    for (const struct change *b = since; b != NULL; b = b->next)
        for (const struct change *a = changes->first; a != since; a = a->next)
            if (clash(a, b))
                return true;
    return false;
}
