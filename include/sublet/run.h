/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of a container's life. A start is one array of steps (src/run/steps.c), which gives
 * the order, the names in messages and the way back; the other verbs need nothing but the record
 * on disk. This room knows the order of things and who has to be told; it decides nothing that a
 * plan could decide, and prints nothing.
 */
#ifndef SUBLET_RUN_H
#define SUBLET_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sublet/base/err.h"

struct arena;
struct buf;
struct findings;
struct plan;
struct spec;
struct plan_update;
struct spec_resources;

/* The host's ledger. A container starts and ends without it all the same: what could not be written
 * is told here. */
struct run_ledger {
    const char *folder; /* nothing is written where it does not exist */
    struct sub_err failure;
};

struct cgroup_sample;

/* The final account of a container that ran in the foreground. */
struct run_final {
    struct cgroup_sample *sample; /* the caller's memory */
    bool counted;                 /* it is filled: the container had a group, and nobody else
                                     removed it */
    uint64_t life_us;
    const char *created, *tenant, *cgroup_path; /* NULL: none */
    bool tenant_outside;
};

struct run_request {
    struct arena *arena;
    const struct plan *plan;
    const char *state_root;  /* absolute */
    const char *config_text; /* saved for start, delete and exec: later changes do not matter */
    size_t config_size;
    const char *pid_file;      /* NULL: none */
    const char *pidfd_socket;  /* NULL: none */
    bool detach, keep;         /* run: do not wait; leave the stopped container */
    struct run_ledger *ledger; /* NULL: none */
    struct run_final *final;   /* run, not detached: NULL if nobody asks */
};

/* Everything up to the process that waits for run_start. On failure nothing is left behind. */
int run_create(const struct run_request *request, struct sub_err *err);

/* create and start in one. Without detach: waits, relays signals and the terminal, deletes.
 * *ret_status is an exit status as shells know it (128+n for a signal); warn tells
 * of a poststop hook that failed, as with run_delete. */
int run_run(const struct run_request *request, int *ret_status, struct sub_err *warn,
            struct sub_err *err);

struct findings;
struct spec_mounts;

/* Mounts for a running container; relative sources begin at folder. */
struct run_mounts {
    const struct spec_mounts *mounts;
    const char *folder;
};

/* A container by its record. */
struct run_target {
    struct arena *arena;
    const char *state_root, *id;
    struct run_ledger *ledger; /* start, delete: NULL if there is none */
};

/* notify_socket: $NOTIFY_SOCKET of the caller, or NULL. If somebody listens there, and create knew
 * of one too, this returns when the container has said READY, or has ended. */
int run_start(const struct run_target *target, const char *notify_socket, struct sub_err *err);

/* All of them, or none. */
int run_mounts_add(const struct run_target *target, const struct run_mounts *mounts,
                   struct findings *findings, struct sub_err *err);
/* By their destinations, and only what was added by the above. */
int run_mounts_remove(const struct run_target *target, const struct spec_mounts *mounts,
                      struct sub_err *err);

/* all: every process of the container's group, not only the first one. */
int run_kill(const struct run_target *target, int signal, bool all, struct sub_err *err);

/* force: kills what lives; a container that does not exist is no error then. Warnings (a poststop
 * hook that failed) go to warn, which may be NULL. */
int run_delete(const struct run_target *target, bool force, struct sub_err *warn,
               struct sub_err *err);

/* Freezes all processes of a created or running container; -ETIMEDOUT, and thawed again, if one
 * does not freeze. */
int run_pause(const struct run_target *target, struct sub_err *err);
int run_resume(const struct run_target *target, struct sub_err *err);

/* Every process of the container's group and of the groups below it; at least one, or -ESRCH. */
int run_pids(const struct run_target *target, pid_t **ret_pids, size_t *ret_count,
             struct sub_err *err);

/* What the host's ps(1) with these arguments (ends with NULL; empty: -ef) tells of them, header
 * line first. */
int run_ps(const struct run_target *target, char *const *args, struct buf *ret_table,
           struct sub_err *err);

/* What one more process in a container is planned from: the config that create has saved. */
struct run_config {
    const struct spec *spec;
    const char *tenant; /* whose contract holds for it; NULL: nobody's */
    bool keyring;       /* its processes have a session keyring of the container */
    const struct state_record *record;
    int root_fd, dir_fd; /* its state, so that run_exec means this container and no later one */
};
void run_config_done(struct run_config *config);
#define RUN_CONFIG_NONE  ((struct run_config){.root_fd = -EBADF, .dir_fd = -EBADF})
#define OWNED_RUN_CONFIG __attribute__((cleanup(run_config_done))) struct run_config
/* First of all takes over the caller's descriptors: none of ours may get a number that he means. */
int run_config(const struct run_target *target, uint32_t preserve_fds,
               struct run_config *ret_config, struct sub_err *err);

struct run_exec_request {
    struct arena *arena;
    const struct plan *plan; /* of plan_make_exec */
    const char *state_root, *id;
    struct run_config *config;           /* its folders are taken over */
    const char *pid_file, *pidfd_socket; /* NULL: none */
    const char *cgroup;                  /* below the container's own; NULL: the one of its init */
    bool detach, ignore_paused;
};

/* Runs one more process in a container. detach: returns as soon as the program is executed; else
 * waits, relays signals and the terminal; *ret_status as with run_run. */
int run_exec(const struct run_exec_request *request, int *ret_status, struct sub_err *err);

struct run_changes {
    const struct spec_resources *resources;
    const struct spec_intel_rdt *rdt; /* NULL: its cache class stays as it is */
    bool dry_run;                     /* only say what would be done */
};

/* Changes the limits that are given, all of them or none, and keeps the whole in the record.
 * Warnings and all errors go to findings. */
int run_update(const struct run_target *target, const struct run_changes *changes,
               struct findings *findings, struct plan_update *ret_update, struct sub_err *err);

enum run_status { RUN_CREATING, RUN_CREATED, RUN_RUNNING, RUN_PAUSED, RUN_STOPPED };
const char *run_status_name(enum run_status status); /* as the specification spells them */

struct run_info {
    const char *id, *oci_version, *bundle, *rootfs, *created;
    enum run_status status;
    pid_t pid;           /* 0 when stopped */
    const char *tenant;  /* NULL: none */
    bool tenant_outside; /* it lies elsewhere: no contract holds */
    uint32_t owner_uid;
    const char *systemd_unit; /* the container's scope; NULL: systemd did not make its group */
    const struct run_pair *annotations;
    size_t annotation_count;
    const struct spec_resources *resources;      /* since an update; NULL: those of config.json */
    const char *l3_cache_schema, *mem_bw_schema; /* the same */
    bool corrupt; /* list only: the record makes no sense; the rest is empty */
};

struct run_pair {
    const char *key, *value;
};

/* Takes no lock and does not wait. */
int run_info(const struct run_target *target, struct run_info *ret_info, struct sub_err *err);

/* All containers of the state root, sorted by ID. A missing root is an empty list. */
int run_list(struct arena *arena, const char *state_root, struct run_info **ret_infos,
             size_t *ret_count, struct sub_err *err);

/* ---- counters (sublet/cgroups/reader.h) ---- */

struct run_stats {
    struct run_info info;
    const char *cgroup_path; /* below the v2 mount; NULL: it has none */
    bool counted; /* the sample holds its counters; else the group is gone, or never was */
};

/* Everything the kernel counted for the container's group, which outlives its processes until
 * delete. The sample is the caller's. */
int run_stats(const struct run_target *target, struct cgroup_sample *ret_sample,
              struct run_stats *ret_stats, struct sub_err *err);

struct run_watch {
    uint64_t interval_us; /* between samples; the first one is taken at once */
    int reader_fd;        /* the watch ends when nobody reads it any more; -EBADF: none */
    void *context;
    /* Negative ends the watch with that. */
    int (*sampled)(void *context, const struct cgroup_sample *sample, struct sub_err *err);
    int (*oom_killed)(void *context, struct sub_err *err); /* once for each process */
};

/* Until the process of a created or running container ends. The kernel wakes it, it never looks. */
int run_watch(const struct run_target *target, const struct run_watch *watch, struct sub_err *err);

/* The state object of the specification (config.md, "State"), as `state` prints it and hooks read
 * it on standard input. indent_spaces 0: one line. */
int run_state_json(const struct run_info *info, unsigned indent_spaces, struct buf *buf);

#endif
