/* SPDX-License-Identifier: Apache-2.0 */
/* kill and delete. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "start.h"
#include "target.h"

/* Every process of the group; with SIGKILL at once, by the kernel, so that none can fork away. */
static int signal_all(const struct target *target, int number, struct sub_err *err)
{
    OWNED_CGROUP group = CGROUP_NONE;
    int rc = record_group(&target->record, NULL, &group, err);

    if (rc < 0)
        return rc;
    if (cgroup_populated(group.dir_fd) != 1)
        return -ESRCH;
    if (number == SIGKILL && !target->record.cgroup_kept)
        return cgroup_kill(group.dir_fd, err);
    return signal_group(target->arena, group.dir_fd, number, err);
}

/* With the lock while create may still be at work: its last steps need the process. Without it
 * afterwards: a start that waits for a hook must not keep anybody from ending it. */
static int open_for_kill(const struct run_target *request, struct target *ret_target,
                         struct sub_err *err)
{
    struct stat st;

    SUBLET_TRY(target_open(request, false, ret_target, err));
    if (ret_target->has_record && ret_target->record.complete &&
        sys_fstatat(ret_target->dir_fd, STATE_FIFO, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    target_done(ret_target);
    return target_open(request, true, ret_target, err);
}

int run_kill(const struct run_target *request, int number, bool all, struct sub_err *err)
{
    OWNED_TARGET target = TARGET_NONE;

    SUBLET_TRY(open_for_kill(request, &target, err));
    if (!target.has_record || !target.record.complete)
        return not_running(request->id, err);

    if (all) {
        int rc = signal_all(&target, number, err);

        if (rc == -ESRCH)
            return not_running(request->id, err);
        if (rc != -ENOENT) /* no group: the first process is all we know of */
            return rc;
    }

    OWNED_FD pidfd = state_process_open(&target.record);
    if (pidfd < 0 && pidfd != -ESRCH)
        return unknown_process(&target.record, pidfd, err);
    int rc = pidfd < 0 ? pidfd : sys_pidfd_signal(pidfd, number);
    if (rc == -ESRCH)
        return not_running(request->id, err);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "container '%s': cannot send signal %d: %s", request->id,
                        number, sub_strerror(-rc));
    return 0;
}

/* Only what has stopped goes without force, and what never began: engines delete "created" ones. */
static int check_stopped(const struct target *target, struct sub_err *err)
{
    struct stat st;

    if (!target->has_record || !target->record.complete)
        return 0;
    OWNED_FD pidfd = state_process_open(&target->record);
    if (pidfd < 0 || sys_fstatat(target->dir_fd, STATE_FIFO, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    return sub_fail(err, EBUSY, NULL, "cannot delete container '%s' that is not stopped: running",
                    target->id);
}

/* A start whose hook hangs holds the lock as long as the process lives. */
static void end_holder(const struct run_target *request)
{
    OWNED_TARGET target = TARGET_NONE;
    struct sub_err ignored = {.code = 0};
    struct stat st;

    if (target_open(request, false, &target, &ignored) < 0 || !target.has_record ||
        !target.record.complete || state_is_locked(target.dir_fd) != 1 ||
        sys_fstatat(target.dir_fd, STATE_FIFO, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return;
    OWNED_FD pidfd = state_process_open(&target.record);
    if (pidfd >= 0)
        (void) sys_pidfd_signal(pidfd, SIGKILL);
}

int run_delete(const struct run_target *request, bool force, struct sub_err *warn,
               struct sub_err *err)
{
    OWNED_TARGET target;

    if (force)
        end_holder(request);
    int rc = target_open(request, true, &target, err);
    if (rc == -ENOENT && force) {
        sub_err_clear(err);
        return 0;
    }
    if (rc == -EINVAL && force && target.dir_fd >= 0) {
        /* a record that makes no sense names nothing that could be killed: it goes as it is */
        if (warn != NULL)
            *warn = *err;
        sub_err_clear(err);
        SUBLET_TRY(state_check_folder(target.dir_fd, request->id, err));
        return state_remove(target.root_fd, request->id, target.dir_fd, err);
    }
    if (rc < 0)
        return rc;
    if (!force)
        SUBLET_TRY(check_stopped(&target, err));
    return target_destroy(&target, warn, err);
}
