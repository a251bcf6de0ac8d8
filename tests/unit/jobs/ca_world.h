/* ca_world.h: an embedded CA with a P-256 key. */
#ifndef MUSTER_TEST_JOBS_CA_WORLD_H
#define MUSTER_TEST_JOBS_CA_WORLD_H

#include "ca/ca.h"
#include "tests/unit/jobs/jobs_world.h"

/* CN=Test CA */
static const uint8_t ca_subject[] = { 0x30, 0x12, 0x31, 0x10, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x04,
                                      0x03, 0x0c, 0x07, 'T',  'e',  's',  't',  ' ',  'C',  'A' };

static inline void make_ca(struct world *w, const char *name, struct ca *ca)
{
    const struct ca_make make = { .subject = BYTES_ARRAY(ca_subject),
                                  .validity_s = 100 * 86400,
                                  .now_s = NOW_S };

    *ca = (struct ca){ .name = name,
                       .connector = &ca_local_connector,
                       .key_name = name,
                       .crl_validity_s = 7 * 86400,
                       .crl_refresh_s = 86400 };
    assert_true(keys_generate(w->keys, name, KEY_EC_P256, 0, &w->err));
    assert_true(ca_make_root(&make, w->keys, name, &random_system, w->arena, &ca->chain[0], &w->err));
    ca->chain_count = 1;
    if (!ca_prepare(ca, w->keys, &w->err))
        fail_msg("%s", w->err.text);
}

#endif
