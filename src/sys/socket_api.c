/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#define MAX_FDS 8
#define BACKLOG 64

/* A path longer than sun_path is reached through an fd on the socket itself. The name
 * below /proc/self/fd is ours: the caller's procfs, before any container exists. */
static int connect_path(int fd, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    OWNED_FD place = -EBADF;

    if (length < sizeof address.sun_path) {
        memcpy(address.sun_path, path, length + 1);
    } else {
        place = open(path, O_PATH | O_CLOEXEC);
        if (place < 0)
            return -errno;
        (void) snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", place);
    }
    return connect(fd, (const struct sockaddr *) &address, sizeof address) < 0 ? -errno : 0;
}

static int connect_abstract(int fd, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);

    if (length >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path + 1, name, length);
    return connect(fd, (const struct sockaddr *) &address,
                   (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + length)) < 0
               ? -errno
               : 0;
}

int sys_unix_connect(const char *path)
{
    OWNED_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;

    int rc = connect_path(fd, path);
    return rc < 0 ? rc : sub_take_fd(&fd);
}

int sys_datagram_connect(const char *address)
{
    OWNED_FD fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;

    int rc = address[0] == '@' ? connect_abstract(fd, address + 1) : connect_path(fd, address);
    return rc < 0 ? rc : sub_take_fd(&fd);
}

int sys_datagram_bind(int dir_fd, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int yes = 1;

    OWNED_FD fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0)
        return -errno;
    int length =
        snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir_fd, name);
    if (length >= (int) sizeof address.sun_path)
        return -ENAMETOOLONG;
    if (bind(fd, (const struct sockaddr *) &address, sizeof address) < 0)
        return -errno;
    return sub_take_fd(&fd);
}

ssize_t sys_datagram_peek(int socket_fd, void *data, size_t size, pid_t *ret_pid)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred))]; /* and none for descriptors */
    } control = {.bytes = {0}};
    struct iovec part = {.iov_base = data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct ucred sender = {.pid = 0};

    ssize_t n = recvmsg(socket_fd, &message, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0)
        return -errno;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_CREDENTIALS)
        memcpy(&sender, CMSG_DATA(head), sizeof sender);
    if ((message.msg_flags & MSG_TRUNC) != 0)
        return -EMSGSIZE;
    *ret_pid = sender.pid;
    return n;
}

void sys_datagram_drop(int socket_fd)
{
    struct msghdr message = {.msg_iovlen = 0};

    (void) recvmsg(socket_fd, &message, MSG_DONTWAIT);
}

int sys_send_fd(int socket_fd, const void *data, size_t size, const int *fds, size_t fd_count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * MAX_FDS)];
    } control = {.bytes = {0}};
    struct iovec part = {.iov_base = (void *) (uintptr_t) data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (fd_count > MAX_FDS)
        return -EINVAL;
    if (fd_count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(head), fds, sizeof(int) * fd_count);
    }

    ssize_t n;
    do {
        n = sendmsg(socket_fd, &message, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    /* the descriptors went with the first byte; the rest is plain data */
    return sub_write_all(socket_fd, (const char *) data + n, size - (size_t) n);
}

ssize_t sys_recv_fd(int socket_fd, void *data, size_t size, int *ret_fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec part = {.iov_base = data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n;

    do {
        n = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;

    int fd = -EBADF;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(head), sizeof fd);
    *ret_fd = fd;
    return n;
}

int sys_loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};

    /* devices are asked through any socket; this family is in every kernel */
    OWNED_FD fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        return -errno;
    return 0;
}

union tcp_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int tcp_address_parse(const char *text, uint16_t port, union tcp_address *ret_address,
                             socklen_t *ret_size)
{
    union tcp_address address = {.v6 = {.sin6_port = htons(port)}};

    if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1) {
        address.v4.sin_family = AF_INET;
        *ret_size = sizeof address.v4;
    } else if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1) {
        address.v6.sin6_family = AF_INET6;
        *ret_size = sizeof address.v6;
    } else {
        return -EINVAL;
    }
    *ret_address = address;
    return 0;
}

int sys_tcp_listen(const char *address_text, uint16_t port, uint16_t *ret_port)
{
    union tcp_address address;
    socklen_t size;
    int yes = 1;

    SUBLET_TRY(tcp_address_parse(address_text, port, &address, &size));
    OWNED_FD fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(fd, &address.any, size) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, &address.any, &size) < 0)
        return -errno;
    *ret_port =
        ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
    return sub_take_fd(&fd);
}
