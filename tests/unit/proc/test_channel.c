/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/proc.h"
#include "sublet/sys.h"

#include "runner.h"

START_TEST(news_failures_and_the_end_are_told_apart)
{
    struct sub_err err = {0}, failure = {0};
    enum proc_news news;
    int ends[2];

    ck_ok(proc_channel_open(30, ends, &err), &err);
    ck_assert_int_eq(ends[1], 30);
    ck_assert_int_eq(proc_tell(ends[1], PROC_MOUNTED), 0);
    ck_assert_int_eq(proc_receive(ends[0], 100, &news, NULL, &err), 1);
    ck_assert_int_eq(news, PROC_MOUNTED);

    (void) sub_fail(&failure, EPERM, "mounts[1]", "no");
    proc_tell_error(ends[1], &failure);
    ck_fails(proc_receive(ends[0], 100, &news, NULL, &err), &err, EPERM, "mounts[1]", "no");

    /* as the stub writes it: without the errno's sentence and without a line */
    struct sub_err raw = {.code = ENOENT, .path = "process.cwd", .text = "cannot enter"};
    sub_err_clear(&err);
    proc_tell_error(ends[1], &raw);
    ck_fails(proc_receive(ends[0], 100, &news, NULL, &err), &err, ENOENT, "process.cwd",
             "cannot enter: No such file or directory");

    ck_assert_int_eq(proc_go(ends[0]), 0);
    ck_assert_int_eq(proc_wait_go(ends[1]), 0);
    sub_err_clear(&err);
    ck_assert_int_eq(proc_receive(ends[0], 50, &news, NULL, &err), -ETIMEDOUT);
    sub_close(&ends[1]);
    ck_assert_int_eq(proc_receive(ends[0], 50, &news, NULL, &err), 0);
    sub_close(&ends[0]);
}
END_TEST

START_TEST(last_words_are_heard_behind_a_byte_that_was_not_read)
{
    struct sub_err err = {0}, failure = {0};
    enum proc_news news;
    int ends[2];

    ck_ok(proc_channel_open(3, ends, &err), &err);
    ck_assert_int_eq(proc_go(ends[0]), 0);
    (void) sub_fail(&failure, ENOMEM, NULL, "no");
    proc_tell_error(ends[1], &failure);
    sub_close(&ends[1]);
    ck_fails(proc_receive(ends[0], 100, &news, NULL, &err), &err, ENOMEM, "", "no");
    ck_assert_int_eq(proc_go(ends[0]), -EPIPE);
    sub_close(&ends[0]);
}
END_TEST

START_TEST(a_child_that_ended_without_a_word_about_its_own_is_not_waited_for)
{
    struct sub_err err = {0};
    int ends[2], status;
    pid_t pid, own = 0;

    ck_ok(proc_channel_open(3, ends, &err), &err);
    pid = fork();
    if (pid == 0)
        _exit(0);
    OWNED_FD pidfd = sys_pidfd_open(pid);
    ck_assert_int_ge(pidfd, 0);
    ck_assert_int_eq(proc_receive_child(ends[0], pidfd, 5000, &own, &err), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    sub_close(&ends[1]);
    sub_close(&ends[0]);
}
END_TEST

START_TEST(a_dead_parent_ends_the_wait_of_the_child)
{
    struct sub_err err = {0};
    int ends[2];

    ck_ok(proc_channel_open(3, ends, &err), &err);
    sub_close(&ends[0]);
    ck_assert_int_eq(proc_wait_go(ends[1]), -EPIPE);
    sub_close(&ends[1]);
}
END_TEST

SUITE(channel_suite, news_failures_and_the_end_are_told_apart,
      last_words_are_heard_behind_a_byte_that_was_not_read,
      a_child_that_ended_without_a_word_about_its_own_is_not_waited_for,
      a_dead_parent_ends_the_wait_of_the_child)
