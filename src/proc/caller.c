/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal that a foreground run or exec was called on. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "watch.h"

bool caller_in_background(void)
{
    pid_t owner = tcgetpgrp(STDIN_FILENO);

    return owner >= 0 && owner != getpgrp(); /* not our controlling terminal: no jobs there */
}

void caller_take(struct caller *caller)
{
    struct termios now;

    if (caller_in_background() || tcgetattr(STDIN_FILENO, &now) < 0)
        return;
    if (!caller->raw)
        caller->before = now;
    cfmakeraw(&now);
    /* at once: waiting for the output to drain could take for ever on a terminal nobody reads */
    caller->raw = tcsetattr(STDIN_FILENO, TCSANOW, &now) == 0;
}

void caller_give_back(struct caller *caller)
{
    /* in the background the terminal is another job's, which has set it as it likes */
    if (caller->raw && !caller_in_background())
        (void) tcsetattr(STDIN_FILENO, TCSANOW, &caller->before); /* the terminal may be gone */
    caller->raw = false;
}

void caller_copy_size(int master_fd)
{
    struct winsize size;

    for (int fd = 0; fd < 3; fd++) {
        if (ioctl(fd, TIOCGWINSZ, &size) < 0)
            continue;
        if (size.ws_row != 0 || size.ws_col != 0)
            (void) ioctl(master_fd, TIOCSWINSZ, &size); /* a lost resize is repeated by the next */
        return;
    }
}

void caller_stop(int number)
{
    sigset_t set, before;

    (void) sigemptyset(&set);
    (void) sigaddset(&set, number);
    (void) raise(number);
    (void) sigprocmask(SIG_UNBLOCK, &set, &before); /* here; or not at all in an orphaned group */
    (void) sigprocmask(SIG_SETMASK, &before, NULL);
}

int caller_output(int *ret_own)
{
    OWNED_FD own = isatty(STDOUT_FILENO) != 1 ? -ENOTTY
                                              : sys_openat(AT_FDCWD, "/proc/self/fd/1",
                                                           O_WRONLY | O_NONBLOCK | O_NOCTTY, 0);

    if (own < 0)
        return STDOUT_FILENO;
    *ret_own = sub_take_fd(&own);
    return *ret_own;
}
