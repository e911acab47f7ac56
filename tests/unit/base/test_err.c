/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "sublet/base/err.h"

#include "runner.h"

START_TEST(the_first_failure_wins)
{
    struct sub_err err = {0};

    ck_assert_int_eq(sub_fail(&err, EPERM, "a.b", "cannot %s", "this"), -EPERM);
    ck_assert_int_eq(sub_fail(&err, EIO, "c", "later"), -EIO);
    ck_assert_int_eq(err.code, EPERM);
    ck_assert_str_eq(err.path, "a.b");
    ck_assert_str_eq(err.text, "cannot this");
    ck_assert_str_eq(err.file, "test_err.c");
}
END_TEST

START_TEST(a_wrap_puts_the_step_before_the_text)
{
    struct sub_err err = {0};

    (void) sub_fail(&err, EIO, NULL, "write");
    ck_assert_int_eq(sub_err_wrap(&err, "step %d", 3), -EIO);
    ck_assert_str_eq(err.text, "step 3: write");
    sub_err_at(&err, "mounts[%d]", 7);
    sub_err_at(&err, "other");
    ck_assert_str_eq(err.path, "mounts[7]");
}
END_TEST

START_TEST(a_long_sentence_is_cut_not_overrun)
{
    struct sub_err err = {0};
    char big[1000];

    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    (void) sub_fail(&err, EIO, big, "%s", big);
    ck_assert_uint_eq(strlen(err.text), SUB_ERR_TEXT - 1);
    ck_assert_uint_eq(strlen(err.path), SUB_ERR_PATH - 1);
    (void) sub_err_wrap(&err, "%s", big);
    ck_assert_uint_eq(strlen(err.text), SUB_ERR_TEXT - 1);
}
END_TEST

SUITE(err_suite, the_first_failure_wins, a_wrap_puts_the_step_before_the_text,
      a_long_sentence_is_cut_not_overrun)
