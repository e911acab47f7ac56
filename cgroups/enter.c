/* SPDX-License-Identifier: Apache-2.0 */
/* A process and its new group: why a clone into it failed, and handing it to a user. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sublet/base/fd.h"
#include "sublet/base/num.h"
#include "sublet/base/path.h"
#include "sublet/sys.h"

#include "private.h"

#define DELEGATE_FILE "/sys/kernel/cgroup/delegate"
#define DELEGATE_TEXT 4096

int cgroup_explain_clone(int dir_fd, int error, const char *where, struct sub_err *err)
{
    char text[256];
    bool known = false;

    switch (error) {
    case EBUSY:
        known = knob_read(dir_fd, "cgroup.subtree_control", text, sizeof text) > 0;
        if (known) {
            return sub_fail(err, error, where,
                            "no process can start in a cgroup that gives controllers to groups "
                            "below it (cgroup.subtree_control is '%s')",
                            text);
        }
        break;
    case EOPNOTSUPP:
        known = knob_read(dir_fd, "cgroup.type", text, sizeof text) > 0;
        if (known)
            return sub_fail(err, error, where, "no process can start in a cgroup of type '%s'",
                            text);
        break;
    case ENODEV:
    case ENOENT:
        return sub_fail(err, error, where, "the cgroup was removed while the container started");
    case EAGAIN:
        return sub_fail(err, error, where,
                        "no process can start: pids.max of the cgroup or one above it, or the "
                        "caller's RLIMIT_NPROC, is reached");
    case EACCES:
        return sub_fail(err, error, where,
                        "not allowed to start a process in the cgroup: its cgroup.procs, and that "
                        "of the nearest group above both, must be writable");
    default:
        break;
    }
    return sub_fail(err, error, where, "cannot start a process in the cgroup: %s",
                    sub_strerror(error));
}

int cgroup_adopt(int dir_fd, pid_t pid, const char *where, struct sub_err *err)
{
    char text[NUM_TEXT];
    bool absent = false;
    int rc = knob_put(dir_fd, "cgroup.procs", num_format_i64(pid, text), &absent);

    if (rc == -ESRCH) /* whoever waits for it hears why */
        return 0;
    return rc < 0 ? cgroup_explain_clone(dir_fd, -rc, where, err) : 0;
}

static const gid_t same = (gid_t) -1;

static int give(int dir_fd, const char *file, uid_t uid, struct sub_err *err)
{
    int rc = sys_fchownat(dir_fd, file, uid, same);

    if (rc == 0 || rc == -ENOENT) /* not every listed file exists in every group */
        return 0;
    return sub_fail(err, -rc, file, "cannot give the cgroup file to uid %u: %s", uid,
                    sub_strerror(-rc));
}

int cgroup_delegate(int dir_fd, uid_t uid, struct sub_err *err)
{
    /* what config-linux.md says where the kernel has no list */
    char text[DELEGATE_TEXT] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads";
    ssize_t n = sub_read_file_at(AT_FDCWD, DELEGATE_FILE, text, sizeof text);

    if (n < 0 && n != -ENOENT)
        return sub_fail(err, (int) -n, DELEGATE_FILE, "cannot read: %s", sub_strerror((int) -n));

    int rc = sys_fchown(dir_fd, uid, same);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "cannot give the cgroup to uid %u: %s", uid,
                        sub_strerror(-rc));

    for (char *line = text, *end; line != NULL && *line != '\0'; line = end) {
        end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        if (path_is_component(line))
            SUBLET_TRY(give(dir_fd, line, uid, err));
    }
    return 0;
}

static int look_for_leaf(void *context, int parent_fd, const char *name)
{
    struct cgroup *leaf = context;
    char text[256];
    OWNED_FD fd = sys_open_beneath(parent_fd, name, O_PATH | O_DIRECTORY, 0);

    if (fd < 0)
        return cg_is_gone(fd) ? 0 : fd;
    if (knob_read(fd, "cgroup.subtree_control", text, sizeof text) != 0)
        return 0;
    leaf->dir_fd = sub_take_fd(&fd);
    return -EEXIST; /* ends the walk */
}

int cgroup_open_leaf(int dir_fd, struct cgroup *ret_leaf)
{
    static const struct cg_visitor visitor = {.before = look_for_leaf};
    struct cgroup leaf = CGROUP_NONE;
    int rc = cg_walk(dir_fd, &visitor, &leaf);

    if (rc != -EEXIST)
        return rc < 0 ? rc : -ENOENT;
    *ret_leaf = leaf;
    return 0;
}
