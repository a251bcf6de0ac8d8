/* officer_files.h: an officer's key and certificate: PREFIX.key (mode 0600) and PREFIX.pem; and the act that
 * appoints it. */
#ifndef MUSTER_CLI_OFFICER_FILES_H
#define MUSTER_CLI_OFFICER_FILES_H

#include "lib/jose/json.h"
#include "lib/keys/keys.h"

/* Makes an EC P-256 key under `key_name` of the ring, and its self-signed certificate; the officer is known
 * by its very bytes, so that no CA needs to sign it. Refuses to overwrite. */
MUST_USE bool officer_files_make(struct keys *keys, const char *key_name, const char *prefix,
                                 const char *name, int64_t now_s, struct arena *arena,
                                 struct bytes *certificate, struct error *err);

struct appointment {
    const char *name, *rights, *procedures, *suffixes; /* lists with commas; NULL: all */
    struct bytes certificate;                          /* DER; its key is the officer's */
    bool disabled;
};

/* {"act":"officer","officer":{...}}; the caller owns it. NULL with *err set. */
MUST_USE json_t *officer_appointment(const struct appointment *appointment, struct arena *arena,
                                     struct error *err);

/* The first certificate of a PEM file. */
MUST_USE bool read_certificate(const char *path, struct arena *arena, struct bytes *der, struct error *err);
MUST_USE bool write_certificates(const char *path, const struct bytes *der, size_t count, struct error *err);

#endif
