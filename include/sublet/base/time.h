/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time as text, RFC 3339 in UTC, without libc's time zones and locale. */
#ifndef SUBLET_BASE_TIME_H
#define SUBLET_BASE_TIME_H

#include <stdint.h>
#include <time.h>

#define TIME_TEXT 40

/* "2026-11-22T11:02:00.000123Z" with that many digits of a second (0 to 9); text has room for
 * TIME_TEXT bytes; returns it. */
char *time_format(int64_t seconds, uint32_t nanoseconds, int digits, char *text);
char *time_format_us(uint64_t us, char *text); /* since 1970; 6 digits */

/* Microseconds of a clock that always exists: CLOCK_REALTIME (since 1970), CLOCK_MONOTONIC. */
uint64_t time_now_us(clockid_t clock);

/* A date, or a date and a time with 'T' or a blank between, seconds and their fraction and the zone
 * (UTC) optional. -EINVAL. */
int time_parse_us(const char *text, uint64_t *ret_us);

#endif
