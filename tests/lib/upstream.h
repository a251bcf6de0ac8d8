/* upstream.h: an upstream CA that tests script, and a connector that speaks to it: one letter and what
 * belongs to it. The connector asks O (a record of key, subject, SAN, PKCS#10 and a number of its own), P
 * (poll: the number), C or N (the certificate was taken, or not: the number) and V (revoke: the certificate).
 * The CA answers I (the certificate), W (wait: seconds in decimal), R (rejected: why), D (done); whatever
 * else is garbage. */
#ifndef MUSTER_TESTS_UPSTREAM_H
#define MUSTER_TESTS_UPSTREAM_H

#include <stdlib.h>

#include "ca/ca.h"
#include "lib/base/record.h"
#include "tests/lib/test.h"

#define UPSTREAM_URL "http://upstream.example.com/ca"

struct upstream {    /* struct ca.connector_service */
    const char *url; /* NULL: UPSTREAM_URL */
    bool confirms;
};

enum { UPSTREAM_NUMBER_LEN = 16, UPSTREAM_BODY_MAX = 65536 };
enum upstream_field { UPSTREAM_NUMBER = 1, UPSTREAM_KEY, UPSTREAM_SUBJECT, UPSTREAM_SAN, UPSTREAM_PKCS10 };

struct upstream_order {
    struct bytes number, spki, subject, san, pkcs10;
};

/* --- the connector --- */
UNUSED static bool upstream_say(const struct connector_call *call, char letter, struct bytes what,
                                struct bytes state, struct connector_step *out)
{
    AUTO_STRUCT(buffer) body = BUFFER(UPSTREAM_BODY_MAX);
    const struct upstream *service = call->ca->connector_service;
    const char *url = service != NULL && service->url != NULL ? service->url : UPSTREAM_URL;

    buffer_append_byte(&body, (uint8_t)letter);
    buffer_append(&body, what);
    *out = (struct connector_step){ .verdict = CONNECTOR_SEND,
                                    .state = state,
                                    .request = { .url = bytes_text(url),
                                                 .content_type = BYTES_LITERAL("application/x-test"),
                                                 .body = arena_copy(call->arena, buffer_bytes(&body)) } };
    return out->request.body.data != NULL;
}

UNUSED static bool upstream_start(const struct connector_call *call, const struct ca_order *order,
                                  struct connector_step *out, struct error *err)
{
    AUTO_STRUCT(buffer) body = BUFFER(UPSTREAM_BODY_MAX);
    uint8_t number[UPSTREAM_NUMBER_LEN];

    if (!random_fill(call->random, number, sizeof(number)))
        return error_set(err, ERROR_CRYPTO, "no randomness");
    record_begin(&body, 1);
    record_put(&body, UPSTREAM_NUMBER, BYTES_ARRAY(number));
    record_put(&body, UPSTREAM_KEY, order->key->spki);
    record_put(&body, UPSTREAM_SUBJECT, order->subject);
    record_put(&body, UPSTREAM_SAN, order->san);
    record_put(&body, UPSTREAM_PKCS10, order->request);
    return upstream_say(call, 'O', buffer_bytes(&body), arena_copy(call->arena, BYTES_ARRAY(number)), out);
}

UNUSED static bool upstream_resume(const struct connector_call *call, struct bytes state,
                                   const struct connector_event *event, struct connector_step *out,
                                   struct error *err)
{
    const struct upstream *service = call->ca->connector_service;
    struct bytes rest = bytes_from(event->body, 1);

    (void)err;
    *out = (struct connector_step){ .verdict = CONNECTOR_AGAIN, .state = state };
    if (event->kind == CONNECTOR_EVENT_DUE)
        return upstream_say(call, 'P', state, state, out);
    if (event->kind == CONNECTOR_EVENT_FAILURE || event->status != 200 || event->body.len == 0)
        return true;
    switch (event->body.data[0]) {
    case 'I':
        out->verdict = CONNECTOR_ISSUED;
        out->certificate = rest;
        out->confirms = service != NULL && service->confirms;
        break;
    case 'W':
        out->verdict = CONNECTOR_WAIT;
        out->wait_until_s = call->now_s + strtol(arena_text(call->arena, rest), NULL, 10);
        break;
    case 'R':
        out->verdict = CONNECTOR_REJECTED;
        out->why = arena_text(call->arena, rest);
        break;
    case 'D': out->verdict = CONNECTOR_DONE; break;
    default: break;
    }
    return true;
}

UNUSED static bool upstream_confirm(const struct connector_call *call, struct bytes state, bool accepted,
                                    struct connector_step *out, struct error *err)
{
    (void)err;
    return upstream_say(call, accepted ? 'C' : 'N', state, state, out);
}

UNUSED static bool upstream_revoke(const struct connector_call *call, const struct ca_revocation *what,
                                   struct connector_step *out, struct error *err)
{
    (void)err;
    return upstream_say(call, 'V', what->certificate, BYTES_LITERAL("revoking"), out);
}

UNUSED static const struct connector upstream_connector = {
    .name = "test",
    .start = upstream_start,
    .resume = upstream_resume,
    .confirm = upstream_confirm,
    .revoke = upstream_revoke,
};

/* --- the CA --- */
/* What an O asks for. False: it is none. */
UNUSED static bool upstream_read(struct bytes body, struct upstream_order *out)
{
    struct record_reader in;
    struct record_field field;
    uint8_t version;

    *out = (struct upstream_order){ 0 };
    if (body.len == 0 || body.data[0] != 'O' || !record_open(bytes_from(body, 1), &in, &version))
        return false;
    while (record_next(&in, &field)) {
        switch ((enum upstream_field)field.tag) {
        case UPSTREAM_NUMBER: out->number = field.content; break;
        case UPSTREAM_KEY: out->spki = field.content; break;
        case UPSTREAM_SUBJECT: out->subject = field.content; break;
        case UPSTREAM_SAN: out->san = field.content; break;
        case UPSTREAM_PKCS10: out->pkcs10 = field.content; break;
        }
    }
    return !in.failed;
}

/* The letter I and the certificate that the fields of `t` change: what they leave out is as it should be. */
UNUSED static struct bytes upstream_issue(const struct ca *ca, const struct keys *keys,
                                          const struct upstream_order *order, struct certificate_template t,
                                          const char *signer, const struct random_source *random,
                                          int64_t now_s, struct arena *arena)
{
    AUTO_STRUCT(buffer) answer = BUFFER(UPSTREAM_BODY_MAX);
    uint8_t serial[CA_SERIAL_LEN];
    struct error err = { 0 };
    struct bytes der;

    assert_true(ca_serial_make(now_s, random, serial));
    if (t.serial.len == 0)
        t.serial = BYTES_ARRAY(serial);
    if (t.issuer.len == 0)
        t.issuer = ca->certificate.subject.encoded;
    if (t.subject.len == 0)
        t.subject = order->subject;
    if (t.spki.len == 0)
        t.spki = order->spki;
    if (t.san.len == 0)
        t.san = order->san;
    if (t.not_before_s == 0)
        t.not_before_s = now_s - 60;
    if (t.not_after_s == 0)
        t.not_after_s = now_s + 90 * 86400;
    if (t.key_usage == 0)
        t.key_usage = KEY_USAGE_DIGITAL_SIGNATURE;
    t.path_len = -1;
    t.authority_key_id = ca->certificate.subject_key_id;
    if (!certificate_sign(&t, keys, signer, DIGEST_NONE, arena, &der, &err))
        fail_msg("%s", err.text);
    buffer_append_byte(&answer, 'I');
    buffer_append(&answer, der);
    return arena_copy(arena, buffer_bytes(&answer));
}

#endif
