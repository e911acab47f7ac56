/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/err.h"
#include "sublet/run.h"

#include "command.h"
#include "say.h"
#include "target.h"

static const struct arg_row table[] = {
    {"force", 'f', ARG_FLAG, INTO(force), NULL, NULL,
     "kill what still runs; a container that does not exist is no error"},
};
static const struct arg_rows rows = ARG_ROWS(table, "Options");

static int delete_body(const struct call *call, struct sub_err *err)
{
    struct sub_err warn = {0};
    struct run_target target;
    int rc;

    SUBLET_TRY(target_make(call, &target, err));
    rc = run_delete(&target, call->args->force, &warn, err);
    if (warn.code != 0)
        say_warning(warn.path, warn.text);
    ledger_tell(target.ledger);
    return rc;
}

const struct command command_delete = {
    .name = "delete",
    .summary = "remove a stopped container",
    .usage = "[OPTION...] ID",
    .rows = {&rows, &rows_help},
    .operands_min = 1,
    .operands_max = 1,
    .operand = OPERAND_ID,
    .failure = 1,
    .body = delete_body,
};
