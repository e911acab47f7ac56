/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel itself needs to end a crowd: nothing is asked of it but that. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "worker.h"

static int write_kill(int dir_fd)
{
    int fd = openat(dir_fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    int rc = fd < 0 || write(fd, "1", 1) != 1 ? complain("cgroup.kill") : 0;

    (void) close(fd);
    return rc;
}

/* Whoever watched over the container may be faster, and have removed the group. */
static bool is_gone(void)
{
    return errno == ENOENT || errno == ENODEV;
}

static int wait_empty(int dir_fd)
{
    struct pollfd events = {.fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC),
                            .events = POLLPRI};
    char text[128];
    ssize_t n = events.fd < 0 ? -1 : pread(events.fd, text, sizeof text - 1, 0);

    for (; n >= 0; n = pread(events.fd, text, sizeof text - 1, 0)) {
        text[n] = '\0';
        if (strstr(text, "populated 0") != NULL)
            break;
        (void) poll(&events, 1, -1);
    }
    int rc = n >= 0 || is_gone() ? 0 : complain("cgroup.events");
    (void) close(events.fd);
    return rc;
}

/* The last path first; one that the kernel does not let go of yet is tried again. */
static int remove_all(char **groups)
{
    if (*groups == NULL)
        return 0;
    if (remove_all(groups + 1) != 0)
        return 1;
    while (rmdir(*groups) < 0 && !is_gone()) {
        if (errno != EBUSY)
            return complain(*groups);
        (void) sched_yield();
    }
    return 0;
}

/* end GROUP [GROUP-BELOW...]: prints how many microseconds the end of the first one took */
int end(char **groups)
{
    uint64_t began_ns = clock_now_ns();
    int dir_fd = groups[0] == NULL ? -1 : open(groups[0], O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (dir_fd < 0)
        return complain("end");
    if (write_kill(dir_fd) != 0 || wait_empty(dir_fd) != 0 || remove_all(groups) != 0)
        return 1;
    (void) printf("%llu\n", (unsigned long long) ((clock_now_ns() - began_ns) / NS_PER_US));
    return 0;
}
