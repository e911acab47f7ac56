/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/state.h"
#include "sublet/sys.h"

#include "runner.h"
#include "scratch.h"

START_TEST(an_id_is_claimed_once)
{
    char path[64];
    struct sub_err err = {0};
    int root = -EBADF, dir = -EBADF, again = -EBADF;

    scratch_make(path);
    ck_ok(state_root_open(path, false, &root, &err), &err);
    ck_ok(state_claim(root, "c1", &dir, &err), &err);
    ck_assert_int_eq(state_is_locked(dir), 1);
    ck_fails(state_claim(root, "c1", &again, &err), &err, EEXIST, "",
             "container 'c1' already exists");
    sub_close(&dir);
    ck_ok(state_open(root, "c1", false, &dir, &(struct sub_err){0}), &err);
    ck_assert_int_eq(state_is_locked(dir), 0);
    sub_close(&dir);
    sub_close(&root);
    scratch_remove(path);
}
END_TEST

START_TEST(a_missing_container_has_the_text_engines_match)
{
    char path[64];
    struct sub_err err = {0};
    int root = -EBADF, dir;

    scratch_make(path);
    ck_ok(state_root_open(path, false, &root, &err), &err);
    ck_fails(state_open(root, "nope", true, &dir, &err), &err, ENOENT, "",
             "container 'nope': container does not exist");
    sub_close(&root);
    scratch_remove(path);
}
END_TEST

START_TEST(a_root_that_others_may_write_to_is_refused)
{
    char path[64], link[80];
    int root;

    scratch_make(path);
    struct sub_err mode = {0};
    ck_assert_int_eq(chmod(path, 0777), 0);
    ck_assert_int_eq(state_root_open(path, false, &root, &mode), -EPERM);
    ck_assert_int_eq(chmod(path, 0700), 0);

    struct sub_err owner = {0};
    ck_assert_int_eq(chown(path, 12345, 0), 0);
    ck_assert_int_eq(state_root_open(path, false, &root, &owner), -EPERM);
    ck_assert_int_eq(chown(path, 0, 0), 0);

    struct sub_err links = {0};
    (void) snprintf(link, sizeof link, "%s/link", path);
    ck_assert_int_eq(symlink(path, link), 0);
    ck_assert_int_lt(state_root_open(link, false, &root, &links), 0);
    ck_assert_int_eq(state_root_open("/nonexistent/x", false, &root, &links), -ENOENT);
    scratch_remove(path);
}
END_TEST

START_TEST(a_lock_is_waited_for_and_not_for_ever)
{
    char path[64];
    struct sub_err err = {0};
    int root = -EBADF, dir = -EBADF;

    scratch_make(path);
    ck_ok(state_root_open(path, false, &root, &err), &err);
    ck_ok(state_claim(root, "c1", &dir, &err), &err);

    int locked[2], waits[2];
    char byte = 0;
    ck_assert_int_eq(pipe(locked), 0);
    ck_assert_int_eq(pipe(waits), 0);
    pid_t pid = fork();
    if (pid == 0) {
        /* a lock of its own, given back a while after the other has begun to wait */
        OWNED_FD mine = sys_openat(root, "c1", O_RDONLY | O_DIRECTORY, 0);
        sub_close(&dir);
        (void) flock(mine, LOCK_EX);
        (void) !write(locked[1], &byte, 1);
        (void) !read(waits[0], &byte, 1);
        (void) usleep(300000);
        _exit(0);
    }
    sub_close(&dir);
    ck_assert_int_eq(read(locked[0], &byte, 1), 1);

    uint64_t before = sys_now_ms();
    ck_assert_int_eq(write(waits[1], &byte, 1), 1);
    ck_ok(state_open(root, "c1", true, &dir, &err), &err);
    ck_assert_uint_ge(sys_now_ms() - before, 100);
    ck_assert_uint_le(sys_now_ms() - before, 3000);
    (void) waitpid(pid, NULL, 0);
    for (size_t i = 0; i < 2; i++) {
        sub_close(&locked[i]);
        sub_close(&waits[i]);
    }
    sub_close(&dir);
    sub_close(&root);
    scratch_remove(path);
}
END_TEST

START_TEST(removal_leaves_nothing)
{
    char path[64];
    struct sub_err err = {0};
    int root = -EBADF, dir = -EBADF;

    scratch_make(path);
    ck_ok(state_root_open(path, false, &root, &err), &err);
    ck_ok(state_claim(root, "c1", &dir, &err), &err);
    ck_ok(state_save(dir, STATE_CONFIG, "x", 1, &err), &err);
    ck_ok(state_save(dir, STATE_FILE, "x", 1, &err), &err);
    ck_assert_int_eq(mkfifoat(dir, STATE_FIFO, 0600), 0);
    ck_ok(state_remove(root, "c1", dir, &err), &err);
    ck_assert_int_eq(rmdir(path), 0);
    sub_close(&dir);
    sub_close(&root);
}
END_TEST

SUITE(folder_suite, an_id_is_claimed_once, a_missing_container_has_the_text_engines_match,
      a_root_that_others_may_write_to_is_refused, a_lock_is_waited_for_and_not_for_ever,
      removal_leaves_nothing)
