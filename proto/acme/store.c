/* Reading and writing of state, and its indexes. */
#include "proto/acme/store_codec_internal.h"

#include "registry/state.h"

static struct state_key key_of(struct bytes procedure, const char *kind, struct bytes id)
{
    return (struct state_key){ .procedure = procedure, .kind = kind, .id = id };
}

static bool is_over(const struct turn *turn, const struct state_value *value)
{
    return value->expires_s != 0 && value->expires_s <= turn->now_s;
}

static bool read_state(struct turn *turn, const struct state_key *key, bool *found, struct state_value *out,
                       struct error *err)
{
    if (!registry_state(turn->view, key, turn->arena, found, out, err))
        return false;
    *found = *found && !is_over(turn, out);
    return true;
}

static bool put_state(struct turn *turn, const struct state_key *key, const struct buffer *blob,
                      int64_t expires_s, uint64_t revision, struct error *err)
{
    const struct state_value value = { .blob = buffer_bytes(blob), .expires_s = expires_s };

    if (buffer_failed(blob))
        return error_set(err, ERROR_MEMORY, "ACME state");
    change_state_put(&turn->changes, key, &value, revision);
    return true;
}

static bool unreadable(const char *what, struct error *err)
{
    return error_set(err, ERROR_FORMAT, "ACME: %s in the registry cannot be read", what);
}

bool acme_account_read(struct turn *turn, const struct procedure *procedure, const struct acme_id *id,
                       bool *found, struct acme_account *out, struct error *err)
{
    const struct state_key key = key_of(bytes_text(procedure->name), "acme-account", acme_id_bytes(id));
    struct state_value value;
    bool is = false;

    if (!read_state(turn, &key, &is, &value, err))
        return false;
    *found = is;
    if (!is)
        return true;
    *out = (struct acme_account){ .id = *id, .revision = value.revision, .expires_s = value.expires_s };
    return acme_account_decode(value.blob, out) || unreadable("an account", err);
}

bool acme_account_put(struct turn *turn, const struct procedure *procedure,
                      const struct acme_account *account, struct error *err)
{
    const struct state_key key = key_of(bytes_text(procedure->name), "acme-account",
                                        acme_id_bytes(&account->id));
    AUTO_STRUCT(buffer) blob = BUFFER(ACME_STATE_MAX);

    acme_account_encode(account, &blob);
    return put_state(turn, &key, &blob, account->expires_s, account->revision, err);
}

bool acme_order_read(struct turn *turn, const struct procedure *procedure, const struct acme_id *id,
                     bool lists, bool *found, struct acme_order *out, struct error *err)
{
    const struct state_key key = key_of(bytes_text(procedure->name), "acme-order", acme_id_bytes(id));
    struct state_value value;
    bool is = false;

    if (!read_state(turn, &key, &is, &value, err))
        return false;
    *found = is;
    if (!is)
        return true;
    *out = (struct acme_order){ .id = *id, .revision = value.revision, .keep_s = value.expires_s };
    return acme_order_decode(value.blob, lists ? turn->arena : NULL, out) || unreadable("an order", err);
}

bool acme_order_put(struct turn *turn, const struct procedure *procedure, const struct acme_order *order,
                    struct error *err)
{
    const struct state_key key = key_of(bytes_text(procedure->name), "acme-order", acme_id_bytes(&order->id));
    AUTO_STRUCT(buffer) blob = BUFFER(ACME_STATE_MAX);

    acme_order_encode(order, &blob);
    acme_order_enlist(turn, procedure, order, order->revision == 0 ? acme_orders_max(procedure) : 0);
    return put_state(turn, &key, &blob, order->keep_s, order->revision, err);
}

void acme_order_assume(struct turn *turn, const struct procedure *procedure, const struct acme_order *order)
{
    const struct state_key key = key_of(bytes_text(procedure->name), "acme-order", acme_id_bytes(&order->id));

    change_state_assume(&turn->changes, &key, order->revision);
}

int64_t acme_order_open_s(const struct acme_order *order)
{
    switch (order->status) {
    case ACME_ORDER_PENDING:
    case ACME_ORDER_READY: return order->expires_s;
    case ACME_ORDER_PROCESSING: return order->keep_s;
    case ACME_ORDER_VALID: return order->star.is && order->star.renew_s != 0 ? order->star.end_s : 0;
    case ACME_ORDER_INVALID:
    case ACME_ORDER_CANCELED: break;
    }
    return 0;
}

struct state_key acme_open_key(const struct procedure *procedure, const struct acme_id *account)
{
    return key_of(bytes_text(procedure->name), "acme-open", acme_id_bytes(account));
}

struct state_key acme_taken_up_key(struct bytes procedure, const struct acme_id *account)
{
    return key_of(procedure, "acme-taken-up", acme_id_bytes(account));
}

bool acme_failed_key(struct bytes procedure, const struct acme_authz *authz, struct digest256 *digest,
                     struct state_key *out, struct error *err)
{
    if (!acme_name_digest(&authz->account, &authz->identifier, digest))
        return error_set(err, ERROR_CRYPTO, "SHA-256 of a name");
    *out = key_of(procedure, "acme-failed", digest256_bytes(digest));
    return true;
}

struct state_key acme_listed_key(const struct procedure *procedure, const struct acme_id *account)
{
    return key_of(bytes_text(procedure->name), "acme-listed", acme_id_bytes(account));
}

void acme_order_enlist(struct turn *turn, const struct procedure *procedure, const struct acme_order *order,
                       unsigned max)
{
    const struct state_key open = acme_open_key(procedure, &order->account),
                           listed = acme_listed_key(procedure, &order->account);
    const int64_t open_s = acme_order_open_s(order);
    uint8_t member[ACME_LISTED_LEN];

    for (unsigned i = 0; i < 8; i++)
        member[i] = (uint8_t)(~(uint64_t)order->created_s >> (56 - 8 * i));
    memcpy(member + 8, order->id.bytes, ACME_ID_LEN);
    change_place_take(&turn->changes, &listed, BYTES_ARRAY(member), order->keep_s, 0);
    if (open_s > 0)
        change_place_take(&turn->changes, &open, acme_id_bytes(&order->id), open_s, max);
    else if (order->revision > 0)
        change_place_free(&turn->changes, &open, acme_id_bytes(&order->id));
}

bool acme_authz_read(struct turn *turn, struct bytes procedure, const struct acme_id *id, bool *found,
                     struct acme_authz *out, struct error *err)
{
    const struct state_key key = key_of(procedure, "acme-authz", acme_id_bytes(id));
    struct state_value value;
    bool is = false;

    if (!read_state(turn, &key, &is, &value, err))
        return false;
    *found = is;
    if (!is)
        return true;
    *out = (struct acme_authz){ .id = *id, .revision = value.revision, .keep_s = value.expires_s };
    return acme_authz_decode(value.blob, out) || unreadable("an authorization", err);
}

/* Longer than any order that was made before its end. */
bool acme_authz_put(struct turn *turn, struct bytes procedure, const struct acme_authz *authz,
                    struct error *err)
{
    const struct state_key key = key_of(procedure, "acme-authz", acme_id_bytes(&authz->id));
    int64_t over_s = authz->expires_s + ACME_AUTHZ_GRACE_S,
            keep_s = authz->keep_s > over_s ? authz->keep_s : over_s;
    AUTO_STRUCT(buffer) blob = BUFFER(ACME_STATE_MAX);

    acme_authz_encode(authz, &blob);
    return put_state(turn, &key, &blob, keep_s, authz->revision, err);
}

void acme_account_assume(struct turn *turn, const struct procedure *procedure,
                         const struct acme_account *account)
{
    const struct state_key key = key_of(bytes_text(procedure->name), "acme-account",
                                        acme_id_bytes(&account->id));

    change_state_assume(&turn->changes, &key, account->revision);
}

void acme_authz_assume(struct turn *turn, struct bytes procedure, const struct acme_authz *authz)
{
    const struct state_key key = key_of(procedure, "acme-authz", acme_id_bytes(&authz->id));

    change_state_assume(&turn->changes, &key, authz->revision);
}

/* --- lists of ids --- */
bool acme_list_read(struct turn *turn, const struct procedure *procedure, const char *kind, struct bytes key,
                    struct acme_list *out, struct error *err)
{
    const struct state_key state = key_of(bytes_text(procedure->name), kind, key);
    struct state_value value;
    bool found = false;

    out->count = 0;
    out->revision = 0;
    if (!registry_state(turn->view, &state, turn->arena, &found, &value, err))
        return false;
    if (!found)
        return true;
    out->revision = value.revision;
    if (is_over(turn, &value))
        return true;
    if (value.blob.len % ACME_ID_LEN != 0 || value.blob.len / ACME_ID_LEN > ACME_LIST_MAX)
        return unreadable("a list", err);
    out->count = value.blob.len / ACME_ID_LEN;
    for (size_t i = 0; i < out->count; i++)
        memcpy(out->id[i].bytes, value.blob.data + i * ACME_ID_LEN, ACME_ID_LEN);
    return true;
}

bool acme_list_put(struct turn *turn, const struct procedure *procedure, const char *kind, struct bytes key,
                   const struct acme_list *list, int64_t expires_s, struct error *err)
{
    const struct state_key state = key_of(bytes_text(procedure->name), kind, key);
    AUTO_STRUCT(buffer) blob = BUFFER(ACME_LIST_MAX * ACME_ID_LEN);

    for (size_t i = 0; i < list->count; i++)
        buffer_append(&blob, acme_id_bytes(&list->id[i]));
    return put_state(turn, &state, &blob, expires_s, list->revision, err);
}

void acme_list_push(struct acme_list *list, const struct acme_id *id)
{
    if (list->count < ACME_LIST_MAX)
        list->count++;
    memmove(&list->id[1], &list->id[0], (list->count - 1) * sizeof(list->id[0]));
    list->id[0] = *id;
}

/* --- keys of indexes --- */
bool acme_key_digest(struct bytes spki, struct digest256 *out)
{
    return sha256(spki, out);
}

bool acme_name_digest(const struct acme_id *account, const struct acme_identifier *id, struct digest256 *out)
{
    AUTO_STRUCT(buffer) name = BUFFER(ACME_IDENTIFIER_TEXT_MAX + 2);

    acme_identifier_put(&name, id);
    return !buffer_failed(&name) &&
           sha256_parts((struct bytes[]){ acme_id_bytes(account), buffer_bytes(&name) }, 2, out);
}

bool acme_certificate_digest(const struct certificate_id *id, struct digest256 *out)
{
    return sha256_parts(
        (struct bytes[]){ digest256_bytes(&id->issuer), bytes_of(id->serial, id->serial_len) }, 2, out);
}

bool acme_id_make(struct turn *turn, struct acme_id *out, struct error *err)
{
    return random_fill(&turn->random, out->bytes, ACME_ID_LEN) ||
           error_set(err, ERROR_CRYPTO, "no randomness for an ACME id");
}
