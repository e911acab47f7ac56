/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every decision about one container, taken before anything is touched. plan_make computes; the
 * doers get slices of what is declared here and never see spec or options. The plan knows kernel
 * numbers, final texts and orders; it holds no fd and makes no system call. Immutable once made.
 *
 * All memory belongs to the arena given to plan_make. `json` members name the place in config.json
 * ("mounts[3]") for error messages.
 */
#ifndef SUBLET_PLAN_H
#define SUBLET_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/plan/host.h"
#include "sublet/plan/machine.h"
#include "sublet/plan/mounts.h"
#include "sublet/plan/options.h"
#include "sublet/plan/process.h"

struct arena;
struct buf;
struct cg_property;
struct cg_row;
struct findings;
struct spec;
struct sub_err;

#define PLAN_JOINS_MAX 8

/* One namespace to enter by path; kind is its CLONE_NEW* bit. */
struct plan_join {
    uint64_t kind;
    const char *path, *json;
};

struct plan_ns {
    uint64_t create;                        /* CLONE_NEW* bits of new namespaces */
    struct plan_join joins[PLAN_JOINS_MAX]; /* in the order of entering: user first */
    size_t join_count;
    bool new_user, join_user;
    const char *uid_map_text, *gid_map_text; /* exactly what /proc/PID/uid_map takes; NULL: none */
    const char *const *uid_map_args,
        *const *gid_map_args; /* for newuidmap: "0","1000","1",.. NULL-ended */
    bool deny_setgroups;
    const char *timens_text;               /* lines for /proc/self/timens_offsets; NULL: none */
    const char *hostname, *domainname;     /* NULL: leave */
    uint32_t root_uid_host, root_gid_host; /* container root as the host sees it */
};

enum plan_cgroup_manager { PLAN_CGROUPFS, PLAN_CGROUP_SYSTEMD, PLAN_CGROUP_DISABLED };

struct plan_cgroup {
    enum plan_cgroup_manager manager;
    const char *path;  /* below the v2 mount, no leading slash; NULL when disabled */
    const char *shown; /* without a path: the caller's group on the host, for cgroup mounts */
    /* systemd: path and scope_path are below the manager's own group, "" or "user.slice/..." */
    const char *unit, *slice;             /* "docker-abc.scope", "system.slice" */
    const char *scope_path;               /* path itself, or the group above it */
    bool user_manager;                    /* a user's session manager, not the host's */
    const struct cg_property *properties; /* of the scope */
    size_t property_count;
    const char *json;          /* "linux.cgroupsPath" */
    uint64_t controllers;      /* CG_* bits that rows need enabled for the group */
    const struct cg_row *rows; /* limits in the order of writing, `unified` last */
    size_t row_count;
    const void *device_rules; /* struct cg_device_rule[], see cgroups.h; NULL: no program */
    size_t device_rule_count;
    const char *tenant;        /* NULL: none */
    const char *tenant_group;  /* of the tenant's own group, as path */
    const char *tenant_origin; /* of its definition */
    const char *tenant_json, *tenants_dir;
    bool tenant_named;     /* asked for, not `default` for want of a name */
    bool tenant_outside;   /* path does not lie in tenant_group: no contract holds */
    bool delegate;         /* give the group to a user (config-linux.md, "Cgroup ownership") */
    uint32_t delegate_uid; /* the host's id of process.user.uid; the group id stays */
};

struct plan_hook {
    const char *path, *json;
    char *const *args; /* NULL-terminated; args[0] is path where the spec gives none */
    char *const *env;  /* NULL-terminated; NULL: the runtime's own (never inside) */
    int64_t timeout_s; /* 0: none */
};

enum plan_hook_kind {
    PLAN_HOOK_PRESTART,
    PLAN_HOOK_CREATE_RUNTIME,
    PLAN_HOOK_CREATE_CONTAINER,
    PLAN_HOOK_START_CONTAINER,
    PLAN_HOOK_POSTSTART,
    PLAN_HOOK_POSTSTOP,
    PLAN_HOOK_KINDS,
};

struct plan_hooks {
    const struct plan_hook *items;
    size_t count;
};

struct plan_pair {
    const char *key, *value;
};

struct plan {
    const char *id, *bundle; /* bundle: absolute */
    const char *oci_version;
    struct plan_ns ns;
    struct plan_root root;
    struct plan_mounts mounts;
    struct plan_process process;
    struct plan_cgroup cgroup;
    const struct plan_memory_policy *memory_policy; /* NULL: the caller's */
    const struct plan_resctrl *resctrl;             /* NULL: none */
    struct plan_net_devices net_devices;
    struct plan_hooks hooks[PLAN_HOOK_KINDS];
    const struct plan_pair *annotations;
    size_t annotation_count;
    const struct plan_pair *sysctls; /* key: path below /proc/sys ("net/ipv4/ip_forward") */
    size_t sysctl_count;
};

/* To be called before spec_check, with what host_read found for this spec: fills in what a config
 * may leave to the runtime where the caller is not root (user namespace, id maps). 1: *spec is a
 * changed copy; 0: as it was; -ENOMEM. */
int plan_complete(struct arena *arena, const struct spec **spec, const struct host *host,
                  struct findings *findings);

/* Decides everything. All errors (at most FINDINGS_MAX kept) and all warnings go to findings;
 * returns 0, or -EINVAL with the first error in err, or -ENOMEM. Makes no system call. */
int plan_make(struct arena *arena, const struct options *options, const struct spec *spec,
              const struct host *host, struct findings *findings, const struct plan **ret_plan,
              struct sub_err *err);

/* exec: the same for one more process in a container that is there already. spec->process is the
 * one to run; of the plan only ns and process are filled. */
int plan_make_exec(struct arena *arena, const struct options *options, const struct spec *spec,
                   const struct host *host, struct findings *findings, const struct plan **ret_plan,
                   struct sub_err *err);

/* mounts add: spec->mounts are to come into a container that is there; of the plan only ns, root
 * and mounts are filled. */
int plan_make_mounts(struct arena *arena, const struct options *options, const struct spec *spec,
                     const struct host *host, struct findings *findings,
                     const struct plan **ret_plan, struct sub_err *err);

/* The plan for people (text) and for programs (json); golden tests compare the text. */
int plan_show_text(const struct plan *plan, struct buf *buf);
int plan_show_json(const struct plan *plan, struct buf *buf);

/* Which tenant the container names, by option, annotation or path; NULL: none. *ret_where: what
 * errors call it. Whoever reads the host looks it up (struct host, tenant). */
const char *plan_tenant_name(struct arena *arena, const struct options *options,
                             const struct spec *spec, const char **ret_where);

/* The hooks of a config alone, for start and delete, which have no plan. */
int plan_make_hooks(struct arena *arena, const struct spec *spec,
                    struct plan_hooks ret_hooks[PLAN_HOOK_KINDS]);

/* Vocabularies that `features` tells and tests walk: every name the planner accepts. */
struct words;
extern const struct words plan_capabilities;      /* "CAP_CHOWN" -> bit number */
extern const struct words plan_namespaces;        /* "pid" -> CLONE_NEWPID */
extern const struct words plan_rlimits;           /* "RLIMIT_AS" -> RLIMIT_AS */
extern const struct words plan_seccomp_actions;   /* "SCMP_ACT_ERRNO" -> SECCOMP_RET_ERRNO */
extern const struct words plan_seccomp_operators; /* "SCMP_CMP_NE" -> enum plan_seccomp_operator */
extern const struct words plan_seccomp_archs;     /* "SCMP_ARCH_X86_64" -> AUDIT_ARCH_* */
extern const struct words plan_seccomp_flags;     /* "SECCOMP_FILTER_FLAG_LOG" -> bit */
extern const struct words plan_memory_modes;      /* "MPOL_BIND" -> MPOL_BIND */
extern const struct words plan_memory_flags;      /* "MPOL_F_STATIC_NODES" -> bit */
size_t plan_mount_word_count(void);
const char *plan_mount_word(size_t index); /* sorted */

#endif
