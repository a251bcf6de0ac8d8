/* chain.c: what an upstream CA tells of its certificates, held against what is pinned. */
#include "ca/ca_internal.h"

#include <assert.h>

enum { PEM_MAX = 512 * 1024, POOL_MAX = CA_TOLD_MAX + CA_ANCHORS_MAX };

/* Certificates that hold, decoded. The pinned ones come last. */
struct pool {
    struct certificate *item;
    size_t count, told;       /* the first `told` of them were told */
    unsigned steps[POOL_MAX]; /* from each to a pinned one; CA_CHAIN_MAX: more than a chain has */
};

static bool is_pinned(const struct ca *ca, struct bytes der)
{
    for (size_t i = 0; i < ca->anchor_count; i++)
        if (bytes_equal(ca->anchor[i], der))
            return true;
    return false;
}

static bool is_there(const struct pool *pool, struct bytes der)
{
    for (size_t i = 0; i < pool->count; i++)
        if (bytes_equal(pool->item[i].encoded, der))
            return true;
    return false;
}

static bool holds(const struct anchors *anchors, const struct ca_told *told, const struct certificate *c,
                  int64_t now_s)
{
    return c->is_ca && (c->key_usage & KEY_USAGE_KEY_CERT_SIGN) != 0 &&
           anchors_verify(anchors, c->encoded, told->der, told->count, now_s) == CHAIN_OK;
}

/* A root of its own that is told counts for nothing; a pinned one is what the operator says it is. */
static bool fill(struct pool *pool, const struct ca *ca, const struct ca_told *told, int64_t now_s,
                 struct arena *arena, struct error *err)
{
    struct anchors *anchors;
    struct certificate *c;

    if (!anchors_new(ca->anchor, ca->anchor_count, &anchors, err))
        return false;
    for (size_t i = 0; i < told->count && i < CA_TOLD_MAX; i++) {
        c = &pool->item[pool->count];
        if (!is_pinned(ca, told->der[i]) && !is_there(pool, told->der[i]) &&
            certificate_decode(told->der[i], arena, c) && holds(anchors, told, c, now_s))
            pool->count++;
    }
    anchors_free(anchors);
    pool->told = pool->count;
    for (size_t i = 0; i < ca->anchor_count; i++) {
        c = &pool->item[pool->count];
        if (certificate_decode(ca->anchor[i], arena, c) && ca_may_issue(c) && now_s <= c->not_after_s)
            pool->count++;
    }
    return true;
}

static bool issued_by(const struct certificate *c, const struct certificate *issuer)
{
    return c != issuer && name_equal(&c->issuer, &issuer->subject) &&
           certificate_verify_signature(c, &issuer->key) == SIGNATURE_OK;
}

static bool is_told_now(const struct ca_told *told, const struct certificate *c)
{
    for (size_t i = 0; i + told->kept < told->count; i++)
        if (bytes_equal(told->der[i], c->encoded))
            return true;
    return false;
}

static bool issued_any(const struct pool *pool, const struct ca_told *told, const struct certificate *issuer)
{
    for (size_t i = 0; i < pool->told; i++)
        if (is_told_now(told, &pool->item[i]) && issued_by(&pool->item[i], issuer))
            return true;
    return false;
}

/* Whom it issues by. An anchor itself, where it was named or told and nothing below it was. */
static const struct certificate *find_first(const struct pool *pool, const struct ca_told *told)
{
    for (size_t i = 0; i < pool->count && told->issuer.len > 0; i++)
        if (bytes_equal(pool->item[i].subject.encoded, told->issuer))
            return &pool->item[i];
    for (size_t i = 0; i < pool->count; i++)
        if (is_told_now(told, &pool->item[i]) && !issued_any(pool, told, &pool->item[i]))
            return &pool->item[i];
    return NULL;
}

static bool leads_up(const struct pool *pool, const struct certificate *c, unsigned steps)
{
    for (size_t i = 0; i < pool->count; i++)
        if (pool->steps[i] == steps && issued_by(c, &pool->item[i]))
            return true;
    return false;
}

static void measure(struct pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        pool->steps[i] = i < pool->told ? CA_CHAIN_MAX : 0;
    for (unsigned steps = 1; steps < CA_CHAIN_MAX; steps++)
        for (size_t i = 0; i < pool->told; i++)
            if (pool->steps[i] == CA_CHAIN_MAX && leads_up(pool, &pool->item[i], steps - 1))
                pool->steps[i] = steps;
}

/* The shortest way, and of equal ones that which was told first: what is kept in this order and read again
 * gives the same. */
static const struct certificate *find_issuer(const struct pool *pool, const struct certificate *c)
{
    const struct certificate *found = NULL;
    unsigned least = CA_CHAIN_MAX;

    for (size_t i = 0; i < pool->count; i++)
        if (pool->steps[i] < least && issued_by(c, &pool->item[i])) {
            found = &pool->item[i];
            least = pool->steps[i];
        }
    return found;
}

static bool climb(const struct ca *ca, const struct pool *pool, const struct certificate *c,
                  struct ca_chain *out)
{
    while (c != NULL && out->chain_count < CA_CHAIN_MAX) {
        out->chain[out->chain_count++] = c->encoded;
        if (is_pinned(ca, c->encoded))
            return true;
        c = find_issuer(pool, c);
    }
    return false;
}

static void add_others(const struct pool *pool, struct ca_chain *out)
{
    for (size_t i = 0; i < pool->told && out->other_count < CA_OTHERS_MAX; i++) {
        bool within = false;

        for (size_t j = 0; j < out->chain_count; j++)
            within |= bytes_equal(out->chain[j], pool->item[i].encoded);
        if (!within)
            out->other[out->other_count++] = pool->item[i].encoded;
    }
}

void ca_told_beside_known(const struct ca *ca, const struct bytes *now, size_t count,
                          struct bytes der[CA_TOLD_MAX], struct ca_told *out)
{
    size_t all = 0;

    assert(count <= CA_TOLD_MAX);
    while (all < count) {
        der[all] = now[all];
        all++;
    }
    for (size_t i = 0; !ca->chain_awaited && i < ca->chain_count && all < CA_TOLD_MAX; i++)
        der[all++] = ca->chain[i];
    for (size_t i = 0; i < ca->other_count && all < CA_TOLD_MAX; i++)
        der[all++] = ca->other[i];
    *out = (struct ca_told){ .der = der, .count = all, .kept = all - count };
}

bool ca_chain_choose(const struct ca *ca, const struct ca_told *told, int64_t now_s, struct arena *arena,
                     struct ca_chain *out, const char **fault, struct error *err)
{
    struct pool pool = { .item = arena_array(arena, POOL_MAX, sizeof(*pool.item)) };
    struct ca_chain chain = { 0 };
    const struct certificate *first;

    if (pool.item == NULL)
        return error_set(err, ERROR_MEMORY, "CA '%s': its chain", ca->name);
    if (!fill(&pool, ca, told, now_s, arena, err))
        return false;
    measure(&pool);
    first = find_first(&pool, told);
    *fault = first == NULL                      ? "none of its certificates chains to what is pinned"
             : !climb(ca, &pool, first, &chain) ? "its chain does not end at what is pinned"
                                                : NULL;
    if (*fault != NULL)
        return true;
    add_others(&pool, &chain);
    *out = chain;
    return true;
}

/* An anchor stands for it, so that the rest of the gateway has something to hold. */
static void await(struct ca *ca)
{
    ca->chain[0] = ca->anchor[0];
    ca->chain_count = 1;
    ca->other_count = 0;
    ca->chain_awaited = true;
}

bool ca_recall_chain(struct ca *ca, struct bytes pem, int64_t now_s, struct arena *arena, struct error *err)
{
    struct bytes der[CA_TOLD_MAX];
    struct ca_told told = { .der = der };
    struct ca_chain chain;
    struct certificate first;
    const char *fault;
    struct error ignored = { 0 };

    await(ca);
    if (pem.len == 0)
        return true;
    if (!sha256(pem, &ca->chain_pem))
        return error_openssl(err, "SHA-256");
    /* What was spoilt on disk is asked for again. */
    if (!certificates_from_pem(pem, arena, der, COUNT_OF(der), &told.count, &ignored) || told.count == 0 ||
        !certificate_decode(der[0], arena, &first))
        return true;
    told.issuer = first.subject.encoded;
    if (!ca_chain_choose(ca, &told, now_s, arena, &chain, &fault, err))
        return false;
    if (fault != NULL || !bytes_equal(chain.chain[0], der[0]))
        return true;
    memcpy(ca->chain, chain.chain, sizeof(ca->chain));
    memcpy(ca->other, chain.other, sizeof(ca->other));
    ca->chain_count = chain.chain_count;
    ca->other_count = chain.other_count;
    ca->chain_awaited = false;
    return true;
}

bool ca_chain_pem(const struct ca_chain *chain, struct arena *arena, struct bytes *pem, struct error *err)
{
    AUTO_STRUCT(buffer) out = BUFFER(PEM_MAX);
    bool put = true;

    for (size_t i = 0; i < chain->chain_count; i++)
        put = put && pem_encode("CERTIFICATE", chain->chain[i], &out);
    for (size_t i = 0; i < chain->other_count; i++)
        put = put && pem_encode("CERTIFICATE", chain->other[i], &out);
    *pem = !put || buffer_failed(&out) ? BYTES_NONE : arena_copy(arena, buffer_bytes(&out));
    return pem->data != NULL || error_set(err, ERROR_MEMORY, "chain of a CA");
}
