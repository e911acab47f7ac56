/* SPDX-License-Identifier: Apache-2.0 */
#include "target.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/base/time.h"
#include "sublet/sys.h"

#include "start.h"

void target_done(struct target *target)
{
    sub_close(&target->dir_fd);
    sub_close(&target->root_fd);
}

int target_open(const struct run_target *request, bool lock, struct target *ret_target,
                struct sub_err *err)
{
    struct target *target = ret_target;

    *target = (struct target){.id = request->id,
                              .arena = request->arena,
                              .ledger = request->ledger,
                              .root_fd = -EBADF,
                              .dir_fd = -EBADF};
    int rc = state_root_open(request->state_root, false, &target->root_fd, err);
    if (rc == -ENOENT)
        return sub_fail(err, ENOENT, NULL, "container '%s': container does not exist", request->id);
    if (rc < 0)
        return rc;
    SUBLET_TRY(state_open(target->root_fd, request->id, lock, &target->dir_fd, err));

    rc = state_read(request->arena, target->dir_fd, &target->record, err);
    if (rc == -ENODATA)
        return 0;
    target->has_record = rc == 0;
    return rc;
}

int not_running(const char *id, struct sub_err *err)
{
    return sub_fail(err, ESRCH, NULL, "container '%s': container not running: no such process", id);
}

int target_open_living(const struct run_target *request, struct target *ret_target,
                       struct sub_err *err)
{
    SUBLET_TRY(target_open(request, true, ret_target, err));
    if (!ret_target->has_record || !ret_target->record.complete)
        return not_running(request->id, err);

    OWNED_FD pidfd = state_process_open(&ret_target->record);
    if (pidfd == -ESRCH)
        return not_running(request->id, err);
    return pidfd < 0 ? unknown_process(&ret_target->record, pidfd, err) : 0;
}

int record_group(const struct state_record *record, int *ret_root_fd, struct cgroup *ret_group,
                 struct sub_err *err)
{
    struct cgroups_host host;
    int root = -EBADF;

    if (record->cgroup_path == NULL)
        return -ENOENT;
    SUBLET_TRY(cgroups_mount_open(&root, &host, err));
    OWNED_FD owned = root;
    SUBLET_TRY(cgroup_open(root, record->cgroup_path, ret_group, err));
    if (ret_root_fd != NULL)
        *ret_root_fd = sub_take_fd(&owned);
    return 0;
}

int no_group(const struct state_record *record, struct sub_err *err)
{
    if (record->cgroup_path != NULL)
        return sub_fail(err, ENOENT, NULL, "container '%s': its cgroup '/%s' is gone", record->id,
                        record->cgroup_path);
    return sub_fail(
        err, EOPNOTSUPP, NULL, "container '%s' has no cgroup: it was made %s", record->id,
        strcmp(record->cgroup_manager, "disabled") == 0 ? "with --cgroup-manager disabled"
                                                        : "by a user to whom none is delegated");
}

int unknown_process(const struct state_record *record, int code, struct sub_err *err)
{
    return sub_fail(err, -code, NULL, "cannot tell whether process %d of container '%s' lives: %s",
                    record->process.pid, record->id, sub_strerror(-code));
}

static int wait_end(const struct state_record *record, int pidfd, int limit_ms, struct sub_err *err)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    int rc = sys_poll(&ended, 1, limit_ms);

    if (rc < 0)
        return sub_fail(err, -rc, NULL, "process %d did not end: %s", record->process.pid,
                        sub_strerror(-rc));
    return 0;
}

/* SIGKILL through a pidfd whose identity matched, then wait: a group that is empty by then spares
 * the waits below. But the end of a pid namespace waits for all who were in it, one of them may
 * wait for the runtime that entered with him, and that one for a process that stands still in a
 * paused group: only the kill of the group ends that. 1 if it lived, with its pidfd. */
static int kill_process(const struct state_record *record, int *ret_pidfd, struct sub_err *err)
{
    struct sub_err later = {.code = 0};
    OWNED_FD pidfd = state_process_open(record);
    if (pidfd == -ESRCH)
        return 0;
    if (pidfd < 0)
        return unknown_process(record, pidfd, err);

    int rc = sys_pidfd_signal(pidfd, SIGKILL);
    if (rc < 0 && rc != -ESRCH)
        return sub_fail(err, -rc, NULL, "cannot kill process %d: %s", record->process.pid,
                        sub_strerror(-rc));
    if (record->cgroup_path != NULL)
        (void) wait_end(record, pidfd, ALONE_LIMIT_MS, &later); /* the group's kill follows */
    else
        SUBLET_TRY(wait_end(record, pidfd, DESTROY_LIMIT_MS, err));
    *ret_pidfd = sub_take_fd(&pidfd);
    return 1;
}

/* Since it was made: whoever sees the end knows how long it lived. */
static uint64_t age_us(const struct state_record *record)
{
    uint64_t made_us, now_us = time_now_us(CLOCK_REALTIME);

    if (time_parse_us(record->created, &made_us) < 0 || made_us > now_us)
        return 0;
    return now_us - made_us;
}

static int remove_group(const struct target *target, struct sub_err *err)
{
    struct cgroups_host host;
    int root = -EBADF;

    if (target->record.cgroup_path == NULL)
        return 0;
    SUBLET_TRY(cgroups_mount_open(&root, &host, err));
    OWNED_FD owned = root;
    return destroy_group(target->arena, root, &target->record, err);
}

static void run_stop_hooks(struct target *target, struct sub_err *warn)
{
    struct plan_hooks hooks[PLAN_HOOK_KINDS];
    OWNED_BUF text = BUF(STATE_MAX_BYTES);

    if (!target->record.stop_hooks || !target->record.complete)
        return;
    if (load_hooks(target->arena, target->dir_fd, hooks, warn) < 0 ||
        state_text(&target->record, RUN_STOPPED, 0, &text) < 0)
        return;

    /* config.md: an error of one is a warning, and the others run all the same */
    for (size_t i = 0; i < hooks[PLAN_HOOK_POSTSTOP].count; i++)
        (void) proc_hook_run(&hooks[PLAN_HOOK_POSTSTOP].items[i], text.data, target->record.bundle,
                             warn);
}

int target_destroy(struct target *target, struct sub_err *warn, struct sub_err *err)
{
    if (target->has_record) {
        int fresh = -EBADF;
        int killed = kill_process(&target->record, &fresh, err);
        OWNED_FD pidfd = fresh;

        if (killed < 0)
            return killed;
        if (killed > 0)
            target->life_us = age_us(&target->record);
        target_account(target, true);
        SUBLET_TRY(remove_group(target, err));
        if (killed > 0)
            SUBLET_TRY(wait_end(&target->record, pidfd, DESTROY_LIMIT_MS, err));
        SUBLET_TRY(remove_resctrl(&target->record, err));
        run_stop_hooks(target, warn);
    } else {
        SUBLET_TRY(state_check_folder(target->dir_fd, target->id, err));
    }
    return state_remove(target->root_fd, target->id, target->dir_fd, err);
}
