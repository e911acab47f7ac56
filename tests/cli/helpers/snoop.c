/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snoop SECONDS: from inside of a container, looks for other processes of its pid namespace and
 * tries to trace them, to open what they have open, and to open their program for writing. Prints
 * a line for each success, and the number of processes looked at.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <time.h>
#include <unistd.h>

static unsigned long looked;

static void try_trace(pid_t pid)
{
    if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
        (void) printf("attached to %d\n", (int) pid);
        (void) ptrace(PTRACE_DETACH, pid, 0, 0);
    }
}

static void try_fds(pid_t pid)
{
    char path[64], target[4096];

    for (int fd = 0; fd < 24; fd++) {
        (void) snprintf(path, sizeof path, "/proc/%d/fd/%d", (int) pid, fd);
        ssize_t n = readlink(path, target, sizeof target - 1);
        int opened = open(path, O_PATH);

        if (n > 0)
            (void) printf("read link %s: %.*s\n", path, (int) n, target);
        if (opened >= 0) {
            (void) printf("opened %s\n", path);
            (void) close(opened);
        }
    }
}

static void try_exe(pid_t pid)
{
    char path[64];

    (void) snprintf(path, sizeof path, "/proc/%d/exe", (int) pid);
    int fd = open(path, O_WRONLY);
    if (fd >= 0) {
        (void) printf("opened %s for writing\n", path);
        (void) close(fd);
    }
}

int main(int argc, char **argv)
{
    time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 2);

    while (time(NULL) < end) {
        DIR *proc = opendir("/proc");
        const struct dirent *entry;

        while (proc != NULL && (entry = readdir(proc)) != NULL) {
            pid_t pid = atoi(entry->d_name);

            if (pid <= 1 || pid == getpid())
                continue;
            looked++;
            try_trace(pid);
            try_fds(pid);
            try_exe(pid);
        }
        if (proc != NULL)
            (void) closedir(proc);
    }
    (void) printf("looked %s\n", looked > 0 ? "at others" : "in vain");
    return 0;
}
