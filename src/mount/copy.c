/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tmpcopyup: what an image has in a folder goes into the tmpfs that covers it. The image is
 * hostile: every entry is opened below its folder's descriptor without following links, and only
 * regular files are opened for reading. Depth is bounded because each level holds two descriptors.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "tree.h"

#define DEPTH_MAX    64
#define ENTRIES_SIZE 4096
#define XATTRS_SIZE  2048
#define XATTR_SIZE   2048
#define PIECE_SIZE   ((size_t) 1 << 30)

/* One folder and its copy, both open. */
struct level {
    int from, to;
    unsigned depth;
    const char *json;
    struct sub_err *err;
};

static int copy_folder(const struct level *level);

static int fail(const struct level *level, int code, const char *name)
{
    return sub_fail(level->err, code, level->json, "cannot copy '%s' up into the tmpfs: %s", name,
                    sub_strerror(code));
}

/* Capabilities of programs and the like. What a tmpfs cannot hold is left out. */
static int copy_xattrs(int from, int to)
{
    char names[XATTRS_SIZE], value[XATTR_SIZE];
    ssize_t size = sys_list_xattrs(from, names, sizeof names);

    if (size == -EOPNOTSUPP)
        return 0;
    if (size < 0)
        return (int) size;
    for (const char *name = names; name < names + size; name += strlen(name) + 1) {
        ssize_t length = sys_get_xattr(from, name, value, sizeof value);
        int rc = length < 0 ? (int) length : sys_set_xattr(to, name, value, (size_t) length);

        if (rc < 0 && rc != -EOPNOTSUPP && rc != -EPERM && rc != -ENODATA)
            return rc;
    }
    return 0;
}

/* An owner that the user namespace does not map (EINVAL) cannot be kept. */
static int copy_owner(int dir, const char *name, const struct stat *looks)
{
    int rc = name == NULL ? sys_fchown(dir, looks->st_uid, looks->st_gid)
                          : sys_fchownat(dir, name, looks->st_uid, looks->st_gid);

    return rc == -EINVAL ? 0 : rc;
}

/* Owner first: a change of it clears the set-id bits that the mode then sets. */
static int copy_looks(int from, int to, const struct stat *looks)
{
    struct timespec times[2] = {looks->st_atim, looks->st_mtim};
    int rc = copy_owner(to, NULL, looks);

    if (rc >= 0)
        rc = sys_fchmod(to, looks->st_mode & 07777);
    if (rc >= 0)
        rc = copy_xattrs(from, to);
    return rc < 0 ? rc : sys_set_times(to, times);
}

static int copy_contents(int from, int to)
{
    for (;;) {
        ssize_t n = sys_copy_data(from, to, PIECE_SIZE);

        if (n <= 0)
            return (int) n;
    }
}

static int copy_file(const struct level *in, const char *name, const struct stat *looks)
{
    /* nonblocking, because a FIFO may have come in the place of what was looked at */
    OWNED_FD from = sys_openat(in->from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    struct stat found;
    int rc = from < 0 ? from : sys_fstat(from, &found);

    if (rc < 0)
        return rc;
    if (found.st_ino != looks->st_ino || found.st_dev != looks->st_dev)
        return -ESTALE;

    OWNED_FD to = sys_openat(in->to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (to < 0)
        return to;
    rc = copy_contents(from, to);
    return rc < 0 ? rc : copy_looks(from, to, &found);
}

static int copy_link(const struct level *in, const char *name, const struct stat *looks)
{
    char text[4096];
    struct timespec times[2] = {looks->st_atim, looks->st_mtim};
    ssize_t length = sys_readlinkat(in->from, name, text, sizeof text);
    int rc = length < 0 ? (int) length : sys_symlinkat(text, in->to, name);

    if (rc >= 0)
        rc = copy_owner(in->to, name, looks);
    return rc < 0 ? rc : sys_set_times_at(in->to, name, times);
}

static int copy_node(const struct level *in, const char *name, const struct stat *looks)
{
    int rc = sys_mknodat(in->to, name, looks->st_mode, looks->st_rdev);

    if (rc == -EPERM) /* a device in a user namespace */
        return 0;
    return rc < 0 ? rc : copy_owner(in->to, name, looks);
}

static int copy_subfolder(const struct level *in, const char *name, const struct stat *looks)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    OWNED_FD from = sys_openat(in->from, name, flags, 0);
    int rc = from < 0 ? from : sys_mkdirat(in->to, name, 0700);

    if (rc < 0)
        return rc;

    OWNED_FD to = sys_openat(in->to, name, flags, 0);
    struct level below = {from, to, in->depth + 1, in->json, in->err};
    rc = to < 0 ? to : copy_folder(&below);
    return rc < 0 ? rc : copy_looks(from, to, looks);
}

static int copy_entry(const struct level *in, const char *name)
{
    struct stat looks;
    int rc = sys_fstatat(in->from, name, &looks, AT_SYMLINK_NOFOLLOW);

    if (rc < 0)
        return rc;
    if (S_ISDIR(looks.st_mode))
        return copy_subfolder(in, name, &looks);
    if (S_ISREG(looks.st_mode))
        return copy_file(in, name, &looks);
    if (S_ISLNK(looks.st_mode))
        return copy_link(in, name, &looks);
    return copy_node(in, name, &looks);
}

static int copy_entries(const struct level *in, const char *entries, size_t size)
{
    size_t length;

    for (size_t at = 0; at < size; at += length) {
        const struct dirent64 *entry = (const void *) (entries + at);

        length = entry->d_reclen;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;

        int rc = copy_entry(in, entry->d_name);
        if (rc < 0)
            return fail(in, -rc, entry->d_name);
    }
    return 0;
}

static int copy_folder(const struct level *level)
{
    _Alignas(struct dirent64) char entries[ENTRIES_SIZE];

    if (level->depth > DEPTH_MAX)
        return -ELOOP;
    for (;;) {
        ssize_t n = sys_getdents(level->from, entries, sizeof entries);

        if (n <= 0)
            return (int) n;
        SUBLET_TRY(copy_entries(level, entries, (size_t) n));
    }
}

/* Both are O_PATH; the copy needs them readable. The tmpfs' own root keeps its looks: they are the
 * covered folder's already, or what the options say. */
int copy_up(int from_fd, int to_fd, const char *json, struct sub_err *err)
{
    OWNED_FD from = sys_openat(from_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    OWNED_FD to = sys_openat(to_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    struct level top = {from, to, 0, json, err};
    int rc = from < 0 ? from : to;

    if (rc >= 0)
        rc = copy_folder(&top);
    return rc < 0 ? fail(&top, -rc, ".") : 0;
}
