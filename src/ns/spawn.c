/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/ns.h"
#include "sublet/sys.h"

/* What is left to ns_enter. */
#define MADE_BY_CHILD (CLONE_NEWCGROUP | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWTIME)

static int find_join(const struct plan_ns *ns, const struct ns_joins *joins, uint64_t kind)
{
    for (size_t i = 0; i < ns->join_count; i++) {
        if (ns->joins[i].kind == kind)
            return joins->fds[i];
    }
    return -EBADF;
}

static const char *spawn_failure(int code)
{
    switch (code) {
    case ENOSPC:
        return " (a limit of /proc/sys/user/max_*_namespaces is reached)";
    case EPERM:
        return " (not permitted to make these namespaces)";
    default:
        return "";
    }
}

static int clone_failed(int rc, struct sub_err *err)
{
    return sub_fail(err, -rc, "linux.namespaces", "cannot clone the container's process: %s%s",
                    sub_strerror(-rc), spawn_failure(-rc));
}

/* A pid namespace is entered by being born in it: ours is switched for one clone and back. */
static int clone_directly(const struct plan_ns *ns, const struct ns_joins *joins, int cgroup_fd,
                          struct ns_child *ret_child, struct sub_err *err)
{
    int pid_ns = find_join(ns, joins, CLONE_NEWPID);
    OWNED_FD home = -EBADF;

    if (pid_ns >= 0) {
        home = sys_openat(AT_FDCWD, "/proc/self/ns/pid", O_RDONLY, 0);
        int rc = home < 0 ? home : sys_setns(pid_ns, CLONE_NEWPID);
        if (rc < 0)
            return sub_fail(err, -rc, "linux.namespaces", "cannot join the pid namespace: %s",
                            sub_strerror(-rc));
    }

    int pidfd = -EBADF;
    struct sys_clone args = {
        .flags = ns->create & ~(uint64_t) MADE_BY_CHILD,
        .cgroup_fd = cgroup_fd,
        .ret_pidfd = &pidfd,
    };
    pid_t pid = sys_clone(&args);
    if (pid == 0) {
        *ret_child = (struct ns_child){.pid = 0, .pidfd = -EBADF};
        return 0;
    }
    if (home >= 0)
        (void) sys_setns(home, CLONE_NEWPID); /* own namespace; only children are concerned */
    if (pid < 0)
        return clone_failed(pid, err);
    *ret_child = (struct ns_child){.pid = pid, .pidfd = pidfd};
    return 0;
}

/* The stage: enters the user namespace (so that the new ones belong to it), then clones the real
 * child as the runtime's own (CLONE_PARENT). *ret_pidfd stays untouched in that child. */
static int run_stage(const struct plan_ns *ns, const struct ns_joins *joins, int *ret_pidfd,
                     struct sub_err *err)
{
    int user_ns = find_join(ns, joins, CLONE_NEWUSER);
    int pid_ns = find_join(ns, joins, CLONE_NEWPID);

    (void) sys_prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0);
    (void) sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);

    int rc = sys_setns(user_ns, CLONE_NEWUSER);
    if (rc < 0)
        return sub_fail(err, -rc, "linux.namespaces", "cannot join the user namespace: %s",
                        sub_strerror(-rc));
    rc = pid_ns < 0 ? 0 : sys_setns(pid_ns, CLONE_NEWPID);
    if (rc < 0)
        return sub_fail(err, -rc, "linux.namespaces", "cannot join the pid namespace: %s",
                        sub_strerror(-rc));

    int pidfd = -EBADF;
    struct sys_clone args = {
        .flags = (ns->create & ~(uint64_t) MADE_BY_CHILD) | CLONE_PARENT,
        .cgroup_fd = -1,
        .ret_pidfd = &pidfd,
    };
    pid_t pid = sys_clone(&args);
    if (pid < 0)
        return clone_failed(pid, err);
    if (pid > 0)
        *ret_pidfd = pidfd;
    return 0;
}

/* Reports from the stage: its failure, or the pidfd of the child. */
__attribute__((noreturn)) static void end_stage(int answer_fd, int pidfd, const struct sub_err *err)
{
    int rc = sys_send_fd(answer_fd, err, sizeof *err, &pidfd, pidfd >= 0 ? 1 : 0);

    _exit(rc < 0 ? 1 : 0);
}

/* The pid behind a pidfd, as this pid namespace sees it. */
static int pid_of(int pidfd, pid_t *ret_pid)
{
    char path[64], text[512];
    const char *line;
    uint64_t pid;

    (void) snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    ssize_t n = sub_read_file_at(AT_FDCWD, path, text, sizeof text);
    if (n < 0)
        return (int) n;
    line = strstr(text, "Pid:\t");
    if (line == NULL)
        return -ESRCH;

    char digits[NUM_TEXT] = "";
    size_t length = strcspn(line + 5, "\n");
    if (length >= sizeof digits)
        return -ESRCH;
    memcpy(digits, line + 5, length);
    if (num_parse_u64(digits, 1u << 30, &pid) < 0)
        return -ESRCH;
    *ret_pid = (pid_t) pid;
    return 0;
}

static int hear_stage(int answer_fd, struct ns_child *ret_child, struct sub_err *err)
{
    struct sub_err answer = {.code = 0};
    int fresh = -EBADF;
    ssize_t n = sys_recv_fd(answer_fd, &answer, sizeof answer, &fresh);
    OWNED_FD pidfd = fresh;
    pid_t pid = 0;

    if (n == (ssize_t) sizeof answer && answer.code != 0) {
        *err = answer;
        return -err->code;
    }
    if (n != (ssize_t) sizeof answer || pidfd < 0 || pid_of(pidfd, &pid) < 0)
        return sub_fail(err, ESRCH, "linux.namespaces", "the stage in the user namespace died");
    *ret_child = (struct ns_child){.pid = pid, .pidfd = sub_take_fd(&pidfd)};
    return 0;
}

static int clone_through_stage(const struct plan_ns *ns, const struct ns_joins *joins,
                               int cgroup_fd, struct ns_child *ret_child, struct sub_err *err)
{
    int ends[2], stage_pidfd = -EBADF, child_pidfd = -EBADF, status;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return sub_fail(err, errno, NULL, "cannot make a socket pair: %s", sub_strerror(errno));
    OWNED_FD ours = ends[0];
    OWNED_FD its = ends[1];

    pid_t stage = sys_clone(&(struct sys_clone){.cgroup_fd = cgroup_fd, .ret_pidfd = &stage_pidfd});
    if (stage == 0) {
        int rc = run_stage(ns, joins, &child_pidfd, err);

        if (rc < 0 || child_pidfd >= 0)
            end_stage(its, child_pidfd, err);
        *ret_child = (struct ns_child){.pid = 0, .pidfd = -EBADF};
        return 0;
    }
    OWNED_FD owned_stage = stage_pidfd;
    if (stage < 0)
        return clone_failed(stage, err);

    sub_close(&its); /* so that the death of the stage ends the wait below */
    (void) sys_pidfd_wait(owned_stage, 0, &status);
    return hear_stage(ours, ret_child, err);
}

int ns_spawn(const struct plan_ns *ns, const struct ns_joins *joins, int cgroup_fd,
             struct ns_child *ret_child, struct sub_err *err)
{
    if (ns->join_user)
        return clone_through_stage(ns, joins, cgroup_fd, ret_child, err);
    return clone_directly(ns, joins, cgroup_fd, ret_child, err);
}
