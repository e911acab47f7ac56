/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "sublet/sys.h"

#include "result.h"

int sys_pidfd_open(pid_t pid)
{
    return result(syscall(SYS_pidfd_open, pid, 0));
}

int sys_pidfd_signal(int pidfd, int signal)
{
    return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int sys_kill_group(pid_t leader, int signal)
{
    return leader > 1 ? result(kill(-leader, signal)) : -EINVAL;
}

int sys_pidfd_wait(int pidfd, int options, int *ret_status)
{
    siginfo_t info = {.si_pid = 0};
    long rc;

    do {
        rc = waitid(P_PIDFD, (id_t) pidfd, &info, WEXITED | options);
    } while (rc < 0 && errno == EINTR);
    if (rc < 0)
        return -errno;
    if (info.si_pid == 0)
        return -EAGAIN;
    /* as wait(2) encodes it, so that the callers can use WIFEXITED and its sisters */
    *ret_status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8
                                             : info.si_status | (info.si_code == CLD_DUMPED) << 7;
    return 0;
}

void sys_reap_all(void)
{
    siginfo_t info;

    do {
        info.si_pid = 0;
    } while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL) == 0 && info.si_pid != 0);
}

int sys_prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return result(prctl(option, a, b, c, d));
}

int sys_capget(uint64_t *ret_permitted)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    *ret_permitted = (uint64_t) data[1].permitted << 32 | data[0].permitted;
    return 0;
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    return result(syscall(SYS_close_range, first, last, flags));
}

int sys_dup_to(int fd, int target)
{
    if (fd == target) {
        int flags = fcntl(fd, F_GETFD);

        return flags < 0 ? -errno : result(fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC));
    }
    return result(dup3(fd, target, 0));
}

int sys_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
    return result(syscall(SYS_execveat, fd, path, argv, envp, flags));
}

int sys_memfd(const char *name, unsigned flags)
{
    return result(memfd_create(name, flags | MFD_CLOEXEC));
}

int sys_seal(int fd, int seals)
{
    return result(fcntl(fd, F_ADD_SEALS, seals));
}

int sys_setsid(void)
{
    return result(setsid());
}

int sys_setresuid(uid_t real, uid_t effective, uid_t saved)
{
    return result(setresuid(real, effective, saved));
}

int sys_setresgid(gid_t real, gid_t effective, gid_t saved)
{
    return result(setresgid(real, effective, saved));
}

int sys_chdir_as(const char *path, uid_t uid, gid_t gid)
{
    int old_gid = setfsgid(gid);
    int old_uid = setfsuid(uid);
    int rc = result(chdir(path));

    (void) setfsuid((uid_t) old_uid);
    (void) setfsgid((gid_t) old_gid);
    return rc;
}

int sys_setrlimit(int resource, const struct rlimit *limit)
{
    return result(setrlimit((__rlimit_resource_t) resource, limit));
}

int sys_getrlimit(int resource, struct rlimit *ret_limit)
{
    return result(getrlimit((__rlimit_resource_t) resource, ret_limit));
}

int sys_sched_setattr(pid_t pid, const void *attr)
{
    return result(syscall(SYS_sched_setattr, pid, attr, 0));
}

int sys_ioprio_set(int which, int who, int value)
{
    return result(syscall(SYS_ioprio_set, which, who, value));
}

int sys_sched_setaffinity(pid_t pid, const uint64_t *mask, size_t word_count)
{
    return result(syscall(SYS_sched_setaffinity, pid, word_count * sizeof *mask, mask));
}

int sys_tty_peer(int master_fd)
{
    return result(ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
}

int sys_tty_set_size(int fd, uint16_t rows, uint16_t columns)
{
    struct winsize size = {.ws_row = rows, .ws_col = columns};

    return result(ioctl(fd, TIOCSWINSZ, &size));
}

int sys_tty_make_controlling(int fd)
{
    return result(ioctl(fd, TIOCSCTTY, 0));
}

int sys_poll(struct pollfd *fds, size_t count, int timeout_ms)
{
    uint64_t until = sys_now_ms() + (uint64_t) (timeout_ms < 0 ? 0 : timeout_ms);

    for (;;) {
        int rc = poll(fds, count, timeout_ms);

        if (rc > 0)
            return rc;
        if (rc == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
        if (timeout_ms >= 0) {
            uint64_t now = sys_now_ms();

            timeout_ms = now >= until ? 0 : (int) (until - now);
        }
    }
}

uint64_t sys_now_ms(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: the clock always exists */
    return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

int sys_signals_open(const int *signals)
{
    sigset_t set;

    (void) sigemptyset(&set);
    for (; *signals != 0; signals++)
        (void) sigaddset(&set, *signals);
    (void) sigprocmask(SIG_BLOCK, &set, NULL);
    return result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}
