/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "sublet/base/script.h"

#include "profiles.h"
#include "runner.h"

static const struct priv_fds no_fds = {.proc = -1, .listener = 8};

/* The script that run writes: privileges, wait, close, filter, exec. */
static void fill(struct script *script, const struct plan_process *process,
                 const struct priv_filter *filter)
{
    priv_script(process, filter, &no_fds, script);
    struct script_op *op = script_add(script, SCRIPT_WAIT_BYTE, "", "cannot wait");
    op->args[0] = 7;
    op = script_call(script, SYS_close_range, (const uint64_t[SCRIPT_ARGS]){8, ~0u}, 0, "close");
    op->tolerated[0] = ENOSYS;
    priv_script_filter(process, filter, &no_fds, script);
    script_add(script, SCRIPT_EXEC, "process.args[0]", "cannot execute");
}

static int check(const struct plan_seccomp *seccomp, bool no_new_privileges, struct sub_err *err)
{
    const struct plan_process process = {
        .uid = 1, .no_new_privileges = no_new_privileges, .caps = {.last = 3}};
    OWNED_FILTER filter = compiled(seccomp);
    OWNED_SCRIPT script;

    script_init(&script, 3);
    fill(&script, &process, &filter);
    return priv_script_check(&script, &filter, err);
}

/* A profile that allows all but one call, with an agent where `close` or NOTIFY is meant. */
static int check_without(const char *name, uint32_t action, bool no_new_privileges,
                         struct sub_err *err)
{
    const struct plan_seccomp_rule rule = {
        .json = "r", .names = &name, .name_count = 1, .action = action};
    bool agent = action == SECCOMP_RET_USER_NOTIF || strcmp(name, "close") == 0;
    const struct plan_seccomp seccomp = {.default_action = ALLOW,
                                         .rules = &rule,
                                         .rule_count = 1,
                                         .listener_path = agent ? "/agent" : NULL};

    memset(err, 0, sizeof *err);
    return check(&seccomp, no_new_privileges, err);
}

START_TEST(the_engines_profiles_let_a_container_start)
{
    static const char *const engines[] = {"docker", "podman", "containerd"};
    OWNED_ARENA arena;
    struct sub_err err = {0};
    arena_init(&arena, ARENA_MAX_BYTES);

    ck_ok(check(profile_of(&arena, engines[_i]), true, &err), &err);
    ck_ok(check(profile_of(&arena, engines[_i]), false, &err), &err);
}
END_TEST

START_TEST(a_profile_that_denies_execve_is_refused_by_name)
{
    const uint32_t actions[] = {
        ERRNO(EPERM),     ERRNO(0),         SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
        SECCOMP_RET_TRAP, SECCOMP_RET_TRACE};
    struct sub_err err;

    for (size_t i = 0; i < NUMBER(actions); i++) {
        for (int nnp = 0; nnp <= 1; nnp++)
            ck_fails(check_without("execve", actions[i], nnp == 1, &err), &err, EINVAL,
                     "linux.seccomp", "the profile denies execve, the container could not start");
    }
}
END_TEST

START_TEST(what_reports_a_failure_is_needed_as_well)
{
    struct sub_err err;

    ck_fails(check_without("write", ERRNO(EPERM), true, &err), &err, EINVAL, "linux.seccomp",
             "the profile denies write, the container could not start");
    ck_fails(check_without("exit_group", ERRNO(EPERM), true, &err), &err, EINVAL, "linux.seccomp",
             "the profile denies exit_group, the container could not start");
}
END_TEST

START_TEST(only_what_follows_the_filter_is_needed)
{
    static const char *const early[] = {"capset", "prctl", "read"};
    struct sub_err err;

    /* with no_new_privs the filter is last */
    for (size_t i = 0; i < NUMBER(early); i++)
        ck_ok(check_without(early[i], ERRNO(EPERM), true, &err), &err);
    /* without, the last capset follows it, but not the change of user */
    ck_ok(check_without("setresuid", ERRNO(EPERM), false, &err), &err);
    ck_ok(check_without("setgroups", ERRNO(EPERM), false, &err), &err);
    ck_ok(check_without("prctl", ERRNO(EPERM), false, &err), &err);
    ck_fails(check_without("capset", ERRNO(EPERM), false, &err), &err, EINVAL, "linux.seccomp",
             "the profile denies capset, the container could not start");
    ck_fails(check_without("read", ERRNO(EPERM), false, &err), &err, EINVAL, "linux.seccomp",
             "the profile denies read, the container could not start");
}
END_TEST

START_TEST(an_error_that_the_operation_tolerates_is_no_denial)
{
    struct sub_err err;

    ck_ok(check_without("close_range", ERRNO(ENOSYS), false, &err), &err);
    ck_fails(check_without("close_range", ERRNO(EPERM), false, &err), &err, EINVAL, "linux.seccomp",
             "the profile denies close_range, the container could not start");
}
END_TEST

START_TEST(an_agent_and_the_log_let_through)
{
    struct sub_err err;

    ck_ok(check_without("execve", SECCOMP_RET_LOG, true, &err), &err);
    ck_ok(check_without("write", SECCOMP_RET_USER_NOTIF, true, &err), &err);
    ck_fails(check_without("close", ERRNO(EPERM), true, &err), &err, EINVAL, "linux.seccomp",
             "the profile denies close, the container could not start"); /* of the listener */
}
END_TEST

/* As an exec does before its process is where the agent's is to be. */
START_TEST(nothing_may_ask_an_agent_that_has_no_listener_yet)
{
    static const char *const names[] = {"execve", "mkdir"};
    static const char *const asking[] = {"close", "sendmsg", "read", "write", "exit_group"};
    const struct plan_process process = {.no_new_privileges = true, .caps = {.last = 3}};
    const struct priv_fds alone = {.proc = -1, .listener = 8, .leaves = true, .alone = true};
    struct plan_seccomp_rule rule = {
        .json = "r", .names = names, .name_count = 2, .action = SECCOMP_RET_USER_NOTIF};
    const struct plan_seccomp seccomp = {
        .default_action = ALLOW, .rules = &rule, .rule_count = 1, .listener_path = "/agent"};

    for (size_t i = 0; i <= NUMBER(asking); i++) {
        if (i > 0) {
            rule.names = &asking[i - 1];
            rule.name_count = 1;
        }
        OWNED_FILTER filter = compiled(&seccomp);
        OWNED_SCRIPT script;
        struct sub_err err = {0};

        script_init(&script, 3);
        priv_script(&process, &filter, &alone, &script);
        priv_script_filter(&process, &filter, &alone, &script);
        script_add(&script, SCRIPT_WAIT_BYTE, "", "cannot wait")->args[0] = 7;
        script_add(&script, SCRIPT_EXEC, "process.args[0]", "cannot execute");
        ck_assert_int_eq(priv_script_check(&script, &filter, &err), i == 0 ? 0 : -EINVAL);
    }
}
END_TEST

START_TEST(conditions_are_tried_with_the_operations_own_arguments)
{
    static const char *const names[] = {"read"};
    struct plan_seccomp_arg arg = {.index = 0, .op = PLAN_CMP_EQ, .value = 7};
    const struct plan_seccomp_rule rule = {.json = "r",
                                           .names = names,
                                           .name_count = 1,
                                           .action = ERRNO(EPERM),
                                           .args = &arg,
                                           .arg_count = 1};
    const struct plan_seccomp seccomp = {.default_action = ALLOW, .rules = &rule, .rule_count = 1};
    struct sub_err err = {0};

    ck_assert_int_eq(check(&seccomp, false, &err), -EINVAL);
    arg.value = 6;
    ck_ok(check(&seccomp, false, &err), &err);
}
END_TEST

START_TEST(a_script_without_a_filter_needs_no_check)
{
    const struct plan_process process = {.caps = {.last = 3}};
    OWNED_SCRIPT script;
    struct sub_err err = {0};

    script_init(&script, 3);
    fill(&script, &process, NULL);
    ck_ok(priv_script_check(&script, NULL, &err), &err);
}
END_TEST

Suite *check_suite(void);

Suite *check_suite(void)
{
    Suite *suite = suite_create("check_suite");
    TCase *cases = tcase_create("check");

    tcase_add_loop_test(cases, the_engines_profiles_let_a_container_start, 0, 3);
    tcase_add_test(cases, a_profile_that_denies_execve_is_refused_by_name);
    tcase_add_test(cases, what_reports_a_failure_is_needed_as_well);
    tcase_add_test(cases, only_what_follows_the_filter_is_needed);
    tcase_add_test(cases, an_error_that_the_operation_tolerates_is_no_denial);
    tcase_add_test(cases, an_agent_and_the_log_let_through);
    tcase_add_test(cases, nothing_may_ask_an_agent_that_has_no_listener_yet);
    tcase_add_test(cases, conditions_are_tried_with_the_operations_own_arguments);
    tcase_add_test(cases, a_script_without_a_filter_needs_no_check);
    suite_add_tcase(suite, cases);
    return suite;
}
