#include "model/certificate_record.h"

struct reason_row {
    int reason;
    const char *name;
};

/* RFC 5280 5.3.1; 7 is not used, removeFromCRL (8) and aACompromise (10) are not ours to give. */
static const struct reason_row reasons[] = {
    { REVOCATION_UNSPECIFIED, "unspecified" },    { REVOCATION_KEY_COMPROMISE, "keyCompromise" },
    { REVOCATION_CA_COMPROMISE, "cACompromise" }, { REVOCATION_AFFILIATION_CHANGED, "affiliationChanged" },
    { REVOCATION_SUPERSEDED, "superseded" },      { REVOCATION_CESSATION, "cessationOfOperation" },
    { REVOCATION_HOLD, "certificateHold" },       { REVOCATION_PRIVILEGE_WITHDRAWN, "privilegeWithdrawn" },
};

int revocation_reason_from_name(struct bytes name)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (bytes_is_nocase(name, reasons[i].name))
            return reasons[i].reason;
    return -1;
}

const char *revocation_reason_name(int reason)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].reason == reason)
            return reasons[i].name;
    return "unspecified";
}

bool certificate_id_of(struct bytes issuer_name, struct bytes serial, struct certificate_id *out)
{
    struct certificate_id id = { 0 };

    while (serial.len > 0 && serial.data[0] == 0)
        serial = bytes_from(serial, 1);
    if (serial.len > SERIAL_MAX || !sha256(issuer_name, &id.issuer))
        return false;
    id.serial_len = (uint8_t)serial.len;
    if (serial.len > 0)
        memcpy(id.serial, serial.data, serial.len);
    *out = id;
    return true;
}

bool certificate_id_take_serial(struct bytes serial, struct certificate_id *out)
{
    if (serial.len > SERIAL_MAX)
        return false;
    out->serial_len = (uint8_t)serial.len;
    if (serial.len > 0)
        memcpy(out->serial, serial.data, serial.len);
    return true;
}
