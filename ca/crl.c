#include "ca/ca_internal.h"

bool ca_crl(const struct ca *ca, const struct keys *keys, uint64_t number, const struct revoked_entry *entry,
            size_t count, int64_t now_s, struct buffer *out, struct arena *arena, struct error *err)
{
    struct certificate_template issuer; /* for its names and key identifier alone */
    uint8_t key_id[20];

    if (!ca_is_local(ca))
        return error_set(err, ERROR_UNSUPPORTED, "CA '%s' signs its certificate lists itself", ca->name);
    if (ca->crl_validity_s == 0)
        return error_set(err, ERROR_FORMAT, "CA '%s': its certificate lists have no validity", ca->name);
    if (!ca_template(ca, key_id, &issuer, err))
        return false;
    return crl_sign(
        &(struct crl_template){
            .issuer = issuer.issuer,
            .authority_key_id = issuer.authority_key_id,
            .number = number,
            .this_update_s = now_s,
            .next_update_s = now_s + ca->crl_validity_s,
            .entry = entry,
            .entry_count = count,
        },
        keys, ca->key_name, out, arena, err);
}
