/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sublet/proc.h"
#include "sublet/sys.h"

#include "runner.h"

static int run_shell(const char *command, int64_t timeout_s, struct sub_err *err)
{
    char *args[] = {"sh", "-c", (char *) (size_t) command, NULL};
    char *env[] = {"A=b", NULL};
    struct plan_hook hook = {.path = "/bin/sh",
                             .json = "hooks.prestart[0]",
                             .args = args,
                             .env = env,
                             .timeout_s = timeout_s};

    return proc_hook_run(&hook, "{\"id\":\"x\"}", "/", err);
}

START_TEST(a_hook_reads_the_state_and_has_its_own_environment)
{
    struct sub_err err = {0};

    ck_ok(run_shell("test \"$(cat)\" = '{\"id\":\"x\"}' && test $A = b && test -z \"$HOME\"", 5,
                    &err),
          &err);
    /* standard input that is never read must not block us */
    ck_ok(run_shell("exit 0", 5, &err), &err);
}
END_TEST

START_TEST(a_failing_hook_is_named_with_status_and_words)
{
    struct sub_err err = {0};

    ck_fails(run_shell("echo some words; echo more >&2; exit 3", 5, &err), &err, ECHILD,
             "hooks.prestart[0]", "hook '/bin/sh' exited with status 3: some words more");

    struct sub_err killed = {0};
    ck_fails(run_shell("kill -9 $$", 5, &killed), &killed, ECHILD, "hooks.prestart[0]",
             "hook '/bin/sh' was killed by signal 9");
}
END_TEST

START_TEST(a_timeout_kills_the_whole_group)
{
    struct sub_err err = {0};
    uint64_t before = sys_now_ms();

    ck_fails(run_shell("trap '' TERM; sleep 100 & sleep 100", 1, &err), &err, ETIMEDOUT,
             "hooks.prestart[0]", "hook '/bin/sh' was killed after its timeout of 1 s");
    ck_assert_uint_lt(sys_now_ms() - before, 3000);
}
END_TEST

START_TEST(a_daemon_that_holds_the_pipe_does_not_hold_us)
{
    struct sub_err err = {0};
    uint64_t before = sys_now_ms();

    ck_ok(run_shell("sleep 5 & exit 0", 0, &err), &err);
    ck_assert_uint_lt(sys_now_ms() - before, 2000);
}
END_TEST

START_TEST(a_hook_that_does_not_exist_says_so)
{
    struct sub_err err = {0};
    char *args[] = {"x", NULL};
    struct plan_hook hook = {.path = "/nonexistent", .json = "hooks.poststop[2]", .args = args};

    ck_fails(proc_hook_run(&hook, "{}", NULL, &err), &err, ECHILD, "hooks.poststop[2]",
             "hook '/nonexistent' exited with status 127: No such file or directory");
}
END_TEST

SUITE(hook_suite, a_hook_reads_the_state_and_has_its_own_environment,
      a_failing_hook_is_named_with_status_and_words, a_timeout_kills_the_whole_group,
      a_daemon_that_holds_the_pipe_does_not_hold_us, a_hook_that_does_not_exist_says_so)
