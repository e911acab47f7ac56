/* SPDX-License-Identifier: Apache-2.0 */
/* An update where systemd made the group: the scope gets the new limits too, as its files and as
 * properties, so that systemd does not write the old ones again. */
#include "scope_update.h"

#include <errno.h>

#include "sublet/cgroups/systemd.h"
#include "sublet/plan/update.h"

#include "start.h"

/* Rows of the changes, or those that undo them. */
static int collect_rows(struct scope_update *scope, const struct cg_changes *changes, bool back,
                        struct cg_rows *ret_rows, struct sub_err *err)
{
    cg_rows_init(ret_rows, scope->arena);
    for (size_t i = 0; i < changes->count; i++) {
        struct cg_row row = changes->items[i].row;

        if (back && changes->items[i].back == NULL)
            continue;
        if (back)
            row.text = changes->items[i].back;
        SUBLET_TRY(cg_rows_add(ret_rows, &row, err));
    }
    return 0;
}

/* back: the list of devices that it had is not known; without one the container's own program,
 * which is back as well, decides alone. */
static int set_properties(struct scope_update *scope, const struct cg_rows *rows,
                          const struct plan_update *plan, bool back, struct sub_err *err)
{
    struct cg_properties properties = {.arena = scope->arena};

    SUBLET_TRY(cg_properties_of_rows(&properties, rows->rows, rows->count, err));
    if (plan->device_rules != NULL && !scope->record->systemd_user)
        SUBLET_TRY(cg_properties_renew_devices(&properties, plan->device_rules,
                                               back ? 0 : plan->device_rule_count, err));
    return cg_systemd_set(&scope->systemd, scope->record->systemd_unit, &properties, err);
}

static int change_files(struct scope_update *scope, const struct cg_rows *rows, struct sub_err *err)
{
    struct cg_reader reader = {.arena = scope->arena, .dir_fd = scope->group.dir_fd};
    const struct cg_present present = {cg_reader_text, &reader};

    SUBLET_TRY(cg_changes_make(rows, &present, &scope->changes, err));
    return cgroup_change(scope->group.dir_fd, &scope->changes, err);
}

void scope_update_done(struct scope_update *scope)
{
    cgroup_done(&scope->group);
    cg_systemd_close(&scope->systemd);
}

int scope_update(struct scope_update *scope, int root_fd, const struct plan_update *plan,
                 struct sub_err *err)
{
    const struct state_record *record = scope->record;
    struct cg_rows rows;

    if (record->systemd_unit == NULL)
        return 0;
    SUBLET_TRY(collect_rows(scope, &plan->changes, false, &rows, err));
    SUBLET_TRY(cg_systemd_open(record->systemd_user, &scope->systemd, err));

    int rc = cgroup_open(root_fd, record->systemd_scope, &scope->group, err);
    if (rc == -ENOENT)
        return sub_fail(err, ENOENT, record->systemd_unit, "the scope is gone");
    SUBLET_TRY(rc);
    SUBLET_TRY(change_files(scope, &rows, err));
    rc = set_properties(scope, &rows, plan, false, err);
    if (rc < 0)
        cgroup_change_back(scope->group.dir_fd, &scope->changes, err);
    return rc;
}

void scope_update_back(struct scope_update *scope, const struct plan_update *plan,
                       struct sub_err *err)
{
    struct sub_err ignored = {.code = 0};
    struct cg_rows rows;

    if (scope->record->systemd_unit == NULL)
        return;
    /* what undoes is in the order of doing: the last word on a value is the first to be undone */
    if (collect_rows(scope, &scope->changes, true, &rows, &ignored) == 0)
        (void) set_properties(scope, &rows, plan, true, &ignored);
    cgroup_change_back(scope->group.dir_fd, &scope->changes, err);
}
