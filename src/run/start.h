/* SPDX-License-Identifier: Apache-2.0 */
/* What a start carries from step to step, in the parent and, as a copy, in the child. */
#ifndef SUBLET_RUN_START_H
#define SUBLET_RUN_START_H

#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/script.h"
#include "sublet/cgroups.h"
#include "sublet/cgroups/systemd.h"
#include "sublet/mount.h"
#include "sublet/ns.h"
#include "sublet/plan.h"
#include "sublet/priv.h"
#include "sublet/proc.h"
#include "sublet/run.h"
#include "sublet/state.h"
#include "sublet/sys/program.h"

#define ANSWER_LIMIT_MS  120000 /* for a child that only has our own work to do */
#define DESTROY_LIMIT_MS 10000
#define ALONE_LIMIT_MS   200
#define FREEZE_LIMIT_MS  1000
#define KILLED_LIMIT_MS  5000

struct start {
    const struct step_table *steps;
    const struct run_request *request;
    const struct plan *plan;
    bool waits; /* create: the process waits for `start`; run: it goes on */

    /* the record */
    int root_fd, dir_fd;
    struct state_record record;
    char created[STATE_TIME_TEXT], boot_id[64];
    bool claimed;

    /* the group */
    int cgroup_root_fd;
    struct cgroups_host cgroup_host;
    struct cgroup group;
    struct cg_systemd systemd;           /* where the manager is systemd */
    const char *group_path, *scope_path; /* below the mount */
    bool has_scope;

    struct sys_talk net_devices; /* the program that has moved them */

    /* cache and memory bandwidth */
    int resctrl_fd;
    bool makes_resctrl;

    /* prepared before the clone */
    struct ns_joins joins;
    int *idmap_fds; /* of plan->mounts.idmaps */
    struct mount_tree *tree;
    struct priv_filter filter;
    int proc_fd;    /* the host's procfs, where sysctls are to be written */
    int label_fd;   /* number of the descriptor over which the stub finds its label's procfs */
    int console_fd; /* connected console socket, or our end of the foreground terminal */
    int agent_fd;   /* connected socket of the seccomp agent */
    int fifo_fd, answer_fd;
    struct script script; /* of the container's process, until its image is made */
    int image_fd;
    struct proc_notify notify;
    const char *notify_path; /* of the folder with its socket; NULL: none */
    int pidfd_socket_fd;     /* connected to --pidfd-socket */
    int terminal_fd;         /* parent: the master, in a foreground run */
    char *hook_state;        /* state for the child's hooks, with room for the pid */
    char program[PROC_PATH_MAX], home[PROC_PATH_MAX]; /* child: what the image is told */

    int channel[2];
    struct ns_child child;
    struct exec *exec; /* NULL: the container itself is started */
    bool hooks_began;  /* poststop hooks are owed */
};

enum side { PARENT, CHILD };

struct step {
    const char *name;
    enum side side;
    int (*act)(struct start *start, struct sub_err *err);
    void (*undo)(struct start *start); /* parent only; must cope with half a step */
};

struct step_table {
    const struct step *rows;
    size_t count;
};
extern const struct step_table start_steps;

/* Runs the steps of one side in order. A failure in the parent undoes what was done, backwards. */
int steps_run(enum side side, struct start *start, struct sub_err *err);

/* prepare.c: parent, no effect outside this process */
int step_root(struct start *start, struct sub_err *err);
int step_cgroup_find(struct start *start, struct sub_err *err);
int step_joins(struct start *start, struct sub_err *err);
int step_sockets(struct start *start, struct sub_err *err);
int step_filter(struct start *start, struct sub_err *err);
int step_idmaps(struct start *start, struct sub_err *err);
int step_sources(struct start *start, struct sub_err *err);
int step_group_mount(struct start *start, struct sub_err *err); /* behind step_cgroup */
int step_channel(struct start *start, struct sub_err *err);
int step_hook_state(struct start *start, struct sub_err *err);

/* machine.c: parent, memory bandwidth, cache and network devices */
int step_resctrl_find(struct start *start, struct sub_err *err);
int step_resctrl(struct start *start, struct sub_err *err);
void undo_resctrl(struct start *start);
int step_net_devices(struct start *start, struct sub_err *err);
void undo_devices(struct start *start);
void keep_net_devices(struct start *start);
int remove_resctrl(const struct state_record *record, struct sub_err *err);

/* record.c: parent, the folder and its files */
int step_claim(struct start *start, struct sub_err *err);
void undo_claim(struct start *start);
int step_fifos(struct start *start, struct sub_err *err);
int step_notify(struct start *start, struct sub_err *err);
int step_record(struct start *start, struct sub_err *err);
int step_publish(struct start *start, struct sub_err *err);

/* scope.c: systemd's part of the group */
int scope_connect(struct start *start, struct sub_err *err);
int step_scope(struct start *start, struct sub_err *err);
void undo_scope(struct start *start);
/* Kills what lives in the record's scope and has systemd forget it. */
int scope_destroy(int root_fd, const struct state_record *record, struct sub_err *err);

/* script.c: parent */
int step_image(struct start *start, struct sub_err *err);
/* With startContainer hooks: the child itself hands the listener over, behind them. */
bool has_late_agent(const struct start *start);
int step_late_image(struct start *start, struct sub_err *err);

/* parent.c */
int step_cgroup(struct start *start, struct sub_err *err);
void undo_cgroup(struct start *start);
int step_spawn(struct start *start, struct sub_err *err);
void undo_spawn(struct start *start);
int let_child_go_on(struct start *start);
int step_id_maps(struct start *start, struct sub_err *err);
int step_attributes(struct start *start, struct sub_err *err);
int write_oom_score(const struct plan_process *process, pid_t pid, struct sub_err *err);
int step_devices(struct start *start, struct sub_err *err);
int step_mounted(struct start *start, struct sub_err *err);
int step_prestart(struct start *start, struct sub_err *err);
/* The agent gets the container process state and, with its first byte, the listener. */
int agent_words(struct start *start, enum run_status status, struct buf *buf, struct sub_err *err);
int send_listener(struct start *start, int listener_fd, struct sub_err *err);
int step_ready(struct start *start, struct sub_err *err);
int step_stdio(struct start *start, struct sub_err *err);
/* Stdio goes to uid of the user namespace that pid is in. */
int hand_over_stdio(pid_t pid, uint32_t uid, struct sub_err *err);
int no_answer(const struct start *start, struct sub_err *err);
int step_late_limits(struct start *start, struct sub_err *err);
int step_release(struct start *start, struct sub_err *err);

/* child.c: between clone and exec, nothing is allocated any more */
__attribute__((noreturn)) void child_main(struct start *start);
int child_leave_host(struct start *start, struct sub_err *err);
int child_join_scope(struct start *start, struct sub_err *err);
int child_become_root(struct start *start, struct sub_err *err);
int child_namespaces(struct start *start, struct sub_err *err);
int child_mounts(struct start *start, struct sub_err *err);
int child_terminal(struct start *start, struct sub_err *err);
int child_hooks(struct start *start, struct sub_err *err);
int child_sysctls(struct start *start, struct sub_err *err);
int child_pivot(struct start *start, struct sub_err *err);
int child_program(struct start *start, struct sub_err *err);
int child_wait(struct start *start, struct sub_err *err);
int child_become_init(struct start *start, struct sub_err *err);
int child_join_keyring(const char *name, struct sub_err *err);
/* A procfs that shows processes and nothing else, for security labels. -EPERM without text where
 * the caller is not root of the user namespace that owns its pid namespace. */
int child_private_proc(int *ret_fd, struct sub_err *err);

/* watch.c: proc_watch for the process of a start. signal_fd: of proc_watch_signals. */
int watch_process(struct start *start, int signal_fd, int *ret_status, struct sub_err *err);

/* life.c: shared by the verbs */
bool plan_has_child_hooks(const struct plan *plan);
/* Something is to be done in the runtime once the child's namespaces and mounts are there. */
bool plan_has_work_behind_mounts(const struct plan *plan);
const char *cgroup_manager_name(enum plan_cgroup_manager manager);
/* -ESRCH: there was none to reach. */
int signal_group(struct arena *arena, int dir_fd, int number, struct sub_err *err);
int empty_group(struct arena *arena, int dir_fd, struct sub_err *err);
int destroy_group(struct arena *arena, int root_fd, const struct state_record *record,
                  struct sub_err *err);
/* SIGKILL, and reaped. But a file system that a process of the container serves (FUSE) can hold who
 * has asked it something, killed or not, until that process ends: nobody waits for that. */
void kill_child(int pidfd);
int write_pid_file(const char *path, pid_t pid, struct sub_err *err);
struct run_info info_of_record(const struct state_record *record, enum run_status status,
                               pid_t pid);
int state_text(const struct state_record *record, enum run_status status, pid_t pid,
               struct buf *buf);
/* The container process state of the specification, for a seccomp agent. */
void run_agent_json(const struct run_info *info, pid_t pid, const char *metadata, struct buf *buf);
int load_hooks(struct arena *arena, int dir_fd, struct plan_hooks ret_hooks[PLAN_HOOK_KINDS],
               struct sub_err *err);

void start_init(struct start *start, const struct run_request *request, bool waits);
void start_done(struct start *start);

#endif
