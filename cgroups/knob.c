/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/base/path.h"
#include "sublet/sys.h"

#include "private.h"

int knob_put(int dir_fd, const char *file, const char *text, bool *ret_absent)
{
    if (!path_is_component(file))
        return -EINVAL;

    OWNED_FD fd = sys_openat(dir_fd, file, O_WRONLY | O_NOFOLLOW, 0);
    if (fd < 0) {
        *ret_absent = fd == -ENOENT;
        return fd;
    }

    size_t length = strlen(text);
    ssize_t n = write(fd, text, length); /* kernfs takes a value whole or not at all */

    *ret_absent = false; /* an ENOENT of the write itself is about the value */
    if (n < 0)
        return -errno;
    return (size_t) n == length ? 0 : -EIO;
}

int knob_write(int dir_fd, const char *file, const char *text, struct sub_err *err)
{
    bool absent = false;
    int rc = knob_put(dir_fd, file, text, &absent);

    if (rc == 0)
        return 0;
    if (!path_is_component(file))
        return sub_fail(err, EINVAL, NULL, "'%.80s' is not the name of a cgroup file", file);
    if (absent)
        return sub_fail(err, ENOENT, file, "no such cgroup file");
    return sub_fail(err, -rc, file, "cannot write '%.120s': %s", text, sub_strerror(-rc));
}

ssize_t knob_read(int dir_fd, const char *file, char *text, size_t size)
{
    OWNED_FD fd = sys_openat(dir_fd, file, O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fd;

    /* one read: a knob is rendered whole (only cgroup.procs and .threads are not) */
    ssize_t n = read(fd, text, size);
    if (n < 0)
        return -errno;
    if ((size_t) n == size)
        return -EFBIG;
    if (n > 0 && text[n - 1] == '\n')
        n--;
    text[n] = '\0';
    return n;
}

int knob_read_u64(int dir_fd, const char *file, uint64_t *ret_value)
{
    char text[NUM_TEXT + 1];
    ssize_t n = knob_read(dir_fd, file, text, sizeof text);

    if (n < 0)
        return (int) n;
    if (strcmp(text, "max") == 0) {
        *ret_value = UINT64_MAX;
        return 0;
    }
    return num_parse_u64(text, UINT64_MAX, ret_value);
}

static int row_error(const struct cg_row *row, int rc, bool absent, struct sub_err *err)
{
    const char *path = row->path != NULL ? row->path : row->file;

    if (!path_is_component(row->file))
        return sub_fail(err, EINVAL, path, "'%.80s' is not the name of a cgroup file", row->file);
    if (absent)
        return sub_fail(err, ENOENT, path, "this kernel has no cgroup file '%.80s'", row->file);
    return sub_fail(err, -rc, path, "cannot write '%.120s' to cgroup file '%.80s': %s", row->text,
                    row->file, sub_strerror(-rc));
}

int cg_row_write(int dir_fd, const struct cg_row *row, bool *previous_written, struct sub_err *err)
{
    bool absent = false;
    int rc = knob_put(dir_fd, row->file, row->text, &absent);
    bool tolerated = absent && (row->absent == CG_ABSENT_IS_FINE ||
                                (row->absent == CG_ABSENT_IF_PREVIOUS && *previous_written));

    if (rc < 0 && !tolerated)
        return row_error(row, rc, absent, err);
    *previous_written = rc == 0;
    return 0;
}

int cgroup_apply(int dir_fd, const struct cg_row *rows, size_t count, enum cg_phase phase,
                 struct sub_err *err)
{
    bool previous_written = false;

    for (size_t i = 0; i < count; i++) {
        if (rows[i].after_clone == (phase == CG_AFTER_CLONE))
            SUBLET_TRY(cg_row_write(dir_fd, &rows[i], &previous_written, err));
    }
    return 0;
}
