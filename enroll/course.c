#include "enroll/enroll_internal.h"

#include "lib/base/encode.h"

const struct ca *enroll_ca(const struct enroll_service *service, const struct procedure *procedure)
{
    for (size_t i = 0; i < service->ca_count; i++)
        if (strcmp(service->ca[i].name, procedure->ca) == 0)
            return &service->ca[i];
    return NULL;
}

static void say(struct course *c, const char *verdict, const char *reason, const char *detail)
{
    c->turn->facts.verdict = verdict;
    c->turn->facts.reason = reason;
    c->turn->facts.detail = detail;
}

enum progress course_refuse(struct course *c, enum refusal reason, const char *detail)
{
    *c->out = (struct enroll_result){
        .kind = ENROLL_REFUSED,
        .reason = reason,
        .detail = detail,
        .credential_held = c->verdict.credential_held,
        .registration = c->verdict.registration,
    };
    say(c, "refused", refusal_name(reason), detail);
    return PROGRESS_ANSWERED;
}

/* Until the next round of retry_after, counted from when it began to wait: who comes early is told what is
 * left (EST-51). */
static unsigned wait_s(const struct course *c, bool repeated)
{
    unsigned configured_s = c->e.procedure->retry_after_s;
    unsigned round_s = configured_s > 0 ? configured_s : RETRY_AFTER_DEFAULT_S;
    int64_t waited_s = repeated ? c->turn->now_s - c->transaction.changed_s : 0;

    return waited_s > 0 ? round_s - (unsigned)(waited_s % round_s) : round_s;
}

enum progress course_pending(struct course *c, bool repeated)
{
    *c->out = (struct enroll_result){
        .kind = ENROLL_PENDING,
        .credential_held = true,
        .retry_after_s = wait_s(c, repeated),
        .repeated = repeated,
        .registration = c->verdict.registration,
    };
    say(c, "pending", NULL, repeated ? "still waiting for an officer" : "waits for an officer");
    return PROGRESS_ANSWERED;
}

enum progress course_ordered(struct course *c, const struct job_id *order, unsigned wait_seconds,
                             bool repeated)
{
    (void)course_pending(c, repeated);
    if (wait_seconds > 0)
        c->out->retry_after_s = wait_seconds;
    say(c, "pending", NULL, repeated ? "still ordered from the CA" : "ordered from the CA");
    c->turn->waits = true;
    c->turn->waits_for = *order;
    return PROGRESS_ANSWERED;
}

enum progress course_issued(struct course *c, struct bytes der, const struct certificate_id *id,
                            bool repeated, struct error *err)
{
    char hex[2 * SERIAL_MAX + 1];

    hex_encode(bytes_of(id->serial, id->serial_len), hex);
    c->turn->facts.serial = arena_copy(c->turn->arena, bytes_text(hex));
    if (c->turn->facts.serial.data == NULL) {
        (void)error_set(err, ERROR_MEMORY, "serial number for the log");
        return PROGRESS_ERROR;
    }
    *c->out = (struct enroll_result){
        .kind = ENROLL_ISSUED,
        .credential_held = true,
        .certificate = der,
        .repeated = repeated,
        .unconfirmed = repeated ? c->transaction.confirmation == CONFIRMATION_AWAITED
                                : c->e.confirm_within_s > 0,
        .registration = c->verdict.registration,
    };
    say(c, "issued", NULL, repeated ? "the same request again" : NULL);
    return PROGRESS_ANSWERED;
}

bool names_digest(const struct requested *requested, struct digest256 *out)
{
    AUTO_STRUCT(buffer) all = BUFFER(256 * 1024);

    buffer_append(&all, requested->subject.encoded);
    for (size_t i = 0; i < requested->san.count; i++)
        buffer_append(&all, requested->san.item[i].encoded);
    return !buffer_failed(&all) && sha256(buffer_bytes(&all), out);
}

bool course_repeats(const struct course *c)
{
    const struct transaction *t = &c->transaction;

    return t->status != TRANSACTION_NONE && digest256_equal(&t->key, &c->identity.key) &&
           digest256_equal(&t->signer, &c->e.signer) && digest256_equal(&t->names, &c->names_asked);
}

struct transaction course_transaction(const struct course *c, enum transaction_status status)
{
    struct transaction t = {
        .status = status,
        .key = c->identity.key,
        .signer = c->e.signer,
        .names = c->names_asked,
        .fqdn = dns_name_bytes(&c->identity.fqdn),
        .form = c->e.form,
        .profile = c->e.profile != NULL ? bytes_text(c->e.profile->name) : BYTES_NONE,
        .confirm_within_s = c->e.confirm_within_s,
        .revision = c->transaction.revision,
    };

    if (c->verdict.registration != NULL)
        t.registration = c->verdict.registration->id;
    return t;
}
