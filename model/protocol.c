#include "model/protocol.h"

static const char *const names[PROTOCOL_COUNT] = {
    [PROTOCOL_NONE] = "none", [PROTOCOL_SCEP] = "scep", [PROTOCOL_EST] = "est",
    [PROTOCOL_CMP] = "cmp",   [PROTOCOL_ACME] = "acme",
};

const char *protocol_name(enum protocol p)
{
    return (unsigned)p < PROTOCOL_COUNT ? names[p] : names[PROTOCOL_NONE];
}

enum protocol protocol_from_name(struct bytes name)
{
    for (unsigned p = PROTOCOL_NONE + 1; p < PROTOCOL_COUNT; p++)
        if (bytes_is_nocase(name, names[p]))
            return (enum protocol)p;
    return PROTOCOL_NONE;
}
