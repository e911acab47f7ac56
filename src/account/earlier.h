/* SPDX-License-Identifier: Apache-2.0 */
/* What the meters before this one have left in the ledger. */
#ifndef SUBLET_ACCOUNT_EARLIER_H
#define SUBLET_ACCOUNT_EARLIER_H

#include "sublet/account/view.h"

/* Notes are known by how they begin. */
#define NOTE_STEP   "clock step: "
#define NOTE_UNSEEN "gap: no meter ran"

struct earlier {
    uint64_t unseen_us; /* since somebody looked, or told that nobody does */
    int64_t step_us;    /* by how much the clock of the wall was set since then */
    uint64_t cpu_us;    /* what those of this boot have used */
};

/* Takes the sums of all tenants and of the host into the view. */
int earlier_restore(struct account_view *view, const char *ledger_dir, const char *boot,
                    const struct ledger_moment *now, struct earlier *ret_earlier,
                    struct sub_err *err);

#endif
