/* SPDX-License-Identifier: Apache-2.0 */
/* Processes: how many the kernel lets be, and a crowd in groups below the container's own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker.h"

static pid_t fork_sleeper(void)
{
    pid_t child = fork();

    if (child == 0) {
        for (;;)
            (void) pause();
    }
    return child;
}

/* fork N: tries for so many processes beside itself; prints how many there were and what stopped it
 */
int mode_fork(struct work *work)
{
    uint64_t wanted = number(work->arguments[0]), made = 0;
    int error = 0;

    while (made < wanted && error == 0) {
        if (fork_sleeper() < 0)
            error = errno;
        else
            made++;
    }
    (void) printf("forked %llu %s\n", (unsigned long long) made,
                  error == 0 ? "all" : strerrorname_np(error));
    (void) kill(-1, SIGKILL);
    return 0;
}

/* Born in the group: to move a process there waits for every CPU of the machine. */
static pid_t fork_into(int group_fd)
{
    struct clone_args args = {
        .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (unsigned) group_fd};
    pid_t child = (pid_t) syscall(SYS_clone3, &args, sizeof args);

    if (child == 0) {
        for (;;)
            (void) pause();
    }
    return child;
}

/* So many processes in a group, the first of them stopped. */
static int fill_group(const char *group, uint64_t count, uint64_t stopped)
{
    int fd = mkdir(group, 0755) < 0 ? -1 : open(group, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return complain(group);
    for (uint64_t i = 0; i < count; i++) {
        pid_t child = fork_into(fd);

        if (child < 0)
            return complain(group);
        if (i < stopped)
            (void) kill(child, SIGSTOP);
    }
    (void) close(fd);
    return 0;
}

/* crowd LEVELS PROCESSES STOPPED: groups one below the other, so many processes in each */
int mode_crowd(struct work *work)
{
    uint64_t levels = number(work->arguments[0]);
    char group[256] = "/sys/fs/cgroup";

    for (uint64_t level = 0; level < levels; level++) {
        size_t length = strlen(group);

        (void) snprintf(group + length, sizeof group - length, "/%llu", (unsigned long long) level);
        if (fill_group(group, number(work->arguments[1]), number(work->arguments[2])) != 0)
            return 1;
    }
    atomic_store(&work->slot->ready, 1);
    for (;;)
        (void) pause();
}
