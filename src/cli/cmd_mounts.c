/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/warn.h"
#include "sublet/run.h"
#include "sublet/spec.h"

#include "bundle.h"
#include "command.h"
#include "say.h"
#include "target.h"

static int read_mounts(const struct call *call, struct findings *findings,
                       struct spec_mounts *ret_mounts, struct sub_err *err)
{
    const char *name = call->args->operands[2];
    OWNED_MEM char *text = NULL;
    size_t size = 0;

    SUBLET_TRY(sub_load_file_at(AT_FDCWD, name, SPEC_MAX_BYTES, &text, &size, err));
    return spec_parse_mounts(call->arena, name, text, findings, ret_mounts, err);
}

static int mounts_body(const struct call *call, struct sub_err *err)
{
    const struct args *args = call->args;
    bool add = strcmp(args->operands[0], "add") == 0;
    struct run_target target = {.arena = call->arena, .id = args->operands[1]};
    struct findings findings;
    struct spec_mounts list;
    struct run_mounts mounts = {.mounts = &list};

    if (!add && strcmp(args->operands[0], "remove") != 0)
        return args_refuse(args, err, "'%.80s' is neither 'add' nor 'remove'", args->operands[0]);
    SUBLET_TRY(id_check(target.id, err));
    SUBLET_TRY(target_root(call, &target.state_root, err));
    findings_init(&findings, call->arena);
    SUBLET_TRY(read_mounts(call, &findings, &list, err));
    if (!add)
        return run_mounts_remove(&target, &list, err);

    SUBLET_TRY(absolute_path(call->arena, ".", &mounts.folder, err));
    int rc = run_mounts_add(&target, &mounts, &findings, err);
    say_warnings(&findings);
    return rc;
}

const struct command command_mounts = {
    .name = "mounts",
    .summary = "add mounts to a running container, or remove what was added",
    .usage = "add ID FILE\nremove ID FILE",
    .rows = {&rows_help},
    .operands_min = 3,
    .operands_max = 3,
    .failure = 1,
    .body = mounts_body,
};
