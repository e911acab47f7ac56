/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>

#include "tree.h"

#define JSON_SIZE 48

int stamp_place(struct stamp *stamp, int target_fd)
{
    if (!stamp->attached) {
        int rc = sys_move_mount(stamp->fd, target_fd);

        stamp->attached = rc >= 0;
        return rc;
    }

    OWNED_FD clone = sys_open_tree(stamp->fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
    return clone < 0 ? clone : sys_move_mount(clone, target_fd);
}

/* Opens a path to cover. 0: it is not there, and that is fine; 1: *ret_fd. Any other failure would
 * leave it uncovered, so it is one. */
static int open_path(const struct mount_tree *tree, const char *path, const char *json, int *ret_fd,
                     struct sub_err *err)
{
    int fd = sys_open_in(tree->root, path, O_PATH, 0);

    if (fd == -ENOENT || fd == -ENOTDIR)
        return 0;
    if (fd < 0)
        return sub_fail(err, -fd, json, "cannot open '%s': %s", path, sub_strerror(-fd));
    *ret_fd = fd;
    return 1;
}

/* --- masks ---------------------------------------------------------------------------------- */

/* One empty read-only tmpfs for all folders: fewer superblocks to make and to reap. Its one inode
 * is the root's, so it stays empty whoever makes it writable. */
static int make_empty(struct stamp *empty, const char *json, struct sub_err *err)
{
    static const struct plan_fs_option inodes = {"nr_inodes", "1"};
    OWNED_FD fs = sys_fsopen("tmpfs");

    if (fs < 0)
        return fs_fail(fs, -fs, json, err, "cannot make an empty tmpfs");
    SUBLET_TRY(fs_option(fs, "tmpfs", &inodes, json, err));

    int rc = sys_fsconfig_create(fs);
    int fd = rc < 0 ? rc
                    : sys_fsmount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                          MOUNT_ATTR_NOEXEC);
    if (fd < 0)
        return fs_fail(fs, -fd, json, err, "cannot make an empty tmpfs");
    empty->fd = fd;
    return 0;
}

static int mask(struct mount_tree *tree, struct stamp *empty, size_t index, struct sub_err *err)
{
    const char *path = tree->plan->masked[index];
    char json[JSON_SIZE];
    OWNED_FD target = -EBADF;
    struct stat found;

    (void) snprintf(json, sizeof json, "linux.maskedPaths[%zu]", index);

    int rc = open_path(tree, path, json, &target, err);
    if (rc <= 0)
        return rc;
    rc = sys_fstat(target, &found);
    if (rc >= 0 && S_ISDIR(found.st_mode)) {
        if (empty->fd < 0)
            SUBLET_TRY(make_empty(empty, json, err));
        rc = stamp_place(empty, target);
    } else if (rc >= 0) {
        rc = stamp_place(&tree->null, target);
    }
    if (rc < 0)
        return sub_fail(err, -rc, json, "cannot mask '%s': %s", path, mount_error_text(-rc));
    return 0;
}

static int mask_all(struct mount_tree *tree, struct sub_err *err)
{
    struct stamp empty = {.fd = -EBADF};
    int rc = 0;

    for (size_t i = 0; i < tree->plan->masked_count && rc >= 0; i++)
        rc = mask(tree, &empty, i, err);
    sub_close(&empty.fd);
    sub_close(&tree->null.fd);
    return rc;
}

/* --- read-only ------------------------------------------------------------------------------ */

static int make_readonly(const struct mount_tree *tree, size_t index, struct sub_err *err)
{
    const char *path = tree->plan->readonly[index];
    char json[JSON_SIZE];
    OWNED_FD target = -EBADF;

    (void) snprintf(json, sizeof json, "linux.readonlyPaths[%zu]", index);

    int rc = open_path(tree, path, json, &target, err);
    if (rc <= 0)
        return rc;

    OWNED_FD clone = sys_open_tree(target, "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH);
    rc =
        clone < 0 ? clone : sys_mount_change(clone, AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0, MS_PRIVATE);
    if (rc >= 0)
        rc = sys_move_mount(clone, target);
    if (rc < 0) {
        return sub_fail(err, -rc, json, "cannot make '%s' read-only: %s", path,
                        mount_error_text(-rc));
    }
    return 0;
}

/* The mounts whose descriptors mount_all has kept, now that they are full. */
static int seal_filled(struct mount_tree *tree, struct sub_err *err)
{
    for (size_t i = 0; i < tree->plan->count; i++) {
        if (tree->fds[i] < 0)
            continue;

        int rc = sys_mount_change(tree->fds[i], 0, MOUNT_ATTR_RDONLY, 0, 0);
        if (rc < 0) {
            return sub_fail(err, -rc, tree->plan->items[i].json, "cannot make it read-only: %s",
                            sub_strerror(-rc));
        }
        sub_close(&tree->fds[i]);
    }
    return 0;
}

/* private and slave were set when the root was cloned, before it could receive anything. */
static int seal_root(const struct mount_tree *tree, struct sub_err *err)
{
    const struct plan_root *root = tree->plan_root;
    uint64_t wanted = root->propagation;
    uint64_t late = wanted == MS_SHARED || wanted == MS_UNBINDABLE ? wanted : 0;
    int rc = 0;

    if (late != 0) {
        rc = sys_mount_change(tree->root, root->propagation_recursive ? AT_RECURSIVE : 0, 0, 0,
                              late);
    }
    if (rc < 0) {
        return sub_fail(err, -rc, "linux.rootfsPropagation", "cannot set it: %s",
                        sub_strerror(-rc));
    }
    if (root->readonly)
        rc = sys_mount_change(tree->root, 0, MOUNT_ATTR_RDONLY, 0, 0);
    if (rc < 0) {
        return sub_fail(err, -rc, "root.readonly", "cannot make the root read-only: %s",
                        sub_strerror(-rc));
    }
    return 0;
}

int mount_seal(struct mount_tree *tree, struct sub_err *err)
{
    SUBLET_TRY(seal_filled(tree, err));
    SUBLET_TRY(mask_all(tree, err));
    for (size_t i = 0; i < tree->plan->readonly_count; i++)
        SUBLET_TRY(make_readonly(tree, i, err));
    SUBLET_TRY(seal_root(tree, err));
    if (tree->old_limit.rlim_max == 0)
        return 0;

    int rc = sys_setrlimit(RLIMIT_NOFILE, &tree->old_limit);
    if (rc < 0) {
        return sub_fail(err, -rc, "mounts", "cannot put the limit of open files back: %s",
                        sub_strerror(-rc));
    }
    tree->old_limit.rlim_max = 0;
    return 0;
}
