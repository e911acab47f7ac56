/* SPDX-License-Identifier: Apache-2.0 */
/* The part of an update that is systemd's; nothing where systemd did not make the group. */
#ifndef SUBLET_RUN_SCOPE_UPDATE_H
#define SUBLET_RUN_SCOPE_UPDATE_H

#include "sublet/cgroups/systemd.h"
#include "sublet/cgroups/update.h"
#include "sublet/plan/update.h"
#include "sublet/state.h"

struct scope_update {
    struct arena *arena;
    const struct state_record *record;
    struct cgroup group; /* the scope's */
    struct cg_systemd systemd;
    struct cg_changes changes; /* of the scope's files */
};

/* Behind the change of the container's own group. All of it, or nothing. */
int scope_update(struct scope_update *scope, int root_fd, const struct plan_update *plan,
                 struct sub_err *err);
/* For a caller whose next step fails; err is that failure. */
void scope_update_back(struct scope_update *scope, const struct plan_update *plan,
                       struct sub_err *err);
void scope_update_done(struct scope_update *scope);

#endif
