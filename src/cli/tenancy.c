/* SPDX-License-Identifier: Apache-2.0 */
#include "tenancy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "sublet/base/arena.h"
#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "args.h"
#include "command.h"
#include "say.h"

void tenancy_done(struct tenancy *tenancy)
{
    sub_close(&tenancy->dir_fd);
    sub_close(&tenancy->root_fd);
}

const char *tenancy_path(const struct call *call)
{
    return call->args->tenants == NULL ? TENANT_DIR : call->args->tenants;
}

static int read_all(struct tenancy *tenancy, struct sub_err *err)
{
    struct arena *arena = tenancy->arena;
    struct tenants *tenants = &tenancy->tenants;

    if (tenancy->dir_fd >= 0)
        SUBLET_TRY(tenants_load(arena, tenancy->dir_fd, &tenancy->findings, tenants, err));
    SUBLET_TRY(tenants_find_held(arena, tenancy->root_fd, tenants, err));
    return tenant_host_read(tenancy->root_fd, &tenancy->host, err);
}

int tenancy_open(const struct call *call, enum tenancy_purpose purpose, struct tenancy *ret_tenancy,
                 struct sub_err *err)
{
    struct tenancy tenancy = {
        .arena = call->arena, .path = tenancy_path(call), .dir_fd = -EBADF, .root_fd = -EBADF};
    int rc;

    findings_init(&tenancy.findings, call->arena);
    rc = tenant_dir_open(tenancy.path, purpose == TENANCY_CHANGE, purpose != TENANCY_LOOK,
                         &tenancy.dir_fd, err);
    if (rc < 0 && rc != -ENOENT)
        return rc;
    (void) tenant_cgroups_open(&tenancy.root_fd, &tenancy.unavailable); /* told where it matters */
    rc = read_all(&tenancy, err);
    if (rc < 0) {
        tenancy_done(&tenancy);
        return rc;
    }
    *ret_tenancy = tenancy;
    return 0;
}

bool tenancy_is_empty(const struct tenancy *tenancy)
{
    const struct tenants *tenants = &tenancy->tenants;

    return tenants->count == 0 || (tenants->count == 1 && tenants->items[0].builtin);
}

int tenancy_plan(struct tenancy *tenancy, struct sub_err *err)
{
    struct tenants *tenants = &tenancy->tenants;

    for (size_t i = 0; i < tenants->count; i++)
        tenant_find_disks(tenancy->arena, tenants->items[i].name, &tenants->items[i].contract,
                          &tenancy->findings);
    return tenant_plan_make(&tenancy->host, tenants, NULL, &tenancy->findings, &tenancy->plan, err);
}

int tenancy_lacks(const struct tenancy *tenancy, const char *name, struct sub_err *err)
{
    const char *file = arena_printf(tenancy->arena, "%s.json", name);
    struct stat st;

    if (file != NULL && tenant_name_check(name, NULL, NULL) == 0 &&
        sys_fstatat(tenancy->dir_fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return sub_fail(err, EINVAL, NULL,
                        "tenant '%s': '%s/%s' is no definition; mend it, or remove the file", name,
                        tenancy->path, file);
    return sub_fail(err, ENOENT, NULL, "no tenant '%.80s' is defined in '%s'", name, tenancy->path);
}

const struct tenant_group *tenancy_find(const struct tenancy *tenancy, const char *name,
                                        struct sub_err *err)
{
    const struct tenant_group *group = tenant_plan_find(tenancy->plan, name);

    if (group == NULL)
        (void) tenancy_lacks(tenancy, name, err);
    return group;
}

bool tenancy_tell(struct tenancy *tenancy)
{
    struct findings *findings = &tenancy->findings;
    bool wrong = findings->error_count > 0;

    for (size_t i = 0; i < findings->error_count && i < FINDINGS_MAX; i++)
        say_warning(findings->errors[i].path, findings->errors[i].text);
    say_warnings(findings);
    findings_init(findings, tenancy->arena);
    return wrong;
}
