/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sublet/sys.h"

#include "scratch.h"

static const char WHERE[] = "linux.cgroupsPath";

START_TEST(a_group_that_is_gone_is_destroyed)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};

    ck_ok(cgroup_destroy(scratch.root_fd, scratch_path("never"), 0, &err), &err);
    ck_ok(cgroup_destroy(scratch.root_fd, scratch_path("never/was/there"), 0, &err), &err);
    ck_ok(cgroup_remove(scratch.root_fd, scratch_path("never"), 0, &err), &err);
}
END_TEST

START_TEST(destroy_takes_processes_and_nested_groups_by_path_alone)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    static const char *const names[] = {"tree/a/b/c", "tree/a/d", "tree/e"};
    struct cgroup groups[3];
    pid_t pids[3];

    for (int i = 0; i < 3; i++) {
        ck_ok(cgroup_make(scratch.root_fd, scratch_path(names[i]), 0, WHERE, &groups[i], &err),
              &err);
        pids[i] = sleeper_in(groups[i].dir_fd);
        cgroup_done(&groups[i]);
    }
    ck_ok(cgroup_destroy(scratch.root_fd, scratch_path("tree"), 5000, &err), &err);
    ck_assert(!raw_exists(scratch_path("tree")));
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(reap(pids[i]), 128 + SIGKILL);
}
END_TEST

START_TEST(destroy_takes_frozen_groups)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP outer = CGROUP_NONE, inner = CGROUP_NONE;

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("frozen"), 0, WHERE, &outer, &err), &err);
    ck_ok(cgroup_make(scratch.root_fd, scratch_path("frozen/in"), 0, WHERE, &inner, &err), &err);
    pid_t a = sleeper_in(outer.dir_fd), b = sleeper_in(inner.dir_fd);
    ck_ok(cgroup_freeze(inner.dir_fd, 5000, &err), &err);
    ck_ok(cgroup_freeze(outer.dir_fd, 5000, &err), &err);
    ck_ok(cgroup_destroy(scratch.root_fd, scratch_path("frozen"), 5000, &err), &err);
    ck_assert_int_eq(reap(a), 128 + SIGKILL);
    ck_assert_int_eq(reap(b), 128 + SIGKILL);
}
END_TEST

START_TEST(remove_never_kills)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;
    const char *path = scratch_path("spared/in");
    char want[64];

    ck_ok(cgroup_make(scratch.root_fd, path, 0, WHERE, &group, &err), &err);
    pid_t pid = sleeper_in(group.dir_fd);
    (void) snprintf(want, sizeof want, "cgroup busy: pid %d", pid);
    ck_fails(cgroup_remove(scratch.root_fd, scratch_path("spared"), 1000, &err), &err, EBUSY,
             scratch_path("spared"), want);
    ck_assert_int_eq(kill(pid, 0), 0);
    ck_assert_int_eq(cgroup_populated(group.dir_fd), 1);
    (void) cgroup_kill(group.dir_fd, NULL);
    (void) reap(pid);
    sub_err_clear(&err);
    ck_ok(cgroup_remove(scratch.root_fd, scratch_path("spared"), 1000, &err), &err);
    ck_assert(!raw_exists(scratch_path("spared")));
}
END_TEST

/* A container with a writable cgroup mount chooses the depth: 400 levels of 12 bytes are longer
 * than PATH_MAX, and more than the fds we leave ourselves. */
START_TEST(neither_path_max_nor_open_files_bound_the_depth)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;
    int levels = 0;

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("deep"), 0, WHERE, &group, &err), &err);
    OWNED_FD fd = openat(group.dir_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (; levels < 400 && mkdirat(fd, "elevenbytes", 0755) == 0; levels++) {
        int next = openat(fd, "elevenbytes", O_PATH | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_ge(next, 0);
        (void) close(fd);
        fd = next;
    }
    ck_assert_int_eq(levels, 400);
    pid_t pid = sleeper_in(fd);
    struct rlimit few = {.rlim_cur = 24, .rlim_max = 24};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    OWNED_ARENA arena;
    pid_t *pids;
    size_t count;

    arena_init(&arena, ARENA_MAX_BYTES);
    ck_ok(cgroup_pids(&arena, group.dir_fd, &pids, &count, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(pids[0], pid);
    ck_ok(cgroup_destroy(scratch.root_fd, scratch_path("deep"), 20000, &err), &err);
    ck_assert(!raw_exists(scratch_path("deep")));
    ck_assert_int_eq(reap(pid), 128 + SIGKILL);
}
END_TEST

START_TEST(a_broad_tree_is_removed)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;
    char name[32];

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("broad"), 0, WHERE, &group, &err), &err);
    for (int i = 0; i < 300; i++) {
        (void) snprintf(name, sizeof name, "child-%d", i);
        ck_assert_int_eq(mkdirat(group.dir_fd, name, 0755), 0);
        (void) snprintf(name, sizeof name, "child-%d/x", i);
        if (i % 2 == 0)
            ck_assert_int_eq(mkdirat(group.dir_fd, name, 0755), 0);
    }
    ck_ok(cgroup_remove(scratch.root_fd, scratch_path("broad"), 5000, &err), &err);
    ck_assert(!raw_exists(scratch_path("broad")));
}
END_TEST

START_TEST(a_fork_bomb_does_not_outrun_destroy)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE;

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("bomb"), 0, WHERE, &group, &err), &err);
    struct sys_clone args = {.cgroup_fd = group.dir_fd};
    pid_t pid = sys_clone(&args);
    if (pid == 0) {
        (void) signal(SIGCHLD, SIG_IGN);
        for (;;) /* each child lives 1 ms: at any time some are being born */
            if (fork() == 0) {
                (void) usleep(1000);
                _exit(0);
            }
    }
    (void) usleep(30000);
    ck_ok(cgroup_destroy(scratch.root_fd, scratch_path("bomb"), 10000, &err), &err);
    ck_assert(!raw_exists(scratch_path("bomb")));
    ck_assert_int_eq(reap(pid), 128 + SIGKILL);
}
END_TEST

/* What a container that sees the whole hierarchy, writable, can do to the group it lives in: step
 * out, turn it, step in again. */
START_TEST(a_group_made_threaded_is_destroyed)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP domain = CGROUP_NONE, group = CGROUP_NONE;
    const char *path = scratch_path("turned/in");
    pid_t pids[2];
    char text[32];

    ck_ok(cgroup_make(scratch.root_fd, scratch_path("turned"), 0, WHERE, &domain, &err), &err);
    ck_ok(cgroup_make(scratch.root_fd, path, 0, WHERE, &group, &err), &err);
    ck_assert_int_eq(raw_write(path, "cgroup.type", "threaded"), 0);
    for (int i = 0; i < 2; i++) {
        pids[i] = sleeper_in(domain.dir_fd);
        (void) snprintf(text, sizeof text, "%d", pids[i]);
        ck_assert_int_eq(raw_write(path, "cgroup.procs", text), 0);
    }
    ck_assert_int_eq(raw_write(path, "cgroup.kill", "1"), -EOPNOTSUPP);
    ck_ok(cgroup_destroy(scratch.root_fd, path, 5000, &err), &err);
    ck_assert(!raw_exists(path));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(reap(pids[i]), 128 + SIGKILL);
}
END_TEST

START_TEST(parents_are_removed_up_to_the_first_one_in_use)
{
    NEEDS_GROUPS();
    struct sub_err err = {0};
    OWNED_CGROUP group = CGROUP_NONE, other = CGROUP_NONE;
    const char *path = scratch_path("up/a/b/c");

    ck_ok(cgroup_make(scratch.root_fd, path, 0, WHERE, &group, &err), &err);
    ck_assert_uint_eq(group.made_ancestors, 3);
    ck_ok(cgroup_make(scratch.root_fd, scratch_path("up/other"), 0, WHERE, &other, &err), &err);
    ck_ok(cgroup_destroy(scratch.root_fd, path, 1000, &err), &err);
    ck_ok(cgroup_remove_ancestors(scratch.root_fd, path, 1, &err), &err);
    ck_assert(!raw_exists(scratch_path("up/a/b")));
    ck_assert(raw_exists(scratch_path("up/a")));
    ck_ok(cgroup_remove_ancestors(scratch.root_fd, path, group.made_ancestors, &err), &err);
    ck_assert(!raw_exists(scratch_path("up/a")));
    ck_assert(raw_exists(scratch_path("up")));
    ck_ok(cgroup_remove_ancestors(scratch.root_fd, path, 99, &err), &err);
    ck_assert(raw_exists(scratch_path("up")));
}
END_TEST

START_TEST(only_canonical_paths_are_removed)
{
    struct sub_err err = {0};

    ck_assert_int_eq(cgroup_destroy(-EBADF, "/", 0, &err), -EINVAL);
    ck_assert_int_eq(cgroup_destroy(-EBADF, "", 0, &err), -EINVAL);
    ck_assert_int_eq(cgroup_destroy(-EBADF, "a/../../b", 0, &err), -EINVAL);
    ck_assert_int_eq(cgroup_remove(-EBADF, "..", 0, &err), -EINVAL);
    ck_assert_int_eq(cgroup_remove_ancestors(-EBADF, "../a", 1, &err), -EINVAL);
}
END_TEST

/* Two sets of processes make and remove groups below the same parent, which both also remove. */
START_TEST(parallel_makers_and_removers_do_not_disturb_each_other)
{
    NEEDS_GROUPS();
    pid_t pids[4];

    for (int i = 0; i < 4; i++) {
        struct sys_clone args = {.cgroup_fd = -1};

        pids[i] = sys_clone(&args);
        if (pids[i] != 0)
            continue;
        for (int round = 0; round < 200; round++) {
            struct sub_err err = {0};
            struct cgroup group;
            char name[64];

            (void) snprintf(name, sizeof name, "race/parent/%d", i);
            if (cgroup_make(scratch.root_fd, scratch_path(name), 0, WHERE, &group, &err) < 0 ||
                !group.created ||
                cgroup_destroy(scratch.root_fd, scratch_path(name), 1000, &err) < 0 ||
                cgroup_remove_ancestors(scratch.root_fd, scratch_path(name), 2, &err) < 0) {
                (void) fprintf(stderr, "%s: %s\n", err.path, err.text);
                _exit(1);
            }
            cgroup_done(&group);
        }
        _exit(0);
    }
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(reap(pids[i]), 0);
    ck_assert(!raw_exists(scratch_path("race")));
}
END_TEST

SCRATCH_SUITE(remove_suite, a_group_that_is_gone_is_destroyed,
              destroy_takes_processes_and_nested_groups_by_path_alone, destroy_takes_frozen_groups,
              remove_never_kills, neither_path_max_nor_open_files_bound_the_depth,
              a_broad_tree_is_removed, a_fork_bomb_does_not_outrun_destroy,
              a_group_made_threaded_is_destroyed, parents_are_removed_up_to_the_first_one_in_use,
              only_canonical_paths_are_removed,
              parallel_makers_and_removers_do_not_disturb_each_other)
