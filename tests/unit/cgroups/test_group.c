/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

static const char WHERE[] = "linux.cgroupsPath";

START_TEST(a_path_that_leaves_or_garbles_is_refused)
{
    static const struct {
        const char *path, *text;
        int code;
    } rows[] = {
        {"",       "'': the root of the hierarchy is no group",            EINVAL},
        {"/",      "'/': the root of the hierarchy is no group",           EINVAL},
        {"/../x",  "'/../x': '.', '..' and empty components are refused",  EINVAL},
        {"a/../b", "'a/../b': '.', '..' and empty components are refused", EINVAL},
        {"a//b",   "'a//b': '.', '..' and empty components are refused",   EINVAL},
        {"//a",    "'//a': '.', '..' and empty components are refused",    EINVAL},
        {"a/",     "'a/': '.', '..' and empty components are refused",     EINVAL},
        {"a/./b",  "'a/./b': '.', '..' and empty components are refused",  EINVAL},
        {"a\nb",   "control characters are refused",                       EINVAL},
        {"a\x7f",  "control characters are refused",                       EINVAL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sub_err err = {0};
        struct cgroup group;

        ck_fails(cgroup_make(-EBADF, rows[i].path, 0, WHERE, &group, &err), &err, rows[i].code,
                 WHERE, rows[i].text);
    }
}
END_TEST

START_TEST(a_path_has_named_maxima)
{
    struct sub_err err = {0};
    struct cgroup group;
    char path[4096];

    memset(path, 'a', sizeof path);
    path[256] = '\0';
    ck_assert_int_eq(cgroup_make(-EBADF, path, 0, WHERE, &group, &err), -ENAMETOOLONG);
    ck_assert_ptr_nonnull(strstr(err.text, "at most 255 bytes"));

    for (size_t i = 1; i < sizeof path; i += 2)
        path[i] = '/';
    path[256] = 'a';
    path[129] = '\0'; /* 65 components */
    sub_err_clear(&err);
    ck_assert_int_eq(cgroup_make(-EBADF, path, 0, WHERE, &group, &err), -EINVAL);
    ck_assert_ptr_nonnull(strstr(err.text, "at most 64 components"));

    memset(path, 'a', sizeof path);
    path[2048] = '\0';
    sub_err_clear(&err);
    ck_fails(cgroup_make(-EBADF, path, 0, WHERE, &group, &err), &err, ENAMETOOLONG, WHERE,
             "2048 bytes, at most 2047 are allowed");
}
END_TEST

START_TEST(a_group_is_made_with_its_parents_and_says_which)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE, beside = CGROUP_NONE;
    const char *path = scratch_path("made/b/c"), *second = scratch_path("made/b/d");

    ck_assert_int_eq(cgroup_missing(scratch.root_fd, path, &err), 3);
    ck_ok(cgroup_make(scratch.root_fd, path, 0, WHERE, &group, &err), &err);
    ck_assert(group.created);
    ck_assert_uint_eq(group.made_ancestors, 2);
    ck_assert(raw_exists(path));
    ck_assert_int_eq(fcntl(group.dir_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(cgroup_missing(scratch.root_fd, path, &err), 0);

    ck_assert_int_eq(cgroup_missing(scratch.root_fd, second, &err), 1);
    ck_ok(cgroup_make(scratch.root_fd, second, 0, WHERE, &beside, &err), &err);
    ck_assert(beside.created);
    ck_assert_uint_eq(beside.made_ancestors, 0);
}
END_TEST

START_TEST(an_empty_group_that_exists_is_taken)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP first = CGROUP_NONE, second = CGROUP_NONE;
    const char *path = scratch_path("taken");

    ck_ok(cgroup_make(scratch.root_fd, path, 0, WHERE, &first, &err), &err);
    ck_ok(cgroup_make(scratch.root_fd, path, 0, WHERE, &second, &err), &err);
    ck_assert(!second.created);
    ck_assert_uint_eq(second.made_ancestors, 0);
}
END_TEST

START_TEST(a_group_in_use_is_refused_with_its_pids)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP first = CGROUP_NONE, second = CGROUP_NONE;
    const char *path = scratch_path("used/inner");
    char want[256];

    ck_ok(cgroup_make(scratch.root_fd, path, 0, WHERE, &first, &err), &err);
    pid_t pid = sleeper_in(first.dir_fd);
    (void) snprintf(want, sizeof want, "cgroup '%s' is in use by pid %d", path, pid);
    ck_fails(cgroup_make(scratch.root_fd, path, 0, WHERE, &second, &err), &err, EBUSY, WHERE, want);
    ck_assert_int_eq(second.dir_fd, -EBADF);
    ck_assert(raw_exists(path));

    /* the parent of a living group is in use as well */
    sub_err_clear(&err);
    ck_assert_int_eq(cgroup_make(scratch.root_fd, scratch_path("used"), 0, WHERE, &second, &err),
                     -EBUSY);

    sub_err_clear(&err);
    ck_ok(cgroup_kill(first.dir_fd, &err), &err);
    ck_assert_int_eq(reap(pid), 128 + 9);
}
END_TEST

START_TEST(below_a_frozen_group_nothing_is_made)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP parent = CGROUP_NONE, group = CGROUP_NONE;
    const char *path = scratch_path("cold/a/b");
    char want[256];

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("cold"), 0, WHERE, &parent, &err), &err);
    ck_ok(cgroup_freeze(parent.dir_fd, 1000, &err), &err);
    (void) snprintf(want, sizeof want,
                    "cgroup '%s' or one above it is frozen: a process started in it would hang",
                    path);
    ck_fails(cgroup_make(scratch.root_fd, path, 0, WHERE, &group, &err), &err, EAGAIN, WHERE, want);
    ck_assert(!raw_exists(path));
    ck_assert(!raw_exists(scratch_path("cold/a"))); /* undone */
    ck_assert(raw_exists(scratch_path("cold")));
}
END_TEST

START_TEST(a_threaded_group_is_refused)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;
    const char *path = scratch_path("thread/t");
    char want[256];

    ck_ok(cgroup_make(scratch.root_fd, path, 0, WHERE, &group, &err), &err);
    ck_assert_int_eq(raw_write(path, "cgroup.type", "threaded"), 0);
    cgroup_done(&group);
    (void) snprintf(want, sizeof want,
                    "cgroup '%s' is 'threaded': only a domain can hold a container", path);
    ck_fails(cgroup_make(scratch.root_fd, path, 0, WHERE, &group, &err), &err, EOPNOTSUPP, WHERE,
             want);
}
END_TEST

START_TEST(a_failed_clone_into_a_group_is_explained)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;

    /* a new group below a domain threaded one is of no use, and only clone finds out */
    ck_ok(cgroup_make(scratch.root_fd, scratch_path("invalid/t"), 0, WHERE, &group, &err), &err);
    ck_assert_int_eq(raw_write(scratch_path("invalid/t"), "cgroup.type", "threaded"), 0);
    cgroup_done(&group);
    ck_ok(cgroup_make(scratch.root_fd, scratch_path("invalid/u"), 0, WHERE, &group, &err), &err);
    ck_fails(cgroup_explain_clone(group.dir_fd, EOPNOTSUPP, WHERE, &err), &err, EOPNOTSUPP, WHERE,
             "no process can start in a cgroup of type 'domain invalid'");
    sub_err_clear(&err);
    ck_fails(cgroup_explain_clone(group.dir_fd, ENODEV, WHERE, &err), &err, ENODEV, WHERE,
             "the cgroup was removed while the container started");
    sub_err_clear(&err);
    ck_fails(cgroup_explain_clone(group.dir_fd, ENOMEM, WHERE, &err), &err, ENOMEM, WHERE,
             "cannot start a process in the cgroup: Cannot allocate memory");
}
END_TEST

START_TEST(an_existing_group_is_opened_and_none_is_a_plain_enoent)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP made = CGROUP_NONE, opened = CGROUP_NONE;
    struct stat a, b;

    ck_assert_int_eq(cgroup_open(scratch.root_fd, scratch_path("no"), &opened, &err), -ENOENT);
    ck_assert_int_eq(err.code, 0);
    ck_ok(cgroup_make(scratch.root_fd, scratch_path("open"), 0, WHERE, &made, &err), &err);
    ck_ok(cgroup_open(scratch.root_fd, scratch_path("open"), &opened, &err), &err);
    ck_assert_int_eq(fstat(made.dir_fd, &a), 0);
    ck_assert_int_eq(fstat(opened.dir_fd, &b), 0);
    ck_assert_uint_eq(a.st_ino, b.st_ino);
}
END_TEST

START_TEST(a_mount_over_a_component_is_noticed)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;
    OWNED_FD sys = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char path[128];

    /* seen from /sys the cgroup mount itself is the foreign file system in the way */
    (void) snprintf(path, sizeof path, "%s/%s/over", scratch.host.mount_path + 5, scratch.base);
    ck_assert_int_eq(cgroup_make(sys, path, 0, WHERE, &group, &err), -EXDEV);
    ck_assert_str_eq(err.path, WHERE);
    ck_assert(!raw_exists(scratch_path("over"))); /* what mkdir made there is gone again */
}
END_TEST

START_TEST(delegated_files_change_hands_and_no_others)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;
    struct stat st;

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("given"), 0, WHERE, &group, &err), &err);
    ck_ok(cgroup_delegate(group.dir_fd, 1234, &err), &err);
    ck_assert_int_eq(fstat(group.dir_fd, &st), 0);
    ck_assert_uint_eq(st.st_uid, 1234);
    ck_assert_uint_eq(st.st_gid, 0);
    static const char *const given[] = {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(fstatat(group.dir_fd, given[i], &st, 0), 0);
        ck_assert_uint_eq(st.st_uid, 1234);
        ck_assert_uint_eq(st.st_gid, 0);
    }
    static const char *const kept[] = {"cgroup.kill", "cgroup.freeze", "cgroup.max.depth"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(fstatat(group.dir_fd, kept[i], &st, 0), 0);
        ck_assert_uint_eq(st.st_uid, 0);
    }
}
END_TEST

START_TEST(controllers_are_enabled_all_the_way_down)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE, again = CGROUP_NONE;
    uint32_t wanted = scratch.host.available & (CG_HUGETLB | CG_PIDS | CG_MEMORY | CG_CPU);
    char text[256];

    if (wanted == 0) {
        (void) fprintf(stderr, "skipped: %s: this host's cgroup v2 has no controllers\n", __func__);
        return;
    }

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("ctl/a/b"), wanted, WHERE, &group, &err), &err);
    ck_assert_int_ge(knob_read(group.dir_fd, "cgroup.controllers", text, sizeof text), 0);
    ck_assert_uint_eq(cg_controllers_parse(text) & wanted, wanted);
    ck_assert_int_ge(knob_read(group.dir_fd, "cgroup.subtree_control", text, sizeof text), 0);
    ck_assert_str_eq(text, ""); /* not in the group itself: it holds processes */

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("ctl/a/c"), wanted, WHERE, &again, &err), &err);
    ck_assert(again.created);
}
END_TEST

START_TEST(a_controller_no_ancestor_has_is_named)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;
    char have[256], want[512];

    if ((scratch.host.available & CG_RDMA) != 0)
        return;
    ck_assert_int_ge(knob_read(scratch.root_fd, "cgroup.controllers", have, sizeof have), 0);
    (void) snprintf(want, sizeof want, "cgroup '/' has no controller 'rdma', it has '%s'", have);
    ck_fails(cgroup_make(scratch.root_fd, scratch_path("lack/a"), CG_RDMA, WHERE, &group, &err),
             &err, EOPNOTSUPP, WHERE, want);
    ck_assert(!raw_exists(scratch_path("lack")));
}
END_TEST

START_TEST(a_parent_with_processes_cannot_give_controllers)
{
    NEEDS_CONTROLLERS(CG_MEMORY);
    struct sub_err err = {0};
    OWNED_CGROUP parent = CGROUP_NONE, group = CGROUP_NONE;

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("full"), CG_MEMORY, WHERE, &parent, &err),
          &err);
    pid_t pid = sleeper_in(parent.dir_fd);
    char want[512];
    (void) snprintf(want, sizeof want,
                    "cgroup '/%s/full' cannot give 'memory' to groups below: processes live in it "
                    "(pid %d)",
                    scratch.base, pid);
    ck_fails(cgroup_make(scratch.root_fd, scratch_path("full/in"), CG_MEMORY, WHERE, &group, &err),
             &err, EBUSY, WHERE, want);
    ck_assert(!raw_exists(scratch_path("full/in")));
    (void) cgroup_kill(parent.dir_fd, NULL);
    (void) reap(pid);
}
END_TEST

START_TEST(a_knob_reports_file_value_and_kernel)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;
    char text[64];

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("knob"), 0, WHERE, &group, &err), &err);
    ck_fails(knob_write(group.dir_fd, "cgroup.max.depth", "x", &err), &err, EINVAL,
             "cgroup.max.depth", "cannot write 'x': Invalid argument");
    sub_err_clear(&err);
    ck_fails(knob_write(group.dir_fd, "no.such", "1", &err), &err, ENOENT, "no.such",
             "no such cgroup file");
    sub_err_clear(&err);
    ck_fails(knob_write(group.dir_fd, "../cgroup.procs", "1", &err), &err, EINVAL, "",
             "'../cgroup.procs' is not the name of a cgroup file");
    sub_err_clear(&err);
    ck_ok(knob_write(group.dir_fd, "cgroup.max.depth", "7", &err), &err);
    ck_assert_int_eq(knob_read(group.dir_fd, "cgroup.max.depth", text, sizeof text), 1);
    ck_assert_str_eq(text, "7");
    ck_assert_int_eq(knob_read(group.dir_fd, "cgroup.max.depth", text, 2), -EFBIG);
    ck_assert_int_eq(knob_read(group.dir_fd, "no.such", text, sizeof text), -ENOENT);

    uint64_t value = 0;
    ck_assert_int_eq(knob_read_u64(group.dir_fd, "cgroup.max.depth", &value), 0);
    ck_assert_uint_eq(value, 7);
    ck_assert_int_eq(knob_read_u64(group.dir_fd, "cgroup.max.descendants", &value), 0);
    ck_assert_uint_eq(value, UINT64_MAX);
}
END_TEST

START_TEST(rows_are_written_in_order_and_phase)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;
    static const struct cg_row rows[] = {
        {.file = "no.such",                .text = "1",       .path = "a",                      .absent = CG_ABSENT_IS_FINE},
        {.file = "cgroup.max.depth",                                .text = "3",                        .path = "b"             },
        {.file = "no.such",                                .text = "1",                                 .path = "c",          .absent = CG_ABSENT_IF_PREVIOUS},
        {.file = "cgroup.max.descendants", .text = "4",                  .path = "d",          .after_clone = true},
        {.file = "no.such",                     .text = "1",  .path = "linux.e",                         .absent = CG_ABSENT_IF_PREVIOUS},
        {.file = "cgroup.max.depth", .text = "9",.path = "f"},
    };
    uint64_t value;

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("rows"), 0, WHERE, &group, &err), &err);
    ck_fails(cgroup_apply(group.dir_fd, rows, 6, CG_BEFORE_CLONE, &err), &err, ENOENT, "linux.e",
             "this kernel has no cgroup file 'no.such'");
    ck_assert_int_eq(knob_read_u64(group.dir_fd, "cgroup.max.depth", &value), 0);
    ck_assert_uint_eq(value, 3);
    ck_assert_int_eq(knob_read_u64(group.dir_fd, "cgroup.max.descendants", &value), 0);
    ck_assert_uint_eq(value, UINT64_MAX);
    sub_err_clear(&err);
    ck_ok(cgroup_apply(group.dir_fd, rows, 6, CG_AFTER_CLONE, &err), &err);
    ck_assert_int_eq(knob_read_u64(group.dir_fd, "cgroup.max.descendants", &value), 0);
    ck_assert_uint_eq(value, 4);

    static const struct cg_row refused = {
        .file = "cgroup.max.depth", .text = "-5", .path = "linux.resources.x"};
    ck_fails(cgroup_apply(group.dir_fd, &refused, 1, CG_BEFORE_CLONE, &err), &err, ERANGE,
             "linux.resources.x",
             "cannot write '-5' to cgroup file 'cgroup.max.depth': Numerical result out of range");
}
END_TEST

SCRATCH_SUITE(group_suite, a_path_that_leaves_or_garbles_is_refused, a_path_has_named_maxima,
              a_group_is_made_with_its_parents_and_says_which, an_empty_group_that_exists_is_taken,
              a_group_in_use_is_refused_with_its_pids, below_a_frozen_group_nothing_is_made,
              a_threaded_group_is_refused, a_failed_clone_into_a_group_is_explained,
              an_existing_group_is_opened_and_none_is_a_plain_enoent,
              a_mount_over_a_component_is_noticed, delegated_files_change_hands_and_no_others,
              controllers_are_enabled_all_the_way_down, a_controller_no_ancestor_has_is_named,
              a_parent_with_processes_cannot_give_controllers, a_knob_reports_file_value_and_kernel,
              rows_are_written_in_order_and_phase)
