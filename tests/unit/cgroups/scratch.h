/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real groups for a test: everything lies below /sublet-unit-PID, which is removed when the suite
 * ends, also after a failed test (the fixture runs in the parent).
 */
#ifndef TESTS_CGROUPS_SCRATCH_H
#define TESTS_CGROUPS_SCRATCH_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "sublet/base/fd.h"
#include "sublet/cgroups.h"

#include "runner.h"

struct scratch {
    bool usable;
    const char *why_not;
    int root_fd;
    struct cgroups_host host;
    uint32_t enabled; /* at the root before the tests */
    char base[64];
    bool measures; /* times mean something: neither emulated nor sanitized */
};
extern struct scratch scratch;

void scratch_open(void);
void scratch_close(void);

/* "/sublet-unit-PID/name" in one of a few rotating buffers. */
const char *scratch_path(const char *name);

/* A child that sleeps in the group until it is killed; its fds are pipes nobody reads. */
pid_t sleeper_in(int cgroup_fd);
/* A child that uses the CPU for so long, and ends. */
pid_t spinner_in(int cgroup_fd, unsigned cpu_ms);
/* 128 + signal, or the exit status. */
int reap(pid_t pid);

/* Write and read without the room under test. */
int raw_write(const char *path, const char *file, const char *text);
bool raw_exists(const char *path);

#define NEEDS_GROUPS()                                                              \
    do {                                                                            \
        if (!scratch.usable) {                                                      \
            (void) fprintf(stderr, "skipped: %s: %s\n", __func__, scratch.why_not); \
            return;                                                                 \
        }                                                                           \
    } while (0)

#define NEEDS_CONTROLLERS(bits)                                                                  \
    do {                                                                                         \
        NEEDS_GROUPS();                                                                          \
        if (((bits) & ~scratch.host.available) != 0) {                                           \
            (void) fprintf(stderr, "skipped: %s: this host's cgroup v2 lacks the controllers\n", \
                           __func__);                                                            \
            return;                                                                              \
        }                                                                                        \
    } while (0)

#define SCRATCH_SUITE(name, ...)                                         \
    Suite *name(void);                                                   \
    Suite *name(void)                                                    \
    {                                                                    \
        const TTest *const tests[] = {__VA_ARGS__};                      \
        Suite *suite = suite_create(#name);                              \
        TCase *cases = tcase_create(#name);                              \
        tcase_set_timeout(cases, 30);                                    \
        tcase_add_unchecked_fixture(cases, scratch_open, scratch_close); \
        for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)        \
            tcase_add_test(cases, tests[i]);                             \
        suite_add_tcase(suite, cases);                                   \
        return suite;                                                    \
    }

#endif
