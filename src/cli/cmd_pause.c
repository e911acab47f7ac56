/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/err.h"
#include "sublet/run.h"

#include "command.h"
#include "target.h"

static int pause_body(const struct call *call, struct sub_err *err)
{
    struct run_target target;

    SUBLET_TRY(target_make(call, &target, err));
    return run_pause(&target, err);
}

const struct command command_pause = {
    .name = "pause",
    .summary = "freeze every process of a container until it is resumed",
    .usage = "ID",
    .rows = {&rows_help},
    .operands_min = 1,
    .operands_max = 1,
    .operand = OPERAND_ID,
    .failure = 1,
    .body = pause_body,
};
