/* SPDX-License-Identifier: Apache-2.0 */
/* Tenants: their definitions, and the cgroups that hold them to it. */
#include <errno.h>
#include <string.h>

#include "sublet/account/life.h"
#include "sublet/base/arena.h"
#include "sublet/base/fd.h"
#include "sublet/base/log.h"

#include "command.h"
#include "say.h"
#include "target.h"
#include "tenancy.h"

static const struct word formats[] = {
    {"table", ARGS_TABLE},
    {"json",  ARGS_JSON },
};
static const struct words format_words = WORDS(formats);

#define CONTRACT(index) INTO(contract[index])

/* It would pad every text to the length of the longest. */
/* clang-format off */
static const struct arg_row contract_table[] = {
    {"cpu", 0, ARG_TEXT, CONTRACT(0), NULL, "CONTRACT",
     "what is promised: 'fixed N [burst TIME]': N CPUs and never more; 'elastic N [ceiling M] [burst TIME]': N CPUs "
     "whenever they are wanted, and what is idle up to M; 'pinned N': N CPUs that nobody else runs "
     "on"},
    {"memory", 0, ARG_TEXT, CONTRACT(1), NULL, "SIZE", "at most SIZE of main memory, as '512M'"},
    {"memory-high", 0, ARG_TEXT, CONTRACT(2), NULL, "SIZE",
     "delay whoever allocates beyond SIZE, before the limit kills"},
    {"memory-low", 0, ARG_TEXT, CONTRACT(3), NULL, "SIZE",
     "protect SIZE from the needs of others"},
    {"swap", 0, ARG_TEXT, CONTRACT(4), NULL, "SIZE", "at most SIZE of swap, beside the memory"},
    {"virtual", 0, ARG_TEXT, CONTRACT(5), NULL, "SIZE",
     "at most SIZE of address space for each process that starts from now on"},
    {"io", 0, ARG_LIST, INTO(io), NULL, "PATH=RATE[,RATE...]",
     "slow reads and writes of the disk behind PATH to RATE: '50MB/s', '500iops', "
     "'read:10MB/s', 'write:100iops'; 'none': no limits"},
    {"io-weight", 0, ARG_TEXT, CONTRACT(6), NULL, "N",
     "share of disks that have io.cost enabled, 1 to 10000"},
    {"pids", 0, ARG_TEXT, CONTRACT(7), NULL, "N", "at most N processes and threads"},
    {"realtime", 0, ARG_TEXT, CONTRACT(8), NULL, "yes|no",
     "allow real-time scheduling, which no CPU limit holds (default: no)"},
    {"overcommit", 0, ARG_FLAG, INTO(overcommit), NULL, NULL, "promise more CPU than there is"},
};
static const struct arg_rows contract_rows =
    ARG_ROWS(contract_table, "A contract ('none' takes a limit away)");

static const struct arg_row common_table[] = {
    {"dry-run", 'n', ARG_FLAG, INTO(dry_run), NULL, NULL,
     "change nothing; print the sums and every file that would be written"},
    {"force", 'f', ARG_FLAG, INTO(force), NULL, NULL, "remove: kill what runs in the tenant"},
    {"format", 0, ARG_WORD, INTO(format), &format_words, NULL, "form of what is printed"},
};
static const struct arg_rows common_rows = ARG_ROWS(common_table, "Options");
/* clang-format on */

static struct tenant *find(struct tenancy *tenancy, const char *name)
{
    for (size_t i = 0; i < tenancy->tenants.count; i++) {
        if (strcmp(tenancy->tenants.items[i].name, name) == 0)
            return &tenancy->tenants.items[i];
    }
    return NULL;
}

/* A place for the new tenant, with the order kept. */
static int insert(struct tenancy *tenancy, const char *name, struct tenant **ret_tenant,
                  struct sub_err *err)
{
    struct tenants *tenants = &tenancy->tenants;
    size_t place = 0;

    if (tenants->count >= TENANTS_MAX)
        return sub_fail(err, E2BIG, tenancy->path, "has %zu tenants, at most %d are possible",
                        tenants->count, TENANTS_MAX);
    tenants->items = arena_grow(tenancy->arena, tenants->items, tenants->count, tenants->count + 1,
                                sizeof *tenants->items);
    if (tenants->items == NULL)
        return -ENOMEM;
    while (place < tenants->count && strcmp(tenants->items[place].name, name) < 0)
        place++;
    memmove(&tenants->items[place + 1], &tenants->items[place],
            (tenants->count++ - place) * sizeof *tenants->items);
    tenants->items[place] = (struct tenant){.name = name};
    tenant_contract_init(&tenants->items[place].contract);
    *ret_tenant = &tenants->items[place];
    return 0;
}

static int change_io(const struct call *call, struct tenant_contract *contract, struct sub_err *err)
{
    const struct arg_list *io = &call->args->io;

    if (io->count > 0)
        contract->io_count = 0; /* the whole list is given anew */
    for (size_t i = 0; i < io->count; i++) {
        if (strcmp(io->items[i], "none") != 0)
            SUBLET_TRY(tenant_contract_add_io(call->arena, contract, io->items[i], "--io", err));
    }
    return 0;
}

static int change_contract(const struct call *call, struct tenant_contract *contract,
                           struct sub_err *err)
{
    for (size_t i = 0; i < contract_rows.count; i++) {
        const struct arg_row *row = &contract_rows.items[i];

        if (row->kind != ARG_TEXT || !arg_is_given(call->args, row))
            continue;

        const char *const *text = (const void *) ((const char *) call->args + row->target);
        const char *where = arena_printf(call->arena, "--%s", row->name);
        SUBLET_TRY(tenant_contract_set(contract, row->name, *text, where, err));
    }
    return change_io(call, contract, err);
}

/* The changed tenant's disks have to be there; of the others it is only told. */
static int plan_change(const struct call *call, struct tenancy *tenancy, struct tenant *changed,
                       bool grows, struct sub_err *err)
{
    const struct tenant_change change = {changed->name, call->args->overcommit || !grows, !grows};
    struct findings own;

    findings_init(&own, call->arena);
    tenant_find_disks(call->arena, changed->name, &changed->contract, &own);
    SUBLET_TRY(findings_result(&own, err));
    for (size_t i = 0; i < tenancy->tenants.count; i++) {
        struct tenant *tenant = &tenancy->tenants.items[i];

        if (tenant != changed)
            tenant_find_disks(call->arena, tenant->name, &tenant->contract, &tenancy->findings);
    }
    return tenant_plan_make(&tenancy->host, &tenancy->tenants, &change, &tenancy->findings,
                            &tenancy->plan, err);
}

static int write_to_kernel(struct tenancy *tenancy, struct tenant_drifts *ret_done,
                           struct sub_err *err)
{
    if (tenancy->root_fd < 0)
        return sub_fail(err, tenancy->unavailable.code, tenancy->unavailable.path, "%s",
                        tenancy->unavailable.text);
    return tenant_plan_apply(tenancy->arena, tenancy->root_fd, tenancy->plan, ret_done, err);
}

/* The ledger never decides what becomes of a tenant. */
static void tell_ledger(const struct call *call, const struct tenancy *tenancy,
                        enum account_event event, const struct tenant_group *group)
{
    struct sub_err failure = {0};
    struct run_ledger *ledger;

    if (group == NULL || target_ledger(call, &ledger, &failure) < 0 || ledger->folder == NULL)
        return;
    if (account_tell_tenant(ledger->folder, event, tenancy->root_fd, group, &failure) < 0)
        say_warning(failure.path, failure.text);
}

static int restore(struct tenancy *tenancy, const char *name, const struct tenant *before,
                   struct sub_err *err)
{
    struct tenant again;
    struct tenant_drifts done;

    if (before == NULL || before->builtin) {
        SUBLET_TRY(tenant_erase(tenancy->dir_fd, name, err));
    } else {
        again = *before;
        SUBLET_TRY(tenant_save(tenancy->arena, tenancy->dir_fd, &again, err));
    }
    SUBLET_TRY(
        tenants_load(tenancy->arena, tenancy->dir_fd, &tenancy->findings, &tenancy->tenants, err));
    SUBLET_TRY(tenants_find_held(tenancy->arena, tenancy->root_fd, &tenancy->tenants, err));
    SUBLET_TRY(tenancy_plan(tenancy, err));
    return write_to_kernel(tenancy, &done, err);
}

/* What the kernel refused is not what is defined: the definition and the groups as they were. */
static void undo_set(struct tenancy *tenancy, const char *name, const struct tenant *before)
{
    struct sub_err failure = {0};

    if (restore(tenancy, name, before, &failure) < 0) {
        sub_err_wrap(&failure, "tenant '%s' is not quite as it was before", name);
        say_warning(failure.path, failure.text);
    }
}

static int save_and_apply(const struct call *call, struct tenancy *tenancy, struct tenant *tenant,
                          const struct tenant *before, struct sub_err *err)
{
    struct tenant_drifts done;

    SUBLET_TRY(tenant_save(tenancy->arena, tenancy->dir_fd, tenant, err));
    if (tenancy->root_fd < 0) {
        say_warning(tenant->name, arena_printf(tenancy->arena, "defined, but not applied: %s",
                                               tenancy->unavailable.text));
    } else {
        int rc = write_to_kernel(tenancy, &done, err);

        if (rc < 0) {
            undo_set(tenancy, tenant->name, before);
            return rc;
        }
    }
    tell_ledger(call, tenancy, ACCOUNT_CONTRACT, tenant_plan_find(tenancy->plan, tenant->name));
    return 0;
}

static uint64_t claim(const struct tenant *tenant)
{
    return tenant == NULL ? 0 : tenant->contract.cpu.milli;
}

static int action_set(const struct call *call, const char *name, struct sub_err *err)
{
    OWNED_TENANCY tenancy = {.dir_fd = -EBADF, .root_fd = -EBADF};
    struct tenant before, *tenant;
    bool existed;

    SUBLET_TRY(tenant_name_check(name, NULL, err));
    SUBLET_TRY(
        tenancy_open(call, call->args->dry_run ? TENANCY_LOOK : TENANCY_CHANGE, &tenancy, err));
    tenant = find(&tenancy, name);
    existed = tenant != NULL;
    if (!existed)
        SUBLET_TRY(insert(&tenancy, name, &tenant, err));
    before = *tenant;
    if (!existed && call->args->contract[0] == NULL)
        return args_refuse(call->args, err, "a new tenant needs a contract: option '--cpu'");
    tenant->builtin = false;
    SUBLET_TRY(change_contract(call, &tenant->contract, err));

    bool same_kind = before.contract.cpu.kind == tenant->contract.cpu.kind;
    bool grows = !existed || !same_kind || claim(tenant) > claim(&before);
    SUBLET_TRY(plan_change(call, &tenancy, tenant, grows, err));
    (void) tenancy_tell(&tenancy);
    if (call->args->dry_run)
        return tenancy_show_changes(&tenancy, name, call->args->format == ARGS_JSON, err);
    return save_and_apply(call, &tenancy, tenant, existed ? &before : NULL, err);
}

static bool is_done(const struct tenant_drifts *done, const char *group)
{
    for (size_t i = 0; i < done->count; i++) {
        const char *put_right = done->items[i].group;

        if (put_right != NULL && strcmp(put_right, group) == 0)
            return true;
    }
    return false;
}

static int action_apply(const struct call *call, const char *name, struct sub_err *err)
{
    OWNED_TENANCY tenancy = {.dir_fd = -EBADF, .root_fd = -EBADF};
    struct tenant_drifts done;

    (void) name;
    SUBLET_TRY(
        tenancy_open(call, call->args->dry_run ? TENANCY_LOOK : TENANCY_APPLY, &tenancy, err));
    if (tenancy_is_empty(&tenancy))
        return tenancy_tell(&tenancy) ? 1 : 0;
    SUBLET_TRY(tenancy_plan(&tenancy, err));
    bool wrong = tenancy_tell(&tenancy);
    if (call->args->dry_run)
        return tenancy_show_changes(&tenancy, NULL, call->args->format == ARGS_JSON, err);
    SUBLET_TRY(write_to_kernel(&tenancy, &done, err));
    for (size_t i = 0; i < done.count; i++) {
        const struct tenant_drift *drift = &done.items[i];

        if (drift->have != NULL && drift->group != NULL)
            log_debug("%s/%s: '%s' instead of '%s'", drift->group, drift->file, drift->want,
                      drift->have);
    }
    for (size_t i = 0; i < tenancy.plan->count; i++) {
        if (is_done(&done, tenancy.plan->groups[i].group))
            tell_ledger(call, &tenancy, ACCOUNT_CONTRACT, &tenancy.plan->groups[i]);
    }
    return wrong ? 1 : 0;
}

static int action_list(const struct call *call, const char *name, struct sub_err *err)
{
    OWNED_TENANCY tenancy = {.dir_fd = -EBADF, .root_fd = -EBADF};

    (void) name;
    SUBLET_TRY(tenancy_open(call, TENANCY_LOOK, &tenancy, err));
    SUBLET_TRY(tenancy_plan(&tenancy, err));
    bool wrong = tenancy_tell(&tenancy);
    SUBLET_TRY(tenancy_list(&tenancy, call->args->format == ARGS_JSON, err));
    return wrong ? 1 : 0;
}

static int action_show(const struct call *call, const char *name, struct sub_err *err)
{
    OWNED_TENANCY tenancy = {.dir_fd = -EBADF, .root_fd = -EBADF};

    SUBLET_TRY(tenancy_open(call, TENANCY_LOOK, &tenancy, err));
    SUBLET_TRY(tenancy_plan(&tenancy, err));
    (void) tenancy_tell(&tenancy);
    return tenancy_show(&tenancy, name, call->args->format == ARGS_JSON, err);
}

/* The group first: while containers run in it, nothing is changed. Its totals are told when nobody
 * is left who could add to them, and before it is gone: should the removal fail behind that, they
 * are totals like any others. */
static int remove_group(const struct call *call, struct tenancy *tenancy,
                        const struct tenant *tenant, const char *group, struct sub_err *err)
{
    const struct tenant_group closed = {
        .tenant = tenant,
        .group = group,
        .contract = tenant_cpu_text(tenancy->arena, &tenant->contract.cpu),
    };
    bool force = call->args->force;

    if (tenancy->root_fd < 0) {
        tell_ledger(call, tenancy, ACCOUNT_CLOSE, &closed);
        return 0;
    }
    int rc = tenant_group_empty(tenancy->root_fd, group, force, err);
    if (rc == 0) {
        tell_ledger(call, tenancy, ACCOUNT_CLOSE, &closed);
        rc = tenant_group_remove(tenancy->root_fd, group, force, err);
    }
    if (rc == -EBUSY)
        return sub_err_wrap(err, "tenant '%s' has containers%s", tenant->name,
                            force ? "" : ", --force kills them");
    return rc < 0 ? sub_err_wrap(err, "tenant '%s' cannot be removed", tenant->name) : 0;
}

static int remove_tenant(const struct call *call, struct tenancy *tenancy,
                         const struct tenant *tenant, const char *group, struct sub_err *err)
{
    struct sub_err unused = {0};
    struct findings ignored;
    struct tenant_drifts done;
    const char *name = tenant->name;

    SUBLET_TRY(remove_group(call, tenancy, tenant, group, err));
    int rc = tenant_erase(tenancy->dir_fd, name, err);
    if (rc < 0 && rc != -ENOENT)
        return rc;

    findings_init(&ignored, tenancy->arena);
    SUBLET_TRY(tenants_load(tenancy->arena, tenancy->dir_fd, &ignored, &tenancy->tenants, err));
    if (tenancy->root_fd < 0)
        return 0;
    if (tenancy_is_empty(tenancy)) {
        /* the parent goes with the last one, unless somebody lives there */
        (void) tenant_group_remove(tenancy->root_fd, TENANT_PARENT, false, &unused);
        return 0;
    }
    SUBLET_TRY(tenants_find_held(tenancy->arena, tenancy->root_fd, &tenancy->tenants, err));
    SUBLET_TRY(tenancy_plan(tenancy, err));
    findings_init(&tenancy->findings, tenancy->arena);
    return write_to_kernel(tenancy, &done, err);
}

/* As tenants_load() would find it without that definition. */
static void take_out(struct tenancy *tenancy, struct tenant *tenant)
{
    struct tenants *tenants = &tenancy->tenants;
    size_t index = (size_t) (tenant - tenants->items);

    if (strcmp(tenant->name, TENANT_DEFAULT) == 0) {
        tenant_contract_init(&tenant->contract);
        tenant->builtin = true;
        return;
    }
    tenants->count--;
    memmove(tenant, tenant + 1, (tenants->count - index) * sizeof *tenant);
}

static int show_removal(const struct call *call, struct tenancy *tenancy, struct tenant *tenant,
                        const char *group, struct sub_err *err)
{
    if (tenancy->root_fd >= 0 && !call->args->force &&
        tenant_group_empty(tenancy->root_fd, group, false, err) < 0)
        return sub_err_wrap(err, "tenant '%s' has containers, --force kills them", tenant->name);
    take_out(tenancy, tenant);
    SUBLET_TRY(tenancy_plan(tenancy, err));
    (void) tenancy_tell(tenancy);
    return tenancy_show_removal(tenancy, group, call->args->format == ARGS_JSON, err);
}

static int action_remove(const struct call *call, const char *name, struct sub_err *err)
{
    OWNED_TENANCY tenancy = {.dir_fd = -EBADF, .root_fd = -EBADF};
    struct tenant *tenant;
    const char *group;

    SUBLET_TRY(
        tenancy_open(call, call->args->dry_run ? TENANCY_LOOK : TENANCY_CHANGE, &tenancy, err));
    /* without a plan: what no longer fits this machine can be removed, too */
    tenant = find(&tenancy, name);
    if (tenant == NULL) {
        (void) tenancy_tell(&tenancy);
        return tenancy_lacks(&tenancy, name, err);
    }
    if (tenant->builtin)
        return sub_fail(err, EINVAL, NULL, "tenant '%s' is built in; nothing defines it", name);
    group = tenant_group_path(call->arena, tenant, tenancy.host.nested_partitions);
    if (group == NULL)
        return -ENOMEM;
    if (call->args->dry_run)
        return show_removal(call, &tenancy, tenant, group, err);
    return remove_tenant(call, &tenancy, tenant, group, err);
}

static const struct {
    const char *name;
    bool takes_name, takes_contract, takes_dry_run, prints;
    int (*act)(const struct call *call, const char *name, struct sub_err *err);
} actions[] = {
    {"set",    true,  true,  true,  false, action_set   },
    {"list",   false, false, false, true,  action_list  },
    {"show",   true,  false, false, true,  action_show  },
    {"remove", true,  false, true,  false, action_remove},
    {"apply",  false, false, true,  false, action_apply },
};
#define ACTION_COUNT (sizeof actions / sizeof *actions)

static int check_options(const struct args *args, size_t action, struct sub_err *err)
{
    for (size_t i = 0; !actions[action].takes_contract && i < contract_rows.count; i++) {
        if (arg_is_given(args, &contract_rows.items[i]))
            return args_refuse(args, err, "option '--%s' does not go with '%s'",
                               contract_rows.items[i].name, actions[action].name);
    }
    if (args->dry_run && !actions[action].takes_dry_run)
        return args_refuse(args, err, "option '--dry-run' does not go with '%s'",
                           actions[action].name);
    if (args->format != ARGS_TABLE && !args->dry_run && !actions[action].prints)
        return args_refuse(args, err, "option '--format' goes with '%s' and '--dry-run'",
                           actions[action].name);
    if (args->force && actions[action].act != action_remove)
        return args_refuse(args, err, "option '--force' does not go with '%s'",
                           actions[action].name);
    return 0;
}

static int tenant_body(const struct call *call, struct sub_err *err)
{
    const struct args *args = call->args;
    size_t i = 0;

    while (i < ACTION_COUNT && strcmp(actions[i].name, args->operands[0]) != 0)
        i++;
    if (i == ACTION_COUNT)
        return args_refuse(args, err, "unknown action '%.32s': set, list, show, remove or apply",
                           args->operands[0]);
    if (actions[i].takes_name != (args->operand_count == 2)) {
        return args_refuse(args, err,
                           actions[i].takes_name ? "'%s' needs the name of a tenant"
                                                 : "'%s' takes no name",
                           actions[i].name);
    }
    SUBLET_TRY(check_options(args, i, err));
    return actions[i].act(call, args->operand_count == 2 ? args->operands[1] : NULL, err);
}

const struct command command_tenant = {
    .name = "tenant",
    .summary = "define tenants and hold them to their contracts",
    .usage = "set NAME [OPTION...]\nlist|apply [OPTION...]\nshow|remove NAME [OPTION...]",
    .rows = {&common_rows, &rows_help, &contract_rows},
    .operands_min = 1,
    .operands_max = 2,
    .failure = 1,
    .body = tenant_body,
};
