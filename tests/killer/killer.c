/* SPDX-License-Identifier: Apache-2.0 */
/*
 * killer ROUNDS LATEST_MS PAUSE_MS FILE PROGRAM ARG...: starts the program and ends it with
 * SIGKILL, as many times. Every other round it waits until FILE was written, and up to 2 ms more;
 * in the others any time up to LATEST_MS. After each twentieth kill nothing runs for PAUSE_MS.
 * Prints how many were killed, and how many of those within 2 ms of a write.
 *
 * In the emulated guest a shell that did the same would take most of its time for itself.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_EVERY   20
#define AFTER_US      2000
#define WRITE_WAIT_MS 10000

static void pause_us(long us)
{
    const struct timespec time = {us / 1000000, us % 1000000 * 1000};

    (void) nanosleep(&time, NULL);
}

static long up_to(long us)
{
    return us * (random() & 0xffff) / 0xffff;
}

static pid_t start(char **argv)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;

    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        (void) dup2(null, fd);
    (void) execv(argv[0], argv);
    _exit(127);
}

static void drain(int watch)
{
    char events[4096];

    while (read(watch, events, sizeof events) > 0)
        ;
}

static int wait_for_write(int watch)
{
    struct pollfd wait = {.fd = watch, .events = POLLIN};

    return poll(&wait, 1, WRITE_WAIT_MS) == 1;
}

/* 0: it had ended by itself. */
static int kill_it(pid_t pid)
{
    int status;

    (void) kill(pid, SIGKILL);
    return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

int main(int argc, char **argv)
{
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    int killed = 0, written = 0;

    if (argc < 6 || inotify_add_watch(watch, argv[4], IN_MODIFY) < 0)
        return 2;
    srandom((unsigned) getpid());

    int rounds = atoi(argv[1]);
    long latest_us = atol(argv[2]) * 1000, off_us = atol(argv[3]) * 1000;
    for (int round = 0; round < rounds; round++) {
        int met = 0;

        drain(watch);
        pid_t pid = start(argv + 5);
        if (pid < 0)
            return 2;
        if (round % 2 == 0)
            met = wait_for_write(watch);
        pause_us(up_to(met ? AFTER_US : latest_us));
        if (!kill_it(pid))
            return 1;
        killed++;
        written += met;
        if (round % PAUSE_EVERY == PAUSE_EVERY - 1)
            pause_us(off_us);
    }
    (void) printf("%d killed, %d at a write\n", killed, written);
    return 0;
}
