/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker BOARD SLOT MODE [ARGUMENT...]   inside a container
 * worker BOARD watch ... | over | end ... outside
 * Built without CMake by: cc -static -O2 -D_GNU_SOURCE -o worker, and the .c files of this folder
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker.h"

#define LIFE_S 120

struct mode {
    const char *name;
    int least; /* arguments */
    int (*run)(struct work *work);
};

static const struct mode modes[] = {
    {"spin",  1, mode_spin },
    {"burst", 3, mode_burst},
    {"where", 1, mode_where},
    {"touch", 1, mode_touch},
    {"huge",  1, mode_huge },
    {"disk",  5, mode_disk },
    {"fork",  1, mode_fork },
    {"crowd", 3, mode_crowd},
    {"open",  1, mode_open },
};

static int usage(void)
{
    (void) fputs(
        "usage: worker BOARD SLOT spin|burst|where|touch|huge|disk|fork|crowd|open ARGUMENT...\n"
        "       worker BOARD watch [--warm MS] [--still] [--disk MAJ:MIN] MS [NAME=GROUP]...\n"
        "       worker BOARD over\n"
        "       worker BOARD end GROUP [GROUP-BELOW]...\n",
        stderr);
    return 2;
}

/* Whoever waits for a worker that no limit ended does not wait for long. */
static void give_up(int number)
{
    (void) number;
    _exit(124);
}

static int run_mode(struct board *board, int argc, char **argv)
{
    struct work work = {.board = board, .arguments = argv + 4};
    uint64_t slot = number(argv[2]);

    if (slot >= SLOTS)
        return usage();
    work.slot = &board->slot[slot];
    if (getpid() == 1) { /* of a container, and with a handler: it dies of no signal otherwise */
        (void) signal(SIGALRM, give_up);
        (void) alarm(LIFE_S);
    }
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(modes[i].name, argv[3]) == 0 && argc - 4 >= modes[i].least)
            return modes[i].run(&work);
    }
    return usage();
}

int main(int argc, char **argv)
{
    struct board *board = argc < 3 ? NULL : board_open(argv[1]);

    if (argc < 3)
        return usage();
    if (board == NULL)
        return complain(argv[1]);
    if (strcmp(argv[2], "watch") == 0)
        return watch(board, argv + 3);
    if (strcmp(argv[2], "over") == 0)
        return watch_over(board, argv + 3);
    if (strcmp(argv[2], "end") == 0)
        return end(argv + 3);
    if (argc < 4)
        return usage();
    return run_mode(board, argc, argv);
}
