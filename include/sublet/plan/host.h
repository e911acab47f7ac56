/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this machine offers, as facts the planner may depend on. Read once, cheaply: a fact that
 * needs a file is read only where the spec asks for something that depends on it. Tests write
 * their own struct host, so a plan can be made for a machine that does not exist.
 */
#ifndef SUBLET_PLAN_HOST_H
#define SUBLET_PLAN_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct cg_place;
struct spec;
struct tenant;
struct sub_err;

#define HOST_KERNEL(major, minor) ((uint32_t) (major) << 16 | (uint32_t) (minor))
#define HOST_KERNEL_MIN           HOST_KERNEL(5, 14)

struct host {
    uint32_t kernel;         /* HOST_KERNEL(6, 1) */
    uint32_t cap_last;       /* highest capability number the kernel knows */
    uint64_t caps_permitted; /* of the calling process */
    uint32_t euid, egid;
    bool in_user_namespace;      /* not the initial one */
    bool rootless;               /* euid != 0, or root of a user namespace only */
    bool apparmor, selinux;      /* enabled on this host */
    bool cgroup_hybrid;          /* v2 at /sys/fs/cgroup/unified */
    const char *cgroup_mount;    /* "/sys/fs/cgroup"; NULL: no v2 hierarchy found */
    uint64_t cgroup_controllers; /* CG_* bits that the v2 root offers */
    uint64_t cgroup_v1;          /* CG_* bits bound to v1 hierarchies (hybrid only) */
    uint64_t nr_open;            /* fs.nr_open; 0 where the spec sets no RLIMIT_NOFILE */
    bool pid_namespace_is_initial;
    const struct tenant *tenant; /* whom the container belongs to if it is defined; may be NULL */
    size_t tenant_count;         /* definitions; 0: this host has no tenants */

    /* where rootless; the first also where a cgroup mount shows the host's groups */
    const char *own_cgroup;        /* the caller's group below the v2 mount; may be NULL */
    const struct cg_place *places; /* at or above it, where groups may be made; nearest first */
    size_t place_count;
    const struct host_range *own_gids; /* in a user namespace that has not all: those it has */
    size_t own_gid_count;
    bool setgroups_denied;        /* in the caller's user namespace */
    const struct host_user *user; /* NULL: the config needs no ids beyond those it names */
};

/* Ids of the host that the caller may map besides his own: by /etc/subuid, /etc/subgid, and only
 * where newuidmap(1) and newgidmap(1) are there to do it. */
struct host_range {
    uint32_t first, count;
};
struct host_ranges {
    const struct host_range *items;
    size_t count;
    bool no_helper; /* there are ranges, but nothing to map them with */
};
struct host_user {
    const char *name; /* of /etc/passwd, or the number */
    struct host_ranges uids, gids;
};

/* A host for tests and for `plan` on a machine that cannot run it: modern kernel, root. */
void host_example(struct host *ret_host);

/* Pure. A user namespace is needed whose maps the config leaves open. */
bool host_needs_user(const struct host *host, const struct spec *spec);

/* Pure. Lines "user:first:count" of /etc/subuid that are for the name or the number; what is no
 * such line is passed over, as newuidmap(1) does. NULL in *ret_items: no memory. */
void host_parse_ranges(struct arena *arena, const char *text, const char *name, uint32_t uid,
                       struct host_ranges *ret_ranges);
/* Pure. The ids inside, of a text as in /proc/self/gid_map. */
void host_parse_map(struct arena *arena, const char *map, struct host_ranges *ret_ranges);
/* Pure. The name that /etc/passwd has for uid; NULL if it has none. */
const char *host_parse_name(struct arena *arena, const char *passwd, uint32_t uid);

int host_read_user(struct arena *arena, uint32_t uid, struct host_user *ret_user,
                   struct sub_err *err);

int host_read(struct arena *arena, const struct spec *spec, struct host *ret_host,
              struct sub_err *err);
/* All but the cgroups: of a container that has one already they decide nothing any more. */
int host_read_for_exec(struct arena *arena, const struct spec *spec, struct host *ret_host,
                       struct sub_err *err);

#endif
