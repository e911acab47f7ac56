/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small host for one test: a private mount namespace with a tmpfs on /mnt, in it a rootfs and
 * whatever the test puts beside it. check runs every test in a process of its own, so the test
 * may become the container's process without coming back.
 */
#ifndef TESTS_UNIT_MOUNT_WORLD_H
#define TESTS_UNIT_MOUNT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>

#include "sublet/base/err.h"
#include "sublet/mount.h"

#include "runner.h"

#define WORLD_ITEMS 160

struct world {
    struct plan_root root;
    struct plan_mounts mounts;
    struct plan_mount items[WORLD_ITEMS];
    struct plan_device devices[16];
    struct plan_link links[8];
    const char *masked[16], *readonly[16];
    const char *cgroup_path;
    int host_fd, proc_fd; /* /mnt and the host's /proc, for a look from outside */
    int host_ns;          /* keeps the namespace of the host alive */
    struct mount_tree *tree;
    struct sub_err err;
};

void world_init(struct world *world);
/* Like world_init, in a new user namespace that maps 0..65535 to 100000.. once the parent's calls
 * are done; the rootfs belongs to its root. */
void world_map_ids(void);

struct plan_mount *world_add(struct world *world, enum plan_mount_kind kind, const char *type,
                             const char *source, const char *target);
struct plan_mount *world_bind(struct world *world, const char *source, const char *target);
void world_add_device(struct world *world, struct plan_device device);
void world_add_link(struct world *world, const char *path, const char *target);
void world_mask(struct world *world, const char *path);
void world_readonly(struct world *world, const char *path);
/* proc, tmpfs at /dev, devpts, the six devices and the links. */
void world_add_default(struct world *world);
void world_add_dev(struct world *world); /* without proc, which needs a pid namespace */

/* The calls in their order, up to and including the named one; 0 or the failure. */
int world_open(struct world *world);    /* mount_tree_new .. mount_open_sources, the namespace */
int world_mount(struct world *world);   /* .. mount_all */
int world_devices(struct world *world); /* .. mount_devices */
int world_run(struct world *world);     /* .. mount_seal */

/* --- files, by name on the host or in the container ----------------------------------------- */
void put_folder(const char *path, unsigned mode);
void put_file(const char *path, const char *text);
void put_link(const char *path, const char *target);
void put_tmpfs(const char *path);
void ck_reads(const char *path, const char *want);
void ck_cannot_write(const char *path, int want_errno);
void ck_missing_at(int dir_fd, const char *path);

/* Number of entries of a folder. */
int entries_at(int dir_fd, const char *path);

/* "OPTIONS TYPE SOURCE [shared:]" of the topmost mount at target, "" if there is none. */
const char *mount_at(struct world *world, const char *target);
bool any_mount_has(struct world *world, const char *word);
int mount_count(struct world *world);
int open_fd_count(struct world *world);

#endif
