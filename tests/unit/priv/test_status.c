/* SPDX-License-Identifier: Apache-2.0 */
/* The script is carried out by a child, which must then be exactly what the plan says. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sublet/base/fd.h"

#include "runner.h"
#include "stage.h"

#define BIT(n) (UINT64_C(1) << (n))

#define CHOWN  BIT(CAP_CHOWN)
#define KILL   BIT(CAP_KILL)
#define NET    BIT(CAP_NET_BIND_SERVICE)
#define ADMIN  BIT(CAP_SYS_ADMIN)
#define SETP   BIT(CAP_SETPCAP)
#define ALL    UINT64_MAX /* cut to what this process has itself */

/* What docker grants. */
#define DOCKER UINT64_C(0xa80425fb)

enum { FREE, NNP, FILTER, NNP_FILTER };

static const struct {
    const char *name;
    uint32_t uid, gid;
    uint64_t bounding, effective, permitted, inheritable, ambient;
    int mode;
} cases[] = {
    {"root with everything",          0,          0,          ALL,    ALL,    ALL,        0,          0,          FREE      },
    {"root with everything, nnp",     0,          0,          ALL,    ALL,    ALL,        0,          0,          NNP       },
    {"root with everything, filter",  0,          0,          ALL,    ALL,    ALL,        0,          0,          FILTER    },
    {"root with everything, both",    0,          0,          ALL,    ALL,    ALL,        0,          0,          NNP_FILTER},
    {"docker's root",                 0,          0,          DOCKER, DOCKER, DOCKER,     0,          0,          FREE      },
    {"docker's root, filter",         0,          0,          DOCKER, DOCKER, DOCKER,     0,          0,          FILTER    },
    {"docker's root, both",           0,          0,          DOCKER, DOCKER, DOCKER,     0,          0,          NNP_FILTER},
    {"root with nothing",             0,          0,          0,      0,      0,          0,          0,          FREE      },
    {"root with nothing, filter",     0,          0,          0,      0,      0,          0,          0,          FILTER    },
    {"root, bounding alone",          0,          0,          DOCKER, 0,      0,          0,          0,          FREE      },
    {"root, permitted not effective", 0,          0,          DOCKER, 0,      DOCKER,     0,          0,          NNP       },
    {"root, inheritable",             0,          0,          DOCKER, KILL,   KILL,       KILL,       0,          FREE      },
    {"root, ambient",                 0,          0,          DOCKER, KILL,   KILL,       KILL,       KILL,       NNP_FILTER},
    {"root of another group",         0,          1000,       DOCKER, CHOWN,  CHOWN,      0,          0,          FREE      },
    {"user with nothing",             1000,       1000,       0,      0,      0,          0,          0,          FREE      },
    {"user with nothing, nnp",        1000,       1000,       0,      0,      0,          0,          0,          NNP       },
    {"user with nothing, filter",     1000,       1000,       0,      0,      0,          0,          0,          FILTER    },
    {"user with nothing, both",       1000,       1000,       0,      0,      0,          0,          0,          NNP_FILTER},
    {"user with docker's bounding",   1000,       1000,       DOCKER, 0,      0,          0,          0,          FILTER    },
    {"user with docker's set",        1000,       1000,       DOCKER, DOCKER, DOCKER,     0,          0,          NNP       },
    {"user with docker's, filter",    1000,       1000,       DOCKER, DOCKER, DOCKER,     0,          0,          FILTER    },
    {"user with ambient",             1000,       1000,       DOCKER, NET,    NET,        NET,        NET,        FREE      },
    {"user with ambient, filter",     1000,       1000,       DOCKER, NET,    NET,        NET,        NET,        FILTER    },
    {"user with two ambient, both",   1000,       1000,       DOCKER, NET,    NET | KILL, NET | KILL, NET | KILL,
     NNP_FILTER                                                                                                             },
    {"user, inheritable not ambient", 1000,       1000,       DOCKER, 0,      NET,        NET,        0,          NNP       },
    {"user with everything",          1000,       1000,       ALL,    ALL,    ALL,        ALL,        0,          FILTER    },
    {"user who administers",          1000,       1000,       ADMIN,  ADMIN,  ADMIN,      0,          0,          FILTER    },
    {"user with setpcap, ambient",    1000,       1000,       SETP,   SETP,   SETP,       SETP,       SETP,       FREE      },
    {"the highest user",              0xfffffffe, 0xfffffffe, KILL,   KILL,   KILL,       0,          0,          NNP_FILTER},
    {"user in the group of root",     1000,       0,          DOCKER, 0,      0,          0,          0,          FREE      },
};

static struct sock_filter deny_swapoff[] = {
    {BPF_LD | BPF_W | BPF_ABS,  0, 0, 0                        },
    {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 168                      },
    {BPF_RET | BPF_K,           0, 0, SECCOMP_RET_ERRNO | EPERM},
    {BPF_RET | BPF_K,           0, 0, SECCOMP_RET_ALLOW        },
};
static const struct priv_filter filter = {.code = deny_swapoff, .count = 4};
static const struct priv_fds no_fds = {.proc = -1, .listener = -1};

static bool is_root(void)
{
    if (geteuid() == 0)
        return true;
    fprintf(stderr, "skipped: only root can give up what a container's process gives up\n");
    return false;
}

static struct plan_process process_of(size_t i)
{
    struct plan_caps own = own_caps();

    return (struct plan_process){
        .uid = cases[i].uid,
        .gid = cases[i].gid,
        .umask = 027,
        .no_new_privileges = cases[i].mode == NNP || cases[i].mode == NNP_FILTER,
        .caps = {.bounding = cases[i].bounding & own.permitted,
                 .effective = cases[i].effective & own.permitted,
                 .permitted = cases[i].permitted & own.permitted,
                 .inheritable = cases[i].inheritable & own.permitted,
                 .ambient = cases[i].ambient & own.permitted,
                 .last = own.last},
    };
}

static const struct priv_filter *filter_of(size_t i)
{
    return cases[i].mode == FILTER || cases[i].mode == NNP_FILTER ? &filter : NULL;
}

static void assert_number(const struct outcome *outcome, const char *name, uint64_t want)
{
    char text[32];

    snprintf(text, sizeof text, "%llu", (unsigned long long) want);
    ck_assert_str_eq(line_of(outcome, name), text);
}

static void assert_ids(const struct outcome *outcome, const char *name, uint32_t id)
{
    char text[64];

    snprintf(text, sizeof text, "%u\t%u\t%u\t%u", id, id, id, id);
    ck_assert_str_eq(line_of(outcome, name), text);
}

START_TEST(the_process_is_exactly_as_planned)
{
    struct outcome outcome;

    if (!is_root())
        return;
    const struct plan_process process = process_of((size_t) _i);
    carry_out(&process, filter_of((size_t) _i), &no_fds, false, &outcome);
    ck_assert_msg(outcome.failure.code == 0, "%s: %s: %s: %s", cases[_i].name, outcome.failure.path,
                  outcome.failure.text, strerror(outcome.failure.code));
    ck_assert_msg(mask_of(&outcome, "CapBnd") == process.caps.bounding &&
                      mask_of(&outcome, "CapEff") == process.caps.effective &&
                      mask_of(&outcome, "CapPrm") == process.caps.permitted &&
                      mask_of(&outcome, "CapInh") == process.caps.inheritable &&
                      mask_of(&outcome, "CapAmb") == process.caps.ambient,
                  "%s: %s", cases[_i].name, strstr(outcome.status, "CapInh"));
    assert_ids(&outcome, "Uid", process.uid);
    assert_ids(&outcome, "Gid", process.gid);
    assert_number(&outcome, "NoNewPrivs", process.no_new_privileges ? 1 : 0);
    assert_number(&outcome, "Seccomp", filter_of((size_t) _i) != NULL ? 2 : 0);
    assert_number(&outcome, "Dumpable", 0);
    ck_assert_str_eq(line_of(&outcome, "Umask"), "0027");
    ck_assert_str_eq(line_of(&outcome, "Groups"), " ");
}
END_TEST

START_TEST(the_program_gets_what_the_kernel_makes_of_it)
{
    static const size_t some[] = {4, 7, 18, 19, 21, 23};
    struct outcome outcome;

    if (!is_root())
        return;
    for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
        const struct plan_process process = process_of(some[k]);
        /* capabilities(7): root gets the bounding set, another user the ambient set */
        uint64_t after = process.uid == 0 ? process.caps.bounding : process.caps.ambient;

        carry_out(&process, filter_of(some[k]), &no_fds, true, &outcome);
        ck_assert_uint_eq(mask_of(&outcome, "CapPrm"), after);
        ck_assert_uint_eq(mask_of(&outcome, "CapEff"), after);
        ck_assert_uint_eq(mask_of(&outcome, "CapBnd"), process.caps.bounding);
        ck_assert_uint_eq(mask_of(&outcome, "CapAmb"), process.caps.ambient);
    }
}
END_TEST

START_TEST(groups_limits_and_personality_are_set)
{
    static const uint32_t groups[] = {7, 70000, 4294967294};
    static const struct plan_rlimit limits[] = {
        {.resource = RLIMIT_NOFILE, .soft = 100, .hard = 200, .json = "process.rlimits[0]"},
        {.resource = RLIMIT_CORE,   .soft = 0,   .hard = 0,   .json = "process.rlimits[1]"}
    };
    const struct plan_process process = {.uid = 1,
                                         .gid = 2,
                                         .groups = groups,
                                         .group_count = 3,
                                         .rlimits = limits,
                                         .rlimit_count = 2,
                                         .has_personality = true,
                                         .personality = PER_LINUX32,
                                         .caps = {.last = own_caps().last}};
    struct outcome outcome;

    if (!is_root())
        return;
    carry_out(&process, NULL, &no_fds, false, &outcome);
    ck_assert_str_eq(line_of(&outcome, "Groups"), "7 70000 4294967294 ");
    ck_assert_str_eq(line_of(&outcome, "Files"), "100 200");
    ck_assert_str_eq(line_of(&outcome, "Personality"), "0x8");
}
END_TEST

START_TEST(the_death_signal_outlives_the_change_of_user)
{
    const struct plan_process process = {
        .uid = 1000, .gid = 1000, .caps = {.last = own_caps().last}};
    const struct priv_fds fds = {.proc = -1, .listener = -1, .death_signal = SIGTERM};
    struct outcome outcome;

    if (!is_root())
        return;
    carry_out(&process, NULL, &fds, false, &outcome);
    assert_number(&outcome, "DeathSignal", SIGTERM);
}
END_TEST

START_TEST(a_limit_that_the_kernel_refuses_is_named)
{
    static const struct plan_rlimit limit = {
        .resource = RLIMIT_NOFILE, .soft = 9, .hard = 4, .json = "process.rlimits[0]"};
    const struct plan_process process = {.rlimits = &limit, .rlimit_count = 1, .caps = own_caps()};
    struct outcome outcome;

    carry_out(&process, NULL, &no_fds, false, &outcome);
    ck_assert_int_eq(outcome.failure.code, EINVAL);
    ck_assert_str_eq(outcome.failure.path, "process.rlimits[0]");
    ck_assert_str_eq(outcome.failure.text, "cannot set the limit to soft 9, hard 4");
}
END_TEST

START_TEST(a_capability_that_nobody_has_is_refused_by_name_of_the_section)
{
    struct plan_process process = {.caps = own_caps()};
    struct outcome outcome;

    if (!is_root())
        return;
    process.caps.permitted = UINT64_MAX;
    carry_out(&process, NULL, &no_fds, false, &outcome);
    ck_assert_int_eq(outcome.failure.code, EPERM);
    ck_assert_str_eq(outcome.failure.path, "process.capabilities");
    ck_assert_str_eq(outcome.failure.text, "cannot set the capabilities");
}
END_TEST

START_TEST(a_label_reaches_the_kernel_through_a_file_that_the_process_opens_itself)
{
    OWNED_FD proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    const struct plan_process process = {.selinux = "no:such:label", .caps = own_caps()};
    const struct priv_fds fds = {.proc = proc, .listener = -1};
    struct outcome outcome;

    /* whatever security modules there are, this one is no label of theirs; EPERM would mean that
     * the kernel took the writer for another process than the opener */
    carry_out(&process, NULL, &fds, false, &outcome);
    ck_assert_int_eq(outcome.failure.code, EINVAL);
    ck_assert_str_eq(outcome.failure.path, "process.selinuxLabel");
    ck_assert_str_eq(outcome.failure.text, "cannot set the label");
}
END_TEST

START_TEST(a_folder_that_is_no_procfs_takes_no_label)
{
    OWNED_FD folder = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    const struct plan_process process = {.apparmor = "x", .caps = own_caps()};
    const struct priv_fds fds = {.proc = folder, .listener = -1};
    struct outcome outcome;

    carry_out(&process, NULL, &fds, false, &outcome);
    ck_assert_int_eq(outcome.failure.code, ENOENT);
    ck_assert_str_eq(outcome.failure.path, "process.apparmorProfile");
    ck_assert_str_eq(outcome.failure.text, "cannot open the file that takes the label");
}
END_TEST

Suite *status_suite(void);

Suite *status_suite(void)
{
    Suite *suite = suite_create("status_suite");
    TCase *tests = tcase_create("status");

    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, the_process_is_exactly_as_planned, 0,
                        (int) (sizeof cases / sizeof *cases));
    tcase_add_test(tests, the_program_gets_what_the_kernel_makes_of_it);
    tcase_add_test(tests, groups_limits_and_personality_are_set);
    tcase_add_test(tests, the_death_signal_outlives_the_change_of_user);
    tcase_add_test(tests, a_limit_that_the_kernel_refuses_is_named);
    tcase_add_test(tests, a_capability_that_nobody_has_is_refused_by_name_of_the_section);
    tcase_add_test(tests, a_label_reaches_the_kernel_through_a_file_that_the_process_opens_itself);
    tcase_add_test(tests, a_folder_that_is_no_procfs_takes_no_label);
    suite_add_tcase(suite, tests);
    return suite;
}
