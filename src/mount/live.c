/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts that are added to a running container, and removed from it. The caller has entered the
 * container's mount namespace; its processes are at work meanwhile and may be hostile. So a place
 * is resolved once, inside the root, and everything else goes by descriptor, as at the start. The
 * one call that takes no descriptor is umount: it gets "self/fd/N" below a procfs of the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/mount.h>

#include "tree.h"

int mount_live_enter(struct mount_tree *tree, struct sub_err *err)
{
    int root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);

    if (root < 0)
        return sub_fail(err, -root, NULL, "cannot open the root of the container: %s",
                        sub_strerror(-root));
    sub_close(&tree->root);
    tree->root = root;
    tree->live = true;
    return 0;
}

/* Where proc_fd/self/fd/N leads. Something that was mounted over it meanwhile would go instead: it
 * is the container's own. */
static int detach(int proc_fd, int mount_fd)
{
    char path[64];
    int rc = sys_fchdir(proc_fd);

    (void) snprintf(path, sizeof path, "self/fd/%d", mount_fd);
    return rc < 0 ? rc : sys_umount(path, MNT_DETACH);
}

static int add_one(struct mount_tree *tree, size_t index, struct sub_err *err)
{
    const struct plan_mount *mount = &tree->plan->items[index];
    int *fd = &tree->fds[index];

    return *fd >= 0 ? place_bind(tree, mount, fd, err) : place_new(tree, mount, fd, err);
}

void mount_live_undo(struct mount_tree *tree, int proc_fd, size_t count)
{
    while (count-- > 0) {
        if (tree->fds[count] >= 0)
            (void) detach(proc_fd, tree->fds[count]); /* gone already: that was the aim */
    }
}

int mount_live_add(struct mount_tree *tree, int proc_fd, uint64_t *ret_ids, struct sub_err *err)
{
    for (size_t i = 0; i < tree->plan->count; i++) {
        const struct plan_mount *mount = &tree->plan->items[i];
        int rc = add_one(tree, i, err);

        if (rc >= 0) {
            rc = sys_mount_id(tree->fds[i], "", &ret_ids[i]);
            if (rc < 0) {
                (void) sub_fail(err, -rc, mount->json, "cannot tell its mount id: %s",
                                sub_strerror(-rc));
                mount_live_undo(tree, proc_fd, i + 1);
                return rc;
            }
            continue;
        }
        mount_live_undo(tree, proc_fd, i);
        return rc;
    }
    return 0;
}

static int fail_other(const char *destination, const char *json, struct sub_err *err)
{
    return sub_fail(err, EBUSY, json,
                    "what is mounted at '%s' now is not what was added there: it was unmounted, or "
                    "covered, from inside",
                    destination);
}

int mount_live_find(const struct mount_tree *tree, const struct mount_added *added, int *ret_fd,
                    struct sub_err *err)
{
    struct place place = {.base = tree->root,
                          .path = added->destination,
                          .json = added->json,
                          .field = "destination"};
    OWNED_FD fd = place_open(&place, 0);
    uint64_t id = 0;

    if (fd < 0)
        return place_fail(&place, -fd, err);
    if (sys_mount_id(fd, "", &id) < 0 || id != added->id)
        return fail_other(added->destination, added->json, err);
    *ret_fd = sub_take_fd(&fd);
    return 0;
}

int mount_live_remove(int proc_fd, const struct mount_added *added, int fd, struct sub_err *err)
{
    int rc = detach(proc_fd, fd);

    if (rc == -EINVAL) /* a link leads into it, not to it */
        return fail_other(added->destination, added->json, err);
    if (rc < 0)
        return sub_fail(err, -rc, added->json, "cannot unmount '%s': %s", added->destination,
                        sub_strerror(-rc));
    return 0;
}
