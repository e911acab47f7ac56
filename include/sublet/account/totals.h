/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger's last word on each tenant: the running totals of the latest sample, which the meter
 * alone can know (what was borrowed, lent, missed, and whose doing it was). Followed, not read
 * again: each update takes what was appended since the one before.
 */
#ifndef SUBLET_ACCOUNT_TOTALS_H
#define SUBLET_ACCOUNT_TOTALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/account/ledger.h"
#include "sublet/account/view.h"

struct sub_err;

struct account_total {
    char name[ACCOUNT_NAME_TEXT];
    uint64_t cgroup_id, us; /* us: time of the record */
    struct ledger_cpu cpu;
    uint64_t memory_byte_us;
    struct ledger_windows windows;
    struct account_by blame[LEDGER_BLAME_MAX];
    size_t blame_count;
};

struct account_totals_stats { /* of what was read since the opening */
    uint64_t records, torn, missing, gaps, gap_seconds;
    uint64_t newest_us;      /* time of the newest record of a meter; 0: none */
    struct ledger_cpu meter; /* what the meter itself used */
    struct ledger_total host;
    bool host_known;
};

struct account_totals;

int account_totals_open(const char *folder, struct account_totals **ret_totals,
                        struct sub_err *err);
void account_totals_free(struct account_totals **totals);
#define OWNED_ACCOUNT_TOTALS __attribute__((cleanup(account_totals_free))) struct account_totals

/* A host without a ledger, or with one of an earlier boot, has no totals: no error. */
int account_totals_update(struct account_totals *totals, struct sub_err *err);

/* NULL: the ledger knows nothing of that tenant's cgroup as it is now. */
const struct account_total *account_totals_find(const struct account_totals *totals,
                                                const char *name, uint64_t cgroup_id);
const struct account_totals_stats *account_totals_stats(const struct account_totals *totals);

#endif
