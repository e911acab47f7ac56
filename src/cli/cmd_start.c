/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/err.h"
#include "sublet/run.h"

#include "bundle.h"
#include "command.h"
#include "target.h"

static int start_body(const struct call *call, struct sub_err *err)
{
    struct run_target target;

    SUBLET_TRY(target_make(call, &target, err));
    int rc = run_start(&target, notify_socket(), err);
    ledger_tell(target.ledger);
    return rc;
}

const struct command command_start = {
    .name = "start",
    .summary = "start the process of a created container",
    .usage = "ID",
    .rows = {&rows_help},
    .operands_min = 1,
    .operands_max = 1,
    .operand = OPERAND_ID,
    .failure = 1,
    .body = start_body,
};
