/* cmd_acts.c: muster close, approve, deny, revoke */
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/session.h"
#include "cli/table.h"

/* Signs, sends, prints. Owns `act`. */
static int perform(struct session *session, json_t *act, const char *done)
{
    AUTO(json_t) *owned = act;
    AUTO_ANSWER answer = { 0 };
    struct error err = { 0 };

    if (owned == NULL)
        return fail_text("a text that is not UTF-8");
    if (!session_act(session, owned, BYTES_NONE, BYTES_NONE, &answer, &err))
        return fail(&err);
    if (answer.status / 100 != 2)
        return session_refused(session, &answer);
    if (session_wants_json(session))
        print_json(answer.body);
    else
        printf("%s\n", done);
    return EXIT_DONE;
}

int run_close(int argc, char **argv)
{
    struct session_options session_options = { 0 };
    const char *name = NULL, *procedure = NULL;
    bool key_id = false;
    const struct option options[] = {
        { "procedure", "NAME", "the procedure that it was made through (required)", .text = &procedure },
        { "key-id", NULL, "the argument is an ACME key id", .flag = &key_id },
        SESSION_OPTIONS(session_options),
    };
    enum options_result parsed = options_parse(argc, argv, options, COUNT_OF(options), &name, 1);
    AUTO_SESSION *session = NULL;
    struct error err = { 0 };

    if (parsed != OPTIONS_OK)
        return options_exit(parsed);
    if (name == NULL || procedure == NULL)
        return fail_text("close: FQDN and --procedure are needed");
    if (!session_open(&session_options, &session, &err))
        return fail(&err);
    return perform(
        session,
        json_pack("{s:s, s:s, s:s}", "act", "close", "procedure", procedure, key_id ? "keyId" : "fqdn", name),
        "closed");
}

static int decide(int argc, char **argv, const char *act, const char *done)
{
    struct session_options session_options = { 0 };
    const char *id = NULL;
    const struct option options[] = { SESSION_OPTIONS(session_options) };
    enum options_result parsed = options_parse(argc, argv, options, COUNT_OF(options), &id, 1);
    AUTO_SESSION *session = NULL;
    struct error err = { 0 };

    if (parsed != OPTIONS_OK)
        return options_exit(parsed);
    if (id == NULL)
        return fail_text("%s: the ID is needed, as `muster pending` shows it", act);
    if (!session_open(&session_options, &session, &err))
        return fail(&err);
    return perform(session, json_pack("{s:s, s:s}", "act", act, "pending", id), done);
}

int run_approve(int argc, char **argv)
{
    return decide(argc, argv, "approve", "approved");
}

int run_deny(int argc, char **argv)
{
    return decide(argc, argv, "deny", "denied");
}

/* The one certificate that is meant: of those good, the one with this serial number, or the only one. */
static const json_t *choose(const json_t *rows, const char *serial)
{
    const json_t *chosen = NULL, *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        if (!bytes_is(json_member(row, "status"), "good") ||
            (serial != NULL && !bytes_is_nocase(json_member(row, "serial"), serial)))
            continue;
        if (chosen != NULL)
            return NULL;
        chosen = row;
    }
    return chosen;
}

struct revoking {
    struct session_options session;
    const char *fqdn, *domain, *serial, *issuer, *reason;
};

static json_t *revocation(const char *issuer, const char *serial, const char *reason)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "act", "revoke", "issuer", issuer, "serial", serial, "reason",
                     reason != NULL ? reason : "unspecified");
}

static int revoke_by_name(struct session *session, const struct revoking *in)
{
    const char *fqdn = session_escape(session, in->fqdn);
    const char *domain = in->domain == NULL ? "" : session_escape(session, in->domain), *path;
    AUTO_ANSWER answer = { 0 };
    struct error err = { 0 };
    const json_t *chosen;

    path = fqdn == NULL || domain == NULL ? NULL
                                          : session_text(session, "/certificates?fqdn=%s%s%s", fqdn,
                                                         in->domain == NULL ? "" : "&domain=", domain);
    if (path == NULL)
        return fail_text("out of memory");
    if (!session_get(session, path, &answer, &err))
        return fail(&err);
    if (answer.status != 200)
        return session_refused(session, &answer);
    chosen = choose(json_object_get(answer.body, "certificates"), in->serial);
    if (chosen == NULL) {
        (void)fail_text("no good certificate of that name, or several: see `muster cert %s`, name one with "
                        "--serial",
                        in->fqdn);
        return EXIT_REFUSED;
    }
    return perform(session,
                   revocation(json_string_value(json_object_get(chosen, "issuer")),
                              json_string_value(json_object_get(chosen, "serial")), in->reason),
                   "revoked");
}

int run_revoke(int argc, char **argv)
{
    struct revoking in = { 0 };
    const struct option options[] = {
        { "domain", "NAME", "the name's domain, when there are several", .text = &in.domain },
        { "serial", "HEX", "the certificate's serial number", .text = &in.serial },
        { "issuer", "HEX", "SHA-256 of its issuer's Name, when no FQDN is given", .text = &in.issuer },
        { "reason", "REASON", "keyCompromise, superseded, cessationOfOperation, ...", .text = &in.reason },
        SESSION_OPTIONS(in.session),
    };
    enum options_result parsed = options_parse(argc, argv, options, COUNT_OF(options), &in.fqdn, 1);
    AUTO_SESSION *session = NULL;
    struct error err = { 0 };

    if (parsed != OPTIONS_OK)
        return options_exit(parsed);
    if (in.fqdn == NULL && (in.issuer == NULL || in.serial == NULL))
        return fail_text("revoke: FQDN, or --issuer and --serial are needed");
    if (!session_open(&in.session, &session, &err))
        return fail(&err);
    return in.fqdn != NULL ? revoke_by_name(session, &in)
                           : perform(session, revocation(in.issuer, in.serial, in.reason), "revoked");
}
