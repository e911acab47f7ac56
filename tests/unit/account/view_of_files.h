/* SPDX-License-Identifier: Apache-2.0 */
/* Tenants whose groups are folders with files, so that every counter is the test's. */
#ifndef TESTS_UNIT_ACCOUNT_VIEW_OF_FILES_H
#define TESTS_UNIT_ACCOUNT_VIEW_OF_FILES_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/tenant.h"

#include "../../../src/account/view.h"
#include "runner.h"
#include "scratch.h"

static char top[64];
static struct account_view *view;

static inline void write_text(const char *name, const char *text)
{
    char path[160];

    (void) snprintf(path, sizeof path, "%s/%s", top, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
    (void) close(fd);
}

static inline void make_folder(const char *name)
{
    char path[160];

    (void) snprintf(path, sizeof path, "%s/%s", top, name);
    ck_assert(mkdir(path, 0755) == 0);
}

static inline void use(const char *tenant, unsigned long long us)
{
    char path[128], text[128];

    (void) snprintf(path, sizeof path, "groups/sublet.tenants/%s/cpu.stat", tenant);
    (void) snprintf(text, sizeof text, "usage_usec %llu\nuser_usec %llu\nsystem_usec 0\n", us, us);
    write_text(path, text);
}

/* The folder's time tells that it has changed; the clock of files may be too coarse for a test. */
static inline void define(const char *tenant, unsigned long long us)
{
    static time_t moment = 1700000000;
    char path[128];

    moment++;
    const struct timespec times[] = {{.tv_sec = moment}, {.tv_sec = moment}};

    (void) snprintf(path, sizeof path, "groups/sublet.tenants/%s", tenant);
    make_folder(path);
    use(tenant, us);
    (void) snprintf(path, sizeof path, "tenants/%s.json", tenant);
    write_text(path, "{\"cpu\": \"fixed 0.1\"}\n");
    ck_assert(utimensat(AT_FDCWD, view->tenants_dir, times, 0) == 0);
}

static inline void begin(void)
{
    static char folder[80];
    char groups[80];

    scratch_make(top);
    make_folder("tenants");
    make_folder("groups");
    make_folder("groups/sublet.tenants");
    (void) snprintf(folder, sizeof folder, "%s/tenants", top);
    (void) snprintf(groups, sizeof groups, "%s/groups", top);
    view = calloc(1, sizeof *view);
    ck_assert_ptr_nonnull(view);
    view->tenants_dir = folder;
    view->cgroup_root_fd = open(groups, O_PATH | O_DIRECTORY | O_CLOEXEC);
    arena_init(&view->names, 0);
}

static inline void end(void)
{
    account_view_free(&view);
    scratch_remove(top);
}

static inline void sample_to(enum account_depth depth)
{
    struct sub_err err = {.code = 0};

    ck_assert_msg(account_view_sample(view, depth, &err) >= 0, "%s", err.text);
}

static inline void sample(void)
{
    sample_to(ACCOUNT_CPU);
}

static inline const struct account_tenant *tenant(const char *name)
{
    for (size_t i = 0; i < account_view_count(view); i++) {
        if (strcmp(account_view_tenant(view, i)->name, name) == 0)
            return account_view_tenant(view, i);
    }
    ck_abort_msg("no tenant %s", name);
}

static inline Suite *suite_of_files(const char *name, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *cases = tcase_create(name);

    tcase_add_checked_fixture(cases, begin, end);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(cases, tests[i]);
    suite_add_tcase(suite, cases);
    return suite;
}

#endif
