/* init.h: a new installation in one folder: CA, keys, certificates, the first officer, registry and
 * configuration. */
#ifndef MUSTER_CLI_INIT_H
#define MUSTER_CLI_INIT_H

#include "ca/ca.h"

enum { INIT_HOSTS_MAX = 16, INIT_PATH_MAX = 1024 };

struct init_options {
    const char *dir, *domain, *procedure, *ca_name, *ca_subject, *officer;
    const char *ca_certificate, *ca_key; /* of an existing CA: PEM file and URI; both or none */
    const char *hosts;                   /* names and addresses with commas; the first stands in URLs */
    unsigned http_port, tls_port, admin_port;
    bool rsa; /* an RSA-3072 CA instead of EC P-256 */
    bool manual_approval;
};

/* What people compare with what a device shows them: hashes of the CA's certificate in hexadecimal. */
struct init_fingerprints {
    char sha256[CA_FINGERPRINT_LEN], sha1[CA_FINGERPRINT_LEN];
};

/* Nothing is overwritten: ERROR_CONFLICT when the folder holds a configuration already. */
MUST_USE bool init_installation(const struct init_options *options, int64_t now_s,
                                struct init_fingerprints *out, struct error *err);

/* The configuration's text. `ca_key` is how the file names the CA's key. */
MUST_USE bool init_configuration(const struct init_options *options, const char *host, const char *ca_key,
                                 struct buffer *out);

#endif
