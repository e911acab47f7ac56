/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"

static const char *const plain[] = {"/mnt/low"};
static const char *const host_root[] = {"/"};

static void use_lowers(struct world *w, const char *const *lowers, size_t count)
{
    w->root.path = NULL;
    w->root.lowers = lowers;
    w->root.lower_count = count;
}

/* One lower layer, and a second file system for a kept upper one. */
static void init(struct world *w)
{
    world_init(w);
    put_folder("/mnt/low", 0751);
    put_folder("/mnt/low/etc", 0755);
    put_file("/mnt/low/etc/file", "lower");
    put_folder("/mnt/up", 0755);
    put_tmpfs("/mnt/up");
    use_lowers(w, plain, 1);
}

static void go_back_to_the_host(const struct world *w)
{
    ck_assert_int_eq(setns(w->host_ns, CLONE_NEWNS), 0);
}

START_TEST(what_is_written_does_not_reach_the_lower_layer_and_is_gone_at_the_end)
{
    struct world w;
    struct stat root;
    init(&w);
    put_folder("/mnt/low/proc", 0755);
    world_add_default(&w);

    ck_ok(world_run(&w), &w.err);
    ck_reads("/etc/file", "lower");
    put_file("/etc/file", "changed");
    put_file("/new", "new");
    ck_assert_int_eq(unlink("/etc/file"), 0);
    ck_assert_int_eq(rmdir("/etc"), 0);
    ck_assert_int_eq(mkdir("/etc", 0700), 0); /* an opaque folder needs trusted attributes */
    ck_assert_int_eq(entries_at(AT_FDCWD, "/etc"), 0);
    ck_assert_str_eq(mount_at(&w, "/"), "rw,relatime overlay overlay");
    ck_assert_int_eq(stat("/", &root), 0);
    ck_assert_uint_eq(root.st_mode & 07777, 0751);
    ck_assert_int_eq(mount_count(&w), 1 + 3);

    go_back_to_the_host(&w);
    ck_reads("/mnt/low/etc/file", "lower");
    ck_assert_int_eq(entries_at(AT_FDCWD, "/mnt/low"), 2);
    ck_assert(!any_mount_has(&w, "lowerdir=0,"));
}
END_TEST

START_TEST(the_hosts_own_root_can_be_the_lower_layer)
{
    struct world w;
    init(&w);
    use_lowers(&w, host_root, 1);
    world_add_default(&w);
    world_mask(&w, "/proc/kcore");

    ck_ok(world_run(&w), &w.err);
    ck_assert_int_eq(access("/bin/sh", X_OK), 0);
    ck_assert_int_eq(access("/etc/passwd", R_OK), 0);
    ck_assert_int_eq(access("/mnt/low", F_OK), -1); /* mounts below it are not taken along */
    put_file("/etc/sublet-test-of-the-overlay", "x");
    go_back_to_the_host(&w);
    ck_assert_int_eq(access("/etc/sublet-test-of-the-overlay", F_OK), -1);
}
END_TEST

START_TEST(the_options_that_could_be_steered_from_the_upper_layer_are_off)
{
    struct world w;
    init(&w);

    ck_ok(world_run(&w), &w.err);
    ck_assert(any_mount_has(&w, "lowerdir=0,upperdir=upper,workdir=work,redirect_dir=nofollow"));
    ck_assert(!any_mount_has(&w, "metacopy=on"));
    ck_assert(!any_mount_has(&w, "index=on"));
    ck_assert(!any_mount_has(&w, "xino=on"));
}
END_TEST

START_TEST(layers_are_stacked_in_order_and_their_names_need_no_escaping)
{
    static const char *const lowers[] = {"/mnt/a:b", "/mnt/c,d\\e", "/mnt/link"};
    struct world w;
    init(&w);
    put_folder("/mnt/a:b", 0755);
    put_folder("/mnt/c,d\\e", 0755);
    put_file("/mnt/a:b/top", "a");
    put_file("/mnt/c,d\\e/top", "c");
    put_file("/mnt/c,d\\e/middle", "c");
    put_link("/mnt/link", "/mnt/low");
    use_lowers(&w, lowers, 3);

    ck_ok(world_run(&w), &w.err);
    ck_reads("/top", "a");
    ck_reads("/middle", "c");
    ck_reads("/etc/file", "lower");
}
END_TEST

enum { LAYERS_MAX = 150 };

/* The first and the last of count layers have files of their own. */
static int run_layers(struct world *w, int count)
{
    static char names[LAYERS_MAX][32];
    static const char *lowers[LAYERS_MAX];
    char path[64];
    init(w);
    for (int i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "/mnt/layer%d", i);
        put_folder(names[i], 0755);
        lowers[i] = names[i];
    }
    put_file("/mnt/layer0/top", "first");
    snprintf(path, sizeof path, "%s/top", names[count - 1]);
    put_file(path, "last");
    snprintf(path, sizeof path, "%s/bottom", names[count - 1]);
    put_file(path, "last");
    use_lowers(w, lowers, count);
    return world_run(w);
}

START_TEST(as_many_layers_as_one_option_value_holds_work_everywhere)
{
    struct world w;

    ck_ok(run_layers(&w, 105), &w.err);
    ck_reads("/top", "first");
    ck_reads("/bottom", "last");
}
END_TEST

START_TEST(more_layers_work_where_the_kernel_takes_them_one_by_one)
{
    struct world w;
    int rc = run_layers(&w, 106);

    if (rc == -EINVAL) {
        ck_assert_str_eq(w.err.text, "106 layers are more than this kernel takes, before Linux "
                                     "6.8 it is 105");
        return;
    }
    ck_ok(rc, &w.err);
    ck_reads("/top", "first");
    ck_reads("/bottom", "last");
}
END_TEST

START_TEST(a_missing_layer_is_named)
{
    static const char *const lowers[] = {"/mnt/low", "/mnt/nope"};
    struct world w;
    init(&w);
    use_lowers(&w, lowers, 2);

    ck_fails(world_open(&w), &w.err, ENOENT, "--overlay",
             "cannot open '/mnt/nope': No such file or directory");
}
END_TEST

START_TEST(a_layer_inside_another_is_refused)
{
    static const char *const lowers[] = {"/mnt/low", "/mnt/low/etc"};
    struct world w;
    init(&w);
    use_lowers(&w, lowers, 2);

    ck_fails(world_mount(&w), &w.err, ELOOP, "--overlay", "one layer lies inside another");
}
END_TEST

START_TEST(a_kept_upper_layer_is_made_private_and_holds_what_was_written)
{
    struct world w;
    struct stat found;
    init(&w);
    w.root.upper = "/mnt/up/er";

    ck_ok(world_run(&w), &w.err);
    put_file("/etc/file", "changed");
    ck_assert_int_eq(stat("/", &found), 0);
    ck_assert_uint_eq(found.st_mode & 07777, 0751);
    go_back_to_the_host(&w);
    mount_tree_free(w.tree);
    ck_reads("/mnt/low/etc/file", "lower");
    ck_reads("/mnt/up/er/upper/etc/file", "changed");
    ck_assert_int_eq(stat("/mnt/up/er", &found), 0);
    ck_assert_uint_eq(found.st_mode & 07777, 0700);
    ck_assert_int_eq(stat("/mnt/up/er/work", &found), 0);
    ck_assert_uint_eq(found.st_mode & 07777, 0700);

    sub_err_clear(&w.err); /* and the next container finds it again */
    ck_ok(world_run(&w), &w.err);
    ck_reads("/etc/file", "changed");
}
END_TEST

START_TEST(a_kept_upper_layer_that_is_mounted_is_refused_by_name)
{
    struct world w;
    init(&w);
    w.root.upper = "/mnt/up/er";

    ck_ok(world_run(&w), &w.err);
    int alive = openat(w.proc_fd, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(alive, 0);
    go_back_to_the_host(&w);
    mount_tree_free(w.tree); /* the runtime is gone, the container is not */

    ck_fails(world_mount(&w), &w.err, EBUSY, "--upper",
             "'/mnt/up/er' is in use by another overlay");
    ck_assert_int_eq(close(alive), 0);
}
END_TEST

START_TEST(a_kept_upper_layer_that_is_being_mounted_is_refused_by_name)
{
    struct world w;
    struct mount_tree *other = NULL;
    init(&w);
    w.root.upper = "/mnt/up/er";
    ck_ok(mount_tree_new(&w.root, &w.mounts, NULL, &other, &w.err), &w.err);
    ck_ok(mount_open_root(other, &w.err), &w.err);

    ck_fails(world_open(&w), &w.err, EBUSY, "--upper",
             "'/mnt/up/er' is in use by another container");
    mount_tree_free(other);
}
END_TEST

START_TEST(an_upper_folder_that_others_can_enter_is_refused)
{
    struct world w;
    init(&w);
    put_folder("/mnt/up/er", 0755);
    w.root.upper = "/mnt/up/er";

    ck_fails(world_open(&w), &w.err, EPERM, "--upper",
             "'/mnt/up/er' has the mode 0755 and the owner 0: it must be the caller's with 0700, "
             "since it holds the container's set-uid files");
}
END_TEST

START_TEST(an_upper_folder_that_is_a_link_is_refused)
{
    struct world w;
    init(&w);
    put_folder("/mnt/up/real", 0700);
    put_link("/mnt/up/er", "/mnt/up/real");
    w.root.upper = "/mnt/up/er";

    ck_assert_int_eq(world_open(&w), -ENOTDIR);
    ck_assert_str_eq(w.err.path, "--upper");
    ck_assert_int_eq(entries_at(AT_FDCWD, "/mnt/up/real"), 0);
}
END_TEST

START_TEST(parts_of_a_kept_upper_folder_that_are_links_are_refused)
{
    struct world w;
    init(&w);
    put_folder("/mnt/up/er", 0700);
    put_link("/mnt/up/er/upper", "/mnt/sent");
    w.root.upper = "/mnt/up/er";

    ck_fails(world_open(&w), &w.err, ENOTDIR, "--upper",
             "cannot make the folders 'upper' and 'work' in '/mnt/up/er': Not a directory");
}
END_TEST

START_TEST(an_upper_folder_inside_the_lower_layer_is_refused)
{
    struct world w;
    init(&w);
    w.root.upper = "/mnt/low/up";

    ck_fails(world_open(&w), &w.err, ELOOP, "--upper",
             "'/mnt/low/up' lies inside a lower layer; it has to be elsewhere, for the lower '/' "
             "on another file system");
}
END_TEST

START_TEST(a_read_only_overlay_is_read_only)
{
    struct world w;
    init(&w);
    w.root.readonly = true;

    ck_ok(world_run(&w), &w.err);
    ck_cannot_write("/etc/file", EROFS);
}
END_TEST

SUITE(overlay_suite, what_is_written_does_not_reach_the_lower_layer_and_is_gone_at_the_end,
      the_hosts_own_root_can_be_the_lower_layer,
      the_options_that_could_be_steered_from_the_upper_layer_are_off,
      layers_are_stacked_in_order_and_their_names_need_no_escaping,
      as_many_layers_as_one_option_value_holds_work_everywhere,
      more_layers_work_where_the_kernel_takes_them_one_by_one, a_missing_layer_is_named,
      a_layer_inside_another_is_refused,
      a_kept_upper_layer_is_made_private_and_holds_what_was_written,
      a_kept_upper_layer_that_is_mounted_is_refused_by_name,
      a_kept_upper_layer_that_is_being_mounted_is_refused_by_name,
      an_upper_folder_that_others_can_enter_is_refused, an_upper_folder_that_is_a_link_is_refused,
      parts_of_a_kept_upper_folder_that_are_links_are_refused,
      an_upper_folder_inside_the_lower_layer_is_refused, a_read_only_overlay_is_read_only)
