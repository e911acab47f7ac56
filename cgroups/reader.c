/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "files.h"

#define ABSENT (-ENOENT) /* in place of a descriptor */

struct open_file {
    uint8_t file, size; /* enum cg_file; index of the page size, of a hugetlb file */
    int fd;             /* or ABSENT */
};

struct cgroup_reader {
    int dir_fd;
    char sizes[CG_HUGETLB_MAX][CG_SIZE_TEXT];
    size_t size_count, count;
    struct open_file files[];
};

/* The page sizes are those of the machine; the group's own directory is where they can be seen
 * without another file system. */
static int find_sizes(struct cgroup_reader *reader)
{
    _Alignas(struct dirent64) char entries[4096];
    OWNED_FD fd = sys_openat(reader->dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        return fd;
    for (;;) {
        ssize_t n = sys_getdents(fd, entries, sizeof entries);

        if (n <= 0)
            return (int) n;
        for (ssize_t at = 0; at < n;) {
            const struct dirent64 *entry = (const void *) (entries + at);

            at += entry->d_reclen;
            if (reader->size_count < CG_HUGETLB_MAX &&
                cg_hugetlb_size_of(entry->d_name, reader->sizes[reader->size_count], CG_SIZE_TEXT))
                reader->size_count++;
        }
    }
}

static int open_one(const struct cgroup_reader *reader, const struct open_file *file)
{
    char name[CG_FILE_TEXT];

    const char *path = cg_file_path(file->file, reader->sizes[file->size], name);
    int fd = sys_openat(reader->dir_fd, path, O_RDONLY | O_NOFOLLOW, 0);
    /* EOPNOTSUPP: pressure of a kernel booted with psi=0 */
    return fd == -EOPNOTSUPP ? ABSENT : fd;
}

static int file_error(const struct cgroup_reader *reader, const struct open_file *file, int rc,
                      struct sub_err *err)
{
    char text[CG_FILE_TEXT];
    const char *name = cg_file_path(file->file, reader->sizes[file->size], text);

    if (rc == -EMFILE)
        return sub_fail(err, EMFILE, name, "cannot open: too many open files, raise RLIMIT_NOFILE");
    if (rc == -EINVAL)
        return sub_fail(err, EINVAL, name, "not in the form this version knows");
    return sub_fail(err, -rc, name, "cannot read: %s", sub_strerror(-rc));
}

/* A removed group has no files at all; this one is in every group but the root as well. */
static bool is_gone(const struct cgroup_reader *reader)
{
    OWNED_FD fd = sys_openat(reader->dir_fd, "cgroup.controllers", O_RDONLY | O_NOFOLLOW, 0);

    return cg_is_gone(fd);
}

static void list_files(struct cgroup_reader *reader, uint64_t files)
{
    for (unsigned file = 0; file < CG_FILES; file++) {
        size_t copies = cg_file_is_huge(file) ? reader->size_count : 1;

        for (size_t size = 0; size < copies && (files >> file & 1) != 0; size++)
            reader->files[reader->count++] =
                (struct open_file){.file = (uint8_t) file, .size = (uint8_t) size, .fd = ABSENT};
    }
}

static int reader_new(int dir_fd, uint64_t files, struct cgroup_reader **ret_reader,
                      struct sub_err *err)
{
    size_t count = (size_t) __builtin_popcountll(files & CG_READ_ALL & ~CG_READ_HUGETLB) +
                   (size_t) __builtin_popcountll(files & CG_READ_HUGETLB) * CG_HUGETLB_MAX;
    OWNED_FD kept = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);

    if (kept < 0)
        return sub_fail(err, errno, NULL, "cannot keep the cgroup open: %s", sub_strerror(errno));

    struct cgroup_reader *reader = calloc(1, sizeof *reader + count * sizeof reader->files[0]);
    if (reader == NULL)
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    reader->dir_fd = sub_take_fd(&kept);
    *ret_reader = reader;
    return 0;
}

static int list_error(int rc, struct sub_err *err)
{
    return sub_fail(err, -rc, NULL, "cannot list the cgroup: %s", sub_strerror(-rc));
}

static int prepare(int dir_fd, uint64_t files, struct cgroup_reader **ret_reader,
                   struct sub_err *err)
{
    struct cgroup_reader *reader = NULL;

    SUBLET_TRY(reader_new(dir_fd, files, &reader, err));
    int rc = (files & CG_READ_HUGETLB) != 0 ? find_sizes(reader) : 0;
    if (rc < 0) {
        cgroup_reader_free(reader);
        return cg_is_gone(rc) ? -ENODEV : list_error(rc, err);
    }
    list_files(reader, files);
    *ret_reader = reader;
    return 0;
}

int cgroup_reader_open(int dir_fd, uint64_t files, struct cgroup_reader **ret_reader,
                       struct sub_err *err)
{
    struct cgroup_reader *prepared = NULL;
    bool any = false;

    SUBLET_TRY(prepare(dir_fd, files, &prepared, err));
    OWNED_CGROUP_READER *reader = prepared;
    for (size_t i = 0; i < reader->count; i++) {
        int fd = open_one(reader, &reader->files[i]);

        if (fd < 0 && !cg_is_gone(fd))
            return file_error(reader, &reader->files[i], fd, err);
        reader->files[i].fd = fd < 0 ? ABSENT : fd;
        any |= fd >= 0;
    }
    if (!any && is_gone(reader))
        return -ENODEV;
    *ret_reader = sub_take(&reader);
    return 0;
}

/* Length of the text, or ABSENT. */
static ssize_t read_text(int fd, char *text)
{
    ssize_t n = pread(fd, text, KNOB_TEXT_MAX, 0);

    if (n < 0)
        return errno == EOPNOTSUPP ? ABSENT : -errno;
    if (n == KNOB_TEXT_MAX)
        return -EFBIG;
    text[n] = '\0';
    return n;
}

/*
 * ENODEV of a kept file: the group is gone, or only the file, because a controller was disabled or
 * the group's pressure switched off; and it may be back already under a new inode.
 */
static ssize_t read_again(const struct cgroup_reader *reader, struct open_file *file, char *text)
{
    sub_close(&file->fd);
    file->fd = open_one(reader, file);
    if (file->fd >= 0)
        return read_text(file->fd, text);

    int rc = file->fd;
    file->fd = ABSENT;
    if (!cg_is_gone(rc))
        return rc;
    return is_gone(reader) ? -ENODEV : ABSENT;
}

/* text: room for KNOB_TEXT_MAX and a NUL, lent for all files of a sample. */
static int sample_file(const struct cgroup_reader *reader, struct open_file *file, char *text,
                       struct cgroup_sample *sample, struct sub_err *err)
{
    ssize_t n = read_text(file->fd, text);

    if (n == -ENODEV)
        n = read_again(reader, file, text);
    if (n == -ENODEV)
        return -ENODEV;
    if (n == ABSENT)
        return 0;
    if (n < 0)
        return file_error(reader, file, (int) n, err);

    int rc = cgroup_sample_add(sample, file->file, reader->sizes[file->size], text);
    return rc < 0 ? file_error(reader, file, rc, err) : 0;
}

int cgroup_reader_sample(struct cgroup_reader *reader, uint64_t files,
                         struct cgroup_sample *ret_sample, struct sub_err *err)
{
    char text[KNOB_TEXT_MAX + 1];
    bool any = false;

    cgroup_sample_clear(ret_sample);
    for (size_t i = 0; i < reader->count; i++) {
        struct open_file *file = &reader->files[i];

        if ((files >> file->file & 1) == 0 || file->fd == ABSENT)
            continue;
        SUBLET_TRY(sample_file(reader, file, text, ret_sample, err));
        any = true;
    }
    return !any && is_gone(reader) ? -ENODEV : 0;
}

void cgroup_reader_look_again(struct cgroup_reader *reader)
{
    for (size_t i = 0; i < reader->count; i++) {
        struct open_file *file = &reader->files[i];
        int fd = file->fd == ABSENT ? open_one(reader, file) : ABSENT;

        if (fd >= 0)
            file->fd = fd;
    }
}

static int sample_once(const struct cgroup_reader *reader, struct open_file *file,
                       struct cgroup_sample *sample, bool *any, struct sub_err *err)
{
    char text[KNOB_TEXT_MAX + 1];

    file->fd = open_one(reader, file);
    if (file->fd < 0)
        return cg_is_gone(file->fd) ? 0 : file_error(reader, file, file->fd, err);
    *any = true;

    int rc = sample_file(reader, file, text, sample, err);
    sub_close(&file->fd);
    return rc;
}

int cgroup_sample_read(int dir_fd, uint64_t files, struct cgroup_sample *ret_sample,
                       struct sub_err *err)
{
    struct cgroup_reader reader = {.dir_fd = dir_fd}; /* for its page sizes: it holds no file */
    bool any = false;

    if ((files & CG_READ_HUGETLB) != 0) {
        int rc = find_sizes(&reader);
        if (rc < 0)
            return cg_is_gone(rc) ? -ENODEV : list_error(rc, err);
    }
    cgroup_sample_clear(ret_sample);
    for (unsigned at = 0; at < CG_FILES; at++) {
        size_t copies = (files >> at & 1) == 0 ? 0 : cg_file_is_huge(at) ? reader.size_count : 1;

        for (size_t size = 0; size < copies; size++) {
            struct open_file file = {.file = (uint8_t) at, .size = (uint8_t) size, .fd = ABSENT};

            SUBLET_TRY(sample_once(&reader, &file, ret_sample, &any, err));
        }
    }
    return !any && is_gone(&reader) ? -ENODEV : 0;
}

void cgroup_reader_free(struct cgroup_reader *reader)
{
    if (reader == NULL)
        return;
    for (size_t i = 0; i < reader->count; i++)
        sub_close(&reader->files[i].fd);
    sub_close(&reader->dir_fd);
    free(reader);
}

void cgroup_reader_freep(struct cgroup_reader **reader)
{
    cgroup_reader_free(*reader);
    *reader = NULL;
}
