/* SPDX-License-Identifier: Apache-2.0 */
#include "number.h"

#include <errno.h>
#include <string.h>

#include "sublet/base/err.h"
#include "sublet/base/num.h"

const struct number_range *number_range(enum json_kind kind)
{
    static const struct number_range ranges[] = {
        [JSON_I32] = {INT32_MIN, INT32_MAX,  4},
        [JSON_I64] = {INT64_MIN, INT64_MAX,  8},
        [JSON_U32] = {0,         UINT32_MAX, 4},
        [JSON_U64] = {0,         UINT64_MAX, 8},
    };

    return kind < JSON_I32 || kind > JSON_U64 ? NULL : &ranges[kind];
}

static int parse_negative(const char *text, const struct number_range *range, uint64_t *ret_bits)
{
    int64_t value;

    SUBLET_TRY(num_parse_i64(text, INT64_MIN, 0, &value));
    if (value < range->min)
        return -ERANGE;
    *ret_bits = (uint64_t) value;
    return 0;
}

int number_parse(const char *text, size_t length, const struct number_range *range,
                 uint64_t *ret_bits)
{
    char copy[NUM_TEXT];

    for (size_t i = 0; i < length; i++) {
        if (strchr(".eE", text[i]) != NULL)
            return -EINVAL;
    }
    if (length >= sizeof copy)
        return -ERANGE;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy[0] == '-' ? parse_negative(copy, range, ret_bits)
                          : num_parse_u64(copy, range->max, ret_bits);
}
