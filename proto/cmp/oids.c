#include "proto/cmp/message.h"

#define PKIX(arc, n)                                               \
    {                                                              \
        (const uint8_t *)("\x2b\x06\x01\x05\x05\x07" arc n), 7 + 1 \
    }
#define IT(n) PKIX("\x04", n)
#define KP(n) PKIX("\x03", n)

const struct bytes CMP_IT_CA_PROT_ENC_CERT = IT("\x01");
const struct bytes CMP_IT_SIGN_KEY_PAIR_TYPES = IT("\x02");
const struct bytes CMP_IT_ENC_KEY_PAIR_TYPES = IT("\x03");
const struct bytes CMP_IT_PREFERRED_SYMM_ALG = IT("\x04");
const struct bytes CMP_IT_CA_KEY_UPDATE_INFO = IT("\x05");
const struct bytes CMP_IT_CURRENT_CRL = IT("\x06");
const struct bytes CMP_IT_UNSUPPORTED_OIDS = IT("\x07");
const struct bytes CMP_IT_IMPLICIT_CONFIRM = IT("\x0d");
const struct bytes CMP_IT_CONFIRM_WAIT_TIME = IT("\x0e");
const struct bytes CMP_IT_ORIG_PKI_MESSAGE = IT("\x0f");
const struct bytes CMP_IT_SUPP_LANG_TAGS = IT("\x10");
const struct bytes CMP_IT_CA_CERTS = IT("\x11");
const struct bytes CMP_IT_ROOT_CA_KEY_UPDATE = IT("\x12");
const struct bytes CMP_IT_CERT_REQ_TEMPLATE = IT("\x13");
const struct bytes CMP_IT_ROOT_CA_CERT = IT("\x14");
const struct bytes CMP_IT_CERT_PROFILE = IT("\x15");
const struct bytes CMP_IT_CRL_STATUS_LIST = IT("\x16");
const struct bytes CMP_IT_CRLS = IT("\x17");

const struct bytes CMP_KP_CMC_CA = KP("\x1b");
const struct bytes CMP_KP_CMC_RA = KP("\x1c");
const struct bytes CMP_KP_CM_KGA = KP("\x20");
