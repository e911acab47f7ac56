/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that several commands share, and the table of commands. */
#include <string.h>

#include "sublet/plan/options.h"

#include "args.h"
#include "command.h"

static const struct word log_formats[] = {
    {"text", LOG_TEXT},
    {"json", LOG_JSON},
};
static const struct word log_levels[] = {
    {"error",   LOG_LEVEL_ERROR  },
    {"warning", LOG_LEVEL_WARNING},
    {"debug",   LOG_LEVEL_DEBUG  },
};
static const struct word managers[] = {
    {"cgroupfs", OPTION_CGROUPFS},
    {"systemd",  OPTION_SYSTEMD },
    {"disabled", OPTION_DISABLED},
};
static const struct word truths[] = {
    {"true",  1},
    {"false", 0},
    {"auto",  2},
};
static const struct words log_format_words = WORDS(log_formats);
static const struct words log_level_words = WORDS(log_levels);
static const struct words manager_words = WORDS(managers);
static const struct words truth_words = WORDS(truths);
static const struct words debug_word = {&log_levels[2], 1};
static const struct words systemd_word = {&managers[1], 1};

/* It would pad every text to the length of the longest. */
/* clang-format off */
static const struct arg_row global_table[] = {
    {"root", 0, ARG_DIR, INTO(root), NULL, "DIR",
     "keep the states of containers in DIR (default: /run/sublet; not root: "
     "$XDG_RUNTIME_DIR/sublet)"},
    {"ledger", 0, ARG_DIR, INTO(ledger), NULL, "DIR",
     "keep the accounts of tenants and containers in DIR (default: /var/log/sublet)"},
    {"tenants", 0, ARG_DIR, INTO(tenants), NULL, "DIR",
     "read the definitions of tenants in DIR (default: /etc/sublet/tenants)"},
    {"log", 0, ARG_FILE, INTO(log), NULL, "DEST",
     "log to a file (FILE or file:FILE), to the journal (journald:ID) or to syslog (syslog:ID) "
     "instead of standard error; errors are told on standard error as well"},
    {"log-format", 0, ARG_WORD, INTO(log_format), &log_format_words, NULL,
     "lines of text (default) or one JSON object a line"},
    {"log-level", 0, ARG_WORD, INTO(log_level), &log_level_words, NULL,
     "how much is logged (default: warning, with JSON error)"},
    {"debug", 0, ARG_SET, INTO(log_level), &debug_word, NULL, "the same as --log-level debug"},
    {"cgroup-manager", 0, ARG_WORD, INTO(cgroup_manager), &manager_words, NULL,
     "who makes the cgroups: sublet itself (default); systemd, as a scope for each container; or "
     "nobody"},
    {"systemd-cgroup", 0, ARG_SET, INTO(cgroup_manager), &systemd_word, NULL,
     "the same as --cgroup-manager systemd"},
    {"rootless", 0, ARG_IGNORED, 0, &truth_words, NULL,
     "no effect, containerd sends it: sublet looks itself whether it has root's powers"},
    {"version", 'v', ARG_FLAG, INTO(version), NULL, NULL,
     "print version, commit, specification and features"},
    {NULL, 'V', ARG_FLAG, INTO(version), NULL, NULL, NULL},
};
const struct arg_rows rows_global = ARG_ROWS(global_table, "Options");

static const struct arg_row help_table[] = {
    {"help", 'h', ARG_FLAG, INTO(help), NULL, NULL, "print this help"},
};
const struct arg_rows rows_help = ARG_ROWS(help_table, "Options");

static const struct arg_row bundle_table[] = {
    {"bundle", 'b', ARG_DIR, INTO(bundle), NULL, "DIR",
     "folder of the bundle (default: the current one)"},
    {"tenant", 0, ARG_TEXT, INTO(tenant), NULL, "NAME",
     "whose container it is, and so which contract holds (default: the annotation "
     "'org.sublet.tenant', else 'default' where tenants are defined)"},
    {"config", 'f', ARG_FILE, INTO(config), NULL, "FILE",
     "configuration, relative to the bundle (default: config.json)"},
    {"overlay", 0, ARG_TEXT, INTO(overlay), NULL, "LOWER[:LOWER...]",
     "root of the container: these folders as read-only layers, the topmost first, below a "
     "writable one (a ':' in a name is written '\\:')"},
    {"upper", 0, ARG_DIR, INTO(upper), NULL, "DIR",
     "keep the overlay's writable layer in DIR (default: in memory, gone with the container)"},
};
const struct arg_rows rows_bundle = ARG_ROWS(bundle_table, "Options");

static const struct arg_row start_table[] = {
    {"pid-file", 0, ARG_FILE, INTO(pid_file), NULL, "FILE",
     "write the process id of the container's first process to FILE"},
    {"console-socket", 0, ARG_FILE, INTO(console_socket), NULL, "SOCKET",
     "send the terminal's master descriptor over this unix socket"},
    {"pidfd-socket", 0, ARG_FILE, INTO(pidfd_socket), NULL, "SOCKET",
     "send a pidfd of the container's first process over this unix socket"},
    {"preserve-fds", 0, ARG_U32, INTO(preserve_fds), NULL, "N",
     "hand N more descriptors, from 3 on, to the container"},
    {"no-pivot", 0, ARG_FLAG, INTO(no_pivot), NULL, NULL,
     "move the root in place of pivot_root(2), for a host that runs from an initramfs"},
    {"no-new-keyring", 0, ARG_FLAG, INTO(no_new_keyring), NULL, NULL,
     "keep the caller's session keyring"},
    {"no-subreaper", 0, ARG_IGNORED, 0, NULL, NULL,
     "no effect, containerd sends it: sublet never becomes a subreaper"},
};
const struct arg_rows rows_start = ARG_ROWS(start_table, "Options");
/* clang-format on */

const struct command *const commands[] = {
    &command_create,   &command_start,   &command_state,   &command_kill,   &command_delete,
    &command_mounts,   &command_run,     &command_exec,    &command_list,   &command_spec,
    &command_features, &command_plan,    &command_tenant,  &command_meter,  &command_report,
    &command_why,      &command_top,     &command_metrics, &command_ps,     &command_pause,
    &command_resume,   &command_update,  &command_stats,   &command_events, &command_man,
    &command_complete, &command_options,
};
const size_t command_count = sizeof commands / sizeof(void *);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

const struct arg_rows *command_rows(const struct command *command, size_t index)
{
    static const struct arg_rows *const global[COMMAND_ROWS_MAX] = {&rows_global, &rows_help};
    const struct arg_rows *const *rows = command == NULL ? global : command->rows;

    return index < COMMAND_ROWS_MAX ? rows[index] : NULL;
}

const struct arg_row *command_row(const struct command *command, size_t index)
{
    const struct arg_rows *rows;

    for (size_t i = 0; (rows = command_rows(command, i)) != NULL; i++) {
        if (index < rows->count)
            return &rows->items[index];
        index -= rows->count;
    }
    return NULL;
}
