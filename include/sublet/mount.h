/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's tree of files, built as the plan says: sources, root or overlay, mounts, devices,
 * console, the move into the root, masks. This room knows file descriptors and the kernel's mount
 * calls; it refuses to know spec, options and which mount was meant for what. No path string of
 * the container reaches a mount call: each is resolved once, inside the root, to a descriptor.
 *
 * Every mount is made aside, gets its attributes and its propagation there, and is attached in one
 * move, so at no moment it is more writable or more shared than planned.
 *
 * Order of the calls, with the umask 0:
 *
 *   parent  mount_tree_new, mount_open_root, mount_open_sources (if plan->sources_by_parent),
 *           mount_open_group (likewise, if the group is made by then)
 *   child   mount_open_sources (otherwise), mount_open_group, mount_attach_root, mount_all,
 *           mount_devices, mount_console (with a terminal, whose pty is the container's own),
 *           -- hooks createRuntime and createContainer --
 *           mount_pivot, mount_seal
 *
 * The child is a copy of a single-threaded parent between clone and exec, in a mount namespace of
 * its own: its calls allocate nothing and leave no descriptor open but those of the tree. Failures
 * carry the json path of the item ("mounts[3].source").
 */
#ifndef SUBLET_MOUNT_H
#define SUBLET_MOUNT_H

#include "sublet/plan/mounts.h"

struct mount_tree;
struct sub_err;

/* The plan's slices and cgroup_path must live as long as the tree. cgroup_path is the container's
 * group as a path of the host, for cgroup mounts that cannot be a new instance; NULL: none. */
int mount_tree_new(const struct plan_root *root, const struct plan_mounts *mounts,
                   const char *cgroup_path, struct mount_tree **ret_tree, struct sub_err *err);
void mount_tree_free(struct mount_tree *tree); /* closes what is still open; NULL is fine */
void mount_tree_freep(struct mount_tree **tree);
#define OWNED_MOUNT_TREE __attribute__((cleanup(mount_tree_freep))) struct mount_tree *

/* User namespaces whose maps plan->idmaps names, in its order; they stay the caller's. Before
 * mount_open_sources. */
void mount_use_idmaps(struct mount_tree *tree, const int *user_ns_fds);

/* Opens the root folder or the layers, once and for all: later changes of these names change
 * nothing. Creates and locks the folder of a kept upper layer (UPPER/upper, UPPER/work); one that
 * is in use is refused. */
int mount_open_root(struct mount_tree *tree, struct sub_err *err);

/* Clones every bind source. Nothing of the container has been touched yet. */
int mount_open_sources(struct mount_tree *tree, struct sub_err *err);

/* Clones the container's group for cgroup mounts that cannot be a new instance, once it is there.
 * What is open already stays. */
int mount_open_group(struct mount_tree *tree, struct sub_err *err);

/* The folder of the record for PLAN_MOUNT_NOTIFY, if the plan has one. A parent that may not clone
 * leaves it to the child, which calls this again with a name of the host. */
int mount_open_notify(struct mount_tree *tree, int dir_fd, const char *path, struct sub_err *err);

/* Cuts the namespace off from the host (everything a slave) and hangs the new root over "/", where
 * path names do not see it yet, or over its own path (plan_root.at_path): names of the host keep
 * working until mount_pivot. */
int mount_attach_root(struct mount_tree *tree, struct sub_err *err);

/* The container's root, O_PATH, valid from mount_attach_root on, owned by the tree. */
int mount_root_fd(const struct mount_tree *tree);

/* All of plan->items in order, missing mount points made inside the root. */
int mount_all(struct mount_tree *tree, struct sub_err *err);

/* Device nodes and links. Needs the umask 0, or modes come out wrong. */
int mount_devices(struct mount_tree *tree, struct sub_err *err);

/* Hangs the pty's slave over /dev/console. */
int mount_console(struct mount_tree *tree, int slave_fd, struct sub_err *err);

/* Makes the new root "/" and lets go of the host's tree; the working directory is "/". */
int mount_pivot(struct mount_tree *tree, struct sub_err *err);

/* Masked and read-only paths, read-only file systems that had to be filled first, the root's own
 * read-only flag and propagation. The last call. */
int mount_seal(struct mount_tree *tree, struct sub_err *err);

/* --- a running container (live.c) --------------------------------------------------------------
 * Called in a process that has entered the container's mount namespace; proc_fd is the host's
 * procfs. Binds were opened before by mount_open_sources. */

int mount_live_enter(struct mount_tree *tree, struct sub_err *err);
/* All of plan->items, or none. ret_ids gets the mount id of each. */
int mount_live_add(struct mount_tree *tree, int proc_fd, uint64_t *ret_ids, struct sub_err *err);
void mount_live_undo(struct mount_tree *tree, int proc_fd, size_t count);

struct mount_added {
    const char *destination, *json;
    uint64_t id;
};
/* The mount at its destination, if it is still the one with that id. */
int mount_live_find(const struct mount_tree *tree, const struct mount_added *added, int *ret_fd,
                    struct sub_err *err);
int mount_live_remove(int proc_fd, const struct mount_added *added, int fd, struct sub_err *err);

#endif
