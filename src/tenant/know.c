/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions and machine together: what a caller needs who only wants to know, or to have. */
#include <errno.h>
#include <string.h>

#include "sublet/base/arena.h"
#include "sublet/base/err.h"
#include "sublet/base/fd.h"

#include "private.h"

int tenants_plan(struct arena *arena, int dir_fd, int root_fd, struct findings *findings,
                 const struct tenant_plan **ret_plan, struct sub_err *err)
{
    struct tenant_host *host = arena_alloc(arena, sizeof *host);
    struct tenants *tenants = arena_alloc(arena, sizeof *tenants);

    if (host == NULL || tenants == NULL)
        return -ENOMEM;
    if (dir_fd >= 0)
        SUBLET_TRY(tenants_load(arena, dir_fd, findings, tenants, err));
    SUBLET_TRY(tenant_host_read(root_fd, host, err));
    SUBLET_TRY(tenants_find_held(arena, root_fd, tenants, err));
    for (size_t i = 0; i < tenants->count; i++)
        tenant_find_disks(arena, tenants->items[i].name, &tenants->items[i].contract, findings);
    return tenant_plan_make(host, tenants, NULL, findings, ret_plan, err);
}

int tenants_know(struct arena *arena, const char *dir_path, struct findings *findings,
                 const struct tenant_plan **ret_plan, struct sub_err *err)
{
    struct cgroups_host host;
    int dir = -EBADF, root = -EBADF;
    int rc = tenant_dir_open(dir_path, false, false, &dir, err);

    if (rc < 0 && rc != -ENOENT)
        return rc;
    OWNED_FD owned_dir = dir;
    (void) cgroups_mount_open(&root, &host, NULL); /* without one the plan is the same */
    OWNED_FD owned_root = root;
    return tenants_plan(arena, dir, root, findings, ret_plan, err);
}

static bool is_planned(const struct tenant_plan *plan, const char *group)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (strcmp(plan->groups[i].group, group) == 0)
            return true;
    }
    return false;
}

int tenant_ensure(struct arena *arena, int root_fd, const char *dir_path, const char *group,
                  const char *origin, struct sub_err *err)
{
    const struct tenant_plan *plan;
    struct tenant_drifts done;
    struct findings findings;
    int dir = -EBADF, root = -EBADF;

    if (tenant_is_in_force(root_fd, group, origin) == 1)
        return 0;
    SUBLET_TRY(tenant_cgroups_open(&root, err));
    OWNED_FD owned_root = root;

    int rc = tenant_dir_open(dir_path, false, true, &dir, err);
    OWNED_FD owned_dir = dir;
    if (rc < 0)
        return rc == -ENOENT ? sub_fail(err, ENOENT, dir_path, "no such folder") : rc;
    findings_init(&findings, arena);
    SUBLET_TRY(tenants_plan(arena, dir, root, &findings, &plan, err));
    SUBLET_TRY(tenant_plan_apply(arena, root, plan, &done, err));
    if (is_planned(plan, group))
        return 0;
    /* defined no more since the start looked */
    return sub_fail(err, ENOENT, dir_path, "the tenant of group '%s' was removed", group);
}
