/* SPDX-License-Identifier: Apache-2.0 */
/* Tenants and containers as they live: on a terminal, or as plain text for scripts. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "sublet/account/view.h"
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "command.h"
#include "say.h"
#include "top.h"

#define TABLE_MAX       ((size_t) 64 << 20)
#define INTERVAL_US     UINT64_C(2000000)
#define INTERVAL_MIN_US UINT64_C(10000)
#define WIDTH_MIN       20

enum by { BY_ANY, BY_TENANT, BY_CONTAINER };
static const struct word kinds[] = {
    {"tenant",    BY_TENANT   },
    {"container", BY_CONTAINER},
};
static const struct words kind_words = WORDS(kinds);

/* clang-format off */
static const struct arg_row table[] = {
    {"delay", 'd', ARG_DURATION, INTO(interval_us), NULL, "TIME",
     "look that often (default: 2s)"},
    {"batch", 'b', ARG_FLAG, INTO(batch), NULL, NULL,
     "print tables instead, for scripts; with all columns if no width is given"},
    {"iterations", 'n', ARG_U64, INTO(iterations), NULL, "N", "end after N tables or screens"},
    {"width", 'w', ARG_U32, INTO(width), NULL, "N", "with --batch: columns that fit into N letters"},
    {"by", 0, ARG_WORD, INTO(by), &kind_words, NULL,
     "begin with tenants (default where there are any) or with containers"},
    {"sort", 's', ARG_TEXT, INTO(sort), NULL, "COLUMN",
     "sort by the column of that title (default: USED)"},
    {"reverse", 'r', ARG_FLAG, INTO(reverse), NULL, NULL, "sort the other way round"},
    {"filter", 'f', ARG_TEXT, INTO(filter), NULL, "TEXT", "only what has TEXT in its name"},
};
/* clang-format on */
static const struct arg_rows rows = ARG_ROWS(table, "Options");

/* ---- the command line ---- */

static int find_column(const struct args *args, unsigned *ret_column, struct sub_err *err)
{
    OWNED_BUF titles = BUF(4096);

    for (unsigned i = 0; i < top_column_count; i++) {
        if (strcasecmp(top_columns[i].title, args->sort) == 0) {
            *ret_column = i;
            return 0;
        }
        buf_printf(&titles, "%s%s", i == 0 ? "" : " ", top_columns[i].title);
    }
    return args_refuse(args, err, "option '--sort': '%.40s' is none of %s", args->sort,
                       buf_text(&titles));
}

static int make_look(const struct args *args, struct top_look *look, struct sub_err *err)
{
    *look = (struct top_look){
        .containers = args->by == BY_CONTAINER || args->operand_count > 0,
        .sort = top_column_of(TOP_USED),
        .reverse = args->reverse,
        .interval_us = args->interval_us == ARGS_NONE_U64 ? INTERVAL_US : args->interval_us,
        .iterations = args->iterations == ARGS_NONE_U64 ? 0 : args->iterations,
    };
    if (look->interval_us < INTERVAL_MIN_US)
        return args_refuse(args, err, "'--delay' must be at least 10ms");
    if (args->iterations == 0)
        return args_refuse(args, err, "'--iterations' must be at least 1");
    if (args->width != 0 && (!args->batch || args->width < WIDTH_MIN))
        return args_refuse(args, err, "'--width' needs '--batch', and at least %d", WIDTH_MIN);
    if (args->sort != NULL)
        SUBLET_TRY(find_column(args, &look->sort, err));
    if (args->operand_count > 0)
        (void) snprintf(look->tenant, sizeof look->tenant, "%s", args->operands[0]);
    if (args->filter != NULL)
        (void) snprintf(look->filter, sizeof look->filter, "%s", args->filter);
    return 0;
}

/* ---- batch ---- */

/* 1: a signal to end has come. */
static int wait_interval(int signal_fd, uint64_t interval_us, struct sub_err *err)
{
    struct pollfd wait = {.fd = signal_fd, .events = POLLIN};
    int rc = sys_poll(&wait, 1, (int) (interval_us / 1000));

    if (rc < 0 && rc != -ETIMEDOUT)
        return sub_fail(err, -rc, NULL, "poll: %s", sub_strerror(-rc));
    return rc != -ETIMEDOUT;
}

static int print_table(const struct top_look *look, const struct top_world *world, unsigned width,
                       bool first, struct sub_err *err)
{
    OWNED_BUF text = BUF(TABLE_MAX);

    if (!first)
        buf_putc(&text, '\n');
    top_table(look, top_world_rows(world), width, &text);
    return say_result(&text, err);
}

/* The first look has no rates: a table is of the time between two. */
static int batch(const struct call *call, struct top_look *look, struct sub_err *err)
{
    static const int signals[] = {SIGTERM, SIGINT, 0};
    OWNED_TOP_WORLD *world = NULL;

    SUBLET_TRY(top_world_open(call, &world, err));
    if (call->args->by == BY_ANY && top_world_has_no_tenants(world))
        look->containers = true;
    OWNED_FD signal_fd = sys_signals_open(signals);
    SUBLET_TRY(signal_fd);
    SUBLET_TRY(top_world_look(world, err));
    for (uint64_t i = 0; look->iterations == 0 || i < look->iterations; i++) {
        int rc = wait_interval(signal_fd, look->interval_us, err);

        if (rc != 0)
            return rc < 0 ? rc : 0;
        SUBLET_TRY(top_world_look(world, err));
        SUBLET_TRY(print_table(look, world, call->args->width, i == 0, err));
    }
    return 0;
}

static int top_body(const struct call *call, struct sub_err *err)
{
    struct top_look look;

    SUBLET_TRY(make_look(call->args, &look, err));
    account_raise_files();
    if (call->args->batch)
        return batch(call, &look, err);
    if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)
        return sub_fail(err, ENOTTY, NULL,
                        "standard input and output are no terminal; '--batch' needs none");
    look.any = call->args->by == BY_ANY;
    return top_interactive(call, &look, err);
}

const struct command command_top = {
    .name = "top",
    .summary = "show what tenants and containers use, borrow and wait for, as it happens",
    .usage = "[OPTION...] [TENANT]",
    .rows = {&rows, &rows_help},
    .operands_max = 1,
    .failure = 1,
    .body = top_body,
};
