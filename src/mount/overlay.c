/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A root made of layers. The overlay file system wants its layers as path names, and before 6.13
 * only of attached mounts; names of the host would have to be escaped, may be too long for
 * fsconfig (255 bytes) and can be swapped between check and use. So the layers, opened once, are
 * hung into a small tmpfs under names of one or two letters, the tmpfs over "/" of the child's
 * namespace, and the overlay gets relative names. It keeps clones of its own, and the tmpfs is
 * taken away again; where the upper layer is to be thrown away, it lives in that tmpfs, which then
 * dies with the overlay.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tree.h"

#define USER_NAMESPACE_INITIAL 0xEFFFFFFDU /* inode of the initial one, fixed since Linux 3.8 */
#define NAME_SIZE              16
#define LOWERS_SIZE            256 /* of one fsconfig value */
#define LOWERS_JOINED          105 /* 62 names of one letter and 43 of two fit into it */
#define MODE_PRIVATE           0700

static bool in_user_namespace(void)
{
    struct stat found;

    return sys_fstatat(AT_FDCWD, "/proc/self/ns/user", &found, 0) >= 0 &&
           found.st_ino != USER_NAMESPACE_INITIAL;
}

/* --- parent: layers opened, upper layer made and locked ------------------------------------- */

static int fail_upper(const struct folder *upper, int code, const char *what, struct sub_err *err)
{
    return sub_fail(err, code, "--upper", "%s '%s': %s", what, upper->path, sub_strerror(code));
}

static int check_upper(struct folder *upper, int fd, struct sub_err *err)
{
    int rc = sys_fstat(fd, &upper->looks);

    if (rc < 0)
        return fail_upper(upper, -rc, "cannot stat", err);
    if (upper->looks.st_uid != geteuid() || (upper->looks.st_mode & 077) != 0) {
        return sub_fail(err, EPERM, "--upper",
                        "'%s' has the mode %04o and the owner %u: it must be the caller's with "
                        "0700, since it holds the container's set-uid files",
                        upper->path, upper->looks.st_mode & 07777U, upper->looks.st_uid);
    }

    rc = sys_lock(fd);
    if (rc == -EAGAIN)
        return sub_fail(err, EBUSY, "--upper", "'%s' is in use by another container", upper->path);
    return rc < 0 ? fail_upper(upper, -rc, "cannot lock", err) : 0;
}

/* The merged folder looks like its uppermost part, so the upper layer's root looks like the lower
 * one's; what keeps others out is the folder around it. */
static int make_part(int dir_fd, const char *name, const struct stat *looks)
{
    int rc = sys_mkdirat(dir_fd, name, looks == NULL ? MODE_PRIVATE : looks->st_mode & 07777);

    if (rc == -EEXIST) {
        OWNED_FD fd = sys_openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);

        return fd < 0 ? fd : 0;
    }
    if (rc < 0 || looks == NULL || (looks->st_uid == 0 && looks->st_gid == 0))
        return rc;
    rc = sys_fchownat(dir_fd, name, looks->st_uid, looks->st_gid);
    return rc == -EINVAL ? 0 : rc; /* an owner that our user namespace does not map */
}

static int make_parts(int dir_fd, const struct stat *looks)
{
    int rc = make_part(dir_fd, "upper", looks);

    return rc < 0 ? rc : make_part(dir_fd, "work", NULL);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* 1 if dir_fd lies in, or is, one of the lower folders; the walk up ends with its file system,
 * because mounts below a layer are not part of it. */
static int is_inside_lower(const struct mount_tree *tree, int dir_fd)
{
    struct stat at = tree->upper.looks, above;
    OWNED_FD fd = sys_openat(dir_fd, ".", O_PATH | O_DIRECTORY, 0);

    for (;;) {
        for (size_t i = 0; i < tree->plan_root->lower_count; i++) {
            if (same_file(&at, &tree->lowers[i].looks))
                return 1;
        }

        OWNED_FD up = fd < 0 ? fd : sys_openat(fd, "..", O_PATH | O_DIRECTORY, 0);
        int rc = up < 0 ? up : sys_fstat(up, &above);
        if (rc < 0)
            return rc;
        if (above.st_dev != at.st_dev || same_file(&above, &at))
            return 0;
        at = above;
        sub_close(&fd);
        fd = sub_take_fd(&up);
    }
}

static int open_upper(struct mount_tree *tree, struct sub_err *err)
{
    struct folder *upper = &tree->upper;
    int rc = sys_mkdirat(AT_FDCWD, upper->path, MODE_PRIVATE);

    if (rc < 0 && rc != -EEXIST)
        return fail_upper(upper, -rc, "cannot make", err);
    tree->upper_lock = sys_openat(AT_FDCWD, upper->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (tree->upper_lock < 0)
        return fail_upper(upper, -tree->upper_lock, "cannot open", err);
    SUBLET_TRY(check_upper(upper, tree->upper_lock, err));

    /* the kernel would take it, and show the container its own upper layer a second time */
    rc = is_inside_lower(tree, tree->upper_lock);
    if (rc < 0)
        return fail_upper(upper, -rc, "cannot look above", err);
    if (rc > 0) {
        return sub_fail(err, ELOOP, "--upper",
                        "'%s' lies inside a lower layer; it has to be elsewhere, for the lower "
                        "'/' on another file system",
                        upper->path);
    }

    rc = make_parts(tree->upper_lock, &tree->lowers[0].looks);
    if (rc < 0)
        return fail_upper(upper, -rc, "cannot make the folders 'upper' and 'work' in", err);
    rc = folder_take(upper, tree->upper_lock, false);
    if (rc < 0 && rc != -EPERM) /* a parent without privileges leaves it to the child */
        return fail_upper(upper, -rc, "cannot clone", err);
    return 0;
}

int overlay_open(struct mount_tree *tree, struct sub_err *err)
{
    for (size_t i = 0; i < tree->plan_root->lower_count; i++) {
        tree->lowers[i].follow = true;
        SUBLET_TRY(folder_open(&tree->lowers[i], false, "--overlay", err));
    }
    return tree->upper.path == NULL ? 0 : open_upper(tree, err);
}

/* --- child: the layers gathered ------------------------------------------------------------- */

static void name_lower(size_t index, char name[NAME_SIZE])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    enum { BASE = sizeof digits - 1 };
    char *at = name;

    if (index >= BASE)
        *at++ = digits[index / BASE % BASE];
    *at++ = digits[index % BASE];
    *at = '\0';
}

static int set_label(int fs_fd, const struct mount_tree *tree, const char *type,
                     struct sub_err *err)
{
    struct plan_fs_option context = {"context", tree->plan_root->mount_label};

    return context.value == NULL ? 0 : fs_option(fs_fd, type, &context, "linux.mountLabel", err);
}

static int make_stage(const struct mount_tree *tree, int *ret_fd, struct sub_err *err)
{
    static const struct plan_fs_option mode = {"mode", "0700"};
    OWNED_FD fs = sys_fsopen("tmpfs");

    if (fs < 0)
        return fs_fail(fs, -fs, "--overlay", err, "cannot make a tmpfs");
    SUBLET_TRY(fs_option(fs, "tmpfs", &mode, "--overlay", err));
    SUBLET_TRY(set_label(fs, tree, "tmpfs", err));

    int rc = sys_fsconfig_create(fs);
    int fd = rc < 0 ? rc : sys_fsmount(fs, 0);
    if (fd < 0)
        return fs_fail(fs, -fd, "--overlay", err, "cannot make a tmpfs");
    *ret_fd = fd;
    return 0;
}

static int hang(int stage, const char *name, const struct folder *folder, struct sub_err *err)
{
    int rc = sys_mkdirat(stage, name, MODE_PRIVATE);
    OWNED_FD at = rc < 0 ? rc : sys_openat(stage, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);

    rc = at < 0 ? at : sys_move_mount(folder->clone, at);
    if (rc < 0) {
        return sub_fail(err, -rc, "--overlay", "cannot take '%s' as a layer: %s", folder->path,
                        mount_error_text(-rc));
    }
    return 0;
}

static int gather(struct mount_tree *tree, int stage, struct sub_err *err)
{
    char name[NAME_SIZE];

    for (size_t i = 0; i < tree->plan_root->lower_count; i++) {
        SUBLET_TRY(folder_clone(&tree->lowers[i], false, "--overlay", err));
        name_lower(i, name);
        SUBLET_TRY(hang(stage, name, &tree->lowers[i], err));
        sub_close(&tree->lowers[i].clone);
    }
    if (tree->upper.path != NULL) {
        SUBLET_TRY(folder_clone(&tree->upper, false, "--upper", err));
        return hang(stage, "kept", &tree->upper, err);
    }

    struct stat looks = tree->lowers[0].looks;
    if (in_user_namespace()) /* the owner is a number of the host's, and has no meaning here */
        looks.st_uid = looks.st_gid = 0;

    int rc = make_parts(stage, &looks);
    if (rc < 0) {
        return sub_fail(err, -rc, "--overlay", "cannot make the upper layer: %s",
                        sub_strerror(-rc));
    }
    return 0;
}

/* --- child: the overlay --------------------------------------------------------------------- */

/* The kernel takes away what an overlay holds private only from other overlays with index=on, and
 * of a second use with index=off it just warns (row 60 of the malformed inputs asks for an error).
 * So one that cannot come to be is asked for first, with the upper layer as its own lower: EBUSY
 * says it is in use, by whatever runtime; ELOOP, that it is free. The lock keeps others of us away
 * until the real one stands. */
static int probe_upper(const struct mount_tree *tree, struct sub_err *err)
{
    static const struct plan_fs_option options[] = {
        {"lowerdir", "kept/upper"},
        {"upperdir", "kept/upper"},
        {"workdir",  "kept/work" },
        {"index",    "on"        },
    };
    OWNED_FD fs = sys_fsopen("overlay");

    if (fs < 0)
        return fs_fail(fs, -fs, "--overlay", err, "cannot make an overlay");
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        SUBLET_TRY(fs_option(fs, "overlay", &options[i], "--upper", err));

    int rc = sys_fsconfig_create(fs);
    if (rc == -EBUSY) {
        return sub_fail(err, EBUSY, "--upper", "'%s' is in use by another overlay",
                        tree->upper.path);
    }
    return 0; /* whatever else is wrong, the real one will tell */
}

static int set_lowers(int fs_fd, const struct mount_tree *tree, struct sub_err *err)
{
    char all[LOWERS_SIZE], name[NAME_SIZE];
    size_t count = tree->plan_root->lower_count, used = 0;
    struct plan_fs_option joined = {"lowerdir", all};
    struct plan_fs_option one = {"lowerdir+", name};

    for (size_t i = 0; i < count && i < LOWERS_JOINED; i++) {
        name_lower(i, name);
        used += (size_t) snprintf(all + used, sizeof all - used, "%s%s", i == 0 ? "" : ":", name);
    }
    if (count <= LOWERS_JOINED)
        return fs_option(fs_fd, "overlay", &joined, "--overlay", err);

    for (size_t i = 0; i < count; i++) { /* since Linux 6.8 */
        name_lower(i, name);
        SUBLET_TRY(fs_option(fs_fd, "overlay", &one, "--overlay", err));
    }
    return 0;
}

static int set_options(int fs_fd, const struct mount_tree *tree, struct sub_err *err)
{
    bool kept = tree->upper.path != NULL;
    /* what a container writes into its upper layer must not steer the overlay */
    const struct plan_fs_option options[] = {
        {"source",       "overlay"                    },
        {"upperdir",     kept ? "kept/upper" : "upper"},
        {"workdir",      kept ? "kept/work" : "work"  },
        {"redirect_dir", "nofollow"                   },
        {"metacopy",     "off"                        },
        {"index",        "off"                        },
        {"xino",         "off"                        },
    };
    static const struct plan_fs_option userxattr = {"userxattr", NULL};

    SUBLET_TRY(set_lowers(fs_fd, tree, err));
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        SUBLET_TRY(fs_option(fs_fd, "overlay", &options[i], "--overlay", err));
    if (in_user_namespace()) /* trusted.* attributes are out of reach there */
        SUBLET_TRY(fs_option(fs_fd, "overlay", &userxattr, "--overlay", err));
    return set_label(fs_fd, tree, "overlay", err);
}

static int build(const struct mount_tree *tree, int *ret_fd, struct sub_err *err)
{
    if (tree->upper.path != NULL)
        SUBLET_TRY(probe_upper(tree, err));

    OWNED_FD fs = sys_fsopen("overlay");
    if (fs < 0)
        return fs_fail(fs, -fs, "--overlay", err, "cannot make an overlay");
    SUBLET_TRY(set_options(fs, tree, err));

    int rc = sys_fsconfig_create(fs);
    if (rc == -EINVAL && tree->plan_root->lower_count > LOWERS_JOINED)
        return sub_fail(err, EINVAL, "--overlay",
                        "%zu layers are more than this kernel takes, before Linux 6.8 it is %d",
                        tree->plan_root->lower_count, LOWERS_JOINED);
    if (rc == -ELOOP)
        return sub_fail(err, ELOOP, "--overlay", "one layer lies inside another");
    int fd = rc < 0 ? rc : sys_fsmount(fs, 0);
    if (fd < 0)
        return fs_fail(fs, -fd, "--overlay", err, "cannot make the overlay");
    *ret_fd = fd;
    return 0;
}

int overlay_make(struct mount_tree *tree, int slash_fd, int *ret_fd, struct sub_err *err)
{
    OWNED_FD before = sys_openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0);
    OWNED_FD stage = -EBADF, overlay = -EBADF;
    SUBLET_TRY(make_stage(tree, &stage, err));

    int rc = before < 0 ? before : sys_move_mount(stage, slash_fd);
    if (rc >= 0)
        rc = sys_fchdir(stage);
    if (rc < 0) {
        return sub_fail(err, -rc, "--overlay", "cannot gather the layers: %s",
                        mount_error_text(-rc));
    }
    SUBLET_TRY(gather(tree, stage, err));
    SUBLET_TRY(build(tree, &overlay, err));

    /* gone before the new root comes to the same place: pivot_root takes away one mount there */
    rc = sys_umount(".", MNT_DETACH);
    if (rc >= 0)
        rc = sys_fchdir(before);
    if (rc < 0) {
        return sub_fail(err, -rc, "--overlay", "cannot let go of the layers: %s",
                        sub_strerror(-rc));
    }
    *ret_fd = sub_take_fd(&overlay);
    return 0;
}
