/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/proc.h"
#include "sublet/sys.h"

#define HOOK_TAIL      256 /* of what the hook wrote, for the message */
#define HOOK_EXEC_FAIL 127

extern char **environ;

/* The end of an endless text in fixed memory. */
struct tail {
    char text[HOOK_TAIL + 1];
    size_t length;
};

static void tail_add(struct tail *tail, const char *data, size_t size)
{
    if (size >= HOOK_TAIL) {
        data += size - HOOK_TAIL;
        size = HOOK_TAIL;
    }
    if (tail->length + size > HOOK_TAIL) {
        size_t drop = tail->length + size - HOOK_TAIL;

        memmove(tail->text, tail->text + drop, tail->length - drop);
        tail->length -= drop;
    }
    memcpy(tail->text + tail->length, data, size);
    tail->length += size;
    tail->text[tail->length] = '\0';
}

/* 1 while there may be more. */
static int tail_read(struct tail *tail, int fd)
{
    char part[4096];
    ssize_t n = read(fd, part, sizeof part);

    if (n > 0)
        tail_add(tail, part, (size_t) n);
    return n > 0 || (n < 0 && errno == EINTR);
}

/* State on standard input as a file, so that no hook can block us by not reading it. */
static int state_input(const char *state_json)
{
    OWNED_FD fd = sys_memfd("sublet-state", 0);

    if (fd < 0)
        return fd;
    SUBLET_TRY(sub_write_all(fd, state_json, strlen(state_json)));
    if (lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    return sub_take_fd(&fd);
}

__attribute__((noreturn)) static void become_hook(const struct plan_hook *hook, int input,
                                                  int output, const char *folder)
{
    char *const *env = hook->env == NULL ? environ : hook->env;

    (void) setpgid(0, 0); /* its group is what a timeout kills */
    proc_signals_reset();
    if (sys_dup_to(input, 0) < 0 || sys_dup_to(output, 1) < 0 || sys_dup_to(output, 2) < 0)
        _exit(HOOK_EXEC_FAIL);
    /* real close: a hook of the container must not even briefly hold what is ours */
    (void) sys_close_range(3, ~0U, 0);
    if (folder != NULL && sys_chdir(folder) < 0)
        _exit(HOOK_EXEC_FAIL);

    int rc = sys_execveat(AT_FDCWD, hook->path, hook->args, env, 0);
    (void) dprintf(2, "%s", sub_strerror(-rc));
    _exit(HOOK_EXEC_FAIL);
}

/* Waits for the end of the process, not of its output: a daemon it leaves may hold the pipe. */
static int wait_hook(int pidfd, int output, uint64_t deadline_ms, struct tail *tail)
{
    struct pollfd wait[2] = {
        {.fd = pidfd,  .events = POLLIN},
        {.fd = output, .events = POLLIN}
    };

    for (;;) {
        uint64_t now = sys_now_ms();
        if (deadline_ms != 0 && now >= deadline_ms)
            return -ETIMEDOUT;

        int rc = sys_poll(wait, 2, deadline_ms == 0 ? -1 : (int) (deadline_ms - now));
        if (rc < 0)
            return rc;
        if (wait[1].revents != 0 && !tail_read(tail, output))
            wait[1].fd = -1;
        if (wait[0].revents != 0)
            return 0;
    }
}

static void trim(struct tail *tail)
{
    while (tail->length > 0 && tail->text[tail->length - 1] == '\n')
        tail->text[--tail->length] = '\0';
    for (size_t i = 0; i < tail->length; i++) {
        if ((unsigned char) tail->text[i] < ' ')
            tail->text[i] = ' ';
    }
}

static int judge(const struct plan_hook *hook, int status, struct tail *tail, struct sub_err *err)
{
    const char *colon = tail->length > 0 ? ": " : "";

    trim(tail);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status))
        return sub_fail(err, ECHILD, hook->json, "hook '%s' exited with status %d%s%s", hook->path,
                        WEXITSTATUS(status), colon, tail->text);
    return sub_fail(err, ECHILD, hook->json, "hook '%s' was killed by signal %d%s%s", hook->path,
                    WTERMSIG(status), colon, tail->text);
}

static int follow(const struct plan_hook *hook, pid_t pid, int pidfd, int output,
                  struct sub_err *err)
{
    struct tail tail = {.length = 0};
    int64_t limit_s = hook->timeout_s < 100000 ? hook->timeout_s : 100000;
    uint64_t deadline_ms = limit_s > 0 ? sys_now_ms() + (uint64_t) limit_s * 1000 : 0;
    int status = 0;

    int rc = wait_hook(pidfd, output, deadline_ms, &tail);
    if (rc < 0) {
        (void) kill(-pid, SIGKILL); /* the pid is not reaped yet, so the group is still its own */
        (void) sys_pidfd_signal(pidfd, SIGKILL);
    }
    (void) sys_pidfd_wait(pidfd, 0, &status);
    if (rc == -ETIMEDOUT)
        return sub_fail(err, ETIMEDOUT, hook->json,
                        "hook '%s' was killed after its timeout of %lld s", hook->path,
                        (long long) hook->timeout_s);
    if (rc < 0)
        return sub_fail(err, -rc, hook->json, "cannot wait for hook '%s': %s", hook->path,
                        sub_strerror(-rc));
    while (tail_read(&tail, output))
        ;
    return judge(hook, status, &tail, err);
}

int proc_hook_run(const struct plan_hook *hook, const char *state_json, const char *folder,
                  struct sub_err *err)
{
    int ends[2];
    OWNED_FD input = state_input(state_json);

    if (input < 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        int code = input < 0 ? -input : errno;

        return sub_fail(err, code, hook->json, "cannot prepare hook '%s': %s", hook->path,
                        sub_strerror(code));
    }
    OWNED_FD output = ends[0];
    OWNED_FD child_end = ends[1];
    OWNED_FD pidfd = -EBADF;
    int fresh = -EBADF;

    pid_t pid = sys_clone(&(struct sys_clone){.cgroup_fd = -1, .ret_pidfd = &fresh});
    if (pid == 0)
        become_hook(hook, input, child_end, folder);
    pidfd = fresh;
    if (pid < 0)
        return sub_fail(err, -pid, hook->json, "cannot start hook '%s': %s", hook->path,
                        sub_strerror(-pid));
    sub_close(&child_end);
    return follow(hook, pid, pidfd, output, err);
}

int proc_hooks_run(const struct plan_hooks *hooks, const char *state_json, const char *folder,
                   struct sub_err *err)
{
    for (size_t i = 0; i < hooks->count; i++)
        SUBLET_TRY(proc_hook_run(&hooks->items[i], state_json, folder, err));
    return 0;
}
