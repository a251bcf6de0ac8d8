/* root_update.c: the announcement of the root that follows (RFC 9810 4.4). Clients take the new root on the
 * word of the old one: what does not hold is refused at the start, and not found out by devices. */
#include "ca/ca_internal.h"

static bool fault(const struct ca *ca, const char *which, const char *what, struct error *err)
{
    return error_set(err, ERROR_FORMAT, "CA '%s': %s: %s", ca->name, which, what);
}

/* `c` certifies `subject`'s key under its name, and `issuer`'s key signed that. */
static bool check_cross(const struct ca *ca, const char *which, struct bytes der, struct arena *arena,
                        const struct certificate *subject, const struct certificate *issuer,
                        struct error *err)
{
    struct certificate c;

    if (!certificate_decode(der, arena, &c))
        return fault(ca, which, "malformed certificate", err);
    if (!ca_may_issue(&c))
        return fault(ca, which, "it is not a CA's", err);
    if (!bytes_equal(c.key.spki, subject->key.spki))
        return fault(ca, which, "it certifies another root's key", err);
    if (!name_equal(&c.subject, &subject->subject))
        return fault(ca, which, "its subject is another than the root's whose key it certifies", err);
    if (!name_equal(&c.issuer, &issuer->subject) ||
        certificate_verify_signature(&c, &issuer->key) != SIGNATURE_OK)
        return fault(ca, which, "the other root has not signed it", err);
    return true;
}

static bool read_root(const struct ca *ca, const char *which, struct bytes der, struct arena *arena,
                      struct certificate *out, struct error *err)
{
    if (!certificate_decode(der, arena, out))
        return fault(ca, which, "malformed certificate", err);
    if (!name_equal(&out->issuer, &out->subject) ||
        certificate_verify_signature(out, &out->key) != SIGNATURE_OK)
        return fault(ca, which, "it is not self-signed", err);
    return ca_may_issue(out) || fault(ca, which, "it is not a CA's", err);
}

bool ca_check_root_update(const struct ca *ca, struct arena *arena, struct error *err)
{
    struct certificate old, new;

    if (ca->root_new_with_new.len == 0)
        return (ca->root_new_with_old.len == 0 && ca->root_old_with_new.len == 0) ||
               fault(ca, "new_with_new", "missing; without it nothing is announced", err);
    if (!read_root(ca, "new_with_new", ca->root_new_with_new, arena, &new, err))
        return false;
    if (!certificate_decode(ca->chain[ca->chain_count - 1], arena, &old) ||
        !name_equal(&old.issuer, &old.subject))
        return fault(ca, "new_with_new", "the chain does not end with the root that it follows", err);
    if (bytes_equal(new.key.spki, old.key.spki))
        return fault(ca, "new_with_new", "it has the key of the root that it is to follow", err);
    if (ca->root_new_with_old.len > 0 &&
        !check_cross(ca, "new_with_old", ca->root_new_with_old, arena, &new, &old, err))
        return false;
    return ca->root_old_with_new.len == 0 ||
           check_cross(ca, "old_with_new", ca->root_old_with_new, arena, &old, &new, err);
}
