#include <stdlib.h>

#include "officer/audit_ledger_internal.h"
#include "officer/registration_json.h"

enum { CAPACITY_FIRST = 1024 };

void ledger_free(struct ledger *ledger)
{
    free(ledger->slot);
    *ledger = (struct ledger){ 0 };
}

/* Ids are random: their first bytes are hash enough, and nobody chooses them. */
static struct ledger_slot *place_of(const struct ledger *ledger, const struct registration_id *id)
{
    uint64_t hash;
    size_t at;

    memcpy(&hash, id->bytes, sizeof(hash));
    for (at = (size_t)hash & (ledger->capacity - 1); ledger->slot[at].revision != 0;
         at = (at + 1) & (ledger->capacity - 1))
        if (memcmp(ledger->slot[at].id.bytes, id->bytes, sizeof(id->bytes)) == 0)
            break;
    return &ledger->slot[at];
}

static bool grow(struct ledger *ledger)
{
    struct ledger bigger = { .capacity = ledger->capacity == 0 ? CAPACITY_FIRST : 2 * ledger->capacity };

    bigger.slot = calloc(bigger.capacity, sizeof(*bigger.slot));
    if (bigger.slot == NULL)
        return false;
    for (size_t i = 0; i < ledger->capacity; i++)
        if (ledger->slot[i].revision != 0)
            *place_of(&bigger, &ledger->slot[i].id) = ledger->slot[i];
    bigger.count = ledger->count;
    free(ledger->slot);
    *ledger = bigger;
    return true;
}

struct ledger_slot *ledger_find(const struct ledger *ledger, const struct registration_id *id)
{
    struct ledger_slot *slot = ledger->capacity == 0 ? NULL : place_of(ledger, id);

    return slot != NULL && slot->revision != 0 ? slot : NULL;
}

struct ledger_slot *ledger_add(struct ledger *ledger, const struct registration_id *id)
{
    struct ledger_slot *slot;

    if (2 * (ledger->count + 1) > ledger->capacity && !grow(ledger))
        return NULL;
    slot = place_of(ledger, id);
    *slot = (struct ledger_slot){ .id = *id, .revision = 1 };
    ledger->count++;
    return slot;
}

bool ledger_fields_digest(const struct registration *r, struct digest256 *out)
{
    AUTO(json_t) *fields = registration_to_json(r);
    char *text;
    bool hashed;

    if (fields == NULL || json_object_del(fields, "state") != 0 ||
        !json_put(fields, "accepted", json_integer(r->accepted_s)) ||
        !json_put_hex(fields, "domain", bytes_of(&r->domain.value, sizeof(r->domain.value))))
        return false;
    text = json_dumps(fields, JSON_COMPACT | JSON_SORT_KEYS);
    hashed = text != NULL && sha256(bytes_text(text), out);
    free(text);
    return hashed;
}

bool ledger_name_digest(struct domain_id domain, struct bytes procedure, bool is_key_id, struct bytes name,
                        struct digest256 *out)
{
    uint8_t key_id = is_key_id;
    uint8_t procedure_len = (uint8_t)procedure.len;
    const struct bytes part[] = { bytes_of(&domain.value, sizeof(domain.value)), bytes_of(&key_id, 1),
                                  bytes_of(&procedure_len, 1), procedure, name };

    return sha256_parts(part, COUNT_OF(part), out);
}
