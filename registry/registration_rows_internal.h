/* registration_rows_internal.h: registrations as rows. The key is the domain and the name with its labels
 * from the right, split by NUL: what stands under a suffix stands together, and a page reads like a zone. An
 * ACME registration stands behind them under '~' and its key id. The value is the number of the import that
 * brought it (4 bytes, 0: none) and the record. */
#ifndef MUSTER_REGISTRY_REGISTRATION_ROWS_INTERNAL_H
#define MUSTER_REGISTRY_REGISTRATION_ROWS_INTERNAL_H

#include "registry/codec_internal.h"

enum { ROW_IMPORT_LEN = 4 };

void row_key_domain(struct domain_id domain, struct key *out);
/* `name`: canonical pattern or name. */
void row_key_name(struct domain_id domain, struct bytes name, struct key *out);
MUST_USE bool row_key_key_id(struct domain_id domain, struct bytes key_id, struct key *out,
                             struct error *err);
/* By pattern, else by key id. False (ERROR_INTERNAL) when it has neither or both. */
MUST_USE bool row_key(const struct registration *r, struct key *out, struct error *err);
/* "~" and the key id, or a pattern's text: registrations.h's cursor. */
MUST_USE bool row_key_cursor(struct domain_id domain, struct bytes cursor, struct key *out,
                             struct error *err);

void row_encode(struct buffer *out, uint32_t import, const struct registration *r);

/* The row belongs to an import that is not shown yet. */
bool row_is_hidden(const struct txn *txn, struct bytes value);

/* Decodes a visible row; one that came by import learns its audit index from the import's. */
MUST_USE bool row_decode(struct txn *txn, struct bytes value, struct arena *arena, struct registration *out,
                         struct error *err);

/* The row under a key; *found false also when it is hidden. */
MUST_USE bool row_get(struct txn *txn, struct bytes key, struct arena *arena, bool *found,
                      struct registration *out, struct error *err);

/* The key under an id, whether its row is hidden or not. */
MUST_USE bool row_key_by_id(struct txn *txn, const struct registration_id *id, bool *found, struct bytes *key,
                            struct error *err);

/* Where in TABLE_META the audit index of an import is. */
void import_meta_key(uint32_t import, struct key *out);

#endif
