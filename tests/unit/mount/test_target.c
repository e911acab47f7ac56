/* SPDX-License-Identifier: Apache-2.0 */
/* Where mounts land when the image is hostile; rows of security.md 1.1-1.3 by their CVE. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"

static void ck_sent_unchanged(const struct world *w)
{
    char text[16] = "";
    int fd = openat(w->host_fd, "sent/file", O_RDONLY | O_CLOEXEC);

    ck_assert_int_eq(entries_at(w->host_fd, "sent"), 1);
    ck_assert_int_eq(read(fd, text, sizeof text - 1), 4);
    ck_assert_str_eq(text, "host");
    close(fd);
}

static void check_link(const char *name, const char *points_to, const char *type)
{
    struct world w;
    char path[64], text[128];
    world_init(&w);
    snprintf(path, sizeof path, "/mnt/rootfs%s", name);
    put_link(path, points_to);
    put_folder("/mnt/rootfs/tmp", 0755);
    put_folder("/mnt/rootfs/tmp/x", 0755);
    world_add(&w, PLAN_MOUNT_NEW, type, type, name)->target_no_symlinks = true;

    snprintf(text, sizeof text, "'%s' leads through a symbolic link, which is not allowed here",
             name);
    ck_fails(world_mount(&w), &w.err, ELOOP, "mounts[0].destination", text);
    ck_sent_unchanged(&w);
}

START_TEST(cve_2019_19921_a_linked_proc_is_refused)
{
    check_link("/proc", "/tmp/x", "proc");
}
END_TEST

START_TEST(cve_2025_54867_a_proc_linked_out_of_the_root_is_refused)
{
    check_link("/proc", "../../../../mnt/sent", "proc");
}
END_TEST

START_TEST(cve_2023_27561_a_linked_sys_is_refused)
{
    check_link("/sys", "/bad-sys", "sysfs");
}
END_TEST

START_TEST(cve_2026_41579_a_linked_dev_is_refused)
{
    check_link("/dev", "/mnt/sent", "tmpfs");
}
END_TEST

START_TEST(cve_2019_18837_a_linked_target_stays_inside_the_root)
{
    struct world w;
    world_init(&w);
    put_link("/mnt/rootfs/etc", "/../../mnt/sent");
    world_bind(&w, "/mnt/sent/file", "/etc/hosts");

    ck_ok(world_run(&w), &w.err);
    ck_reads("/mnt/sent/hosts", "host");
    ck_reads("/etc/hosts", "host");
    ck_sent_unchanged(&w);
}
END_TEST

START_TEST(dangling_links_of_images_are_made_inside_the_root)
{
    struct world w;
    world_init(&w);
    put_folder("/mnt/rootfs/etc", 0755);
    put_folder("/mnt/rootfs/var", 0755);
    put_folder("/mnt/rootfs/var/lib", 0755);
    put_link("/mnt/rootfs/etc/resolv.conf", "../run/a/resolv.conf"); /* as systemd has it */
    put_link("/mnt/rootfs/var/run", "/run");
    put_link("/mnt/rootfs/var/lib/up", "../../../../../mnt/sent/x");
    world_bind(&w, "/mnt/sent/file", "/etc/resolv.conf");
    world_bind(&w, "/mnt/sent", "/var/run/b");
    world_bind(&w, "/mnt/sent", "/var/lib/up");

    ck_ok(world_run(&w), &w.err);
    ck_reads("/run/a/resolv.conf", "host");
    ck_reads("/run/b/file", "host");
    ck_reads("/mnt/sent/x/file", "host");
    ck_sent_unchanged(&w);
}
END_TEST

START_TEST(targets_with_dots_and_too_many_slashes_are_resolved_in_the_root)
{
    struct world w;
    world_init(&w);
    put_folder("/mnt/rootfs/a", 0755);
    world_bind(&w, "/mnt/sent", "//../../a/./new/../other//in/");
    world_bind(&w, "/mnt/sent", "/a/gone/..");

    ck_ok(world_run(&w), &w.err);
    ck_reads("/a/file", "host"); /* the second covers the first */
    ck_assert_str_eq(mount_at(&w, "/a/other/in"), "rw,relatime tmpfs tmpfs");
}
END_TEST

START_TEST(a_circle_of_links_is_an_error)
{
    struct world w;
    world_init(&w);
    put_link("/mnt/rootfs/a", "/b");
    put_link("/mnt/rootfs/b", "a");
    world_bind(&w, "/mnt/sent", "/a/x");

    ck_fails(world_mount(&w), &w.err, ELOOP, "mounts[0].destination",
             "cannot open '/a/x': Too many levels of symbolic links");
}
END_TEST

START_TEST(a_file_in_the_way_of_a_target_is_an_error)
{
    struct world w;
    world_init(&w);
    put_file("/mnt/rootfs/a", "");
    world_bind(&w, "/mnt/sent", "/a/x");

    ck_fails(world_mount(&w), &w.err, ENOTDIR, "mounts[0].destination",
             "'/a/x' leads through or to a file where a folder is needed");
}
END_TEST

START_TEST(names_too_long_for_the_kernel_are_errors_and_not_cut)
{
    struct world w;
    static char long_name[300], long_path[5000];
    world_init(&w);
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[0] = '/';
    memset(long_path, '/', sizeof long_path - 1);
    struct plan_mount *mount = world_bind(&w, "/mnt/sent", long_name);

    ck_assert_int_eq(world_mount(&w), -ENAMETOOLONG);
    ck_assert_str_eq(w.err.path, "mounts[0].destination");
    mount_tree_free(w.tree);
    sub_err_clear(&w.err);
    mount->target = long_path;
    ck_assert_int_eq(world_mount(&w), -ENAMETOOLONG);
}
END_TEST

START_TEST(a_mount_point_missing_in_a_read_only_bind_is_not_made_in_its_source)
{
    struct world w;
    world_init(&w);
    world_bind(&w, "/mnt/sent", "/m")->attr_set = MOUNT_ATTR_RDONLY;
    world_bind(&w, "/mnt/sent", "/m/new");

    ck_fails(world_mount(&w), &w.err, EROFS, "mounts[1].destination",
             "cannot make '/m/new' (below '/m'): Read-only file system");
    ck_sent_unchanged(&w);
}
END_TEST

START_TEST(cve_2019_16884_a_link_of_the_image_does_not_lead_a_mount_into_proc)
{
    struct world w;
    world_init(&w);
    put_folder("/mnt/rootfs/etc", 0755);
    put_link("/mnt/rootfs/etc/hosts", "/proc/self/attr/exec");
    world_add_default(&w);
    world_bind(&w, "/mnt/sent/file", "/etc/hosts");

    ck_fails(world_mount(&w), &w.err, EPERM, "mounts[3].destination",
             "'/etc/hosts' leads into a procfs through a symbolic link");
}
END_TEST

START_TEST(a_place_in_proc_that_the_plan_names_is_allowed)
{
    struct world w;
    world_init(&w);
    world_add_default(&w);
    world_bind(&w, "/mnt/sent/file", "/proc/uptime")->target_no_symlinks = true;

    ck_ok(world_run(&w), &w.err);
    ck_reads("/proc/uptime", "host");
}
END_TEST

START_TEST(magic_links_are_never_followed)
{
    struct world w;
    world_init(&w);
    world_add_default(&w);
    world_bind(&w, "/mnt/sent", "/proc/self/root/x");

    ck_assert_int_lt(world_mount(&w), 0);
    ck_assert_str_eq(w.err.path, "mounts[3].destination");
}
END_TEST

START_TEST(a_link_at_the_target_can_be_covered_itself)
{
    struct world w;
    struct stat found;
    world_init(&w);
    put_link("/mnt/rootfs/link", "/mnt/sent");
    world_bind(&w, "/mnt/sent/file", "/link")->target_nofollow = true;

    ck_ok(world_run(&w), &w.err);
    ck_reads("/link", "host");
    ck_assert_int_eq(lstat("/link", &found), 0);
    ck_assert(S_ISREG(found.st_mode));
    ck_sent_unchanged(&w);
}
END_TEST

SUITE(target_suite, cve_2019_19921_a_linked_proc_is_refused,
      cve_2025_54867_a_proc_linked_out_of_the_root_is_refused,
      cve_2023_27561_a_linked_sys_is_refused, cve_2026_41579_a_linked_dev_is_refused,
      cve_2019_18837_a_linked_target_stays_inside_the_root,
      dangling_links_of_images_are_made_inside_the_root,
      targets_with_dots_and_too_many_slashes_are_resolved_in_the_root,
      a_circle_of_links_is_an_error, a_file_in_the_way_of_a_target_is_an_error,
      names_too_long_for_the_kernel_are_errors_and_not_cut,
      a_mount_point_missing_in_a_read_only_bind_is_not_made_in_its_source,
      cve_2019_16884_a_link_of_the_image_does_not_lead_a_mount_into_proc,
      a_place_in_proc_that_the_plan_names_is_allowed, magic_links_are_never_followed,
      a_link_at_the_target_can_be_covered_itself)
