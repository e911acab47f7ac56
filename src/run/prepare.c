/* SPDX-License-Identifier: Apache-2.0 */
/* Steps before the first effect: everything is parsed, opened, connected and compiled here. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"
#include "sublet/tenant.h"

#include "start.h"

#define PROC_MAGIC 0x9fa0

int step_root(struct start *start, struct sub_err *err)
{
    return state_root_open(start->request->state_root, true, &start->root_fd, err);
}

int step_cgroup_find(struct start *start, struct sub_err *err)
{
    const struct plan_cgroup *cgroup = &start->plan->cgroup;

    if (cgroup->manager == PLAN_CGROUP_DISABLED || cgroup->path == NULL)
        return 0;
    SUBLET_TRY(cgroups_mount_open(&start->cgroup_root_fd, &start->cgroup_host, err));
    start->group_path = cgroup->path;
    if (cgroup->manager == PLAN_CGROUP_SYSTEMD)
        return scope_connect(start, err);
    if (cgroup->tenant == NULL || cgroup->tenant_outside)
        return 0;
    /* before the record counts what is missing: the tenant's group outlives all containers */
    return tenant_ensure(start->request->arena, start->cgroup_root_fd, cgroup->tenants_dir,
                         cgroup->tenant_group, cgroup->tenant_origin, err);
}

int step_joins(struct start *start, struct sub_err *err)
{
    return ns_joins_open(&start->plan->ns, &start->joins, err);
}

static int connect_to(const char *path, const char *json, int *ret_fd, struct sub_err *err)
{
    if (path == NULL)
        return 0;

    int fd = sys_unix_connect(path);
    if (fd < 0)
        return sub_fail(err, -fd, json, "cannot connect to '%s': %s", path, sub_strerror(-fd));
    *ret_fd = fd;
    return 0;
}

/* A foreground run is its own console: the master comes back over a socket pair. */
static int foreground_console(struct start *start, struct sub_err *err)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return sub_fail(err, errno, "process.terminal", "cannot make a socket pair: %s",
                        sub_strerror(errno));
    start->terminal_fd = ends[0];
    start->console_fd = ends[1];
    return 0;
}

/* The script has to know the descriptor before the child can open what will be behind it. */
static int open_proc(struct start *start, struct sub_err *err)
{
    const struct plan_process *process = &start->plan->process;
    bool labels = process->apparmor != NULL || process->selinux != NULL;

    if (!labels && start->plan->sysctl_count == 0)
        return 0;
    start->proc_fd = sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    if (start->proc_fd < 0 || sys_fs_type(start->proc_fd) != PROC_MAGIC)
        return sub_fail(err, ENOTSUP, "/proc", "not a procfs, which labels and sysctls need");
    if (!labels)
        return 0;
    start->label_fd = fcntl(start->proc_fd, F_DUPFD_CLOEXEC, 3);
    if (start->label_fd < 0)
        return sub_fail(err, errno, "/proc", "cannot keep open: %s", sub_strerror(errno));
    return 0;
}

int step_sockets(struct start *start, struct sub_err *err)
{
    const struct plan_process *process = &start->plan->process;

    SUBLET_TRY(open_proc(start, err));
    SUBLET_TRY(connect_to(process->console_socket, "--console-socket", &start->console_fd, err));
    if (process->terminal && process->console_socket == NULL)
        SUBLET_TRY(foreground_console(start, err));
    SUBLET_TRY(
        connect_to(start->request->pidfd_socket, "--pidfd-socket", &start->pidfd_socket_fd, err));
    if (process->seccomp == NULL)
        return 0;
    return connect_to(process->seccomp->listener_path, "linux.seccomp.listenerPath",
                      &start->agent_fd, err);
}

int step_filter(struct start *start, struct sub_err *err)
{
    const struct plan_seccomp *seccomp = start->plan->process.seccomp;

    if (seccomp == NULL)
        return 0;

    /* without a cache folder the filter is compiled, so its absence is no failure */
    int rc = sys_mkdirat(start->root_fd, STATE_CACHE, 0700);
    OWNED_FD cache = rc == 0 || rc == -EEXIST ? sys_openat(start->root_fd, STATE_CACHE,
                                                           O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
                                              : rc;
    return priv_filter_compile(seccomp, cache, &start->filter, err);
}

static const char *host_path_of_group(struct start *start)
{
    const char *path = start->group_path;

    if (start->cgroup_root_fd < 0)
        return start->plan->cgroup.shown;
    return arena_printf(start->request->arena, "%s/%s", start->cgroup_host.mount_path,
                        path[0] == '/' ? path + 1 : path);
}

int step_idmaps(struct start *start, struct sub_err *err)
{
    const struct plan_mounts *mounts = &start->plan->mounts;

    if (mounts->idmap_count == 0)
        return 0;
    int *fds = arena_array(start->request->arena, mounts->idmap_count, sizeof *fds);
    if (fds == NULL)
        return sub_fail(err, ENOMEM, "mounts", "no memory for %zu id maps", mounts->idmap_count);
    for (size_t i = 0; i < mounts->idmap_count; i++)
        fds[i] = -EBADF;
    start->idmap_fds = fds;
    for (size_t i = 0; i < mounts->idmap_count; i++)
        SUBLET_TRY(ns_open_idmap(&mounts->idmaps[i], &fds[i], err));
    return 0;
}

int step_sources(struct start *start, struct sub_err *err)
{
    const struct plan *plan = start->plan;

    SUBLET_TRY(
        mount_tree_new(&plan->root, &plan->mounts, host_path_of_group(start), &start->tree, err));
    mount_use_idmaps(start->tree, start->idmap_fds);
    SUBLET_TRY(mount_open_root(start->tree, err));
    if (plan->mounts.sources_by_parent)
        SUBLET_TRY(mount_open_sources(start->tree, err));
    return 0;
}

/* With systemd the child does: the group is made around it. */
int step_group_mount(struct start *start, struct sub_err *err)
{
    const struct plan *plan = start->plan;

    if (!plan->mounts.sources_by_parent || plan->cgroup.manager == PLAN_CGROUP_SYSTEMD)
        return 0;
    return mount_open_group(start->tree, err);
}

int step_channel(struct start *start, struct sub_err *err)
{
    return proc_channel_open((int) (3 + start->plan->process.preserve_fds), start->channel, err);
}
