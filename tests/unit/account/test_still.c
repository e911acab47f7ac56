/* SPDX-License-Identifier: Apache-2.0 */
/* What is not read, and that nothing is missing because of it: in groups of the kernel. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/cgroups.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

#include "../../../src/account/view.h"
#include "runner.h"
#include "scratch.h"

#define TENANT TENANT_PARENT "/a"

static char top[64], base[32];
static int mount_fd, root_fd;
static struct account_view *view;

static bool make_groups(void)
{
    struct cgroups_host host;
    struct sub_err err = {.code = 0};

    mount_fd = root_fd = -EBADF;
    (void) snprintf(base, sizeof base, "sublet-still-%d", (int) getpid());
    if (cgroups_mount_open(&mount_fd, &host, &err) < 0 || mkdirat(mount_fd, base, 0755) < 0)
        return false;
    root_fd = openat(mount_fd, base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(root_fd, 0);
    ck_assert_int_eq(mkdirat(root_fd, TENANT_PARENT, 0755), 0);
    ck_assert_int_eq(mkdirat(root_fd, TENANT, 0755), 0);
    return true;
}

static void begin(void)
{
    scratch_make(top);
    if (!make_groups())
        return;
    view = calloc(1, sizeof *view);
    ck_assert_ptr_nonnull(view);
    view->tenants_dir = top; /* none is defined: who has a group is watched */
    view->cgroup_root_fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
    arena_init(&view->names, 0);
}

static void end(void)
{
    account_view_free(&view);
    if (root_fd >= 0) {
        (void) unlinkat(root_fd, TENANT, AT_REMOVEDIR);
        (void) unlinkat(root_fd, TENANT_PARENT, AT_REMOVEDIR);
        (void) unlinkat(mount_fd, base, AT_REMOVEDIR);
    }
    sub_close(&root_fd);
    sub_close(&mount_fd);
    scratch_remove(top);
}

static const struct account_tenant *sample(enum account_depth depth)
{
    struct sub_err err = {.code = 0};

    ck_ok(account_view_sample(view, depth, &err), &err);
    for (size_t i = 0; i < account_view_count(view); i++) {
        if (strcmp(account_view_tenant(view, i)->name, "a") == 0)
            return account_view_tenant(view, i);
    }
    ck_abort_msg("the tenant is not there");
}

static struct watched *watched(void)
{
    return view_find(view, "a");
}

static void pause_ms(long ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

    (void) nanosleep(&pause, NULL);
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

static uint64_t kernel_use_us(void)
{
    static struct cgroup_sample counters;
    struct sub_err err = {.code = 0};
    OWNED_FD fd = openat(root_fd, TENANT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ck_ok(cgroup_sample_read(fd, CG_READ(CPU_STAT), &counters, &err), &err);
    return counters.cpu.usage_us;
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

static void reap(pid_t pid)
{
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
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
    Suite *suite = suite_create("still");
    TCase *cases = tcase_create("still");

    tcase_set_timeout(cases, 30);
    tcase_add_checked_fixture(cases, begin, end);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(cases, tests[i]);
    suite_add_tcase(suite, cases);
    return suite;
}
