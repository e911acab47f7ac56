/* SPDX-License-Identifier: Apache-2.0 */
/* Tenants "a" and "b" as groups of the kernel, and a view of them; without cgroup v2 view is NULL.
 */
#ifndef TESTS_UNIT_ACCOUNT_VIEW_OF_GROUPS_H
#define TESTS_UNIT_ACCOUNT_VIEW_OF_GROUPS_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
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

#define TENANT       TENANT_PARENT "/a"
#define OTHER_TENANT TENANT_PARENT "/b"

static char top[64], base[32];
static int mount_fd, root_fd;
static struct account_view *view;

static inline bool make_groups(void)
{
    struct cgroups_host host;
    struct sub_err err = {.code = 0};

    mount_fd = root_fd = -EBADF;
    (void) snprintf(base, sizeof base, "sublet-view-%d", (int) getpid());
    if (cgroups_mount_open(&mount_fd, &host, &err) < 0 || mkdirat(mount_fd, base, 0755) < 0)
        return false;
    root_fd = openat(mount_fd, base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(root_fd, 0);
    ck_assert_int_eq(mkdirat(root_fd, TENANT_PARENT, 0755), 0);
    ck_assert_int_eq(mkdirat(root_fd, TENANT, 0755), 0);
    ck_assert_int_eq(mkdirat(root_fd, OTHER_TENANT, 0755), 0);
    return true;
}

static inline void begin(void)
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

static inline void end(void)
{
    account_view_free(&view);
    if (root_fd >= 0) {
        (void) unlinkat(root_fd, TENANT, AT_REMOVEDIR);
        (void) unlinkat(root_fd, OTHER_TENANT, AT_REMOVEDIR);
        (void) unlinkat(root_fd, TENANT_PARENT, AT_REMOVEDIR);
        (void) unlinkat(mount_fd, base, AT_REMOVEDIR);
    }
    sub_close(&root_fd);
    sub_close(&mount_fd);
    scratch_remove(top);
}

static inline const struct account_tenant *sample(enum account_depth depth)
{
    struct sub_err err = {.code = 0};

    ck_ok(account_view_sample(view, depth, &err), &err);
    for (size_t i = 0; i < account_view_count(view); i++) {
        if (strcmp(account_view_tenant(view, i)->name, "a") == 0)
            return account_view_tenant(view, i);
    }
    ck_abort_msg("the tenant is not there");
}

static inline void pause_ms(long ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

    (void) nanosleep(&pause, NULL);
}

static inline uint64_t kernel_use_of(const char *group)
{
    static struct cgroup_sample counters;
    struct sub_err err = {.code = 0};
    OWNED_FD fd = openat(root_fd, group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ck_ok(cgroup_sample_read(fd, CG_READ(CPU_STAT), &counters, &err), &err);
    return counters.cpu.usage_us;
}

static inline uint64_t kernel_use_us(void)
{
    return kernel_use_of(TENANT);
}

static inline void reap(pid_t pid)
{
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static inline Suite *suite_of_groups_with(const char *name, const TTest *const *tests, size_t count,
                                          void (*before)(void), void (*after)(void))
{
    Suite *suite = suite_create(name);
    TCase *cases = tcase_create(name);

    tcase_set_timeout(cases, 30);
    tcase_add_checked_fixture(cases, before, after);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(cases, tests[i]);
    suite_add_tcase(suite, cases);
    return suite;
}

static inline Suite *suite_of_groups(const char *name, const TTest *const *tests, size_t count)
{
    return suite_of_groups_with(name, tests, count, begin, end);
}

#endif
