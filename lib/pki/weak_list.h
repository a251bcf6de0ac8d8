/* weak_list.h: RSA keys that are known to be weak, by a hash of their modulus: those of Debian's OpenSSL
 * 0.9.8 of 2006 to 2008 (CVE-2008-0166). In the format of openssl-blacklist: a line each, 20 hexadecimal
 * digits, the last ten octets of SHA-1 over "Modulus=HEX\n". Read-only after creation, shared by all threads.
 */
#ifndef MUSTER_PKI_WEAK_LIST_H
#define MUSTER_PKI_WEAK_LIST_H

#include "lib/base/bytes.h"
#include "lib/base/error.h"

enum {
    WEAK_LIST_ENTRY_LEN = 10,
    WEAK_LIST_FILE_MAX = 64 << 20 /* octets of one list; Debian's have 6 MiB */
};

struct weak_list;

/* The lines of all `text`s together, in any order. Empty lines and what begins with '#' are skipped; anything
 * else is ERROR_FORMAT naming list and line. Nothing of `text` is kept. */
MUST_USE bool weak_list_new(const struct bytes *text, size_t count, struct weak_list **out,
                            struct error *err);
void weak_list_free(struct weak_list *list); /* accepts NULL */

size_t weak_list_count(const struct weak_list *list); /* different keys */

/* `modulus` is a magnitude without leading zero octets. False when libcrypto fails: the caller must refuse.
 */
MUST_USE bool weak_list_has(const struct weak_list *list, struct bytes modulus, bool *has);

#endif
