/* cmp_ledger.h: what the audit tells of certificates, entry by entry, and what must hold at each: one
 * certificate for each CMP transaction; a one-time registration gives the next one only after the one before
 * was given back; a certificate that has a successor begins nothing more over CMP; each is confirmed, or
 * given back, once. */
#ifndef MUSTER_TESTS_CMP_LEDGER_H
#define MUSTER_TESTS_CMP_LEDGER_H

#include "lib/base/encode.h"
#include "registry/audit.h"
#include "tests/lib/cmp_device.h"

/* More often than that in a day, a one-time registration is not free again (enroll/given_back.c). */
enum { LEDGER_MAX = 1024, LEDGER_ONE_TIME_MAX = 8, LEDGER_GIVEN_BACK_MAX = 5 };

struct ledger_row { /* a certificate */
    uint64_t index; /* of the entry of its issuance */
    struct bytes serial, transaction, fqdn, renews;
    const struct cmp_deal *deal; /* NULL: of another protocol */
    bool implicit;
    bool confirmed, revoked, given_back; /* given back: rejected, or not confirmed in time; revoked too */
    bool has_successor;
};

struct ledger {
    struct arena *arena;
    bool implicit_confirm; /* the procedure grants it */
    const struct cmp_deal *(*deal_of)(void *world, struct bytes transaction);
    void *world;
    struct ledger_row row[LEDGER_MAX];
    size_t count;
    struct {
        const char *fqdn;
        const struct ledger_row *used_by; /* NULL: it is free */
        unsigned given_back;              /* beyond LEDGER_GIVEN_BACK_MAX: it may be used all the same */
    } one_time[LEDGER_ONE_TIME_MAX];
    size_t one_time_count;
};

/* The text of a member of the entry's object; none. */
static inline struct bytes ledger_field(struct ledger *l, struct bytes json, const char *name)
{
    char key[32];
    const char *text = arena_text(l->arena, json), *at, *end;

    (void)snprintf(key, sizeof(key), "\"%s\":\"", name);
    assert_non_null(text);
    at = strstr(text, key);
    if (at == NULL)
        return BYTES_NONE;
    at += strlen(key);
    end = strchr(at, '"');
    assert_non_null(end);
    return bytes_of((const uint8_t *)at, (size_t)(end - at));
}

static inline struct ledger_row *ledger_find(struct ledger *l, struct bytes serial)
{
    for (size_t i = 0; i < l->count; i++)
        if (bytes_equal(l->row[i].serial, serial))
            return &l->row[i];
    return NULL;
}

static inline void ledger_supersede(struct ledger *l, const struct ledger_row *row)
{
    struct ledger_row *old = ledger_find(l, row->renews);

    if (row->deal == NULL || row->deal->body != CMP_KUR)
        return;
    assert_non_null(old);
    old->has_successor = true;
}

static inline void ledger_issued(struct ledger *l, uint64_t index, struct bytes json)
{
    struct ledger_row *row = &l->row[l->count], *old;
    bool cmp = bytes_is(ledger_field(l, json, "protocol"), "cmp");

    assert_true(l->count < LEDGER_MAX);
    *row = (struct ledger_row){ .index = index,
                                .serial = ledger_field(l, json, "serial"),
                                .transaction = ledger_field(l, json, "transaction"),
                                .fqdn = ledger_field(l, json, "fqdn"),
                                .renews = ledger_field(l, json, "renews") };
    assert_true(row->serial.len > 0 && ledger_find(l, row->serial) == NULL);
    if (cmp) {
        row->deal = l->deal_of(l->world, row->transaction);
        assert_non_null(row->deal);
        for (size_t i = 0; i < l->count; i++)
            assert_true(l->row[i].deal != row->deal); /* one for each transaction */
        row->implicit = l->implicit_confirm && row->deal->implicit;
    }
    old = ledger_find(l, row->renews);
    assert_true(row->renews.len == 0 || old != NULL);
    if (old != NULL && cmp && (old->has_successor || old->revoked))
        fail_msg("entry %llu for %.*s: the certificate that it renews (entry %llu) %s",
                 (unsigned long long)index, BYTES_FMT(row->fqdn), (unsigned long long)old->index,
                 old->revoked ? "is revoked" : "has a successor");
    if (row->implicit)
        ledger_supersede(l, row);
    for (size_t i = 0; i < l->one_time_count && row->renews.len == 0; i++)
        if (bytes_is(row->fqdn, l->one_time[i].fqdn)) {
            assert_null(l->one_time[i].used_by);
            l->one_time[i].used_by = row;
        }
    l->count++;
}

static inline void ledger_confirmed(struct ledger *l, struct bytes json)
{
    struct ledger_row *row = ledger_find(l, ledger_field(l, json, "serial"));

    assert_true(row != NULL && row->deal != NULL && !row->implicit);
    assert_true(!row->confirmed && !row->revoked);
    assert_true(row->deal->accepts);
    row->confirmed = true;
    ledger_supersede(l, row);
}

static inline void ledger_revoked(struct ledger *l, struct bytes json)
{
    struct ledger_row *row = ledger_find(l, ledger_field(l, json, "serial"));
    struct bytes why = ledger_field(l, json, "why");

    assert_true(row != NULL && !row->revoked);
    row->revoked = true;
    row->given_back = why.len > 0;
    if (!row->given_back) {
        assert_false(row->has_successor);
        return;
    }
    assert_true(!row->implicit && !row->confirmed);
    if (bytes_is(why, "the device rejected it"))
        assert_true(row->deal->rejects);
    for (size_t i = 0; i < l->one_time_count; i++)
        if (l->one_time[i].used_by == row) {
            l->one_time[i].used_by = NULL;
            l->one_time[i].given_back++;
        }
}

static inline bool ledger_entry(const struct audit_entry *entry, void *context)
{
    struct ledger *l = context;

    if (entry->kind == AUDIT_ISSUED)
        ledger_issued(l, entry->index, entry->content);
    else if (entry->kind == AUDIT_CONFIRMED)
        ledger_confirmed(l, entry->content);
    else if (entry->kind == AUDIT_REVOKED)
        ledger_revoked(l, entry->content);
    return true;
}

/* When nothing is under way any more: what was to be confirmed was, or was given back; and what a device was
 * told is so. */
static inline void ledger_settled(const struct ledger *l)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct ledger_row *row = &l->row[i];

        if (row->deal == NULL)
            continue;
        assert_true(row->implicit ? !row->confirmed && !row->given_back : row->confirmed != row->given_back);
        if (row->deal->settled && row->deal->rejects != row->deal->accepts)
            assert_true(row->deal->rejects ? row->given_back : row->confirmed);
        if (!row->implicit && !row->deal->accepts)
            assert_true(row->given_back);
    }
}

#endif
