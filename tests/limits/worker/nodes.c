/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes: made and opened, to see what the device rules let through. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "worker.h"

/* EPERM is the rules' answer. Any other error comes from beyond them: the device has no driver. */
static const char *answer(int rc)
{
    return rc >= 0 || errno != EPERM ? "yes" : "no";
}

static int try_open(const char *path, char access)
{
    int fd = open(path, (access == 'w' ? O_WRONLY : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd >= 0)
        (void) close(fd);
    return fd;
}

/* "c:1:3:r": to read, w to write, m to make the node; "/dev/null:w" for a node of the container. */
static int try_one(const char *text)
{
    char type = 0, access = 0, path[64];
    unsigned major = 0, minor = 0;
    int rc = 0;

    if (sscanf(text, "%c:%u:%u:%c", &type, &major, &minor, &access) == 4) {
        (void) snprintf(path, sizeof path, "/dev/%c-%u-%u", type, major, minor);
        rc = mknod(path, (type == 'b' ? S_IFBLK : S_IFCHR) | 0666, makedev(major, minor));
        if (rc < 0 && errno == EEXIST && access != 'm')
            rc = 0;
    } else if (sscanf(text, "%59[^:]:%c", path, &access) != 2) {
        errno = EINVAL;
        return complain(text);
    }
    if (rc < 0 && access != 'm')
        return complain(path);
    (void) printf("%s %s\n", text, answer(access == 'm' ? rc : try_open(path, access)));
    return 0;
}

/* open NODE...: prints each with yes or no */
int mode_open(struct work *work)
{
    for (char **node = work->arguments; *node != NULL; node++) {
        if (try_one(*node) != 0)
            return 1;
    }
    return 0;
}
