/* SPDX-License-Identifier: Apache-2.0 */
/* A foreground command and its process. */
#include <errno.h>

#include "start.h"

int watch_process(struct start *start, int signal_fd, int *ret_status, struct sub_err *err)
{
    struct proc_watched watched = {
        .pid = start->child.pid,
        .pidfd = start->child.pidfd,
        .master_fd = -EBADF,
        .signal_fd = signal_fd,
        .source = start->notify.socket_fd < 0 ? NULL : &start->notify.source,
    };

    if (start->terminal_fd >= 0)
        SUBLET_TRY(proc_tty_receive(start->terminal_fd, &watched.master_fd, err));
    return proc_watch(&watched, ret_status, err);
}
