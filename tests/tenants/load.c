/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load for the proof of contracts, and the eye that looks at it.
 *   load hog THREADS               computes for ever
 *   load burn MS                   computes until it has used so much CPU time
 *   load pulse THREADS ON OFF      computes ON ms, sleeps OFF ms, in step
 *   load random THREADS ON OFF     the same out of step, each time anything from 0 ms up to that
 *   load read FILE BYTES THREADS   reads FILE again and again, past the page cache, so many at once
 *   load write FILE BYTES THREADS  the same, writing
 *   load fill FILE BYTES           writes FILE again and again through the page cache
 *   load walk FILE                 reads FILE again and again through the page cache
 *   load hold MIB                  takes that much memory and keeps it
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

static void *compute_random(void *argument)
{
    const struct rhythm *rhythm = argument;
    unsigned seed = (unsigned) now_us();

    for (;;) {
        int64_t until_us = now_us() + rand_r(&seed) % rhythm->on_us;

        while (now_us() < until_us)
            continue;
        sleep_until(now_us() + rand_r(&seed) % rhythm->off_us);
    }
    return NULL;
}

static int work(int threads, void *(*compute_so)(void *), struct rhythm *rhythm)
{
    pthread_t thread;

    for (int i = 1; i < threads && i < THREADS_MAX; i++) {
        if (pthread_create(&thread, NULL, compute_so, rhythm) != 0)
            return 1;
    }
    (void) compute_so(rhythm);
    return 0;
}

static int burn(int64_t us)
{
    struct timespec used = {0, 0};

    while ((int64_t) used.tv_sec * 1000000 + used.tv_nsec / 1000 < us) {
        for (volatile int i = 0; i < 2000; i++)
            continue;
        (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    }
    return 0;
}

#define FILE_BYTES (64ll << 20) /* of what is written */
#define ALIGNED    4096

struct transfer {
    const char *path;
    size_t size_bytes;
    int flags;      /* of open(2) */
    off_t at_bytes; /* where a thread begins */
};

/* All of the file, then from its beginning. */
static void *move(void *argument)
{
    const struct transfer *transfer = argument;
    bool is_write = (transfer->flags & O_ACCMODE) != O_RDONLY;
    int fd = open(transfer->path, transfer->flags | O_CLOEXEC, 0600);
    off_t at_bytes = transfer->at_bytes;
    void *data;

    if (fd < 0 || posix_memalign(&data, ALIGNED, transfer->size_bytes) != 0) {
        perror(transfer->path);
        exit(1);
    }
    memset(data, 'x', transfer->size_bytes);
    for (;;) {
        ssize_t n = is_write ? pwrite(fd, data, transfer->size_bytes, at_bytes)
                             : pread(fd, data, transfer->size_bytes, at_bytes);

        if (n < 0) {
            perror(transfer->path);
            exit(1);
        }
        at_bytes += n;
        if (n == 0 || (is_write && at_bytes >= FILE_BYTES))
            at_bytes = 0;
    }
    return NULL;
}

static int transfer(struct transfer first, int threads)
{
    static struct transfer each[THREADS_MAX];
    pthread_t thread;

    for (int i = 0; i < threads && i < THREADS_MAX; i++) {
        each[i] = first;
        each[i].at_bytes = i * (FILE_BYTES / THREADS_MAX);
        if (i > 0 && pthread_create(&thread, NULL, move, &each[i]) != 0)
            return 1;
    }
    (void) move(&each[0]);
    return 0;
}

static int hold(size_t size_bytes)
{
    volatile char *memory = malloc(size_bytes);

    if (memory == NULL)
        return 1;
    for (size_t at = 0; at < size_bytes; at += ALIGNED)
        memory[at] = 1;
    for (;;)
        (void) pause();
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

    if (argc == 5 && strcmp(argv[1], "read") == 0)
        return transfer((struct transfer){argv[2], (size_t) atoll(argv[3]), O_RDONLY | O_DIRECT, 0},
                        atoi(argv[4]));
    if (argc == 5 && strcmp(argv[1], "write") == 0)
        return transfer(
            (struct transfer){argv[2], (size_t) atoll(argv[3]), O_WRONLY | O_CREAT | O_DIRECT, 0},
            atoi(argv[4]));
    if (argc == 4 && strcmp(argv[1], "fill") == 0)
        return transfer((struct transfer){argv[2], (size_t) atoll(argv[3]), O_WRONLY | O_CREAT, 0},
                        1);
    if (argc == 3 && strcmp(argv[1], "walk") == 0)
        return transfer((struct transfer){argv[2], 65536, O_RDONLY, 0}, 1);
    if (argc == 3 && strcmp(argv[1], "hold") == 0)
        return hold((size_t) atoll(argv[2]) << 20);
    if (argc == 3 && strcmp(argv[1], "hog") == 0)
        return work(atoi(argv[2]), compute, &rhythm);
    if (argc == 3 && strcmp(argv[1], "burn") == 0)
        return burn(atoll(argv[2]) * 1000);
    if (argc == 5 && (strcmp(argv[1], "pulse") == 0 || strcmp(argv[1], "random") == 0)) {
        rhythm = (struct rhythm){atoll(argv[3]) * 1000, atoll(argv[4]) * 1000};
        return work(atoi(argv[2]), argv[1][0] == 'p' ? compute : compute_random, &rhythm);
    }
    if (argc > 4 && argc <= 4 + GROUPS_MAX && strcmp(argv[1], "sample") == 0)
        return sample(atoll(argv[2]) * 1000, atoi(argv[3]), argv + 4, argc - 4);
    (void) fprintf(
        stderr, "usage: load hog N | burn MS | pulse|random N ON OFF | read|write FILE BYTES N | "
                "fill FILE BYTES | walk FILE | hold MIB | sample MS COUNT GROUP...\n");
    return 2;
}
