/* SPDX-License-Identifier: Apache-2.0 */
/* 32-bit x86: calls that have a number of their own and one inside socketcall(2) or ipc(2). */
#include <errno.h>
#include <linux/audit.h>
#include <string.h>

#include "profiles.h"
#include "runner.h"

#define SOCKETCALL 102
#define IPC        117
#define SOCKET_86  359 /* socket(2) by its own number */

static const uint32_t i386[] = {AUDIT_ARCH_I386};

static struct priv_filter compiled_i386(uint32_t default_action,
                                        const struct plan_seccomp_rule *rules, size_t count)
{
    const struct plan_seccomp seccomp = {.default_action = default_action,
                                         .archs = i386,
                                         .arch_count = 1,
                                         .rules = rules,
                                         .rule_count = count};

    return compiled(&seccomp);
}

static uint32_t ask(const struct priv_filter *filter, uint32_t number, uint64_t first)
{
    return answer(filter, AUDIT_ARCH_I386, number, (uint64_t[6]){first, 38, 38});
}

START_TEST(a_call_that_is_allowed_is_allowed_inside_its_carrier)
{
    static const char *const names[] = {"socket", "shmat", "recv"};
    const struct plan_seccomp_rule rule = {
        .json = "r", .names = names, .name_count = 3, .action = ALLOW};
    OWNED_FILTER filter = compiled_i386(ERRNO(EPERM), &rule, 1);

    ck_assert_uint_eq(ask(&filter, SOCKET_86, 2), ALLOW);
    ck_assert_uint_eq(ask(&filter, SOCKETCALL, 1), ALLOW);           /* socket */
    ck_assert_uint_eq(ask(&filter, SOCKETCALL, 10), ALLOW);          /* recv */
    ck_assert_uint_eq(ask(&filter, SOCKETCALL, 2), ERRNO(EPERM));    /* bind */
    ck_assert_uint_eq(ask(&filter, IPC, 21), ALLOW);                 /* shmat */
    ck_assert_uint_eq(ask(&filter, IPC, 22), ERRNO(EPERM));          /* shmdt */
    ck_assert_uint_eq(ask(&filter, SOCKET_86 + 1, 0), ERRNO(EPERM)); /* socketpair */
}
END_TEST

/* The way of docker and containerd to forbid AF_ALG (38, CVE-2026-31431) and AF_VSOCK (40). */
static const struct plan_seccomp_arg families[] = {
    {.index = 0, .op = PLAN_CMP_LT, .value = 38},
    {.index = 0, .op = PLAN_CMP_EQ, .value = 39},
    {.index = 0, .op = PLAN_CMP_GT, .value = 40}
};
static const char *const socket_name[] = {"socket"};
static const struct plan_seccomp_rule family_rules[] = {
    {.json = "r0",
     .names = socket_name,
     .name_count = 1,
     .action = ALLOW,
     .args = families,
     .arg_count = 1},
    {.json = "r1",
     .names = socket_name,
     .name_count = 1,
     .action = ALLOW,
     .args = families + 1,
     .arg_count = 1},
    {.json = "r2",
     .names = socket_name,
     .name_count = 1,
     .action = ALLOW,
     .args = families + 2,
     .arg_count = 1}
};

START_TEST(an_address_family_that_is_forbidden_is_forbidden_inside_socketcall)
{
    OWNED_FILTER filter = compiled_i386(ERRNO(EPERM), family_rules, 3);

    for (uint32_t family = 0; family < 50; family++) {
        uint32_t right = family == 38 || family == 40 ? ERRNO(EPERM) : ALLOW;

        ck_assert_uint_eq(ask(&filter, SOCKET_86, family), right);
        ck_assert_uint_eq(answer(&filter, AUDIT_ARCH_X86_64, 41, (uint64_t[6]){family}), right);
    }
    ck_assert_uint_eq(ask(&filter, SOCKETCALL, 1), ERRNO(EPERM));
}
END_TEST

START_TEST(who_refuses_socketcall_by_the_default_action_means_all_inside)
{
    static const char *const names[] = {"socketcall", "socket"};
    const struct plan_seccomp_rule rules[] = {
        {.json = "r0", .names = names,     .name_count = 1, .action = ERRNO(EPERM)},
        {.json = "r1", .names = names + 1, .name_count = 1, .action = ALLOW       }
    };
    OWNED_FILTER filter = compiled_i386(ERRNO(EPERM), rules, 2);

    ck_assert_uint_eq(ask(&filter, SOCKETCALL, 1), ERRNO(EPERM));
    ck_assert_uint_eq(ask(&filter, SOCKET_86, 1), ALLOW);
}
END_TEST

START_TEST(who_allows_socketcall_allows_all_inside)
{
    static const char *const names[] = {"socketcall"};
    struct plan_seccomp_rule rules[4];
    memcpy(rules, family_rules, sizeof family_rules);
    rules[3] =
        (struct plan_seccomp_rule){.json = "r3", .names = names, .name_count = 1, .action = ALLOW};
    OWNED_FILTER filter = compiled_i386(ERRNO(EPERM), rules, 4);

    ck_assert_uint_eq(ask(&filter, SOCKETCALL, 1), ALLOW);
    ck_assert_uint_eq(ask(&filter, SOCKETCALL, 9), ALLOW);
}
END_TEST

START_TEST(a_refusal_under_conditions_holds_without_them_inside_socketcall)
{
    static const struct plan_seccomp_arg arg = {.index = 0, .op = PLAN_CMP_EQ, .value = 38};
    const struct plan_seccomp_rule rule = {.json = "r",
                                           .names = socket_name,
                                           .name_count = 1,
                                           .action = ERRNO(97),
                                           .args = &arg,
                                           .arg_count = 1};
    OWNED_FILTER filter = compiled_i386(ALLOW, &rule, 1);

    ck_assert_uint_eq(ask(&filter, SOCKET_86, 38), ERRNO(97));
    ck_assert_uint_eq(ask(&filter, SOCKET_86, 2), ALLOW);
    ck_assert_uint_eq(ask(&filter, SOCKETCALL, 1), ERRNO(97));
    ck_assert_uint_eq(ask(&filter, SOCKETCALL, 2), ALLOW);
}
END_TEST

SUITE(carrier_suite, a_call_that_is_allowed_is_allowed_inside_its_carrier,
      an_address_family_that_is_forbidden_is_forbidden_inside_socketcall,
      who_refuses_socketcall_by_the_default_action_means_all_inside,
      who_allows_socketcall_allows_all_inside,
      a_refusal_under_conditions_holds_without_them_inside_socketcall)
