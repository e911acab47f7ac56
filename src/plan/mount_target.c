/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sublet/base/path.h"

#include "planning.h"

/* What stands at /proc is taken for procfs by everything inside, so nothing else may be put there.
 * podman binds the host's own where the pid namespace is the host's. */
static void check_proc(struct planning *p, const struct plan_mount *mount)
{
    bool host_proc = mount->kind == PLAN_MOUNT_BIND && mount->source != NULL &&
                     strcmp(mount->source, "/proc") == 0;
    bool new_proc = mount->kind == PLAN_MOUNT_NEW && strcmp(mount->type, "proc") == 0;

    if (!host_proc && !new_proc && mount->kind != PLAN_MOUNT_REMOUNT)
        plan_error(p, arena_printf(p->arena, "%s.destination", mount->json),
                   "only a mount of type proc, or a bind of the host's /proc, may be at /proc");
}

void plan_decide_target(struct planning *p, struct plan_mount *mount)
{
    static const char *const ours[] = {"/proc", "/sys", "/dev", NULL};

    if (strcmp(mount->target, "/proc") == 0)
        check_proc(p, mount);
    mount->target_no_symlinks =
        plan_is_one_of(mount->target, ours) || path_holds("/proc", mount->target);
}
