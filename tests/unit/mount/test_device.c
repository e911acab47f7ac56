/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "world.h"

static void ck_node(const char *path, unsigned mode, unsigned major_, unsigned minor_)
{
    struct stat found;

    ck_assert_msg(lstat(path, &found) == 0, "%s: %s", path, strerror(errno));
    ck_assert_msg(found.st_mode == mode, "%s: %o", path, found.st_mode);
    ck_assert_uint_eq(major(found.st_rdev), major_);
    ck_assert_uint_eq(minor(found.st_rdev), minor_);
}

START_TEST(the_default_devices_and_links_are_there_and_work)
{
    struct world w;
    char text[64] = "";
    world_init(&w);
    world_add_default(&w);

    ck_ok(world_run(&w), &w.err);
    ck_node("/dev/null", S_IFCHR | 0666, 1, 3);
    ck_node("/dev/zero", S_IFCHR | 0666, 1, 5);
    ck_node("/dev/full", S_IFCHR | 0666, 1, 7);
    ck_node("/dev/random", S_IFCHR | 0666, 1, 8);
    ck_node("/dev/urandom", S_IFCHR | 0666, 1, 9);
    ck_node("/dev/tty", S_IFCHR | 0666, 5, 0);
    ck_assert_int_eq(readlink("/dev/fd", text, sizeof text - 1), 13);
    ck_assert_str_eq(text, "/proc/self/fd");
    ck_node("/dev/ptmx", S_IFLNK | 0777, 0, 0);
    ck_reads("/dev/null", "");
    ck_assert_int_eq(open("/dev/full", O_WRONLY | O_TRUNC | O_CLOEXEC) >= 0, 1);
    /* nothing but what was asked for */
    int dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(entries_at(dev, "."), 6 + 2 + 1);
}
END_TEST

START_TEST(a_device_has_exactly_the_mode_and_owner_asked_for)
{
    struct world w;
    struct stat found;
    world_init(&w);
    world_add_default(&w);
    world_add_device(&w, (struct plan_device){"/dev/net/tun", "linux.devices[0]", S_IFCHR, 10, 200,
                                              0600, 12, 34});
    world_add_device(
        &w, (struct plan_device){"/srv/sda", "linux.devices[1]", S_IFBLK, 8, 1, 0660, 0, 6});
    world_add_device(
        &w, (struct plan_device){"/dev/pipe", "linux.devices[2]", S_IFIFO, 0, 0, 0622, 0, 0});

    ck_ok(world_run(&w), &w.err);
    ck_node("/dev/net/tun", S_IFCHR | 0600, 10, 200);
    ck_assert_int_eq(lstat("/dev/net/tun", &found), 0);
    ck_assert_uint_eq(found.st_uid, 12);
    ck_assert_uint_eq(found.st_gid, 34);
    ck_node("/srv/sda", S_IFBLK | 0660, 8, 1);
    ck_assert_int_eq(lstat("/srv/sda", &found), 0);
    ck_assert_uint_eq(found.st_gid, 6);
    ck_node("/dev/pipe", S_IFIFO | 0622, 0, 0);
}
END_TEST

START_TEST(a_right_device_that_exists_is_left_as_it_is)
{
    struct world w;
    world_init(&w);
    world_add_default(&w);
    ck_assert_int_eq(mknod("/mnt/rootfs/card", S_IFCHR | 0640, makedev(10, 229)), 0);
    world_add_device(
        &w, (struct plan_device){"/card", "linux.devices[0]", S_IFCHR, 10, 229, 0666, 7, 7});

    ck_ok(world_run(&w), &w.err);
    ck_node("/card", S_IFCHR | 0640, 10, 229);
}
END_TEST

static void check_wrong_device(void (*put)(const char *path))
{
    struct world w;
    world_init(&w);
    world_add_default(&w);
    put("/mnt/rootfs/card");
    world_add_device(
        &w, (struct plan_device){"/card", "linux.devices[0]", S_IFCHR, 10, 229, 0666, 0, 0});

    ck_fails(world_devices(&w), &w.err, EEXIST, "linux.devices[0].path",
             "'/card' exists and is not the device c 10:229");
}

static void put_other_device(const char *path)
{
    ck_assert_int_eq(mknod(path, S_IFCHR | 0666, makedev(10, 228)), 0);
}

static void put_block_device(const char *path)
{
    ck_assert_int_eq(mknod(path, S_IFBLK | 0666, makedev(10, 229)), 0);
}

static void put_plain_file(const char *path)
{
    put_file(path, "");
}

static void put_link_to_device(const char *path)
{
    ck_assert_int_eq(mknod("/mnt/rootfs/real", S_IFCHR | 0666, makedev(10, 229)), 0);
    put_link(path, "real");
}

START_TEST(another_number_in_the_place_of_a_device_is_refused)
{
    check_wrong_device(put_other_device);
}
END_TEST

START_TEST(another_type_in_the_place_of_a_device_is_refused)
{
    check_wrong_device(put_block_device);
}
END_TEST

START_TEST(a_file_in_the_place_of_a_device_is_refused)
{
    check_wrong_device(put_plain_file);
}
END_TEST

START_TEST(a_link_in_the_place_of_a_device_is_refused)
{
    check_wrong_device(put_link_to_device);
}
END_TEST

START_TEST(below_dev_no_link_is_followed)
{
    struct world w;
    world_init(&w);
    world_add_default(&w);
    put_folder("/mnt/dev", 0755);
    put_link("/mnt/dev/net", "/mnt/sent");
    world_bind(&w, "/mnt/dev", "/dev")->target_no_symlinks = true; /* a /dev of the caller */
    w.mounts.device_count = 0;
    world_add_device(
        &w, (struct plan_device){"/dev/net/tun", "linux.devices[0]", S_IFCHR, 10, 200, 0600, 0, 0});

    ck_fails(world_devices(&w), &w.err, ELOOP, "linux.devices[0].path",
             "'net/tun' leads through a symbolic link, which is not allowed here");
    ck_assert_int_eq(entries_at(w.host_fd, "sent"), 1);
}
END_TEST

START_TEST(cve_2026_47766_a_dev_of_the_image_that_is_a_link_gets_no_devices)
{
    struct world w;
    world_init(&w);
    put_link("/mnt/rootfs/dev", "/mnt/sent");
    world_add_link(&w, "/dev/ptmx", "pts/ptmx");

    ck_fails(world_devices(&w), &w.err, ELOOP, "/dev",
             "must be a folder of the container and no link: Too many levels of symbolic links");
    ck_assert_int_eq(entries_at(w.host_fd, "sent"), 1);
}
END_TEST

START_TEST(a_read_only_dev_is_filled_first_and_read_only_at_the_end)
{
    struct world w;
    world_init(&w);
    world_add_default(&w);
    w.items[1].attr_set |= MOUNT_ATTR_RDONLY;

    ck_ok(world_run(&w), &w.err);
    ck_assert_str_eq(mount_at(&w, "/dev"), "ro,nosuid,relatime tmpfs tmpfs");
    ck_node("/dev/null", S_IFCHR | 0666, 1, 3);
    ck_cannot_write("/dev/x", EROFS);
    put_file("/dev/null", "still a device");
}
END_TEST

/* --- the console ---------------------------------------------------------------------------- */

static int open_pty(struct world *w, int *ret_slave)
{
    int dev = openat(mount_root_fd(w->tree), "dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int master = openat(dev, "pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), unlock = 0;

    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(ioctl(master, TIOCSPTLCK, &unlock), 0);
    *ret_slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(*ret_slave, 0);
    return master;
}

START_TEST(the_console_is_the_pty_itself)
{
    struct world w;
    struct stat found;
    int slave;
    world_init(&w);
    world_add_default(&w);

    ck_ok(world_devices(&w), &w.err);
    (void) open_pty(&w, &slave);
    ck_ok(mount_console(w.tree, slave, &w.err), &w.err);
    ck_ok(mount_pivot(w.tree, &w.err), &w.err);
    ck_ok(mount_seal(w.tree, &w.err), &w.err);
    ck_assert_int_eq(lstat("/dev/console", &found), 0);
    ck_assert(S_ISCHR(found.st_mode));
    ck_assert_uint_eq(major(found.st_rdev), 136);
    ck_assert_str_eq(mount_at(&w, "/dev/console"), "rw,nosuid,noexec,relatime devpts devpts");
}
END_TEST

START_TEST(cve_2026_88264_a_linked_console_is_neither_followed_nor_made)
{
    struct world w;
    int slave;
    world_init(&w);
    world_add_default(&w);
    put_folder("/mnt/dev", 0755);
    put_folder("/mnt/dev/pts", 0755);
    put_link("/mnt/dev/console", "/mnt/sent/new");

    ck_ok(world_devices(&w), &w.err);
    (void) open_pty(&w, &slave);
    /* the same again with a /dev that has a link for a console */
    struct world hostile;
    world_init(&hostile);
    put_folder("/mnt/dev", 0755);
    put_link("/mnt/dev/console", "/mnt/sent/new");
    world_bind(&hostile, "/mnt/dev", "/dev");
    ck_ok(world_devices(&hostile), &hostile.err);
    ck_fails(mount_console(hostile.tree, slave, &hostile.err), &hostile.err, EEXIST, "/dev/console",
             "exists and is neither a file nor a device");
    ck_assert_int_eq(entries_at(hostile.host_fd, "sent"), 1);
}
END_TEST

START_TEST(only_a_pty_becomes_the_console)
{
    struct world w;
    world_init(&w);
    world_add_default(&w);

    ck_ok(world_devices(&w), &w.err);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    ck_fails(mount_console(w.tree, null, &w.err), &w.err, ENOTTY, "process.terminal",
             "the terminal is not a pty");
}
END_TEST

SUITE(device_suite, the_default_devices_and_links_are_there_and_work,
      a_device_has_exactly_the_mode_and_owner_asked_for,
      a_right_device_that_exists_is_left_as_it_is,
      another_number_in_the_place_of_a_device_is_refused,
      another_type_in_the_place_of_a_device_is_refused, a_file_in_the_place_of_a_device_is_refused,
      a_link_in_the_place_of_a_device_is_refused, below_dev_no_link_is_followed,
      cve_2026_47766_a_dev_of_the_image_that_is_a_link_gets_no_devices,
      a_read_only_dev_is_filled_first_and_read_only_at_the_end, the_console_is_the_pty_itself,
      cve_2026_88264_a_linked_console_is_neither_followed_nor_made, only_a_pty_becomes_the_console)
