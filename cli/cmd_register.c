/* cmd_register.c: muster register */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/password.h"
#include "cli/session.h"
#include "cli/table.h"
#include "lib/base/encode.h"
#include "lib/base/random.h"
#include "officer/act.h"

struct registering {
    struct session_options session;
    struct password_options password;
    struct option_values attributes;
    const char *name, *procedure, *order, *state, *validity, *ip, *serial, *protocols, *fingerprint, *email,
        *user, *realm, *allowed;
    bool one_time, enroll_reg, pre_authorised, reopen;
};

/* The registration's members that are texts; the gateway judges them. */
static bool put_texts(const struct registering *in, json_t *registration)
{
    const struct {
        const char *member, *value;
    } texts[] = { { "procedure", in->procedure },
                  { "state", in->state },
                  { "validity", in->validity },
                  { "ipAddress", in->ip },
                  { "serialNumber", in->serial },
                  { "protocols", in->protocols },
                  { "keyFingerprint", in->fingerprint },
                  { "email", in->email },
                  { "userName", in->user },
                  { "realm", in->realm },
                  { "allowedDomains", in->allowed } };

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (texts[i].value != NULL && !json_put(registration, texts[i].member, json_string(texts[i].value)))
            return false;
    return true;
}

static bool put_flags(const struct registering *in, json_t *registration)
{
    return (!in->one_time || json_put(registration, "oneTime", json_true())) &&
           (!in->enroll_reg || json_put(registration, "enrollReg", json_true())) &&
           (!in->pre_authorised || json_put(registration, "preAuthorised", json_true()));
}

/* NAME=VALUE; the same name again makes a list. */
static bool put_attribute(json_t *attributes, struct bytes name, const char *value)
{
    char key[64];
    json_t *list;

    (void)snprintf(key, sizeof(key), "%.*s", BYTES_FMT(name));
    list = json_object_get(attributes, key);
    if (list == NULL)
        return json_put(attributes, key, json_string(value));
    if (json_is_array(list))
        return json_push(list, json_string(value));
    list = json_pack("[O, s]", list, value);
    return json_put(attributes, key, list);
}

static bool put_attributes(const struct registering *in, json_t *registration)
{
    AUTO(json_t) *attributes = json_object();

    for (size_t i = 0; i < in->attributes.count; i++) {
        struct bytes rest = bytes_text(in->attributes.value[i]), name;

        if (!bytes_split(&rest, '=', &name) || rest.data == NULL)
            return false;
        if (!put_attribute(attributes, name, (const char *)rest.data))
            return false;
    }
    return in->attributes.count == 0 || json_put(registration, "attributes", take(attributes));
}

static const char *order_of(const struct registering *in)
{
    if (in->order != NULL)
        return in->order;
    if (in->allowed != NULL || in->pre_authorised)
        return "acme";
    return in->user != NULL || in->realm != NULL ? "est" : "scep";
}

static bool is_acme(const struct registering *in)
{
    return strcmp(order_of(in), "acme") == 0;
}

static json_t *registration_of(const struct registering *in, struct bytes secret, struct bytes salt)
{
    AUTO(json_t) *registration = json_object();
    struct digest256 commitment;

    if (!json_put(registration, "order", json_string(order_of(in))) ||
        !json_put(registration, is_acme(in) ? "keyId" : "fqdn", json_string(in->name)) ||
        !put_texts(in, registration) || !put_flags(in, registration) || !put_attributes(in, registration))
        return NULL;
    if (secret.len > 0 && (!officer_commitment(salt, secret, &commitment) ||
                           !json_put_base64url(registration, "commitment", digest256_bytes(&commitment))))
        return NULL;
    return take(registration);
}

/* The domain of the procedure, as the gateway knows it; NULL: no such procedure. */
static const char *domain_of(struct session *session, const char *procedure, struct error *err)
{
    AUTO_ANSWER answer = { 0 };
    size_t i;
    const json_t *row;

    if (!session_get(session, "/procedures", &answer, err))
        return NULL;
    json_array_foreach(json_object_get(answer.body, "procedures"), i, row)
    {
        if (bytes_is(json_member(row, "name"), procedure))
            return session_escape(session, json_string_value(json_object_get(row, "domain")));
    }
    (void)error_set(err, ERROR_NOT_FOUND, "there is no procedure '%.60s', or it may not be seen", procedure);
    return NULL;
}

/* The revision of what has this name now; 0: nothing. */
static bool find_revision(struct session *session, const struct registering *in, json_int_t *revision,
                          struct error *err)
{
    const char *domain = domain_of(session, in->procedure, err), *name, *path;
    AUTO_ANSWER answer = { 0 };

    if (domain == NULL)
        return false;
    name = session_escape(session, in->name);
    path = name == NULL ? NULL
                        : session_text(session, "/registrations?domain=%s&%s=%s", domain,
                                       is_acme(in) ? "keyId" : "fqdn", name);
    if (path == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (!session_get(session, path, &answer, err))
        return false;
    *revision = json_integer_value(
        json_object_get(json_array_get(json_object_get(answer.body, "registrations"), 0), "revision"));
    return true;
}

/* What was made here is shown once, in the words of those who must type it: a password, or the HMAC key of an
 * account binding in base64url. NULL: nothing. */
static const char *made_as(const struct registering *in, const struct secret *secret, struct buffer *text)
{
    if (is_acme(in) ? password_is_given(&in->password) : !in->password.generate)
        return NULL;
    if (is_acme(in))
        base64url_encode(text, secret_bytes(secret));
    else
        buffer_append(text, secret_bytes(secret));
    return is_acme(in) ? "hmacKey" : "password";
}

static int print_done(const struct session *session, const struct registering *in, json_t *body,
                      const struct secret *secret)
{
    AUTO_STRUCT(buffer) text = BUFFER(1024);
    const char *made = made_as(in, secret, &text);
    size_t i;
    const json_t *overlap;

    if (session_wants_json(session)) {
        if (made != NULL && !json_put_text(body, made, buffer_bytes(&text)))
            return fail_text("out of memory");
        print_json(body);
        return EXIT_DONE;
    }
    printf("%s %s: %s (revision %lld)\n",
           json_object_get(body, "reopened") != NULL ? "re-opened" : "registered", in->name,
           json_string_value(json_object_get(body, "registration")),
           (long long)json_integer_value(json_object_get(body, "revision")));
    if (made != NULL)
        printf("%s: %.*s\n", is_acme(in) ? "HMAC key" : made, BYTES_FMT(buffer_bytes(&text)));
    json_array_foreach(json_object_get(body, "overlaps"), i, overlap)(void)
        fprintf(stderr, "muster: warning: overlaps with %s\n", json_string_value(overlap));
    if (json_object_get(body, "moreOverlaps") != NULL)
        (void)fprintf(stderr, "muster: warning: overlaps with others too\n");
    return EXIT_DONE;
}

static int send(struct session *session, const struct registering *in, const struct secret *secret)
{
    AUTO(json_t) *act = json_object();
    AUTO_ANSWER answer = { 0 };
    struct error err = { 0 };
    uint8_t salt[ACT_SALT_LEN];
    json_int_t revision = 0;
    json_t *registration;

    if (!random_fill(&random_system, salt, sizeof(salt)))
        return fail_text("no randomness");
    registration = registration_of(in, secret_bytes(secret), BYTES_ARRAY(salt));
    if (registration == NULL)
        return fail_text("a text that is not UTF-8, or an attribute that is not NAME=VALUE");
    if (!json_put(act, "registration", registration) || !json_put(act, "act", json_string("register")))
        return fail_text("out of memory");
    if (in->reopen && !find_revision(session, in, &revision, &err))
        return fail(&err);
    if (revision > 0 && !json_put(act, "revision", json_integer(revision)))
        return fail_text("out of memory");
    if (!session_act(session, act, secret_bytes(secret), BYTES_ARRAY(salt), &answer, &err))
        return fail(&err);
    return answer.status / 100 == 2 ? print_done(session, in, answer.body, secret)
                                    : session_refused(session, &answer);
}

int run_register(int argc, char **argv)
{
    struct registering in = { 0 };
    AUTO_STRUCT(secret) secret = { 0 };
    AUTO_SESSION *session = NULL;
    struct error err = { 0 };
    const struct option options[] = {
        { "procedure", "NAME", "the procedure that it is made through (required)", .text = &in.procedure },
        { "order", "TYPE", "scep (default), est, cmp or acme", .text = &in.order },
        { "password", "TEXT", "the device's password; ACME: the HMAC key in base64url",
          .text = &in.password.text },
        { "password-file", "FILE", "the same from the first line of a file", .text = &in.password.file },
        { "password-stdin", NULL, "the same from standard input", .flag = &in.password.from_stdin },
        { "generate", NULL, "make a password and print it once; ACME: done when none is given",
          .flag = &in.password.generate },
        { "state", "STATE", "Open (default) or Closed: a Closed one blocks its names", .text = &in.state },
        { "validity", "DAYS", "days from now, or always (default)", .text = &in.validity },
        { "ip", "ADDRESS", "the request must carry this address", .text = &in.ip },
        { "serial", "TEXT", "the request must carry this serial number", .text = &in.serial },
        { "protocols", "LIST", "scep,est,cmp,acme: all that the procedure is open on",
          .text = &in.protocols },
        { "one-time", NULL, "good for one certificate", .flag = &in.one_time },
        { "key-fingerprint", "HEX", "SHA-256 of the public key that must ask", .text = &in.fingerprint },
        { "email", "MAILBOX", "contact", .text = &in.email },
        { "user", "NAME", "EST: the user name that must be given", .text = &in.user },
        { "realm", "NAME", "EST: the realm that it is good in", .text = &in.realm },
        { "enroll-reg", NULL, "SCEP: enrollReg", .flag = &in.enroll_reg },
        { "allowed-domains", "LIST", "ACME: names that the account may have, with all below them",
          .text = &in.allowed },
        { "pre-authorised", NULL, "ACME: without challenge", .flag = &in.pre_authorised },
        { "attribute", "NAME=VALUE", "of the certificate: dns, ipaddress, organisation, ... (repeatable)",
          .values = &in.attributes },
        { "reopen", NULL, "what was closed or is over opens again with these fields", .flag = &in.reopen },
        SESSION_OPTIONS(in.session),
    };
    enum options_result parsed = options_parse(argc, argv, options, COUNT_OF(options), &in.name, 1);

    if (parsed != OPTIONS_OK)
        return options_exit(parsed);
    if (in.name == NULL || in.procedure == NULL)
        return fail_text(
            "register: FQDN (ACME: key id) and --procedure are needed (see muster register --help)");
    if (!(is_acme(&in) ? password_hmac_key(&in.password, &random_system, &secret, &err)
                       : password_get(&in.password, &random_system, &secret, &err)) ||
        !session_open(&in.session, &session, &err))
        return fail(&err);
    if (in.password.text != NULL) /* not for others to read in the list of processes longer than needed */
        OPENSSL_cleanse((char *)(uintptr_t)in.password.text, strlen(in.password.text));
    return send(session, &in, &secret);
}
