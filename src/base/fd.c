/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void sub_close(int *fd)
{
    if (*fd < 0)
        return;

    int saved = errno;

    (void) close(*fd); /* nothing can be done about it, and the descriptor is gone either way */
    errno = saved;
    *fd = -EBADF;
}

int sub_take_fd(int *fd)
{
    int taken = *fd;

    *fd = -EBADF;
    return taken;
}

void sub_freep(void *pointer_place)
{
    void **place = pointer_place;
    int saved = errno;

    free(*place);
    *place = NULL;
    errno = saved;
}

int sub_write_all(int fd, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ssize_t n = write(fd, at, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EIO;
        at += n;
        size -= (size_t) n;
    }
    return 0;
}

int sub_write_quietly(int fd, const void *data, size_t size)
{
    struct timespec now = {0};
    sigset_t pipe, before, pending;
    int rc;

    (void) sigemptyset(&pipe);
    (void) sigaddset(&pipe, SIGPIPE);
    (void) sigpending(&pending);
    (void) sigprocmask(SIG_BLOCK, &pipe, &before);
    rc = sub_write_all(fd, data, size);
    if (rc == -EPIPE && sigismember(&pending, SIGPIPE) == 0)
        (void) sigtimedwait(&pipe, NULL, &now);
    (void) sigprocmask(SIG_SETMASK, &before, NULL);
    return rc;
}

ssize_t sub_read_all(int fd, void *data, size_t size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t n = read(fd, (char *) data + used, size - used);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        used += (size_t) n;
    }
    return (ssize_t) used;
}

ssize_t sub_read_file_at(int dir_fd, const char *name, char *text, size_t size)
{
    OWNED_FD fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return -errno;

    ssize_t n = sub_read_all(fd, text, size);
    if (n < 0)
        return n;
    if ((size_t) n == size)
        return -EFBIG;
    if (n > 0 && text[n - 1] == '\n')
        n--;
    text[n] = '\0';
    return n;
}

static int read_whole(int fd, size_t size, char **ret_text, size_t *ret_size)
{
    OWNED_MEM char *text = malloc(size + 2);
    if (text == NULL)
        return -ENOMEM;

    /* one byte more than fstat said, to notice a file that grows under the reader */
    ssize_t n = sub_read_all(fd, text, size + 1);
    if (n < 0)
        return (int) n;
    if ((size_t) n > size)
        return -EBUSY;
    text[n] = '\0';
    *ret_size = (size_t) n;
    *ret_text = sub_take(&text);
    return 0;
}

int sub_load_file_at(int dir_fd, const char *name, size_t max, char **ret_text, size_t *ret_size,
                     struct sub_err *err)
{
    OWNED_FD fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return sub_fail(err, errno, name, "cannot open: %s", sub_strerror(errno));

    struct stat st;
    if (fstat(fd, &st) < 0)
        return sub_fail(err, errno, name, "cannot stat: %s", sub_strerror(errno));
    if (!S_ISREG(st.st_mode))
        return sub_fail(err, EINVAL, name, "not a regular file");
    if ((uint64_t) st.st_size > max)
        return sub_fail(err, EFBIG, name, "%lld bytes, at most %zu are allowed",
                        (long long) st.st_size, max);

    int rc = read_whole(fd, (size_t) st.st_size, ret_text, ret_size);
    if (rc < 0)
        return sub_fail(err, -rc, name, "cannot read: %s", sub_strerror(-rc));
    return 0;
}
