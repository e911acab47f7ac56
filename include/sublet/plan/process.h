/* SPDX-License-Identifier: Apache-2.0 */
/* The slices of a plan about the process itself: ids, capabilities, limits, seccomp, labels. */
#ifndef SUBLET_PLAN_PROCESS_H
#define SUBLET_PLAN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plan_caps {
    uint64_t bounding, effective, inheritable, permitted, ambient; /* bit n: capability n */
    uint32_t last;                                                 /* highest one of this kernel */
};

struct plan_rlimit {
    int resource;
    uint64_t soft, hard;
    const char *json;
};

/* x32 has no AUDIT_ARCH of its own: libseccomp's token for it. For the rest they are the same. */
#define PLAN_SECCOMP_ARCH_X32 0x4000003eu

enum plan_seccomp_operator {
    PLAN_CMP_NE,
    PLAN_CMP_LT,
    PLAN_CMP_LE,
    PLAN_CMP_EQ,
    PLAN_CMP_GE,
    PLAN_CMP_GT,
    PLAN_CMP_MASKED_EQ,
};

struct plan_seccomp_arg {
    uint32_t index;
    enum plan_seccomp_operator op;
    uint64_t value, value_two;
};

struct plan_seccomp_rule {
    const char *json;
    const char *const *names;
    size_t name_count;
    uint32_t action; /* SECCOMP_RET_* with its data (errno) */
    const struct plan_seccomp_arg *args;
    size_t arg_count;
};

struct plan_seccomp {
    uint32_t default_action; /* SECCOMP_RET_* with its data */
    const uint32_t *archs;   /* AUDIT_ARCH_*; the native one is always added */
    size_t arch_count;
    uint32_t flags; /* SECCOMP_FILTER_FLAG_* */
    const struct plan_seccomp_rule *rules;
    size_t rule_count;
    const char *listener_path, *listener_metadata; /* NULL: no agent */
};

/* Arguments of sched_setattr(2). */
struct plan_scheduler {
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

/* A mask of CPUs as sched_setaffinity(2) takes it; words NULL: leave. */
struct plan_cpus {
    const uint64_t *words;
    size_t word_count;
};

struct plan_process {
    char *const *args, *const *env; /* NULL-terminated */
    const char *cwd;
    bool set_home; /* env has no HOME: take it from the container's passwd */
    bool terminal;
    uint16_t rows, columns; /* 0: leave */
    uint32_t uid, gid, umask;
    const uint32_t *groups;
    size_t group_count;
    bool keep_groups; /* setgroups is denied, or run.oci.keep_original_groups */
    struct plan_caps caps;
    const struct plan_rlimit *rlimits;
    size_t rlimit_count;
    bool no_new_privileges;
    bool has_oom_score_adj;
    int32_t oom_score_adj;
    const char *apparmor, *selinux; /* NULL: none */
    const struct plan_scheduler *scheduler;
    bool has_io_priority;
    int32_t io_priority; /* ioprio_set(2) encoding */
    bool has_personality;
    uint64_t personality;
    const struct plan_seccomp *seccomp; /* NULL: none */
    const char *keyring;                /* name of the session keyring; NULL: --no-new-keyring */
    const char *console_socket;         /* NULL: none */
    uint32_t preserve_fds;              /* descriptors from 3 on that the process keeps */
    uint32_t listen_fds;                /* how many of them the caller's $LISTEN_FDS asks for */
    const char *notify_socket;          /* the host's; NULL: none */
    struct plan_cpus initial_cpus, final_cpus; /* exec alone: before and in the group */
};

#endif
