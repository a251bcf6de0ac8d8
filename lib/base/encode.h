/* encode.h: base64 (RFC 4648 4), base64url without padding (5) and hexadecimal. Decoding is strict unless the
 * function says otherwise. */
#ifndef MUSTER_ENCODE_H
#define MUSTER_ENCODE_H

#include "lib/base/buffer.h"

/* Longest decoded length of `len` characters. */
#define BASE64_DECODED_MAX(len) ((len) / 4 * 3 + 3)

/* Appends standard base64; `columns` > 0, a multiple of four, puts LF after that many characters and at the
 * end. */
void base64_encode(struct buffer *out, struct bytes in, unsigned columns);

/* Appends base64url without padding (RFC 7515 2). */
void base64url_encode(struct buffer *out, struct bytes in);

/* Standard alphabet. CR, LF, space and tab are skipped anywhere (RFC 8951 3.1); padding may be missing, and
 * nothing but blanks follows it. `out` holds at least BASE64_DECODED_MAX(in.len); *len is what was written.
 */
MUST_USE bool base64_decode(struct bytes in, uint8_t *out, size_t *len);

/* URL alphabet, no padding, no blanks, unused bits zero: one text for one value. */
MUST_USE bool base64url_decode(struct bytes in, uint8_t *out, size_t *len);

/* Lower case. `out` receives 2 * in.len characters and a NUL. */
void hex_encode(struct bytes in, char *out);

/* Either case, even length. `out` holds in.len / 2. */
MUST_USE bool hex_decode(struct bytes in, uint8_t *out);

#endif
