#include "cli/officer_files.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/random.h"
#include "lib/jose/jwk.h"
#include "lib/pki/certificate.h"
#include "officer/officer_json.h"

enum { CERTIFICATE_FILE_MAX = 1 << 20, SERIAL_LEN = 16, BACKDATE_S = 300 };
static const int64_t OFFICER_VALIDITY_S = (int64_t)3 * 365 * 86400;
static const uint8_t CLIENT_AUTH[] = { 0x2b, 6, 1, 5, 5, 7, 3, 2 }; /* 1.3.6.1.5.5.7.3.2 */

bool read_certificate(const char *path, struct arena *arena, struct bytes *der, struct error *err)
{
    AUTO_STRUCT(buffer) pem = BUFFER(CERTIFICATE_FILE_MAX);
    struct bytes first[8];
    size_t count;

    if (!file_read(path, &pem, err) ||
        !certificates_from_pem(buffer_bytes(&pem), arena, first, COUNT_OF(first), &count, err))
        return false;
    if (count == 0)
        return error_set(err, ERROR_FORMAT, "%s: no certificate in PEM", path);
    *der = first[0];
    return true;
}

bool write_certificates(const char *path, const struct bytes *der, size_t count, struct error *err)
{
    AUTO_STRUCT(buffer) pem = BUFFER(CERTIFICATE_FILE_MAX);

    for (size_t i = 0; i < count; i++)
        if (!pem_encode("CERTIFICATE", der[i], &pem))
            return error_set(err, ERROR_MEMORY, "%s: out of memory", path);
    return file_write(path, buffer_bytes(&pem), 0644, err);
}

static bool name_of_officer(const char *name, struct buffer *out, struct error *err)
{
    const struct name_attribute cn = { .oid = OID_COMMON_NAME, .text = bytes_text(name) };

    return name_encode(&cn, 1, out) || error_set(err, ERROR_FORMAT, "'%.60s' cannot be a common name", name);
}

static bool make_certificate(const struct keys *keys, const char *key_name, const char *name, int64_t now_s,
                             struct arena *arena, struct bytes *der, struct error *err)
{
    AUTO_STRUCT(buffer) subject = BUFFER(512);
    const struct bytes client_auth = BYTES_ARRAY(CLIENT_AUTH);
    uint8_t serial[SERIAL_LEN];

    if (!name_of_officer(name, &subject, err))
        return false;
    if (!random_fill(&random_system, serial, sizeof(serial)))
        return error_set(err, ERROR_CRYPTO, "no randomness");
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40); /* positive, and of full length */
    return certificate_sign(&(struct certificate_template){ .serial = BYTES_ARRAY(serial),
                                                            .issuer = buffer_bytes(&subject),
                                                            .subject = buffer_bytes(&subject),
                                                            .not_before_s = now_s - BACKDATE_S,
                                                            .not_after_s = now_s + OFFICER_VALIDITY_S,
                                                            .spki = keys_public(keys, key_name),
                                                            .path_len = -1,
                                                            .key_usage = KEY_USAGE_DIGITAL_SIGNATURE,
                                                            .extended_key_usage = &client_auth,
                                                            .extended_key_usage_count = 1 },
                            keys, key_name, DIGEST_NONE, arena, der, err);
}

bool officer_files_make(struct keys *keys, const char *key_name, const char *prefix, const char *name,
                        int64_t now_s, struct arena *arena, struct bytes *certificate, struct error *err)
{
    char key_path[1024], certificate_path[1024];

    (void)snprintf(key_path, sizeof(key_path), "%s.key", prefix);
    (void)snprintf(certificate_path, sizeof(certificate_path), "%s.pem", prefix);
    if (access(key_path, F_OK) == 0 || access(certificate_path, F_OK) == 0)
        return error_set(err, ERROR_CONFLICT, "%s.key or %s.pem is there already", prefix, prefix);
    return keys_generate(keys, key_name, KEY_EC_P256, 0, err) &&
           make_certificate(keys, key_name, name, now_s, arena, certificate, err) &&
           keys_save(keys, key_name, key_path, err) &&
           write_certificates(certificate_path, certificate, 1, err);
}

/* "a,b" as an array, so that the act that is signed says it in one way. */
static bool put_list(json_t *object, const char *member, const char *text)
{
    AUTO(json_t) *list = json_array();
    struct bytes rest = bytes_text(text), part;

    while (rest.len > 0 && bytes_split(&rest, ',', &part))
        if (!json_push(list, json_of_bytes(bytes_trim(part))))
            return false;
    return text == NULL || json_put(object, member, take(list));
}

static bool put_all_rights(json_t *object)
{
    AUTO(json_t) *list = json_array();

    for (uint32_t right = 1; right <= RIGHTS_ALL; right <<= 1)
        if (!json_push(list, json_string(right_name(right))))
            return false;
    return json_put(object, "rights", take(list));
}

json_t *officer_appointment(const struct appointment *a, struct arena *arena, struct error *err)
{
    AUTO(json_t) *officer = json_object();
    struct certificate certificate;
    struct digest256 digest;

    if (!certificate_decode(a->certificate, arena, &certificate)) {
        (void)error_set(err, ERROR_FORMAT, "the officer's certificate cannot be read");
        return NULL;
    }
    if (!jwk_is_of(certificate.key.spki, JWK_OFFICER)) {
        (void)error_set(err, ERROR_UNSUPPORTED, "an officer's key is EC P-256, RSA or Ed25519");
        return NULL;
    }
    if (!sha256(a->certificate, &digest) || !json_put(officer, "name", json_string(a->name)) ||
        !json_put(officer, "key", jwk_of_spki(certificate.key.spki)) ||
        !json_put_hex(officer, "certificate", digest256_bytes(&digest)) ||
        !(a->rights == NULL ? put_all_rights(officer) : put_list(officer, "rights", a->rights)) ||
        !put_list(officer, "procedures", a->procedures) || !put_list(officer, "suffixes", a->suffixes) ||
        (a->disabled && !json_put(officer, "disabled", json_true()))) {
        (void)error_set(err, ERROR_MEMORY, "out of memory, or a text that is not UTF-8");
        return NULL;
    }
    return json_pack("{s:s, s:o}", "act", "officer", "officer", take(officer));
}
