/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "world.h"

/* A stand-in for /proc/sys/kernel/core_pattern: what an attacker wants to get at. */
static void put_secrets(void)
{
    put_folder("/mnt/rootfs/k", 0755);
    put_file("/mnt/rootfs/k/file", "secret");
    put_file("/mnt/rootfs/k/file2", "secret");
    put_folder("/mnt/rootfs/k/dir", 0755);
    put_folder("/mnt/rootfs/k/dir2", 0755);
    put_file("/mnt/rootfs/k/dir/inside", "secret");
    put_file("/mnt/rootfs/k/target", "secret");
}

START_TEST(masked_files_are_empty_and_masked_folders_too_and_stay_so)
{
    struct world w;
    world_init(&w);
    world_add_default(&w);
    put_secrets();
    world_mask(&w, "/k/file");
    world_mask(&w, "/k/dir");
    world_mask(&w, "/k/absent");
    world_mask(&w, "/k/file/absent");
    world_mask(&w, "/k/file2");
    world_mask(&w, "/k/dir2");

    ck_ok(world_run(&w), &w.err);
    ck_reads("/k/file", "");
    ck_reads("/k/file2", "");
    ck_assert_str_eq(mount_at(&w, "/k/dir"), "ro,nosuid,nodev,noexec,relatime tmpfs none");
    ck_assert_str_eq(mount_at(&w, "/k/dir2"), "ro,nosuid,nodev,noexec,relatime tmpfs none");
    ck_assert_int_eq(entries_at(AT_FDCWD, "/k/dir"), 0);
    ck_cannot_write("/k/dir/x", EROFS);
    ck_cannot_write("/k/dir2/x", EROFS);
    put_file("/k/file", "swallowed");
    ck_reads("/k/file", "");
    int k = openat(w.host_fd, "rootfs/k", O_PATH | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(entries_at(k, "dir"), 1);
}
END_TEST

START_TEST(one_empty_file_system_masks_all_folders)
{
    struct world w;
    struct stat first, second;
    world_init(&w);
    world_add_default(&w);
    put_secrets();
    world_mask(&w, "/k/dir");
    world_mask(&w, "/k/dir2");

    ck_ok(world_run(&w), &w.err);
    ck_assert_int_eq(lstat("/k/dir", &first), 0);
    ck_assert_int_eq(lstat("/k/dir2", &second), 0);
    ck_assert_uint_eq(first.st_dev, second.st_dev);
}
END_TEST

static void check_fake_null(void (*put)(const char *path))
{
    struct world w;
    world_init(&w);
    put_secrets();
    put_folder("/mnt/dev", 0755);
    put("/mnt/dev/null");
    world_bind(&w, "/mnt/dev", "/dev")->target_no_symlinks = true;
    world_mask(&w, "/k/file");

    ck_ok(world_run(&w), &w.err);
    ck_reads("/k/file", "");
    put_file("/k/file", "attack");
    ck_reads("/k/target", "secret");
    ck_assert_int_eq(chmod("/k/file", 0666), -1); /* it is the null device of the host */
    ck_assert_int_eq(errno, EROFS);
}

static void put_fake_link(const char *path)
{
    put_link(path, "/k/target");
}

static void put_fake_file(const char *path)
{
    put_file(path, "not null");
}

static void put_fake_zero(const char *path)
{
    ck_assert_int_eq(mknod(path, S_IFCHR | 0666, makedev(1, 5)), 0);
}

static void put_nothing(const char *path)
{
    (void) path;
}

START_TEST(cve_2025_31133_a_null_device_that_is_a_link_masks_nothing)
{
    check_fake_null(put_fake_link);
}
END_TEST

START_TEST(cve_2025_31133_a_null_device_that_is_a_file_masks_nothing)
{
    check_fake_null(put_fake_file);
}
END_TEST

START_TEST(cve_2025_31133_a_null_device_that_is_another_device_masks_nothing)
{
    check_fake_null(put_fake_zero);
}
END_TEST

START_TEST(cve_2025_31133_a_missing_null_device_leaves_nothing_unmasked)
{
    check_fake_null(put_nothing);
}
END_TEST

static dev_t device_of(const char *path)
{
    struct stat found;

    ck_assert_msg(lstat(path, &found) == 0, "%s: %s", path, strerror(errno));
    return found.st_dev;
}

START_TEST(a_null_device_that_others_may_have_a_hand_in_is_not_used)
{
    struct world w;
    world_init(&w);
    put_secrets();
    put_folder("/mnt/dev", 0755);
    ck_assert_int_eq(mknod("/mnt/dev/null", S_IFCHR | 0666, makedev(1, 3)), 0);
    world_bind(&w, "/mnt/dev", "/dev")->target_no_symlinks = true;
    world_mask(&w, "/k/file");

    ck_ok(world_run(&w), &w.err);
    ck_reads("/k/file", "");
    ck_assert_uint_ne(device_of("/k/file"), device_of("/dev/null"));
}
END_TEST

START_TEST(a_config_that_calls_another_device_null_masks_with_the_real_one)
{
    struct world w;
    struct stat found;
    world_init(&w);
    world_add_default(&w);
    put_secrets();
    w.devices[0].minor = 5; /* /dev/null that gives zeroes for ever */
    world_mask(&w, "/k/file");

    ck_ok(world_run(&w), &w.err);
    ck_assert_int_eq(lstat("/k/file", &found), 0);
    ck_assert_uint_eq(found.st_rdev, makedev(1, 3));
}
END_TEST

START_TEST(masks_and_their_null_device_are_of_the_containers_own_dev)
{
    struct world w;
    world_init(&w);
    world_add_default(&w);
    put_secrets();
    world_mask(&w, "/k/file");

    ck_ok(world_run(&w), &w.err);
    ck_assert_uint_eq(device_of("/k/file"), device_of("/dev/null"));
}
END_TEST

START_TEST(a_masked_path_that_is_a_link_masks_what_it_leads_to_inside_the_root)
{
    struct world w;
    world_init(&w);
    world_add_default(&w);
    put_secrets();
    put_link("/mnt/rootfs/link", "../../../k/file");
    world_mask(&w, "/link");

    ck_ok(world_run(&w), &w.err);
    ck_reads("/k/file", "");
}
END_TEST

START_TEST(a_path_that_cannot_be_looked_at_is_not_skipped)
{
    struct world w;
    world_init(&w);
    world_add_default(&w);
    put_link("/mnt/rootfs/loop", "loop");
    world_mask(&w, "/absent");
    world_mask(&w, "/loop");

    ck_fails(world_run(&w), &w.err, ELOOP, "linux.maskedPaths[1]",
             "cannot open '/loop': Too many levels of symbolic links");
}
END_TEST

START_TEST(readonly_paths_cannot_be_written_with_all_that_is_mounted_below)
{
    struct world w;
    world_init(&w);
    world_add_default(&w);
    put_secrets();
    world_bind(&w, "/mnt/sent", "/k/dir/sub");
    world_readonly(&w, "/k/dir");
    world_readonly(&w, "/k/file");
    world_readonly(&w, "/k/absent");

    ck_ok(world_run(&w), &w.err);
    ck_cannot_write("/k/dir/x", EROFS);
    ck_cannot_write("/k/dir/sub/x", EROFS);
    ck_cannot_write("/k/file", EROFS);
    ck_reads("/k/file", "secret");
    put_file("/k/file2", "new");
    ck_assert(!any_mount_has(&w, "shared:"));
}
END_TEST

START_TEST(a_readonly_path_keeps_the_restrictions_of_its_mount)
{
    struct world w;
    world_init(&w);
    struct plan_mount *proc = world_add(&w, PLAN_MOUNT_NEW, "proc", "proc", "/proc");
    proc->attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    proc->target_no_symlinks = true;
    world_readonly(&w, "/proc/sys");

    ck_ok(world_run(&w), &w.err);
    ck_assert_str_eq(mount_at(&w, "/proc/sys"), "ro,nosuid,nodev,noexec,relatime proc proc");
    ck_cannot_write("/proc/sys/kernel/core_pattern", EROFS);
}
END_TEST

START_TEST(cve_2026_115521_a_read_only_root_does_not_depend_on_the_proc_of_the_image)
{
    struct world w;
    world_init(&w);
    put_folder("/mnt/rootfs/proc", 0755);
    put_folder("/mnt/rootfs/proc/self", 0755);
    put_folder("/mnt/rootfs/proc/self/fd", 0755);
    for (int i = 0; i < 40; i++) {
        char path[64];
        snprintf(path, sizeof path, "/mnt/rootfs/proc/self/fd/%d", i);
        put_link(path, "/tmp");
    }
    put_folder("/mnt/rootfs/tmp", 0755);
    w.root.readonly = true;
    world_bind(&w, "/mnt/sent", "/vol");

    ck_ok(world_run(&w), &w.err);
    ck_assert_str_eq(mount_at(&w, "/"), "ro,relatime tmpfs tmpfs");
    ck_cannot_write("/touch", EROFS);
    ck_cannot_write("/tmp/touch", EROFS);
    put_file("/vol/file", "host"); /* its mounts are as planned */
}
END_TEST

START_TEST(the_roots_of_default_mounts_have_the_modes_of_the_golden_list)
{
    static const struct {
        const char *path;
        unsigned mode;
    } rows[] = {
        {"/",        0755 },
        {"/proc",    0555 },
        {"/dev",     0755 },
        {"/dev/pts", 0755 },
        {"/dev/shm", 01777}
    };
    static const struct plan_fs_option shm[] = {
        {"mode", "1777"}
    };
    struct world w;
    world_init(&w);
    world_add_default(&w);
    struct plan_mount *mount = world_add(&w, PLAN_MOUNT_NEW, "tmpfs", "shm", "/dev/shm");
    mount->options = shm;
    mount->option_count = 1;

    ck_ok(world_run(&w), &w.err);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stat found;
        ck_assert_int_eq(lstat(rows[i].path, &found), 0);
        ck_assert_msg((found.st_mode & 07777) == rows[i].mode, "%s: %o", rows[i].path,
                      found.st_mode);
    }
}
END_TEST

SUITE(seal_suite, masked_files_are_empty_and_masked_folders_too_and_stay_so,
      one_empty_file_system_masks_all_folders,
      cve_2025_31133_a_null_device_that_is_a_link_masks_nothing,
      cve_2025_31133_a_null_device_that_is_a_file_masks_nothing,
      cve_2025_31133_a_null_device_that_is_another_device_masks_nothing,
      cve_2025_31133_a_missing_null_device_leaves_nothing_unmasked,
      a_null_device_that_others_may_have_a_hand_in_is_not_used,
      a_config_that_calls_another_device_null_masks_with_the_real_one,
      masks_and_their_null_device_are_of_the_containers_own_dev,
      a_masked_path_that_is_a_link_masks_what_it_leads_to_inside_the_root,
      a_path_that_cannot_be_looked_at_is_not_skipped,
      readonly_paths_cannot_be_written_with_all_that_is_mounted_below,
      a_readonly_path_keeps_the_restrictions_of_its_mount,
      cve_2026_115521_a_read_only_root_does_not_depend_on_the_proc_of_the_image,
      the_roots_of_default_mounts_have_the_modes_of_the_golden_list)
