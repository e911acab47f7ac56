/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "sublet/base/arena.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/sys.h"

void output_done(struct output *output)
{
    sub_close(&output->folder_fd);
}

/* A rename replaces what is there: a device or a link is not what was meant. */
static int check(int folder_fd, const char *name, const char *option, const char *path,
                 struct sub_err *err)
{
    struct stat st;
    int rc = sys_fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW);

    if (rc == -ENOENT)
        return 0;
    if (rc < 0)
        return sub_fail(err, -rc, option, "cannot stat '%s': %s", path, sub_strerror(-rc));
    if (!S_ISREG(st.st_mode))
        return sub_fail(err, EINVAL, option, "'%s' is no regular file, which could be replaced",
                        path);
    return 0;
}

int output_open(struct arena *arena, const char *option, const char *path,
                struct output *ret_output, struct sub_err *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const char *folder = ".";

    if (slash != NULL)
        folder = slash == path ? "/" : arena_strndup(arena, path, (size_t) (slash - path));
    if (folder == NULL)
        return -ENOMEM;
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return sub_fail(err, EISDIR, option, "'%s' is a folder", path);

    OWNED_FD fd = sys_openat(AT_FDCWD, folder, O_PATH | O_DIRECTORY, 0);
    if (fd < 0)
        return sub_fail(err, -fd, option, "cannot open the folder of '%s': %s", path,
                        sub_strerror(-fd));
    SUBLET_TRY(check(fd, name, option, path, err));
    *ret_output = (struct output){.folder_fd = sub_take_fd(&fd), .name = name};
    return 0;
}

static int fill(int fd, bool for_all, const struct buf *text)
{
    SUBLET_TRY(sub_write_all(fd, buf_text(text), text->length));
    return for_all ? sys_fchmod(fd, 0644) : 0;
}

int output_write(const struct output *output, const char *fresh, bool for_all,
                 const struct buf *text)
{
    /* what an earlier one left that was killed is in the way of nobody */
    (void) sys_unlinkat(output->folder_fd, fresh, 0);
    OWNED_FD fd = sys_openat(output->folder_fd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                             for_all ? 0600 : 0644);
    if (fd < 0)
        return fd;

    int rc = fill(fd, for_all, text);
    if (rc == 0)
        rc = sys_renameat(output->folder_fd, fresh, output->folder_fd, output->name);
    if (rc < 0)
        (void) sys_unlinkat(output->folder_fd, fresh, 0); /* what failed before is what is told */
    return rc;
}
