/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "runner.h"
#include "stage.h"

#define BIT(n) (UINT64_C(1) << (n))

/* A world with three capabilities: 0, 1 and 2. */
static const struct plan_caps two_of_three = {
    .bounding = 3, .effective = 1, .permitted = 3, .inheritable = 0, .last = 2};

static const struct priv_fds no_fds = {.proc = -1, .listener = -1};

static struct sock_filter allow_all = {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW};
static const struct priv_filter filter = {.code = &allow_all, .count = 1, .flags = 2};

static void assert_script(const struct plan_process *process, const struct priv_filter *loaded,
                          const struct priv_fds *fds, const char *want)
{
    static char text[SCRIPT_TEXT];
    OWNED_SCRIPT script;

    script_init(&script, -1);
    priv_script(process, loaded, fds, &script);
    priv_script_filter(process, loaded, fds, &script);
    script_text(&script, text);
    ck_assert_str_eq(text, want);
}

START_TEST(a_plain_root_needs_few_calls)
{
    const struct plan_process process = {.umask = 022, .caps = two_of_three};

    assert_script(&process, NULL, &no_fds,
                  "umask 18 | process.user.umask\n"
                  "prctl 24 2 | process.capabilities\n"
                  "setgroups 0 * | process.user.additionalGids\n"
                  "setresgid | process.user.gid\n"
                  "setresuid | process.user.uid\n"
                  "prctl 4 | process.user\n"
                  "capset * * | process.capabilities\n");
}
END_TEST

START_TEST(everything_comes_in_the_binding_order)
{
    static const uint32_t groups[] = {5, 6};
    static const struct plan_rlimit limits[] = {
        {.resource = RLIMIT_NOFILE, .soft = 10, .hard = 20, .json = "process.rlimits[0]"}
    };
    const struct plan_process process = {
        .umask = 077,
        .uid = 1000,
        .gid = 100,
        .groups = groups,
        .group_count = 2,
        .rlimits = limits,
        .rlimit_count = 1,
        .has_personality = true,
        .personality = PER_LINUX32,
        .no_new_privileges = true,
        .apparmor = "box",
        .selinux = "u:r:t:s0",
        .caps = {.bounding = 1,
                 .effective = 1,
                 .permitted = 1,
                 .inheritable = 1,
                 .ambient = 1,
                 .last = 2}
    };
    const struct priv_fds fds = {.proc = 7, .listener = -1, .death_signal = SIGKILL};

    assert_script(&process, &filter, &fds,
                  "umask 63 | process.user.umask\n"
                  "personality 8 | linux.personality\n"
                  "openat2 7 * * 24 | process.apparmorProfile\n"
                  "write $ * 8 | process.apparmorProfile\n"
                  "openat2 7 * * 24 | process.selinuxLabel\n"
                  "write $ * 8 | process.selinuxLabel\n"
                  "prlimit64 0 7 * | process.rlimits[0]\n"
                  "prctl 24 1 | process.capabilities\n"
                  "prctl 24 2 | process.capabilities\n"
                  "prctl 8 1 | process.capabilities\n"
                  "setgroups 2 * | process.user.additionalGids\n"
                  "setresgid 100 100 100 | process.user.gid\n"
                  "setresuid 1000 1000 1000 | process.user.uid\n"
                  "prctl 4 | process.user\n"
                  "prctl 1 9 | process.user\n"
                  "capset * * | process.capabilities\n"
                  "prctl 47 2 | process.capabilities\n"
                  "prctl 38 1 | process.noNewPrivileges\n"
                  "seccomp 1 2 * | linux.seccomp\n");
}
END_TEST

START_TEST(without_no_new_privs_the_filter_is_loaded_before_the_last_capability_goes)
{
    const struct plan_process process = {.uid = 5, .keep_groups = true, .caps = {.last = 0}};

    assert_script(&process, &filter, &no_fds,
                  "umask | process.user.umask\n"
                  "prctl 24 | process.capabilities\n"
                  "prctl 8 1 | process.capabilities\n"
                  "setresgid | process.user.gid\n"
                  "setresuid 5 5 5 | process.user.uid\n"
                  "prctl 4 | process.user\n"
                  "capset * * | process.capabilities\n"
                  "seccomp 1 2 * | linux.seccomp\n"
                  "capset * * | process.capabilities\n");
}
END_TEST

START_TEST(a_filter_that_notifies_is_loaded_with_a_listener)
{
    const struct plan_process process = {
        .no_new_privileges = true, .caps = {.bounding = 1, .last = 0}
    };
    const struct priv_filter notifying = {
        .code = &allow_all, .count = 1, .flags = 32, .notify = true};
    const struct priv_fds fds = {.proc = -1, .listener = 9};

    assert_script(&process, &notifying, &fds,
                  "umask | process.user.umask\n"
                  "setgroups 0 * | process.user.additionalGids\n"
                  "setresgid | process.user.gid\n"
                  "setresuid | process.user.uid\n"
                  "prctl 4 | process.user\n"
                  "capset * * | process.capabilities\n"
                  "prctl 38 1 | process.noNewPrivileges\n"
                  "listener 9 40 * | linux.seccomp\n");
}
END_TEST

START_TEST(who_leaves_keeps_no_more_than_the_right_to_load_the_filter)
{
    static const struct plan_rlimit limits[] = {
        {.resource = 6, .soft = 5, .hard = 5, .json = "process.rlimits[0]"}
    };
    const struct plan_process process = {
        .rlimits = limits, .rlimit_count = 1, .keep_groups = true, .caps = {.last = 0}};
    const struct priv_fds fds = {.proc = -1, .listener = -1, .leaves = true};
    static char text[SCRIPT_TEXT];
    OWNED_SCRIPT script;

    script_init(&script, 3);
    priv_script(&process, &filter, &fds, &script);
    (void) script_call(&script, SYS_umask, (const uint64_t[SCRIPT_ARGS]){0}, 0, "leaves");
    priv_script_limits(&process, &fds, &script);
    priv_script_filter(&process, &filter, &fds, &script);
    script_text(&script, text);
    ck_assert_str_eq(text, "umask | process.user.umask\n"
                           "prlimit64 0 6 * | process.rlimits[0]\n"
                           "prctl 24 | process.capabilities\n"
                           "setresgid | process.user.gid\n"
                           "setresuid | process.user.uid\n"
                           "prctl 4 | process.user\n"
                           "capset * * | process.capabilities\n"
                           "umask | \n"
                           "prlimit64 0 6 * | process.rlimits[0]\n"
                           "seccomp 1 2 * | linux.seccomp\n"
                           "capset * * | process.capabilities\n");
}
END_TEST

START_TEST(what_the_runtime_had_as_ambient_is_cleared_for_root)
{
    const struct plan_process process = {
        .caps = {.bounding = 7, .permitted = 7, .inheritable = 6, .ambient = 2, .last = 2}
    };

    assert_script(&process, NULL, &no_fds,
                  "umask | process.user.umask\n"
                  "setgroups 0 * | process.user.additionalGids\n"
                  "setresgid | process.user.gid\n"
                  "setresuid | process.user.uid\n"
                  "prctl 4 | process.user\n"
                  "capset * * | process.capabilities\n"
                  "prctl 47 4 | process.capabilities.ambient\n"
                  "prctl 47 2 1 | process.capabilities\n");
}
END_TEST

/* The bytes that a pointer argument of operation `index` shows. */
static const char *data_of(const struct script *script, size_t index, unsigned argument)
{
    const struct script_op *ops = (const void *) buf_text(&script->ops);

    return script->data.data + ops[index].args[argument] - sizeof(struct script_head);
}

START_TEST(a_confined_runtime_stacks_profiles_where_no_new_privs_allows_nothing_else)
{
    struct plan_process process = {.apparmor = "box", .no_new_privileges = true};
    const struct priv_fds confined = {.proc = 3, .listener = -1, .apparmor_confined = true};
    const struct priv_fds free_one = {.proc = 3, .listener = -1};
    OWNED_SCRIPT a;
    OWNED_SCRIPT b;
    OWNED_SCRIPT c;

    script_init(&a, -1);
    script_init(&b, -1);
    script_init(&c, -1);
    priv_script(&process, NULL, &confined, &a);
    priv_script(&process, NULL, &free_one, &b);
    process.no_new_privileges = false;
    priv_script(&process, NULL, &confined, &c);
    ck_assert_str_eq(data_of(&a, 1, 1), "self/attr/apparmor/exec");
    ck_assert_mem_eq(data_of(&a, 2, 1), "stack box", 9);
    ck_assert_mem_eq(data_of(&b, 2, 1), "exec box", 8);
    ck_assert_mem_eq(data_of(&c, 2, 1), "exec box", 8);
}
END_TEST

START_TEST(every_operation_says_what_failed)
{
    const struct plan_process process = {
        .uid = 1,
        .no_new_privileges = true,
        .has_personality = true,
        .apparmor = "x",
        .selinux = "y",
        .caps = {.bounding = 6, .permitted = 2, .inheritable = 2, .ambient = 2, .last = 2}
    };
    const struct priv_fds fds = {.proc = 3, .listener = 4, .death_signal = 9};
    OWNED_SCRIPT script;

    script_init(&script, -1);
    priv_script(&process, &filter, &fds, &script);
    priv_script_filter(&process, &filter, &fds, &script);
    const struct script_op *ops = (const void *) buf_text(&script.ops);
    size_t count = script.ops.length / sizeof *ops;
    ck_assert_uint_ge(count, 15);
    for (size_t i = 0; i < count; i++) {
        const char *text = script.data.data + ops[i].text - sizeof(struct script_head);
        const char *path = script.data.data + ops[i].path - sizeof(struct script_head);

        ck_assert_int_eq(strncmp(text, "cannot ", 7), 0);
        ck_assert_uint_gt(strlen(path), 5);
    }
}
END_TEST

SUITE(script_suite, a_plain_root_needs_few_calls, everything_comes_in_the_binding_order,
      without_no_new_privs_the_filter_is_loaded_before_the_last_capability_goes,
      a_filter_that_notifies_is_loaded_with_a_listener,
      who_leaves_keeps_no_more_than_the_right_to_load_the_filter,
      what_the_runtime_had_as_ambient_is_cleared_for_root,
      a_confined_runtime_stacks_profiles_where_no_new_privs_allows_nothing_else,
      every_operation_says_what_failed)
