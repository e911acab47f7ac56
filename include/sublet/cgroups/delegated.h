/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a caller without rights over the whole hierarchy may make groups: in those that were given
 * to him (cgroup-v2.rst, "Delegation"), as far as he can be reached from there: a process can be
 * born only in a group below one that holds its parent, too.
 */
#ifndef SUBLET_CGROUPS_DELEGATED_H
#define SUBLET_CGROUPS_DELEGATED_H

#include <stddef.h>
#include <stdint.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"

struct cg_place {
    const char *path; /* below the mount; "" is its root */
    uint32_t has;     /* CG_*: controllers of the group itself */
    uint32_t offers;  /* what a group made in it can be given; less than `has` where processes live
                         in it, or where the file that enables them is somebody else's */
};

/* Of the group at own and all above it, those in which the caller may make groups, nearest first;
 * what cannot be seen (outside of the cgroup namespace) is none. Arena memory. */
int cgroup_places(struct arena *arena, int root_fd, const char *own,
                  const struct cg_place **ret_places, size_t *ret_count, struct sub_err *err);

#endif
