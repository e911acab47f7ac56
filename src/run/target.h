/* SPDX-License-Identifier: Apache-2.0 */
/* An existing container, opened by its record: what start, kill and delete work on. */
#ifndef SUBLET_RUN_TARGET_H
#define SUBLET_RUN_TARGET_H

#include <errno.h>

#include "sublet/run.h"
#include "sublet/state.h"

struct target {
    const char *id;
    struct arena *arena;
    int root_fd, dir_fd;
    struct run_ledger *ledger;
    struct run_final *final; /* of a foreground run; NULL: nobody asks */
    bool has_status;         /* somebody saw the end: */
    int status;
    uint64_t life_us; /* 0: unknown */
    bool has_record;  /* false: claimed by a create that died before its first record */
    struct state_record record;
};

/* -ENOENT with the text that engines match if it does not exist; -EINVAL for a corrupt record,
 * with the folders open all the same. */
int target_open(const struct run_target *request, bool lock, struct target *ret_target,
                struct sub_err *err);
void target_done(struct target *target);
#define TARGET_NONE  ((struct target){.root_fd = -EBADF, .dir_fd = -EBADF})
#define OWNED_TARGET __attribute__((cleanup(target_done))) struct target

/* ledger.c: the start, for the ledger; a failure goes to the ledger's owner. */
struct cgroup;
void target_tell_start(const struct target *target);
/* The final account, to whom asks for it and to the ledger, once. kill: nobody shall be left who
 * could add to it; without it the ledger is told only if nobody is. */
void target_account(struct target *target, bool kill);

/* Kills what is left, accounts for it, removes the group, runs poststop hooks (their failure goes
 * to warn), removes the folder. May be called again after a failure. */
int target_destroy(struct target *target, struct sub_err *warn, struct sub_err *err);

/* update.c: the rest of an update that was killed; the folder is locked. */
int target_finish_update(struct target *target, struct sub_err *err);

/* The same, locked, for a verb that needs the first process alive: -ESRCH with the text that
 * engines match if it is not. */
int target_open_living(const struct run_target *request, struct target *ret_target,
                       struct sub_err *err);
int not_running(const char *id, struct sub_err *err);

/* The container's group, and the root of the hierarchy where ret_root_fd is not NULL. -ENOENT
 * without text: it has none. */
int record_group(const struct state_record *record, int *ret_root_fd, struct cgroup *ret_group,
                 struct sub_err *err);

/* exec_group.c: a process in the container's group, or in one below where that takes none. 0 in
 * both processes; the child's pid is 0. */
struct ns_child;
int clone_into_container(const struct state_record *record, int root_fd, int group_fd,
                         struct ns_child *ret_child);

/* The refusal of a verb that works on the group, of a container that has none. */
int no_group(const struct state_record *record, struct sub_err *err);

/* pid: 0 when stopped. */
int record_status(int dir_fd, const struct state_record *record, enum run_status *ret_status,
                  pid_t *ret_pid, struct sub_err *err);

/* By `pause`, or because a group above is frozen. */
bool is_frozen(const struct state_record *record);

/* The answer of state_process_open that is neither yes nor no. */
int unknown_process(const struct state_record *record, int code, struct sub_err *err);

/* poststart hooks of a running container. */
int run_start_hooks(struct arena *arena, int dir_fd, const struct state_record *record,
                    struct sub_err *err);

#endif
