/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sublet/sys.h"

#include "result.h"

#define RENAME_RETRY_MS 10

static int open_resolved(int dir_fd, const char *path, const struct open_how *how)
{
    /* ".." that meets a rename anywhere on the machine answers EAGAIN: normal, but not for ever */
    for (uint64_t until = 0;;) {
        int fd = result(syscall(SYS_openat2, dir_fd, path, how, sizeof *how));
        uint64_t now;

        if (fd == -EINTR)
            continue;
        if (fd != -EAGAIN || (how->flags & O_NONBLOCK) != 0)
            return fd;
        now = sys_now_ms();
        if (until == 0)
            until = now + RENAME_RETRY_MS;
        else if (now > until)
            return fd;
    }
}

int sys_open_in(int root_fd, const char *path, int flags, uint64_t extra)
{
    struct open_how how = {.flags = (unsigned) flags | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | extra};

    return open_resolved(root_fd, path, &how);
}

int sys_open_beneath(int dir_fd, const char *path, int flags, mode_t mode)
{
    struct open_how how = {.flags = (unsigned) flags | O_CLOEXEC,
                           .mode = (flags & O_CREAT) != 0 ? mode : 0,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV |
                                      RESOLVE_NO_MAGICLINKS};

    return open_resolved(dir_fd, path, &how);
}

int sys_openat(int dir_fd, const char *path, int flags, mode_t mode)
{
    return result(openat(dir_fd, path, flags | O_CLOEXEC, mode));
}

int sys_mkdirat(int dir_fd, const char *name, mode_t mode)
{
    return result(mkdirat(dir_fd, name, mode));
}

int sys_make_folders(const char *path, mode_t mode)
{
    char part[4096];
    size_t length = strlen(path);
    int denied = 0;

    if (length >= sizeof part)
        return -ENAMETOOLONG;
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';

        int rc = sys_mkdirat(AT_FDCWD, part, mode);
        if (rc == -ENOENT && denied < 0)
            return denied; /* why there is nothing to make it in */
        if (rc < 0 && rc != -EEXIST && rc != -EROFS && rc != -EACCES)
            return rc;
        denied = rc == -EROFS || rc == -EACCES ? rc : 0;
    }
    return denied;
}

int sys_mknodat(int dir_fd, const char *name, mode_t mode, dev_t device)
{
    return result(mknodat(dir_fd, name, mode, device));
}

int sys_symlinkat(const char *target, int dir_fd, const char *name)
{
    return result(symlinkat(target, dir_fd, name));
}

int sys_unlinkat(int dir_fd, const char *name, int flags)
{
    return result(unlinkat(dir_fd, name, flags));
}

int sys_renameat(int old_dir_fd, const char *old_name, int new_dir_fd, const char *new_name)
{
    return result(renameat(old_dir_fd, old_name, new_dir_fd, new_name));
}

int sys_fstat(int fd, struct stat *ret_stat)
{
    return sys_fstatat(fd, "", ret_stat, AT_EMPTY_PATH);
}

int sys_fstatat(int dir_fd, const char *name, struct stat *ret_stat, int flags)
{
    return result(fstatat(dir_fd, name, ret_stat, flags));
}

ssize_t sys_readlinkat(int dir_fd, const char *name, char *text, size_t size)
{
    ssize_t n = readlinkat(dir_fd, name, text, size);

    if (n < 0)
        return -errno;
    if ((size_t) n == size)
        return -ENAMETOOLONG;
    text[n] = '\0';
    return n;
}

int sys_fchown(int fd, uid_t uid, gid_t gid)
{
    return result(fchownat(fd, "", uid, gid, AT_EMPTY_PATH));
}

int sys_fchownat(int dir_fd, const char *name, uid_t uid, gid_t gid)
{
    return result(fchownat(dir_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW));
}

int sys_fchdir(int fd)
{
    return result(fchdir(fd));
}

int sys_chdir(const char *path)
{
    return result(chdir(path));
}

int sys_getcwd(char *text, size_t size)
{
    return result(syscall(SYS_getcwd, text, size)); /* libc hides "(unreachable)" behind ENOENT */
}

int64_t sys_fs_type(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) < 0 ? -errno : (int64_t) fs.f_type;
}
