#include "cli/session.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/table.h"
#include "config/config.h"
#include "lib/base/clock.h"
#include "officer/act.h"

enum { SESSION_ARENA = 16 << 20, ANSWER_MAX = 64 << 20, TIMEOUT_S = 60, CONNECT_TIMEOUT_S = 10 };
static const char OFFICER_KEY[] = "officer";

struct session {
    struct arena *arena;
    struct keys *keys;
    CURL *curl;
    const char *server, *certificate, *key, *ca;
    bool json;
};

static const char *first_of(const char *option, const char *variable)
{
    return option != NULL ? option : getenv(variable);
}

const char *session_config(const struct session_options *options)
{
    return first_of(options->config, "MUSTER_CONFIG");
}

bool session_wants_json(const struct session *session)
{
    return session->json;
}

const char *session_text(struct session *session, const char *format, ...)
{
    char text[4096];
    va_list list;

    va_start(list, format);
    (void)vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    return arena_text(session->arena, bytes_text(text));
}

/* "DIR/" of a path; "" for a bare name. */
static struct bytes folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? BYTES_NONE : bytes_of(path, (size_t)(slash - path) + 1);
}

static bool server_of_config(struct session *session, const char *path, struct error *err)
{
    struct config *config;

    if (path == NULL)
        return error_set(err, ERROR_NOT_FOUND, "which gateway? Give --server, --config or MUSTER_CONFIG");
    if (!config_load(path, &config, err))
        return false;
    for (size_t i = 0; i < config->listener_count && session->server == NULL; i++)
        if (config->listener_role[i] == LISTENER_ADMINISTRATION)
            session->server = config->listener[i].base_url != NULL
                                  ? session_text(session, "%s", config->listener[i].base_url)
                                  : session_text(session, "https://%s:%u", config->listener[i].address,
                                                 config->listener[i].port);
    config_free(config);
    return session->server != NULL ||
           error_set(err, ERROR_NOT_FOUND, "%s: no listener of role administration", path);
}

static bool find_files(struct session *session, const struct session_options *options, struct error *err)
{
    const char *config = session_config(options), *officer = first_of(options->officer, "MUSTER_OFFICER");
    const char *ca = first_of(options->ca, "MUSTER_CA");

    session->server = first_of(options->server, "MUSTER_SERVER");
    if (session->server == NULL && !server_of_config(session, config, err))
        return false;
    if (officer == NULL && config != NULL)
        officer = session_text(session, "%.*sofficer", BYTES_FMT(folder_of(config)));
    if (officer == NULL)
        return error_set(err, ERROR_NOT_FOUND, "which officer? Give --officer or MUSTER_OFFICER");
    session->certificate = session_text(session, "%s.pem", officer);
    session->key = session_text(session, "%s.key", officer);
    session->ca = ca != NULL ? ca : session_text(session, "%.*sca.pem", BYTES_FMT(folder_of(officer)));
    return (session->certificate != NULL && session->key != NULL && session->ca != NULL) ||
           error_set(err, ERROR_MEMORY, "out of memory");
}

bool session_open(const struct session_options *options, struct session **out, struct error *err)
{
    AUTO_SESSION *session = calloc(1, sizeof(*session));

    if (session == NULL || (session->arena = arena_new(SESSION_ARENA)) == NULL ||
        (session->curl = curl_easy_init()) == NULL)
        /* The analyzer knows no cleanup. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        return error_set(err, ERROR_MEMORY, "out of memory");
    session->json = options->json;
    if (!find_files(session, options, err) || !keys_new(&session->keys, err) ||
        !keys_load(session->keys, OFFICER_KEY, session->key, BYTES_NONE, err))
        return false;
    *out = take(session);
    return true;
}

void session_close(struct session *session)
{
    if (session == NULL)
        return;
    curl_easy_cleanup(session->curl);
    keys_unref(session->keys);
    arena_free(session->arena);
    free(session);
}

const char *session_escape(struct session *session, const char *value)
{
    char *escaped = curl_easy_escape(session->curl, value, 0);
    const char *kept = escaped == NULL ? NULL : session_text(session, "%s", escaped);

    curl_free(escaped);
    return kept;
}

/* --- one exchange --- */

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct buffer *body = context;

    buffer_append(body, bytes_of(data, size * count));
    return buffer_failed(body) ? 0 : size * count;
}

static bool set_up(struct session *session, const char *url, struct buffer *body)
{
    CURL *curl = session->curl;

    curl_easy_reset(curl);
    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLCERT, session->certificate) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLKEY, session->key) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CAINFO, session->ca) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, (void *)body) == CURLE_OK;
}

static bool perform(struct session *session, const char *url, struct buffer *body, struct answer *out,
                    struct error *err)
{
    char why[CURL_ERROR_SIZE] = "";
    long status = 0;
    CURLcode code;
    json_error_t fault;
    json_t *value;

    if (curl_easy_setopt(session->curl, CURLOPT_ERRORBUFFER, why) != CURLE_OK)
        return error_set(err, ERROR_INTERNAL, "libcurl");
    code = curl_easy_perform(session->curl);
    if (code != CURLE_OK)
        return error_set(err, ERROR_UNAVAILABLE, "%.100s: %.120s", url,
                         why[0] != '\0' ? why : curl_easy_strerror(code));
    (void)curl_easy_getinfo(session->curl, CURLINFO_RESPONSE_CODE, &status);
    value = body->len == 0 ? NULL
                           : json_loadb((const char *)body->data, body->len, JSON_REJECT_DUPLICATES, &fault);
    if (!json_is_object(value)) {
        json_decref(value);
        return error_set(err, ERROR_FORMAT, "%.150s: status %ld, and no JSON", url, status);
    }
    *out = (struct answer){ (int)status, value };
    return true;
}

bool session_get(struct session *session, const char *path, struct answer *out, struct error *err)
{
    AUTO_STRUCT(buffer) body = BUFFER(ANSWER_MAX);
    const char *url = session_text(session, "%s/api/v1%s", session->server, path);

    if (url == NULL || !set_up(session, url, &body))
        return error_set(err, ERROR_MEMORY, "out of memory");
    return perform(session, url, &body, out, err);
}

bool session_post(struct session *session, const char *path, const json_t *body, struct answer *out,
                  struct error *err)
{
    AUTO_STRUCT(buffer) received = BUFFER(ANSWER_MAX);
    const char *url = session_text(session, "%s/api/v1%s", session->server, path);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    struct bytes text = BYTES_NONE;
    bool ok = url != NULL && headers != NULL && set_up(session, url, &received) &&
              json_write(body, session->arena, &text) &&
              curl_easy_setopt(session->curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
              curl_easy_setopt(session->curl, CURLOPT_POSTFIELDSIZE, (long)text.len) == CURLE_OK &&
              curl_easy_setopt(session->curl, CURLOPT_POSTFIELDS, (const char *)text.data) == CURLE_OK;

    ok = ok ? perform(session, url, &received, out, err) : error_set(err, ERROR_MEMORY, "out of memory");
    curl_slist_free_all(headers);
    return ok;
}

/* --- acts --- */

static json_t *act_body(struct bytes jws, struct bytes secret, struct bytes salt)
{
    AUTO(json_t) *body = json_object();
    AUTO(json_t) *beside = json_object();

    if (!json_put(body, "jws", json_read(jws)))
        return NULL;
    if (secret.len > 0 &&
        ((!json_put_text(beside, "value", secret) && !json_put_base64url(beside, "base64url", secret)) ||
         !json_put_base64url(beside, "salt", salt) || !json_put(body, "secret", take(beside))))
        return NULL;
    return take(body);
}

bool session_act(struct session *session, const json_t *payload, struct bytes secret, struct bytes salt,
                 struct answer *out, struct error *err)
{
    const char *url = session_text(session, "%s/api/v1/acts", session->server);
    struct bytes text, jws;

    if (url == NULL || payload == NULL || !json_write(payload, session->arena, &text))
        return error_set(err, ERROR_MEMORY, "out of memory, or a text that is not UTF-8");
    if (!officer_act_sign(session->keys, OFFICER_KEY, text, bytes_text(url), clock_now_s(), &random_system,
                          session->arena, &jws, err))
        return false;
    {
        AUTO(json_t) *body = act_body(jws, secret, salt);

        if (body == NULL)
            return error_set(err, ERROR_MEMORY, "out of memory");
        return session_post(session, "/acts", body, out, err);
    }
}

int session_refused(const struct session *session, const struct answer *answer)
{
    const char *code = json_string_value(json_object_get(answer->body, "error"));
    const char *detail = json_string_value(json_object_get(answer->body, "detail"));

    if (session->json)
        print_json(answer->body);
    (void)fail_text("refused (%d %s): %s", answer->status, code != NULL ? code : "?",
                    detail != NULL ? detail : "");
    return EXIT_REFUSED;
}
