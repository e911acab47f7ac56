/* SPDX-License-Identifier: Apache-2.0 */
/* The integers of JSON, strictly. */
#ifndef SUBLET_SRC_JSON_NUMBER_H
#define SUBLET_SRC_JSON_NUMBER_H

#include "sublet/json.h"

struct number_range {
    int64_t min;
    uint64_t max;
    size_t size; /* bytes of the C type */
};

/* NULL if the kind is no number. */
const struct number_range *number_range(enum json_kind kind);

/* Two's complement bits; -EINVAL no integer (1.0, 1e3, -0), -ERANGE outside. */
int number_parse(const char *text, size_t length, const struct number_range *range,
                 uint64_t *ret_bits);

#endif
