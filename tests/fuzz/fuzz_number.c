/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken as a number prints as exactly the text it was read from. */
#include <stdlib.h>
#include <string.h>

#include "sublet/base/num.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[64], printed[NUM_TEXT];
    uint64_t value;
    int64_t negative;
    uint32_t half;

    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (num_parse_u64(text, UINT64_MAX, &value) == 0 &&
        strcmp(num_format_u64(value, printed), text) != 0)
        abort();
    if (num_parse_i64(text, INT64_MIN, INT64_MAX, &negative) == 0 &&
        strcmp(num_format_i64(negative, printed), text) != 0)
        abort();
    if (num_parse_u32(text, UINT32_MAX, &half) == 0 &&
        strcmp(num_format_u64(half, printed), text) != 0)
        abort();
    (void) num_parse_size(text, &value);
    (void) num_parse_duration(text, &value);
    (void) num_parse_milli(text, UINT64_MAX, &value);
    return 0;
}
