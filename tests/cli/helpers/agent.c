/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent SOCKET OUTPUT   takes one seccomp listener: writes the container process state into OUTPUT
 * and answers every system call it is asked about with errno 99 (EADDRNOTAVAIL), until none can
 * ask.
 */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The state, until the connection ends, and the descriptor that came with its first byte. */
static int receive(int connection, const char *output)
{
    char data[65536], control[256];
    int listener = -1, fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    for (;;) {
        struct iovec part = {data, sizeof data};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};
        ssize_t got = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);

        if (got <= 0)
            break;
        for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at != NULL;
             at = CMSG_NXTHDR(&message, at))
            memcpy(&listener, CMSG_DATA(at), sizeof listener);
        if (write(fd, data, (size_t) got) != got)
            break;
    }
    (void) close(fd);
    return listener;
}

static void answer(int listener)
{
    struct seccomp_notif question;
    struct seccomp_notif_resp response;

    for (;;) {
        struct pollfd wait = {.fd = listener, .events = POLLIN};

        if (poll(&wait, 1, 10000) <= 0 || (wait.revents & POLLIN) == 0)
            return;
        memset(&question, 0, sizeof question);
        memset(&response, 0, sizeof response);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0)
            continue;
        response.id = question.id;
        response.error = -99;
        (void) ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (argc != 3 || strlen(argv[1]) >= sizeof address.sun_path)
        return 2;
    strcpy(address.sun_path, argv[1]);
    if (bind(fd, (struct sockaddr *) &address, sizeof address) < 0 || listen(fd, 1) < 0)
        return 1;
    (void) alarm(30);
    int listener = receive(accept(fd, NULL, NULL), argv[2]);
    if (listener < 0)
        return 3;
    answer(listener);
    return 0;
}
