/* call_internal.h: one call of the REST API, and how it is answered. */
#ifndef MUSTER_ADMIN_CALL_INTERNAL_H
#define MUSTER_ADMIN_CALL_INTERNAL_H

#include "admin/admin.h"
#include "lib/jose/json.h"
#include "registry/records.h"

enum { PAGE_DEFAULT = 100, PAGE_MAX = 1000, ACT_BODY_MAX = 80 * 1024 };

struct call {
    struct turn *turn;
    const struct admin_service *service;
    const struct http_request *request;
    struct http_response *response;
    struct officer_record officer; /* who asks, by TLS certificate */
    struct bytes parameter;        /* what stood for '*' in the path, decoded */
    struct error *err;
};

typedef bool call_handler(struct call *call);

/* Answers with `value`, which it owns; NULL: out of memory, false. */
bool reply_json(struct call *call, int status, json_t *value);
/* {"error":code,"detail":text}; true unless memory ran out. */
bool reply_error(struct call *call, int status, const char *code, const char *format, ...) PRINTF(4, 5);
bool reply_memory(struct call *call);

/* Query parameters. *bad: one was there and made no sense; the answer is set. */
bool query_limit(struct call *call, size_t *limit);
bool query_number(struct call *call, const char *name, uint64_t *out);
struct bytes query_text(struct call *call, const char *name);
/* The domain of ?domain=, or the only one there is. NULL: answered. */
const struct domain *query_domain(struct call *call);

const struct procedure *call_procedure(const struct call *call, struct bytes name);
/* Its name; its number in hexadecimal when the configuration has no such domain any more. */
bool put_domain(struct call *call, json_t *object, struct domain_id id);
bool put_time(json_t *object, const char *name, int64_t time_s);
/* The members of a registration that were not signed: id, revision, times, use. NULL: out of memory. */
json_t *registration_view(struct call *call, const struct registration *r);
bool put_protocol_names(json_t *object, const char *name, uint32_t protocols);

call_handler serve_acts, serve_registrations, serve_registration, serve_certificates, serve_pending,
    serve_audit_head, serve_audit_entries, serve_explain, serve_procedures, serve_officers;

#endif
