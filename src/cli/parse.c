/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/err.h"

#include "args.h"
#include "command.h"

#define LONG_BASE 256 /* getopt values above every letter: LONG_BASE + row */

/* One pass of getopt over the options of one command, or the global ones (command NULL). */
struct scan {
    struct arena *arena;
    const struct command *command;
    const struct arg_row *rows[ARGS_ROWS_MAX];
    struct option longs[ARGS_ROWS_MAX + 1];
    char letters[2 * ARGS_ROWS_MAX + 3];
    int argc;
    char **argv;
};

void args_init(struct args *args)
{
    *args = (struct args){
        .memory_bytes = ARGS_NONE_U64,
        .swap_bytes = ARGS_NONE_U64,
        .pids = ARGS_NONE_U64,
        .update = {.memory = ARGS_NONE_I64,
                   .reservation = ARGS_NONE_I64,
                   .swap = ARGS_NONE_I64,
                   .kernel = ARGS_NONE_I64,
                   .kernel_tcp = ARGS_NONE_I64,
                   .quota = ARGS_NONE_I64,
                   .rt_runtime = ARGS_NONE_I64,
                   .pids = ARGS_NONE_I64,
                   .period = ARGS_NONE_U64,
                   .burst = ARGS_NONE_U64,
                   .shares = ARGS_NONE_U64,
                   .idle = ARGS_NONE_U64,
                   .rt_period = ARGS_NONE_U64,
                   .blkio_weight = ARGS_NONE_U64},
        .interval_us = ARGS_NONE_U64,
        .iterations = ARGS_NONE_U64,
        .window_us = ARGS_NONE_U64,
    };
}

static int refuse(const struct command *command, struct sub_err *err, const char *text)
{
    const char *name = command == NULL ? "" : command->name;

    return sub_fail(err, ARGS_USAGE, NULL, "%s; see 'sublet %s%s--help'", text, name,
                    command == NULL ? "" : " ");
}

int args_refuse(const struct args *args, struct sub_err *err, const char *format, ...)
{
    char text[SUB_ERR_TEXT];
    va_list list;

    va_start(list, format);
    (void) vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return refuse(args->command, err, text);
}

/* "option '--memory' of 'run': 'x' is no size": keeps reason, which is in err already. */
static int refuse_option(const struct scan *scan, const char *name, int length, const char *reason,
                         struct sub_err *err)
{
    char text[SUB_ERR_TEXT];
    const char *of = scan->command == NULL ? "" : " of '";
    const char *command = scan->command == NULL ? "" : scan->command->name;
    bool unknown = reason == NULL;

    (void) snprintf(text, sizeof text, "%s '%.*s'%s%s%s%s", unknown ? "unknown option" : "option",
                    length > 80 ? 80 : length, name, of, command, *of == '\0' ? "" : "'",
                    unknown ? "" : reason);
    return refuse(scan->command, err, text);
}

static void scan_prepare(struct scan *scan)
{
    size_t letters = 0;

    scan->letters[letters++] = scan->command == NULL || scan->command->stops_at_operand ? '+' : ':';
    if (scan->letters[0] == '+')
        scan->letters[letters++] = ':';
    for (size_t i = 0; i < ARGS_ROWS_MAX; i++) {
        const struct arg_row *row = command_row(scan->command, i);
        int has_arg;

        scan->rows[i] = row;
        scan->longs[i] = (struct option){0};
        if (row == NULL)
            break;
        has_arg = arg_takes_value(row) ? required_argument : no_argument;
        scan->longs[i] =
            (struct option){row->name == NULL ? "" : row->name, has_arg, NULL, LONG_BASE + (int) i};
        if (row->letter != 0)
            scan->letters[letters++] = row->letter;
        if (row->letter != 0 && has_arg == required_argument)
            scan->letters[letters++] = ':';
    }
    scan->letters[letters] = '\0';
    scan->longs[ARGS_ROWS_MAX] = (struct option){0};
}

static const struct arg_row *row_of(const struct scan *scan, int value)
{
    if (value >= LONG_BASE)
        return scan->rows[value - LONG_BASE];
    for (size_t i = 0; i < ARGS_ROWS_MAX && scan->rows[i] != NULL; i++) {
        if (scan->rows[i]->letter == value)
            return scan->rows[i];
    }
    return NULL;
}

/* The word of the command line that getopt has just read, without its value. */
static const char *word_read(const struct scan *scan, bool value_apart, int *ret_length)
{
    const char *word = scan->argv[optind - (value_apart ? 2 : 1)];

    *ret_length = (int) strcspn(word, "=");
    return word;
}

/* getopt takes any unambiguous beginning for a long option; a command line that means something
 * else after the next option is added is no contract, so only whole names count. */
static bool written_out(const struct arg_row *row, const char *word, int length)
{
    size_t dashes = strspn(word, "-");

    return row->name != NULL && strlen(row->name) == (size_t) length - dashes &&
           strncmp(row->name, word + dashes, (size_t) length - dashes) == 0;
}

static int refuse_word(const struct scan *scan, int value, struct sub_err *err)
{
    char letter[] = {'-', (char) optopt, '\0'};
    const char *word = letter;
    const char *reason = value == ':' ? " requires an argument" : NULL;
    const struct arg_row *row;
    int length = 2;

    if (optopt == 0 || optopt >= LONG_BASE)
        word = word_read(scan, false, &length);
    if (optopt >= LONG_BASE) {
        row = row_of(scan, optopt);
        if (!written_out(row, word, length))
            reason = NULL;
        else if (value == '?')
            reason = " takes no value";
    }
    return refuse_option(scan, word, length, reason, err);
}

static int store(const struct scan *scan, int value, struct args *args, struct sub_err *err)
{
    const struct arg_row *row = row_of(scan, value);
    char letter[] = {'-', (char) value, '\0'};
    char reason[SUB_ERR_TEXT];
    const char *word = letter;
    int length = 2;
    int rc;

    if (value >= LONG_BASE) {
        word = word_read(scan, optarg != NULL && optarg == scan->argv[optind - 1], &length);
        if (!written_out(row, word, length))
            return refuse_option(scan, word, length, NULL, err);
    }
    rc = args_store(scan->arena, args, row, optarg, err);
    if (rc == 0 || rc == -ENOMEM)
        return rc;
    (void) snprintf(reason, sizeof reason, ": %s", err->text);
    sub_err_clear(err);
    return refuse_option(scan, word, length, reason, err);
}

/* Returns the index of the first word behind the options. */
static int scan_options(struct scan *scan, struct args *args, struct sub_err *err)
{
    int value;

    scan_prepare(scan);
    opterr = 0;
    optind = 0; /* glibc: begin anew, with this string of letters */
    for (;;) {
        value = getopt_long_only(scan->argc, scan->argv, scan->letters, scan->longs, NULL);
        if (value == -1)
            return optind;
        if (value == '?' || value == ':')
            return refuse_word(scan, value, err);
        SUBLET_TRY(store(scan, value, args, err));
    }
}

static int check_operands(const struct args *args, struct sub_err *err)
{
    const struct command *command = args->command;

    if (args->operand_count < command->operands_min)
        return args_refuse(args, err, "'%s' lacks an operand", command->name);
    if (command->operands_max != OPERANDS_ANY && args->operand_count > command->operands_max)
        return args_refuse(args, err, "'%s' has an operand too many: '%.80s'", command->name,
                           args->operands[command->operands_max]);
    return 0;
}

static int find_command(const char *name, struct args *args, struct sub_err *err)
{
    args->command = command_find(name);
    if (args->command != NULL)
        return 0;
    if (strcmp(name, "checkpoint") == 0 || strcmp(name, "restore") == 0)
        return args_refuse(args, err, "unknown command '%s': sublet does no checkpoint and restore",
                           name);
    return args_refuse(args, err, "unknown command '%.80s'", name);
}

int args_parse(struct arena *arena, int argc, char **argv, struct args *args, struct sub_err *err)
{
    struct scan scan = {.arena = arena, .argc = argc, .argv = argv};
    int next = scan_options(&scan, args, err);

    SUBLET_TRY(next);
    if (args->help || args->version)
        return 0;
    if (next >= argc)
        return args_refuse(args, err, "a command is missing");
    SUBLET_TRY(find_command(argv[next], args, err));

    scan.command = args->command;
    scan.argc -= next;
    scan.argv += next;
    next = scan_options(&scan, args, err);
    SUBLET_TRY(next);
    args->operands = scan.argv + next;
    args->operand_count = (size_t) (scan.argc - next);
    return args->help ? 0 : check_operands(args, err);
}
