/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/proc.h"
#include "sublet/sys.h"

int proc_channel_open(int first_fd, int ret_ends[2], struct sub_err *err)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return sub_fail(err, errno, NULL, "cannot make the channel: %s", sub_strerror(errno));

    OWNED_FD parent = ends[0];
    OWNED_FD child = ends[1];

    /* lowest free number behind the preserved ones: all above it can be closed in one call */
    int low = fcntl(child, F_DUPFD_CLOEXEC, first_fd);
    if (low < 0)
        return sub_fail(err, errno, NULL, "cannot place the channel: %s", sub_strerror(errno));
    ret_ends[0] = sub_take_fd(&parent);
    ret_ends[1] = low;
    return 0;
}

int proc_tell(int fd, enum proc_news news)
{
    const struct sub_err message = {.line = (uint32_t) news};

    return sub_write_all(fd, &message, sizeof message);
}

void proc_tell_error(int fd, const struct sub_err *failure)
{
    (void) sub_write_all(fd, failure, sizeof *failure); /* the other end may be gone already */
}

int proc_go(int fd)
{
    return sub_write_all(fd, "G", 1);
}

int proc_wait_go(int fd)
{
    char byte;
    ssize_t n = sub_read_all(fd, &byte, 1);

    if (n < 0)
        return (int) n;
    return n == 0 ? -EPIPE : 0;
}

static int take_failure(const struct sub_err *message, struct sub_err *err)
{
    *err = *message;
    err->path[sizeof err->path - 1] = err->text[sizeof err->text - 1] = '\0';
    if (message->line == 0) {
        size_t used = strlen(err->text);

        (void) snprintf(err->text + used, sizeof err->text - used, ": %s",
                        sub_strerror(message->code));
    }
    return -err->code;
}

int proc_receive(int fd, int timeout_ms, enum proc_news *ret_news, int *ret_fd, struct sub_err *err)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    struct sub_err message;
    OWNED_FD carried = -EBADF;

    int rc = sys_poll(&wait, 1, timeout_ms);
    if (rc == -ETIMEDOUT)
        return sub_fail(err, ETIMEDOUT, NULL, "the container's process did not answer within %d s",
                        timeout_ms / 1000);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot wait for the child: %s", sub_strerror(-rc));

    ssize_t n = sys_recv_fd(fd, &message, sizeof message, &carried);
    if (n == 0 || n == -ECONNRESET)
        return 0;
    if (n == 1 && carried >= 0) { /* the stub's helper sends nothing but the listener */
        *ret_news = PROC_LISTENER;
        if (ret_fd != NULL)
            *ret_fd = sub_take_fd(&carried);
        return 1;
    }
    if (n != (ssize_t) sizeof message)
        return sub_fail(err, n < 0 ? (int) -n : EPROTO, NULL, "cannot read from the child: %s",
                        sub_strerror(n < 0 ? (int) -n : EPROTO));
    if (message.code > 0)
        return take_failure(&message, err);
    *ret_news = (enum proc_news) message.line;
    if (ret_fd != NULL)
        *ret_fd = sub_take_fd(&carried);
    return 1;
}

int proc_read_failure(int fd, struct sub_err *err)
{
    struct sub_err message;
    ssize_t n = read(fd, &message, sizeof message); /* written atomically, so read at once */

    if (n == 0 ||
        (n < 0 && errno == EAGAIN)) /* nobody wrote, and whoever could is gone or silent */
        return 0;
    if (n != (ssize_t) sizeof message || message.code <= 0)
        return sub_fail(err, EPROTO, NULL, "cannot read the container's answer");
    return take_failure(&message, err);
}
