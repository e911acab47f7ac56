/* SPDX-License-Identifier: Apache-2.0 */
/* Where the container's group is, and whose. */
#include <linux/sched.h>
#include <string.h>

#include "sublet/base/path.h"

#include "planning.h"

#define CGROUP_FIELD "linux.cgroupsPath"

static bool is_systemd_form(const char *path)
{
    const char *first = strchr(path, ':');

    return first != NULL && strchr(path, '/') == NULL && strchr(first + 1, ':') != NULL;
}

static const char *cgroupfs_path(struct planning *p)
{
    const char *path = p->linux_->cgroups_path;

    if ((path == NULL || path[0] == '\0') && p->plan->cgroup.tenant_group != NULL)
        return arena_printf(p->arena, "%s/sublet-%s", p->plan->cgroup.tenant_group, p->options->id);
    if (path == NULL || path[0] == '\0')
        return arena_printf(p->arena, "sublet-%s", p->options->id);
    if (is_systemd_form(path)) {
        plan_error(p, CGROUP_FIELD,
                   "'%s' is a path for --systemd-cgroup, expected '/parent/name' or 'name'", path);
        return NULL;
    }
    return path[0] == '/' ? path + 1 : path;
}

static bool has_writable_cgroup_mount(const struct spec *spec)
{
    for (size_t i = 0; i < spec->mounts.count; i++) {
        const struct spec_mount *mount = &spec->mounts.items[i];
        bool readonly = false;

        if (mount->source == NULL || strcmp(mount->source, "cgroup") != 0 ||
            strcmp(mount->destination, "/sys/fs/cgroup") != 0)
            continue;
        for (size_t j = 0; j < mount->options.count; j++)
            readonly = readonly || strcmp(mount->options.items[j], "ro") == 0;
        if (!readonly)
            return true;
    }
    return false;
}

/* config-linux.md, "Cgroup ownership". For the host's root there is nothing to change. */
static void decide_owner(struct planning *p)
{
    struct plan_cgroup *cgroup = &p->plan->cgroup;
    uint32_t uid;

    if ((p->plan->ns.create & CLONE_NEWCGROUP) == 0 || !has_writable_cgroup_mount(p->spec) ||
        !plan_uid_on_host(p, p->process->user.uid, &uid) || uid == 0)
        return;
    if (p->host->rootless && uid != p->host->euid) /* nobody gives away what is his own */
        return;
    cgroup->delegate = true;
    cgroup->delegate_uid = uid;
}

/* A container without a group of its own is in its caller's, and that is what a cgroup mount has to
 * show, be it a new instance in a namespace or a bind without one. */
const char *plan_callers_group(const struct planning *p)
{
    const struct host *host = p->host;

    if (host->cgroup_mount == NULL || host->own_cgroup == NULL ||
        strncmp(host->own_cgroup, "../", 3) == 0) /* outside of what is mounted here */
        return NULL;
    return arena_printf(p->arena, "%s/%s", host->cgroup_mount, host->own_cgroup);
}

void plan_decide_cgroup(struct planning *p)
{
    struct plan_cgroup *cgroup = &p->plan->cgroup;

    cgroup->json = CGROUP_FIELD;
    switch (p->options->cgroup_manager) {
    case OPTION_CGROUPFS:
        cgroup->manager = PLAN_CGROUPFS;
        cgroup->path = cgroupfs_path(p); /* for a user not yet the last word: plan_decide_place */
        break;
    case OPTION_SYSTEMD:
        cgroup->manager = PLAN_CGROUP_SYSTEMD;
        plan_decide_scope(p);
        break;
    case OPTION_DISABLED:
        cgroup->manager = PLAN_CGROUP_DISABLED;
        cgroup->shown = plan_callers_group(p);
        return;
    }
    if (p->host->cgroup_mount == NULL && !plan_needs_place(p))
        plan_error(p, CGROUP_FIELD,
                   "no cgroup v2 hierarchy is mounted at /sys/fs/cgroup or "
                   "/sys/fs/cgroup/unified");
    decide_owner(p);
}
