/* SPDX-License-Identifier: Apache-2.0 */
/* The rows behind reports and assertions. */
#ifndef SUBLET_ACCOUNT_METRIC_H
#define SUBLET_ACCOUNT_METRIC_H

#include "sublet/account/budget.h"

/* Where a number is found. */
struct metric_place {
    enum { METRIC_NOWHERE, METRIC_STATUS, METRIC_LIFE, METRIC_COUNTER, METRIC_DISKS } kind;
    size_t present, value; /* COUNTER: offsets in the sample; DISKS: in a disk's counters */
};

struct budget_metric {
    const char *part, *name; /* "memory", "peak"; part NULL: of the container itself */
    enum budget_unit unit;
    struct metric_place place;
    struct metric_place whole; /* what 100 % is */
};

extern const struct budget_metric budget_metrics[];
extern const size_t budget_metric_count;

/* False: not counted here. */
bool metric_value(const struct metric_place *place, const struct budget_account *account,
                  uint64_t *ret_value);

#define METRIC_NAME_TEXT 64
const char *metric_name(const struct budget_metric *metric, char text[METRIC_NAME_TEXT]);

const char *budget_unit_suffix(enum budget_unit unit); /* "_bytes", "_us", "" */

#endif
