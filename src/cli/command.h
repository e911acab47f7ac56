/* SPDX-License-Identifier: Apache-2.0 */
/* A command: its words, its rows and its body. One file a command; the table is in commands.c. */
#ifndef SUBLET_CLI_COMMAND_H
#define SUBLET_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "args.h"

struct arena;
struct sub_err;

#define COMMAND_ROWS_MAX 6 /* arrays of rows a command puts together */
#define OPERANDS_ANY     255

struct call {
    struct arena *arena;
    const struct args *args;
};

/* What an operand is, for completion. */
enum operand_kind { OPERAND_NONE, OPERAND_ID, OPERAND_COMMAND };

struct command {
    const char *name, *summary;
    const char *usage; /* lines behind "sublet NAME"; several are separated by newlines */
    const struct arg_rows *rows[COMMAND_ROWS_MAX]; /* up to the first NULL */
    unsigned char operands_min, operands_max;
    enum operand_kind operand;
    bool stops_at_operand; /* what follows the first operand is a command line of its own */
    bool hidden;           /* for the build and the shell, not for people */
    unsigned char failure; /* exit status of a failure of ours */
    /* Exit status, or -errno (-ARGS_USAGE) with err; the caller prints it. */
    int (*body)(const struct call *call, struct sub_err *err);
};

#define COMMAND(name) extern const struct command command_##name
COMMAND(create);
COMMAND(start);
COMMAND(state);
COMMAND(kill);
COMMAND(delete);
COMMAND(mounts);
COMMAND(run);
COMMAND(exec);
COMMAND(list);
COMMAND(ps);
COMMAND(pause);
COMMAND(resume);
COMMAND(update);
COMMAND(spec);
COMMAND(events);
COMMAND(stats);
COMMAND(features);
COMMAND(plan);
COMMAND(tenant);
COMMAND(meter);
COMMAND(report);
COMMAND(why);
COMMAND(metrics);
COMMAND(top);
COMMAND(complete);
COMMAND(man);
COMMAND(options);

extern const struct command *const commands[];
extern const size_t command_count;
const struct command *command_find(const char *name);

extern const struct arg_rows rows_global; /* before the command */
extern const struct arg_rows rows_help;   /* every command, and before it */
extern const struct arg_rows rows_bundle; /* create, run and plan: which bundle, which root */
extern const struct arg_rows rows_period; /* report and why: which time */
extern const struct arg_rows rows_start;  /* create and run: how to start it */

/* Arrays of rows of a command, or of the program itself (NULL); row n of all of them. NULL behind
 * the last one. */
const struct arg_rows *command_rows(const struct command *command, size_t index);
const struct arg_row *command_row(const struct command *command, size_t index);

#endif
