/* SPDX-License-Identifier: Apache-2.0 */
/* create and run: the steps, and for a foreground run the watch over the process until its end. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "start.h"
#include "target.h"

static int check_request(const struct plan *plan, struct sub_err *err)
{
    const struct plan_seccomp *seccomp = plan->process.seccomp;

    if (seccomp != NULL && seccomp->listener_path != NULL &&
        plan->hooks[PLAN_HOOK_START_CONTAINER].count > 0)
        return sub_fail(err, EINVAL, "linux.seccomp.listenerPath",
                        "a seccomp agent and startContainer hooks cannot be combined");
    return 0;
}

int run_create(const struct run_request *request, struct sub_err *err)
{
    __attribute__((cleanup(start_done))) struct start start;

    start_init(&start, request, true);
    SUBLET_TRY(check_request(request->plan, err));
    SUBLET_TRY(proc_fds_init(request->plan->process.preserve_fds, err));
    return steps_run(PARENT, &start, err);
}

/* Everything a caller may send to a foreground run is meant for the container. */
static int watch_signals(sigset_t *ret_before, int *ret_fd)
{
    sigset_t set;

    (void) sigfillset(&set);
    (void) sigdelset(&set, SIGCHLD); /* the pidfd tells */
    (void) sigdelset(&set, SIGSEGV);
    (void) sigdelset(&set, SIGBUS);
    (void) sigdelset(&set, SIGFPE);
    (void) sigdelset(&set, SIGILL);
    (void) sigdelset(&set, SIGABRT);
    (void) sigprocmask(SIG_BLOCK, &set, ret_before);

    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

static void forward(int signal_fd, int pidfd)
{
    struct signalfd_siginfo info;

    /* sent by the kernel for the runtime's own terminal and writes: not for the container */
    while (read(signal_fd, &info, sizeof info) == (ssize_t) sizeof info) {
        int number = (int) info.ssi_signo;

        if (number != SIGPIPE && number != SIGTTOU && number != SIGTTIN && number != SIGWINCH)
            (void) sys_pidfd_signal(pidfd, number); /* gone: the other descriptor says so */
    }
}

static int wait_end(int pidfd, int signal_fd, struct sub_err *err)
{
    struct pollfd wait[2] = {
        {.fd = pidfd,     .events = POLLIN},
        {.fd = signal_fd, .events = POLLIN}
    };

    for (;;) {
        int rc = sys_poll(wait, 2, -1);

        if (rc < 0)
            return sub_fail(err, -rc, NULL, "cannot wait for the container: %s", sub_strerror(-rc));
        if (wait[1].revents != 0)
            forward(signal_fd, pidfd);
        if (wait[0].revents != 0)
            return 0;
    }
}

/* After the release the stub still has privileges to take and a program to execute: the end of
 * the channel without a word means that the container runs. */
static int confirm_exec(struct start *start, struct sub_err *err)
{
    enum proc_news news;
    bool hooks = start->plan->hooks[PLAN_HOOK_START_CONTAINER].count > 0;

    int rc = proc_receive(start->channel[0], hooks ? -1 : ANSWER_LIMIT_MS, &news, NULL, err);
    return rc < 0 ? rc : 0;
}

static int receive_terminal(struct start *start, int *ret_master, struct sub_err *err)
{
    char name[64];
    int master = -EBADF;
    ssize_t n = sys_recv_fd(start->terminal_fd, name, sizeof name, &master);

    if (n <= 0 || master < 0)
        return sub_fail(err, EPROTO, "process.terminal", "the terminal did not arrive");
    *ret_master = master;
    return 0;
}

static int watch(struct start *start, int signal_fd, int *ret_status, struct sub_err *err)
{
    int status = 0;

    if (start->plan->process.terminal && start->terminal_fd >= 0) {
        int master = -EBADF;

        SUBLET_TRY(receive_terminal(start, &master, err));
        OWNED_FD owned = master;
        SUBLET_TRY(proc_tty_relay(master, start->child.pidfd, err));
    }
    SUBLET_TRY(wait_end(start->child.pidfd, signal_fd, err));

    int rc = sys_pidfd_wait(start->child.pidfd, 0, &status);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot reap the container: %s", sub_strerror(-rc));
    *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return 0;
}

/* Behind the steps the container is one like any other: its folder is not ours any more, other
 * commands may work on it, and its end is a delete, unless somebody has been faster. */
static int end_container(const struct run_target *by_name, struct sub_err *warn,
                         struct sub_err *err)
{
    OWNED_TARGET target;
    int rc = target_open(by_name, true, &target, err);

    if (rc == -ENOENT) {
        sub_err_clear(err);
        return 0;
    }
    return rc < 0 ? rc : target_destroy(&target, warn, err);
}

static int after_start(struct start *start, const struct run_target *by_name, struct sub_err *err)
{
    SUBLET_TRY(confirm_exec(start, err));
    if (start->plan->hooks[PLAN_HOOK_POSTSTART].count == 0)
        return 0;

    OWNED_TARGET target;
    SUBLET_TRY(target_open(by_name, true, &target, err));
    return run_start_hooks(target.arena, target.dir_fd, &target.record, err);
}

static int live(struct start *start, int signal_fd, int *ret_status, struct sub_err *warn,
                struct sub_err *err)
{
    const struct run_target by_name = {.arena = start->request->arena,
                                       .state_root = start->request->state_root,
                                       .id = start->plan->id};

    sub_close(&start->dir_fd); /* and with it the lock */
    int rc = after_start(start, &by_name, err);
    if (rc < 0) {
        struct sub_err ignored = {.code = 0};
        int status;

        (void) sys_pidfd_signal(start->child.pidfd, SIGKILL);
        (void) sys_pidfd_wait(start->child.pidfd, 0, &status);
        (void) end_container(&by_name, warn, &ignored);
        return rc;
    }
    if (start->request->detach)
        return 0;

    SUBLET_TRY(watch(start, signal_fd, ret_status, err));
    if (start->request->keep)
        return 0;
    return end_container(&by_name, warn, err);
}

int run_run(const struct run_request *request, int *ret_status, struct sub_err *warn,
            struct sub_err *err)
{
    __attribute__((cleanup(start_done))) struct start start;
    sigset_t before;
    int signal_fd = -EBADF, status = 0;

    start_init(&start, request, false);
    SUBLET_TRY(check_request(request->plan, err));
    SUBLET_TRY(proc_fds_init(request->plan->process.preserve_fds, err));

    /* before the clone: a container may end, or be told to, before we are ready to look */
    int rc = watch_signals(&before, &signal_fd);
    OWNED_FD signals = signal_fd;
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "signalfd: %s", sub_strerror(-rc));

    rc = steps_run(PARENT, &start, err);
    if (rc == 0)
        rc = live(&start, signals, &status, warn, err);
    (void) sigprocmask(SIG_SETMASK, &before, NULL);
    if (rc < 0)
        return rc;
    *ret_status = status;
    return 0;
}
