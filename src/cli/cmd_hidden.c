/* SPDX-License-Identifier: Apache-2.0 */
/* What the build and the tests ask for: completion scripts, the manual's lists, all rows. */
#include <string.h>

#include "sublet/base/buf.h"
#include "sublet/base/err.h"

#include "command.h"
#include "say.h"
#include "texts.h"

static int complete_body(const struct call *call, struct sub_err *err)
{
    const char *shell = call->args->operands[0];
    OWNED_BUF text = BUF(TEXTS_MAX_BYTES);

    if (strcmp(shell, "bash") == 0)
        bash_completion(&text);
    else if (strcmp(shell, "zsh") == 0)
        zsh_completion(&text);
    else
        return args_refuse(call->args, err, "no completion for '%.64s': bash or zsh", shell);
    return say_result(&text, err);
}

/* "sublet" is the program itself. */
static int man_body(const struct call *call, struct sub_err *err)
{
    const char *name = call->args->operands[0];
    const struct command *command = command_find(name);
    OWNED_BUF text = BUF(TEXTS_MAX_BYTES);

    if (command == NULL && strcmp(name, "sublet") != 0)
        return args_refuse(call->args, err, "unknown command '%.64s'", name);
    man_options(&text, command);
    return say_result(&text, err);
}

static int options_body(const struct call *call, struct sub_err *err)
{
    OWNED_BUF text = BUF(TEXTS_MAX_BYTES);

    (void) call;
    options_json(&text);
    return say_result(&text, err);
}

const struct command command_complete = {
    .name = "__complete",
    .summary = "print the completion script of a shell",
    .usage = "bash|zsh",
    .rows = {&rows_help},
    .operands_min = 1,
    .operands_max = 1,
    .hidden = true,
    .failure = 1,
    .body = complete_body,
};

const struct command command_man = {
    .name = "__man",
    .summary = "print the options of a command (or of 'sublet') as mdoc",
    .usage = "COMMAND",
    .rows = {&rows_help},
    .operands_min = 1,
    .operands_max = 1,
    .hidden = true,
    .failure = 1,
    .body = man_body,
};

const struct command command_options = {
    .name = "__options",
    .summary = "print all options of all commands as JSON",
    .usage = "",
    .rows = {&rows_help},
    .hidden = true,
    .failure = 1,
    .body = options_body,
};
