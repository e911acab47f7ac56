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
    return sub_write_quietly(fd, "G", 1);
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

/* A child that ends without having read our byte leaves an error before its last message. */
static ssize_t receive_bytes(int fd, struct sub_err *ret_message, int *ret_carried)
{
    ssize_t n = sys_recv_fd(fd, ret_message, sizeof *ret_message, ret_carried);

    return n == -ECONNRESET ? sys_recv_fd(fd, ret_message, sizeof *ret_message, ret_carried) : n;
}

/* 1 with news in *ret_message, 0 at the end of the channel or of the process of pidfd (-1: of none)
 * that has said nothing, or the child's own failure. */
static int receive(int fd, int pidfd, int timeout_ms, struct sub_err *ret_message, int *ret_fd,
                   struct sub_err *err)
{
    struct pollfd wait[] = {
        {.fd = fd,    .events = POLLIN},
        {.fd = pidfd, .events = POLLIN}
    };
    OWNED_FD carried = -EBADF;

    int rc = sys_poll(wait, 2, timeout_ms);
    if (rc == -ETIMEDOUT)
        return sub_fail(err, ETIMEDOUT, NULL, "the container's process did not answer within %d s",
                        timeout_ms / 1000);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot wait for the child: %s", sub_strerror(-rc));

    if (wait[0].revents == 0)
        return 0;

    ssize_t n = receive_bytes(fd, ret_message, &carried);
    if (n == 0 || n == -ECONNRESET)
        return 0;
    if (n == 1 && carried >= 0) { /* the stub's helper sends nothing but the listener */
        *ret_message = (struct sub_err){.line = PROC_LISTENER};
    } else if (n != (ssize_t) sizeof *ret_message) {
        return sub_fail(err, n < 0 ? (int) -n : EPROTO, NULL, "cannot read from the child: %s",
                        sub_strerror(n < 0 ? (int) -n : EPROTO));
    }
    if (ret_message->code > 0)
        return take_failure(ret_message, err);
    if (ret_fd != NULL)
        *ret_fd = sub_take_fd(&carried);
    return 1;
}

int proc_receive(int fd, int timeout_ms, enum proc_news *ret_news, int *ret_fd, struct sub_err *err)
{
    struct sub_err message = {.code = 0};
    int rc = receive(fd, -1, timeout_ms, &message, ret_fd, err);

    if (rc > 0)
        *ret_news = (enum proc_news) message.line;
    return rc;
}

int proc_receive_child(int fd, int pidfd, int timeout_ms, pid_t *ret_pid, struct sub_err *err)
{
    struct sub_err message = {.code = 0};
    int rc = receive(fd, pidfd, timeout_ms, &message, NULL, err);

    if (rc <= 0)
        return rc;
    if (message.line != PROC_CHILD || message.code == 0)
        return sub_fail(err, EPROTO, NULL, "the child sent %u, expected its own child",
                        message.line);
    *ret_pid = -message.code;
    return 1;
}

int proc_wait_gone(int fd, int pidfd, int timeout_ms, struct sub_err *err)
{
    struct sub_err message = {.code = 0};
    int rc = receive(fd, pidfd, timeout_ms, &message, NULL, err);

    if (rc > 0)
        return sub_fail(err, EPROTO, NULL, "the child sent %u, expected to be gone", message.line);
    return rc;
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
