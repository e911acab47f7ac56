/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/buf.h"
#include "sublet/base/err.h"
#include "sublet/run.h"

#include "command.h"
#include "say.h"
#include "target.h"

static int state_body(const struct call *call, struct sub_err *err)
{
    struct run_target target;
    struct run_info info;
    OWNED_BUF text = BUF(TARGET_TEXT_MAX);

    SUBLET_TRY(target_make(call, &target, err));
    SUBLET_TRY(run_info(&target, &info, err));
    SUBLET_TRY(run_state_json(&info, 2, &text));
    buf_putc(&text, '\n');
    return say_result(&text, err);
}

const struct command command_state = {
    .name = "state",
    .summary = "print the state of a container as JSON",
    .usage = "ID",
    .rows = {&rows_help},
    .operands_min = 1,
    .operands_max = 1,
    .operand = OPERAND_ID,
    .failure = 1,
    .body = state_body,
};
