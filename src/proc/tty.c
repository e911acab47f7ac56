/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/ioctl.h>
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

int proc_tty_receive(int socket_fd, int *ret_master, struct sub_err *err)
{
    char name[64];
    int master = -EBADF;
    ssize_t n = sys_recv_fd(socket_fd, name, sizeof name, &master);

    if (n <= 0 || master < 0)
        return sub_fail(err, EPROTO, "process.terminal", "the terminal did not arrive");
    *ret_master = master;
    return 0;
}
