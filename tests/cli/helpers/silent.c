/* SPDX-License-Identifier: Apache-2.0 */
/* silent DEVICE FOLDER: mounts a file system (FUSE) on FOLDER that answers no question, and says
 * "ready", then "asked" at the first one that comes. */
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char request[1 << 17];
    struct {
        struct fuse_out_header head;
        struct fuse_init_out init;
    } answer = {
        .init = {
                 .major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 4096}
    };
    const struct fuse_in_header *asked = (const void *) request;
    char options[128];
    int fd = argc == 3 ? open(argv[1], O_RDWR) : -1;

    (void) snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
    if (fd < 0 || mount("silent", argv[2], "fuse", 0, options) < 0) {
        perror("silent");
        return 1;
    }
    puts("ready");
    (void) fflush(stdout);
    while (read(fd, request, sizeof request) > 0) {
        if (asked->opcode != FUSE_INIT) {
            puts("asked");
            (void) fflush(stdout);
            continue;
        }
        answer.head.len = sizeof answer;
        answer.head.unique = asked->unique;
        if (write(fd, &answer, sizeof answer) < 0)
            return 1;
    }
    return 0;
}
