#include "jobs/crl.h"

#include <stdio.h>

#include "lib/base/record.h"
#include "registry/audit.h"
#include "registry/certificates.h"

enum {
    CRL_RECORD_VERSION = 1,
    TAG_NUMBER = 1,
    TAG_THIS_UPDATE,
    TAG_NEXT_UPDATE,
    TAG_ENTRIES,
    TAG_MARK,
    TAG_AUDIT_SIZE,
    TAG_DER,
    CRL_RECORD_OVERHEAD = 1024,
};

static struct state_key key_of(struct bytes ca_name)
{
    return (struct state_key){ .kind = "crl", .id = ca_name };
}

/* --- the record --- */
static bool decode(struct bytes blob, struct crl_state *out)
{
    struct crl_state state = { 0 };
    struct record_reader reader;
    struct record_field field;
    uint8_t version;

    if (!record_open(blob, &reader, &version) || version != CRL_RECORD_VERSION)
        return false;
    while (record_next(&reader, &field)) {
        switch (field.tag) {
        case TAG_NUMBER: state.number = record_u64(&reader, &field); break;
        case TAG_THIS_UPDATE: state.this_update_s = (int64_t)record_u64(&reader, &field); break;
        case TAG_NEXT_UPDATE: state.next_update_s = (int64_t)record_u64(&reader, &field); break;
        case TAG_ENTRIES: state.entries = record_u64(&reader, &field); break;
        case TAG_MARK: state.mark = record_u64(&reader, &field); break;
        case TAG_AUDIT_SIZE: state.audit_size = record_u64(&reader, &field); break;
        case TAG_DER: state.der = field.content; break;
        default: break;
        }
    }
    if (reader.failed || state.der.len == 0)
        return false;
    *out = state;
    return true;
}

static void encode(const struct crl_state *state, struct buffer *out)
{
    record_begin(out, CRL_RECORD_VERSION);
    record_put_u64(out, TAG_NUMBER, state->number);
    record_put_u64(out, TAG_THIS_UPDATE, (uint64_t)state->this_update_s);
    record_put_u64(out, TAG_NEXT_UPDATE, (uint64_t)state->next_update_s);
    record_put_u64(out, TAG_ENTRIES, state->entries);
    record_put_u64(out, TAG_MARK, state->mark);
    record_put_u64(out, TAG_AUDIT_SIZE, state->audit_size);
    record_put(out, TAG_DER, state->der);
}

bool crl_state_read(struct registry_view *view, struct bytes ca_name, struct arena *arena, bool *found,
                    struct crl_state *out, struct error *err)
{
    struct state_key key = key_of(ca_name);
    struct state_value value;
    struct crl_state state;
    bool there;

    if (!registry_state(view, &key, arena, &there, &value, err))
        return false;
    if (there && !decode(value.blob, &state))
        return error_set(err, ERROR_FORMAT, "the stored certificate list is malformed");
    *found = there;
    if (there) {
        state.revision = value.revision;
        *out = state;
    }
    return true;
}

bool crl_current(struct registry_view *view, struct bytes ca_name, struct arena *arena, bool *found,
                 struct bytes *der, struct error *err)
{
    struct crl_state state;

    if (!crl_state_read(view, ca_name, arena, found, &state, err))
        return false;
    if (*found)
        *der = state.der;
    return true;
}

/* --- the entries --- */
struct survey {
    uint64_t count, mark;
};

static uint64_t mix(uint64_t mark, const void *data, size_t len) /* FNV-1a: tells apart, proves nothing */
{
    const uint8_t *byte = data;

    for (size_t i = 0; i < len; i++)
        mark = (mark ^ byte[i]) * 0x100000001b3u;
    return mark;
}

static bool survey_one(const struct revoked_certificate *r, void *context)
{
    struct survey *survey = context;

    survey->count++;
    survey->mark = mix(survey->mark, r->serial.data, r->serial.len);
    survey->mark = mix(survey->mark, &r->revoked_s, sizeof(r->revoked_s));
    survey->mark = mix(survey->mark, &r->reason, sizeof(r->reason));
    return true;
}

struct collection {
    struct revoked_entry *entry;
    size_t count, max;
    struct arena *arena;
    bool failed;
};

static bool collect_one(const struct revoked_certificate *r, void *context)
{
    struct collection *c = context;
    struct bytes serial = arena_copy(c->arena, r->serial);

    if (serial.data == NULL || c->count == c->max) {
        c->failed = true;
        return false;
    }
    c->entry[c->count++] =
        (struct revoked_entry){ .serial = serial, .revoked_s = r->revoked_s, .reason = r->reason };
    return true;
}

static bool out_of_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "the certificate list does not fit in memory");
}

static bool sign_list(struct turn *turn, const struct ca *ca, const struct survey *survey,
                      struct crl_state *state, struct error *err)
{
    AUTO_STRUCT(buffer) der = BUFFER(CRL_BYTES_MAX);
    struct collection c = { .max = survey->count, .arena = turn->arena };

    c.entry = arena_array(turn->arena, survey->count > 0 ? survey->count : 1, sizeof(*c.entry));
    if (c.entry == NULL)
        return out_of_memory(err);
    if (!registry_revoked_each(turn->view, &ca->issuer, turn->now_s, collect_one, &c, err))
        return false;
    if (c.failed)
        return out_of_memory(err);
    if (!ca_crl(ca, turn->keys, state->number, c.entry, c.count, turn->now_s, &der, turn->arena, err))
        return false;
    state->der = arena_copy(turn->arena, buffer_bytes(&der));
    return state->der.data != NULL || out_of_memory(err);
}

static bool store_list(struct turn *turn, const struct ca *ca, const struct crl_state *state,
                       uint64_t expected_revision, struct error *err)
{
    AUTO_STRUCT(buffer) blob = BUFFER((size_t)CRL_BYTES_MAX + CRL_RECORD_OVERHEAD);
    struct state_key key = key_of(bytes_text(ca->name));

    encode(state, &blob);
    if (buffer_failed(&blob))
        return out_of_memory(err);
    change_state_put(&turn->changes, &key, &(struct state_value){ .blob = buffer_bytes(&blob) },
                     expected_revision);
    return !changes_failed(&turn->changes) || out_of_memory(err);
}

/* --- the job --- */
/* Signs a new list when the old one is missing, old, about to end, or no longer what the registry says. */
static bool refresh(struct turn *turn, const struct ca *ca, struct error *err)
{
    struct crl_state old = { 0 };
    struct survey survey = { .mark = 0xcbf29ce484222325u };
    struct audit_head head;
    bool found;

    if (!crl_state_read(turn->view, bytes_text(ca->name), turn->arena, &found, &old, err) ||
        !registry_audit_head(turn->view, &head, err))
        return false;
    bool aged = !found || turn->now_s >= old.this_update_s + (int64_t)ca->crl_refresh_s ||
                turn->now_s < old.this_update_s || turn->now_s >= old.next_update_s;
    if (!aged && head.size == old.audit_size) /* a revocation never comes without an audit entry */
        return true;
    if (!registry_revoked_each(turn->view, &ca->issuer, turn->now_s, survey_one, &survey, err))
        return false;
    if (!aged && survey.mark == old.mark && survey.count == old.entries)
        return true;
    struct crl_state next = { .number = found ? old.number + 1 : (uint64_t)turn->now_s,
                              .this_update_s = turn->now_s,
                              .next_update_s = turn->now_s + (int64_t)ca->crl_validity_s,
                              .entries = survey.count,
                              .mark = survey.mark,
                              .audit_size = head.size };
    return sign_list(turn, ca, &survey, &next, err) && store_list(turn, ca, &next, old.revision, err);
}

bool job_crl_run(struct turn *turn, const void *service, const struct job_record *job,
                 const struct job_event *event, struct job_step *out, struct error *err)
{
    const struct crl_service *s = service;
    size_t tried = 0, failed = 0;
    struct error first = { 0 };

    (void)job;
    (void)event;
    for (size_t i = 0; i < s->count; i++) {
        struct error why = { 0 };

        if (!ca_is_local(&s->ca[i]))
            continue;
        tried++;
        if (!refresh(turn, &s->ca[i], &why) && failed++ == 0 && !error_prefix(&why, s->ca[i].name))
            first = why;
    }
    if (failed > 0 && failed == tried) {
        *err = first;
        return false;
    }
    if (failed > 0)
        (void)snprintf(turn->facts.error, sizeof(turn->facts.error), "%s", first.text);
    out->effect = (struct job_effect){ .kind = JOB_EFFECT_WAIT, .until_s = turn->now_s + CRL_POLL_S };
    return true;
}
