/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"

#define ALL_NO (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

START_TEST(a_bind_has_exactly_the_attributes_asked_for_and_is_private)
{
    struct world w;
    world_init(&w);
    world_bind(&w, "/mnt/sent", "/a")->attr_set = ALL_NO;
    world_bind(&w, "/mnt/sent", "/b");
    struct plan_mount *c = world_bind(&w, "/mnt/sent", "/c");
    c->attr_set = MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME;
    c->attr_clear = MOUNT_ATTR__ATIME;

    ck_ok(world_run(&w), &w.err);
    ck_assert_str_eq(mount_at(&w, "/a"), "ro,nosuid,nodev,noexec,relatime tmpfs tmpfs");
    ck_assert_str_eq(mount_at(&w, "/b"), "rw,relatime tmpfs tmpfs");
    ck_assert_str_eq(mount_at(&w, "/c"), "rw,noatime,nodiratime tmpfs tmpfs");
    ck_reads("/a/file", "host");
    ck_cannot_write("/a/file", EROFS);
}
END_TEST

START_TEST(what_is_asked_to_be_off_is_taken_from_the_source_attributes)
{
    struct world w;
    world_init(&w);
    put_folder("/mnt/strict", 0755);
    ck_assert_int_eq(mount("t", "/mnt/strict", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, NULL), 0);
    world_bind(&w, "/mnt/strict", "/kept");
    world_bind(&w, "/mnt/strict", "/off")->attr_clear = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV;

    ck_ok(world_run(&w), &w.err);
    ck_assert_str_eq(mount_at(&w, "/kept"), "ro,nosuid,nodev,relatime tmpfs t");
    ck_assert_str_eq(mount_at(&w, "/off"), "rw,nosuid,relatime tmpfs t");
}
END_TEST

START_TEST(recursive_words_reach_the_mounts_below_and_plain_ones_do_not)
{
    struct world w;
    world_init(&w);
    put_folder("/mnt/sent/sub", 0755);
    put_tmpfs("/mnt/sent/sub");
    struct plan_mount *deep = world_bind(&w, "/mnt/sent", "/deep");
    deep->recursive = true;
    deep->tree_set = MOUNT_ATTR_RDONLY;
    struct plan_mount *top = world_bind(&w, "/mnt/sent", "/top");
    top->recursive = true;
    top->attr_set = MOUNT_ATTR_RDONLY;
    struct plan_mount *both = world_bind(&w, "/mnt/sent", "/both");
    both->recursive = true;
    both->tree_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC;
    both->attr_clear = MOUNT_ATTR_RDONLY;
    world_bind(&w, "/mnt/sent", "/flat");

    ck_ok(world_run(&w), &w.err);
    ck_assert_str_eq(mount_at(&w, "/deep"), "ro,relatime tmpfs tmpfs");
    ck_assert_str_eq(mount_at(&w, "/deep/sub"), "ro,relatime tmpfs tmpfs");
    ck_assert_str_eq(mount_at(&w, "/top"), "ro,relatime tmpfs tmpfs");
    ck_assert_str_eq(mount_at(&w, "/top/sub"), "rw,relatime tmpfs tmpfs");
    ck_assert_str_eq(mount_at(&w, "/both"), "rw,noexec,relatime tmpfs tmpfs");
    ck_assert_str_eq(mount_at(&w, "/both/sub"), "ro,noexec,relatime tmpfs tmpfs");
    ck_assert_str_eq(mount_at(&w, "/flat/sub"), "");
}
END_TEST

START_TEST(a_bind_that_is_not_recursive_merges_its_words_in_order)
{
    struct world w;
    world_init(&w);
    struct plan_mount *both = world_bind(&w, "/mnt/sent", "/both");
    both->tree_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME;
    both->tree_clear = MOUNT_ATTR__ATIME;
    both->attr_clear = MOUNT_ATTR_RDONLY;

    ck_ok(world_run(&w), &w.err);
    ck_assert_str_eq(mount_at(&w, "/both"), "rw,noatime tmpfs tmpfs");
}
END_TEST

static void share(const char *path)
{
    put_folder(path, 0755);
    put_tmpfs(path);
    ck_assert_int_eq(mount(NULL, path, NULL, MS_SHARED, NULL), 0);
}

START_TEST(nothing_is_shared_with_the_host_unless_asked_for)
{
    struct world w;
    world_init(&w);
    share("/mnt/vol");
    put_folder("/mnt/vol/sub", 0755);
    share("/mnt/vol/sub");
    world_bind(&w, "/mnt/vol", "/plain")->recursive = true;
    struct plan_mount *private_ = world_bind(&w, "/mnt/vol", "/private");
    private_->recursive = true;
    private_->propagation = MS_PRIVATE;

    ck_ok(world_run(&w), &w.err);
    ck_assert_str_eq(mount_at(&w, "/plain/sub"), "rw,relatime tmpfs tmpfs");
    ck_assert_str_eq(mount_at(&w, "/private/sub"), "rw,relatime tmpfs tmpfs");
    ck_assert(!any_mount_has(&w, "shared:"));
    ck_assert(!any_mount_has(&w, "master:"));
}
END_TEST

static void check_shared_volume(bool by_parent)
{
    struct world w;
    char group[64], want[128];
    world_init(&w);
    share("/mnt/vol");
    const char *shared = strstr(mount_at(&w, "/mnt/vol"), "shared:");
    ck_assert_ptr_nonnull(shared);
    strcpy(group, shared + strlen("shared:"));

    w.mounts.sources_by_parent = by_parent;
    struct plan_mount *peer = world_bind(&w, "/mnt/vol", "/peer");
    peer->recursive = peer->propagation_recursive = true;
    peer->propagation = MS_SHARED;
    world_bind(&w, "/mnt/vol", "/slave")->propagation = MS_SLAVE;
    world_bind(&w, "/mnt/vol", "/closed")->propagation = MS_UNBINDABLE;

    ck_ok(world_run(&w), &w.err);
    snprintf(want, sizeof want, "rw,relatime tmpfs tmpfs shared:%s", group);
    ck_assert_str_eq(mount_at(&w, "/peer"), want);
    snprintf(want, sizeof want, "rw,relatime tmpfs tmpfs master:%s", group);
    ck_assert_str_eq(mount_at(&w, "/slave"), want);
    ck_assert_str_eq(mount_at(&w, "/closed"), "rw,relatime tmpfs tmpfs unbindable");
}

START_TEST(a_shared_volume_stays_in_the_group_of_the_host_when_the_child_opens_it)
{
    check_shared_volume(false);
}
END_TEST

START_TEST(a_shared_volume_stays_in_the_group_of_the_host_when_the_parent_opens_it)
{
    check_shared_volume(true);
}
END_TEST

START_TEST(every_source_is_opened_before_the_first_target_is_touched)
{
    struct world w;
    world_init(&w);
    world_bind(&w, "/mnt/sent", "/made");
    world_bind(&w, "/mnt/missing", "/b");

    ck_fails(world_mount(&w), &w.err, ENOENT, "mounts[1].source",
             "cannot open '/mnt/missing': No such file or directory");
    ck_missing_at(w.host_fd, "rootfs/made");
}
END_TEST

START_TEST(a_file_on_a_folder_is_refused_and_says_which_is_which)
{
    struct world w;
    world_init(&w);
    put_folder("/mnt/rootfs/x", 0755);
    world_bind(&w, "/mnt/sent/file", "/x");

    ck_fails(world_mount(&w), &w.err, EINVAL, "mounts[0]",
             "source is a file but the target '/x' is a directory");
}
END_TEST

START_TEST(a_folder_on_a_file_is_refused_and_says_which_is_which)
{
    struct world w;
    world_init(&w);
    put_file("/mnt/rootfs/x", "");
    world_bind(&w, "/mnt/sent", "/x");

    ck_fails(world_mount(&w), &w.err, EINVAL, "mounts[0]",
             "source is a directory but the target '/x' is a file");
}
END_TEST

START_TEST(a_link_source_is_followed_kept_or_copied_as_asked)
{
    struct world w;
    char text[64] = "";
    world_init(&w);
    put_link("/mnt/link", "/mnt/sent/file");
    world_bind(&w, "/mnt/link", "/followed");
    world_bind(&w, "/mnt/link", "/copied/link")->copy_symlink = true;
    world_bind(&w, "/mnt/sent/file", "/plain")->copy_symlink = true;

    ck_ok(world_run(&w), &w.err);
    ck_reads("/followed", "host");
    ck_reads("/plain", "host");
    ck_assert_int_eq(readlink("/copied/link", text, sizeof text - 1), 14);
    ck_assert_str_eq(text, "/mnt/sent/file");
    ck_assert_str_eq(mount_at(&w, "/copied/link"), "");
}
END_TEST

START_TEST(a_copied_link_does_not_replace_another_one)
{
    struct world w;
    world_init(&w);
    put_link("/mnt/link", "/mnt/sent/file");
    put_link("/mnt/rootfs/same", "/mnt/sent/file");
    put_link("/mnt/rootfs/other", "/etc/passwd");
    world_bind(&w, "/mnt/link", "/same")->copy_symlink = true;
    world_bind(&w, "/mnt/link", "/other")->copy_symlink = true;

    ck_fails(world_mount(&w), &w.err, EEXIST, "mounts[1].destination",
             "cannot make '/other' a link to '/mnt/sent/file': File exists");
}
END_TEST

START_TEST(a_thousand_sources_fit_under_a_limit_of_open_files_of_a_hundred)
{
    struct world w;
    struct rlimit limit;
    world_init(&w);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 100;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);

    struct plan_mount *items = calloc(1000, sizeof *items);
    for (int i = 0; i < 1000; i++)
        items[i] = (struct plan_mount){.kind = PLAN_MOUNT_BIND,
                                       .json = "mounts[n]",
                                       .source = "/mnt/sent",
                                       .target = i % 2 == 0 ? "/even" : "/odd"};
    w.mounts.items = items;
    w.mounts.count = 1000;
    ck_ok(world_run(&w), &w.err);
    ck_assert_int_eq(mount_count(&w), 1001);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_eq(limit.rlim_cur, 100);
    free(items);
}
END_TEST

SUITE(bind_suite, a_bind_has_exactly_the_attributes_asked_for_and_is_private,
      what_is_asked_to_be_off_is_taken_from_the_source_attributes,
      recursive_words_reach_the_mounts_below_and_plain_ones_do_not,
      a_bind_that_is_not_recursive_merges_its_words_in_order,
      nothing_is_shared_with_the_host_unless_asked_for,
      a_shared_volume_stays_in_the_group_of_the_host_when_the_child_opens_it,
      a_shared_volume_stays_in_the_group_of_the_host_when_the_parent_opens_it,
      every_source_is_opened_before_the_first_target_is_touched,
      a_file_on_a_folder_is_refused_and_says_which_is_which,
      a_folder_on_a_file_is_refused_and_says_which_is_which,
      a_link_source_is_followed_kept_or_copied_as_asked, a_copied_link_does_not_replace_another_one,
      a_thousand_sources_fit_under_a_limit_of_open_files_of_a_hundred)
