/* SPDX-License-Identifier: Apache-2.0 */
/* create and run: the steps, and what follows them. */
#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "sublet/base/fd.h"
#include "sublet/base/time.h"
#include "sublet/sys.h"

#include "start.h"
#include "target.h"

static int open_fds(const struct plan *plan, struct sub_err *err)
{
    return proc_fds_init(plan->process.preserve_fds, plan->process.listen_fds, err);
}

int run_create(const struct run_request *request, struct sub_err *err)
{
    __attribute__((cleanup(start_done))) struct start start;

    start_init(&start, request, true);
    SUBLET_TRY(open_fds(request->plan, err));
    return steps_run(PARENT, &start, err);
}

/* After the release the stub still has privileges to take and a program to execute: the end of
 * the channel without a word means that the container runs. */
static int confirm_exec(struct start *start, struct sub_err *err)
{
    enum proc_news news;
    bool hooks = start->plan->hooks[PLAN_HOOK_START_CONTAINER].count > 0;

    int rc = proc_receive(start->channel[0], hooks ? -1 : ANSWER_LIMIT_MS, &news, NULL, err);
    return rc < 0 ? rc : 0;
}

struct ending {
    bool watched; /* to the end: */
    int status;
    uint64_t life_us;
    struct run_final *final;
};

static int open_ended(const struct run_target *by_name, const struct ending *ending,
                      struct target *ret_target, struct sub_err *err)
{
    SUBLET_TRY(target_open(by_name, true, ret_target, err));
    ret_target->has_status = ending->watched;
    ret_target->status = ending->status;
    ret_target->life_us = ending->life_us;
    ret_target->final = ending->final;
    return 0;
}

/* Behind the steps the container is one like any other: its folder is not ours any more, other
 * commands may work on it, and its end is a delete, unless somebody has been faster. */
static int end_container(const struct run_target *by_name, const struct ending *ending,
                         struct sub_err *warn, struct sub_err *err)
{
    OWNED_TARGET target = TARGET_NONE;
    int rc = open_ended(by_name, ending, &target, err);

    if (rc == -ENOENT) {
        sub_err_clear(err);
        return 0;
    }
    return rc < 0 ? rc : target_destroy(&target, warn, err);
}

/* One that stays as it is is accounted for all the same. */
static void keep_container(const struct run_target *by_name, const struct ending *ending)
{
    OWNED_TARGET target = TARGET_NONE;
    struct sub_err ignored = {.code = 0};

    if (ending->final == NULL && by_name->ledger == NULL)
        return;
    if (open_ended(by_name, ending, &target, &ignored) == 0 && target.has_record)
        target_account(&target, false);
}

static int after_start(struct start *start, const struct run_target *by_name, struct sub_err *err)
{
    SUBLET_TRY(confirm_exec(start, err));

    const struct target told = {.id = by_name->id,
                                .arena = by_name->arena,
                                .ledger = by_name->ledger,
                                .has_record = true,
                                .record = start->record};
    target_tell_start(&told);
    if (start->plan->hooks[PLAN_HOOK_POSTSTART].count == 0)
        return 0;

    OWNED_TARGET target;
    SUBLET_TRY(target_open(by_name, true, &target, err));
    return run_start_hooks(target.arena, target.dir_fd, &target.record, err);
}

/* The status alone does not tell the kernel's kill from any other. */
static void explain_end(const struct start *start, int status, struct sub_err *warn)
{
    char reason[128] = "";

    if (status != 128 + SIGKILL || start->group.dir_fd < 0)
        return;
    cgroup_oom_reason(start->group.dir_fd, reason, sizeof reason);
    if (reason[0] != '\0')
        (void) sub_fail(warn, ENOMEM, "linux.resources.memory",
                        "the container's process was killed (OOM): %s", reason);
}

static int live(struct start *start, int signal_fd, int *ret_status, struct sub_err *warn,
                struct sub_err *err)
{
    const struct run_target by_name = {.arena = start->request->arena,
                                       .state_root = start->request->state_root,
                                       .id = start->plan->id,
                                       .ledger = start->request->ledger};
    struct ending ending = {.final = start->request->final};
    uint64_t began_us = time_now_us(CLOCK_MONOTONIC);

    sub_close(&start->dir_fd); /* and with it the lock */
    int rc = after_start(start, &by_name, err);
    proc_notify_of(&start->notify, start->child.pid);
    if (rc == 0 && start->request->detach)
        return proc_notify_wait(&start->notify, start->child.pidfd, err);
    if (rc == 0)
        rc = watch_process(start, signal_fd, ret_status, err);
    if (rc < 0) {
        struct sub_err ignored = {.code = 0};

        kill_child(start->child.pidfd);
        start_done(start); /* the end must not lack descriptors because the start holds them */
        (void) end_container(&by_name, &ending, warn, &ignored);
        return rc;
    }
    ending.watched = true;
    ending.status = *ret_status;
    ending.life_us = time_now_us(CLOCK_MONOTONIC) - began_us;
    if (ending.final != NULL)
        ending.final->life_us = ending.life_us;
    explain_end(start, *ret_status, warn);
    start_done(start);
    if (!start->request->keep)
        return end_container(&by_name, &ending, warn, err);
    keep_container(&by_name, &ending);
    return 0;
}

int run_run(const struct run_request *request, int *ret_status, struct sub_err *warn,
            struct sub_err *err)
{
    __attribute__((cleanup(start_done))) struct start start;
    sigset_t before;
    int signal_fd = -EBADF, status = 0;

    start_init(&start, request, false);
    SUBLET_TRY(open_fds(request->plan, err));

    /* before the clone: a container may end, or be told to, before we are ready to look */
    int rc = proc_watch_signals(&before, &signal_fd);
    OWNED_FD signals = signal_fd;
    if (rc < 0)
        return sub_fail(err, -rc, NULL, "signalfd: %s", sub_strerror(-rc));

    rc = steps_run(PARENT, &start, err);
    if (rc == 0)
        rc = live(&start, signals, &status, warn, err);
    (void) sigprocmask(SIG_SETMASK, &before, NULL);
    if (rc < 0)
        return rc;
    *ret_status = status;
    return 0;
}
