/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel takes the maps of an id-mapped mount from a user namespace, and of that only the maps.
 * A namespace is made by a process: one that does nothing but wait until its maps are written and
 * its namespace is open, on a pipe that also tells it of our death.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <unistd.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/ns.h"
#include "sublet/sys.h"

#include "idmap.h"

__attribute__((noreturn)) static void hold_namespace(int read_fd, int write_fd)
{
    char byte;

    (void) close(write_fd); /* or our own copy would keep the end of the pipe from showing */
    (void) sub_read_all(read_fd, &byte, 1);
    _exit(0);
}

static int take_namespace(pid_t pid, int *ret_fd)
{
    char path[64];

    (void) snprintf(path, sizeof path, "/proc/%d/ns/user", (int) pid);
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0)
        return fd;
    *ret_fd = fd;
    return 0;
}

static int fill(const struct plan_idmap *idmap, pid_t pid, int *ret_fd, struct sub_err *err)
{
    int rc = ns_write_proc(pid, "uid_map", idmap->uid_map_text);
    if (rc < 0)
        return sub_fail(err, -rc, idmap->json, "the kernel refused the uid map of the mount: %s",
                        sub_strerror(-rc));
    rc = ns_write_proc(pid, "gid_map", idmap->gid_map_text);
    if (rc < 0)
        return sub_fail(err, -rc, idmap->json, "the kernel refused the gid map of the mount: %s",
                        sub_strerror(-rc));
    rc = take_namespace(pid, ret_fd);
    if (rc < 0)
        return sub_fail(err, -rc, idmap->json, "cannot open the user namespace of the mount: %s",
                        sub_strerror(-rc));
    return 0;
}

static int make_namespace(const struct plan_idmap *idmap, int *ret_fd, struct sub_err *err)
{
    int ends[2], pidfd = -EBADF, status;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return sub_fail(err, errno, idmap->json, "cannot make a pipe: %s", sub_strerror(errno));
    OWNED_FD its = ends[0];
    OWNED_FD ours = ends[1];

    pid_t pid = sys_clone(
        &(struct sys_clone){.flags = CLONE_NEWUSER, .cgroup_fd = -1, .ret_pidfd = &pidfd});
    if (pid == 0)
        hold_namespace(its, ours);
    OWNED_FD owned = pidfd;
    if (pid < 0)
        return sub_fail(err, -pid, idmap->json,
                        "cannot make a user namespace for its id mapping: %s%s", sub_strerror(-pid),
                        pid == -ENOSPC ? " (see /proc/sys/user/max_user_namespaces)" : "");

    int rc = fill(idmap, pid, ret_fd, err);
    sub_close(&ours); /* lets the child end */
    (void) sys_pidfd_wait(owned, 0, &status);
    return rc;
}

int ns_open_idmap(const struct plan_idmap *idmap, int *ret_fd, struct sub_err *err)
{
    if (idmap->user_namespace == NULL)
        return make_namespace(idmap, ret_fd, err);

    int fd = sys_openat(AT_FDCWD, idmap->user_namespace, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return sub_fail(err, -fd, idmap->json, "cannot open '%s': %s", idmap->user_namespace,
                        sub_strerror(-fd));
    *ret_fd = fd;
    return 0;
}
