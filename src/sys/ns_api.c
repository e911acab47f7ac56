/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/keyctl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sublet/sys.h"

#include "result.h"

int setns(int fd, int kinds);
int unshare(int flags);

pid_t sys_clone(const struct sys_clone *args)
{
    int pidfd = -EBADF;
    struct clone_args raw = {.flags = args->flags | CLONE_PIDFD,
                             .pidfd = (uintptr_t) &pidfd,
                             .exit_signal = (args->flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD};

    if (args->cgroup_fd >= 0) {
        raw.flags |= CLONE_INTO_CGROUP;
        raw.cgroup = (unsigned) args->cgroup_fd;
    }

    pid_t pid = result(syscall(SYS_clone3, &raw, sizeof raw));
    if (pid <= 0)
        return pid;
    if (args->ret_pidfd != NULL)
        *args->ret_pidfd = pidfd;
    else
        (void) close(pidfd);
    return pid;
}

int sys_setns(int fd, int kinds)
{
    return result(setns(fd, kinds));
}

int sys_unshare(int flags)
{
    return result(unshare(flags));
}

int sys_ns_kind(int fd)
{
    return result(ioctl(fd, NS_GET_NSTYPE));
}

#ifndef NS_GET_TGID_FROM_PIDNS
#define NS_GET_TGID_FROM_PIDNS _IOR(NSIO, 0x7, int)
#endif

pid_t sys_pid_from_ns(int pid_ns_fd, pid_t pid)
{
    return result(ioctl(pid_ns_fd, NS_GET_TGID_FROM_PIDNS, pid));
}

int sys_sethostname(const char *name)
{
    return result(sethostname(name, strlen(name)));
}

int sys_setdomainname(const char *name)
{
    return result(setdomainname(name, strlen(name)));
}

int sys_join_session_keyring(const char *name)
{
    return result(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name));
}
