/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict numbers: the whole string, digits only, no sign but '-', no blanks, no leading zeros but
 * "0" itself, a maximum always given. strtol accepts what nobody meant.
 */
#ifndef SUBLET_BASE_NUM_H
#define SUBLET_BASE_NUM_H

#include <stdint.h>

#define NUM_TEXT 24 /* room for any 64-bit number and its NUL */

/* 0, -EINVAL (not a number) or -ERANGE (above max / outside min..max). */
int num_parse_u64(const char *text, uint64_t max, uint64_t *ret_value);
int num_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret_value);
int num_parse_u32(const char *text, uint32_t max, uint32_t *ret_value);

/* "512M", "64KiB", "1.5G", "0", plain bytes: powers of 1024, units K M G T with optional "iB" or
 * "B", any case. -1 is not a size; a caller who allows it tests for it first. */
int num_parse_size(const char *text, uint64_t *ret_bytes);

/* "5s", "100ms", "250us", "1m", "2h", plain seconds. */
int num_parse_duration(const char *text, uint64_t *ret_us);

/* "2", "0.5", "1.25" -> thousandths ("0.5" -> 500); at most three decimals. */
int num_parse_milli(const char *text, uint64_t max_milli, uint64_t *ret_milli);

/* text has room for NUM_TEXT bytes; both return it. */
char *num_format_u64(uint64_t value, char *text);
char *num_format_i64(int64_t value, char *text);

/* a - b, 0 where b is greater: a counter that went back has not counted. */
static inline uint64_t num_above(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

#endif
