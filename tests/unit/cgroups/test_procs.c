/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sublet/sys.h"

#include "scratch.h"

static const char WHERE[] = "linux.cgroupsPath";

static int by_number(const void *a, const void *b)
{
    return *(const pid_t *) a - *(const pid_t *) b;
}

START_TEST(kill_ends_the_group_and_everything_below)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP outer = CGROUP_NONE, inner = CGROUP_NONE;

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("kill"), 0, WHERE, &outer, &err), &err);
    ck_ok(cgroup_make(scratch.root_fd, scratch_path("kill/in"), 0, WHERE, &inner, &err), &err);
    ck_assert_int_eq(cgroup_populated(outer.dir_fd), 0);
    pid_t a = sleeper_in(outer.dir_fd), b = sleeper_in(inner.dir_fd);
    ck_assert_int_eq(cgroup_populated(outer.dir_fd), 1);

    ck_assert_int_eq(cgroup_wait_empty(outer.dir_fd, 20, &err), -ETIMEDOUT);
    ck_assert_ptr_nonnull(strstr(err.text, "cgroup busy after 20 ms: pids "));
    sub_err_clear(&err);
    ck_ok(cgroup_kill(outer.dir_fd, &err), &err);
    ck_ok(cgroup_wait_empty(outer.dir_fd, 5000, &err), &err);
    ck_assert_int_eq(cgroup_populated(outer.dir_fd), 0);
    ck_assert_int_eq(reap(a), 128 + SIGKILL);
    ck_assert_int_eq(reap(b), 128 + SIGKILL);
}
END_TEST

START_TEST(the_wait_ends_with_the_last_process_not_with_the_deadline)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("wait"), 0, WHERE, &group, &err), &err);
    struct sys_clone args = {.cgroup_fd = group.dir_fd};
    pid_t pid = sys_clone(&args);
    if (pid == 0) {
        (void) usleep(50000);
        _exit(3);
    }
    uint64_t start = sys_now_ms();
    ck_ok(cgroup_wait_empty(group.dir_fd, 20000, &err), &err);
    uint64_t spent = sys_now_ms() - start;
    ck_assert_uint_ge(spent, 40);
    ck_assert_uint_lt(spent, 5000);
    ck_assert_int_eq(reap(pid), 3);
}
END_TEST

START_TEST(all_pids_of_nested_groups_are_listed)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    static const char *const names[] = {"list", "list/a", "list/a/b", "list/c", "list/d/e/f"};
    struct cgroup groups[5];
    pid_t pids[10], *got;
    size_t count = 0;
    OWNED_ARENA arena;
    char text[64], want[64];

    arena_init(&arena, ARENA_MAX_BYTES);
    for (int i = 0; i < 5; i++)
        ck_ok(cgroup_make(scratch.root_fd, scratch_path(names[i]), 0, WHERE, &groups[i], &err),
              &err);
    cgroup_remaining(groups[0].dir_fd, text, sizeof text);
    ck_assert_str_eq(text, "");
    for (int i = 0; i < 10; i++) {
        pids[i] = sleeper_in(groups[i % 5].dir_fd);
        if (i != 0)
            continue;
        cgroup_remaining(groups[0].dir_fd, text, sizeof text);
        (void) snprintf(want, sizeof want, "pid %d", pids[0]);
        ck_assert_str_eq(text, want);
    }

    ck_ok(cgroup_pids(&arena, groups[0].dir_fd, &got, &count, &err), &err);
    ck_assert_uint_eq(count, 10);
    qsort(pids, 10, sizeof *pids, by_number);
    qsort(got, 10, sizeof *got, by_number);
    ck_assert_mem_eq(got, pids, sizeof pids);
    ck_ok(cgroup_pids(&arena, groups[1].dir_fd, &got, &count, &err), &err);
    ck_assert_uint_eq(count, 4);

    char remaining[128], small[12];
    cgroup_remaining(groups[0].dir_fd, remaining, sizeof remaining);
    ck_assert_ptr_nonnull(strstr(remaining, " and 2 more"));
    cgroup_remaining(groups[0].dir_fd, small, sizeof small);
    ck_assert_uint_lt(strlen(small), sizeof small);
    (void) cgroup_kill(groups[0].dir_fd, NULL);
    for (int i = 0; i < 10; i++)
        (void) reap(pids[i]);
    for (int i = 0; i < 5; i++)
        cgroup_done(&groups[i]);
}
END_TEST

START_TEST(more_pids_than_one_read_holds_are_all_listed)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;
    OWNED_ARENA arena;
    pid_t *got;
    static pid_t pids[900];
    size_t count = 0;

    arena_init(&arena, ARENA_MAX_BYTES);
    ck_ok(cgroup_make(scratch.root_fd, scratch_path("many"), 0, WHERE, &group, &err), &err);
    for (int i = 0; i < 900; i++)
        pids[i] = sleeper_in(group.dir_fd);
    ck_ok(cgroup_pids(&arena, group.dir_fd, &got, &count, &err), &err);
    ck_ok(cgroup_kill(group.dir_fd, &err), &err);
    for (int i = 0; i < 900; i++)
        (void) reap(pids[i]);
    ck_assert_uint_eq(count, 900);
    qsort(pids, 900, sizeof *pids, by_number);
    qsort(got, 900, sizeof *got, by_number);
    ck_assert_mem_eq(got, pids, sizeof pids);
}
END_TEST

static uint64_t cpu_used(int dir_fd)
{
    static struct cgroup_sample s;

    ck_assert_int_eq(cgroup_sample_read(dir_fd, CG_READ(CPU_STAT), &s, NULL), 0);
    return s.cpu.usage_us;
}

START_TEST(a_frozen_group_uses_no_cpu_until_it_is_thawed)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("freeze"), 0, WHERE, &group, &err), &err);
    struct sys_clone args = {.cgroup_fd = group.dir_fd};
    pid_t pid = sys_clone(&args);
    if (pid == 0)
        for (volatile unsigned spin = 0;; spin++)
            continue;

    ck_assert_int_eq(cgroup_is_frozen(group.dir_fd), 0);
    ck_ok(cgroup_freeze(group.dir_fd, 5000, &err), &err);
    ck_assert_int_eq(cgroup_is_frozen(group.dir_fd), 1);
    uint64_t before = cpu_used(group.dir_fd);
    (void) usleep(60000);
    ck_assert_uint_eq(cpu_used(group.dir_fd), before);
    ck_ok(cgroup_thaw(group.dir_fd, 5000, &err), &err);
    ck_assert_int_eq(cgroup_is_frozen(group.dir_fd), 0);
    (void) usleep(60000);
    ck_assert_uint_gt(cpu_used(group.dir_fd), before);
    ck_ok(cgroup_kill(group.dir_fd, &err), &err);
    (void) reap(pid);
}
END_TEST

/* 30 busy processes on a few CPUs cannot all have stopped when the first look is the last. */
START_TEST(a_freeze_that_takes_too_long_is_undone)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;
    pid_t pids[30];
    char text[16];

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("slow"), 0, WHERE, &group, &err), &err);
    for (int i = 0; i < 30; i++) {
        struct sys_clone args = {.cgroup_fd = group.dir_fd};

        pids[i] = sys_clone(&args);
        if (pids[i] == 0) {
            for (volatile unsigned spin = 0;; spin++)
                continue;
        }
    }
    ck_assert_int_eq(cgroup_freeze(group.dir_fd, 0, &err), -ETIMEDOUT);
    ck_assert_int_ge(knob_read(group.dir_fd, "cgroup.freeze", text, sizeof text), 0);
    (void) cgroup_kill(group.dir_fd, NULL);
    for (int i = 0; i < 30; i++)
        (void) reap(pids[i]);
    ck_assert_str_eq(text, "0");
    ck_assert_str_eq(err.path, "cgroup.freeze");
    ck_assert_ptr_nonnull(strstr(err.text, "not frozen after 0 ms, thawed again; in the cgroup: "));
}
END_TEST

START_TEST(a_thaw_below_a_frozen_group_says_why_not)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP outer = CGROUP_NONE, inner = CGROUP_NONE;

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("ice"), 0, WHERE, &outer, &err), &err);
    ck_ok(cgroup_make(scratch.root_fd, scratch_path("ice/in"), 0, WHERE, &inner, &err), &err);
    ck_ok(cgroup_freeze(outer.dir_fd, 1000, &err), &err);
    ck_fails(cgroup_thaw(inner.dir_fd, 10, &err), &err, EBUSY, "cgroup.freeze",
             "still frozen after 10 ms: a cgroup above it is frozen");
    sub_err_clear(&err);
    ck_ok(cgroup_thaw(outer.dir_fd, 1000, &err), &err);
}
END_TEST

START_TEST(a_group_that_is_gone_is_empty_and_killed)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;
    OWNED_ARENA arena;
    pid_t *pids;
    size_t count = 9;

    arena_init(&arena, ARENA_MAX_BYTES);
    ck_ok(cgroup_make(scratch.root_fd, scratch_path("gone"), 0, WHERE, &group, &err), &err);
    ck_ok(cgroup_destroy(scratch.root_fd, scratch_path("gone"), 0, &err), &err);
    ck_ok(cgroup_kill(group.dir_fd, &err), &err);
    ck_ok(cgroup_wait_empty(group.dir_fd, 0, &err), &err);
    ck_assert_int_eq(cgroup_populated(group.dir_fd), 0);
    ck_ok(cgroup_pids(&arena, group.dir_fd, &pids, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_lt(cgroup_freeze(group.dir_fd, 0, &err), 0);
    ck_assert_str_eq(err.text, "cannot write '1': the cgroup is gone");
}
END_TEST

SCRATCH_SUITE(procs_suite, kill_ends_the_group_and_everything_below,
              the_wait_ends_with_the_last_process_not_with_the_deadline,
              all_pids_of_nested_groups_are_listed, more_pids_than_one_read_holds_are_all_listed,
              a_frozen_group_uses_no_cpu_until_it_is_thawed, a_freeze_that_takes_too_long_is_undone,
              a_thaw_below_a_frozen_group_says_why_not, a_group_that_is_gone_is_empty_and_killed)
