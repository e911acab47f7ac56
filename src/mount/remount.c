/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of what an earlier entry has mounted, in the order of the config, through the descriptor
 * of that mount: its path may lead elsewhere by now, in a root that others write to. Read-only
 * waits for mount_seal, as with a tmpfs: places and devices are still made in it. Options go to the
 * file system by fspick(2), which the plan allows only where it was made for this container.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>

#include "tree.h"

static int change_options(int mount_fd, const struct plan_mount *mount, struct sub_err *err)
{
    if (mount->option_count == 0)
        return 0;

    OWNED_FD fs = sys_fspick(mount_fd);
    if (fs < 0) {
        return sub_fail(err, -fs, mount->json, "cannot get hold of the file system at '%s': %s",
                        mount->target, sub_strerror(-fs));
    }
    for (size_t i = 0; i < mount->option_count; i++)
        SUBLET_TRY(fs_option(fs, mount->type, &mount->options[i], mount->json, err));

    int rc = sys_fsconfig_reconfigure(fs);
    return rc < 0 ? fs_fail(fs, -rc, mount->json, err, "cannot change the %s", mount->type) : 0;
}

static int change_attributes(int mount_fd, const struct plan_mount *mount, struct sub_err *err)
{
    struct mount_attr tree = {.attr_set = mount->tree_set,
                              .attr_clr = mount->tree_clear,
                              .propagation = mount->propagation_recursive ? mount->propagation : 0};
    struct mount_attr top = {.attr_set = mount->attr_set & ~(uint64_t) MOUNT_ATTR_RDONLY,
                             .attr_clr = mount->attr_clear,
                             .propagation = mount->propagation_recursive ? 0 : mount->propagation};
    int rc = source_change(mount_fd, AT_RECURSIVE, &tree);

    if (rc >= 0)
        rc = source_change(mount_fd, 0, &top);
    return source_changed(rc, mount, mount->target, err);
}

/* Entries before it would still make the mount read-only in the end; it is the last word. */
static void unseal(struct mount_tree *tree, size_t index)
{
    const struct plan_mount *items = tree->plan->items;

    for (size_t i = index; i-- > 0;) {
        if (strcmp(items[i].target, items[index].target) != 0)
            continue;
        sub_close(&tree->fds[i]);
        if (items[i].kind != PLAN_MOUNT_REMOUNT)
            return;
    }
}

int hand_to_remounts(struct mount_tree *tree, size_t index, int fd, struct sub_err *err)
{
    const struct plan_mount *items = tree->plan->items;

    if (!items[index].is_changed || fd < 0)
        return 0;
    for (size_t i = index + 1; i < tree->plan->count; i++) {
        if (strcmp(items[i].target, items[index].target) != 0)
            continue;
        if (items[i].kind != PLAN_MOUNT_REMOUNT)
            return 0;
        tree->fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (tree->fds[i] < 0) {
            int code = errno;

            return sub_fail(err, code, items[i].json, "cannot keep hold of what it changes: %s",
                            sub_strerror(code));
        }
    }
    return 0;
}

int place_remount(struct mount_tree *tree, size_t index, struct sub_err *err)
{
    const struct plan_mount *mount = &tree->plan->items[index];
    int *fd = &tree->fds[index];

    if (*fd < 0) {
        return fail_field(err, EINVAL, mount->json, "destination",
                          "there is nothing to remount: '%s' is a link that was copied",
                          mount->target);
    }
    SUBLET_TRY(change_options(*fd, mount, err));
    SUBLET_TRY(change_attributes(*fd, mount, err));
    if (((mount->attr_set | mount->attr_clear) & MOUNT_ATTR_RDONLY) != 0)
        unseal(tree, index);
    if ((mount->attr_set & MOUNT_ATTR_RDONLY) == 0)
        sub_close(fd);
    return 0;
}
