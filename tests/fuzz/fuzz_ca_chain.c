/* What an upstream CA tells of its certificates, in any order and number, whole, changed or made up: the
 * chain that is chosen begins with a CA, ends with what is pinned, and is signed link by link; it, and what
 * is kept beside it, is of certificates that the anchor vouches for and of no others. Kept and recalled it is
 * the same; any file that is recalled gives such a chain, or leaves it awaited. The input: a list of acts, an
 * octet each and what belongs to it. */
#include <assert.h>
#include <stdlib.h>

#include "ca/ca.h"
#include "lib/base/arena.h"

enum { ARENA_MAX = 32 << 20, OWN_ARENA = 1 << 20, SOUND = 4, GENUINE = 9 };
static const int64_t NOW_S = 1790000000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- certificates: the first SOUND ones are what the anchor vouches for, the others are not --- */
static const struct made {
    const char *key, *subject, *issuer, *signer;
    bool end_entity, expired;
    uint32_t key_usage;
} made[GENUINE] = {
    { "one", "CN=One", "CN=Root", "root", .key_usage = KEY_USAGE_KEY_CERT_SIGN },
    { "two", "CN=Two", "CN=One", "one", .key_usage = KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN },
    { "two", "CN=Two", "CN=Root", "root", .key_usage = KEY_USAGE_KEY_CERT_SIGN }, /* another way up */
    { "three", "CN=Three", "CN=Two", "two", .key_usage = KEY_USAGE_KEY_CERT_SIGN },
    { "foreign", "CN=Root", "CN=Root", "foreign", .key_usage = KEY_USAGE_KEY_CERT_SIGN },
    { "foreign", "CN=One", "CN=Root", "foreign", .key_usage = KEY_USAGE_KEY_CERT_SIGN },
    { "one", "CN=Device", "CN=Root", "root", .end_entity = true },
    { "one", "CN=Old", "CN=Root", "root", .expired = true, .key_usage = KEY_USAGE_KEY_CERT_SIGN },
    { "one", "CN=Signs nothing", "CN=Root", "root", .key_usage = KEY_USAGE_DIGITAL_SIGNATURE },
};

struct world {
    struct arena *arena;
    struct keys *keys;
    struct bytes root, genuine[GENUINE];
};

static struct bytes name_of(struct arena *arena, const char *text)
{
    AUTO_STRUCT(buffer) name = BUFFER(256);
    bool parsed = name_parse(bytes_text(text), &name);

    assert(parsed);
    return arena_copy(arena, buffer_bytes(&name));
}

static struct bytes make(struct world *w, const struct made *m, uint8_t serial)
{
    const struct certificate_template t = {
        .serial = bytes_of(&serial, 1),
        .subject = name_of(w->arena, m->subject),
        .issuer = name_of(w->arena, m->issuer),
        .not_before_s = NOW_S - 1000,
        .not_after_s = m->expired ? NOW_S - 1 : NOW_S + 1000,
        .spki = keys_public(w->keys, m->key),
        .is_ca = !m->end_entity,
        .path_len = -1,
        .key_usage = m->key_usage,
    };
    struct bytes der = BYTES_NONE;
    bool signed_ = certificate_sign(&t, w->keys, m->signer, DIGEST_NONE, w->arena, &der, NULL);

    assert(signed_);
    return der;
}

static struct world *the_world(void)
{
    static const char *const keys[] = { "root", "one", "two", "three", "foreign" };
    static const struct made root = { "root", "CN=Root", "CN=Root", "root",
                                      .key_usage = KEY_USAGE_KEY_CERT_SIGN };
    static struct world w;
    bool done = w.arena != NULL;

    if (done)
        return &w;
    w.arena = arena_new(OWN_ARENA);
    done = w.arena != NULL && keys_new(&w.keys, NULL);
    for (size_t i = 0; done && i < COUNT_OF(keys); i++)
        done = keys_generate(w.keys, keys[i], KEY_EC_P256, 0, NULL);
    assert(done);
    w.root = make(&w, &root, 100);
    for (size_t i = 0; i < GENUINE; i++)
        w.genuine[i] = make(&w, &made[i], (uint8_t)(i + 1));
    return &w;
}

/* --- what is told --- */
struct telling {
    struct bytes input;
    struct arena *arena;
    struct bytes der[CA_TOLD_MAX];
    struct ca_told told;
};

static uint8_t next(struct telling *t)
{
    uint8_t octet = t->input.len > 0 ? t->input.data[0] : 0;

    t->input = bytes_from(t->input, t->input.len > 0 ? 1 : 0);
    return octet;
}

static struct bytes changed(struct telling *t, struct bytes der)
{
    struct bytes copy = arena_copy(t->arena, der);
    size_t at = ((size_t)next(t) << 8 | next(t)) % der.len;
    uint8_t by = next(t);

    ((uint8_t *)(uintptr_t)copy.data)[at] ^= by != 0 ? by : 1;
    return copy;
}

static struct bytes made_up(struct telling *t)
{
    size_t len = (size_t)next(t) << 8 | next(t);
    struct bytes der = bytes_slice(t->input, 0, len);

    t->input = bytes_from(t->input, der.len);
    return der;
}

static void tell(struct world *w, struct telling *t)
{
    while (t->input.len > 0 && t->told.count < CA_TOLD_MAX) {
        uint8_t act = next(t);
        struct bytes genuine = w->genuine[act % GENUINE];

        switch (act / 64) {
        case 0: t->der[t->told.count++] = act % 16 == 15 ? w->root : genuine; break;
        case 1: t->der[t->told.count++] = changed(t, genuine); break;
        case 2: t->der[t->told.count++] = made_up(t); break;
        default: t->told.issuer = name_of(t->arena, made[act % GENUINE].subject); break;
        }
    }
    t->told.der = t->der;
    t->told.kept = t->told.count > 0 ? next(t) % (t->told.count + 1) : 0;
}

/* --- what must hold --- */
static bool is_sound(const struct world *w, struct bytes der)
{
    bool sound = bytes_equal(der, w->root);

    for (size_t i = 0; i < SOUND; i++)
        sound |= bytes_equal(der, w->genuine[i]);
    return sound;
}

static void check_chain(const struct world *w, const struct bytes *chain, size_t count,
                        const struct bytes *other, size_t others, struct arena *arena)
{
    struct certificate c, issuer;
    bool decoded;

    assert(count > 0 && count <= CA_CHAIN_MAX && others <= CA_OTHERS_MAX);
    assert(bytes_equal(chain[count - 1], w->root));
    for (size_t i = 0; i < count; i++) {
        assert(is_sound(w, chain[i]));
        decoded = certificate_decode(chain[i], arena, &c) &&
                  certificate_decode(chain[i + 1 < count ? i + 1 : i], arena, &issuer);
        assert(decoded && c.is_ca && certificate_verify_signature(&c, &issuer.key) == SIGNATURE_OK);
    }
    for (size_t i = 0; i < others; i++)
        assert(is_sound(w, other[i]));
}

static struct ca a_ca(const struct world *w)
{
    return (struct ca){ .name = "demo", .anchor = { w->root }, .anchor_count = 1 };
}

static void recall(const struct world *w, struct bytes pem, const struct ca_chain *same, struct arena *arena)
{
    struct ca ca = a_ca(w);
    struct error err = { 0 };
    bool recalled = ca_recall_chain(&ca, pem, NOW_S, arena, &err);

    assert(recalled || err.code == ERROR_MEMORY);
    assert(same == NULL || (recalled && !ca.chain_awaited && ca.chain_count == same->chain_count &&
                            ca.other_count == same->other_count));
    if (recalled && ca.chain_awaited)
        assert(ca.chain_count == 1 && bytes_equal(ca.chain[0], w->root) && ca.other_count == 0);
    else if (recalled)
        check_chain(w, ca.chain, ca.chain_count, ca.other, ca.other_count, arena);
    for (size_t i = 0; same != NULL && i < same->chain_count; i++)
        assert(bytes_equal(ca.chain[i], same->chain[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *arena = arena_new(ARENA_MAX);
    struct world *w = the_world();
    struct telling t = { .input = bytes_of(data, size), .arena = arena };
    const struct ca ca = a_ca(w);
    struct ca_chain chain = { 0 };
    struct bytes pem = BYTES_NONE;
    const char *fault = NULL;
    bool done;

    recall(w, t.input, NULL, arena);
    tell(w, &t);
    done = ca_chain_choose(&ca, &t.told, NOW_S, arena, &chain, &fault, NULL);
    assert(done);
    if (fault != NULL) {
        assert(chain.chain_count == 0);
        return 0;
    }
    check_chain(w, chain.chain, chain.chain_count, chain.other, chain.other_count, arena);
    done = ca_chain_pem(&chain, arena, &pem, NULL);
    assert(done);
    recall(w, pem, &chain, arena);
    return 0;
}
