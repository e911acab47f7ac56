/* SPDX-License-Identifier: Apache-2.0 */
/* What is not read, and that nothing is missing because of it: in groups of the kernel. */
#include "view_of_groups.h"

static struct watched *watched(void)
{
    return view_find(view, "a");
}

/* The kernel may count the last steps of a process after it was waited for. */
static void wait_until_still(void)
{
    for (int i = 0; i < 500; i++) {
        (void) sample(ACCOUNT_CPU);
        if (view_is_still(view, watched()))
            return;
        pause_ms(10);
    }
    ck_abort_msg("it does not get still");
}

static pid_t start(bool sleeps)
{
    OWNED_FD fd = openat(root_fd, TENANT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct sys_clone args = {.cgroup_fd = fd};
    pid_t pid = sys_clone(&args);

    if (pid == 0) {
        while (!sleeps && clock() < CLOCKS_PER_SEC / 50)
            continue;
        while (sleeps)
            (void) pause();
        _exit(0);
    }
    ck_assert_int_gt(pid, 0);
    return pid;
}

START_TEST(a_process_in_an_empty_group_is_seen_in_the_window_it_came)
{
    if (view == NULL)
        return;
    for (int round = 0; round < 3; round++) {
        wait_until_still();
        uint64_t before_us = sample(ACCOUNT_CPU)->cpu.usage_us;

        reap(start(false));
        ck_assert_uint_ge(sample(ACCOUNT_CPU)->row.used_us, 19000);
        wait_until_still();
        ck_assert_uint_eq(sample(ACCOUNT_CPU)->cpu.usage_us, kernel_use_us());
        ck_assert_uint_ge(kernel_use_us(), before_us + 19000);
    }
}
END_TEST

START_TEST(a_group_with_a_process_that_sleeps_is_not_still)
{
    if (view == NULL)
        return;
    wait_until_still();
    pid_t pid = start(true);
    for (int i = 0; i < 4; i++) {
        (void) sample(ACCOUNT_CPU);
        ck_assert(!view_is_still(view, watched()));
        pause_ms(20);
    }
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    reap(pid);
    wait_until_still();
    ck_assert_uint_eq(sample(ACCOUNT_CPU)->cpu.usage_us, kernel_use_us());
}
END_TEST

START_TEST(a_group_that_was_made_again_is_seen_at_once)
{
    if (view == NULL)
        return;
    wait_until_still();
    uint64_t id = sample(ACCOUNT_CPU)->cgroup_id;
    ck_assert_int_eq(unlinkat(root_fd, TENANT, AT_REMOVEDIR), 0);
    ck_assert_int_eq(mkdirat(root_fd, TENANT, 0755), 0);
    (void) sample(ACCOUNT_CPU); /* it is gone */
    ck_assert(sample(ACCOUNT_CPU)->cgroup_id != id);
    reap(start(false));
    ck_assert_uint_ge(sample(ACCOUNT_CPU)->row.used_us, 19000);
}
END_TEST

START_TEST(what_a_still_group_holds_is_read_with_the_rest)
{
    if (view == NULL)
        return;
    reap(start(false));
    wait_until_still();
    uint64_t use_us = sample(ACCOUNT_ALL)->cpu.usage_us;
    ck_assert_uint_eq(use_us, kernel_use_us());
    reap(start(false));
    (void) sample(ACCOUNT_ALL);
    ck_assert(!watched()->is_settled);
    ck_assert_uint_ge(watched()->public.cpu.usage_us, use_us + 19000);
}
END_TEST

Suite *still_suite(void);
Suite *still_suite(void)
{
    const TTest *const tests[] = {
        a_process_in_an_empty_group_is_seen_in_the_window_it_came,
        a_group_with_a_process_that_sleeps_is_not_still,
        a_group_that_was_made_again_is_seen_at_once,
        what_a_still_group_holds_is_read_with_the_rest,
    };
    return suite_of_groups("still", tests, sizeof tests / sizeof *tests);
}
