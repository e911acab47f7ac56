/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/tenant/repair.h"

#include <errno.h>
#include <string.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "private.h"

static bool is_among(const struct tenant_repair *repair, const struct tenant_group *group)
{
    const char *name = group->tenant == NULL ? "" : group->tenant->name;

    for (size_t i = 0; i < repair->count; i++) {
        if (strcmp(repair->names[i], name) == 0)
            return true;
    }
    return false;
}

/* A group that cannot be put right does not keep the others from it. */
static void restore(struct tenant_repair *repair, int root_fd, const struct tenant_plan *plan,
                    const struct tenant_group *group)
{
    struct sub_err failure = {.code = 0};

    if (!is_among(repair, group) || tenant_group_restore(repair->done.arena, root_fd, plan, group,
                                                         &repair->done, &failure) == 0)
        return;
    findings_error(&repair->failed, failure.path, "%s", failure.text);
}

/* Descriptors of what is locked; closed by the caller. */
static int lock_definitions(const char *dir_path, int *ret_dir_fd, struct sub_err *err)
{
    int dir = -EBADF;

    SUBLET_TRY(tenant_dir_open(dir_path, false, false, &dir, err));
    OWNED_FD owned = dir;
    int rc = sys_lock(dir);
    if (rc == -EAGAIN)
        return rc;
    if (rc < 0)
        return sub_fail(err, -rc, dir_path, "cannot lock: %s", sub_strerror(-rc));
    *ret_dir_fd = sub_take_fd(&owned);
    return 0;
}

int tenants_repair(struct arena *arena, const char *dir_path, struct tenant_repair *repair,
                   struct sub_err *err)
{
    const struct tenant_plan *plan;
    struct findings ignored;
    int dir = -EBADF, root = -EBADF;

    repair->done = (struct tenant_drifts){.arena = arena};
    findings_init(&repair->failed, arena);
    findings_init(&ignored, arena);
    SUBLET_TRY(tenant_cgroups_open(&root, err));
    OWNED_FD owned_root = root;
    SUBLET_TRY(lock_definitions(dir_path, &dir, err));
    OWNED_FD owned_dir = dir;
    SUBLET_TRY(tenants_plan(arena, dir, root, &ignored, &plan, err));
    restore(repair, root, plan, &plan->parent);
    for (size_t i = 0; i < plan->count; i++)
        restore(repair, root, plan, &plan->groups[i]);
    return arena_failed(arena) ? -ENOMEM : 0;
}
