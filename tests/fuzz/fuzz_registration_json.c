/* Any JSON as a registration, and as an act: what is read, written and read again is the same text. */
#include <assert.h>

#include "officer/act_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fqdn_pattern_rules rules = {
    .dns = { .underscore = true, .single_label = true, .trailing_dot = true, .unicode = true },
    .literal_labels_min = 1,
};

static struct bytes written(const struct registration *r, struct arena *arena)
{
    AUTO(json_t) *object = registration_to_json(r);
    struct bytes text;

    assert(object != NULL && json_write(object, arena, &text));
    return text;
}

static void check_again(struct bytes first, struct arena *arena)
{
    AUTO(json_t) *object = json_read(first);
    struct registration r;
    struct json_fault fault;

    assert(object != NULL);
    assert(registration_from_json(object, &rules, arena, &r, &fault) == REGISTRATION_JSON_OK);
    assert(bytes_equal(written(&r, arena), first));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *arena = arena_new(8 << 20);
    AUTO(json_t) *object = size > 1 << 16 ? NULL : json_read(bytes_of(data, size));
    struct registration r;
    struct act_request request;
    struct json_fault fault;

    assert(arena != NULL);
    if (object == NULL)
        return 0;
    if (registration_from_json(object, &rules, arena, &r, &fault) == REGISTRATION_JSON_OK)
        check_again(written(&r, arena), arena);
    else
        assert(bytes_is_utf8(bytes_text(fault.text)) && !bytes_has_control(bytes_text(fault.field)));
    if (act_request_parse(bytes_of(data, size), arena, &request, &fault) == REGISTRATION_JSON_OK)
        assert(act_kind_name(request.kind) != NULL);
    return 0;
}
