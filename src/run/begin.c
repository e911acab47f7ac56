/* SPDX-License-Identifier: Apache-2.0 */
/* start: wakes the process that create left waiting. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/sys.h"

#include "start.h"
#include "target.h"

/* The child either closes its end of the answer by becoming the program, or writes why not. Its end
 * tells as much: a FIFO whose writer was gone before we opened it never hangs up. */
static int wait_answer(int answer_fd, int pidfd, bool hooks, struct sub_err *err)
{
    struct pollfd wait[] = {
        {.fd = answer_fd, .events = POLLIN},
        {.fd = pidfd,     .events = POLLIN},
    };
    int rc = sys_poll(wait, 2, hooks ? -1 : ANSWER_LIMIT_MS);
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "the container's process did not answer: %s",
                        sub_strerror(-rc));
    if ((wait[0].revents & POLLIN) == 0 && (wait[1].revents & POLLIN) == 0)
        return 0;
    return proc_read_failure(answer_fd, err);
}

static int has_stopped(const struct target *target, struct sub_err *err)
{
    OWNED_CGROUP group = CGROUP_NONE;
    char reason[128] = "";

    if (record_group(&target->record, NULL, &group, NULL) >= 0)
        cgroup_oom_reason(group.dir_fd, reason, sizeof reason);
    return sub_fail(err, ESRCH, NULL,
                    "container '%s': cannot start a container that has stopped%s%s", target->id,
                    reason[0] == '\0' ? "" : " (OOM-killed): ", reason);
}

static int wake(const struct target *target, int pidfd, struct sub_err *err)
{
    OWNED_FD answer =
        sys_openat(target->dir_fd, STATE_ANSWER, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
    OWNED_FD fifo = sys_openat(target->dir_fd, STATE_FIFO, O_WRONLY | O_NONBLOCK | O_NOFOLLOW, 0);
    if (fifo == -ENOENT)
        return sub_fail(err, EBUSY, NULL,
                        "container '%s': cannot start an already running container",
                        target->record.id);
    if (fifo == -ENXIO)
        return has_stopped(target, err);
    if (fifo < 0 || answer < 0)
        return sub_fail(err, fifo < 0 ? -fifo : -answer, STATE_FIFO, "cannot open: %s",
                        sub_strerror(fifo < 0 ? -fifo : -answer));

    int rc = sub_write_quietly(fifo, "S", 1);
    if (rc == -EPIPE) /* killed since we opened it */
        return has_stopped(target, err);
    if (rc < 0)
        return sub_fail(err, -rc, STATE_FIFO, "cannot wake the container: %s", sub_strerror(-rc));
    /* from here on it counts as started; a second start finds no FIFO */
    (void) sys_unlinkat(target->dir_fd, STATE_FIFO, 0);
    (void) sys_unlinkat(target->dir_fd, STATE_ANSWER, 0);
    return wait_answer(answer, pidfd, target->record.start_hooks, err);
}

int run_start_hooks(struct arena *arena, int dir_fd, const struct state_record *record,
                    struct sub_err *err)
{
    struct plan_hooks hooks[PLAN_HOOK_KINDS];
    OWNED_BUF text = BUF(STATE_MAX_BYTES);

    SUBLET_TRY(load_hooks(arena, dir_fd, hooks, err));
    SUBLET_TRY(state_text(record, RUN_RUNNING, record->process.pid, &text));
    return proc_hooks_run(&hooks[PLAN_HOOK_POSTSTART], text.data, record->bundle, err);
}

/* Only if create has handed a folder in. */
static int open_notify(const struct target *target, const char *listener,
                       struct proc_notify *notify, struct sub_err *err)
{
    OWNED_FD folder = listener == NULL ? -ENOENT
                                       : sys_openat(target->dir_fd, STATE_NOTIFY,
                                                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    if (folder == -ENOENT)
        return 0;
    if (folder < 0)
        return sub_fail(err, -folder, STATE_NOTIFY, "cannot open: %s", sub_strerror(-folder));
    SUBLET_TRY(proc_notify_open(notify, folder, STATE_NOTIFY_SOCKET, listener, err));
    proc_notify_of(notify, target->record.process.pid);
    notify->adds_main_pid = true;
    return 0;
}

int run_start(const struct run_target *request, const char *notify_socket, struct sub_err *err)
{
    __attribute__((cleanup(proc_notify_done))) struct proc_notify notify = PROC_NOTIFY_NONE;
    struct sub_err unfinished = {.code = 0};
    OWNED_TARGET target;

    SUBLET_TRY(target_open(request, true, &target, err));
    if (!target.has_record || !target.record.complete)
        return sub_fail(err, EINVAL, NULL,
                        "container '%s' was never completed by create; remove it with delete",
                        request->id);

    OWNED_FD pidfd = state_process_open(&target.record);
    if (pidfd < 0 && pidfd != -ESRCH)
        return unknown_process(&target.record, pidfd, err);
    if (pidfd < 0)
        return has_stopped(&target, err);

    /* it would not answer, and the start would wait for nothing */
    if (is_frozen(&target.record))
        return sub_fail(err, EBUSY, NULL, "container '%s' is paused: resume it first", request->id);

    (void) target_finish_update(&target, &unfinished); /* else the next update tells why not */
    SUBLET_TRY(open_notify(&target, notify_socket, &notify, err));
    int rc = wake(&target, pidfd, err);
    if (rc == -EBUSY || rc == -ESRCH)
        return rc;
    if (rc == 0)
        target_tell_start(&target);
    if (rc == 0 && target.record.start_hooks)
        rc = run_start_hooks(request->arena, target.dir_fd, &target.record, err);
    if (rc < 0 && target.record.start_hooks) {
        struct sub_err ignored = {.code = 0};

        /* config.md, lifecycle: a failed start or poststart hook ends the container */
        (void) target_destroy(&target, NULL, &ignored);
    }
    if (rc < 0)
        return rc;
    sub_close(&target.dir_fd); /* and with it the lock: this may last as long as the process */
    return proc_notify_wait(&notify, pidfd, err);
}
