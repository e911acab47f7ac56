/* SPDX-License-Identifier: Apache-2.0 */
/* The child in a user namespace of its own, 0..65535 being 100000.. outside. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "world.h"

static void init(struct world *w)
{
    world_init(w);
    ck_assert_int_eq(chown("/mnt/rootfs", 100000, 100000), 0);
    w->mounts.sources_by_parent = w->mounts.devices_by_bind = true;
}

START_TEST(devices_are_those_of_the_host_lent_by_bind)
{
    struct world w;
    struct stat found;
    init(&w);
    world_add_dev(&w);
    put_folder("/mnt/rootfs/k", 0755);
    put_file("/mnt/rootfs/k/file", "secret");
    world_mask(&w, "/k/file");

    ck_ok(world_run(&w), &w.err);
    ck_assert_int_eq(lstat("/dev/null", &found), 0);
    ck_assert_uint_eq(found.st_mode, S_IFCHR | 0666);
    ck_assert_uint_eq(found.st_rdev, makedev(1, 3));
    ck_reads("/dev/null", "");
    put_file("/dev/null", "swallowed");
    ck_reads("/k/file", "");
    ck_assert_str_eq(mount_at(&w, "/dev"), "rw,nosuid,relatime tmpfs tmpfs");
    ck_assert(!any_mount_has(&w, "shared:"));
}
END_TEST

START_TEST(a_file_of_the_image_is_covered_by_a_lent_device_and_a_folder_is_not)
{
    struct world w;
    struct stat found;
    init(&w);
    world_add_dev(&w);
    put_folder("/mnt/rootfs/mnt", 0755);
    put_file("/mnt/rootfs/mnt/file", "of the image");
    put_folder("/mnt/rootfs/mnt/folder", 0755);
    /* what is lent has the same name on the host */
    ck_assert_int_eq(mknod("/mnt/file", S_IFCHR | 0600, makedev(1, 5)), 0);
    world_add_device(
        &w, (struct plan_device){"/mnt/file", "linux.devices[0]", S_IFCHR, 1, 5, 0600, 0, 0});
    world_add_device(
        &w, (struct plan_device){"/mnt/folder", "linux.devices[1]", S_IFCHR, 1, 5, 0600, 0, 0});

    ck_fails(world_devices(&w), &w.err, EEXIST, "linux.devices[1].path",
             "'/mnt/folder' exists and is not the device c 1:5");
    ck_assert_int_eq(fstatat(mount_root_fd(w.tree), "mnt/file", &found, 0), 0);
    ck_assert_uint_eq(found.st_rdev, makedev(1, 5));
}
END_TEST

START_TEST(a_host_device_with_another_number_is_not_lent)
{
    struct world w;
    init(&w);
    world_add_dev(&w);
    world_add_device(
        &w, (struct plan_device){"/dev/zero", "linux.devices[0]", S_IFCHR, 1, 99, 0600, 0, 0});
    w.devices[1] = w.devices[--w.mounts.device_count];

    ck_fails(world_devices(&w), &w.err, EEXIST, "linux.devices[0].path",
             "the host's '/dev/zero' exists and is not the device c 1:99");
}
END_TEST

START_TEST(a_device_that_the_host_lacks_is_named)
{
    struct world w;
    init(&w);
    world_add_dev(&w);
    world_add_device(
        &w, (struct plan_device){"/dev/nope", "linux.devices[0]", S_IFCHR, 1, 99, 0600, 0, 0});

    ck_fails(world_devices(&w), &w.err, ENOENT, "linux.devices[0].path",
             "cannot open the host's '/dev/nope': No such file or directory");
}
END_TEST

START_TEST(sources_that_the_mapped_root_cannot_reach_are_opened_by_the_parent)
{
    struct world w;
    init(&w);
    put_folder("/mnt/closed", 0700);
    put_folder("/mnt/closed/vol", 0755);
    put_file("/mnt/closed/vol/file", "lent");
    world_bind(&w, "/mnt/closed/vol", "/vol")->attr_set = MOUNT_ATTR_RDONLY;

    ck_ok(world_run(&w), &w.err);
    ck_reads("/vol/file", "lent");
    ck_assert_str_eq(mount_at(&w, "/vol"), "ro,relatime tmpfs tmpfs");
}
END_TEST

START_TEST(a_restriction_of_the_host_cannot_be_lifted_from_inside)
{
    struct world w;
    init(&w);
    w.mounts.sources_by_parent = false;
    put_folder("/mnt/strict", 0755);
    ck_assert_int_eq(mount("t", "/mnt/strict", "tmpfs", MS_NOSUID | MS_NOATIME, NULL), 0);
    struct plan_mount *fine = world_bind(&w, "/mnt/strict", "/fine");
    fine->attr_set = MOUNT_ATTR_RDONLY;
    fine->attr_clear = MOUNT_ATTR__ATIME; /* "relatime": left as the host has it */
    world_bind(&w, "/mnt/strict", "/not")->attr_clear = MOUNT_ATTR_NOSUID;

    ck_fails(world_open(&w), &w.err, EPERM, "mounts[1]",
             "the options lift a restriction (ro, nosuid, nodev, noexec) that the host has put "
             "on '/mnt/strict'");
}
END_TEST

START_TEST(sysfs_falls_back_to_the_hosts_with_the_same_attributes_all_the_way_down)
{
    struct world w;
    init(&w);
    struct plan_mount *sys = world_add(&w, PLAN_MOUNT_NEW, "sysfs", "sysfs", "/sys");
    sys->attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    sys->target_no_symlinks = sys->may_fall_back_to_bind = true;

    ck_ok(world_run(&w), &w.err);
    ck_assert_str_eq(mount_at(&w, "/sys"), "ro,nosuid,nodev,noexec,relatime sysfs sysfs");
    ck_assert(!any_mount_has(&w, " rw,nosuid"));
    ck_assert_int_eq(mkdir("/sys/fs/cgroup/x", 0755), -1);
    ck_assert_int_eq(errno, EROFS);
}
END_TEST

START_TEST(sysfs_without_a_network_namespace_is_refused_where_no_fallback_is_planned)
{
    struct world w;
    init(&w);
    world_add(&w, PLAN_MOUNT_NEW, "sysfs", "sysfs", "/sys")->target_no_symlinks = true;

    ck_fails(world_mount(&w), &w.err, EPERM, "mounts[0]",
             "the kernel refuses a new sysfs: in a user namespace it needs a network namespace of "
             "its own and an uncovered sysfs around it");
}
END_TEST

START_TEST(proc_in_a_user_namespace_that_sees_a_covered_one_is_refused_in_words)
{
    struct world w;
    init(&w);
    put_tmpfs("/proc/fs"); /* as a container around us would have it */
    world_add(&w, PLAN_MOUNT_NEW, "proc", "proc", "/proc")->target_no_symlinks = true;

    ck_fails(world_mount(&w), &w.err, EPERM, "mounts[0]",
             "the kernel refuses a new procfs: in a user namespace it needs a pid namespace of its "
             "own and a procfs of the surrounding container with nothing mounted over it");
}
END_TEST

START_TEST(an_overlay_of_layers_that_the_parent_opened_works)
{
    static const char *const lowers[] = {"/"};
    struct world w;
    struct stat found;
    init(&w);
    w.root.path = NULL;
    w.root.lowers = lowers;
    w.root.lower_count = 1;

    ck_ok(world_run(&w), &w.err);
    ck_assert_int_eq(access("/bin/sh", X_OK), 0);
    ck_assert_int_eq(stat("/", &found), 0);
    ck_assert_uint_eq(found.st_uid, 0);
    ck_assert_int_eq(stat("/bin/sh", &found), 0);
    ck_assert_uint_eq(found.st_uid, 65534); /* the host's root is nobody here */
}
END_TEST

/* --- a caller without privileges ------------------------------------------------------------ */

static void put_own_map(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* The calls of the parent as uid 1000, which is root of the child's user namespace. */
static int run_rootless(struct world *w, void (*meanwhile)(void))
{
    ck_assert_int_eq(setresgid(1000, 1000, 1000), 0);
    ck_assert_int_eq(setresuid(1000, 1000, 1000), 0);
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0); /* its files in /proc are its own again */
    SUBLET_TRY(mount_tree_new(&w->root, &w->mounts, NULL, &w->tree, &w->err));
    SUBLET_TRY(mount_open_root(w->tree, &w->err));
    ck_assert_int_eq(unshare(CLONE_NEWUSER | CLONE_NEWNS), 0);
    put_own_map("/proc/self/setgroups", "deny");
    put_own_map("/proc/self/uid_map", "0 1000 1");
    put_own_map("/proc/self/gid_map", "0 1000 1");
    meanwhile();
    SUBLET_TRY(mount_open_sources(w->tree, &w->err));
    SUBLET_TRY(mount_attach_root(w->tree, &w->err));
    SUBLET_TRY(mount_all(w->tree, &w->err));
    SUBLET_TRY(mount_devices(w->tree, &w->err));
    SUBLET_TRY(mount_pivot(w->tree, &w->err));
    return mount_seal(w->tree, &w->err);
}

static void init_rootless(struct world *w)
{
    world_init(w);
    w->mounts.devices_by_bind = true;
    ck_assert_int_eq(chown("/mnt/rootfs", 1000, 1000), 0);
    put_file("/mnt/rootfs/here", "container");
    world_add_dev(w);
    world_bind(w, "/mnt/sent", "/vol")->attr_set = MOUNT_ATTR_RDONLY;
    world_mask(w, "/here");
}

static void nothing(void)
{
}

static void replace_root(void)
{
    ck_assert_int_eq(rename("/mnt/home/rootfs", "/mnt/home/moved"), 0);
    put_folder("/mnt/home/rootfs", 0755);
}

START_TEST(a_caller_without_privileges_leaves_all_of_it_to_the_child)
{
    struct world w;
    init_rootless(&w);

    ck_ok(run_rootless(&w, nothing), &w.err);
    ck_reads("/vol/file", "host");
    ck_reads("/here", "");
    ck_reads("/dev/null", "");
    ck_assert_str_eq(mount_at(&w, "/vol"), "ro,relatime tmpfs tmpfs");
    ck_assert(!any_mount_has(&w, "shared:"));
    ck_assert(!any_mount_has(&w, "master:"));
}
END_TEST

START_TEST(a_root_replaced_between_parent_and_child_is_refused)
{
    struct world w;
    init_rootless(&w);
    put_folder("/mnt/home", 0755);
    put_folder("/mnt/home/rootfs", 0755);
    ck_assert_int_eq(chown("/mnt/home", 1000, 1000), 0);
    w.root.path = "/mnt/home/rootfs";

    ck_fails(run_rootless(&w, replace_root), &w.err, ESTALE, "root.path",
             "'/mnt/home/rootfs' was replaced by another folder meanwhile");
}
END_TEST

START_TEST(an_overlay_without_privileges_works_with_opaque_folders)
{
    static const char *const lowers[] = {"/mnt/low"};
    struct world w;
    init_rootless(&w);
    put_folder("/mnt/low", 0755);
    put_folder("/mnt/low/etc", 0755);
    put_file("/mnt/low/etc/file", "lower");
    bool tmpfs_has_user_attributes = setxattr("/mnt/low", "user.x", "", 0, 0) == 0;
    ck_assert_int_eq(chown("/mnt/low", 1000, 1000), 0);
    ck_assert_int_eq(chown("/mnt/low/etc", 1000, 1000), 0);
    ck_assert_int_eq(chown("/mnt/low/etc/file", 1000, 1000), 0);
    w.root.path = NULL;
    w.root.lowers = lowers;
    w.root.lower_count = 1;

    ck_ok(run_rootless(&w, nothing), &w.err);
    ck_assert(any_mount_has(&w, ",userxattr"));
    ck_assert_int_eq(unlink("/etc/file"), 0);
    if (!tmpfs_has_user_attributes) /* since Linux 6.6; before, folders cannot be opaque */
        return;
    ck_assert_int_eq(rmdir("/etc"), 0);
    ck_assert_int_eq(mkdir("/etc", 0700), 0);
    ck_assert_int_eq(entries_at(AT_FDCWD, "/etc"), 0);
}
END_TEST

START_TEST(a_layer_with_mounts_below_it_cannot_be_taken_without_privileges)
{
    static const char *const lowers[] = {"/"};
    struct world w;
    init_rootless(&w);
    w.root.path = NULL;
    w.root.lowers = lowers;
    w.root.lower_count = 1;

    ck_fails(run_rootless(&w, nothing), &w.err, EINVAL, "--overlay",
             "'/' has mounts below it, which a user namespace may not uncover");
}
END_TEST

START_TEST(a_folder_with_mounts_below_it_needs_rbind_without_privileges)
{
    struct world w;
    init_rootless(&w);
    world_bind(&w, "/", "/host");

    ck_fails(run_rootless(&w, nothing), &w.err, EINVAL, "mounts[3].source",
             "cannot clone '/': it has mounts below it that this user namespace may not uncover "
             "(rbind takes them along), or it is unbindable");
}
END_TEST

SUITE(userns_suite, devices_are_those_of_the_host_lent_by_bind,
      a_file_of_the_image_is_covered_by_a_lent_device_and_a_folder_is_not,
      a_host_device_with_another_number_is_not_lent, a_device_that_the_host_lacks_is_named,
      sources_that_the_mapped_root_cannot_reach_are_opened_by_the_parent,
      a_restriction_of_the_host_cannot_be_lifted_from_inside,
      sysfs_falls_back_to_the_hosts_with_the_same_attributes_all_the_way_down,
      sysfs_without_a_network_namespace_is_refused_where_no_fallback_is_planned,
      proc_in_a_user_namespace_that_sees_a_covered_one_is_refused_in_words,
      an_overlay_of_layers_that_the_parent_opened_works,
      a_caller_without_privileges_leaves_all_of_it_to_the_child,
      a_root_replaced_between_parent_and_child_is_refused,
      an_overlay_without_privileges_works_with_opaque_folders,
      a_layer_with_mounts_below_it_cannot_be_taken_without_privileges,
      a_folder_with_mounts_below_it_needs_rbind_without_privileges)
