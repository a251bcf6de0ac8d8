/* newAccount and the account's own URL (RFC 8555 7.3). */
#include "proto/acme/account_internal.h"

#include "lib/base/encode.h"
#include "registry/state.h"

/* Without a binding anybody can make one: such an account that nobody uses is forgotten. */
enum {
    UNBOUND_UNUSED_S = 30 * 86400, /* one that never ordered anything is kept, */
    UNBOUND_KEEP_S = 400 * 86400,  /* and one that did, from then on */
    UNBOUND_A_PERIOD = 50,         /* accounts that one source makes, */
    UNBOUND_PERIOD_S = 3600
};

/* --- accounts by key --- */
static bool key_state(struct acme_call *c, struct bytes spki, struct digest256 *digest, struct state_key *out,
                      struct error *err)
{
    if (!acme_key_digest(spki, digest))
        return error_set(err, ERROR_CRYPTO, "SHA-256 of an account's key");
    *out = (struct state_key){ .procedure = bytes_text(c->procedure->name),
                               .kind = "acme-key",
                               .id = digest256_bytes(digest) };
    return true;
}

bool acme_account_of_key(struct acme_call *c, struct bytes spki, bool *found, struct acme_account *out,
                         struct error *err)
{
    struct state_value value;
    struct digest256 digest;
    struct state_key key;
    struct acme_id id;
    bool known = false;

    if (!key_state(c, spki, &digest, &key, err) ||
        !registry_state(c->turn->view, &key, c->turn->arena, &known, &value, err))
        return false;
    *found = false;
    if (!known || value.blob.len != ACME_ID_LEN)
        return true;
    memcpy(id.bytes, value.blob.data, ACME_ID_LEN);
    return acme_account_read(c->turn, c->procedure, &id, found, out, err);
}

bool acme_key_put(struct acme_call *c, const struct acme_account *account, struct error *err)
{
    struct state_value value = { .blob = acme_id_bytes(&account->id), .expires_s = account->expires_s }, old;
    struct digest256 digest;
    struct state_key key;
    bool found = false;

    if (!key_state(c, account->spki, &digest, &key, err) ||
        !registry_state(c->turn->view, &key, c->turn->arena, &found, &old, err))
        return false;
    change_state_put(&c->turn->changes, &key, &value, found ? old.revision : 0);
    return true;
}

/* --- accounts that are bound to nothing --- */
static struct state_key unbound_key(const struct acme_call *c)
{
    return (struct state_key){ .procedure = bytes_text(c->procedure->name),
                               .kind = "acme-unbound",
                               .id = BYTES_LITERAL("accounts") };
}

/* It counts as long as it is kept. `max` 0: whatever there is room for. */
static void hold_place(struct acme_call *c, const struct acme_account *account, unsigned max)
{
    const struct state_key key = unbound_key(c);

    change_place_take(&c->turn->changes, &key, acme_id_bytes(&account->id), account->expires_s, max);
}

bool acme_account_touch(struct acme_call *c, struct error *err)
{
    struct acme_account *account = &c->account;

    if (account->expires_s == 0 || account->expires_s - c->turn->now_s > UNBOUND_KEEP_S / 2)
        return true;
    account->expires_s = c->turn->now_s + UNBOUND_KEEP_S;
    hold_place(c, account, 0);
    return acme_account_put(c->turn, c->procedure, account, err) && acme_key_put(c, account, err);
}

struct credential acme_credential(const struct acme_account *account)
{
    return (struct credential){ .kind = CREDENTIAL_ACCOUNT,
                                .account = { .id = acme_id_bytes(&account->id),
                                             .bound = account->bound,
                                             .registration = account->registration } };
}

bool acme_audit_account(struct acme_call *c, const struct acme_account *account, const char *act,
                        struct bytes text, struct error *err)
{
    AUTO(json_t) *entry = json_object();
    struct bytes content;

    if (!json_put(entry, "protocol", json_string("acme")) || !json_put(entry, "act", json_string(act)) ||
        !json_put(entry, "procedure", json_string(c->procedure->name)) ||
        !json_put_hex(entry, "account", acme_id_bytes(&account->id)) ||
        (account->bound &&
         !json_put_hex(entry, "registration", registration_id_bytes(&account->registration))) ||
        (text.len > 0 && !json_put_text(entry, "text", text)) || !json_write(entry, c->turn->arena, &content))
        return error_set(err, ERROR_MEMORY, "audit entry of an account");
    change_audit_append(&c->turn->changes, AUDIT_ACCOUNT, content);
    return true;
}

/* --- terms --- */
bool acme_terms_agreed(const struct acme_call *c, struct bytes agreed)
{
    return c->procedure->acme_terms_url == NULL || bytes_is(agreed, c->procedure->acme_terms_url);
}

enum acme_progress acme_refuse_terms(struct acme_call *c, struct error *err)
{
    AUTO(json_t) *extra = json_object();

    if (!acme_add_link(c, "terms-of-service", bytes_text(c->procedure->acme_terms_url), err) ||
        !json_put(extra, "instance", json_string(c->procedure->acme_terms_url)))
        return ACME_ERROR;
    return acme_refuse_with(c,
                            &(struct acme_refusal){ .problem = ACME_USER_ACTION_REQUIRED,
                                                    .detail = "the terms of service must be agreed to",
                                                    .extra = take(extra) },
                            err);
}

/* --- contacts --- */
/* RFC 6068 without hfields and with one address; nobody is written to, so that nothing more is asked. */
static bool is_mail_address(struct bytes text)
{
    size_t at = bytes_find(text, '@');

    if (at == 0 || at + 1 >= text.len || bytes_find(bytes_from(text, at + 1), '@') < text.len - at - 1)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f || text.data[i] == ',' || text.data[i] == '?' ||
            text.data[i] == '%')
            return false;
    return true;
}

static enum acme_progress take_contacts(struct acme_call *c, struct acme_account *account, struct error *err)
{
    const json_t *list = json_object_get(c->payload, "contact");

    if (list == NULL)
        return ACME_ON;
    if (!json_is_array(list) || json_array_size(list) > ACME_CONTACTS_MAX)
        return acme_refuse(c, ACME_MALFORMED, "contact is no list, or too long", err);
    account->contact_count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct bytes text = json_bytes(json_array_get(list, i));

        if (bytes_find(text, ':') == text.len || text.len > ACME_CONTACT_MAX)
            return acme_refuse(c, ACME_INVALID_CONTACT, "a contact is a URL", err);
        if (!bytes_is_nocase(bytes_slice(text, 0, 7), "mailto:"))
            return acme_refuse(c, ACME_UNSUPPORTED_CONTACT, "only mailto contacts are taken", err);
        if (!is_mail_address(bytes_from(text, 7)))
            return acme_refuse(c, ACME_INVALID_CONTACT, "a mailto contact has one address and nothing else",
                               err);
        account->contact[account->contact_count++] = text;
    }
    return ACME_ON;
}

/* --- the object --- */
static bool put_contacts(json_t *object, const struct acme_account *account)
{
    AUTO(json_t) *list = json_array();

    for (size_t i = 0; i < account->contact_count; i++)
        if (!json_push(list, json_of_bytes(account->contact[i])))
            return false;
    return account->contact_count == 0 || json_put(object, "contact", take(list));
}

static enum acme_progress respond_account(struct acme_call *c, int status, const struct acme_account *account,
                                          struct error *err)
{
    AUTO(json_t) *object = json_object();
    bool valid = account->status == ACME_ACCOUNT_VALID;

    if (!json_put(object, "status", json_string(valid ? "valid" : "deactivated")) ||
        !json_put_text(object, "orders", acme_call_url_of(c, "account", &account->id, "/orders")) ||
        !put_contacts(object, account) ||
        (account->terms.len > 0 && !json_put(object, "termsOfServiceAgreed", json_true())) ||
        (account->binding.len > 0 &&
         !json_put(object, "externalAccountBinding", json_read(account->binding)))) {
        (void)error_set(err, ERROR_MEMORY, "no memory for an account");
        return ACME_ERROR;
    }
    if (!acme_add_header(c, "Location", acme_call_url_of(c, "account", &account->id, ""), err))
        return ACME_ERROR;
    return acme_respond(c, status, take(object), err);
}

/* --- newAccount --- */
static enum acme_progress respond_existing(struct acme_call *c, const struct acme_account *account,
                                           struct error *err)
{
    if (account->status == ACME_ACCOUNT_VALID)
        return respond_account(c, 200, account, err);
    return acme_refuse_with(c,
                            &(struct acme_refusal){ .problem = ACME_UNAUTHORIZED,
                                                    .status = 401,
                                                    .detail = "the account is deactivated" },
                            err);
}

static enum acme_progress agree(struct acme_call *c, struct acme_account *account, struct error *err)
{
    if (c->procedure->acme_terms_url == NULL)
        return ACME_ON;
    if (!json_is_true(json_object_get(c->payload, "termsOfServiceAgreed")))
        return acme_refuse_terms(c, err);
    account->terms = bytes_text(c->procedure->acme_terms_url);
    return ACME_ON;
}

/* A source is a /24 or a /56. */
static struct bytes source_of(const struct ip_address *peer)
{
    return bytes_of(peer->bytes, peer->len == 16 ? 7 : peer->len == 4 ? 3 : 0);
}

/* What strangers can make is bounded: how many accounts one source makes in an hour. */
static enum acme_progress count_source(struct acme_call *c, struct error *err)
{
    const struct state_key key = { .procedure = bytes_text(c->procedure->name),
                                   .kind = "acme-source",
                                   .id = source_of(&c->request->peer.address) };
    struct state_value value = { .expires_s = c->turn->now_s + UNBOUND_PERIOD_S }, old;
    bool found = false, counts;
    uint8_t count = 0;

    if (!registry_state(c->turn->view, &key, c->turn->arena, &found, &old, err))
        return ACME_ERROR;
    counts = found && old.expires_s > c->turn->now_s && old.blob.len == 1;
    if (counts) {
        count = old.blob.data[0];
        value.expires_s = old.expires_s;
    }
    if (count >= UNBOUND_A_PERIOD)
        return acme_refuse_for_now(c, "too many new accounts from there", err);
    count++;
    value.blob = bytes_of(&count, 1);
    change_state_put(&c->turn->changes, &key, &value, found ? old.revision : 0);
    return ACME_ON;
}

/* And how many there are in all. */
static enum acme_progress count_unbound(struct acme_call *c, const struct acme_account *account,
                                        struct error *err)
{
    const unsigned max = c->procedure->acme_unbound_max > 0 ? c->procedure->acme_unbound_max
                                                            : ACME_UNBOUND_DEFAULT;
    const struct state_key key = unbound_key(c);
    bool room = false;

    if (!registry_places_room(c->turn->view, &key, max, c->turn->now_s, &room, err))
        return ACME_ERROR;
    if (!room)
        return acme_refuse_for_now(c, "there are too many accounts that are bound to nothing", err);
    hold_place(c, account, max);
    return ACME_ON;
}

static enum acme_progress bind_account(struct acme_call *c, struct acme_account *account, struct error *err)
{
    const json_t *binding = json_object_get(c->payload, "externalAccountBinding");
    enum acme_progress progress;

    if (binding != NULL)
        return acme_bind(c, binding, account, err);
    if (c->procedure->acme_binding)
        return acme_refuse(c, ACME_EXTERNAL_ACCOUNT_REQUIRED,
                           "an account is bound to a registration: externalAccountBinding is missing", err);
    account->expires_s = c->turn->now_s + UNBOUND_UNUSED_S;
    progress = count_source(c, err);
    return progress == ACME_ON ? count_unbound(c, account, err) : progress;
}

static enum acme_progress create(struct acme_call *c, struct error *err)
{
    struct acme_account account = { .status = ACME_ACCOUNT_VALID,
                                    .spki = c->spki,
                                    .created_s = c->turn->now_s };
    enum acme_progress progress = take_contacts(c, &account, err);

    if (progress == ACME_ON)
        progress = agree(c, &account, err);
    if (progress == ACME_ON && !acme_id_make(c->turn, &account.id, err))
        progress = ACME_ERROR;
    if (progress == ACME_ON)
        progress = bind_account(c, &account, err);
    if (progress != ACME_ON)
        return progress;
    if (!acme_account_put(c->turn, c->procedure, &account, err) || !acme_key_put(c, &account, err))
        return ACME_ERROR;
    return respond_account(c, 201, &account, err);
}

/* Before all else the known key: clients that cannot bind go on with the account that they have. */
enum acme_progress acme_new_account(struct acme_call *c, struct error *err)
{
    const json_t *only = json_object_get(c->payload, "onlyReturnExisting");
    struct acme_account account;
    bool found = false;

    if (only != NULL && !json_is_boolean(only))
        return acme_refuse(c, ACME_MALFORMED, "onlyReturnExisting is true or false", err);
    if (!acme_account_of_key(c, c->spki, &found, &account, err))
        return ACME_ERROR;
    if (found)
        return respond_existing(c, &account, err);
    if (json_is_true(only))
        return acme_refuse(c, ACME_ACCOUNT_DOES_NOT_EXIST, "no account has this key", err);
    return create(c, err);
}

/* --- the account's URL --- */
static enum acme_progress deactivate(struct acme_call *c, struct error *err)
{
    c->account.status = ACME_ACCOUNT_DEACTIVATED;
    if (!acme_account_put(c->turn, c->procedure, &c->account, err) ||
        !acme_audit_account(c, &c->account, "deactivated", BYTES_NONE, err))
        return ACME_ERROR;
    return respond_account(c, 200, &c->account, err);
}

static enum acme_progress update(struct acme_call *c, struct error *err)
{
    bool agrees = json_is_true(json_object_get(c->payload, "termsOfServiceAgreed"));
    enum acme_progress progress = take_contacts(c, &c->account, err);

    if (progress != ACME_ON)
        return progress;
    if (agrees && c->procedure->acme_terms_url != NULL)
        c->account.terms = bytes_text(c->procedure->acme_terms_url);
    if ((agrees || json_object_get(c->payload, "contact") != NULL) &&
        !acme_account_put(c->turn, c->procedure, &c->account, err))
        return ACME_ERROR;
    return respond_account(c, 200, &c->account, err);
}

enum acme_progress acme_is_own_account(struct acme_call *c, struct error *err)
{
    return acme_id_equal(&c->resource.id, &c->account.id) ? ACME_ON : acme_not_found(c, err);
}

enum acme_progress acme_account(struct acme_call *c, struct error *err)
{
    struct bytes status = json_member(c->payload, "status");
    enum acme_progress progress = acme_is_own_account(c, err);

    if (progress != ACME_ON)
        return progress;
    if (c->reads)
        return respond_account(c, 200, &c->account, err);
    if (bytes_is(status, "deactivated"))
        return deactivate(c, err);
    if (json_object_get(c->payload, "status") != NULL && !bytes_is(status, "valid"))
        return acme_refuse(c, ACME_MALFORMED, "an account can be deactivated, nothing else", err);
    return update(c, err);
}
