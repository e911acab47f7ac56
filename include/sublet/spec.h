/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json of runtime-spec 1.3 for Linux as plain structures, and the rules that it alone
 * decides. Vocabulary (capabilities, seccomp actions, mount options) stays text here: the planner
 * turns words into kernel numbers. This room knows nothing of the host and of the command line.
 *
 * Everything is owned by the arena given to the loader. A list is {items, count}. Absent strings
 * and objects are NULL; an optional number, or a list whose absence differs from emptiness, has a
 * bit in `has`. JSON null counts as absent. Mandatory fields are there after a successful load.
 */
#ifndef SUBLET_SPEC_H
#define SUBLET_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sublet/spec/linux.h"

struct arena;
struct buf;
struct findings;
struct sub_err;

#define SPEC_FILE              "config.json"
#define SPEC_MAX_BYTES         ((size_t) 16 << 20)
#define SPEC_MOUNTS_MAX        4096
#define SPEC_ENV_MAX           32768
#define SPEC_SECCOMP_RULES_MAX 65536
#define SPEC_ID_MAPPINGS_MAX   340   /* what the kernel takes in one uid_map */
#define SPEC_GROUPS_MAX        65536 /* NGROUPS_MAX */
#define SPEC_HOSTNAME_MAX      64    /* __NEW_UTS_LEN */
#define SPEC_NODES_MAX         1024  /* MAX_NUMNODES where it is greatest */
#define SPEC_SYSCTL_VALUE_MAX  4095  /* one write to a sysctl file */

enum spec_process_bits {
    SPEC_PROCESS_OOM_SCORE_ADJ = 1u << 0,
    SPEC_PROCESS_ENV = 1u << 1,
    SPEC_PROCESS_USER = 1u << 2,
};

enum spec_user_bits {
    SPEC_USER_UMASK = 1u << 0,
};

struct spec_user {
    uint64_t has;
    uint32_t uid, gid, umask;
    struct spec_u32s additional_gids;
};

struct spec_console_size {
    uint64_t height_rows, width_columns;
};

/* A set that is absent grants nothing, as one that is empty. */
struct spec_capabilities {
    struct spec_strings bounding, effective, inheritable, permitted, ambient;
};

struct spec_rlimit {
    const char *type; /* "RLIMIT_NOFILE" */
    uint64_t soft, hard;
};

struct spec_rlimits {
    const struct spec_rlimit *items;
    size_t count;
};

enum spec_scheduler_bits {
    SPEC_SCHEDULER_NICE = 1u << 0,
    SPEC_SCHEDULER_PRIORITY = 1u << 1,
    SPEC_SCHEDULER_RUNTIME = 1u << 2,
    SPEC_SCHEDULER_DEADLINE = 1u << 3,
    SPEC_SCHEDULER_PERIOD = 1u << 4,
};

struct spec_scheduler {
    uint64_t has;
    const char *policy; /* "SCHED_OTHER" */
    int32_t nice, priority;
    struct spec_strings flags; /* "SCHED_FLAG_RESET_ON_FORK" */
    uint64_t runtime_ns, deadline_ns, period_ns;
};

enum spec_io_priority_bits { SPEC_IO_PRIORITY_PRIORITY = 1u << 0 };

struct spec_io_priority {
    uint64_t has;
    const char *class; /* "IOPRIO_CLASS_BE" */
    int32_t priority;
};

struct spec_exec_cpu_affinity {
    const char *initial, *final; /* CPU lists, "0-3,7" */
};

struct spec_process {
    uint64_t has;
    bool terminal, no_new_privileges;
    int32_t oom_score_adj;
    const char *cwd;
    struct spec_strings args, env;
    struct spec_user user; /* 0:0 where the file has no process.user */
    const struct spec_console_size *console_size;
    const struct spec_capabilities *capabilities; /* NULL: the spec asks for nothing */
    struct spec_rlimits rlimits;
    const char *apparmor_profile, *selinux_label;
    const struct spec_scheduler *scheduler;
    const struct spec_io_priority *io_priority;
    const struct spec_exec_cpu_affinity *exec_cpu_affinity;
};

struct spec_root {
    const char *path;
    bool readonly;
};

struct spec_mount {
    const char *destination;
    const char *source, *type;
    struct spec_strings options;
    struct spec_id_mappings uid_mappings, gid_mappings;
};

struct spec_mounts {
    const struct spec_mount *items;
    size_t count;
};

enum spec_hook_bits {
    SPEC_HOOK_TIMEOUT = 1u << 0,
    SPEC_HOOK_ARGS = 1u << 1,
    SPEC_HOOK_ENV = 1u << 2, /* absent: the runtime's own environment */
};

struct spec_hook {
    uint64_t has;
    const char *path;
    struct spec_strings args, env;
    int64_t timeout_s;
};

struct spec_hook_list {
    const struct spec_hook *items;
    size_t count;
};

struct spec_hooks {
    struct spec_hook_list prestart, create_runtime, create_container, start_container, poststart,
        poststop;
};

struct spec {
    const char *oci_version;
    const struct spec_root *root;
    const struct spec_process *process; /* NULL in a file that spec_check refuses */
    const char *hostname, *domainname;
    struct spec_mounts mounts;
    const struct spec_hooks *hooks;
    struct spec_pairs annotations;   /* in the order of the file */
    const struct spec_linux *linux_; /* gcc predefines the plain word */
};

/* Reads bundle_fd/file (NULL: config.json), a regular file of at most SPEC_MAX_BYTES, and parses
 * it. Does not run spec_check. */
int spec_load(struct arena *arena, int bundle_fd, const char *file, struct findings *findings,
              const struct spec **ret_spec, struct sub_err *err);

/* Syntax, types and mandatory fields. Every wrong field becomes an error of findings (which may be
 * NULL), the first one err; their path is "config.json:120:18: linux.resources.memory.limit".
 * name is what the file is called in errors. text ends with a NUL behind its size. */
int spec_parse(struct arena *arena, const char *name, const char *text, size_t size,
               struct findings *findings, struct spec **ret_spec, struct sub_err *err);

/* A bare process object (exec --process) and a bare resources object (update --resources). */
int spec_parse_process(struct arena *arena, const char *name, const char *text, size_t size,
                       struct findings *findings, struct spec_process **ret_process,
                       struct sub_err *err);
int spec_parse_resources(struct arena *arena, const char *name, const char *text, size_t size,
                         struct findings *findings, struct spec_resources **ret_resources,
                         struct sub_err *err);

/* A bare array of mounts (mounts add). text ends with a NUL. */
int spec_parse_mounts(struct arena *arena, const char *name, const char *text,
                      struct findings *findings, struct spec_mounts *ret_mounts,
                      struct sub_err *err);

/* All rules that need neither host nor options, each broken one as an error with its JSON path
 * ("mounts[3].options[1]"). 0, or -EINVAL when findings holds an error. */
int spec_check(const struct spec *spec, struct findings *findings);
int spec_check_mounts(const struct spec *spec, struct findings *findings);
int spec_check_process(const struct spec_process *process, struct findings *findings);
/* Of a config that was checked before: its process, which is another one now, and its ids. */
int spec_check_exec(const struct spec *spec, struct findings *findings);
int spec_check_resources(const struct spec_resources *resources, struct findings *findings);
int spec_check_intel_rdt(const struct spec_intel_rdt *rdt, struct findings *findings);

/* What the process object given to exec leaves open is as the container's own process has it:
 * environment, user, capabilities, labels, limits, oomScoreAdj, scheduling. Not noNewPrivileges:
 * engines leave out a false one. */
void spec_process_inherit(struct spec_process *process, const struct spec_process *own);

/* Indented JSON of config.json, without a newline at its end; 0 or -errno. */
int spec_encode(const struct spec *spec, struct buf *buf);
int spec_encode_process(const struct spec_process *process, struct buf *buf);
int spec_encode_resources(const struct spec_resources *resources, struct buf *buf);

/* Rows of a resources object, for the record that keeps one. */
struct json_shape;
extern const struct json_shape spec_resources_shape;

/* The config that `sublet spec` writes. */
int spec_default(struct arena *arena, bool rootless, struct spec **ret_spec);

/* The namespace entry of that type ("mount", "user"), NULL if the spec has none. */
const struct spec_namespace *spec_namespace(const struct spec *spec, const char *type);

/* "0-3,7" as bits, strictly: numbers and rising ranges, no blanks. False, and nothing written,
 * where the text is anything else. */
bool spec_parse_nodes(const char *list, uint64_t ret_bits[SPEC_NODES_MAX / 64]);

/* The file below /proc/sys of a sysctl key in either spelling ("net.ipv4.ip_forward"), 0 or
 * -EINVAL. Its components are plain names, so it stays below the folder it starts in. */
int spec_sysctl_path(const char *key, char *path, size_t size);

#endif
