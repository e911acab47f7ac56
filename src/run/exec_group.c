/* SPDX-License-Identifier: Apache-2.0 */
/* Which group an exec's process is born in. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "sublet/base/fd.h"
#include "sublet/base/path.h"
#include "sublet/sys.h"

#include "exec.h"
#include "start.h"
#include "target.h"

#define GROUP_TEXT 4096

/* path below the mount of the group that --cgroup names, which stays below the container's. */
static int open_named(struct start *start, const char *name, struct sub_err *err)
{
    const char *own = start->record.cgroup_path;
    const char *relative = name + strspn(name, "/");
    size_t length = strlen(relative);

    while (length > 0 && relative[length - 1] == '/')
        length--;
    const char *clean = arena_strndup(start->request->arena, relative, length);
    if (clean == NULL)
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    if (length == 0 || strcmp(clean, ".") == 0)
        return cgroup_open(start->cgroup_root_fd, own, &start->group, err);
    if (!path_is_canonical(clean) || strcmp(clean, "..") == 0 || strncmp(clean, "../", 3) == 0)
        return sub_fail(err, EINVAL, "--cgroup",
                        "'%.64s': expected the path of a group below the container's, without '..'",
                        name);

    const char *path = arena_printf(start->request->arena, "%s/%s", own, clean);
    if (path == NULL)
        return sub_fail(err, ENOMEM, NULL, "out of memory");
    int rc = cgroup_open(start->cgroup_root_fd, path, &start->group, err);
    if (rc == -ENOENT)
        return sub_fail(err, ENOENT, "--cgroup", "the container has no group '%.64s'", name);
    return rc;
}

/* Nobody is put into a frozen group, where nothing could end him before it is thawed; and nobody
 * holds the lock meanwhile, which a resume may need. */
int exec_wait_resumed(struct start *start, struct sub_err *err)
{
    const struct run_exec_request *request = start->exec->request;
    const struct run_target by_name = {
        .arena = request->arena, .state_root = request->state_root, .id = request->id};
    OWNED_TARGET target = TARGET_NONE;
    OWNED_CGROUP group = CGROUP_NONE;
    struct cgroups_host host;
    int fresh = -EBADF;

    if (!request->ignore_paused)
        return 0;
    SUBLET_TRY(target_open(&by_name, false, &target, err));
    if (!target.has_record || target.record.cgroup_path == NULL)
        return 0;
    SUBLET_TRY(cgroups_mount_open(&fresh, &host, err));
    OWNED_FD root = fresh;
    if (cgroup_open(root, target.record.cgroup_path, &group, NULL) == 0)
        (void) cgroup_wait_thawed(group.dir_fd); /* a group that is gone is met by later steps */
    return 0;
}

static int check_paused(struct start *start, struct sub_err *err)
{
    if (cgroup_is_frozen(start->group.dir_fd) <= 0)
        return 0; /* a group that is gone is met by the clone */
    return sub_fail(err, EBUSY, NULL,
                    "container '%s': cannot exec in a paused container (use --ignore-paused to "
                    "override)",
                    start->exec->request->id);
}

int exec_cgroup(struct start *start, struct sub_err *err)
{
    const char *name = start->exec->request->cgroup;
    const char *own = start->record.cgroup_path;

    if (own == NULL && name != NULL)
        return sub_fail(err, EINVAL, "--cgroup", "the container has no cgroup of its own");
    if (own == NULL)
        return 0;
    SUBLET_TRY(cgroups_mount_open(&start->cgroup_root_fd, &start->cgroup_host, err));

    int rc = name != NULL ? open_named(start, name, err)
                          : cgroup_open(start->cgroup_root_fd, own, &start->group, err);
    if (rc == -ENOENT && name == NULL)
        return exec_not_running(start->exec->request->id, err);
    return rc < 0 ? rc : check_paused(start, err);
}

static int clone_into(int group_fd, struct ns_child *ret_child)
{
    int pidfd = -EBADF;
    pid_t pid = sys_clone(&(struct sys_clone){.cgroup_fd = group_fd, .ret_pidfd = &pidfd});

    if (pid < 0)
        return pid;
    *ret_child = (struct ns_child){.pid = pid, .pidfd = pid == 0 ? -EBADF : pidfd};
    return 0;
}

/* The group of the container's init as /proc tells it, if that is below the container's own. */
static int open_group_of_init(const struct state_record *record, int root_fd,
                              struct cgroup *ret_group)
{
    char path[64], text[GROUP_TEXT];
    const char *own = record->cgroup_path;
    size_t own_length = strlen(own);

    (void) snprintf(path, sizeof path, "/proc/%d/cgroup", (int) record->process.pid);
    ssize_t n = sub_read_file_at(AT_FDCWD, path, text, sizeof text);
    if (n < 0)
        return (int) n;
    for (char *line = text, *end; line != NULL; line = end) {
        end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        if (strncmp(line, "0::/", 4) == 0 && strncmp(line + 4, own, own_length) == 0 &&
            line[4 + own_length] == '/')
            return cgroup_open(root_fd, line + 4, ret_group, NULL);
    }
    return -ENOENT;
}

/* A container that has given its controllers to groups below cannot take a process into its own:
 * then into the group where its init is, or else the nearest that has none below. */
static int clone_below(const struct state_record *record, int root_fd, int group_fd,
                       struct ns_child *ret_child)
{
    OWNED_CGROUP init = CGROUP_NONE;
    OWNED_CGROUP leaf = CGROUP_NONE;
    int rc = open_group_of_init(record, root_fd, &init);

    if (rc == 0)
        rc = clone_into(init.dir_fd, ret_child);
    if (rc == 0)
        return 0;
    rc = cgroup_open_leaf(group_fd, &leaf);
    return rc < 0 ? rc : clone_into(leaf.dir_fd, ret_child);
}

int clone_into_container(const struct state_record *record, int root_fd, int group_fd,
                         struct ns_child *ret_child)
{
    int rc = clone_into(group_fd, ret_child);

    if (rc != -EBUSY && rc != -EOPNOTSUPP)
        return rc;

    int below = clone_below(record, root_fd, group_fd, ret_child);
    return below == 0 || below == -ENODEV || below == -ENOENT ? below : rc;
}

int exec_clone(struct start *start, struct sub_err *err)
{
    bool named = start->exec->request->cgroup != NULL;
    int group_fd = start->group.dir_fd;
    int rc = group_fd < 0 || named ? clone_into(group_fd < 0 ? -1 : group_fd, &start->child)
                                   : clone_into_container(&start->record, start->cgroup_root_fd,
                                                          group_fd, &start->child);

    if (rc == 0)
        return 0;
    if (group_fd < 0)
        return sub_fail(err, -rc, NULL, "cannot clone: %s", sub_strerror(-rc));
    if ((rc == -ENODEV || rc == -ENOENT) && !named)
        return exec_not_running(start->exec->request->id, err);
    return cgroup_explain_clone(group_fd, -rc, named ? "--cgroup" : NULL, err);
}
