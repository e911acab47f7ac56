/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/run.h"

#include "bundle.h"
#include "command.h"
#include "final.h"
#include "process.h"
#include "say.h"
#include "target.h"

static const struct word nets[] = {
    {"none",    ARGS_NET_PRIVATE},
    {"host",    ARGS_NET_HOST   },
    {"private", ARGS_NET_PRIVATE},
};
static const struct words net_words = WORDS(nets);

/* It would pad every text to the length of the longest. */
/* clang-format off */
static const struct arg_row wait_table[] = {
    {"detach", 'd', ARG_FLAG, INTO(detach), NULL, NULL,
     "return as soon as the container's process runs"},
    {"keep", 0, ARG_FLAG, INTO(keep), NULL, NULL, "do not delete the container when it has ended"},
    {"report", 0, ARG_FILE, INTO(report), NULL, "FILE",
     "write what the container used to FILE, as JSON, when it has ended"},
    {"assert", 0, ARG_LIST, INTO(asserts), NULL, "EXPR",
     "end with status 124 if the command succeeded but used more: 'memory.peak<=64M', "
     "'cpu.throttled==0', 'cpu.usage<50%'; may be repeated"},
};
static const struct arg_rows wait_rows = ARG_ROWS(wait_table, "Options");

static const struct arg_row bundleless_table[] = {
    {"rootfs", 0, ARG_DIR, INTO(rootfs), NULL, "DIR",
     "run CMD with DIR as its root, which it may change; --overlay makes a root as well"},
    {"name", 0, ARG_TEXT, INTO(name), NULL, "ID", "ID of the container (default: made up)"},
    {"hostname", 0, ARG_TEXT, INTO(hostname), NULL, "NAME", "host name (default: the ID)"},
    {"cpu", 0, ARG_TEXT, INTO(cpu), NULL, "SPEC",
     "at most N CPUs: 'N' as '0.5' or '2'; 'fixed N [burst TIME]' or 'elastic N [ceiling M] [burst "
     "TIME]' with a share by N besides"},
    {"memory", 0, ARG_SIZE, INTO(memory_bytes), NULL, "SIZE",
     "at most SIZE bytes of main memory, as '64M' or '2G'"},
    {"swap", 0, ARG_SIZE, INTO(swap_bytes), NULL, "SIZE",
     "at most SIZE bytes of swap, beside the memory"},
    {"io", 0, ARG_LIST, INTO(io), NULL, "PATH=RATE[,RATE...]",
     "slow reads and writes of the disk behind PATH to RATE: '50MB/s', '500iops', 'read:10MB/s'"},
    {"pids", 0, ARG_U64, INTO(pids), NULL, "N", "at most N processes and threads"},
    {"net", 0, ARG_WORD, INTO(net), &net_words, NULL,
     "a network of its own with the loopback device alone ('none', 'private'; the default), or "
     "the host's"},
    {"env", 'e', ARG_LIST, INTO(env), NULL, "NAME=VALUE", "set a variable of CMD's environment"},
    {"cwd", 0, ARG_TEXT, INTO(cwd), NULL, "DIR", "folder CMD starts in (default: /)"},
    {"user", 'u', ARG_TEXT, INTO(user), NULL, "UID[:GID]", "whom CMD runs as (default: 0:0)"},
    {"tty", 't', ARG_FLAG, INTO(tty), NULL, NULL, "give CMD a terminal"},
};
static const struct arg_rows bundleless_rows = ARG_ROWS(bundleless_table, "Without a bundle");
/* clang-format on */

/* --overlay alone makes a root; with --bundle or --config it changes the bundle's. */
static bool is_bundleless(const struct args *args)
{
    return args->rootfs != NULL ||
           (args->overlay != NULL && args->bundle == NULL && args->config == NULL);
}

static int check_bundleless(const struct args *args, struct sub_err *err)
{
    if (args->rootfs != NULL && args->overlay != NULL)
        return args_refuse(args, err, "options '--rootfs' and '--overlay' exclude each other");
    if (args->bundle != NULL || args->config != NULL)
        return args_refuse(args, err, "option '--rootfs' goes without a bundle");
    if (args->operand_count == 0)
        return args_refuse(args, err, "a command to run is missing");
    return 0;
}

static int check_bundle(const struct args *args, struct sub_err *err)
{
    for (size_t i = 0; i < bundleless_rows.count; i++) {
        if (arg_is_given(args, &bundleless_rows.items[i])) {
            return args_refuse(args, err,
                               "option '--%s' needs '--rootfs' or '--overlay' and no bundle",
                               bundleless_rows.items[i].name);
        }
    }
    if (args->operand_count == 0)
        return args_refuse(args, err, "'run' lacks an operand");
    if (args->operand_count > 1)
        return args_refuse(args, err, "'run' has an operand too many: '%.80s'", args->operands[1]);
    return 0;
}

static int make_up_id(struct arena *arena, const char **ret_id, struct sub_err *err)
{
    uint64_t number;
    const char *id;

    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return sub_fail(err, EIO, NULL, "no random number for an ID: give one by --name");
    id = arena_printf(arena, "run-%012llx", (unsigned long long) (number & 0xffffffffffff));
    *ret_id = id;
    return id == NULL ? -ENOMEM : 0;
}

static int choose_id(const struct call *call, bool bundleless, const char **ret_id,
                     struct sub_err *err)
{
    const char *id = bundleless ? call->args->name : call->args->operands[0];

    if (id == NULL)
        return make_up_id(call->arena, ret_id, err);
    SUBLET_TRY(id_check(id, err));
    *ret_id = id;
    return 0;
}

static int run_plan(const struct call *call, const struct bundle *bundle, struct final *final,
                    struct sub_err *err)
{
    struct run_request request = {
        .arena = call->arena,
        .plan = bundle->plan,
        .config_text = buf_text(&bundle->config),
        .config_size = bundle->config.length,
        .pid_file = call->args->pid_file,
        .pidfd_socket = call->args->pidfd_socket,
        .detach = call->args->detach,
        .keep = call->args->keep,
        .final = final_is_wanted(final) ? &final->account : NULL,
    };
    struct sub_err warn = {0};
    int status;

    SUBLET_TRY(target_root(call, &request.state_root, err));
    SUBLET_TRY(target_ledger(call, &request.ledger, err));

    int rc = run_run(&request, &status, &warn, err);
    if (warn.code != 0)
        say_warning(warn.path, warn.text);
    ledger_tell(request.ledger);
    if (rc == 0)
        return final_tell(final, bundle->plan->id, status, err);
    say_error(err);
    return program_failure(err);
}

static int run_body(const struct call *call, struct sub_err *err)
{
    const struct args *args = call->args;
    bool bundleless = is_bundleless(args);
    OWNED_BUNDLE bundle = {0};
    OWNED_FINAL final = FINAL_NONE;
    const char *id = NULL;
    int rc;

    SUBLET_TRY(final_open(call, &final, err));
    SUBLET_TRY(bundleless ? check_bundleless(args, err) : check_bundle(args, err));
    SUBLET_TRY(choose_id(call, bundleless, &id, err));
    rc = bundleless ? bundle_invent(call, id, &bundle, err) : bundle_load(call, id, &bundle, err);
    say_warnings(&bundle.findings);
    if (rc < 0)
        bundle_mention_more(&bundle, err);
    SUBLET_TRY(rc);
    return run_plan(call, &bundle, &final, err);
}

const struct command command_run = {
    .name = "run",
    .summary = "make a container, start it, wait for its end and delete it; without a bundle: run "
               "a command in a container",
    .usage = "[OPTION...] ID\n[OPTION...] --rootfs DIR [--] CMD [ARG...]\n"
             "[OPTION...] --overlay LOWER[:LOWER...] [--] CMD [ARG...]",
    .rows = {&rows_bundle, &rows_start, &wait_rows, &rows_help, &bundleless_rows},
    .operands_max = OPERANDS_ANY,
    .operand = OPERAND_COMMAND,
    .stops_at_operand = true,
    .failure = STATUS_FAILURE,
    .body = run_body,
};
