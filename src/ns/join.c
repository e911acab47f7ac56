/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/err.h"
#include "sublet/base/fd.h"
#include "sublet/base/words.h"
#include "sublet/ns.h"
#include "sublet/sys.h"

int ns_joins_open(const struct plan_ns *ns, struct ns_joins *ret_joins, struct sub_err *err)
{
    struct ns_joins joins = {.count = 0};

    for (size_t i = 0; i < ns->join_count; i++) {
        const struct plan_join *join = &ns->joins[i];
        const char *wanted = words_name(&plan_namespaces, join->kind);
        /* O_NONBLOCK: a FIFO in the place of a namespace file must not stop us */
        OWNED_FD fd = sys_openat(AT_FDCWD, join->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        int kind = fd < 0 ? fd : sys_ns_kind(fd);

        if (fd >= 0 && kind > 0 && (uint64_t) kind == join->kind) {
            joins.fds[joins.count++] = sub_take_fd(&fd);
            continue;
        }
        ns_joins_close(&joins);
        if (fd < 0)
            return sub_fail(err, -kind, join->json, "cannot open '%s': %s", join->path,
                            sub_strerror(-kind));
        if (kind < 0)
            return sub_fail(err, EINVAL, join->json, "'%s' is not a namespace, expected type %s",
                            join->path, wanted);
        return sub_fail(err, EINVAL, join->json, "'%s' is a namespace of type %s, expected type %s",
                        join->path, words_name(&plan_namespaces, (uint64_t) kind), wanted);
    }
    *ret_joins = joins;
    return 0;
}

void ns_joins_close(struct ns_joins *joins)
{
    for (size_t i = 0; i < joins->count; i++)
        sub_close(&joins->fds[i]);
    joins->count = 0;
}

static int join_one(const struct plan_join *join, int fd, struct sub_err *err)
{
    int rc = sys_setns(fd, (int) join->kind);

    if (rc < 0)
        return sub_fail(err, -rc, join->json, "cannot join the %s namespace '%s': %s",
                        words_name(&plan_namespaces, join->kind), join->path, sub_strerror(-rc));
    return 0;
}

/* The kernel freezes the offsets when the first process enters, so they come between the making
 * and the entering; setns on the own one-for-children enters without another fork. */
static int make_time_namespace(const char *offsets, struct sub_err *err)
{
    int rc = sys_unshare(CLONE_NEWTIME);
    if (rc < 0)
        return sub_fail(err, -rc, "linux.namespaces", "cannot make a time namespace: %s",
                        sub_strerror(-rc));

    if (offsets != NULL) {
        OWNED_FD fd = sys_openat(AT_FDCWD, "/proc/self/timens_offsets", O_WRONLY, 0);
        rc = fd < 0 ? fd : sub_write_all(fd, offsets, strlen(offsets));
        if (rc < 0)
            return sub_fail(err, -rc, "linux.timeOffsets", "the kernel refused '%s': %s", offsets,
                            sub_strerror(-rc));
    }

    OWNED_FD made = sys_openat(AT_FDCWD, "/proc/self/ns/time_for_children", O_RDONLY, 0);
    rc = made < 0 ? made : sys_setns(made, CLONE_NEWTIME);
    if (rc < 0)
        return sub_fail(err, -rc, "linux.namespaces", "cannot enter the time namespace: %s",
                        sub_strerror(-rc));
    return 0;
}

int ns_enter(const struct plan_ns *ns, const struct ns_joins *joins, struct sub_err *err)
{
    /* user and pid were joined before this process was cloned */
    for (size_t i = 0; i < joins->count; i++) {
        if ((ns->joins[i].kind & (CLONE_NEWUSER | CLONE_NEWPID)) == 0)
            SUBLET_TRY(join_one(&ns->joins[i], joins->fds[i], err));
    }

    /* not by clone: a cgroup namespace is rooted at the caller's group, and only the child is in
     * the right one; a network namespace made here overlaps with the parent's work; the root of
     * /dev/mqueue belongs to who makes the ipc namespace, which is to be root in the user one */
    int late = (int) (ns->create & (CLONE_NEWCGROUP | CLONE_NEWNET | CLONE_NEWIPC));
    int rc = late == 0 ? 0 : sys_unshare(late);
    if (rc < 0)
        return sub_fail(err, -rc, "linux.namespaces", "cannot make new namespaces: %s",
                        sub_strerror(-rc));
    if ((ns->create & CLONE_NEWNET) != 0)
        rc = sys_loopback_up();
    if (rc < 0)
        return sub_fail(err, -rc, "linux.namespaces", "cannot bring the loopback device up: %s",
                        sub_strerror(-rc));
    if ((ns->create & CLONE_NEWTIME) != 0)
        return make_time_namespace(ns->timens_text, err);
    return 0;
}

int ns_set_names(const struct plan_ns *ns, struct sub_err *err)
{
    int rc = ns->hostname == NULL ? 0 : sys_sethostname(ns->hostname);
    if (rc < 0)
        return sub_fail(err, -rc, "hostname", "the kernel refused '%s': %s", ns->hostname,
                        sub_strerror(-rc));
    rc = ns->domainname == NULL ? 0 : sys_setdomainname(ns->domainname);
    if (rc < 0)
        return sub_fail(err, -rc, "domainname", "the kernel refused '%s': %s", ns->domainname,
                        sub_strerror(-rc));
    return 0;
}
