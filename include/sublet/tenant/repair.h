/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contracts that somebody else, or the kernel itself, has changed in the files of a group: what
 * differs, and back into force. `sublet tenant apply` does it for all tenants when it is asked to;
 * this is for whoever watches them.
 */
#ifndef SUBLET_TENANT_REPAIR_H
#define SUBLET_TENANT_REPAIR_H

#include "sublet/tenant.h"

/* Of one group; one that does not exist has none. file: only of that one ("cpu.max"); NULL: of
 * all. */
int tenant_group_drifts(struct arena *arena, int root_fd, const struct tenant_group *group,
                        const char *file, struct tenant_drifts *ret_drifts, struct sub_err *err);

struct tenant_repair {
    const char *const *names; /* of tenants; "" is the parent of all */
    size_t count;
    struct tenant_drifts done; /* what was put right; none where nothing differs any more */
    struct findings failed;    /* an error for each of the names whose files could not be written */
};

/* By the definitions as they are now and under their lock, so that a command that changes a
 * contract meanwhile is not undone: -EAGAIN without text if somebody holds it. */
int tenants_repair(struct arena *arena, const char *dir_path, struct tenant_repair *repair,
                   struct sub_err *err);

#endif
