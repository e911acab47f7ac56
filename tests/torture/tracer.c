/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OPTIONS                                                                               \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
     PTRACE_O_TRACEEXEC)

struct tracee {
    pid_t pid;
    bool alive, inside, fail_on_exit, foreign;
};

struct trace {
    const struct strike *strike;
    struct outcome *outcome;
    struct tracee tracees[TRACER_ROLES];
    int count;
};

static long long now_ms(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static struct tracee *find(struct trace *trace, pid_t pid)
{
    for (int i = 0; i < trace->count; i++) {
        if (trace->tracees[i].pid == pid)
            return &trace->tracees[i];
    }
    if (trace->count == TRACER_ROLES)
        return NULL;
    trace->tracees[trace->count] = (struct tracee){.pid = pid, .alive = true};
    return &trace->tracees[trace->count++];
}

static void enter(struct trace *trace, struct tracee *tracee)
{
    int role = (int) (tracee - trace->tracees);
    const struct strike *strike = trace->strike;
    struct user_regs_struct regs;

    if (tracee->foreign)
        return;
    trace->outcome->calls[role]++;
    if (strike->blow == BLOW_NONE || trace->outcome->struck || role != strike->role ||
        trace->outcome->calls[role] != strike->call)
        return;
    if (ptrace(PTRACE_GETREGS, tracee->pid, NULL, &regs) < 0)
        return;
    trace->outcome->struck = true;
    trace->outcome->number = (long) regs.orig_rax;
    if (strike->blow == BLOW_KILL) {
        (void) kill(tracee->pid, SIGKILL);
        return;
    }
    tracee->fail_on_exit = true;
    if (regs.orig_rax == SYS_close)
        return; /* close(2): on Linux the descriptor is gone whatever the result is */
    regs.orig_rax = (unsigned long long) -1; /* no such call: nothing happens */
    (void) ptrace(PTRACE_SETREGS, tracee->pid, NULL, &regs);
}

static void leave(struct trace *trace, struct tracee *tracee)
{
    struct user_regs_struct regs;

    if (!tracee->fail_on_exit || ptrace(PTRACE_GETREGS, tracee->pid, NULL, &regs) < 0)
        return;
    regs.rax = (unsigned long long) -trace->strike->error;
    (void) ptrace(PTRACE_SETREGS, tracee->pid, NULL, &regs);
    tracee->fail_on_exit = false;
}

static void stopped(struct trace *trace, struct tracee *tracee, int status)
{
    int number = WSTOPSIG(status);
    long pass_on = 0;

    if (number == (SIGTRAP | 0x80)) {
        if (tracee->inside)
            leave(trace, tracee);
        else
            enter(trace, tracee);
        tracee->inside = !tracee->inside;
    } else if (status >> 16 != 0) {
        unsigned long child;

        if (status >> 16 == PTRACE_EVENT_EXEC && trace->strike->program_role != 0 &&
            tracee == &trace->tracees[trace->strike->program_role])
            tracee->foreign = true;
        /* known from its birth on: it may be the one to be let go before its first own stop */
        if (status >> 16 != PTRACE_EVENT_EXEC &&
            ptrace(PTRACE_GETEVENTMSG, tracee->pid, NULL, &child) == 0)
            (void) find(trace, (pid_t) child);
    } else if (number == SIGTRAP) {
        /* exec without the event */
    } else if (number == SIGSTOP) {
        (void) ptrace(PTRACE_SETOPTIONS, tracee->pid, NULL, (void *) OPTIONS);
    } else {
        pass_on = number;
    }
    (void) ptrace(PTRACE_SYSCALL, tracee->pid, NULL, (void *) pass_on);
}

static void let_go(struct trace *trace)
{
    for (int i = 0; i < trace->count; i++) {
        struct tracee *tracee = &trace->tracees[i];
        int status;

        if (!tracee->alive)
            continue;
        /* only a stopped tracee can be detached */
        (void) kill(tracee->pid, SIGSTOP);
        if (waitpid(tracee->pid, &status, __WALL) == tracee->pid && WIFSTOPPED(status))
            (void) ptrace(PTRACE_DETACH, tracee->pid, NULL, NULL);
        (void) kill(tracee->pid, SIGCONT);
    }
}

static pid_t launch(char *const argv[], int output_fd)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0)
        _exit(120);
    (void) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    (void) raise(SIGSTOP);
    (void) execv(argv[0], argv);
    _exit(121);
}

/* 1 when the command itself has ended. */
static int step(struct trace *trace)
{
    int status;
    pid_t pid = waitpid(-1, &status, __WALL | WNOHANG);

    if (pid == 0) {
        (void) usleep(50);
        return 0;
    }
    if (pid < 0)
        return 1;

    struct tracee *tracee = find(trace, pid);
    if (tracee == NULL) {
        fprintf(stderr, "tracer: more than %d processes\n", TRACER_ROLES);
        return 1;
    }
    if (WIFSTOPPED(status)) {
        stopped(trace, tracee, status);
        return 0;
    }
    tracee->alive = false;
    if (tracee != &trace->tracees[0])
        return 0;
    trace->outcome->status = status;
    return 1;
}

int tracer_run(char *const argv[], const struct strike *strike, int output_fd, int limit_ms,
               struct outcome *ret_outcome)
{
    struct trace trace = {.strike = strike, .outcome = ret_outcome};
    long long until = now_ms() + limit_ms;

    *ret_outcome = (struct outcome){.status = -1};
    pid_t pid = launch(argv, output_fd);
    if (pid < 0)
        return -errno;
    (void) find(&trace, pid);

    while (step(&trace) == 0) {
        if (now_ms() > until) {
            ret_outcome->hung = true;
            (void) kill(pid, SIGKILL);
            break;
        }
    }
    let_go(&trace);
    return 0;
}
