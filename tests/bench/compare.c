/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare ROUNDS LABEL COMMAND... -- LABEL COMMAND... -- ...
 *
 * Runs the commands in turn, ROUNDS times each, and prints the median and the lower quartile of
 * each and its ratio to the first one. Turn by turn, because times on a shared machine drift:
 * only what was measured side by side may be compared.
 */
#include <err.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 16

struct command {
    char *label, **argv;
    double *times_us;
    long peak_kib;
};

extern char **environ;

static double now_us(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec * 1e6 + (double) now.tv_nsec / 1e3;
}

static void run_once(struct command *command, int round)
{
    posix_spawn_file_actions_t files;
    struct rusage usage;
    pid_t pid;
    int status;

    (void) posix_spawn_file_actions_init(&files);
    (void) posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    (void) posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);

    double before = now_us();
    if (posix_spawn(&pid, command->argv[0], &files, NULL, command->argv, environ) != 0)
        errx(1, "cannot run %s", command->argv[0]);
    if (wait4(pid, &status, 0, &usage) < 0 || status != 0)
        errx(1, "%s failed (status %d)", command->label, status);
    command->times_us[round] = now_us() - before;
    if (usage.ru_maxrss > command->peak_kib)
        command->peak_kib = usage.ru_maxrss;
    (void) posix_spawn_file_actions_destroy(&files);
}

static int by_value(const void *a, const void *b)
{
    double one = *(const double *) a, other = *(const double *) b;

    return (one > other) - (one < other);
}

int main(int argc, char **argv)
{
    struct command commands[COMMANDS_MAX];
    int count = 0, rounds = argc > 1 ? atoi(argv[1]) : 0;

    for (int i = 2; i < argc && count < COMMANDS_MAX; i++) {
        commands[count] = (struct command){.label = argv[i], .argv = &argv[i + 1]};
        commands[count++].times_us = calloc((size_t) rounds + 1, sizeof(double));
        while (i < argc && strcmp(argv[i], "--") != 0)
            i++;
        if (i < argc)
            argv[i] = NULL;
    }
    if (rounds < 1 || count == 0)
        errx(2, "usage: compare ROUNDS LABEL COMMAND... [-- LABEL COMMAND...]...");

    for (int round = -3; round < rounds; round++) {
        for (int i = 0; i < count; i++)
            run_once(&commands[i], round < 0 ? 0 : round); /* three rounds to warm up */
    }

    double base = 0;
    printf("%-28s %12s %12s %8s %10s\n", "", "median us", "quartile us", "ratio", "peak KiB");
    for (int i = 0; i < count; i++) {
        qsort(commands[i].times_us, (size_t) rounds, sizeof(double), by_value);
        double median = commands[i].times_us[rounds / 2];

        if (i == 0)
            base = median;
        printf("%-28s %12.0f %12.0f %8.2f %10ld\n", commands[i].label, median,
               commands[i].times_us[rounds / 4], median / base, commands[i].peak_kib);
    }
    return 0;
}
