/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group where systemd makes it. A scope is made around a process that exists, so the order is
 * another than with cgroupfs: the child is cloned where we are and waits for a word; systemd moves
 * it into the scope; we move it one level down, where systemd writes nothing, and put the limits
 * there and into the scope; then the word is given. A record that names the scope is written
 * before, the child dies with us, and a scope without a process is cleaned up by systemd itself.
 */
#include <errno.h>
#include <string.h>

#include "sublet/base/fd.h"
#include "sublet/base/log.h"
#include "sublet/cgroups/update.h"

#include "start.h"

static const char *below(struct arena *arena, const char *base, const char *path)
{
    return arena_printf(arena, "%s%s%s", base, base[0] == '\0' ? "" : "/", path);
}

/* Where the manager lives is where its scopes will be: known before anything is made. */
int scope_connect(struct start *start, struct sub_err *err)
{
    const struct plan_cgroup *cgroup = &start->plan->cgroup;
    struct arena *arena = start->request->arena;

    SUBLET_TRY(cg_systemd_open(cgroup->user_manager, &start->systemd, err));
    start->scope_path = below(arena, start->systemd.group, cgroup->scope_path);
    start->group_path = below(arena, start->systemd.group, cgroup->path);
    return arena_failed(arena) ? sub_fail(err, ENOMEM, NULL, "out of memory") : 0;
}

static bool has_subgroup(const struct start *start)
{
    return strcmp(start->group_path, start->scope_path) != 0;
}

/* The group that the child is to live in, with the child in it. */
static int enter(struct start *start, struct sub_err *err)
{
    const struct plan_cgroup *cgroup = &start->plan->cgroup;
    int root_fd = start->cgroup_root_fd;

    if (has_subgroup(start)) {
        SUBLET_TRY(cgroup_make(root_fd, start->group_path, 0, cgroup->json, &start->group, err));
        SUBLET_TRY(cgroup_adopt(start->group.dir_fd, start->child.pid, cgroup->json, err));
    } else {
        int rc = cgroup_open(root_fd, start->group_path, &start->group, err);

        if (rc == -ENOENT)
            return sub_fail(err, ENOENT, cgroup->json, "systemd removed the scope '%s' at once",
                            cgroup->unit);
        if (rc < 0)
            return rc;
        start->group.created = true;
    }
    SUBLET_TRY(cgroup_enable(root_fd, start->group_path, (uint32_t) cgroup->controllers,
                             cgroup->json, err));
    cgroup_wish(root_fd, start->group_path, start->group.dir_fd,
                CG_CPU | CG_MEMORY | CG_IO | CG_PIDS); /* for what they count */
    return 0;
}

/* In the scope because its weights are those that its neighbours see, and limits in both agree. */
static int limit(struct start *start, struct sub_err *err)
{
    const struct plan_cgroup *cgroup = &start->plan->cgroup;

    if (has_subgroup(start)) {
        OWNED_CGROUP scope = CGROUP_NONE;
        int rc = cgroup_open(start->cgroup_root_fd, start->scope_path, &scope, err);

        if (rc < 0)
            return rc == -ENOENT ? sub_fail(err, ENOENT, cgroup->json, "systemd removed the scope")
                                 : rc;
        SUBLET_TRY(
            cgroup_apply(scope.dir_fd, cgroup->rows, cgroup->row_count, CG_BEFORE_CLONE, err));
    }
    SUBLET_TRY(
        cgroup_apply(start->group.dir_fd, cgroup->rows, cgroup->row_count, CG_BEFORE_CLONE, err));
    if (!cgroup->delegate)
        return 0;
    return cgroup_delegate(start->group.dir_fd, cgroup->delegate_uid, err);
}

int step_scope(struct start *start, struct sub_err *err)
{
    const struct plan_cgroup *cgroup = &start->plan->cgroup;
    const struct cg_properties properties = {
        .arena = start->request->arena,
        .items = (struct cg_property *) (uintptr_t) cgroup->properties, /* read only */
        .count = cgroup->property_count,
    };
    const char *group;

    if (cgroup->manager != PLAN_CGROUP_SYSTEMD)
        return 0;
    SUBLET_TRY(cg_systemd_start(&start->systemd, cgroup->unit, start->child.pid, &properties,
                                &group, err));
    start->has_scope = true;
    if (strcmp(group, start->scope_path) != 0)
        return sub_fail(err, EPROTO, cgroup->json,
                        "systemd put '%s' at '/%s', where '/%s' was expected", cgroup->unit, group,
                        start->scope_path);
    SUBLET_TRY(enter(start, err));
    SUBLET_TRY(limit(start, err));
    return let_child_go_on(start);
}

/* One that systemd refused may be somebody else's; one that it could not finish it ends itself,
 * since the process it was for is killed by now. */
void undo_scope(struct start *start)
{
    struct sub_err ignored = {.code = 0};

    if (!start->has_scope)
        return;
    (void) cgroup_destroy(start->cgroup_root_fd, start->scope_path, DESTROY_LIMIT_MS, &ignored);
    sub_err_clear(&ignored);
    (void) cg_systemd_stop(&start->systemd, start->plan->cgroup.unit, &ignored);
}

/* The kernel first: that works whatever systemd does. */
int scope_destroy(int root_fd, const struct state_record *record, struct sub_err *err)
{
    OWNED_SYSTEMD systemd = CG_SYSTEMD_NONE;

    if (record->systemd_scope != NULL)
        SUBLET_TRY(cgroup_destroy(root_fd, record->systemd_scope, DESTROY_LIMIT_MS, err));

    int rc = cg_systemd_open(record->systemd_user, &systemd, err);
    if (rc == -ENXIO) { /* a manager that is gone has taken its units along */
        log_debug("%s", err->text);
        sub_err_clear(err);
        return 0;
    }
    return rc < 0 ? rc : cg_systemd_stop(&systemd, record->systemd_unit, err);
}
