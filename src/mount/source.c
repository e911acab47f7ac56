/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>

#include "tree.h"

#define FILES_SPARE 256 /* descriptors for everything that is not a source */

static int fail_clone(const char *path, int code, bool recursive, const char *json,
                      const char *field, struct sub_err *err)
{
    if (code == EINVAL && !recursive) {
        return fail_field(err, code, json, field,
                          "cannot clone '%s': it has mounts below it that this user namespace may "
                          "not uncover (rbind takes them along), or it is unbindable",
                          path);
    }
    return fail_field(err, code, json, field, "cannot open '%s': %s", path, mount_error_text(code));
}

/* --- folders -------------------------------------------------------------------------------- */

static int folder_reach(const struct folder *folder, int *ret_fd, struct stat *ret_stat,
                        const char *json, struct sub_err *err)
{
    int nofollow = folder->follow ? 0 : O_NOFOLLOW;
    OWNED_FD fd = sys_openat(AT_FDCWD, folder->path, O_PATH | O_DIRECTORY | nofollow, 0);

    if (fd == -ENOTDIR) {
        return sub_fail(err, ENOTDIR, json, "'%s' is not a folder%s", folder->path,
                        folder->follow ? "" : " (a symbolic link is not followed here)");
    }
    if (fd < 0)
        return sub_fail(err, -fd, json, "cannot open '%s': %s", folder->path, sub_strerror(-fd));

    int rc = sys_fstat(fd, ret_stat);
    if (rc < 0)
        return sub_fail(err, -rc, json, "cannot stat '%s': %s", folder->path, sub_strerror(-rc));
    *ret_fd = sub_take_fd(&fd);
    return 0;
}

static bool is_same(const struct folder *folder, const struct stat *found)
{
    return found->st_dev == folder->looks.st_dev && found->st_ino == folder->looks.st_ino;
}

int folder_again(const struct folder *folder, int *ret_fd)
{
    OWNED_FD fd = -EBADF;
    struct stat found = {.st_ino = 0};
    SUBLET_TRY(folder_reach(folder, &fd, &found, "", NULL));

    if (!is_same(folder, &found))
        return -ESTALE;
    *ret_fd = sub_take_fd(&fd);
    return 0;
}

int folder_take(struct folder *folder, int fd, bool recursive)
{
    int clone = sys_open_tree(
        fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | (recursive ? (unsigned) AT_RECURSIVE : 0U));

    if (clone >= 0)
        folder->clone = clone;
    return clone;
}

int folder_open(struct folder *folder, bool recursive, const char *json, struct sub_err *err)
{
    OWNED_FD fd = -EBADF;
    SUBLET_TRY(folder_reach(folder, &fd, &folder->looks, json, err));

    int rc = folder_take(folder, fd, recursive);
    if (rc < 0 && rc != -EPERM) { /* a parent without privileges leaves it to the child */
        return sub_fail(err, -rc, json, "cannot clone '%s': %s", folder->path,
                        mount_error_text(-rc));
    }
    return 0;
}

int folder_clone(struct folder *folder, bool recursive, const char *json, struct sub_err *err)
{
    if (folder->clone >= 0)
        return 0;

    OWNED_FD fd = -EBADF;
    struct stat found = {.st_ino = 0};
    SUBLET_TRY(folder_reach(folder, &fd, &found, json, err));

    if (!is_same(folder, &found)) {
        return sub_fail(err, ESTALE, json, "'%s' was replaced by another folder meanwhile",
                        folder->path);
    }

    int rc = folder_take(folder, fd, recursive);
    if (rc == -EINVAL && !recursive) {
        return sub_fail(err, EINVAL, json,
                        "'%s' has mounts below it, which a user namespace may not uncover",
                        folder->path);
    }
    if (rc < 0) {
        return sub_fail(err, -rc, json, "cannot clone '%s': %s", folder->path,
                        mount_error_text(-rc));
    }
    return 0;
}

/* --- attributes ----------------------------------------------------------------------------- */

/* A clone keeps the propagation of its origin, so it is always set. What the words do not say
 * about the mounts below follows the top: they may receive (slave) where it may, they stay in
 * their groups where it is shared, and are private otherwise. */
static uint64_t tree_propagation(const struct plan_mount *mount)
{
    if (mount->propagation_recursive || mount->propagation == MS_SLAVE)
        return mount->propagation;
    return mount->propagation == MS_SHARED ? 0 : MS_PRIVATE;
}

int source_change(int fd, unsigned flags, const struct mount_attr *attr)
{
    if ((attr->attr_set | attr->attr_clr | attr->propagation) == 0)
        return 0;

    int rc = sys_mount_change(fd, flags, attr->attr_set, attr->attr_clr, attr->propagation);
    if (rc != -EPERM || (attr->attr_clr & MOUNT_ATTR__ATIME) == 0)
        return rc;
    /* in a user namespace the atime setting of the host's mounts is locked, and it guards
     * nothing; the other bits do, so they stay errors */
    return sys_mount_change(fd, flags, attr->attr_set & ~(uint64_t) MOUNT_ATTR__ATIME,
                            attr->attr_clr & ~(uint64_t) MOUNT_ATTR__ATIME, attr->propagation);
}

/* What both do to one mount, the top's words being the later ones. */
static struct mount_attr merge(const struct mount_attr *tree, const struct mount_attr *top)
{
    return (struct mount_attr){
        .attr_set = (tree->attr_set & ~top->attr_clr) | top->attr_set,
        .attr_clr = tree->attr_clr | top->attr_clr,
        .propagation = top->propagation != 0 ? top->propagation : tree->propagation,
    };
}

int source_changed(int rc, const struct plan_mount *mount, const char *path, struct sub_err *err)
{
    if (rc == -EPERM) {
        return sub_fail(err, EPERM, mount->json,
                        "the options lift a restriction (ro, nosuid, nodev, noexec) that the "
                        "host has put on '%s'",
                        path);
    }
    if (rc < 0) {
        return sub_fail(err, -rc, mount->json, "cannot set the options of '%s': %s", path,
                        sub_strerror(-rc));
    }
    return 0;
}

int source_dress(int fd, const struct plan_mount *mount, struct sub_err *err)
{
    struct mount_attr tree = {.attr_set = mount->tree_set,
                              .attr_clr = mount->tree_clear,
                              .propagation = tree_propagation(mount)};
    struct mount_attr top = {.attr_set = mount->attr_set,
                             .attr_clr = mount->attr_clear,
                             .propagation = mount->propagation_recursive ? 0 : mount->propagation};
    int rc = 0;

    if (mount->recursive) {
        rc = source_change(fd, AT_RECURSIVE, &tree);
    } else {
        top = merge(&tree, &top);
    }
    if (rc >= 0)
        rc = source_change(fd, 0, &top);
    return source_changed(rc, mount, mount->source, err);
}

/* --- ids ------------------------------------------------------------------------------------ */

int source_map_ids(const struct mount_tree *tree, const struct plan_mount *mount, int fd,
                   struct sub_err *err)
{
    const char *what = mount->kind == PLAN_MOUNT_BIND ? mount->source : mount->type;

    if (mount->idmap == 0)
        return 0;

    unsigned flags = mount->idmap_recursive ? (unsigned) AT_RECURSIVE : 0U;
    int rc = sys_mount_map_ids(fd, flags, tree->idmaps[mount->idmap - 1]);
    if (rc == -EINVAL) {
        return sub_fail(err, EINVAL, mount->json,
                        "the file system of '%s'%s does not take an id mapping (a newer kernel "
                        "may)",
                        what, mount->idmap_recursive ? ", or one mounted below it," : "");
    }
    if (rc == -EPERM) {
        return sub_fail(err, EPERM, mount->json,
                        "the id mapping is refused: '%s'%s is id-mapped already, or its file "
                        "system was mounted in another user namespace",
                        what, mount->idmap_recursive ? " or a mount below it" : "");
    }
    if (rc < 0) {
        return sub_fail(err, -rc, mount->json, "cannot map the ids of '%s': %s", what,
                        sub_strerror(-rc));
    }
    return 0;
}

/* --- sources -------------------------------------------------------------------------------- */

static int open_link(const struct plan_mount *mount, int *ret_fd)
{
    OWNED_FD fd = sys_openat(AT_FDCWD, mount->source, O_PATH | O_NOFOLLOW, 0);
    struct stat found;
    int rc = fd < 0 ? fd : sys_fstat(fd, &found);

    if (rc < 0)
        return rc;
    if (!S_ISLNK(found.st_mode))
        return 0;
    *ret_fd = sub_take_fd(&fd);
    return 1;
}

static int open_bind(const struct mount_tree *tree, const struct plan_mount *mount, int *ret_fd,
                     struct sub_err *err)
{
    unsigned flags = OPEN_TREE_CLONE;
    int is_link = mount->copy_symlink ? open_link(mount, ret_fd) : 0;

    if (is_link < 0)
        return fail_clone(mount->source, -is_link, true, mount->json, "source", err);
    if (is_link > 0) /* the link itself is kept; mount_all makes it again */
        return 0;

    if (mount->recursive)
        flags |= AT_RECURSIVE;
    if (mount->source_nofollow || mount->copy_symlink)
        flags |= AT_SYMLINK_NOFOLLOW;
    OWNED_FD fd = sys_open_tree(AT_FDCWD, mount->source, flags);
    if (fd < 0)
        return fail_clone(mount->source, -fd, mount->recursive, mount->json, "source", err);
    SUBLET_TRY(source_dress(fd, mount, err));
    SUBLET_TRY(source_map_ids(tree, mount, fd, err));
    *ret_fd = sub_take_fd(&fd);
    return 0;
}

int source_open_cgroup(const struct mount_tree *tree, const struct plan_mount *mount, int *ret_fd,
                       struct sub_err *err)
{
    struct plan_mount bind = *mount;

    bind.source = tree->cgroup_path;
    bind.recursive = bind.source_nofollow = true;
    if (bind.source == NULL) {
        return sub_fail(err, EINVAL, mount->json,
                        "a cgroup mount needs a cgroup namespace or a cgroup of the container");
    }
    return open_bind(tree, &bind, ret_fd, err);
}

/* Every source is open before the first target is touched, so there are as many descriptors. */
static int allow_open_files(struct mount_tree *tree, struct sub_err *err)
{
    struct rlimit limit;
    rlim_t wanted = tree->plan->count + FILES_SPARE;

    if (tree->plan->count < FILES_SPARE)
        return 0;

    int rc = sys_getrlimit(RLIMIT_NOFILE, &limit);
    if (rc < 0) {
        return sub_fail(err, -rc, "mounts", "cannot read the limit of open files: %s",
                        sub_strerror(-rc));
    }
    if (limit.rlim_cur >= wanted || limit.rlim_max < wanted)
        return 0; /* too low a ceiling tells itself at the source that does not fit */

    struct rlimit raised = {.rlim_cur = wanted, .rlim_max = limit.rlim_max};
    rc = sys_setrlimit(RLIMIT_NOFILE, &raised);
    if (rc < 0) {
        return sub_fail(err, -rc, "mounts", "cannot raise the limit of open files to %llu: %s",
                        (unsigned long long) wanted, sub_strerror(-rc));
    }
    tree->old_limit = limit;
    return 0;
}

int mount_open_sources(struct mount_tree *tree, struct sub_err *err)
{
    SUBLET_TRY(allow_open_files(tree, err));
    for (size_t i = 0; i < tree->plan->count; i++) {
        const struct plan_mount *mount = &tree->plan->items[i];

        if (mount->kind == PLAN_MOUNT_BIND)
            SUBLET_TRY(open_bind(tree, mount, &tree->fds[i], err));
    }
    return 0;
}

int mount_open_group(struct mount_tree *tree, struct sub_err *err)
{
    for (size_t i = 0; i < tree->plan->count; i++) {
        const struct plan_mount *mount = &tree->plan->items[i];
        bool is_bind = mount->kind == PLAN_MOUNT_CGROUP && !mount->with_cgroup_namespace;

        if (is_bind && tree->fds[i] < 0)
            SUBLET_TRY(source_open_cgroup(tree, mount, &tree->fds[i], err));
    }
    return 0;
}

int mount_open_notify(struct mount_tree *tree, int dir_fd, const char *path, struct sub_err *err)
{
    for (size_t i = 0; i < tree->plan->count; i++) {
        const struct plan_mount *mount = &tree->plan->items[i];

        if (mount->kind != PLAN_MOUNT_NOTIFY || tree->fds[i] >= 0)
            continue;
        OWNED_FD fd = sys_open_tree(dir_fd, path, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
        int rc = fd < 0 ? fd : sys_mount_change(fd, 0, mount->attr_set, 0, MS_PRIVATE);

        if (fd == -EPERM && dir_fd != AT_FDCWD)
            return 0;
        if (rc < 0) {
            return sub_fail(err, -rc, mount->json, "cannot hand the folder '%s' in: %s", path,
                            mount_error_text(-rc));
        }
        tree->fds[i] = sub_take_fd(&fd);
    }
    return 0;
}
