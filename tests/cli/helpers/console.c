/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console SOCKET OUTPUT   takes one terminal over a unix socket as engines do, prints the name that
 * came with it, and copies what the terminal says into OUTPUT until its end.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int receive(int connection)
{
    char name[4096] = "", control[256];
    struct iovec part = {name, sizeof name - 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    int master = -1;

    if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) <= 0 || CMSG_FIRSTHDR(&message) == NULL)
        return -1;
    memcpy(&master, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof master);
    (void) printf("%s\n", name);
    (void) fflush(stdout);
    return master;
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char data[4096];
    ssize_t got;

    if (argc != 3 || strlen(argv[1]) >= sizeof address.sun_path)
        return 2;
    strcpy(address.sun_path, argv[1]);
    if (bind(fd, (struct sockaddr *) &address, sizeof address) < 0 || listen(fd, 1) < 0)
        return 1;
    (void) alarm(30);
    int master = receive(accept(fd, NULL, NULL));
    int output = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (master < 0 || output < 0)
        return 3;
    /* EIO is how a terminal ends whose other side nobody has open */
    while ((got = read(master, data, sizeof data)) > 0) {
        if (write(output, data, (size_t) got) != got)
            return 4;
    }
    return 0;
}
