/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "sublet/base/buf.h"
#include "sublet/base/err.h"

#include "bundle.h"
#include "command.h"
#include "say.h"

#define PLAN_TEXT_MAX ((size_t) 64 << 20)

static const struct arg_row table[] = {
    {"json", 0, ARG_FLAG, INTO(json), NULL, NULL, "print the plan as JSON"},
};
static const struct arg_rows rows = ARG_ROWS(table, "Options");

static void tell_errors(const struct findings *findings)
{
    struct sub_err err;

    for (size_t i = 0; i < findings->error_count && i < FINDINGS_MAX; i++) {
        sub_err_clear(&err);
        (void) sub_fail(&err, EINVAL, findings->errors[i].path, "%s", findings->errors[i].text);
        say_error(&err);
    }
    if (findings->error_count > FINDINGS_MAX) {
        sub_err_clear(&err);
        (void) sub_fail(&err, EINVAL, NULL, "%zu more errors",
                        findings->error_count - FINDINGS_MAX);
        say_error(&err);
    }
}

static int plan_body(const struct call *call, struct sub_err *err)
{
    const struct args *args = call->args;
    OWNED_BUNDLE bundle = {0};
    OWNED_BUF text = BUF(PLAN_TEXT_MAX);
    int rc;

    rc = bundle_load(call, args->operand_count > 0 ? args->operands[0] : "plan", &bundle, err);
    say_warnings(&bundle.findings);
    if (rc == -EINVAL && bundle.findings.error_count > 0) {
        tell_errors(&bundle.findings);
        return call->args->command->failure;
    }
    SUBLET_TRY(rc);
    SUBLET_TRY(args->json ? plan_show_json(bundle.plan, &text)
                          : plan_show_text(bundle.plan, &text));
    return say_result(&text, err);
}

const struct command command_plan = {
    .name = "plan",
    .summary = "check a bundle and print every decision a start would take, touching nothing",
    .usage = "[OPTION...] [ID]",
    .rows = {&rows_bundle, &rows, &rows_help},
    .operands_max = 1,
    .failure = 1,
    .body = plan_body,
};
