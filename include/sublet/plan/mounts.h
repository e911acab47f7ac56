/* SPDX-License-Identifier: Apache-2.0 */
/* The slices of a plan that the mount room gets: the root, every mount, devices, masks. */
#ifndef SUBLET_PLAN_MOUNTS_H
#define SUBLET_PLAN_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the container finds its socket for sd_notify(3). The folder is the record's, bound there
 * read-only: a socket that is made in it later, by `start`, is seen. */
#define PLAN_NOTIFY_FOLDER "/run/sublet-notify"
#define PLAN_NOTIFY_SOCKET PLAN_NOTIFY_FOLDER "/socket"

struct plan_root {
    const char *path; /* absolute; the rootfs, or NULL with overlay */
    bool readonly;
    uint64_t propagation; /* MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE; 0: default */
    bool propagation_recursive;
    bool no_pivot;
    bool at_path; /* it hangs over its own path, where hooks before the pivot look for it */
    const char *const *lowers; /* overlay root, topmost first; NULL: a plain root */
    size_t lower_count;
    const char *upper;       /* folder of the host; NULL: a tmpfs that dies with the container */
    const char *mount_label; /* SELinux context for new file systems; NULL: none */
};

enum plan_mount_kind {
    PLAN_MOUNT_BIND,    /* clone of a path of the host (or of a socket, device, file) */
    PLAN_MOUNT_NEW,     /* a new file system instance */
    PLAN_MOUNT_CGROUP,  /* the container's own view of the v2 hierarchy */
    PLAN_MOUNT_NOTIFY,  /* a folder of the container's record: PLAN_NOTIFY_FOLDER */
    PLAN_MOUNT_REMOUNT, /* changes what an earlier one has put at the target; options go to that
                           file system, read-only is last of all */
};

/* Whose ids an id-mapped mount shows: maps as /proc/PID/uid_map takes them, or the user namespace
 * that has them already. Mounts with the same maps share one. */
struct plan_idmap {
    const char *uid_map_text, *gid_map_text;
    const char *user_namespace; /* its file; NULL: one is made for the maps */
    const char *json;           /* "mounts[3]", the first mount that needs it */
};

/* value NULL: a flag. Passed to fsconfig one by one, so nothing needs escaping. */
struct plan_fs_option {
    const char *key, *value;
};

struct plan_mount {
    enum plan_mount_kind kind;
    const char *json;   /* "mounts[3]" */
    const char *target; /* path in the container, absolute and canonical */
    const char *source; /* bind: absolute host path; else the source name */
    const char *type;   /* file system type of PLAN_MOUNT_NEW, or of the one that is changed */
    const struct plan_fs_option *options;
    size_t option_count;
    bool recursive;                /* rbind */
    uint64_t attr_set, attr_clear; /* MOUNT_ATTR_* of the mount itself */
    uint64_t tree_set, tree_clear; /* MOUNT_ATTR_* for it and everything below (rro, rnosuid...) */
    uint64_t propagation;          /* MS_PRIVATE ...; 0: private; remount: as it is */
    bool propagation_recursive;
    size_t idmap; /* 1 + index into plan_mounts.idmaps; 0: ids are shown as they are */
    bool idmap_recursive;
    bool is_changed;            /* a PLAN_MOUNT_REMOUNT behind it has the same target */
    bool copy_up;               /* tmpcopyup: the contents of the target go into the tmpfs */
    bool target_no_symlinks;    /* /proc, /sys, /dev: no component may be a symbolic link */
    bool target_nofollow;       /* dest-nofollow: a link at the end of target is mounted over */
    bool source_nofollow;       /* src-nofollow */
    bool copy_symlink;          /* copy-symlink: a source that is a link is made again as one */
    bool may_fall_back_to_bind; /* sysfs in a user namespace that does not own the network */
    bool with_cgroup_namespace; /* PLAN_MOUNT_CGROUP: a new instance shows the group as root */
};

struct plan_device {
    const char *path, *json; /* json NULL for a default device */
    uint32_t type;           /* S_IFCHR, S_IFBLK or S_IFIFO */
    uint32_t major, minor, mode, uid, gid;
};

struct plan_link {
    const char *path, *target;
};

struct plan_mounts {
    const struct plan_mount *items; /* in the order of the config; /dev first if config has none */
    size_t count;
    const struct plan_idmap *idmaps;
    size_t idmap_count;
    bool sources_by_parent; /* open bind sources before the clone (else in the child) */
    bool devices_by_bind;   /* user namespace: mknod is not permitted */
    const struct plan_device *devices;
    size_t device_count;
    const struct plan_link *links; /* /dev/fd, /dev/stdin ... /dev/ptmx */
    size_t link_count;
    const char *const *masked, *const *readonly;
    size_t masked_count, readonly_count;
    bool console; /* bind the pty over /dev/console */
};

#endif
