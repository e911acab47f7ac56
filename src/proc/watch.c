/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop over a process in the foreground. Nothing in it waits but the one poll: what cannot be
 * written yet stays in its buffer, and no more is read until it has gone. So a reader may be as
 * slow as it likes; the process waits for it, and signals still arrive.
 */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/proc.h"
#include "sublet/sys.h"

#define FLOW_BYTES  16384
#define WRITE_BYTES 4096 /* what a pipe that is ready takes without a wait (PIPE_BUF) */
/* Far more than the kernel holds of a terminal's output: what comes behind is of processes that
 * outlive the one that is watched. */
#define LATE_BYTES  ((size_t) 4 << 20)

/* Bytes on their way in one direction. */
struct flow {
    size_t start, end;
    char last; /* byte that went in last; 0: none */
    char bytes[FLOW_BYTES];
};

struct session {
    const struct proc_watched *watched;
    struct caller caller;
    int master; /* negative: none, or hung up */
    int slave;  /* ours: a process may close all of its terminal and open it again */
    int output; /* where to */
    int own_output;
    bool input_ended;
    bool ended;   /* the process */
    bool hurried; /* somebody asked, since: no wait for the reader */
    size_t late;  /* bytes that were looked at since */
    int lost;     /* errno: output that could not be written */
};

/* One at a time, and too large for the stack. */
static struct flow flow_in, flow_out;

static bool is_empty(const struct flow *flow)
{
    return flow->start == flow->end;
}

/* Into an empty flow. 1: something came, or might later; 0: the end; -errno. */
static int flow_fill(struct flow *flow, int fd)
{
    ssize_t n = read(fd, flow->bytes, sizeof flow->bytes);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 1;
    if (n < 0)
        return -errno;
    flow->start = 0;
    flow->end = (size_t) n;
    if (n > 0)
        flow->last = flow->bytes[n - 1];
    return n > 0;
}

static int flow_drain(struct flow *flow, int fd)
{
    size_t left = flow->end - flow->start;
    ssize_t n = write(fd, flow->bytes + flow->start, left < WRITE_BYTES ? left : WRITE_BYTES);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    flow->start += (size_t) n;
    return 0;
}

/* --- the terminal --------------------------------------------------------------------------- */

static void session_done(struct session *session)
{
    caller_give_back(&session->caller);
    sub_close(&session->own_output);
    sub_close(&session->slave);
    sub_close(&session->master);
}

/* As when a window is closed: the kernel tells the container's session by SIGHUP, and its writes
 * fail from now on. */
static void hang_up(struct session *session)
{
    flow_in.start = flow_in.end = 0;
    caller_give_back(&session->caller);
    sub_close(&session->slave);
    sub_close(&session->master);
}

static void give_up(struct session *session)
{
    flow_out.start = flow_out.end = 0;
    hang_up(session);
}

/* The end of input, as a terminal says it: on an empty line once, else the first one only sends
 * the line. */
static void send_end(struct session *session)
{
    struct termios modes;
    bool empty_line = flow_in.last == '\0' || flow_in.last == '\n' || flow_in.last == '\r';
    char end = 4;

    session->input_ended = true;
    if (tcgetattr(session->master, &modes) == 0 && modes.c_cc[VEOF] != _POSIX_VDISABLE)
        end = (char) modes.c_cc[VEOF];
    flow_in.start = 0;
    flow_in.end = empty_line ? 1 : 2;
    memset(flow_in.bytes, end, flow_in.end);
}

static void read_input(struct session *session)
{
    int rc = flow_fill(&flow_in, STDIN_FILENO);

    if (rc == -EIO && caller_in_background())
        return; /* became so a moment ago; the poll does not look any more */
    if (rc <= 0 && session->caller.raw) /* a raw terminal has no end but its own */
        hang_up(session);
    else if (rc <= 0)
        send_end(session);
}

static void read_output(struct session *session)
{
    int rc = flow_fill(&flow_out, session->master);

    if (rc <= 0) { /* EIO: every slave is closed */
        sub_close(&session->master);
        session->input_ended = true;
    }
}

static void write_output(struct session *session)
{
    int rc = flow_drain(&flow_out, session->output);

    if (rc >= 0)
        return;
    if (rc != -EPIPE && rc != -EIO) /* these say that the reader has gone, which is its right */
        session->lost = -rc;
    give_up(session);
}

static void write_input(struct session *session)
{
    if (flow_drain(&flow_in, session->master) < 0)
        flow_in.start = flow_in.end = 0; /* its slaves are closed: read_output finds out */
}

/* --- signals and jobs ----------------------------------------------------------------------- */

/* The whole job: the container's process group, then this process, until somebody continues it. */
static void stop_job(struct session *session, int number)
{
    (void) sys_kill_group(session->watched->pid, SIGSTOP); /* gone: the pidfd says so */
    caller_give_back(&session->caller);
    caller_stop(number);
    (void) sys_kill_group(session->watched->pid, SIGCONT);
}

/* A job in the background that wants the terminal is stopped, like any other program. */
static void take_terminal(struct session *session)
{
    if (session->master < 0 || session->ended)
        return;
    if (caller_in_background())
        stop_job(session, SIGTTOU);
    caller_take(&session->caller);
    caller_copy_size(session->master);
}

static void act_on_signal(struct session *session, int number)
{
    const struct proc_watched *watched = session->watched;

    switch (number) {
    case SIGPIPE: /* by the kernel, for our own writes and reads */
    case SIGTTIN:
    case SIGTTOU:
        return;
    case SIGTSTP:
        stop_job(session, SIGTSTP);
        take_terminal(session);
        return;
    case SIGCONT:
        (void) sys_kill_group(watched->pid, SIGCONT);
        take_terminal(session);
        return;
    case SIGWINCH:
        if (session->master >= 0) {
            caller_copy_size(session->master);
            return;
        }
        break;
    default:
        break;
    }
    (void) sys_pidfd_signal(watched->pidfd, number);
}

static void note_end(struct session *session)
{
    session->ended = true;
    sub_close(&session->slave); /* the end of output is the end of the others */
}

/* A process that has ended takes signals without a word until it is reaped, so it is asked now,
 * not at the last poll: nobody is left to get the signal but our own wait for the reader. */
static void read_signals(struct session *session)
{
    struct signalfd_siginfo info;

    while (read(session->watched->signal_fd, &info, sizeof info) == (ssize_t) sizeof info) {
        int number = (int) info.ssi_signo;
        struct pollfd process = {.fd = session->watched->pidfd, .events = POLLIN};

        if (!session->ended && sys_poll(&process, 1, 0) > 0)
            note_end(session);
        if (!session->ended)
            act_on_signal(session, number);
        else if (number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT)
            session->hurried = true;
    }
}

int proc_watch_signals(sigset_t *ret_before, int *ret_fd)
{
    static const int others[] = {
        SIGCHLD, /* the pidfd tells */
        SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT,
    };
    sigset_t set;

    (void) sigfillset(&set);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        (void) sigdelset(&set, others[i]);
    (void) sigprocmask(SIG_BLOCK, &set, ret_before);

    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

/* --- the loop ------------------------------------------------------------------------------- */

enum { AT_PROCESS, AT_SIGNALS, AT_SOURCE, AT_MASTER, AT_INPUT, AT_OUTPUT, PLACES };

static void look_at(const struct session *session, struct pollfd wait[PLACES])
{
    const struct proc_watched *watched = session->watched;
    const struct proc_source *source = watched->source;
    short master = 0;

    if (session->master >= 0 && is_empty(&flow_out))
        master |= POLLIN;
    if (session->master >= 0 && !is_empty(&flow_in) && !session->ended)
        master |= POLLOUT;
    bool wants_input = session->master >= 0 && !session->input_ended && is_empty(&flow_in) &&
                       !session->ended && !caller_in_background();

    wait[AT_PROCESS] = (struct pollfd){session->ended ? -1 : watched->pidfd, POLLIN, 0};
    wait[AT_SIGNALS] = (struct pollfd){watched->signal_fd, POLLIN, 0};
    wait[AT_SOURCE] =
        source == NULL ? (struct pollfd){-1, 0, 0} : (struct pollfd){source->fd, source->events, 0};
    wait[AT_MASTER] = (struct pollfd){master == 0 ? -1 : session->master, master, 0};
    wait[AT_INPUT] = (struct pollfd){wants_input ? STDIN_FILENO : -1, POLLIN, 0};
    wait[AT_OUTPUT] = (struct pollfd){is_empty(&flow_out) ? -1 : session->output, POLLOUT, 0};
}

static void serve(struct session *session, const struct pollfd wait[PLACES])
{
    struct proc_source *source = session->watched->source;

    if (wait[AT_SOURCE].revents != 0)
        source->act(source, wait[AT_SOURCE].revents);
    if (wait[AT_OUTPUT].revents != 0)
        write_output(session);
    if ((wait[AT_MASTER].revents & POLLOUT) != 0 && session->master >= 0)
        write_input(session);
    if ((wait[AT_MASTER].revents & ~POLLOUT) != 0 && session->master >= 0 && is_empty(&flow_out))
        read_output(session);
    if (wait[AT_INPUT].revents != 0 && session->master >= 0)
        read_input(session);
    if (wait[AT_SIGNALS].revents != 0)
        read_signals(session);
    if (wait[AT_PROCESS].revents != 0)
        note_end(session);
}

/* After the end the master still holds what was written before it, and a poll of it moves on what
 * is on its way in the kernel. Other processes may hold the terminal open: silence ends the wait.
 */
static int loop(struct session *session)
{
    struct pollfd wait[PLACES];

    for (;;) {
        bool dry = session->ended && is_empty(&flow_out);

        if (dry && session->late >= LATE_BYTES)
            return 0;
        look_at(session, wait);
        int rc = sys_poll(wait, PLACES, dry || session->hurried ? 0 : -1);
        if (rc == -ETIMEDOUT)
            return 0;
        if (rc < 0)
            return rc;
        serve(session, wait);
        if (dry)
            session->late += FLOW_BYTES;
    }
}

static void session_begin(struct session *session)
{
    memset(&flow_in, 0, offsetof(struct flow, bytes));
    memset(&flow_out, 0, offsetof(struct flow, bytes));
    if (session->master < 0)
        return;
    (void) fcntl(session->master, F_SETFL, O_RDWR | O_NONBLOCK); /* the description is ours alone */
    session->slave = sys_tty_peer(session->master);
    session->output = caller_output(&session->own_output);
    take_terminal(session);
}

int proc_watch(const struct proc_watched *watched, int *ret_status, struct sub_err *err)
{
    __attribute__((cleanup(session_done))) struct session session = {
        .watched = watched,
        .master = watched->master_fd,
        .slave = -EBADF,
        .own_output = -EBADF,
    };
    int status;

    session_begin(&session);
    int rc = loop(&session);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot wait for the process: %s", sub_strerror(-rc));
    rc = sys_pidfd_wait(watched->pidfd, 0, &status);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot reap the process: %s", sub_strerror(-rc));
    if (session.lost != 0)
        return sub_fail(err, session.lost, NULL, "output of the process is lost: %s",
                        sub_strerror(session.lost));
    *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return 0;
}
