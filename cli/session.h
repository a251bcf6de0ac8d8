/* session.h: talking to the administration listener: HTTPS with the officer's certificate, the server's CA
 * pinned, JSON in and out. */
#ifndef MUSTER_CLI_SESSION_H
#define MUSTER_CLI_SESSION_H

#include "cli/options.h"
#include "lib/base/arena.h"
#include "lib/base/error.h"
#include "lib/base/secret.h"
#include "lib/jose/json.h"

struct session_options {
    const char *server;  /* "https://127.0.0.1:8444"; else MUSTER_SERVER, else from the configuration */
    const char *officer; /* path prefix of .pem and .key; else MUSTER_OFFICER, else "officer" beside the
                            configuration */
    const char *ca; /* PEM of the server's anchor; else MUSTER_CA, else ca.pem beside the officer's files */
    const char *config; /* else MUSTER_CONFIG */
    bool json;          /* print JSON */
};

#define SESSION_OPTIONS(s)                                                                               \
    { "server", "URL", "the administration listener (MUSTER_SERVER)", .text = &(s).server },             \
        { "officer", "PREFIX", "officer's PREFIX.pem and PREFIX.key (MUSTER_OFFICER)",                   \
          .text = &(s).officer },                                                                        \
        { "ca", "FILE", "PEM that the server's certificate must lead to (MUSTER_CA)", .text = &(s).ca }, \
        { "config", "FILE", "the gateway's configuration, for the above (MUSTER_CONFIG)",                \
          .text = &(s).config },                                                                         \
    {                                                                                                    \
        "json", NULL, "print JSON for programs", .flag = &(s).json                                       \
    }

struct session;

MUST_USE bool session_open(const struct session_options *options, struct session **out, struct error *err);
void session_close(struct session *session); /* accepts NULL */
UNUSED static inline void auto_session(struct session **session)
{
    session_close(*session);
}
#define AUTO_SESSION __attribute__((cleanup(auto_session))) struct session

struct answer {
    int status; /* HTTP's */
    json_t *body;
};
UNUSED static inline void auto_answer(struct answer *answer)
{
    json_decref(answer->body);
}
#define AUTO_ANSWER __attribute__((cleanup(auto_answer))) struct answer

/* `path` below /api/v1, query included. Errors: nobody answers, or not in JSON. */
MUST_USE bool session_get(struct session *session, const char *path, struct answer *out, struct error *err);
MUST_USE bool session_post(struct session *session, const char *path, const json_t *body, struct answer *out,
                           struct error *err);

/* Signs `payload` as the officer and sends it; a secret travels beside it with its salt (both or none). */
MUST_USE bool session_act(struct session *session, const json_t *payload, struct bytes secret,
                          struct bytes salt, struct answer *out, struct error *err);

/* Percent-encodes a query value; lives as long as the session. NULL: out of memory. */
const char *session_escape(struct session *session, const char *value);
/* Formatted text that lives as long as the session. NULL: out of memory. */
const char *session_text(struct session *session, const char *format, ...) PRINTF(2, 3);

/* Prints the error in the answer: EXIT_REFUSED. With --json the body goes to standard output. */
int session_refused(const struct session *session, const struct answer *answer);
bool session_wants_json(const struct session *session);

/* The name of the configuration to use: --config, else MUSTER_CONFIG; NULL: none. */
const char *session_config(const struct session_options *options);

#endif
