/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile says of the numbers of one architecture, number by number. */
#ifndef SUBLET_PRIV_ENTRIES_H
#define SUBLET_PRIV_ENTRIES_H

#include "compile.h"

struct entry {
    uint32_t number;
    size_t order; /* in the profile */
    const struct plan_seccomp_rule *rule;
    bool companion; /* of a rule for a call that can be made inside this one */
};

struct entries {
    struct entry *items; /* by number, then by order */
    size_t count;
    bool names_any;
    uint32_t newest; /* highest number that the profile names below private_from */
};

int entries_make(struct arena *arena, const struct plan_seccomp *seccomp, const struct arch *arch,
                 struct entries *ret_entries, struct sub_err *err);

/* Decides what `count` entries of one number say together. A rule without conditions goes before
 * all that have some; of those without, the first one. Returns 0 or -errno. */
int entries_decide(struct arena *arena, const struct plan_seccomp *seccomp,
                   const struct entry *items, size_t count, struct piece *ret_piece,
                   struct sub_err *err);

#endif
