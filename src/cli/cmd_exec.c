/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/base/warn.h"
#include "sublet/plan.h"
#include "sublet/run.h"
#include "sublet/tenant.h"

#include "command.h"
#include "process.h"
#include "say.h"
#include "target.h"

/* It would pad every text to the length of the longest. */
/* clang-format off */
static const struct arg_row table[] = {
    {"process", 'p', ARG_FILE, INTO(process), NULL, "FILE",
     "the process as JSON, like 'process' of config.json, in place of CMD"},
    {"tty", 't', ARG_FLAG, INTO(tty), NULL, NULL, "give the process a terminal"},
    {"console-socket", 0, ARG_FILE, INTO(console_socket), NULL, "SOCKET",
     "send the terminal's master descriptor over this unix socket"},
    {"detach", 'd', ARG_FLAG, INTO(detach), NULL, NULL,
     "return as soon as the program is executed"},
    {"pid-file", 0, ARG_FILE, INTO(pid_file), NULL, "FILE",
     "write the process id to FILE once the program is executed"},
    {"pidfd-socket", 0, ARG_FILE, INTO(pidfd_socket), NULL, "SOCKET",
     "send a pidfd of the process over this unix socket"},
    {"preserve-fds", 0, ARG_U32, INTO(preserve_fds), NULL, "N",
     "hand N more descriptors, from 3 on, to the process"},
    {"cwd", 0, ARG_TEXT, INTO(cwd), NULL, "DIR", "folder to start in"},
    {"env", 'e', ARG_LIST, INTO(env), NULL, "NAME=VALUE", "set a variable of the environment"},
    {"user", 'u', ARG_TEXT, INTO(user), NULL, "UID[:GID]",
     "whom to run as; without GID the group is 0, and there are no additional ones"},
    {"additional-gids", 'g', ARG_LIST, INTO(gids), NULL, "GID", "be a member of this group as well"},
    {"cap", 'c', ARG_LIST, INTO(caps), NULL, "CAP",
     "add a capability to the bounding, effective and permitted sets"},
    {"no-new-privs", 0, ARG_FLAG, INTO(no_new_privs), NULL, NULL,
     "the process can gain no privileges by executing a program"},
    {"apparmor", 0, ARG_TEXT, INTO(apparmor), NULL, "PROFILE", "confine the process by this AppArmor profile"},
    {"process-label", 0, ARG_TEXT, INTO(process_label), NULL, "LABEL",
     "give the process this SELinux label"},
    {"cgroup", 0, ARG_TEXT, INTO(cgroup), NULL, "PATH",
     "cgroup of the process, relative to the container's"},
    {"ignore-paused", 0, ARG_FLAG, INTO(ignore_paused), NULL, NULL,
     "in a paused container wait until it is resumed, instead of failing"},
};
/* clang-format on */
static const struct arg_rows rows = ARG_ROWS(table, "Options");

struct asked {
    const struct call *call;
    struct findings findings;
    struct spec_process process;
};

static int read_file(struct asked *asked, struct sub_err *err)
{
    const char *path = asked->call->args->process;
    OWNED_MEM char *text = NULL;
    struct spec_process *process;
    size_t size;

    SUBLET_TRY(sub_load_file_at(AT_FDCWD, path, SPEC_MAX_BYTES, &text, &size, err));
    SUBLET_TRY(
        spec_parse_process(asked->call->arena, path, text, size, &asked->findings, &process, err));
    asked->process = *process;
    return 0;
}

/* Of CMD: getopt stops at the ID, so that a "--" behind it is left to us. */
static size_t first_word(const struct args *args)
{
    return args->operand_count > 1 && strcmp(args->operands[1], "--") == 0 ? 2 : 1;
}

/* The container's own process, but for the program and the terminal. */
static void take_operands(struct asked *asked, const struct spec_process *own)
{
    const struct args *args = asked->call->args;
    size_t skip = first_word(args);

    asked->process = *own;
    asked->process.args = (struct spec_strings){(const char *const *) (args->operands + skip),
                                                args->operand_count - skip};
    asked->process.terminal = false;
    asked->process.console_size = NULL;
}

static int add_names(struct arena *arena, const struct arg_list *added, struct spec_strings *set)
{
    const char **items = arena_array(arena, set->count + added->count, sizeof *items);

    if (items == NULL)
        return -ENOMEM;
    if (set->count > 0)
        memcpy(items, set->items, set->count * sizeof *items);
    memcpy(items + set->count, added->items, added->count * sizeof *items);
    *set = (struct spec_strings){items, set->count + added->count};
    return 0;
}

/* Not inheritable: a file of the image could turn those into rights (CVE-2022-29162). */
static int add_caps(struct asked *asked, struct sub_err *err)
{
    struct arena *arena = asked->call->arena;
    const struct arg_list *added = &asked->call->args->caps;
    struct spec_capabilities *caps = arena_alloc(arena, sizeof *caps);

    for (size_t i = 0; i < added->count; i++) {
        if (words_find(&plan_capabilities, added->items[i]) == NULL)
            return sub_fail(err, ARGS_USAGE, "--cap",
                            "unknown capability '%.64s', names look like CAP_NET_RAW",
                            added->items[i]);
    }
    if (caps == NULL)
        return -ENOMEM;
    if (asked->process.capabilities != NULL)
        *caps = *asked->process.capabilities;
    SUBLET_TRY(add_names(arena, added, &caps->bounding));
    SUBLET_TRY(add_names(arena, added, &caps->effective));
    SUBLET_TRY(add_names(arena, added, &caps->permitted));
    asked->process.capabilities = caps;
    return 0;
}

static int add_gids(struct asked *asked, struct sub_err *err)
{
    const struct arg_list *added = &asked->call->args->gids;
    struct spec_u32s *groups = &asked->process.user.additional_gids;
    uint32_t *items = arena_array(asked->call->arena, groups->count + added->count, sizeof *items);

    if (items == NULL)
        return -ENOMEM;
    if (groups->count > 0)
        memcpy(items, groups->items, groups->count * sizeof *items);
    for (size_t i = 0; i < added->count; i++) {
        if (num_parse_u32(added->items[i], UINT32_MAX - 1, &items[groups->count + i]) < 0)
            return sub_fail(err, ARGS_USAGE, "--additional-gids",
                            "'%.64s': expected a group's number", added->items[i]);
    }
    *groups = (struct spec_u32s){items, groups->count + added->count};
    return 0;
}

static int change_user(struct asked *asked, struct sub_err *err)
{
    const struct args *args = asked->call->args;
    struct spec_user *user = &asked->process.user;

    if (args->user != NULL) {
        struct spec_user changed = {.has = user->has, .umask = user->umask};
        struct spec_user parsed;

        SUBLET_TRY(user_parse(args->user, &parsed, err));
        changed.uid = parsed.uid;
        changed.gid = parsed.gid;
        *user = changed;
    }
    return args->gids.count == 0 ? 0 : add_gids(asked, err);
}

static int apply_options(struct asked *asked, struct sub_err *err)
{
    const struct args *args = asked->call->args;
    struct spec_process *process = &asked->process;
    const struct spec_strings given = process->env;

    process->terminal = process->terminal || args->tty;
    process->no_new_privileges = process->no_new_privileges || args->no_new_privs;
    if (args->cwd != NULL)
        process->cwd = args->cwd;
    if (args->apparmor != NULL)
        process->apparmor_profile = args->apparmor;
    if (args->process_label != NULL)
        process->selinux_label = args->process_label;
    if (args->env.count > 0)
        SUBLET_TRY(env_add(asked->call->arena, &given, &args->env, &process->env, err));
    SUBLET_TRY(change_user(asked, err));
    return args->caps.count == 0 ? 0 : add_caps(asked, err);
}

static int describe(struct asked *asked, const struct spec_process *own, struct sub_err *err)
{
    if (asked->call->args->process == NULL)
        take_operands(asked, own);
    else
        spec_process_inherit(&asked->process, own);
    return apply_options(asked, err);
}

/* One that is not defined any more has no contract that could forbid something. */
static int read_tenant(const struct call *call, const char *name, struct host *host,
                       struct sub_err *err)
{
    const char *folder = call->args->tenants == NULL ? TENANT_DIR : call->args->tenants;
    struct tenant *tenant = arena_alloc(call->arena, sizeof *tenant);

    if (tenant == NULL)
        return -ENOMEM;
    int rc = tenant_find(call->arena, folder, name, &host->tenant_count, tenant, err);
    if (rc == 0)
        host->tenant = tenant;
    return rc == -ENOENT ? 0 : rc;
}

static int make_plan(struct asked *asked, const struct run_config *config,
                     const struct plan **ret_plan, struct sub_err *err)
{
    const struct args *args = asked->call->args;
    struct arena *arena = asked->call->arena;
    struct spec spec = *config->spec;
    const struct options options = {
        .id = args->operands[0],
        .bundle = "/",
        .console_socket = args->console_socket,
        .terminal_here = !args->detach && args->console_socket == NULL,
        .detached = args->detach,
        .preserve_fds = args->preserve_fds,
        .no_new_keyring = !config->keyring,
    };
    struct host host;

    spec.process = &asked->process;
    (void) spec_check_exec(&spec, &asked->findings); /* findings_result decides */
    SUBLET_TRY(host_read_for_exec(arena, &spec, &host, err));
    if (config->tenant != NULL)
        SUBLET_TRY(read_tenant(asked->call, config->tenant, &host, err));
    return plan_make_exec(arena, &options, &spec, &host, &asked->findings, ret_plan, err);
}

/* What create has said of the container itself is not said again. */
static void say_own_warnings(const struct findings *findings)
{
    for (size_t i = 0; i < findings->warning_count && i < FINDINGS_MAX; i++) {
        if (strncmp(findings->warnings[i].path, "process", 7) == 0)
            say_warning(findings->warnings[i].path, findings->warnings[i].text);
    }
}

static int run_it(const struct call *call, const struct run_target *target,
                  struct run_config *config, const struct plan *plan, struct sub_err *err)
{
    const struct args *args = call->args;
    const struct run_exec_request request = {
        .arena = call->arena,
        .plan = plan,
        .state_root = target->state_root,
        .id = target->id,
        .config = config,
        .pid_file = args->pid_file,
        .pidfd_socket = args->pidfd_socket,
        .cgroup = args->cgroup,
        .detach = args->detach,
        .ignore_paused = args->ignore_paused,
    };
    int status;

    if (run_exec(&request, &status, err) == 0)
        return status;
    say_error(err);
    return program_failure(err);
}

static int check_operands(const struct args *args, struct sub_err *err)
{
    if (args->process != NULL && args->operand_count > 1)
        return args_refuse(args, err, "option '--process' goes without a command: '%.80s'",
                           args->operands[1]);
    if (args->process == NULL && args->operand_count <= first_word(args))
        return args_refuse(args, err, "a command to run is missing");
    return 0;
}

static int exec_body(const struct call *call, struct sub_err *err)
{
    struct asked asked = {.call = call};
    struct run_target target;
    OWNED_RUN_CONFIG config = RUN_CONFIG_NONE;
    const struct plan *plan = NULL;

    SUBLET_TRY(check_operands(call->args, err));
    SUBLET_TRY(target_make(call, &target, err));
    findings_init(&asked.findings, call->arena);
    if (call->args->process != NULL)
        SUBLET_TRY(read_file(&asked, err));
    SUBLET_TRY(run_config(&target, call->args->preserve_fds, &config, err));
    SUBLET_TRY(describe(&asked, config.spec->process, err));

    int rc = make_plan(&asked, &config, &plan, err);
    say_own_warnings(&asked.findings);
    return rc < 0 ? rc : run_it(call, &target, &config, plan, err);
}

const struct command command_exec = {
    .name = "exec",
    .summary = "run one more process in a container",
    .usage = "[OPTION...] ID [--] CMD [ARG...]\n[OPTION...] --process FILE ID",
    .rows = {&rows, &rows_help},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .operand = OPERAND_ID,
    .stops_at_operand = true,
    .failure = STATUS_FAILURE,
    .body = exec_body,
};
