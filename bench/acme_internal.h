/* acme_internal.h: what the files of muster-bench acme share: accounts, and orders on their way. */
#ifndef MUSTER_BENCH_ACME_INTERNAL_H
#define MUSTER_BENCH_ACME_INTERNAL_H

#include "bench/requests.h"
#include "bench/work.h"

enum { ACME_URL_MAX = 512, ACME_NONCE_MAX = 256 };

struct acme_account {
    struct keys *ring; /* holds its key as "account" */
    struct bytes url;
};

enum acme_doing { NEW_ORDER, ORDER, AUTHORIZATION, CHALLENGE, CERTIFICATE, REVOCATION };

struct acme_exchange {
    size_t key; /* its number among the keys */
    char cn[BENCH_CN_MAX];
    struct bytes names, csr, revocation; /* payloads of newOrder, finalize, revokeCert */
    const struct acme_account *account;  /* NULL: the client's */
    struct bytes certificate;            /* that was given */
    enum acme_doing doing;               /* what was asked last: */
    char url[ACME_URL_MAX];
    struct bytes payload;     /* none: POST-as-GET */
    char order[ACME_URL_MAX]; /* its address */
    bool fetches_nonce;       /* the last request was for a nonce, the one above is still to be made */
    bool challenge_posted;    /* from then on the order is looked at */
    unsigned posts;
};

struct acme {
    struct work_order wanted;
    const struct key_type *type;
    struct arena *arena;
    size_t pool, accounts;
    struct bench_key *key;
    struct acme_account *account;
    struct acme_exchange *exchange;
    char (*nonce)[ACME_NONCE_MAX]; /* of each client: what its last answer brought; "": none */
    struct link_target directory;
    char new_nonce[ACME_URL_MAX], new_account[ACME_URL_MAX], new_order[ACME_URL_MAX],
        revoke_cert[ACME_URL_MAX];
    bool has_renewal_info;       /* orders may say what they replace */
    enum acme_doing first, last; /* of what an exchange asks; ORDER and REVOCATION are asked once */
};

/* A text that fits; false: it is empty or does not. */
MUST_USE bool acme_set_text(char *out, size_t max, struct bytes text);

/* Appends a request of that address; or a signed POST: by the account's address, or, while it has none, by
 * its key. */
MUST_USE bool acme_put_http(const struct acme *acme, const char *url, const char *method, struct bytes body,
                            struct buffer *out);
MUST_USE bool acme_put_post(const struct acme *acme, const struct acme_account *account, const char *url,
                            const char *nonce, struct bytes payload, struct buffer *out);

/* Reads the directory and makes the accounts, outside any interval. */
MUST_USE bool acme_open_accounts(struct acme *acme, struct error *err);

/* How an exchange goes on (a load_talk over struct acme). */
bool acme_talk(void *context, unsigned client, size_t n, const struct link_answer *before,
               struct buffer *request);

#endif
