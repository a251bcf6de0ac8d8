/* cmd_officer.c: muster officer add, list */
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/officer_files.h"
#include "cli/session.h"
#include "cli/table.h"
#include "lib/base/clock.h"

enum { ARENA_MAX = 1 << 20 };

struct adding {
    struct session_options session;
    const char *certificate, *create, *revision;
    struct appointment appointment;
};

static int list_officers(struct session *session)
{
    static const struct column columns[] = {
        { "ID", "id" },
        { "NAME", "name" },
        { "PROCEDURES", "procedures" },
        { "SUFFIXES", "suffixes" },
        { "DISABLED", "disabled" },
        { "RIGHTS", "rights" },
    };
    AUTO_ANSWER answer = { 0 };
    struct error err = { 0 };

    if (!session_get(session, "/officers", &answer, &err))
        return fail(&err);
    if (answer.status != 200)
        return session_refused(session, &answer);
    if (session_wants_json(session))
        print_json(json_object_get(answer.body, "officers"));
    else
        print_table(json_object_get(answer.body, "officers"), columns, COUNT_OF(columns));
    return EXIT_DONE;
}

static bool find_certificate(struct adding *in, struct arena *arena, struct error *err)
{
    struct keys *keys;
    bool made;

    if (in->certificate != NULL)
        return read_certificate(in->certificate, arena, &in->appointment.certificate, err);
    if (!keys_new(&keys, err))
        return false;
    made = officer_files_make(keys, "new", in->create, in->appointment.name, clock_now_s(), arena,
                              &in->appointment.certificate, err);
    keys_unref(keys);
    return made;
}

static int add_officer(struct session *session, struct adding *in)
{
    AUTO_ARENA *arena = arena_new(ARENA_MAX);
    AUTO(json_t) *act = NULL;
    AUTO_ANSWER answer = { 0 };
    struct error err = { 0 };
    uint64_t revision = 0;

    if (arena == NULL)
        return fail_text("out of memory");
    if (in->revision != NULL && !bytes_to_u64(bytes_text(in->revision), INT64_MAX, &revision))
        return fail_text("--revision: a number expected");
    if (!find_certificate(in, arena, &err) ||
        (act = officer_appointment(&in->appointment, arena, &err)) == NULL)
        return fail(&err);
    if (in->revision != NULL && !json_put(act, "revision", json_integer((json_int_t)revision)))
        return fail_text("out of memory");
    if (!session_act(session, act, BYTES_NONE, BYTES_NONE, &answer, &err))
        return fail(&err);
    if (answer.status / 100 != 2)
        return session_refused(session, &answer);
    if (session_wants_json(session))
        print_json(answer.body);
    else
        printf("officer %s (revision %lld)\n", in->appointment.name,
               (long long)json_integer_value(json_object_get(answer.body, "revision")));
    return EXIT_DONE;
}

int run_officer(int argc, char **argv)
{
    struct adding in = { 0 };
    const char *what = NULL;
    const struct option options[] = {
        { "name", "TEXT", "add: for people", .text = &in.appointment.name },
        { "certificate", "FILE", "add: its TLS certificate (PEM), whose key signs its acts",
          .text = &in.certificate },
        { "create", "PREFIX", "add: make PREFIX.key and PREFIX.pem instead", .text = &in.create },
        { "rights", "LIST",
          "add: register,wildcard,any-name,pre-authorise,close,revoke,approve,read,officers (all)",
          .text = &in.appointment.rights },
        { "procedures", "LIST", "add: its procedures (all)", .text = &in.appointment.procedures },
        { "suffixes", "LIST", "add: names that it may register end in these (all)",
          .text = &in.appointment.suffixes },
        { "disabled", NULL, "add: it may nothing any more", .flag = &in.appointment.disabled },
        { "revision", "NUMBER", "add: changes the officer of this key, who has this revision now",
          .text = &in.revision },
        SESSION_OPTIONS(in.session),
    };
    enum options_result parsed = options_parse(argc, argv, options, COUNT_OF(options), &what, 1);
    AUTO_SESSION *session = NULL;
    struct error err = { 0 };
    bool add = what != NULL && strcmp(what, "add") == 0;

    if (parsed != OPTIONS_OK)
        return options_exit(parsed);
    if (what == NULL || (!add && strcmp(what, "list") != 0))
        return fail_text("officer: add or list expected");
    if (add && (in.appointment.name == NULL || (in.certificate == NULL) == (in.create == NULL)))
        return fail_text("officer add: --name, and --certificate or --create are needed");
    if (!session_open(&in.session, &session, &err))
        return fail(&err);
    return add ? add_officer(session, &in) : list_officers(session);
}
