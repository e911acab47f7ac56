/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/time.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DAY_S 86400

/* Gregorian date of a day number, without libc's time zones (Hinnant's civil_from_days). */
static void civil_date(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    int64_t shifted = days + 719468;
    int64_t era = shifted / 146097;
    unsigned day_of_era = (unsigned) (shifted - era * 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted_month = (5 * day_of_year + 2) / 153;

    *day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    *month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    *year = (int64_t) year_of_era + era * 400 + (*month <= 2);
}

static int64_t day_number(int64_t year, unsigned month, unsigned day)
{
    int64_t shifted = year - (month <= 2);
    int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    unsigned year_of_era = (unsigned) (shifted - era * 400);
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + (int64_t) day_of_era - 719468;
}

char *time_format(int64_t seconds, uint32_t nanoseconds, int digits, char *text)
{
    int64_t year, days = seconds / DAY_S - (seconds % DAY_S < 0);
    unsigned month, day, second = (unsigned) (seconds - days * DAY_S);
    char fraction[10];

    civil_date(days, &year, &month, &day);
    (void) snprintf(fraction, sizeof fraction, "%09u", nanoseconds);
    (void) snprintf(text, TIME_TEXT, "%04lld-%02u-%02uT%02u:%02u:%02u%s%.*sZ", (long long) year,
                    month, day, second / 3600, second / 60 % 60, second % 60, digits > 0 ? "." : "",
                    digits, fraction);
    return text;
}

char *time_format_us(uint64_t us, char *text)
{
    return time_format((int64_t) (us / 1000000), (uint32_t) (us % 1000000) * 1000, 6, text);
}

uint64_t time_now_us(clockid_t clock)
{
    struct timespec now;

    (void) clock_gettime(clock, &now);
    return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

/* Exactly count digits at *at. */
static bool take_number(const char **at, int count, unsigned *ret_value)
{
    unsigned value = 0;

    for (int i = 0; i < count; i++) {
        if ((*at)[i] < '0' || (*at)[i] > '9')
            return false;
        value = value * 10 + (unsigned) ((*at)[i] - '0');
    }
    *at += count;
    *ret_value = value;
    return true;
}

static bool take(const char **at, const char *letters)
{
    if (**at == '\0' || strchr(letters, **at) == NULL)
        return false;
    (*at)++;
    return true;
}

static bool take_fraction(const char **at, unsigned *ret_us)
{
    unsigned scale = 100000, digit;

    *ret_us = 0;
    if (!take(at, "."))
        return true;
    if (**at < '0' || **at > '9')
        return false;
    while (take_number(at, 1, &digit)) {
        *ret_us += digit * scale;
        scale /= 10;
    }
    return true;
}

/* "Z", "+01:00" or nothing: UTC. */
static bool take_zone(const char **at, int64_t *ret_offset_s)
{
    unsigned hours, minutes;
    int64_t sign = **at == '-' ? 1 : -1;

    *ret_offset_s = 0;
    if (take(at, "Zz") || **at == '\0')
        return true;
    if (!take(at, "+-") || !take_number(at, 2, &hours) || !take(at, ":") ||
        !take_number(at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_offset_s = sign * (int64_t) (hours * 3600 + minutes * 60);
    return true;
}

static bool take_clock(const char **at, unsigned *ret_s, unsigned *ret_us)
{
    unsigned hour, minute, second = 0;

    *ret_us = 0;
    if (!take_number(at, 2, &hour) || !take(at, ":") || !take_number(at, 2, &minute))
        return false;
    if (take(at, ":") && (!take_number(at, 2, &second) || !take_fraction(at, ret_us)))
        return false;
    *ret_s = hour * 3600 + minute * 60 + second;
    return hour <= 23 && minute <= 59 && second <= 60;
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

int time_parse_us(const char *text, uint64_t *ret_us)
{
    unsigned year, month, day, second = 0, us = 0;
    int64_t offset_s = 0;
    const char *at = text;

    if (!take_number(&at, 4, &year) || !take(&at, "-") || !take_number(&at, 2, &month) ||
        !take(&at, "-") || !take_number(&at, 2, &day))
        return -EINVAL;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return -EINVAL;
    if (take(&at, "Tt ") && (!take_clock(&at, &second, &us) || !take_zone(&at, &offset_s)))
        return -EINVAL;

    int64_t seconds = day_number(year, month, day) * DAY_S + second + offset_s;
    if (*at != '\0' || seconds < 0)
        return -EINVAL;
    *ret_us = (uint64_t) seconds * 1000000 + us;
    return 0;
}
