#include "lib/base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec now;

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_now_s(void)
{
    return clock_now_ms() / 1000;
}

int64_t clock_now_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 of a civil date, by eras of 400 years that begin in March. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

void calendar_of(int64_t time_s, struct calendar *out)
{
    int64_t days = time_s / 86400, seconds = time_s % 86400;
    int64_t era, day_of_era, year_of_era, day_of_year, month;

    if (seconds < 0) {
        seconds += 86400;
        days--;
    }
    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    day_of_era = days - era * 146097;
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month = (5 * day_of_year + 2) / 153;
    out->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    out->month = (int)(month < 10 ? month + 3 : month - 9);
    out->year = (int)(year_of_era + era * 400 + (out->month <= 2));
    out->hour = (int)(seconds / 3600);
    out->minute = (int)(seconds / 60 % 60);
    out->second = (int)(seconds % 60);
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

bool calendar_to_time(const struct calendar *c, int64_t *time_s)
{
    if (c->year < 0 || c->year > 9999 || c->month < 1 || c->month > 12 || c->day < 1 ||
        c->day > days_in_month(c->year, c->month) || c->hour < 0 || c->hour > 23 || c->minute < 0 ||
        c->minute > 59 || c->second < 0 || c->second > 59)
        return false;
    *time_s = days_from_civil(c->year, c->month, c->day) * 86400 + c->hour * 3600 + c->minute * 60 +
              c->second;
    return true;
}

void clock_format(int64_t time_s, char out[CLOCK_TEXT_LEN])
{
    struct calendar c;

    calendar_of(time_s, &c);
    (void)snprintf(out, CLOCK_TEXT_LEN, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)c.year % 10000,
                   (unsigned)c.month % 100, (unsigned)c.day % 100, (unsigned)c.hour % 100,
                   (unsigned)c.minute % 100, (unsigned)c.second % 100);
}

static bool number(struct bytes text, size_t at, size_t len, int *out)
{
    uint64_t value;

    if (!bytes_to_u64(bytes_slice(text, at, len), 9999, &value) || at + len > text.len)
        return false;
    *out = (int)value;
    return true;
}

/* "Z" or "+hh:mm"; *offset_s is what local time is ahead of UTC. */
static bool parse_zone(struct bytes zone, int64_t *offset_s)
{
    int hours, minutes;

    if (bytes_is(zone, "Z") || bytes_is(zone, "z")) {
        *offset_s = 0;
        return true;
    }
    if (zone.len != 6 || (zone.data[0] != '+' && zone.data[0] != '-') || zone.data[3] != ':' ||
        !number(zone, 1, 2, &hours) || !number(zone, 4, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_s = (zone.data[0] == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
    return true;
}

bool clock_parse(struct bytes text, int64_t *time_s)
{
    struct calendar c;
    int64_t offset_s, local_s;
    size_t at = 19;

    if (text.len < 20 || text.data[4] != '-' || text.data[7] != '-' ||
        (text.data[10] != 'T' && text.data[10] != 't' && text.data[10] != ' ') || text.data[13] != ':' ||
        text.data[16] != ':' || !number(text, 0, 4, &c.year) || !number(text, 5, 2, &c.month) ||
        !number(text, 8, 2, &c.day) || !number(text, 11, 2, &c.hour) || !number(text, 14, 2, &c.minute) ||
        !number(text, 17, 2, &c.second))
        return false;
    if (text.data[at] == '.') {
        size_t digits = 0;

        for (at++; at < text.len && text.data[at] >= '0' && text.data[at] <= '9'; at++)
            digits++;
        if (digits == 0)
            return false;
    }
    if (!parse_zone(bytes_from(text, at), &offset_s) || !calendar_to_time(&c, &local_s))
        return false;
    *time_s = local_s - offset_s;
    return true;
}
