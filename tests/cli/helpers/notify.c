/* SPDX-License-Identifier: Apache-2.0 */
/* The container's side of sd_notify: sends each argument as one datagram to $NOTIFY_SOCKET.
 * "barrier": BARRIER=1 with a pipe, until its other end is closed by all. "fds": FDSTORE=1 with
 * two descriptors. "file": BARRIER=1 with a file. "child:WORDS": from a child of this process. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int send_words(const char *words, int *fds, size_t count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * 2)];
    } control = {.bytes = {0}};
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct iovec part = {(void *) words, strlen(words)};
    struct msghdr message = {&to, sizeof to, &part, 1, NULL, 0, 0};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    strncpy(to.sun_path, getenv("NOTIFY_SOCKET"), sizeof to.sun_path - 1);
    if (count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(head), fds, sizeof(int) * count);
    }
    ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
    if (n < 0)
        printf("%s: %s\n", words, strerror(errno));
    close(fd);
    return n < 0 ? -1 : 0;
}

static void barrier(void)
{
    int ends[2];

    if (pipe(ends) < 0 || send_words("BARRIER=1", &ends[1], 1) < 0)
        return;
    close(ends[1]);
    struct pollfd wait = {.fd = ends[0]};
    printf("barrier %s\n", poll(&wait, 1, 10000) == 1 ? "passed" : "stands");
}

static void send_file(void)
{
    int fd = open("/proc/self/exe", O_RDONLY);

    if (fd >= 0)
        send_words("BARRIER=1", &fd, 1);
    close(fd);
}

static void from_child(const char *words)
{
    if (fork() == 0) {
        char text[256];

        snprintf(text, sizeof text, "%s%d", words, (int) getpid());
        send_words(text, NULL, 0);
        pause();
    }
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int i = 1; i < argc; i++) {
        int fds[] = {0, 1};

        if (strcmp(argv[i], "barrier") == 0)
            barrier();
        else if (strcmp(argv[i], "fds") == 0)
            send_words("FDSTORE=1\nSTATUS=with descriptors", fds, 2);
        else if (strcmp(argv[i], "file") == 0)
            send_file();
        else if (strcmp(argv[i], "stay") == 0)
            pause();
        else if (strncmp(argv[i], "child:", 6) == 0)
            from_child(argv[i] + 6);
        else
            send_words(argv[i], NULL, 0);
    }
    return 0;
}
