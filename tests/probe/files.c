/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "probe.h"

char *read_all(const char *path, char *buffer, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    size_t used = 0;

    if (fd < 0)
        return NULL;
    for (;;) {
        ssize_t got = read(fd, buffer + used, size - 1 - used);

        if (got < 0) {
            int error = errno;

            (void) close(fd);
            errno = error;
            return NULL;
        }
        if (got == 0)
            break;
        used += (size_t) got;
    }
    (void) close(fd);
    buffer[used] = '\0';
    return buffer;
}

static const char *type_name(mode_t mode)
{
    static const struct {
        mode_t mode;
        const char *name;
    } types[] = {
        {S_IFDIR,  "directory"},
        {S_IFREG,  "file"     },
        {S_IFLNK,  "symlink"  },
        {S_IFCHR,  "char"     },
        {S_IFBLK,  "block"    },
        {S_IFIFO,  "fifo"     },
        {S_IFSOCK, "socket"   },
    };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if ((mode & S_IFMT) == types[i].mode)
            return types[i].name;
    }
    return "unknown";
}

static void show_stat(const struct stat *st)
{
    json_text("type", type_name(st->st_mode));
    json_printf("mode", "%04o", (unsigned) st->st_mode & 07777U);
    json_unsigned("uid", st->st_uid);
    json_unsigned("gid", st->st_gid);
}

void show_paths(void)
{
    static const char *const paths[] = {
        "/",           "/proc",    "/sys",         "/sys/fs/cgroup", "/dev", "/dev/shm",
        "/dev/mqueue", "/dev/pts", "/dev/console", "/tmp",           "/run", "/etc/hosts"};

    json_open("paths", '{');
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct stat st;

        if (lstat(paths[i], &st) < 0) {
            json_text(paths[i], NULL);
            continue;
        }
        json_open(paths[i], '{');
        show_stat(&st);
        json_close('}');
    }
    json_close('}');
}

static void show_link(int dir_fd, const char *key, const char *name)
{
    char target[4096];
    ssize_t length = readlinkat(dir_fd, name, target, sizeof target - 1);

    if (length < 0) {
        json_text(key, NULL);
        return;
    }
    target[length] = '\0';
    json_text(key, target);
}

static int hidden(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static void show_device(int dir_fd, const char *name)
{
    struct stat st;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    json_open(NULL, '{');
    json_text("name", name);
    show_stat(&st);
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
        json_unsigned("major", major(st.st_rdev));
        json_unsigned("minor", minor(st.st_rdev));
    }
    if (S_ISLNK(st.st_mode))
        show_link(dir_fd, "target", name);
    json_close('}');
}

void show_devices(void)
{
    struct dirent **entries = NULL;
    int dir_fd = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int count = dir_fd < 0 ? 0 : scandirat(dir_fd, ".", &entries, hidden, alphasort);

    json_open("devices", '[');
    for (int i = 0; i < count; i++) {
        show_device(dir_fd, entries[i]->d_name);
        free(entries[i]);
    }
    json_close(']');
    free(entries);
    if (dir_fd >= 0)
        (void) close(dir_fd);
}

static void show_fd(int number)
{
    char path[64];
    struct stat st;

    if (fstat(number, &st) < 0)
        return;
    (void) snprintf(path, sizeof path, "/proc/self/fd/%d", number);
    json_open(NULL, '{');
    json_number("fd", number);
    show_link(AT_FDCWD, "target", path);
    json_text("type", type_name(st.st_mode));
    json_close('}');
}

/* By number, not by /proc, which may be somebody else's; the probe itself holds none here. */
void show_fds(void)
{
    json_open("fds", '[');
    for (int i = 0; i < 4096; i++)
        show_fd(i);
    json_close(']');
}
