/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces: opening those to join, cloning the child into the new ones, id maps, names. It knows
 * which of them a clone can make and which the child must make for itself; it does not know what
 * the child does afterwards.
 */
#ifndef SUBLET_NS_H
#define SUBLET_NS_H

#include <stddef.h>
#include <sys/types.h>

#include "sublet/plan.h"

struct sub_err;

/* Open files of the namespaces to join, in the plan's order. */
struct ns_joins {
    int fds[PLAN_JOINS_MAX];
    size_t count;
};

/* Opens every path and checks its kind; the caller owns the result and calls ns_joins_close. */
int ns_joins_open(const struct plan_ns *ns, struct ns_joins *ret_joins, struct sub_err *err);
void ns_joins_close(struct ns_joins *joins);

struct ns_child {
    pid_t pid; /* in the caller's pid namespace; 0 in the child itself */
    int pidfd; /* owned by the caller */
};

/* Clones the child into cgroup_fd (-1: none) and into all namespaces a clone can make.
 * Returns twice: ret_child->pid is 0 in the child. Where a user namespace is joined, a short-lived
 * stage enters it and clones the child for us, as our own child. */
int ns_spawn(const struct plan_ns *ns, const struct ns_joins *joins, int cgroup_fd,
             struct ns_child *ret_child, struct sub_err *err);

/* Parent: writes uid_map, gid_map and setgroups of the child, by newuidmap where it must. */
int ns_write_id_maps(const struct plan_ns *ns, pid_t pid, struct sub_err *err);

/* Which id of the caller's namespace a user id of pid's user namespace is. -ENOENT: none. */
int ns_host_uid(pid_t pid, uint32_t uid, uint32_t *ret_host_uid);

/* The user namespace whose maps an id-mapped mount shows: the planned one, or one made for the maps
 * by a child that lives no longer than this call. The caller owns the descriptor. */
int ns_open_idmap(const struct plan_idmap *idmap, int *ret_fd, struct sub_err *err);

/* Child: becomes root of its user namespace once the maps are written. */
int ns_become_root(const struct plan_ns *ns, struct sub_err *err);

/* Child: joins what is left, makes what a clone could not, sets time offsets. The network
 * namespace, the most expensive one, is made here, while the parent works on. */
int ns_enter(const struct plan_ns *ns, const struct ns_joins *joins, struct sub_err *err);

/* Child: hostname and domainname. */
int ns_set_names(const struct plan_ns *ns, struct sub_err *err);

#endif
