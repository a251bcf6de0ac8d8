/* An RA that speaks for devices: whether its certificate gives it that right here and now. */
#include "enroll/enroll_internal.h"

#include "registry/certificates.h"

/* id-kp-cmcRA, RFC 6402 2.10 */
static const uint8_t cmc_ra[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x1c };

static bool has_usage(const struct certificate *c, struct bytes oid)
{
    for (size_t i = 0; i < c->extended_key_usage_count; i++)
        if (bytes_equal(c->extended_key_usage[i], oid))
            return true;
    return false;
}

/* What the certificate alone says against it; NULL: nothing. */
static const char *certificate_problem(const struct procedure *procedure, const struct certificate *c,
                                       const struct bytes *chain, size_t chain_count, int64_t now_s)
{
    if (procedure->cmp_ra_anchors == NULL)
        return "the procedure trusts no RA";
    if (!has_usage(c, BYTES_ARRAY(cmc_ra)))
        return "the certificate is no RA's: no extended key usage cmcRA";
    if (c->has_key_usage && (c->key_usage & KEY_USAGE_DIGITAL_SIGNATURE) == 0)
        return "the RA's certificate may not sign";
    if (anchors_verify(procedure->cmp_ra_anchors, c->encoded, chain, chain_count, now_s) != CHAIN_OK)
        return "the RA's certificate does not chain to an anchor, or its time is over";
    return NULL;
}

bool ra_judge(struct turn *turn, const struct procedure *procedure, struct bytes der,
              const struct bytes *chain, size_t chain_count, struct ra_judgement *out, struct error *err)
{
    struct ra_judgement j = { .detail = "the RA's certificate is malformed" };
    struct certificate_record record;
    struct certificate c;

    if (!certificate_decode(der, turn->arena, &c) || !certificate_id_of(c.issuer.encoded, c.serial, &j.id)) {
        *out = j;
        return true;
    }
    j.name = name_format(&c.subject, turn->arena);
    if (j.name.data == NULL)
        return error_set(err, ERROR_MEMORY, "name of an RA");
    j.detail = certificate_problem(procedure, &c, chain, chain_count, turn->now_s);
    if (!registry_certificate_by_id(turn->view, &j.id, turn->arena, &j.ours, &record, err))
        return false;
    if (j.ours && record.status != CERTIFICATE_GOOD)
        j.detail = "the RA's certificate is revoked";
    j.trusted = j.detail == NULL;
    *out = j;
    return true;
}

bool enroll_judge_ra(struct turn *turn, const struct enroll_service *service,
                     const struct procedure *procedure, struct bytes der, const struct bytes *chain,
                     size_t chain_count, bool *trusted, const char **detail, struct error *err)
{
    struct ra_judgement j = { 0 };

    (void)service;
    if (!ra_judge(turn, procedure, der, chain, chain_count, &j, err))
        return false;
    *trusted = j.trusted;
    *detail = j.detail;
    return true;
}
