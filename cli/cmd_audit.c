/* cmd_audit.c: muster audit verify [--offline], show, head */
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/session.h"
#include "cli/table.h"
#include "config/config.h"
#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "officer/audit_check.h"
#include "officer/registration_json.h"

enum { PAGE = 500, ARENA_MAX = 256 << 20 };

struct auditing {
    struct session_options session;
    bool offline;
    const char *from, *count;
};

static int print_report(const struct audit_report *report, bool json)
{
    char root[2 * DIGEST256_LEN + 1];
    AUTO(json_t) *out = NULL;

    hex_encode(digest256_bytes(&report->head.root), root);
    out = json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "sound", report->sound, "entries",
                    (json_int_t)report->entries, "acts", (json_int_t)report->acts, "refusedActs",
                    (json_int_t)report->refused_acts, "officers", (json_int_t)report->officers,
                    "registrations", (json_int_t)report->registrations, "secrets",
                    (json_int_t)report->secrets, "root", root);
    if (out == NULL || (!report->sound && !json_put(out, "fault", json_string(report->fault))))
        return fail_text("out of memory");
    if (json)
        print_json(out);
    else if (report->sound)
        printf("the audit is sound: %llu entries, %llu signed acts of %llu officers, %llu registrations "
               "(%llu secrets) as signed\nroot %s\n",
               (unsigned long long)report->entries, (unsigned long long)report->acts,
               (unsigned long long)report->officers, (unsigned long long)report->registrations,
               (unsigned long long)report->secrets, root);
    else
        printf("THE AUDIT IS NOT SOUND: %s\n", report->fault);
    return report->sound ? EXIT_DONE : EXIT_REFUSED;
}

/* --- on the gateway's own machine, beside the daemon or without it --- */

static bool check_registry(const struct config *config, struct audit_report *report, struct error *err)
{
    struct registry_options options = config->registry;
    AUTO_ARENA *arena = arena_new(ARENA_MAX);
    struct registry *registry = NULL;
    struct registry_view *view = NULL;
    bool checked;

    options.read_only = true;
    if (arena == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (!registry_open(&options, &registry, err))
        return false;
    checked = registry_view_begin(registry, &view, err) &&
              audit_check(view, config->keys, arena, report, err);
    registry_view_end(view);
    registry_close(registry);
    return checked;
}

static int verify_offline(const struct auditing *in)
{
    const char *path = session_config(&in->session);
    struct audit_report report = { 0 };
    struct config *config;
    struct error err = { 0 };
    bool checked;

    if (path == NULL)
        return fail_text("audit verify --offline: --config or MUSTER_CONFIG is needed");
    if (!config_load(path, &config, &err))
        return fail(&err);
    checked = check_registry(config, &report, &err);
    config_free(config);
    return checked ? print_report(&report, in->session.json) : fail(&err);
}

/* --- over the network: the tree and the signatures are computed here, from what the gateway shows --- */

struct remote {
    struct session *session;
    struct audit_checker *checker;
    struct arena *arena;
    struct error err;
    int refused; /* EXIT_REFUSED when the gateway said no */
};

/* A page; false with `err` or `refused` set. */
static bool fetch(struct remote *in, const char *path, struct answer *out)
{
    if (path == NULL)
        return error_set(&in->err, ERROR_MEMORY, "out of memory");
    if (!session_get(in->session, path, out, &in->err))
        return false;
    if (out->status == 200)
        return true;
    in->refused = session_refused(in->session, out);
    return false;
}

static enum audit_kind kind_named(struct bytes name)
{
    for (enum audit_kind kind = AUDIT_NONE + 1; kind < AUDIT_KIND_COUNT; kind++)
        if (bytes_is(name, audit_kind_name(kind)))
            return kind;
    return AUDIT_NONE;
}

/* *sound false: the checker has found something. */
static bool check_entries(struct remote *in, uint64_t size, bool *sound)
{
    for (uint64_t from = 0; *sound && from < size;) {
        AUTO_ANSWER answer = { 0 };
        const json_t *rows, *row;
        size_t i;

        if (!fetch(in,
                   session_text(in->session, "/audit/entries?from=%llu&limit=%d", (unsigned long long)from,
                                PAGE),
                   &answer))
            return false;
        rows = json_object_get(answer.body, "entries");
        if (json_array_size(rows) == 0)
            return error_set(&in->err, ERROR_FORMAT, "entry %llu is not shown", (unsigned long long)from);
        json_array_foreach(rows, i, row)
        {
            const struct audit_entry entry = {
                .index = (uint64_t)json_integer_value(json_object_get(row, "index")),
                .time_s = json_integer_value(json_object_get(row, "at")),
                .kind = kind_named(json_member(row, "kind")),
                .content = json_member(row, "content"),
            };

            if (from++ < size && *sound)
                *sound = audit_checker_entry(in->checker, &entry, in->arena);
        }
    }
    return true;
}

static const char *const not_signed[] = { "id",      "revision", "domain",  "accepted",   "expires",
                                          "expired", "used",     "officer", "auditIndex", "hasSecret" };

/* What the gateway shows as live, read back. */
static bool read_live(struct remote *in, json_t *row, const char *domain, struct registration *out)
{
    static const struct fqdn_pattern_rules widest = {
        .dns = { .underscore = true, .single_label = true, .trailing_dot = true, .unicode = true },
        .literal_labels_min = 1,
    };
    struct bytes id = json_member(row, "id");
    struct registration_id read_id;
    uint64_t revision = (uint64_t)json_integer_value(json_object_get(row, "revision"));
    int64_t accepted_s;
    struct json_fault fault;
    struct bytes officer = arena_copy(in->arena, json_member(row, "officer"));

    if (id.len != 2 * ID_LEN || !hex_decode(id, read_id.bytes) ||
        !clock_parse(json_member(row, "accepted"), &accepted_s) || officer.data == NULL)
        return false;
    for (size_t i = 0; i < COUNT_OF(not_signed); i++)
        (void)json_object_del(row, not_signed[i]);
    if (registration_from_json(row, &widest, in->arena, out, &fault) != REGISTRATION_JSON_OK)
        return false;
    out->id = read_id;
    out->revision = revision;
    out->accepted_s = accepted_s;
    out->domain = domain_id_of(bytes_text(domain));
    out->officer = officer;
    return true;
}

static bool check_domain(struct remote *in, const char *domain, bool *sound)
{
    const char *escaped = session_escape(in->session, domain), *next = "";

    while (*sound && next != NULL && escaped != NULL) {
        AUTO_ANSWER answer = { 0 };
        json_t *row;
        size_t i;

        if (!fetch(in,
                   session_text(in->session, "/registrations?domain=%s&limit=%d%s%s", escaped, PAGE,
                                next[0] == '\0' ? "" : "&after=", next),
                   &answer))
            return false;
        json_array_foreach(json_object_get(answer.body, "registrations"), i, row)
        {
            struct registration r;

            arena_reset(in->arena);
            if (!read_live(in, row, domain, &r))
                return error_set(&in->err, ERROR_FORMAT, "a registration that cannot be read");
            *sound = *sound && audit_checker_registration(in->checker, &r);
        }
        next = json_string_value(json_object_get(answer.body, "next"));
        next = next == NULL ? NULL : session_escape(in->session, next);
    }
    return escaped != NULL;
}

static bool check_domains(struct remote *in, bool *sound)
{
    AUTO(json_t) *seen = json_object();
    AUTO_ANSWER answer = { 0 };
    const json_t *row;
    size_t i;

    if (!fetch(in, "/procedures", &answer))
        return false;
    json_array_foreach(json_object_get(answer.body, "procedures"), i, row)
    {
        const char *domain = json_string_value(json_object_get(row, "domain"));

        if (domain == NULL || json_object_get(seen, domain) != NULL)
            continue;
        if (!json_put(seen, domain, json_true()) || !check_domain(in, domain, sound))
            return false;
    }
    return true;
}

static bool read_head(struct remote *in, struct audit_head *head)
{
    AUTO_ANSWER answer = { 0 };
    struct bytes root;

    if (!fetch(in, "/audit/head", &answer))
        return false;
    root = json_member(answer.body, "root");
    head->size = (uint64_t)json_integer_value(json_object_get(answer.body, "size"));
    return (root.len == 2 * DIGEST256_LEN && hex_decode(root, head->root.bytes)) ||
           error_set(&in->err, ERROR_FORMAT, "the head cannot be read");
}

static bool check_remote(struct remote *in, struct audit_report *report)
{
    struct audit_head head = { 0 };
    bool sound = true;

    if (!read_head(in, &head) || !check_entries(in, head.size, &sound) || !check_domains(in, &sound))
        return false;
    if (sound)
        sound = audit_checker_finish(in->checker, &head);
    audit_checker_report(in->checker, report);
    return true;
}

static int verify_online(const struct auditing *in)
{
    AUTO_SESSION *session = NULL;
    AUTO_ARENA *arena = arena_new(ARENA_MAX);
    struct remote remote = { .arena = arena };
    struct audit_report report = { 0 };
    bool checked;

    if (arena == NULL)
        return fail_text("out of memory");
    if (!session_open(&in->session, &session, &remote.err) ||
        !audit_checker_new(&remote.checker, &remote.err))
        return fail(&remote.err);
    remote.session = session;
    checked = check_remote(&remote, &report);
    audit_checker_free(remote.checker);
    if (checked)
        return print_report(&report, in->session.json);
    return remote.refused != 0 ? remote.refused : fail(&remote.err);
}

/* --- reading --- */

static int show_head(const struct auditing *in)
{
    AUTO_SESSION *session = NULL;
    AUTO_ANSWER answer = { 0 };
    struct error err = { 0 };

    if (!session_open(&in->session, &session, &err) || !session_get(session, "/audit/head", &answer, &err))
        return fail(&err);
    if (answer.status != 200)
        return session_refused(session, &answer);
    if (in->session.json)
        print_json(answer.body);
    else
        print_object(answer.body);
    return EXIT_DONE;
}

static int show_entries(const struct auditing *in)
{
    static const struct column columns[] = {
        { "INDEX", "index" }, { "TIME", "time" }, { "KIND", "kind" }, { "CONTENT", "content" }
    };
    AUTO_SESSION *session = NULL;
    AUTO_ANSWER answer = { 0 };
    struct error err = { 0 };
    const char *path;

    if (!session_open(&in->session, &session, &err))
        return fail(&err);
    path = session_text(session, "/audit/entries?from=%s&limit=%s", in->from != NULL ? in->from : "0",
                        in->count != NULL ? in->count : "100");
    if (path == NULL || !session_get(session, path, &answer, &err))
        return fail(&err);
    if (answer.status != 200)
        return session_refused(session, &answer);
    if (in->session.json)
        print_json(json_object_get(answer.body, "entries"));
    else
        print_table(json_object_get(answer.body, "entries"), columns, COUNT_OF(columns));
    return EXIT_DONE;
}

int run_audit(int argc, char **argv)
{
    struct auditing in = { 0 };
    const char *what = NULL;
    const struct option options[] = {
        { "offline", NULL, "verify: read the registry's files, not the gateway; secrets are checked too",
          .flag = &in.offline },
        { "from", "INDEX", "show: the first entry", .text = &in.from },
        { "limit", "COUNT", "show: how many, at most 1000", .text = &in.count },
        SESSION_OPTIONS(in.session),
    };
    enum options_result parsed = options_parse(argc, argv, options, COUNT_OF(options), &what, 1);

    if (parsed != OPTIONS_OK)
        return options_exit(parsed);
    if (what != NULL && strcmp(what, "verify") == 0)
        return in.offline ? verify_offline(&in) : verify_online(&in);
    if (what != NULL && strcmp(what, "show") == 0)
        return show_entries(&in);
    if (what != NULL && strcmp(what, "head") == 0)
        return show_head(&in);
    return fail_text("audit: verify, show or head expected");
}
