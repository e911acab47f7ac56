/* SPDX-License-Identifier: Apache-2.0 */
/* What an exec carries besides what it has in common with a start. */
#ifndef SUBLET_RUN_EXEC_H
#define SUBLET_RUN_EXEC_H

#include <stdbool.h>
#include <stdint.h>

struct run_exec_request;
struct start;
struct sub_err;

/* See exec_script.c. */
enum exec_order { EXEC_SHARED, EXEC_FILTER_FIRST, EXEC_FILTER_LAST };

struct exec {
    const struct run_exec_request *request;
    uint64_t joins; /* CLONE_NEW* of the container's namespaces that are not ours */
    enum exec_order order;
    int init_pidfd;  /* of the container's first process */
    int first_pidfd; /* of the process that has left, until it is reaped */
    int socket_fd;   /* whoever is to get the pidfd */
    int signal_fd;   /* what the foreground process is to get */
};

/* exec_parent.c */
int exec_sockets(struct start *start, struct sub_err *err);
int exec_container(struct start *start, struct sub_err *err);
int exec_namespaces(struct start *start, struct sub_err *err);
int exec_initial_cpus(struct start *start, struct sub_err *err);
int exec_spawn(struct start *start, struct sub_err *err);
int exec_leave(struct start *start, struct sub_err *err);
int exec_ready(struct start *start, struct sub_err *err);
int exec_final_cpus(struct start *start, struct sub_err *err);
int exec_send_pidfd(struct start *start, struct sub_err *err);
int exec_signals(struct start *start, struct sub_err *err);
int exec_confirm(struct start *start, struct sub_err *err);
int exec_pid_file(struct start *start, struct sub_err *err);

/* machine.c: the class that step_attributes puts the process into */
int exec_resctrl_find(struct start *start, struct sub_err *err);

/* exec_script.c */
int exec_label_proc(struct start *start, struct sub_err *err);
int exec_image(struct start *start, struct sub_err *err);

/* exec_child.c */
int exec_join(struct start *start, struct sub_err *err);
int exec_program(struct start *start, struct sub_err *err);
int exec_terminal(struct start *start, struct sub_err *err);

/* exec_group.c */
int exec_wait_resumed(struct start *start, struct sub_err *err);
int exec_cgroup(struct start *start, struct sub_err *err);
/* Clones the child into the group that can take it. */
int exec_clone(struct start *start, struct sub_err *err);
int exec_not_running(const char *id, struct sub_err *err);
/* Its process has the OOM score from the runtime. */
bool exec_hands_score_down(void);

#endif
