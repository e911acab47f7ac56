/* SPDX-License-Identifier: Apache-2.0 */
/* The tree as the files of this room see it, and what they lend each other. */
#ifndef SUBLET_MOUNT_TREE_H
#define SUBLET_MOUNT_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/mount.h"
#include "sublet/sys.h"

/* A folder of the host that was opened in the parent, as a detached clone of its mount. A parent
 * without privileges cannot clone; then the child does, and makes sure it is the same folder. */
struct folder {
    const char *path;
    bool follow; /* may be a symbolic link */
    int clone;   /* negative until cloned */
    struct stat looks;
};

/* A mount that is stamped onto several places. The kernel clones detached mounts only since 6.15,
 * so the first place gets the mount itself and the others get clones of the attached one. */
struct stamp {
    int fd;
    bool attached;
};

struct mount_tree {
    const struct plan_root *plan_root;
    const struct plan_mounts *plan;
    const char *cgroup_path;

    const int *idmaps; /* user namespaces of plan->idmaps */

    int root;             /* the new root; detached until mount_attach_root */
    bool at_path;         /* it hangs over its own path, else over "/" */
    bool live;            /* it is that of a running container */
    struct folder folder; /* of a plain root */
    struct folder *lowers;
    int upper_lock; /* the folder of a kept upper layer, opened and locked */
    struct folder upper;

    int dev;                 /* root of the mount at /dev */
    bool dev_is_new;         /* that mount is ours: nobody else has ever seen it */
    struct stamp null;       /* what masked files are covered with */
    struct rlimit old_limit; /* rlim_max 0: the limit of open files was not touched */

    /* One for each of plan->items: the clone of a bind source until it is placed, or the mount
     * that a remount changes; then a mount that becomes read-only in mount_seal. */
    int fds[];
};

/* --- errors --------------------------------------------------------------------------------- */

/* Fails with the path "JSON.FIELD"; what no config asked for, as "/dev", has no fields. */
#define fail_field(err, code, json, field, ...)                     \
    (sub_fail((err), (code), NULL, __VA_ARGS__),                    \
     sub_err_at((err), "%s%s%s", (json), *(json) == '/' ? "" : ".", \
                *(json) == '/' ? "" : (field)),                     \
     -(code))

/* What the kernel meant by the failure of a move_mount or an open_tree. */
const char *mount_error_text(int code);

/* --- folders and clones (source.c) ---------------------------------------------------------- */
int folder_open(struct folder *folder, bool recursive, const char *json, struct sub_err *err);
int folder_clone(struct folder *folder, bool recursive, const char *json, struct sub_err *err);
/* The folder behind its path again, -ESTALE: another one is there. */
int folder_again(const struct folder *folder, int *ret_fd);
int folder_take(struct folder *folder, int fd, bool recursive);

struct mount_attr;
/* Changes a mount, or with AT_RECURSIVE all below it too; nothing to change is no call. */
int source_change(int fd, unsigned flags, const struct mount_attr *attr);
/* What came of that, told with the path that a reader knows it by. */
int source_changed(int rc, const struct plan_mount *mount, const char *path, struct sub_err *err);
/* Attributes and propagation of a detached mount as planned. */
int source_dress(int fd, const struct plan_mount *mount, struct sub_err *err);
/* Lets a detached mount show other ids, where that is planned. */
int source_map_ids(const struct mount_tree *tree, const struct plan_mount *mount, int fd,
                   struct sub_err *err);
int source_open_cgroup(const struct mount_tree *tree, const struct plan_mount *mount, int *ret_fd,
                       struct sub_err *err);

/* --- overlay.c ------------------------------------------------------------------------------ */
int overlay_open(struct mount_tree *tree, struct sub_err *err);
/* Child: builds the overlay, detached; slash_fd is where the layers are gathered meanwhile. */
int overlay_make(struct mount_tree *tree, int slash_fd, int *ret_fd, struct sub_err *err);

/* --- places inside the root (target.c) ------------------------------------------------------ */
enum want { WANT_FOLDER, WANT_FILE };

/* A path below a base descriptor, with the words for what can go wrong there. */
struct place {
    int base;
    const char *path;
    uint64_t resolve; /* RESOLVE_* in addition to IN_ROOT */
    const char *json, *field;
};

/* Opens what is there, following links inside the root; O_PATH. */
int place_open(const struct place *place, int flags);
/* The same, made with all parents where it is missing, one component at a time. */
int place_make(const struct place *place, enum want want, int *ret_fd, struct sub_err *err);
/* The folder that holds the last component (made where missing), and that component. */
int place_make_parent(const struct place *place, int *ret_fd, const char **ret_name,
                      struct sub_err *err);
int place_fail(const struct place *place, int code, struct sub_err *err);

/* "rest" if path is "/dev/rest", "" if it is "/dev", else NULL. */
const char *path_below_dev(const char *path);

/* --- new file systems (filesystem.c) -------------------------------------------------------- */

/* Fails with the kernel's own words about it where it has some. */
int fs_fail(int fs_fd, int code, const char *json, struct sub_err *err, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
int fs_option(int fs_fd, const char *type, const struct plan_fs_option *option, const char *json,
              struct sub_err *err);
/* Attributes of a mount that nobody has seen yet. */
uint64_t new_attributes(const struct plan_mount *mount);
/* covered_fd tells the mode of a tmpfs whose options tell none; -EBADF: that of the kernel, 1777,
 * since a folder that was made for the mount says nothing about it. Fails with -EPERM and no text
 * where the caller has something else to try. */
int filesystem_make(const struct plan_mount *mount, uint64_t attributes, int covered_fd,
                    int *ret_fd, struct sub_err *err);

/* --- all.c ---------------------------------------------------------------------------------- */
int place_bind(struct mount_tree *tree, const struct plan_mount *mount, int *source_fd,
               struct sub_err *err);
int place_new(struct mount_tree *tree, const struct plan_mount *mount, int *ret_fd,
              struct sub_err *err);

/* --- remount.c ------------------------------------------------------------------------------ */
/* Gives what was mounted for an entry to those that change it later. */
int hand_to_remounts(struct mount_tree *tree, size_t index, int fd, struct sub_err *err);
int place_remount(struct mount_tree *tree, size_t index, struct sub_err *err);

/* --- copy.c --------------------------------------------------------------------------------- */
int copy_up(int from_fd, int to_fd, const char *json, struct sub_err *err);

/* --- device.c ------------------------------------------------------------------------------- */
int stamp_place(struct stamp *stamp, int target_fd);

#endif
