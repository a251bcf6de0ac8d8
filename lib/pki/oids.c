#include "lib/pki/names.h"

#define OID(content)                                    \
    {                                                   \
        (const uint8_t *)(content), sizeof(content) - 1 \
    }

const struct bytes OID_COMMON_NAME = OID("\x55\x04\x03");
const struct bytes OID_SURNAME = OID("\x55\x04\x04");
const struct bytes OID_SERIAL_NUMBER = OID("\x55\x04\x05");
const struct bytes OID_COUNTRY = OID("\x55\x04\x06");
const struct bytes OID_LOCALITY = OID("\x55\x04\x07");
const struct bytes OID_STATE = OID("\x55\x04\x08");
const struct bytes OID_STREET = OID("\x55\x04\x09");
const struct bytes OID_ORGANIZATION = OID("\x55\x04\x0a");
const struct bytes OID_ORGANIZATIONAL_UNIT = OID("\x55\x04\x0b");
const struct bytes OID_TITLE = OID("\x55\x04\x0c");
const struct bytes OID_POSTAL_ADDRESS = OID("\x55\x04\x10");
const struct bytes OID_POSTAL_CODE = OID("\x55\x04\x11");
const struct bytes OID_TELEPHONE_NUMBER = OID("\x55\x04\x14");
const struct bytes OID_GIVEN_NAME = OID("\x55\x04\x2a");
const struct bytes OID_INITIALS = OID("\x55\x04\x2b");
const struct bytes OID_PSEUDONYM = OID("\x55\x04\x41");
const struct bytes OID_ORGANIZATION_IDENTIFIER = OID("\x55\x04\x61");
const struct bytes OID_UNIQUE_IDENTIFIER = OID(
    "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x2c"); /* RFC 4524 2.24 */
const struct bytes OID_DOMAIN_COMPONENT = OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19");
const struct bytes OID_EMAIL_ADDRESS = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01");
const struct bytes OID_UNSTRUCTURED_NAME = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02");
const struct bytes OID_UNSTRUCTURED_ADDRESS = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x08");
const struct bytes OID_HARDWARE_MODULE_NAME = OID("\x2b\x06\x01\x05\x05\x07\x08\x04");
const struct bytes OID_PERMANENT_IDENTIFIER = OID("\x2b\x06\x01\x05\x05\x07\x08\x03");
