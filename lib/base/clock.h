/* clock.h: time as values. Handlers are given `now_s`; only the gateway's threads read a clock. */
#ifndef MUSTER_CLOCK_H
#define MUSTER_CLOCK_H

#include "lib/base/bytes.h"

/* Wall clock, seconds since 1970 UTC. */
int64_t clock_now_s(void);

/* Wall clock in milliseconds. */
int64_t clock_now_ms(void);

/* Monotonic milliseconds, for deadlines. */
int64_t clock_monotonic_ms(void);

/* ISO 8601 / RFC 3339 in UTC, "2026-01-31T23:59:59Z" and a NUL: 21 characters. */
enum { CLOCK_TEXT_LEN = 21 };
void clock_format(int64_t time_s, char out[CLOCK_TEXT_LEN]);

/* The same form back; also accepts a fraction (dropped) and an offset "+02:00". */
MUST_USE bool clock_parse(struct bytes text, int64_t *time_s);

/* Proleptic Gregorian calendar, any year from 0 to 9999. Fields out of range: false. */
struct calendar {
    int year, month, day, hour, minute, second; /* month 1..12, day 1..31 */
};
void calendar_of(int64_t time_s, struct calendar *out);
MUST_USE bool calendar_to_time(const struct calendar *c, int64_t *time_s);

#endif
