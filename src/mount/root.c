/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "tree.h"

int mount_open_root(struct mount_tree *tree, struct sub_err *err)
{
    if (tree->plan_root->lower_count > 0)
        return overlay_open(tree, err);
    return folder_open(&tree->folder, true, "root.path", err);
}

static int take_plain_root(struct mount_tree *tree, struct sub_err *err)
{
    SUBLET_TRY(folder_clone(&tree->folder, true, "root.path", err));

    /* the clone is still a member of the host's groups: a slave goes on receiving from them; a
     * shared root gets a group of its own at the end */
    uint64_t wanted = tree->plan_root->propagation == MS_SLAVE ? MS_SLAVE : MS_PRIVATE;
    int rc = sys_mount_change(tree->folder.clone, AT_RECURSIVE, 0, 0, wanted);
    if (rc < 0) {
        return sub_fail(err, -rc, "linux.rootfsPropagation", "cannot set it: %s",
                        sub_strerror(-rc));
    }
    tree->root = sub_take_fd(&tree->folder.clone);
    return 0;
}

/* The place of the new root is "/" itself. A path that starts with "/" starts below what is
 * mounted there, so names of the host stay reachable, and no folder of the host is used as a mount
 * point or looked up again. But hooks that run before the pivot look for the root at its own path,
 * and some mount into it: for them it hangs there, unless the path leads to that folder no more, or
 * the container's root has no right to reach it. */
static int hang(struct mount_tree *tree, int slash)
{
    int fresh = -EBADF;

    bool found = tree->plan_root->at_path && folder_again(&tree->folder, &fresh) >= 0;
    OWNED_FD place = fresh;
    tree->at_path = found && sys_move_mount(tree->root, place) >= 0;
    return tree->at_path ? 0 : sys_move_mount(tree->root, slash);
}

int mount_attach_root(struct mount_tree *tree, struct sub_err *err)
{
    OWNED_FD slash = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    if (slash < 0)
        return sub_fail(err, -slash, "root", "cannot open '/': %s", sub_strerror(-slash));

    int rc = sys_mount_change(slash, AT_RECURSIVE, 0, 0, MS_SLAVE);
    if (rc == -EINVAL)
        return sub_fail(err, EINVAL, "root", "the runtime's own '/' is no mount (a chroot?)");
    if (rc < 0) {
        return sub_fail(err, -rc, "root", "cannot part from the host's mounts: %s",
                        sub_strerror(-rc));
    }

    if (tree->plan_root->lower_count > 0) {
        SUBLET_TRY(overlay_make(tree, slash, &tree->root, err));
    } else {
        SUBLET_TRY(take_plain_root(tree, err));
    }

    rc = hang(tree, slash);
    if (rc < 0)
        return sub_fail(err, -rc, "root", "cannot attach the new root: %s", mount_error_text(-rc));
    return 0;
}
