/* SPDX-License-Identifier: Apache-2.0 */
/*
 * push: tries to put a letter into the input of every terminal it can reach, by the request's own
 * number and by one with high bits that a filter may not look at; prints how many were taken.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int push(int fd)
{
    const unsigned long high = 1ul << 32;
    struct {
        char subcode, letter;
    } paste = {2, 'X'}; /* TIOCLINUX: selection */

    return (syscall(SYS_ioctl, fd, TIOCSTI, "X") == 0) +
           (syscall(SYS_ioctl, fd, TIOCSTI | high, "X") == 0) +
           (syscall(SYS_ioctl, fd, TIOCLINUX, &paste) == 0);
}

int main(void)
{
    int taken = 0;
    int tty = open("/dev/tty", O_RDWR);

    for (int fd = 0; fd < 10; fd++)
        taken += push(fd);
    (void) printf("taken %d tty %d\n", taken, tty >= 0);
    return 0;
}
