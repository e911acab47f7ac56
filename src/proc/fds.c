/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/proc.h"
#include "sublet/sys.h"

#define NULL_MAJOR 1
#define NULL_MINOR 3

/* Those of systemd come first. */
static int not_open(uint32_t fd, uint32_t listen_fds, uint32_t preserve_fds, struct sub_err *err)
{
    if (fd - 3 < listen_fds) {
        return sub_fail(err, EBADF, "LISTEN_FDS",
                        "the environment tells of %u sockets from descriptor 3 on, but descriptor "
                        "%u is not open",
                        listen_fds, fd);
    }
    return sub_fail(err, EBADF, NULL, "--preserve-fds %u: descriptor %u is not open",
                    preserve_fds - listen_fds, fd);
}

int proc_fds_init(uint32_t preserve_fds, uint32_t listen_fds, struct sub_err *err)
{
    (void) umask(0022); /* the caller's may be anything, and hooks inherit it */
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        /* the lowest free number is the one wanted, since all below are open */
        if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) < 0) /* stays open across exec */
            return sub_fail(err, errno, "/dev/null", "cannot open: %s", sub_strerror(errno));
    }

    for (uint32_t i = 0; i < preserve_fds; i++) {
        if (fcntl((int) (3 + i), F_GETFD) < 0)
            return not_open(3 + i, listen_fds, preserve_fds, err);
    }

    int rc = sys_close_range(3 + preserve_fds, ~0U, CLOSE_RANGE_CLOEXEC);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "close_range: %s", sub_strerror(-rc));
    return 0;
}

void proc_signals_reset(void)
{
    struct sigaction fallback = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        (void) sigaction(number, &fallback, NULL); /* KILL, STOP and libc's own refuse */
    (void) sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with these arguments */
}

static bool is_null(int fd)
{
    struct stat st;

    return sys_fstat(fd, &st) >= 0 && S_ISCHR(st.st_mode) &&
           st.st_rdev == makedev(NULL_MAJOR, NULL_MINOR);
}

/* O_NONBLOCK: who put a fifo there does not hold us up. */
static int open_null(int root_fd, int access, struct sub_err *err)
{
    OWNED_FD fd = sys_open_in(root_fd, "dev/null", access | O_NONBLOCK | O_NOCTTY, 0);

    if (fd < 0) {
        return sub_fail(err, -fd, NULL,
                        "stdio is the host's /dev/null and that of the container cannot be opened: "
                        "%s",
                        sub_strerror(-fd));
    }
    if (!is_null(fd) || fcntl(fd, F_SETFL, access) < 0) {
        return sub_fail(err, EINVAL, NULL,
                        "stdio is the host's /dev/null and that of the container is none");
    }
    return sub_take_fd(&fd);
}

int proc_stdio_null(int root_fd, bool may_be_missing, struct sub_err *err)
{
    for (int fd = 0; fd < 3; fd++) {
        if (!is_null(fd))
            continue;

        OWNED_FD null = open_null(root_fd, fcntl(fd, F_GETFL) & O_ACCMODE, err);
        if (null == -ENOENT && may_be_missing) {
            sub_err_clear(err);
            return 0;
        }
        int rc = null < 0 ? null : sys_dup_to(null, fd);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int proc_stdio_chown(uint32_t uid)
{
    for (int fd = 0; fd < 3; fd++) {
        struct stat st;

        if (fstat(fd, &st) < 0 || st.st_uid == uid)
            continue;
        if (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode) && isatty(fd) != 1)
            continue;

        int rc = sys_fchown(fd, uid, (gid_t) -1);
        /* a pipe of an unmapped owner or on a read-only file system stays as it is */
        if (rc < 0 && rc != -EPERM && rc != -EROFS && rc != -EINVAL)
            return rc;
    }
    return 0;
}
