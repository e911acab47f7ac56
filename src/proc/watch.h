/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's side of a watched terminal. */
#ifndef SUBLET_PROC_WATCH_H
#define SUBLET_PROC_WATCH_H

#include <stdbool.h>
#include <termios.h>

struct caller {
    bool raw; /* we have changed its modes */
    struct termios before;
};

/* Takes the terminal on standard input, if it is one, and if it is ours to take: not in the
 * background. */
void caller_take(struct caller *caller);
void caller_give_back(struct caller *caller);

/* Standard input is a terminal that belongs to another job now. */
bool caller_in_background(void);

/* The window size of the caller's terminal goes to the container's. */
void caller_copy_size(int master_fd);

/* Stops this process as the signal would have done, until it is continued. */
void caller_stop(int number);

/* Where output goes: standard output, or a description of our own of the same terminal, to which a
 * write never waits. *ret_own is to be closed. */
int caller_output(int *ret_own);

#endif
