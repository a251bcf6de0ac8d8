/* order_record.c: an order as the state of its job. */
#include "enroll/order_internal.h"
#include "lib/base/record.h"

enum { RECORD_VERSION = 1, RECORD_MAX = 512 * 1024 };

enum field {
    FIELD_PHASE = 1,
    FIELD_STAGE,
    FIELD_CA,
    FIELD_PROCEDURE,
    FIELD_PROTOCOL,
    FIELD_TRANSACTION_ID,
    FIELD_DEADLINE,
    FIELD_NEXT,
    FIELD_FAILURES,
    FIELD_FQDN,
    FIELD_SUBJECT,
    FIELD_SAN,
    FIELD_SPKI,
    FIELD_REGISTRATION,
    FIELD_REGISTRATION_REVISION,
    FIELD_REGISTRATION_USED,
    FIELD_REPEAT,
    FIELD_RENEWS_ISSUER,
    FIELD_RENEWS_SERIAL,
    FIELD_RA_NAME,
    FIELD_RA_ISSUER,
    FIELD_RA_SERIAL,
    FIELD_UNKNOWN, /* as often as there are */
    FIELD_STATE,
    FIELD_URL,
    FIELD_CONTENT_TYPE,
    FIELD_BODY,
    FIELD_TRUST_PATH,
    FIELD_TIMEOUT,
    FIELD_CERTIFICATE,
    FIELD_ACCEPTED,
    FIELD_REASON,
};

static bool take_fqdn(struct bytes content, struct dns_name *out)
{
    if (content.len > DNS_NAME_MAX)
        return false;
    out->len = (uint8_t)content.len;
    if (content.len > 0)
        memcpy(out->text, content.data, content.len);
    return true;
}

static bool take_unknown(struct bytes content, struct order *o)
{
    if (o->unknown_count == COUNT_OF(o->unknown))
        return false;
    o->unknown[o->unknown_count++] = content;
    return true;
}

/* A number below `count`. */
static bool take_choice(struct record_reader *in, const struct record_field *f, unsigned count, unsigned *out)
{
    uint64_t number = record_u64(in, f);

    *out = (unsigned)(number < count ? number : 0);
    return number < count;
}

static bool take_number(struct record_reader *in, const struct record_field *f, struct order *o, bool *known)
{
    unsigned choice = 0;
    bool good = true;

    *known = true;
    switch ((enum field)f->tag) {
    case FIELD_PHASE:
        good = take_choice(in, f, ORDER_PHASE_COUNT, &choice);
        o->phase = (enum order_phase)choice;
        return good;
    case FIELD_STAGE:
        good = take_choice(in, f, ORDER_STAGE_COUNT, &choice);
        o->stage = (enum order_stage)choice;
        return good;
    case FIELD_PROTOCOL:
        good = take_choice(in, f, PROTOCOL_COUNT, &choice);
        o->protocol = (enum protocol)choice;
        return good;
    case FIELD_DEADLINE: o->deadline_s = (int64_t)record_u64(in, f); return true;
    case FIELD_NEXT: o->next_s = (int64_t)record_u64(in, f); return true;
    case FIELD_FAILURES: o->failures = (unsigned)record_u64(in, f); return true;
    case FIELD_REGISTRATION_REVISION: o->registration_revision = record_u64(in, f); return true;
    case FIELD_REGISTRATION_USED: o->registration_used = record_u64(in, f) != 0; return true;
    case FIELD_REPEAT: o->repeat_s = (uint32_t)record_u64(in, f); return true;
    case FIELD_TIMEOUT: o->timeout_ms = (unsigned)record_u64(in, f); return true;
    case FIELD_ACCEPTED: o->accepted = record_u64(in, f) != 0; return true;
    case FIELD_REASON: o->reason = (int)record_u64(in, f); return true;
    default: *known = false; return true;
    }
}

static bool take_content(struct bytes content, uint16_t tag, struct order *o)
{
    switch ((enum field)tag) {
    case FIELD_CA: o->ca = content; break;
    case FIELD_PROCEDURE: o->procedure = content; break;
    case FIELD_TRANSACTION_ID: o->transaction_id = content; break;
    case FIELD_FQDN: return take_fqdn(content, &o->fqdn);
    case FIELD_SUBJECT: o->subject = content; break;
    case FIELD_SAN: o->san = content; break;
    case FIELD_SPKI: o->spki = content; break;
    case FIELD_REGISTRATION: return record_octets(content, o->registration.bytes, ID_LEN);
    case FIELD_RENEWS_ISSUER:
        return record_octets(content, o->renews.issuer.bytes, sizeof(o->renews.issuer.bytes));
    case FIELD_RENEWS_SERIAL: return certificate_id_take_serial(content, &o->renews);
    case FIELD_RA_NAME: o->ra_name = content; break;
    case FIELD_RA_ISSUER: return record_octets(content, o->ra.issuer.bytes, sizeof(o->ra.issuer.bytes));
    case FIELD_RA_SERIAL: return certificate_id_take_serial(content, &o->ra);
    case FIELD_UNKNOWN: return take_unknown(content, o);
    case FIELD_STATE: o->state = content; break;
    case FIELD_URL: o->url = content; break;
    case FIELD_CONTENT_TYPE: o->content_type = content; break;
    case FIELD_BODY: o->body = content; break;
    case FIELD_TRUST_PATH: o->trust_path = content; break;
    case FIELD_CERTIFICATE: o->certificate = content; break;
    default: break; /* of a later version: skipped */
    }
    return true;
}

static bool take_field(struct record_reader *in, const struct record_field *field, void *into)
{
    struct order *order = into;
    bool known;

    return take_number(in, field, order, &known) &&
           (known || take_content(field->content, field->tag, order));
}

bool order_decode(struct bytes record, struct order *out)
{
    struct order order = { 0 };

    if (!record_read(record, RECORD_VERSION, take_field, &order) || order.phase == ORDER_PHASE_NONE)
        return false;
    *out = order;
    return true;
}

static void put_admitted(const struct order *o, struct buffer *out)
{
    record_put(out, FIELD_FQDN, dns_name_bytes(&o->fqdn));
    record_put(out, FIELD_SUBJECT, o->subject);
    record_put(out, FIELD_SAN, o->san);
    record_put(out, FIELD_SPKI, o->spki);
    record_put(out, FIELD_REGISTRATION, registration_id_bytes(&o->registration));
    record_put_u64(out, FIELD_REGISTRATION_REVISION, o->registration_revision);
    record_put_u64(out, FIELD_REGISTRATION_USED, o->registration_used);
    record_put_u64(out, FIELD_REPEAT, o->repeat_s);
    record_put(out, FIELD_RENEWS_ISSUER, digest256_bytes(&o->renews.issuer));
    record_put(out, FIELD_RENEWS_SERIAL, bytes_of(o->renews.serial, o->renews.serial_len));
    record_put(out, FIELD_RA_NAME, o->ra_name);
    record_put(out, FIELD_RA_ISSUER, digest256_bytes(&o->ra.issuer));
    record_put(out, FIELD_RA_SERIAL, bytes_of(o->ra.serial, o->ra.serial_len));
    for (size_t i = 0; i < o->unknown_count; i++)
        record_put(out, FIELD_UNKNOWN, o->unknown[i]);
}

bool order_encode(const struct order *o, struct arena *arena, struct bytes *out, struct error *err)
{
    AUTO_STRUCT(buffer) blob = BUFFER(RECORD_MAX);

    record_begin(&blob, RECORD_VERSION);
    record_put_u64(&blob, FIELD_PHASE, o->phase);
    record_put_u64(&blob, FIELD_STAGE, o->stage);
    record_put(&blob, FIELD_CA, o->ca);
    record_put(&blob, FIELD_PROCEDURE, o->procedure);
    record_put_u64(&blob, FIELD_PROTOCOL, o->protocol);
    record_put(&blob, FIELD_TRANSACTION_ID, o->transaction_id);
    record_put_u64(&blob, FIELD_DEADLINE, (uint64_t)o->deadline_s);
    record_put_u64(&blob, FIELD_NEXT, (uint64_t)o->next_s);
    record_put_u64(&blob, FIELD_FAILURES, o->failures);
    put_admitted(o, &blob);
    record_put(&blob, FIELD_STATE, o->state);
    record_put(&blob, FIELD_URL, o->url);
    record_put(&blob, FIELD_CONTENT_TYPE, o->content_type);
    record_put(&blob, FIELD_BODY, o->body);
    record_put(&blob, FIELD_TRUST_PATH, o->trust_path);
    record_put_u64(&blob, FIELD_TIMEOUT, o->timeout_ms);
    record_put(&blob, FIELD_CERTIFICATE, o->certificate);
    record_put_u64(&blob, FIELD_ACCEPTED, o->accepted);
    record_put_u64(&blob, FIELD_REASON, (uint64_t)o->reason);
    return record_keep(&blob, "order", arena, out, err);
}

bool order_take_step(struct order *order, const struct connector_step *step, int64_t now_s, struct error *err)
{
    const struct connector_request *r = &step->request;

    if (step->state.len > CONNECTOR_STATE_MAX || r->body.len > CONNECTOR_BODY_MAX)
        return error_set(err, ERROR_INTERNAL, "the connector of CA %.*s keeps or sends too much",
                         BYTES_FMT(order->ca));
    order->state = step->state;
    order->failures = 0;
    if (step->verdict == CONNECTOR_WAIT) {
        order->stage = ORDER_STAGE_WAIT;
        order->next_s = step->wait_until_s > now_s ? step->wait_until_s : now_s + 1;
        return true;
    }
    order->stage = ORDER_STAGE_SEND;
    order->next_s = 0;
    order->url = r->url;
    order->content_type = r->content_type;
    order->body = r->body;
    order->trust_path = bytes_text(r->trust_path);
    order->timeout_ms = r->timeout_ms;
    return true;
}
