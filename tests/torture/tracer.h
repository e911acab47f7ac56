/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command under ptrace and strikes at one chosen system call of one chosen process: the
 * call is the n-th that the process enters, the process the r-th that appears (0: the command
 * itself, 1: its first child ...). Then everything is let go, as if nobody had been watching.
 */
#ifndef TESTS_TORTURE_TRACER_H
#define TESTS_TORTURE_TRACER_H

#include <stdbool.h>

#define TRACER_ROLES 8

enum blow { BLOW_NONE, BLOW_KILL, BLOW_ERROR };

struct strike {
    enum blow blow;
    int role, call; /* call counts from 1 */
    int error;      /* errno of BLOW_ERROR */
    /* whose exec is that of the container's program, which is not ours from then on; 0: nobody's */
    int program_role;
};

struct outcome {
    bool struck, hung;
    int status;              /* of the command, as waitpid gives it */
    int calls[TRACER_ROLES]; /* system calls entered by each role until the command ended */
    long number;             /* system call that was struck */
};

/* Output of the command goes to output_fd. limit_ms: a command that takes longer has hung. */
int tracer_run(char *const argv[], const struct strike *strike, int output_fd, int limit_ms,
               struct outcome *ret_outcome);

#endif
