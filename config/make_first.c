/* make_first.c: certificates of the gateway itself that are not there yet, and that a CA is asked for: which
 * those are, what they are to be, and their keys. */
#include "config/rows_internal.h"
#include "lib/base/file.h"

enum { COMMON_NAME_MAX = 64 }; /* RFC 5280, upper bound */
enum { NAMES_MAX = SERVICE_NAMES_MAX + NET_LISTENERS_MAX, NAMES_LEN_MAX = 16 * 1024 };

static bool out_of_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "the configuration is too large");
}

/* --- who names certificates, and which are awaited --- */
static void list_listeners(struct parsed *parsed)
{
    struct parsed_listener *l = parsed->listeners.item;

    for (size_t i = 0; i < parsed->listeners.count; i++)
        if (l[i].tls_place.node != 0)
            parsed->namings.item[parsed->namings.count++] =
                (struct naming){ .at = &l[i].place,
                                 .setting = "tls.renew",
                                 .names_setting = "tls.renew.names",
                                 .kind = SERVICE_TLS,
                                 .noun = "listener",
                                 .name = l[i].listener.name,
                                 .path = l[i].listener.tls.certificate_path,
                                 .key = l[i].listener.tls.key_name,
                                 .base_url = l[i].listener.base_url,
                                 .renew = &l[i].renew };
}

static void list_ras(struct parsed *parsed, const struct items *ras, enum service_kind kind, const char *noun)
{
    struct parsed_ra *ra = ras->item;

    for (size_t i = 0; i < ras->count; i++)
        parsed->namings.item[parsed->namings.count++] = (struct naming){ .at = &ra[i].place,
                                                                         .setting = "renew",
                                                                         .names_setting = "renew.names",
                                                                         .kind = kind,
                                                                         .noun = noun,
                                                                         .name = ra[i].name,
                                                                         .path = ra[i].certificate,
                                                                         .key = ra[i].key,
                                                                         .renew = &ra[i].renew };
}

/* Looked at once, so that a file which comes meanwhile does not count for one and not for the other. */
static void await_file(const struct namings *all, const char *path)
{
    bool renewed = false, awaited;

    for (size_t i = 0; i < all->count; i++)
        renewed |= strcmp(all->item[i].path, path) == 0 && all->item[i].renew->ca != NULL;
    awaited = renewed && file_is_missing(path);
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->item[i].path, path) == 0)
            all->item[i].renew->awaited = awaited;
}

static bool is_first_of_file(const struct namings *all, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(all->item[i].path, all->item[index].path) == 0)
            return false;
    return true;
}

bool config_find_namings(struct parsed *parsed, struct arena *arena, struct error *err)
{
    size_t max = parsed->listeners.count + parsed->scep_ras.count + parsed->cmp_ras.count;

    parsed->namings = (struct namings){ .item = arena_array(arena, max, sizeof(struct naming)) };
    if (parsed->namings.item == NULL)
        return out_of_memory(err);
    list_listeners(parsed);
    list_ras(parsed, &parsed->scep_ras, SERVICE_SCEP_RA, "scep ra");
    list_ras(parsed, &parsed->cmp_ras, SERVICE_CMP_RA, "cmp ra");
    for (size_t i = 0; i < parsed->namings.count; i++)
        if (is_first_of_file(&parsed->namings, i))
            await_file(&parsed->namings, parsed->namings.item[i].path);
    return true;
}

/* --- their keys --- */
static bool is_named(const char *name, const char *other)
{
    return other != NULL && strcmp(name, other) == 0;
}

/* What has a use beside certificates that are awaited is not made: it would be another one than is meant. */
static bool is_of_awaited_alone(const struct parsed *parsed, const char *name, enum service_kind *kind)
{
    const struct parsed_ca *ca = parsed->cas.item;

    *kind = SERVICE_NONE;
    for (size_t i = 0; i < parsed->cas.count; i++)
        if (is_named(name, ca[i].ca.key_name) || is_named(name, ca[i].cmp.key))
            return false;
    for (size_t i = 0; i < parsed->namings.count; i++) {
        const struct naming *n = &parsed->namings.item[i];

        if (!is_named(name, n->key))
            continue;
        if (!n->renew->awaited)
            return false;
        if (*kind != SERVICE_SCEP_RA) /* which needs RSA */
            *kind = n->kind;
    }
    return *kind != SERVICE_NONE;
}

/* By two names: which of them is it to be the key of? */
static bool shares_its_file(const struct parsed *parsed, const struct parsed_key *key)
{
    const struct parsed_key *other = parsed->keys.item;

    for (size_t i = 0; i < parsed->keys.count; i++)
        if (&other[i] != key && strcmp(other[i].uri, key->uri) == 0)
            return true;
    return false;
}

bool config_key_is_missing(const struct parsed *parsed, const struct parsed_key *key, struct missing_key *out)
{
    struct missing_key missing = { .name = key->name, .path = key->uri };
    enum service_kind kind;

    if (key->passphrase_file != NULL || value_is_uri(bytes_text(key->uri)) || !file_is_missing(key->uri) ||
        !is_of_awaited_alone(parsed, key->name, &kind) || shares_its_file(parsed, key))
        return false;
    missing.kind = ca_service_key(kind, &missing.bits);
    *out = missing;
    return true;
}

static bool make_key(struct config *config, const struct missing_key *key, const struct file_owner *owner,
                     struct error *err)
{
    if (!keys_generate(config->keys, key->name, key->kind, key->bits, err) ||
        !keys_save_new(config->keys, key->name, key->path, owner, err))
        return error_prefix(err, "key of a certificate that is to be enrolled");
    for (size_t i = 0; i < config->services.count; i++) {
        struct service_certificate *s = &config->service_row[i];

        if (strcmp(s->key_name, key->name) == 0 &&
            !public_key_parse(keys_public(config->keys, key->name), &s->certificate.key))
            return error_set(err, ERROR_CRYPTO, "key %s: it cannot be read back", key->name);
    }
    return true;
}

bool config_make_missing_keys(struct config *config, const struct file_owner *owner, struct error *err)
{
    while (config->missing_key_count > 0) {
        if (!make_key(config, &config->missing_key[config->missing_key_count - 1], owner, err))
            return false;
        config->missing_key_count--;
    }
    config_set_ra_keys(config);
    return true;
}

/* --- what they are to be --- */
struct names {
    struct bytes item[NAMES_MAX];
    size_t count;
};

static void add_name(struct names *names, struct bytes name)
{
    for (size_t i = 0; i < names->count; i++)
        if (bytes_equal_nocase(names->item[i], name))
            return;
    if (name.len > 0 && names->count < COUNT_OF(names->item))
        names->item[names->count++] = name;
}

/* Without user, port and the brackets of an IPv6 address. */
static struct bytes host_of(const char *url)
{
    struct bytes rest = url != NULL ? bytes_text(url) : BYTES_NONE;
    size_t scheme = bytes_find(rest, '/');

    rest = bytes_from(rest, scheme + 2);
    rest = bytes_slice(rest, 0, bytes_find(rest, '/'));
    rest = bytes_from(rest, bytes_find(rest, '@') == rest.len ? 0 : bytes_find(rest, '@') + 1);
    if (bytes_starts_with(rest, "["))
        return bytes_slice(rest, 1, bytes_find(rest, ']') - 1);
    return bytes_slice(rest, 0, bytes_find(rest, ':'));
}

/* Those that are configured; else what a listener's URLs say; an RA goes by the name of the first listener
 * that has one. */
static void find_names(const struct parsed *parsed, const struct naming *of, struct names *out)
{
    const struct namings *all = &parsed->namings;
    const struct parsed_listener *l = parsed->listeners.item;

    *out = (struct names){ 0 };
    for (size_t i = 0; i < all->count; i++) {
        const char **name = all->item[i].renew->names.item;

        for (size_t j = 0; strcmp(all->item[i].path, of->path) == 0 && j < all->item[i].renew->names.count;
             j++)
            add_name(out, bytes_text(name[j]));
    }
    if (out->count > 0)
        return;
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->item[i].path, of->path) == 0)
            add_name(out, host_of(all->item[i].base_url));
    for (size_t i = 0; i < parsed->listeners.count && out->count == 0 && of->kind != SERVICE_TLS; i++)
        if (l[i].role == LISTENER_DEVICES)
            add_name(out, host_of(l[i].listener.base_url));
}

static bool put_names(const struct names *names, struct arena *arena, struct certificate *out)
{
    AUTO_STRUCT(buffer) subject = BUFFER(NAMES_LEN_MAX);
    AUTO_STRUCT(buffer) san = BUFFER(NAMES_LEN_MAX);
    size_t begun = der_begin(&san, DER_SEQUENCE);

    for (size_t i = 0; i < names->count; i++)
        if (!ca_service_host_put(&san, names->item[i]))
            return false;
    der_end(&san, begun);
    return names->count > 0 && ca_service_subject_put(&subject, names->item[0]) && !buffer_failed(&san) &&
           name_decode(arena_copy(arena, buffer_bytes(&subject)), arena, &out->subject) == NAME_OK &&
           general_names_decode(arena_copy(arena, buffer_bytes(&san)), arena, &out->san) == NAME_OK;
}

static enum key_kind kind_of_key(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->missing_key_count; i++)
        if (strcmp(config->missing_key[i].name, name) == 0)
            return config->missing_key[i].kind;
    return keys_kind(config->keys, name, NULL);
}

static void put_usages(const struct config *config, const struct naming *n, struct certificate *out)
{
    struct service_usages usages = ca_service_usages(n->kind, kind_of_key(config, n->key));

    out->has_key_usage = true;
    out->key_usage = usages.key_usage;
    out->extended_key_usage_count = usages.extended_key_usage_count;
    memcpy(out->extended_key_usage, usages.extended_key_usage, sizeof(usages.extended_key_usage));
}

/* One certificate is one thing, over one key. */
static bool is_at_one(const struct reader *reader, const struct namings *all, const struct naming *of,
                      struct error *err)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct naming *n = &all->item[i];

        if (strcmp(n->path, of->path) == 0 && (n->kind != of->kind || strcmp(n->key, of->key) != 0))
            return reader_fault(reader, n->at, n->setting, err,
                                "expected a file of its own, or one that is there: %s %s has it with another "
                                "purpose or key, and one certificate is asked for",
                                of->noun, of->name);
    }
    return true;
}

bool config_make_first(const struct reader *reader, const struct parsed *parsed, const struct naming *n,
                       struct config *config, struct certificate *out, struct error *err)
{
    struct certificate first = { 0 };
    struct bytes spki = keys_public(config->keys, n->key);
    struct names names;

    if (!is_at_one(reader, &parsed->namings, n, err))
        return false;
    find_names(parsed, n, &names);
    if (names.count > 0 && names.item[0].len > COMMON_NAME_MAX)
        return reader_fault(
            reader, n->at, n->names_setting, err,
            "missing; the host of base_url is longer than the 64 characters of a common name");
    if (!put_names(&names, config->arena, &first))
        return reader_fault(
            reader, n->at, n->names_setting, err,
            "missing; the certificate is not there, and no base_url has a name or address that "
            "it could be asked for");
    put_usages(config, n, &first);
    if (spki.len > 0 && !public_key_parse(spki, &first.key))
        return reader_fault(reader, n->at, n->setting, err, "expected another kind of key than '%s' is",
                            n->key);
    *out = first;
    return true;
}

/* --- before that: what is configured is well-formed, wherever it stands --- */
bool config_check_renew_names(const struct reader *reader, const struct place *at, const char *setting,
                              const struct parsed_renew *renew, struct error *err)
{
    AUTO_STRUCT(buffer) scratch = BUFFER(NAMES_LEN_MAX);
    const char **name = renew->names.item;

    for (size_t i = 0; i < renew->names.count; i++)
        if (!ca_service_host_put(&scratch, bytes_text(name[i])))
            return reader_fault(reader, at, setting, err,
                                "expected names like gw.example.com, or addresses; got '%.64s'", name[i]);
    return renew->names.count == 0 || strlen(name[0]) <= COMMON_NAME_MAX ||
           reader_fault(reader, at, setting, err,
                        "expected at most 64 characters in the first, which is the common name; got '%.80s'",
                        name[0]);
}
