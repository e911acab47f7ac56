/* SPDX-License-Identifier: Apache-2.0 */
/* Groups whose processes sleep are read when one of them has run, and not before. */
#include "view_of_groups.h"

#define RUN_MS      3 /* less than may be hidden where the meter had to wait beside a busy one, */
#define LONG_RUN_MS 8 /* and more */

static void run_for_a_while(int signal)
{
    struct timespec now, end;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    end.tv_nsec += (signal == SIGUSR1 ? RUN_MS : LONG_RUN_MS) * 1000000;
    do {
        (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    } while (now.tv_sec * 1000000000L + now.tv_nsec < end.tv_sec * 1000000000L + end.tv_nsec);
}

/* It sleeps but for RUN_MS after each SIGUSR1, LONG_RUN_MS after each SIGUSR2, or never. */
static pid_t live_in(const char *group, bool sleeps)
{
    OWNED_FD fd = openat(root_fd, group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct sys_clone args = {.cgroup_fd = fd};
    struct sigaction action = {.sa_handler = run_for_a_while};
    pid_t pid = sys_clone(&args);

    if (pid == 0) {
        (void) sigaction(SIGUSR1, &action, NULL);
        (void) sigaction(SIGUSR2, &action, NULL);
        while (!sleeps)
            continue;
        for (;;)
            (void) pause();
    }
    ck_assert_int_gt(pid, 0);
    return pid;
}

static void end_of(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    reap(pid);
}

static void wait_until_it_rests(void)
{
    for (int i = 0; i < 500; i++) {
        (void) sample(ACCOUNT_CPU);
        if (view_find(view, "a")->rests && !view->was_all)
            return;
        pause_ms(5);
    }
    ck_abort_msg("it does not come to rest");
}

/* Until the process sleeps again, and the kernel has counted what it did. */
static void wait_for_use_above(uint64_t us)
{
    for (int i = 0; kernel_use_us() < us; i++) {
        ck_assert_int_lt(i, 500);
        pause_ms(10);
    }
    pause_ms(30);
}

/* Where others want the CPUs as well it may not get one for a while. */
static void let_it_run(const char *group, uint64_t us)
{
    uint64_t begin_us = kernel_use_of(group);

    for (int i = 0; kernel_use_of(group) < begin_us + us; i++) {
        ck_assert_int_lt(i, 5000);
        pause_ms(2);
    }
}

static uint64_t apart_us(void) /* the two readings of the parent when all were read */
{
    return view->rest_base_us - view->rest_begin_us;
}

static void expect_use_is_seen(pid_t pid, int signal, uint64_t run_ms)
{
    const struct account_tenant *seen = sample(ACCOUNT_CPU);
    uint64_t before_us = seen->cpu.usage_us;

    ck_assert_int_eq(kill(pid, signal), 0);
    wait_for_use_above(before_us + run_ms * 1000);
    seen = sample(ACCOUNT_CPU);
    ck_assert_uint_ge(seen->row.used_us, run_ms * 1000);
    ck_assert_uint_eq(seen->cpu.usage_us, kernel_use_us());
}

START_TEST(who_sleeps_is_left_alone_and_seen_in_the_window_it_runs)
{
    if (view == NULL)
        return;
    pid_t pid = live_in(TENANT, true);
    for (int round = 0; round < 3; round++) {
        wait_until_it_rests();
        for (int i = 0; i < 5; i++) {
            const struct account_tenant *seen = sample(ACCOUNT_CPU);
            ck_assert(view_find(view, "a")->rests && !view->was_all);
            ck_assert(seen->measured);
            ck_assert_uint_eq(seen->row.used_us, 0);
        }
        expect_use_is_seen(pid, SIGUSR1, RUN_MS);
        (void) sample(ACCOUNT_CPU);
        ck_assert(!view_find(view, "a")->rests);
    }
    end_of(pid);
}
END_TEST

START_TEST(who_sleeps_beside_one_that_is_busy_is_seen_in_the_window_it_runs)
{
    if (view == NULL)
        return;
    pid_t busy = live_in(OTHER_TENANT, false), pid = live_in(TENANT, true);
    wait_until_it_rests();
    for (int i = 0; i < 20; i++) {
        uint64_t before_us = apart_us();

        let_it_run(OTHER_TENANT, 1000);
        ck_assert_uint_eq(sample(ACCOUNT_CPU)->row.used_us, 0);
        /* or this test did not get a CPU in between */
        ck_assert(!view->was_all || before_us + apart_us() >= 4900);
        ck_assert_uint_gt(view_find(view, "b")->public.row.used_us, 0);
    }
    expect_use_is_seen(pid, SIGUSR2, LONG_RUN_MS);
    end_of(pid);
    end_of(busy);
}
END_TEST

START_TEST(all_are_read_with_the_rest_of_their_counters)
{
    if (view == NULL)
        return;
    pid_t pid = live_in(TENANT, true);
    wait_until_it_rests();
    (void) sample(ACCOUNT_MEMORY); /* its memory, not its CPU time */
    ck_assert(!view->was_all);
    (void) sample(ACCOUNT_ALL);
    ck_assert(view->was_all);
    (void) sample(ACCOUNT_CPU);
    ck_assert(!view->was_all);
    end_of(pid);
}
END_TEST

/* As if the meter had not got a CPU between the two readings, while others ran. */
START_TEST(where_too_much_could_hide_all_are_read)
{
    if (view == NULL)
        return;
    pid_t busy = live_in(OTHER_TENANT, false), pid = live_in(TENANT, true);
    let_it_run(OTHER_TENANT, 20000);
    wait_until_it_rests();
    ck_assert_uint_gt(view->rest_begin_us, 5010);
    view->rest_begin_us -= 5010;
    view->rest_base_us += 5010;
    (void) sample(ACCOUNT_CPU);
    ck_assert(view->was_all);
    wait_until_it_rests();
    end_of(pid);
    end_of(busy);
}
END_TEST

START_TEST(where_many_want_to_run_all_are_read_in_each_second_window)
{
    struct machine crowded = {.cpus = 2, .running = 1000};

    if (view == NULL)
        return;
    pid_t pid = live_in(TENANT, true);
    wait_until_it_rests();
    view->has_idle = true; /* for all of them */
    view_read_all(view, &crowded, ACCOUNT_CPU, 0);
    ck_assert(!view->was_all);
    view->has_idle = false;
    for (int i = 0; i < 4; i++) {
        view_read_all(view, &crowded, ACCOUNT_CPU, 0);
        ck_assert_int_eq(view->was_all, i % 2 == 0);
    }
    crowded.running = 100;
    view_read_all(view, &crowded, ACCOUNT_CPU, 0);
    ck_assert(!view->was_all);
    end_of(pid);
}
END_TEST

Suite *rest_suite(void);
Suite *rest_suite(void)
{
    const TTest *const tests[] = {
        who_sleeps_is_left_alone_and_seen_in_the_window_it_runs,
        who_sleeps_beside_one_that_is_busy_is_seen_in_the_window_it_runs,
        all_are_read_with_the_rest_of_their_counters,
        where_too_much_could_hide_all_are_read,
        where_many_want_to_run_all_are_read_in_each_second_window,
    };
    return suite_of_groups("rest", tests, sizeof tests / sizeof *tests);
}
