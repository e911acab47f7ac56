/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "tree.h"

/* "/.." is looked up through whatever is mounted over the root, "/" is not: both being the new
 * root proves that it is the root and that nothing of the host is left on top of it. */
static int check_root(const struct mount_tree *tree, struct sub_err *err)
{
    uint64_t ours = 0, slash = 0, top = 0;
    int rc = sys_mount_id(tree->root, "", &ours);

    if (rc >= 0)
        rc = sys_mount_id(AT_FDCWD, "/", &slash);
    if (rc >= 0)
        rc = sys_mount_id(AT_FDCWD, "/..", &top);
    if (rc < 0)
        return sub_fail(err, -rc, "root", "cannot look at the new root: %s", sub_strerror(-rc));
    if (slash != ours || top != ours)
        return sub_fail(err, EXDEV, "root",
                        "the new root is covered, by the host's tree or by a mount whose "
                        "destination leads to '/'");
    return 0;
}

static int move_to_slash(const struct mount_tree *tree, struct sub_err *err)
{
    OWNED_FD slash = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    int rc = slash < 0 ? slash : sys_move_mount(tree->root, slash);

    if (rc < 0)
        return sub_fail(err, -rc, "root", "cannot move the root: %s", sub_strerror(-rc));
    return 0;
}

/* The new root has to hang over "/", from where it is moved if hooks wanted it elsewhere. What
 * would still show is the host's procfs and sysfs: a user namespace inside the container could
 * mount new ones only as long as it sees whole ones, and these would count. */
static int change_root(const struct mount_tree *tree, struct sub_err *err)
{
    if (tree->at_path)
        SUBLET_TRY(move_to_slash(tree, err));
    (void) sys_umount("/proc", MNT_DETACH); /* not mounted, or locked: nothing to hide or to do */
    (void) sys_umount("/sys", MNT_DETACH);

    int rc = sys_fchdir(tree->root);
    if (rc >= 0)
        rc = sys_chroot_here();
    if (rc < 0)
        return sub_fail(err, -rc, "root", "cannot change the root: %s", sub_strerror(-rc));
    return 0;
}

int mount_pivot(struct mount_tree *tree, struct sub_err *err)
{
    if (tree->plan_root->no_pivot) {
        SUBLET_TRY(change_root(tree, err));
        return check_root(tree, err);
    }

    int rc = sys_fchdir(tree->root);
    if (rc >= 0)
        rc = sys_pivot_root_here();
    if (rc == -EINVAL) {
        return sub_fail(err, EINVAL, "root",
                        "pivot_root: the host's own root cannot be moved (an initramfs?): see "
                        "--no-pivot");
    }
    if (rc < 0)
        return sub_fail(err, -rc, "root", "pivot_root: %s", sub_strerror(-rc));

    rc = sys_umount(".", MNT_DETACH); /* the old root, which pivot_root has put over the new one */
    if (rc < 0) {
        return sub_fail(err, -rc, "root", "cannot let go of the host's tree: %s",
                        sub_strerror(-rc));
    }
    return check_root(tree, err);
}
