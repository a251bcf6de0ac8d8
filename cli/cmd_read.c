/* cmd_read.c: muster list, show, cert, pending, explain */
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/session.h"
#include "cli/table.h"

struct listing {
    const char *path;   /* with its query, "limit" aside */
    const char *member; /* of the answer */
    const struct column *column;
    size_t columns;
};

static bool move_rows(json_t *all, const json_t *page)
{
    return json_array_extend(all, (json_t *)(uintptr_t)page) == 0;
}

/* All pages, as one table (or one JSON array). */
static int print_listing(struct session *session, const struct listing *listing, const char *next_name)
{
    AUTO(json_t) *all = json_array();
    const char *next = "";
    struct error err = { 0 };

    while (next != NULL) {
        AUTO_ANSWER answer = { 0 };
        const char *separator = strchr(listing->path, '?') == NULL ? "?" : "&";
        const char *path = session_text(session, "%s%slimit=500%s%s%s", listing->path, separator,
                                        next[0] == '\0' ? "" : "&", next[0] == '\0' ? "" : next_name, next);

        if (path == NULL)
            return fail_text("out of memory");
        if (!session_get(session, path, &answer, &err))
            return fail(&err);
        if (answer.status != 200)
            return session_refused(session, &answer);
        if (!move_rows(all, json_object_get(answer.body, listing->member)))
            return fail_text("out of memory");
        next = json_string_value(json_object_get(answer.body, "next"));
        next = next == NULL ? NULL : session_escape(session, next);
    }
    if (session_wants_json(session))
        print_json(all);
    else
        print_table(all, listing->column, listing->columns);
    return EXIT_DONE;
}

/* "?domain=NAME" or "". */
static const char *domain_query(struct session *session, const char *domain)
{
    const char *escaped = domain == NULL ? NULL : session_escape(session, domain);

    return escaped == NULL ? "" : session_text(session, "?domain=%s", escaped);
}

int run_list(int argc, char **argv)
{
    static const struct column columns[] = {
        { "NAME", "fqdn" },           { "KEY ID", "keyId" },
        { "ORDER", "order" },         { "STATE", "state" },
        { "PROCEDURE", "procedure" }, { "PROTOCOLS", "protocols" },
        { "EXPIRES", "expires" },     { "ID", "id" },
    };
    struct session_options session_options = { 0 };
    const char *domain = NULL;
    const struct option options[] = {
        { "domain", "NAME", "needed when there are several", .text = &domain },
        SESSION_OPTIONS(session_options),
    };
    enum options_result parsed = options_parse(argc, argv, options, COUNT_OF(options), NULL, 0);
    AUTO_SESSION *session = NULL;
    struct error err = { 0 };
    const char *path;

    if (parsed != OPTIONS_OK)
        return options_exit(parsed);
    if (!session_open(&session_options, &session, &err))
        return fail(&err);
    path = session_text(session, "/registrations%s", domain_query(session, domain));
    if (path == NULL)
        return fail_text("out of memory");
    return print_listing(session, &(struct listing){ path, "registrations", columns, COUNT_OF(columns) },
                         "after=");
}

static bool is_id(const char *text)
{
    return strlen(text) == 32 && strspn(text, "0123456789abcdefABCDEF") == 32;
}

static int print_one(struct session *session, const struct answer *answer, const json_t *found)
{
    if (answer->status != 200)
        return session_refused(session, answer);
    if (found == NULL) {
        (void)fail_text("there is no such registration");
        return EXIT_REFUSED;
    }
    if (session_wants_json(session))
        print_json(found);
    else
        print_object(found);
    return EXIT_DONE;
}

int run_show(int argc, char **argv)
{
    struct session_options session_options = { 0 };
    const char *domain = NULL, *what = NULL, *path;
    bool key_id = false;
    const struct option options[] = {
        { "domain", "NAME", "needed when there are several, and no ID is given", .text = &domain },
        { "key-id", NULL, "the argument is an ACME key id", .flag = &key_id },
        SESSION_OPTIONS(session_options),
    };
    enum options_result parsed = options_parse(argc, argv, options, COUNT_OF(options), &what, 1);
    AUTO_SESSION *session = NULL;
    AUTO_ANSWER answer = { 0 };
    struct error err = { 0 };

    if (parsed != OPTIONS_OK)
        return options_exit(parsed);
    if (what == NULL)
        return fail_text("show: an ID or an FQDN is needed");
    if (!session_open(&session_options, &session, &err))
        return fail(&err);
    what = session_escape(session, what);
    path = what == NULL     ? NULL
           : is_id(what)    ? session_text(session, "/registrations/%s", what)
           : domain == NULL ? session_text(session, "/registrations?%s=%s", key_id ? "keyId" : "fqdn", what)
                            : session_text(session, "/registrations%s&%s=%s", domain_query(session, domain),
                                           key_id ? "keyId" : "fqdn", what);
    if (path == NULL)
        return fail_text("out of memory");
    if (!session_get(session, path, &answer, &err))
        return fail(&err);
    return print_one(session, &answer,
                     is_id(what) ? answer.body
                                 : json_array_get(json_object_get(answer.body, "registrations"), 0));
}

int run_certificates(int argc, char **argv)
{
    static const struct column columns[] = {
        { "FQDN", "fqdn" },           { "STATUS", "status" },      { "PROTOCOL", "protocol" },
        { "PROCEDURE", "procedure" }, { "NOT AFTER", "notAfter" }, { "SERIAL", "serial" },
    };
    struct session_options session_options = { 0 };
    const char *domain = NULL, *fqdn = NULL, *path;
    const struct option options[] = {
        { "domain", "NAME", "the name's domain, when there are several", .text = &domain },
        SESSION_OPTIONS(session_options),
    };
    enum options_result parsed = options_parse(argc, argv, options, COUNT_OF(options), &fqdn, 1);
    AUTO_SESSION *session = NULL;
    struct error err = { 0 };

    if (parsed != OPTIONS_OK)
        return options_exit(parsed);
    if (!session_open(&session_options, &session, &err))
        return fail(&err);
    fqdn = fqdn == NULL ? NULL : session_escape(session, fqdn);
    path = fqdn == NULL ? "/certificates"
           : domain == NULL
               ? session_text(session, "/certificates?fqdn=%s", fqdn)
               : session_text(session, "/certificates%s&fqdn=%s", domain_query(session, domain), fqdn);
    if (path == NULL)
        return fail_text("out of memory");
    return print_listing(session, &(struct listing){ path, "certificates", columns, COUNT_OF(columns) },
                         "after=");
}

int run_pending(int argc, char **argv)
{
    static const struct column columns[] = {
        { "ID", "id" },
        { "FQDN", "fqdn" },
        { "PROCEDURE", "procedure" },
        { "PROTOCOL", "protocol" },
        { "ASKED", "asked" },
        { "SUBJECT", "subject" },
    };
    struct session_options session_options = { 0 };
    const struct option options[] = { SESSION_OPTIONS(session_options) };
    enum options_result parsed = options_parse(argc, argv, options, COUNT_OF(options), NULL, 0);
    AUTO_SESSION *session = NULL;
    struct error err = { 0 };

    if (parsed != OPTIONS_OK)
        return options_exit(parsed);
    if (!session_open(&session_options, &session, &err))
        return fail(&err);
    return print_listing(session, &(struct listing){ "/pending", "pending", columns, COUNT_OF(columns) },
                         "after=");
}

/* --- explain --- */

static void print_explanation(const json_t *body)
{
    static const struct column columns[] = {
        { "PATTERN", "fqdn" },    { "STATE", "state" },   { "PROTOCOLS", "protocols" },
        { "VERDICT", "verdict" }, { "REASON", "reason" }, { "ID", "id" },
    };
    const json_t *rows = json_object_get(body, "registrations");
    bool admits = json_is_true(json_object_get(body, "admits"));
    const char *key_id = json_string_value(json_object_get(body, "keyId"));
    const char *fqdn = json_string_value(json_object_get(body, "fqdn"));

    if (key_id != NULL)
        printf("key id %s%s", key_id, fqdn != NULL && fqdn[0] != '\0' ? ": " : "");
    printf("%s through %s (domain %s, match %s): %s\n", fqdn != NULL ? fqdn : "",
           json_string_value(json_object_get(body, "procedure")),
           json_string_value(json_object_get(body, "domain")),
           json_string_value(json_object_get(body, "match")),
           admits ? "admitted when its credential holds" : "refused");
    if (!admits)
        printf("reason: %s; %s\n", json_string_value(json_object_get(body, "reason")),
               json_string_value(json_object_get(body, "advice")));
    if (json_is_false(json_object_get(body, "procedureOpen")))
        printf("note: the procedure itself is not open on this protocol\n");
    if (json_array_size(rows) > 0) {
        printf("\n");
        print_table(rows, columns, COUNT_OF(columns));
    }
}

int run_explain(int argc, char **argv)
{
    struct session_options session_options = { 0 };
    const char *fqdn = NULL, *procedure = NULL, *ip = NULL, *serial = NULL, *protocol = NULL, *key_id = NULL;
    const struct option options[] = {
        { "procedure", "NAME", "the procedure that the device is pointed at (required)", .text = &procedure },
        { "ip", "ADDRESS", "the address in its request", .text = &ip },
        { "serial", "TEXT", "the serial number in its request", .text = &serial },
        { "protocol", "NAME", "scep, est, cmp or acme", .text = &protocol },
        { "key-id", "TEXT", "ACME: the registration of this key id, and whether its accounts may order FQDN",
          .text = &key_id },
        SESSION_OPTIONS(session_options),
    };
    enum options_result parsed = options_parse(argc, argv, options, COUNT_OF(options), &fqdn, 1);
    AUTO_SESSION *session = NULL;
    AUTO(json_t) *question = NULL;
    AUTO_ANSWER answer = { 0 };
    struct error err = { 0 };

    if (parsed != OPTIONS_OK)
        return options_exit(parsed);
    if ((fqdn == NULL && key_id == NULL) || procedure == NULL)
        return fail_text("explain: FQDN or --key-id, and --procedure, are needed");
    question = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*}", "procedure", procedure, "fqdn", fqdn, "ip",
                         ip, "serial", serial, "protocol", protocol, "keyId", key_id);
    if (question == NULL)
        return fail_text("a text that is not UTF-8");
    if (!session_open(&session_options, &session, &err) ||
        !session_post(session, "/explain", question, &answer, &err))
        return fail(&err);
    if (answer.status != 200)
        return session_refused(session, &answer);
    if (session_wants_json(session))
        print_json(answer.body);
    else
        print_explanation(answer.body);
    return EXIT_DONE;
}
