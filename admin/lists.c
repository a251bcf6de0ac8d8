/* lists.c: what is there to read, page by page. "next" is what `after` (or `from`) of the next page says. */
#include "admin/call_internal.h"
#include "enroll/pending.h"
#include "lib/base/encode.h"
#include "officer/officer_json.h"
#include "registry/audit.h"
#include "registry/certificates.h"
#include "registry/registrations.h"
#include "registry/state.h"

enum { OFFICERS_LIST_MAX = 4096 };

/* {"<name>":[...], "next":...}; owns both, `next` may be NULL. */
static bool reply_list(struct call *call, const char *name, json_t *list, json_t *next)
{
    json_t *answer = json_object();

    if (json_put(answer, name, list) && (next == NULL || json_put(answer, "next", next)))
        return reply_json(call, 200, answer);
    json_decref(answer);
    return reply_memory(call);
}

/* A page ends at its limit, or when it has grown to this many bytes: a request's arena is bounded. */
enum { PAGE_BYTES_MAX = 1 << 20 };

/* Appends and owns `row`. *bytes counts what the page has come to. */
static bool push_row(json_t *list, json_t *row, size_t *bytes)
{
    *bytes += row == NULL ? 0 : json_dumpb(row, NULL, 0, JSON_COMPACT);
    return json_push(list, row);
}

/* --- registrations --- */

static json_t *registration_next(struct call *call, const struct registration *last)
{
    struct bytes text = last->order == ORDER_ACME
                            ? arena_format(call->turn->arena, "~%.*s", BYTES_FMT(last->key_id))
                            : fqdn_pattern_bytes(&last->fqdn);

    return text.data == NULL ? NULL : json_of_bytes(text);
}

/* ?fqdn= or ?keyId=: the holder of exactly this, or nobody. */
static bool find_named(struct call *call, const struct domain *domain, bool *found, struct registration *out)
{
    static const struct fqdn_pattern_rules rules = {
        .dns = { .underscore = true, .single_label = true, .trailing_dot = true, .unicode = true },
        .literal_labels_min = 1,
    };
    struct bytes fqdn = query_text(call, "fqdn"), key_id = query_text(call, "keyId");
    struct fqdn_pattern pattern;
    struct turn *turn = call->turn;

    *found = false;
    if (key_id.len > 0)
        return registry_registration_by_key_id(turn->view, domain->id, key_id, turn->arena, found, out,
                                               call->err);
    if (fqdn_pattern_parse(fqdn, &rules, &pattern) != FQDN_PATTERN_OK)
        return true;
    return registry_registration_by_fqdn(turn->view, domain->id, &pattern, turn->arena, found, out,
                                         call->err);
}

bool serve_registrations(struct call *call)
{
    const struct domain *domain = query_domain(call);
    struct bytes after = query_text(call, "after");
    AUTO(json_t) *list = json_array();
    struct registration *page;
    bool named = query_text(call, "fqdn").len > 0 || query_text(call, "keyId").len > 0, found;
    size_t limit, count = 0, shown = 0, bytes = 0;

    if (domain == NULL || !query_limit(call, &limit))
        return call->response->status != 0;
    page = arena_array(call->turn->arena, limit, sizeof(*page));
    if (page == NULL)
        return reply_memory(call);
    if (named) {
        if (!find_named(call, domain, &found, page))
            return false;
        count = found;
    } else if (!registry_registrations_list(call->turn->view, domain->id, after, limit, call->turn->arena,
                                            page, &count, call->err)) {
        return false;
    }
    for (; shown < count && bytes < PAGE_BYTES_MAX; shown++)
        if (!push_row(list, registration_view(call, &page[shown]), &bytes))
            return reply_memory(call);
    return reply_list(call, "registrations", take(list),
                      !named && (count == limit || shown < count) ? registration_next(call, &page[shown - 1])
                                                                  : NULL);
}

bool serve_registration(struct call *call)
{
    struct registration_id id;
    struct registration r;
    bool found;

    if (call->parameter.len != 2 * ID_LEN || !hex_decode(call->parameter, id.bytes))
        return reply_error(call, 404, "not_found", "a registration's id has 32 hexadecimal digits");
    if (!registry_registration_by_id(call->turn->view, &id, call->turn->arena, &found, &r, call->err))
        return false;
    if (!found)
        return reply_error(call, 404, "not_found", "there is no registration of this id");
    return reply_json(call, 200, registration_view(call, &r));
}

/* --- certificates --- */

static json_t *certificate_view(struct call *call, const struct certificate_record *record)
{
    AUTO(json_t) *view = json_object();
    bool revoked = record->status == CERTIFICATE_REVOKED;

    if (!json_put_hex(view, "issuer", digest256_bytes(&record->id.issuer)) ||
        !json_put_hex(view, "serial", bytes_of(record->id.serial, record->id.serial_len)) ||
        !json_put(view, "status", json_string(revoked ? "revoked" : "good")) ||
        !json_put(view, "protocol", json_string(protocol_name(record->protocol))) ||
        !json_put_text(view, "ca", record->ca) || !json_put_text(view, "procedure", record->procedure) ||
        !json_put_text(view, "profile", record->profile) || !put_domain(call, view, record->domain) ||
        !json_put_text(view, "fqdn", dns_name_bytes(&record->fqdn)) ||
        !json_put_hex(view, "registration", registration_id_bytes(&record->registration)) ||
        !json_put_hex(view, "key", digest256_bytes(&record->key)) ||
        !put_time(view, "issued", record->issued_s) || !put_time(view, "notBefore", record->not_before_s) ||
        !put_time(view, "notAfter", record->not_after_s))
        return NULL;
    if (revoked &&
        (!put_time(view, "revoked", record->revoked_s) ||
         !json_put(view, "reason", json_string(revocation_reason_name(record->revocation_reason)))))
        return NULL;
    return take(view);
}

/* "<issuer>:<serial>", hexadecimal. */
static bool parse_certificate_id(struct bytes text, struct certificate_id *out)
{
    struct bytes issuer, serial = text;

    return bytes_split(&serial, ':', &issuer) && issuer.len == 2 * DIGEST256_LEN && serial.len > 0 &&
           serial.len <= 2 * SERIAL_MAX && hex_decode(issuer, out->issuer.bytes) &&
           hex_decode(serial, out->serial) && (out->serial_len = (uint8_t)(serial.len / 2)) > 0;
}

static json_t *certificate_next(const struct certificate_record *last)
{
    char text[2 * DIGEST256_LEN + 1 + 2 * SERIAL_MAX + 1];

    hex_encode(digest256_bytes(&last->id.issuer), text);
    text[2 * DIGEST256_LEN] = ':';
    hex_encode(bytes_of(last->id.serial, last->id.serial_len), text + 2 * DIGEST256_LEN + 1);
    return json_string(text);
}

static bool certificates_of(struct call *call, struct bytes fqdn, size_t limit,
                            struct certificate_record *page, size_t *count)
{
    static const struct dns_rules rules = {
        .underscore = true, .single_label = true, .trailing_dot = true, .unicode = true
    };
    const struct domain *domain = query_domain(call);
    struct dns_name name;

    if (domain == NULL)
        return false;
    if (dns_name_parse(fqdn, &rules, &name) != DNS_OK) {
        (void)reply_error(call, 400, "bad_query", "fqdn: not a DNS name");
        return false;
    }
    return registry_certificates_by_fqdn(call->turn->view, domain->id, &name, limit, call->turn->arena, page,
                                         count, call->err);
}

bool serve_certificates(struct call *call)
{
    struct bytes fqdn = query_text(call, "fqdn"), after_text = query_text(call, "after");
    AUTO(json_t) *list = json_array();
    struct certificate_id after = { 0 };
    struct certificate_record *page;
    size_t limit, count = 0;

    if (!query_limit(call, &limit))
        return call->response->status != 0;
    if (after_text.len > 0 && !parse_certificate_id(after_text, &after))
        return reply_error(call, 400, "bad_query", "after: issuer:serial expected");
    page = arena_array(call->turn->arena, limit, sizeof(*page));
    if (page == NULL)
        return reply_memory(call);
    if (fqdn.len > 0 ? !certificates_of(call, fqdn, limit, page, &count)
                     : !registry_certificates_list(call->turn->view, after_text.len > 0 ? &after : NULL,
                                                   limit, call->turn->arena, page, &count, call->err))
        return call->response->status != 0;
    for (size_t i = 0; i < count; i++)
        if (!json_push(list, certificate_view(call, &page[i])))
            return reply_memory(call);
    return reply_list(call, "certificates", take(list),
                      fqdn.len == 0 && count == limit ? certificate_next(&page[count - 1]) : NULL);
}

/* --- enrollments that wait --- */

static json_t *pending_view(const struct pending *p)
{
    AUTO(json_t) *view = json_object();

    if (!json_put_text(view, "id", p->id) || !json_put_text(view, "procedure", p->procedure) ||
        !json_put(view, "protocol", json_string(protocol_name(p->protocol))) ||
        !json_put_text(view, "fqdn", dns_name_bytes(&p->fqdn)) ||
        !json_put_hex(view, "registration", registration_id_bytes(&p->registration)) ||
        !json_put_text(view, "subject", p->subject) || !put_time(view, "asked", p->asked_s))
        return NULL;
    return take(view);
}

bool serve_pending(struct call *call)
{
    AUTO(json_t) *list = json_array();
    struct pending *page;
    size_t limit, count;

    if (!query_limit(call, &limit))
        return call->response->status != 0;
    page = arena_array(call->turn->arena, limit, sizeof(*page));
    if (page == NULL)
        return reply_memory(call);
    if (!pending_list(call->turn, query_text(call, "procedure"), limit, page, &count, call->err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!json_push(list, pending_view(&page[i])))
            return reply_memory(call);
    return reply_list(call, "pending", take(list), NULL);
}

/* --- the audit --- */

bool serve_audit_head(struct call *call)
{
    AUTO(json_t) *view = json_object();
    struct audit_head head;

    if (!registry_audit_head(call->turn->view, &head, call->err))
        return false;
    if (!json_put(view, "size", json_integer((json_int_t)head.size)) ||
        !json_put_hex(view, "root", digest256_bytes(&head.root)) || !put_time(view, "time", head.time_s))
        return reply_memory(call);
    return reply_json(call, 200, take(view));
}

/* The content as text, byte for byte: it is what was hashed. */
static json_t *entry_view(const struct audit_entry *entry)
{
    AUTO(json_t) *view = json_object();

    if (!json_put(view, "index", json_integer((json_int_t)entry->index)) ||
        !json_put(view, "at", json_integer(entry->time_s)) || !put_time(view, "time", entry->time_s) ||
        !json_put(view, "kind", json_string(audit_kind_name(entry->kind))) ||
        !json_put_text(view, "content", entry->content) ||
        !json_put_hex(view, "leaf", digest256_bytes(&entry->leaf)))
        return NULL;
    return take(view);
}

bool serve_audit_entries(struct call *call)
{
    AUTO(json_t) *list = json_array();
    struct audit_entry entry;
    uint64_t from = 0;
    size_t limit, count = 1, shown = 0, bytes = 0;

    if (!query_number(call, "from", &from) || !query_limit(call, &limit))
        return call->response->status != 0;
    while (shown < limit && bytes < PAGE_BYTES_MAX) {
        if (!registry_audit_read(call->turn->view, from + shown, 1, call->turn->arena, &entry, &count,
                                 call->err))
            return false;
        if (count == 0)
            break;
        if (!push_row(list, entry_view(&entry), &bytes))
            return reply_memory(call);
        shown++;
    }
    return reply_list(call, "entries", take(list),
                      count == 0 ? NULL : json_integer((json_int_t)from + (json_int_t)shown));
}

/* --- procedures and officers --- */

static json_t *procedure_view(const struct procedure *p)
{
    AUTO(json_t) *view = json_object();

    if (!json_put(view, "name", json_string(p->name)) ||
        !json_put(view, "domain", json_string(p->domain->name)) ||
        !json_put(view, "ca", json_string(p->ca)) ||
        !json_put(view, "profile", json_string(p->profile->name)) ||
        !put_protocol_names(view, "protocols", p->protocols) ||
        !json_put(view, "preregistration", json_boolean(p->preregistration)) ||
        !json_put(view, "manualApproval", json_boolean(p->manual_approval)))
        return NULL;
    return take(view);
}

bool serve_procedures(struct call *call)
{
    const struct enroll_service *enroll = call->service->enroll;
    AUTO(json_t) *list = json_array();

    for (size_t i = 0; i < enroll->procedure_count; i++)
        if (!json_push(list, procedure_view(enroll->procedure[i])))
            return reply_memory(call);
    return reply_list(call, "procedures", take(list), NULL);
}

static json_t *officer_view(const struct officer_record *officer)
{
    AUTO(json_t) *view = officer_to_json(officer);

    if (view == NULL || !json_put_text(view, "id", officer->key_id) ||
        !json_put(view, "revision", json_integer((json_int_t)officer->revision)))
        return NULL;
    return take(view);
}

bool serve_officers(struct call *call)
{
    AUTO(json_t) *list = json_array();
    struct officer_record *all = arena_array(call->turn->arena, OFFICERS_LIST_MAX, sizeof(*all));
    size_t count;

    if (all == NULL)
        return reply_memory(call);
    if (!registry_officers_list(call->turn->view, OFFICERS_LIST_MAX, call->turn->arena, all, &count,
                                call->err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!json_push(list, officer_view(&all[i])))
            return reply_memory(call);
    return reply_list(call, "officers", take(list), NULL);
}
