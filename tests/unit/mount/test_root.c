/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"

START_TEST(after_the_pivot_nothing_of_the_host_is_left)
{
    struct world w;
    char cwd[64];
    world_init(&w);
    put_file("/mnt/rootfs/here", "container");
    world_add_default(&w);

    ck_ok(world_run(&w), &w.err);
    ck_reads("/here", "container");
    ck_reads("/../here", "container");
    ck_assert_ptr_nonnull(getcwd(cwd, sizeof cwd));
    ck_assert_str_eq(cwd, "/");
    ck_assert_int_eq(mount_count(&w), 1 + 3);
    ck_assert(!any_mount_has(&w, "shared:"));
    ck_assert(!any_mount_has(&w, "master:"));
}
END_TEST

START_TEST(without_a_pivot_the_root_is_changed_and_dots_do_not_lead_out)
{
    struct world w;
    world_init(&w);
    put_file("/mnt/rootfs/here", "container");
    world_add_default(&w);
    w.root.no_pivot = true;

    ck_ok(world_run(&w), &w.err);
    ck_reads("/here", "container");
    ck_reads("../../../here", "container");
    /* the classic way out of a chroot: a working folder outside of a second one */
    put_folder("/inner", 0755);
    ck_assert_int_eq(chroot("/inner"), 0);
    for (int i = 0; i < 16; i++)
        ck_assert_int_eq(chdir(".."), 0);
    ck_assert_int_eq(chroot("."), 0);
    ck_reads("/here", "container");
}
END_TEST

START_TEST(a_mount_that_a_link_of_the_image_leads_over_the_root_is_refused)
{
    struct world w;
    world_init(&w);
    put_link("/mnt/rootfs/data", "/");
    world_bind(&w, "/mnt/sent", "/data");

    ck_fails(world_run(&w), &w.err, EXDEV, "root",
             "the new root is covered, by the host's tree or by a mount whose destination leads to "
             "'/'");
}
END_TEST

START_TEST(a_root_that_is_a_link_is_refused)
{
    struct world w;
    world_init(&w);
    put_link("/mnt/link", "/mnt/rootfs");
    w.root.path = "/mnt/link";

    ck_fails(world_open(&w), &w.err, ENOTDIR, "root.path",
             "'/mnt/link' is not a folder (a symbolic link is not followed here)");
}
END_TEST

START_TEST(a_root_that_is_missing_is_named)
{
    struct world w;
    world_init(&w);
    w.root.path = "/mnt/nope";

    ck_fails(world_open(&w), &w.err, ENOENT, "root.path",
             "cannot open '/mnt/nope': No such file or directory");
}
END_TEST

START_TEST(a_root_that_is_replaced_after_it_was_opened_is_not_looked_up_again)
{
    struct world w;
    world_init(&w);
    put_file("/mnt/rootfs/here", "container");
    put_folder("/mnt/other", 0755);

    ck_ok(world_open(&w), &w.err);
    ck_assert_int_eq(rename("/mnt/rootfs", "/mnt/moved"), 0);
    ck_assert_int_eq(symlink("/", "/mnt/rootfs"), 0);
    ck_ok(mount_attach_root(w.tree, &w.err), &w.err);
    ck_ok(mount_pivot(w.tree, &w.err), &w.err);
    ck_reads("/here", "container");
}
END_TEST

START_TEST(what_is_mounted_in_the_root_folder_comes_along)
{
    struct world w;
    world_init(&w);
    put_folder("/mnt/rootfs/vol", 0755);
    put_tmpfs("/mnt/rootfs/vol");
    put_file("/mnt/rootfs/vol/file", "inside");

    ck_ok(world_run(&w), &w.err);
    ck_reads("/vol/file", "inside");
}
END_TEST

static void check_propagation(uint64_t wanted, bool recursive, const char *word,
                              bool host_is_shared)
{
    struct world w;
    world_init(&w);
    ck_assert_int_eq(mount(NULL, "/mnt", NULL, host_is_shared ? MS_SHARED : MS_PRIVATE, NULL), 0);
    w.root.propagation = wanted;
    w.root.propagation_recursive = recursive;
    world_bind(&w, "/mnt/sent", "/vol");

    ck_ok(world_run(&w), &w.err);
    const char *root = mount_at(&w, "/");
    if (word[0] == '\0')
        ck_assert_str_eq(root, "rw,relatime tmpfs tmpfs");
    else
        ck_assert_msg(strstr(root, word) != NULL, "%s", root);
    /* only what is asked for recursively reaches the mounts of the config */
    const char *volume = mount_at(&w, "/vol");
    ck_assert_msg((strstr(volume, word) != NULL) == (recursive || word[0] == '\0'), "%s", volume);
}

START_TEST(the_root_is_private_by_default_even_where_the_host_is_shared)
{
    check_propagation(0, false, "", true);
}
END_TEST

START_TEST(a_slave_root_follows_the_host)
{
    check_propagation(MS_SLAVE, false, "master:", true);
}
END_TEST

START_TEST(a_shared_root_has_a_group_of_its_own)
{
    check_propagation(MS_SHARED, false, "shared:", false);
}
END_TEST

START_TEST(a_recursively_shared_root_shares_its_mounts)
{
    check_propagation(MS_SHARED, true, "shared:", false);
}
END_TEST

START_TEST(an_unbindable_root_is_so)
{
    check_propagation(MS_UNBINDABLE, false, "unbindable", false);
}
END_TEST

START_TEST(mounts_of_a_shared_root_are_not_seen_by_the_host)
{
    struct world w;
    world_init(&w);
    ck_assert_int_eq(mount(NULL, "/mnt", NULL, MS_SHARED, NULL), 0);
    w.root.propagation = MS_SHARED;

    ck_ok(world_run(&w), &w.err);
    put_folder("/vol", 0755);
    put_tmpfs("/vol");
    put_file("/vol/file", "inside");
    ck_missing_at(w.host_fd, "rootfs/vol/file");
}
END_TEST

START_TEST(a_host_whose_mounts_are_all_shared_keeps_exactly_those_it_had)
{
    struct world w;
    world_init(&w);
    ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), 0);
    int before = mount_count(&w);
    world_add_default(&w);
    world_bind(&w, "/mnt/sent", "/vol");

    ck_ok(world_run(&w), &w.err);
    ck_assert(!any_mount_has(&w, "shared:"));
    ck_assert_int_eq(setns(w.host_ns, CLONE_NEWNS), 0);
    ck_assert_int_eq(mount_count(&w), before);
}
END_TEST

START_TEST(the_tree_leaves_no_descriptor_behind)
{
    struct world w;
    world_init(&w);
    world_add_default(&w);
    put_folder("/mnt/rootfs/k", 0755);
    world_bind(&w, "/mnt/sent", "/vol");
    world_bind(&w, "/mnt/sent/file", "/a/b/file");
    world_mask(&w, "/k");
    world_mask(&w, "/proc/kcore");
    world_readonly(&w, "/vol");
    int before = open_fd_count(&w);

    ck_ok(world_run(&w), &w.err);
    ck_assert_int_eq(open_fd_count(&w), before + 2); /* the root and /dev, until the tree goes */
    mount_tree_free(w.tree);
    ck_assert_int_eq(open_fd_count(&w), before);
}
END_TEST

START_TEST(a_failure_leaves_no_descriptor_behind)
{
    struct world w;
    world_init(&w);
    world_add_default(&w);
    world_bind(&w, "/mnt/sent", "/vol");
    world_bind(&w, "/mnt/sent/file", "/vol");
    world_bind(&w, "/mnt/sent/file", "/never");
    int before = open_fd_count(&w);

    ck_assert_int_lt(world_mount(&w), 0);
    mount_tree_free(w.tree);
    ck_assert_int_eq(open_fd_count(&w), before);
    mount_tree_free(NULL);
}
END_TEST

SUITE(root_suite, after_the_pivot_nothing_of_the_host_is_left,
      without_a_pivot_the_root_is_changed_and_dots_do_not_lead_out,
      a_mount_that_a_link_of_the_image_leads_over_the_root_is_refused,
      a_root_that_is_a_link_is_refused, a_root_that_is_missing_is_named,
      a_root_that_is_replaced_after_it_was_opened_is_not_looked_up_again,
      what_is_mounted_in_the_root_folder_comes_along,
      the_root_is_private_by_default_even_where_the_host_is_shared, a_slave_root_follows_the_host,
      a_shared_root_has_a_group_of_its_own, a_recursively_shared_root_shares_its_mounts,
      an_unbindable_root_is_so, mounts_of_a_shared_root_are_not_seen_by_the_host,
      a_host_whose_mounts_are_all_shared_keeps_exactly_those_it_had,
      the_tree_leaves_no_descriptor_behind, a_failure_leaves_no_descriptor_behind)
