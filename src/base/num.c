/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/num.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "sublet/base/err.h"

/* Digits from *at on; moves *at behind them. */
static int parse_digits(const char **at, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    bool over = false;
    const char *from = *at;

    for (; isdigit((unsigned char) **at); (*at)++) {
        over |= __builtin_mul_overflow(value, 10, &value);
        over |= __builtin_add_overflow(value, (uint64_t) (**at - '0'), &value);
    }
    if (*at == from || (*from == '0' && *at - from > 1))
        return -EINVAL;
    if (over || value > max)
        return -ERANGE;
    *ret_value = value;
    return 0;
}

int num_parse_u64(const char *text, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    int rc = parse_digits(&text, max, &value);

    if (*text != '\0')
        return -EINVAL;
    if (rc == 0)
        *ret_value = value;
    return rc;
}

int num_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret_value)
{
    bool negative = *text == '-';
    uint64_t size = 0;

    SUBLET_TRY(
        num_parse_u64(text + negative, negative ? (uint64_t) INT64_MAX + 1 : INT64_MAX, &size));
    if (negative && size == 0)
        return -EINVAL;

    int64_t value = negative ? (int64_t) -size : (int64_t) size;
    if (value < min || value > max)
        return -ERANGE;
    *ret_value = value;
    return 0;
}

int num_parse_u32(const char *text, uint32_t max, uint32_t *ret_value)
{
    uint64_t value = 0;

    SUBLET_TRY(num_parse_u64(text, max, &value));
    *ret_value = (uint32_t) value;
    return 0;
}

/* A decimal number as thousandths; at most three decimals; moves *at behind it. */
static int parse_decimal(const char **at, uint64_t *ret_milli)
{
    uint64_t whole, milli;

    SUBLET_TRY(parse_digits(at, UINT64_MAX / 1000 - 1, &whole));
    milli = whole * 1000;
    if (**at == '.') {
        uint64_t place = 100;

        (*at)++;
        if (!isdigit((unsigned char) **at))
            return -EINVAL;
        for (; isdigit((unsigned char) **at); (*at)++) {
            if (place == 0)
                return -EINVAL;
            milli += (uint64_t) (**at - '0') * place;
            place /= 10;
        }
    }
    *ret_milli = milli;
    return 0;
}

int num_parse_size(const char *text, uint64_t *ret_bytes)
{
    static const char units[] = "KMGT";
    uint64_t milli;
    unsigned shift = 0;

    SUBLET_TRY(parse_decimal(&text, &milli));
    if (*text != '\0') {
        const char *unit = strchr(units, toupper((unsigned char) *text));

        if (unit != NULL) {
            shift = 10 * (unsigned) (unit - units + 1);
            text++;
        }
        if (*text != '\0' && strcasecmp(text, "b") != 0 &&
            (unit == NULL || strcasecmp(text, "ib") != 0))
            return -EINVAL;
    }
    if (shift == 0 && milli % 1000 != 0)
        return -EINVAL;

    unsigned __int128 bytes = ((unsigned __int128) milli << shift) / 1000;
    if (bytes > INT64_MAX)
        return -ERANGE;
    *ret_bytes = (uint64_t) bytes;
    return 0;
}

int num_parse_duration(const char *text, uint64_t *ret_us)
{
    static const struct {
        const char *unit;
        uint64_t us;
    } units[] = {
        {"",   1000000   },
        {"us", 1         },
        {"ms", 1000      },
        {"s",  1000000   },
        {"m",  60000000  },
        {"h",  3600000000},
    };
    uint64_t milli;

    SUBLET_TRY(parse_decimal(&text, &milli));
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(text, units[i].unit) != 0)
            continue;

        unsigned __int128 us = (unsigned __int128) milli * units[i].us / 1000;
        if (us > INT64_MAX)
            return -ERANGE;
        *ret_us = (uint64_t) us;
        return 0;
    }
    return -EINVAL;
}

int num_parse_milli(const char *text, uint64_t max_milli, uint64_t *ret_milli)
{
    uint64_t milli;

    SUBLET_TRY(parse_decimal(&text, &milli));
    if (*text != '\0')
        return -EINVAL;
    if (milli > max_milli)
        return -ERANGE;
    *ret_milli = milli;
    return 0;
}

char *num_format_u64(uint64_t value, char *text)
{
    char digits[NUM_TEXT];
    size_t count = 0;

    do {
        digits[count++] = (char) ('0' + value % 10);
        value /= 10;
    } while (value > 0);

    for (size_t i = 0; i < count; i++)
        text[i] = digits[count - 1 - i];
    text[count] = '\0';
    return text;
}

char *num_format_i64(int64_t value, char *text)
{
    if (value >= 0)
        return num_format_u64((uint64_t) value, text);
    text[0] = '-';
    (void) num_format_u64(-(uint64_t) value, text + 1);
    return text;
}
