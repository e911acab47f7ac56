/* SPDX-License-Identifier: Apache-2.0 */
/* Who is looked at, and who is found to differ, with folders in the place of groups. What is put
 * right is tested in a guest. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/tenant.h"

#include "../../../src/account/drift.h"
#include "../../../src/account/view.h"
#include "runner.h"
#include "scratch.h"

static char top[64], tenants[80];
static struct account_view *view;

static void write_text(const char *folder, const char *name, const char *text)
{
    char path[256];

    (void) snprintf(path, sizeof path, "%s/%s/%s", top, folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
    (void) close(fd);
}

static void make_folder(const char *name)
{
    char path[160];

    (void) snprintf(path, sizeof path, "%s/%s", top, name);
    ck_assert(mkdir(path, 0755) == 0);
}

/* No host has tenants of such names: three, and `default`, which is always there. */
static void begin(void)
{
    static const char *const files[] = {"unit.x.json", "unit.y.json", "unit.z.json"};
    struct sub_err err = {.code = 0};
    char groups[80];

    scratch_make(top);
    make_folder("tenants");
    make_folder("groups");
    make_folder("groups/sublet.tenants");
    make_folder("groups/sublet.tenants/unit.x");
    (void) snprintf(tenants, sizeof tenants, "%s/tenants", top);
    (void) snprintf(groups, sizeof groups, "%s/groups", top);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        write_text("tenants", files[i], "{\"cpu\": \"fixed 0.1\"}\n");
    view = calloc(1, sizeof *view);
    ck_assert_ptr_nonnull(view);
    view->tenants_dir = tenants;
    view->cgroup_root_fd = open(groups, O_PATH | O_DIRECTORY | O_CLOEXEC);
    arena_init(&view->names, 0);
    ck_ok(view_reload(view, true, &err), &err);
    ck_assert_uint_eq(account_view_count(view), 4);
    for (size_t i = 0; i < view->count; i++)
        view->watched[i].suspect = false;
}

static void end(void)
{
    account_view_free(&view);
    scratch_remove(top);
}

static void tell(void *context, const char *tenant, const char *path, const char *text)
{
    (void) context;
    (void) tenant;
    (void) path;
    (void) text;
}

/* unit.x says what its contract says. */
static void write_all_rows(void)
{
    const struct tenant_group *group = view_find(view, "unit.x")->promise;

    ck_assert_ptr_nonnull(group);
    ck_assert_uint_gt(group->row_count, 3);
    for (size_t i = 0; i < group->row_count; i++)
        write_text("groups/sublet.tenants/unit.x", group->rows[i].file, group->rows[i].text);
}

static size_t count_suspects(void)
{
    size_t count = 0;

    for (size_t i = 0; i < view->count; i++)
        count += view->watched[i].suspect;
    return count;
}

START_TEST(everybody_has_a_turn_and_so_has_the_parent)
{
    struct drift drift = {.tenants_dir = tenants, .not_before_us = UINT64_MAX, .tell = tell};

    drift_look(&drift, view, 2);
    ck_assert_uint_eq(count_suspects(), 2);
    ck_assert(!view->parent_suspect);
    drift_look(&drift, view, 3);
    ck_assert_uint_eq(count_suspects(), 4);
    ck_assert(view->parent_suspect);
    for (size_t i = 0; i < view->count; i++)
        view->watched[i].suspect = false;
    drift_look(&drift, view, 1000);
    ck_assert_uint_eq(count_suspects(), 4);
}
END_TEST

START_TEST(whoever_is_as_promised_or_has_no_group_is_suspected_no_longer)
{
    struct drift drift = {.tenants_dir = tenants, .tell = tell};

    write_all_rows();
    drift_suspect(view, NULL);
    ck_assert_uint_eq(count_suspects(), 4);
    drift_look(&drift, view, 0);
    ck_assert_uint_eq(count_suspects(), 0);
    ck_assert_uint_eq(drift.not_before_us, 0);
}
END_TEST

START_TEST(what_somebody_has_written_is_found_and_the_others_are_left_alone)
{
    struct drift drift = {.tenants_dir = tenants, .tell = tell};

    write_all_rows();
    write_text("groups/sublet.tenants/unit.x", "cpu.weight", "9999\n");
    drift_suspect(view, "unit.y");
    drift_look(&drift, view, 0);
    ck_assert_uint_eq(count_suspects(), 0);
    drift_suspect(view, "unit.x");
    drift_suspect(view, "nobody");
    drift_look(&drift, view, 0);
    ck_assert(view_find(view, "unit.x")->suspect);
    ck_assert_uint_eq(count_suspects(), 1);
}
END_TEST

/* The turn of one whose writers are told is for the file that the kernel changes in silence. */
START_TEST(the_turn_of_a_followed_one_is_for_what_changes_in_silence)
{
    struct drift drift = {.tenants_dir = tenants, .tell = tell};
    struct watched *watched = view_find(view, "unit.x");

    write_all_rows();
    watched->is_followed = true;
    write_text("groups/sublet.tenants/unit.x", "cpu.weight", "9999\n");
    drift_look(&drift, view, 4);
    ck_assert(!watched->suspect);
    write_text("groups/sublet.tenants/unit.x", "cpu.max", "20000 200000\n");
    drift_look(&drift, view, 0);
    ck_assert(!watched->suspect);
    drift.not_before_us = 0;
    drift_look(&drift, view, 5);
    ck_assert(watched->suspect);
}
END_TEST

Suite *drift_suite(void);
Suite *drift_suite(void)
{
    Suite *suite = suite_create("drift");
    TCase *cases = tcase_create("drift");

    tcase_add_checked_fixture(cases, begin, end);
    tcase_add_test(cases, everybody_has_a_turn_and_so_has_the_parent);
    tcase_add_test(cases, whoever_is_as_promised_or_has_no_group_is_suspected_no_longer);
    tcase_add_test(cases, what_somebody_has_written_is_found_and_the_others_are_left_alone);
    tcase_add_test(cases, the_turn_of_a_followed_one_is_for_what_changes_in_silence);
    suite_add_tcase(suite, cases);
    return suite;
}
