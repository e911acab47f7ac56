/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiles.h"
#include "runner.h"

#define X86_64 AUDIT_ARCH_X86_64
#define X32    0x40000000u

static const char *const few[] = {"read", "write", "exit_group"}; /* 0, 1, 231 on x86-64 */

static const struct plan_seccomp_rule allow_few = {
    .json = "linux.seccomp.syscalls[0]", .names = few, .name_count = 3, .action = ALLOW};

static struct plan_seccomp profile(uint32_t default_action, const struct plan_seccomp_rule *rules,
                                   size_t count)
{
    return (struct plan_seccomp){
        .default_action = default_action, .rules = rules, .rule_count = count};
}

START_TEST(calls_newer_than_the_profile_do_not_exist)
{
    const struct plan_seccomp seccomp = profile(ERRNO(EPERM), &allow_few, 1);
    OWNED_FILTER filter = compiled(&seccomp);

    ck_assert_uint_eq(answer(&filter, X86_64, 1, NULL), ALLOW);
    ck_assert_uint_eq(answer(&filter, X86_64, 2, NULL), ERRNO(EPERM));
    ck_assert_uint_eq(answer(&filter, X86_64, 230, NULL), ERRNO(EPERM));
    ck_assert_uint_eq(answer(&filter, X86_64, 231, NULL), ALLOW);
    ck_assert_uint_eq(answer(&filter, X86_64, 232, NULL), ERRNO(ENOSYS));
    ck_assert_uint_eq(answer(&filter, X86_64, 5000, NULL), ERRNO(ENOSYS));
}
END_TEST

START_TEST(a_default_that_kills_or_traps_answers_newer_calls_too)
{
    const uint32_t actions[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
                                SECCOMP_RET_TRAP};

    for (size_t i = 0; i < NUMBER(actions); i++) {
        const struct plan_seccomp seccomp = profile(actions[i], &allow_few, 1);
        OWNED_FILTER filter = compiled(&seccomp);

        ck_assert_uint_eq(answer(&filter, X86_64, 100, NULL), actions[i]);
        ck_assert_uint_eq(answer(&filter, X86_64, 300, NULL), ERRNO(ENOSYS));
    }
}
END_TEST

START_TEST(a_default_that_lets_through_or_asks_someone_is_left_alone)
{
    const uint32_t actions[] = {ALLOW, SECCOMP_RET_LOG, SECCOMP_RET_TRACE | 5};
    struct plan_seccomp_rule rule = allow_few;
    rule.action = ERRNO(EACCES);

    for (size_t i = 0; i < NUMBER(actions); i++) {
        const struct plan_seccomp seccomp = profile(actions[i], &rule, 1);
        OWNED_FILTER filter = compiled(&seccomp);

        ck_assert_uint_eq(answer(&filter, X86_64, 1, NULL), ERRNO(EACCES));
        ck_assert_uint_eq(answer(&filter, X86_64, 300, NULL), actions[i]);
    }
}
END_TEST

START_TEST(a_call_that_is_named_with_the_default_action_counts_as_known)
{
    static const char *const names[] = {"landlock_restrict_self"}; /* 446 */
    const struct plan_seccomp_rule rules[] = {
        allow_few, {.json = "r", .names = names, .name_count = 1, .action = ERRNO(EPERM)}
    };
    const struct plan_seccomp seccomp = profile(ERRNO(EPERM), rules, 2);
    OWNED_FILTER filter = compiled(&seccomp);

    ck_assert_uint_eq(answer(&filter, X86_64, 446, NULL), ERRNO(EPERM));
    ck_assert_uint_eq(answer(&filter, X86_64, 447, NULL), ERRNO(ENOSYS));
}
END_TEST

START_TEST(a_profile_that_names_nothing_keeps_its_default_everywhere)
{
    const struct plan_seccomp seccomp = profile(ERRNO(EPERM), NULL, 0);
    OWNED_FILTER filter = compiled(&seccomp);

    ck_assert_uint_eq(answer(&filter, X86_64, 0, NULL), ERRNO(EPERM));
    ck_assert_uint_eq(answer(&filter, X86_64, 5000, NULL), ERRNO(EPERM));
}
END_TEST

START_TEST(x32_calls_are_judged_only_where_the_profile_lists_x32)
{
    const uint32_t x32 = PLAN_SECCOMP_ARCH_X32;
    struct plan_seccomp seccomp = profile(ERRNO(EPERM), &allow_few, 1);
    OWNED_FILTER without = compiled(&seccomp);
    seccomp.archs = &x32;
    seccomp.arch_count = 1;
    OWNED_FILTER with = compiled(&seccomp);

    ck_assert_uint_eq(answer(&without, X86_64, X32 + 1, NULL), SECCOMP_RET_KILL_THREAD);
    ck_assert_uint_eq(answer(&with, X86_64, X32 + 1, NULL), ALLOW);
    ck_assert_uint_eq(answer(&with, X86_64, X32 + 2, NULL), ERRNO(EPERM));
    ck_assert_uint_eq(answer(&with, X86_64, X32 + 232, NULL), ERRNO(ENOSYS));
    /* x32's own calls from 512 on are a closed list, not new ones */
    ck_assert_uint_eq(answer(&with, X86_64, X32 + 511, NULL), ERRNO(ENOSYS));
    ck_assert_uint_eq(answer(&with, X86_64, X32 + 512, NULL), ERRNO(EPERM));
    ck_assert_uint_eq(answer(&with, X86_64, 232, NULL), ERRNO(ENOSYS));
}
END_TEST

START_TEST(each_architecture_has_its_own_newest_call)
{
    const uint32_t archs[] = {AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, AUDIT_ARCH_I386};
    static const char *const names[] = {"write", "statx", "set_tls"};
    const struct plan_seccomp_rule rule = {
        .json = "r", .names = names, .name_count = 3, .action = ALLOW};
    struct plan_seccomp seccomp = profile(ERRNO(EPERM), &rule, 1);
    seccomp.archs = archs;
    seccomp.arch_count = 3;
    OWNED_FILTER filter = compiled(&seccomp);

    ck_assert_uint_eq(answer(&filter, AUDIT_ARCH_AARCH64, 291, NULL), ALLOW); /* statx */
    ck_assert_uint_eq(answer(&filter, AUDIT_ARCH_AARCH64, 292, NULL), ERRNO(ENOSYS));
    ck_assert_uint_eq(answer(&filter, AUDIT_ARCH_I386, 383, NULL), ALLOW);
    ck_assert_uint_eq(answer(&filter, AUDIT_ARCH_I386, 384, NULL), ERRNO(ENOSYS));
    ck_assert_uint_eq(answer(&filter, AUDIT_ARCH_ARM, 397, NULL), ALLOW);
    ck_assert_uint_eq(answer(&filter, AUDIT_ARCH_ARM, 398, NULL), ERRNO(ENOSYS));
    /* ARM's private calls stand far above and say nothing about age */
    ck_assert_uint_eq(answer(&filter, AUDIT_ARCH_ARM, 0xf0005, NULL), ALLOW);
    ck_assert_uint_eq(answer(&filter, AUDIT_ARCH_ARM, 0xf0006, NULL), ERRNO(EPERM));
    ck_assert_uint_eq(answer(&filter, AUDIT_ARCH_S390X, 1, NULL), SECCOMP_RET_KILL_THREAD);
}
END_TEST

START_TEST(conditions_of_one_rule_hold_together)
{
    static const char *const names[] = {"ioctl"}; /* 16 */
    static const struct plan_seccomp_arg args[] = {
        {.index = 0, .op = PLAN_CMP_EQ,        .value = 1         },
        {.index = 1, .op = PLAN_CMP_MASKED_EQ, .value = 0xffffffff, .value_two = 0x5412},
        {.index = 2,          .op = PLAN_CMP_GT,                         .value = 0x100000000                 }
    };
    const struct plan_seccomp_rule rules[] = {
        allow_few,
        {.json = "r",
          .names = names,
          .name_count = 1,
          .action = ALLOW,
          .args = args,
          .arg_count = 3}
    };
    const struct plan_seccomp seccomp = profile(ERRNO(EPERM), rules, 2);
    OWNED_FILTER filter = compiled(&seccomp);

    ck_assert_uint_eq(answer(&filter, X86_64, 16, (uint64_t[6]){1, 0x5412, 0x100000001}), ALLOW);
    ck_assert_uint_eq(answer(&filter, X86_64, 16, (uint64_t[6]){1, 0x700005412, 0x200000000}),
                      ALLOW);
    ck_assert_uint_eq(answer(&filter, X86_64, 16, (uint64_t[6]){2, 0x5412, 0x100000001}),
                      ERRNO(EPERM));
    ck_assert_uint_eq(answer(&filter, X86_64, 16, (uint64_t[6]){1, 0x5413, 0x100000001}),
                      ERRNO(EPERM));
    ck_assert_uint_eq(answer(&filter, X86_64, 16, (uint64_t[6]){1, 0x5412, 0x100000000}),
                      ERRNO(EPERM));
    ck_assert_uint_eq(answer(&filter, X86_64, 16, (uint64_t[6]){0x100000001, 0x5412, 0x100000001}),
                      ERRNO(EPERM));
}
END_TEST

START_TEST(a_conflict_is_told_with_the_rule_and_the_call)
{
    static const char *const names[] = {"write"};
    static const struct plan_seccomp_arg arg = {.index = 0, .op = PLAN_CMP_EQ, .value = 1};
    const struct plan_seccomp_rule rules[] = {
        {.json = "linux.seccomp.syscalls[0]",
         .names = names,
         .name_count = 1,
         .action = ALLOW,
         .args = &arg,
         .arg_count = 1},
        {.json = "linux.seccomp.syscalls[1]",
         .names = names,
         .name_count = 1,
         .action = ERRNO(5),
         .args = &arg,
         .arg_count = 1}
    };
    const struct plan_seccomp seccomp = profile(ERRNO(EPERM), rules, 2);
    struct priv_filter filter;
    struct sub_err err = {0};

    ck_fails(priv_filter_compile(&seccomp, -1, &filter, &err), &err, EINVAL,
             "linux.seccomp.syscalls[1]",
             "another action than an earlier rule for the same call and conditions");
}
END_TEST

START_TEST(an_architecture_that_libseccomp_does_not_know_is_refused)
{
    const uint32_t arch = 0x12345678;
    struct plan_seccomp seccomp = profile(ERRNO(EPERM), &allow_few, 1);
    seccomp.archs = &arch;
    seccomp.arch_count = 1;
    struct priv_filter filter;
    struct sub_err err = {0};

    ck_fails(priv_filter_compile(&seccomp, -1, &filter, &err), &err, EINVAL,
             "linux.seccomp.architectures", "libseccomp does not know architecture 0x12345678");
}
END_TEST

START_TEST(the_first_of_several_rules_that_hold_decides)
{
    static const char *const names[] = {"write"};
    static const struct plan_seccomp_arg args[] = {
        {.index = 0, .op = PLAN_CMP_LT, .value = 10},
        {.index = 0, .op = PLAN_CMP_GT, .value = 5 }
    };
    const struct plan_seccomp_rule rules[] = {
        {.json = "r0",
         .names = names,
         .name_count = 1,
         .action = ALLOW,
         .args = args,
         .arg_count = 1},
        {.json = "r1",
         .names = names,
         .name_count = 1,
         .action = ERRNO(7),
         .args = args + 1,
         .arg_count = 1}
    };
    const struct plan_seccomp seccomp = profile(ERRNO(EPERM), rules, 2);
    OWNED_FILTER filter = compiled(&seccomp);

    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){7}), ALLOW);
    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){10}), ERRNO(7));
    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){0x700000000}), ERRNO(7));
}
END_TEST

START_TEST(choices_of_different_arguments_are_not_mixed)
{
    static const char *const names[] = {"write"};
    static const struct plan_seccomp_arg args[] = {
        {.index = 0, .op = PLAN_CMP_EQ, .value = 1          },
        {.index = 0, .op = PLAN_CMP_EQ, .value = 0x300000002},
        {.index = 1, .op = PLAN_CMP_EQ, .value = 3          },
        {.index = 1, .op = PLAN_CMP_EQ, .value = 4          },
        {.index = 0, .op = PLAN_CMP_EQ, .value = 5          }
    };
    struct plan_seccomp_rule rules[NUMBER(args)];
    for (uint32_t i = 0; i < NUMBER(args); i++)
        rules[i] = (struct plan_seccomp_rule){.json = "r",
                                              .names = names,
                                              .name_count = 1,
                                              .action = ERRNO(10 + i),
                                              .args = &args[i],
                                              .arg_count = 1};
    const struct plan_seccomp seccomp = profile(ERRNO(EPERM), rules, NUMBER(args));
    OWNED_FILTER filter = compiled(&seccomp);

    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){1, 9}), ERRNO(10));
    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){0x300000002, 9}), ERRNO(11));
    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){2, 9}), ERRNO(EPERM));
    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){9, 3}), ERRNO(12));
    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){5, 4}), ERRNO(13));
    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){5, 5}), ERRNO(14));
    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){0x100000005, 5}), ERRNO(EPERM));
}
END_TEST

START_TEST(a_rule_without_conditions_goes_before_those_with_some)
{
    static const char *const names[] = {"write"};
    static const struct plan_seccomp_arg arg = {.index = 0, .op = PLAN_CMP_EQ, .value = 1};
    const struct plan_seccomp_rule rules[] = {
        {.json = "r0",
         .names = names,
         .name_count = 1,
         .action = ALLOW,
         .args = &arg,
         .arg_count = 1},
        {.json = "r1",      .names = names,      .name_count = 1,      .action = ERRNO(7)     },
        {.json = "r2", .names = names, .name_count = 1,.action = ERRNO(8)}
    };
    const struct plan_seccomp seccomp = profile(ERRNO(EPERM), rules, 3);
    OWNED_FILTER filter = compiled(&seccomp);

    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){1}), ERRNO(7));
    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){2}), ERRNO(7));
}
END_TEST

/* --- size --------------------------------------------------------------------------------------
 */

#define MANY 5000

static struct plan_seccomp many_conditions(size_t count)
{
    static const char *const names[] = {"write"};
    static struct plan_seccomp_arg args[MANY];
    static struct plan_seccomp_rule rules[MANY];

    for (size_t i = 0; i < count; i++) {
        args[i] = (struct plan_seccomp_arg){.index = 2, .op = PLAN_CMP_EQ, .value = 7 * i};
        rules[i] = (struct plan_seccomp_rule){.json = "r",
                                              .names = names,
                                              .name_count = 1,
                                              .action = ALLOW,
                                              .args = &args[i],
                                              .arg_count = 1};
    }
    return profile(ERRNO(EPERM), rules, count);
}

START_TEST(a_long_chain_of_conditions_is_reached_by_long_jumps)
{
    const struct plan_seccomp seccomp = many_conditions(900);
    OWNED_FILTER filter = compiled(&seccomp);

    ck_assert_uint_gt(filter.count, 900);
    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){0, 0, 0}), ALLOW);
    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){0, 0, 7 * 899}), ALLOW);
    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){0, 0, 7 * 450}), ALLOW);
    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){0, 0, 7 * 450 + 1}), ERRNO(EPERM));
    ck_assert_uint_eq(answer(&filter, X86_64, 1, (uint64_t[6]){0, 0, 7 * 900}), ERRNO(EPERM));
    ck_assert_uint_eq(answer(&filter, X86_64, 0, NULL), ERRNO(EPERM));
    ck_assert_uint_eq(answer(&filter, X86_64, 2, NULL), ERRNO(ENOSYS));
    ck_assert_uint_eq(answer(&filter, AUDIT_ARCH_ARM, 1, NULL), SECCOMP_RET_KILL_THREAD);
}
END_TEST

START_TEST(a_program_that_is_too_long_is_refused_with_its_size)
{
    const struct plan_seccomp seccomp = many_conditions(4095);
    struct priv_filter filter;
    struct sub_err err = {0};
    unsigned size = 0;

    ck_assert_int_eq(priv_filter_compile(&seccomp, -1, &filter, &err), -E2BIG);
    ck_assert_str_eq(err.path, "linux.seccomp");
    ck_assert_int_eq(sscanf(err.text,
                            "the profile needs %u BPF instructions, the kernel takes at most 4096",
                            &size),
                     1);
    ck_assert_uint_gt(size, 4096);
    ck_assert_uint_lt(size, 4200);
}
END_TEST

START_TEST(what_cannot_fit_is_refused_before_any_work)
{
    const struct plan_seccomp seccomp = many_conditions(MANY);
    struct priv_filter filter;
    struct sub_err err = {0};

    ck_fails(priv_filter_compile(&seccomp, -1, &filter, &err), &err, E2BIG,
             "linux.seccomp.syscalls",
             "5000 rules with conditions, the kernel takes at most 4096 instructions");
}
END_TEST

/* --- the kernel's own opinion ------------------------------------------------------------------
 */

static int errno_of(long number)
{
    return syscall(number, -1, -1, -1, -1, -1, -1) < 0 ? errno : 0;
}

/* Bit 0: a call that every profile allows works; bit 1: one that none allows does not; bit 2: one
 * that is newer than all of them does not exist. */
static int probe(const struct priv_filter *filter)
{
    const struct sock_fprog program = {.len = (unsigned short) filter->count,
                                       .filter = filter->code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return 64;
    return (syscall(SYS_getppid) > 0 ? 1 : 0) | (errno_of(SYS_swapoff) == EPERM ? 2 : 0) |
           (errno_of(SYS_kexec_load) == EPERM ? 4 : 0) | (errno_of(1500) == ENOSYS ? 8 : 0);
}

START_TEST(the_kernel_takes_the_engines_filters_and_answers_by_them)
{
    static const char *const engines[] = {"docker", "podman", "containerd"};
    OWNED_ARENA arena;
    arena_init(&arena, ARENA_MAX_BYTES);
    OWNED_FILTER filter = compiled(profile_of(&arena, engines[_i]));
    int status;

    pid_t pid = fork();
    if (pid == 0)
        _exit(probe(&filter));
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 15);
}
END_TEST

Suite *filter_suite(void);

Suite *filter_suite(void)
{
    Suite *suite = suite_create("filter_suite");
    TCase *cases = tcase_create("filter");

    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, calls_newer_than_the_profile_do_not_exist);
    tcase_add_test(cases, a_default_that_kills_or_traps_answers_newer_calls_too);
    tcase_add_test(cases, a_default_that_lets_through_or_asks_someone_is_left_alone);
    tcase_add_test(cases, a_call_that_is_named_with_the_default_action_counts_as_known);
    tcase_add_test(cases, a_profile_that_names_nothing_keeps_its_default_everywhere);
    tcase_add_test(cases, x32_calls_are_judged_only_where_the_profile_lists_x32);
    tcase_add_test(cases, each_architecture_has_its_own_newest_call);
    tcase_add_test(cases, conditions_of_one_rule_hold_together);
    tcase_add_test(cases, a_conflict_is_told_with_the_rule_and_the_call);
    tcase_add_test(cases, an_architecture_that_libseccomp_does_not_know_is_refused);
    tcase_add_test(cases, the_first_of_several_rules_that_hold_decides);
    tcase_add_test(cases, choices_of_different_arguments_are_not_mixed);
    tcase_add_test(cases, a_rule_without_conditions_goes_before_those_with_some);
    tcase_add_test(cases, a_long_chain_of_conditions_is_reached_by_long_jumps);
    tcase_add_test(cases, a_program_that_is_too_long_is_refused_with_its_size);
    tcase_add_test(cases, what_cannot_fit_is_refused_before_any_work);
    tcase_add_loop_test(cases, the_kernel_takes_the_engines_filters_and_answers_by_them, 0, 3);
    suite_add_tcase(suite, cases);
    return suite;
}
