/* SPDX-License-Identifier: Apache-2.0 */
/* update: new limits for a container that lives. */
#include "sublet/plan/update.h"

#include <errno.h>

#include "sublet/base/fd.h"
#include "sublet/base/warn.h"
#include "sublet/spec.h"

#include "scope_update.h"
#include "start.h"
#include "target.h"

#define WHERE "linux.resources"

struct update {
    const struct target *target;
    int root_fd;
    struct cgroup group;
    struct host host;
    struct cg_reader reader;
    const struct run_changes *given;
    const struct spec_resources *saved;
    struct plan_update plan;
    struct scope_update scope;
    int resctrl_fd;
    const char *schemata_before; /* NULL: its cache class is as it was */
    bool has_replaced;           /* the device program: */
    int program_fd;              /* what it was before, -ENOENT: none */
};

static void update_done(struct update *update)
{
    sub_close(&update->root_fd);
    cgroup_done(&update->group);
    scope_update_done(&update->scope);
    sub_close(&update->resctrl_fd);
    sub_close(&update->program_fd);
}

/* The facts that limits depend on. */
static int read_host(struct host *ret_host, struct sub_err *err)
{
    static const struct spec_resources any;
    static const struct spec_linux linux_ = {.resources = &any};
    static const struct spec spec = {.linux_ = &linux_};
    OWNED_ARENA arena;

    arena_init(&arena, ARENA_MAX_BYTES);
    SUBLET_TRY(host_read(&arena, &spec, ret_host, err));
    /* were in the arena, and the group is made already */
    ret_host->own_cgroup = NULL;
    ret_host->places = NULL;
    ret_host->place_count = 0;
    ret_host->own_gids = NULL;
    ret_host->own_gid_count = 0;
    return 0;
}

/* As the last update left them, or as the container was made. */
static int load_saved(struct update *update, struct sub_err *err)
{
    const struct target *target = update->target;
    const struct spec *spec;

    update->saved = target->record.resources;
    if (update->saved != NULL)
        return 0;
    SUBLET_TRY(spec_load(target->arena, target->dir_fd, STATE_CONFIG, NULL, &spec, err));
    update->saved = spec->linux_ == NULL ? NULL : spec->linux_->resources;
    return 0;
}

static int open_update(struct update *update, struct sub_err *err)
{
    const struct target *target = update->target;
    int rc = record_group(&target->record, &update->root_fd, &update->group, err);

    if (rc == -ENOENT)
        return no_group(&target->record, err);
    SUBLET_TRY(rc);
    SUBLET_TRY(read_host(&update->host, err));
    update->reader = (struct cg_reader){.arena = target->arena, .dir_fd = update->group.dir_fd};
    return load_saved(update, err);
}

static int decide(struct update *update, struct findings *findings, struct sub_err *err)
{
    const struct plan_update_request request = {
        .given = update->given->resources,
        .saved = update->saved,
        .rdt = update->given->rdt,
        .host = &update->host,
        .present = {cg_reader_text, &update->reader},
    };

    return plan_update(update->target->arena, &request, findings, &update->plan, err);
}

/* A group without limits may lack the controllers; with them it has files, whose values count. */
static int enable(struct update *update, const struct findings *before, struct findings *findings,
                  struct sub_err *err)
{
    int rc = cgroup_enable(update->root_fd, update->target->record.cgroup_path,
                           update->plan.changes.controllers, WHERE, err);

    if (rc <= 0)
        return rc;
    *findings = *before; /* they are told again */
    return decide(update, findings, err);
}

/* One that the container shares with others is not its own to change. */
static int open_class(struct update *update, struct sub_err *err)
{
    const struct target *target = update->target;

    if (update->given->rdt == NULL)
        return 0;
    if (target->record.resctrl_group == NULL) {
        return sub_fail(err, EINVAL, "linux.intelRdt",
                        "container '%s' has no cache class of its own: only one that was made with "
                        "it can be changed",
                        target->record.id);
    }
    return proc_resctrl_open(&update->resctrl_fd, err);
}

static int change_class(struct update *update, struct sub_err *err)
{
    const struct target *target = update->target;

    if (update->plan.schemata == NULL)
        return 0;
    return proc_resctrl_change(target->arena, update->resctrl_fd, target->record.resctrl_group,
                               update->plan.schemata, &update->schemata_before, err);
}

static void class_back(struct update *update)
{
    const struct target *target = update->target;
    struct sub_err ignored = {.code = 0};
    const char *changed;

    if (update->schemata_before != NULL)
        (void) proc_resctrl_change(target->arena, update->resctrl_fd, target->record.resctrl_group,
                                   update->schemata_before, &changed, &ignored);
}

static int replace_device_program(struct update *update, struct sub_err *err)
{
    struct cg_device_program program;

    if (update->plan.device_rules == NULL)
        return 0;
    SUBLET_TRY(cg_device_program_make(update->target->arena, WHERE ".devices",
                                      update->plan.device_rules, update->plan.device_rule_count,
                                      &program, err));
    SUBLET_TRY(cgroup_devices_replace(update->group.dir_fd, &program, &update->program_fd, err));
    update->has_replaced = true;
    return 0;
}

/* All that was done so far, the scope aside. */
static void write_back(struct update *update, struct sub_err *err)
{
    struct sub_err ignored = {.code = 0};

    if (update->has_replaced)
        (void) cgroup_devices_restore(update->group.dir_fd, update->program_fd, &ignored);
    class_back(update);
    cgroup_change_back(update->group.dir_fd, &update->plan.changes, err);
}

/* The one place where an update reaches the group: all of it, or nothing. What systemd is told
 * comes last: it alone cannot be read back. */
static int write_limits(struct update *update, struct sub_err *err)
{
    SUBLET_TRY(cgroup_change(update->group.dir_fd, &update->plan.changes, err));

    int rc = change_class(update, err);
    if (rc == 0)
        rc = replace_device_program(update, err);
    if (rc == 0)
        rc = scope_update(&update->scope, update->root_fd, &update->plan, err);
    if (rc < 0)
        write_back(update, err);
    return rc;
}

/* The intent first: what a kill leaves half written is finished by the next command. */
static int announce(const struct update *update, struct sub_err *err)
{
    struct state_record record = update->target->record;

    record.update = update->given->resources;
    return state_write(update->target->dir_fd, &record, err);
}

/* As it was before; where even that cannot be written, the intent stays and fails once more. */
static void withdraw(const struct update *update)
{
    struct state_record record = update->target->record;
    struct sub_err ignored = {.code = 0};

    state_discard(update->target->dir_fd);
    record.update = NULL;
    if (state_write(update->target->dir_fd, &record, &ignored) < 0)
        state_discard(update->target->dir_fd);
}

/* What can fail for want of space comes before the group is touched; the rename behind it is the
 * moment of truth. */
static int carry_out(struct update *update, struct sub_err *err)
{
    int dir_fd = update->target->dir_fd;
    struct state_record record = update->target->record;

    record.update = NULL;
    record.resources = update->plan.merged;
    if (update->given->rdt != NULL && update->given->rdt->l3_cache_schema != NULL)
        record.l3_cache_schema = update->given->rdt->l3_cache_schema;
    if (update->given->rdt != NULL && update->given->rdt->mem_bw_schema != NULL)
        record.mem_bw_schema = update->given->rdt->mem_bw_schema;
    int rc = announce(update, err);
    if (rc == 0)
        rc = state_prepare(dir_fd, &record, err);
    if (rc == 0)
        rc = write_limits(update, err);
    if (rc == 0) {
        rc = state_publish(dir_fd, err);
        if (rc < 0) {
            scope_update_back(&update->scope, &update->plan, err);
            write_back(update, err);
        }
    }
    if (rc < 0)
        withdraw(update);
    return rc;
}

/* Once more from the beginning: what is written already is written again. */
static int do_update(struct target *target, const struct run_changes *given,
                     struct findings *findings, struct plan_update *ret_update, struct sub_err *err)
{
    __attribute__((cleanup(update_done))) struct update update = {
        .target = target,
        .root_fd = -EBADF,
        .group = CGROUP_NONE,
        .resctrl_fd = -EBADF,
        .program_fd = -ENOENT,
        .given = given,
        .scope = {.arena = target->arena,
                  .record = &target->record,
                  .group = CGROUP_NONE,
                  .systemd = CG_SYSTEMD_NONE},
    };
    const struct findings before = *findings;

    SUBLET_TRY(open_update(&update, err));
    SUBLET_TRY(decide(&update, findings, err));
    SUBLET_TRY(open_class(&update, err));
    if (!given->dry_run) {
        SUBLET_TRY(enable(&update, &before, findings, err));
        SUBLET_TRY(carry_out(&update, err));
    }
    *ret_update = update.plan;
    return 0;
}

int target_finish_update(struct target *target, struct sub_err *err)
{
    const struct run_changes given = {.resources = target->record.update};
    struct findings findings;
    struct plan_update update;

    if (given.resources == NULL)
        return 0;
    findings_init(&findings, target->arena); /* were told by the command that was killed */
    SUBLET_TRY(do_update(target, &given, &findings, &update, err));
    target->record.resources = update.merged;
    target->record.update = NULL;
    return 0;
}

int run_update(const struct run_target *request, const struct run_changes *given,
               struct findings *findings, struct plan_update *ret_update, struct sub_err *err)
{
    OWNED_TARGET target = TARGET_NONE;
    struct sub_err cause = {.code = 0};

    SUBLET_TRY(target_open_living(request, &target, err));
    if (!given->dry_run && target_finish_update(&target, &cause) < 0) {
        findings_warning(findings, cause.path,
                         "an update that was killed could not be finished: %s", cause.text);
        target.record.update = NULL;
    }
    return do_update(&target, given, findings, ret_update, err);
}
