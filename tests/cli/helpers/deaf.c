/* SPDX-License-Identifier: Apache-2.0 */
/* deaf SOCKET: takes what every connection sends, and answers nothing, until it is killed. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (argc != 2 || fd < 0)
        return 2;
    (void) snprintf(name.sun_path, sizeof name.sun_path, "%s", argv[1]);
    if (bind(fd, (const struct sockaddr *) &name, sizeof name) < 0 || listen(fd, 4000) < 0)
        return 1;
    for (;;)
        (void) pause();
}
