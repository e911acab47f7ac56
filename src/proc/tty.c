/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/proc.h"
#include "sublet/sys.h"

#define PTMX_MAJOR   5
#define PTMX_MINOR   2
#define DEVPTS_MAGIC 0x1cd1
#define RELAY_BYTES  65536

/* No symbolic link on the way, and the node that devpts itself made: an image's own /dev/pts
 * cannot offer another file (CVE-2025-52565). */
static int open_master(int root_fd, struct sub_err *err)
{
    struct stat st;
    OWNED_FD master = sys_open_in(root_fd, "dev/pts/ptmx", O_RDWR | O_NOCTTY, RESOLVE_NO_SYMLINKS);

    if (master < 0)
        return sub_fail(err, -master, "process.terminal", "cannot open /dev/pts/ptmx: %s",
                        sub_strerror(-master));
    if (sys_fstat(master, &st) < 0 || st.st_rdev != makedev(PTMX_MAJOR, PTMX_MINOR) ||
        sys_fs_type(master) != DEVPTS_MAGIC)
        return sub_fail(err, EINVAL, "process.terminal",
                        "/dev/pts/ptmx is no pseudo-terminal; mount a devpts at /dev/pts");
    return sub_take_fd(&master);
}

/* Before the program looks: what the config says, else as large as the caller's own terminal. */
static void set_first_size(int slave_fd, const struct plan_process *process)
{
    struct winsize size;

    if (process->rows != 0 || process->columns != 0)
        (void) sys_tty_set_size(slave_fd, process->rows, process->columns);
    else if (process->console_socket == NULL && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        (void) sys_tty_set_size(slave_fd, size.ws_row, size.ws_col);
}

static int open_slave(int master_fd, const struct plan_process *process, struct sub_err *err)
{
    int locked = 0;

    if (ioctl(master_fd, TIOCSPTLCK, &locked) < 0)
        return sub_fail(err, errno, "process.terminal", "cannot unlock the pseudo-terminal: %s",
                        sub_strerror(errno));

    OWNED_FD slave = sys_tty_peer(master_fd);
    if (slave < 0)
        return sub_fail(err, -slave, "process.terminal", "cannot open the terminal: %s",
                        sub_strerror(-slave));
    set_first_size(slave, process);
    /* the group stays tty, as devpts decided; the user must be able to reopen it */
    int rc = sys_fchown(slave, process->uid, (gid_t) -1);
    if (rc < 0 && rc != -EPERM && rc != -EINVAL)
        return sub_fail(err, -rc, "process.terminal", "cannot give the terminal to uid %u: %s",
                        process->uid, sub_strerror(-rc));
    return sub_take_fd(&slave);
}

int proc_tty_open(int root_fd, const struct plan_process *process, int *ret_master, int *ret_slave,
                  struct sub_err *err)
{
    OWNED_FD master = open_master(root_fd, err);
    if (master < 0)
        return master;

    int slave = open_slave(master, process, err);
    if (slave < 0)
        return slave;
    *ret_slave = slave;
    *ret_master = sub_take_fd(&master);
    return 0;
}

int proc_tty_send(int socket_fd, int master_fd, struct sub_err *err)
{
    static const char name[] = "/dev/ptmx"; /* receivers take the data for the file's name */
    int rc = sys_send_fd(socket_fd, name, sizeof name - 1, &master_fd, 1);

    if (rc < 0)
        return sub_fail(err, -rc, "--console-socket", "cannot send the terminal: %s",
                        sub_strerror(-rc));
    return 0;
}

int proc_tty_adopt(int slave_fd, struct sub_err *err)
{
    int rc = sys_tty_make_controlling(slave_fd);

    for (int fd = 0; fd < 3 && rc >= 0; fd++)
        rc = sys_dup_to(slave_fd, fd);
    if (rc < 0)
        return sub_fail(err, -rc, "process.terminal", "cannot become the terminal's session: %s",
                        sub_strerror(-rc));
    return 0;
}

/* The caller's terminal in raw mode, given back as it was. */
struct raw_mode {
    bool active;
    struct termios before;
};

static void raw_leave(struct raw_mode *raw)
{
    if (raw->active)
        (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &raw->before); /* the terminal may be gone */
    raw->active = false;
}

static void raw_enter(struct raw_mode *raw)
{
    struct termios now;

    if (tcgetattr(STDIN_FILENO, &raw->before) < 0)
        return; /* not a terminal: plain relay */
    now = raw->before;
    cfmakeraw(&now);
    raw->active = tcsetattr(STDIN_FILENO, TCSADRAIN, &now) == 0;
}

static void copy_size(int master_fd)
{
    struct winsize size;

    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        (void) ioctl(master_fd, TIOCSWINSZ, &size); /* a lost resize is repeated by the next */
}

/* 1 when bytes went through, 0 at the end, -errno. A pty whose slaves are closed answers EIO. */
static int pass(int from_fd, int to_fd)
{
    static char bytes[RELAY_BYTES];
    ssize_t n = read(from_fd, bytes, sizeof bytes);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 1;
    if (n == 0 || (n < 0 && errno == EIO))
        return 0;
    if (n < 0)
        return -errno;
    SUBLET_TRY(sub_write_all(to_fd, bytes, (size_t) n));
    return 1;
}

static int relay_signal(int signal_fd, int master_fd, int wait_fd)
{
    struct signalfd_siginfo info;

    if (read(signal_fd, &info, sizeof info) != (ssize_t) sizeof info)
        return 0;
    if (info.ssi_signo == SIGWINCH) {
        copy_size(master_fd);
        return 0;
    }
    int rc = sys_pidfd_signal(wait_fd, (int) info.ssi_signo);
    return rc == -ESRCH ? 0 : rc;
}

/* After the process has gone: what it wrote before is still in the pty. Other processes may hold
 * the terminal open for ever, so silence ends the wait, too. */
static int drain(int master_fd)
{
    struct pollfd wait = {.fd = master_fd, .events = POLLIN};

    for (;;) {
        int rc = sys_poll(&wait, 1, 0);
        if (rc <= 0)
            return 0;
        rc = pass(master_fd, STDOUT_FILENO);
        if (rc <= 0)
            return rc;
    }
}

static int relay(int master_fd, int wait_fd, int signal_fd)
{
    struct pollfd wait[4] = {
        {.fd = master_fd,    .events = POLLIN},
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = wait_fd,      .events = POLLIN},
        {.fd = signal_fd,    .events = POLLIN}
    };

    for (;;) {
        SUBLET_TRY(sys_poll(wait, 4, -1));
        if (wait[0].revents != 0) {
            int rc = pass(master_fd, STDOUT_FILENO);

            if (rc < 0)
                return rc;
            if (rc == 0)
                wait[0].fd = -1; /* closed by all; the process itself may live on */
        }
        if (wait[1].revents != 0) {
            int rc = pass(STDIN_FILENO, master_fd);

            if (rc == 0 && wait[0].fd >= 0)
                (void) sub_write_all(master_fd, "\4", 1); /* end of input, as a terminal says it */
            if (rc <= 0)
                wait[1].fd = -1;
        }
        if (wait[3].revents != 0)
            SUBLET_TRY(relay_signal(signal_fd, master_fd, wait_fd));
        if (wait[2].revents != 0)
            return drain(master_fd);
    }
}

int proc_tty_relay(int master_fd, int wait_fd, struct sub_err *err)
{
    __attribute__((cleanup(raw_leave))) struct raw_mode raw = {.active = false};
    sigset_t set, before;

    (void) sigemptyset(&set);
    (void) sigaddset(&set, SIGWINCH);
    (void) sigaddset(&set, SIGTERM);
    (void) sigaddset(&set, SIGHUP);
    (void) sigaddset(&set, SIGINT);
    (void) sigaddset(&set, SIGQUIT);
    (void) sigprocmask(SIG_BLOCK, &set, &before);

    OWNED_FD signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0)
        return sub_fail(err, errno, NULL, "signalfd: %s", sub_strerror(errno));

    copy_size(master_fd);
    raw_enter(&raw);
    int rc = relay(master_fd, wait_fd, signals);
    (void) sigprocmask(SIG_SETMASK, &before, NULL);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "terminal: %s", sub_strerror(-rc));
    return 0;
}
