/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sublet/sys.h"

#include "result.h"

int sys_mount_id(int dir_fd, const char *path, uint64_t *ret_id)
{
    struct statx found;

    if (statx(dir_fd, path, AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &found) < 0)
        return -errno;
    if ((found.stx_mask & STATX_MNT_ID) == 0)
        return -EOPNOTSUPP;
    *ret_id = found.stx_mnt_id;
    return 0;
}

int sys_lock(int fd)
{
    return result(flock(fd, LOCK_EX | LOCK_NB));
}

int sys_unlock(int fd)
{
    return result(flock(fd, LOCK_UN));
}

static void wake(int number)
{
    (void) number; /* all it has to do is to interrupt flock */
}

/* flock has no deadline of its own: a timer interrupts it. It ticks more than once, for the case
 * that the first tick comes just before the wait begins. The caller may have blocked the signal, as
 * a foreground `run` does: the tick would not interrupt then, but stay pending and end the program
 * when it is unblocked. */
static int lock_with_timer(int fd, uint64_t until_ms)
{
    struct sigaction on_tick = {.sa_handler = wake}, before;
    struct itimerval tick =
                         {
                             {.tv_usec = 100000},
                             {.tv_usec = 100000}
    },
                     off = {{0, 0}, {0, 0}};
    sigset_t alarm, blocked;
    int rc;

    (void) sigemptyset(&alarm);
    (void) sigaddset(&alarm, SIGALRM);
    (void) sigaction(SIGALRM, &on_tick, &before);
    (void) sigprocmask(SIG_UNBLOCK, &alarm, &blocked);
    (void) setitimer(ITIMER_REAL, &tick, NULL);
    do {
        rc = flock(fd, LOCK_EX) == 0 ? 0 : -errno;
    } while (rc == -EINTR && sys_now_ms() < until_ms);
    (void) setitimer(ITIMER_REAL, &off, NULL);
    (void) sigprocmask(SIG_SETMASK, &blocked, NULL);
    (void) sigaction(SIGALRM, &before, NULL);
    return rc == -EINTR ? -EBUSY : rc;
}

int sys_lock_within(int fd, int limit_ms)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno != EWOULDBLOCK)
        return -errno;
    return lock_with_timer(fd, sys_now_ms() + (uint64_t) limit_ms);
}

ssize_t sys_getdents(int dir_fd, void *entries, size_t size)
{
    return result(syscall(SYS_getdents64, dir_fd, entries, size));
}

ssize_t sys_copy_data(int from_fd, int to_fd, size_t size)
{
    ssize_t n = sendfile(to_fd, from_fd, NULL, size);

    return n < 0 ? -errno : n;
}

int sys_fchmod(int fd, mode_t mode)
{
    return result(fchmod(fd, mode));
}

int sys_set_times(int fd, const struct timespec times[2])
{
    return result(futimens(fd, times));
}

int sys_set_times_at(int dir_fd, const char *name, const struct timespec times[2])
{
    return result(utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW));
}

ssize_t sys_list_xattrs(int fd, char *names, size_t size)
{
    ssize_t n = flistxattr(fd, names, size);

    return n < 0 ? -errno : n;
}

ssize_t sys_get_xattr(int fd, const char *name, void *value, size_t size)
{
    ssize_t n = fgetxattr(fd, name, value, size);

    return n < 0 ? -errno : n;
}

int sys_set_xattr(int fd, const char *name, const void *value, size_t size)
{
    return result(fsetxattr(fd, name, value, size, 0));
}
