/* dialects.c: how families of clients speak. A new family: one row. */
#include <stdio.h>

#include "config/rows_internal.h"

static const struct dialect dialects[] = {
    { .name = "default", .cmp_hmac_sha1 = true },
    /* IOS and ASA: a CertRep with the CA's certificate; nonces that are short or missing (SCEP-42). */
    { .name = "cisco-ios", .scep_ca_in_reply = true, .scep_lenient_nonce = true },
    /* Trains that know SHA-1 and 3DES alone (SCEP-47). */
    { .name = "cisco-ios-legacy", .scep_ca_in_reply = true, .scep_lenient_nonce = true, .scep_legacy = true },
    { .name = "apple", .scep_ca_in_reply = true },
    /* Must not be sent the CA's certificate in CertRep. */
    { .name = "juniper" },
    /* Cannot take a chain in GetCACert. */
    { .name = "scep-issuer-only", .scep_issuer_only = true },
    { .name = "scep-legacy", .scep_legacy = true, .scep_lenient_nonce = true },
    /* Single DES besides (SCEP-46). */
    { .name = "scep-des", .scep_des = true, .scep_legacy = true, .scep_lenient_nonce = true },
    { .name = "jscep", .csr_ber = true },
    /* libcurl and libest of old know HTTP Digest with MD5 alone. */
    { .name = "libest", .est_digest_md5 = true },
    { .name = "est-digest-md5", .est_digest_md5 = true },
    { .name = "est-strict", .est_strict_base64 = true },
    /* `openssl cmp` sends HMAC-SHA1 as the MAC unless it is told otherwise (CMP-33). */
    { .name = "openssl-cmp", .cmp_hmac_sha1 = true },
    { .name = "cmp-legacy", .cmp_hmac_sha1 = true, .cmp_sha1 = true },
    /* RFC 9483; strict: to the letter. */
    { .name = "lightweight" },
    { .name = "lightweight-strict", .cmp_strict = true },
    /* Base stations: signatures alone, and the operator's root in extraCerts (CMP-130 to CMP-132). */
    { .name = "gnodeb-33310", .cmp_signature_only = true, .cmp_root_in_extra_certs = true },
};

/* clang-format off */
static const struct setting switch_rows[] = {
    { "scep_des", SETTING_FLAG, SETTING_AT(struct dialect, scep_des) },
    { "scep_legacy", SETTING_FLAG, SETTING_AT(struct dialect, scep_legacy) },
    { "scep_lenient_nonce", SETTING_FLAG, SETTING_AT(struct dialect, scep_lenient_nonce) },
    { "scep_ca_in_reply", SETTING_FLAG, SETTING_AT(struct dialect, scep_ca_in_reply) },
    { "scep_issuer_only", SETTING_FLAG, SETTING_AT(struct dialect, scep_issuer_only) },
    { "est_digest_md5", SETTING_FLAG, SETTING_AT(struct dialect, est_digest_md5) },
    { "est_strict_base64", SETTING_FLAG, SETTING_AT(struct dialect, est_strict_base64) },
    { "csr_ber", SETTING_FLAG, SETTING_AT(struct dialect, csr_ber) },
    { "cmp_strict", SETTING_FLAG, SETTING_AT(struct dialect, cmp_strict) },
    { "cmp_hmac_sha1", SETTING_FLAG, SETTING_AT(struct dialect, cmp_hmac_sha1) },
    { "cmp_sha1", SETTING_FLAG, SETTING_AT(struct dialect, cmp_sha1) },
    { "cmp_signature_only", SETTING_FLAG, SETTING_AT(struct dialect, cmp_signature_only) },
    { "cmp_root_in_extra_certs", SETTING_FLAG, SETTING_AT(struct dialect, cmp_root_in_extra_certs) },
};
/* clang-format on */
const struct settings settings_switches = { switch_rows, COUNT_OF(switch_rows), sizeof(struct dialect), NULL,
                                            NO_PLACE };

const struct dialect *dialect_named(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(dialects); i++) {
        if (strcmp(dialects[i].name, name) == 0)
            return &dialects[i];
    }
    return NULL;
}

void dialects_list(char *out, size_t size)
{
    struct choice names[COUNT_OF(dialects) + 1] = { 0 };

    for (size_t i = 0; i < COUNT_OF(dialects); i++)
        names[i].name = dialects[i].name;
    choices_list(names, out, size);
}
