/* SPDX-License-Identifier: Apache-2.0 */
/* What `metrics` tells: the tenants and containers of this host, with their counters. */
#ifndef SUBLET_CLI_GATHER_H
#define SUBLET_CLI_GATHER_H

#include "sublet/account/metrics.h"

struct sub_err;

struct gather {
    const char *tenants_dir, *state_root;
    struct account_totals *totals;
    struct cgroup_sample *sample; /* room for one */
    bool compat;                  /* as in struct metrics */
};

/* Everything in ret_metrics lives in the arena, but for the ledger's totals: until the next. */
int gather_metrics(const struct gather *gather, struct arena *arena, struct metrics *ret_metrics,
                   struct sub_err *err);

#endif
