/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/priv.h"

#include "runner.h"

/* A folder that looks like a procfs to whom asks for the label of this process. */
static char folder[64];

static void folder_make(void)
{
    char path[128];

    snprintf(folder, sizeof folder, "/tmp/test-priv-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/self", folder);
    ck_assert_int_eq(symlink("1234", path), 0);
    static const char *const parts[] = {"1234", "1234/attr", "1234/attr/apparmor"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, parts[i]);
        ck_assert_int_eq(mkdir(path, 0700), 0);
    }
}

static void folder_remove(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static int confined_by(const char *label, bool *ret_confined, struct sub_err *err)
{
    char path[128];

    snprintf(path, sizeof path, "%s/1234/attr/apparmor/current", folder);
    OWNED_FD file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(file, label, strlen(label)), (ssize_t) strlen(label));
    OWNED_FD proc = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return priv_apparmor_confined(proc, ret_confined, err);
}

START_TEST(an_unconfined_runtime_is_told_from_a_confined_one)
{
    struct sub_err err = {0};
    bool confined = true;

    ck_ok(confined_by("unconfined\n", &confined, &err), &err);
    ck_assert(!confined);
    ck_ok(confined_by("docker-default (enforce)\n", &confined, &err), &err);
    ck_assert(confined);
    ck_ok(confined_by("unconfined//&box (enforce)\n", &confined, &err), &err);
    ck_assert(confined);
}
END_TEST

START_TEST(a_label_that_cannot_be_read_is_an_error)
{
    struct sub_err err = {0};
    bool confined;

    OWNED_FD proc = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    ck_fails(priv_apparmor_confined(proc, &confined, &err), &err, ENOENT, "process.apparmorProfile",
             "cannot read our own AppArmor label: No such file or directory");
}
END_TEST

Suite *lsm_suite(void);

Suite *lsm_suite(void)
{
    Suite *suite = suite_create("lsm_suite");
    TCase *cases = tcase_create("lsm");

    tcase_add_checked_fixture(cases, folder_make, folder_remove);
    tcase_add_test(cases, an_unconfined_runtime_is_told_from_a_confined_one);
    tcase_add_test(cases, a_label_that_cannot_be_read_is_an_error);
    suite_add_tcase(suite, cases);
    return suite;
}
