#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "admin/call_internal.h"
#include "lib/base/clock.h"
#include "officer/registration_json.h"

bool reply_memory(struct call *call)
{
    return error_set(call->err, ERROR_MEMORY, "the answer does not fit the request's arena");
}

bool reply_json(struct call *call, int status, json_t *value)
{
    AUTO(json_t) *owned = value;
    struct bytes body;

    if (owned == NULL || !json_write(owned, call->turn->arena, &body))
        return reply_memory(call);
    *call->response = http_respond(status, "application/json", body);
    http_response_add(call->response, "Cache-Control", BYTES_LITERAL("no-store"));
    return true;
}

bool reply_error(struct call *call, int status, const char *code, const char *format, ...)
{
    json_t *value = json_object();
    char text[320];
    va_list list;

    va_start(list, format);
    (void)vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    if (!json_put(value, "error", json_string(code)) || !json_put(value, "detail", json_string(text))) {
        json_decref(value);
        return reply_memory(call);
    }
    call->turn->facts.verdict = "refused";
    call->turn->facts.reason = code;
    return reply_json(call, status, value);
}

struct bytes query_text(struct call *call, const char *name)
{
    struct bytes value;

    return http_query_find(call->request, name, &value) ? value : BYTES_NONE;
}

bool query_number(struct call *call, const char *name, uint64_t *out)
{
    struct bytes text = query_text(call, name);

    if (text.data == NULL || bytes_to_u64(text, INT64_MAX, out))
        return true;
    (void)reply_error(call, 400, "bad_query", "%s: a number expected", name);
    return false;
}

bool query_limit(struct call *call, size_t *limit)
{
    uint64_t number = PAGE_DEFAULT;

    if (!query_number(call, "limit", &number))
        return false;
    if (number == 0 || number > PAGE_MAX) {
        (void)reply_error(call, 400, "bad_query", "limit: 1 to %d expected", PAGE_MAX);
        return false;
    }
    *limit = (size_t)number;
    return true;
}

const struct domain *query_domain(struct call *call)
{
    const struct admin_service *service = call->service;
    struct bytes name = query_text(call, "domain");

    for (size_t i = 0; i < service->domain_count; i++)
        if (name.len == 0 ? service->domain_count == 1 : bytes_is(name, service->domain[i]->name))
            return service->domain[i];
    if (name.len == 0)
        (void)reply_error(call, 400, "bad_query", "domain: there are several, name one");
    else
        (void)reply_error(call, 404, "unknown_domain", "domain: there is none of this name");
    return NULL;
}

const struct procedure *call_procedure(const struct call *call, struct bytes name)
{
    const struct enroll_service *enroll = call->service->enroll;

    for (size_t i = 0; i < enroll->procedure_count; i++)
        if (bytes_is(name, enroll->procedure[i]->name))
            return enroll->procedure[i];
    return NULL;
}

bool put_domain(struct call *call, json_t *object, struct domain_id id)
{
    char text[17];

    for (size_t i = 0; i < call->service->domain_count; i++)
        if (call->service->domain[i]->id.value == id.value)
            return json_put(object, "domain", json_string(call->service->domain[i]->name));
    (void)snprintf(text, sizeof(text), "%016" PRIx64, id.value);
    return json_put(object, "domain", json_string(text));
}

bool put_time(json_t *object, const char *name, int64_t time_s)
{
    char text[CLOCK_TEXT_LEN];

    clock_format(time_s, text);
    return json_put(object, name, json_string(text));
}

bool put_protocol_names(json_t *object, const char *name, uint32_t protocols)
{
    AUTO(json_t) *list = json_array();

    for (enum protocol p = PROTOCOL_NONE + 1; p < PROTOCOL_COUNT; p++)
        if ((protocols & PROTOCOL_BIT(p)) != 0 && !json_push(list, json_string(protocol_name(p))))
            return false;
    return json_put(object, name, take(list));
}

json_t *registration_view(struct call *call, const struct registration *r)
{
    enum { DAY_S = 86400 };
    AUTO(json_t) *view = registration_to_json(r);

    if (view == NULL || !json_put_hex(view, "id", registration_id_bytes(&r->id)) ||
        !json_put(view, "revision", json_integer((json_int_t)r->revision)) ||
        !put_domain(call, view, r->domain) || !put_time(view, "accepted", r->accepted_s) ||
        (r->valid_days != 0 && !put_time(view, "expires", r->accepted_s + (int64_t)r->valid_days * DAY_S)) ||
        !json_put(view, "expired", json_boolean(registration_is_expired(r, call->turn->now_s))) ||
        !json_put(view, "used", json_boolean(r->used)) ||
        !json_put(view, "hasSecret", json_boolean(r->sealed_secret.len > 0)) ||
        !json_put_text(view, "officer", r->officer) ||
        !json_put(view, "auditIndex", json_integer((json_int_t)r->audit_index)))
        return NULL;
    return take(view);
}
