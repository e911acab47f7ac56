/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "world.h"

static struct plan_mount *add_tmpfs(struct world *w, const char *target)
{
    return world_add(w, PLAN_MOUNT_NEW, "tmpfs", "tmpfs", target);
}

static unsigned mode_of(const char *path)
{
    struct stat found;

    ck_assert_msg(lstat(path, &found) == 0, "%s: %s", path, strerror(errno));
    return found.st_mode & 07777;
}

START_TEST(new_file_systems_get_their_options_and_attributes)
{
    struct world w;
    static const struct plan_fs_option size[] = {
        {"size", "64k" },
        {"mode", "1750"}
    };
    world_init(&w);
    struct plan_mount *tmp = add_tmpfs(&w, "/shm");
    tmp->source = "shm";
    tmp->options = size;
    tmp->option_count = 2;
    tmp->attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    struct plan_mount *proc = world_add(&w, PLAN_MOUNT_NEW, "proc", "proc", "/proc");
    proc->attr_set = MOUNT_ATTR_RDONLY;
    proc->target_no_symlinks = true;
    struct plan_mount *strict = add_tmpfs(&w, "/strict");
    strict->attr_set = MOUNT_ATTR_STRICTATIME;
    strict->tree_set = MOUNT_ATTR_NOSYMFOLLOW;
    add_tmpfs(&w, "/vol")->propagation = MS_SHARED;

    ck_ok(world_run(&w), &w.err);
    ck_assert_str_eq(mount_at(&w, "/shm"), "rw,nosuid,nodev,noexec,relatime tmpfs shm");
    ck_assert_uint_eq(mode_of("/shm"), 01750);
    ck_assert_str_eq(mount_at(&w, "/proc"), "ro,relatime proc proc");
    ck_assert_str_eq(mount_at(&w, "/strict"), "rw,nosymfollow tmpfs tmpfs");
    ck_assert_ptr_nonnull(strstr(mount_at(&w, "/vol"), "shared:"));
    ck_assert(any_mount_has(&w, "size=64k"));
}
END_TEST

START_TEST(an_option_that_the_file_system_refuses_is_told_in_its_own_words)
{
    struct world w;
    static const struct plan_fs_option wrong[] = {
        {"size", "1k"},
        {"sise", "1" }
    };
    world_init(&w);
    add_tmpfs(&w, "/a");
    struct plan_mount *mount = add_tmpfs(&w, "/b");
    mount->options = wrong;
    mount->option_count = 2;

    ck_fails(world_mount(&w), &w.err, EINVAL, "mounts[1]",
             "tmpfs refused option 'sise=1': tmpfs: Unknown parameter 'sise'");
}
END_TEST

START_TEST(a_flag_that_the_file_system_refuses_is_named)
{
    struct world w;
    static const struct plan_fs_option wrong[] = {
        {"rox", NULL}
    };
    world_init(&w);
    struct plan_mount *mount = add_tmpfs(&w, "/b");
    mount->options = wrong;
    mount->option_count = 1;

    ck_fails(world_mount(&w), &w.err, EINVAL, "mounts[0]",
             "tmpfs refused option 'rox': tmpfs: Unknown parameter 'rox'");
}
END_TEST

START_TEST(an_option_longer_than_the_kernel_copies_is_refused_with_its_length)
{
    struct world w;
    char value[400];
    world_init(&w);
    memset(value, 'x', sizeof value);
    value[300] = '\0';
    struct plan_fs_option wrong[] = {
        {"mpol", value}
    };
    struct plan_mount *mount = add_tmpfs(&w, "/b");
    mount->options = wrong;
    mount->option_count = 1;

    ck_fails(world_mount(&w), &w.err, EINVAL, "mounts[0]",
             "the value of tmpfs's option 'mpol' is 300 bytes long, the kernel takes 255");
}
END_TEST

START_TEST(an_unknown_file_system_is_named)
{
    struct world w;
    world_init(&w);
    world_add(&w, PLAN_MOUNT_NEW, "bogusfs", "none", "/b");

    ck_fails(world_mount(&w), &w.err, ENODEV, "mounts[0].type",
             "the kernel does not know the file system 'bogusfs'");
}
END_TEST

START_TEST(a_tmpfs_looks_like_the_folder_it_covers_unless_told_otherwise)
{
    struct world w;
    static const struct plan_fs_option mode[] = {
        {"mode", "0700"}
    };
    world_init(&w);
    put_folder("/mnt/rootfs/tmp", 01777);
    put_folder("/mnt/rootfs/run", 0755);
    put_folder("/mnt/rootfs/told", 01777);
    add_tmpfs(&w, "/tmp");
    add_tmpfs(&w, "/run");
    add_tmpfs(&w, "/new");
    struct plan_mount *told = add_tmpfs(&w, "/told");
    told->options = mode;
    told->option_count = 1;

    ck_ok(world_run(&w), &w.err);
    ck_assert_uint_eq(mode_of("/tmp"), 01777);
    ck_assert_uint_eq(mode_of("/run"), 0755);
    ck_assert_uint_eq(mode_of("/new"), 01777);
    ck_assert_uint_eq(mode_of("/told"), 0700);
}
END_TEST

START_TEST(a_read_only_tmpfs_takes_mount_points_first_and_is_read_only_at_the_end)
{
    struct world w;
    world_init(&w);
    add_tmpfs(&w, "/run")->attr_set = MOUNT_ATTR_RDONLY;
    world_bind(&w, "/mnt/sent", "/run/deep/in");

    ck_ok(world_run(&w), &w.err);
    ck_assert_str_eq(mount_at(&w, "/run"), "ro,relatime tmpfs tmpfs");
    ck_reads("/run/deep/in/file", "host");
    ck_cannot_write("/run/x", EROFS);
}
END_TEST

START_TEST(mount_points_that_are_made_have_plain_modes)
{
    struct world w;
    world_init(&w);
    world_bind(&w, "/mnt/sent", "/one/two");
    world_bind(&w, "/mnt/sent/file", "/one/three/file");

    ck_ok(world_run(&w), &w.err);
    ck_assert_uint_eq(mode_of("/one"), 0755);
    ck_assert_uint_eq(mode_of("/one/three"), 0755);
    ck_assert_int_eq(umount2("/one/three/file", MNT_DETACH), 0);
    ck_assert_uint_eq(mode_of("/one/three/file"), 0644);
}
END_TEST

START_TEST(what_an_image_has_in_a_folder_is_copied_up_with_all_its_looks)
{
    struct world w;
    char text[64] = "", caps[64];
    struct stat found;
    struct vfs_cap_data capability = {.magic_etc = VFS_CAP_REVISION_2,
                                      .data[0].permitted = 1 << CAP_NET_RAW};
    static const struct timespec times[2] = {
        {1000, 1},
        {2000, 2}
    };
    world_init(&w);
    put_folder("/mnt/rootfs/var", 0751);
    put_folder("/mnt/rootfs/var/deep", 02750);
    put_file("/mnt/rootfs/var/deep/file", "contents");
    ck_assert_int_eq(chown("/mnt/rootfs/var/deep/file", 12, 34), 0);
    ck_assert_int_eq(chmod("/mnt/rootfs/var/deep/file", 04751), 0);
    ck_assert_int_eq(utimensat(AT_FDCWD, "/mnt/rootfs/var/deep/file", times, 0), 0);
    put_link("/mnt/rootfs/var/link", "/etc/shadow");
    ck_assert_int_eq(mkfifo("/mnt/rootfs/var/fifo", 0600), 0);
    put_file("/mnt/rootfs/var/ping", "x");
    ck_assert_int_eq(
        setxattr("/mnt/rootfs/var/ping", "security.capability", &capability, XATTR_CAPS_SZ_2, 0),
        0);
    add_tmpfs(&w, "/var")->copy_up = true;

    ck_ok(world_run(&w), &w.err);
    ck_assert_str_eq(mount_at(&w, "/var"), "rw,relatime tmpfs tmpfs");
    ck_assert_uint_eq(mode_of("/var"), 0751);
    ck_assert_uint_eq(mode_of("/var/deep"), 02750);
    ck_reads("/var/deep/file", "contents");
    ck_assert_int_eq(lstat("/var/deep/file", &found), 0);
    ck_assert_uint_eq(found.st_mode, S_IFREG | 04751);
    ck_assert_uint_eq(found.st_uid, 12);
    ck_assert_uint_eq(found.st_gid, 34);
    ck_assert_int_eq(found.st_mtim.tv_sec, 2000);
    ck_assert_int_eq(found.st_mtim.tv_nsec, 2);
    ck_assert_int_gt(readlink("/var/link", text, sizeof text - 1), 0);
    ck_assert_str_eq(text, "/etc/shadow");
    ck_assert_int_eq(lstat("/var/fifo", &found), 0);
    ck_assert_uint_eq(found.st_mode, S_IFIFO | 0600);
    ck_assert_int_gt(getxattr("/var/ping", "security.capability", caps, sizeof caps), 0);

    put_file("/var/deep/new", "x"); /* and the image keeps what it had */
    ck_assert_int_eq(entries_at(w.host_fd, "rootfs/var/deep"), 1);
}
END_TEST

START_TEST(copying_up_more_than_the_tmpfs_holds_names_the_file)
{
    struct world w;
    static const struct plan_fs_option size[] = {
        {"size", "4k"}
    };
    static char big[9000];
    world_init(&w);
    memset(big, 'x', sizeof big - 1);
    put_folder("/mnt/rootfs/var", 0755);
    put_file("/mnt/rootfs/var/big", big);
    struct plan_mount *mount = add_tmpfs(&w, "/var");
    mount->copy_up = true;
    mount->options = size;
    mount->option_count = 1;

    ck_fails(world_mount(&w), &w.err, ENOSPC, "mounts[0]",
             "cannot copy 'big' up into the tmpfs: No space left on device");
}
END_TEST

START_TEST(a_cgroup_mount_is_a_new_instance_in_a_cgroup_namespace)
{
    struct world w;
    world_init(&w);
    ck_assert_int_eq(unshare(CLONE_NEWCGROUP), 0);
    struct plan_mount *cgroup =
        world_add(&w, PLAN_MOUNT_CGROUP, "cgroup", "cgroup", "/sys/fs/cgroup");
    cgroup->with_cgroup_namespace = true;
    cgroup->attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;

    ck_ok(world_run(&w), &w.err);
    ck_assert_str_eq(mount_at(&w, "/sys/fs/cgroup"), "ro,nosuid,relatime cgroup2 cgroup");
    ck_assert_int_eq(access("/sys/fs/cgroup/cgroup.procs", F_OK), 0);
}
END_TEST

START_TEST(without_a_cgroup_namespace_only_the_containers_own_group_is_bound)
{
    struct world w;
    world_init(&w);
    put_folder("/mnt/cgroup", 0755); /* a stand-in: any folder of the host will do */
    put_folder("/mnt/cgroup/mine", 0755);
    put_file("/mnt/cgroup/mine/cgroup.procs", "1");
    w.cgroup_path = "/mnt/cgroup/mine";
    world_add(&w, PLAN_MOUNT_CGROUP, "cgroup", "cgroup", "/sys/fs/cgroup")->attr_set =
        MOUNT_ATTR_RDONLY;

    ck_ok(world_run(&w), &w.err);
    ck_assert_str_eq(mount_at(&w, "/sys/fs/cgroup"), "ro,relatime tmpfs tmpfs");
    ck_reads("/sys/fs/cgroup/cgroup.procs", "1");
}
END_TEST

START_TEST(a_cgroup_mount_with_neither_namespace_nor_group_is_refused)
{
    struct world w;
    world_init(&w);
    world_add(&w, PLAN_MOUNT_CGROUP, "cgroup", "cgroup", "/sys/fs/cgroup");

    ck_fails(world_open(&w), &w.err, EINVAL, "mounts[0]",
             "a cgroup mount needs a cgroup namespace or a cgroup of the container");
}
END_TEST

SUITE(filesystem_suite, new_file_systems_get_their_options_and_attributes,
      an_option_that_the_file_system_refuses_is_told_in_its_own_words,
      a_flag_that_the_file_system_refuses_is_named,
      an_option_longer_than_the_kernel_copies_is_refused_with_its_length,
      an_unknown_file_system_is_named,
      a_tmpfs_looks_like_the_folder_it_covers_unless_told_otherwise,
      a_read_only_tmpfs_takes_mount_points_first_and_is_read_only_at_the_end,
      mount_points_that_are_made_have_plain_modes,
      what_an_image_has_in_a_folder_is_copied_up_with_all_its_looks,
      copying_up_more_than_the_tmpfs_holds_names_the_file,
      a_cgroup_mount_is_a_new_instance_in_a_cgroup_namespace,
      without_a_cgroup_namespace_only_the_containers_own_group_is_bound,
      a_cgroup_mount_with_neither_namespace_nor_group_is_refused)
