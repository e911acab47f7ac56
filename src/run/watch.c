/* SPDX-License-Identifier: Apache-2.0 */
/* A foreground command and its process: signals, the terminal, the end. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "start.h"

/* Everything a caller may send to a foreground run is meant for the container. */
int watch_signals(sigset_t *ret_before, int *ret_fd)
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

int watch_process(struct start *start, int signal_fd, int *ret_status, struct sub_err *err)
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
