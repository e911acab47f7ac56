/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/err.h"
#include "sublet/run.h"

#include "bundle.h"
#include "command.h"
#include "say.h"
#include "target.h"

static int create_body(const struct call *call, struct sub_err *err)
{
    const struct args *args = call->args;
    OWNED_BUNDLE bundle = {0};
    struct run_target target;
    struct run_request request;
    int rc;

    SUBLET_TRY(target_make(call, &target, err));
    rc = bundle_load(call, target.id, &bundle, err);
    say_warnings(&bundle.findings);
    if (rc < 0)
        bundle_mention_more(&bundle, err);
    SUBLET_TRY(rc);

    request = (struct run_request){
        .arena = call->arena,
        .plan = bundle.plan,
        .state_root = target.state_root,
        .config_text = buf_text(&bundle.config),
        .config_size = bundle.config.length,
        .pid_file = args->pid_file,
        .pidfd_socket = args->pidfd_socket,
    };
    return run_create(&request, err);
}

const struct command command_create = {
    .name = "create",
    .summary = "make a container from a bundle; its process waits for 'start'",
    .usage = "[OPTION...] ID",
    .rows = {&rows_bundle, &rows_start, &rows_help},
    .operands_min = 1,
    .operands_max = 1,
    .failure = 1,
    .body = create_body,
};
