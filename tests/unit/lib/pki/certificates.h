/* certificates.h: certificates of the ring's keys, for tests of certificates and of CMS. */
#ifndef MUSTER_TEST_PKI_CERTIFICATES_H
#define MUSTER_TEST_PKI_CERTIFICATES_H

#include "lib/pki/certificate.h"
#include "tests/unit/lib/pki/fixtures.h"

enum { NOW_S = 1780000000, YEAR_S = 365 * 86400 };

UNUSED static struct bytes name_of(const char *text)
{
    struct buffer out = BUFFER(4096);

    assert_true(name_parse(bytes_text(text), &out));
    return kept(&out);
}

/* What a certificate of `key` holds unless a test changes it; self-signed. */
UNUSED static struct certificate_template plain(const char *subject, const char *key)
{
    return (struct certificate_template){
        .serial = hex("0102030405"),
        .issuer = name_of(subject),
        .subject = name_of(subject),
        .not_before_s = NOW_S - YEAR_S,
        .not_after_s = NOW_S + YEAR_S,
        .spki = keys_public(ring, key),
        .path_len = -1,
    };
}

UNUSED static struct bytes signed_by(const char *signer, struct certificate_template t)
{
    struct bytes der;

    if (!certificate_sign(&t, ring, signer, DIGEST_NONE, arena, &der, &err))
        fail_msg("%s", err.text);
    return der;
}

UNUSED static struct bytes root_of(const char *subject, const char *key)
{
    struct certificate_template t = plain(subject, key);

    t.is_ca = true;
    t.key_usage = KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN;
    return signed_by(key, t);
}

UNUSED static struct certificate decoded(struct bytes der)
{
    struct certificate c;

    assert_true(certificate_decode(der, arena, &c));
    return c;
}

#endif
