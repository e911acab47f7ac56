/* SPDX-License-Identifier: Apache-2.0 */
/* A program of the host, run to its end with its output kept. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/proc.h"
#include "sublet/sys.h"

#define EXEC_FAIL 127

extern char **environ;

__attribute__((noreturn)) static void become(const char *path, char *const *args, int out,
                                             int errors)
{
    OWNED_FD null = sys_openat(AT_FDCWD, "/dev/null", O_RDONLY, 0);

    proc_signals_reset();
    if (null < 0 || sys_dup_to(null, 0) < 0 || sys_dup_to(out, 1) < 0 || sys_dup_to(errors, 2) < 0)
        _exit(EXEC_FAIL);
    (void) sys_close_range(3, ~0U, 0);
    (void) sys_execveat(AT_FDCWD, path, args, environ, 0);
    _exit(EXEC_FAIL);
}

/* Files, not pipes: the program can neither block on us nor be killed by our not reading. */
static int take_text(int fd, struct buf *buf)
{
    char part[4096];
    ssize_t n;

    if (lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    while ((n = sub_read_all(fd, part, sizeof part)) > 0)
        buf_add(buf, part, (size_t) n);
    return n < 0 ? (int) n : 0;
}

static int wait_end(int pidfd, int limit_ms, int *ret_status)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    int rc = sys_poll(&ended, 1, limit_ms);

    if (rc < 0)
        (void) sys_pidfd_signal(pidfd, SIGKILL);
    int reaped = sys_pidfd_wait(pidfd, 0, ret_status);
    return rc < 0 ? rc : reaped;
}

int proc_capture(char *const *args, int limit_ms, struct proc_captured *captured,
                 struct sub_err *err)
{
    const struct plan_process process = {.args = args, .env = environ};
    struct sub_err reason = {.code = 0};
    char path[PROC_PATH_MAX];
    int fresh = -EBADF, status = 0;

    int rc = proc_find_program(&process, path, &reason);
    if (rc < 0)
        return sub_fail(err, -rc, args[0], "cannot run this program of the host: %s", reason.text);
    OWNED_FD out = sys_memfd("sublet-out", 0);
    OWNED_FD errors = sys_memfd("sublet-err", 0);
    if (out < 0 || errors < 0)
        return sub_fail(err, out < 0 ? -out : -errors, args[0], "cannot keep its output: %s",
                        sub_strerror(out < 0 ? -out : -errors));

    pid_t pid = sys_clone(&(struct sys_clone){.cgroup_fd = -1, .ret_pidfd = &fresh});
    if (pid == 0)
        become(path, args, out, errors);
    OWNED_FD pidfd = fresh;
    if (pid < 0)
        return sub_fail(err, -pid, args[0], "cannot start it: %s", sub_strerror(-pid));
    rc = wait_end(pidfd, limit_ms, &status);
    if (rc < 0)
        return sub_fail(err, -rc, args[0], "killed, it did not end within %d s", limit_ms / 1000);

    rc = take_text(out, &captured->out);
    if (rc == 0)
        rc = take_text(errors, &captured->errors);
    if (rc < 0)
        return sub_fail(err, -rc, args[0], "cannot read its output: %s", sub_strerror(-rc));
    captured->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return 0;
}
