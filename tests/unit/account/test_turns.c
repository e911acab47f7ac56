/* SPDX-License-Identifier: Apache-2.0 */
/* Where many groups are awake those that use little are read in turns, and nothing is lost. */
#include "view_of_groups.h"

#define CROWD     80 /* awake: two turns */
#define SLEEPERS  70 /* three */
#define GROUPS    (CROWD + SLEEPERS)
#define WINDOW_MS 50

static pid_t pids[GROUPS];
static size_t pid_count;

static const char *crowd_group(size_t i)
{
    static char group[sizeof TENANT_PARENT + 16];

    (void) snprintf(group, sizeof group, TENANT_PARENT "/c%03zu", i);
    return group;
}

static void spin(int signal)
{
    (void) signal;
    for (volatile unsigned long n = 0;;)
        n = n + 1;
}

/* It runs a little every ten milliseconds, or sleeps; and spins from a SIGUSR1 on. */
static void live(bool is_awake)
{
    struct sigaction action = {.sa_handler = spin};

    (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void) sigaction(SIGUSR1, &action, NULL);
    for (;;) {
        if (is_awake)
            pause_ms(10);
        else
            (void) pause();
    }
}

static void add_group(bool is_awake)
{
    const char *group = crowd_group(pid_count);

    ck_assert_int_eq(mkdirat(root_fd, group, 0755), 0);
    OWNED_FD fd = openat(root_fd, group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct sys_clone args = {.cgroup_fd = fd};
    pid_t pid = sys_clone(&args);

    if (pid == 0)
        live(is_awake);
    ck_assert_int_gt(pid, 0);
    pids[pid_count++] = pid;
}

static void add_groups(size_t count, bool is_awake)
{
    for (size_t i = 0; i < count; i++)
        add_group(is_awake);
}

static void end_one(size_t i)
{
    if (pids[i] == 0)
        return;
    (void) kill(pids[i], SIGKILL);
    (void) waitpid(pids[i], NULL, 0);
    pids[i] = 0;
}

static void begin_crowd(void)
{
    begin();
    pid_count = 0;
}

static void end_crowd(void)
{
    for (size_t i = 0; i < pid_count; i++)
        end_one(i);
    for (size_t i = 0; i < pid_count; i++) {
        for (int tries = 0; unlinkat(root_fd, crowd_group(i), AT_REMOVEDIR) < 0 && tries < 100;
             tries++)
            pause_ms(1); /* its last process is on its way out */
    }
    end();
}

static void window(enum account_depth depth)
{
    pause_ms(WINDOW_MS);
    (void) sample(depth);
}

static const struct watched *member(size_t i)
{
    const struct watched *watched = view_find(view, strrchr(crowd_group(i), '/') + 1);

    ck_assert_ptr_nonnull(watched);
    return watched;
}

static size_t count_measured(size_t begin, size_t end)
{
    size_t count = 0;

    for (size_t i = begin; i < end; i++)
        count += member(i)->public.measured;
    return count;
}

/* All of the crowd are known to use little, and those that sleep to sleep. */
static void wait_for_turns(uint32_t turns, uint32_t turns_asleep)
{
    for (int i = 0; i < 200; i++) {
        window(ACCOUNT_CPU);
        if (view->turns == turns && view->turns_asleep == turns_asleep)
            return;
    }
    ck_abort_msg("%u and %u turns", view->turns, view->turns_asleep);
}

static uint64_t sum_of_rows(uint64_t *ret_windows)
{
    uint64_t used_us = 0;

    *ret_windows = 0;
    for (size_t i = 0; i < view->count; i++) {
        const struct account_tenant *tenant = &view->watched[i].public;

        used_us += tenant->measured ? tenant->row.used_us : 0;
        *ret_windows += tenant->sums.windows + view->watched[i].unread;
    }
    return used_us;
}

static uint64_t count_open(void)
{
    uint64_t count = 0;

    for (size_t i = 0; i < view->count; i++)
        count += view->watched[i].public.open;
    return count;
}

START_TEST(few_take_no_turns)
{
    if (view == NULL)
        return;
    add_groups(CROWD / 2, true);
    window(ACCOUNT_CPU);
    for (int i = 0; i < 20; i++) {
        window(ACCOUNT_CPU);
        ck_assert_uint_eq(view->turns, 0);
        ck_assert_uint_eq(count_measured(0, pid_count), pid_count);
        ck_assert_uint_eq(view->unread_us, 0);
    }
}
END_TEST

START_TEST(in_turns_each_is_read_and_nothing_is_lost)
{
    if (view == NULL)
        return;
    add_groups(CROWD, true);
    wait_for_turns(2, 1);
    window(ACCOUNT_ALL);

    uint64_t before_windows, windows, used_us = 0, begin_us[CROWD], own_us = 0, in_part = 0;
    const uint64_t told_us = view->total.ten;
    (void) sum_of_rows(&before_windows);
    for (size_t i = 0; i < CROWD; i++)
        begin_us[i] = member(i)->public.cpu.usage_us;
    for (uint64_t round = 1; round <= 20; round++) {
        window(round < 20 ? ACCOUNT_CPU : ACCOUNT_ALL);
        used_us += sum_of_rows(&windows);
        ck_assert_uint_eq(windows, before_windows + round * count_open());
        /* what is not in a row yet is in the host's */
        ck_assert_uint_eq(view->total.ten - told_us, used_us + view->unread_us);
        in_part += !view->was_all;
        ck_assert(view->was_all ||
                  (count_measured(0, CROWD) >= CROWD / 3 && count_measured(0, CROWD) < CROWD));
        for (size_t i = 0; i < CROWD; i++)
            ck_assert_uint_lt(member(i)->unread, 2);
    }
    ck_assert_uint_ge(in_part, 10);
    ck_assert_uint_eq(view->unread_us, 0);
    for (size_t i = 0; i < CROWD; i++)
        own_us += member(i)->public.cpu.usage_us - begin_us[i];
    ck_assert_uint_eq(own_us, used_us);
}
END_TEST

static uint64_t sum_of_classes(const struct account_sums *sums)
{
    uint64_t windows = 0;

    for (int class = 0; class < ACCOUNT_CLASSES; class ++)
        windows += sums->of_class[class];
    return windows;
}

/* "a" is empty: its rows are of one window each. */
START_TEST(rows_of_several_windows_are_entitled_to_all_of_them)
{
    if (view == NULL)
        return;
    add_groups(CROWD, true);
    wait_for_turns(2, 1);
    window(ACCOUNT_ALL);
    for (size_t i = 0; i < view->count; i++) {
        view->watched[i].public.entitled_micro = 500000;
        view->watched[i].public.sums = (struct account_sums){.windows = 0};
    }
    for (int i = 0; i < 9; i++)
        window(ACCOUNT_CPU);
    window(ACCOUNT_ALL);

    uint64_t windows, entitled_us = view_find(view, "a")->public.sums.entitled_us;
    (void) sum_of_rows(&windows);
    ck_assert_uint_eq(windows, 10 * count_open());
    for (size_t i = 0; i < CROWD; i++) {
        ck_assert_uint_ge(member(i)->public.sums.entitled_us, entitled_us);
        ck_assert_uint_le(member(i)->public.sums.entitled_us, entitled_us + 10); /* rounding */
        ck_assert_uint_eq(sum_of_classes(&member(i)->public.sums), 10);
    }
}
END_TEST

START_TEST(who_sleeps_has_fewer_turns)
{
    if (view == NULL)
        return;
    add_groups(CROWD, true);
    add_groups(SLEEPERS, false);
    wait_for_turns(2, 3);
    for (int i = 0; i < 3; i++) /* those of before were others */
        window(ACCOUNT_CPU);
    for (int i = 0; i < 6; i++) {
        window(ACCOUNT_CPU);
        ck_assert(view->was_all || count_measured(CROWD, GROUPS) < SLEEPERS * 2 / 5);
        for (size_t j = CROWD; j < GROUPS; j++)
            ck_assert_uint_lt(member(j)->unread, 3);
    }
}
END_TEST

START_TEST(who_uses_much_is_found_and_read_in_each_window)
{
    if (view == NULL)
        return;
    add_groups(CROWD, true);
    wait_for_turns(2, 1);
    while (view->since_all < 4 || member(7)->unread == 1)
        window(ACCOUNT_CPU);

    uint64_t begin_us = kernel_use_of(crowd_group(7));
    ck_assert_int_eq(kill(pids[7], SIGUSR1), 0);
    while (kernel_use_of(crowd_group(7)) < begin_us + 30000)
        pause_ms(2);
    (void) sample(ACCOUNT_CPU); /* it is not its turn */
    ck_assert(view->was_all);
    ck_assert(member(7)->public.measured);
    ck_assert_uint_ge(member(7)->public.row.used_us, 25000);
    for (int i = 0; i < 10; i++) {
        begin_us = kernel_use_of(crowd_group(7));
        while (kernel_use_of(crowd_group(7)) < begin_us + 10000)
            pause_ms(2);
        window(ACCOUNT_CPU);
        ck_assert(member(7)->public.measured);
    }
    ck_assert_uint_gt(view->turns, 0);
}
END_TEST

START_TEST(turns_end_when_few_are_awake)
{
    if (view == NULL)
        return;
    add_groups(CROWD, true);
    wait_for_turns(2, 1);
    for (size_t i = CROWD / 2; i < CROWD; i++)
        end_one(i);
    while (view->turns > 0)
        window(ACCOUNT_CPU);
    window(ACCOUNT_CPU);
    ck_assert(view->was_all);
    ck_assert_uint_eq(view->unread_us, 0);
    ck_assert_uint_eq(count_measured(0, CROWD), CROWD);
}
END_TEST

START_TEST(a_reading_of_the_memory_leaves_turns_alone)
{
    if (view == NULL)
        return;
    add_groups(CROWD, true);
    wait_for_turns(2, 1);
    while (view->since_all < 1 || view->since_all >= 3)
        window(ACCOUNT_CPU);
    window(ACCOUNT_MEMORY);
    ck_assert_uint_lt(count_measured(0, CROWD), CROWD);
}
END_TEST

Suite *turns_suite(void);
Suite *turns_suite(void)
{
    const TTest *const tests[] = {
        few_take_no_turns,
        in_turns_each_is_read_and_nothing_is_lost,
        rows_of_several_windows_are_entitled_to_all_of_them,
        who_sleeps_has_fewer_turns,
        who_uses_much_is_found_and_read_in_each_window,
        turns_end_when_few_are_awake,
        a_reading_of_the_memory_leaves_turns_alone,
    };
    return suite_of_groups_with("turns", tests, sizeof tests / sizeof *tests, begin_crowd,
                                end_crowd);
}
