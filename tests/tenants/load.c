/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load for the proof of contracts, and the eye that looks at it.
 *   load hog THREADS               computes for ever
 *   load pulse THREADS ON OFF      computes ON ms, sleeps OFF ms, in step
 *   load sample MS COUNT GROUP...  prints COUNT lines: microseconds passed, and the CPU time of
 *                                    each group in them (cpu.stat); real-time, so that no load
 *                                    keeps it from looking
 * Static, so that it runs in any root.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GROUPS_MAX  64
#define THREADS_MAX 256

struct rhythm {
    int64_t on_us, off_us; /* off 0: no pause */
};

static int64_t now_us(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void sleep_until(int64_t us)
{
    const struct timespec until = {us / 1000000, us % 1000000 * 1000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}

static void *compute(void *argument)
{
    const struct rhythm *rhythm = argument;
    int64_t period_us = rhythm->on_us + rhythm->off_us;

    for (;;) {
        int64_t began_us = now_us() / (period_us + (period_us == 0)) * period_us;

        if (rhythm->off_us == 0)
            began_us = 0;
        while (rhythm->off_us == 0 || now_us() < began_us + rhythm->on_us) {
            for (volatile int i = 0; i < 2000; i++)
                continue;
        }
        sleep_until(began_us + period_us);
    }
    return NULL;
}

static int work(int threads, struct rhythm *rhythm)
{
    pthread_t thread;

    for (int i = 1; i < threads && i < THREADS_MAX; i++) {
        if (pthread_create(&thread, NULL, compute, rhythm) != 0)
            return 1;
    }
    (void) compute(rhythm);
    return 0;
}

/* cpu.stat begins with "usage_usec N". */
static int64_t usage_us(int fd)
{
    char text[512];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);

    if (n <= 0 || strncmp(text, "usage_usec ", 11) != 0)
        exit(1);
    text[n] = '\0';
    return strtoll(text + 11, NULL, 10);
}

static int sample(int64_t interval_us, int count, char **groups, int group_count)
{
    const struct sched_param first = {.sched_priority = 50};
    int64_t before_us[GROUPS_MAX], last_us, due_us;
    int fds[GROUPS_MAX];

    (void) sched_setscheduler(0, SCHED_FIFO, &first);
    for (int i = 0; i < group_count; i++) {
        char path[512];

        (void) snprintf(path, sizeof path, "%s/cpu.stat", groups[i]);
        fds[i] = open(path, O_RDONLY | O_CLOEXEC);
        if (fds[i] < 0) {
            perror(path);
            return 1;
        }
        before_us[i] = usage_us(fds[i]);
    }
    last_us = due_us = now_us();
    for (int line = 0; line < count; line++) {
        due_us += interval_us;
        sleep_until(due_us);

        int64_t at_us = now_us();
        (void) printf("%" PRId64, at_us - last_us);
        for (int i = 0; i < group_count; i++) {
            int64_t used_us = usage_us(fds[i]);

            (void) printf(" %" PRId64, used_us - before_us[i]);
            before_us[i] = used_us;
        }
        (void) puts("");
        last_us = at_us;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct rhythm rhythm = {0};

    if (argc == 3 && strcmp(argv[1], "hog") == 0)
        return work(atoi(argv[2]), &rhythm);
    if (argc == 5 && strcmp(argv[1], "pulse") == 0) {
        rhythm = (struct rhythm){atoll(argv[3]) * 1000, atoll(argv[4]) * 1000};
        return work(atoi(argv[2]), &rhythm);
    }
    if (argc > 4 && argc <= 4 + GROUPS_MAX && strcmp(argv[1], "sample") == 0)
        return sample(atoll(argv[2]) * 1000, atoi(argv[3]), argv + 4, argc - 4);
    (void) fprintf(stderr, "usage: load hog N | pulse N ON OFF | sample MS COUNT GROUP...\n");
    return 2;
}
