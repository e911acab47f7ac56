/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sublet/sys.h"

#include "result.h"

/* glibc 2.36 offers both <sys/mount.h> and the kernel's header, but not in one file. */
int umount2(const char *path, int flags);

int sys_open_tree(int dir_fd, const char *path, unsigned flags)
{
    return result(syscall(SYS_open_tree, dir_fd, path, flags | OPEN_TREE_CLOEXEC));
}

static int set_attributes(int fd, const char *path, unsigned flags, struct mount_attr *attr)
{
    return result(syscall(SYS_mount_setattr, fd, path, flags, attr, sizeof *attr));
}

int sys_mount_setattr(int fd, const char *path, unsigned flags, uint64_t set, uint64_t clear)
{
    struct mount_attr attr = {.attr_set = set, .attr_clr = clear};

    return set_attributes(fd, path, flags, &attr);
}

int sys_mount_change(int fd, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation)
{
    struct mount_attr attr = {.attr_set = set, .attr_clr = clear, .propagation = propagation};

    return set_attributes(fd, "", flags | AT_EMPTY_PATH, &attr);
}

int sys_mount_map_ids(int fd, unsigned flags, int user_ns_fd)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned) user_ns_fd};

    return set_attributes(fd, "", flags | AT_EMPTY_PATH, &attr);
}

int sys_move_mount(int from_fd, int to_fd)
{
    return result(syscall(SYS_move_mount, from_fd, "", to_fd, "",
                          MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int sys_fsopen(const char *type)
{
    return result(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}

int sys_fspick(int mount_fd)
{
    return result(syscall(SYS_fspick, mount_fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH));
}

int sys_fsconfig_flag(int fs_fd, const char *key)
{
    return result(syscall(SYS_fsconfig, fs_fd, FSCONFIG_SET_FLAG, key, NULL, 0));
}

int sys_fsconfig_string(int fs_fd, const char *key, const char *value)
{
    return result(syscall(SYS_fsconfig, fs_fd, FSCONFIG_SET_STRING, key, value, 0));
}

int sys_fsconfig_create(int fs_fd)
{
    return result(syscall(SYS_fsconfig, fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
}

int sys_fsconfig_reconfigure(int fs_fd)
{
    return result(syscall(SYS_fsconfig, fs_fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
}

int sys_fsmount(int fs_fd, uint64_t attr)
{
    return result(syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, attr));
}

size_t sys_fs_message(int fs_fd, char *text, size_t size)
{
    ssize_t n = read(fs_fd, text, size - 1);
    size_t length = n < 0 ? 0 : (size_t) n;

    while (length > 0 && text[length - 1] == '\n')
        length--;
    text[length] = '\0';
    return length;
}

int sys_umount(const char *path, int flags)
{
    return result(umount2(path, flags));
}

int sys_pivot_root_here(void)
{
    return result(syscall(SYS_pivot_root, ".", "."));
}

int sys_chroot_here(void)
{
    return result(chroot("."));
}
