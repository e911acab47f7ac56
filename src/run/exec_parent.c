/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of an exec in the runtime. The container's lock is held from "container" to "spawn": a
 * delete that comes later finds the new process in the group, and a pause finds the first one gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "exec.h"
#include "start.h"
#include "target.h"

#define WORD_LIMIT_MS 1000
#define LINK_TEXT     32 /* "cgroup:[4026531835]" */

int exec_not_running(const char *id, struct sub_err *err)
{
    return sub_fail(err, ESRCH, NULL,
                    "container '%s': cannot exec in a stopped container (container not running: no "
                    "such process)",
                    id);
}

int exec_sockets(struct start *start, struct sub_err *err)
{
    const char *path = start->exec->request->pidfd_socket;

    SUBLET_TRY(step_sockets(start, err));
    if (path == NULL)
        return 0;
    start->exec->socket_fd = sys_unix_connect(path);
    if (start->exec->socket_fd < 0)
        return sub_fail(err, -start->exec->socket_fd, "--pidfd-socket",
                        "cannot connect to '%s': %s", path, sub_strerror(-start->exec->socket_fd));
    return 0;
}

int exec_container(struct start *start, struct sub_err *err)
{
    const struct run_exec_request *request = start->exec->request;
    struct run_config *config = request->config;

    /* nothing of the record that was read without the lock changes any more after create */
    int rc = state_lock(config->root_fd, request->id, config->dir_fd, err);
    if (rc == -ENOENT) {
        sub_err_clear(err);
        return sub_fail(err, ESRCH, NULL, "container '%s' was deleted by another command",
                        request->id);
    }
    if (rc < 0)
        return rc;

    int pidfd = state_process_open(config->record);
    if (pidfd == -ESRCH)
        return exec_not_running(request->id, err);
    if (pidfd < 0)
        return unknown_process(config->record, pidfd, err);
    start->exec->init_pidfd = pidfd;
    start->record = *config->record;
    start->root_fd = sub_take_fd(&config->root_fd);
    start->dir_fd = sub_take_fd(&config->dir_fd);
    return 0;
}

struct kind {
    const char *name;
    uint64_t kind;
};

/* Linux keeps the number of a namespace file until the last user has gone: equal numbers are one
 * namespace. The link tells it for half of what stat(2) costs. */
static int differs(const struct kind *kind, pid_t pid)
{
    char path[64], ours[LINK_TEXT], theirs[LINK_TEXT];

    (void) snprintf(path, sizeof path, "/proc/self/ns/%s", kind->name);
    ssize_t n = sys_readlinkat(AT_FDCWD, path, ours, sizeof ours);
    if (n < 0)
        return n == -ENOENT ? 0 : (int) n; /* a kind that this kernel does not have */
    (void) snprintf(path, sizeof path, "/proc/%d/ns/%s", (int) pid, kind->name);
    n = sys_readlinkat(AT_FDCWD, path, theirs, sizeof theirs);
    return n < 0 ? (int) n : strcmp(ours, theirs) != 0;
}

static bool has_ended(int pidfd)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};

    return sys_poll(&ended, 1, 0) > 0;
}

int exec_namespaces(struct start *start, struct sub_err *err)
{
    static const struct kind kinds[] = {
        {"user",   CLONE_NEWUSER  },
        {"mnt",    CLONE_NEWNS    },
        {"pid",    CLONE_NEWPID   },
        {"net",    CLONE_NEWNET   },
        {"ipc",    CLONE_NEWIPC   },
        {"uts",    CLONE_NEWUTS   },
        {"cgroup", CLONE_NEWCGROUP},
        {"time",   CLONE_NEWTIME  },
    };
    struct exec *exec = start->exec;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        /* one that create has made is no other's; but the own user namespace cannot be entered */
        bool made = (start->plan->ns.create & kinds[i].kind & ~(uint64_t) CLONE_NEWUSER) != 0;
        int rc = made ? 1 : differs(&kinds[i], start->record.process.pid);

        /* an ending process has no namespaces some time before its end can be seen */
        if (rc == -ENOENT || (rc < 0 && has_ended(exec->init_pidfd)))
            return exec_not_running(exec->request->id, err);
        if (rc < 0)
            return sub_fail(err, -rc, NULL, "container '%s': cannot look at its %s namespace: %s",
                            exec->request->id, kinds[i].name, sub_strerror(-rc));
        if (rc > 0)
            exec->joins |= kinds[i].kind;
    }
    if ((exec->joins & CLONE_NEWUSER) != 0 && !start->plan->process.terminal) {
        SUBLET_TRY(hand_over_stdio(start->record.process.pid, start->plan->process.uid, err));
    }
    /* in our own mount namespace every path would be the host's */
    if ((exec->joins & CLONE_NEWNS) == 0)
        return sub_fail(err, EINVAL, NULL, "container '%s' is in the runtime's mount namespace",
                        exec->request->id);
    return 0;
}

static int set_cpus(const struct plan_cpus *cpus, pid_t pid, const char *json, struct sub_err *err)
{
    int rc = cpus->words == NULL ? 0 : sys_sched_setaffinity(pid, cpus->words, cpus->word_count);

    if (rc < 0)
        return sub_fail(err, -rc, json, "the kernel refused these CPUs: %s", sub_strerror(-rc));
    return 0;
}

/* config.md: before the transition to the group. The child has them from the runtime. */
int exec_initial_cpus(struct start *start, struct sub_err *err)
{
    return set_cpus(&start->plan->process.initial_cpus, 0, "process.execCPUAffinity.initial", err);
}

int exec_final_cpus(struct start *start, struct sub_err *err)
{
    return set_cpus(&start->plan->process.final_cpus, start->child.pid,
                    "process.execCPUAffinity.final", err);
}

/* For others than root the files in /proc of a process that is not dumpable are out of reach. */
bool exec_hands_score_down(void)
{
    return geteuid() != 0;
}

/* A pause that stopped the first process before it has told of the second would leave that one to
 * nobody: the end of its pid namespace, which waits for it, would wait for a resume. But something
 * inside may hold the first one up as well, a file system for one, and then no delete is to wait.
 */
static void wait_for_word(const struct start *start)
{
    struct pollfd wait[] = {
        {.fd = start->channel[0],  .events = POLLIN},
        {.fd = start->child.pidfd, .events = POLLIN}
    };

    if (start->exec->order != EXEC_SHARED)
        (void) sys_poll(wait, 2, WORD_LIMIT_MS);
}

int exec_spawn(struct start *start, struct sub_err *err)
{
    const struct plan_process *process = &start->plan->process;

    if (process->has_oom_score_adj && exec_hands_score_down())
        SUBLET_TRY(write_oom_score(process, getpid(), err));
    /* what the child is until it becomes the stub is this very memory */
    int rc = sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);

    if (rc < 0)
        return sub_fail(err, -rc, NULL, "prctl: %s", sub_strerror(-rc));
    SUBLET_TRY(exec_clone(start, err));
    if (start->child.pid == 0)
        child_main(start);
    sub_close(&start->channel[1]); /* so that the child's end is the only one */
    wait_for_word(start);
    state_unlock(start->dir_fd);
    return 0;
}

/* A process that is traced from inside may send any number: it must be our own child. */
static int take_child(struct start *start, pid_t pid, struct sub_err *err)
{
    int status;
    OWNED_FD pidfd = sys_pidfd_open(pid);
    int rc = pidfd < 0 ? pidfd : sys_pidfd_wait(pidfd, WNOHANG | WNOWAIT, &status);

    if (rc < 0 && rc != -EAGAIN)
        return sub_fail(err, EPROTO, NULL, "the new process cannot be found: %s",
                        sub_strerror(-rc));
    start->exec->first_pidfd = start->child.pidfd;
    start->child = (struct ns_child){.pid = pid, .pidfd = sub_take_fd(&pidfd)};
    return 0;
}

/* A filter that is loaded before the leave: its listener comes first. The agent is to be told which
 * process it is for, and can be once that one is there. */
static int take_listener(const struct start *start, int *ret_fd, struct sub_err *err)
{
    enum proc_news news;
    int rc = proc_receive(start->channel[0], ANSWER_LIMIT_MS, &news, ret_fd, err);

    if (rc == 0)
        return no_answer(start, err);
    if (rc > 0 && (news != PROC_LISTENER || *ret_fd < 0))
        return sub_fail(err, EPROTO, NULL, "the child sent %d, expected a listener", (int) news);
    return rc < 0 ? rc : 0;
}

int exec_leave(struct start *start, struct sub_err *err)
{
    bool first = start->exec->order == EXEC_FILTER_FIRST && start->filter.notify;
    OWNED_FD listener = -EBADF;
    int fresh = -EBADF;
    pid_t pid;

    if (start->exec->order == EXEC_SHARED)
        return 0;
    if (first)
        SUBLET_TRY(take_listener(start, &fresh, err));
    listener = fresh;
    int rc = proc_receive_child(start->channel[0], start->child.pidfd, ANSWER_LIMIT_MS, &pid, err);
    if (rc == 0)
        return no_answer(start, err);
    if (rc < 0)
        return rc;
    SUBLET_TRY(take_child(start, pid, err));
    if (first)
        return send_listener(start, listener, err);
    return start->agent_fd < 0 ? 0 : let_child_go_on(start);
}

/* Whoever has left with all that it will be has nothing more to tell. */
int exec_ready(struct start *start, struct sub_err *err)
{
    bool tells = start->exec->order == EXEC_SHARED ||
                 (start->exec->order == EXEC_FILTER_LAST && start->agent_fd >= 0);

    return tells ? step_ready(start, err) : 0;
}

int exec_send_pidfd(struct start *start, struct sub_err *err)
{
    if (start->exec->socket_fd < 0)
        return 0;
    return proc_pidfd_send(start->exec->socket_fd, "setns", start->child.pidfd, err);
}

/* Only now: until here a signal ends the runtime, and with it the child. */
int exec_signals(struct start *start, struct sub_err *err)
{
    sigset_t before;

    if (start->request->detach)
        return 0;
    int rc = proc_watch_signals(&before, &start->exec->signal_fd);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "signalfd: %s", sub_strerror(-rc));
    return 0;
}

/* The end of the channel without a word: the program is executed. Or it has ended, and the first
 * process stands still with its end of the channel, in a group that was paused: not waited for. */
int exec_confirm(struct start *start, struct sub_err *err)
{
    struct pollfd first = {.fd = start->exec->first_pidfd, .events = POLLIN};
    int status;

    SUBLET_TRY(proc_wait_gone(start->channel[0], start->child.pidfd, ANSWER_LIMIT_MS, err));
    if (first.fd >= 0 && sys_poll(&first, 1, ALONE_LIMIT_MS) > 0)
        (void) sys_pidfd_wait(first.fd, 0, &status);
    return 0;
}

int exec_pid_file(struct start *start, struct sub_err *err)
{
    return write_pid_file(start->request->pid_file, start->child.pid, err);
}
