/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe.h"

static const char *judge_folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, NULL);

    if (count < 0)
        return strerrorname_np(errno);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return count <= 2 ? "empty" : "not empty";
}

/* "empty" is what a mask shows; an error by its name, ENOENT where nothing was masked. */
void try_masked(const char *path)
{
    struct stat st;
    char text[16];

    if (stat(path, &st) < 0) {
        json_errno(path, errno);
    } else if (S_ISDIR(st.st_mode)) {
        json_text(path, judge_folder(path));
    } else if (read_all(path, text, 2) == NULL) {
        json_errno(path, errno);
    } else {
        json_text(path, text[0] == '\0' ? "empty" : "not empty");
    }
}

static int make_file_in(const char *folder)
{
    char path[4096];
    int fd;

    (void) snprintf(path, sizeof path, "%s/.probe", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    (void) close(fd);
    (void) unlink(path);
    return 0;
}

static int open_to_write(const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return errno;
    (void) close(fd);
    return 0;
}

/* The error with which writing is refused, or "ok". Nothing is changed. */
void try_readonly(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        json_errno(path, errno);
    else
        json_errno(path, S_ISDIR(st.st_mode) ? make_file_in(path) : open_to_write(path));
}

void try_write(const char *path)
{
    static const char line[] = "probe\n";
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
    int error = fd < 0 ? errno : 0;

    if (fd >= 0 && write(fd, line, sizeof line - 1) < 0)
        error = errno;
    if (fd >= 0)
        (void) close(fd);
    json_errno(path, error);
}

static void show_file(const char *key, const char *path)
{
    static char text[65536];
    size_t length;

    if (read_all(path, text, sizeof text) == NULL) {
        json_printf(key, "error %s", strerrorname_np(errno));
        return;
    }
    length = strlen(text);
    if (length > 0 && text[length - 1] == '\n')
        text[length - 1] = '\0';
    json_text(key, text);
}

/* A dot is a separator, a slash stands for itself, as in config.json. */
void show_sysctl(const char *name)
{
    char path[512];
    size_t start = (size_t) snprintf(path, sizeof path, "/proc/sys/");

    (void) snprintf(path + start, sizeof path - start, "%s", name);
    for (char *at = path + start; *at != '\0'; at++) {
        if (*at == '.')
            *at = '/';
        else if (*at == '/')
            *at = '.';
    }
    show_file(name, path);
}

void show_cgroup_file(const char *name)
{
    char path[512];

    (void) snprintf(path, sizeof path, "/sys/fs/cgroup/%s", name);
    show_file(name, path);
}
