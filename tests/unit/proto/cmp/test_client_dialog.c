/* A dialog is stored between two messages, and goes on from there. */
#include "lib/base/record.h"
#include "tests/unit/proto/cmp/client_world.h"

static struct cmp_dialog stored(const struct cmp_dialog *dialog)
{
    struct cmp_dialog out;
    struct bytes record;

    assert_true(cmp_dialog_encode(dialog, arena, &record, &err));
    assert_true(record.len < 1024);
    assert_true(cmp_dialog_decode(record, &out));
    return out;
}

static void a_dialog_goes_on_from_what_was_stored(void **state)
{
    const struct cmp_client client = client_with_secret();
    const struct cmp_call call = a_call();
    struct cmp_dialog dialog;
    struct bytes der = asks_for(&client, CMP_P10CR, true, &dialog);
    struct answer late = { .body = CMP_CP, .content = response(CMP_WAITING, BYTES_NONE, -1) };
    struct answer issued = { .body = CMP_CP, .content = response(CMP_ACCEPTED, device_certificate(), -1) };

    (void)state;
    dialog = stored(&dialog);
    assert_int_equal(hears(&client, &dialog, der, late).outcome, CMP_OUTCOME_WAITING);
    dialog = stored(&dialog);
    assert_true(cmp_client_poll(&client, &call, &dialog, &der, &err));
    dialog = stored(&dialog);
    assert_int_equal(hears(&client, &dialog, der, issued).outcome, CMP_OUTCOME_CERTIFICATE);
    dialog = stored(&dialog);
    assert_true(cmp_client_confirm(&client, &call, true, &dialog, &der, &err));
    dialog = stored(&dialog);
    assert_int_equal(hears(&client, &dialog, der, CONFIRMED).outcome, CMP_OUTCOME_DONE);
}

static void what_was_stored_is_what_is_read(void **state)
{
    const struct cmp_client client = client_with_secret();
    struct cmp_dialog dialog, again;
    struct bytes first, second;

    (void)state;
    (void)asks_for(&client, CMP_IR, true, &dialog);
    dialog.nonce_mended = true;
    dialog.poll_id = -1;
    dialog.peer_nonce = BYTES_LITERAL("peer");
    dialog.waiting_nonce = BYTES_LITERAL("waiting");
    dialog.cert_hash_len = 3;
    again = stored(&dialog);
    assert_true(cmp_dialog_encode(&dialog, arena, &first, &err));
    assert_true(cmp_dialog_encode(&again, arena, &second, &err));
    assert_bytes(first, second);
    assert_int_equal(again.poll_id, -1);
    assert_bytes(again.waiting_nonce, BYTES_LITERAL("waiting"));
}

static void a_record_that_is_none_is_refused(void **state)
{
    const struct cmp_client client = client_with_secret();
    struct buffer other = BUFFER(64);
    struct cmp_dialog dialog, out;
    struct bytes record;

    (void)state;
    (void)asks_for(&client, CMP_IR, true, &dialog);
    assert_true(cmp_dialog_encode(&dialog, arena, &record, &err));
    for (size_t len = 0; len < record.len; len++)
        assert_true(!cmp_dialog_decode(bytes_slice(record, 0, len), &out) ||
                    len > 60); /* between two fields */
    assert_false(cmp_dialog_decode(bytes_slice(record, 0, record.len - 1), &out));
    record_begin(&other, 2);
    assert_false(cmp_dialog_decode(kept(&other), &out));
    other = BUFFER(64);
    record_begin(&other, 1);
    assert_false(cmp_dialog_decode(kept(&other), &out));
}

static void every_thing_has_its_stage(void **state)
{
    const struct cmp_client client = client_with_secret();
    const struct cmp_call call = a_call();
    const struct cmp_status_info why = { .status = CMP_REJECTION };
    struct cmp_dialog none = { .stage = CMP_DIALOG_NONE }, asked;
    struct bytes der;

    (void)state;
    (void)asks_for(&client, CMP_IR, false, &asked);
    assert_false(cmp_client_poll(&client, &call, &asked, &der, &err));
    assert_false(cmp_client_poll_anew(&client, &call, &asked, &der, &err));
    assert_false(cmp_client_confirm(&client, &call, true, &asked, &der, &err));
    assert_false(cmp_client_give_up(&client, &call, &why, &none, &der, &err));
    assert_true(cmp_client_give_up(&client, &call, &why, &asked, &der, &err));
    assert_int_equal(hears(&client, &asked, der, CONFIRMED).outcome, CMP_OUTCOME_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(a_dialog_goes_on_from_what_was_stored),
        CLIENT_TEST(what_was_stored_is_what_is_read),
        CLIENT_TEST(a_record_that_is_none_is_refused),
        CLIENT_TEST(every_thing_has_its_stage),
    };
    return cmocka_run_group_tests(tests, open_ring, close_ring);
}
