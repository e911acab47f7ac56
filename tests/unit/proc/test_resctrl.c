/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that looks like a resctrl file system: what is read, compared, written and removed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/base/arena.h"
#include "sublet/base/fd.h"
#include "sublet/proc.h"

#include "runner.h"

static char place[] = "/tmp/test-resctrl.XXXXXX";
static int fs_fd;
static struct sub_err err;

static void put(const char *name, const char *text)
{
    OWNED_FD fd = openat(fs_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(sub_write_all(fd, text, strlen(text)), 0);
}

static void expect_text(const char *name, const char *wanted)
{
    char text[256];

    ck_assert_int_ge(sub_read_file_at(fs_fd, name, text, sizeof text), 0);
    ck_assert_str_eq(text, wanted);
}

/* The class "gold", as the kernel prints one. */
static void begin(void)
{
    memcpy(place + strlen(place) - 6, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(place));
    fs_fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(mkdirat(fs_fd, "info", 0700), 0);
    ck_assert_int_eq(mkdirat(fs_fd, "gold", 0700), 0);
    ck_assert_int_eq(mkdirat(fs_fd, "gold/mon_groups", 0700), 0);
    put("gold/schemata", "    MB:0= 20;1=100\n    L3:0=07f;1=00f\n");
    put("gold/tasks", "");
    err = (struct sub_err){.code = 0};
}

static void end(void)
{
    static const char *const names[] = {"gold/schemata", "gold/tasks", "info/last_cmd_status",
                                        "gold/mon_groups/c1/tasks"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void) unlinkat(fs_fd, names[i], 0);
    (void) unlinkat(fs_fd, "gold/mon_groups/c1", AT_REMOVEDIR);
    (void) unlinkat(fs_fd, "gold/mon_groups", AT_REMOVEDIR);
    (void) unlinkat(fs_fd, "gold", AT_REMOVEDIR);
    (void) unlinkat(fs_fd, "info", AT_REMOVEDIR);
    sub_close(&fs_fd);
    ck_assert_int_eq(rmdir(place), 0); /* and nothing else is left */
}

static struct plan_resctrl gold(const char *first, const char *second)
{
    return (struct plan_resctrl){
        .group = "gold", .make = true, .schemata = {first, second}
    };
}

START_TEST(a_class_that_has_what_is_asked_for_is_taken)
{
    static const char *const equal[][2] = {
        {NULL,                     NULL             },
        {"L3:0=7f;1=f\n",          NULL             },
        {"L3:1=F\n",               NULL             },
        {"L3:0=7f;1=f\nMB:0=20\n", NULL             },
        {"L3:0=1;1=f\n",           "L3:0=7f\n"      },
        {NULL,                     "MB:0=20;1=100\n"},
    };

    begin();
    for (size_t i = 0; i < sizeof equal / sizeof *equal; i++) {
        struct plan_resctrl plan = gold(equal[i][0], equal[i][1]);

        ck_assert_int_eq(proc_resctrl_check(fs_fd, &plan, &err), 0);
    }
    end();
}
END_TEST

START_TEST(a_class_with_other_values_is_refused)
{
    static const struct {
        const char *first, *second, *text;
    } rows[] = {
        {"L3:0=7e\n",     NULL,       "the class 'gold' exists and has L3:0=7f, not 7e" },
        {"L3:2=f\n",      NULL,       "the class 'gold' exists and has L3:2=none, not f"},
        {"L2:0=f\n",      NULL,       "the class 'gold' exists and has L2:0=none, not f"},
        {"MB:0=2\n",      NULL,       "the class 'gold' exists and has MB:0=20, not 2"  },
        {"L3:0=7f;1=e\n", NULL,       "the class 'gold' exists and has L3:1=f, not e"   },
        {"L3:0=7f\n",     "L3:0=1\n", "the class 'gold' exists and has L3:0=7f, not 1"  },
    };

    begin();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct plan_resctrl plan = gold(rows[i].first, rows[i].second);

        err = (struct sub_err){.code = 0};
        ck_fails(proc_resctrl_check(fs_fd, &plan, &err), &err, EINVAL, "linux.intelRdt.closID",
                 rows[i].text);
    }
    end();
}
END_TEST

START_TEST(a_missing_class_is_made_or_refused)
{
    struct plan_resctrl plan = {.group = "tin", .make = true};

    begin();
    ck_assert_int_eq(proc_resctrl_check(fs_fd, &plan, &err), 1);
    plan.make = false;
    err = (struct sub_err){.code = 0};
    ck_fails(proc_resctrl_check(fs_fd, &plan, &err), &err, ENOENT, "linux.intelRdt.closID",
             "there is no class 'tin'");
    plan = (struct plan_resctrl){.group = "gold", .make = true, .alone = true};
    err = (struct sub_err){.code = 0};
    ck_fails(proc_resctrl_check(fs_fd, &plan, &err), &err, EEXIST, "linux.intelRdt",
             "a class 'gold' exists, and without closID it has to be the container's own");
    end();
}
END_TEST

START_TEST(what_the_kernel_says_about_a_refusal_is_told)
{
    struct plan_resctrl plan = {.group = "tin", .make = true, .schemata = {"L3:0=0\n"}};

    begin();
    put("info/last_cmd_status", "need at least 1 bits in the mask\n");
    /* a folder here stays empty, so there is no file to write to */
    err = (struct sub_err){.code = 0};
    ck_fails(proc_resctrl_make(fs_fd, &plan, &err), &err, ENOENT, "linux.intelRdt",
             "the kernel refused 'L3:0=0' in schemata: need at least 1 bits in the mask");
    ck_ok(proc_resctrl_remove(fs_fd, "tin", NULL, &err), &err);
    ck_assert_int_eq(faccessat(fs_fd, "tin", F_OK, 0), -1);
    plan.group = "gold";
    ck_assert_int_eq(proc_resctrl_make(fs_fd, &plan, &err), -EEXIST);
    end();
}
END_TEST

START_TEST(a_process_enters_the_class_and_its_monitoring_group)
{
    struct plan_resctrl plan = {.group = "gold", .monitor = "c1"};

    begin();
    ck_ok(proc_resctrl_monitor(fs_fd, &plan, &err), &err);
    put("gold/mon_groups/c1/tasks", "");
    ck_ok(proc_resctrl_enter(fs_fd, &plan, 42, &err), &err);
    expect_text("gold/tasks", "42");
    expect_text("gold/mon_groups/c1/tasks", "42");
    ck_assert_int_eq(proc_resctrl_monitor(fs_fd, &plan, &err), -EEXIST);
    plan.group = "info";
    err = (struct sub_err){.code = 0};
    ck_fails(proc_resctrl_monitor(fs_fd, &plan, &err), &err, ENOENT,
             "linux.intelRdt.enableMonitoring",
             "cannot make a monitoring group 'c1': this hardware cannot monitor");
    end();
}
END_TEST

START_TEST(a_class_with_tasks_stays)
{
    begin();
    ck_assert_int_eq(mkdirat(fs_fd, "gold/mon_groups/c1", 0700), 0);
    put("gold/tasks", "1\n");
    ck_ok(proc_resctrl_remove(fs_fd, "gold", "gold/mon_groups/c1", &err), &err);
    ck_assert_int_eq(faccessat(fs_fd, "gold", F_OK, 0), 0);
    ck_assert_int_eq(faccessat(fs_fd, "gold/mon_groups/c1", F_OK, 0), -1);
    /* what is gone already is no failure, and the root never goes */
    ck_ok(proc_resctrl_remove(fs_fd, "tin", "tin/mon_groups/c1", &err), &err);
    ck_ok(proc_resctrl_remove(fs_fd, "", NULL, &err), &err);
    end();
}
END_TEST

START_TEST(new_lines_for_a_class_can_be_taken_back)
{
    static const char had[] = "    MB:0= 20;1=100\n    L3:0=07f;1=00f\n";
    const char *before = NULL, *between = NULL;
    OWNED_ARENA arena;

    begin();
    arena_init(&arena, 1 << 20);
    ck_ok(proc_resctrl_change(&arena, fs_fd, "gold", "L3:0=1\nMB:0=50\n", &before, &err), &err);
    ck_assert_str_eq(before, had);
    /* a file, unlike the kernel's, is written over from its start */
    expect_text("gold/schemata", "L3:0=1\nMB:0=50\n100\n    L3:0=07f;1=00f");
    ck_ok(proc_resctrl_change(&arena, fs_fd, "gold", before, &between, &err), &err);
    expect_text("gold/schemata", "    MB:0= 20;1=100\n    L3:0=07f;1=00f");
    ck_fails(proc_resctrl_change(&arena, fs_fd, "tin", "L3:0=1\n", &between, &err), &err, ENOENT,
             "linux.intelRdt",
             "cannot read the schemata of the class 'tin': No such file or directory");
    end();
}
END_TEST

SUITE(resctrl_suite, new_lines_for_a_class_can_be_taken_back,
      a_class_that_has_what_is_asked_for_is_taken, a_class_with_other_values_is_refused,
      a_missing_class_is_made_or_refused, what_the_kernel_says_about_a_refusal_is_told,
      a_process_enters_the_class_and_its_monitoring_group, a_class_with_tasks_stays)
