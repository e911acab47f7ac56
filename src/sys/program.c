/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/sys/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#define PATH_ROOM       4096
#define ENVIRONMENT_MAX 8
#define CANNOT_EXECUTE  127
#define END_LIMIT_MS    1000

extern char **environ;

/* Where the programs are, seen from the folder of our own file: installed, and in a build tree. */
static const char *const places[] = {SUBLET_PROGRAMS, "libexec/sublet"};

static int missing(const struct sys_program *program, struct sub_err *err)
{
    return sub_fail(err, ENOENT, program->name,
                    "the program 'libexec/sublet/%s' is not there; install %s and the whole of "
                    "sublet, or build sublet with it",
                    program->name, program->needs);
}

int sys_program_open(const struct sys_program *program, struct sub_err *err)
{
    char self[PATH_ROOM], path[2 * PATH_ROOM];
    ssize_t n = sys_readlinkat(AT_FDCWD, "/proc/self/exe", self, sizeof self);

    if (n < 0)
        return sub_fail(err, (int) -n, "/proc/self/exe", "cannot tell where sublet lies: %s",
                        sub_strerror((int) -n));
    char *slash = strrchr(self, '/');
    if (slash == NULL)
        return missing(program, err);
    *slash = '\0';

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        (void) snprintf(path, sizeof path, "%s/%s/%s", self, places[i], program->name);
        int fd = sys_openat(AT_FDCWD, path, O_PATH, 0);
        if (fd >= 0)
            return fd;
        if (fd != -ENOENT && fd != -ENOTDIR)
            return sub_fail(err, -fd, path, "cannot open: %s", sub_strerror(-fd));
    }
    return missing(program, err);
}

const char *sys_id_tool_find(enum sys_id_tool tool)
{
    static const char *const paths[][2] = {
        {"/usr/bin/newuidmap",          "/usr/bin/newgidmap"         },
        {"/bin/newuidmap",              "/bin/newgidmap"             },
        {"/usr/local/bin/newuidmap",    "/usr/local/bin/newgidmap"   },
        {"/run/wrappers/bin/newuidmap", "/run/wrappers/bin/newgidmap"},
    };
    struct stat info;

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (sys_fstatat(AT_FDCWD, paths[i][tool], &info, 0) == 0 && S_ISREG(info.st_mode))
            return paths[i][tool];
    }
    return NULL;
}

static bool is_named(const char *variable, const char *const *names)
{
    for (; *names != NULL; names++) {
        size_t length = strlen(*names);

        if (strncmp(variable, *names, length) == 0 && variable[length] == '=')
            return true;
    }
    return false;
}

/* What the caller's environment says to a dynamic linker is not said to ours. */
static void choose_environment(const struct sys_program *program, char *chosen[])
{
    size_t count = 0;

    for (char **variable = environ; *variable != NULL && count < ENVIRONMENT_MAX; variable++) {
        if (is_named(*variable, program->environment))
            chosen[count++] = *variable;
    }
    chosen[count] = NULL;
}

__attribute__((noreturn)) static void become_program(const struct sys_program *program,
                                                     int program_fd, int socket_fd)
{
    char name[64], *environment[ENVIRONMENT_MAX + 1];
    char *const argv[] = {name, NULL};
    sigset_t none;

    (void) sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void) sys_setsid(); /* what a terminal sends is for us to judge */
    (void) sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);
    (void) snprintf(name, sizeof name, "%s", program->name);
    choose_environment(program, environment);

    OWNED_FD null = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);
    /* numbers above those that are about to be taken; the program is not to hold its own file */
    int kept = fcntl(program_fd, F_DUPFD_CLOEXEC, 3);
    if (null < 0 || kept < 0 || sys_dup_to(socket_fd, 0) < 0 || sys_dup_to(null, 1) < 0)
        _exit(CANNOT_EXECUTE);
#ifndef SUBLET_SANITIZED
    if (sys_dup_to(null, 2) < 0)
        _exit(CANNOT_EXECUTE);
#endif
    (void) sys_close_range(3, (unsigned) kept - 1, 0);
    (void) sys_close_range((unsigned) kept + 1, ~0u, 0);
    (void) sys_execveat(kept, "", argv, environment, AT_EMPTY_PATH);
    _exit(CANNOT_EXECUTE);
}

int sys_talk_open(const struct sys_program *program, struct sys_talk *ret_talk, struct sub_err *err)
{
    int ends[2], pidfd = -EBADF;
    OWNED_FD file = sys_program_open(program, err);

    if (file < 0)
        return file;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return sub_fail(err, errno, program->name, "cannot make a socket pair: %s",
                        sub_strerror(errno));
    OWNED_FD ours = ends[0];
    OWNED_FD its = ends[1];

    pid_t pid = sys_clone(&(struct sys_clone){.cgroup_fd = -1, .ret_pidfd = &pidfd});
    if (pid == 0)
        become_program(program, file, its);
    if (pid < 0)
        return sub_fail(err, -pid, program->name, "cannot start: %s", sub_strerror(-pid));
    *ret_talk = (struct sys_talk){.program = program, .fd = sub_take_fd(&ours), .pidfd = pidfd};
    return 0;
}

void sys_talk_close(struct sys_talk *talk)
{
    int status;

    /* before it sees the end of the socket: it has nothing left to do */
    if (talk->pidfd >= 0)
        (void) sys_pidfd_signal(talk->pidfd, SIGKILL);
    sub_close(&talk->fd);
    if (talk->pidfd >= 0)
        (void) sys_pidfd_wait(talk->pidfd, 0, &status);
    sub_close(&talk->pidfd);
}

/* One that is there still, and was not heard, has its own end to make. 0 without a process. */
static int await_end(struct sys_talk *talk, int limit_ms)
{
    struct pollfd ended = {.fd = talk->pidfd, .events = POLLIN};
    int status = 0;

    sub_close(&talk->fd);
    if (talk->pidfd < 0)
        return 0;
    if (sys_poll(&ended, 1, limit_ms) < 0)
        (void) sys_pidfd_signal(talk->pidfd, SIGKILL);
    (void) sys_pidfd_wait(talk->pidfd, 0, &status);
    sub_close(&talk->pidfd);
    return status;
}

void sys_talk_end(struct sys_talk *talk, int limit_ms)
{
    (void) await_end(talk, limit_ms);
}

void sys_talk_forget(struct sys_talk *talk)
{
    sub_close(&talk->fd);
    sub_close(&talk->pidfd);
}

/* The socket has ended: how, and what that means. */
static int has_ended(struct sys_talk *talk, struct sub_err *err)
{
    const char *name = talk->program->name;
    int status = await_end(talk, END_LIMIT_MS);

    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_EXECUTE)
        return sub_fail(err, ENOEXEC, name,
                        "the program 'libexec/sublet/%s' cannot be executed; install %s", name,
                        talk->program->needs);
    if (WIFSIGNALED(status))
        return sub_fail(err, EPIPE, name, "the program was killed by signal %d", WTERMSIG(status));
    return sub_fail(err, EPIPE, name, "the program ended with status %d without an answer",
                    WEXITSTATUS(status));
}

int sys_talk_ask(struct sys_talk *talk, const char *request, int timeout_ms,
                 struct answer *ret_answer, struct sub_err *err)
{
    struct pollfd wait = {.fd = talk->fd, .events = POLLIN};
    const char *name = talk->program->name;
    size_t size = strlen(request);

    if (size > ANSWER_REQUEST_MAX)
        return sub_fail(err, E2BIG, name, "a request of %zu bytes, at most %zu are possible", size,
                        ANSWER_REQUEST_MAX);
    if (talk->pidfd < 0)
        return sub_fail(err, EPIPE, name, "the program has ended");
    /* one that has ended already tells why by its status */
    int rc = sub_write_quietly(talk->fd, request, size);
    if (rc < 0 && rc != -EPIPE && rc != -ECONNRESET)
        return sub_fail(err, -rc, name, "cannot send a request: %s", sub_strerror(-rc));

    rc = sys_poll(&wait, 1, timeout_ms);
    if (rc == -ETIMEDOUT) {
        sys_talk_close(talk);
        return sub_fail(err, ETIMEDOUT, name, "no answer within %d s", timeout_ms / 1000);
    }
    if (rc < 0)
        return sub_fail(err, -rc, name, "cannot wait for an answer: %s", sub_strerror(-rc));

    ssize_t n = recv(talk->fd, ret_answer, sizeof *ret_answer, 0);
    if (n != (ssize_t) sizeof *ret_answer)
        return has_ended(talk, err);
    ret_answer->text[ANSWER_TEXT - 1] = '\0';
    if (ret_answer->code > 0)
        return sub_fail(err, ret_answer->code, NULL, "%s", ret_answer->text);
    return 0;
}

int sys_program_exec(const struct sys_program *program, char *const argv[], struct sub_err *err)
{
    char *environment[ENVIRONMENT_MAX + 1];
    OWNED_FD file = sys_program_open(program, err);

    if (file < 0)
        return file;
    choose_environment(program, environment);
    int rc = sys_execveat(file, "", argv, environment, AT_EMPTY_PATH);
    return sub_fail(err, -rc, program->name, "cannot execute: %s", sub_strerror(-rc));
}
