/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in /dev. Nodes are made on the descriptor of the mount at /dev, by name and without
 * following anything: a /dev, a device or a console that the image made a link leads nowhere
 * (CVE-2026-41579, CVE-2026-47766, CVE-2025-52565, CVE-2026-88264).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "sublet/base/path.h"

#include "tree.h"

#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST  143

static const char *json_of(const struct plan_device *device)
{
    return device->json != NULL ? device->json : device->path;
}

static char type_letter(const struct plan_device *device)
{
    if (device->type == S_IFIFO)
        return 'p';
    return device->type == S_IFBLK ? 'b' : 'c';
}

static bool is_device(const struct plan_device *device, const struct stat *found)
{
    return (found->st_mode & S_IFMT) == device->type &&
           (device->type == S_IFIFO || found->st_rdev == makedev(device->major, device->minor));
}

static int fail_other(const struct plan_device *device, const char *whose, struct sub_err *err)
{
    return fail_field(err, EEXIST, json_of(device), "path",
                      "%s'%s' exists and is not the device %c %u:%u", whose, device->path,
                      type_letter(device), device->major, device->minor);
}

/* --- by bind: user namespaces may not make nodes -------------------------------------------- */

/* The host's node, opened without its driver noticing, and proved to be the right one. */
static int clone_host_node(const struct plan_device *device, uint64_t attributes, int *ret_fd,
                           struct sub_err *err)
{
    OWNED_FD fd = sys_open_tree(AT_FDCWD, device->path, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
    struct stat found;
    int rc = fd < 0 ? fd : sys_fstat(fd, &found);

    if (rc < 0) {
        return fail_field(err, -rc, json_of(device), "path", "cannot open the host's '%s': %s",
                          device->path, mount_error_text(-rc));
    }
    if (!is_device(device, &found))
        return fail_other(device, "the host's ", err);

    rc = sys_mount_change(fd, 0, attributes, 0, MS_PRIVATE);
    if (rc < 0) {
        return sub_fail(err, -rc, json_of(device), "cannot set the options of '%s': %s",
                        device->path, sub_strerror(-rc));
    }
    *ret_fd = sub_take_fd(&fd);
    return 0;
}

/* A file to hang something over. 1: made or there; 0: the device itself is there already. */
static int make_anchor(int parent, const char *name, const struct plan_device *device)
{
    struct stat found;
    int rc = sys_mknodat(parent, name, S_IFREG | 0644, 0);

    if (rc != -EEXIST)
        return rc < 0 ? rc : 1;
    rc = sys_fstatat(parent, name, &found, AT_SYMLINK_NOFOLLOW);
    if (rc < 0)
        return rc;
    if (is_device(device, &found))
        return 0;
    return S_ISREG(found.st_mode) ? 1 : -EEXIST;
}

static int bind_device(int parent, const char *name, const struct plan_device *device,
                       struct sub_err *err)
{
    int rc = make_anchor(parent, name, device);

    if (rc == -EEXIST)
        return fail_other(device, "", err);
    if (rc < 0) {
        return fail_field(err, -rc, json_of(device), "path", "cannot make '%s': %s", device->path,
                          sub_strerror(-rc));
    }
    if (rc == 0)
        return 0;

    OWNED_FD node = -EBADF;
    SUBLET_TRY(clone_host_node(device, 0, &node, err));

    OWNED_FD anchor = sys_open_in(parent, name, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
    rc = anchor < 0 ? anchor : sys_move_mount(node, anchor);
    if (rc < 0) {
        return fail_field(err, -rc, json_of(device), "path",
                          "cannot attach the host's device to '%s': %s", device->path,
                          mount_error_text(-rc));
    }
    return 0;
}

/* --- by mknod ------------------------------------------------------------------------------- */

static int make_node(int parent, const char *name, const struct plan_device *device,
                     struct sub_err *err)
{
    struct stat found;
    int rc = sys_mknodat(parent, name, device->type | device->mode,
                         makedev(device->major, device->minor));

    if (rc >= 0 && (device->uid != 0 || device->gid != 0))
        rc = sys_fchownat(parent, name, device->uid, device->gid);
    /* a runtime inside a container that may not make nodes still has some to lend */
    if (rc == -EPERM && device->type != S_IFIFO)
        return bind_device(parent, name, device, err);
    if (rc == -EEXIST) {
        rc = sys_fstatat(parent, name, &found, AT_SYMLINK_NOFOLLOW);
        if (rc >= 0 && !is_device(device, &found))
            return fail_other(device, "", err);
    }
    if (rc < 0) {
        return fail_field(err, -rc, json_of(device), "path", "cannot make '%s': %s", device->path,
                          sub_strerror(-rc));
    }
    return 0;
}

/* --- where ---------------------------------------------------------------------------------- */

/* The folder of something to make, and its name there. */
struct spot {
    int parent, owned; /* owned: parent, where it is not the tree's /dev */
    const char *name;
};

static void spot_done(struct spot *spot)
{
    sub_close(&spot->owned);
}
#define OWNED_SPOT __attribute__((cleanup(spot_done))) struct spot

/* /dev itself costs no system call, anything else is walked to. Below /dev no links are followed,
 * elsewhere they are, inside the root. */
static int find_spot(const struct mount_tree *tree, const char *path, const char *json,
                     struct spot *spot, struct sub_err *err)
{
    const char *below_dev = path_below_dev(path);
    struct place place = {.base = below_dev != NULL ? tree->dev : tree->root,
                          .path = below_dev != NULL ? below_dev : path,
                          .resolve = below_dev != NULL ? RESOLVE_NO_SYMLINKS : 0,
                          .json = json,
                          .field = "path"};

    if (below_dev != NULL && path_is_component(below_dev)) {
        spot->parent = tree->dev;
        spot->name = below_dev;
        return 0;
    }
    SUBLET_TRY(place_make_parent(&place, &spot->owned, &spot->name, err));
    spot->parent = spot->owned;
    return 0;
}

static int make_device(const struct mount_tree *tree, const struct plan_device *device,
                       struct sub_err *err)
{
    OWNED_SPOT spot = {.owned = -EBADF};
    SUBLET_TRY(find_spot(tree, device->path, json_of(device), &spot, err));

    if (tree->plan->devices_by_bind && device->type != S_IFIFO)
        return bind_device(spot.parent, spot.name, device, err);
    return make_node(spot.parent, spot.name, device, err);
}

static int make_link(const struct mount_tree *tree, const struct plan_link *link,
                     struct sub_err *err)
{
    OWNED_SPOT spot = {.owned = -EBADF};
    SUBLET_TRY(find_spot(tree, link->path, link->path, &spot, err));

    int rc = sys_symlinkat(link->target, spot.parent, spot.name);
    if (rc < 0 && rc != -EEXIST) /* a /dev that came with the bundle has its own */
        return sub_fail(err, -rc, link->path, "cannot make the link: %s", sub_strerror(-rc));
    return 0;
}

/* --- /dev as a whole ------------------------------------------------------------------------ */

static int open_dev(struct mount_tree *tree, struct sub_err *err)
{
    if (tree->dev >= 0)
        return 0;

    int fd = sys_open_in(tree->root, "dev", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
    if (fd == -ENOENT && tree->plan->device_count + tree->plan->link_count == 0)
        return 0;
    if (fd < 0) {
        return sub_fail(err, -fd, "/dev", "must be a folder of the container and no link: %s",
                        sub_strerror(-fd));
    }
    tree->dev = fd;
    return 0;
}

/* What masked files are covered with: the null device of a /dev that only we have touched, else
 * the host's, read-only so that a container cannot change its mode. Never one of the image
 * (CVE-2025-31133). */
static int open_null(struct mount_tree *tree, struct sub_err *err)
{
    static const struct plan_device null = {
        .path = "/dev/null", .type = S_IFCHR, .major = 1, .minor = 3};
    struct stat found;

    if (tree->plan->masked_count == 0)
        return 0;
    if (tree->dev_is_new && !tree->plan->devices_by_bind) {
        OWNED_FD fd = sys_open_in(tree->dev, "null", O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);

        if (fd >= 0 && sys_fstat(fd, &found) >= 0 && is_device(&null, &found)) {
            tree->null = (struct stamp){.fd = sub_take_fd(&fd), .attached = true};
            return 0;
        }
    }
    return clone_host_node(&null, MOUNT_ATTR_RDONLY, &tree->null.fd, err);
}

int mount_devices(struct mount_tree *tree, struct sub_err *err)
{
    SUBLET_TRY(open_dev(tree, err));
    for (size_t i = 0; i < tree->plan->device_count; i++)
        SUBLET_TRY(make_device(tree, &tree->plan->devices[i], err));
    for (size_t i = 0; i < tree->plan->link_count; i++)
        SUBLET_TRY(make_link(tree, &tree->plan->links[i], err));
    return open_null(tree, err);
}

/* --- the console ---------------------------------------------------------------------------- */

static int open_console(int dev_fd, int *ret_fd)
{
    int rc = sys_mknodat(dev_fd, "console", S_IFREG | 0600, 0);
    if (rc < 0 && rc != -EEXIST)
        return rc;

    OWNED_FD fd = sys_open_in(dev_fd, "console", O_PATH | O_NOFOLLOW, 0);
    struct stat found;
    rc = fd < 0 ? fd : sys_fstat(fd, &found);
    if (rc < 0)
        return rc;
    if (!S_ISREG(found.st_mode) && !S_ISCHR(found.st_mode))
        return -EEXIST;
    *ret_fd = sub_take_fd(&fd);
    return 0;
}

int mount_console(struct mount_tree *tree, int slave_fd, struct sub_err *err)
{
    OWNED_FD target = -EBADF;
    struct stat found;
    int rc = sys_fstat(slave_fd, &found);

    if (rc < 0 || !S_ISCHR(found.st_mode) || major(found.st_rdev) < PTS_MAJOR_FIRST ||
        major(found.st_rdev) > PTS_MAJOR_LAST)
        return sub_fail(err, ENOTTY, "process.terminal", "the terminal is not a pty");
    SUBLET_TRY(open_dev(tree, err));
    rc = open_console(tree->dev, &target);
    if (rc == -EEXIST)
        return sub_fail(err, EEXIST, "/dev/console", "exists and is neither a file nor a device");

    OWNED_FD clone = sys_open_tree(slave_fd, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
    if (rc >= 0)
        rc = clone < 0 ? clone : sys_mount_change(clone, 0, 0, 0, MS_PRIVATE);
    if (rc >= 0)
        rc = sys_move_mount(clone, target);
    if (rc < 0) {
        return sub_fail(err, -rc, "/dev/console", "cannot hang the terminal over it: %s",
                        mount_error_text(-rc));
    }
    return 0;
}
