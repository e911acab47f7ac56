/* SPDX-License-Identifier: Apache-2.0 */
/* Completion scripts for bash and zsh, written from the rows. */
#include <string.h>

#include "sublet/base/buf.h"

#include "command.h"
#include "texts.h"

static bool is_shown(const struct command *command)
{
    return !command->hidden;
}

/* --- bash ----------------------------------------------------------------------------------- */

static const char bash_head[] =
    "# bash completion for sublet; written by 'sublet __complete bash'\n"
    "_sublet_words()\n"
    "{\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\")\n"
    "}\n"
    "\n"
    "_sublet_files()\n"
    "{\n"
    "    compopt -o filenames\n"
    "    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n"
    "}\n"
    "\n"
    "_sublet()\n"
    "{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local command='' root=() i\n"
    "\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        case ${COMP_WORDS[i]} in\n"
    "        --root) root=(--root \"${COMP_WORDS[i+1]}\"); ((i++)) ;;\n";

static const char bash_values[] = "        -*) ;;\n"
                                  "        *) command=${COMP_WORDS[i]}; break ;;\n"
                                  "        esac\n"
                                  "    done\n"
                                  "\n"
                                  "    case $command:$prev in\n";

static const char bash_tail[] = "    esac\n"
                                "    return 0\n"
                                "}\n"
                                "complete -F _sublet sublet\n";

/* "command:--name", "command:-n": the word before a value. */
static void bash_pattern(struct buf *buf, const struct command *command, const struct arg_row *row)
{
    const char *name = command == NULL ? "" : command->name;

    if (row->name != NULL)
        buf_printf(buf, "    %s:--%s", name, row->name);
    if (row->letter != 0)
        buf_printf(buf, "%s%s:-%c", row->name == NULL ? "    " : " | ", name, row->letter);
    buf_putc(buf, ')');
}

static void bash_value(struct buf *buf, const struct command *command, const struct arg_row *row)
{
    bash_pattern(buf, command, row);
    if (row->words != NULL) {
        buf_puts(buf, " _sublet_words '");
        for (size_t i = 0; i < row->words->count; i++)
            buf_printf(buf, "%s%s", i > 0 ? " " : "", row->words->rows[i].name);
        buf_puts(buf, "'; return 0 ;;\n");
    } else if (row->kind == ARG_FILE) {
        buf_puts(buf, " _sublet_files -f; return 0 ;;\n");
    } else if (row->kind == ARG_DIR) {
        buf_puts(buf, " _sublet_files -d; return 0 ;;\n");
    } else {
        buf_puts(buf, " return 0 ;;\n");
    }
}

static void bash_values_of(struct buf *buf, const struct command *command)
{
    const struct arg_row *row;

    for (size_t i = 0; (row = command_row(command, i)) != NULL; i++) {
        if (arg_takes_value(row))
            bash_value(buf, command, row);
    }
}

/* The options a person would choose from: shown ones that have an effect. */
static void bash_options_of(struct buf *buf, const struct command *command)
{
    const struct arg_row *row;

    buf_printf(buf, "    %s:-*) _sublet_words '", command == NULL ? "" : command->name);
    for (size_t i = 0; (row = command_row(command, i)) != NULL; i++) {
        if (row->help != NULL && row->kind != ARG_IGNORED)
            buf_printf(buf, "%s--%s", i > 0 ? " " : "", row->name);
    }
    buf_puts(buf, "' ;;\n");
}

static void bash_operands_of(struct buf *buf, const struct command *command)
{
    static const char ids[] = "$(sublet \"${root[@]}\" list --quiet 2>/dev/null)";

    if (command->operand == OPERAND_ID)
        buf_printf(buf, "    %s:*) _sublet_words \"%s\" ;;\n", command->name, ids);
}

void bash_completion(struct buf *buf)
{
    const struct arg_row *row;

    buf_puts(buf, bash_head);
    for (size_t i = 0; (row = command_row(NULL, i)) != NULL; i++) {
        if (arg_takes_value(row) && strcmp(row->name, "root") != 0)
            buf_printf(buf, "        --%s) ((i++)) ;;\n", row->name);
    }
    buf_puts(buf, bash_values);
    bash_values_of(buf, NULL);
    for (size_t i = 0; i < command_count; i++) {
        if (is_shown(commands[i]))
            bash_values_of(buf, commands[i]);
    }
    buf_puts(buf, "    esac\n\n    case $command:$cur in\n");
    bash_options_of(buf, NULL);
    buf_puts(buf, "    :*) _sublet_words '");
    for (size_t i = 0; i < command_count; i++) {
        if (is_shown(commands[i]))
            buf_printf(buf, "%s%s", i > 0 ? " " : "", commands[i]->name);
    }
    buf_puts(buf, "' ;;\n");
    for (size_t i = 0; i < command_count; i++) {
        if (is_shown(commands[i]))
            bash_options_of(buf, commands[i]);
    }
    for (size_t i = 0; i < command_count; i++)
        bash_operands_of(buf, commands[i]);
    buf_puts(buf, bash_tail);
}

/* --- zsh ------------------------------------------------------------------------------------ */

static const char zsh_head[] =
    "#compdef sublet\n"
    "# zsh completion for sublet; written by 'sublet __complete zsh'\n"
    "_sublet_ids()\n"
    "{\n"
    "    local -a ids root\n"
    "    [[ -n ${opt_args[--root]} ]] && root=(--root ${opt_args[--root]})\n"
    "    ids=(${(f)\"$(sublet $root list --quiet 2>/dev/null)\"})\n"
    "    compadd -a ids\n"
    "}\n"
    "\n"
    "_sublet()\n"
    "{\n"
    "    local curcontext=$curcontext state line\n"
    "    typeset -A opt_args\n"
    "\n";

/* Help text inside '...[here]': quotes and brackets mean something to zsh. */
static void zsh_text(struct buf *buf, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            buf_puts(buf, "'\\''");
        else if (strchr("[]:\\", *text) != NULL)
            buf_printf(buf, "\\%c", *text);
        else
            buf_putc(buf, *text);
    }
}

static void zsh_value(struct buf *buf, const struct arg_row *row)
{
    buf_printf(buf, ":%s:", row->name);
    if (row->words != NULL) {
        buf_putc(buf, '(');
        for (size_t i = 0; i < row->words->count; i++)
            buf_printf(buf, "%s%s", i > 0 ? " " : "", row->words->rows[i].name);
        buf_putc(buf, ')');
    } else if (row->kind == ARG_FILE) {
        buf_puts(buf, "_files");
    } else if (row->kind == ARG_DIR) {
        buf_puts(buf, "_files -/");
    }
}

static void zsh_option(struct buf *buf, const struct arg_row *row)
{
    const char *value = arg_takes_value(row) ? "=" : "", *again = row->kind == ARG_LIST ? "*" : "";

    if (row->letter != 0 && *again == '\0')
        buf_printf(buf, " \\\n        '(-%c --%s)'{-%c%s,--%s%s}'[", row->letter, row->name,
                   row->letter, *value == '\0' ? "" : "+", row->name, value);
    else
        buf_printf(buf, " \\\n        '%s--%s%s[", again, row->name, value);
    zsh_text(buf, row->help);
    buf_putc(buf, ']');
    if (*value != '\0')
        zsh_value(buf, row);
    buf_putc(buf, '\'');
}

static void zsh_options_of(struct buf *buf, const struct command *command)
{
    const struct arg_row *row;

    for (size_t i = 0; (row = command_row(command, i)) != NULL; i++) {
        if (row->help != NULL && row->kind != ARG_IGNORED)
            zsh_option(buf, row);
    }
}

static void zsh_commands(struct buf *buf)
{
    buf_puts(buf, "    command)\n        local -a commands=(");
    for (size_t i = 0; i < command_count; i++) {
        if (!is_shown(commands[i]))
            continue;
        buf_printf(buf, "\n            '%s:", commands[i]->name);
        zsh_text(buf, commands[i]->summary);
        buf_putc(buf, '\'');
    }
    buf_puts(buf, ")\n        _describe command commands ;;\n");
}

void zsh_completion(struct buf *buf)
{
    static const char *const operands[] = {
        [OPERAND_NONE] = "",
        [OPERAND_ID] = " \\\n        '*:container:_sublet_ids'",
        [OPERAND_COMMAND] = " \\\n        '*::command line:_normal'",
    };

    buf_puts(buf, zsh_head);
    buf_puts(buf, "    _arguments -C");
    zsh_options_of(buf, NULL);
    buf_puts(buf, " \\\n        '1:command:->command' '*::argument:->argument'\n\n"
                  "    case $state in\n");
    zsh_commands(buf);
    buf_puts(buf, "    argument)\n        case $words[1] in\n");
    for (size_t i = 0; i < command_count; i++) {
        if (!is_shown(commands[i]))
            continue;
        buf_printf(buf, "    %s) _arguments", commands[i]->name);
        zsh_options_of(buf, commands[i]);
        buf_printf(buf, "%s ;;\n", operands[commands[i]->operand]);
    }
    buf_puts(buf, "        esac ;;\n    esac\n}\n\n_sublet \"$@\"\n");
}
