/* password.h: where a registration's password comes from. */
#ifndef MUSTER_CLI_PASSWORD_H
#define MUSTER_CLI_PASSWORD_H

#include "lib/base/error.h"
#include "lib/base/random.h"
#include "lib/base/secret.h"

struct password_options {
    const char *text; /* --password */
    const char *file; /* --password-file: its first line */
    bool from_stdin;  /* --password-stdin: the first line */
    bool generate;    /* --generate */
};

enum {
    PASSWORD_GENERATED_LEN = 24, /* of 32 letters: 120 bits */
    HMAC_KEY_LEN = 32            /* octets: what HS256 wants at least (RFC 7518 3.2), and what is made */
};

/* None given: *out is empty. More than one: an error. */
MUST_USE bool password_get(const struct password_options *options, const struct random_source *random,
                           struct secret *out, struct error *err);

/* The HMAC key of an ACME registration: what is given is base64url; what is not given is made. */
bool password_is_given(const struct password_options *options);
MUST_USE bool password_hmac_key(const struct password_options *options, const struct random_source *random,
                                struct secret *out, struct error *err);

#endif
