/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "sublet/base/err.h"
#include "sublet/run.h"

#include "command.h"
#include "target.h"

static const struct arg_row table[] = {
    {"all", 'a', ARG_FLAG, INTO(all), NULL, NULL,
     "signal every process of the container, not only its first one"},
};
static const struct arg_rows rows = ARG_ROWS(table, "Options");

static int kill_body(const struct call *call, struct sub_err *err)
{
    struct run_target target;
    int signal = SIGTERM;

    SUBLET_TRY(target_make(call, &target, err));
    if (call->args->operand_count > 1)
        SUBLET_TRY(signal_parse(call->args->operands[1], &signal, err));
    return run_kill(&target, signal, call->args->all, err);
}

const struct command command_kill = {
    .name = "kill",
    .summary = "send a signal (default: TERM) to a container, by number or name",
    .usage = "[OPTION...] ID [SIGNAL]",
    .rows = {&rows, &rows_help},
    .operands_min = 1,
    .operands_max = 2,
    .operand = OPERAND_ID,
    .failure = 1,
    .body = kill_body,
};
