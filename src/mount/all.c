/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <string.h>

#include "tree.h"

/* --- the target ----------------------------------------------------------------------------- */

static bool is_folder(int fd)
{
    struct stat found;

    return sys_fstat(fd, &found) >= 0 && S_ISDIR(found.st_mode);
}

/* Only the plan may name places in /proc, and it has an allow-list. A link of the image that leads
 * there would get around it and cover what label writers and the process itself rely on
 * (CVE-2019-16884). */
static int refuse_procfs(const struct plan_mount *mount, int target_fd, struct sub_err *err)
{
    const char *path = mount->target + strspn(mount->target, "/");

    if (strncmp(path, "proc", 4) == 0 && (path[4] == '/' || path[4] == '\0'))
        return 0;
    if (sys_fs_type(target_fd) != PROC_SUPER_MAGIC)
        return 0;
    return fail_field(err, EPERM, mount->json, "destination",
                      "'%s' leads into a procfs through a symbolic link", mount->target);
}

/* Over the root of what runs: nothing of it would be in sight any more. */
static int refuse_root(const struct mount_tree *tree, const struct plan_mount *mount, int target_fd,
                       struct sub_err *err)
{
    uint64_t root_id = 0, id = 1;
    struct stat root, target;

    if (sys_mount_id(tree->root, "", &root_id) < 0 || sys_mount_id(target_fd, "", &id) < 0 ||
        sys_fstat(tree->root, &root) < 0 || sys_fstat(target_fd, &target) < 0)
        return fail_field(err, EIO, mount->json, "destination", "cannot look at '%s'",
                          mount->target);
    if (id != root_id || root.st_ino != target.st_ino || root.st_dev != target.st_dev)
        return 0;
    return fail_field(err, EPERM, mount->json, "destination",
                      "'%s' leads to the root of the container", mount->target);
}

/* A new folder in a /dev that was just made is the rule in every bundle: one call instead of the
 * walk. Anything in its way is left to the walk. */
static int make_in_dev(const struct mount_tree *tree, const char *path)
{
    const char *name = path_below_dev(path);

    if (!tree->dev_is_new || name == NULL || name[0] == '\0' || strchr(name, '/') != NULL ||
        sys_mkdirat(tree->dev, name, 0755) < 0)
        return -EBADF;
    return sys_open_in(tree->dev, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
}

static int find_target(const struct mount_tree *tree, const struct plan_mount *mount, int source_fd,
                       int *ret_fd, bool *ret_made, struct sub_err *err)
{
    bool folder = mount->kind != PLAN_MOUNT_BIND;
    struct place place = {.base = tree->root,
                          .path = mount->target,
                          .resolve = mount->target_no_symlinks ? RESOLVE_NO_SYMLINKS : 0,
                          .json = mount->json,
                          .field = "destination"};
    OWNED_FD fd = folder ? make_in_dev(tree, mount->target) : -EBADF;

    if (fd >= 0) {
        *ret_fd = sub_take_fd(&fd);
        *ret_made = true;
        return 0;
    }
    fd = place_open(&place, (folder ? O_DIRECTORY : 0) | (mount->target_nofollow ? O_NOFOLLOW : 0));
    if (fd < 0 && fd != -ENOENT)
        return place_fail(&place, -fd, err);
    bool missing = fd < 0;
    if (missing) {
        enum want want = folder || is_folder(source_fd) ? WANT_FOLDER : WANT_FILE;

        SUBLET_TRY(place_make(&place, want, &fd, err));
    }
    if (!mount->target_no_symlinks)
        SUBLET_TRY(refuse_procfs(mount, fd, err));
    if (tree->live)
        SUBLET_TRY(refuse_root(tree, mount, fd, err));
    *ret_fd = sub_take_fd(&fd);
    *ret_made = missing;
    return 0;
}

static int attach(const struct plan_mount *mount, int fd, int target_fd, struct sub_err *err)
{
    int rc = sys_move_mount(fd, target_fd);
    if (rc >= 0)
        return 0;

    bool source_is = is_folder(fd), target_is = is_folder(target_fd);
    if (source_is != target_is) {
        return sub_fail(err, -rc, mount->json, "source is a %s but the target '%s' is a %s",
                        source_is ? "directory" : "file", mount->target,
                        target_is ? "directory" : "file");
    }
    return sub_fail(err, -rc, mount->json, "cannot attach it to '%s': %s", mount->target,
                    mount_error_text(-rc));
}

/* --- the kinds ------------------------------------------------------------------------------ */

static int copy_link(const struct mount_tree *tree, const struct plan_mount *mount, int source_fd,
                     struct sub_err *err)
{
    struct place place = {
        .base = tree->root, .path = mount->target, .json = mount->json, .field = "destination"};
    char text[4096], found[4096];
    const char *name;
    OWNED_FD parent = -EBADF;
    ssize_t length = sys_readlinkat(source_fd, "", text, sizeof text);

    if (length < 0) {
        return fail_field(err, (int) -length, mount->json, "source",
                          "cannot read the link '%s': %s", mount->source,
                          sub_strerror((int) -length));
    }
    SUBLET_TRY(place_make_parent(&place, &parent, &name, err));

    int rc = sys_symlinkat(text, parent, name);
    if (rc == -EEXIST && sys_readlinkat(parent, name, found, sizeof found) >= 0 &&
        strcmp(text, found) == 0)
        return 0;
    if (rc < 0) {
        return fail_field(err, -rc, mount->json, "destination",
                          "cannot make '%s' a link to '%s': %s", mount->target, text,
                          sub_strerror(-rc));
    }
    return 0;
}

int place_bind(struct mount_tree *tree, const struct plan_mount *mount, int *source_fd,
               struct sub_err *err)
{
    OWNED_FD target = -EBADF;
    struct stat found;
    bool made = false;

    if (mount->copy_symlink && sys_fstat(*source_fd, &found) >= 0 && S_ISLNK(found.st_mode)) {
        SUBLET_TRY(copy_link(tree, mount, *source_fd, err));
        sub_close(source_fd);
        return 0;
    }
    SUBLET_TRY(find_target(tree, mount, *source_fd, &target, &made, err));
    return attach(mount, *source_fd, target, err);
}

/* A clone of the host's instance in the place of a new one. A mount below it that stayed writable
 * would be a way out (CVE-2023-25809), so what is asked for the top holds for all of it. */
static int fall_back(const struct mount_tree *tree, const struct plan_mount *mount, int *ret_fd,
                     struct sub_err *err)
{
    struct plan_mount bind = *mount;

    bind.kind = PLAN_MOUNT_BIND;
    bind.recursive = true;
    bind.tree_set = new_attributes(mount);
    bind.tree_clear = bind.attr_set = bind.attr_clear = 0;
    if (mount->kind == PLAN_MOUNT_CGROUP)
        return source_open_cgroup(tree, &bind, ret_fd, err);

    bind.source = "/sys";
    OWNED_FD fd = sys_open_tree(AT_FDCWD, bind.source, OPEN_TREE_CLONE | AT_RECURSIVE);
    if (fd < 0) {
        return sub_fail(err, -fd, mount->json, "neither a new sysfs nor the host's: %s",
                        mount_error_text(-fd));
    }
    SUBLET_TRY(source_dress(fd, &bind, err));
    *ret_fd = sub_take_fd(&fd);
    return 0;
}

/* A tmpfs is filled (mount points, devices) before it becomes read-only; nobody but us can reach
 * it until then. */
static bool seals_later(const struct mount_tree *tree, const struct plan_mount *mount)
{
    return !tree->live && mount->kind == PLAN_MOUNT_NEW && strcmp(mount->type, "tmpfs") == 0 &&
           (new_attributes(mount) & MOUNT_ATTR_RDONLY) != 0;
}

int place_new(struct mount_tree *tree, const struct plan_mount *mount, int *ret_fd,
              struct sub_err *err)
{
    uint64_t attributes = new_attributes(mount);
    OWNED_FD target = -EBADF, fd = -EBADF;
    bool made = false;
    SUBLET_TRY(find_target(tree, mount, -EBADF, &target, &made, err));

    if (seals_later(tree, mount))
        attributes &= ~(uint64_t) MOUNT_ATTR_RDONLY;
    int rc = filesystem_make(mount, attributes, made ? -EBADF : target, &fd, err);
    if (rc == -EPERM && (mount->may_fall_back_to_bind || mount->kind == PLAN_MOUNT_CGROUP)) {
        sub_err_clear(err);
        rc = fall_back(tree, mount, &fd, err);
    }
    if (rc < 0)
        return rc;
    SUBLET_TRY(source_map_ids(tree, mount, fd, err));
    if (mount->copy_up && !made)
        SUBLET_TRY(copy_up(target, fd, mount->json, err));
    SUBLET_TRY(attach(mount, fd, target, err));
    *ret_fd = sub_take_fd(&fd);
    return 0;
}

/* --- the order ------------------------------------------------------------------------------ */

/* What becomes of the mount's descriptor: /dev is filled through it, a tmpfs sealed through it. */
static int keep_or_close(struct mount_tree *tree, const struct plan_mount *mount, int *fd)
{
    const char *below_dev = path_below_dev(mount->target);

    if (*fd >= 0 && below_dev != NULL && below_dev[0] == '\0') {
        int dev = seals_later(tree, mount) ? sys_open_in(*fd, ".", O_PATH | O_DIRECTORY, 0)
                                           : sub_take_fd(fd);

        if (dev < 0)
            return dev;
        sub_close(&tree->dev);
        tree->dev = dev;
        tree->dev_is_new = mount->kind == PLAN_MOUNT_NEW && strcmp(mount->type, "tmpfs") == 0;
    }
    if (!seals_later(tree, mount))
        sub_close(fd);
    return 0;
}

int mount_all(struct mount_tree *tree, struct sub_err *err)
{
    for (size_t i = 0; i < tree->plan->count; i++) {
        const struct plan_mount *mount = &tree->plan->items[i];
        int *fd = &tree->fds[i];

        if (mount->kind == PLAN_MOUNT_REMOUNT) {
            SUBLET_TRY(place_remount(tree, i, err));
            continue;
        }
        assert(*fd >= 0 || mount->kind != PLAN_MOUNT_BIND); /* mount_open_sources comes first */
        int rc = *fd >= 0 ? place_bind(tree, mount, fd, err) : place_new(tree, mount, fd, err);

        if (rc < 0)
            return rc;
        SUBLET_TRY(hand_to_remounts(tree, i, *fd, err));
        rc = keep_or_close(tree, mount, fd);
        if (rc < 0) {
            return sub_fail(err, -rc, mount->json, "cannot open the mounted '%s': %s",
                            mount->target, sub_strerror(-rc));
        }
    }
    return 0;
}
